//! Files in, files out; nothing else touches a file. [`open`] recognizes what a path holds by its
//! content and gives everything found in it, with notes on what was assumed.

pub mod bytes;
mod found;
pub mod inspect;
pub mod json;
pub mod landmarks;
pub mod nifti;
mod open;
mod summary;
mod parquet_check;
pub mod table;
pub mod transform_file;

pub use found::{Content, Found, Reading};
pub use open::open;
pub use summary::{kind_name, summarize};
