//! What a cohort allows to say: who has which views, which patterns are missing, whether missing goes with
//! the outcome, whether batch and outcome can be told apart. The window, the command line and reports
//! print the same.

use crate::base::Result;
use crate::guard::{Availability, Outcome, Phenotype, availability, availability_findings, batch_aliased};
use crate::io::{Table, TableColumn};
use crate::model::{Cohort, Covariate, ElementId, Finding, MissingPattern, Study, Values};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Seed of the random arrangements of a numeric outcome.
const SEED: u64 = 0;

/// Counts of one view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewCount {
    /// The view.
    pub name: String,
    /// What its numbers are.
    pub unit: String,
    /// Number of features.
    pub n_features: usize,
    /// Subjects who have it and are not left out.
    pub n_there: usize,
    /// Subjects who lack it and are not left out.
    pub n_missing: usize,
    /// Subjects left out.
    pub n_excluded: usize,
    /// Values missing inside its rows, of all subjects.
    pub n_empty_cells: usize,
    /// Presence against outcome, where there is an outcome that can be tested.
    pub availability: Option<Availability>,
}

/// Subjects by batch and outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossTable {
    /// Name of the rows' covariate.
    pub rows_of: String,
    /// Levels of the rows.
    pub rows: Vec<String>,
    /// Levels of the outcome.
    pub columns: Vec<String>,
    /// Rows × columns.
    pub counts: Vec<Vec<usize>>,
}

/// What a cohort allows to say.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortReport {
    /// The cohort.
    pub of: ElementId,
    /// All of it in a sentence.
    pub sentence: String,
    /// By view.
    pub views: Vec<ViewCount>,
    /// Patterns of the subjects not left out, the commonest first.
    pub patterns: Vec<MissingPattern>,
    /// Batch by outcome, where both are known and have few levels.
    pub batch: Option<CrossTable>,
    /// What the reader and the guards found.
    pub findings: Vec<Finding>,
    /// Subjects left out: pseudonym and reason, in the order of the sheet.
    pub excluded: Vec<(String, String)>,
}

/// The report of a cohort; `None` where there is no cohort of this id. Cost: milliseconds; with a numeric
/// outcome some thousand shuffles per view.
#[must_use]
pub fn cohort_report(study: &Study, id: ElementId) -> Option<CohortReport> {
    let cohort = study.cohort(id)?;
    let left_out = study.subjects_left_out(id);
    let reason = |i: usize| left_out.get(cohort.subjects()[i].id.as_str()).map(|r| (*r).to_owned());
    let kept: Vec<usize> = (0..cohort.subjects().len()).filter(|&i| reason(i).is_none()).collect();
    let excluded: Vec<(String, String)> =
        cohort.subjects().iter().enumerate().filter_map(|(i, s)| Some((s.id.clone(), reason(i)?))).collect();
    let (tests, mut more) = tested(cohort, &kept);
    let views = cohort.views().iter().enumerate().map(|(v, view)| {
        let n_there = kept.iter().filter(|&&i| view.missing[i].is_none()).count();
        ViewCount {
            name: view.name.clone(),
            unit: view.unit.clone(),
            n_features: view.features().len(),
            n_there,
            n_missing: kept.len() - n_there,
            n_excluded: excluded.len(),
            n_empty_cells: view.n_empty_cells(),
            availability: tests.get(v).cloned(),
        }
    });
    let views = views.collect();
    let patterns = cohort.patterns(|i| reason(i).is_none());
    let batch = cross(cohort, &kept, "batch");
    more.extend(aliased(cohort, &kept));
    let sentence = sentence(cohort, &kept, &patterns, &excluded);
    let findings = cohort.findings().iter().cloned().chain(more).collect();
    Some(CohortReport { of: id, sentence, views, patterns, batch, findings, excluded })
}

