//! Neighbors on a section, and what they have in common.

mod autocorrelation;
mod graph;
mod local;

pub use autocorrelation::{GeneAutocorrelation, Statistic, autocorrelation};
pub use graph::{GraphKind, SpatialGraph, array_places};
pub use local::{Lee, LocalMoran, lee, local_moran};
