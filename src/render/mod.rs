//! The GPU: draws a [`Scene`](crate::scene::Scene) with wgpu, in a window's pane or off screen.
//!
//! What an `Arc` in the scene points to is uploaded once and kept while it is drawn; a changed plane,
//! phase, window or color uploads a few hundred bytes. Pixels are sampled by arithmetic, so that the
//! picture is the processor painter's.

pub mod bench;
mod cache;
mod callback;
mod frame;
mod gpu;
mod lod;
mod offscreen;
mod pass;
mod picture;
mod points;
mod renderer;
mod shader;
mod spots;
mod tables;
#[cfg(test)]
mod tests;
mod volume;

pub use callback::{PaneCallback, adapter_name, install, lose, stats, trouble, wgpu_setup};
pub use gpu::Gpu;
pub use lod::{Ordered, prepare_points};
pub use offscreen::Pixels;
pub use renderer::{RenderStats, Renderer};
