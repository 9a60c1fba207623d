//! Cuts through volumes and segmentations. From pixel position to voxel goes one linear map, composed
//! in double precision and then narrowed, so that a shader repeats the arithmetic exactly.

use super::canvas::{Canvas, blend, shares};
use crate::imaging::{nearest_index, trilinear};
use crate::model::Volume;
use crate::scene::{Camera, LabelsDrawn, SliceDrawn, color_index, color_table};
use crate::space::{DVec2, DVec3, Grid, Plane};

/// `voxel(x, y) = (origin + x · dx) + y · dy` for pixel positions (centers at whole numbers + 0.5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VoxelWalk {
    /// Voxel coordinates of the pane's top left corner.
    pub origin: [f32; 3],
    /// Per pixel to the right.
    pub dx: [f32; 3],
    /// Per pixel down.
    pub dy: [f32; 3],
}

impl VoxelWalk {
    /// Composed in double precision from camera, plane and grid.
    #[must_use]
    pub fn new(grid: &Grid, plane: &Plane, camera: &Camera, size_px: [u32; 2]) -> Self {
        let map = grid.voxel_from_lps();
        let origin = map.transform_point3(plane.lps_from_plane(camera.mm_from_px(size_px, DVec2::ZERO)));
        let step = |axis: DVec3| narrow(map.transform_vector3(axis * camera.mm_per_px));
        Self { origin: narrow(origin), dx: step(plane.right()), dy: step(plane.down()) }
    }

    /// Voxel coordinates at a pixel position.
    #[must_use]
    pub fn at(&self, x: f32, y: f32) -> [f32; 3] {
        std::array::from_fn(|i| (self.origin[i] + x * self.dx[i]) + y * self.dy[i])
    }
}

fn narrow(v: DVec3) -> [f32; 3] {
    v.to_array().map(|v| v as f32)
}

/// `(gain, bias)` with `t = stored · gain + bias`, 0 at `low` and 1 at `high` of rescaled values.
fn window(volume: &Volume, low: f64, high: f64) -> (f32, f32) {
    let span = if high > low { high - low } else { 1e-9 };
    ((volume.slope / span) as f32, ((volume.intercept - low) / span) as f32)
}

pub(super) fn paint_slice(canvas: &mut Canvas, d: &SliceDrawn, camera: &Camera) {
    let Some(samples) = d.volume.phases.get(d.phase) else { return };
    let walk = VoxelWalk::new(&d.volume.grid, &d.plane, camera, canvas.size_px());
    let size = d.volume.grid.size();
    let (gain, bias) = window(&d.volume, d.low, d.high);
    let table = color_table(d.color_map).map(shares);
    canvas.rows(|y, row| {
        for (x, pixel) in row.iter_mut().enumerate() {
            let voxel = walk.at(x as f32 + 0.5, y as f32 + 0.5);
            let stored =
                if d.smooth { trilinear(samples, size, voxel) } else { nearest_index(size, voxel).map(|i| samples.stored(i)) };
            if let Some(stored) = stored.filter(|v| !v.is_nan()) {
                blend(pixel, table[color_index(stored * gain + bias)], d.opacity);
            }
        }
    });
}

/// A pixel is filled where its label is drawn, and belongs to the outline where one of the eight places
/// `outline_px` beside it (left, right, up, down and the corners) has another label.
pub(super) fn paint_labels(canvas: &mut Canvas, d: &LabelsDrawn, camera: &Camera) {
    let Some(values) = d.labels.phases.get(d.phase) else { return };
    let walk = VoxelWalk::new(&d.labels.grid, &d.plane, camera, canvas.size_px());
    let size = d.labels.grid.size();
    let mut colors = [[0.0; 3]; 256];
    d.labels.table.iter().for_each(|e| colors[usize::from(e.value)] = shares(e.rgb));
    let label = |x: f32, y: f32| {
        let value = nearest_index(size, walk.at(x, y)).map_or(0, |i| values[i]);
        if d.only.is_none_or(|only| only == value) { value } else { 0 }
    };
    let o = d.outline_px;
    let beside = [(-o, 0.0), (o, 0.0), (0.0, -o), (0.0, o), (-o, -o), (o, -o), (-o, o), (o, o)];
    canvas.rows(|y, row| {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            let value = label(x, y);
            if value == 0 {
                continue;
            }
            let is_edge = o > 0.0 && beside.iter().any(|(dx, dy)| label(x + dx, y + dy) != value);
            blend(pixel, colors[usize::from(value)], if is_edge { 1.0 } else { d.fill });
        }
    });
}
