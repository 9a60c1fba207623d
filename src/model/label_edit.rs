//! Changes of a segmentation as runs of voxels: where, how many, from which value to which. Making, taking
//! back and storing one costs what was changed, not the size of the mask.

use super::{LabelEntry, LabelMap};
use crate::base::{Error, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Neighboring voxels in memory that go from one value to another together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelRun {
    /// Memory index of the first voxel.
    pub start: usize,
    /// Number of voxels, at least 1.
    pub len: usize,
    /// Value before.
    pub old: u8,
    /// Value after.
    pub new: u8,
}

/// The changes of one phase, in rising order, without overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelEdit {
    /// Which phase.
    pub phase: usize,
    /// What changes.
    pub runs: Vec<LabelRun>,
}

/// Names and colors of labels, and which are protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelTable {
    /// One row per value.
    pub entries: Vec<LabelEntry>,
    /// Values that neither gain nor lose voxels.
    pub locked: BTreeSet<u8>,
}

impl LabelEdit {
    /// The edit that gives these voxels (memory index, new value; rising, each once) their values. Voxels of
    /// locked values stay, and nothing becomes a locked value. Cost: the number of voxels named.
    #[must_use]
    pub fn of(phase: usize, voxels: &[u8], wanted: impl IntoIterator<Item = (usize, u8)>, locked: &BTreeSet<u8>) -> Self {
        let mut edit = Self { phase, runs: Vec::new() };
        for (at, new) in wanted {
            let Some(&old) = voxels.get(at) else { continue };
            if old == new || locked.contains(&old) || locked.contains(&new) {
                continue;
            }
            edit.push(at, old, new);
        }
        edit
    }

    /// What makes `after` of `before`, locks aside. Cost: one pass over both.
    #[must_use]
    pub fn between(phase: usize, before: &[u8], after: &[u8]) -> Self {
        let mut edit = Self { phase, runs: Vec::new() };
        for (at, (old, new)) in before.iter().zip(after).enumerate().filter(|(_, (old, new))| old != new) {
            edit.push(at, *old, *new);
        }
        edit
    }

    fn push(&mut self, at: usize, old: u8, new: u8) {
        match self.runs.last_mut() {
            Some(last) if last.start + last.len == at && (last.old, last.new) == (old, new) => last.len += 1,
            _ => self.runs.push(LabelRun { start: at, len: 1, old, new }),
        }
    }

    /// Number of voxels that change.
    #[must_use]
    pub fn n_voxels(&self) -> usize {
        self.runs.iter().map(|r| r.len).sum()
    }

    /// The edit that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let runs = self.runs.iter().map(|r| LabelRun { old: r.new, new: r.old, ..*r }).collect();
        Self { phase: self.phase, runs }
    }

    /// Writes the new values; runs beyond the end are cut.
    pub fn apply(&self, voxels: &mut [u8]) {
        for run in &self.runs {
            let end = run.start.saturating_add(run.len).min(voxels.len());
            if let Some(part) = voxels.get_mut(run.start..end) {
                part.fill(run.new);
            }
        }
    }

    /// Whether the voxels hold what the edit says they held. [`Error::Malformed`] where they do not.
    pub fn check(&self, voxels: &[u8]) -> Result<()> {
        let mut from = 0;
        for run in &self.runs {
            let end = run.start.checked_add(run.len).filter(|_| run.start >= from && run.len > 0);
            let held = end.and_then(|end| voxels.get(run.start..end));
            if held.is_none_or(|part| part.iter().any(|v| *v != run.old)) {
                return Err(Error::malformed(format!(
                    "{} voxels from number {} of phase {} were expected to have label {}; the segmentation is another one",
                    run.len, run.start, self.phase, run.old
                )));
            }
            from = run.start + run.len;
        }
        Ok(())
    }
}

impl LabelMap {
    /// The segmentation after these edits; phases that do not change are shared. Edits of phases that are not
    /// there are left out.
    #[must_use]
    pub fn edited(&self, edits: &[LabelEdit]) -> Self {
        let mut map = self.clone();
        for edit in edits.iter().filter(|e| !e.runs.is_empty()) {
            if let Some(slot) = map.phases.get_mut(edit.phase) {
                // One copy; the old phase stays with whoever holds it.
                let mut voxels: Arc<[u8]> = Arc::from(&slot[..]);
                if let Some(own) = Arc::get_mut(&mut voxels) {
                    edit.apply(own);
                }
                *slot = voxels;
            }
        }
        map
    }

    /// An empty segmentation on a grid, with right ventricle, myocardium and left ventricle to fill.
    /// [`Error::Parameter`] for no phase.
    pub fn blank(name: impl Into<String>, grid: crate::space::Grid, n_phases: usize) -> Result<Self> {
        if n_phases == 0 {
            return Err(Error::parameter("a segmentation has at least one phase"));
        }
        // All phases share one array until they are drawn on.
        let empty: Arc<[u8]> = vec![0; grid.n_voxels()].into();
        let mut map = Self::new(name, grid, vec![empty; n_phases])?;
        map.table = (1..=3).map(LabelEntry::usual).collect();
        Ok(map)
    }

    /// The same grid, phases and times without a label, with the usual table.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let empty: Arc<[u8]> = vec![0; self.grid.n_voxels()].into();
        let phases = vec![empty; self.phases.len()];
        Self { phases, table: (1..=3).map(LabelEntry::usual).collect(), locked: BTreeSet::new(), ..self.clone() }
    }

    /// Names, colors and locks.
    #[must_use]
    pub fn label_table(&self) -> LabelTable {
        LabelTable { entries: self.table.clone(), locked: self.locked.clone() }
    }

    /// The same voxels with other names, colors and locks.
    #[must_use]
    pub fn with_table(&self, table: &LabelTable) -> Self {
        Self { table: table.entries.clone(), locked: table.locked.clone(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_join_where_all_is_alike() {
        let voxels = [0, 0, 1, 1, 2, 0];
        let wanted = (0..6).map(|i| (i, 3));
        let edit = LabelEdit::of(0, &voxels, wanted, &BTreeSet::from([2]));
        let run = |start, len, old| LabelRun { start, len, old, new: 3 };
        assert_eq!(edit.runs, [run(0, 2, 0), run(2, 2, 1), run(5, 1, 0)]);
        assert_eq!(edit.n_voxels(), 5);
        let into_locked = LabelEdit::of(0, &voxels, [(0, 2)], &BTreeSet::from([2]));
        assert!(into_locked.runs.is_empty(), "a locked label gains nothing");
        assert!(edit.check(&voxels).is_ok() && edit.check(&[0; 6]).is_err() && edit.check(&[0]).is_err());
    }

    proptest! {
        #[test]
        fn there_and_back(before in prop::collection::vec(0u8..4, 1..200), after in prop::collection::vec(0u8..4, 200)) {
            let edit = LabelEdit::between(0, &before, &after);
            let mut voxels = before.clone();
            edit.apply(&mut voxels);
            prop_assert_eq!(&voxels[..], &after[..before.len()]);
            prop_assert!(edit.inverse().check(&voxels).is_ok());
            edit.inverse().apply(&mut voxels);
            prop_assert_eq!(voxels, before);
        }
    }
}
