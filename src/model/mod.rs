//! What is shown and analyzed, as plain values. Large arrays sit behind `Arc`, so a study is cheap
//! to clone and a job owns a snapshot.

mod analysis;
mod belonging;
mod cohort;
mod contours;
mod drawing;
mod ecg;
mod exclusion;
mod expression;
mod figure;
mod finding;
mod fusion;
mod gene_names;
mod gene_steps;
mod graph;
mod label_edit;
mod labels;
mod landmarks;
mod layer;
mod measures;
mod mend;
mod prediction;
mod predictor;
mod raster;
mod reduction;
mod region;
mod registration;
mod section;
mod segmenter;
mod spot_region;
mod study;
mod surface;
mod value_facts;
mod views;
mod volume;

pub use analysis::{Analysis, AnalysisId, AnalysisResult, Field, Loadings};
pub use belonging::{Belonging, same_lattice};
pub use cohort::{
    Cohort, CohortParts, CohortView, Covariate, Item, ItemKind, ItemState, MissingPattern, NOT_LISTED, OUTCOME, Subject, Values,
    looks_personal,
};
pub use contours::{Border, Contour, ContourSpace, Contours, ImageName, ImagePlace, SeriesIds};
pub use drawing::{Disc, Drawing, Shape};
pub use ecg::{Ecg, EcgLead, EcgStrip};
pub use exclusion::{Excluded, Exclusion};
pub use expression::{Column, Expression};
pub use figure::{Figure, FigureKind};
pub use finding::Finding;
pub use fusion::{CanonicalPair, Fusion};
pub use gene_names::{Duplicates, without_version};
pub use gene_steps::{CellType, CellTypes, Clustering, SetScore, SetScores, SpatialGene, SpatialGenes, SpatialNumbers, SpotMap};
pub use graph::Graph;
pub use label_edit::{LabelEdit, LabelRun, LabelTable};
pub use labels::{LabelEntry, LabelMap};
pub use landmarks::{Landmark, Landmarks};
pub use layer::{ColorMap, Layer, LayerKind, Range};
pub use measures::{MeasuredValue, Measures};
pub use mend::Mend;
pub use prediction::{GeneScore, Prediction};
pub use predictor::{Domain, ExpressionScale, Predictor, PredictorFeature, PredictorGene};
pub use raster::Raster;
pub use reduction::{GeneDispersion, Reduction};
pub use region::{Polygon, Region};
pub use registration::{Fit, Mirror, PairError, Quality, Registration, TransformModel};
pub use section::{Picture, PictureLevel, PixelSize, Section, Spots};
pub use segmenter::{ClassRule, Layout, Normalize, Segmenter};
pub use spot_region::SpotRegion;
pub use study::{Element, ElementId, Provenance, Study};
pub use surface::Surface;
pub use value_facts::ValueFacts;
pub use views::{ViewTable, Views};
pub use volume::{Samples, Volume};
