//! Files in, files out; nothing else touches a file. [`open`] recognizes what a path holds by its
//! content and gives everything found in it, with notes on what was assumed.

pub mod dicom;
mod found;

pub use found::{Content, Found, Reading};
