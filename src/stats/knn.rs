//! The nearest points of every point in a space of many dimensions, all of them compared: products of
//! blocks say which are near, then distances are taken exactly.

use crate::base::{Error, Progress, Result};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Points of one block on either side.
const BLOCK: usize = 256;
/// So many more points are kept than asked for, since single precision may mistake their order.
const SPARE: usize = 8;

/// Neighbors of n points, k each.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbors {
    /// How many each has.
    pub k: usize,
    /// Numbers of the neighbors, n × k, nearest first, never the point itself.
    pub places: Vec<u32>,
    /// Euclidean distances, n × k.
    pub distances: Vec<f64>,
}

/// The `k` nearest other points of each of n points with `d` coordinates (row-major); ties go to the smaller
/// number. `k` is at most n − 1. Costs n² d multiplications in single precision.
pub fn nearest_neighbors(d: usize, points: &[f64], k: usize, progress: &Progress) -> Result<Neighbors> {
    if d == 0 || !points.len().is_multiple_of(d) || points.iter().any(|v| !v.is_finite()) {
        return Err(Error::degenerate(format!("{} numbers are no finite points of {d} coordinates", points.len())));
    }
    let n = points.len() / d;
    if k == 0 || k >= n {
        return Err(Error::parameter(format!("{k} neighbors of {n} points; between 1 and {} are possible", n.saturating_sub(1))));
    }
    let near = centered(d, points);
    let lengths: Vec<f32> = near.chunks_exact(d).map(|p| p.iter().map(|v| v * v).sum()).collect();
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let block = |start: usize| {
        let rows = start..(start + BLOCK).min(n);
        let mut best = vec![Best::new((k + SPARE).min(n - 1)); rows.len()];
        let mut products = vec![0.0_f32; BLOCK * BLOCK];
        for other in (0..n).step_by(BLOCK) {
            progress.step(start as f64 / n as f64, "comparing points")?;
            let others = other..(other + BLOCK).min(n);
            let side = |r: &std::ops::Range<usize>| MatRef::from_row_major_slice(&near[r.start * d..r.end * d], r.len(), d);
            let out = MatMut::from_row_major_slice_mut(&mut products[..rows.len() * others.len()], rows.len(), others.len());
            matmul(out, Accum::Replace, side(&rows), side(&others).transpose(), 1.0_f32, Par::Seq);
            for (i, line) in products.chunks_exact(others.len()).take(rows.len()).enumerate() {
                best[i].look(start + i, lengths[start + i], others.start, &lengths[others.clone()], line);
            }
        }
        let exact = best.into_iter().enumerate().map(|(i, b)| b.exact(start + i, d, points, k));
        Ok(exact.collect::<Vec<_>>())
    };
    let done: Vec<Vec<Vec<(f64, u32)>>> = starts.into_par_iter().map(block).collect::<Result<_>>()?;
    let (distances, places) = done.into_iter().flatten().flatten().unzip();
    Ok(Neighbors { k, places, distances })
}

/// In single precision around the mean, where differences keep their digits.
fn centered(d: usize, points: &[f64]) -> Vec<f32> {
    let n = points.len() / d;
    let mut mean = vec![0.0; d];
    points.chunks_exact(d).for_each(|p| mean.iter_mut().zip(p).for_each(|(m, v)| *m += v / n as f64));
    points.iter().enumerate().map(|(i, v)| (v - mean[i % d]) as f32).collect()
}

/// The nearest so far, by squared distance, nearest first.
#[derive(Clone)]
struct Best {
    size: usize,
    near: Vec<(f32, u32)>,
}

impl Best {
    fn new(size: usize) -> Self {
        Self { size, near: Vec::with_capacity(size + 1) }
    }

    fn look(&mut self, own: usize, length: f32, first: usize, lengths: &[f32], products: &[f32]) {
        const PIECE: usize = 32;
        let mut limit = self.limit();
        let pieces = products.chunks(PIECE).zip(lengths.chunks(PIECE));
        for (start, (products, lengths)) in (first..).step_by(PIECE).zip(pieces) {
            // Most pieces have nothing near, which one look at all of it tells.
            let square = |(product, other): (&f32, &f32)| length + other - 2.0 * product;
            let is_near = products.iter().zip(lengths).map(square).fold(0, |n, s| n + u32::from(s < limit)) > 0;
            if !is_near {
                continue;
            }
            for (j, square) in (start..).zip(products.iter().zip(lengths).map(square)) {
                if square < limit && j != own {
                    let at = self.near.partition_point(|b| b.0 <= square);
                    self.near.insert(at, (square, j as u32));
                    self.near.truncate(self.size);
                    limit = self.limit();
                }
            }
        }
    }

    fn limit(&self) -> f32 {
        if self.near.len() < self.size { f32::INFINITY } else { self.near[self.size - 1].0 }
    }

    fn exact(self, own: usize, d: usize, points: &[f64], k: usize) -> Vec<(f64, u32)> {
        let point = |i: usize| &points[i * d..(i + 1) * d];
        let distance = |j: u32| point(own).iter().zip(point(j as usize)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        let mut out: Vec<(f64, u32)> = self.near.into_iter().map(|(_, j)| (distance(j), j)).collect();
        out.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        out.truncate(k);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    #[test]
    fn neighbors_are_those_of_a_full_search() {
        let (n, d, k) = (700, 7, 6);
        let mut r = Stream::new(1, 0);
        let points: Vec<f64> = (0..n * d).map(|_| 100.0 + r.normal()).collect();
        let found = nearest_neighbors(d, &points, k, &Progress::none()).unwrap();
        for i in (0..n).step_by(37) {
            let distance = |j: usize| (0..d).map(|a| (points[i * d + a] - points[j * d + a]).powi(2)).sum::<f64>().sqrt();
            let mut all: Vec<(f64, u32)> = (0..n).filter(|j| *j != i).map(|j| (distance(j), j as u32)).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            let want: Vec<u32> = all[..k].iter().map(|a| a.1).collect();
            assert_eq!(found.places[i * k..(i + 1) * k], want[..]);
        }
        assert!(nearest_neighbors(d, &points[..d], 1, &Progress::none()).is_err());
        assert!(nearest_neighbors(1, &[0.0, f64::NAN], 1, &Progress::none()).is_err());
        assert_eq!(nearest_neighbors(1, &[0.0, 0.0, 0.0], 2, &Progress::none()).unwrap().places, [1, 2, 0, 2, 0, 1]);
    }
}
