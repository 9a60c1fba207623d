//! Genes as a few numbers: principal components of a section.

use super::Loadings;

/// Principal components of normalized expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reduction {
    /// Variance of each component (n − 1 in the denominator), largest first.
    pub variance: Vec<f64>,
    /// Its share of the total variance of the genes used.
    pub variance_ratio: Vec<f64>,
    /// Weights of the genes used.
    pub loadings: Loadings,
    /// All genes with what made them variable or not.
    pub genes: Vec<GeneDispersion>,
    /// Number of spots used.
    pub n_spots: usize,
}

/// How variable a gene is.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneDispersion {
    /// The gene.
    pub gene: String,
    /// Mean, on the scale of the flavor.
    pub mean: f64,
    /// Normalized dispersion; NaN where the flavor gives none.
    pub dispersion: f64,
    /// Whether it was used.
    pub variable: bool,
}
