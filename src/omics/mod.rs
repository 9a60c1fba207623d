//! Counts to representation: quality, normalization, variable genes, principal components, neighbors on a
//! section. Everything works on sparse genes and never fills the whole table.

mod bins;
mod by_category;
mod cells;
mod compare;
mod components;
mod deconvolve;
mod design;
mod differential;
mod factors;
mod names;
mod niches;
mod normalize;
mod pseudobulk;
mod score;
mod spatial;
mod summarize;
mod table;
mod variable;

pub use by_category::{Categories, Dots, Leading, Violin, dots, leading_genes, violins};
pub use cells::{CellGraph, ClusterSettings, Clusters, EmbedSettings, Embedding, NeighborSettings, cluster, embed, neighbors};
pub use compare::{CompareSettings, Comparison, GeneDifference, Share, Unit, compare, composed_of, composition, patients_of};
pub use components::{ComponentSettings, Components, components};
pub use deconvolve::{DeconvolveSettings, Fractions, Signature, deconvolve};
pub use design::Formula;
pub use differential::{Differential, TestOutcome, TestSettings, differential};
pub use factors::{Factors, factors};
pub use niches::{Composition, NicheSettings, Niches, log_ratios, neighborhoods, niches, replace_zeros};
pub use normalize::{NormalizeSettings, Normalized, Target, normalize};
pub use pseudobulk::{Pseudobulk, PseudobulkSettings, pseudobulk};
pub use score::{GeneSet, ScoreMethod, ScoreSettings, Scores, score};
pub use spatial::{
    GeneAutocorrelation, GraphKind, Lee, LocalMoran, SpatialGraph, Statistic, array_places, autocorrelation, lee, local_moran,
};
pub use summarize::{Summary, summarize};
pub use table::{ValueScale, check_table};
pub use variable::{Flavor, VariableGenes, VariableSettings, variable_genes};
