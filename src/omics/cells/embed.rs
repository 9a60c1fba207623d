//! A map of cells in the plane that keeps neighbors together.
//! Source: L. `McInnes`, J. Healy, J. Melville, arXiv:1802.03426 (2018). Every epoch moves each cell on its own
//! against where the others were, so that the map depends on the seed and not on threads.

use crate::base::{Error, Progress, Result, stream_seed};
use crate::model::Graph;
use crate::stats::{Stream, solve, symmetric_eigen};
use rayon::prelude::*;

/// Cells that are not neighbors, drawn for each neighbor.
const N_NEGATIVE: usize = 5;
/// Steps along one coordinate are not larger.
const MOST_STEP: f32 = 4.0;
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
    let most = graph.parts().2.iter().copied().fold(0.0_f32, f32::max);
    let mut next = places.clone();
    for epoch in 0..epochs {
        progress.step(epoch as f64 / epochs as f64, "arranging cells")?;
        let moves =
            Epoch { graph, curve, most, epoch, epochs, seed: stream_seed(settings.seed, epoch as u64 + 1), places: &places };
        next.par_chunks_mut(BLOCK).enumerate().for_each(|(block, part)| {
            part.iter_mut().enumerate().for_each(|(i, place)| *place = moves.of(block * BLOCK + i));
        });
        std::mem::swap(&mut places, &mut next);
    }
    Ok(Embedding { places, epochs })
}

/// 1 / (1 + a d^2b): how near cells of a distance are to be thought.
#[derive(Clone, Copy, Debug)]
struct Curve {
    a: f32,
    b: f32,
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

/// x to the power p for positive x, to about 1e-5: logarithm and exponential to base 2 by short series, the
/// same on every machine.
fn power(x: f32, p: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let m = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    // Around √2, where the series of (m − √2) / (m + √2) is short.
    let s = (m - std::f32::consts::SQRT_2) / (m + std::f32::consts::SQRT_2);
    let s2 = s * s;
    let log2 = exponent as f32 + 0.5 + s * (2.885_39 + s2 * (0.961_797 + s2 * (0.577_078 + s2 * 0.412_198)));
    let y = (p * log2).clamp(-126.0, 126.0);
    let whole = y.floor();
    let f = y - whole;
    let fraction = 1.0
        + f * (std::f32::consts::LN_2
            + f * (0.240_226_5 + f * (0.055_504_1 + f * (0.009_618_1 + f * (0.001_333_4 + f * 0.000_154)))));
    f32::from_bits(((whole as i32 + 127) << 23) as u32) * fraction
}

/// What moves cells in one epoch.
struct Epoch<'a> {
    graph: &'a Graph,
    curve: Curve,
    most: f32,
    epoch: usize,
    epochs: usize,
    seed: u64,
    places: &'a [[f32; 2]],
}

impl Epoch<'_> {
    /// The place of a cell after this epoch. An edge is used as often as its weight says; it draws the cell twice,
    /// once for each of its directions, and cells drawn at random push it away.
    fn of(&self, cell: usize) -> [f32; 2] {
        let n = self.places.len() as u64;
        let (targets, weights) = self.graph.edges(cell);
        let rate = 1.0 - self.epoch as f32 / self.epochs as f32;
        let mut place = self.places[cell];
        let mut state = stream_seed(self.seed, cell as u64) | 1;
        for (&other, &weight) in targets.iter().zip(weights) {
            let share = f64::from(weight / self.most);
            let is_used = (share * (self.epoch + 1) as f64).floor() > (share * self.epoch as f64).floor();
            if !is_used || other as usize == cell || share * (self.epochs as f64) < 1.0 {
                continue;
            }
            for _ in 0..2 {
                self.move_along(&mut place, self.places[other as usize], rate, true);
            }
            for _ in 0..N_NEGATIVE {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let random = ((u128::from(state) * u128::from(n)) >> 64) as usize;
                if random != cell {
                    self.move_along(&mut place, self.places[random], rate, false);
                }
            }
        }
        place
    }

    fn move_along(&self, place: &mut [f32; 2], other: [f32; 2], rate: f32, is_near: bool) {
        let Curve { a, b } = self.curve;
        let (x, y) = (place[0] - other[0], place[1] - other[1]);
        let square = x * x + y * y;
        if square <= f32::MIN_POSITIVE {
            return;
        }
        let curve = a * power(square, b);
        let factor =
            if is_near { -2.0 * b * curve / (square * (1.0 + curve)) } else { 2.0 * b / ((0.001 + square) * (1.0 + curve)) };
        place[0] += rate * (factor * x).clamp(-MOST_STEP, MOST_STEP);
        place[1] += rate * (factor * y).clamp(-MOST_STEP, MOST_STEP);
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
        for x in [1e-9_f32, 0.3, 1.0, 1.9, 77.0] {
            assert!((power(x, 1.334) / x.powf(1.334) - 1.0).abs() < 1e-4, "{x}");
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
