//! Symmetric positive definite systems by Cholesky's factor. Sums run in one fixed order, so the answer
//! does not depend on threads.

use crate::base::{Error, Result};

/// `a = l · lᵀ` with `l` lower triangular.
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    n: usize,
    /// Row-major, zero above the diagonal.
    l: Vec<f64>,
}

impl Cholesky {
    /// Factors a symmetric n×n matrix (row-major; the lower triangle is read). [`Error::Degenerate`] where
    /// it is not positive definite within rounding. Costs n³/3 multiplications.
    pub fn new(n: usize, a: &[f64]) -> Result<Self> {
        if a.len() != n * n {
            return Err(Error::parameter(format!("a {n}×{n} matrix got {} numbers", a.len())));
        }
        let mut l = vec![0.0; n * n];
        for i in 0..n {
            let (above, row) = l.split_at_mut(i * n);
            for j in 0..i {
                let other = &above[j * n..j * n + j];
                row[j] = (a[i * n + j] - dot(&row[..j], other)) / above[j * n + j];
            }
            let left = a[i * n + i] - dot(&row[..i], &row[..i]);
            if left.is_nan() || left <= a[i * n + i].abs() * 1e-13 {
                return Err(Error::degenerate(format!(
                    "the matrix of {n} features is not positive definite (column {} follows from the others); use a larger penalty",
                    i + 1
                )));
            }
            row[i] = left.sqrt();
        }
        Ok(Self { n, l })
    }

    /// `x` with `a x = b` for one right side, in place.
    pub fn solve_in_place(&self, b: &mut [f64]) {
        self.forward(b);
        for i in (0..self.n).rev() {
            let below = b.iter().enumerate().skip(i + 1).map(|(k, v)| self.l[k * self.n + i] * v);
            b[i] = (b[i] - below.sum::<f64>()) / self.l[i * self.n + i];
        }
    }

    /// `bᵀ a⁻¹ b`: the squared length of `b` in the metric of the inverse.
    #[must_use]
    pub fn inverse_norm_squared(&self, b: &[f64]) -> f64 {
        let mut half = b.to_vec();
        self.forward(&mut half);
        dot(&half, &half)
    }

    /// Natural logarithm of the determinant of `a`.
    #[must_use]
    pub fn log_determinant(&self) -> f64 {
        2.0 * (0..self.n).map(|i| self.l[i * self.n + i].ln()).sum::<f64>()
    }

    fn forward(&self, b: &mut [f64]) {
        for i in 0..self.n {
            let row = &self.l[i * self.n..i * self.n + i];
            b[i] = (b[i] - dot(row, &b[..i])) / self.l[i * self.n + i];
        }
    }
}

/// Sum of products in four lanes that are added at the end, always in the same order.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        (0..4).for_each(|k| lanes[k] += x[k] * y[k]);
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let factor = Cholesky::new(3, &a).unwrap();
        let mut x = [1.0, -2.0, 0.5];
        factor.solve_in_place(&mut x);
        for (i, want) in [1.0, -2.0, 0.5].into_iter().enumerate() {
            assert!((dot(&a[i * 3..i * 3 + 3], &x) - want).abs() < 1e-14);
        }
        let norm = factor.inverse_norm_squared(&[1.0, -2.0, 0.5]);
        assert!((norm - dot(&[1.0, -2.0, 0.5], &x)).abs() < 1e-14);
        assert!(matches!(Cholesky::new(2, &[1.0, 2.0, 2.0, 4.0]), Err(Error::Degenerate(_))));
        assert!(Cholesky::new(2, &[1.0, f64::NAN, f64::NAN, 4.0]).is_err());
        assert!(Cholesky::new(2, &[1.0]).is_err());
    }
}
