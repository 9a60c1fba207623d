//! Principal components of a table, of all genes or of chosen ones.

use super::table::check_table;
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::stats::{Pca, PcaMethod, PcaSettings, SparseColumns, pca};

/// Settings of [`components`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComponentSettings {
    /// How many components.
    pub n: usize,
    /// Whether genes are divided by their standard deviation (n − 1).
    pub scale: bool,
    /// Seed of the random projection for very large tables.
    pub seed: u64,
}

impl Default for ComponentSettings {
    /// 50 components of centered genes.
    fn default() -> Self {
        Self { n: 50, scale: false, seed: 0 }
    }
}

/// Components and the genes that they are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// Scores (observations × k), loadings (genes used × k), variances.
    pub pca: Pca,
    /// Numbers of the genes used, in the order of the loadings.
    pub genes: Vec<usize>,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Principal components of centered genes; `keep` says which genes are used (`None`: all). The values are
/// taken as they are: normalize and log them first. Cost: see [`pca`].
///
/// Errors: [`Error::Degenerate`] for one observation, missing numbers, or genes that do not vary.
pub fn components(
    expression: &Expression,
    keep: Option<&[bool]>,
    settings: &ComponentSettings,
    progress: &Progress,
) -> Result<Components> {
    progress.step(0.0, "checking the table")?;
    check_table(expression)?;
    let n_genes = expression.genes().len();
    if let Some(keep) = keep.filter(|k| k.len() != n_genes) {
        return Err(Error::parameter(format!("{} genes are marked, the table has {n_genes}", keep.len())));
    }
    let genes: Vec<usize> = (0..n_genes).filter(|&g| keep.is_none_or(|k| k[g])).collect();
    if genes.is_empty() {
        return Err(Error::degenerate("no gene is marked as variable, so there is nothing to find components of"));
    }
    let n_rows = expression.observations().len();
    if n_rows < 2 {
        return Err(Error::degenerate("one observation has no principal components; at least two are needed"));
    }
    let columns = SparseColumns { n_rows, columns: genes.iter().map(|&g| expression.gene(g)).collect() };
    let ComponentSettings { n, scale, seed } = *settings;
    let pca = pca(&columns, &PcaSettings { n, scale, seed }, progress)?;
    let mut findings = Vec::new();
    note_scale(expression, &mut findings);
    note_result(&pca, settings, &mut findings);
    Ok(Components { pca, genes, findings })
}

fn note_scale(expression: &Expression, findings: &mut Vec<Finding>) {
    if expression.unit == "counts" {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "counts-not-normalized",
            what: "the components are of raw counts: the first will mostly be the total of each observation".into(),
            evidence: Vec::new(),
            remedy: "normalize and log first, as normalize+pca with --log1p".into(),
        });
    }
}

fn note_result(pca: &Pca, settings: &ComponentSettings, findings: &mut Vec<Finding>) {
    if pca.k < settings.n {
        findings.push(Finding {
            severity: Severity::Note,
            code: "number-of-components",
            what: format!("{} components instead of {}: no other direction has variance", pca.k, settings.n),
            evidence: vec![("found".into(), pca.k as f64)],
            remedy: String::new(),
        });
    }
    if pca.method == PcaMethod::Random {
        findings.push(Finding {
            severity: Severity::Note,
            code: "random-projection",
            what: format!("the table is large: the leading components come from a random projection with seed {}", settings.seed),
            evidence: vec![("seed".into(), settings.seed as f64)],
            remedy: "choose variable genes first for exact ones".into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    #[test]
    fn chosen_genes_only() {
        let t = table(&[&[1.0, 9.0, 4.0], &[2.0, 1.0, 1.0], &[5.0, 3.0, 2.0]]);
        let settings = ComponentSettings { n: 5, ..ComponentSettings::default() };
        let found = components(&t, Some(&[true, false, true]), &settings, &Progress::none()).unwrap();
        assert_eq!((found.genes, found.pca.loadings.len(), found.pca.scores.len()), (vec![0, 2], 4, 6));
        let codes: Vec<_> = found.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["counts-not-normalized", "number-of-components"]);
    }

    #[test]
    fn odd_inputs_get_a_sentence() {
        let run = |rows: &[&[f32]], keep: Option<&[bool]>| {
            components(&table(rows), keep, &ComponentSettings::default(), &Progress::none()).unwrap_err().to_string()
        };
        assert!(run(&[&[1.0, 2.0]], None).contains("one observation"));
        assert!(run(&[&[1.0], &[1.0]], None).contains("varies"));
        assert!(run(&[&[1.0], &[2.0]], Some(&[false])).contains("no gene is marked"));
        assert!(run(&[&[1.0], &[2.0]], Some(&[])).contains("0 genes are marked"));
        assert!(run(&[&[1.0], &[f32::NAN]], None).contains("NaN"));
    }
}
