//! Observations as rankings of their genes, and over-representation among the highest.

use super::ScoreSettings;
use crate::base::{Progress, Result};
use crate::model::Expression;
use crate::stats::hypergeometric_at_least;
use rayon::prelude::*;

/// Observations that one task ranks.
const BLOCK: usize = 64;

/// Values of all genes for some observations, row by row.
fn rows_of(expression: &Expression, rows: std::ops::Range<usize>) -> Vec<f64> {
    let m = expression.genes().len();
    let mut out = vec![0.0; rows.len() * m];
    for gene in 0..m {
        let (at, values) = expression.gene(gene);
        let from = at.partition_point(|&r| (r as usize) < rows.start);
        let to = from + at[from..].partition_point(|&r| (r as usize) < rows.end);
        for (&row, &value) in at[from..to].iter().zip(&values[from..to]) {
            out[(row as usize - rows.start) * m + gene] = f64::from(value);
        }
    }
    out
}

/// Genes of a row, highest first; equal ones in the order of the table.
pub(super) fn ranking(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| values[b as usize].total_cmp(&values[a as usize]).then(a.cmp(&b)));
    order
}

/// Work of every observation on its values, in order, in parallel.
pub(super) fn each_row<T: Send>(
    expression: &Expression,
    progress: &Progress,
    f: impl Fn(usize, &[f64]) -> Result<Vec<T>> + Sync,
) -> Result<Vec<T>> {
    let (n, m) = (expression.observations().len(), expression.genes().len());
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let block = |start: usize| {
        let rows = start..(start + BLOCK).min(n);
        let values = rows_of(expression, rows.clone());
        let mut out = Vec::new();
        for (row, values) in rows.zip(values.chunks_exact(m)) {
            progress.step(row as f64 / n as f64, "ranking genes")?;
            out.extend(f(row, values)?);
        }
        Ok(out)
    };
    let done: Vec<Vec<T>> = starts.into_par_iter().map(block).collect::<Result<_>>()?;
    Ok(done.into_iter().flatten().collect())
}

/// Logarithm of the odds ratio (with one half added to every number) of being in the set among the highest
/// genes above zero, and the chance of so many or more.
pub(super) fn over_representation(
    expression: &Expression,
    members: &[Vec<usize>],
    settings: &ScoreSettings,
    progress: &Progress,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let m = expression.genes().len();
    let n_top = ((settings.top * m as f64).ceil() as usize).clamp(2, m);
    let pairs = each_row(expression, progress, |_, values| {
        let mut is_top = vec![false; m];
        let highest = ranking(values).into_iter().map(|g| g as usize).take(n_top).filter(|&g| values[g] > 0.0);
        let drawn = highest.map(|g| is_top[g] = true).count();
        let one = |genes: &Vec<usize>| {
            if drawn == 0 {
                return (f64::NAN, f64::NAN);
            }
            let hits = genes.iter().filter(|&&g| is_top[g]).count();
            let [a, b, c] = [hits, genes.len() - hits, drawn - hits].map(|v| v as f64);
            let d = m as f64 - a - b - c;
            let odds = ((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))).ln();
            (odds, hypergeometric_at_least(hits, m, genes.len(), drawn))
        };
        Ok(members.iter().map(one).collect())
    })?;
    Ok(pairs.into_iter().unzip())
}
