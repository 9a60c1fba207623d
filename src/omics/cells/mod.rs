//! Cells as a graph of the most alike, their clusters, and a map of them in the plane.

mod arrange;
mod embed;
mod leiden;
mod neighbors;

pub use embed::{EmbedSettings, Embedding, embed};
pub use leiden::{ClusterSettings, Clusters, cluster};
pub use neighbors::{CellGraph, NeighborSettings, neighbors};
