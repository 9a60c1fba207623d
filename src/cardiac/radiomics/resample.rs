//! Resampling to cubes as the standard says: the new grid has the same middle as the whole old one and
//! covers it; intensities are trilinear with the edge repeated, the mask is trilinear and kept from 0.5.

use super::region::Region;
use crate::base::{Error, Limits, Progress, Result};
use crate::space::{DMat3, DVec3};
use rayon::prelude::*;

/// One axis of the new box.
struct Axis {
    /// Old neighbors in the box and the share of the upper one, for each kept voxel.
    taps: Vec<(usize, usize, f64)>,
}

/// The box of `region`, which starts at voxel `low` of a grid of `size`, on cubes of `new_mm`.
/// [`Error::Parameter`] where the grid is sheared: such voxels cannot become cubes along its axes.
pub(super) fn resampled(
    region: &Region,
    (size, low): ([usize; 3], [usize; 3]),
    new_mm: f64,
    limits: &Limits,
    progress: &Progress,
) -> Result<Region> {
    let m = region.mm;
    if m.y_axis.x != 0.0 || m.z_axis.x != 0.0 || m.z_axis.y != 0.0 {
        return Err(Error::parameter(
            "the grid is sheared, so it has no cubes along its axes; resample it to a straight grid first",
        ));
    }
    let axes: [Axis; 3] = std::array::from_fn(|a| axis(size[a], low[a], region.size[a], m.col(a)[a], new_mm));
    let new_size: [usize; 3] = std::array::from_fn(|a| axes[a].taps.len());
    limits.check("the resampled region", &new_size.map(|n| n as u64), 10)?;
    let (nx, ny) = (new_size[0], new_size[1]);
    let mut values = vec![0.0; new_size.iter().product()];
    let mut shape = vec![false; values.len()];
    values.par_chunks_mut(nx * ny).zip(shape.par_chunks_mut(nx * ny)).enumerate().try_for_each(|(k, (values, shape))| {
        progress.step(k as f64 / new_size[2] as f64, "resampling")?;
        for j in 0..ny {
            for i in 0..nx {
                let taps = [axes[0].taps[i], axes[1].taps[j], axes[2].taps[k]];
                let (value, share) = between(region, taps);
                values[i + nx * j] = value;
                shape[i + nx * j] = share >= 0.5 - 1e-9;
            }
        }
        Ok(())
    })?;
    Ok(Region {
        size: new_size,
        mm: DMat3::from_diagonal(DVec3::splat(new_mm)),
        values,
        shape,
        counted: Vec::new(),
        n_nan: 0,
        n_outside: 0,
        whole: false,
    })
}

fn axis(n: usize, low: usize, n_box: usize, old_mm: f64, new_mm: f64) -> Axis {
    // A whole ratio must not gain a voxel by rounding.
    let n_new = ((n as f64 * old_mm / new_mm - 1e-6).ceil() as usize).max(1);
    let start = ((n - 1) as f64 * old_mm - (n_new - 1) as f64 * new_mm) / (2.0 * old_mm);
    let old = |i: usize| start + i as f64 * new_mm / old_mm;
    let in_box = |i: usize| {
        let (from, to) = (low as f64, (low + n_box - 1) as f64);
        // The outermost voxels of a whole grid may lie beyond its centers.
        (old(i) >= from || low == 0) && (old(i) <= to || low + n_box == n)
    };
    let first = (0..n_new).find(|i| in_box(*i)).unwrap_or(0);
    let last = (first..n_new).rev().find(|i| in_box(*i)).unwrap_or(first);
    let taps = (first..=last).map(|i| {
        let at = (old(i) - low as f64).clamp(0.0, (n_box - 1) as f64);
        let floor = at.floor() as usize;
        (floor, (floor + 1).min(n_box - 1), at - at.floor())
    });
    Axis { taps: taps.collect() }
}

/// Intensity and share of the mask at a place between voxels.
fn between(region: &Region, taps: [(usize, usize, f64); 3]) -> (f64, f64) {
    let [nx, ny, _] = region.size;
    let (mut value, mut share) = (0.0, 0.0);
    for corner in 0..8usize {
        let mut weight = 1.0;
        let at: [usize; 3] = std::array::from_fn(|a| {
            let (floor, next, t) = taps[a];
            let upper = corner >> a & 1 == 1;
            weight *= if upper { t } else { 1.0 - t };
            if upper { next } else { floor }
        });
        if weight > 0.0 {
            let index = at[0] + nx * (at[1] + ny * at[2]);
            value += weight * region.values[index];
            share += weight * f64::from(u8::from(region.shape[index]));
        }
    }
    (value, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_stays() {
        // 5 voxels of 2 mm are 4 of 3 mm: 10 mm covered by 12, both around 4 mm.
        let a = axis(5, 0, 5, 2.0, 3.0);
        assert_eq!(a.taps.len(), 4);
        let at: Vec<f64> = a.taps.iter().map(|(f, _, t)| (*f as f64 + t) * 2.0).collect();
        assert_eq!(at, vec![0.0, 2.5, 5.5, 8.0], "4 − 4.5, 2.5, 5.5, 8.5, the outer ones at the edge");
        assert_eq!(axis(6, 0, 6, 1.0, 2.0).taps.iter().map(|t| t.0 as f64 + t.2).collect::<Vec<_>>(), vec![0.5, 2.5, 4.5]);
        let part = axis(100, 40, 10, 1.0, 1.0);
        assert_eq!((part.taps.len(), part.taps[0], part.taps[9].0), (10, (0, 1, 0.0), 9));
    }
}
