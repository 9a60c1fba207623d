//! Factors that are not negative: a sparse matrix as a product of scores and loadings.
//! Sources: D. D. Lee, H. S. Seung, NIPS 13 (2001) 556 (multiplicative rules for both losses);
//! A. Cichocki, A.-H. Phan, IEICE Trans. E92-A (2009) 708 (one column at a time, `Frobenius`).

use super::{SparseColumns, Stream, dot};
use crate::base::{Error, Progress, Result};
use rayon::prelude::*;

/// Denominators are never below this.
const TINY: f64 = f32::EPSILON as f64;
/// The loss is looked at so often.
const LOOK_EVERY: usize = 10;

/// What is made small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NmfLoss {
    /// Sum of squared differences, one column at a time.
    Frobenius,
    /// The same by multiplicative rules, which are slower and never reach zero.
    FrobeniusMultiplicative,
    /// Generalized Kullback–Leibler divergence, by multiplicative rules: the likelihood of Poisson counts.
    KullbackLeibler,
}

/// What to compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NmfSettings {
    /// Number of factors.
    pub k: usize,
    /// What is made small.
    pub loss: NmfLoss,
    /// Rounds at most.
    pub max_rounds: usize,
    /// Relative change at which rounds end; 0 runs all of them.
    pub tolerance: f64,
    /// Seed of the start.
    pub seed: u64,
}

/// Factors with k columns each, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Nmf {
    /// Rows × k.
    pub scores: Vec<f64>,
    /// Columns × k.
    pub loadings: Vec<f64>,
    /// The Frobenius norm of what is left, or the divergence.
    pub loss: f64,
    /// Rounds that were run.
    pub rounds: usize,
    /// Whether the tolerance was reached.
    pub is_converged: bool,
}

/// The matrix by its lines, with the numbers of the other side.
struct Lines {
    offsets: Vec<usize>,
    places: Vec<u32>,
    values: Vec<f32>,
}

impl Lines {
    fn line(&self, i: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[i]..self.offsets[i + 1];
        (&self.places[range.clone()], &self.values[range])
    }

    fn len(&self) -> usize {
        self.offsets.len() - 1
    }
}

struct Problem {
    by_row: Lines,
    by_column: Lines,
    k: usize,
    sum: f64,
    squares: f64,
}

/// Factors from a seeded random start: absolute normal numbers of the size that the mean of the matrix asks for.
/// Costs stored values × k × 2 per round. Does not depend on the number of threads.
///
/// Errors: [`Error::Degenerate`] for negative or missing values and an empty matrix; [`Error::Parameter`] for no factors.
pub fn nmf(x: &SparseColumns, settings: &NmfSettings, progress: &Progress) -> Result<Nmf> {
    let (n, m, k) = (x.n_rows, x.columns.len(), settings.k);
    let sum: f64 = x.columns.iter().flat_map(|c| c.1).map(|v| f64::from(*v)).sum();
    let size = (sum / (n * m).max(1) as f64 / k.max(1) as f64).max(0.0).sqrt();
    let start = |index: u64, n: usize| {
        let mut random = Stream::new(settings.seed, index);
        (0..n * k).map(|_| size * random.normal().abs()).collect::<Vec<f64>>()
    };
    nmf_from(x, start(0, n), start(1, m), settings, progress)
}

/// As [`nmf`], from given scores (rows × k) and loadings (columns × k).
pub fn nmf_from(
    x: &SparseColumns,
    scores: Vec<f64>,
    loadings: Vec<f64>,
    settings: &NmfSettings,
    progress: &Progress,
) -> Result<Nmf> {
    let (n, m, k) = (x.n_rows, x.columns.len(), settings.k);
    if k == 0 || scores.len() != n * k || loadings.len() != m * k {
        return Err(Error::parameter(format!(
            "{k} factors of {n} rows × {m} columns from {} and {} numbers",
            scores.len(),
            loadings.len()
        )));
    }
    let problem = Problem::new(x, k)?;
    let mut found = Nmf { scores, loadings, loss: 0.0, rounds: 0, is_converged: false };
    let start = problem.loss(&found, settings.loss);
    let (mut before, mut first_slope) = (start, 0.0);
    for round in 1..=settings.max_rounds {
        progress.step(round as f64 / settings.max_rounds as f64, "finding factors")?;
        found.rounds = round;
        if settings.loss == NmfLoss::Frobenius {
            let slope = problem.descend(&mut found, progress)?;
            first_slope = if round == 1 { slope } else { first_slope };
            found.is_converged = slope <= settings.tolerance * first_slope;
        } else {
            problem.multiply(&mut found, settings.loss, progress)?;
            if settings.tolerance > 0.0 && round.is_multiple_of(LOOK_EVERY) {
                let now = problem.loss(&found, settings.loss);
                found.is_converged = (before - now) / start < settings.tolerance;
                before = now;
            }
        }
        if found.is_converged && settings.tolerance > 0.0 {
            break;
        }
    }
    found.loss = problem.loss(&found, settings.loss);
    Ok(found)
}

