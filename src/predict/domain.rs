//! Whether a sample is like those that were learned from, and how far its prediction may be off.

use crate::base::Result;
use crate::model::Domain;
use crate::stats::{Cholesky, dot, quantile_of};

/// Added to the correlations, so that features that follow from others do no harm.
pub(super) const SHRINKAGE: f64 = 0.01;
/// Share of held-out training samples that count as inside.
const INSIDE: f64 = 0.99;

/// The metric of training samples.
pub(super) struct Metric(Cholesky);

impl Metric {
    /// From the correlations of p scaled features.
    pub(super) fn new(p: usize, correlation: &[f64], shrinkage: f64) -> Result<Self> {
        let mut a = correlation.to_vec();
        (0..p).for_each(|j| a[j * p + j] += shrinkage);
        Ok(Self(Cholesky::new(p, &a)?))
    }

    /// Squared Mahalanobis distance and squared length of scaled features.
    pub(super) fn distances(&self, z: &[f64]) -> [f64; 2] {
        [self.0.inverse_norm_squared(z), dot(z, z)]
    }
}

/// Limits from the distances of held-out training samples.
pub(super) fn domain_of(distances: &[[f64; 2]]) -> Domain {
    let limit = |a: usize| quantile_of(&distances.iter().map(|d| d[a]).collect::<Vec<_>>(), INSIDE).max(f64::MIN_POSITIVE);
    let mut domain = Domain { shrinkage: SHRINKAGE, mahalanobis_limit: limit(0), length_limit: limit(1), limit: 1.0 };
    let both: Vec<f64> = distances.iter().map(|d| distance(&domain, *d)).collect();
    domain.limit = quantile_of(&both, INSIDE);
    domain
}

/// The distance of a [`Domain`].
pub(super) fn distance(domain: &Domain, [mahalanobis, length]: [f64; 2]) -> f64 {
    (mahalanobis / domain.mahalanobis_limit).max(length / domain.length_limit)
}
