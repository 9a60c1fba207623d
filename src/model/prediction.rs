//! Expression predicted from images: how well each gene is predicted where it was held out.

/// A model from image features to genes, as good as held-out places show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// One per gene, in the order asked.
    pub genes: Vec<GeneScore>,
    /// Names of the image features.
    pub features: Vec<String>,
    /// Number of spots used.
    pub n_spots: usize,
    /// How held-out spots were chosen, as `5 spatial blocks of 2 mm, buffer 0.6 mm`.
    pub folds: String,
    /// Ridge penalty per fold.
    pub alpha: Vec<f64>,
    /// Side of the held-out blocks, mm.
    pub block_mm: f64,
    /// Width of the buffer around them, mm.
    pub buffer_mm: f64,
    /// Distance beyond which expression no longer goes together, mm; 0 where it never does.
    pub range_mm: f64,
}

/// Held-out scores of a gene beside its baselines. `None` where it is constant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneScore {
    /// The gene.
    pub gene: String,
    /// Pearson correlation of predicted and observed.
    pub pearson: Option<f64>,
    /// Spearman correlation.
    pub spearman: Option<f64>,
    /// Pearson correlation of a model that knows only where a spot is.
    pub spatial_only: Option<f64>,
    /// Pearson correlation of the training mean; below 0 by construction.
    pub mean_map: Option<f64>,
    /// `1 − squared error / squared error of the training mean`.
    pub r2: Option<f64>,
    /// Variance of predicted over observed.
    pub variance_ratio: Option<f64>,
    /// Moran's I of predicted over observed.
    pub moran_ratio: Option<f64>,
    /// Share of the observed values in their 90 % interval.
    pub coverage_90: Option<f64>,
}

impl GeneScore {
    /// Names of the maps that are painted for a gene: predicted, observed, residual.
    #[must_use]
    pub fn map_names(gene: &str) -> [String; 3] {
        ["predicted", "observed", "residual"].map(|what| format!("{gene} {what}"))
    }
}
