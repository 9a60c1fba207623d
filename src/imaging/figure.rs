//! What figures measure, in patient mm, with what the size of a pixel lets be wrong.
//!
//! A point is placed anywhere in its voxel alike, so its covariance is `M Mᵀ / 12` with `M` the matrix from
//! voxels to mm (a rectangular distribution: JCGM 100:2008, 4.3.7). Lengths, angles and areas carry it by their
//! derivatives (5.1.2): `sd² = Σ |Mᵀ ∇|² / 12` over the points, taken as independent. That holds on sheared and
//! anisotropic grids; across the plane of a figure nothing changes to first order.

use super::paint::polygon_voxels;
use crate::base::{Error, Result};
use crate::model::{FigureKind, Volume};
use crate::space::{DVec2, DVec3, Plane};

/// Corners that an ellipse is drawn and sampled with.
const CORNERS: usize = 256;
/// How lengths and the like say what ± is.
const HOW: &str = "± 1 sd of points placed anywhere in their voxel (JCGM 100:2008)";

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureValue {
    /// `length`, `angle`, `area`, `mean`, `sd`, `min`, `max` or `n_voxels`.
    pub metric: &'static str,
    /// The number.
    pub value: f64,
    /// Standard deviation from the size of a pixel, where it has one.
    pub sd: Option<f64>,
    /// Its unit.
    pub unit: String,
    /// Definition.
    pub method: &'static str,
}

/// What a figure measures on a phase of an image: `length` (mm), `angle` (degrees), or `area` (mm²) with
/// `mean`, `sd` (n − 1), `min`, `max` and `n_voxels` of the voxels inside (those that the plane of the figure
/// cuts and whose center lies inside; not-a-number voxels are left out).
///
/// ± of the mean: half its change when the outline lies half a pixel farther out and farther in, over √3 (a
/// rectangular distribution of that half width). Lengths without a unit in the file get the unit `1`.
/// [`Error::Parameter`] for another number of points than the kind has or a phase that is not there,
/// [`Error::Degenerate`] where points coincide or lie on one line.
pub fn measure_figure(kind: FigureKind, points: &[DVec3], image: &Volume, phase: usize) -> Result<Vec<FigureValue>> {
    if !kind.takes(points.len()) || points.iter().any(|p| !p.is_finite()) {
        return Err(Error::parameter(format!("{} points that are numbers do not make one {}", points.len(), kind.name())));
    }
    if phase >= image.n_phases() {
        return Err(Error::parameter(format!("the image has {} phases, not a phase {}", image.n_phases(), phase + 1)));
    }
    let mut values = vec![figure_size(kind, points, image)?];
    match kind {
        FigureKind::Length | FigureKind::Angle => {}
        FigureKind::Ellipse => values.extend(inside(&ellipse_corners(points), image, phase)?),
        FigureKind::Polygon => values.extend(inside(points, image, phase)?),
    }
    Ok(values)
}

/// The length, angle or area of a figure alone, as in [`measure_figure`]; costs nothing of the image's size.
pub fn figure_size(kind: FigureKind, points: &[DVec3], image: &Volume) -> Result<FigureValue> {
    if !kind.takes(points.len()) {
        return Err(Error::parameter(format!("{} points do not make one {}", points.len(), kind.name())));
    }
    let [mm, mm2] = if image.length_unit_known { ["mm", "mm2"] } else { ["1", "1"] };
    let value = |metric, f: &dyn Fn(&[DVec3]) -> f64, unit: &str| -> Result<FigureValue> {
        let value = f(points);
        if !value.is_finite() || (value == 0.0 && metric != "angle") {
            return Err(Error::degenerate(format!("the points of the {} lie in one place or on one line", kind.name())));
        }
        Ok(FigureValue { metric, value, sd: Some(placed_sd(points, image, f)), unit: unit.to_owned(), method: HOW })
    };
    match kind {
        FigureKind::Length => value("length", &|p| p[0].distance(p[1]), mm),
        FigureKind::Angle => value("angle", &angle_deg, "deg"),
        FigureKind::Ellipse => value("area", &|p| std::f64::consts::PI * (p[1] - p[0]).cross(p[2] - p[0]).length(), mm2),
        FigureKind::Polygon => value("area", &|p| normal(p).length() / 2.0, mm2),
    }
}

/// Corners of an ellipse (center and an end of each half axis) for drawing.
#[must_use]
pub fn ellipse_corners(points: &[DVec3]) -> Vec<DVec3> {
    let [center, a, b] = points else { return Vec::new() };
    let at = |i: usize| {
        let (sin, cos) = (i as f64 / CORNERS as f64 * std::f64::consts::TAU).sin_cos();
        *center + (*a - *center) * cos + (*b - *center) * sin
    };
    (0..CORNERS).map(at).collect()
}

