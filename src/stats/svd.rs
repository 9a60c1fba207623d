//! Thin singular value decomposition of small dense matrices.

use crate::base::{Error, Result};
use faer::Mat;

/// `a = u · diag(s) · vᵀ` with k = min(rows, columns).
#[derive(Clone, Debug, PartialEq)]
pub struct ThinSvd {
    /// Left vectors, rows × k, row-major.
    pub u: Vec<f64>,
    /// Singular values, largest first.
    pub s: Vec<f64>,
    /// Right vectors, columns × k, row-major (not transposed).
    pub v: Vec<f64>,
}

/// Thin decomposition of a row-major matrix; [`Error::Degenerate`] where it holds NaN or infinities.
pub fn thin_svd(n_rows: usize, n_columns: usize, a: &[f64]) -> Result<ThinSvd> {
    if a.len() != n_rows * n_columns || a.is_empty() {
        return Err(Error::parameter(format!("a {n_rows}×{n_columns} matrix got {} numbers", a.len())));
    }
    if a.iter().any(|v| !v.is_finite()) {
        return Err(Error::degenerate(format!("a {n_rows}×{n_columns} matrix holds a number that is not finite")));
    }
    let svd = Mat::from_fn(n_rows, n_columns, |i, j| a[i * n_columns + j])
        .thin_svd()
        .map_err(|_| Error::degenerate(format!("the singular values of a {n_rows}×{n_columns} matrix did not converge")))?;
    let k = n_rows.min(n_columns);
    let (u, v, s) = (svd.U(), svd.V(), svd.S().column_vector());
    Ok(ThinSvd {
        u: (0..n_rows * k).map(|i| u[(i / k, i % k)]).collect(),
        s: (0..k).map(|i| s[i]).collect(),
        v: (0..n_columns * k).map(|i| v[(i / k, i % k)]).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_multiply_back() {
        let a = [1.0, 2.0, 3.0, -4.0, 0.5, 6.0, 7.0, 8.0, 9.0, 1.0, 1.0, 0.0];
        let f = thin_svd(4, 3, &a).unwrap();
        assert!(f.s.windows(2).all(|w| w[0] >= w[1]));
        for i in 0..4 {
            for j in 0..3 {
                let back: f64 = (0..3).map(|k| f.u[i * 3 + k] * f.s[k] * f.v[j * 3 + k]).sum();
                assert!((back - a[i * 3 + j]).abs() < 1e-13);
            }
        }
        assert!(thin_svd(1, 2, &[f64::NAN, 0.0]).is_err());
    }
}
