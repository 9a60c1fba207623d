//! Voxels on the device: all phases of a volume or a segmentation stacked along z in as few 3-D
//! textures as the limits allow. The phase that is drawn is uploaded at once, the others a few at a time.

use super::cache::Cache;
use super::gpu::{Link, Rows};
use super::shader::Pass;
use crate::base::{Error, Result};
use crate::model::{LabelMap, Samples};

/// Most bytes of one texture.
const TEXTURE_BYTES: usize = 512 << 20;
/// Most bytes of phases that are uploaded ahead in one frame.
const AHEAD_BYTES: usize = 64 << 20;

/// Where a phase is.
pub(super) struct Place {
    pub(super) view: wgpu::TextureView,
    /// Program for the sample type.
    pub(super) pass: Pass,
    /// First slice of the phase in the texture.
    pub(super) first_k: u32,
    /// More phases wait for upload.
    pub(super) waiting: bool,
}

/// All voxels on the device.
#[derive(Debug)]
pub(super) struct Volumes {
    stacks: Cache<Vec<usize>, Stack>,
}

#[derive(Debug)]
struct Stack {
    /// Keeps the addresses of the key taken.
    phases: Vec<Samples>,
    size: [u32; 3],
    per_texture: usize,
    textures: Vec<(wgpu::Texture, wgpu::TextureView)>,
    uploaded: Vec<bool>,
}

impl Volumes {
    pub(super) fn new() -> Self {
        Self { stacks: Cache::new() }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.stacks.n_bytes()
    }

    pub(super) fn evict(&mut self, before: u64, budget_bytes: u64) {
        self.stacks.evict(before, budget_bytes);
    }

    /// The place of a phase, uploaded if it was not. Unsupported where a slice is larger than a texture.
    pub(super) fn place(&mut self, link: &Link, phases: &[Samples], size: [usize; 3], at: (usize, u64)) -> Result<Place> {
        self.place_by(link, phases.iter().map(address).collect(), phases, size, at)
    }

    /// The place of a phase of an element that people draw on: where it was on the device before, only the rows
    /// that changed are sent.
    pub(super) fn place_of(
        &mut self,
        link: &Link,
        element: u64,
        phases: &[Samples],
        size: [usize; 3],
        at: (usize, u64),
    ) -> Result<Place> {
        // No address is that large.
        let key = vec![usize::MAX, element as usize, size[0], size[1], size[2], phases.len()];
        if let Some(stack) = self.stacks.find(&key, at.1) {
            stack.replace(link, phases);
        }
        self.place_by(link, key, phases, size, at)
    }

    fn place_by(
        &mut self,
        link: &Link,
        key: Vec<usize>,
        phases: &[Samples],
        size: [usize; 3],
        at: (usize, u64),
    ) -> Result<Place> {
        let (phase, now) = at;
        let phase = phase.min(phases.len().saturating_sub(1));
        if self.stacks.find(&key, now).is_none() {
            let stack = Stack::new(link, phases, size)?;
            let n_bytes = phases.iter().map(|p| p.n_bytes() as u64).sum();
            self.stacks.insert(key.clone(), stack, n_bytes, now);
        }
        let stack = self.stacks.find(&key, now).ok_or_else(|| Error::degenerate("the voxels were dropped while drawn"))?;
        stack.upload(link, phase);
        stack.place(phase)
    }
}

/// The phases of a segmentation as samples (shares the arrays).
pub(super) fn samples_of(labels: &LabelMap) -> Vec<Samples> {
    labels.phases.iter().map(|p| Samples::U8(p.clone())).collect()
}

fn address(samples: &Samples) -> usize {
    bytes(samples).as_ptr() as usize
}

fn bytes(samples: &Samples) -> &[u8] {
    match samples {
        Samples::U8(v) => v,
        Samples::I16(v) => bytemuck::cast_slice(v),
        Samples::U16(v) => bytemuck::cast_slice(v),
        Samples::F32(v) => bytemuck::cast_slice(v),
    }
}

fn format(samples: &Samples) -> (wgpu::TextureFormat, Pass, u32) {
    match samples {
        Samples::U8(_) => (wgpu::TextureFormat::R8Uint, Pass::SliceUint, 1),
        Samples::I16(_) => (wgpu::TextureFormat::R16Sint, Pass::SliceSint, 2),
        Samples::U16(_) => (wgpu::TextureFormat::R16Uint, Pass::SliceUint, 2),
        Samples::F32(_) => (wgpu::TextureFormat::R32Float, Pass::SliceFloat, 4),
    }
}

