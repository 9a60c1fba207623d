//! Genes that vary more between observations than others of like mean, by three rules.
//! Sources: Satija et al., Nat. Biotechnol. 33 (2015) 495 (`seurat`); Zheng et al., Nat. Commun. 8 (2017)
//! 14049 (`cell_ranger`); Stuart et al., Cell 177 (2019) 1888 (`seurat_v3`).

use super::bins::{equal_width, percentiles, standardize, standardize_robustly};
use super::normalize::{Target, factors, target_total};
use super::table::{ValueScale, check_table, note_fractions, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::stats::{LoessSettings, loess};
use rayon::prelude::*;
use std::fmt;
use std::str::FromStr;

/// Bins of like mean for the `seurat` rule.
const N_BINS: usize = 20;

/// The rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// Logarithm of variance by mean of normalized counts, standardized in 20 bins of equal width.
    Seurat,
    /// Variance by mean of logarithms, standardized robustly in bins of percentiles.
    CellRanger,
    /// Variance of counts after a smooth trend of variance on mean is taken out.
    SeuratV3,
}

impl Flavor {
    /// All, in the order that menus show them.
    pub const ALL: [Self; 3] = [Self::Seurat, Self::CellRanger, Self::SeuratV3];

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seurat => "seurat",
            Self::CellRanger => "cell_ranger",
            Self::SeuratV3 => "seurat_v3",
        }
    }
}

