//! A map of cells in the plane that keeps neighbors together.
//! Source: L. `McInnes`, J. Healy, J. Melville, arXiv:1802.03426 (2018). Every epoch moves each cell on its own
//! against where the others were, so that the map depends on the seed and not on threads.

use super::arrange::{Edges, Epoch};
use crate::base::{Error, Progress, Result, stream_seed};
use crate::model::Graph;
use crate::stats::{Stream, solve, symmetric_eigen};
use rayon::prelude::*;

/// The start spans this much on both sides of 0.
const START: f64 = 10.0;
/// Cells that one task moves.
const BLOCK: usize = 512;
/// Places at which the curve of distances is fitted.
const N_CURVE: usize = 300;

/// Settings of [`embed`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EmbedSettings {
    /// How near cells may lie in the map.
    pub min_dist: f64,
    /// Scale of the map.
    pub spread: f64,
    /// Epochs; 0 chooses 500 up to 10,000 cells and 200 above.
    pub epochs: usize,
    /// Seed of the start's noise and of what is drawn.
    pub seed: u64,
}

impl Default for EmbedSettings {
    /// Distance 0.5, spread 1.
    fn default() -> Self {
        Self { min_dist: 0.5, spread: 1.0, epochs: 0, seed: 0 }
    }
}

/// Places of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// x and y of each cell.
    pub places: Vec<[f32; 2]>,
    /// Epochs that were run.
    pub epochs: usize,
}

/// A map of the cells of a graph whose weights are memberships. It starts from the first two principal axes of
/// `points` (cells × d, row-major). Costs epochs × edges.
///
/// Errors: [`Error::Parameter`] for sizes and settings that do not fit.
pub fn embed(graph: &Graph, d: usize, points: &[f64], settings: &EmbedSettings, progress: &Progress) -> Result<Embedding> {
    let n = graph.n_nodes();
    if n == 0 || d == 0 || points.len() != n * d {
        return Err(Error::parameter(format!("{} numbers for {n} cells of {d} coordinates", points.len())));
    }
    if !(settings.spread > 0.0 && settings.min_dist >= 0.0 && settings.min_dist <= settings.spread && settings.spread.is_finite())
    {
        return Err(Error::parameter(format!(
            "a minimum distance of {} with a spread of {}; expected 0 ≤ distance ≤ spread",
            settings.min_dist, settings.spread
        )));
    }
    let epochs = if settings.epochs > 0 { settings.epochs } else { 200 + 300 * usize::from(n <= 10_000) };
    let curve = Curve::fit(settings.min_dist, settings.spread)?;
    let mut places = start(n, d, points, settings.seed, progress)?;
    let edges = Edges::new(graph, epochs);
    let order = edges.order();
    let mut moved = vec![[0.0; 2]; n];
    for epoch in 0..epochs {
        progress.step(epoch as f64 / epochs as f64, "arranging cells")?;
        let moves =
            Epoch { edges: &edges, curve, epoch, epochs, seed: stream_seed(settings.seed, epoch as u64 + 1), places: &places };
        order.par_chunks(BLOCK).zip(moved.par_chunks_mut(BLOCK)).for_each(|(cells, moved)| moves.run(cells, moved));
        order.iter().zip(&moved).for_each(|(&cell, place)| places[cell as usize] = *place);
    }
    Ok(Embedding { places, epochs })
}

/// 1 / (1 + a d^2b): how near cells of a distance are to be thought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    pub a: f32,
    pub b: f32,
}

impl Curve {
    /// Least squares to 1 up to the minimum distance and exp(−(d − minimum) / spread) beyond (Gauss and Newton, damped).
    fn fit(min_dist: f64, spread: f64) -> Result<Self> {
        let xs: Vec<f64> = (0..N_CURVE).map(|i| 3.0 * spread * i as f64 / (N_CURVE - 1) as f64).collect();
        let want = |x: f64| if x < min_dist { 1.0 } else { (-(x - min_dist) / spread).exp() };
        let value = |p: [f64; 2], x: f64| if x == 0.0 { 1.0 } else { 1.0 / (1.0 + p[0] * x.powf(2.0 * p[1])) };
        let error = |p: [f64; 2]| xs.iter().map(|x| (value(p, *x) - want(*x)).powi(2)).sum::<f64>();
        let (mut p, mut damping) = ([1.0, 1.0], 1e-3);
        for _ in 0..500 {
            let (mut normal, mut right) = ([0.0; 4], [0.0; 2]);
            for &x in xs.iter().skip(1) {
                let (power, v) = (x.powf(2.0 * p[1]), value(p, x));
                let slope = [-power * v * v, -p[0] * power * 2.0 * x.ln() * v * v];
                let rest = want(x) - v;
                for i in 0..2 {
                    right[i] += slope[i] * rest;
                    (0..2).for_each(|j| normal[i * 2 + j] += slope[i] * slope[j]);
                }
            }
            normal[0] *= 1.0 + damping;
            normal[3] *= 1.0 + damping;
            let step = solve(2, &normal, 1, &right)?;
            let moved = [(p[0] + step[0]).max(1e-6), (p[1] + step[1]).max(1e-6)];
            if error(moved) <= error(p) {
                let is_done = (error(p) - error(moved)) < 1e-15;
                p = moved;
                damping *= 0.3;
                if is_done {
                    break;
                }
            } else {
                damping *= 10.0;
            }
        }
        Ok(Self { a: p[0] as f32, b: p[1] as f32 })
    }
}

