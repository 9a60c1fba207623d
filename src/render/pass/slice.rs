//! A cut through a volume.

use super::{COLORS, texture_entry};
use crate::render::tables;
use crate::scene::{Camera, Scene, SliceDrawn};
use crate::space::{DVec2, DVec3, Grid, Plane};
use bytemuck::{Pod, Zeroable};

/// Twin of `SliceUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct SliceUniform {
    pub(in crate::render) origin: [f32; 4],
    pub(in crate::render) right: [f32; 4],
    pub(in crate::render) down: [f32; 4],
    pub(in crate::render) size: [i32; 4],
    pub(in crate::render) size_px: [f32; 2],
    pub(in crate::render) gain: f32,
    pub(in crate::render) bias: f32,
    pub(in crate::render) opacity: f32,
    pub(in crate::render) table: u32,
    pub(in crate::render) smooth_cut: u32,
    pub(in crate::render) flat_cut: u32,
}

impl SliceUniform {
    /// `first_k` is where the phase begins in the texture.
    pub(in crate::render) fn new(scene: &Scene, drawn: &SliceDrawn, first_k: u32) -> Self {
        let cut = Cut::new(scene, &drawn.plane, &drawn.volume.grid);
        let span = if drawn.high > drawn.low { drawn.high - drawn.low } else { 1e-9 };
        Self {
            origin: cut.origin(),
            right: cut.right(),
            down: cut.down(),
            size: sizes(&drawn.volume.grid, first_k),
            size_px: size_px(scene),
            gain: (drawn.volume.slope / span) as f32,
            bias: ((drawn.volume.intercept - drawn.low) / span) as f32,
            opacity: drawn.opacity.clamp(0.0, 1.0),
            table: tables::row(drawn.color_map),
            smooth_cut: u32::from(drawn.smooth),
            flat_cut: u32::from(cut.flat),
        }
    }
}

/// Width and height of the pane as the shaders want them.
pub(in crate::render) fn size_px(scene: &Scene) -> [f32; 2] {
    scene.size_px.map(|n| n as f32)
}

/// Voxels along i, j, k and the first k.
pub(in crate::render) fn sizes(grid: &Grid, first_k: u32) -> [i32; 4] {
    let [nx, ny, nz] = grid.size();
    [nx as i32, ny as i32, nz as i32, first_k as i32]
}

/// Voxel positions of pixels: an origin and two steps.
pub(in crate::render) struct Cut {
    origin: DVec3,
    right: DVec3,
    down: DVec3,
    /// It lies in the middle of one slice.
    flat: bool,
}

impl Cut {
    pub(in crate::render) fn new(scene: &Scene, plane: &Plane, grid: &Grid) -> Self {
        let voxel_from_lps = grid.voxel_from_lps();
        let Camera { mm_per_px, .. } = scene.camera;
        let corner = plane.lps_from_plane(scene.camera.mm_from_px(scene.size_px, DVec2::ZERO));
        let mut origin = voxel_from_lps.transform_point3(corner);
        let mut right = voxel_from_lps.transform_vector3(plane.right() * mm_per_px);
        let mut down = voxel_from_lps.transform_vector3(plane.down() * mm_per_px);
        let drift = right.z.abs() * f64::from(scene.size_px[0]) + down.z.abs() * f64::from(scene.size_px[1]);
        let k = origin.z.round();
        let flat = drift < 1e-4 && (origin.z - k).abs() < 1e-4;
        if flat {
            (origin.z, right.z, down.z) = (k, 0.0, 0.0);
        }
        Self { origin, right, down, flat }
    }

    pub(in crate::render) fn origin(&self) -> [f32; 4] {
        vec4(self.origin)
    }

    pub(in crate::render) fn right(&self) -> [f32; 4] {
        vec4(self.right)
    }

    pub(in crate::render) fn down(&self) -> [f32; 4] {
        vec4(self.down)
    }
}

fn vec4(v: DVec3) -> [f32; 4] {
    [v.x as f32, v.y as f32, v.z as f32, 0.0]
}

pub(super) fn entries(sample_type: wgpu::TextureSampleType) -> Vec<wgpu::BindGroupLayoutEntry> {
    vec![texture_entry(0, sample_type, true), texture_entry(1, COLORS, false)]
}
