//! Planes to look at: those of the patient, and the three of the heart found from the image and its
//! labels. The sense of every axis follows the radiological habit (see `conventions`: right of the screen
//! is the patient's left, seen from the feet, the front, or the patient's left).

use super::heart_axis::{HeartAxis, HeartView};
use crate::model::{LabelMap, Volume};
use crate::space::{DVec2, DVec3, Grid, Plane};

/// The three planes of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatientPlane {
    /// From the feet.
    Axial,
    /// From the front.
    Coronal,
    /// From the patient's left.
    Sagittal,
}

impl PatientPlane {
    /// The plane of a word of the command line.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "axial" => Some(Self::Axial),
            "coronal" => Some(Self::Coronal),
            "sagittal" => Some(Self::Sagittal),
            _ => None,
        }
    }

    /// The plane through a patient point.
    #[must_use]
    pub fn through(self, lps: DVec3) -> Plane {
        match self {
            Self::Axial => Plane::axial(lps),
            Self::Coronal => Plane::coronal(lps),
            Self::Sagittal => Plane::sagittal(lps),
        }
    }
}

/// The patient plane at `at_mm` on its own LPS axis (z, y or x), otherwise through the middle of the
/// volume; `None` is the middle slice. A position half way between two slices is left as it is.
#[must_use]
pub fn patient_plane(kind: PatientPlane, volume: &Volume, at_mm: Option<f64>) -> Plane {
    let mut center = volume.grid.center_lps();
    if let Some(at) = at_mm {
        match kind {
            PatientPlane::Axial => center.z = at,
            PatientPlane::Coronal => center.y = at,
            PatientPlane::Sagittal => center.x = at,
        }
    }
    kind.through(center)
}

/// Long axis and right ventricle of the labels' first phase with a left ventricle (label 3): the line through the
/// middles of the cavity's slices where the labels are a stack, else the longest axis of cavity and wall; the apex is
/// where the ventricle tapers. `None` without a left or a right ventricle. Costs one pass over the labels.
#[must_use]
pub fn heart_axis(volume: &Volume, labels: &LabelMap) -> Option<HeartAxis> {
    let heart = Ventricles::find(labels)?;
    let to_apex = heart.apex_direction(is_stack(&volume.grid));
    let toward = heart.right? - heart.center;
    let to_right = (toward - to_apex * toward.dot(to_apex)).try_normalize()?;
    Some(HeartAxis { middle: heart.center, to_apex, to_right })
}

/// Short axis, two chamber and four chamber. A stack (one spacing 1.9 times the least, or a single
/// slice), or a volume without a labeled left ventricle, shows its own slices first and two planes
/// perpendicular to them; the long ones contain the ventricles' axis where labels have it. An isotropic
/// volume with labels is cut across the longest axis of the left ventricle, seen from the apex.
/// Costs one pass over the labels of one phase.
#[must_use]
pub fn default_planes(volume: &Volume, labels: Option<&LabelMap>) -> [Plane; 3] {
    let own = own_planes(&volume.grid);
    let Some(heart) = labels.and_then(Ventricles::find) else { return own };
    let apex = heart.apex_direction(is_stack(&volume.grid));
    let short = if is_stack(&volume.grid) {
        own[0].through(on_nearest_slice(&volume.grid, heart.center))
    } else {
        let up = DVec3::new(0.0, -0.5, 1.0);
        let down = -(up - apex * up.dot(apex));
        Plane::new(heart.center, down.cross(-apex), down).unwrap_or(own[0])
    };
    let axis = labels.and_then(|l| heart_axis(volume, l));
    let long = |view, k: usize| axis.map_or_else(|| own[k].through(heart.center), |a| a.plane(view));
    [short, long(HeartView::Two, 1), long(HeartView::Four, 2)]
}

