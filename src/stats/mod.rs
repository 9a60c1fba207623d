//! Numbers without anatomy or genes: small dense linear algebra and seeded random streams, each
//! behind one door so that no other room sees the crates that do the work.

mod cholesky;
mod correlation;
mod nearest;
mod quantile;
mod random;
mod ridge;
mod solve;
mod svd;

pub use cholesky::{Cholesky, dot};
pub use correlation::{pearson, ranks, spearman};
pub use nearest::Nearest;
pub use quantile::{quantile, quantile_of};
pub use random::Stream;
pub use ridge::{Design, Gram, Ridge};
pub use solve::solve;
pub use svd::{ThinSvd, thin_svd};
