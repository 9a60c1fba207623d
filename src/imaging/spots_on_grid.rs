//! A gene on the heart's grid: the mean of the spots in each voxel, and how many there are.

use crate::base::{Error, Result};
use crate::model::{Samples, Volume};
use crate::space::{DVec3, Grid};

/// Mean and number of the spots in each voxel.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotMap {
    /// Mean of the values; NaN in voxels without a spot.
    pub mean: Volume,
    /// Number of spots.
    pub count: Volume,
    /// Spots with a value that lie in no voxel.
    pub n_outside: usize,
}

/// Sorts values at patient points (mm) into voxels: a point belongs to the voxel whose cell holds it. Points
/// that are `None` and values that are not finite count nowhere. Sums run in the order of the spots, so the
/// result does not depend on threads. `name` and `unit` are those of the values. Cost: one pass.
pub fn spots_on_grid(grid: &Grid, places: &[Option<DVec3>], values: &[f32], name: &str, unit: &str) -> Result<SpotMap> {
    if places.len() != values.len() {
        return Err(Error::parameter(format!("{} places and {} values of spots", places.len(), values.len())));
    }
    let (mut sums, mut counts) = (vec![0.0f64; grid.n_voxels()], vec![0u32; grid.n_voxels()]);
    let mut n_outside = 0;
    for (place, &value) in places.iter().zip(values) {
        let Some(place) = place.filter(|p| p.is_finite() && value.is_finite()) else { continue };
        match grid.index_at_lps(place) {
            Some(voxel) => {
                sums[voxel] += f64::from(value);
                counts[voxel] += 1;
            }
            None => n_outside += 1,
        }
    }
    let mean: Vec<f32> =
        sums.iter().zip(&counts).map(|(s, n)| if *n > 0 { (s / f64::from(*n)) as f32 } else { f32::NAN }).collect();
    let mut mean = Volume::new(name, *grid, vec![Samples::F32(mean.into())])?;
    unit.clone_into(&mut mean.unit);
    let most = counts.iter().copied().max().unwrap_or(0);
    let numbers = if u16::try_from(most).is_ok() {
        Samples::U16(counts.iter().map(|&n| n as u16).collect())
    } else {
        Samples::F32(counts.iter().map(|&n| n as f32).collect())
    };
    let mut count = Volume::new(format!("{name} count"), *grid, vec![numbers])?;
    "spots".clone_into(&mut count.unit);
    Ok(SpotMap { mean, count, n_outside })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::DAffine3;

    #[test]
    fn means_by_hand() {
        let grid = Grid::new([2, 2, 1], DAffine3::from_scale(DVec3::new(2.0, 2.0, 8.0))).unwrap();
        let at = |x, y, z| Some(DVec3::new(x, y, z));
        let places = [
            at(0.0, 0.0, 0.0),
            at(0.99, -0.99, 3.9),
            at(1.01, 0.0, 0.0),
            None,
            at(2.0, 2.0, 0.0),
            at(0.0, 0.0, 4.1),
            at(2.0, 0.0, 0.0),
        ];
        let values = [1.0, 4.0, 7.0, 100.0, f32::NAN, 9.0, 8.0];
        let map = spots_on_grid(&grid, &places, &values, "g", "counts").unwrap();
        let mean: Vec<f64> = (0..4).map(|i| map.mean.value(0, i)).collect();
        assert_eq!((mean[0], mean[1]), (2.5, 7.5));
        assert!(mean[2].is_nan() && mean[3].is_nan());
        assert_eq!(map.count.phases[0], Samples::U16(vec![2, 2, 0, 0].into()));
        assert_eq!((map.n_outside, map.mean.unit.as_str()), (1, "counts"));
        assert!(spots_on_grid(&grid, &places, &values[1..], "g", "").is_err());
    }
}
