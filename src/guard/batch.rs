//! Batch aliased with phenotype: where every case was measured in one batch and every control in another,
//! no arithmetic tells them apart.

use crate::base::Severity;
use crate::model::Finding;
use crate::stats::thin_svd;
use std::collections::{BTreeMap, BTreeSet};

/// Above this association a batch is nearly the phenotype.
const NEARLY: f64 = 0.8;

/// What is compared with the batch, one value per sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Phenotype {
    /// Names of groups.
    Groups(Vec<String>),
    /// Numbers, NaN where missing.
    Numbers(Vec<f64>),
}

/// Refuses where the design `[one column per batch, phenotype]` has fewer independent columns than
/// columns, so that an effect of the phenotype cannot be told from one of the batch; warns where the
/// association (Cramér's V; for numbers the correlation ratio η) reaches 0.8. Samples where either is
/// missing (an empty name, NaN) are left out. `None` where neither holds, or with fewer than 2 batches.
#[must_use]
pub fn batch_aliased(batch: &[String], phenotype: &Phenotype) -> Option<Finding> {
    let present = |i: &usize| {
        !batch[*i].is_empty()
            && match phenotype {
                Phenotype::Groups(g) => g.get(*i).is_some_and(|g| !g.is_empty()),
                Phenotype::Numbers(v) => v.get(*i).is_some_and(|v| v.is_finite()),
            }
    };
    let rows: Vec<usize> = (0..batch.len()).filter(present).collect();
    let batches: Vec<&str> = rows.iter().map(|&i| batch[i].as_str()).collect();
    let n_batches = batches.iter().collect::<BTreeSet<_>>().len();
    let (columns, association, what) = match phenotype {
        Phenotype::Groups(g) => {
            let groups: Vec<&str> = rows.iter().map(|&i| g[i].as_str()).collect();
            (indicators(&groups, 1), cramers_v(&batches, &groups), "Cramér's V")
        }
        Phenotype::Numbers(v) => {
            let values: Vec<f64> = rows.iter().map(|&i| v[i]).collect();
            (vec![centered(&values)], correlation_ratio(&batches, &values), "correlation ratio η")
        }
    };
    if n_batches < 2 || columns.is_empty() {
        return None;
    }
    let mut design = indicators(&batches, 0);
    design.extend(columns);
    let rank = rank(rows.len(), &design);
    let severity = match (rank < design.len(), association >= NEARLY) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Warning,
        (false, false) => return None,
    };
    let says = if severity == Severity::Error { "not identifiable" } else { "hardly identifiable" };
    Some(Finding {
        severity,
        code: "batch-aliased",
        what: format!(
            "An effect of the phenotype is {says}: the design of {n_batches} batches and the phenotype has rank {rank} of {} columns, {what} {association:.2}, n = {}.",
            design.len(),
            rows.len()
        ),
        evidence: vec![
            ("rank".into(), rank as f64),
            ("n_columns".into(), design.len() as f64),
            ("association".into(), association),
            ("n".into(), rows.len() as f64),
        ],
        remedy: "Measure samples of every phenotype in every batch, or compare inside batches only; no correction can separate the two.".into(),
    })
}

/// Cramér's V of two lists of names: `√(χ² / (n (min(rows, columns) − 1)))`, without correction. 0 where
/// a side has one value only.
#[must_use]
pub fn cramers_v(a: &[&str], b: &[&str]) -> f64 {
    let n = a.len() as f64;
    let count = |names: &[&str]| {
        let mut map: BTreeMap<String, f64> = BTreeMap::new();
        names.iter().for_each(|v| *map.entry((*v).to_owned()).or_default() += 1.0);
        map
    };
    let (rows, columns) = (count(a), count(b));
    let mut cells: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    a.iter().zip(b).for_each(|(x, y)| *cells.entry((x, y)).or_default() += 1.0);
    let mut chi2 = 0.0;
    for (x, nx) in &rows {
        for (y, ny) in &columns {
            let expected = nx * ny / n;
            chi2 += (cells.get(&(x.as_str(), y.as_str())).copied().unwrap_or(0.0) - expected).powi(2) / expected;
        }
    }
    let least = rows.len().min(columns.len());
    if least < 2 { 0.0 } else { (chi2 / (n * (least - 1) as f64)).sqrt() }
}

