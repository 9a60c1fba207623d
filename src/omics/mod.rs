//! Counts to representation: quality, normalization, variable genes, principal components. Everything works
//! on sparse genes and never fills the whole table.

mod bins;
mod components;
mod normalize;
mod summarize;
mod table;
mod variable;

pub use components::{ComponentSettings, Components, components};
pub use normalize::{NormalizeSettings, Normalized, Target, normalize};
pub use summarize::{Summary, summarize};
pub use table::{ValueScale, check_table};
pub use variable::{Flavor, VariableGenes, VariableSettings, variable_genes};
