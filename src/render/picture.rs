//! Pictures and meshes on the device: levels in tiles, uploaded when first seen; vertices of the warp.

use super::cache::Cache;
use super::gpu::{Link, Rows};
use super::pass::picture::TilePlace;
use crate::model::PictureLevel;
use crate::scene::{PictureDrawn, Scene, WarpMesh};
use crate::space::DVec2;
use std::sync::Arc;

/// Largest side of a tile.
const TILE_PX: u32 = 4096;
/// Pixels that neighboring tiles share on each side.
const BORDER_PX: u32 = 4;

/// Tiles and meshes on the device.
#[derive(Debug)]
pub(super) struct Pictures {
    tiles: Cache<(usize, u32, u32), (Arc<[u8]>, wgpu::TextureView)>,
    meshes: Cache<usize, (Arc<WarpMesh>, f64, wgpu::Buffer)>,
    grids: Cache<(usize, usize), (wgpu::Buffer, u32)>,
}

/// The vertices of a mesh and the triangles over them.
pub(super) struct MeshBuffers {
    pub(super) vertices: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    pub(super) n_indices: u32,
}

impl Pictures {
    pub(super) fn new() -> Self {
        Self { tiles: Cache::new(), meshes: Cache::new(), grids: Cache::new() }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.tiles.n_bytes() + self.meshes.n_bytes()
    }

    pub(super) fn evict(&mut self, before: u64, budget_bytes: u64) {
        self.tiles.evict(before, budget_bytes);
        // A warp that is dragged leaves a mesh behind in each frame.
        self.meshes.evict(before, 0);
    }

    /// The tile whose drawn part begins at this pixel of the level.
    pub(super) fn tile(&mut self, link: &Link, level: &PictureLevel, core: [u32; 2], now: u64) -> (wgpu::TextureView, TilePlace) {
        let key = (level.rgba.as_ptr() as usize, core[0], core[1]);
        let (origin, size, place) = Layout::new(link, level).tile(core);
        if let Some((_, view)) = self.tiles.find(&key, now) {
            return (view.clone(), place);
        }
        let texture = link.texture("picture", [size[0], size[1], 1], false, wgpu::TextureFormat::Rgba8Unorm);
        let offset = (u64::from(origin[1]) * level.width as u64 + u64::from(origin[0])) * 4;
        let rows = Rows { bytes: &level.rgba, offset, row_bytes: level.width as u32 * 4 };
        link.write_texture(&texture, [0; 3], [size[0], size[1], 1], rows);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let n_bytes = u64::from(size[0]) * u64::from(size[1]) * 4;
        self.tiles.insert(key, (Arc::clone(&level.rgba), view.clone()), n_bytes, now);
        (view, place)
    }

    /// The buffers of a mesh; a new mesh uploads 16 bytes for each vertex.
    pub(super) fn mesh(&mut self, link: &Link, mesh: &Arc<WarpMesh>, mm_per_px: f64, now: u64) -> MeshBuffers {
        let (indices, n_indices) = self.grid(link, mesh.columns, mesh.rows, now);
        let key = Arc::as_ptr(mesh).cast::<u8>() as usize;
        if let Some((_, scale, vertices)) = self.meshes.find(&key, now)
            && *scale == mm_per_px
        {
            return MeshBuffers { vertices: vertices.clone(), indices, n_indices };
        }
        let corners: Vec<[f32; 4]> = mesh
            .target
            .iter()
            .zip(&mesh.source)
            .map(|(t, s)| [t.x as f32, t.y as f32, (s.x / mm_per_px) as f32, (s.y / mm_per_px) as f32])
            .collect();
        let bytes: &[u8] = bytemuck::cast_slice(&corners);
        let vertices = link.filled_buffer("mesh", wgpu::BufferUsages::VERTEX, bytes);
        self.meshes.insert(key, (Arc::clone(mesh), mm_per_px, vertices.clone()), bytes.len() as u64, now);
        MeshBuffers { vertices, indices, n_indices }
    }

    /// Triangles of a grid: each cell is cut along the diagonal from its first to its last vertex.
    fn grid(&mut self, link: &Link, columns: usize, rows: usize, now: u64) -> (wgpu::Buffer, u32) {
        if let Some((buffer, n)) = self.grids.find(&(columns, rows), now) {
            return (buffer.clone(), *n);
        }
        let indices = triangles(columns, rows);
        let bytes: &[u8] = bytemuck::cast_slice(&indices);
        let buffer = link.filled_buffer("grid", wgpu::BufferUsages::INDEX, bytes);
        self.grids.insert((columns, rows), (buffer.clone(), indices.len() as u32), bytes.len() as u64, now);
        (buffer, indices.len() as u32)
    }
}

fn triangles(columns: usize, rows: usize) -> Vec<u32> {
    let cells = (0..rows.saturating_sub(1)).flat_map(|j| (0..columns.saturating_sub(1)).map(move |i| (i, j)));
    cells
        .flat_map(|(i, j)| {
            let a = (j * columns + i) as u32;
            let (b, c) = (a + 1, a + columns as u32);
            [a, b, c + 1, a, c + 1, c]
        })
        .collect()
}

/// What of the full-resolution picture a pane sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    low: DVec2,
    high: DVec2,
}

