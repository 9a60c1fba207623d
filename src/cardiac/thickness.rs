//! Numbers per segment: voxels, volume, wall thickness, mean intensity.

use super::measure::Measure;
use super::segments::Segmentation;
use super::stack::Stack;
use crate::base::{Error, Result};
use crate::model::{LabelMap, Volume};
use crate::space::DVec3;
use rayon::prelude::*;

/// Rays per disc.
const N_RAYS: usize = 360;

/// Rows for regions `1` to `17`: `n_voxels`, `volume` (mL), `wall_thickness_mean` and `_max` (mm; not
/// for 17), and with an image and its phase `intensity_mean`. `labels` is what was segmented.
/// Thickness is measured along 360 rays from the cavity's middle in each closed slice, between the
/// half-way crossings of the interpolated masks. [`Error::Degenerate`] where lengths have no unit.
pub fn measure_segments(
    seg: &Segmentation,
    labels: &LabelMap,
    image: Option<(&Volume, usize)>,
    subject: &str,
) -> Result<Vec<Measure>> {
    if !labels.length_unit_known {
        return Err(Error::degenerate(format!(
            "unit-unknown: the file of '{}' does not say that its lengths are millimeters, so no milliliters are computed; set the unit in the file",
            labels.name
        )));
    }
    if !labels.grid.same_place(&seg.labels.grid, 1e-6) || seg.phase >= labels.n_phases() {
        return Err(Error::parameter("the labels are not those that were segmented"));
    }
    let mut counts = [0usize; 18];
    seg.labels.phases[0].iter().for_each(|&s| counts[usize::from(s.min(17))] += 1);
    let rays = thickness_by_ray(seg, labels);
    let means = image.map(|(volume, phase)| intensity_means(seg, volume, phase));
    let phase = if labels.n_phases() > 1 { seg.phase.to_string() } else { String::new() };
    let mut rows = Vec::new();
    for segment in 1..=17u8 {
        let at = usize::from(segment);
        let mut row = |metric, value, unit, how: &str| {
            let (subject, region, phase) = (subject.to_owned(), segment.to_string(), phase.clone());
            rows.push(Measure { subject, region, phase, metric, value, unit, method: format!("{}{how}", seg.method) });
        };
        row("n_voxels", counts[at] as f64, "1", "");
        row("volume", counts[at] as f64 * labels.grid.voxel_mm3() / 1000.0, "mL", "");
        let own: Vec<f64> = rays.iter().filter(|(s, _)| *s == segment).map(|(_, t)| *t).collect();
        if !own.is_empty() {
            let how = "; radial rays from the cavity's middle";
            row("wall_thickness_mean", own.iter().sum::<f64>() / own.len() as f64, "mm", how);
            row("wall_thickness_max", own.iter().copied().fold(0.0, f64::max), "mm", how);
        }
        if let Some(mean) = means.and_then(|m| m[at]) {
            row("intensity_mean", mean, "", "; nearest voxel");
        }
    }
    Ok(rows)
}

/// Segment and wall thickness of every ray that meets the wall.
fn thickness_by_ray(seg: &Segmentation, labels: &LabelMap) -> Vec<(u8, f64)> {
    let stack = &seg.frame.stack;
    let discs: Vec<usize> = (0..stack.discs.len()).filter(|&i| stack.discs[i].is_ring).collect();
    let masks = Masks { labels, phase: seg.phase, lv: seg.settings.lv, myo: seg.settings.myo };
    let per_disc = discs.into_par_iter().map(|disc| {
        let u = stack.normal.any_orthonormal_vector();
        let v = u.cross(stack.normal);
        let from = stack.discs[disc].centroid;
        let ray = |k: usize| {
            let (sin, cos) = ((k as f64 + 0.5) / N_RAYS as f64 * std::f64::consts::TAU).sin_cos();
            let along = u * cos + v * sin;
            let [inner, outer] = masks.wall_on_ray(stack, from, along)?;
            let segment = seg.frame.segment_in_disc(disc, from + along * f64::midpoint(inner, outer))?;
            Some((segment, outer - inner))
        };
        (0..N_RAYS).filter_map(ray).collect::<Vec<_>>()
    });
    per_disc.collect::<Vec<_>>().concat()
}

struct Masks<'a> {
    labels: &'a LabelMap,
    phase: usize,
    lv: u8,
    myo: u8,
}

impl Masks<'_> {
    /// Distances from `from` where the ray leaves the cavity and where it leaves the wall.
    fn wall_on_ray(&self, stack: &Stack, from: DVec3, along: DVec3) -> Option<[f64; 2]> {
        let step = 0.25 * stack.in_plane_mm();
        let span = self.labels.grid.corners_lps();
        let n_steps = ((span[0].distance(span[7]) / step) as usize).min(20_000);
        let mut inner = None;
        let mut before = (1.0, 1.0);
        for k in 0..n_steps {
            let now = self.shares(from + along * (k as f64 * step));
            let crossing = |a: f64, b: f64| (k as f64 - (0.5 - b) / (a - b)) * step;
            if inner.is_none() && now.0 < 0.5 {
                inner = Some(if k == 0 { 0.0 } else { crossing(before.0, now.0) });
            }
            if let Some(inner) = inner.filter(|_| now.1 < 0.5) {
                let outer = if k == 0 { 0.0 } else { crossing(before.1, now.1) };
                return (outer > inner + 1e-9).then_some([inner, outer]);
            }
            before = now;
        }
        None
    }

    /// Interpolated shares of cavity, and of cavity and wall together.
    fn shares(&self, lps: DVec3) -> (f64, f64) {
        let grid = &self.labels.grid;
        let p = grid.voxel_from_lps().transform_point3(lps);
        // A ray within a slice must not read the next one because of rounding.
        let p = DVec3::from_array(p.to_array().map(|v| if (v - v.round()).abs() < 1e-9 { v.round() } else { v }));
        let (low, t) = (p.floor(), p - p.floor());
        let (mut cavity, mut both) = (0.0, 0.0);
        for corner in 0..8 {
            let bit = |axis: usize| (corner >> axis) & 1;
            let weight: f64 = (0..3).map(|a| if bit(a) == 1 { t[a] } else { 1.0 - t[a] }).product();
            if weight == 0.0 {
                continue;
            }
            let at = [0, 1, 2].map(|a| low[a] as i64 + bit(a));
            let value = grid.index(at).map_or(0, |i| self.labels.phases[self.phase][i]);
            cavity += if value == self.lv { weight } else { 0.0 };
            both += if value == self.lv || value == self.myo { weight } else { 0.0 };
        }
        (cavity, both)
    }
}

/// Mean image value per segment, at the positions of the segment's voxels.
fn intensity_means(seg: &Segmentation, volume: &Volume, phase: usize) -> [Option<f64>; 18] {
    let mut sums = [(0.0, 0usize); 18];
    if phase < volume.n_phases() {
        for (index, &segment) in seg.labels.phases[0].iter().enumerate().filter(|(_, s)| (1..=17).contains(*s)) {
            let lps = super::stack::position(&seg.labels.grid, index);
            let Some(at) = volume.grid.index_at_lps(lps) else { continue };
            let value = volume.value(phase, at);
            if value.is_finite() {
                let sum = &mut sums[usize::from(segment)];
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }
    sums.map(|(sum, n)| (n > 0).then(|| sum / n as f64))
}
