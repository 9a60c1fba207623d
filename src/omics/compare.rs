//! Two sets of spots side by side: what they are made of, and which genes differ, with the patient as the unit where the
//! patients allow it.
//!
//! Expression is e = ln(1 + count · m / total), with m the median total of all spots (natural logarithms that a table
//! already holds are taken as they are). The difference is that of the means of e, divided by ln 2 (so in units of
//! log2). The standardized effect is Hedges' g (Hedges, J. Educ. Stat. 6 (1981) 107): the difference by the pooled
//! standard deviation, times 1 − 3 / (4 · df − 1). Intervals are those of t for the difference: paired over patients,
//! else of Welch with the degrees of freedom of Satterthwaite (rounded down below 60, which makes them wider). Each
//! interval stands alone: none knows that the largest of many genes are shown.

use super::differential::PATIENT_COLUMNS;
use super::normalize::{Target, factors, target_total};
use super::table::{ValueScale, check_table, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Column, Expression, Finding};
use crate::stats::{benjamini_hochberg_ln, ln_t_two_sided, t_quantile_upper};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::f64::consts::LN_2;

/// Most categories of a column that a composition is made of.
const MOST_CATEGORIES: usize = 60;

/// Settings of [`compare`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompareSettings {
    /// So many genes with the largest effects.
    pub top: usize,
    /// Coverage of the intervals.
    pub confidence: f64,
}

impl Default for CompareSettings {
    /// 50 genes, 95 %.
    fn default() -> Self {
        Self { top: 50, confidence: 0.95 }
    }
}

/// What is counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Spots: the interval is about these spots only.
    Spots,
    /// So many patients with spots in both sets.
    PairedPatients(usize),
    /// So many patients in each set, none or one of them in both.
    Patients([usize; 2]),
}

/// A gene in two sets of spots.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneDifference {
    /// Its number in the table.
    pub gene: usize,
    /// Mean of ln(1 + normalized count) over the units of A.
    pub mean_a: f64,
    /// The same in B.
    pub mean_b: f64,
    /// A − B in units of log2.
    pub log2fc: f64,
    /// Hedges' g.
    pub effect: f64,
    /// Lower end of the interval of `log2fc`.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Natural logarithm of the two-sided chance of a difference of this size or larger where there is none: t of the
    /// difference, paired over patients, else of Welch. The chance itself may be too small for a number.
    pub ln_p: f64,
    /// Natural logarithm of the false discovery rate among all genes that had a difference to look at (Benjamini and
    /// Hochberg).
    pub ln_q: f64,
}

/// Answer of [`compare`].
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Genes with the largest effects first; those that neither set expresses are not among them.
    pub genes: Vec<GeneDifference>,
    /// What was counted as one.
    pub unit: Unit,
    /// Spots that were compared.
    pub n_spots: [usize; 2],
    /// Genes that had a difference to look at.
    pub n_genes: usize,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// A category's share of two sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The category; `missing` where spots have none.
    pub name: String,
    /// Spots in A and B.
    pub n: [usize; 2],
    /// Their share of all spots in A and B.
    pub share: [f64; 2],
}

/// Compares two sets of spots gene by gene. `patients` has one number for each observation (`u32::MAX`: not known).
/// Spots in both sets count in neither. Cost: three passes over the stored values, and genes × patients.
///
/// Errors: [`Error::Degenerate`] where a set has fewer than two spots or the table is not whole.
pub fn compare(
    expression: &Expression,
    sets: [&[u32]; 2],
    patients: Option<&[u32]>,
    settings: &CompareSettings,
    progress: &Progress,
) -> Result<Comparison> {
    progress.step(0.0, "comparing spots")?;
    check_table(expression)?;
    let mut findings = Vec::new();
    let scale = ValueScale::of(expression, &mut findings);
    let n = expression.observations().len();
    let side = sides(n, sets, &mut findings)?;
    let n_spots = [0, 1].map(|s| side.iter().filter(|v| **v == s).count());
    if n_spots.iter().any(|n| *n < 2) {
        let [a, b] = n_spots;
        return Err(Error::degenerate(format!("A has {a} spots and B has {b}; both need two or more to be compared")));
    }
    if settings.confidence.is_nan() || settings.confidence <= 0.0 || settings.confidence >= 1.0 {
        return Err(Error::parameter("the coverage of an interval lies between 0 and 1"));
    }
    let factor = match scale {
        ValueScale::Log1p => None,
        ValueScale::Counts | ValueScale::Linear => {
            refuse_negative(expression, "a comparison")?;
            let totals = expression.totals();
            Some(factors(&totals, target_total(&totals, Target::Median)?))
        }
    };
    let groups = Groups::new(&side, patients, &mut findings);
    progress.step(0.3, "comparing genes")?;
    let quantiles = Quantiles::new((1.0 - settings.confidence) / 2.0, &groups);
    let one = |g: usize| groups.difference(expression, g, factor.as_deref(), &quantiles);
    let mut genes: Vec<GeneDifference> = (0..expression.genes().len()).into_par_iter().filter_map(one).collect();
    let n_genes = genes.len();
    let ln_p: Vec<f64> = genes.iter().map(|g| g.ln_p).collect();
    genes.iter_mut().zip(benjamini_hochberg_ln(&ln_p)).for_each(|(g, ln_q)| g.ln_q = ln_q);
    genes.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()).then(a.gene.cmp(&b.gene)));
    genes.truncate(settings.top);
    progress.step(1.0, "comparing genes")?;
    Ok(Comparison { genes, unit: groups.unit, n_spots, n_genes, findings })
}

