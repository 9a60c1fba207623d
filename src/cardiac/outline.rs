//! Inner and outer outline of the left ventricle in one disc, from its labels: the half-way line of the
//! slightly smoothed mask, with the area that the voxels have.

use super::segments::Segmentation;
use super::stack::{Disc, Slicing, Stack, position};
use crate::imaging::{isolines, label_at};
use crate::model::LabelMap;
use crate::space::{DVec2, DVec3};
use std::f64::consts::TAU;

/// Standard deviation of the smoothing, in pixels; stairs of single pixels vanish, thin walls stay.
const SMOOTH_PX: f64 = 1.0;
/// Pixels around what is labeled, so that the smoothing finds its end.
const MARGIN: usize = 4;
/// Points of an outline.
pub(super) const N_POINTS: usize = 180;

/// Both outlines of a disc in mm of its plane, around the middle of its cavity.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outlines {
    /// The middle, patient mm.
    pub middle: DVec3,
    /// Unit vectors of the plane.
    pub axes: [DVec3; 2],
    /// Around the cavity, points equally far apart along the line.
    pub inner: Vec<DVec2>,
    /// Around cavity and wall.
    pub outer: Vec<DVec2>,
}

/// Masks of a disc as pictures.
struct Picture {
    origin: DVec3,
    steps: [DVec3; 2],
    n_columns: usize,
    cavity: Vec<f64>,
    both: Vec<f64>,
}

impl Outlines {
    /// The outlines of a disc, `None` where it has no cavity or no wall. O(pixels log pixels).
    pub fn of(seg: &Segmentation, labels: &LabelMap, disc: usize) -> Option<Self> {
        let stack = &seg.frame.stack;
        let picture = Picture::of(stack, seg, labels, disc)?;
        let middle = stack.discs[disc].centroid;
        let first = picture.steps[0].try_normalize()?;
        let second = picture.steps[1] - first * picture.steps[1].dot(first);
        let axes = [first, second.try_normalize()?];
        let line = |mask: &[f64]| {
            let points = outline(mask, picture.n_columns)?;
            let flat = |p: &[f64; 2]| {
                let d = picture.origin + picture.steps[0] * p[0] + picture.steps[1] * p[1] - middle;
                DVec2::new(d.dot(axes[0]), d.dot(axes[1]))
            };
            Some(even(&points.iter().map(flat).collect::<Vec<_>>(), N_POINTS))
        };
        Some(Self { middle, axes, inner: line(&picture.cavity)?, outer: line(&picture.both)? })
    }

    /// Patient point of a point of the plane.
    pub fn lps(&self, p: DVec2) -> DVec3 {
        self.middle + self.axes[0] * p.x + self.axes[1] * p.y
    }
}

impl Picture {
    fn of(stack: &Stack, seg: &Segmentation, labels: &LabelMap, disc: usize) -> Option<Self> {
        let [origin, a, b] = match stack.slicing {
            Slicing::Voxels(axis) => {
                let matrix = stack.grid.lps_from_voxel();
                let mut corner = DVec3::ZERO;
                corner[axis] = disc as f64;
                let column = |k: usize| matrix.matrix3.col((axis + k) % 3);
                [matrix.transform_point3(corner), column(1), column(2)]
            }
            Slicing::Slabs { .. } => {
                let [u, v] = stack.basis();
                let step = stack.in_plane_mm();
                let Disc { centroid, level_mm, .. } = *stack.discs.get(disc)?;
                [centroid + stack.axis * (level_mm - centroid.dot(stack.axis)), u * step, v * step]
            }
        };
        let value = |at: DVec3| label_at(labels, seg.phase, at);
        let [low, high] = bounds(stack, seg, labels, disc, (origin, a, b))?;
        let size = [0, 1].map(|k| (high[k] - low[k]) as usize + 1 + 2 * MARGIN);
        let start = origin + a * (low[0] - MARGIN as i64) as f64 + b * (low[1] - MARGIN as i64) as f64;
        let mut picture = Self { origin: start, steps: [a, b], n_columns: size[0], cavity: Vec::new(), both: Vec::new() };
        for j in 0..size[1] {
            for i in 0..size[0] {
                let v = value(start + a * i as f64 + b * j as f64);
                picture.cavity.push(f64::from(u8::from(v == seg.settings.lv)));
                picture.both.push(f64::from(u8::from(v == seg.settings.lv || v == seg.settings.myo)));
            }
        }
        Some(picture)
    }
}

/// Least and greatest column and row of the ventricle in a disc's picture.
fn bounds(
    stack: &Stack,
    seg: &Segmentation,
    labels: &LabelMap,
    disc: usize,
    (origin, a, b): (DVec3, DVec3, DVec3),
) -> Option<[[i64; 2]; 2]> {
    // Columns and rows of a point: the plane's axes need not be perpendicular.
    let (aa, ab, bb) = (a.dot(a), a.dot(b), b.dot(b));
    let mut found: Option<[[i64; 2]; 2]> = None;
    for (index, &value) in labels.phases[seg.phase].iter().enumerate() {
        if (value != seg.settings.lv && value != seg.settings.myo) || stack.disc_of(index) != disc {
            continue;
        }
        let d = position(&stack.grid, index) - origin;
        let (p, q, det) = (d.dot(a), d.dot(b), aa * bb - ab * ab);
        let at = [(p * bb - q * ab) / det, (q * aa - p * ab) / det].map(|v| v.round() as i64);
        let [low, high] = found.unwrap_or([at, at]);
        found = Some([[low[0].min(at[0]), low[1].min(at[1])], [high[0].max(at[0]), high[1].max(at[1])]]);
    }
    found
}