/// Least and greatest corner, in plane mm, of what the plane cuts from the grid's box; of the box's
/// shadow on the plane where it passes by.
#[must_use]
pub fn cut_bounds(grid: &Grid, plane: &Plane) -> [DVec2; 2] {
    let corners = grid.corners_lps();
    let mut points = Vec::new();
    for a in 0..8usize {
        for b in [a | 1, a | 2, a | 4].into_iter().filter(|&b| b != a) {
            let (da, db) = (plane.distance_mm(corners[a]), plane.distance_mm(corners[b]));
            if da == 0.0 || da * db < 0.0 {
                let t = if da == db { 0.0 } else { da / (da - db) };
                points.push(plane.plane_from_lps(corners[a] + (corners[b] - corners[a]) * t));
            }
        }
    }
    if points.len() < 3 {
        points = corners.iter().map(|&c| plane.plane_from_lps(c)).collect();
    }
    let least = points.iter().copied().reduce(DVec2::min).unwrap_or(DVec2::ZERO);
    let greatest = points.iter().copied().reduce(DVec2::max).unwrap_or(DVec2::ONE);
    [least, greatest]
}

fn is_stack(grid: &Grid) -> bool {
    let s = grid.spacing_mm();
    s.max_element() > 1.9 * s.min_element() || grid.size().contains(&1)
}

/// The grid axis that the slices are stacked along: that of one voxel, else the widest spacing, else k.
fn stack_axis(grid: &Grid) -> usize {
    let (size, spacing) = (grid.size(), grid.spacing_mm().to_array());
    if let Some(flat) = (0..3).rev().find(|&a| size[a] == 1) {
        return flat;
    }
    (0..3).rev().fold(2, |best, a| if spacing[a] > 1.9 * spacing[best] { a } else { best })
}

/// How well screen axes keep the habit: right to the patient's left or back, down to the feet or back.
fn habit(right: DVec3, down: DVec3) -> f64 {
    right.dot(DVec3::new(1.0, 0.5, 0.0)) + down.dot(DVec3::new(0.0, 0.5, -1.0))
}

fn best_sense(origin: DVec3, a: DVec3, b: DVec3) -> Option<Plane> {
    let sense = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
    let ways = sense.into_iter().flat_map(|(s, t)| [(a * s, b * t), (b * s, a * t)]);
    let best = ways.max_by(|x, y| habit(x.0, x.1).total_cmp(&habit(y.0, y.1)))?;
    Plane::new(origin, best.0, best.1).ok()
}

/// The grid's own slices, then sagittal-like and coronal-like planes perpendicular to them.
fn own_planes(grid: &Grid) -> [Plane; 3] {
    let m = grid.lps_from_voxel().matrix3;
    let k = stack_axis(grid);
    let axes = [m.x_axis, m.y_axis, m.z_axis].map(DVec3::normalize_or_zero);
    let origin = on_nearest_slice(grid, grid.center_lps());
    let fallback = Plane::axial(origin);
    let first = best_sense(origin, axes[(k + 1) % 3], axes[(k + 2) % 3]).unwrap_or(fallback);
    let along = |a: DVec3| best_sense(origin, a, first.normal()).unwrap_or(fallback);
    [first, along(first.down()), along(first.right())]
}

/// The place moved along the stack onto the center of its nearest slice, inside the grid.
fn on_nearest_slice(grid: &Grid, lps: DVec3) -> DVec3 {
    let k = stack_axis(grid);
    let mut voxel = grid.voxel_from_lps().transform_point3(lps).to_array();
    voxel[k] = (voxel[k] - 0.01).round().clamp(0.0, grid.size()[k] as f64 - 1.0);
    grid.lps_from_voxel().transform_point3(DVec3::from_array(voxel))
}

/// Moments of the labels of the first phase that has a left ventricle.
struct Ventricles {
    center: DVec3,
    /// Longest axis of the left ventricle with its wall, toward the apex.
    to_apex: DVec3,
    /// The line through the middles of the cavity's slices, toward the apex.
    along_slices: Option<DVec3>,
    right: Option<DVec3>,
}

