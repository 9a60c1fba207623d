//! Factors that are not negative (programs of genes) of a table.

use super::table::{check_table, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::stats::{Nmf, NmfLoss, NmfSettings, SparseColumns, nmf};

/// Factors and the genes that they are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    /// Scores (observations × k) and loadings (genes used × k, each of length 1), largest factor first.
    pub nmf: Nmf,
    /// Number of factors.
    pub k: usize,
    /// Numbers of the genes used, in the order of the loadings.
    pub genes: Vec<usize>,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Factors of the values as they are; `keep` says which genes are used (`None`: all). Cost: see [`nmf`].
///
/// Errors: [`Error::Degenerate`] for negative or missing numbers and a table of zeros.
pub fn factors(expression: &Expression, keep: Option<&[bool]>, settings: &NmfSettings, progress: &Progress) -> Result<Factors> {
    progress.step(0.0, "checking the table")?;
    check_table(expression)?;
    refuse_negative(expression, "factors that are not negative")?;
    let (n, m) = (expression.observations().len(), expression.genes().len());
    if let Some(keep) = keep.filter(|k| k.len() != m) {
        return Err(Error::parameter(format!("{} genes are marked, the table has {m}", keep.len())));
    }
    let genes: Vec<usize> = (0..m).filter(|&g| keep.is_none_or(|k| k[g])).collect();
    if genes.is_empty() {
        return Err(Error::degenerate("no gene is marked as variable, so there is nothing to find factors of"));
    }
    let mut findings = Vec::new();
    let mut note = |severity, code, what: String, remedy: &str| {
        findings.push(Finding { severity, code, what, evidence: vec![("k".into(), settings.k as f64)], remedy: remedy.into() });
    };
    if settings.k > n.min(genes.len()) {
        let what = format!("{} factors of {n} observations × {} genes: more than can be told apart", settings.k, genes.len());
        note(Severity::Warning, "too-many-factors", what, "ask for fewer");
    }
    let columns = SparseColumns { n_rows: n, columns: genes.iter().map(|&g| expression.gene(g)).collect() };
    let mut nmf = nmf(&columns, settings, progress)?;
    if !nmf.is_converged && settings.tolerance > 0.0 {
        let what = format!("the factors still changed after {} rounds", nmf.rounds);
        note(Severity::Warning, "not-converged", what, "allow more rounds");
    }
    arrange(&mut nmf, settings.k);
    let kl = if settings.loss == NmfLoss::KullbackLeibler { "divergence" } else { "norm of the rest" };
    note(
        Severity::Note,
        "random-start",
        format!("the factors depend on the seed of their start ({}); {kl} {:.6}", settings.seed, nmf.loss),
        "",
    );
    Ok(Factors { nmf, k: settings.k, genes, findings })
}

/// Loadings of length 1, and factors by the size of their scores.
fn arrange(nmf: &mut Nmf, k: usize) {
    let length = |v: &[f64], j: usize| v.iter().skip(j).step_by(k).map(|x| x * x).sum::<f64>().sqrt();
    let lengths: Vec<f64> = (0..k).map(|j| length(&nmf.loadings, j)).collect();
    let sizes: Vec<f64> = (0..k).map(|j| length(&nmf.scores, j) * lengths[j]).collect();
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
    let scaled = |v: &[f64], factor: &dyn Fn(f64) -> f64| {
        v.chunks_exact(k).flat_map(|row| order.iter().map(|&j| row[j] * factor(lengths[j])).collect::<Vec<_>>()).collect()
    };
    let positive = |l: f64| if l > 0.0 { l } else { 1.0 };
    nmf.scores = scaled(&nmf.scores, &positive);
    nmf.loadings = scaled(&nmf.loadings, &|l| 1.0 / positive(l));
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    #[test]
    fn factors_are_ordered_and_scaled() {
        let t = table(&[&[1.0, 0.0, 2.0], &[2.0, 0.0, 4.0], &[0.0, 9.0, 0.0]]);
        let settings = NmfSettings { k: 2, loss: NmfLoss::Frobenius, max_rounds: 500, tolerance: 1e-8, seed: 0 };
        let found = factors(&t, None, &settings, &Progress::none()).unwrap();
        assert!((found.nmf.loadings[2] - 1.0).abs() < 1e-9 && (found.nmf.scores[4] - 9.0).abs() < 1e-9);
        let many = NmfSettings { k: 7, ..settings };
        assert_eq!(factors(&t, None, &many, &Progress::none()).unwrap().findings[0].code, "too-many-factors");
        assert!(factors(&t, Some(&[false; 3]), &settings, &Progress::none()).is_err());
        assert!(factors(&table(&[&[-1.0]]), None, &settings, &Progress::none()).unwrap_err().to_string().contains("negative"));
    }
}
