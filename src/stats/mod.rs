//! Numbers without anatomy or genes: small dense linear algebra.

mod solve;
mod svd;

pub use solve::solve;
pub use svd::{ThinSvd, thin_svd};