/// The largest closed line around a mask, in pixels.
fn outline(mask: &[f64], n_columns: usize) -> Option<Vec<[f64; 2]>> {
    let largest = |lines: Vec<Vec<[f64; 2]>>| {
        let lines = lines.into_iter().map(|l| (area(&l).abs(), l)).filter(|(a, _)| *a > 0.0);
        lines.max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let (plain, stairs) = largest(isolines(mask, n_columns, 0.5))?;
    let Some((smooth, mut line)) = largest(isolines(&smoothed(mask, n_columns), n_columns, 0.5)) else { return Some(stairs) };
    // A line through edge middles cuts half a pixel off the area of the voxels; smoothing shrinks it more.
    let scale = ((plain + 0.5) / smooth).sqrt();
    let n = line.len() as f64;
    let middle = [0, 1].map(|k| line.iter().map(|p| p[k]).sum::<f64>() / n);
    for p in &mut line {
        *p = [0, 1].map(|k| middle[k] + (p[k] - middle[k]) * scale);
    }
    Some(line)
}

fn smoothed(mask: &[f64], nx: usize) -> Vec<f64> {
    let kernel: Vec<f64> = (-3..=3).map(|k| (-f64::from(k * k) / (2.0 * SMOOTH_PX * SMOOTH_PX)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    let ny = mask.len() / nx;
    let pass = |from: &[f64], step: [i64; 2]| -> Vec<f64> {
        let at = |i: i64, j: i64| {
            if (0..nx as i64).contains(&i) && (0..ny as i64).contains(&j) { from[j as usize * nx + i as usize] } else { 0.0 }
        };
        let value = |p: usize| {
            let (i, j) = ((p % nx) as i64, (p / nx) as i64);
            let term = |(k, w): (usize, &f64)| w * at(i + step[0] * (k as i64 - 3), j + step[1] * (k as i64 - 3));
            kernel.iter().enumerate().map(term).sum::<f64>() / total
        };
        (0..from.len()).map(value).collect()
    };
    pass(&pass(mask, [1, 0]), [0, 1])
}

fn area(line: &[[f64; 2]]) -> f64 {
    let next = line.iter().cycle().skip(1);
    line.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

/// Length of a closed line.
pub(super) fn closed_length(line: &[DVec2]) -> f64 {
    line.iter().zip(line.iter().cycle().skip(1)).map(|(a, b)| a.distance(*b)).sum()
}

/// `n` points equally far apart along a closed line.
pub(super) fn even(line: &[DVec2], n: usize) -> Vec<DVec2> {
    let total = closed_length(line);
    let mut points = Vec::with_capacity(n);
    let mut passed = 0.0;
    for (a, b) in line.iter().zip(line.iter().cycle().skip(1)) {
        let length = a.distance(*b);
        while points.len() < n && points.len() as f64 / n as f64 * total <= passed + length {
            let t = if length > 0.0 { (points.len() as f64 / n as f64 * total - passed) / length } else { 0.0 };
            points.push(a.lerp(*b, t));
        }
        passed += length;
    }
    points.resize(n, line.first().copied().unwrap_or_default());
    points
}

/// Distance from a point to the nearest of a closed line, and that point. O(points).
pub(super) fn nearest_on(line: &[DVec2], p: DVec2) -> (f64, DVec2) {
    let on_edge = |(a, b): (&DVec2, &DVec2)| {
        let d = *b - *a;
        let t = if d.length_squared() > 0.0 { ((p - *a).dot(d) / d.length_squared()).clamp(0.0, 1.0) } else { 0.0 };
        let q = *a + d * t;
        (q.distance(p), q)
    };
    let edges = line.iter().zip(line.iter().cycle().skip(1)).map(on_edge);
    edges.fold((f64::INFINITY, p), |best, next| if next.0 < best.0 { next } else { best })
}

/// Distances along a ray at which it crosses a closed line, rising. O(points).
pub(super) fn crossings(line: &[DVec2], from: DVec2, along: DVec2) -> Vec<f64> {
    let edge = |(a, b): (&DVec2, &DVec2)| {
        let (sa, sb) = (along.perp_dot(*a - from), along.perp_dot(*b - from));
        if (sa <= 0.0) == (sb <= 0.0) {
            return None;
        }
        let t = sa / (sa - sb);
        let r = along.dot(a.lerp(*b, t) - from);
        (r >= 0.0).then_some(r)
    };
    let mut found: Vec<f64> = line.iter().zip(line.iter().cycle().skip(1)).filter_map(edge).collect();
    found.sort_by(f64::total_cmp);
    found
}

/// Where rays from the middle at `n` equal angles leave the cavity and then the wall; `None` where they
/// do not do so.
pub(super) fn rays(outlines: &Outlines, n: usize) -> Vec<Option<[f64; 2]>> {
    let ray = |k: usize| {
        let along = direction(k, n);
        let outer = crossings(&outlines.outer, DVec2::ZERO, along).last().copied()?;
        let inner = crossings(&outlines.inner, DVec2::ZERO, along).into_iter().rev().find(|r| *r < outer)?;
        (outer > inner + 1e-9).then_some([inner, outer])
    };
    (0..n).map(ray).collect()
}

/// The direction of ray `k` of `n`.
pub(super) fn direction(k: usize, n: usize) -> DVec2 {
    DVec2::from_angle((k as f64 + 0.5) / n as f64 * TAU)
}
