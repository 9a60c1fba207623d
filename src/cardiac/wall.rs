//! Where a point lies in the wall of the left ventricle: distances to its inner and outer surface, and
//! late enhancement against a threshold of the myocardium's own.

use crate::base::{Error, Progress, Result};
use crate::model::{LabelMap, Volume};
use crate::space::DVec3;
use crate::stats::PointTree;
use std::collections::BTreeMap;

/// A place in the wall; lengths are in the plane of the segmentation's slices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WallPlace {
    /// Distance to the inner surface (left cavity), mm; 0 inside it.
    pub endo_mm: f64,
    /// Distance to the outer surface, mm; 0 outside it.
    pub epi_mm: f64,
    /// Transmural depth: 0 at the inner, 1 at the outer surface.
    pub depth: f64,
}

/// Borders of one slice, in mm of its own plane.
struct Slice {
    cavity: PointTree,
    outside: PointTree,
}

/// The place in the wall of patient points (LPS mm), `None` where a point's slice has no cavity, or lies
/// beyond the stack. Label 3 is the left cavity, 2 the myocardium; all else is outside. A surface lies half
/// a pixel beyond the center of the nearest pixel across it, which is good to about half a pixel. Costs
/// O(pixels log pixels) per slice that holds points.
pub fn wall_places(labels: &LabelMap, phase: usize, points: &[DVec3], progress: &Progress) -> Result<Vec<Option<WallPlace>>> {
    let voxels = labels.phases.get(phase).ok_or_else(|| Error::parameter(format!("the segmentation has no phase {phase}")))?;
    let [nx, ny, nz] = labels.grid.size();
    let spacing = labels.grid.spacing_mm();
    let half = 0.25 * (spacing.x + spacing.y);
    let mut slices: BTreeMap<usize, Option<Slice>> = BTreeMap::new();
    let mut places = Vec::with_capacity(points.len());
    for (i, p) in points.iter().enumerate() {
        if i % 64 == 0 {
            progress.step(i as f64 / points.len() as f64, "places in the wall")?;
        }
        let voxel = labels.grid.voxel_from_lps().transform_point3(*p);
        let k = (voxel.z + 0.5).floor();
        if !voxel.is_finite() || !(0.0..nz as f64).contains(&k) {
            places.push(None);
            continue;
        }
        let k = k as usize;
        let slice =
            slices.entry(k).or_insert_with(|| borders(&voxels[k * nx * ny..(k + 1) * nx * ny], nx, [spacing.x, spacing.y]));
        places.push(slice.as_ref().and_then(|s| {
            let at = [voxel.x * spacing.x, voxel.y * spacing.y];
            let distance = |tree: &PointTree| tree.nearest_within(at, f64::INFINITY).map(|(_, d)| (d - half).max(0.0));
            let (endo_mm, epi_mm) = (distance(&s.cavity)?, distance(&s.outside)?);
            let sum = endo_mm + epi_mm;
            (sum > 0.0).then(|| WallPlace { endo_mm, epi_mm, depth: endo_mm / sum })
        }));
    }
    Ok(places)
}

fn borders(labels: &[u8], nx: usize, spacing: [f64; 2]) -> Option<Slice> {
    let at = |i: usize| [(i % nx) as f64 * spacing[0], (i / nx) as f64 * spacing[1]];
    let of = |is: fn(u8) -> bool| (0..labels.len()).filter(|&i| is(labels[i])).map(at).collect::<Vec<_>>();
    let (cavity, outside) = (of(|v| v == 3), of(|v| v != 3 && v != 2));
    let wall = labels.contains(&2);
    (wall && !cavity.is_empty() && !outside.is_empty())
        .then(|| Slice { cavity: PointTree::new(&cavity), outside: PointTree::new(&outside) })
}

/// The level above which myocardium counts as enhanced: half of its 99th percentile, which is the full
/// width at half maximum without the one brightest voxel (Amado 2004). [`Error::Degenerate`] without
/// myocardium (label 2) or where it is not positive.
pub fn half_maximum(image: &Volume, labels: &LabelMap, phase: usize) -> Result<f64> {
    let voxels = labels.phases.get(phase).ok_or_else(|| Error::parameter(format!("the segmentation has no phase {phase}")))?;
    let same = labels.grid.same_place(&image.grid, 1e-3);
    let [nx, ny, _] = labels.grid.size();
    let mut values: Vec<f64> = voxels
        .iter()
        .enumerate()
        .filter(|(_, v)| **v == 2)
        .filter_map(|(i, _)| {
            if same {
                return Some(image.value(0, i)).filter(|v| v.is_finite());
            }
            let voxel = DVec3::new((i % nx) as f64, (i / nx % ny) as f64, (i / (nx * ny)) as f64);
            crate::imaging::sample(image, 0, labels.grid.lps_from_voxel().transform_point3(voxel), true)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let high = values.get((values.len() * 99 / 100).min(values.len().saturating_sub(1))).copied();
    match high.filter(|h| *h > 0.0) {
        Some(high) => Ok(0.5 * high),
        None => Err(Error::degenerate(format!("{} has no positive values in the myocardium", image.name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::{DAffine3, Grid};

    /// A ring of 8 to 16 mm about (30, 30) in three slices of 0.5 mm pixels.
    fn ring() -> LabelMap {
        let grid = Grid::new([121, 121, 3], DAffine3::from_scale(DVec3::new(0.5, 0.5, 8.0))).unwrap();
        let label = |i: usize| {
            let (x, y) = ((i % 121) as f64 * 0.5 - 30.0, (i / 121 % 121) as f64 * 0.5 - 30.0);
            match x.hypot(y) {
                r if r < 8.0 => 3,
                r if r <= 16.0 => 2,
                _ => 0,
            }
        };
        LabelMap::new("ring", grid, vec![(0..121 * 121 * 3).map(label).collect()]).unwrap()
    }

    #[test]
    fn depth_in_a_ring() {
        let labels = ring();
        for degrees in [0.0f64, 33.0, 120.0, 301.0] {
            for r in [9.0, 12.0, 15.0] {
                let (sin, cos) = degrees.to_radians().sin_cos();
                let p = DVec3::new(30.0 + r * cos, 30.0 + r * sin, 8.0);
                let place = wall_places(&labels, 0, &[p], &Progress::none()).unwrap()[0].unwrap();
                assert!((place.endo_mm - (r - 8.0)).abs() < 0.4, "{place:?} at {r}");
                assert!((place.epi_mm - (16.0 - r)).abs() < 0.4, "{place:?} at {r}");
                assert!((place.depth - (r - 8.0) / 8.0).abs() < 0.05);
            }
        }
        let beyond = wall_places(&labels, 0, &[DVec3::new(30.0, 30.0, 99.0)], &Progress::none()).unwrap();
        assert_eq!(beyond, [None]);
    }

    #[test]
    fn half_of_the_brightest() {
        let labels = ring();
        let values: Vec<f32> =
            labels.phases[0].iter().enumerate().map(|(i, v)| if *v == 2 { (i % 100) as f32 } else { 500.0 }).collect();
        let image = Volume::new("LGE", labels.grid, vec![Samples::F32(values.into())]).unwrap();
        let level = half_maximum(&image, &labels, 0).unwrap();
        assert!((level - 49.0).abs() <= 0.5, "{level}");
    }
}