/// The part of a picture that the pane shows; `None` where the mesh is out of sight.
pub(super) fn seen(scene: &Scene, drawn: &PictureDrawn) -> Option<Seen> {
    let mesh = &drawn.mesh;
    let size = DVec2::new(f64::from(scene.size_px[0]), f64::from(scene.size_px[1]));
    let (pane_low, pane_high) =
        (scene.camera.mm_from_px(scene.size_px, DVec2::ZERO), scene.camera.mm_from_px(scene.size_px, size));
    let (mut low, mut high) = (DVec2::INFINITY, DVec2::NEG_INFINITY);
    for row in 0..mesh.rows.saturating_sub(1) {
        for column in 0..mesh.columns.saturating_sub(1) {
            let a = row * mesh.columns + column;
            let corners = [a, a + 1, a + mesh.columns + 1, a + mesh.columns];
            let target = corners.map(|c| mesh.target.get(c).copied().unwrap_or_default());
            let (t_low, t_high) = bounds(&target);
            if t_low.cmpgt(pane_high).any() || t_high.cmplt(pane_low).any() {
                continue;
            }
            let source = corners.map(|c| mesh.source.get(c).copied().unwrap_or_default() / drawn.mm_per_px);
            let (s_low, s_high) = bounds(&source);
            (low, high) = (low.min(s_low), high.max(s_high));
        }
    }
    (low.x <= high.x).then_some(Seen { low, high })
}

fn bounds(corners: &[DVec2; 4]) -> (DVec2, DVec2) {
    let fold = |f: fn(DVec2, DVec2) -> DVec2| corners[1..].iter().copied().fold(corners[0], f);
    (fold(DVec2::min), fold(DVec2::max))
}

/// The median color of a level's border, 0 to 255: the glass beside the tissue.
pub(super) fn glass(level: &PictureLevel) -> [f32; 4] {
    let (w, h) = (level.width, level.height);
    let rows = (0..w).flat_map(|x| [x, (h - 1) * w + x]);
    let border: Vec<usize> = rows.chain((0..h).flat_map(|y| [y * w, y * w + w - 1])).collect();
    std::array::from_fn(|channel| {
        let mut values: Vec<u8> = border.iter().filter_map(|&i| level.rgba.get(i * 4 + channel)).copied().collect();
        values.sort_unstable();
        values.get(values.len() / 2).map_or(255.0, |&v| f32::from(v))
    })
}

/// First pixels of the tiles of a level that are in sight.
pub(super) fn tiles_in_sight(link: &Link, level: &PictureLevel, seen: &Seen) -> Vec<[u32; 2]> {
    Layout::new(link, level)
        .in_sight((seen.low - level.offset) / level.scale - 1.0, (seen.high - level.offset) / level.scale + 1.0)
}

struct Layout {
    level: [u32; 2],
    core: u32,
}

impl Layout {
    fn new(link: &Link, level: &PictureLevel) -> Self {
        Self::with_side(level, link.limits.max_texture_dimension_2d.min(TILE_PX))
    }

    fn with_side(level: &PictureLevel, side: u32) -> Self {
        Self { level: [level.width as u32, level.height as u32], core: side - 2 * BORDER_PX }
    }

    fn in_sight(&self, low: DVec2, high: DVec2) -> Vec<[u32; 2]> {
        let starts = |n: u32, low: f64, high: f64| {
            let core = self.core;
            (0..n).step_by(core as usize).filter(move |&s| f64::from(s) <= high && f64::from(s + core) >= low)
        };
        starts(self.level[1], low.y, high.y).flat_map(|y| starts(self.level[0], low.x, high.x).map(move |x| [x, y])).collect()
    }

    /// First pixel held, size held, and what is drawn of it.
    fn tile(&self, core: [u32; 2]) -> ([u32; 2], [u32; 2], TilePlace) {
        let origin = core.map(|c| c.saturating_sub(BORDER_PX));
        let end = |axis: usize| (core[axis] + self.core + BORDER_PX).min(self.level[axis]);
        let size = [end(0).saturating_sub(origin[0]).max(1), end(1).saturating_sub(origin[1]).max(1)];
        let from = core.map(|c| if c == 0 { -1e9 } else { c as f32 - 0.5 });
        let to = |axis: usize| {
            let behind = core[axis] + self.core;
            if behind >= self.level[axis] { 1e9 } else { behind as f32 - 0.5 }
        };
        (origin, size, TilePlace { origin, draw_from: from, draw_to: [to(0), to(1)], glass: [255.0; 4] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level_of(width: usize, scale: f64) -> PictureLevel {
        PictureLevel { width, height: 30, rgba: vec![0; width * 120].into(), scale, offset: 0.0, name: String::new() }
    }

    #[test]
    fn tiles_cover_a_level_once() {
        let layout = Layout::with_side(&level_of(100, 1.0), 32);
        let tiles = layout.in_sight(DVec2::splat(-1e9), DVec2::splat(1e9));
        assert_eq!(tiles.len(), 5 * 2);
        for x in 0..100u32 {
            let drawing: Vec<_> = tiles
                .iter()
                .map(|&core| layout.tile(core))
                .filter(|(_, _, p)| {
                    p.draw_from[1] < 5.0 && p.draw_from[0] <= x as f32 && (x as f32) < p.draw_to[0] && p.draw_to[1] > 5.0
                })
                .collect();
            assert_eq!(drawing.len(), 1, "column {x}");
            let (origin, size, _) = drawing[0];
            assert!(origin[0] <= x.saturating_sub(1) && (x + 2).min(100) <= origin[0] + size[0]);
        }
        assert_eq!(layout.in_sight(DVec2::new(30.0, 2.0), DVec2::new(40.0, 4.0)), [[24, 0]]);
    }

    #[test]
    fn two_triangles_a_cell() {
        assert_eq!(triangles(2, 2), [0, 1, 3, 0, 3, 2]);
        assert_eq!(triangles(3, 4).len(), 2 * 3 * 6);
        assert!(triangles(1, 5).is_empty());
    }
}
