//! A region that grows from a voxel over voxels of like values.

use super::cleanup::Connect;
use crate::base::{Error, Progress, Result};
use crate::imaging::sample;
use crate::model::Volume;
use crate::space::{DVec3, Grid};
use std::collections::{BTreeSet, VecDeque};

/// How a region grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowSettings {
    /// Largest difference from the value of the first voxel, in the unit of the image; both ends included.
    pub tolerance: f64,
    /// Which voxels are neighbors.
    pub connect: Connect,
    /// Only within this distance (mm) of the first voxel's center.
    pub most_mm: f64,
    /// Only in the slice of the first voxel along this axis of the grid, or everywhere.
    pub in_slice: Option<usize>,
}

impl Default for GrowSettings {
    fn default() -> Self {
        Self { tolerance: 0.0, connect: Connect::Faces, most_mm: 60.0, in_slice: None }
    }
}

/// The value of an image at voxels of a grid: its own voxel where the grids are one, else the nearest.
pub(super) fn values_of<'a>(grid: &'a Grid, image: &'a Volume, phase: usize) -> impl Fn(usize) -> Option<f64> + 'a {
    let same = grid.same_place(&image.grid, 1e-3);
    let [nx, ny, _] = grid.size();
    move |at| {
        if phase >= image.n_phases() {
            return None;
        }
        if same {
            return Some(image.value(phase, at)).filter(|v| v.is_finite());
        }
        let voxel = DVec3::new((at % nx) as f64, (at / nx % ny) as f64, (at / (nx * ny)) as f64);
        sample(image, phase, grid.lps_from_voxel().transform_point3(voxel), false)
    }
}

/// Memory indices (rising) of the connected voxels of `grid` whose image value differs from that of `seed` by
/// no more than the tolerance, within the bounds. The same as `scikit-image`'s `flood` with that tolerance
/// where nothing bounds it. [`Error::Parameter`] where the seed lies outside or a setting is no number,
/// [`Error::Degenerate`] where the image has no value there. Cost: voxels reached · neighbors.
pub fn grow(
    grid: &Grid,
    seed: usize,
    (image, phase): (&Volume, usize),
    settings: &GrowSettings,
    progress: &Progress,
) -> Result<Vec<usize>> {
    if seed >= grid.n_voxels() {
        return Err(Error::parameter("the place to grow from lies outside the segmentation"));
    }
    if !(settings.tolerance >= 0.0 && settings.most_mm > 0.0) {
        return Err(Error::parameter(format!(
            "a tolerance of {} and a distance of {} mm do not bound a region; use numbers above 0",
            settings.tolerance, settings.most_mm
        )));
    }
    let value = values_of(grid, image, phase);
    let first = value(seed).ok_or_else(|| Error::degenerate("the image has no value at the place to grow from"))?;
    let [nx, ny, _] = grid.size().map(|n| n as i64);
    let place = |at: usize| [at as i64 % nx, at as i64 / nx % ny, at as i64 / (nx * ny)];
    let lps = |[i, j, k]: [i64; 3]| grid.lps_from_voxel().transform_point3(DVec3::new(i as f64, j as f64, k as f64));
    let (start, origin) = (place(seed), lps(place(seed)));
    let steps = settings.connect.steps();
    let mut found = BTreeSet::from([seed]);
    let mut seen = vec![false; grid.n_voxels()];
    seen[seed] = true;
    let mut open = VecDeque::from([seed]);
    let mut n_done = 0usize;
    while let Some(at) = open.pop_front() {
        n_done += 1;
        if n_done.is_multiple_of(4096) {
            progress.step(n_done as f64 / grid.n_voxels() as f64, "growing a region")?;
        }
        let [i, j, k] = place(at);
        for [di, dj, dk] in &steps {
            let to = [i + di, j + dj, k + dk];
            let leaves = settings.in_slice.is_some_and(|axis| to[axis] != start[axis]);
            let Some(next) = grid.index(to).filter(|n| !leaves && !seen[*n]) else { continue };
            seen[next] = true;
            let fits = value(next).is_some_and(|v| (v - first).abs() <= settings.tolerance);
            if fits && lps(to).distance(origin) <= settings.most_mm {
                found.insert(next);
                open.push_back(next);
            }
        }
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::DAffine3;

    fn image() -> Volume {
        // Two flat blocks that touch at one corner, in a field of zeros.
        let mut v = vec![0i16; 6 * 6 * 2];
        for (i, j) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            v[i + 6 * j] = 100;
        }
        for (i, j) in [(3, 3), (4, 3), (3, 4), (4, 4)] {
            v[i + 6 * j] = 104;
        }
        v[36 + 7] = 100;
        let grid = Grid::new([6, 6, 2], DAffine3::from_scale(DVec3::new(1.0, 1.0, 8.0))).unwrap();
        Volume::new("a", grid, vec![Samples::I16(v.into())]).unwrap()
    }

    #[test]
    fn it_stops_at_values_neighbors_and_bounds() {
        let image = image();
        let n = |s: GrowSettings| grow(&image.grid, 7, (&image, 0), &s, &Progress::none()).unwrap().len();
        let plain = GrowSettings { tolerance: 4.0, ..GrowSettings::default() };
        assert_eq!(n(plain), 5, "faces: the block and the voxel below");
        assert_eq!(n(GrowSettings { connect: Connect::Corners, ..plain }), 9);
        assert_eq!(n(GrowSettings { connect: Connect::Corners, tolerance: 3.9, ..plain }), 5);
        assert_eq!(n(GrowSettings { connect: Connect::Corners, in_slice: Some(2), ..plain }), 8);
        assert_eq!(n(GrowSettings { most_mm: 1.0, ..plain }), 3);
        assert!(grow(&image.grid, 999, (&image, 0), &plain, &Progress::none()).is_err());
        let nan = GrowSettings { tolerance: f64::NAN, ..plain };
        assert!(grow(&image.grid, 7, (&image, 0), &nan, &Progress::none()).is_err());
    }
}
