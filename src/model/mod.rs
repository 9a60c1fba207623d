//! What is shown and analyzed, as plain values. Large arrays sit behind `Arc`, so a study is cheap
//! to clone and a job owns a snapshot.

mod analysis;
mod belonging;
mod cohort;
mod drawing;
mod exclusion;
mod expression;
mod finding;
mod fusion;
mod graph;
mod labels;
mod landmarks;
mod layer;
mod measures;
mod mend;
mod prediction;
mod predictor;
mod raster;
mod reduction;
mod registration;
mod section;
mod study;
mod views;
mod volume;

pub use analysis::{Analysis, AnalysisId, AnalysisResult, Field, Loadings};
pub use belonging::{Belonging, same_lattice};
pub use cohort::{
    Cohort, CohortParts, CohortView, Covariate, Item, ItemKind, ItemState, MissingPattern, NOT_LISTED, OUTCOME, Subject, Values,
    looks_personal,
};
pub use drawing::{Disc, Drawing, Shape};
pub use exclusion::{Excluded, Exclusion};
pub use expression::{Column, Expression};
pub use finding::Finding;
pub use fusion::{CanonicalPair, Fusion};
pub use graph::Graph;
pub use labels::{LabelEntry, LabelMap};
pub use landmarks::{Landmark, Landmarks};
pub use layer::{ColorMap, Layer, LayerKind, Range};
pub use measures::{MeasuredValue, Measures};
pub use mend::Mend;
pub use prediction::{GeneScore, Prediction};
pub use predictor::{Domain, ExpressionScale, Predictor, PredictorFeature, PredictorGene};
pub use raster::Raster;
pub use reduction::{GeneDispersion, Reduction};
pub use registration::{Fit, Mirror, PairError, Quality, Registration, TransformModel};
pub use section::{Picture, PictureLevel, PixelSize, Section, Spots};
pub use study::{Element, ElementId, Provenance, Study};
pub use views::{ViewTable, Views};
pub use volume::{Samples, Volume};
