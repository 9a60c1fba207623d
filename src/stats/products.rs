//! Products of row-major matrices on one thread, so that the last bit does not depend on how many there are.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// `out` (n × m) plus `factor` times Aᵀ · B, for A of rows × n and B of rows × m. The sizes follow from `n` and the
/// lengths; what does not fit is left out.
pub fn add_transposed_product(out: &mut [f64], a: &[f64], b: &[f64], n: usize, factor: f64) {
    if n == 0 || a.len() < n {
        return;
    }
    let (rows, m) = (a.len() / n, out.len() / n);
    if b.len() < rows * m {
        return;
    }
    let (a, b) = (MatRef::from_row_major_slice(&a[..rows * n], rows, n), MatRef::from_row_major_slice(&b[..rows * m], rows, m));
    matmul(MatMut::from_row_major_slice_mut(&mut out[..n * m], n, m), Accum::Add, a.transpose(), b, factor, Par::Seq);
}

/// `out` (n × m) plus `factor` times A · Bᵀ, for A of n × k and B of m × k.
pub fn add_product_transposed(out: &mut [f64], a: &[f64], b: &[f64], k: usize, factor: f64) {
    if k == 0 {
        return;
    }
    let (n, m) = (a.len() / k, b.len() / k);
    if out.len() < n * m {
        return;
    }
    let (a, b) = (MatRef::from_row_major_slice(&a[..n * k], n, k), MatRef::from_row_major_slice(&b[..m * k], m, k));
    matmul(MatMut::from_row_major_slice_mut(&mut out[..n * m], n, m), Accum::Add, a, b.transpose(), factor, Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_sums_of_products() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, -1.0, 0.5]);
        let mut out = [10.0, 0.0];
        add_transposed_product(&mut out, &a, &b, 2, 2.0);
        assert_eq!(out, [10.0 + 2.0 * (1.0 - 3.0 + 2.5), 2.0 * (2.0 - 4.0 + 3.0)]);
        let mut out = [1.0, 1.0];
        add_product_transposed(&mut out, &a, &b, 3, -1.0);
        assert_eq!(out, [1.0 - 0.5, 1.0 - 2.0]);
        add_transposed_product(&mut [], &[], &[], 0, 1.0);
        add_product_transposed(&mut [], &[], &[], 0, 1.0);
    }
}
