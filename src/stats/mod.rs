//! Numbers without anatomy or genes: small dense linear algebra, seeded random streams, folds that do not
//! leak, permutation and correlation, each behind one door so that no other room sees the crates that do
//! the work.

mod cca;
mod cholesky;
mod correlate;
mod decompose;
mod density;
mod folds;
mod knn;
mod lanczos;
mod loess;
mod mixed;
mod moderated;
mod nearest;
mod nmf;
mod nnls;
mod pca;
mod permute;
mod point_tree;
mod products;
mod quantile;
mod random;
mod ridge;
mod solve;
mod special;
mod surrogate;
mod svd;
mod triangulate;
mod variogram;

pub use cca::{Cca, nested_largest};
pub use cholesky::{Cholesky, dot};
pub use correlate::{pearson, ranks, spearman};
pub use decompose::{Eigen, leading_eigen, long_svd, symmetric_eigen};
pub use density::KernelDensity;
pub use folds::{Fold, block_folds, group_folds, leave_one_group_out};
pub use knn::{Neighbors, nearest_neighbors};
pub use loess::{LoessSettings, loess};
pub use mixed::{MixedFit, MixedTest, RandomIntercept};
pub use moderated::{LinearFit, LinearModel, Moderated, Prior};
pub use nearest::Nearest;
pub use nmf::{Nmf, NmfLoss, NmfSettings, nmf, nmf_from};
pub use nnls::Nnls;
pub use pca::{Pca, PcaMethod, PcaSettings, SparseColumns, pca};
pub use permute::{Exchange, permutation_p};
pub use point_tree::PointTree;
pub use products::{add_product_transposed, add_transposed_product};
pub use quantile::{quantile, quantile_of};
pub use random::Stream;
pub use ridge::{Design, Gram, Ridge};
pub use solve::solve;
pub use special::{
    benjamini_hochberg, benjamini_hochberg_ln, digamma, f_upper, hypergeometric_at_least, incomplete_beta, ln_gamma,
    ln_t_two_sided, normal_upper, t_quantile_upper, t_two_sided, trigamma, trigamma_inverse,
};
pub use surrogate::{SpatialBasis, SpatialParts};
pub use svd::{ThinSvd, thin_svd};
pub use triangulate::delaunay_edges;
pub use variogram::spatial_range_mm;
