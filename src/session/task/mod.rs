//! Background work that ends in an [`Analysis`]: one variant of [`Task`] per method, with its settings and
//! seed. A task runs on a snapshot of the study; what it used is kept in its [`Recipe`], so that the
//! journal can make the same numbers again.
//!
//! A method's file here holds its settings, which elements it uses, and the call of the method: the room of
//! the method knows no study, so values are taken from the snapshot here and handed down.

mod fuse;
mod genes;
mod measure;
mod predict;
mod reduce;

pub use fuse::{FusePreview, FuseTask};
pub use genes::{
    ClusterTask, DeconvolveTask, EmbedTask, GraphRecord, ScoreTask, SetRecord, SignatureRecord, SpatialGenesTask, ValuesRecord,
};
pub use measure::{Body, EchoPoints, MeasureTask, MeasureWhat, RadiomicsChoice, ScarChoice, echo_view, label_of_region};
pub use predict::PredictTask;
pub use reduce::{FlavorRecord, ReduceTask};

use crate::base::{Error, Progress, Result};
use crate::io::project::digest_input;
use crate::io::record::{ExclusionRecord, RegistrationRecord};
use crate::model::{Analysis, AnalysisResult, ElementId, Field, Finding, Study};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A method with its settings. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Task {
    /// Normalization, variable genes, principal components of a section.
    Reduce(ReduceTask),
    /// Canonical correlation of two views.
    Fuse(Box<FuseTask>),
    /// Genes predicted from histology.
    Predict(Box<PredictTask>),
    /// Numbers of the heart from a segmentation.
    Measure(Box<MeasureTask>),
    /// Clusters of spots by their components.
    Cluster(Box<ClusterTask>),
    /// Moran's I and Geary's C of all genes.
    SpatialGenes(Box<SpatialGenesTask>),
    /// Scores of gene sets.
    Score(Box<ScoreTask>),
    /// Fractions of cell types.
    Deconvolve(Box<DeconvolveTask>),
    /// A map of spots by their components.
    Embed(Box<EmbedTask>),
}

/// What a method's file gives; the rest of the [`Analysis`] is filled in here.
#[derive(Debug)]
pub struct Made {
    /// As `PCA of Short-axis section`.
    pub title: String,
    /// Settings by name as people read them, in order.
    pub settings: Vec<(String, String)>,
    /// What the numbers allow to say.
    pub sentence: String,
    /// What the guards found.
    pub findings: Vec<Finding>,
    /// Values per spot; names are made different from those that are there.
    pub fields: Vec<Field>,
    /// The numbers.
    pub result: AnalysisResult,
}

impl Task {
    /// The section, cohort or segmentation that it is about.
    #[must_use]
    pub fn of(&self) -> ElementId {
        ElementId(match self {
            Self::Reduce(t) => t.section,
            Self::Fuse(t) => t.of,
            Self::Predict(t) => t.section,
            Self::Measure(t) => t.labels,
            Self::Cluster(t) => t.reduce.section,
            Self::SpatialGenes(t) => t.section,
            Self::Score(t) => t.section,
            Self::Deconvolve(t) => t.section,
            Self::Embed(t) => t.reduce.section,
        })
    }