/// `√(between-batch / total)` sum of squares.
fn correlation_ratio(batches: &[&str], values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for (b, v) in batches.iter().zip(values) {
        let sum = sums.entry(b).or_default();
        sum[0] += v - mean;
        sum[1] += 1.0;
    }
    let between: f64 = sums.values().map(|[s, n]| s * s / n).sum();
    let total: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    if total > 0.0 { (between / total).sqrt() } else { 0.0 }
}

/// One column per name, the first `skip` names left out.
fn indicators(names: &[&str], skip: usize) -> Vec<Vec<f64>> {
    let all: BTreeSet<&str> = names.iter().copied().collect();
    let column = |name: &str| names.iter().map(|n| f64::from(u8::from(*n == name))).collect();
    all.into_iter().skip(skip).map(column).collect()
}

/// Mean 0 and length √n, so that its unit does not decide the rank; empty of variation stays 0.
fn centered(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    values.iter().map(|v| if sd > 1e-12 * mean.abs() { (v - mean) / sd } else { 0.0 }).collect()
}

/// Independent columns: singular values above the largest × max(rows, columns) × 2.2e-16, as numpy counts.
fn rank(n_rows: usize, columns: &[Vec<f64>]) -> usize {
    let a: Vec<f64> = (0..n_rows).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
    let Ok(svd) = thin_svd(n_rows, columns.len(), &a) else { return 0 };
    let level = svd.s.first().copied().unwrap_or(0.0) * n_rows.max(columns.len()) as f64 * f64::EPSILON;
    svd.s.iter().filter(|s| **s > level).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(values: &[u8]) -> Vec<String> {
        values.iter().map(|v| format!("b{v}")).collect()
    }

    #[test]
    fn aliased_is_refused_crossed_passes() {
        // numpy.linalg.matrix_rank of the same design: 2 of 3 columns.
        let batch = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
        let found = batch_aliased(&names(&batch), &Phenotype::Groups(names(&batch))).unwrap();
        assert_eq!(found.severity, Severity::Error);
        assert_eq!([found.evidence[0].1, found.evidence[1].1, found.evidence[2].1], [2.0, 3.0, 1.0]);
        let same = Phenotype::Numbers(batch.iter().map(|b| f64::from(*b) * 1e6 + 3.0).collect());
        assert_eq!(batch_aliased(&names(&batch), &same).unwrap().severity, Severity::Error);
        let crossed = names(&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        assert!(batch_aliased(&names(&batch), &Phenotype::Groups(crossed)).is_none());
        let nearly = names(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 0]);
        assert_eq!(batch_aliased(&names(&batch), &Phenotype::Groups(nearly)).unwrap().severity, Severity::Warning);
        assert!(batch_aliased(&names(&[0; 10]), &Phenotype::Groups(names(&batch))).is_none());
        // Missing phenotypes are left out: what remains is aliased.
        let mut part = names(&batch);
        part[3].clear();
        assert_eq!(batch_aliased(&names(&batch), &Phenotype::Groups(part)).unwrap().evidence[3].1, 9.0);
    }

    #[test]
    fn cramers_v_of_a_table() {
        // scipy.stats.contingency.association([[10, 20], [30, 5]])  (scipy 1.17)
        let mut a = Vec::new();
        let mut b = Vec::new();
        for (x, y, n) in [("p", "u", 10), ("p", "v", 20), ("q", "u", 30), ("q", "v", 5)] {
            (0..n).for_each(|_| {
                a.push(x);
                b.push(y);
            });
        }
        assert!((cramers_v(&a, &b) - 0.536_745_040_121_693_2).abs() < 1e-12, "{}", cramers_v(&a, &b));
    }
}