fn angle_deg(p: &[DVec3]) -> f64 {
    let (a, b) = (p[0] - p[1], p[2] - p[1]);
    if a.length() == 0.0 || b.length() == 0.0 {
        return f64::NAN;
    }
    a.cross(b).length().atan2(a.dot(b)).to_degrees()
}

/// Twice the vector area (Newell): the normal of a polygon.
fn normal(p: &[DVec3]) -> DVec3 {
    let first = p[0];
    (1..p.len() - 1).map(|i| (p[i] - first).cross(p[i + 1] - first)).sum()
}

/// Standard deviation of a number of points by its derivatives (central differences of 1e-4 mm).
fn placed_sd(points: &[DVec3], image: &Volume, f: &dyn Fn(&[DVec3]) -> f64) -> f64 {
    const STEP: f64 = 1e-4;
    let transposed = image.grid.lps_from_voxel().matrix3.transpose();
    let mut variance = 0.0;
    for i in 0..points.len() {
        let along = |axis: DVec3| {
            let mut moved = points.to_vec();
            moved[i] = points[i] + axis * STEP;
            let ahead = f(&moved);
            moved[i] = points[i] - axis * STEP;
            (ahead - f(&moved)) / (2.0 * STEP)
        };
        let gradient = DVec3::new(along(DVec3::X), along(DVec3::Y), along(DVec3::Z));
        variance += (transposed * gradient).length_squared() / 12.0;
    }
    variance.sqrt()
}

/// Statistics of the voxels inside a polygon.
fn inside(corners: &[DVec3], image: &Volume, phase: usize) -> Result<Vec<FigureValue>> {
    let up = normal(corners);
    let middle = corners.iter().copied().sum::<DVec3>() / corners.len() as f64;
    let right = corners.iter().map(|c| *c - middle).max_by(|a, b| a.length().total_cmp(&b.length())).unwrap_or(DVec3::X);
    let plane = Plane::new(middle, right, up.cross(right))?;
    let flat: Vec<DVec2> = corners.iter().map(|c| plane.plane_from_lps(*c)).collect();
    let values = |scale: f64| -> Vec<f64> {
        let scaled: Vec<DVec2> = flat.iter().map(|p| *p * scale).collect();
        let voxels = polygon_voxels(&image.grid, &plane, &scaled);
        voxels.into_iter().map(|at| image.value(phase, at)).filter(|v| v.is_finite()).collect()
    };
    let found = values(1.0);
    let n = found.len() as f64;
    let unit = if image.unit.is_empty() { "1".to_owned() } else { image.unit.clone() };
    let row = |metric, value, sd, unit: &str, method| FigureValue { metric, value, sd, unit: unit.to_owned(), method };
    let mut rows = vec![row("n_voxels", n, None, "1", "voxels cut by the plane with their center inside")];
    let Some(mean) = mean_of(&found) else { return Ok(rows) };
    // Half a pixel outwards of an outline of this mean radius.
    let radius = (up.length() / 2.0 / std::f64::consts::PI).sqrt();
    let half_px = pixel_mm(image, &plane) / 2.0;
    let shifted = [1.0 + half_px / radius, (1.0 - half_px / radius).max(0.0)].map(|s| mean_of(&values(s)));
    let sd_of_mean = match shifted {
        [Some(out), Some(within)] => Some((out - within).abs() / 2.0 / 3f64.sqrt()),
        _ => None,
    };
    let how = "± half the change of the mean by the outline half a pixel out and in, over √3";
    rows.push(row("mean", mean, sd_of_mean, &unit, how));
    if n > 1.0 {
        let variance = found.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        rows.push(row("sd", variance.sqrt(), None, &unit, "n - 1"));
    }
    let [least, most] =
        [found.iter().copied().fold(f64::INFINITY, f64::min), found.iter().copied().fold(f64::NEG_INFINITY, f64::max)];
    rows.push(row("min", least, None, &unit, "of the voxels inside"));
    rows.push(row("max", most, None, &unit, "of the voxels inside"));
    Ok(rows)
}

