//! Numbers of the heart that physicians report: ventricles, the 17 segments, wall thickness, and the
//! bullseye they are drawn on. Geometry is done in patient LPS, never in voxel indices.

mod bullseye;
mod frame;
mod insertions;
mod measure;
mod radiomics;
mod segments;
mod stack;
mod thickness;
mod ventricles;
mod wall;

pub use bullseye::{Cell, Territory, cells, segment_at_disc, segment_name, territory};
pub use frame::{Level, SegmentFrame};
pub use measure::Measure;
pub use radiomics::{Aggregation, Discretize, Feature, Radiomics, RadiomicsSettings, radiomics};
pub use segments::{Anchor, Levels, SegmentSettings, Segmentation, segment_labels};
pub use thickness::measure_segments;
pub use ventricles::{VentricleSettings, ventricles};
pub use wall::{WallPlace, half_maximum, wall_places};
