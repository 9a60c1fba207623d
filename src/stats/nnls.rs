//! Least squares with weights that are not negative, for many right sides against one matrix.
//! Source: C. L. Lawson, R. J. Hanson, "Solving Least Squares Problems", 1974, chapter 23; the matrix is
//! reduced once by its singular vectors, so that a right side costs as if there were as few rows as columns.

use super::{Cholesky, dot, long_svd};
use crate::base::{Progress, Result};

/// Steps of one solution, by column; ordinary problems take about one for each positive weight.
const MOST_STEPS: usize = 30;
/// Corrections of a solution by its own rest, which give back the digits that squaring the matrix costs.
const N_REFINEMENTS: usize = 2;

/// A matrix with n rows and k columns, prepared for right sides.
#[derive(Clone, Debug)]
pub struct Nnls {
    k: usize,
    /// Rows of the reduced matrix.
    m: usize,
    /// n × m, orthonormal columns.
    basis: Vec<f64>,
    /// m × k, row-major.
    reduced: Vec<f64>,
    /// k × k.
    gram: Vec<f64>,
}

impl Nnls {
    /// Prepares a row-major n×k matrix of finite numbers. Costs about 6 n k².
    pub fn new(n: usize, k: usize, a: &[f64], progress: &Progress) -> Result<Self> {
        let svd = long_svd(n, k, a.to_vec(), progress)?;
        let m = svd.s.len();
        let reduced: Vec<f64> = (0..m * k).map(|i| svd.s[i / k] * svd.v[i % k * m + i / k]).collect();
        let entry = |i: usize, j: usize| (0..m).map(|r| reduced[r * k + i] * reduced[r * k + j]).sum();
        let gram = (0..k * k).map(|i| entry(i / k, i % k)).collect();
        Ok(Self { k, m, basis: svd.u, reduced, gram })
    }

    /// Numbers of a reduced right side: `min(n, k)`.
    #[must_use]
    pub fn n_reduced(&self) -> usize {
        self.m
    }

    /// What each of some rows adds to the reduced right side for each unit of the right side there, row by row.
    #[must_use]
    pub fn basis_rows(&self, rows: std::ops::Range<usize>) -> &[f64] {
        &self.basis[rows.start * self.m..rows.end * self.m]
    }

    /// Number of independent columns.
    #[must_use]
    pub fn rank(&self) -> usize {
        let length = |r: usize| dot(&self.reduced[r * self.k..(r + 1) * self.k], &self.reduced[r * self.k..(r + 1) * self.k]);
        let most = (0..self.m).map(length).fold(0.0, f64::max).sqrt();
        (0..self.m).filter(|&r| length(r).sqrt() > 1e-10 * most).count()
    }

