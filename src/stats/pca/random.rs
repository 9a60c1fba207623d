//! Leading components by random projection with power iterations.

use super::project::{times, transposed_times};
use super::sparse::Centered;
use super::{Pca, PcaMethod, RANK_TOLERANCE};
use crate::base::{Progress, Result};
use crate::stats::{Stream, long_svd};

/// So many more directions than components.
const EXTRA: usize = 20;
/// Power iterations; each squares the gap between wanted and unwanted components.
const N_POWERS: usize = 8;

/// Components of the range of `A (AᵀA)^q Ω`.
pub(super) fn components(x: &Centered, k: usize, seed: u64, progress: &Progress) -> Result<Pca> {
    let (n, m) = (x.n_rows(), x.n_columns());
    let width = (k + EXTRA).min(n).min(m);
    let mut random = Stream::new(seed, 0);
    let start: Vec<f64> = (0..m * width).map(|_| random.normal()).collect();
    let part = |i: usize| {
        progress.part(0.1 + 0.8 * i as f64 / (N_POWERS + 1) as f64, 0.1 + 0.8 * (i + 1) as f64 / (N_POWERS + 1) as f64)
    };
    let mut range = orthonormal(times(x, &start, width, &part(0))?, width, progress)?;
    for i in 1..=N_POWERS {
        let back = orthonormal(transposed_times(x, &range, width, &part(i))?, width, progress)?;
        range = orthonormal(times(x, &back, width, &part(i))?, width, progress)?;
    }
    // A ≈ Q (QᵀA): the small factor holds the components.
    let small = transposed_times(x, &range, width, &part(N_POWERS))?;
    let svd = long_svd(m, width, small, &progress.part(0.9, 0.97))?;
    let loadings: Vec<f64> = (0..m * k).map(|i| svd.u[i / k * width + i % k]).collect();
    let by = n as f64 - 1.0;
    let variance: Vec<f64> = svd.s[..k].iter().map(|s| s * s / by).collect();
    let scores = times(x, &loadings, k, &progress.part(0.97, 1.0))?;
    let found = Pca { k, scores, loadings, variance, ratio: Vec::new(), method: PcaMethod::Random };
    Ok(found.keep(x.variance, x.size * RANK_TOLERANCE * by.sqrt()))
}

/// Orthonormal columns with the same span (Gram–Schmidt, twice). Columns without a direction of their own become zero.
fn orthonormal(a: Vec<f64>, k: usize, progress: &Progress) -> Result<Vec<f64>> {
    let n = a.len() / k;
    let mut columns: Vec<Vec<f64>> = (0..k).map(|j| (0..n).map(|i| a[i * k + j]).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for j in 0..k {
        progress.step(0.5, "making directions independent")?;
        let (done, rest) = columns.split_at_mut(j);
        let column = &mut rest[0];
        let before = dot(column, column).sqrt();
        for _ in 0..2 {
            for other in done.iter() {
                let along = dot(column, other);
                column.iter_mut().zip(other).for_each(|(c, o)| *c -= along * o);
            }
        }
        let length = dot(column, column).sqrt();
        let factor = if length > 1e-12 * before { 1.0 / length } else { 0.0 };
        column.iter_mut().for_each(|c| *c *= factor);
    }
    Ok((0..n * k).map(|i| columns[i % k][i / k]).collect())
}
