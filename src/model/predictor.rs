//! A fitted model of expression from image features: plain numbers, enough to predict, to say how far each
//! prediction may be off, and to know what it has never seen.

use super::Expression;
use crate::base::{Error, Result};

/// What the numbers of a gene are before they are fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExpressionScale {
    /// As they are in the input.
    AsIs,
    /// `ln(1 + count)`, as in the HEST protocol.
    Log1p,
    /// `ln(1 + count · target / total of the spot)`.
    Log1pScaled {
        /// Sum of counts that every spot is scaled to.
        target: f64,
    },
}

impl ExpressionScale {
    /// As on a color bar.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::AsIs => "as given".into(),
            Self::Log1p => "log1p counts".into(),
            Self::Log1pScaled { target } => format!("log1p counts per {target:.0}"),
        }
    }

    /// Values of genes by number, one column each, in the order of the observations.
    #[must_use]
    pub fn columns(self, expression: &Expression, genes: &[usize]) -> Vec<Vec<f64>> {
        let factors: Vec<f64> = match self {
            Self::AsIs | Self::Log1p => vec![1.0; expression.observations().len()],
            Self::Log1pScaled { target } => expression.totals().iter().map(|t| if *t > 0.0 { target / t } else { 0.0 }).collect(),
        };
        let is_log = self != Self::AsIs;
        let value = |(v, f): (&f32, &f64)| if is_log { (f64::from(*v) * f).ln_1p() } else { f64::from(*v) };
        genes.iter().map(|&g| expression.dense(g).iter().zip(&factors).map(value).collect()).collect()
    }
}

/// One input of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictorFeature {
    /// With its unit, as `hematoxylin_mean_od`.
    pub name: String,
    /// Mean in training.
    pub mean: f64,
    /// What the centered feature is divided by.
    pub scale: f64,
}

/// One output of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictorGene {
    /// Name of the gene or score.
    pub name: String,
    /// Mean in training.
    pub intercept: f64,
    /// Root mean square of the held-out residuals.
    pub residual_sd: f64,
    /// Held-out correlation; `None` for a gene that did not vary.
    pub pearson: Option<f64>,
    /// The same for the model that knows only positions.
    pub position_pearson: Option<f64>,
}

/// Where the training samples lie in feature space. With `z` the scaled features and `C` their training
/// correlation, the distance is the larger of `zᵀ(C + shrinkage·I)⁻¹z` and `zᵀz`, each over its own limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Domain {
    /// Added to the diagonal of the correlations.
    pub shrinkage: f64,
    /// 99th percentile of the squared Mahalanobis distance of held-out training samples.
    pub mahalanobis_limit: f64,
    /// 99th percentile of their squared length.
    pub length_limit: f64,
    /// 99th percentile of the larger ratio: samples beyond it are outside.
    pub limit: f64,
}

/// A linear model of all genes.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictor {
    /// `ridge` or `hest`.
    pub method: String,
    /// Inputs, in order.
    pub features: Vec<PredictorFeature>,
    /// Outputs, in order.
    pub genes: Vec<PredictorGene>,
    /// Feature by gene, row-major, for scaled features.
    pub coefficients: Vec<f64>,
    /// Correlations of the scaled features in training, row-major.
    pub correlation: Vec<f64>,
    /// Penalty.
    pub alpha: f64,
    /// Number of training samples.
    pub n_train: usize,
    /// Mean leverage of held-out samples, which belongs to `residual_sd`.
    pub mean_leverage: f64,
    /// Where it may be trusted.
    pub domain: Domain,
    /// Side of the patches that its features were taken from, µm; `None` for features from a table.
    pub patch_um: Option<f64>,
    /// What the outputs are.
    pub expression: ExpressionScale,
}

impl Predictor {
    /// Everything that could be wrong in a model from elsewhere.
    pub fn check(&self) -> Result<()> {
        let (p, m) = (self.features.len(), self.genes.len());
        let wrong = |what: String| Err(Error::malformed(what));
        if p == 0 || m == 0 {
            return wrong(format!("a model of {p} features and {m} genes predicts nothing"));
        }
        if self.coefficients.len() != p * m || self.correlation.len() != p * p {
            let (c, r) = (self.coefficients.len(), self.correlation.len());
            return wrong(format!(
                "{p} features and {m} genes need {} coefficients and {} correlations, not {c} and {r}",
                p * m,
                p * p
            ));
        }
        let numbers = self.coefficients.iter().chain(&self.correlation);
        let features = self.features.iter().flat_map(|f| [&f.mean, &f.scale]);
        let genes = self.genes.iter().flat_map(|g| [&g.intercept, &g.residual_sd]);
        if numbers.chain(features).chain(genes).any(|v| !v.is_finite()) {
            return wrong("the model holds a number that is not finite".into());
        }
        if self.features.iter().any(|f| f.scale <= 0.0) || self.genes.iter().any(|g| g.residual_sd < 0.0) {
            return wrong("the model holds a scale that is not above 0".into());
        }
        let d = self.domain;
        let positive = [d.shrinkage, d.mahalanobis_limit, d.length_limit, d.limit, self.alpha];
        if positive.iter().any(|v| !v.is_finite() || *v < 0.0) || self.n_train < 2 || !self.mean_leverage.is_finite() {
            return wrong("the penalty, the number of training samples or the domain of the model is no sound number".into());
        }
        if self.patch_um.is_some_and(|um| !um.is_finite() || um <= 0.0) {
            return wrong("the patch size of the model is not above 0".into());
        }
        match self.expression {
            ExpressionScale::Log1pScaled { target } if !target.is_finite() || target <= 0.0 => {
                wrong("the sum that spots are scaled to is not above 0".into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_what_they_say() {
        let names = |p: &str, n: usize| (0..n).map(|i| format!("{p}{i}")).collect::<Vec<_>>();
        let e = Expression::from_rows(names("g", 2), vec![], names("s", 3), &[0, 2, 3, 3], &[0, 1, 0], &[3.0, 1.0, 8.0]).unwrap();
        assert_eq!(ExpressionScale::AsIs.columns(&e, &[0]), [[3.0, 8.0, 0.0]]);
        assert_eq!(ExpressionScale::Log1p.columns(&e, &[1]), [[2f64.ln(), 0.0, 0.0]]);
        let scaled = ExpressionScale::Log1pScaled { target: 8.0 };
        let wanted = [[7f64.ln(), 9f64.ln(), 0.0], [3f64.ln(), 0.0, 0.0]];
        for (got, want) in scaled.columns(&e, &[0, 1]).iter().flatten().zip(wanted.iter().flatten()) {
            assert!((got - want).abs() < 1e-15);
        }
        assert_eq!(scaled.words(), "log1p counts per 8");
    }
}
