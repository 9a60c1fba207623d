//! The built-in cohort: sixty synthetic patients with imaging phenotypes, genes of biopsies in bulk and by
//! cell type, and proteins in plasma, all driven by the same four hidden factors.
//!
//! Missing views, the effect of the laboratory's two runs and the outcome are planted, and the truth about
//! them is kept. The sicker a patient (the factor `remodeling`), the more often a biopsy was taken: bulk and
//! single-cell views are not missing at random.

mod features;
mod people;
#[cfg(test)]
mod tests;

use crate::base::Result;
use crate::model::{
    Cohort, CohortParts, CohortView, Covariate, Item, ItemKind, ItemState, OUTCOME as OUTCOME_NAME, Subject, Values, ViewTable,
};
use crate::stats::Stream;
use features::{CELL_TYPES, FACTOR_NAMES, Plan, plan};
use people::{MISSING, OUTCOME, People};
use std::sync::Arc;

/// Number of patients.
pub const N_SUBJECTS: usize = 60;
/// Streams of measurement noise begin here.
const STREAM: u64 = 23_000;
/// Name of the cohort.
const NAME: &str = "Built-in cohort";
/// What the numbers of each view are, in the order of [`MISSING`].
const UNITS: [&str; 4] = ["", "log2 CPM", "log1p CP10k", "NPX"];
const SITES: [&str; 3] = ["north", "south", "west"];

/// The cohort and what is true about it.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortCase {
    /// As a core laboratory would hand it over.
    pub cohort: Cohort,
    /// What nobody measured.
    pub truth: CohortTruth,
}

/// What is true about the built-in cohort.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortTruth {
    /// Names of the factors.
    pub factor_names: Vec<&'static str>,
    /// Factors of each subject; over the subjects uncorrelated, mean 0, variance 1.
    pub factors: Vec<Vec<f64>>,
    /// Every feature of every view.
    pub features: Vec<FeatureTruth>,
    /// Logistic model of the outcome: term and coefficient.
    pub outcome: Vec<(String, f64)>,
    /// Probability of the outcome of each subject.
    pub probability: Vec<f64>,
    /// View, intercept and slope on `remodeling` of the logistic probability that it is missing.
    pub missing: Vec<(&'static str, f64, f64)>,
}

/// One feature: `mean + sd · (loadings · factors + age · decades over 60 + batch · [batch B] + noise · normal)`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureTruth {
    /// The view.
    pub view: &'static str,
    /// The feature.
    pub feature: String,
    /// `driven`, `null` (noise and batch only) or `derived` (computed from others, or a share of a whole).
    pub kind: &'static str,
    /// In the feature's unit; like all that follow, `None` of a derived feature.
    pub mean: Option<f64>,
    /// In the feature's unit.
    pub sd: Option<f64>,
    /// In standard deviations per factor; empty of a derived feature.
    pub loadings: Vec<f64>,
    /// In standard deviations per decade over 60.
    pub age: Option<f64>,
    /// In standard deviations, of the second run.
    pub batch: Option<f64>,
    /// In standard deviations.
    pub noise: Option<f64>,
}

/// Values of one view: names of the features, and one row per subject (NaN is not measured).
struct Measured {
    features: Vec<String>,
    rows: Vec<Vec<f64>>,
}

/// Makes the cohort of a seed; same seed, same bytes. Cost: some milliseconds.
pub fn make_cohort(seed: u64) -> Result<CohortCase> {
    let people = People::of_seed(seed, N_SUBJECTS);
    let plans = plan(seed);
    let mut views: Vec<Measured> = MISSING.iter().map(|(view, ..)| measure(seed, view, &plans, &people)).collect();
    let mut truth: Vec<FeatureTruth> = plans.iter().map(FeatureTruth::of).collect();
    add_end_systole(&mut views[0]);
    truth.push(FeatureTruth::derived("phenotypes", "esv_ml"));
    add_fractions(seed, &mut views[2], &people);
    truth.extend(CELL_TYPES.iter().map(|t| FeatureTruth::derived("single_cell", &format!("{}:fraction", t.0))));
    leave_cells_empty(seed, &mut views);
    let cohort = assemble(&people, &views)?;
    let truth = CohortTruth {
        factor_names: FACTOR_NAMES.to_vec(),
        factors: people.factors.iter().map(|f| f.to_vec()).collect(),
        features: truth,
        outcome: outcome_terms(),
        probability: people.probability,
        missing: MISSING.to_vec(),
    };
    Ok(CohortCase { cohort, truth })
}

