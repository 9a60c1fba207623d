//! Where neighbors resemble each other, and which pairs of genes do together: local Moran's I and Lee's L.

use super::graph::SpatialGraph;
use crate::base::{Error, Progress, Result};
use crate::stats::{Stream, normal_upper};
use rayon::prelude::*;

/// Local Moran's I of one spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalMoran {
    /// (n − 1)·zᵢ·Σⱼ wᵢⱼ·zⱼ / Σ z².
    pub i: f64,
    /// Distance from its expectation in standard deviations under randomization; NaN without neighbors.
    pub z: f64,
    /// Two-sided, from z.
    pub p: f64,
}

/// Values less their mean and the sum of their squares; [`Error::Degenerate`] where all are one.
fn centered(values: &[f64]) -> Result<(Vec<f64>, f64)> {
    if !values.iter().all(|v| v.is_finite()) {
        return Err(Error::degenerate("a value is not a number; spatial statistics need one for every spot"));
    }
    if values.len() < 2 || values.iter().all(|v| *v == values[0]) {
        return Err(Error::degenerate("all values are equal, so there is nothing that neighbors could share"));
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let z: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let squares = z.iter().map(|v| v * v).sum();
    Ok((z, squares))
}

fn same_spots(graph: &SpatialGraph, values: &[f64]) -> Result<()> {
    if graph.n_spots() == values.len() {
        return Ok(());
    }
    Err(Error::parameter(format!("a graph of {} spots for {} values", graph.n_spots(), values.len())))
}

/// Local Moran's I of each spot (Anselin, 1995) in the scaling by n − 1, with moments under randomization.
/// [`Error::Degenerate`] for values that are all equal or not finite. One look at each edge.
pub fn local_moran(graph: &SpatialGraph, values: &[f64]) -> Result<Vec<LocalMoran>> {
    same_spots(graph, values)?;
    let (z, squares) = centered(values)?;
    let n = z.len() as f64;
    let b = n * z.iter().map(|v| v.powi(4)).sum::<f64>() / (squares * squares);
    let scale = (n - 1.0) / n;
    let lag = graph.lag(&z);
    let one = |i: usize| {
        let weights = graph.row(i).1;
        let (sum, own) = (weights.iter().sum::<f64>(), weights.iter().map(|w| w * w).sum::<f64>());
        let variance =
            own * (n - b) / (n - 1.0) + (sum * sum - own) * (2.0 * b - n) / ((n - 1.0) * (n - 2.0)) - (sum / (n - 1.0)).powi(2);
        let found = (n - 1.0) * z[i] * lag[i] / squares;
        let sd = if n > 3.0 && variance > 0.0 && sum > 0.0 { variance.sqrt() * scale } else { f64::NAN };
        let score = (found + sum / (n - 1.0) * scale) / sd;
        LocalMoran { i: found, z: score, p: (2.0 * normal_upper(score.abs())).min(1.0) }
    };
    Ok((0..z.len()).map(one).collect())
}

/// Lee's L of two maps and its p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lee {
    /// Spatial cross-correlation: the covariance of the neighborhoods' means beside the spreads of the values.
    pub l: f64,
    /// Share of permutations (of the spots, both maps alike) at least as far from their mean, two-sided, the
    /// observed one included; `None` without permutations.
    pub p: Option<f64>,
}

/// Lee's L (Lee, 2001) of two maps: n / Σᵢ(Σⱼ wᵢⱼ)² · Σᵢ lag xᵢ · lag yᵢ / √(Σ x² Σ y²), x and y centered.
/// [`Error::Degenerate`] where a map is constant or no spot has a neighbor. Costs a look at each edge and map,
/// times the permutations.
pub fn lee(graph: &SpatialGraph, maps: [&[f64]; 2], n_permutations: usize, seed: u64, progress: &Progress) -> Result<Lee> {
    maps.iter().try_for_each(|m| same_spots(graph, m))?;
    let ((x, xx), (y, yy)) = (centered(maps[0])?, centered(maps[1])?);
    let n = graph.n_spots();
    let sums: f64 = (0..n).map(|i| graph.row(i).1.iter().sum::<f64>().powi(2)).sum();
    if sums == 0.0 {
        return Err(Error::degenerate("no spot has a neighbor; take a larger radius or another kind of graph"));
    }
    let of = |x: &[f64], y: &[f64]| {
        let products: f64 = graph.lag(x).iter().zip(graph.lag(y)).map(|(a, b)| a * b).sum();
        n as f64 / sums * products / (xx.sqrt() * yy.sqrt())
    };
    let l = of(&x, &y);
    let permuted = (0..n_permutations).into_par_iter().map(|k| {
        progress.step(k as f64 / n_permutations as f64, "shuffling spots")?;
        let order = Stream::new(seed, k as u64).permutation(n);
        let moved = |v: &[f64]| order.iter().map(|i| v[*i]).collect::<Vec<f64>>();
        Ok(of(&moved(&x), &moved(&y)))
    });
    let permuted: Vec<f64> = permuted.collect::<Result<_>>()?;
    let mean = permuted.iter().sum::<f64>() / permuted.len() as f64;
    let n_beyond = permuted.iter().filter(|p| (*p - mean).abs() >= (l - mean).abs() * (1.0 - 1e-12)).count();
    let p = (n_permutations > 0).then(|| (n_beyond + 1) as f64 / (n_permutations + 1) as f64);
    Ok(Lee { l, p })
}
