//! Fitting a section to the heart: landmark models, their quality, mirrors and swaps.
//!
//! Maps go from the moving section to the fixed plane. Small residuals say nothing about other points
//! (Fitzpatrick 2009), so the quality of a fit is its leave-one-out error.

mod assess_3d;
mod fit_2d;
mod fit_3d;
mod place;
mod quality;
mod shape;
mod suspicion;
mod thin_plate;

pub use assess_3d::assess_3d;
pub use fit_2d::fit_2d;
pub use fit_3d::fit_3d;
pub use place::{pairs_flagged, plane_of_points, plane_or_level};
pub use quality::{assess_2d, fit_registration, leave_one_out};
pub use suspicion::{mend_mirror, mend_swap, mirrored, swapped};
