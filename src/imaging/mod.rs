//! Operations on pixels and voxels: samples of volumes and labels, picture pyramids, tissue on glass,
//! stains.

mod pyramid;
mod sample;
mod stain;
mod tissue;

pub use pyramid::{block_mean, pyramid};
pub use sample::{label_at, nearest_index, sample, trilinear};
pub use stain::Stains;
pub use tissue::{GLASS_DISTANCE, glass_color, is_tissue, tissue_mask};
