//! Wall thickness by four definitions, in the plane of each closed disc.

use super::outline::{N_POINTS, Outlines, closed_length, crossings, direction, nearest_on, rays};
use super::segments::Segmentation;
use super::wall_laplace::streamlines;
use crate::base::{Progress, Result};
use crate::model::LabelMap;
use crate::space::{DVec2, DVec3};
use rayon::prelude::*;

/// What thickness means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WallMethod {
    /// From each inner point to the nearest outer one: never more than the others.
    #[default]
    Nearest,
    /// Chords across the line half way between both outlines (Sheehan 1986).
    Centerline,
    /// Along rays from the middle of the cavity.
    Radial,
    /// Along the field lines between the outlines (Jones 2000).
    Laplace,
}

impl WallMethod {
    /// All, as menus list them.
    pub const ALL: [Self; 4] = [Self::Nearest, Self::Centerline, Self::Radial, Self::Laplace];

    /// The word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Centerline => "centerline",
            Self::Radial => "radial",
            Self::Laplace => "laplace",
        }
    }

    /// What it measures, for the table.
    #[must_use]
    pub fn definition(self) -> &'static str {
        match self {
            Self::Nearest => "nearest: from inner outline to the nearest outer point, weighted by inner arc length",
            Self::Centerline => "centerline: chords perpendicular to the mid-curve, weighted by its arc length",
            Self::Radial => "radial: rays from the cavity's middle, weighted by mid-wall arc length",
            Self::Laplace => "laplace: field lines from inner to outer outline, weighted by inner arc length",
        }
    }
}

/// One line across the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WallLine {
    /// Segment of its middle, `None` beyond all.
    pub segment: Option<u8>,
    /// Thickness in mm.
    pub length_mm: f64,
    /// Length of the arc that it stands for, mm.
    pub arc_mm: f64,
    /// Inner end, patient mm.
    pub inner_lps: DVec3,
    /// Outer end, patient mm.
    pub outer_lps: DVec3,
}

/// Lines across the wall of every closed disc: 180 per disc. `labels` is what was segmented. Outlines are
/// the half-way lines of the smoothed labels with the labels' own area. O(discs · 180²).
pub fn wall_lines(seg: &Segmentation, labels: &LabelMap, method: WallMethod, progress: &Progress) -> Result<Vec<WallLine>> {
    let stack = &seg.frame.stack;
    let discs: Vec<usize> = (0..stack.discs.len()).filter(|&i| stack.discs[i].is_ring).collect();
    let n = discs.len() as f64;
    let of_disc = |(done, disc): (usize, usize)| {
        progress.step(done as f64 / n, "wall thickness")?;
        let Some(outlines) = Outlines::of(seg, labels, disc) else { return Ok(Vec::new()) };
        let line = |(inner, outer, length_mm, arc_mm): Line| WallLine {
            segment: seg.frame.segment_in_disc(disc, outlines.lps(inner.midpoint(outer))),
            length_mm,
            arc_mm,
            inner_lps: outlines.lps(inner),
            outer_lps: outlines.lps(outer),
        };
        Ok(lines_across(&outlines, method).into_iter().map(line).collect())
    };
    let lines: Vec<Vec<WallLine>> = discs.into_par_iter().enumerate().map(of_disc).collect::<Result<_>>()?;
    Ok(lines.concat())
}

/// Inner end, outer end, length and arc.
pub(super) type Line = (DVec2, DVec2, f64, f64);

pub(super) fn lines_across(outlines: &Outlines, method: WallMethod) -> Vec<Line> {
    match method {
        WallMethod::Nearest => nearest(outlines),
        WallMethod::Centerline => centerline(outlines),
        WallMethod::Radial => radial(outlines),
        WallMethod::Laplace => streamlines(outlines),
    }
}

fn nearest(outlines: &Outlines) -> Vec<Line> {
    let arc = closed_length(&outlines.inner) / N_POINTS as f64;
    let line = |p: &DVec2| {
        let (length, q) = nearest_on(&outlines.outer, *p);
        (length > 1e-9).then_some((*p, q, length, arc))
    };
    outlines.inner.iter().filter_map(line).collect()
}