impl Ventricles {
    fn find(labels: &LabelMap) -> Option<Self> {
        let phase = (0..labels.n_phases()).find(|&p| labels.phases[p].contains(&3))?;
        let (cavity, wall, right) = (places(labels, phase, 3), places(labels, phase, 2), places(labels, phase, 1));
        let center = mean(&cavity)?;
        let whole: Vec<DVec3> = cavity.iter().chain(&wall).copied().collect();
        let to_apex = toward_apex(&whole, longest_axis(&whole, mean(&whole)?));
        let along_slices = slice_line(labels, phase, center).map(|line| toward_apex(&whole, line));
        Some(Self { center, to_apex, along_slices, right: mean(&right) })
    }

    /// From base to apex; of a stack the line through the middles of its slices, where there are enough.
    fn apex_direction(&self, is_stack: bool) -> DVec3 {
        self.along_slices.filter(|_| is_stack).unwrap_or(self.to_apex)
    }
}

/// Least slices with a cavity for a line through their middles.
const LEAST_SLICES: usize = 4;

/// Direction of the line through the middles of the cavity's slices, each weighted by its area (least squares of the
/// places against the height along the stack): the longest axis is drawn aside where slices are thick.
fn slice_line(labels: &LabelMap, phase: usize, center: DVec3) -> Option<DVec3> {
    let k = stack_axis(&labels.grid);
    let ([nx, ny, nz], map) = (labels.grid.size(), labels.grid.lps_from_voxel());
    let mut sums = vec![(DVec3::ZERO, 0.0); [nx, ny, nz][k]];
    for (i, _) in labels.phases[phase].iter().enumerate().filter(|(_, v)| **v == 3) {
        let voxel = [i % nx, i / nx % ny, i / (nx * ny)];
        let sum = &mut sums[voxel[k]];
        *sum = (sum.0 + DVec3::from_array(voxel.map(|v| v as f64)), sum.1 + 1.0);
    }
    let middles: Vec<(DVec3, f64)> =
        sums.iter().filter(|(_, n)| *n > 0.0).map(|(s, n)| (map.transform_point3(*s / *n), *n)).collect();
    if middles.len() < LEAST_SLICES {
        return None;
    }
    let normal = labels.grid.voxel_from_lps().matrix3.row(k).try_normalize()?;
    let height = |p: DVec3| (p - center).dot(normal);
    let total: f64 = middles.iter().map(|(_, n)| n).sum();
    let (mean_h, mean_p) = (
        middles.iter().map(|(p, n)| height(*p) * n).sum::<f64>() / total,
        middles.iter().map(|(p, n)| *p * *n).sum::<DVec3>() / total,
    );
    let spread: f64 = middles.iter().map(|(p, n)| n * (height(*p) - mean_h).powi(2)).sum();
    let slope = middles.iter().map(|(p, n)| (*p - mean_p) * (n * (height(*p) - mean_h))).sum::<DVec3>();
    (spread > 0.0).then(|| slope / spread)?.try_normalize()
}

/// At most about 40 000 voxel centers of a label, regularly spaced.
fn places(labels: &LabelMap, phase: usize, value: u8) -> Vec<DVec3> {
    let [nx, ny, _] = labels.grid.size();
    let step = (labels.count(phase, value) / 40_000).max(1);
    let map = labels.grid.lps_from_voxel();
    let hits = labels.phases[phase].iter().enumerate().filter(|(_, v)| **v == value).step_by(step);
    let voxel = |i: usize| DVec3::new((i % nx) as f64, (i / nx % ny) as f64, (i / (nx * ny)) as f64);
    hits.map(|(i, _)| map.transform_point3(voxel(i))).collect()
}

fn mean(points: &[DVec3]) -> Option<DVec3> {
    (!points.is_empty()).then(|| points.iter().copied().sum::<DVec3>() / points.len() as f64)
}

/// Direction of the largest spread, by power iteration on the covariance.
fn longest_axis(points: &[DVec3], center: DVec3) -> DVec3 {
    let spread = |v: DVec3| points.iter().map(|&p| (p - center) * (p - center).dot(v)).sum::<DVec3>();
    let starts = [DVec3::X, DVec3::Y, DVec3::Z];
    let start = starts.into_iter().max_by(|a, b| spread(*a).dot(*a).total_cmp(&spread(*b).dot(*b))).unwrap_or(DVec3::Z);
    (0..40).fold(start, |v, _| spread(v).try_normalize().unwrap_or(v))
}

