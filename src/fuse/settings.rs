//! Settings of canonical correlation.

use crate::base::{Error, Result};

/// Which samples are held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holdout {
    /// None: nothing can be claimed beyond the samples.
    None,
    /// This many folds: of whole groups where the views have groups, of samples where not.
    Folds(usize),
    /// One group at a time, or one sample where the views have no groups.
    LeaveOneOut,
    /// This many folds of square blocks of a section; training spots nearer than the buffer are left out.
    Blocks {
        /// Number of folds.
        k: usize,
        /// Side of a block.
        block_mm: f64,
        /// At least the range of autocorrelation.
        buffer_mm: f64,
    },
}

/// Settings of [`cca`](fn@super::cca).
#[derive(Clone, Debug, PartialEq)]
pub struct CcaSettings {
    /// Pairs to give, at most as many as the smaller view has independent features.
    pub n_pairs: usize,
    /// Covariance `(1 − ridge) S + ridge I`; 0 is plain canonical correlation.
    pub ridge: f64,
    /// Divide each feature by its standard deviation in the training samples (matters with a ridge only).
    pub scale: bool,
    /// What is held out.
    pub holdout: Holdout,
    /// Draws of the permutation null; 0 leaves it out.
    pub n_permutations: usize,
    /// Draws of the spatial null; needs positions; 0 leaves it out.
    pub n_surrogates: usize,
    /// Seed of folds and nulls.
    pub seed: u64,
}

impl Default for CcaSettings {
    fn default() -> Self {
        Self { n_pairs: 2, ridge: 0.0, scale: false, holdout: Holdout::None, n_permutations: 0, n_surrogates: 0, seed: 0 }
    }
}

impl CcaSettings {
    pub(super) fn check(&self) -> Result<()> {
        if self.n_pairs == 0 {
            return Err(Error::parameter("0 factors: at least 1 was expected"));
        }
        if !(0.0..=1.0).contains(&self.ridge) {
            return Err(Error::parameter(format!("ridge {}: a number from 0 to 1 was expected", self.ridge)));
        }
        let most = 10_000_000;
        if self.n_permutations.max(self.n_surrogates) > most {
            return Err(Error::parameter(format!(
                "{} draws of a null: at most {most}",
                self.n_permutations.max(self.n_surrogates)
            )));
        }
        Ok(())
    }
}
