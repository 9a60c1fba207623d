//! How good held-out predictions are: correlation, spread, smoothness and the honesty of intervals.

use crate::stats::{Nearest, pearson, spearman};
use rayon::prelude::*;

/// Half width of a 90 % interval in standard deviations.
pub const INTERVAL_90: f64 = 1.644_853_626_951_472_7;
/// Neighbors of a spot in the graph of Moran's I (a hexagonal lattice has six).
const N_NEIGHBORS: usize = 6;

/// Scores of one gene on one set of samples. A number is `None` where it is not defined, as for a gene that
/// does not vary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Number of samples with both an observed and a predicted value.
    pub n: usize,
    /// Pearson's correlation.
    pub pearson: Option<f64>,
    /// Spearman's correlation.
    pub spearman: Option<f64>,
    /// Variance of the predictions over that of the observations.
    pub variance_ratio: Option<f64>,
    /// Moran's I of the predictions over that of the observations: above 1 the map is too smooth.
    pub moran_ratio: Option<f64>,
    /// Share of the observations within the 90 % interval of their prediction.
    pub coverage_90: Option<f64>,
}

/// Who is whose neighbor: six nearest, each with the same weight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    neighbors: Vec<Vec<u32>>,
}

impl Graph {
    /// Of points that each belong to a part (slide); neighbors are of the same part.
    #[must_use]
    pub fn new(points: &[[f64; 2]], parts: &[usize]) -> Self {
        let n_parts = parts.iter().max().map_or(0, |m| m + 1);
        let mut neighbors = vec![Vec::new(); points.len()];
        for part in 0..n_parts {
            let rows: Vec<usize> = (0..points.len()).filter(|&i| parts[i] == part).collect();
            let nearest = Nearest::new(rows.iter().map(|&i| points[i]).collect());
            let found: Vec<Vec<u32>> = (0..rows.len())
                .into_par_iter()
                .map(|a| nearest.of(points[rows[a]], N_NEIGHBORS, |b| b != a).into_iter().map(|(_, b)| rows[b] as u32).collect())
                .collect();
            rows.into_iter().zip(found).for_each(|(i, f)| neighbors[i] = f);
        }
        Self { neighbors }
    }

    /// Moran's I with rows of weights that sum to 1 (Moran 1950); neighbors without a value are left out.
    /// `None` where nothing varies.
    #[must_use]
    pub fn moran(&self, values: &[f64]) -> Option<f64> {
        let known: Vec<usize> = (0..values.len().min(self.neighbors.len())).filter(|&i| values[i].is_finite()).collect();
        let mean = known.iter().map(|&i| values[i]).sum::<f64>() / known.len() as f64;
        let square: f64 = known.iter().map(|&i| (values[i] - mean).powi(2)).sum();
        let (mut product, mut weight) = (0.0, 0.0);
        for &i in &known {
            let of = self.neighbors[i].iter().map(|&j| values[j as usize]).filter(|v| v.is_finite());
            let (n, sum) = of.fold((0.0, 0.0), |(n, s), v| (n + 1.0, s + v - mean));
            if n > 0.0 {
                product += (values[i] - mean) * sum / n;
                weight += 1.0;
            }
        }
        let least = known.len() as f64 * (1e-12 * mean).powi(2);
        (weight > 0.0 && square > least && square > 0.0).then(|| known.len() as f64 / weight * product / square)
    }
}

/// A correlation where there is one.
pub(super) fn known(r: f64) -> Option<f64> {
    r.is_finite().then_some(r)
}

/// Scores of predictions. `sd` and `graph` may be absent; what needs them is then `None`.
#[must_use]
pub fn score(observed: &[f64], predicted: &[f64], sd: Option<&[f64]>, graph: Option<&Graph>) -> Score {
    let both = |i: usize| observed[i].is_finite() && predicted[i].is_finite();
    let rows: Vec<usize> = (0..observed.len()).filter(|&i| both(i)).collect();
    let ratio = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a / b).filter(|r| r.is_finite());
    let variance = |values: &[f64]| {
        let n = rows.len() as f64;
        let mean = rows.iter().map(|&i| values[i]).sum::<f64>() / n;
        let variance = rows.iter().map(|&i| (values[i] - mean).powi(2)).sum::<f64>() / n;
        (variance > (1e-13 * mean).powi(2)).then_some(variance)
    };
    let moran = |values: &[f64]| {
        let masked: Vec<f64> = (0..observed.len()).map(|i| if both(i) { values[i] } else { f64::NAN }).collect();
        graph.and_then(|g| g.moran(&masked))
    };
    let coverage = sd.and_then(|sd| {
        let known: Vec<usize> = rows.iter().copied().filter(|&i| sd[i].is_finite()).collect();
        let within = known.iter().filter(|&&i| (observed[i] - predicted[i]).abs() <= INTERVAL_90 * sd[i]).count();
        (!known.is_empty()).then(|| within as f64 / known.len() as f64)
    });
    let observed_variance = variance(observed);
    Score {
        n: rows.len(),
        pearson: known(pearson(observed, predicted)),
        spearman: known(spearman(observed, predicted)),
        variance_ratio: observed_variance.map(|o| variance(predicted).unwrap_or(0.0) / o),
        moran_ratio: observed_variance.and_then(|_| ratio(moran(predicted), moran(observed))),
        coverage_90: coverage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice() -> (Vec<[f64; 2]>, Vec<usize>) {
        ((0..100).map(|i| [f64::from(i % 10), f64::from(i / 10)]).collect(), vec![0; 100])
    }

    #[test]
    fn smooth_maps_have_a_large_moran() {
        let (points, parts) = lattice();
        let graph = Graph::new(&points, &parts);
        let ramp: Vec<f64> = points.iter().map(|p| p[0]).collect();
        let board: Vec<f64> = points.iter().map(|p| (p[0] + p[1]) % 2.0).collect();
        assert!(graph.moran(&ramp).unwrap() > 0.8);
        assert!(graph.moran(&board).unwrap() < 0.0);
        assert_eq!(graph.moran(&[0.3; 100]), None);
        let s = score(&board, &ramp, Some(&[10.0; 100]), Some(&graph));
        assert_eq!((s.n, s.coverage_90), (100, Some(1.0)));
        assert!(s.pearson.unwrap().abs() < 0.1 && (s.variance_ratio.unwrap() - 8.25 / 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_constant_gene_has_no_score_and_a_constant_prediction_no_variance() {
        let (points, parts) = lattice();
        let graph = Graph::new(&points, &parts);
        let ramp: Vec<f64> = points.iter().map(|p| p[0]).collect();
        let flat = vec![2.0; 100];
        let s = score(&flat, &ramp, None, Some(&graph));
        assert_eq!((s.pearson, s.spearman, s.variance_ratio, s.moran_ratio, s.coverage_90), (None, None, None, None, None));
        let s = score(&ramp, &flat, None, Some(&graph));
        assert_eq!((s.pearson, s.variance_ratio, s.moran_ratio), (None, Some(0.0), None));
        let half: Vec<f64> = (0..100).map(|i| if i < 50 { f64::NAN } else { f64::from(i) }).collect();
        assert_eq!(score(&half, &ramp, None, None).n, 50);
    }
}
