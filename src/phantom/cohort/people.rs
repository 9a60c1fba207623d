//! The sixty patients before anything is measured: hidden factors, age, laboratory run, outcome, and which
//! views each of them has.

use super::features::N_FACTORS;
use crate::stats::Stream;

/// Streams of this file begin here.
const STREAM: u64 = 20_000;

/// Coefficients of the logistic outcome: intercept, one per factor, per decade of age over 60.
pub(super) const OUTCOME: (f64, [f64; N_FACTORS], f64) = (-0.35, [1.3, 0.7, 0.0, 0.0], 0.3);

/// Probability that a view is missing: `logistic(intercept + per_severity · remodeling)`.
pub(super) const MISSING: [(&str, f64, f64); 4] =
    [("phenotypes", -3.2, 0.0), ("bulk", -1.3, -0.9), ("single_cell", -0.8, -0.9), ("protein", -2.0, 0.0)];

pub(super) struct People {
    /// Of mean 0 and variance 1 over the patients, without correlation.
    pub factors: Vec<[f64; N_FACTORS]>,
    pub age: Vec<f64>,
    pub is_female: Vec<bool>,
    pub site: Vec<usize>,
    /// Whether the laboratory measured them in its second run.
    pub is_batch_b: Vec<bool>,
    pub probability: Vec<f64>,
    pub outcome: Vec<bool>,
    /// By view in the order of [`MISSING`].
    pub has: Vec<[bool; MISSING.len()]>,
}

pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl People {
    pub fn of_seed(seed: u64, n: usize) -> Self {
        let factors = factors(seed, n);
        let s = &mut Stream::new(seed, STREAM + 10);
        let age: Vec<f64> = (0..n).map(|_| (61.0 + 9.0 * s.normal()).clamp(35.0, 85.0).round()).collect();
        let is_female = (0..n).map(|_| s.uniform() < 0.4).collect();
        let site = (0..n).map(|_| (s.uniform() * 3.0) as usize).collect();
        let is_batch_b = halves(&mut Stream::new(seed, STREAM + 11), n);
        let (intercept, weights, per_decade) = OUTCOME;
        let logit = |i: usize| {
            let along: f64 = weights.iter().zip(&factors[i]).map(|(w, f)| w * f).sum();
            intercept + along + per_decade * (age[i] - 60.0) / 10.0
        };
        let probability: Vec<f64> = (0..n).map(|i| logistic(logit(i))).collect();
        let s = &mut Stream::new(seed, STREAM + 12);
        let outcome = probability.iter().map(|p| s.uniform() < *p).collect();
        let has = presence(seed, &factors);
        Self { factors, age, is_female, site, is_batch_b, probability, outcome, has }
    }
}

/// Half of the patients, drawn without regard to anything else.
fn halves(s: &mut Stream, n: usize) -> Vec<bool> {
    let mut order: Vec<(f64, usize)> = (0..n).map(|i| (s.uniform(), i)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut second = vec![false; n];
    order.iter().take(n / 2).for_each(|&(_, i)| second[i] = true);
    second
}

/// Normal numbers made uncorrelated over the patients (Gram and Schmidt), mean 0, variance 1.
fn factors(seed: u64, n: usize) -> Vec<[f64; N_FACTORS]> {
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for k in 0..N_FACTORS {
        let s = &mut Stream::new(seed, STREAM + k as u64);
        let mut column: Vec<f64> = (0..n).map(|_| s.normal()).collect();
        let mean = column.iter().sum::<f64>() / n as f64;
        column.iter_mut().for_each(|v| *v -= mean);
        for earlier in &columns {
            let along = column.iter().zip(earlier).map(|(a, b)| a * b).sum::<f64>() / n as f64;
            column.iter_mut().zip(earlier).for_each(|(v, e)| *v -= along * e);
        }
        let sd = (column.iter().map(|v| v * v).sum::<f64>() / n as f64).sqrt();
        column.iter_mut().for_each(|v| *v /= sd.max(1e-9));
        columns.push(column);
    }
    (0..n).map(|i| std::array::from_fn(|k| columns[k][i])).collect()
}

/// Which views each patient has; at least one.
fn presence(seed: u64, factors: &[[f64; N_FACTORS]]) -> Vec<[bool; MISSING.len()]> {
    let s = &mut Stream::new(seed, STREAM + 13);
    let draw = |f: &[f64; N_FACTORS]| {
        let mut has = MISSING.map(|(_, intercept, per_severity)| s.uniform() >= logistic(intercept + per_severity * f[0]));
        has[0] |= !has.contains(&true);
        has
    };
    factors.iter().map(draw).collect()
}
