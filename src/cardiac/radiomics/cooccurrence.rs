//! Which gray levels lie next to each other (family `cm`): symmetric matrices of neighbors at distance 1.

use super::Feature;
use super::counts::{Counts, Family, Tally, Values, directional};
use super::levels::Levels;
use super::settings::Aggregation;
use crate::base::{Progress, Result};
use std::ops::Range;

const NAMES: [&str; 25] = [
    "joint_max",
    "joint_avg",
    "joint_var",
    "joint_entr",
    "diff_avg",
    "diff_var",
    "diff_entr",
    "sum_avg",
    "sum_var",
    "sum_entr",
    "energy",
    "contrast",
    "dissimilarity",
    "inv_diff",
    "inv_diff_norm",
    "inv_diff_mom",
    "inv_diff_mom_norm",
    "inv_var",
    "corr",
    "auto_corr",
    "clust_tend",
    "clust_shade",
    "clust_prom",
    "info_corr1",
    "info_corr2",
];

/// Family `cm`.
pub(super) fn cooccurrence(levels: &Levels, aggregations: &[Aggregation], progress: &Progress) -> Result<Vec<Feature>> {
    let n_levels = levels.n_levels as f64;
    let family = Family { prefix: "cm_", names: &NAMES, evaluate: &|c| features(c, n_levels) };
    directional(levels, aggregations, &family, |range, d| pairs(levels, range, d), progress)
}

/// Neighbors along a direction as (lower, higher) level.
fn pairs(levels: &Levels, range: Range<usize>, direction: [isize; 3]) -> Counts {
    let n = range.len();
    let step = levels.step(direction);
    let mut tally = Tally::new(levels.n_levels, levels.n_levels, n);
    for (at, a) in range.clone().zip(&levels.values[range]).filter(|(_, v)| **v > 0) {
        let b = levels.values[at.wrapping_add_signed(step)];
        if b > 0 {
            tally.add(usize::from(*a.min(&b)), usize::from(*a.max(&b)));
        }
    }
    tally.counts(0)
}

/// Sums over a symmetric matrix of probabilities.
struct Sums {
    /// p(i + j) and p(|i − j|), by sum and difference.
    sum: Vec<f64>,
    difference: Vec<f64>,
    level: Vec<f64>,
    joint_max: f64,
    joint_entropy: f64,
    energy: f64,
    product: f64,
}

impl Sums {
    fn of(counts: &Counts) -> Option<Self> {
        let total = 2.0 * counts.entries.iter().map(|e| e.2).sum::<u64>() as f64;
        let highest = counts.entries.iter().map(|e| e.1).max()? as usize;
        let mut s = Self {
            sum: vec![0.0; 2 * highest + 1],
            difference: vec![0.0; highest],
            level: vec![0.0; highest + 1],
            joint_max: 0.0,
            joint_entropy: 0.0,
            energy: 0.0,
            product: 0.0,
        };
        for (i, j, n) in &counts.entries {
            // A pair of different levels stands on both sides of the diagonal, one of equal levels twice on it.
            let (p, times) = if i == j { (2.0 * *n as f64 / total, 1.0) } else { (*n as f64 / total, 2.0) };
            let (a, b) = (*i as usize, *j as usize);
            s.sum[a + b] += p * times;
            s.difference[b - a] += p * times;
            s.level[a] += p;
            if i != j {
                s.level[b] += p;
            }
            s.joint_max = s.joint_max.max(p);
            s.joint_entropy -= times * p * p.log2();
            s.energy += times * p * p;
            s.product += times * p * f64::from(*i) * f64::from(*j);
        }
        Some(s)
    }
}

fn entropy(p: &[f64]) -> f64 {
    -p.iter().filter(|p| **p > 0.0).map(|p| p * p.log2()).sum::<f64>() + 0.0
}

/// Σ p(k)·f(k)
fn expected(p: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    p.iter().enumerate().filter(|(_, p)| **p > 0.0).map(|(k, p)| p * f(k as f64)).sum()
}

/// The features of a matrix in the order of [`NAMES`]. Of one gray level alone the correlation is 1 and
/// the first information correlation has no value.
fn features(counts: &Counts, n_levels: f64) -> Option<Values> {
    let s = Sums::of(counts)?;
    let mean = expected(&s.level, |i| i);
    let variance = expected(&s.level, |i| (i - mean).powi(2));
    let (difference, sum) = (&s.difference, &s.sum);
    let difference_mean = expected(difference, |k| k);
    let level_entropy = entropy(&s.level);
    let one = s.level.iter().filter(|p| **p > 0.0).count() == 1;
    let about = |power: i32| expected(sum, |k| (k - 2.0 * mean).powi(power));
    // Both sides of a symmetric matrix have one entropy, and with it the second joint entropies are twice that.
    let less = (2.0 * level_entropy - s.joint_entropy).max(0.0);
    Some(vec![
        s.joint_max,
        mean,
        variance,
        s.joint_entropy + 0.0,
        difference_mean,
        expected(difference, |k| (k - difference_mean).powi(2)),
        entropy(difference),
        expected(sum, |k| k),
        about(2),
        entropy(sum),
        s.energy,
        expected(difference, |k| k * k),
        difference_mean,
        expected(difference, |k| 1.0 / (1.0 + k)),
        expected(difference, |k| 1.0 / (1.0 + k / n_levels)),
        expected(difference, |k| 1.0 / (1.0 + k * k)),
        expected(difference, |k| 1.0 / (1.0 + (k / n_levels).powi(2))),
        expected(difference, |k| if k > 0.0 { 1.0 / (k * k) } else { 0.0 }),
        if one { 1.0 } else { (s.product - mean * mean) / variance },
        s.product,
        about(2),
        about(3),
        about(4),
        if one { f64::NAN } else { -less / level_entropy },
        (1.0 - (-2.0 * less).exp()).max(0.0).sqrt(),
    ])
}
