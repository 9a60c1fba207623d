//! Shape: what the surface, the voxels and the hull of a region say about its form (family `morph`).

use super::Feature;
use super::bodies::{Body, body_features};
use super::hull::convex_hull;
use super::mesh::{area_and_volume, outer_vertices};
use super::region::Region;
use crate::base::{Limits, Progress, Result};
use crate::imaging::pair_sums;
use crate::space::DVec3;
use rayon::prelude::*;
use std::f64::consts::PI;

/// All shape features but the two of spatial autocorrelation.
pub(super) fn shape_features(region: &Region) -> Vec<Feature> {
    let (area, volume) = area_and_volume(region);
    let body = Body::of(region);
    let mut features = Feature::list(
        "morph_",
        &[
            ("volume", volume),
            ("vol_approx", region.shape.iter().filter(|s| **s).count() as f64 * region.voxel_mm3()),
            ("area_mesh", area),
            ("av", area / volume),
            ("comp_1", volume / (PI.sqrt() * area.powf(1.5))),
            ("comp_2", 36.0 * PI * volume.powi(2) / area.powi(3)),
            ("sph_dispr", area / (36.0 * PI * volume.powi(2)).cbrt()),
            ("sphericity", (36.0 * PI * volume.powi(2)).cbrt() / area),
            ("asphericity", (area.powi(3) / (36.0 * PI * volume.powi(2))).cbrt() - 1.0),
            ("com", center_shift(region, &body)),
        ],
    );
    let points = outer_vertices(region);
    let hull = convex_hull(&points).map(|h| Solid::new(&points, &h.triangles, region));
    features.push(Feature::new("morph_diam", hull.as_ref().map_or(f64::NAN, Solid::diameter)));
    features.extend(body_features(&body, hull.as_ref(), area, volume));
    let intensities = region.intensities();
    features.push(Feature::new("morph_integ_int", intensities.iter().sum::<f64>() / intensities.len() as f64 * volume));
    features
}

/// Distance between the middle of the shape and that of the intensities in mm.
fn center_shift(region: &Region, body: &Body) -> f64 {
    let (mut sum, mut weight) = (DVec3::ZERO, 0.0);
    for (index, value) in region.values.iter().enumerate().filter(|(i, _)| region.counted[*i]) {
        sum += (region.position(index) - body.center) * *value;
        weight += value;
    }
    (sum / weight).length()
}

/// The convex hull in mm.
pub(super) struct Solid {
    /// Corners, each once.
    pub corners: Vec<DVec3>,
    pub area: f64,
    pub volume: f64,
    /// Triangles of corners, with their unit normals.
    pub faces: Vec<([usize; 3], DVec3)>,
}

impl Solid {
    fn new(points: &[[i64; 3]], triangles: &[[usize; 3]], region: &Region) -> Self {
        let place = |v: usize| {
            let p = points[v].map(|x| x as f64 / 2.0);
            region.mm * DVec3::from_array(p)
        };
        let mut used: Vec<usize> = triangles.iter().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        let corners: Vec<DVec3> = used.iter().map(|v| place(*v)).collect();
        let (mut area, mut volume) = (0.0, 0.0);
        let mut faces = Vec::with_capacity(triangles.len());
        for t in triangles {
            let t = t.map(|v| used.partition_point(|u| *u < v));
            let [a, b, c] = t.map(|v| corners[v] - corners[0]);
            let normal = (b - a).cross(c - a);
            area += normal.length() / 2.0;
            volume += a.dot(b.cross(c)) / 6.0;
            faces.push((t, normal.normalize()));
        }
        Self { corners, area, volume, faces }
    }

    /// The directions of the faces, each once; opposite ones are one.
    pub fn directions(&self) -> Vec<DVec3> {
        let key = |n: &DVec3| n.to_array().map(|v| (v * 1e9).round() as i64);
        let upward = |n: DVec3| if key(&n) < key(&-n) { -n } else { n };
        let mut normals: Vec<DVec3> = self.faces.iter().map(|f| upward(f.1)).collect();
        normals.sort_by_key(key);
        normals.dedup_by_key(|n| key(n));
        normals
    }

    /// The corners seen on the edge of the body along a direction.
    pub fn rim(&self, direction: DVec3) -> Vec<DVec3> {
        let mut sides = vec![0u8; self.corners.len()];
        for (corners, normal) in &self.faces {
            let d = normal.dot(direction);
            // Faces along the direction belong to both sides.
            let side = u8::from(d > -1e-9) | u8::from(d < 1e-9) << 1;
            corners.iter().for_each(|v| sides[*v] |= side);
        }
        sides.iter().zip(&self.corners).filter(|(s, _)| **s == 3).map(|(_, p)| *p).collect()
    }

    /// Largest distance between two corners in mm.
    fn diameter(&self) -> f64 {
        let longest = |(n, a): (usize, &DVec3)| self.corners[n + 1..].iter().map(|b| a.distance_squared(*b)).fold(0.0, f64::max);
        self.corners.par_iter().enumerate().map(longest).reduce(|| 0.0, f64::max).sqrt()
    }
}

/// Moran's I and Geary's C of the counted intensities, weights 1/distance in mm, over all pairs, exactly.
/// Empty where all intensities are one.
pub(super) fn spatial_features(region: &Region, limits: &Limits, progress: &Progress) -> Result<Vec<Feature>> {
    let values = region.intensities();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    if values.len() < 2 || values.iter().all(|v| *v == values[0]) {
        return Ok(Feature::list("morph_", &[("moran_i", f64::NAN), ("geary_c", f64::NAN)]));
    }
    let scale = (spread / n).sqrt();
    let bounds = super::region::bounds(region.size, |i| region.counted[i]).unwrap_or_default();
    let size: [usize; 3] = std::array::from_fn(|a| bounds[a].1 - bounds[a].0 + 1);
    let mut z = Vec::with_capacity(size.iter().product());
    for (k, j) in (bounds[2].0..=bounds[2].1).flat_map(|k| (bounds[1].0..=bounds[1].1).map(move |j| (k, j))) {
        let row = region.size[0] * (j + region.size[1] * k);
        z.extend(
            (bounds[0].0..=bounds[0].1).map(|i| row + i).map(|i| region.counted[i].then(|| (region.values[i] - mean) / scale)),
        );
    }
    let inverse = |d: [i64; 3]| (region.mm * DVec3::new(d[0] as f64, d[1] as f64, d[2] as f64)).length().recip();
    let sums = pair_sums(&z, size, inverse, limits, progress)?;
    let moran = sums.products / sums.weights;
    let geary = (n - 1.0) / n * (sums.squares - sums.products) / sums.weights;
    Ok(Feature::list("morph_", &[("moran_i", moran), ("geary_c", geary)]))
}
