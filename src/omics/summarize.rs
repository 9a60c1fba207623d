//! The quality of a table: counts, genes and mitochondrial share per observation, detection per gene.

use super::table::{check_table, refuse_negative};
use crate::base::{Progress, Result, Severity};
use crate::model::{Expression, Finding};

/// Human mitochondrial genes by Ensembl identifier: 13 proteins and two ribosomal RNAs.
const MITOCHONDRIAL_IDS: [&str; 15] = [
    "ENSG00000198888",
    "ENSG00000198763",
    "ENSG00000198804",
    "ENSG00000198712",
    "ENSG00000228253",
    "ENSG00000198899",
    "ENSG00000198938",
    "ENSG00000198840",
    "ENSG00000212907",
    "ENSG00000198886",
    "ENSG00000198786",
    "ENSG00000198695",
    "ENSG00000198727",
    "ENSG00000211459",
    "ENSG00000210082",
];

/// Quality per observation and per gene.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Sum over genes of each observation.
    pub total: Vec<f64>,
    /// Genes above zero in each observation.
    pub n_genes: Vec<usize>,
    /// Part of the total in mitochondrial genes in percent; NaN where the total is zero or no such gene is known.
    pub mitochondrial_percent: Vec<f64>,
    /// Sum over observations of each gene.
    pub gene_total: Vec<f64>,
    /// Observations above zero of each gene.
    pub n_detected: Vec<usize>,
    /// How many genes were taken for mitochondrial.
    pub n_mitochondrial: usize,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Counts, genes and mitochondrial share. Mitochondrial are names that begin with `MT-` in any case, and
/// human Ensembl identifiers. Numbers below zero and missing ones are refused. Costs one pass.
pub fn summarize(expression: &Expression, progress: &Progress) -> Result<Summary> {
    check_table(expression)?;
    refuse_negative(expression, "a summary of counts")?;
    let (n, m) = (expression.observations().len(), expression.genes().len());
    let (mut total, mut n_genes, mut mitochondrial) = (vec![0.0; n], vec![0; n], vec![0.0; n]);
    let (mut gene_total, mut n_detected, mut n_mitochondrial) = (Vec::new(), Vec::new(), 0);
    for gene in 0..m {
        if gene.is_multiple_of(256) {
            progress.step(gene as f64 / m as f64, "counting")?;
        }
        let is_mitochondrial = is_mitochondrial(expression, gene);
        n_mitochondrial += usize::from(is_mitochondrial);
        let (rows, values) = expression.gene(gene);
        for (&row, &value) in rows.iter().zip(values) {
            let (row, value) = (row as usize, f64::from(value));
            total[row] += value;
            n_genes[row] += usize::from(value > 0.0);
            mitochondrial[row] += if is_mitochondrial { value } else { 0.0 };
        }
        gene_total.push(values.iter().map(|&v| f64::from(v)).sum());
        n_detected.push(values.iter().filter(|v| **v > 0.0).count());
    }
    let share = |(part, total): (f64, &f64)| if n_mitochondrial > 0 && *total > 0.0 { 100.0 * part / total } else { f64::NAN };
    let mitochondrial_percent = mitochondrial.into_iter().zip(&total).map(share).collect();
    let findings = findings(&total, &n_detected, n_mitochondrial);
    Ok(Summary { total, n_genes, mitochondrial_percent, gene_total, n_detected, n_mitochondrial, findings })
}

fn is_mitochondrial(expression: &Expression, gene: usize) -> bool {
    let known = |id: &String| MITOCHONDRIAL_IDS.contains(&id.split('.').next().unwrap_or(id));
    let name = &expression.genes()[gene];
    let named = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("mt-"));
    named || known(name) || expression.gene_ids().get(gene).is_some_and(known)
}

fn findings(total: &[f64], n_detected: &[usize], n_mitochondrial: usize) -> Vec<Finding> {
    let mut out = Vec::new();
    let mut say = |code, what: String, n: usize, remedy: &str| {
        let evidence = vec![("n".to_owned(), n as f64)];
        out.push(Finding { severity: Severity::Note, code, what, evidence, remedy: remedy.to_owned() });
    };
    let empty = total.iter().filter(|t| **t <= 0.0).count();
    if empty > 0 {
        say("empty-observations", format!("{empty} of {} observations have no counts", total.len()), empty, "leave them out");
    }
    let never = n_detected.iter().filter(|n| **n == 0).count();
    if never > 0 {
        say("undetected-genes", format!("{never} of {} genes are nowhere above zero", n_detected.len()), never, "");
    }
    if n_mitochondrial == 0 {
        let what = "no mitochondrial gene was recognized, so their share is empty".to_owned();
        say("no-mitochondrial-genes", what, 0, "name them MT-…, or give Ensembl identifiers");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_detection() {
        let genes = ["MT-ND1", "TTN", "mt-Co1", "ENSG00000198727.2"].map(String::from).to_vec();
        let observations = ["a", "b", "c"].map(String::from).to_vec();
        let (offsets, rows, values) = (vec![0, 2, 3, 3, 4], vec![0, 1, 0, 0], vec![1.0, 2.0, 6.0, 3.0]);
        let e = Expression::new(genes, vec![], observations, offsets, rows, values).unwrap();
        let s = summarize(&e, &Progress::none()).unwrap();
        assert_eq!((s.total, s.n_genes, s.n_mitochondrial), (vec![10.0, 2.0, 0.0], vec![3, 1, 0], 3));
        assert_eq!(s.mitochondrial_percent[..2], [40.0, 100.0]);
        assert!(s.mitochondrial_percent[2].is_nan());
        assert_eq!((s.gene_total, s.n_detected), (vec![3.0, 6.0, 0.0, 3.0], vec![2, 1, 0, 1]));
        let codes: Vec<_> = s.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["empty-observations", "undetected-genes"]);
    }
}
