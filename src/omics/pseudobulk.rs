//! Counts of cells added up by patient and cell type, so that patients and not cells are the unit of tests
//! (Zimmerman et al., Nat. Commun. 12 (2021) 738; Murphy and Skene, Nat. Commun. 13 (2022) 7851).

use super::design::{levels, words};
use super::table::{check_table, note_fractions, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Column, Expression, Finding};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Sums of fewer cells than this are said to be unsure.
const FEW_CELLS: usize = 10;

/// Settings of [`pseudobulk`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PseudobulkSettings {
    /// Columns of the observations; one sum for every combination that occurs.
    pub by: Vec<String>,
}

/// Sums by groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Pseudobulk {
    /// One observation for each combination, with the columns that are the same within it, `n_observations` and `total`.
    pub expression: Expression,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Sums counts over the observations of each combination of values. Observations without a value are left out.
/// Costs one pass over the values and genes × groups.
///
/// Errors: [`Error::Degenerate`] for numbers that are negative or missing; [`Error::Parameter`] for logarithms
/// and unknown columns.
pub fn pseudobulk(expression: &Expression, settings: &PseudobulkSettings, progress: &Progress) -> Result<Pseudobulk> {
    progress.step(0.0, "checking counts")?;
    check_table(expression)?;
    refuse_negative(expression, "a sum of counts")?;
    if expression.unit.starts_with("log1p") {
        return Err(Error::parameter(format!("the values are {}; sums over cells need counts", expression.unit)));
    }
    if settings.by.is_empty() {
        return Err(Error::parameter("name the columns to sum by, as patient,celltype"));
    }
    let mut findings = Vec::new();
    note_fractions(expression, "a sum over cells", &mut findings);
    let groups = Groups::new(expression, &settings.by, &mut findings)?;
    let n_groups = groups.names.len();
    progress.step(0.2, "summing")?;
    let n_genes = expression.genes().len();
    let sums = (0..n_genes).into_par_iter().map(|gene| {
        if gene.is_multiple_of(512) {
            progress.step(0.2 + 0.7 * gene as f64 / n_genes as f64, "summing")?;
        }
        let mut sum = vec![0.0_f64; n_groups];
        let (rows, values) = expression.gene(gene);
        for (&row, &value) in rows.iter().zip(values) {
            if let Some(group) = groups.of[row as usize] {
                sum[group] += f64::from(value);
            }
        }
        Ok(sum.into_iter().enumerate().filter(|(_, v)| *v != 0.0).map(|(g, v)| (g as u32, v as f32)).collect())
    });
    let sums: Vec<Vec<(u32, f32)>> = sums.collect::<Result<_>>()?;
    let mut offsets = vec![0u64];
    for sum in &sums {
        offsets.push(offsets[offsets.len() - 1] + sum.len() as u64);
    }
    let (rows, values) = sums.into_iter().flatten().unzip();
    let (genes, ids) = (expression.genes().to_vec(), expression.gene_ids().to_vec());
    let mut summed = Expression::new(genes, ids, groups.names.clone(), offsets, rows, values)?;
    summed.unit.clone_from(&expression.unit);
    summed.gene_columns.clone_from(&expression.gene_columns);
    summed.columns = groups.columns(expression);
    summed.columns.insert("total".into(), Column::Number(summed.totals()));
    Ok(Pseudobulk { expression: summed, findings })
}

/// The combinations that occur.
struct Groups {
    names: Vec<String>,
    /// Group of each observation.
    of: Vec<Option<usize>>,
    /// Observations of each group.
    n: Vec<usize>,
}

impl Groups {
    fn new(expression: &Expression, by: &[String], findings: &mut Vec<Finding>) -> Result<Self> {
        let n = expression.observations().len();
        let (mut keys, mut all_levels) = (vec![Some(Vec::new()); n], Vec::new());
        for name in by {
            let words = words(expression, name)?;
            let used: Vec<&String> = words.iter().flatten().collect();
            let levels = levels(expression, name, &used);
            let place: BTreeMap<&str, usize> = levels.iter().enumerate().map(|(i, l)| (l.as_str(), i)).collect();
            for (key, word) in keys.iter_mut().zip(&words) {
                match word.as_ref().and_then(|w| place.get(w.as_str())) {
                    Some(code) => key.iter_mut().for_each(|k| k.push(*code)),
                    None => *key = None,
                }
            }
            all_levels.push(levels);
        }
        let set: BTreeSet<&Vec<usize>> = keys.iter().flatten().collect();
        if set.is_empty() {
            return Err(Error::degenerate(format!("no observation has a value of {}", by.join(" and "))));
        }
        let place: BTreeMap<&Vec<usize>, usize> = set.iter().enumerate().map(|(i, k)| (*k, i)).collect();
        let of: Vec<Option<usize>> = keys.iter().map(|k| k.as_ref().map(|k| place[k])).collect();
        let mut counts = vec![0; set.len()];
        of.iter().flatten().for_each(|&g| counts[g] += 1);
        let joined = |by: &str| -> Vec<String> {
            let word = |k: &&Vec<usize>| k.iter().zip(&all_levels).map(|(c, l)| l[*c].as_str()).collect::<Vec<_>>().join(by);
            set.iter().map(word).collect()
        };
        let is_clear = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
        let Some(names) = ["_", "|", " | "].map(joined).into_iter().find(is_clear) else {
            return Err(Error::degenerate(format!(
                "values of {} cannot be joined to different names; rename them",
                by.join(" and ")
            )));
        };
        let possible = all_levels.iter().map(Vec::len).product::<usize>();
        note_groups(&names, &counts, possible, of.iter().filter(|o| o.is_none()).count(), findings);
        Ok(Self { names, of, n: counts })
    }

