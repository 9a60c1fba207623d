//! A sparse matrix seen by columns and by rows, with the centers and scales of its columns beside it.

use crate::base::{Error, Progress, Result};
use rayon::prelude::*;

/// Columns of a sparse matrix: the numbers of their rows, which increase, and the values there.
#[derive(Clone, Debug)]
pub struct SparseColumns<'a> {
    /// Number of rows.
    pub n_rows: usize,
    /// Rows and values of each column.
    pub columns: Vec<(&'a [u32], &'a [f32])>,
}

/// The matrix with centers μ and scales s of its columns: entry `(x − μ) · s`.
pub(super) struct Centered<'a> {
    columns: &'a [(&'a [u32], &'a [f32])],
    /// Where each row begins in `places`.
    starts: Vec<usize>,
    /// Column and value of every stored number, row by row.
    places: Vec<(u32, f32)>,
    /// Center of each column.
    pub mean: Vec<f64>,
    /// What each column is multiplied by after centering.
    pub scale: Vec<f64>,
    /// Sum of the variances (n − 1) of all columns after scaling.
    pub variance: f64,
    /// Sum of squares before centering, by n − 1: the size of what rounds.
    pub size: f64,
}

impl<'a> Centered<'a> {
    /// Checks the matrix, finds the moments of its columns and sorts it by rows.
    pub fn new(x: &'a SparseColumns<'a>, scale: bool, progress: &Progress) -> Result<Self> {
        let (n, m) = (x.n_rows, x.columns.len());
        if n < 2 || m == 0 {
            return Err(Error::degenerate(format!("{n} rows × {m} columns have no principal components; 2 × 1 are needed")));
        }
        progress.step(0.0, "finding means")?;
        let moments: Vec<[f64; 3]> = x.columns.par_iter().map(|c| moments(n, c)).collect();
        if moments.iter().any(|m| !m[1].is_finite()) {
            return Err(Error::degenerate("principal components of numbers that are not finite"));
        }
        // A spread that is only the rounding of single precision is none.
        let is_constant = |m: &[f64; 3]| m[1] <= 1e-14 * m[2];
        let factor = |m: &[f64; 3]| match scale {
            _ if is_constant(m) => 0.0,
            true => 1.0 / m[1].sqrt(),
            false => 1.0,
        };
        let factors: Vec<f64> = moments.iter().map(factor).collect();
        let sum = |part: usize| moments.iter().zip(&factors).map(|(m, f)| m[part] * f * f).sum::<f64>();
        let (variance, size) = (sum(1), sum(2));
        if variance <= 0.0 {
            return Err(Error::degenerate(format!("none of the {m} columns varies over the {n} rows")));
        }
        progress.step(0.05, "sorting by rows")?;
        let (starts, places) = by_rows(x);
        let mean = moments.iter().map(|m| m[0]).collect();
        Ok(Self { columns: &x.columns, starts, places, mean, scale: factors, variance, size })
    }

    pub fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// Stored entries of a row, columns increasing.
    pub fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.places[self.starts[row]..self.starts[row + 1]]
    }

    /// For every stored number, column by column: how many of its row stand before it.
    pub fn places_in_rows(&self) -> Vec<Vec<u32>> {
        let mut next = vec![0_u32; self.n_rows()];
        let mut place = |&row: &u32| {
            let at = next[row as usize];
            next[row as usize] += 1;
            at
        };
        self.columns.iter().map(|(rows, _)| rows.iter().map(&mut place).collect()).collect()
    }

    /// Stored entries of a column, rows increasing.
    pub fn column(&self, column: usize) -> impl Iterator<Item = (usize, f64)> {
        let (rows, values) = self.columns[column];
        rows.iter().zip(values).map(|(&r, &v)| (r as usize, f64::from(v)))
    }
}

/// Mean, variance (n − 1) and mean square (by n − 1) of a column.
fn moments(n: usize, (_, values): &(&[u32], &[f32])) -> [f64; 3] {
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64;
    let spread: f64 = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
    let zeros = (n - values.len().min(n)) as f64 * mean * mean;
    let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
    let by = n as f64 - 1.0;
    [mean, (spread + zeros) / by, squares / by]
}

fn by_rows(x: &SparseColumns) -> (Vec<usize>, Vec<(u32, f32)>) {
    let mut starts = vec![0_usize; x.n_rows + 1];
    x.columns.iter().flat_map(|c| c.0).for_each(|&r| starts[r as usize + 1] += 1);
    for row in 0..x.n_rows {
        starts[row + 1] += starts[row];
    }
    let mut next = starts.clone();
    let mut places = vec![(0_u32, 0_f32); starts[x.n_rows]];
    for (column, (rows, values)) in x.columns.iter().enumerate() {
        for (&row, &value) in rows.iter().zip(*values) {
            let slot = &mut next[row as usize];
            places[*slot] = (column as u32, value);
            *slot += 1;
        }
    }
    (starts, places)
}
