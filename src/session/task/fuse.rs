//! Canonical correlation of two views, as a task: image features against expression components at the spots
//! of a registered section, or two views of a cohort.

mod section;

use super::Made;
use crate::base::{Error, Progress, Result};
use crate::fuse::{CcaResult, CcaSettings, Holdout};
use crate::guard::{self, Phenotype};
use crate::model::{AnalysisResult, Column, ElementId, Field, Finding, Study, Views};
use crate::session::joint::{Joined, join_views};
use section::SectionViews;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FuseTask {
    /// The section or cohort.
    pub of: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// The two views of a cohort, by name.
    pub views: Vec<String>,
    /// Variable genes that the components are made of (sections).
    pub n_genes: u32,
    /// Expression components (sections).
    pub n_components: u32,
    /// Canonical pairs.
    pub n_pairs: u32,
    /// Covariance `(1 − ridge) S + ridge I` of standardized features.
    pub ridge: f64,
    /// Number of folds.
    pub n_folds: u32,
    /// Side of held-out blocks, mm; twice the buffer where missing.
    pub block_mm: Option<f64>,
    /// Buffer around them, mm; how far expression goes together where missing.
    pub buffer_mm: Option<f64>,
    /// Draws of the permutation null.
    pub n_permutations: u32,
    /// Draws of surrogate maps (sections).
    pub n_surrogates: u32,
}

impl Default for FuseTask {
    fn default() -> Self {
        Self {
            of: 0,
            seed: 0,
            views: Vec::new(),
            n_genes: 300,
            n_components: 10,
            n_pairs: 3,
            ridge: 0.1,
            n_folds: 5,
            block_mm: None,
            buffer_mm: None,
            n_permutations: 499,
            n_surrogates: 499,
        }
    }
}

/// What a run would use, without running it.
#[derive(Clone, Debug)]
pub struct FusePreview {
    /// Spots or subjects.
    pub n: usize,
    /// Names of the views and their number of features.
    pub views: [(String, usize); 2],
    /// Names of the image features, of a section.
    pub features: Vec<String>,
    /// What the guards say beforehand.
    pub findings: Vec<Finding>,
}

impl FuseTask {
    pub(super) fn inputs(&self, study: &Study) -> BTreeSet<ElementId> {
        let of = ElementId(self.of);
        let mut inputs = BTreeSet::from([of]);
        if study.section(of).is_some() {
            inputs.extend(study.volumes().map(|(id, _)| id).chain(study.label_maps().map(|(id, _)| id)));
        }
        inputs
    }

    /// What a run would use. Errors say what is missing and what to do. Costs a pass over the spots.
    pub fn preview(&self, study: &Study) -> Result<FusePreview> {
        let of = ElementId(self.of);
        if study.cohort(of).is_some() {
            let views = self.cohort_views(study)?;
            let tables = views.tables();
            let n = views.present_in(&[0, 1]).len();
            let named = [0, 1].map(|v| (tables[v].name().to_owned(), tables[v].n_features()));
            let few = guard::n_against_features(n, named[0].1, named[1].1);
            return Ok(FusePreview { n, views: named, features: Vec::new(), findings: few.into_iter().collect() });
        }
        let (n, features) = section::preview(study, of)?;
        let few = guard::n_against_features(n, features.len(), self.n_components as usize);
        let views = [("image".to_owned(), features.len()), ("expression".to_owned(), self.n_components as usize)];
        Ok(FusePreview { n, views, features, findings: few.into_iter().collect() })
    }