impl FeatureTruth {
    fn of(plan: &Plan) -> Self {
        Self {
            view: plan.view,
            feature: plan.name.clone(),
            kind: if plan.is_null() { "null" } else { "driven" },
            mean: Some(plan.mean),
            sd: Some(plan.sd),
            loadings: plan.loadings.to_vec(),
            age: Some(plan.age),
            batch: Some(plan.batch),
            noise: Some(plan.noise),
        }
    }

    fn derived(view: &'static str, feature: &str) -> Self {
        let (mean, sd, age, batch, noise) = (None, None, None, None, None);
        Self { view, feature: feature.into(), kind: "derived", mean, sd, loadings: Vec::new(), age, batch, noise }
    }
}

fn outcome_terms() -> Vec<(String, f64)> {
    let (intercept, weights, per_decade) = OUTCOME;
    let factors = FACTOR_NAMES.iter().zip(weights).map(|(name, w)| ((*name).to_owned(), w));
    std::iter::once(("intercept".to_owned(), intercept))
        .chain(factors)
        .chain(std::iter::once(("age_decades_over_60".to_owned(), per_decade)))
        .collect()
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    let value = (value * scale).round() / scale;
    // No negative zero in a table.
    if value == 0.0 { 0.0 } else { value }
}

fn measure(seed: u64, view: &str, plans: &[Plan], people: &People) -> Measured {
    let chosen: Vec<(usize, &Plan)> = plans.iter().enumerate().filter(|(_, p)| p.view == view).collect();
    let mut rows = vec![Vec::with_capacity(chosen.len()); people.factors.len()];
    for (index, plan) in &chosen {
        let s = &mut Stream::new(seed, STREAM + *index as u64);
        for (i, row) in rows.iter_mut().enumerate() {
            let along: f64 = plan.loadings.iter().zip(&people.factors[i]).map(|(l, f)| l * f).sum();
            let decades = (people.age[i] - 60.0) / 10.0;
            let run = if people.is_batch_b[i] { plan.batch } else { 0.0 };
            let value = plan.mean + plan.sd * (along + plan.age * decades + run + plan.noise * s.normal());
            row.push(rounded(value.clamp(plan.bounds[0], plan.bounds[1]), plan.decimals));
        }
    }
    Measured { features: chosen.iter().map(|(_, p)| p.name.clone()).collect(), rows }
}

/// End-systolic volume, so that `ef_percent = 100 · (edv − esv)/edv`.
fn add_end_systole(phenotypes: &mut Measured) {
    let place = |name: &str| phenotypes.features.iter().position(|f| f == name).unwrap_or(0);
    let (edv, ef) = (place("edv_ml"), place("ef_percent"));
    phenotypes.features.insert(edv + 1, "esv_ml".into());
    for row in &mut phenotypes.rows {
        let esv = row[edv] * (1.0 - row[ef] / 100.0);
        row.insert(edv + 1, rounded(esv, 1));
    }
}

/// Shares of the cell types, which sum to 1.
fn add_fractions(seed: u64, cells: &mut Measured, people: &People) {
    let s = &mut Stream::new(seed, STREAM + 5000);
    for (i, row) in cells.rows.iter_mut().enumerate() {
        let weight = |(_, share, loadings, _): &features::CellType| {
            let along: f64 = loadings.iter().zip(&people.factors[i]).map(|(l, f)| l * f).sum();
            share * (along + 0.15 * s.normal()).exp()
        };
        let weights: Vec<f64> = CELL_TYPES.iter().map(weight).collect();
        let sum: f64 = weights.iter().sum();
        row.extend(weights.iter().map(|w| rounded(w / sum, 4)));
    }
    cells.features.extend(CELL_TYPES.iter().map(|t| format!("{}:fraction", t.0)));
}

