//! Values of volumes and labels at places between voxel centers. A place belongs to the grid where
//! every voxel coordinate is in [−0.5, n − 0.5).

use crate::model::{LabelMap, Samples, Volume};
use crate::space::DVec3;

/// The rescaled value of a volume at a patient point (mm), trilinear where `smooth`, else of the nearest
/// voxel; `None` outside the grid or where the value is not a number.
#[must_use]
pub fn sample(volume: &Volume, phase: usize, lps: DVec3, smooth: bool) -> Option<f64> {
    let samples = volume.phases.get(phase)?;
    let voxel = volume.grid.voxel_from_lps().transform_point3(lps);
    let stored = if smooth {
        trilinear_f64(samples, volume.grid.size(), voxel)?
    } else {
        f64::from(samples.stored(volume.grid.index_at_lps(lps)?))
    };
    let value = stored * volume.slope + volume.intercept;
    value.is_finite().then_some(value)
}

/// The label at a patient point (mm); 0 outside the grid.
#[must_use]
pub fn label_at(labels: &LabelMap, phase: usize, lps: DVec3) -> u8 {
    let index = labels.grid.index_at_lps(lps);
    index.zip(labels.phases.get(phase)).and_then(|(i, p)| p.get(i).copied()).unwrap_or(0)
}

/// Memory index of the nearest voxel, `floor(v + 0.5)` in single precision; `None` outside.
#[must_use]
pub fn nearest_index(size: [usize; 3], voxel: [f32; 3]) -> Option<usize> {
    let mut index = 0;
    for axis in [2, 1, 0] {
        let v = (voxel[axis] + 0.5).floor();
        if !(0.0..size[axis] as f32).contains(&v) {
            return None;
        }
        index = index * size[axis] + v as usize;
    }
    Some(index)
}

/// The stored value between voxel centers in single precision, as the GPU computes it: eight loads,
/// neighbors clamped to the grid, mixed along i, then j, then k with `a + (b − a) · f`. `None` outside.
#[must_use]
pub fn trilinear(samples: &Samples, size: [usize; 3], voxel: [f32; 3]) -> Option<f32> {
    if (0..3).any(|a| !(-0.5..size[a] as f32 - 0.5).contains(&voxel[a])) {
        return None;
    }
    let base = voxel.map(f32::floor);
    let share: [f32; 3] = std::array::from_fn(|a| voxel[a] - base[a]);
    let low = base.map(|b| b.max(0.0) as usize);
    let high: [usize; 3] = std::array::from_fn(|a| ((base[a] + 1.0) as usize).min(size[a] - 1));
    let load = |i: usize, j: usize, k: usize| samples.stored(i + size[0] * (j + size[1] * k));
    let mix = |a: f32, b: f32, f: f32| a + (b - a) * f;
    let row = |j, k| mix(load(low[0], j, k), load(high[0], j, k), share[0]);
    let layer = |k| mix(row(low[1], k), row(high[1], k), share[1]);
    Some(mix(layer(low[2]), layer(high[2]), share[2]))
}

pub(super) fn trilinear_f64(samples: &Samples, size: [usize; 3], voxel: DVec3) -> Option<f64> {
    let v = voxel.to_array();
    if (0..3).any(|a| !(-0.5..size[a] as f64 - 0.5).contains(&v[a])) {
        return None;
    }
    let mut sum = 0.0;
    for corner in 0..8usize {
        let (mut weight, mut index) = (1.0, 0);
        for axis in [2, 1, 0] {
            let base = v[axis].floor();
            let upper = corner >> axis & 1;
            weight *= if upper == 1 { v[axis] - base } else { 1.0 - (v[axis] - base) };
            let at = (base + upper as f64).clamp(0.0, size[axis] as f64 - 1.0) as usize;
            index = index * size[axis] + at;
        }
        if weight > 0.0 {
            sum += weight * f64::from(samples.stored(index));
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine3, Grid};
    use std::sync::Arc;

    #[test]
    fn between_and_beyond_centers() {
        let grid = Grid::new([2, 2, 2], DAffine3::from_scale(DVec3::splat(2.0))).unwrap();
        let values: Vec<f32> = (0..8).map(|i| i as f32).collect();
        let mut volume = Volume::new("v", grid, vec![Samples::F32(values.into())]).unwrap();
        volume.slope = 10.0;
        assert_eq!(sample(&volume, 0, DVec3::splat(1.0), true), Some(35.0));
        assert_eq!(sample(&volume, 0, DVec3::splat(-0.9), true), Some(0.0));
        assert_eq!(sample(&volume, 0, DVec3::splat(-1.1), true), None);
        assert_eq!(sample(&volume, 0, DVec3::new(1.1, 0.0, 0.0), false), Some(10.0));
        assert_eq!(trilinear(&volume.phases[0], [2, 2, 2], [0.5; 3]), Some(3.5));
        assert_eq!(trilinear(&volume.phases[0], [2, 2, 2], [1.49, -0.5, 0.0]), Some(1.0));
        assert_eq!(trilinear(&volume.phases[0], [2, 2, 2], [1.5, 0.0, 0.0]), None);
        assert_eq!(nearest_index([2, 2, 2], [0.5, 0.0, -0.5]), Some(1));
        assert_eq!(nearest_index([2, 2, 2], [f32::NAN, 0.0, 0.0]), None);
        let labels = LabelMap::new("l", grid, vec![Arc::from([0u8, 0, 0, 0, 0, 0, 0, 3])]).unwrap();
        assert_eq!(label_at(&labels, 0, DVec3::splat(2.0)), 3);
        assert_eq!(label_at(&labels, 0, DVec3::splat(9.0)), 0);
    }
}
