//! A cut through a segmentation.

use super::slice::CutUniform;
use super::{COLORS, texture_entry};
use crate::scene::{LabelsDrawn, Scene};
use bytemuck::{Pod, Zeroable};

/// Twin of `LabelsUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct LabelsUniform {
    pub(in crate::render) cut: CutUniform,
    pub(in crate::render) fill: f32,
    pub(in crate::render) outline_px: f32,
    pub(in crate::render) only: u32,
    pub(in crate::render) padding: [u32; 3],
}

impl LabelsUniform {
    /// `first_k` is where the phase begins in the texture.
    pub(in crate::render) fn new(scene: &Scene, drawn: &LabelsDrawn, first_k: u32) -> Self {
        Self {
            cut: CutUniform::new(scene, &drawn.plane, &drawn.labels.grid, first_k),
            fill: drawn.fill.clamp(0.0, 1.0),
            outline_px: drawn.outline_px.clamp(0.0, 8.0),
            only: u32::from(drawn.only.unwrap_or(0)),
            padding: [0; 3],
        }
    }
}

pub(super) fn entries() -> Vec<wgpu::BindGroupLayoutEntry> {
    vec![texture_entry(0, wgpu::TextureSampleType::Uint, true), texture_entry(1, COLORS, false)]
}
