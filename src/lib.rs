//! Myoscope: a workbench that shows a patient's heart and the genes of its tissue in one scene.
//!
//! The storeys, lowest first: [`base`], [`space`], [`model`], then the rooms for files ([`io`]),
//! the built-in case ([`phantom`]), anatomy ([`cardiac`]), alignment ([`register`]), genes ([`omics`]), joint
//! models ([`fuse`], [`predict`]) and their checks ([`guard`]); above them what is on the screen ([`scene`]), the program without a window ([`session`]), and its two faces ([`cli`], `ui`).
//! `ARCHITECTURE.md` has the map; `tests/layers.rs` holds it in place.
//!
//! For research, not for diagnosis.

pub mod base;
pub mod model;
pub mod space;

pub mod cardiac;
pub mod cli;
pub mod fuse;
pub mod guard;
pub mod imaging;
pub mod io;
pub mod omics;
pub mod phantom;
pub mod predict;
pub mod register;
#[cfg(feature = "gui")]
pub mod render;
pub mod scene;
pub mod session;
pub mod stats;
#[cfg(feature = "gui")]
pub mod ui;
