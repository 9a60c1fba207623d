//! The failure-mode checks: values in, findings out. Every report prints what they find. A finding of
//! severity [`Severity::Error`] is a refusal: the claim must not be made.

mod availability;
mod batch;
mod leakage;
mod sample_size;

pub use availability::{Availability, Outcome, availability, availability_findings, fisher_exact};
pub use batch::{Phenotype, batch_aliased, cramers_v};
pub use leakage::{duplicated_samples, leakage, looks_like_group, random_folds};
pub use sample_size::{n_against_features, noise_correlation};

use crate::base::Severity;
use crate::model::Finding;

/// Whether a guard refuses.
#[must_use]
pub fn refuses(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error)
}
