//! Files in, files out; nothing else touches a file. [`open`] recognizes what a path holds by its
//! content and gives everything found in it, with notes on what was assumed.

pub mod bytes;
pub mod dicom;
mod found;
pub mod h5ad;
mod hdf5_build;
pub mod hdf5_open;
mod hdf5_read;
pub mod landmarks;
pub mod nifti;
pub mod picture;
pub mod project;
pub mod record;
pub mod table;
pub mod tenx;
pub mod visium;
pub mod inspect;
pub mod json;
pub mod landmarks;
pub mod nifti;
mod open;
mod summary;
pub mod table;
pub mod transform_file;

pub use found::{Content, Found, Reading};
pub use open::open;
pub use summary::{kind_name, summarize};
