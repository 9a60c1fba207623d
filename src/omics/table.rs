//! What the numbers of a table are, and whether they can be worked with.

use crate::base::{Error, Result, Severity};
use crate::model::{Expression, Finding};

/// Logarithms of expression stay below this, counts of any gene of interest do not.
const MOST_LOGARITHM: f32 = 20.0;

/// What the values of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueScale {
    /// Whole numbers.
    Counts,
    /// Normalized counts.
    Linear,
    /// Natural logarithms of 1 + normalized counts.
    Log1p,
}

impl ValueScale {
    /// From the unit of the table; where that only says `values`, small ones are taken for logarithms, and
    /// a finding says so.
    #[must_use]
    pub fn of(expression: &Expression, findings: &mut Vec<Finding>) -> Self {
        match expression.unit.as_str() {
            "counts" => return Self::Counts,
            unit if unit.starts_with("log1p") => return Self::Log1p,
            "values" => {}
            _ => return Self::Linear,
        }
        let most = expression.value_facts().largest;
        let scale = if most <= MOST_LOGARITHM { Self::Log1p } else { Self::Linear };
        let words = if scale == Self::Log1p { "log1p of normalized counts" } else { "normalized counts without logarithm" };
        findings.push(Finding {
            severity: Severity::Note,
            code: "scale-assumed",
            what: format!("the values are no counts and are taken for {words}: the largest is {most}"),
            evidence: vec![("largest".into(), f64::from(most))],
            remedy: "give counts where this is wrong".into(),
        });
        scale
    }
}

/// Refuses tables without observations or genes, entries stored twice, and numbers that are not finite.
pub fn check_table(expression: &Expression) -> Result<()> {
    let (n, m) = (expression.observations().len(), expression.genes().len());
    if n == 0 || m == 0 {
        return Err(Error::degenerate(format!("the table has {n} observations and {m} genes; at least one of each is needed")));
    }
    if expression.is_increasing() && expression.value_facts().n_not_finite == 0 {
        return Ok(());
    }
    for gene in 0..m {
        let (rows, values) = expression.gene(gene);
        let name = &expression.genes()[gene];
        if let Some(pair) = rows.windows(2).find(|w| w[0] >= w[1]) {
            let at = &expression.observations()[pair[1] as usize];
            return Err(Error::degenerate(format!("{name} is stored twice or out of order at {at}; write the table again")));
        }
        if let Some((row, value)) = rows.iter().zip(values).find(|(_, v)| !v.is_finite()) {
            let at = &expression.observations()[*row as usize];
            let what = if value.is_nan() { "missing (NaN)" } else { "infinite" };
            return Err(Error::degenerate(format!(
                "{name} is {what} at {at}; expression must be a number for every gene and spot"
            )));
        }
    }
    Ok(())
}

/// Refuses numbers below zero, which are no counts and have no logarithm.
pub(super) fn refuse_negative(expression: &Expression, what: &str) -> Result<()> {
    if expression.value_facts().n_negative == 0 {
        return Ok(());
    }
    for gene in 0..expression.genes().len() {
        let (rows, values) = expression.gene(gene);
        if let Some((row, value)) = rows.iter().zip(values).find(|(_, v)| **v < 0.0) {
            let (name, at) = (&expression.genes()[gene], &expression.observations()[*row as usize]);
            return Err(Error::degenerate(format!(
                "{name} is {value} at {at}, but {what} needs numbers that are not negative; scaled or centered values cannot be used"
            )));
        }
    }
    Ok(())
}

/// A finding where values are not whole although counts are expected.
pub(super) fn note_fractions(expression: &Expression, what: &str, findings: &mut Vec<Finding>) {
    let n = expression.value_facts().n_fractions;
    if n > 0 {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "not-counts",
            what: format!("{n} of {} values are not whole numbers, but {what} expects counts", expression.n_stored()),
            evidence: vec![("fractions".into(), n as f64)],
            remedy: "start from the raw counts".into(),
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A table of rows (observations) from numbers.
    pub(crate) fn table(rows: &[&[f32]]) -> Expression {
        let m = rows.first().map_or(0, |r| r.len());
        let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
        let (mut offsets, mut places, mut values) = (vec![0], Vec::new(), Vec::new());
        for gene in 0..m {
            for (row, v) in rows.iter().enumerate().filter(|(_, r)| r[gene] != 0.0) {
                places.push(row as u32);
                values.push(v[gene]);
            }
            offsets.push(places.len() as u64);
        }
        Expression::new(names("g", m), vec![], names("s", rows.len()), offsets, places, values).unwrap()
    }

    #[test]
    fn bad_tables_get_a_sentence() {
        let error = |rows: &[&[f32]]| check_table(&table(rows)).unwrap_err().to_string();
        assert!(error(&[]).contains("0 observations"));
        assert!(error(&[&[1.0, 2.0], &[f32::NAN, 1.0]]).contains("g0 is missing (NaN) at s1"));
        assert!(error(&[&[1.0, f32::INFINITY]]).contains("g1 is infinite at s0"));
        assert!(refuse_negative(&table(&[&[1.0, -2.0]]), "x").unwrap_err().to_string().contains("g1 is -2 at s0"));
        let twice = Expression::new(vec!["g".into()], vec![], vec!["s".into()], vec![0, 2], vec![0, 0], vec![1.0, 2.0]).unwrap();
        assert!(check_table(&twice).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn the_scale_is_told() {
        let mut findings = Vec::new();
        let mut t = table(&[&[0.5, 3.0]]);
        for (unit, scale) in [("counts", ValueScale::Counts), ("log1p CP10k", ValueScale::Log1p), ("CPM", ValueScale::Linear)] {
            t.unit = unit.into();
            assert_eq!(ValueScale::of(&t, &mut findings), scale);
        }
        assert!(findings.is_empty());
        t.unit = "values".into();
        assert_eq!(ValueScale::of(&t, &mut findings), ValueScale::Log1p);
        let mut large = table(&[&[0.5, 300.0]]);
        large.unit = "values".into();
        assert_eq!(ValueScale::of(&large, &mut findings), ValueScale::Linear);
        assert_eq!(findings.len(), 2);
    }
}
