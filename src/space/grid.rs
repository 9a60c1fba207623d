//! A regular voxel grid and where it lies in the patient.

use super::{DAffine3, DVec3};
use crate::base::{Error, Result};

/// Size and place of a voxel grid. Voxel (i, j, k) has its center at `lps_from_voxel · (i, j, k)`;
/// its texture coordinate is `((i, j, k) + 0.5) / size`; its memory index `i + nx·(j + ny·k)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    size: [usize; 3],
    lps_from_voxel: DAffine3,
    voxel_from_lps: DAffine3,
}

impl Grid {
    /// A grid of columns × rows × slices; refused where a size is 0 or the matrix cannot be inverted.
    pub fn new(size: [usize; 3], lps_from_voxel: DAffine3) -> Result<Self> {
        if size.contains(&0) {
            return Err(Error::malformed(format!("a grid of {}×{}×{} voxels is empty", size[0], size[1], size[2])));
        }
        let det = lps_from_voxel.matrix3.determinant();
        if !lps_from_voxel.is_finite() || det.abs() < 1e-12 {
            return Err(Error::malformed(format!(
                "the voxel-to-patient matrix is singular or not finite (determinant {det:e}): {:?}",
                lps_from_voxel.matrix3
            )));
        }
        Ok(Self { size, lps_from_voxel, voxel_from_lps: lps_from_voxel.inverse() })
    }

    /// Columns, rows, slices.
    #[must_use]
    pub fn size(&self) -> [usize; 3] {
        self.size
    }

    /// Number of voxels.
    #[must_use]
    pub fn n_voxels(&self) -> usize {
        self.size.iter().product()
    }

    /// Patient mm from voxel indices.
    #[must_use]
    pub fn lps_from_voxel(&self) -> DAffine3 {
        self.lps_from_voxel
    }

    /// Voxel indices from patient mm.
    #[must_use]
    pub fn voxel_from_lps(&self) -> DAffine3 {
        self.voxel_from_lps
    }

    /// Distance between neighboring centers along i, j, k in mm.
    #[must_use]
    pub fn spacing_mm(&self) -> DVec3 {
        let m = self.lps_from_voxel.matrix3;
        DVec3::new(m.x_axis.length(), m.y_axis.length(), m.z_axis.length())
    }

    /// Volume of one voxel in mm³.
    #[must_use]
    pub fn voxel_mm3(&self) -> f64 {
        self.lps_from_voxel.matrix3.determinant().abs()
    }

    /// Patient position of the grid's middle.
    #[must_use]
    pub fn center_lps(&self) -> DVec3 {
        let half = self.size.map(|n| (n as f64 - 1.0) / 2.0);
        self.lps_from_voxel.transform_point3(DVec3::from_array(half))
    }

    /// The eight outer corners (voxel edges, not centers) in patient mm.
    #[must_use]
    pub fn corners_lps(&self) -> [DVec3; 8] {
        std::array::from_fn(|c| {
            let end = |axis: usize| if c >> axis & 1 == 0 { -0.5 } else { self.size[axis] as f64 - 0.5 };
            self.lps_from_voxel.transform_point3(DVec3::new(end(0), end(1), end(2)))
        })
    }

    /// Memory index of voxel (i, j, k), `None` outside.
    #[must_use]
    pub fn index(&self, voxel: [i64; 3]) -> Option<usize> {
        let [nx, ny, nz] = self.size;
        let inside = |v: i64, n: usize| usize::try_from(v).ok().filter(|&v| v < n);
        Some(inside(voxel[0], nx)? + nx * (inside(voxel[1], ny)? + ny * inside(voxel[2], nz)?))
    }

    /// Memory index of the voxel whose cell holds the patient point, `None` outside.
    #[must_use]
    pub fn index_at_lps(&self, lps: DVec3) -> Option<usize> {
        let v = self.voxel_from_lps.transform_point3(lps);
        self.index([(v.x + 0.5).floor() as i64, (v.y + 0.5).floor() as i64, (v.z + 0.5).floor() as i64])
    }

    /// Whether two grids have the same size and lie within `tolerance_mm` of each other at all corners.
    #[must_use]
    pub fn same_place(&self, other: &Self, tolerance_mm: f64) -> bool {
        self.size == other.size && self.corners_lps().iter().zip(other.corners_lps()).all(|(a, b)| a.distance(b) <= tolerance_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centers_are_whole_numbers() {
        let grid = Grid::new([4, 3, 2], DAffine3::from_scale(DVec3::new(2.0, 1.0, 10.0))).unwrap();
        assert_eq!(grid.center_lps(), DVec3::new(3.0, 1.0, 5.0));
        assert_eq!(grid.index_at_lps(DVec3::new(2.9, 0.0, 4.9)), Some(1));
        assert_eq!(grid.index_at_lps(DVec3::new(-1.1, 0.0, 0.0)), None);
        assert_eq!(grid.corners_lps()[0], DVec3::new(-1.0, -0.5, -5.0));
        assert!(Grid::new([4, 0, 2], DAffine3::IDENTITY).is_err());
        assert!(Grid::new([4, 1, 2], DAffine3::from_scale(DVec3::new(1.0, 1.0, 0.0))).is_err());
    }
}
