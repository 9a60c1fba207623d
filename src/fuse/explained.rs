//! How much of a view its own scores explain.

use crate::base::Result;
use crate::stats::thin_svd;

/// R² of centered columns (n × p) explained by scores (n × k): one per score, then of all together (they
/// may overlap, so it is not the sum).
pub(super) fn explained(n: usize, centered: &[f64], scores: &[f64]) -> Result<Vec<f64>> {
    let (p, k) = (centered.len() / n, scores.len() / n);
    let total: f64 = centered.iter().map(|v| v * v).sum();
    let along = |direction: &dyn Fn(usize) -> f64| {
        let mut dots = vec![0.0; p];
        for (i, row) in centered.chunks_exact(p).enumerate() {
            let s = direction(i);
            dots.iter_mut().zip(row).for_each(|(d, v)| *d += s * v);
        }
        dots.iter().map(|d| d * d).sum::<f64>()
    };
    let share = |sum: f64| if total > 0.0 { sum / total } else { 0.0 };
    let mut out: Vec<f64> = (0..k)
        .map(|pair| {
            let square: f64 = scores.iter().skip(pair).step_by(k).map(|s| s * s).sum();
            share(if square > 0.0 { along(&|i| scores[i * k + pair]) / square } else { 0.0 })
        })
        .collect();
    let svd = thin_svd(n, k, scores)?;
    let width = svd.s.len();
    let used = svd.s.iter().filter(|s| **s > svd.s[0] * 1e-10).count();
    out.push(share((0..used).map(|d| along(&|i| svd.u[i * width + d])).sum()));
    Ok(out)
}
