//! Enrichment of a set along the ranking of an observation, with permutations of the genes.

use super::ScoreSettings;
use super::ranked::{each_row, ranking};
use crate::base::{Error, Progress, Result};
use crate::model::Expression;
use crate::stats::Stream;
use std::collections::BTreeMap;

/// Normalized enrichment, its chance and the enrichment itself, observations × sets.
type Enrichment = (Vec<f64>, Vec<f64>, Vec<f64>);

/// Places of random sets of one size in a ranking, permutation by permutation, increasing in each.
fn random_places(n_genes: usize, size: usize, n: usize, seed: u64) -> Vec<u32> {
    let mut out = Vec::with_capacity(n * size);
    let mut pool: Vec<u32> = (0..n_genes as u32).collect();
    let mut random = Stream::new(seed, size as u64);
    for _ in 0..n {
        for i in 0..size {
            let j = i + (random.uniform() * (n_genes - i) as f64) as usize;
            pool.swap(i, j.min(n_genes - 1));
        }
        let mut places = pool[..size].to_vec();
        places.sort_unstable();
        out.extend(places);
    }
    out
}

/// The largest deviation of the running sum: hits raise it by their share of the weights, misses lower it
/// evenly. NaN where the weights of all hits are zero.
fn largest_deviation(places: &[u32], weights: &[f64]) -> f64 {
    let total: f64 = places.iter().map(|&p| weights[p as usize]).sum();
    if total <= 0.0 || total.is_nan() {
        return f64::NAN;
    }
    let miss = 1.0 / (weights.len() - places.len()) as f64;
    let (mut hits, mut high, mut low) = (0.0, 0.0_f64, 0.0_f64);
    for (before, &place) in places.iter().enumerate() {
        let fallen = hits / total - f64::from(place - before as u32) * miss;
        low = low.min(fallen);
        hits += weights[place as usize];
        high = high.max(hits / total - f64::from(place - before as u32) * miss);
    }
    if high >= -low { high } else { low }
}

/// Scores all sets at all observations. The null of a set is that of random sets of its size at the same
/// ranking; its permutations are the same for all observations. The chance is (1 + those as extreme) /
/// (1 + those of the same sign).
pub(super) fn enrichment(
    expression: &Expression,
    members: &[Vec<usize>],
    settings: &ScoreSettings,
    progress: &Progress,
) -> Result<Enrichment> {
    if settings.n_permutations == 0 {
        return Err(Error::parameter("0 permutations; at least 1 is needed, 1000 is usual"));
    }
    let m = expression.genes().len();
    let mut random: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for size in members.iter().map(Vec::len) {
        progress.step(0.0, "permuting genes")?;
        random.entry(size).or_insert_with(|| random_places(m, size, settings.n_permutations, settings.seed));
    }
    let rows = each_row(expression, progress, |_, values| {
        let order = ranking(values);
        let weights: Vec<f64> = order.iter().map(|&g| values[g as usize].abs()).collect();
        let mut place_of = vec![0u32; m];
        order.iter().enumerate().for_each(|(place, &g)| place_of[g as usize] = place as u32);
        let mut nulls = BTreeMap::new();
        for (&size, places) in &random {
            progress.step(0.5, "permuting genes")?;
            let null: Vec<f64> = places.chunks_exact(size).map(|p| largest_deviation(p, &weights)).collect();
            nulls.insert(size, null);
        }
        let one = |genes: &Vec<usize>| {
            let mut places: Vec<u32> = genes.iter().map(|&g| place_of[g]).collect();
            places.sort_unstable();
            against(largest_deviation(&places, &weights), &nulls[&genes.len()])
        };
        Ok(members.iter().map(one).collect())
    })?;
    let column = |f: fn(&[f64; 3]) -> f64| rows.iter().map(f).collect();
    Ok((column(|r| r[0]), column(|r| r[1]), column(|r| r[2])))
}

/// Normalized enrichment, chance, enrichment.
fn against(value: f64, null: &[f64]) -> [f64; 3] {
    let same: Vec<f64> = null.iter().copied().filter(|n| n.is_finite() && (*n >= 0.0) == (value >= 0.0)).collect();
    if value.is_nan() || same.is_empty() {
        return [f64::NAN, f64::NAN, value];
    }
    let mean = same.iter().sum::<f64>() / same.len() as f64;
    let extreme = same.iter().filter(|n| n.abs() >= value.abs()).count();
    [value / mean.abs(), (1 + extreme) as f64 / (1 + same.len()) as f64, value]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, step by step along the whole ranking.
    #[test]
    fn the_deviation_is_that_of_the_running_sum() {
        let mut r = Stream::new(2, 0);
        for size in [1, 3, 10] {
            for _ in 0..50 {
                let mut weights: Vec<f64> = (0..25).map(|_| r.normal().abs()).collect();
                weights[7] = 0.0;
                let places = random_places(25, size, 1, (r.uniform() * 1e6) as u64);
                let total: f64 = places.iter().map(|&p| weights[p as usize]).sum();
                let (mut sum, mut best) = (0.0_f64, 0.0_f64);
                for place in 0..25u32 {
                    let hit = places.contains(&place);
                    sum += if hit { weights[place as usize] / total } else { -1.0 / (25 - size) as f64 };
                    if sum.abs() > best.abs() + 1e-12 {
                        best = sum;
                    }
                }
                if total > 0.0 {
                    assert!((largest_deviation(&places, &weights).abs() - best.abs()).abs() < 1e-12);
                }
            }
        }
        assert!(largest_deviation(&[0, 1], &[0.0, 0.0, 1.0]).is_nan());
    }
}
