//! Numbers without anatomy or genes: small dense linear algebra, seeded random streams, folds that do not
//! leak, permutation and correlation, each behind one door so that no other room sees the crates that do
//! the work.

mod correlate;
mod folds;
mod permute;
mod point_tree;
mod random;
mod solve;
mod svd;
mod variogram;

pub use correlate::{pearson, ranks, spearman};
pub use folds::{Fold, block_folds, group_folds, leave_one_group_out};
pub use permute::{Exchange, permutation_p};
pub use point_tree::PointTree;
pub use random::Stream;
pub use solve::solve;
pub use svd::{ThinSvd, thin_svd};
pub use variogram::spatial_range_mm;
