//! Views joined by canonical correlation: pairs with what they are worth, weights, scores.

use super::Loadings;

/// Canonical correlation of two views.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fusion {
    /// Names of the views.
    pub views: Vec<String>,
    /// Samples with all views.
    pub n: usize,
    /// Samples that each view has.
    pub n_of_view: Vec<usize>,
    /// The pairs, strongest first.
    pub pairs: Vec<CanonicalPair>,
    /// Weights of the centered, unscaled features, per view.
    pub weights: Vec<Loadings>,
    /// Correlation of each feature with the scores of its own view; NaN where it was not used.
    pub correlations: Vec<Loadings>,
    /// Samples with all views, by name.
    pub ids: Vec<String>,
    /// Scores of those samples, per view: samples × pairs, row by row.
    pub scores: Vec<Vec<f64>>,
    /// How held-out samples were chosen, as `5 spatial blocks of 2 mm, buffer 0.6 mm`.
    pub folds: String,
    /// Names of the nulls with the number of draws, as `Moran spectral randomization, 999`.
    pub nulls: Vec<String>,
}

/// One canonical pair and its evidence. Correlations are of the scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CanonicalPair {
    /// In the samples that it was fitted to.
    pub train: f64,
    /// In samples that it was not fitted to.
    pub held_out: Option<f64>,
    /// Under permutation of samples (of patients where there are some).
    pub permutation_p: Option<f64>,
    /// Under surrogates with the same spatial autocorrelation.
    pub surrogate_p: Option<f64>,
}
