//! A cut through a volume.

use super::spots::{SMALL_PX, radius_px};
use super::{COLORS, texture_entry};
use crate::model::{ColorMap, Samples};
use crate::render::tables;
use crate::scene::{Camera, Compare, Scene, SliceDrawn, SpotsDrawn};
use crate::space::{DVec2, DVec3, Grid, Plane};
use bytemuck::{Pod, Zeroable};

/// The first fields of the uniforms of everything that is cut by a plane.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct CutUniform {
    pub(in crate::render) origin: [f32; 4],
    pub(in crate::render) right: [f32; 4],
    pub(in crate::render) down: [f32; 4],
    pub(in crate::render) size: [i32; 4],
    pub(in crate::render) rectangle: [f32; 4],
    pub(in crate::render) size_px: [f32; 2],
}

impl CutUniform {
    /// `first_k` is where the phase begins in the texture.
    pub(super) fn new(scene: &Scene, plane: &Plane, grid: &Grid, first_k: u32) -> Self {
        let cut = Cut::new(scene, plane, grid);
        Self {
            origin: cut.origin(),
            right: cut.right(),
            down: cut.down(),
            rectangle: cut.rectangle,
            size: sizes(grid, first_k),
            size_px: size_px(scene),
        }
    }
}

/// Twin of `SliceUniform`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(in crate::render) struct SliceUniform {
    pub(in crate::render) cut: CutUniform,
    pub(in crate::render) gain: f32,
    pub(in crate::render) bias: f32,
    pub(in crate::render) opacity: f32,
    pub(in crate::render) table: u32,
    pub(in crate::render) padding: [u32; 2],
}

impl SliceUniform {
    /// `first_k` is where the phase begins in the texture.
    pub(in crate::render) fn new(scene: &Scene, drawn: &SliceDrawn, first_k: u32) -> Self {
        let span = if drawn.high > drawn.low { drawn.high - drawn.low } else { 1e-9 };
        Self {
            cut: CutUniform::new(scene, &drawn.plane, &drawn.volume.grid, first_k),
            gain: (drawn.volume.slope / span) as f32,
            bias: ((drawn.volume.intercept - drawn.low) / span) as f32,
            opacity: drawn.opacity.clamp(0.0, 1.0),
            table: tables::row(drawn.color_map),
            padding: [0; 2],
        }
    }
}

/// Variants of a program: nearest, four neighbors or eight; gray without a table; without blending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::render) struct Variant {
    pub(in crate::render) neighbors: u8,
    pub(in crate::render) gray: bool,
    pub(in crate::render) opaque: bool,
    /// Only the edge of a picture's tissue.
    pub(in crate::render) contour: bool,
    /// Spots have values.
    pub(in crate::render) valued: bool,
    /// Spots are rings.
    pub(in crate::render) ring: bool,
    /// Spots cover no more than the pixels beside their own.
    pub(in crate::render) small: bool,
}

impl Variant {
    /// The variant of a layer of spots.
    pub(in crate::render) fn of(scene: &Scene, drawn: &SpotsDrawn) -> Self {
        let small = radius_px(scene, drawn) < SMALL_PX;
        Self { valued: drawn.values.is_some(), ring: drawn.compare == Compare::Contour, small, ..Self::default() }
    }

    /// The constants of the programs for spots.
    pub(in crate::render) fn of_spots(self) -> [(&'static str, f64); 3] {
        [("valued", self.valued), ("ring", self.ring), ("small", self.small)].map(|(name, on)| (name, f64::from(u8::from(on))))
    }

    pub(in crate::render) fn new(scene: &Scene, drawn: &SliceDrawn) -> Self {
        // A NaN in the next slice counts as the painter counts it, so such volumes load all eight.
        let may_be_nan = matches!(drawn.volume.phases.get(drawn.phase), Some(Samples::F32(_)));
        let flat = !may_be_nan && Cut::new(scene, &drawn.plane, &drawn.volume.grid).flat;
        let neighbors = match (drawn.smooth, flat) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        };
        Self { neighbors, gray: drawn.color_map == ColorMap::Gray, opaque: drawn.opacity >= 1.0, ..Self::default() }
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
    /// Pixels that can be inside the grid: left, top, right, bottom.
    pub(in crate::render) rectangle: [f32; 4],
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
        let rectangle = inside_rectangle(scene.size_px, [origin, right, down], grid);
        Self { origin, right, down, flat, rectangle }
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

/// The box around the part of the pane that lies in the grid: the pane's rectangle cut by the grid's six
/// faces (Sutherland and Hodgman 1974).
fn inside_rectangle(size_px: [u32; 2], [origin, right, down]: [DVec3; 3], grid: &Grid) -> [f32; 4] {
    let [w, h] = size_px.map(f64::from);
    let mut polygon = vec![DVec2::ZERO, DVec2::new(w, 0.0), DVec2::new(w, h), DVec2::new(0.0, h)];
    for axis in 0..3 {
        let end = grid.size()[axis] as f64 - 0.5;
        let at = |p: DVec2| (origin + right * p.x + down * p.y)[axis];
        polygon = cut(&polygon, |p| at(p) + 0.5);
        polygon = cut(&polygon, |p| end - at(p));
    }
    let low = polygon.iter().copied().fold(DVec2::INFINITY, DVec2::min);
    let high = polygon.iter().copied().fold(DVec2::NEG_INFINITY, DVec2::max);
    if polygon.is_empty() {
        return [0.0; 4];
    }
    let (low, high) = ((low.floor() - 1.0).max(DVec2::ZERO), (high.ceil() + 1.0).min(DVec2::new(w, h)));
    [low.x as f32, low.y as f32, high.x as f32, high.y as f32]
}

/// The part of a convex polygon where a linear function is not below a hair under 0.
fn cut(polygon: &[DVec2], inside: impl Fn(DVec2) -> f64) -> Vec<DVec2> {
    let inside = |p: DVec2| inside(p) + 1e-3;
    let mut kept = Vec::with_capacity(polygon.len() + 1);
    for (&a, &b) in polygon.iter().zip(polygon.iter().cycle().skip(1)) {
        let (at_a, at_b) = (inside(a), inside(b));
        if at_a >= 0.0 {
            kept.push(a);
        }
        if (at_a >= 0.0) != (at_b >= 0.0) {
            kept.push(a + (b - a) * (at_a / (at_a - at_b)));
        }
    }
    kept
}

fn vec4(v: DVec3) -> [f32; 4] {
    [v.x as f32, v.y as f32, v.z as f32, 0.0]
}

pub(super) fn entries(sample_type: wgpu::TextureSampleType) -> Vec<wgpu::BindGroupLayoutEntry> {
    vec![texture_entry(0, sample_type, true), texture_entry(1, COLORS, false)]
}
