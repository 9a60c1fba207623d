//! Normalization, variable genes and principal components of a section, as a task.

use super::Made;
use crate::base::{Error, Progress, Result};
use crate::model::{ElementId, Study};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceTask {
    /// The section.
    pub section: u64,
    /// Seed of everything random.
    pub seed: u64,
}

impl ReduceTask {
    pub(super) fn inputs(&self) -> BTreeSet<ElementId> {
        BTreeSet::from([ElementId(self.section)])
    }

    pub(super) fn make(&self, _study: &Study, _progress: &Progress) -> Result<Made> {
        Err(Error::unsupported(format!("this method is not here yet (seed {})", self.seed)))
    }
}
