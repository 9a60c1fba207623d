//! Fractions of cell types at spots: weights that are not negative and explain each spot by the mean
//! profiles of the types. Source: Lawson and Hanson's least squares (see [`Nnls`]); how well it does among
//! others: Sang-aram et al., eLife 12 (2024) RP88431.

use super::names::GenePlaces;
use super::table::{check_table, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::stats::{Nnls, add_product_transposed, add_transposed_product};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Observations that one task works on.
const BLOCK: usize = 256;
/// Genes whose values, zeros filled in, are in the cache at a time.
const PANEL: usize = 256;

/// Mean expression of cell types, linear (as counts per 10,000), not logarithms.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    genes: Vec<String>,
    types: Vec<String>,
    /// Genes × types, row-major.
    values: Vec<f64>,
}

impl Signature {
    /// From genes × types, row-major. [`Error::Malformed`] for sizes that do not fit, names that are there
    /// twice (types), and values that are negative or no numbers.
    pub fn new(genes: Vec<String>, types: Vec<String>, values: Vec<f64>) -> Result<Self> {
        let (m, k) = (genes.len(), types.len());
        if m == 0 || k == 0 || values.len() != m * k {
            return Err(Error::malformed(format!("a signature of {m} genes × {k} cell types with {} numbers", values.len())));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = types.iter().find(|t| !seen.insert(t.as_str())) {
            return Err(Error::malformed(format!("the cell type {twice} is in the signature twice; join or rename them")));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite() || *v < 0.0) {
            let (gene, kind, value) = (&genes[at / k], &types[at % k], values[at]);
            return Err(Error::malformed(format!(
                "the signature has {value} for {gene} of {kind}; means of counts are numbers that are not negative"
            )));
        }
        Ok(Self { genes, types, values })
    }

    /// Names of the cell types.
    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }
}

/// Settings of [`deconvolve`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeconvolveSettings {
    /// What counts of an observation are scaled to before the fit; fractions do not depend on it, residuals do.
    pub total: f64,
}

impl Default for DeconvolveSettings {
    /// Counts per 10,000, the usual scale of signatures.
    fn default() -> Self {
        Self { total: 1e4 }
    }
}

/// What [`deconvolve`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Fractions {
    /// Cell types, in the order of the signature.
    pub types: Vec<String>,
    /// Observations × types, each observation sums to 1; NaN where nothing of it is explained.
    pub values: Vec<f64>,
    /// Length of what is not explained, over the shared genes, on the scale of the fit.
    pub residual: Vec<f64>,
    /// Genes that table and signature share.
    pub n_genes: usize,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Fractions of the signature's cell types at every observation, from the genes that both have. Counts are
/// scaled to one total (over all genes of the table); logarithms are taken back; other values stay.
/// Costs stored values × types and, for residuals, observations × genes × types.
///
/// Errors: [`Error::Degenerate`] for negative or missing numbers and where no gene is shared.
pub fn deconvolve(
    expression: &Expression,
    signature: &Signature,
    settings: &DeconvolveSettings,
    progress: &Progress,
) -> Result<Fractions> {
    progress.step(0.0, "checking the table")?;
    check_table(expression)?;
    refuse_negative(expression, "deconvolution")?;
    let mut findings = Vec::new();
    let (places, rows) = shared(expression, signature, &mut findings)?;
    let k = signature.types.len();
    let matrix: Vec<f64> = rows.iter().flat_map(|&r| signature.values[r * k..(r + 1) * k].to_vec()).collect();
    note_signature(signature, &matrix, &mut findings);
    let nnls = Nnls::new(places.len(), k, &matrix, &progress.part(0.0, 0.1))?;
    if nnls.rank() < k.min(places.len()) || places.len() < k {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "types-not-separable",
            what: format!("{k} cell types have only {} independent profiles in {} shared genes", nnls.rank(), places.len()),
            evidence: vec![("rank".into(), nnls.rank() as f64), ("types".into(), k as f64)],
            remedy: "join types that are alike, or use a signature with more genes".into(),
        });
    }
    let fit = Fit { expression, places: &places, matrix: &matrix, nnls: &nnls, factors: factors(expression, settings)? };
    let n = expression.observations().len();
    let blocks: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let done = blocks.into_par_iter().map(|start| {
        progress.step(0.1 + 0.9 * start as f64 / n as f64, "fitting cell types")?;
        Ok(fit.block(start..(start + BLOCK).min(n), k))
    });
    let done: Vec<(Vec<f64>, Vec<f64>)> = done.collect::<Result<_>>()?;
    let (mut values, mut residual) = (Vec::with_capacity(n * k), Vec::with_capacity(n));
    for (part, rest) in done {
        values.extend(part);
        residual.extend(rest);
    }
    note_empty(&mut values, k, &mut findings);
    Ok(Fractions { types: signature.types.clone(), values, residual, n_genes: places.len(), findings })
}

