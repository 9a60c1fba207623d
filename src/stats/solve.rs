//! Small dense linear systems by LU with partial pivoting.

use crate::base::{Error, Result};
use faer::Mat;
use faer::prelude::Solve;

/// `x` with `a x = b`: `a` is n×n, `b` and `x` are n×m, all row-major.
/// [`Error::Degenerate`] where `a` is singular or not finite. Costs O(n³ + n²m).
pub fn solve(n: usize, a: &[f64], m: usize, b: &[f64]) -> Result<Vec<f64>> {
    if a.len() != n * n || b.len() != n * m {
        return Err(Error::parameter(format!(
            "a system of {n} equations and {m} right sides got {} and {} numbers",
            a.len(),
            b.len()
        )));
    }
    if n == 0 || m == 0 {
        return Ok(Vec::new());
    }
    if a.iter().chain(b).any(|v| !v.is_finite()) {
        return Err(Error::degenerate(format!("a system of {n} equations holds a number that is not finite")));
    }
    let lu = Mat::from_fn(n, n, |i, j| a[i * n + j]).partial_piv_lu();
    let u = lu.U();
    let pivots = (0..n).map(|i| u[(i, i)].abs());
    let (least, most) = pivots.fold((f64::INFINITY, 0.0_f64), |(lo, hi), p| (lo.min(p), hi.max(p)));
    if least.is_nan() || least <= most * f64::EPSILON * 1e-4 {
        return Err(Error::degenerate(format!("a system of {n} equations is singular (pivots from {least:e} to {most:e})")));
    }
    let x = lu.solve(Mat::from_fn(n, m, |i, j| b[i * m + j]));
    let x: Vec<f64> = (0..n * m).map(|k| x[(k / m, k % m)]).collect();
    if x.iter().all(|v| v.is_finite()) { Ok(x) } else { Err(Error::degenerate(format!("a system of {n} equations is singular"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let x = solve(2, &[0.0, 2.0, 4.0, 1.0], 2, &[2.0, 4.0, 5.0, 6.0]).unwrap();
        for (got, want) in x.iter().zip([1.0, 1.0, 1.0, 2.0]) {
            assert!((got - want).abs() < 1e-14);
        }
        assert!(matches!(solve(2, &[1.0, 2.0, 2.0, 4.0], 1, &[1.0, 1.0]), Err(Error::Degenerate(_))));
        assert!(solve(2, &[1.0, f64::NAN, 2.0, 4.0], 1, &[1.0, 1.0]).is_err());
        assert!(solve(0, &[], 1, &[]).unwrap().is_empty());
    }
}
