//! Expression from images: patch features, models, and how far they can be trusted.

mod apply;
mod cross;
mod domain;
mod features;
mod fit;
mod folds;
mod genes;
mod position;
mod prepare;
mod score;
#[cfg(feature = "onnx")]
mod segment;
mod suggest;
mod texture;
mod training;
mod verdict;

#[cfg(test)]
mod tests;

pub use apply::{Predicted, apply};
pub use cross::{CrossFit, Method, Penalty, cross_fit};
pub use features::{DEFAULT_PATCH_UM, FEATURE_NAMES, LEAST_TISSUE, PatchFeatures, known_um_per_px, patch_features};
pub use fit::{FitSettings, Fitted, FoldReport, GeneReport, fit};
pub use folds::{Split, make_folds};
pub use genes::most_variable;
pub use prepare::{Prepared, ScaleChoice, prepare};
pub use score::{Graph, INTERVAL_90, Score, score};
#[cfg(feature = "onnx")]
pub use segment::{Segmented, segment};
pub use suggest::{Sizes, suggest};
pub use training::{Fold, Place, Training};
pub use verdict::{Facts, is_shown};
