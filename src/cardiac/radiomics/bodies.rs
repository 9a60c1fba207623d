//! Bodies around a region: box along the axes, smallest box, ellipsoid of the voxels' spread, smallest
//! ellipsoid, convex hull; and how densely the region fills them.

use super::Feature;
use super::morphology::Solid;
use super::region::Region;
use crate::base::Progress;
use crate::space::{DMat3, DVec3};
use crate::stats::symmetric_eigen;
use rayon::prelude::*;
use std::f64::consts::PI;

/// The voxels as a cloud of points.
pub(super) struct Body {
    /// Their middle in mm.
    pub center: DVec3,
    /// Lengths of the principal axes in mm, longest first; NaN for fewer than two voxels.
    pub axes: [f64; 3],
}

impl Body {
    /// Middle and principal axes `4·√λ` of the shape's voxel centers (λ of the covariance with n − 1).
    pub fn of(region: &Region) -> Self {
        let places = || region.shape.iter().enumerate().filter(|(_, s)| **s).map(|(i, _)| region.position(i));
        let n = places().count() as f64;
        let center = places().sum::<DVec3>() / n;
        let mut covariance = [0.0; 9];
        for d in places().map(|p| (p - center).to_array()) {
            for (at, sum) in covariance.iter_mut().enumerate() {
                *sum += d[at / 3] * d[at % 3];
            }
        }
        covariance.iter_mut().for_each(|v| *v /= n - 1.0);
        let mut axes = [f64::NAN; 3];
        if n > 1.0
            && let Ok(eigen) = symmetric_eigen(3, covariance.to_vec(), 3, &Progress::none())
        {
            let values = eigen.values;
            // Rounding may leave a flat region a trace below 0.
            axes = std::array::from_fn(|a| 4.0 * if values[a] < 1e-12 * values[0] { 0.0 } else { values[a] }.sqrt());
        }
        Self { center, axes }
    }
}

/// Axes, and densities of all bodies, of a region with this surface.
pub(super) fn body_features(body: &Body, hull: Option<&Solid>, area: f64, volume: f64) -> Vec<Feature> {
    let [a, b, c] = body.axes;
    let none = (f64::NAN, f64::NAN);
    let aligned = hull.map_or(none, |h| box_of(&h.corners, DMat3::IDENTITY));
    let oriented = hull.map_or(none, smallest_box);
    let smallest = hull.map_or(none, |h| ellipsoid(smallest_ellipsoid(&h.corners)));
    let spread = ellipsoid([a / 2.0, b / 2.0, c / 2.0]);
    let convex = hull.map_or(none, |h| (h.volume, h.area));
    let density = |(v, s): (f64, f64)| [volume / v, area / s].map(|d| if d.is_finite() { d } else { f64::NAN });
    let mut list =
        vec![("pca_maj_axis", a), ("pca_min_axis", b), ("pca_least_axis", c), ("pca_elongation", b / a), ("pca_flatness", c / a)];
    for (names, body) in [
        (["vol_dens_aabb", "area_dens_aabb"], aligned),
        (["vol_dens_ombb", "area_dens_ombb"], oriented),
        (["vol_dens_aee", "area_dens_aee"], spread),
        (["vol_dens_mvee", "area_dens_mvee"], smallest),
        (["vol_dens_conv_hull", "area_dens_conv_hull"], convex),
    ] {
        list.extend(names.into_iter().zip(density(body)));
    }
    Feature::list("morph_", &list)
}

/// Volume and surface of the box along the rows of `turn` (a rotation) around points.
fn box_of(points: &[DVec3], turn: DMat3) -> (f64, f64) {
    let start = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    let (low, high) = points.iter().map(|p| turn * *p).fold(start, |(a, b), p| (a.min(p), b.max(p)));
    let e = high - low;
    (e.x * e.y * e.z, 2.0 * (e.x * e.y + e.y * e.z + e.z * e.x))
}

