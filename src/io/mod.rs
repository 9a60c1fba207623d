//! Files in, files out; nothing else touches a file. [`open`] recognizes what a path holds by its
//! content and gives everything found in it, with notes on what was assumed.

pub mod bytes;
mod found;
pub mod landmarks;
pub mod nifti;
pub mod project;
pub mod record;
pub mod table;

pub use found::{Content, Found, Reading};