impl Problem {
    fn new(x: &SparseColumns, k: usize) -> Result<Self> {
        let (n, m) = (x.n_rows, x.columns.len());
        let stored = || x.columns.iter().flat_map(|c| c.1.iter().copied());
        if let Some(bad) = stored().find(|v| !v.is_finite() || *v < 0.0) {
            return Err(Error::degenerate(format!(
                "the matrix holds {bad}; factors that are not negative need numbers that are not negative"
            )));
        }
        let sum: f64 = stored().map(f64::from).sum();
        if sum <= 0.0 {
            return Err(Error::degenerate(format!("all values of {n} rows × {m} columns are zero, so there are no factors")));
        }
        let mut by_column = Lines { offsets: vec![0], places: Vec::new(), values: Vec::new() };
        let mut counts = vec![0; n + 1];
        for (rows, values) in &x.columns {
            rows.iter().for_each(|&r| counts[r as usize + 1] += 1);
            by_column.places.extend_from_slice(rows);
            by_column.values.extend_from_slice(values);
            by_column.offsets.push(by_column.places.len());
        }
        (0..n).for_each(|i| counts[i + 1] += counts[i]);
        let mut next = counts.clone();
        let (mut places, mut values) = (vec![0; by_column.places.len()], vec![0.0; by_column.places.len()]);
        for (column, (rows, numbers)) in x.columns.iter().enumerate() {
            for (&row, &value) in rows.iter().zip(*numbers) {
                let at = &mut next[row as usize];
                (places[*at], values[*at]) = (column as u32, value);
                *at += 1;
            }
        }
        let squares = stored().map(|v| f64::from(v).powi(2)).sum();
        Ok(Self { by_row: Lines { offsets: counts, places, values }, by_column, k, sum, squares })
    }

    /// `other`ᵀ · `other`, k × k.
    fn gram(&self, other: &[f64]) -> Vec<f64> {
        let k = self.k;
        let mut out = vec![0.0; k * k];
        for row in other.chunks_exact(k) {
            for a in 0..k {
                (0..k).for_each(|b| out[a * k + b] += row[a] * row[b]);
            }
        }
        out
    }

