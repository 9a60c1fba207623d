//! Counts per observation brought to one total, with or without logarithm.

use super::table::{check_table, note_fractions, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use std::fmt;
use std::str::FromStr;

/// The total that every observation is brought to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The median total of the observations that have counts.
    Median,
    /// This many.
    Total(f64),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            _ if text.eq_ignore_ascii_case("median") => Ok(Self::Median),
            Ok(total) if total.is_finite() && total > 0.0 => Ok(Self::Total(total)),
            _ => Err(format!("expected median or a number above 0, as 10000, got {text}")),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Median => f.write_str("median"),
            Self::Total(total) => write!(f, "{total}"),
        }
    }
}

/// Settings of [`normalize`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalizeSettings {
    /// Total of every observation afterwards.
    pub target: Target,
    /// Whether the natural logarithm of 1 + value follows.
    pub log1p: bool,
}

impl Default for NormalizeSettings {
    /// Median, no logarithm.
    fn default() -> Self {
        Self { target: Target::Median, log1p: false }
    }
}

/// A normalized table.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalized {
    /// The table; its unit says what was done.
    pub expression: Expression,
    /// The total that was used.
    pub target: f64,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Every observation divided by its total and multiplied by the target; then `ln(1 + x)` where asked for.
/// Observations without counts stay zero and are not part of the median. Costs two passes over the values.
///
/// Errors: [`Error::Degenerate`] for numbers that are missing, infinite or negative, and where all
/// observations are empty; [`Error::Parameter`] for values that are logarithms already.
pub fn normalize(expression: Expression, settings: &NormalizeSettings, progress: &Progress) -> Result<Normalized> {
    progress.step(0.0, "checking counts")?;
    check_table(&expression)?;
    refuse_negative(&expression, "normalization")?;
    if expression.unit.starts_with("log1p") {
        return Err(Error::parameter(format!("the values are {}; normalization starts from counts", expression.unit)));
    }
    let mut findings = Vec::new();
    note_fractions(&expression, "normalization", &mut findings);
    progress.step(0.3, "normalizing")?;
    let totals = expression.totals();
    let target = target_total(&totals, settings.target)?;
    note_empty(&totals, &mut findings);

    let factors = factors(&totals, target);
    let mut expression = expression;
    progress.step(0.5, "normalizing")?;
    if settings.log1p {
        expression.map_values(|row, value| ln_1p(f64::from(value) * factors[row]) as f32);
    } else {
        expression.map_values(|row, value| (f64::from(value) * factors[row]) as f32);
    }
    expression.unit = unit(target, settings);
    progress.step(1.0, "normalizing")?;
    Ok(Normalized { expression, target, findings })
}

/// `ln(1 + x)` to single precision. Above 1/1024 the sum loses less than 1e-12 of it, and the plain logarithm is faster.
fn ln_1p(x: f64) -> f64 {
    if x > 1.0 / 1024.0 { (1.0 + x).ln() } else { x.ln_1p() }
}

/// The total that a target stands for. [`Error::Degenerate`] where no observation has counts.
pub(super) fn target_total(totals: &[f64], target: Target) -> Result<f64> {
    let mut filled: Vec<f64> = totals.iter().copied().filter(|t| *t > 0.0).collect();
    if filled.is_empty() {
        return Err(Error::degenerate(format!("all {} observations are empty, so there is nothing to normalize", totals.len())));
    }
    match target {
        Target::Total(total) if total.is_finite() && total > 0.0 => Ok(total),
        Target::Total(total) => Err(Error::parameter(format!("a target of {total} counts; it must be above 0"))),
        Target::Median => {
            filled.sort_by(f64::total_cmp);
            let half = filled.len() / 2;
            Ok(if filled.len() % 2 == 1 { filled[half] } else { f64::midpoint(filled[half - 1], filled[half]) })
        }
    }
}

/// What the values of each observation are multiplied by.
pub(super) fn factors(totals: &[f64], target: f64) -> Vec<f64> {
    totals.iter().map(|&t| if t > 0.0 { target / t } else { 0.0 }).collect()
}

fn note_empty(totals: &[f64], findings: &mut Vec<Finding>) {
    let n = totals.iter().filter(|t| **t <= 0.0).count();
    if n > 0 {
        findings.push(Finding {
            severity: Severity::Note,
            code: "empty-observations",
            what: format!("{n} of {} observations have no counts: they stay zero and are no part of the median", totals.len()),
            evidence: vec![("empty".into(), n as f64)],
            remedy: "leave them out where they are not tissue".into(),
        });
    }
}

fn unit(target: f64, settings: &NormalizeSettings) -> String {
    let name = match settings.target {
        Target::Median => format!("counts per {target} (median)"),
        Target::Total(10_000.0) => "CP10k".to_owned(),
        Target::Total(1e6) => "CPM".to_owned(),
        Target::Total(total) => format!("counts per {total}"),
    };
    if settings.log1p { format!("log1p {name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    fn run(rows: &[&[f32]], target: Target, log1p: bool) -> Result<Normalized> {
        normalize(table(rows), &NormalizeSettings { target, log1p }, &Progress::none())
    }

    #[test]
    fn totals_become_the_target() {
        let rows: &[&[f32]] = &[&[1.0, 3.0], &[0.0, 0.0], &[8.0, 0.0], &[2.0, 4.0]];
        let done = run(rows, Target::Median, false).unwrap();
        assert_eq!((done.target, done.expression.totals()), (6.0, vec![6.0, 0.0, 6.0, 6.0]));
        assert_eq!(done.expression.unit, "counts per 6 (median)");
        assert_eq!(done.findings[0].code, "empty-observations");
        let logs = run(rows, Target::Total(1e4), true).unwrap().expression;
        assert_eq!(logs.unit, "log1p CP10k");
        assert!((logs.dense(1)[0] - 7501f32.ln()).abs() < 1e-6);
        assert!(normalize(logs, &NormalizeSettings::default(), &Progress::none()).unwrap_err().to_string().contains("log1p"));
    }

    #[test]
    fn odd_inputs_get_a_sentence() {
        for (rows, part) in
            [(&[&[1.0, -1.0][..]][..], "negative"), (&[&[0.0, 0.0][..]][..], "empty"), (&[&[1.0, f32::NAN][..]][..], "NaN")]
        {
            let error = run(rows, Target::Median, false).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(run(&[&[1.0]], Target::Total(0.0), false).is_err());
        assert_eq!(run(&[&[1.5, 1.0]], Target::Median, false).unwrap().findings[0].code, "not-counts");
        assert_eq!(run(&[&[4.0], &[2.0]], Target::Total(1.0), false).unwrap().expression.dense(0), [1.0, 1.0]);
        assert!("0".parse::<Target>().is_err() && "x".parse::<Target>().is_err() && "nan".parse::<Target>().is_err());
        assert_eq!("1e4".parse(), Ok(Target::Total(1e4)));
        assert_eq!(Target::Median.to_string().parse(), Ok(Target::Median));
    }
}
