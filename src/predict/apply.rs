//! Predictions of a fitted model for new samples, with what may be expected of each.

use super::domain::{Metric, distance};
use crate::base::{Error, Progress, Result};
use crate::model::Predictor;
use crate::stats::dot;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Predictions for samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predicted {
    /// Values, gene by gene; NaN for a sample without features.
    pub values: Vec<Vec<f64>>,
    /// Standard deviation of each: the held-out residuals of the gene, wider where the sample depends more on
    /// the fit (the posterior variance of ridge regression).
    pub standard_deviations: Vec<Vec<f64>>,
    /// Whether a sample is within the domain of the training samples.
    pub in_domain: Vec<bool>,
    /// Its distance; 1 is the limit.
    pub distance: Vec<f64>,
}

/// Predicts all genes for features given column by column, in the order of the model. Cost: samples · features
/// · (features + genes).
pub fn apply(model: &Predictor, x: &[Vec<f64>], progress: &Progress) -> Result<Predicted> {
    model.check()?;
    let (p, m) = (model.features.len(), model.genes.len());
    let n = x.first().map_or(0, Vec::len);
    if x.len() != p || x.iter().any(|c| c.len() != n) {
        return Err(Error::parameter(format!("the model needs {p} features of {n} samples, not {}", x.len())));
    }
    let n_train = model.n_train as f64;
    let shape = Metric::new(p, &model.correlation, model.domain.shrinkage)?;
    // (ZᵀZ + αI)⁻¹ is the inverse of the correlations with α/n on the diagonal, over n.
    let posterior = Metric::new(p, &model.correlation, model.alpha / n_train + 1e-12)?;
    let columns: Vec<Vec<f64>> = (0..m).map(|g| (0..p).map(|j| model.coefficients[j * m + g]).collect()).collect();
    let done = AtomicUsize::new(0);
    let rows: Vec<Option<Row>> = (0..n)
        .into_par_iter()
        .map(|i| {
            progress.step(done.fetch_add(1, Ordering::Relaxed) as f64 / n as f64, "predicting")?;
            let z: Vec<f64> = (0..p).map(|j| (x[j][i] - model.features[j].mean) / model.features[j].scale).collect();
            if z.iter().any(|v| !v.is_finite()) {
                return Ok(None);
            }
            let values = columns.iter().zip(&model.genes).map(|(b, gene)| gene.intercept + dot(&z, b)).collect();
            let leverage = 1.0 / n_train + posterior.distances(&z)[0] / n_train;
            let widen = ((1.0 + leverage) / (1.0 + model.mean_leverage)).sqrt();
            Ok(Some(Row { values, widen, distance: distance(&model.domain, shape.distances(&z)) / model.domain.limit }))
        })
        .collect::<Result<_>>()?;
    let gene = |g: usize| rows.iter().map(|r| r.as_ref().map_or(f64::NAN, |r| r.values[g])).collect();
    let sd = |g: usize| rows.iter().map(|r| r.as_ref().map_or(f64::NAN, |r| r.widen * model.genes[g].residual_sd)).collect();
    Ok(Predicted {
        values: (0..m).map(gene).collect(),
        standard_deviations: (0..m).map(sd).collect(),
        in_domain: rows.iter().map(|r| r.as_ref().is_some_and(|r| r.distance <= 1.0)).collect(),
        distance: rows.iter().map(|r| r.as_ref().map_or(f64::NAN, |r| r.distance)).collect(),
    })
}

struct Row {
    values: Vec<f64>,
    widen: f64,
    distance: f64,
}
