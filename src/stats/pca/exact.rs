//! Exact components: directly, through the covariance of columns, or through the products of rows.

use super::project::{times, transposed_times};
use super::sparse::Centered;
use super::{Pca, PcaMethod, RANK_TOLERANCE};
use crate::base::{Progress, Result};
use crate::stats::{leading_eigen, long_svd};
use rayon::prelude::*;

/// Singular values of the filled, centered matrix; for small ones.
pub(super) fn direct(x: &Centered, k: usize, progress: &Progress) -> Result<Pca> {
    let (n, m) = (x.n_rows(), x.n_columns());
    let center: Vec<f64> = x.mean.iter().zip(&x.scale).map(|(mean, s)| -mean * s).collect();
    let mut filled: Vec<f64> = center.iter().copied().cycle().take(n * m).collect();
    for row in 0..n {
        for &(c, v) in x.row(row) {
            filled[row * m + c as usize] += f64::from(v) * x.scale[c as usize];
        }
    }
    let svd = long_svd(n, m, filled, &progress.part(0.1, 1.0))?;
    let all = svd.s.len();
    let by = n as f64 - 1.0;
    let scores = (0..n * k).map(|i| svd.u[i / k * all + i % k] * svd.s[i % k]).collect();
    let loadings = (0..m * k).map(|i| svd.v[i / k * all + i % k]).collect();
    let variance: Vec<f64> = svd.s[..k].iter().map(|s| s * s / by).collect();
    // Singular values are good to the rounding of the largest, so variances to its square.
    let noise = variance.first().map_or(0.0, |v| v * (n.max(m) as f64 * f64::EPSILON).powi(2));
    let found = Pca { k, scores, loadings, variance, ratio: Vec::new(), method: PcaMethod::Direct };
    Ok(found.keep(x.variance, noise))
}

/// Through the covariance of columns.
pub(super) fn by_covariance(x: &Centered, k: usize, progress: &Progress) -> Result<Pca> {
    let (n, m) = (x.n_rows() as f64, x.n_columns());
    let covariance = covariance(x, &progress.part(0.1, 0.5))?;
    let eigen = leading_eigen(m, covariance, k, &progress.part(0.5, 0.9))?;
    let scores = times(x, &eigen.vectors, k, &progress.part(0.9, 1.0))?;
    let found =
        Pca { k, scores, loadings: eigen.vectors, variance: eigen.values, ratio: Vec::new(), method: PcaMethod::Covariance };
    Ok(found.keep(x.variance, x.size * RANK_TOLERANCE * n.sqrt()))
}

/// Covariance of the columns, both halves. Row by row: entry (i, j) is one sum over the rows that hold i.
fn covariance(x: &Centered, progress: &Progress) -> Result<Vec<f64>> {
    let (n, m) = (x.n_rows() as f64, x.n_columns());
    let places = x.places_in_rows();
    let mut out = vec![0.0; m * m];
    out.par_chunks_mut(m).enumerate().try_for_each(|(i, sums)| {
        progress.step(i as f64 / m as f64, "multiplying columns")?;
        for ((row, value), &place) in x.column(i).zip(&places[i]) {
            x.row(row)[place as usize..].iter().for_each(|&(j, v)| sums[j as usize] += value * f64::from(v));
        }
        for (j, sum) in sums.iter_mut().enumerate().skip(i) {
            *sum = (*sum - n * x.mean[i] * x.mean[j]) / (n - 1.0) * x.scale[i] * x.scale[j];
        }
        Ok(())
    })?;
    mirror(m, &mut out);
    Ok(out)
}

/// Through the products of rows, where there are fewer rows than columns.
pub(super) fn by_rows(x: &Centered, k: usize, progress: &Progress) -> Result<Pca> {
    let by = x.n_rows() as f64 - 1.0;
    let products = products(x, &progress.part(0.1, 0.5))?;
    let eigen = leading_eigen(x.n_rows(), products, k, &progress.part(0.5, 0.9))?;
    let noise = x.size * RANK_TOLERANCE * by.sqrt();
    let variance: Vec<f64> = eigen.values.iter().map(|v| v / by).collect();
    let length: Vec<f64> = eigen.values.iter().map(|v| v.max(0.0).sqrt()).collect();
    let scores: Vec<f64> = eigen.vectors.iter().enumerate().map(|(i, u)| u * length[i % k]).collect();
    let mut loadings = transposed_times(x, &eigen.vectors, k, &progress.part(0.9, 1.0))?;
    loadings.iter_mut().enumerate().for_each(|(i, v)| *v /= length[i % k].max(f64::MIN_POSITIVE));
    let found = Pca { k, scores, loadings, variance, ratio: Vec::new(), method: PcaMethod::Rows };
    Ok(found.keep(x.variance, noise))
}

/// Products of the centered rows with each other, both halves.
fn products(x: &Centered, progress: &Progress) -> Result<Vec<f64>> {
    let n = x.n_rows();
    let weight: Vec<f64> = x.scale.iter().map(|s| s * s).collect();
    // (a − μ)·(b − μ) = a·b − a·μ − b·μ + μ·μ, all under the weights.
    let with_mean: Vec<f64> =
        (0..n).map(|row| x.row(row).iter().map(|&(c, v)| f64::from(v) * x.mean[c as usize] * weight[c as usize]).sum()).collect();
    let mean_square: f64 = x.mean.iter().zip(&weight).map(|(m, w)| m * m * w).sum();
    let mut out = vec![0.0; n * n];
    out.par_chunks_mut(n).enumerate().try_for_each(|(i, sums)| {
        progress.step(i as f64 / n as f64, "multiplying rows")?;
        let mut filled = vec![0.0; x.n_columns()];
        x.row(i).iter().for_each(|&(c, v)| filled[c as usize] = f64::from(v) * weight[c as usize]);
        for (j, sum) in sums.iter_mut().enumerate().skip(i) {
            let product: f64 = x.row(j).iter().map(|&(c, v)| f64::from(v) * filled[c as usize]).sum();
            *sum = product - with_mean[i] - with_mean[j] + mean_square;
        }
        Ok(())
    })?;
    mirror(n, &mut out);
    Ok(out)
}

fn mirror(n: usize, a: &mut [f64]) {
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = a[j * n + i];
        }
    }
}
