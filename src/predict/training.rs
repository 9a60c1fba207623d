//! What a model is learned from: samples with features and expression, who they come from, where they lie.

use crate::base::{Error, Result};
use crate::space::DVec2;

/// Where a sample lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Number of its section.
    pub section: usize,
    /// Position on it, mm.
    pub mm: DVec2,
}

/// Samples to learn from. All columns have one value per sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Training {
    /// Names of the samples.
    pub samples: Vec<String>,
    /// Names of the features.
    pub features: Vec<String>,
    /// Features, column by column.
    pub x: Vec<Vec<f64>>,
    /// Names of the genes or scores.
    pub genes: Vec<String>,
    /// Expression, column by column.
    pub y: Vec<Vec<f64>>,
    /// Where the samples lie, if they lie anywhere.
    pub places: Option<Vec<Place>>,
}

/// One division of the samples: what is learned from and what is held out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    /// Groups (patients, sections, blocks) that are learned from.
    pub train_groups: Vec<String>,
    /// Groups that are held out.
    pub test_groups: Vec<String>,
    /// Samples that are learned from, increasing.
    pub train: Vec<usize>,
    /// Samples that are held out, increasing.
    pub test: Vec<usize>,
}

impl Training {
    /// Number of samples.
    #[must_use]
    pub fn n(&self) -> usize {
        self.samples.len()
    }

    /// Lengths, and numbers that are finite.
    pub fn check(&self) -> Result<()> {
        let n = self.n();
        if self.x.len() != self.features.len() || self.y.len() != self.genes.len() {
            return Err(Error::parameter("the names of features or genes do not match their columns"));
        }
        if self.x.iter().chain(&self.y).any(|c| c.len() != n) || self.places.as_ref().is_some_and(|p| p.len() != n) {
            return Err(Error::parameter(format!("a column does not have one value for each of {n} samples")));
        }
        if n < 4 || self.x.is_empty() || self.y.is_empty() {
            let (p, m) = (self.x.len(), self.y.len());
            return Err(Error::degenerate(format!("{n} samples, {p} features and {m} genes are too few to learn from")));
        }
        Ok(())
    }
}

/// Folds that make sense for `n` samples: every sample is held out at most once, never learned from in its
/// own fold, and every fold has something on both sides.
pub fn check_folds(folds: &[Fold], n: usize) -> Result<()> {
    if folds.len() < 2 {
        return Err(Error::degenerate(format!("{} folds; at least 2 are needed to hold samples out", folds.len())));
    }
    let mut held = vec![false; n];
    for (k, fold) in folds.iter().enumerate() {
        let mut seen = vec![false; n];
        for &i in &fold.train {
            *seen.get_mut(i).ok_or_else(|| Error::parameter(format!("fold {k} names sample {i} of {n}")))? = true;
        }
        for &i in &fold.test {
            if i >= n || seen[i] || held[i] {
                return Err(Error::parameter(format!(
                    "fold {k} holds out sample {i} that it learns from, or that is held out twice"
                )));
            }
            held[i] = true;
        }
        if fold.train.len() < 2 || fold.test.is_empty() {
            let (a, b) = (fold.train.len(), fold.test.len());
            return Err(Error::degenerate(format!("fold {} learns from {a} samples and holds out {b}; use fewer folds", k + 1)));
        }
    }
    Ok(())
}
