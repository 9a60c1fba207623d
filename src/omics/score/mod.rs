//! Scores of gene sets at every observation: the slope of a univariate linear model, over-representation
//! among the highest genes, and enrichment along the ranking.
//! Sources: Badia-i-Mompel et al., Bioinform. Adv. 2 (2022) vbac016 (`ulm`, `ora` per observation);
//! Subramanian et al., PNAS 102 (2005) 15545 (`gsea`).

mod gsea;
mod ranked;

use super::names::GenePlaces;
use super::table::check_table;
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::stats::t_two_sided;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A named list of genes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneSet {
    /// What it is called.
    pub name: String,
    /// Names or identifiers of its genes.
    pub genes: Vec<String>,
}

/// How sets are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreMethod {
    /// t of the slope of expression on membership over all genes.
    Ulm,
    /// Logarithm of the odds ratio of membership among the highest genes, with the hypergeometric chance.
    Ora,
    /// Normalized enrichment along the ranking, with permutations of the genes.
    Gsea,
}

impl ScoreMethod {
    /// All, in the order that menus show them.
    pub const ALL: [Self; 3] = [Self::Ulm, Self::Ora, Self::Gsea];

    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ulm => "ulm",
            Self::Ora => "ora",
            Self::Gsea => "gsea",
        }
    }
}

impl FromStr for ScoreMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|m| m.name() == text).ok_or_else(|| format!("expected ulm, ora or gsea, got {text}"))
    }
}

impl fmt::Display for ScoreMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Settings of [`score`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreSettings {
    /// How sets are scored.
    pub method: ScoreMethod,
    /// Sets with fewer genes in the table have no score.
    pub min_genes: usize,
    /// `ora`: part of the genes that are the highest (0..1).
    pub top: f64,
    /// `gsea`: number of permutations.
    pub n_permutations: usize,
    /// `gsea`: seed of the permutations.
    pub seed: u64,
}

impl Default for ScoreSettings {
    /// ULM of sets with 3 genes or more, the highest 5 %, 1000 permutations, seed 0.
    fn default() -> Self {
        Self { method: ScoreMethod::Ulm, min_genes: 3, top: 0.05, n_permutations: 1000, seed: 0 }
    }
}

/// Scores of sets at observations, both row-major observations × sets; NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Sets that are scored.
    pub sets: Vec<String>,
    /// The scores.
    pub values: Vec<f64>,
    /// Chance of such a score without enrichment.
    pub p: Vec<f64>,
    /// Enrichment before normalization, for `gsea`; else empty.
    pub enrichment: Vec<f64>,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Scores every set at every observation, with the values as they are: normalize and log counts first.
/// Costs one pass over the values for `ulm`; a sorting of each observation for the others, and for `gsea`
/// permutations × genes of a set for each.
///
/// Errors: [`Error::Degenerate`] for missing numbers, fewer than three genes, and where no set has enough of them.
pub fn score(expression: &Expression, sets: &[GeneSet], settings: &ScoreSettings, progress: &Progress) -> Result<Scores> {
    progress.step(0.0, "checking the table")?;
    check_table(expression)?;
    let n_genes = expression.genes().len();
    if n_genes < 3 {
        return Err(Error::degenerate(format!("{n_genes} genes are too few to score sets among; at least 3 are needed")));
    }
    if !(settings.top > 0.0 && settings.top < 1.0) {
        return Err(Error::parameter(format!(
            "the part of highest genes is {}; expected a number between 0 and 1",
            settings.top
        )));
    }
    let mut findings = Vec::new();
    if expression.unit == "counts" {
        findings.push(Finding {
            severity: Severity::Note,
            code: "counts-not-normalized",
            what: "the scores are of raw counts, which grow with the total of an observation".into(),
            evidence: Vec::new(),
            remedy: "normalize and log first, as normalize+score with --log1p".into(),
        });
    }
    let (names, members) = found_sets(expression, sets, settings, &mut findings)?;
    let (values, p, enrichment) = match settings.method {
        ScoreMethod::Ulm => ulm(expression, &members, progress).map(|(v, p)| (v, p, Vec::new()))?,
        ScoreMethod::Ora => {
            ranked::over_representation(expression, &members, settings, progress).map(|(v, p)| (v, p, Vec::new()))?
        }
        ScoreMethod::Gsea => gsea::enrichment(expression, &members, settings, progress)?,
    };
    let empty = values.chunks_exact(names.len()).filter(|row| row.iter().all(|v| v.is_nan())).count();
    if empty > 0 {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "unscored-observations",
            what: format!("{empty} observations do not vary over genes; their scores are empty"),
            evidence: vec![("n".into(), empty as f64)],
            remedy: "leave out observations without counts".into(),
        });
    }
    Ok(Scores { sets: names, values, p, enrichment, findings })
}

