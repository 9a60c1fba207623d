//! Sizes of blocks and buffers that fit a section: how far expression goes together, and how much tissue
//! there is to divide.

use super::training::Training;
use crate::stats::{Nearest, quantile_of, spatial_range_mm};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Suggested sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// Distance beyond which expression no longer goes together, mm: the median range of the genes' variograms
    /// ([`spatial_range_mm`]), without those that have none. 0 where none has, or for several sections.
    pub range_mm: f64,
    /// Side of a block, mm: about two blocks per fold.
    pub block_mm: f64,
    /// Width of the buffer, mm: the range, at most a quarter of a block, so that something is left to learn from.
    pub buffer_mm: f64,
}

/// Spots that the pitch is taken from, and genes that ranges are taken from.
const MOST_SPOTS: usize = 600;
const MOST_GENES: usize = 24;

/// Sizes for `n_folds` folds of samples that lie somewhere; zeros where they do not. Cost: 500 · spots · 24 genes.
#[must_use]
pub fn suggest(training: &Training, n_folds: usize) -> Sizes {
    let Some(places) = training.places.as_ref().filter(|p| p.len() > 3) else { return Sizes::default() };
    let mut by_section: BTreeMap<usize, Vec<[f64; 2]>> = BTreeMap::new();
    places.iter().for_each(|p| by_section.entry(p.section).or_default().push(p.mm.to_array()));
    let sections = by_section.len();
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
    let points: Vec<[f64; 2]> = places.iter().map(|p| p.mm.to_array()).collect();
    let range_mm = if sections > 1 { 0.0 } else { range(training, &points) };
    let buffer_mm = range_mm.max(pitch).min(block_mm / 4.0);
    Sizes { range_mm, block_mm, buffer_mm: (buffer_mm * 100.0).round() / 100.0 }
}

/// Upward to the next tenth, so that a size can be read.
fn round_up(mm: f64) -> f64 {
    if mm.is_finite() { (mm * 10.0 - 1e-9).ceil() / 10.0 } else { 0.0 }
}

/// Median range of the genes that go together over a distance at all; 0 where none does.
fn range(training: &Training, points: &[[f64; 2]]) -> f64 {
    let genes: Vec<&Vec<f64>> = training.y.iter().step_by(1 + training.y.len() / MOST_GENES).collect();
    let ranges: Vec<f64> = genes.par_iter().filter_map(|y| spatial_range_mm(points, y).ok()).collect();
    let structured: Vec<f64> = ranges.into_iter().filter(|r| *r > 0.0).collect();
    if structured.is_empty() { 0.0 } else { quantile_of(&structured, 0.5) }
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
        assert!((0.3..1.6).contains(&sizes.range_mm) && (1.2..1.8).contains(&sizes.block_mm), "{sizes:?}");
        assert!(sizes.buffer_mm <= sizes.block_mm / 4.0 + 0.005);
        let sizes = suggest(&training(noise), 5);
        assert!((0.1..=0.46).contains(&sizes.buffer_mm), "{sizes:?}");
        assert_eq!(suggest(&Training::default(), 5), Sizes::default());
    }
}
