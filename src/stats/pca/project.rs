//! Products of the centered sparse matrix with thin dense ones. Every entry is one sum in a fixed order,
//! so the threads change nothing.

use super::sparse::Centered;
use crate::base::{Progress, Result};
use rayon::prelude::*;

/// `A · b` for `b` of columns × k, row-major: rows × k.
pub(super) fn times(x: &Centered, b: &[f64], k: usize, progress: &Progress) -> Result<Vec<f64>> {
    progress.step(0.0, "projecting")?;
    let scaled: Vec<f64> = b.iter().enumerate().map(|(i, v)| v * x.scale[i / k]).collect();
    let mut center = vec![0.0; k];
    for (row, mean) in scaled.chunks_exact(k).zip(&x.mean) {
        center.iter_mut().zip(row).for_each(|(c, v)| *c += mean * v);
    }
    let mut out = vec![0.0; x.n_rows() * k];
    out.par_chunks_mut(k).enumerate().try_for_each(|(row, sums)| {
        if row % 1024 == 0 {
            progress.step(row as f64 / x.n_rows() as f64, "projecting")?;
        }
        for &(column, value) in x.row(row) {
            let from = &scaled[column as usize * k..][..k];
            sums.iter_mut().zip(from).for_each(|(s, b)| *s += f64::from(value) * b);
        }
        sums.iter_mut().zip(&center).for_each(|(s, c)| *s -= c);
        Ok(())
    })?;
    Ok(out)
}

/// `Aᵀ · b` for `b` of rows × k, row-major: columns × k.
pub(super) fn transposed_times(x: &Centered, b: &[f64], k: usize, progress: &Progress) -> Result<Vec<f64>> {
    progress.step(0.0, "projecting")?;
    let mut sum = vec![0.0; k];
    b.chunks_exact(k).for_each(|row| sum.iter_mut().zip(row).for_each(|(s, v)| *s += v));
    let mut out = vec![0.0; x.n_columns() * k];
    out.par_chunks_mut(k).enumerate().try_for_each(|(column, sums)| {
        if column % 256 == 0 {
            progress.step(column as f64 / x.n_columns() as f64, "projecting")?;
        }
        for (row, value) in x.column(column) {
            sums.iter_mut().zip(&b[row * k..][..k]).for_each(|(s, v)| *s += value * v);
        }
        let (mean, scale) = (x.mean[column], x.scale[column]);
        sums.iter_mut().zip(&sum).for_each(|(s, t)| *s = (*s - mean * t) * scale);
        Ok(())
    })?;
    Ok(out)
}
