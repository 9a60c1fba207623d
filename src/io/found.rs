//! What a reader gives back: the content, and one line about what was found and assumed.

use crate::base::{Limits, Progress, Warnings};
use crate::model::{Cohort, LabelMap, Section, Volume};
use std::path::PathBuf;

/// What every reader gets: how much memory it may take, how to say how far it is, where to say what it assumed.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Checked before memory is taken.
    pub limits: Limits,
    /// Progress and cancel.
    pub progress: &'a Progress,
    /// What was assumed, repaired or missing.
    pub warnings: &'a mut Warnings,
}

/// One thing that can be shown or used.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A volume or cine.
    Volume(Volume),
    /// A segmentation.
    Labels(LabelMap),
    /// A tissue section, or an expression table without a place (then `spots` is `None`).
    Section(Section),
    /// Patients side by side, from a sample sheet.
    Cohort(Cohort),
}

/// One thing found in a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The thing.
    pub content: Content,
    /// One line: what was found and what was assumed, as
    /// `cine 256×256×12 voxels × 25 phases, 1.37×1.37×10 mm, sorted by TriggerTime`.
    pub summary: String,
    /// Which tag sorted the phases, where that applies.
    pub sorted_by: Option<String>,
    /// How many files it was made of.
    pub n_files: usize,
    /// The path that was opened.
    pub path: PathBuf,
    /// Its number among the things in that path, from 0; stable for the same input.
    pub item: usize,
}