    pub(super) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        if study.cohort(ElementId(self.of)).is_some() {
            self.of_cohort(study, progress)
        } else {
            self.of_section(study, progress)
        }
    }

    fn of_section(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let made = SectionViews::new(self, study, &progress.part(0.0, 0.5))?;
        let buffer_mm = self.buffer_mm.unwrap_or(made.range_mm.clamp(0.2, 2.0));
        let block_mm = self.block_mm.unwrap_or((2.0 * buffer_mm).max(1.0));
        let settings = self.cca(Holdout::Blocks { k: self.n_folds as usize, block_mm, buffer_mm });
        let joined = join_views(&made.views, Some(&made.points_mm), &settings, None, &progress.part(0.5, 1.0))?;
        let (result, mut findings) = accepted(joined)?;
        findings.extend(made.findings.iter().cloned());
        let mut list = made.settings.clone();
        list.push(("range of expression".into(), format!("{:.2} mm", made.range_mm)));
        list.extend(self.words(&result));
        let fields = fields(&result, &made.spots, made.n_spots);
        let mut fusion = result.fusion;
        made.genes_for_components(&mut fusion);
        Ok(Made {
            title: format!("Fusion of image and genes, {}", made.name),
            settings: list,
            sentence: result.sentence,
            findings,
            fields,
            result: AnalysisResult::Fusion(fusion),
        })
    }

    fn of_cohort(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let views = self.cohort_views(study)?;
        let settings = self.cca(Holdout::Folds(self.n_folds as usize));
        let joined = join_views(&views, None, &CcaSettings { n_surrogates: 0, ..settings }, None, progress)?;
        let (result, mut findings) = accepted(joined)?;
        findings.extend(batch_and_outcome(&views));
        Ok(Made {
            title: format!("Fusion of {}", self.views.join(" and ")),
            settings: self.words(&result),
            sentence: result.sentence,
            findings,
            fields: Vec::new(),
            result: AnalysisResult::Fusion(result.fusion),
        })
    }

    /// The two views, without subjects that are left out, grouped by patient.
    fn cohort_views(&self, study: &Study) -> Result<Views> {
        let of = ElementId(self.of);
        let cohort = study.cohort(of).ok_or_else(|| Error::parameter("the cohort is not open any more"))?;
        let [first, second] = self.views.as_slice() else { return Err(Error::parameter("Choose two views.")) };
        if first == second {
            return Err(Error::parameter("Choose two different views."));
        }
        let left_out = study.subjects_left_out(of);
        let names = [first.as_str(), second.as_str()];
        cohort.views_of(&names, |i| !left_out.contains_key(cohort.subjects()[i].id.as_str()))
    }

    fn cca(&self, holdout: Holdout) -> CcaSettings {
        CcaSettings {
            n_pairs: self.n_pairs as usize,
            ridge: self.ridge,
            scale: true,
            holdout,
            n_permutations: self.n_permutations as usize,
            n_surrogates: self.n_surrogates as usize,
            seed: self.seed,
        }
    }

    fn words(&self, result: &CcaResult) -> Vec<(String, String)> {
        let counts: Vec<String> = result.cases.features.iter().map(|f| f.len().to_string()).collect();
        [
            ("method", format!("canonical correlation of standardized features, ridge {}", self.ridge)),
            ("n", format!("{} with both views", result.fusion.n)),
            ("features", counts.join(" and ")),
            ("pairs", result.fusion.pairs.len().to_string()),
            ("held out", result.fusion.folds.clone()),
            ("nulls", result.fusion.nulls.join("; ")),
        ]
        .map(|(k, v)| (k.to_owned(), v))
        .to_vec()
    }
}

/// The result, or the refusal as an error that says why.
fn accepted(joined: Joined) -> Result<(CcaResult, Vec<Finding>)> {
    match joined.result {
        Some(result) => Ok((result, joined.findings)),
        None => {
            let why = joined.findings.first().map(|f| format!("{} {}", f.what, f.remedy)).unwrap_or_default();
            Err(Error::degenerate(format!("a guard refuses: {why}")))
        }
    }
}

/// Scores per spot and pair, of the image and of the genes.
fn fields(result: &CcaResult, spots: &[usize], n_spots: usize) -> Vec<Field> {
    let k = result.fusion.pairs.len();
    let one = |pair: usize, side: usize| {
        let mut values = vec![f32::NAN; n_spots];
        for (row, &sample) in result.cases.samples.iter().enumerate() {
            values[spots[sample]] = result.fusion.scores[side][row * k + pair] as f32;
        }
        let name = format!("Pair {} {}", pair + 1, ["image", "genes"][side]);
        Field { name, values: values.into(), unit: "score".into(), signed: true, range: None, categories: [].into() }
    };
    (0..k).flat_map(|pair| [one(pair, 0), one(pair, 1)]).collect()
}

/// Whether the batch of a cohort is its outcome.
fn batch_and_outcome(views: &Views) -> Option<Finding> {
    let words = |name: &str| {
        let column = views.covariates().get(name)?;
        Some(match column {
            Column::Category { codes, names } => {
                codes.iter().map(|&c| names.get(c as usize).cloned().unwrap_or_default()).collect::<Vec<_>>()
            }
            Column::Text(words) => words.clone(),
            Column::Number(values) => values.iter().map(|v| if v.is_nan() { String::new() } else { v.to_string() }).collect(),
        })
    };
    let outcome = match views.covariates().get("outcome")? {
        Column::Number(values) => Phenotype::Numbers(values.clone()),
        _ => Phenotype::Groups(words("outcome")?),
    };
    guard::batch_aliased(&words("batch")?, &outcome)
}