fn sentence(cohort: &Arc<Cohort>, kept: &[usize], patterns: &[MissingPattern], excluded: &[(String, String)]) -> String {
    let n = cohort.subjects().len();
    let patients: BTreeSet<&str> = kept.iter().map(|&i| cohort.subjects()[i].patient.as_str()).collect();
    let whole: usize = patterns.iter().filter(|p| p.has.iter().all(|h| *h)).map(|p| p.subjects.len()).sum();
    let mut text = format!("{n} subjects");
    if !excluded.is_empty() {
        text = format!("{text}, {} of them left out", excluded.len());
    }
    if patients.len() != kept.len() {
        text = format!("{text}; {} patients", patients.len());
    }
    format!("{text}; {whole} have all {} views.", cohort.views().len())
}

/// The outcome of the subjects who have one, and who they are; classes or a number.
fn outcome(covariate: &Covariate, kept: &[usize]) -> Option<(Outcome, Vec<usize>)> {
    let known: Vec<usize> = kept.iter().copied().filter(|&i| covariate.values.text(i).is_some()).collect();
    let levels: BTreeSet<String> = known.iter().filter_map(|&i| covariate.values.text(i)).collect();
    match (&covariate.values, levels.len()) {
        (_, 2) => {
            let second = levels.iter().next_back()?;
            let is_second = known.iter().map(|&i| covariate.values.text(i).as_ref() == Some(second)).collect();
            Some((Outcome::Class(is_second, format!("with {} {second}", covariate.name)), known))
        }
        (Values::Number(values), 3..) => Some((Outcome::Number(known.iter().filter_map(|&i| values[i]).collect()), known)),
        _ => None,
    }
}

fn tested(cohort: &Cohort, kept: &[usize]) -> (Vec<Availability>, Vec<Finding>) {
    let Some((outcome, known)) = cohort.outcome().and_then(|o| outcome(o, kept)) else { return (Vec::new(), Vec::new()) };
    let has = |v: &crate::model::CohortView| (v.name.clone(), known.iter().map(|&i| v.missing[i].is_none()).collect());
    let views: Vec<(String, Vec<bool>)> = cohort.views().iter().map(has).collect();
    let rows = availability(&views, &outcome, SEED);
    let findings = availability_findings(&rows, &outcome);
    (rows, findings)
}

fn cross(cohort: &Cohort, kept: &[usize], name: &str) -> Option<CrossTable> {
    let (rows_of, outcome) = (cohort.covariate(name)?, cohort.outcome()?);
    let (rows, columns) = (rows_of.values.levels(), outcome.values.levels());
    if rows.len() > 12 || columns.len() > 6 || rows.is_empty() || columns.is_empty() {
        return None;
    }
    let mut counts = vec![vec![0; columns.len()]; rows.len()];
    for &i in kept {
        let place = |levels: &[String], c: &Covariate| c.values.text(i).and_then(|t| levels.iter().position(|l| *l == t));
        if let (Some(r), Some(c)) = (place(&rows, rows_of), place(&columns, outcome)) {
            counts[r][c] += 1;
        }
    }
    Some(CrossTable { rows_of: rows_of.name.clone(), rows, columns, counts })
}

/// Whether the effect of the batch can be told from the outcome's.
fn aliased(cohort: &Cohort, kept: &[usize]) -> Option<Finding> {
    let (batch, outcome) = (cohort.covariate("batch")?, cohort.outcome()?);
    let text = |c: &Covariate| kept.iter().map(|&i| c.values.text(i).unwrap_or_default()).collect::<Vec<_>>();
    let phenotype = match &outcome.values {
        Values::Number(v) if outcome.values.levels().len() > 2 => {
            Phenotype::Numbers(kept.iter().map(|&i| v[i].unwrap_or(f64::NAN)).collect())
        }
        _ => Phenotype::Groups(text(outcome)),
    };
    batch_aliased(&text(batch), &phenotype)
}