/// 0 in A, 1 in B, 2 elsewhere.
fn sides(n: usize, sets: [&[u32]; 2], findings: &mut Vec<Finding>) -> Result<Vec<u8>> {
    let mut bits = vec![0u8; n];
    for (set, bit) in sets.into_iter().zip([1u8, 2]) {
        for &spot in set {
            let slot = bits.get_mut(spot as usize);
            *slot.ok_or_else(|| Error::parameter(format!("there is no spot {spot} among {n}")))? |= bit;
        }
    }
    let shared = bits.iter().filter(|b| **b == 3).count();
    if shared > 0 {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "spots-in-both",
            what: format!("{shared} spots are in both regions and count in neither"),
            evidence: vec![("shared".into(), shared as f64)],
            remedy: "take them out of one of the regions where that is not meant".into(),
        });
    }
    Ok(bits.into_iter().map(|b| [2, 0, 1, 2][b as usize]).collect())
}

/// The units of both sides: for each observation the cell it adds to.
struct Groups {
    unit: Unit,
    /// Cell of each observation; `u32::MAX` adds to none. Cells of A are even, those of B odd.
    cell: Vec<u32>,
    /// Observations in each cell.
    n: Vec<f64>,
}

impl Groups {
    fn new(side: &[u8], patients: Option<&[u32]>, findings: &mut Vec<Finding>) -> Self {
        let patients = patients.filter(|p| p.len() == side.len());
        // Numbers of patients that have spots here, in order.
        let mut there: BTreeMap<u32, [usize; 2]> = BTreeMap::new();
        for (&s, &p) in side.iter().zip(patients.unwrap_or_default()).filter(|(s, p)| **s < 2 && **p != u32::MAX) {
            there.entry(p).or_default()[s as usize] += 1;
        }
        let both = there.values().filter(|n| n[0] > 0 && n[1] > 0).count();
        let each = [0, 1].map(|s| there.values().filter(|n| n[s] > 0).count());
        let unit = match (both, each) {
            (2.., _) => Unit::PairedPatients(both),
            _ if each.iter().all(|n| *n >= 2) => Unit::Patients(each),
            _ => Unit::Spots,
        };
        findings.extend(about_unit(unit, there.len(), patients.is_some()));
        if unit == Unit::Spots {
            let cell = side.iter().map(|&s| if s < 2 { u32::from(s) } else { u32::MAX }).collect();
            let n = [0, 1].map(|s| side.iter().filter(|v| **v == s).count() as f64).to_vec();
            return Self { unit, cell, n };
        }
        let used = there.iter().filter(|(_, n)| !matches!(unit, Unit::PairedPatients(_)) || (n[0] > 0 && n[1] > 0));
        let place: BTreeMap<u32, u32> = used.map(|(p, _)| *p).zip(0..).collect();
        let cell_of = |(&s, p): (&u8, &u32)| match place.get(p) {
            Some(at) if s < 2 => 2 * at + u32::from(s),
            _ => u32::MAX,
        };
        let cell: Vec<u32> = side.iter().zip(patients.unwrap_or_default()).map(cell_of).collect();
        let mut n = vec![0.0; 2 * place.len()];
        cell.iter().filter(|c| **c != u32::MAX).for_each(|&c| n[c as usize] += 1.0);
        Self { unit, cell, n }
    }

