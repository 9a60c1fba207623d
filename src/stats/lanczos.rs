//! A few leading eigenvalues of a symmetric matrix without negative ones: Lanczos iterations with full
//! orthogonalization and thick restarts (K. Wu, H. Simon, SIAM J. Matrix Anal. Appl. 22 (2000) 602–616).

use super::decompose::{Eigen, eigen};
use crate::stats::Stream;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatRef, Par, Spec};
use rayon::prelude::*;

/// Below this size all eigenvalues cost less.
const SMALLEST: usize = 400;
/// Restarts before all eigenvalues are computed instead.
const MOST_RESTARTS: usize = 40;
/// Residual that ends the iterations, as a part of the size (Frobenius norm) of the matrix.
const TOLERANCE: f64 = 1e-13;

/// The `k` largest eigenvalues and their vectors; `None` where computing all is cheaper, the iterations do not converge, or
/// it cannot be proved that none was passed over.
pub(super) fn lanczos(n: usize, a: &[f64], k: usize) -> Option<Eigen> {
    if n < SMALLEST || k == 0 || 4 * k + 100 > n {
        return None;
    }
    let size = a.iter().map(|v| v * v).sum::<f64>().sqrt();
    let found = Space::new(n, k).leading(a, k, TOLERANCE * size)?;
    (found.values[k - 1] > 1e-10 * size && is_leading(n, a, &found)).then_some(found)
}

/// A basis of the directions that were looked at, and what the matrix does between them.
struct Space {
    /// Orthonormal columns.
    basis: Mat<f64>,
    /// Basisᵀ · A · basis.
    inner: Mat<f64>,
}

impl Space {
    fn new(n: usize, k: usize) -> Self {
        let width = 2 * k + 50;
        let mut random = Stream::new(0, 0);
        let mut basis = Mat::zeros(n, width + 1);
        (0..n).for_each(|i| basis[(i, 0)] = random.normal());
        let norm = basis.col(0).norm_l2();
        (0..n).for_each(|i| basis[(i, 0)] /= norm);
        Self { basis, inner: Mat::zeros(width, width) }
    }

    fn leading(mut self, a: &[f64], k: usize, tolerance: f64) -> Option<Eigen> {
        let (n, width) = (self.basis.nrows(), self.inner.nrows());
        let kept = k + (width - k) / 3;
        let mut from = 0;
        for _ in 0..MOST_RESTARTS {
            let mut rest = 0.0;
            for j in from..width {
                rest = self.widen(a, j);
                if rest <= tolerance {
                    return None;
                }
            }
            let flat: Vec<f64> = (0..width * width).map(|i| self.inner[(i / width, i % width)]).collect();
            let found = eigen(width, &flat, kept).ok()?;
            let rotation = MatRef::from_row_major_slice(&found.vectors, width, kept);
            let mut vectors = Mat::<f64>::zeros(n, kept);
            matmul(vectors.as_mut(), Accum::Replace, self.basis.subcols(0, width), rotation, 1.0, Par::Seq);
            if (0..k).all(|j| rest * rotation[(width - 1, j)].abs() <= tolerance) {
                let vectors = (0..n * k).map(|i| vectors[(i / k, i % k)]).collect();
                return Some(Eigen { values: found.values[..k].to_vec(), vectors });
            }
            self.basis.as_mut().subcols_mut(0, kept).copy_from(&vectors);
            let last = self.basis.col(width).to_owned();
            self.basis.col_mut(kept).copy_from(&last);
            self.inner.fill(0.0);
            (0..kept).for_each(|j| self.inner[(j, j)] = found.values[j]);
            from = kept;
        }
        None
    }

    /// Adds the direction that the matrix gives to column `j`; how much of it is new.
    fn widen(&mut self, a: &[f64], j: usize) -> f64 {
        let n = self.basis.nrows();
        let (known, mut new) = self.basis.as_mut().split_at_col_mut(j + 1);
        let known = known.as_ref();
        let mut next = product(n, a, known.col(j).as_mat());
        let mut along = Mat::<f64>::zeros(j + 1, 1);
        // Twice is enough.
        for _ in 0..2 {
            let mut part = Mat::<f64>::zeros(j + 1, 1);
            matmul(part.as_mut(), Accum::Replace, known.transpose(), next.as_ref(), 1.0, Par::Seq);
            matmul(next.as_mut(), Accum::Add, known, part.as_ref(), -1.0, Par::Seq);
            along += part;
        }
        for i in 0..=j {
            (self.inner[(i, j)], self.inner[(j, i)]) = (along[(i, 0)], along[(i, 0)]);
        }
        let norm = next.norm_l2();
        let by = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        let mut column = new.rb_mut().col_mut(0);
        (0..n).for_each(|i| column[i] = next[(i, 0)] * by);
        norm
    }
}

