//! Numbers without anatomy or genes: small dense linear algebra and seeded random streams, each
//! behind one door so that no other room sees the crates that do the work.

mod decompose;
mod loess;
mod pca;
mod random;
mod solve;
mod svd;

pub use decompose::{Eigen, long_svd, symmetric_eigen};
pub use loess::{LoessSettings, loess};
pub use pca::{Pca, PcaMethod, PcaSettings, SparseColumns, pca};
pub use random::Stream;
pub use solve::solve;
pub use svd::{ThinSvd, thin_svd};