/// The box of smallest volume among those with one side on a face of the hull and a second one on an edge
/// of its shadow along that face.
fn smallest_box(hull: &Solid) -> (f64, f64) {
    let best = |normal: &DVec3| {
        let u = normal.any_orthonormal_vector();
        let v = normal.cross(u);
        let (low, high) = hull
            .corners
            .iter()
            .map(|p| p.dot(*normal))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), h| (a.min(h), b.max(h)));
        let shadow = outline(hull.rim(*normal).iter().map(|p| [p.dot(u), p.dot(v)]).collect());
        let height = high - low;
        let of_edge = |n: usize| {
            let (a, b) = (shadow[n], shadow[(n + 1) % shadow.len()]);
            let along = [b[0] - a[0], b[1] - a[1]];
            let length = along[0].hypot(along[1]);
            let (x, y) = (along[0] / length, along[1] / length);
            let mut range = [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY];
            for p in &shadow {
                let (s, t) = (p[0] * x + p[1] * y, p[1] * x - p[0] * y);
                range = [range[0].min(s), range[1].max(s), range[2].min(t), range[3].max(t)];
            }
            let (wide, deep) = (range[1] - range[0], range[3] - range[2]);
            (wide * deep * height, 2.0 * (wide * deep + (wide + deep) * height))
        };
        (0..shadow.len()).map(of_edge).fold((f64::INFINITY, f64::INFINITY), smaller)
    };
    hull.directions().par_iter().map(best).collect::<Vec<_>>().into_iter().fold((f64::INFINITY, f64::INFINITY), smaller)
}

fn smaller(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    if b.0 < a.0 || (b.0 == a.0 && b.1 < a.1) { b } else { a }
}

/// The convex outline of points in a plane, counter-clockwise (Andrew, 1979).
fn outline(mut points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let size = points.iter().flatten().fold(0.0, |m: f64, v| m.max(v.abs()));
    let turn = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let half = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut kept: Vec<[f64; 2]> = Vec::new();
        for p in points {
            while kept.len() > 1 && turn(kept[kept.len() - 2], kept[kept.len() - 1], p) <= 1e-12 * size * size {
                kept.pop();
            }
            kept.push(p);
        }
        kept.pop();
        kept
    };
    let mut lower = half(&mut points.iter().copied());
    lower.extend(half(&mut points.iter().rev().copied()));
    lower
}

/// Volume and surface of an ellipsoid of half axes in mm, longest first; the surface as 20 terms of the
/// standard's series in Legendre polynomials. That series, which its consensus values follow, is below the
/// true surface of long ellipsoids (by 19 % for half axes 2, 1, 1).
fn ellipsoid([a, b, c]: [f64; 3]) -> (f64, f64) {
    let (alpha, beta) = (1.0 - (b / a).powi(2), 1.0 - (c / a).powi(2));
    // (αβ)^ν·P_ν((α² + β²)/2αβ) by recurrence, without the division by αβ, which is 0 for a sphere.
    let (product, middle) = (alpha * beta, (alpha + beta) / 2.0);
    let (mut before, mut now, mut sum) = (0.0, 1.0, 0.0);
    for nu in 0..=20 {
        let n = f64::from(nu);
        sum += now / (1.0 - 4.0 * n * n);
        let next = ((2.0 * n + 1.0) * middle * now - n * product * before) / (n + 1.0);
        (before, now) = (now, next);
    }
    (4.0 / 3.0 * PI * a * b * c, 4.0 * PI * a * b * sum)
}

