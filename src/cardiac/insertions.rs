//! Where the right ventricle's wall meets the left's, found from the labels or taken from the caller.

use super::SegmentSettings;
use super::frame::angle_deg;
use super::stack::{Stack, position, widest_gap};
use crate::base::{Error, Result};
use crate::model::LabelMap;
use crate::space::{DVec3, Grid};

/// Farthest gap between right ventricle and myocardium that still counts as touching, in mm.
const FARTHEST_MM: f64 = 6.0;

/// The two insertions and their directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Insertions {
    /// Anterior and inferior, patient mm.
    pub points: [DVec3; 2],
    /// Unit vector across the axis toward the anterior one.
    pub anterior: DVec3,
    /// Degrees from there to the inferior one, in the sense of the segments' numbers.
    pub septum_deg: f64,
    /// Whether they were found from the right ventricle.
    pub found: bool,
}

impl Insertions {
    pub fn of(labels: &LabelMap, phase: usize, settings: &SegmentSettings, stack: &Stack) -> Result<Self> {
        match settings.insertions {
            Some(points) => Self::from_points(points, false, stack),
            None => Self::from_points(find(&labels.phases[phase], settings, stack)?, true, stack),
        }
    }

    fn from_points(points: [DVec3; 2], found: bool, stack: &Stack) -> Result<Self> {
        let toward = |point: DVec3| {
            let level = point.dot(stack.axis);
            let with_cavity = stack.discs.iter().filter(|d| d.n_cavity > 0);
            let disc = with_cavity.min_by(|a, b| (a.level_mm - level).abs().total_cmp(&(b.level_mm - level).abs()));
            let d = point - disc.map_or(point, |d| d.centroid);
            (d - stack.axis * d.dot(stack.axis)).try_normalize().filter(|_| point.is_finite()).ok_or_else(|| {
                Error::degenerate(format!(
                    "the insertion point {point} lies on the long axis of the left ventricle, so it has no direction"
                ))
            })
        };
        let (anterior, inferior) = (toward(points[0])?, toward(points[1])?);
        let septum_deg = angle_deg(inferior, anterior, stack.axis);
        if !(1.0..=359.0).contains(&septum_deg) {
            return Err(Error::degenerate(format!(
                "both insertion points lie in the same direction from the left ventricle's middle ({septum_deg:.2}° apart)"
            )));
        }
        Ok(Self { points, anterior, septum_deg, found })
    }
}

/// Ends of the arc of wall that the right ventricle touches, on the ring nearest to mid-cavity.
fn find(voxels: &[u8], settings: &SegmentSettings, stack: &Stack) -> Result<[DVec3; 2]> {
    let rings: Vec<usize> = (0..stack.discs.len()).filter(|&i| stack.discs[i].is_ring).collect();
    let middle = rings.get(rings.len() / 2).copied().unwrap_or(0);
    let mut order = rings;
    order.sort_by_key(|&i| i.abs_diff(middle));
    let step = stack.in_plane_mm();
    for reach_mm in [1.5 * step, 2.5 * step, FARTHEST_MM] {
        for &disc in &order {
            let touched = touched(voxels, settings, stack, disc, reach_mm);
            if let Some(ends) = arc_ends(&touched, stack, disc) {
                return Ok(ends);
            }
        }
    }
    Err(Error::degenerate(format!(
        "no right ventricle (label {}) touches the myocardium within {FARTHEST_MM} mm, so the septum is not known; give the two insertion points",
        settings.rv
    )))
}

/// Wall voxels of a disc with a voxel of the right ventricle within reach.
fn touched(voxels: &[u8], settings: &SegmentSettings, stack: &Stack, disc: usize, reach_mm: f64) -> Vec<DVec3> {
    let offsets = offsets_within(&stack.grid, reach_mm);
    let [nx, ny, _] = stack.grid.size();
    let near_right = |index: usize| {
        let at = [index % nx, index / nx % ny, index / (nx * ny)];
        offsets.iter().any(|o| {
            let shifted = [0, 1, 2].map(|a| at[a] as i64 + o[a]);
            stack.grid.index(shifted).is_some_and(|i| voxels[i] == settings.rv && stack.disc_of(i) == disc)
        })
    };
    let wall = voxels.iter().enumerate().filter(|(i, v)| **v == settings.myo && stack.disc_of(*i) == disc);
    wall.map(|(i, _)| i).filter(|i| near_right(*i)).map(|i| position(&stack.grid, i)).collect()
}

fn offsets_within(grid: &Grid, reach_mm: f64) -> Vec<[i64; 3]> {
    let spacing = grid.spacing_mm();
    let most = |axis: usize| (reach_mm / spacing[axis]).floor().min(32.0) as i64;
    let mut offsets = Vec::new();
    for k in -most(2)..=most(2) {
        for j in -most(1)..=most(1) {
            for i in -most(0)..=most(0) {
                let d = grid.lps_from_voxel().transform_vector3(DVec3::new(i as f64, j as f64, k as f64));
                if d.length() <= reach_mm * (1.0 + 1e-9) {
                    offsets.push([i, j, k]);
                }
            }
        }
    }
    offsets
}

/// First and last touched voxel around the circle: anterior first, by the sense of the angle. `None`
/// where the arc is under 20° or over 240°.
fn arc_ends(touched: &[DVec3], stack: &Stack, disc: usize) -> Option<[DVec3; 2]> {
    let centroid = stack.discs.get(disc)?.centroid;
    let [u, _] = stack.basis();
    let mut around: Vec<(f64, DVec3)> =
        touched.iter().map(|p| (angle_deg(*p - centroid, u, stack.axis).to_radians(), *p)).collect();
    around.sort_by(|a, b| a.0.total_cmp(&b.0));
    let angles: Vec<f64> = around.iter().map(|a| a.0).collect();
    let (gap, start) = widest_gap(&angles);
    let arc_deg = 360.0 - gap.to_degrees();
    if !(20.0..=240.0).contains(&arc_deg) {
        return None;
    }
    let n = around.len();
    Some([around[start].1, around[(start + n - 1) % n].1])
}