    fn column_sums(&self, factor: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.k];
        factor.chunks_exact(self.k).for_each(|row| out.iter_mut().zip(row).for_each(|(o, r)| *o += r));
        out
    }

    fn loss(&self, f: &Nmf, loss: NmfLoss) -> f64 {
        let k = self.k;
        let of_row = |i: usize| {
            let (places, values) = self.by_row.line(i);
            let score = &f.scores[i * k..(i + 1) * k];
            let one = |(&j, &v): (&u32, &f32)| {
                let fit = dot(score, &f.loadings[j as usize * k..(j as usize + 1) * k]);
                let v = f64::from(v);
                if loss == NmfLoss::KullbackLeibler { if v > 0.0 { v * (v / fit.max(TINY)).ln() } else { 0.0 } } else { v * fit }
            };
            places.iter().zip(values).map(one).sum::<f64>()
        };
        let parts: Vec<f64> = (0..self.by_row.len()).into_par_iter().map(of_row).collect();
        let over: f64 = parts.iter().sum();
        if loss == NmfLoss::KullbackLeibler {
            return over - self.sum + dot(&self.column_sums(&f.scores), &self.column_sums(&f.loadings));
        }
        let product = dot(&self.gram(&f.scores), &self.gram(&f.loadings));
        (self.squares - 2.0 * over + product).max(0.0).sqrt()
    }

    /// One round of exact steps along each column of both factors; the sum of the slopes that were left.
    fn descend(&self, f: &mut Nmf, progress: &Progress) -> Result<f64> {
        let first = self.descend_side(&self.by_row, &mut f.scores, &f.loadings, progress)?;
        Ok(first + self.descend_side(&self.by_column, &mut f.loadings, &f.scores, progress)?)
    }

    fn descend_side(&self, lines: &Lines, factor: &mut [f64], other: &[f64], progress: &Progress) -> Result<f64> {
        let (k, gram) = (self.k, self.gram(other));
        progress.step(0.5, "finding factors")?;
        let one = |(i, row): (usize, &mut [f64])| {
            let (places, values) = lines.line(i);
            let mut along = vec![0.0; k];
            for (&j, &v) in places.iter().zip(values) {
                let o = &other[j as usize * k..(j as usize + 1) * k];
                along.iter_mut().zip(o).for_each(|(a, o)| *a += f64::from(v) * o);
            }
            let mut left = 0.0;
            for t in 0..k {
                let slope = dot(&gram[t * k..(t + 1) * k], row) - along[t];
                left += if row[t] == 0.0 { slope.min(0.0).abs() } else { slope.abs() };
                if gram[t * k + t] > 0.0 {
                    row[t] = (row[t] - slope / gram[t * k + t]).max(0.0);
                }
            }
            left
        };
        let left: Vec<f64> = factor.par_chunks_exact_mut(k).enumerate().map(one).collect();
        Ok(left.iter().sum())
    }

    fn multiply(&self, f: &mut Nmf, loss: NmfLoss, progress: &Progress) -> Result<()> {
        self.multiply_side(&self.by_row, &mut f.scores, &f.loadings, loss, progress)?;
        self.multiply_side(&self.by_column, &mut f.loadings, &f.scores, loss, progress)
    }

    fn multiply_side(&self, lines: &Lines, factor: &mut [f64], other: &[f64], loss: NmfLoss, progress: &Progress) -> Result<()> {
        let k = self.k;
        let is_divergence = loss == NmfLoss::KullbackLeibler;
        let (gram, sums) = (self.gram(other), self.column_sums(other));
        progress.step(0.5, "finding factors")?;
        factor.par_chunks_exact_mut(k).enumerate().for_each(|(i, row)| {
            let (places, values) = lines.line(i);
            let mut above = vec![0.0; k];
            for (&j, &v) in places.iter().zip(values) {
                let o = &other[j as usize * k..(j as usize + 1) * k];
                let weight = if is_divergence { f64::from(v) / dot(row, o).max(TINY) } else { f64::from(v) };
                above.iter_mut().zip(o).for_each(|(a, o)| *a += weight * o);
            }
            let below: Vec<f64> =
                (0..k).map(|t| if is_divergence { sums[t] } else { dot(&gram[t * k..(t + 1) * k], row) }).collect();
            (0..k).for_each(|t| row[t] *= above[t] / if below[t] == 0.0 { TINY } else { below[t] });
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [[f32; 3]; 4] = [[1.0, 0.0, 2.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0], [1.0, 3.0, 2.0]];

    fn run(loss: NmfLoss, k: usize, seed: u64) -> Nmf {
        let columns: Vec<(Vec<u32>, Vec<f32>)> =
            (0..3).map(|j| (0..4u32).filter(|&i| X[i as usize][j] != 0.0).map(|i| (i, X[i as usize][j])).unzip()).collect();
        let x = SparseColumns { n_rows: 4, columns: columns.iter().map(|c| (&c.0[..], &c.1[..])).collect() };
        nmf(&x, &NmfSettings { k, loss, max_rounds: 3000, tolerance: 0.0, seed }, &Progress::none()).unwrap()
    }

    #[test]
    fn a_matrix_of_two_parts_is_found() {
        for loss in [NmfLoss::Frobenius, NmfLoss::FrobeniusMultiplicative, NmfLoss::KullbackLeibler] {
            let f = run(loss, 2, 3);
            // Multiplicative rules come close to zeros only slowly.
            let limit = if loss == NmfLoss::Frobenius { 1e-6 } else { 1e-2 };
            assert!(f.loss < limit, "{loss:?}: {}", f.loss);
            for (i, line) in X.iter().enumerate() {
                for (j, x) in line.iter().enumerate() {
                    let fit = dot(&f.scores[i * 2..i * 2 + 2], &f.loadings[j * 2..j * 2 + 2]);
                    assert!((fit - f64::from(*x)).abs() < 1e-2, "{loss:?}");
                }
            }
            assert_eq!(f, run(loss, 2, 3));
            assert!(f.scores.iter().chain(&f.loadings).all(|v| *v >= 0.0));
        }
    }

    #[test]
    fn odd_inputs_get_a_sentence() {
        let settings = NmfSettings { k: 2, loss: NmfLoss::Frobenius, max_rounds: 5, tolerance: 1e-4, seed: 0 };
        let run = |values: &[f32], k: usize| {
            let rows: Vec<u32> = (0..values.len() as u32).collect();
            let x = SparseColumns { n_rows: 3, columns: vec![(&rows, values)] };
            nmf(&x, &NmfSettings { k, ..settings }, &Progress::none())
        };
        assert!(run(&[-1.0, 2.0], 2).unwrap_err().to_string().contains("-1"));
        assert!(run(&[f32::NAN], 2).is_err() && run(&[], 2).unwrap_err().to_string().contains("zero"));
        assert!(run(&[1.0], 0).is_err());
        assert!(run(&[1.0], 4).unwrap().loss < 1e-6);
    }
}