/// Sets with enough genes, as numbers of genes that increase.
fn found_sets(
    expression: &Expression,
    sets: &[GeneSet],
    settings: &ScoreSettings,
    findings: &mut Vec<Finding>,
) -> Result<(Vec<String>, Vec<Vec<usize>>)> {
    let places = GenePlaces::new(expression);
    let n_genes = expression.genes().len();
    let (mut names, mut members, mut few) = (Vec::new(), Vec::new(), Vec::new());
    for set in sets {
        let genes: BTreeSet<usize> = set.genes.iter().filter_map(|g| places.find(g)).collect();
        if genes.len() < settings.min_genes.max(1) || genes.len() == n_genes {
            few.push(format!("{} ({} of {})", set.name, genes.len(), set.genes.len()));
        } else {
            names.push(set.name.clone());
            members.push(genes.into_iter().collect());
        }
    }
    let shown = few.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        return Err(Error::degenerate(format!(
            "none of {} sets has {} or more genes in the table, and not all of them: {shown}; use the same kind of names",
            sets.len(),
            settings.min_genes
        )));
    }
    if !few.is_empty() {
        let more = if few.len() > 5 { ", …" } else { "" };
        findings.push(Finding {
            severity: Severity::Warning,
            code: "small-sets",
            what: format!(
                "{} of {} sets have fewer than {} genes in the table, or all of them, and no score: {shown}{more}",
                few.len(),
                sets.len(),
                settings.min_genes
            ),
            evidence: vec![("n".into(), few.len() as f64)],
            remedy: "check that sets and table name genes alike".into(),
        });
    }
    Ok((names, members))
}

/// t of the slope and its two-sided chance with genes − 2 degrees of freedom.
fn ulm(expression: &Expression, members: &[Vec<usize>], progress: &Progress) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n, m, k) = (expression.observations().len(), expression.genes().len(), members.len());
    let mut of_gene = vec![Vec::new(); m];
    members.iter().enumerate().for_each(|(set, genes)| genes.iter().for_each(|&g| of_gene[g].push(set)));
    // Around a value of each observation, so that nothing is lost where they are large.
    let center: Vec<f64> = expression.totals().iter().map(|t| t / m as f64).collect();
    let (mut squares, mut inside) = (center.iter().map(|c| m as f64 * c * c).collect::<Vec<_>>(), vec![0.0; n * k]);
    for (gene, sets) in of_gene.iter().enumerate() {
        if gene.is_multiple_of(512) {
            progress.step(gene as f64 / m as f64, "scoring sets")?;
        }
        let (rows, values) = expression.gene(gene);
        for (&row, &value) in rows.iter().zip(values) {
            let (row, value) = (row as usize, f64::from(value));
            let c = center[row];
            squares[row] += (value - c) * (value - c) - c * c;
            sets.iter().for_each(|s| inside[row * k + s] += value);
        }
    }
    let df = m as f64 - 2.0;
    let one = |at: usize| {
        let (row, size) = (at / k, members[at % k].len() as f64);
        let spread = size * (1.0 - size / m as f64);
        let r = (inside[at] - size * center[row]) / (spread * squares[row]).sqrt();
        if squares[row] > 0.0 { r * (df / ((1.0 - r + 1e-16) * (1.0 + r + 1e-16))).sqrt() } else { f64::NAN }
    };
    let t: Vec<f64> = (0..n * k).map(one).collect();
    let p = t.iter().map(|t| t_two_sided(*t, df)).collect();
    Ok((t, p))
}

#[cfg(test)]
mod tests;
