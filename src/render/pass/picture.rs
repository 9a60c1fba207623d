//! A tile of a picture through a mesh.

use super::slice::size_px;
use super::{COLORS, texture_entry};
use crate::model::PictureLevel;
use crate::scene::{Compare, PaintTheme, PictureDrawn, Scene};
use crate::space::DVec2;
use bytemuck::{Pod, Zeroable};

/// Twin of `PictureUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct PictureUniform {
    pub(in crate::render) center: [f32; 2],
    pub(in crate::render) offset: [f32; 2],
    pub(in crate::render) size_px: [f32; 2],
    pub(in crate::render) level_scale: f32,
    pub(in crate::render) level_offset: f32,
    pub(in crate::render) level_size: [f32; 2],
    pub(in crate::render) tile_origin: [f32; 2],
    pub(in crate::render) draw_from: [f32; 2],
    pub(in crate::render) draw_to: [f32; 2],
    pub(in crate::render) accent: [f32; 4],
    pub(in crate::render) glass: [f32; 4],
    pub(in crate::render) scale: f32,
    pub(in crate::render) opacity: f32,
    pub(in crate::render) mode: u32,
    pub(in crate::render) parameter: f32,
}

/// The part of a level that one texture holds and the part of it that it draws.
#[derive(Clone, Copy, Debug)]
pub(in crate::render) struct TilePlace {
    pub(in crate::render) origin: [u32; 2],
    pub(in crate::render) draw_from: [f32; 2],
    pub(in crate::render) draw_to: [f32; 2],
    /// Color of the glass beside the tissue, 0 to 255.
    pub(in crate::render) glass: [f32; 4],
}

impl PictureUniform {
    pub(in crate::render) fn new(scene: &Scene, drawn: &PictureDrawn, level: &PictureLevel, place: TilePlace) -> Self {
        let to_px = ToPx::new(scene);
        let (mode, parameter) = compare_code(drawn.compare);
        Self {
            center: to_px.center,
            offset: to_px.offset,
            size_px: size_px(scene),
            level_scale: level.scale as f32,
            level_offset: level.offset as f32,
            level_size: [level.width as f32, level.height as f32],
            tile_origin: place.origin.map(|n| n as f32),
            draw_from: place.draw_from,
            draw_to: place.draw_to,
            accent: super::opaque(PaintTheme::default().accent),
            glass: place.glass,
            scale: to_px.scale,
            opacity: drawn.opacity.clamp(0.0, 1.0),
            mode,
            parameter,
        }
    }
}

/// Code and number of a way to share the pane.
pub(in crate::render) fn compare_code(compare: Compare) -> (u32, f32) {
    match compare {
        Compare::Blend | Compare::Flicker(_) => (0, 0.0),
        Compare::Swipe(share) => (1, share),
        Compare::Checker(px) => (2, px),
        Compare::Contour => (3, 0.0),
    }
}

/// Pixels from pane mm, split so that single precision is enough far from the origin.
pub(in crate::render) struct ToPx {
    pub(in crate::render) center: [f32; 2],
    pub(in crate::render) offset: [f32; 2],
    pub(in crate::render) scale: f32,
}

impl ToPx {
    pub(in crate::render) fn new(scene: &Scene) -> Self {
        let center = scene.camera.center.to_array().map(|v| v as f32);
        let rounded = DVec2::new(f64::from(center[0]), f64::from(center[1]));
        let offset = scene.camera.px_from_mm(scene.size_px, rounded);
        Self { center, offset: [offset.x as f32, offset.y as f32], scale: (1.0 / scene.camera.mm_per_px) as f32 }
    }
}

/// Pane mm and full-resolution pixel of each mesh vertex.
pub(in crate::render) static VERTEX_BUFFERS: [Option<wgpu::VertexBufferLayout<'static>>; 1] = [Some(wgpu::VertexBufferLayout {
    array_stride: 16,
    step_mode: wgpu::VertexStepMode::Vertex,
    attributes: &[
        wgpu::VertexAttribute { format: wgpu::VertexFormat::Float32x2, offset: 0, shader_location: 0 },
        wgpu::VertexAttribute { format: wgpu::VertexFormat::Float32x2, offset: 8, shader_location: 1 },
    ],
})];

pub(super) fn entries() -> Vec<wgpu::BindGroupLayoutEntry> {
    vec![texture_entry(0, COLORS, false)]
}
