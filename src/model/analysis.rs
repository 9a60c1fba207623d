//! Results of analyses that a study keeps, as plain values: what was done with which settings, seed and
//! inputs, what the numbers allow to say, and values per spot that can be painted like a gene.

use super::{
    CellTypes, Clustering, ElementId, Finding, Fusion, Measures, Prediction, Range, Reduction, SetScores, SpatialGenes, SpotMap,
};
use std::sync::Arc;

/// Number of an analysis; from the same counter as the elements of its study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnalysisId(pub u64);

/// One value per spot of a section, painted like a gene.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// As `PC1`; different from all other fields of the section.
    pub name: String,
    /// In the order of the spots; NaN where there is no value.
    pub values: Arc<[f32]>,
    /// What the numbers are, as `score` or `log1p CP10k`; the first part of the color bar's rule.
    pub unit: String,
    /// Centered on 0 and painted with a diverging color map.
    pub signed: bool,
    /// Limits shared with other fields, as of predicted and observed values; `None` follows the values.
    pub range: Option<Range>,
    /// Names of the values 0, 1, … where they are categories, else empty.
    pub categories: Arc<[String]>,
}

/// What a method found.
#[derive(Clone, Debug, PartialEq)]
pub enum AnalysisResult {
    /// Genes as a few numbers.
    Reduction(Reduction),
    /// Views joined.
    Fusion(Fusion),
    /// Expression predicted from images.
    Prediction(Prediction),
    /// Numbers of the heart.
    Measures(Measures),
    /// Spots in clusters.
    Clusters(Clustering),
    /// Genes that vary over a section.
    SpatialGenes(SpatialGenes),
    /// Scores of gene sets.
    Sets(SetScores),
    /// Fractions of cell types.
    CellTypes(CellTypes),
    /// A map of spots.
    Map(SpotMap),
}

/// One analysis with everything needed to trust it, to show it and to make it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The section, cohort or segmentation that it is about.
    pub of: ElementId,
    /// As `PCA of Short-axis section`.
    pub title: String,
    /// Settings by name as people read them, in order.
    pub settings: Vec<(String, String)>,
    /// Seed of everything random in it.
    pub seed: u64,
    /// Inputs by name with the SHA-256 of their files, or the seed of the built-in case.
    pub inputs: Vec<(String, String)>,
    /// What the numbers allow to say.
    pub sentence: String,
    /// What the guards found.
    pub findings: Vec<Finding>,
    /// Values per spot.
    pub fields: Vec<Field>,
    /// The numbers.
    pub result: AnalysisResult,
    /// How to make it again: the journal's record, opaque here.
    pub recipe: String,
}

/// Weights of features, one column per component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loadings {
    /// Names of the features.
    pub features: Vec<String>,
    /// Number of components.
    pub n_components: usize,
    /// Features × components, row by row.
    pub values: Vec<f64>,
}

impl Loadings {
    /// The weights of a component, in the order of the features; empty where there is no such component.
    #[must_use]
    pub fn component(&self, component: usize) -> Vec<f64> {
        if component >= self.n_components {
            return Vec::new();
        }
        self.values.iter().skip(component).step_by(self.n_components).copied().collect()
    }
}