/// The first two principal axes, the larger spanning the start, with noise that parts equal cells.
fn start(n: usize, d: usize, points: &[f64], seed: u64, progress: &Progress) -> Result<Vec<[f32; 2]>> {
    let mut mean = vec![0.0; d];
    points.chunks_exact(d).for_each(|p| mean.iter_mut().zip(p).for_each(|(m, v)| *m += v / n as f64));
    let mut products = vec![0.0; d * d];
    for p in points.chunks_exact(d) {
        let p: Vec<f64> = p.iter().zip(&mean).map(|(v, m)| v - m).collect();
        for i in 0..d {
            (0..d).for_each(|j| products[i * d + j] += p[i] * p[j]);
        }
    }
    let axes = symmetric_eigen(d, products, 2, progress)?;
    let k = axes.values.len();
    let along = |p: &[f64], axis: usize| {
        if axis < k { (0..d).map(|i| (p[i] - mean[i]) * axes.vectors[i * k + axis]).sum() } else { 0.0 }
    };
    let places: Vec<[f64; 2]> = points.chunks_exact(d).map(|p| [along(p, 0), along(p, 1)]).collect();
    let most = places.iter().flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
    let factor = if most > 0.0 { START / most } else { 0.0 };
    let mut random = Stream::new(seed, 0);
    Ok(places.iter().map(|p| p.map(|v| (v * factor + 1e-4 * random.normal()) as f32)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{NeighborSettings, neighbors};
    use super::*;

    #[test]
    fn the_curve_is_the_usual_one() {
        for ((min_dist, spread), (a, b)) in [((0.5, 1.0), (0.583_03, 1.334_17)), ((0.1, 1.0), (1.576_94, 0.895_06))] {
            let curve = Curve::fit(min_dist, spread).unwrap();
            assert!((curve.a - a).abs() < 1e-3 && (curve.b - b).abs() < 1e-3, "{curve:?}");
        }
    }

    #[test]
    fn groups_stay_apart_and_threads_do_not_matter() {
        let (n, d) = (240, 5);
        let mut r = Stream::new(3, 0);
        let points: Vec<f64> = (0..n * d).map(|i| r.normal() + if i / d % 3 == i % d { 12.0 } else { 0.0 }).collect();
        let graph = neighbors(d, &points, &NeighborSettings::default(), &Progress::none()).unwrap().connectivities;
        let map = embed(&graph, d, &points, &EmbedSettings::default(), &Progress::none()).unwrap();
        let center = |g: usize| {
            let of: Vec<&[f32; 2]> = map.places.iter().skip(g).step_by(3).collect();
            [0, 1].map(|a| of.iter().map(|p| p[a]).sum::<f32>() / of.len() as f32)
        };
        let centers = [center(0), center(1), center(2)];
        for (i, p) in map.places.iter().enumerate() {
            let distance = |c: &[f32; 2]| (p[0] - c[0]).hypot(p[1] - c[1]);
            assert!(centers.iter().all(|c| distance(c) >= distance(&centers[i % 3])), "{i}");
        }
        let again = embed(&graph, d, &points, &EmbedSettings::default(), &Progress::none()).unwrap();
        assert_eq!(map, again);
        let wrong = EmbedSettings { min_dist: 2.0, ..EmbedSettings::default() };
        assert!(embed(&graph, d, &points, &wrong, &Progress::none()).is_err());
        assert!(embed(&graph, d, &points[1..], &EmbedSettings::default(), &Progress::none()).is_err());
    }
}