    /// The weights that are not negative and leave the smallest rest of a reduced right side. Where columns
    /// follow from each other there are several such, and the first columns are preferred.
    #[must_use]
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (k, size) = (self.k, dot(b, b).sqrt());
        let mut x = vec![0.0; k];
        let (mut used, mut refused): (Vec<usize>, Vec<bool>) = (Vec::new(), vec![false; k]);
        for _ in 0..MOST_STEPS * (k + 1) {
            let Some(next) = self.steepest(b, size, &x, &used, &refused) else { break };
            used.push(next);
            let fit = self.fit(b, &used).filter(|z| z[z.len() - 1] > 0.0);
            let Some(fit) = fit else {
                used.pop();
                refused[next] = true;
                continue;
            };
            self.walk(b, fit, &mut x, &mut used);
            refused.fill(false);
        }
        x
    }

    /// The unused column along which the rest falls fastest.
    fn steepest(&self, b: &[f64], size: f64, x: &[f64], used: &[usize], refused: &[bool]) -> Option<usize> {
        let rest = self.rest(b, x);
        let mut best = (0.0, None);
        for j in (0..self.k).filter(|j| !refused[*j] && !used.contains(j)) {
            let slope = self.along(j, &rest);
            let least = 10.0 * self.k as f64 * f64::EPSILON * self.gram[j * self.k + j].sqrt() * size;
            if slope > least && slope > best.0 {
                best = (slope, Some(j));
            }
        }
        best.1
    }

    /// Goes from `x` towards the fit and drops the columns that reach zero on the way.
    fn walk(&self, b: &[f64], mut fit: Vec<f64>, x: &mut [f64], used: &mut Vec<usize>) {
        while fit.iter().any(|z| *z <= 0.0) {
            let ratio = |(&j, &z): (&usize, &f64)| if z <= 0.0 { x[j] / (x[j] - z) } else { f64::INFINITY };
            let step = used.iter().zip(&fit).map(ratio).fold(f64::INFINITY, f64::min).clamp(0.0, 1.0);
            let reached: Vec<bool> = used.iter().zip(&fit).map(|(j, z)| *z <= 0.0 && ratio((j, z)) <= step).collect();
            for (at, &j) in used.iter().enumerate() {
                x[j] = if reached[at] { 0.0 } else { x[j] + step * (fit[at] - x[j]) };
            }
            let mut at = 0;
            used.retain(|_| {
                at += 1;
                !reached[at - 1]
            });
            match self.fit(b, used) {
                Some(z) => fit = z,
                None => return,
            }
        }
        x.fill(0.0);
        used.iter().zip(&fit).for_each(|(&j, &z)| x[j] = z);
    }

    /// Least squares on some columns; none where they follow from each other.
    fn fit(&self, b: &[f64], used: &[usize]) -> Option<Vec<f64>> {
        let p = used.len();
        let part: Vec<f64> = (0..p * p).map(|i| self.gram[used[i / p] * self.k + used[i % p]]).collect();
        let factor = Cholesky::new(p, &part).ok()?;
        let mut z: Vec<f64> = used.iter().map(|&j| self.along(j, b)).collect();
        factor.solve_in_place(&mut z);
        for _ in 0..N_REFINEMENTS {
            let mut x = vec![0.0; self.k];
            used.iter().zip(&z).for_each(|(&j, &v)| x[j] = v);
            let rest = self.rest(b, &x);
            let mut change: Vec<f64> = used.iter().map(|&j| self.along(j, &rest)).collect();
            factor.solve_in_place(&mut change);
            z.iter_mut().zip(&change).for_each(|(z, c)| *z += c);
        }
        Some(z)
    }

    fn along(&self, column: usize, v: &[f64]) -> f64 {
        (0..self.m).map(|r| self.reduced[r * self.k + column] * v[r]).sum()
    }

    fn rest(&self, b: &[f64], x: &[f64]) -> Vec<f64> {
        (0..self.m).map(|r| b[r] - dot(&self.reduced[r * self.k..(r + 1) * self.k], x)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    fn solve(n: usize, k: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
        let nnls = Nnls::new(n, k, a, &Progress::none()).unwrap();
        let reduced: Vec<f64> =
            (0..nnls.n_reduced()).map(|m| (0..n).map(|i| b[i] * nnls.basis_rows(i..i + 1)[m]).sum()).collect();
        nnls.solve(&reduced)
    }

    /// Positive weights have no slope, zero weights none that leads up: the conditions of Karush, Kuhn and Tucker.
    #[test]
    fn the_solution_is_optimal() {
        let mut r = Stream::new(8, 0);
        for (n, k) in [(30, 6), (4, 4), (3, 7), (60, 25), (1, 1)] {
            for _ in 0..40 {
                let a: Vec<f64> = (0..n * k).map(|_| r.normal()).collect();
                let b: Vec<f64> = (0..n).map(|_| r.normal()).collect();
                let x = solve(n, k, &a, &b);
                let rest: Vec<f64> = (0..n).map(|i| b[i] - dot(&a[i * k..(i + 1) * k], &x)).collect();
                for j in 0..k {
                    let slope: f64 = (0..n).map(|i| a[i * k + j] * rest[i]).sum();
                    assert!(x[j] >= 0.0);
                    assert!(if x[j] > 0.0 { slope.abs() < 1e-10 } else { slope < 1e-10 }, "{n}×{k}: {} {slope}", x[j]);
                }
            }
        }
    }

    #[test]
    fn an_ill_conditioned_matrix_keeps_its_digits() {
        let (n, k) = (40, 5);
        let mut r = Stream::new(8, 1);
        let mut a: Vec<f64> = (0..n * k).map(|_| 1.0 + r.uniform()).collect();
        (0..n).for_each(|i| a[i * k + 4] = a[i * k + 3] * (1.0 + 1e-5 * r.uniform()));
        let truth = [0.5, 0.0, 0.2, 0.1, 0.2];
        let b: Vec<f64> = (0..n).map(|i| dot(&a[i * k..(i + 1) * k], &truth)).collect();
        let x = solve(n, k, &a, &b);
        let worst = x.iter().zip(truth).map(|(x, t)| (x - t).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-8, "{worst}");
    }

    #[test]
    fn equal_columns_are_known() {
        let a = [1.0, 1.0, 2.0, 2.0, 0.5, 0.5];
        let nnls = Nnls::new(3, 2, &a, &Progress::none()).unwrap();
        assert_eq!(nnls.rank(), 1);
        let x = solve(3, 2, &a, &[1.0, 2.0, 0.5]);
        assert!((x[0] + x[1] - 1.0).abs() < 1e-12);
        assert_eq!(solve(3, 2, &a, &[-1.0, -2.0, -0.5]), [0.0, 0.0]);
        assert_eq!(solve(3, 2, &a, &[0.0, 0.0, 0.0]), [0.0, 0.0]);
    }
}
