//! A graph of the nearest cells whose weights are memberships of fuzzy sets.
//! Source: L. `McInnes`, J. Healy, J. Melville, arXiv:1802.03426 (2018), section 3.1.

use crate::base::{Error, Progress, Result};
use crate::model::Graph;
use crate::stats::nearest_neighbors;
use rayon::prelude::*;

/// Rounds of the search for a width.
const N_ROUNDS: usize = 64;
/// How near the sum of memberships comes to its target.
const TOLERANCE: f64 = 1e-5;
/// Widths are not below this part of the mean distance.
const LEAST_WIDTH: f64 = 1e-3;

/// Settings of [`neighbors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborSettings {
    /// Neighbors of a cell, itself among them.
    pub k: usize,
}

impl Default for NeighborSettings {
    /// 15.
    fn default() -> Self {
        Self { k: 15 }
    }
}

/// The graph.
#[derive(Clone, Debug, PartialEq)]
pub struct CellGraph {
    /// Memberships of fuzzy sets, there both ways.
    pub connectivities: Graph,
    /// Distances to the nearest, one way.
    pub distances: Graph,
    /// Neighbors of a cell, itself among them; fewer than asked for where there are few cells.
    pub k: usize,
}

/// Nearest cells by the distance of their coordinates (cells × d, row-major), and how strongly they belong
/// together. Cost: see [`nearest_neighbors`].
///
/// Errors: [`Error::Degenerate`] for fewer than three cells and coordinates that are no numbers.
pub fn neighbors(d: usize, points: &[f64], settings: &NeighborSettings, progress: &Progress) -> Result<CellGraph> {
    let n = points.len() / d.max(1);
    if n < 3 || settings.k < 2 {
        return Err(Error::degenerate(format!(
            "{n} cells with {} neighbors; at least 3 cells and 2 neighbors are needed",
            settings.k
        )));
    }
    let k = settings.k.min(n);
    let near = nearest_neighbors(d, points, k - 1, &progress.part(0.0, 0.9))?;
    progress.step(0.95, "weighing neighbors")?;
    let overall = near.distances.iter().sum::<f64>() / (n * k) as f64;
    let members: Vec<Vec<(u32, f64)>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let range = i * (k - 1)..(i + 1) * (k - 1);
            memberships(&near.places[range.clone()], &near.distances[range], k, overall)
        })
        .collect();
    let offsets: Vec<usize> = (0..=n).map(|i| i * (k - 1)).collect();
    let distances = Graph::new(offsets, near.places, near.distances.iter().map(|v| *v as f32).collect())?;
    Ok(CellGraph { connectivities: united(&members)?, distances, k })
}

/// exp(−(d − ρ) / σ), with ρ the distance of the nearest and σ such that the sum is log2 k.
fn memberships(places: &[u32], distances: &[f64], k: usize, overall: f64) -> Vec<(u32, f64)> {
    let nearest = distances.iter().copied().find(|d| *d > 0.0).unwrap_or(0.0);
    let target = (k as f64).log2();
    let value = |d: f64, width: f64| if d <= nearest { 1.0 } else { (-(d - nearest) / width).exp() };
    // Newton's steps within the bracket; where one leaves it, half of it or twice the width is taken.
    let (mut low, mut high, mut width) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..N_ROUNDS {
        let (mut sum, mut slope) = (0.0, 0.0);
        for &d in distances {
            let v = value(d, width);
            sum += v;
            slope += v * (d - nearest).max(0.0) / (width * width);
        }
        if (sum - target).abs() < TOLERANCE {
            break;
        }
        if sum > target {
            high = width;
        } else {
            low = width;
        }
        let newton = width - (sum - target) / slope;
        let halfway = if high.is_infinite() { width * 2.0 } else { 0.5 * (low + high) };
        width = if newton > low && newton < high { newton } else { halfway };
    }
    let mean = distances.iter().sum::<f64>() / (distances.len() + 1) as f64;
    let width = width.max(LEAST_WIDTH * if nearest > 0.0 { mean } else { overall }).max(f64::MIN_POSITIVE);
    places.iter().zip(distances).map(|(j, d)| (*j, value(*d, width))).collect()
}

/// The union of fuzzy sets, a + b − a b, in both directions.
fn united(members: &[Vec<(u32, f64)>]) -> Result<Graph> {
    let n = members.len();
    let mut both: Vec<Vec<(u32, f64, f64)>> = members.iter().map(|m| m.iter().map(|&(j, v)| (j, v, 0.0)).collect()).collect();
    for (i, list) in members.iter().enumerate() {
        list.iter().for_each(|&(j, v)| both[j as usize].push((i as u32, 0.0, v)));
    }
    let (mut offsets, mut targets, mut weights) = (vec![0], Vec::new(), Vec::new());
    for list in &mut both {
        list.sort_by_key(|e| e.0);
        for same in list.chunk_by(|a, b| a.0 == b.0) {
            let (a, b) = same.iter().fold((0.0_f64, 0.0_f64), |(a, b), e| (a + e.1, b + e.2));
            let weight = (a + b - a * b) as f32;
            if weight > 0.0 {
                targets.push(same[0].0);
                weights.push(weight);
            }
        }
        offsets.push(targets.len());
    }
    debug_assert_eq!(offsets.len(), n + 1);
    Graph::new(offsets, targets, weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    #[test]
    fn memberships_sum_to_their_target_and_go_both_ways() {
        let mut r = Stream::new(2, 0);
        let points: Vec<f64> = (0..300).map(|_| r.normal()).collect();
        let found = neighbors(3, &points, &NeighborSettings { k: 10 }, &Progress::none()).unwrap();
        let g = &found.connectivities;
        for i in 0..100 {
            let (targets, weights) = g.edges(i);
            for (j, w) in targets.iter().zip(weights) {
                let (back, other) = g.edges(*j as usize);
                assert_eq!(other[back.iter().position(|b| *b as usize == i).unwrap()], *w);
            }
            assert!(weights.contains(&1.0));
        }
        let one = memberships(&[1, 2, 3], &[0.5, 1.0, 2.0], 4, 1.0);
        assert!((one.iter().map(|m| m.1).sum::<f64>() - 2.0).abs() < 1e-4);
        assert_eq!(neighbors(1, &[0.0, 1.0, 5.0], &NeighborSettings::default(), &Progress::none()).unwrap().k, 3);
        assert!(neighbors(1, &[0.0, 1.0], &NeighborSettings::default(), &Progress::none()).is_err());
        let same = neighbors(1, &[1.0; 8], &NeighborSettings { k: 3 }, &Progress::none()).unwrap();
        assert!(same.connectivities.parts().2.iter().all(|w| *w > 0.0));
    }
}
