//! One measured number with everything that must travel with it.

use crate::base::{Error, Result, Severity};
use crate::model::{Finding, LabelMap};
use std::borrow::Cow;

/// A row of a tidy table: `subject,region,phase,metric,value,unit,method`.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Whose heart.
    pub subject: String,
    /// As `lv`, `myo` or a segment number.
    pub region: String,
    /// As `ED`, a phase number, or empty where it belongs to the whole beat.
    pub phase: String,
    /// As `ejection_fraction`.
    pub metric: Cow<'static, str>,
    /// The number.
    pub value: f64,
    /// As `mL`.
    pub unit: &'static str,
    /// Definition, anchor, phases: whatever else could have been chosen.
    pub method: String,
}

/// What a measurement gives: its numbers, and what is to be said of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Numbers.
    pub rows: Vec<Measure>,
    /// Assumptions and doubts.
    pub findings: Vec<Finding>,
}

impl Measured {
    pub(super) fn row(
        &mut self,
        (region, phase): (&str, &str),
        (metric, value, unit): (&'static str, f64, &'static str),
        method: &str,
    ) {
        self.named_row((region, phase), (Cow::Borrowed(metric), value, unit), method);
    }

    pub(super) fn named_row(
        &mut self,
        (region, phase): (&str, &str),
        (metric, value, unit): (Cow<'static, str>, f64, &'static str),
        method: &str,
    ) {
        let (region, phase, method) = (region.to_owned(), phase.to_owned(), method.to_owned());
        self.rows.push(Measure { subject: String::new(), region, phase, metric, value, unit, method });
    }

    pub(super) fn say(&mut self, severity: Severity, code: &'static str, what: String, evidence: &[(&str, f64)], remedy: &str) {
        let evidence = evidence.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        self.findings.push(Finding { severity, code, what, evidence, remedy: remedy.into() });
    }

    /// The same numbers of a named subject.
    #[must_use]
    pub fn of(mut self, subject: &str) -> Self {
        self.rows.iter_mut().for_each(|r| subject.clone_into(&mut r.subject));
        self
    }

    /// The first value of a region, phase and metric.
    #[must_use]
    pub fn value(&self, region: &str, phase: &str, metric: &str) -> Option<f64> {
        self.rows.iter().find(|r| r.region == region && r.phase == phase && r.metric == metric).map(|r| r.value)
    }
}

/// [`Error::Degenerate`] where the file does not say that its lengths are millimeters.
pub(super) fn needs_unit(labels: &LabelMap) -> Result<()> {
    if labels.length_unit_known {
        return Ok(());
    }
    Err(Error::degenerate(format!(
        "unit-unknown: the file of '{}' does not say that its lengths are millimeters, so no milliliters are computed; set the unit in the file",
        labels.name
    )))
}

/// Mean and standard deviation (n − 1) of values, `None` for fewer than two.
pub(super) fn mean_sd(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (values.len() > 1).then(|| (mean, (squares / (n - 1.0)).sqrt()))
}
