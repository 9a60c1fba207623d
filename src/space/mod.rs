//! Where things are: named spaces, affines between them, voxel grids, oriented planes, warps, and the
//! atlas that chains them. Lengths are millimeters in `f64`; world axes are DICOM patient LPS
//! (x to the left, y to the back, z to the head). Whole numbers are voxel and pixel centers.

mod affine;
mod atlas;
mod grid;
mod lattice;
mod mesh;
mod newton;
mod plane;
mod point_grid;
mod point_map;
mod pull;
mod thin_plate;
mod warp;
mod warp_3d;

pub use affine::{Affine, Space, lps_from_ras};
pub use atlas::{Atlas, Link, Map};
pub use glam::{DAffine2, DAffine3, DMat2, DMat3, DVec2, DVec3};
pub use grid::Grid;
pub use lattice::{ArrayFit, Lattice, LatticeKind, fit_array, fit_lattice, visium_um};
pub use mesh::{Mesh, warp_mesh};
pub use plane::{Plane, orientation_letters};
pub use point_grid::PointGrid;
pub use point_map::{PointMap, inverse, one_after_other};
pub use pull::{PullGrid, pull_grid};
pub use thin_plate::{ThinPlate, thin_plate_kernel};
pub use warp::{MlsKind, MovingLeastSquares, Warp};
pub use warp_3d::{MovingLeastSquares3, ThinPlate3, Warp3};
