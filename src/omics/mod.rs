//! Counts to representation: quality, normalization, variable genes, principal components, neighbors on a
//! section. Everything works on sparse genes and never fills the whole table.

mod bins;
mod components;
mod normalize;
mod spatial;
mod summarize;
mod table;
mod variable;

pub use components::{ComponentSettings, Components, components};
pub use normalize::{NormalizeSettings, Normalized, Target, normalize};
pub use spatial::{GeneAutocorrelation, GraphKind, Lee, LocalMoran, SpatialGraph, Statistic, autocorrelation, lee, local_moran};
pub use summarize::{Summary, summarize};
pub use table::{ValueScale, check_table};
pub use variable::{Flavor, VariableGenes, VariableSettings, variable_genes};
