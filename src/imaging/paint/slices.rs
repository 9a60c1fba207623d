//! Slices of a grid along any of its axes.

use crate::space::{DVec3, Grid};

/// The axis of a grid (0, 1, 2) whose slices lie most nearly in planes of this normal.
#[must_use]
pub fn slice_axis(grid: &Grid, normal: DVec3) -> usize {
    let rows = grid.voxel_from_lps().matrix3.transpose();
    let along = [rows.x_axis, rows.y_axis, rows.z_axis].map(|r| r.normalize_or_zero().dot(normal).abs());
    (0..3).rev().max_by(|a, b| along[*a].total_cmp(&along[*b])).unwrap_or(2)
}

/// A grid seen as slices along one axis: width, height and number of slices, and where a pixel is in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slices {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) n: usize,
    strides: [usize; 3],
    /// Axes of the grid that are across, down and through.
    pub(super) axes: [usize; 3],
}

impl Slices {
    pub(super) fn new(size: [usize; 3], axis: usize) -> Self {
        let axes = match axis {
            0 => [1, 2, 0],
            1 => [0, 2, 1],
            _ => [0, 1, 2],
        };
        let stride = [1, size[0], size[0] * size[1]];
        let strides = axes.map(|a| stride[a]);
        Self { width: size[axes[0]], height: size[axes[1]], n: size[axes[2]], strides, axes }
    }

    /// Memory index of pixel `p` (across + width · down) of slice `k`.
    pub(super) fn index(&self, p: usize, k: usize) -> usize {
        p % self.width * self.strides[0] + p / self.width * self.strides[1] + k * self.strides[2]
    }

    pub(super) fn area(&self) -> usize {
        self.width * self.height
    }

    /// Pixels of a slice of a mask of one value.
    pub(super) fn mask(&self, voxels: &[u8], k: usize, is: impl Fn(u8) -> bool) -> Vec<bool> {
        (0..self.area()).map(|p| is(voxels[self.index(p, k)])).collect()
    }
}
