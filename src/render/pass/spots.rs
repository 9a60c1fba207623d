//! Spots: instanced discs, or numbers splatted into pixels and colored afterwards.

use super::picture::{ToPx, compare_code};
use super::slice::size_px;
use super::{COLORS, storage_entry, texture_entry};
use crate::render::tables;
use crate::scene::{LEAST_RADIUS_PX, Scene, SpotsDrawn};
use crate::space::DVec2;
use bytemuck::{Pod, Zeroable};

/// Twin of `SpotsUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct SpotsUniform {
    pub(in crate::render) center: [f32; 2],
    pub(in crate::render) offset: [f32; 2],
    pub(in crate::render) size_px: [f32; 2],
    pub(in crate::render) scale: f32,
    pub(in crate::render) radius_px: f32,
    pub(in crate::render) plain: [f32; 4],
    pub(in crate::render) rectangle: [f32; 4],
    pub(in crate::render) low: f32,
    pub(in crate::render) span: f32,
    pub(in crate::render) opacity: f32,
    pub(in crate::render) table: u32,
    pub(in crate::render) mode: u32,
    pub(in crate::render) parameter: f32,
    pub(in crate::render) n_ranges: u32,
    pub(in crate::render) padding: u32,
}

impl SpotsUniform {
    pub(in crate::render) fn new(scene: &Scene, drawn: &SpotsDrawn, n_ranges: usize) -> Self {
        let to_px = ToPx::new(scene);
        let (mode, parameter) = compare_code(drawn.compare);
        Self {
            center: to_px.center,
            offset: to_px.offset,
            size_px: size_px(scene),
            scale: to_px.scale,
            radius_px: radius_px(scene, drawn),
            plain: super::opaque(drawn.plain),
            rectangle: [0.0, 0.0, scene.size_px[0] as f32, scene.size_px[1] as f32],
            low: drawn.low,
            span: if drawn.high > drawn.low { drawn.high - drawn.low } else { 1e-9 },
            opacity: drawn.opacity.clamp(0.0, 1.0),
            table: tables::row(drawn.color_map),
            mode,
            parameter,
            n_ranges: n_ranges as u32,
            padding: 0,
        }
    }
}

/// The pixels of a pane that a box in pane mm can cover, with this margin.
pub(in crate::render) fn covered_px(scene: &Scene, [low, high]: [[f32; 2]; 2], margin_px: f32) -> [f32; 4] {
    let size = scene.size_px.map(f64::from);
    let at = |p: [f32; 2]| scene.camera.px_from_mm(scene.size_px, DVec2::new(f64::from(p[0]), f64::from(p[1])));
    let (low, high, margin) = (at(low), at(high), f64::from(margin_px) + 1.0);
    let clamped = |v: f64, most: f64| v.clamp(0.0, most) as f32;
    [
        clamped((low.x - margin).floor(), size[0]),
        clamped((low.y - margin).floor(), size[1]),
        clamped((high.x + margin).ceil(), size[0]),
        clamped((high.y + margin).ceil(), size[1]),
    ]
}

/// Under this radius in pixels a spot covers no more than its own pixel and seven beside it.
pub(in crate::render) const SMALL_PX: f32 = 0.9;

/// Radius on the screen.
pub(in crate::render) fn radius_px(scene: &Scene, drawn: &SpotsDrawn) -> f32 {
    ((f64::from(drawn.radius_mm) / scene.camera.mm_per_px) as f32).max(LEAST_RADIUS_PX)
}

/// Position and value of each instance.
pub(super) static VERTEX_BUFFERS: [Option<wgpu::VertexBufferLayout<'static>>; 2] = [
    Some(wgpu::VertexBufferLayout {
        array_stride: 8,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes: &[wgpu::VertexAttribute { format: wgpu::VertexFormat::Float32x2, offset: 0, shader_location: 0 }],
    }),
    Some(wgpu::VertexBufferLayout {
        array_stride: 4,
        step_mode: wgpu::VertexStepMode::Instance,
        attributes: &[wgpu::VertexAttribute { format: wgpu::VertexFormat::Float32, offset: 0, shader_location: 1 }],
    }),
];

pub(super) fn disc_entries() -> Vec<wgpu::BindGroupLayoutEntry> {
    vec![texture_entry(0, COLORS, false)]
}

pub(super) fn splat_entries() -> Vec<wgpu::BindGroupLayoutEntry> {
    let at = wgpu::ShaderStages::COMPUTE;
    vec![storage_entry(0, at, true), storage_entry(1, at, true), storage_entry(2, at, true), storage_entry(3, at, false)]
}

pub(super) fn resolve_entries() -> Vec<wgpu::BindGroupLayoutEntry> {
    let at = wgpu::ShaderStages::FRAGMENT;
    vec![storage_entry(0, at, true), storage_entry(1, at, true), texture_entry(2, COLORS, false)]
}
