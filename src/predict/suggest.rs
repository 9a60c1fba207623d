//! Sizes of blocks and buffers that fit a section: how far expression goes together, and how much tissue
//! there is to divide.

use super::training::Training;
use crate::stats::{Nearest, quantile_of};
use std::collections::BTreeMap;

/// Suggested sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// Distance beyond which expression no longer goes together, mm: where the mean variogram of the genes has
    /// risen 95 % of its way. 0 where it does not rise.
    pub range_mm: f64,
    /// Side of a block, mm: about two blocks per fold.
    pub block_mm: f64,
    /// Width of the buffer, mm: the range, at most a quarter of a block, so that something is left to learn from.
    pub buffer_mm: f64,
}

/// Spots and genes that the variogram is taken from, and its lags.
const MOST_SPOTS: usize = 600;
const MOST_GENES: usize = 40;
const N_LAGS: usize = 24;

/// Sizes for `n_folds` folds of samples that lie somewhere; zeros where they do not. Cost: 600² pairs × 40 genes.
#[must_use]
pub fn suggest(training: &Training, n_folds: usize) -> Sizes {
    let Some(places) = training.places.as_ref().filter(|p| p.len() > 3) else { return Sizes::default() };
    let mut by_section: BTreeMap<usize, Vec<[f64; 2]>> = BTreeMap::new();
    places.iter().for_each(|p| by_section.entry(p.section).or_default().push(p.mm.to_array()));
    let mut steps = Vec::new();
    for points in by_section.into_values() {
        let nearest = Nearest::new(points.clone());
        let first = |(i, p): (usize, &[f64; 2])| nearest.of(*p, 1, |j| j != i).first().map(|(d2, _)| d2.sqrt());
        steps.extend(points.iter().enumerate().step_by(1 + points.len() / MOST_SPOTS).filter_map(first));
    }
    let pitch = quantile_of(&steps, 0.5);
    // A hexagonal lattice has one spot per √3/2 pitch².
    let area = places.len() as f64 * pitch * pitch * 0.75f64.sqrt();
    let block_mm = round_up((area / (2.0 * n_folds as f64)).sqrt().max(3.0 * pitch));
    let range_mm = range(training, 2.0 * block_mm);
    let buffer_mm = range_mm.max(pitch).min(block_mm / 4.0);
    Sizes { range_mm, block_mm, buffer_mm: (buffer_mm * 100.0).round() / 100.0 }
}

/// Upward to the next tenth, so that a size can be read.
fn round_up(mm: f64) -> f64 {
    if mm.is_finite() { (mm * 10.0 - 1e-9).ceil() / 10.0 } else { 0.0 }
}

/// Where the mean variogram of genes, each over its variance, has risen 95 % of its way.
fn range(training: &Training, largest_mm: f64) -> f64 {
    let Some(places) = &training.places else { return 0.0 };
    let rows: Vec<usize> = (0..places.len()).step_by(1 + places.len() / MOST_SPOTS).collect();
    let genes: Vec<Vec<f64>> =
        training.y.iter().step_by(1 + training.y.len() / MOST_GENES).filter_map(|y| standard(y, &rows)).collect();
    let (mut sums, mut counts) = ([0.0; N_LAGS], [0.0; N_LAGS]);
    for (a, &i) in rows.iter().enumerate() {
        for (b, &j) in rows.iter().enumerate().take(a) {
            let lag = (places[i].mm.distance(places[j].mm) / largest_mm * N_LAGS as f64) as usize;
            if lag < N_LAGS && places[i].section == places[j].section {
                sums[lag] += genes.iter().map(|g| 0.5 * (g[a] - g[b]).powi(2)).sum::<f64>();
                counts[lag] += genes.len() as f64;
            }
        }
    }
    let curve: Vec<(f64, f64)> = (0..N_LAGS)
        .filter(|&l| counts[l] > 0.0)
        .map(|l| ((l as f64 + 0.5) * largest_mm / N_LAGS as f64, sums[l] / counts[l]))
        .collect();
    let Some(first) = curve.first() else { return 0.0 };
    let last: Vec<f64> = curve.iter().skip(curve.len() * 2 / 3).map(|c| c.1).collect();
    let sill = last.iter().sum::<f64>() / last.len() as f64;
    if sill <= first.1 * 1.02 {
        return 0.0;
    }
    let level = first.1 + 0.95 * (sill - first.1);
    curve.iter().find(|c| c.1 >= level).map_or(largest_mm, |c| c.0)
}

fn standard(y: &[f64], rows: &[usize]) -> Option<Vec<f64>> {
    let n = rows.len() as f64;
    let mean = rows.iter().map(|&i| y[i]).sum::<f64>() / n;
    let sd = (rows.iter().map(|&i| (y[i] - mean).powi(2)).sum::<f64>() / n).sqrt();
    (sd > 1e-12).then(|| rows.iter().map(|&i| (y[i] - mean) / sd).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::Place;
    use crate::space::DVec2;
    use crate::stats::Stream;

    #[test]
    fn a_wave_has_a_range_and_noise_has_none() {
        let places: Vec<Place> =
            (0..2500).map(|i| Place { section: 0, mm: DVec2::new(f64::from(i % 50), f64::from(i / 50)) * 0.1 }).collect();
        let mut s = Stream::new(1, 1);
        let wave: Vec<f64> = places.iter().map(|p| (p.mm.x * 3.0).sin() + (p.mm.y * 3.0).sin()).collect();
        let noise: Vec<f64> = (0..2500).map(|_| s.normal()).collect();
        let training = |y: Vec<f64>| Training { places: Some(places.clone()), y: vec![y], ..Training::default() };
        let sizes = suggest(&training(wave), 5);
        assert!((0.4..1.1).contains(&sizes.range_mm) && (1.2..1.8).contains(&sizes.block_mm), "{sizes:?}");
        assert!(sizes.buffer_mm <= sizes.block_mm / 4.0 + 0.005);
        let sizes = suggest(&training(noise), 5);
        assert!(sizes.range_mm < 0.3 && sizes.buffer_mm >= 0.1, "{sizes:?}");
        assert_eq!(suggest(&Training::default(), 5), Sizes::default());
    }
}
