//! Steps on the genes of a section, as tasks: clusters and a map of spots, genes that vary over the section, scores of
//! gene sets, fractions of cell types. The command line takes the same settings and gives the same numbers.

mod cluster;
mod deconvolve;
mod score;
mod spatial;

pub use cluster::{ClusterTask, EmbedTask};
pub use deconvolve::{DeconvolveTask, SignatureRecord};
pub use score::{ScoreTask, SetRecord};
pub use spatial::{GraphRecord, SpatialGenesTask};

use super::Made;
use super::reduce::{InUse, Reduced, as_they_are};
use crate::base::{Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::omics::{NormalizeSettings, Target, normalize};
use serde::{Deserialize, Serialize};

/// What is done to counts before a step sees them. The names are on disk: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValuesRecord {
    /// Whether every spot is scaled to one total.
    pub normalize: bool,
    /// The total; none is the median.
    pub target: Option<f64>,
    /// Whether the logarithm of 1 + value follows.
    pub log1p: bool,
}

impl Default for ValuesRecord {
    /// `log1p CP10k`.
    fn default() -> Self {
        Self { normalize: true, target: Some(10_000.0), log1p: true }
    }
}

impl ValuesRecord {
    fn table(self, counts: Expression, progress: &Progress, findings: &mut Vec<Finding>) -> Result<Expression> {
        if !self.normalize {
            return Ok(counts);
        }
        if counts.unit != "counts" {
            findings.push(as_they_are(&counts.unit));
            return Ok(counts);
        }
        let target = self.target.map_or(Target::Median, Target::Total);
        let done = normalize(counts, &NormalizeSettings { target, log1p: self.log1p }, progress)?;
        findings.extend(done.findings);
        Ok(done.expression)
    }
}

fn pair(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// Spots are no patients: p-values say nothing of other hearts.
fn one_sample(what: &str) -> Finding {
    Finding {
        severity: Severity::Note,
        code: "one-section",
        what: format!("The spots of one section are one sample: {what} describe this section, not other hearts."),
        evidence: Vec::new(),
        remedy: "Compare sections of several people to say more.".into(),
    }
}

/// Mean, largest and number of the finite values.
fn summary(values: impl Iterator<Item = f64>) -> (f64, f64, usize) {
    let (mut sum, mut most, mut n) = (0.0, f64::NEG_INFINITY, 0_usize);
    for v in values.filter(|v| v.is_finite()) {
        (sum, most, n) = (sum + v, most.max(v), n + 1);
    }
    if n == 0 { (0.0, 0.0, 0) } else { (sum / n as f64, most, n) }
}
