//! A cut through a segmentation.

use super::slice::{Cut, size_px, sizes};
use super::{COLORS, texture_entry};
use crate::scene::{LabelsDrawn, Scene};
use bytemuck::{Pod, Zeroable};

/// Twin of `LabelsUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct LabelsUniform {
    pub(in crate::render) origin: [f32; 4],
    pub(in crate::render) right: [f32; 4],
    pub(in crate::render) down: [f32; 4],
    pub(in crate::render) size: [i32; 4],
    pub(in crate::render) rectangle: [f32; 4],
    pub(in crate::render) size_px: [f32; 2],
    pub(in crate::render) fill: f32,
    pub(in crate::render) outline_px: f32,
    pub(in crate::render) only: u32,
    pub(in crate::render) padding: [u32; 3],
}

impl LabelsUniform {
    /// `first_k` is where the phase begins in the texture.
    pub(in crate::render) fn new(scene: &Scene, drawn: &LabelsDrawn, first_k: u32) -> Self {
        let cut = Cut::new(scene, &drawn.plane, &drawn.labels.grid);
        Self {
            origin: cut.origin(),
            right: cut.right(),
            down: cut.down(),
            rectangle: cut.rectangle,
            size: sizes(&drawn.labels.grid, first_k),
            size_px: size_px(scene),
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