fn radial(outlines: &Outlines) -> Vec<Line> {
    let line = |(k, ray): (usize, &Option<[f64; 2]>)| {
        let [inner, outer] = (*ray)?;
        let along = direction(k, N_POINTS);
        let arc = f64::midpoint(inner, outer) * std::f64::consts::TAU / N_POINTS as f64;
        Some((along * inner, along * outer, outer - inner, arc))
    };
    rays(outlines, N_POINTS).iter().enumerate().filter_map(line).collect()
}

fn centerline(outlines: &Outlines) -> Vec<Line> {
    let middle: Option<Vec<DVec2>> = rays(outlines, N_POINTS)
        .into_iter()
        .enumerate()
        .map(|(k, ray)| Some(half_way(outlines, ray?, direction(k, N_POINTS))))
        .collect();
    // Where some ray finds no wall there is no closed mid-curve.
    let Some(middle) = middle else { return radial(outlines) };
    let n = middle.len();
    let line = |k: usize| {
        let along = middle[(k + 1) % n] - middle[(k + n - 1) % n];
        let across = along.try_normalize()?.perp();
        let across = across * across.dot(middle[k]).signum();
        let outer = crossings(&outlines.outer, middle[k], across).first().copied()?;
        let inner = crossings(&outlines.inner, middle[k], -across).first().copied()?;
        let [a, b] = [middle[k] - across * inner, middle[k] + across * outer];
        Some((a, b, inner + outer, 0.5 * along.length()))
    };
    (0..n).filter_map(line).collect()
}

/// The point of a ray that is equally far from both outlines.
fn half_way(outlines: &Outlines, [mut low, mut high]: [f64; 2], along: DVec2) -> DVec2 {
    for _ in 0..20 {
        let middle = f64::midpoint(low, high);
        let p = along * middle;
        if nearest_on(&outlines.inner, p).0 < nearest_on(&outlines.outer, p).0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    along * f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Circles of 15 and 25 mm, the inner one moved by `offset`.
    fn circles(offset: f64) -> Outlines {
        let circle =
            |r: f64, x: f64| (0..N_POINTS).map(move |k| DVec2::from_angle(k as f64 / N_POINTS as f64 * TAU) * r + DVec2::X * x);
        Outlines {
            middle: DVec3::ZERO,
            axes: [DVec3::X, DVec3::Y],
            inner: circle(15.0, 0.0).collect(),
            outer: circle(25.0, -offset).collect(),
        }
    }

    fn mean(lines: &[Line]) -> f64 {
        lines.iter().map(|l| l.2 * l.3).sum::<f64>() / lines.iter().map(|l| l.3).sum::<f64>()
    }

    #[test]
    fn concentric_circles_are_ten_thick() {
        for method in WallMethod::ALL {
            let lines = lines_across(&circles(0.0), method);
            assert!(lines.len() == N_POINTS && lines.iter().all(|l| (l.2 - 10.0).abs() < 0.03), "{method:?} {}", mean(&lines));
        }
    }

    #[test]
    fn eccentric_circles() {
        let golden: (f64, f64, f64) = (9.732_126_471_665_7, 6.0, 14.0);
        let nearest = lines_across(&circles(4.0), WallMethod::Nearest);
        let ends = |l: &[Line]| [l.iter().map(|l| l.2).fold(99.0, f64::min), l.iter().map(|l| l.2).fold(0.0, f64::max)];
        assert!((mean(&nearest) / golden.0 - 1.0).abs() < 5e-4, "{}", mean(&nearest));
        assert!((ends(&nearest)[0] - golden.1).abs() < 0.01 && (ends(&nearest)[1] - golden.2).abs() < 0.01);
        for method in WallMethod::ALL {
            let lines = lines_across(&circles(4.0), method);
            assert!(mean(&lines) >= mean(&nearest) - 1e-9, "{method:?}: nearest is never more");
            assert!(
                (ends(&lines)[0] - 6.0).abs() < 0.05 && (ends(&lines)[1] - 14.0).abs() < 0.05,
                "{method:?} {:?}",
                ends(&lines)
            );
        }
    }
}