    /// One gene; `None` where there is nothing to compare or nothing varies.
    fn difference(&self, e: &Expression, gene: usize, factor: Option<&[f64]>, q: &Quantiles) -> Option<GeneDifference> {
        let (rows, values) = e.gene(gene);
        let (mut sum, mut square) = (vec![0.0; self.n.len()], [0.0; 2]);
        for (&row, &value) in rows.iter().zip(values) {
            let cell = self.cell[row as usize];
            if cell != u32::MAX && value != 0.0 {
                let v = factor.map_or(f64::from(value), |f| (f64::from(value) * f[row as usize]).ln_1p());
                sum[cell as usize] += v;
                square[(cell % 2) as usize] += v * v;
            }
        }
        let (means, found) = match self.unit {
            Unit::Spots => {
                let moments = [0, 1].map(|s| {
                    let (n, mean) = (self.n[s], sum[s] / self.n[s]);
                    (n, mean, ((square[s] - n * mean * mean) / (n - 1.0)).max(0.0))
                });
                (moments.map(|m| m.1), two_samples(moments, q)?)
            }
            Unit::Patients(_) => {
                let moments = [0, 1].map(|s| moments(&self.means(&sum, s)));
                (moments.map(|m| m.1), two_samples(moments, q)?)
            }
            Unit::PairedPatients(_) => {
                let [a, b] = [0, 1].map(|s| self.means(&sum, s));
                let apart: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
                ([moments(&a).1, moments(&b).1], paired(&apart, q)?)
            }
        };
        let [difference, effect, reach, ln_p] = found;
        let [log2fc, reach] = [difference, reach].map(|v| v / LN_2);
        let [mean_a, mean_b] = means;
        let (low, high) = (log2fc - reach, log2fc + reach);
        let row = GeneDifference { gene, mean_a, mean_b, log2fc, effect, low, high, ln_p, ln_q: ln_p };
        (effect.is_finite() && reach.is_finite()).then_some(row)
    }

    /// Means of the patients of a side that have spots there.
    fn means(&self, sum: &[f64], side: usize) -> Vec<f64> {
        let cells = (side..self.n.len()).step_by(2).filter(|&c| self.n[c] > 0.0);
        cells.map(|c| sum[c] / self.n[c]).collect()
    }
}

/// Number, mean and variance.
fn moments(values: &[f64]) -> (f64, f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (n, mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0))
}

/// Hedges' correction.
fn correction(df: f64) -> f64 {
    1.0 - 3.0 / (4.0 * df - 1.0)
}

/// Difference, effect, half width of the interval and logarithm of the chance of two samples; `None` where nothing varies.
fn two_samples([(na, ma, va), (nb, mb, vb)]: [(f64, f64, f64); 2], q: &Quantiles) -> Option<[f64; 4]> {
    let df = na + nb - 2.0;
    let pooled = (((na - 1.0) * va + (nb - 1.0) * vb) / df).sqrt();
    // Differences of rounding size are none.
    if pooled <= 1e-9 * (ma.abs() + mb.abs()) || pooled <= 0.0 {
        return None;
    }
    let (sa, sb) = (va / na, vb / nb);
    let welch = (sa + sb) * (sa + sb) / (sa * sa / (na - 1.0) + sb * sb / (nb - 1.0));
    let spread = (sa + sb).sqrt();
    Some([ma - mb, (ma - mb) / pooled * correction(df), q.at(welch) * spread, ln_t_two_sided((ma - mb) / spread, welch)])
}

/// The same of differences of the same patients.
fn paired(apart: &[f64], q: &Quantiles) -> Option<[f64; 4]> {
    let (n, mean, variance) = moments(apart);
    let sd = variance.sqrt();
    if sd <= 1e-9 * mean.abs() || sd <= 0.0 {
        return None;
    }
    let spread = sd / n.sqrt();
    Some([mean, mean / sd * correction(n - 1.0), q.at(n - 1.0) * spread, ln_t_two_sided(mean / spread, n - 1.0)])
}

/// Quantiles of t at the same chance for many degrees of freedom: exact and rounded down below 60, by the expansion of
/// Cornish and Fisher from there (its error is below 10⁻⁶).
struct Quantiles {
    exact: Vec<f64>,
    /// That of the normal distribution.
    z: f64,
}

impl Quantiles {
    const EXACT: usize = 60;

    fn new(tail: f64, groups: &Groups) -> Self {
        // Welch's degrees of freedom are not below those of the smaller side.
        let least = groups.n.iter().fold(f64::INFINITY, |m, n| m.min(*n)) - 1.0;
        let needs = groups.unit != Unit::Spots || least < Self::EXACT as f64;
        let most = if needs { Self::EXACT } else { 0 };
        Self { exact: (1..=most).map(|df| t_quantile_upper(tail, df as f64)).collect(), z: t_quantile_upper(tail, 1e9) }
    }

    fn at(&self, df: f64) -> f64 {
        let whole = df.floor().max(1.0) as usize;
        if let Some(exact) = self.exact.get(whole - 1) {
            return *exact;
        }
        let z = self.z;
        let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
        z + (z3 + z) / (4.0 * df)
            + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * df * df)
            + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * df.powi(3))
    }
}

