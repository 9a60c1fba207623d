//! Operations on pixels and voxels: samples of volumes and labels, picture pyramids, tissue on glass,
//! stains, sums over all pairs of voxels, drawing on segmentations.

mod contour_fill;
mod contour_trace;
mod distance;
mod figure;
mod fourier;
mod isoline;
mod marching;
mod orientation;
pub mod paint;
mod pyramid;
mod resample;
mod sample;
mod solid;
mod spots_on_grid;
mod stain;
mod tissue;

pub use contour_fill::{Filled, fill_contours, grid_of_contours};
pub use contour_trace::trace_labels;
pub use distance::{AROUND_2D, AROUND_AND_STACKED, FACES_2D, distance_mm, pieces};
pub use figure::{FigureValue, ellipse_corners, figure_size, measure_figure};
pub use fourier::{PairSums, pair_sums};
pub use isoline::isolines;
pub use marching::{cube_triangles, surface_of_mask};
pub use orientation::{OrientationCheck, Storage, check_orientation, resample_labels, restored};
pub use pyramid::{block_mean, pyramid};
pub use resample::{Outside, warp_raster, warp_volume};
pub use sample::{label_at, nearest_index, sample, trilinear};
pub use solid::{fill_surface, grid_of_surface};
pub use spots_on_grid::{SpotMap, spots_on_grid};
pub use stain::Stains;
pub use tissue::{GLASS_DISTANCE, glass_color, is_tissue, tissue_mask};
