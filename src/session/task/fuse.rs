//! Canonical correlation of two views, as a task: image features against expression at the spots of a section.

use super::Made;
use crate::base::{Error, Progress, Result};
use crate::model::{ElementId, Study};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuseTask {
    /// The section.
    pub of: u64,
    /// Seed of everything random.
    pub seed: u64,
}

impl FuseTask {
    pub(super) fn inputs(&self, _study: &Study) -> BTreeSet<ElementId> {
        BTreeSet::from([ElementId(self.of)])
    }

    pub(super) fn make(&self, _study: &Study, _progress: &Progress) -> Result<Made> {
        Err(Error::unsupported(format!("this method is not here yet (seed {})", self.seed)))
    }
}