fn about_unit(unit: Unit, n_patients: usize, is_known: bool) -> Option<Finding> {
    let (severity, code, what) = match unit {
        Unit::Spots => {
            let who = match (is_known, n_patients) {
                (false, _) => "no column says which patient a spot is of, so all count as one patient".to_owned(),
                (true, 1) => "all spots are of one patient".to_owned(),
                (true, n) => format!("the {n} patients are too few on one of the sides to compare patients"),
            };
            let text = "spots of one patient are not independent: the intervals count spots, are too narrow, and say nothing \
                        about other patients";
            (Severity::Warning, "spots-not-patients", format!("{who}; {text}"))
        }
        Unit::PairedPatients(n) if n < 6 => (
            Severity::Note,
            "few-patients",
            format!("{n} patients have spots in both; their intervals are wide and the order of genes is unsteady"),
        ),
        Unit::Patients([a, b]) if a.min(b) < 6 => (
            Severity::Note,
            "few-patients",
            format!("{a} and {b} patients; their intervals are wide and the order of genes is unsteady"),
        ),
        Unit::PairedPatients(_) | Unit::Patients(_) => return None,
    };
    let evidence = vec![("patients".into(), n_patients as f64)];
    Some(Finding { severity, code, what, evidence, remedy: "more patients make it sure".into() })
}

/// Which patient each observation is of, by the first column that usually says it, with the column's name; `u32::MAX`
/// is not known. Numbers are read as names.
#[must_use]
pub fn patients_of(expression: &Expression) -> Option<(&str, Vec<u32>)> {
    let named = |name: &&str| expression.columns.iter().find(|(k, _)| k.eq_ignore_ascii_case(name));
    let (name, column) = PATIENT_COLUMNS.iter().find_map(named)?;
    let codes = match column {
        Column::Category { codes, .. } => codes.clone(),
        Column::Text(texts) => coded(texts.iter().map(String::as_str)).0,
        Column::Number(values) => {
            let words: Vec<String> = values.iter().map(|v| if v.is_nan() { String::new() } else { v.to_string() }).collect();
            coded(words.iter().map(String::as_str)).0
        }
    };
    Some((name.as_str(), codes))
}

/// Codes of texts by order of the alphabet; an empty one is missing.
fn coded<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> (Vec<u32>, Vec<String>) {
    let place: BTreeMap<&str, u32> =
        texts.clone().filter(|t| !t.is_empty()).collect::<std::collections::BTreeSet<_>>().into_iter().zip(0..).collect();
    let codes = texts.map(|t| place.get(t).copied().unwrap_or(u32::MAX)).collect();
    (codes, place.into_keys().map(str::to_owned).collect())
}

/// Columns that spots can be counted by: categories and texts of 2 to 60 kinds.
#[must_use]
pub fn composed_of(expression: &Expression) -> Vec<&str> {
    let fits = |c: &Column| match c {
        Column::Category { names, .. } => (2..=MOST_CATEGORIES).contains(&names.len()),
        Column::Text(texts) => {
            let mut kinds = std::collections::BTreeSet::new();
            texts.iter().all(|t| kinds.insert(t) || kinds.len() <= MOST_CATEGORIES) && {
                (2..=MOST_CATEGORIES).contains(&kinds.len())
            }
        }
        Column::Number(_) => false,
    };
    expression.columns.iter().filter(|(_, c)| fits(c)).map(|(k, _)| k.as_str()).collect()
}

/// How many spots of each category two sets have; categories that neither has are left out. Cost: one pass over the
/// spots of the sets.
///
/// Errors: [`Error::Parameter`] for columns of numbers.
pub fn composition(column: &Column, sets: [&[u32]; 2]) -> Result<Vec<Share>> {
    let (codes, names) = match column {
        Column::Category { codes, names } => (codes.clone(), names.clone()),
        Column::Text(texts) => coded(texts.iter().map(String::as_str)),
        Column::Number(_) => return Err(Error::parameter("a column of numbers has no categories")),
    };
    let mut counts = vec![[0usize; 2]; names.len() + 1];
    for (set, s) in sets.into_iter().zip(0..2) {
        for &spot in set {
            let code = codes.get(spot as usize).map_or(names.len(), |&c| (c as usize).min(names.len()));
            counts[code][s] += 1;
        }
    }
    let whole = sets.map(|s| s.len().max(1) as f64);
    let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| "missing".into());
    let rows = counts.iter().enumerate().filter(|(_, n)| **n != [0, 0]);
    Ok(rows.map(|(i, &n)| Share { name: name(i), n, share: [n[0] as f64 / whole[0], n[1] as f64 / whole[1]] }).collect())
}