/// Half axes of the smallest ellipsoid around points in mm, longest first, to 1e-6
/// (Khachiyan's ascent with steps away from inner points, Todd and Yıldırım, 2007).
fn smallest_ellipsoid(points: &[DVec3]) -> [f64; 3] {
    let n = points.len() as f64;
    let middle = points.iter().sum::<DVec3>() / n;
    let mut weights = vec![1.0 / n; points.len()];
    for _ in 0..20_000 {
        let center = weighted(points, &weights, middle);
        let spread = scatter(points, &weights, middle + center);
        let inverse = spread.inverse();
        let far = |p: &DVec3| {
            let d = *p - middle - center;
            d.dot(inverse * d) + 1.0
        };
        let mut top = (0, f64::NEG_INFINITY);
        let mut low = (0, f64::INFINITY);
        for (i, p) in points.iter().enumerate() {
            let f = far(p);
            if f > top.1 {
                top = (i, f);
            }
            if f < low.1 && weights[i] > 0.0 {
                low = (i, f);
            }
        }
        let (above, below) = (top.1 / 4.0 - 1.0, 1.0 - low.1 / 4.0);
        if above.max(below) < 1e-6 {
            break;
        }
        let (at, f) = if above >= below { top } else { low };
        let mut step = (f - 4.0) / (4.0 * (f - 1.0));
        if above < below {
            step = step.max(-weights[at] / (1.0 - weights[at]));
        }
        weights.iter_mut().for_each(|w| *w *= 1.0 - step);
        weights[at] = (weights[at] + step).max(0.0);
    }
    let spread = scatter(points, &weights, middle + weighted(points, &weights, middle));
    let matrix = spread.to_cols_array().to_vec();
    let Ok(eigen) = symmetric_eigen(3, matrix, 3, &Progress::none()) else { return [f64::NAN; 3] };
    std::array::from_fn(|a| (3.0 * eigen.values[a]).sqrt())
}

/// The weighted middle of points, seen from `origin`.
fn weighted(points: &[DVec3], weights: &[f64], origin: DVec3) -> DVec3 {
    points.iter().zip(weights).map(|(p, w)| (*p - origin) * *w).sum()
}

fn scatter(points: &[DVec3], weights: &[f64], center: DVec3) -> DMat3 {
    let outer = |d: DVec3, w: f64| DMat3::from_cols(d * (d.x * w), d * (d.y * w), d * (d.z * w));
    points.iter().zip(weights).map(|(p, w)| outer(*p - center, *w)).fold(DMat3::ZERO, |a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ellipsoids_of_known_size() {
        let (v, s) = ellipsoid([3.0; 3]);
        assert!((v - 36.0 * PI).abs() < 1e-9 && (s - 36.0 * PI).abs() < 1e-9);
        // Two equal shorter axes, e² = 3/4: the series is (1 + (1 − e²)/e·artanh e)/2.
        let e = 0.75f64.sqrt();
        let want = 8.0 * PI * (1.0 + 0.25 / e * e.atanh()) / 2.0;
        assert!((ellipsoid([2.0, 1.0, 1.0]).1 / want - 1.0).abs() < 1e-5);
        let axes = [DVec3::X * 5.0, DVec3::Y * 3.0, DVec3::Z * 2.0];
        let mut points: Vec<DVec3> = axes.iter().flat_map(|a| [DVec3::ONE + *a, DVec3::ONE - *a]).collect();
        points.push(DVec3::ONE);
        let found = smallest_ellipsoid(&points);
        assert!(found.iter().zip([5.0, 3.0, 2.0]).all(|(a, b)| (a / b - 1.0).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn a_turned_box_is_found() {
        let turn = DMat3::from_rotation_z(0.4) * DMat3::from_rotation_x(0.7);
        let corner = |c: usize| {
            turn * DVec3::new(
                if c & 1 == 0 { 0.0 } else { 7.0 },
                if c & 2 == 0 { 0.0 } else { 3.0 },
                if c & 4 == 0 { 0.0 } else { 2.0 },
            )
        };
        let corners: Vec<DVec3> = (0..8).map(corner).collect();
        let face = |axis: usize, side: usize| {
            let c: Vec<usize> = (0..8).filter(|c| c >> axis & 1 == side).collect();
            let normal = turn * [DVec3::X, DVec3::Y, DVec3::Z][axis] * (side as f64 * 2.0 - 1.0);
            [([c[0], c[1], c[2]], normal), ([c[1], c[2], c[3]], normal)]
        };
        let faces = (0..6).flat_map(|f| face(f / 2, f % 2)).collect();
        let hull = Solid { corners, area: 0.0, volume: 0.0, faces };
        let (v, s) = smallest_box(&hull);
        assert!((v - 42.0).abs() < 1e-9 && (s - 82.0).abs() < 1e-9, "{v} {s}");
    }
}