impl CohortReport {
    /// The report as tables by name of file: `cohort_subjects.csv` (every subject with its views and, where it is
    /// left out, the reason), `cohort_views.csv`, `cohort_patterns.csv` and, where there is one, `cohort_batch.csv`.
    pub fn tables(&self, cohort: &Cohort) -> Result<Vec<(&'static str, Table)>> {
        let mut tables = vec![
            ("cohort_subjects.csv", self.subject_table(cohort)?),
            ("cohort_views.csv", self.view_table()?),
            ("cohort_patterns.csv", self.pattern_table()?),
        ];
        if let Some(batch) = &self.batch {
            let mut columns = vec![TableColumn::text(&batch.rows_of, batch.rows.iter().cloned().map(Some))];
            for (c, level) in batch.columns.iter().enumerate() {
                let name = format!("outcome_{level}");
                columns.push(TableColumn::whole(&name, batch.counts.iter().map(|r| Some(r[c] as i64))));
            }
            tables.push(("cohort_batch.csv", Table::new(columns)?));
        }
        Ok(tables)
    }

    fn subject_table(&self, cohort: &Cohort) -> Result<Table> {
        let subjects = cohort.subjects();
        let reason = |id: &str| self.excluded.iter().find(|(s, _)| s == id).map(|(_, r)| r.clone());
        let mut columns = vec![
            TableColumn::text("subject", subjects.iter().map(|s| Some(s.id.clone()))),
            TableColumn::text("patient", subjects.iter().map(|s| Some(s.patient.clone()))),
            TableColumn::text("excluded", subjects.iter().map(|s| reason(&s.id))),
        ];
        let taken = |name: &str, columns: &[TableColumn]| columns.iter().any(|c| c.name == name);
        for covariate in cohort.covariates() {
            let name = if taken(&covariate.name, &columns) { format!("{}_", covariate.name) } else { covariate.name.clone() };
            columns.push(match &covariate.values {
                Values::Number(v) => TableColumn::numbers(&name, v.iter().copied()),
                Values::Category(v) => TableColumn::text(&name, v.iter().cloned()),
            });
        }
        for view in cohort.views() {
            let state = |m: &Option<String>| Some(m.as_ref().map_or_else(|| "there".to_owned(), |why| format!("missing: {why}")));
            let name = if taken(&view.name, &columns) { format!("view_{}", view.name) } else { view.name.clone() };
            columns.push(TableColumn::text(&name, view.missing.iter().map(state)));
        }
        Table::new(columns)
    }

    fn view_table(&self) -> Result<Table> {
        let v = &self.views;
        let whole = |name: &str, of: fn(&ViewCount) -> usize| TableColumn::whole(name, v.iter().map(|v| Some(of(v) as i64)));
        let test = |name: &str, of: fn(&Availability) -> f64| {
            let value = |v: &ViewCount| v.availability.as_ref().map(of).filter(|p| p.is_finite());
            TableColumn::numbers(name, v.iter().map(value).collect::<Vec<_>>())
        };
        Table::new(vec![
            TableColumn::text("view", v.iter().map(|v| Some(v.name.clone()))),
            TableColumn::text("unit", v.iter().map(|v| Some(v.unit.clone()).filter(|u| !u.is_empty()))),
            whole("features", |v| v.n_features),
            whole("there", |v| v.n_there),
            whole("missing", |v| v.n_missing),
            whole("excluded", |v| v.n_excluded),
            whole("empty_cells", |v| v.n_empty_cells),
            test("outcome_with", |a| a.with),
            test("outcome_without", |a| a.without),
            test("p", |a| a.p),
            test("p_holm", |a| a.p_holm),
        ])
    }

    fn pattern_table(&self) -> Result<Table> {
        let p = &self.patterns;
        let mut columns = vec![TableColumn::whole("n", p.iter().map(|p| Some(p.subjects.len() as i64)))];
        for (v, view) in self.views.iter().enumerate() {
            let name = if view.name == "n" { "view_n".to_owned() } else { view.name.clone() };
            columns.push(TableColumn::whole(&name, p.iter().map(|p| Some(i64::from(p.has[v])))));
        }
        Table::new(columns)
    }
}