    /// Its seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match self {
            Self::Reduce(t) => t.seed,
            Self::Fuse(t) => t.seed,
            Self::Predict(t) => t.seed,
            Self::Cluster(t) => t.reduce.seed,
            Self::SpatialGenes(t) => t.seed,
            Self::Embed(t) => t.reduce.seed,
            // Nothing random.
            Self::Measure(_) | Self::Score(_) | Self::Deconvolve(_) => 0,
        }
    }

    /// The slot of its job: a new run takes the place of a running one of the same kind.
    #[must_use]
    pub fn slot(&self) -> &'static str {
        match self {
            Self::Reduce(_) => "reduce",
            Self::Fuse(_) => "fuse",
            Self::Predict(_) => "predict",
            Self::Measure(_) => "measure",
            Self::Cluster(_) => "cluster",
            Self::SpatialGenes(_) => "spatial genes",
            Self::Score(_) => "score",
            Self::Deconvolve(_) => "deconvolve",
            Self::Embed(_) => "embed",
        }
    }

    /// What the job is called while it runs.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Reduce(_) => "Reducing genes to components",
            Self::Fuse(_) => "Joining views",
            Self::Predict(_) => "Predicting genes from histology",
            Self::Measure(_) => "Measuring the heart",
            Self::Cluster(_) => "Finding clusters",
            Self::SpatialGenes(_) => "Comparing neighbors",
            Self::Score(_) => "Scoring gene sets",
            Self::Deconvolve(_) => "Fitting cell types",
            Self::Embed(_) => "Arranging spots",
        }
    }

    /// The elements whose values it reads.
    fn inputs(&self, study: &Study) -> BTreeSet<ElementId> {
        match self {
            Self::Reduce(t) => t.inputs(),
            Self::Fuse(t) => t.inputs(study),
            Self::Predict(t) => t.inputs(),
            Self::Measure(t) => t.inputs(),
            Self::Cluster(_) | Self::SpatialGenes(_) | Self::Score(_) | Self::Deconvolve(_) | Self::Embed(_) => {
                BTreeSet::from([self.of()])
            }
        }
    }

    fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        match self {
            Self::Reduce(t) => t.make(study, progress),
            Self::Fuse(t) => t.make(study, progress),
            Self::Predict(t) => t.make(study, progress),
            Self::Measure(t) => t.make(study, progress),
            Self::Cluster(t) => t.make(study, progress),
            Self::SpatialGenes(t) => t.make(study, progress),
            Self::Score(t) => t.make(study, progress),
            Self::Deconvolve(t) => t.make(study, progress),
            Self::Embed(t) => t.make(study, progress),
        }
    }

    /// Runs the method on a snapshot. Results depend on the study, the settings and the seed only.
    pub fn run(&self, study: &Study, progress: &Progress) -> Result<Analysis> {
        if !study.elements.contains_key(&self.of()) {
            return Err(Error::parameter("what the analysis is about is not open any more"));
        }
        let recipe = Recipe::new(self, study);
        let inputs = digests(&self.inputs(study), study, &progress.part(0.0, 0.1))?;
        let made = self.make(study, &progress.part(0.1, 1.0))?;
        let mut fields = made.fields;
        make_different(&mut fields, study, self.of());
        Ok(Analysis {
            of: self.of(),
            title: made.title,
            settings: made.settings,
            seed: self.seed(),
            inputs,
            sentence: made.sentence,
            findings: made.findings,
            fields,
            result: made.result,
            recipe: recipe.text(),
        })
    }
}

/// Names that are taken on the section, by fields, genes or columns, get a number.
fn make_different(fields: &mut [Field], study: &Study, section: ElementId) {
    let mut taken: BTreeSet<String> = study.fields(section).map(|f| f.name.clone()).collect();
    let expression = study.section(section).and_then(|s| s.expression.as_ref());
    let is_other = |name: &str| expression.is_some_and(|e| e.find_gene(name).is_some() || e.columns.contains_key(name));
    for field in fields {
        let plain = field.name.clone();
        let mut n = 2;
        while is_other(&field.name) || !taken.insert(field.name.clone()) {
            field.name = format!("{plain} ({n})");
            n += 1;
        }
    }
}

/// Names and SHA-256 of the inputs; a built-in case is told by its seed.
pub(in crate::session) fn digests(
    inputs: &BTreeSet<ElementId>,
    study: &Study,
    progress: &Progress,
) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for (i, id) in inputs.iter().enumerate() {
        let name = study.elements.get(id).map_or_else(String::new, |e| e.name().to_owned());
        let Some(provenance) = study.provenance.get(id) else { continue };
        let part = progress.part(i as f64 / inputs.len() as f64, (i + 1) as f64 / inputs.len() as f64);
        let digest = match (&provenance.path, provenance.demo_seed) {
            (Some(path), _) => format!("sha256 {}", digest_input(path, &part)?.1),
            (None, Some(seed)) => format!("built-in case, seed {seed}"),
            (None, None) => continue,
        };
        all.push((name, digest));
    }
    Ok(all)
}

/// How an analysis is made again: the task, and what it used of the study that may have changed since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Method, settings, seed.
    pub task: Task,
    /// The registration that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<RegistrationRecord>,
    /// What was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<ExclusionRecord>,
}

impl Recipe {
    fn new(task: &Task, study: &Study) -> Self {
        Self {
            task: task.clone(),
            registration: study.registrations.get(&task.of()).map(RegistrationRecord::from),
            exclusions: study.exclusions.iter().map(ExclusionRecord::from).collect(),
        }
    }

    fn text(&self) -> String {
        // A recipe is made of plain values, which have a text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The recipe that an analysis keeps.
    #[must_use]
    pub fn of(analysis: &Analysis) -> Option<Self> {
        serde_json::from_str(&analysis.recipe).ok()
    }
}

/// Makes the analysis of a recipe again, with the registration and exclusions of then.
pub fn remake(recipe: &Recipe, study: &Study, progress: &Progress) -> Result<Analysis> {
    let mut then = study.clone();
    let section = recipe.task.of();
    match &recipe.registration {
        Some(record) => {
            let mut registration = record.to_registration()?;
            super::register_edit::refit(&mut registration);
            then.registrations.insert(section, registration);
        }
        None => {
            then.registrations.remove(&section);
        }
    }
    then.exclusions = recipe.exclusions.iter().map(ExclusionRecord::to_exclusion).collect();
    recipe.task.run(&then, progress)
}
