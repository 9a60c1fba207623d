//! What a guard found: values in, findings out; every report prints them.

use crate::base::Severity;

/// One finding with its evidence and its remedy.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable kebab-case word, as `mirrored-labels`.
    pub code: &'static str,
    /// One sentence.
    pub what: String,
    /// Named numbers that support it.
    pub evidence: Vec<(String, f64)>,
    /// What to do about it.
    pub remedy: String,
}