impl Stack {
    fn new(link: &Link, phases: &[Samples], size: [usize; 3]) -> Result<Self> {
        let most = link.limits.max_texture_dimension_3d as usize;
        let Some(first) = phases.first() else { return Err(Error::parameter("a volume without phases cannot be drawn")) };
        let kind = std::mem::discriminant(first);
        if size.iter().any(|&n| n > most) || phases.iter().any(|p| std::mem::discriminant(p) != kind) {
            return Err(Error::unsupported(format!(
                "{}×{}×{} voxels cannot be drawn here: the graphics device takes {most} along each axis, all phases of one type",
                size[0], size[1], size[2]
            )));
        }
        let by_bytes = TEXTURE_BYTES / first.n_bytes().max(1);
        let per_texture = (most / size[2]).min(by_bytes).clamp(1, phases.len());
        let (format, ..) = format(first);
        let size = size.map(|n| n as u32);
        let textures = (0..phases.len())
            .step_by(per_texture)
            .map(|start| {
                let n = per_texture.min(phases.len() - start) as u32;
                let texture = link.texture("voxels", [size[0], size[1], size[2] * n], true, format);
                let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
                (texture, view)
            })
            .collect();
        Ok(Self { phases: phases.to_vec(), size, per_texture, textures, uploaded: vec![false; phases.len()] })
    }

    /// The wanted phase, then the following ones up to a limit.
    fn upload(&mut self, link: &Link, phase: usize) {
        self.upload_one(link, phase);
        let mut ahead = AHEAD_BYTES;
        for next in (phase..self.phases.len()).chain(0..phase) {
            let n_bytes = self.phases[next].n_bytes();
            if self.uploaded[next] {
                continue;
            }
            if n_bytes > ahead {
                return;
            }
            ahead -= n_bytes;
            self.upload_one(link, next);
        }
    }

    /// Other voxels of the same size and type: of phases that are on the device, the changed rows are sent.
    fn replace(&mut self, link: &Link, phases: &[Samples]) {
        for (p, new) in phases.iter().enumerate() {
            if address(new) == address(&self.phases[p]) {
                continue;
            }
            let old = std::mem::replace(&mut self.phases[p], new.clone());
            if self.uploaded[p] {
                let (_, _, texel) = format(new);
                let [row, height] = [self.size[0] as usize * texel as usize, self.size[1] as usize];
                for (k, rows) in changed_rows(bytes(&old), bytes(new), row, height) {
                    let [first, end] = rows;
                    let from = (k * height + first) * row;
                    let part = Rows { bytes: bytes(new), offset: from as u64, row_bytes: row as u32 };
                    let first_k = (p % self.per_texture) as u32 * self.size[2] + k as u32;
                    let texture = &self.textures[p / self.per_texture].0;
                    link.write_texture(texture, [0, first as u32, first_k], [self.size[0], (end - first) as u32, 1], part);
                }
            }
        }
    }

    fn upload_one(&mut self, link: &Link, phase: usize) {
        if std::mem::replace(&mut self.uploaded[phase], true) {
            return;
        }
        let (_, _, texel) = format(&self.phases[phase]);
        let first_k = (phase % self.per_texture) as u32 * self.size[2];
        let rows = Rows { bytes: bytes(&self.phases[phase]), offset: 0, row_bytes: self.size[0] * texel };
        link.write_texture(&self.textures[phase / self.per_texture].0, [0, 0, first_k], self.size, rows);
    }

    fn place(&self, phase: usize) -> Result<Place> {
        let (_, view) =
            self.textures.get(phase / self.per_texture).ok_or_else(|| Error::parameter(format!("there is no phase {phase}")))?;
        Ok(Place {
            view: view.clone(),
            pass: format(&self.phases[phase]).1,
            first_k: (phase % self.per_texture) as u32 * self.size[2],
            waiting: !self.uploaded.iter().all(|&done| done),
        })
    }
}

/// Slices that differ, each with its first changed row and one after the last.
fn changed_rows(old: &[u8], new: &[u8], row: usize, height: usize) -> Vec<(usize, [usize; 2])> {
    let slices = old.chunks(row * height).zip(new.chunks(row * height)).enumerate().filter(|(_, (a, b))| a != b);
    let span = |(k, (a, b)): (usize, (&[u8], &[u8]))| {
        let differs = |j: &usize| a[j * row..(j + 1) * row] != b[j * row..(j + 1) * row];
        let first = (0..height).find(differs)?;
        Some((k, [first, (first..height).rev().find(differs)? + 1]))
    };
    slices.filter_map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_rows_are_sent() {
        let old = vec![0u8; 4 * 5 * 3];
        let mut new = old.clone();
        (new[20 + 9], new[20 + 14], new[59]) = (1, 1, 1);
        assert_eq!(changed_rows(&old, &new, 4, 5), [(1, [2, 4]), (2, [4, 5])]);
        assert!(changed_rows(&old, &old, 4, 5).is_empty());
    }
}
