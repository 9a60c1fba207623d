//! Numbers of the heart that physicians report: ventricles, the 17 segments, wall thickness, and the
//! bullseye they are drawn on. Geometry is done in patient LPS, never in voxel indices.

mod bullseye;
mod calcium;
mod compare;
mod echo;
mod ecv;
mod frame;
mod insertions;
mod measure;
mod outline;
mod radiomics;
mod scar;
mod segments;
mod stack;
mod strain;
mod thickness;
mod ventricles;
mod wall;
mod wall_laplace;
mod wall_methods;

pub use bullseye::{Cell, Territory, cells, outline_of, segment_at_disc, segment_name, territory};
pub use calcium::{CalciumSettings, measure_calcium};
pub use compare::{Agreement, agreement, compare_labels, tell_agreement};
pub use echo::{EchoSettings, EchoView, cube_mass_g, measure_echo};
pub use ecv::measure_ecv;
pub use frame::{Level, SegmentFrame};
pub use measure::{Measure, Measured};
pub use radiomics::{Aggregation, Discretize, Feature, Radiomics, RadiomicsSettings, radiomics};
pub use scar::{Scar, ScarRule, ScarSettings, measure_scar};
pub use segments::{Anchor, Levels, SegmentSettings, Segmentation, segment_labels, segment_labels_or_wall};
pub use strain::{ContourKey, StrainSettings, StrainView, TrackedContours, measure_strain, strain_of_labels};
pub use thickness::{measure_segments, measure_wall};
pub use ventricles::{VentricleSettings, plausibility, systole_of, ventricles};
pub use wall::{WallPlace, half_maximum, wall_places};
pub use wall_methods::{WallLine, WallMethod, wall_lines};
