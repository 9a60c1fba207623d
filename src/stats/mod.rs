//! Numbers without anatomy or genes: small dense linear algebra and seeded random streams, each
//! behind one door so that no other room sees the crates that do the work.

mod random;
mod solve;
mod svd;

pub use random::Stream;
pub use solve::solve;
pub use svd::{ThinSvd, thin_svd};
