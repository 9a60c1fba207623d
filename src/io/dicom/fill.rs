//! Frames decoded in parallel straight to their place in the phases of a volume.

use super::assemble::Block;
use super::open::Opened;
use super::pixels::Voxel;
use crate::base::{Error, Limits, Progress, Result};
use crate::io::Reading;
use crate::model::Samples;
use rayon::prelude::*;
use std::sync::Arc;

/// What is filled from where.
pub(super) struct Filler<'a> {
    pub block: &'a Block<'a>,
    pub files: &'a [Opened],
    pub limits: Limits,
    pub progress: &'a Progress,
    pub n_phases: usize,
}

type Failed = (usize, usize, Error);

impl Filler<'_> {
    /// Decodes all phases in parallel; gives them and the (slot, phase) that stayed empty.
    pub fn fill<T: Voxel>(&self, reading: &mut Reading<'_>) -> Result<(Vec<Samples>, Vec<(usize, usize)>)> {
        let head = &self.block.stack.frames[0].layout;
        let plane = head.n_pixels();
        let counts = [plane as u64, self.block.n_slots as u64, self.n_phases as u64];
        self.limits.check("the voxels of a stack", &counts, size_of::<T>() as u64)?;
        let phases: Vec<(Arc<[T]>, Vec<Failed>)> =
            (0..self.n_phases).into_par_iter().map(|phase| self.phase(phase, plane)).collect::<Result<_>>()?;
        let (mut voxels, failed): (Vec<Arc<[T]>>, Vec<Vec<Failed>>) = phases.into_iter().unzip();
        let mut failed: Vec<Failed> = failed.into_iter().flatten().collect();
        let n_frames: usize = (0..self.n_phases).map(|p| self.filled(p).count()).sum();
        if !failed.is_empty() && failed.len() == n_frames {
            return Err(failed.swap_remove(0).2);
        }
        let mut missing: Vec<(usize, usize)> =
            (0..self.n_phases).flat_map(|p| self.empty(p).map(move |slot| (slot, p))).collect();
        for (slot, phase, error) in failed {
            reading.warnings.error(
                "undecodable-image",
                format!("{}: slice {} phase {}: {error}", self.block.name, slot + 1, phase + 1),
                None,
            );
            missing.push((slot, phase));
        }
        missing.sort_unstable();
        fill_missing(&mut voxels, &missing, plane);
        Ok((voxels.into_iter().map(T::samples).collect(), missing))
    }

    /// Slots of a phase with their frames.
    fn filled(&self, phase: usize) -> impl Iterator<Item = (usize, usize)> {
        let sorted = &self.block.stack.sorted;
        self.block.slices.iter().zip(&self.block.slots).filter_map(move |(&s, &slot)| sorted.frame(s, phase).map(|f| (slot, f)))
    }

    fn empty(&self, phase: usize) -> impl Iterator<Item = usize> {
        let mut full = vec![false; self.block.n_slots];
        for (slot, _) in self.filled(phase) {
            full[slot] = true;
        }
        (0..self.block.n_slots).filter(move |&k| !full[k])
    }

    fn phase<T: Voxel>(&self, phase: usize, plane: usize) -> Result<(Arc<[T]>, Vec<Failed>)> {
        self.progress.step(phase as f64 / self.n_phases as f64, "decoding pixels")?;
        let mut voxels: Arc<[T]> = std::iter::repeat_n(T::default(), plane * self.block.n_slots).collect();
        let mut frame_of = vec![None; self.block.n_slots];
        for (slot, frame) in self.filled(phase) {
            frame_of[slot] = Some(frame);
        }
        let failed = Arc::make_mut(&mut voxels)
            .par_chunks_mut(plane)
            .enumerate()
            .filter_map(|(slot, out)| {
                let header = &self.block.stack.frames[frame_of[slot]?];
                let decoded = self.progress.step(phase as f64 / self.n_phases as f64, "decoding pixels").and_then(|()| {
                    self.files[header.file].with_frame(header.frame, &self.limits, |raw| T::fill(raw, header.rescale, out))
                });
                decoded.err().map(|e| (slot, phase, e))
            })
            .collect::<Vec<Failed>>();
        if failed.iter().any(|f| matches!(f.2, Error::Cancelled)) {
            return Err(Error::Cancelled);
        }
        Ok((voxels, failed))
    }
}

/// Sets missing slices to the lowest value of all others.
fn fill_missing<T: Voxel>(voxels: &mut [Arc<[T]>], missing: &[(usize, usize)], plane: usize) {
    if missing.is_empty() {
        return;
    }
    let mut lowest: Option<T> = None;
    for (phase, data) in voxels.iter().enumerate() {
        for (slot, slice) in data.chunks_exact(plane).enumerate() {
            if missing.binary_search(&(slot, phase)).is_err() {
                lowest = slice.iter().copied().fold(lowest, |low, v| if low.is_none_or(|l| v < l) { Some(v) } else { low });
            }
        }
    }
    for &(slot, phase) in missing {
        if let Some(slice) = Arc::make_mut(&mut voxels[phase]).get_mut(slot * plane..(slot + 1) * plane) {
            slice.fill(lowest.unwrap_or_default());
        }
    }
}