/// How values become the linear scale of the signature.
enum Scaling {
    /// By a factor for each observation.
    Factors(Vec<f64>),
    /// Back from logarithms of 1 + value.
    Exponential,
    /// As they are.
    Same,
}

fn factors(expression: &Expression, settings: &DeconvolveSettings) -> Result<Scaling> {
    if !settings.total.is_finite() || settings.total <= 0.0 {
        return Err(Error::parameter(format!("a total of {} per observation; expected a number above 0", settings.total)));
    }
    Ok(match expression.unit.as_str() {
        "counts" => {
            let factor = |t: &f64| if *t > 0.0 { settings.total / t } else { 0.0 };
            Scaling::Factors(expression.totals().iter().map(factor).collect())
        }
        unit if unit.starts_with("log1p") => Scaling::Exponential,
        _ => Scaling::Same,
    })
}

struct Fit<'a> {
    expression: &'a Expression,
    /// Genes of the table, in the order of the matrix.
    places: &'a [usize],
    matrix: &'a [f64],
    nnls: &'a Nnls,
    factors: Scaling,
}

impl Fit<'_> {
    /// Weights that sum to 1, and the length of the rest, of some observations.
    fn block(&self, rows: std::ops::Range<usize>, k: usize) -> (Vec<f64>, Vec<f64>) {
        let (n, m) = (rows.len(), self.nnls.n_reduced());
        let mut right = vec![0.0; n * m];
        self.panels(&rows, |genes, values| {
            add_transposed_product(&mut right, values, self.nnls.basis_rows(genes.clone()), n, 1.0);
        });
        let mut weights: Vec<f64> = right.chunks_exact(m).flat_map(|b| self.nnls.solve(b)).collect();
        let residual = self.residual(&rows, &weights, k);
        for row in weights.chunks_exact_mut(k) {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|w| *w /= sum);
        }
        (weights, residual)
    }

    fn residual(&self, rows: &std::ops::Range<usize>, weights: &[f64], k: usize) -> Vec<f64> {
        let n = rows.len();
        let mut sum = vec![0.0; n];
        self.panels(rows, |genes, rest| {
            let signature = &self.matrix[genes.start * k..genes.end * k];
            add_product_transposed(rest, signature, weights, k, -1.0);
            for line in rest.chunks_exact(n) {
                sum.iter_mut().zip(line).for_each(|(s, r)| *s += r * r);
            }
        });
        sum.into_iter().map(f64::sqrt).collect()
    }

    /// Gives the values of some observations, zeros filled in, a few genes at a time: genes × observations.
    fn panels(&self, rows: &std::ops::Range<usize>, mut f: impl FnMut(&std::ops::Range<usize>, &mut [f64])) {
        let n = rows.len();
        let mut panel = Vec::new();
        for first in (0..self.places.len()).step_by(PANEL) {
            let genes = first..(first + PANEL).min(self.places.len());
            panel.clear();
            panel.resize(genes.len() * n, 0.0);
            for (gene, line) in genes.clone().zip(panel.chunks_exact_mut(n)) {
                self.of_gene(rows, gene, |row, value| line[row] = value);
            }
            f(&genes, &mut panel);
        }
    }

    /// Stored values of a gene of the matrix at some observations, on the linear scale.
    fn of_gene(&self, rows: &std::ops::Range<usize>, gene: usize, mut f: impl FnMut(usize, f64)) {
        let (at, values) = self.expression.gene(self.places[gene]);
        let from = at.partition_point(|&r| (r as usize) < rows.start);
        let to = from + at[from..].partition_point(|&r| (r as usize) < rows.end);
        for (&row, &value) in at[from..to].iter().zip(&values[from..to]) {
            let (row, value) = (row as usize, f64::from(value));
            let value = match &self.factors {
                Scaling::Factors(factors) => value * factors[row],
                Scaling::Exponential => value.exp_m1(),
                Scaling::Same => value,
            };
            f(row - rows.start, value);
        }
    }
}