impl FromStr for Flavor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected seurat, cell_ranger or seurat_v3, got {text}");
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(wrong)
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Settings of [`variable_genes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VariableSettings {
    /// The rule.
    pub flavor: Flavor,
    /// How many genes.
    pub n: usize,
    /// What counts are normalized to before the first two rules.
    pub target: Target,
}

impl Default for VariableSettings {
    /// 2000 genes by `seurat`, median target.
    fn default() -> Self {
        Self { flavor: Flavor::Seurat, n: 2000, target: Target::Median }
    }
}

/// One entry per gene.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableGenes {
    /// Mean: its ln(1 + x) for `seurat`, of logarithms for `cell_ranger`, of counts for `seurat_v3`.
    pub mean: Vec<f64>,
    /// `seurat`: ln(variance / mean), NaN where a gene does not vary; `cell_ranger`: variance / mean;
    /// `seurat_v3`: variance after the trend is taken out and outliers are clipped.
    pub dispersion: Vec<f64>,
    /// What genes are chosen by: the dispersion standardized within its bin, or for `seurat_v3` itself.
    pub score: Vec<f64>,
    /// Whether a gene is among the chosen.
    pub variable: Vec<bool>,
    /// What was assumed or noticed.
    pub findings: Vec<Finding>,
}

/// The most variable genes. Equal scores at the end of the list are all in for the first two rules, so
/// there may be more than `n`. Counts are normalized (and logged where the rule wants it) on the way; the
/// table is not changed. Costs one pass over the values, two for `seurat_v3`.
///
/// Errors: [`Error::Degenerate`] for one observation, negative or missing numbers, or nothing that varies;
/// [`Error::Parameter`] where `seurat_v3` is given logarithms.
pub fn variable_genes(expression: &Expression, settings: &VariableSettings, progress: &Progress) -> Result<VariableGenes> {
    progress.step(0.0, "checking the table")?;
    check_table(expression)?;
    refuse_negative(expression, "a search for variable genes")?;
    if settings.n == 0 {
        return Err(Error::parameter("0 variable genes were asked for; ask for at least 1"));
    }
    if expression.observations().len() < 2 {
        return Err(Error::degenerate("one observation has no variance; variable genes need at least two"));
    }
    let mut found = match settings.flavor {
        Flavor::Seurat => by_bins(expression, settings, progress)?,
        Flavor::CellRanger => by_bins(expression, settings, progress)?,
        Flavor::SeuratV3 => by_trend(expression, settings.n, progress)?,
    };
    note_number(&mut found, settings.n);
    progress.step(1.0, "variable genes")?;
    Ok(found)
}

fn by_bins(expression: &Expression, settings: &VariableSettings, progress: &Progress) -> Result<VariableGenes> {
    let mut findings = Vec::new();
    let scale = ValueScale::of(expression, &mut findings);
    let by = if scale == ValueScale::Counts {
        let totals = expression.totals();
        let target = target_total(&totals, settings.target)?;
        note_normalized(target, settings.flavor, &mut findings);
        factors(&totals, target)
    } else {
        Vec::new()
    };
    let linear = |row: usize, v: f64| match scale {
        ValueScale::Counts => v * by[row],
        ValueScale::Linear => v,
        ValueScale::Log1p => exp_m1(v),
    };
    let is_seurat = settings.flavor == Flavor::Seurat;
    let value = |row: usize, v: f64| match scale {
        _ if is_seurat => linear(row, v),
        ValueScale::Log1p => v,
        _ => linear(row, v).ln_1p(),
    };
    let moments = moments(expression, value, progress)?;
    if moments.iter().all(|m| m[1] <= 0.0) {
        return Err(nothing_varies(expression));
    }
    let floor = |mean: f64| if mean == 0.0 { 1e-12 } else { mean };
    let mut mean: Vec<f64> = moments.iter().map(|m| floor(m[0])).collect();
    let mut dispersion: Vec<f64> = moments.iter().zip(&mean).map(|(m, mean)| m[1] / mean).collect();
    let score = if is_seurat {
        dispersion.iter_mut().for_each(|d| *d = if *d == 0.0 { f64::NAN } else { d.ln() });
        mean.iter_mut().for_each(|m| *m = m.ln_1p());
        standardize(&dispersion, &equal_width(&mean, N_BINS))
    } else {
        let (bins, merged) = percentiles(&mean);
        if merged {
            findings.push(finding(Severity::Note, "bins-merged", "percentiles of the means fall together; their bins are one"));
        }
        standardize_robustly(&dispersion, &bins)
    };
    // A gene without any count has no mean.
    mean.iter_mut().zip(&moments).filter(|(_, m)| m[0] == 0.0).for_each(|(mean, _)| *mean = 0.0);
    let variable = at_least_the_nth(&score, settings.n);
    Ok(VariableGenes { mean, dispersion, score, variable, findings })
}

fn by_trend(expression: &Expression, n: usize, progress: &Progress) -> Result<VariableGenes> {
    let mut findings = Vec::new();
    if expression.unit.starts_with("log1p") {
        let unit = &expression.unit;
        return Err(Error::parameter(format!("seurat_v3 takes counts, but the values are {unit}; start from the raw counts")));
    }
    note_fractions(expression, "seurat_v3", &mut findings);
    let moments = moments(expression, |_, v| v, &progress.part(0.0, 0.5))?;
    let varies: Vec<usize> = (0..moments.len()).filter(|&g| moments[g][1] > 0.0).collect();
    if varies.is_empty() {
        return Err(nothing_varies(expression));
    }
    let logarithm = |part: usize| varies.iter().map(|&g| moments[g][part].log10()).collect::<Vec<_>>();
    progress.step(0.5, "finding the trend")?;
    let trend = loess(&logarithm(0), &logarithm(1), &LoessSettings::default())?;
    let mut sd = vec![1.0; moments.len()];
    varies.iter().zip(trend).for_each(|(&g, t)| sd[g] = 10_f64.powf(t).sqrt());

    progress.step(0.7, "taking the trend out")?;
    let n_rows = expression.observations().len() as f64;
    let score: Vec<f64> = (0..moments.len())
        .into_par_iter()
        .map(|g| {
            let (mean, most) = (moments[g][0], sd[g] * n_rows.sqrt() + moments[g][0]);
            let clipped = expression.gene(g).1.iter().map(|&v| f64::from(v).min(most));
            let (sum, squares) = clipped.fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
            (n_rows * mean * mean + squares - 2.0 * sum * mean) / ((n_rows - 1.0) * sd[g] * sd[g])
        })
        .collect();
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
    let mut variable = vec![false; score.len()];
    order.iter().take(n).for_each(|&g| variable[g] = true);
    let mean = moments.iter().map(|m| m[0]).collect();
    Ok(VariableGenes { mean, dispersion: score.clone(), score, variable, findings })
}

/// `exp(x) − 1`. Above 1/1024 the difference keeps twelve digits, and the plain exponential is faster.
fn exp_m1(x: f64) -> f64 {
    if x > 1.0 / 1024.0 { x.exp() - 1.0 } else { x.exp_m1() }
}

/// Mean and variance (n − 1) of every gene after `value` is applied to what is stored; zero stays zero.
fn moments(expression: &Expression, value: impl Fn(usize, f64) -> f64 + Sync, progress: &Progress) -> Result<Vec<[f64; 2]>> {
    let (n, m) = (expression.observations().len(), expression.genes().len());
    let one = |gene: usize| {
        if gene.is_multiple_of(64) {
            progress.step(gene as f64 / m as f64, "finding mean and variance")?;
        }
        let (rows, values) = expression.gene(gene);
        let values: Vec<f64> = rows.iter().zip(values).map(|(&r, &v)| value(r as usize, f64::from(v))).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let spread: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let zeros = (n - values.len()) as f64 * mean * mean;
        Ok([mean, (spread + zeros) / (n as f64 - 1.0)])
    };
    (0..m).into_par_iter().map(one).collect()
}

/// Scores not below the n-th largest; NaN is never in.
fn at_least_the_nth(score: &[f64], n: usize) -> Vec<bool> {
    let mut sorted: Vec<f64> = score.iter().copied().filter(|s| !s.is_nan()).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let Some(&least) = sorted.get(n.min(sorted.len()).saturating_sub(1)) else { return vec![false; score.len()] };
    score.iter().map(|s| *s >= least).collect()
}

fn nothing_varies(expression: &Expression) -> Error {
    let (n, m) = (expression.observations().len(), expression.genes().len());
    Error::degenerate(format!("none of the {m} genes varies between the {n} observations"))
}

fn finding(severity: Severity, code: &'static str, what: impl Into<String>) -> Finding {
    Finding { severity, code, what: what.into(), evidence: Vec::new(), remedy: String::new() }
}

fn note_normalized(target: f64, flavor: Flavor, findings: &mut Vec<Finding>) {
    let log = if flavor == Flavor::CellRanger { " and logged" } else { "" };
    let what = format!("the values are counts; for {flavor} they were normalized to {target} per observation{log}");
    findings.push(finding(Severity::Note, "normalized-first", what));
}

fn note_number(found: &mut VariableGenes, wanted: usize) {
    let n = found.variable.iter().filter(|v| **v).count();
    if n != wanted {
        let why = match n.cmp(&wanted) {
            std::cmp::Ordering::Greater => "genes with equal scores are all in",
            _ if n == found.variable.len() => "the table has no more genes",
            _ => "no other gene varies",
        };
        found.findings.push(Finding {
            evidence: vec![("wanted".into(), wanted as f64), ("found".into(), n as f64)],
            ..finding(Severity::Note, "number-of-genes", format!("{n} variable genes instead of {wanted}: {why}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    fn run(rows: &[&[f32]], flavor: Flavor, n: usize) -> Result<VariableGenes> {
        variable_genes(&table(rows), &VariableSettings { flavor, n, target: Target::Median }, &Progress::none())
    }

    #[test]
    fn the_gene_that_varies_is_found() {
        let rows: Vec<Vec<f32>> = (0..12u8)
            .map(|i| {
                (0..14u8)
                    .map(|g| if g == 5 { f32::from(i % 2) * 90.0 + 1.0 } else { f32::from(20 + g + (i * (g % 2 + 1)) % 3) })
                    .collect()
            })
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        for flavor in Flavor::ALL {
            let found = run(&rows, flavor, 1).unwrap();
            assert!(found.variable[5], "{flavor}: {:?}", found.score);
            assert_eq!(found.mean.len(), 14);
        }
        let seurat = run(&rows, Flavor::Seurat, 3).unwrap();
        assert_eq!(seurat.findings[0].code, "normalized-first");
    }

    #[test]
    fn odd_inputs_get_a_sentence() {
        for flavor in Flavor::ALL {
            let part = |rows: &[&[f32]]| run(rows, flavor, 2).unwrap_err().to_string();
            assert!(part(&[&[1.0, 2.0]]).contains("one observation"));
            assert!(part(&[&[1.0, -2.0], &[1.0, 1.0]]).contains("negative"));
            assert!(part(&[&[f32::NAN], &[1.0]]).contains("NaN"));
            assert!(part(&[&[2.0, 2.0], &[2.0, 2.0]]).contains("varies"), "{flavor}");
            assert!(run(&[&[1.0], &[2.0]], flavor, 0).is_err());
        }
        assert!(run(&[&[1.0, 5.0], &[2.0, 3.0]], Flavor::SeuratV3, 1).unwrap_err().to_string().contains("3 points"));
        let one = run(&[&[1.0, 0.0], &[1.0, 3.0]], Flavor::Seurat, 2).unwrap();
        assert_eq!(one.variable.len(), 2);
        let mut logs = table(&[&[0.5; 20], &[0.7; 20]]);
        logs.unit = "log1p CP10k".into();
        let v3 = VariableSettings { flavor: Flavor::SeuratV3, ..VariableSettings::default() };
        assert!(variable_genes(&logs, &v3, &Progress::none()).unwrap_err().to_string().contains("takes counts"));
    }

    #[test]
    fn names_are_the_words_of_the_command_line() {
        for flavor in Flavor::ALL {
            assert_eq!(flavor.name().parse(), Ok(flavor));
        }
        assert!("v3".parse::<Flavor>().is_err());
    }
}