/// A · v. Every entry is one sum in a fixed order, so the threads change nothing.
fn product(n: usize, a: &[f64], v: MatRef<'_, f64>) -> Mat<f64> {
    const ROWS: usize = 128;
    let pieces = a.par_chunks(ROWS * n).map(|rows| {
        let rows = MatRef::from_row_major_slice(rows, rows.len() / n, n);
        let mut out = Mat::<f64>::zeros(rows.nrows(), 1);
        matmul(out.as_mut(), Accum::Replace, rows, v, 1.0, Par::Seq);
        out
    });
    let pieces: Vec<Mat<f64>> = pieces.collect();
    Mat::from_fn(n, 1, |i, _| pieces[i / ROWS][(i % ROWS, 0)])
}

/// Whether nothing above the last value is left once the found ones are taken out: σ I − (A − V Λ Vᵀ) then has a Cholesky
/// factor for σ a little above it.
fn is_leading(n: usize, a: &[f64], found: &Eigen) -> bool {
    let k = found.values.len();
    let vectors = MatRef::from_row_major_slice(&found.vectors, n, k);
    let scaled = Mat::from_fn(n, k, |i, j| vectors[(i, j)] * found.values[j]);
    let mut rest = Mat::from_fn(n, n, |i, j| -a[i * n + j]);
    matmul(rest.as_mut(), Accum::Add, scaled.as_ref(), vectors.transpose(), 1.0, Par::Seq);
    let least = found.values[k - 1] * (1.0 + 1e-9);
    (0..n).for_each(|i| rest[(i, i)] += least);
    let mut memory = MemBuffer::new(cholesky_in_place_scratch::<f64>(n, Par::Seq, Spec::default()));
    let stack = MemStack::new(&mut memory);
    cholesky_in_place(rest.as_mut(), LltRegularization::default(), Par::Seq, stack, Spec::default()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Progress;
    use crate::stats::leading_eigen;

    #[test]
    fn few_leading_vectors_are_those_of_the_whole() {
        let (n, k) = (450, 12);
        let mut random = Stream::new(4, 0);
        // Two equal eigenvalues among the leading ones: one start vector alone does not see both.
        let wide: Vec<f64> = (0..n * 500).map(|_| random.normal()).collect();
        let product = |i: usize, j: usize| (0..500).map(|r| wide[i * 500 + r] * wide[j * 500 + r]).sum::<f64>();
        let mut a: Vec<f64> = (0..n * n).map(|i| product(i / n, i % n)).collect();
        let compare = |a: &[f64]| {
            let (all, few) = (eigen(n, a, k).unwrap(), leading_eigen(n, a.to_vec(), k, &Progress::none()).unwrap());
            for j in 0..k {
                assert!((all.values[j] / few.values[j] - 1.0).abs() < 1e-12, "{j}: {} {}", all.values[j], few.values[j]);
                let along: f64 = (0..n).map(|i| all.vectors[i * k + j] * few.vectors[i * k + j]).sum();
                assert!((along.abs() - 1.0).abs() < 1e-9, "{j}: {along}");
            }
        };
        compare(&a);
        assert!(lanczos(n, &a, k).is_some());
        for i in 0..n {
            for j in [0, 1] {
                (a[i * n + j], a[j * n + i]) = (0.0, 0.0);
            }
        }
        (a[0], a[n + 1]) = (1e4, 1e4);
        let found = leading_eigen(n, a.clone(), k, &Progress::none()).unwrap();
        assert!(found.values[..2].iter().all(|v| (v / 1e4 - 1.0).abs() < 1e-12));
        let whole = eigen(n, &a, k).unwrap();
        assert!(found.values.iter().zip(&whole.values).all(|(a, b)| (a / b - 1.0).abs() < 1e-12));
    }
}
