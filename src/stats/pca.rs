//! Principal components of sparse columns: centered without filling them, exact through the smaller of
//! the two products of the matrix with itself, by random projection where both are too large.
//! Sources: I. T. Jolliffe, "Principal Component Analysis", 2002; N. Halko, P.-G. Martinsson, J. A. Tropp,
//! SIAM Review 53 (2011) 217–288.

mod exact;
mod project;
mod random;
mod sparse;

pub use sparse::SparseColumns;

use crate::base::{Error, Progress, Result};
use sparse::Centered;

/// Up to so many multiplications the matrix is filled and its singular values are found directly.
const DIRECT_COST: f64 = 3e8;
/// Up to this size of the smaller side the components are exact.
const EXACT_SIDE: usize = 3000;
/// A variance below this part of the sum of squares is rounding.
const RANK_TOLERANCE: f64 = 1e-13;

/// What to compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PcaSettings {
    /// Number of components; fewer where the matrix has no more.
    pub n: usize,
    /// Whether columns are divided by their standard deviation (n − 1); constant ones stay zero.
    pub scale: bool,
    /// Seed of the random projection; exact components do not depend on it.
    pub seed: u64,
}

/// How the components were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PcaMethod {
    /// Singular values of the filled matrix.
    Direct,
    /// Eigenvectors of the covariance of columns.
    Covariance,
    /// Eigenvectors of the products of rows.
    Rows,
    /// Random projection with power iterations: the leading components to about 1e-6.
    Random,
}

/// Principal components with k columns each, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    /// Number of components.
    pub k: usize,
    /// Rows × k.
    pub scores: Vec<f64>,
    /// Columns × k: unit vectors whose largest entry is positive.
    pub loadings: Vec<f64>,
    /// Variance along each (n − 1), largest first.
    pub variance: Vec<f64>,
    /// The same as a part of the variance of all columns.
    pub ratio: Vec<f64>,
    /// How they were found.
    pub method: PcaMethod,
}

/// Principal components of centered columns. Signs are such that the largest loading of each component is
/// positive (the first of equals). Components without variance are left out. [`Error::Degenerate`] where
/// there are fewer than two rows, or no column varies. Does not depend on the number of threads.
///
/// Costs the sum over rows of the squared number of stored values, plus 9 s³ for the smaller side s.
pub fn pca(x: &SparseColumns, settings: &PcaSettings, progress: &Progress) -> Result<Pca> {
    if settings.n == 0 {
        return Err(Error::parameter("0 components were asked for; ask for at least 1"));
    }
    let centered = Centered::new(x, settings.scale, progress)?;
    let (n, m) = (centered.n_rows(), centered.n_columns());
    let most = settings.n.min(n - 1).min(m);
    let cost = n as f64 * m as f64 * n.min(m) as f64;
    let mut found = if cost <= DIRECT_COST {
        exact::direct(&centered, most, progress)?
    } else if n.min(m) > EXACT_SIDE {
        random::components(&centered, most, settings.seed, progress)?
    } else if m <= n {
        exact::by_covariance(&centered, most, progress)?
    } else {
        exact::by_rows(&centered, most, progress)?
    };
    found.fix_signs();
    Ok(found)
}

impl Pca {
    /// From loadings and variances; components without variance are left out.
    fn keep(mut self, total: f64, noise: f64) -> Self {
        let rank = self.variance.iter().take_while(|v| **v > noise).count();
        if rank < self.k {
            let cut = |v: &[f64], k: usize| v.chunks_exact(k).flat_map(|r| r[..rank].to_vec()).collect::<Vec<_>>();
            self.scores = cut(&self.scores, self.k);
            self.loadings = cut(&self.loadings, self.k);
            self.variance.truncate(rank);
            self.k = rank;
        }
        self.ratio = self.variance.iter().map(|v| v / total).collect();
        self
    }

    fn fix_signs(&mut self) {
        let k = self.k;
        for j in 0..k {
            let mut largest = 0.0_f64;
            for row in self.loadings.chunks_exact(k) {
                if row[j].abs() > largest.abs() {
                    largest = row[j];
                }
            }
            if largest < 0.0 {
                let flip = |v: &mut [f64]| v.chunks_exact_mut(k).for_each(|row| row[j] = -row[j]);
                flip(&mut self.loadings);
                flip(&mut self.scores);
            }
        }
    }
}

#[cfg(test)]
mod tests;
