//! Scores of samples that the model was not fitted to.

use super::{Cases, CcaSettings, Holdout};
use crate::base::{Error, Progress, Result};
use crate::model::Views;
use crate::stats::{Cca, Fold, block_folds, group_folds, leave_one_group_out, pearson};
use rayon::prelude::*;

/// The folds of the complete cases, with words that say how they were made.
pub(super) fn folds(
    views: &Views,
    cases: &Cases,
    points: Option<&[[f64; 2]]>,
    settings: &CcaSettings,
) -> Result<(Vec<Fold>, String)> {
    let seed = settings.seed;
    let single: Vec<usize> = (0..cases.n()).collect();
    let groups: Option<Vec<&String>> = views.groups().map(|g| cases.samples.iter().map(|&i| &g[i]).collect());
    Ok(match (settings.holdout, groups) {
        (Holdout::None, _) => (Vec::new(), "none".into()),
        (Holdout::Folds(k), Some(groups)) => (group_folds(&groups, k, seed)?, format!("{k} folds of whole groups")),
        (Holdout::Folds(k), None) => (group_folds(&single, k, seed)?, format!("{k} folds of samples")),
        (Holdout::LeaveOneOut, Some(groups)) => (leave_one_group_out(&groups)?, "one group at a time".into()),
        (Holdout::LeaveOneOut, None) => (leave_one_group_out(&single)?, "one sample at a time".into()),
        (Holdout::Blocks { k, block_mm, buffer_mm }, _) => {
            let all = points.ok_or_else(|| Error::parameter("spatial blocks need positions of the samples"))?;
            let points: Vec<[f64; 2]> = cases.samples.iter().map(|&i| all[i]).collect();
            let words = format!("{k} folds of spatial blocks of {block_mm:.2} mm, buffer {buffer_mm:.2} mm");
            (block_folds(&points, block_mm, buffer_mm, k, seed)?, words)
        }
    })
}

/// Scores of held-out samples per side (n × pairs, NaN where a sample was never held out), standardized
/// with the fold's training samples. A pair's sign is that of the whole fit; its rank is the fold's own.
pub(super) fn held_out_scores(
    cases: &Cases,
    folds: &[Fold],
    whole: &[Vec<f64>; 2],
    settings: &CcaSettings,
    progress: &Progress,
) -> Result<[Vec<f64>; 2]> {
    let n_pairs = whole[0].len() / cases.n();
    let one = |fold: &Fold| -> Result<[Vec<f64>; 2]> {
        progress.step(0.0, "held-out samples")?;
        let rows = [0, 1].map(|v| cases.centered(v, &fold.train, settings.scale)[2].clone());
        let widths = [0, 1].map(|v| cases.features[v].len());
        let take = |v: usize, which: &[usize]| {
            which.iter().flat_map(|&i| rows[v][i * widths[v]..(i + 1) * widths[v]].to_vec()).collect::<Vec<f64>>()
        };
        let fit = Cca::fit(fold.train.len(), &take(0, &fold.train), &take(1, &fold.train), settings.ridge)?;
        let k = fit.n_pairs();
        let mut out = [vec![f64::NAN; fold.test.len() * n_pairs], vec![f64::NAN; fold.test.len() * n_pairs]];
        let trained = [0, 1].map(|v| fit.scores(v, &take(v, &fold.train)));
        let tested = [0, 1].map(|v| fit.scores(v, &take(v, &fold.test)));
        for pair in 0..n_pairs.min(k) {
            let along: f64 =
                fold.train.iter().enumerate().map(|(t, &i)| trained[0][t * k + pair] * whole[0][i * n_pairs + pair]).sum();
            let sign = if along < 0.0 { -1.0 } else { 1.0 };
            for side in 0..2 {
                let square: f64 = trained[side].iter().skip(pair).step_by(k).map(|s| s * s).sum();
                let sd = (square / (fold.train.len() as f64 - 1.0)).sqrt();
                for t in 0..fold.test.len() {
                    out[side][t * n_pairs + pair] = sign * tested[side][t * k + pair] / if sd > 0.0 { sd } else { 1.0 };
                }
            }
        }
        Ok(out)
    };
    let parts: Vec<[Vec<f64>; 2]> = folds.par_iter().map(one).collect::<Result<_>>()?;
    let mut scores = [vec![f64::NAN; whole[0].len()], vec![f64::NAN; whole[0].len()]];
    for (fold, part) in folds.iter().zip(parts) {
        for side in 0..2 {
            for (t, &i) in fold.test.iter().enumerate() {
                let row = &part[side][t * n_pairs..(t + 1) * n_pairs];
                scores[side][i * n_pairs..(i + 1) * n_pairs].copy_from_slice(row);
            }
        }
    }
    Ok(scores)
}

/// Correlation of the two sides' scores per pair.
pub(super) fn correlations(scores: &[Vec<f64>; 2], n_pairs: usize) -> Vec<f64> {
    let column = |side: usize, pair: usize| scores[side].iter().skip(pair).step_by(n_pairs).copied().collect::<Vec<_>>();
    (0..n_pairs).map(|pair| pearson(&column(0, pair), &column(1, pair))).collect()
}