    /// Columns that are the same within every group, and the number of observations.
    fn columns(&self, expression: &Expression) -> BTreeMap<String, Column> {
        let mut first = vec![usize::MAX; self.names.len()];
        for (row, group) in self.of.iter().enumerate() {
            if let Some(group) = group {
                first[*group] = first[*group].min(row);
            }
        }
        let mut out: BTreeMap<String, Column> = expression
            .columns
            .iter()
            .filter(|(_, c)| self.of.iter().enumerate().all(|(row, g)| g.is_none_or(|g| same(c, row, first[g]))))
            .map(|(name, c)| (name.clone(), c.subset(&first)))
            .collect();
        out.insert("n_observations".into(), Column::Number(self.n.iter().map(|n| *n as f64).collect()));
        out
    }
}

fn same(column: &Column, a: usize, b: usize) -> bool {
    match column {
        Column::Number(v) => v[a] == v[b] || (v[a].is_nan() && v[b].is_nan()),
        Column::Category { codes, .. } => codes[a] == codes[b],
        Column::Text(v) => v[a] == v[b],
    }
}

fn note_groups(names: &[String], counts: &[usize], possible: usize, left_out: usize, findings: &mut Vec<Finding>) {
    let mut say = |severity, code, what: String, n: usize, remedy: &str| {
        let evidence = vec![("n".to_owned(), n as f64)];
        findings.push(Finding { severity, code, what, evidence, remedy: remedy.to_owned() });
    };
    if left_out > 0 {
        let what = format!("{left_out} observations lack a value to sum by and are left out");
        say(Severity::Warning, "missing-groups", what, left_out, "fill in the columns");
    }
    let absent = possible - names.len();
    if absent > 0 {
        let what = format!("{absent} of {possible} combinations have no observations, so there is no sum for them");
        say(Severity::Note, "empty-groups", what, absent, "");
    }
    let few: Vec<&str> = (0..names.len()).filter(|&g| counts[g] < FEW_CELLS).map(|g| names[g].as_str()).collect();
    if !few.is_empty() {
        let shown = few.iter().take(5).copied().collect::<Vec<_>>().join(", ");
        let more = if few.len() > 5 { ", …" } else { "" };
        let what = format!("{} sums are of fewer than {FEW_CELLS} observations: {shown}{more}", few.len());
        say(Severity::Note, "small-groups", what, few.len(), "leave them out of tests");
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    fn cells() -> Expression {
        let mut e = table(&[&[1.0, 0.0], &[2.0, 5.0], &[4.0, 0.0], &[8.0, 1.0], &[16.0, 0.0]]);
        let text = |words: [&str; 5]| Column::Text(words.map(String::from).to_vec());
        e.columns.insert("patient".into(), text(["p2", "p1", "p2", "p1", ""]));
        e.columns.insert("kind".into(), text(["b", "a", "b", "b", "b"]));
        e.columns.insert("sex".into(), text(["f", "m", "f", "m", "m"]));
        e.columns.insert("cell".into(), Column::Number(vec![1.0, 2.0, 3.0, 4.0, 5.0]));
        e
    }

    #[test]
    fn sums_are_by_combination() {
        let settings = PseudobulkSettings { by: vec!["patient".into(), "kind".into()] };
        let found = pseudobulk(&cells(), &settings, &Progress::none()).unwrap();
        let e = &found.expression;
        assert_eq!(e.observations(), ["p1_a", "p1_b", "p2_b"]);
        assert_eq!((e.dense(0), e.dense(1)), (vec![2.0, 8.0, 5.0], vec![5.0, 1.0, 0.0]));
        assert_eq!(e.columns.keys().collect::<Vec<_>>(), ["kind", "n_observations", "patient", "sex", "total"]);
        assert_eq!(e.columns["n_observations"], Column::Number(vec![1.0, 1.0, 2.0]));
        let codes: Vec<_> = found.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["missing-groups", "empty-groups", "small-groups"]);
    }

    #[test]
    fn odd_inputs_get_a_sentence() {
        let run = |e: &Expression, by: &[&str]| {
            let settings = PseudobulkSettings { by: by.iter().map(|b| (*b).to_owned()).collect() };
            pseudobulk(e, &settings, &Progress::none()).unwrap_err().to_string()
        };
        assert!(run(&cells(), &["donor"]).contains("no column donor"));
        assert!(run(&cells(), &[]).contains("name the columns"));
        let mut logs = cells();
        logs.unit = "log1p CP10k".into();
        assert!(run(&logs, &["kind"]).contains("need counts"));
        assert!(run(&table(&[&[-1.0]]), &["kind"]).contains("negative"));
        let mut clash = cells();
        clash.columns.insert("kind".into(), Column::Text(vec![String::new(); 5]));
        assert!(run(&clash, &["kind"]).contains("no observation has a value"));
    }
}