/// Genes that both have: places in the table and rows of the signature.
fn shared(expression: &Expression, signature: &Signature, findings: &mut Vec<Finding>) -> Result<(Vec<usize>, Vec<usize>)> {
    let names = GenePlaces::new(expression);
    let (mut used, mut twice) = (BTreeSet::new(), 0);
    let (mut places, mut rows) = (Vec::new(), Vec::new());
    for (row, name) in signature.genes.iter().enumerate() {
        let Some(place) = names.find(name) else { continue };
        if used.insert(place) {
            places.push(place);
            rows.push(row);
        } else {
            twice += 1;
        }
    }
    if places.is_empty() {
        let (a, b) = (expression.genes().first(), signature.genes.first());
        let name = |n: Option<&String>| n.cloned().unwrap_or_default();
        return Err(Error::degenerate(format!(
            "table and signature share no gene: one has names as {}, the other as {}; use the same kind of names",
            name(a),
            name(b)
        )));
    }
    let mut say = |severity, code, what: String, n: usize| {
        let evidence = vec![("n".to_owned(), n as f64)];
        findings.push(Finding { severity, code, what, evidence, remedy: String::new() });
    };
    if twice > 0 {
        say(Severity::Warning, "repeated-genes", format!("{twice} genes are in the signature twice; the first counts"), twice);
    }
    let lost = signature.genes.len() - twice - places.len();
    if lost > 0 {
        let severity = if lost > places.len() { Severity::Warning } else { Severity::Note };
        let what = format!("{lost} of {} genes of the signature are not in the table", signature.genes.len());
        say(severity, "genes-not-shared", what, lost);
    }
    Ok((places, rows))
}

/// A type without any value in the shared genes can have no fraction.
fn note_signature(signature: &Signature, matrix: &[f64], findings: &mut Vec<Finding>) {
    let k = signature.types.len();
    let silent: Vec<&str> =
        (0..k).filter(|&j| matrix.iter().skip(j).step_by(k).all(|v| *v == 0.0)).map(|j| signature.types[j].as_str()).collect();
    if !silent.is_empty() {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "empty-type",
            what: format!("no shared gene is expressed in {}; its fraction is 0 everywhere", silent.join(", ")),
            evidence: vec![("n".into(), silent.len() as f64)],
            remedy: "leave the type out, or use a signature with more genes".into(),
        });
    }
}

fn note_empty(values: &mut [f64], k: usize, findings: &mut Vec<Finding>) {
    let empty = values.chunks_exact(k).filter(|row| !row[0].is_finite()).count();
    if empty > 0 {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "unexplained-observations",
            what: format!("{empty} observations have nothing that the signature explains; their fractions are empty"),
            evidence: vec![("n".into(), empty as f64)],
            remedy: "leave out observations without counts".into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn run(rows: &[&[f32]], unit: &str, signature: &Signature) -> Result<Fractions> {
        let mut t = table(rows);
        t.unit = unit.into();
        deconvolve(&t, signature, &DeconvolveSettings::default(), &Progress::none())
    }

    #[test]
    fn mixtures_come_back() {
        let s = Signature::new(words("g0 g1 g2 g9"), words("A B"), vec![8.0, 1.0, 1.0, 5.0, 1.0, 4.0, 3.0, 3.0]).unwrap();
        // 3 A + 1 B, only B, nothing.
        let found = run(&[&[25.0, 8.0, 7.0], &[2.0, 10.0, 8.0], &[0.0, 0.0, 0.0]], "counts", &s).unwrap();
        for (got, want) in found.values.iter().zip([0.75, 0.25, 0.0, 1.0]) {
            assert!((got - want).abs() < 1e-12);
        }
        assert!(found.values[4].is_nan() && found.residual[0] < 1e-9 && found.n_genes == 3);
        let codes: Vec<_> = found.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["genes-not-shared", "unexplained-observations"]);
        let logs: Vec<f32> = [25.0_f32, 8.0, 7.0].iter().map(|v| v.ln_1p()).collect();
        let back = run(&[&logs], "log1p CP10k", &s).unwrap();
        assert!((back.values[0] - 0.75).abs() < 1e-6);
    }

    #[test]
    fn odd_inputs_get_a_sentence() {
        let s = Signature::new(words("g0 g1"), words("A B"), vec![1.0, 1.0, 2.0, 2.0]).unwrap();
        let found = run(&[&[1.0, 2.0]], "counts", &s).unwrap();
        assert_eq!(found.findings[0].code, "types-not-separable");
        assert!(run(&[&[1.0, -2.0]], "counts", &s).unwrap_err().to_string().contains("negative"));
        let other = Signature::new(words("x"), words("A"), vec![1.0]).unwrap();
        assert!(run(&[&[1.0, 2.0]], "counts", &other).unwrap_err().to_string().contains("share no gene"));
        assert!(Signature::new(words("x"), words("A A"), vec![1.0, 2.0]).unwrap_err().to_string().contains("twice"));
        assert!(Signature::new(words("x"), words("A"), vec![-1.0]).is_err());
        assert!(Signature::new(words("x"), words("A"), vec![]).is_err());
    }
}
