//! Whether a NIfTI file is a segmentation, and its values as labels.

use super::super::bytes;
use super::voxels::Voxels;
use crate::base::{Error, Result};
use crate::model::Samples;
use std::path::Path;
use std::sync::Arc;

/// `NIFTI_INTENT_LABEL`.
pub(super) const INTENT_LABEL: i32 = 1002;
/// A named segmentation has at most so many values.
const MOST_NAMED: usize = 32;
/// A nameless one has at most so many, 0 among them.
const MOST_NAMELESS: usize = 8;

/// Why the file is a segmentation, or `None` where it is an image.
pub(super) fn recognize(path: &Path, intent_code: i32, voxels: &Voxels) -> Option<String> {
    let present = present_values(voxels)?;
    let n = present.iter().filter(|p| **p).count();
    if intent_code == INTENT_LABEL {
        return Some("its intent code is 1002 (label)".to_owned());
    }
    if name_hints(&bytes::stem(path)) && n <= MOST_NAMED {
        return Some(format!("its name says so and it has {n} whole values"));
    }
    let is_few = voxels.is_integer && present[0] && (2..=MOST_NAMELESS).contains(&n);
    is_few.then(|| format!("it has only {n} whole values, 0 among them"))
}

/// Whether a file's name names a segmentation: a word `gt` or `lab`, or one with `seg`, `label` or `mask`.
fn name_hints(stem: &str) -> bool {
    let lower = stem.to_lowercase();
    lower
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| matches!(word, "gt" | "lab" | "labs") || ["seg", "label", "mask"].iter().any(|hint| word.contains(hint)))
}

/// Which of 0..=255 occur after rescale; `None` where anything else does.
fn present_values(voxels: &Voxels) -> Option<[bool; 256]> {
    let mut present = [false; 256];
    for phase in &voxels.phases {
        for i in 0..phase.len() {
            present[usize::from(label(phase.stored(i), voxels)?)] = true;
        }
    }
    Some(present)
}

fn label(stored: f32, voxels: &Voxels) -> Option<u8> {
    let value = f64::from(stored) * voxels.slope + voxels.intercept;
    ((0.0..=255.0).contains(&value) && value.fract() == 0.0).then_some(value as u8)
}

/// Labels of every phase; [`Error::Malformed`] where a value is no whole number from 0 to 255.
pub(super) fn values(voxels: &Voxels) -> Result<Vec<Arc<[u8]>>> {
    voxels.phases.iter().map(|phase| phase_values(phase, voxels)).collect()
}

fn phase_values(phase: &Samples, voxels: &Voxels) -> Result<Arc<[u8]>> {
    if let (Samples::U8(bytes), 1.0, 0.0) = (phase, voxels.slope, voxels.intercept) {
        return Ok(Arc::clone(bytes));
    }
    (0..phase.len())
        .map(|i| {
            label(phase.stored(i), voxels).ok_or_else(|| {
                let value = f64::from(phase.stored(i)) * voxels.slope + voxels.intercept;
                Error::malformed(format!("voxel {i} is {value}; labels are whole numbers from 0 to 255"))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for yes in ["SCD0000101_ED_gt", "patient1_ED_autoseg", "LABELS", "heart-mask", "a_lab"] {
            assert!(name_hints(yes), "{yes}");
        }
        for no in ["length", "patient1_ED", "slab", "gtx"] {
            assert!(!name_hints(no), "{no}");
        }
    }
}
