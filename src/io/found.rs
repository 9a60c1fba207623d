//! What a reader gives back: the content, and one line about what was found and assumed.

use super::summary::summarize;
use crate::base::{Limits, Progress, Warnings};
use crate::model::{Cohort, Contours, Ecg, ImagePlace, LabelMap, Section, Surface, Volume};
use std::path::{Path, PathBuf};

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
    /// An electrocardiogram.
    Ecg(Ecg),
    /// Drawn outlines.
    Contours(Contours),
    /// A mesh.
    Surface(Surface),
}

impl Content {
    /// Its name on screen.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Volume(v) => &v.name,
            Self::Labels(l) => &l.name,
            Self::Section(s) => &s.name,
            Self::Cohort(c) => c.name(),
            Self::Ecg(e) => &e.name,
            Self::Contours(c) => &c.name,
            Self::Surface(s) => &s.name,
        }
    }
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
    /// Where the images of a series lie that it was made of; empty for other things.
    pub images: Vec<ImagePlace>,
}

impl Found {
    /// A thing that one file holds.
    #[must_use]
    pub fn alone(content: Content, path: &Path) -> Self {
        let summary = summarize(&content);
        Self { content, summary, sorted_by: None, n_files: 1, path: path.to_path_buf(), item: 0, images: Vec::new() }
    }
}