fn mean_of(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Size of a pixel in a plane: the geometric mean of the two voxel steps that lie most in it.
fn pixel_mm(image: &Volume, plane: &Plane) -> f64 {
    let m = image.grid.lps_from_voxel().matrix3;
    let across = super::paint::slice_axis(&image.grid, plane.normal());
    let steps: Vec<f64> =
        [m.x_axis, m.y_axis, m.z_axis].iter().enumerate().filter(|(a, _)| *a != across).map(|(_, s)| s.length()).collect();
    steps.iter().product::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::{DAffine3, DMat3, Grid};

    fn image(columns: [[f64; 3]; 3], size: [usize; 3], value: impl Fn(DVec3) -> f32) -> Volume {
        let m = DMat3::from_cols(columns[0].into(), columns[1].into(), columns[2].into());
        let grid = Grid::new(size, DAffine3::from_mat3_translation(m, DVec3::new(-20.0, 4.0, 9.0))).unwrap();
        let at = |n: usize| DVec3::new((n % size[0]) as f64, (n / size[0] % size[1]) as f64, (n / (size[0] * size[1])) as f64);
        let values: Vec<f32> = (0..grid.n_voxels()).map(|n| value(grid.lps_from_voxel().transform_point3(at(n)))).collect();
        Volume::new("i", grid, vec![Samples::F32(values.into())]).unwrap()
    }

    fn of(kind: FigureKind, points: &[DVec3], image: &Volume) -> Vec<FigureValue> {
        measure_figure(kind, points, image, 0).unwrap()
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-6 * b.abs().max(1e-3), "{a} instead of {b}");
    }

    #[test]
    fn closed_forms_on_a_sheared_anisotropic_grid() {
        let plain = image([[1.5, 0.0, 0.0], [0.0, 0.8, 0.0], [0.0, 0.0, 8.0]], [4, 4, 4], |_| 0.0);
        let (o, x, y) = (DVec3::new(3.0, 5.0, 9.0), DVec3::X, DVec3::Y);
        let along = &of(FigureKind::Length, &[o, o + x * 30.0], &plain)[0];
        close(along.value, 30.0);
        close(along.sd.unwrap(), 1.5 / 6f64.sqrt());
        let slanted = &of(FigureKind::Length, &[o, o + x * 3.0 + y * 4.0], &plain)[0];
        close(slanted.value, 5.0);
        close(slanted.sd.unwrap(), ((0.6 * 1.5f64).powi(2) + (0.8 * 0.8f64).powi(2)).sqrt() / 6f64.sqrt());
        // A right angle with legs of 10 and 20 mm: each end turns by its pixel across the leg.
        let right = &of(FigureKind::Angle, &[o + x * 10.0, o, o + y * 20.0], &plain)[0];
        close(right.value, 90.0);
        let variance = ((0.8f64 / 10.0).powi(2) * 2.0 + (1.5f64 / 20.0).powi(2) * 2.0) / 12.0;
        close(right.sd.unwrap(), variance.sqrt().to_degrees());
        let square = [o, o + x * 10.0, o + x * 10.0 + y * 10.0, o + y * 10.0];
        let area = &of(FigureKind::Polygon, &square, &plain)[0];
        close(area.value, 100.0);
        // ∂A/∂corner is half the diagonal turned: (5, 5) in size at each of four corners.
        close(area.sd.unwrap(), (4.0 * 25.0 * (1.5f64.powi(2) + 0.8f64.powi(2)) / 12.0).sqrt());
        let ellipse = &of(FigureKind::Ellipse, &[o, o + x * 6.0, o + y * 4.0], &plain)[0];
        close(ellipse.value, std::f64::consts::PI * 24.0);

        let sheared = image([[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 8.0]], [4, 4, 4], |_| 0.0);
        let along = &of(FigureKind::Length, &[o, o + x * 30.0], &sheared)[0];
        close(along.sd.unwrap(), (1.0f64 + 0.25).sqrt() / 6f64.sqrt());
    }

    #[test]
    fn statistics_of_a_ramp() {
        let ramp = image([[0.5, 0.1, 0.0], [0.1, 0.6, 0.0], [0.0, 0.0, 8.0]], [120, 100, 3], |p| p.x as f32);
        let center = ramp.grid.lps_from_voxel().transform_point3(DVec3::new(60.0, 50.0, 1.0));
        let (a, b) = (DVec3::X * 12.0, DVec3::Y * 9.0);
        let found = of(FigureKind::Ellipse, &[center, center + a, center + b], &ramp);
        let get = |m: &str| found.iter().find(|v| v.metric == m).unwrap();
        let det = 0.5 * 0.6 - 0.01;
        assert!((get("n_voxels").value - get("area").value / det).abs() < 12.0);
        assert!((get("mean").value - center.x).abs() < 0.05, "symmetric about the middle");
        // The variance of x over an ellipse is a²/4.
        assert!((get("sd").value - 6.0).abs() < 0.06);
        assert!((get("max").value - center.x - 12.0).abs() < 0.6 && get("mean").sd.unwrap() < 0.05);
    }

    #[test]
    fn what_is_no_figure_is_refused() {
        let plain = image([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 8.0]], [4, 4, 4], |_| 0.0);
        let o = DVec3::ZERO;
        let refused = |kind, points: &[DVec3]| measure_figure(kind, points, &plain, 0).is_err();
        assert!(refused(FigureKind::Length, &[o]) && refused(FigureKind::Length, &[o, o]));
        assert!(refused(FigureKind::Angle, &[o, o, DVec3::X]) && refused(FigureKind::Polygon, &[o, DVec3::X, DVec3::X * 2.0]));
        assert!(refused(FigureKind::Length, &[o, DVec3::splat(f64::NAN)]));
        assert!(measure_figure(FigureKind::Length, &[o, DVec3::X], &plain, 7).is_err());
    }
}
