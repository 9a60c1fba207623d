//! Segmentations: a small whole number per voxel, with a table of names and colors.

use crate::base::{Error, Result};
use crate::space::Grid;
use ndarray::ArrayView3;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a label value means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelEntry {
    /// The value in the mask, not 0.
    pub value: u8,
    /// As `LV cavity`.
    pub name: String,
    /// Display color, sRGB.
    pub rgb: [u8; 3],
}

/// A segmentation with a time axis of its own. Value 0 is nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMap {
    /// What it is called on screen.
    pub name: String,
    /// Size and place; may differ from the image's.
    pub grid: Grid,
    /// One array per phase, each of `grid.n_voxels()`.
    pub phases: Vec<Arc<[u8]>>,
    /// Time of each phase in ms; empty where unknown.
    pub phase_times_ms: Vec<f64>,
    /// Names and colors.
    pub table: Vec<LabelEntry>,
    /// Whether the file said that lengths are millimeters.
    pub length_unit_known: bool,
    /// Values that edits leave alone.
    pub locked: BTreeSet<u8>,
}

/// Convention of ACDC and of this program: 1 right ventricle, 2 myocardium, 3 left ventricle.
const CARDIAC: [(u8, &str, [u8; 3]); 3] =
    [(1, "RV cavity", [0x56, 0xB4, 0xE9]), (2, "Myocardium", [0x00, 0x9E, 0x73]), (3, "LV cavity", [0xE6, 0x9F, 0x00])];

/// Okabe and Ito's colors for further labels.
const OTHERS: [[u8; 3]; 4] = [[0xCC, 0x79, 0xA7], [0xD5, 0x5E, 0x00], [0xF0, 0xE4, 0x42], [0x00, 0x72, 0xB2]];

impl LabelEntry {
    /// Name and color that a value usually has.
    #[must_use]
    pub fn usual(value: u8) -> Self {
        match CARDIAC.iter().find(|(v, _, _)| *v == value) {
            Some(&(value, name, rgb)) => Self { value, name: name.to_owned(), rgb },
            None => Self { value, name: format!("Label {value}"), rgb: OTHERS[usize::from(value) % OTHERS.len()] },
        }
    }
}

impl LabelMap {
    /// Checks the lengths and makes the table: 1, 2, 3 are right ventricle, myocardium, left
    /// ventricle; other values present are `Label n`.
    pub fn new(name: impl Into<String>, grid: Grid, phases: Vec<Arc<[u8]>>) -> Result<Self> {
        if phases.is_empty() || phases.iter().any(|p| p.len() != grid.n_voxels()) {
            return Err(Error::malformed(format!("{} voxels were expected in each phase of the labels", grid.n_voxels())));
        }
        let mut present = [false; 256];
        phases.iter().flat_map(|p| p.iter()).for_each(|&v| present[usize::from(v)] = true);
        let table = (1..=255u8).filter(|&v| present[usize::from(v)]).map(LabelEntry::usual).collect();
        Ok(Self {
            name: name.into(),
            grid,
            phases,
            phase_times_ms: Vec::new(),
            table,
            length_unit_known: true,
            locked: BTreeSet::new(),
        })
    }

    /// Number of phases.
    #[must_use]
    pub fn n_phases(&self) -> usize {
        self.phases.len()
    }

    /// The table's entry of a value.
    #[must_use]
    pub fn entry(&self, value: u8) -> Option<&LabelEntry> {
        self.table.iter().find(|e| e.value == value)
    }

    /// A phase as an array of slices × rows × columns; `None` for a phase that is not there.
    #[must_use]
    pub fn voxels(&self, phase: usize) -> Option<ArrayView3<'_, u8>> {
        let [nx, ny, nz] = self.grid.size();
        ArrayView3::from_shape((nz, ny, nx), self.phases.get(phase)?).ok()
    }

    /// Number of voxels with a value in a phase.
    #[must_use]
    pub fn count(&self, phase: usize, value: u8) -> usize {
        self.phases[phase].iter().filter(|&&v| v == value).count()
    }
}
