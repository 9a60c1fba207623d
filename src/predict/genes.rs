//! Which genes are worth predicting.

use crate::base::{Error, Progress, Result};
use crate::model::{ExpressionScale, Section};
use crate::stats::quantile_of;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A gene must be seen in so many of the spots on tissue.
const LEAST_SEEN: f64 = 0.05;

/// The `n` genes, of those that all sections have, with the largest variance of log1p counts scaled to the median
/// total beyond what counting alone makes (the mean of `1 / (1 + scaled mean)`), averaged over sections.
pub fn most_variable(sections: &[&Section], n: usize, progress: &Progress) -> Result<Vec<String>> {
    let mut sums: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for section in sections {
        let Some(expression) = &section.expression else {
            return Err(Error::parameter(format!("{} has no expression", section.name)));
        };
        let totals = expression.totals();
        let on_tissue = |i: usize| section.spots.as_ref().is_none_or(|s| s.in_tissue[i]) && totals[i] > 0.0;
        let rows: Vec<usize> = (0..totals.len()).filter(|&i| on_tissue(i)).collect();
        let target = quantile_of(&rows.iter().map(|&i| totals[i]).collect::<Vec<_>>(), 0.5);
        let scale = if expression.unit == "counts" { ExpressionScale::Log1pScaled { target } } else { ExpressionScale::AsIs };
        let excess: Vec<Option<f64>> = (0..expression.genes().len())
            .into_par_iter()
            .map(|g| {
                progress.step(0.5, "variable genes")?;
                let column = scale.columns(expression, &[g]).pop().unwrap_or_default();
                let values: Vec<f64> = rows.iter().map(|&i| column[i]).collect();
                let seen = values.iter().filter(|v| **v > 0.0).count() as f64;
                let k = values.len() as f64;
                let mean = values.iter().sum::<f64>() / k;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / k;
                // A count of mean m has variance m, and its log1p about m / (1 + m)².
                let m = mean.exp_m1();
                let counting = if scale == ExpressionScale::AsIs { 0.0 } else { m / (1.0 + m).powi(2) };
                Ok((seen >= LEAST_SEEN * k && variance > 0.0).then_some(variance - counting))
            })
            .collect::<Result<_>>()?;
        for (name, excess) in expression.genes().iter().zip(excess) {
            if let Some(excess) = excess {
                let sum = sums.entry(name.clone()).or_default();
                *sum = (sum.0 + excess, sum.1 + 1);
            }
        }
    }
    let mut ranked: Vec<(f64, String)> =
        sums.into_iter().filter(|(_, (_, k))| *k == sections.len()).map(|(name, (sum, _))| (sum, name)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    if ranked.is_empty() {
        return Err(Error::degenerate("no gene varies and is seen in one spot of twenty in every section"));
    }
    Ok(ranked.into_iter().take(n).map(|r| r.1).collect())
}