/// T2 was not acquired in about every eighth patient; single wells of the protein assay failed.
fn leave_cells_empty(seed: u64, views: &mut [Measured]) {
    let s = &mut Stream::new(seed, STREAM + 6000);
    let t2 = views[0].features.iter().position(|f| f == "t2_ms");
    for row in &mut views[0].rows {
        let is_lost = s.uniform() < 0.125;
        if let Some(place) = t2.filter(|_| is_lost) {
            row[place] = f64::NAN;
        }
    }
    for value in views[3].rows.iter_mut().flatten() {
        if s.uniform() < 0.015 {
            *value = f64::NAN;
        }
    }
}

/// Why somebody has no view, in the order of [`MISSING`].
const REASONS: [&str; 4] = ["no CMR", "no biopsy", "too few nuclei", "no plasma"];

fn assemble(people: &People, views: &[Measured]) -> Result<Cohort> {
    let subjects: Vec<Subject> = people.has.iter().enumerate().map(|(i, has)| subject(i, *has)).collect();
    let view = |(v, measured): (usize, &Measured)| {
        let there: Vec<usize> = (0..subjects.len()).filter(|&i| people.has[i][v]).collect();
        let samples = there.iter().map(|&i| subjects[i].id.clone()).collect();
        let values = there.iter().flat_map(|&i| measured.rows[i].iter().copied()).collect();
        let missing = people.has.iter().map(|has| (!has[v]).then(|| REASONS[v].to_owned())).collect();
        let table = ViewTable::new(MISSING[v].0, samples, measured.features.clone(), values)?;
        Ok(CohortView { name: MISSING[v].0.to_owned(), unit: UNITS[v].to_owned(), table: Some(Arc::new(table)), missing })
    };
    let views = views.iter().enumerate().map(view).collect::<Result<_>>()?;
    let covariates = covariates(people);
    Cohort::new(CohortParts { name: NAME.to_owned(), subjects, covariates, views, findings: Vec::new() })
}

/// Scans, blocks and sections are identifiers: there are no files behind them.
fn subject(i: usize, [has_scan, has_bulk, has_cells, _]: [bool; MISSING.len()]) -> Subject {
    let number = i + 1;
    let item = |kind, reference: String, block| Item { kind, reference, block, state: ItemState::Identifier };
    let block = format!("B{number:02}");
    let mut items = Vec::new();
    if has_scan {
        items.push(item(ItemKind::Scan, format!("MR{number:02}"), None));
    }
    if has_bulk || has_cells {
        items.push(item(ItemKind::Block, block.clone(), None));
    }
    if has_cells {
        items.push(item(ItemKind::Section, format!("B{number:02}-1"), Some(block)));
    }
    Subject { id: format!("S{number:02}"), patient: format!("P{number:02}"), items }
}

fn covariates(people: &People) -> Vec<Covariate> {
    let words = |name: &str, word: &dyn Fn(usize) -> &'static str| Covariate {
        name: name.to_owned(),
        unit: String::new(),
        values: Values::Category((0..people.age.len()).map(|i| Some(word(i).to_owned())).collect()),
    };
    let numbers = |name: &str, unit: &str, values: Vec<f64>| Covariate {
        name: name.to_owned(),
        unit: unit.to_owned(),
        values: Values::Number(values.into_iter().map(Some).collect()),
    };
    vec![
        words("batch", &|i| if people.is_batch_b[i] { "B" } else { "A" }),
        words("site", &|i| SITES[people.site[i] % SITES.len()]),
        numbers("age", "years", people.age.clone()),
        words("sex", &|i| if people.is_female[i] { "female" } else { "male" }),
        numbers(OUTCOME_NAME, "event within 24 months", people.outcome.iter().map(|&o| f64::from(u8::from(o))).collect()),
    ]
}
