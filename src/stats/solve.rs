//! Solution of one small dense linear system by Gaussian elimination with partial pivoting.

use crate::base::{Error, Result};

/// `X` of `A X = B` for `A` of `n × n` and `B` of `n × m`, both row by row; `X` is returned row by row.
/// [`Error::Degenerate`] where `A` is singular to working precision. Cost: `n³/3 + n² m`.
pub fn solve(n: usize, a: &[f64], m: usize, b: &[f64]) -> Result<Vec<f64>> {
    if a.len() != n * n || b.len() != n * m {
        return Err(Error::parameter(format!("{} and {} numbers for a system of {n} × {n} and {n} × {m}", a.len(), b.len())));
    }
    let (mut a, mut x) = (a.to_vec(), b.to_vec());
    let largest = a.iter().fold(0.0f64, |w, v| w.max(v.abs()));
    for col in 0..n {
        let pivot = (col..n).max_by(|&i, &j| a[i * n + col].abs().total_cmp(&a[j * n + col].abs())).unwrap_or(col);
        let head = a[pivot * n + col];
        if !head.is_finite() || head.abs() <= largest * 1e-14 {
            return Err(Error::degenerate(format!("the {n} × {n} system is singular at column {col} (pivot {head:e})")));
        }
        swap_rows(&mut a, n, col, pivot);
        swap_rows(&mut x, m, col, pivot);
        for row in col + 1..n {
            let factor = a[row * n + col] / head;
            if factor != 0.0 {
                subtract_row(&mut a, n, row, col, factor);
                subtract_row(&mut x, m, row, col, factor);
            }
        }
    }
    for col in (0..n).rev() {
        let head = a[col * n + col];
        x[col * m..(col + 1) * m].iter_mut().for_each(|v| *v /= head);
        for row in 0..col {
            subtract_row(&mut x, m, row, col, a[row * n + col]);
        }
    }
    Ok(x)
}

fn swap_rows(values: &mut [f64], width: usize, i: usize, j: usize) {
    if i != j {
        (0..width).for_each(|k| values.swap(i * width + k, j * width + k));
    }
}

/// Row `row` less `factor` times row `other`.
fn subtract_row(values: &mut [f64], width: usize, row: usize, other: usize, factor: f64) {
    for k in 0..width {
        values[row * width + k] -= factor * values[other * width + k];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_refuses() {
        let a = [0.0, 2.0, 1.0, 1.0, -1.0, 0.0, 3.0, 0.5, -2.0];
        let x = [1.0, -4.0, 2.5, 0.25, -3.0, 7.0];
        let b: Vec<f64> = (0..3).flat_map(|i| (0..2).map(move |j| (0..3).map(|k| a[i * 3 + k] * x[k * 2 + j]).sum())).collect();
        let got = solve(3, &a, 2, &b).unwrap();
        assert!(got.iter().zip(x).all(|(g, x)| (g - x).abs() < 1e-13), "{got:?}");
        assert!(matches!(solve(2, &[1.0, 2.0, 2.0, 4.0], 1, &[1.0, 2.0]), Err(Error::Degenerate(_))));
        assert!(matches!(solve(2, &[1.0], 1, &[1.0, 2.0]), Err(Error::Parameter(_))));
    }
}