/// The ventricle tapers to the apex, so the distribution along the axis is skewed toward it; where it is
/// not, the apex is left, in front and below.
fn toward_apex(points: &[DVec3], axis: DVec3) -> DVec3 {
    let center = mean(points).unwrap_or(DVec3::ZERO);
    let moment = |n: i32| points.iter().map(|p| (*p - center).dot(axis).powi(n)).sum::<f64>() / points.len().max(1) as f64;
    let skew = moment(3) / moment(2).max(1e-9).powf(1.5);
    let usual = DVec3::new(0.6, -0.6, -0.5).dot(axis);
    let sense = if skew.abs() > 0.15 { skew } else { usual };
    if sense < 0.0 { -axis } else { axis }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::{DAffine3, DMat3, orientation_letters};
    use std::sync::Arc;

    fn volume(size: [usize; 3], matrix: DMat3) -> Volume {
        let grid = Grid::new(size, DAffine3 { matrix3: matrix, translation: DVec3::new(5.0, -3.0, 2.0) }).unwrap();
        Volume::new("v", grid, vec![Samples::U8(vec![0; grid.n_voxels()].into())]).unwrap()
    }

    fn letters(p: &Plane) -> [String; 2] {
        [orientation_letters(p.right()), orientation_letters(p.down())]
    }

    #[test]
    fn stored_any_way_the_first_plane_is_radiological() {
        for m in [DVec3::new(1.0, 1.0, 8.0), DVec3::new(-1.0, 1.0, -8.0), DVec3::new(1.0, -1.0, 8.0)] {
            let planes = default_planes(&volume([20, 20, 7], DMat3::from_diagonal(m)), None);
            assert_eq!(letters(&planes[0]), ["L", "P"]);
            assert_eq!(letters(&planes[1]), ["P", "I"]);
            assert_eq!(letters(&planes[2]), ["L", "I"]);
            assert_eq!(planes[0].normal(), DVec3::Z);
        }
    }

    #[test]
    fn a_short_axis_stack_has_the_front_up_and_the_left_on_the_right() {
        let d = DVec3::new(0.6, -0.6, -0.5).normalize();
        let i = DVec3::new(0.7, 0.7, 0.0).normalize();
        let planes = default_planes(&volume([20, 20, 9], DMat3::from_cols(-i, d.cross(i), d * 8.0)), None);
        assert!(planes[0].normal().dot(d) < -0.99, "seen from the apex: {:?}", planes[0]);
        assert!(planes[0].right().x > 0.5 && planes[0].down().z < -0.5);
    }

    #[test]
    fn long_planes_follow_the_ventricles() {
        let v = volume([40, 40, 40], DMat3::IDENTITY);
        let mut values = vec![0u8; 64_000];
        for (n, value) in values.iter_mut().enumerate() {
            let (x, y, z) = ((n % 40) as f64 - 22.0, (n / 40 % 40) as f64 - 20.0, (n / 1600) as f64);
            let radius = 8.0 * (z / 40.0).sqrt();
            let inside = |cx: f64, r: f64| (x - cx).hypot(y) < r && z > 2.0 && z < 36.0;
            *value = if inside(0.0, radius) {
                3
            } else if inside(-14.0, radius * 0.7) {
                1
            } else {
                0
            };
        }
        let labels = LabelMap::new("l", v.grid, vec![Arc::from(values)]).unwrap();
        let [short, two, four] = default_planes(&v, Some(&labels));
        assert!(short.normal().z > 0.99, "from the apex (below): {short:?}");
        assert!(short.right().x > 0.99, "the right ventricle (−x) is left: {short:?}");
        assert!(four.right().x > 0.99 && four.down().z > 0.99, "{four:?}");
        assert!(two.right().y < -0.99 && two.down().z > 0.99, "{two:?}");
    }
}
