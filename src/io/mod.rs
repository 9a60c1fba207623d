//! Files in, files out; nothing else touches a file. [`open()`] recognizes what a path holds by its
//! content and gives everything found in it, with notes on what was assumed.

pub mod bytes;
pub mod dicom;
mod found;
pub mod h5ad;
mod hdf5_build;
pub mod hdf5_open;
mod hdf5_read;
pub mod inspect;
pub mod json;
pub mod landmarks;
pub mod nifti;
mod open;
mod parquet_check;
pub mod picture;
pub mod project;
pub mod raster;
pub mod record;
mod summary;
pub mod svg;
pub mod table;
pub mod tenx;
mod transform_chain;
pub mod transform_file;
pub mod transform_formats;
pub mod visium;

pub use bytes::{write_atomic, write_bytes};
pub use dicom::{SeriesFacts, write_dicom_cine};
pub use found::{Content, Found, Reading};
pub use h5ad::write_h5ad;
pub use landmarks::{PairRow, PairTable, read_pairs, write_pairs};
pub use nifti::{read_labels, read_volume_any, write_nifti_labels, write_nifti_volume};
pub use open::open;
pub use picture::write_png;
pub use raster::{read_raster, write_raster};
pub use summary::{kind_name, summarize};
pub use svg::write_svg;
pub use table::{Cells, Table, TableColumn};
pub use transform_file::{LengthUnit, TransformFile, read_transform, write_transform};
pub use transform_formats::{TransformContent, TransformFormat, read_any_transform, write_any_transform};
pub use visium::write_visium;
