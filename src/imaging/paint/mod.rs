//! Drawing on segmentations: which voxels a brush, a polygon, a growing region or a filled hole would give
//! which label. Everything here proposes (memory index, new value) in rising order; what is locked is left
//! out where the proposal becomes an edit.

mod brush;
mod cleanup;
mod grow;
mod interpolate;
mod slices;

pub use brush::{Brush, Tip, brush_voxels, polygon_voxels, within};
pub use cleanup::{Connect, copy_slice, fill_holes, largest_piece};
pub use grow::{GrowSettings, grow};
pub use interpolate::interpolate_slices;
pub use slices::slice_axis;
