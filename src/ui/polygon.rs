//! Filling of simple polygons: triangles by ear clipping, and hatching by scan lines.

use egui::{Pos2, pos2};

fn cross(o: Pos2, a: Pos2, b: Pos2) -> f32 {
    (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)
}

/// Corner numbers of triangles that cover a simple polygon once. Quadratic in the number of corners.
pub(super) fn triangles(points: &[Pos2]) -> Vec<[usize; 3]> {
    let n = points.len();
    if n < 3 {
        return Vec::new();
    }
    let area: f32 = (0..n).map(|i| points[i].x * points[(i + 1) % n].y - points[(i + 1) % n].x * points[i].y).sum();
    let mut ring: Vec<usize> = if area > 0.0 { (0..n).collect() } else { (0..n).rev().collect() };
    let mut out = Vec::with_capacity(n - 2);
    while ring.len() > 3 {
        let m = ring.len();
        let ear = (0..m).find(|&i| is_ear(points, &ring, i)).unwrap_or(0);
        out.push([ring[(ear + m - 1) % m], ring[ear], ring[(ear + 1) % m]]);
        ring.remove(ear);
    }
    out.push([ring[0], ring[1], ring[2]]);
    out
}

fn is_ear(points: &[Pos2], ring: &[usize], i: usize) -> bool {
    let m = ring.len();
    let corner = [ring[(i + m - 1) % m], ring[i], ring[(i + 1) % m]];
    let [a, b, c] = corner.map(|k| points[k]);
    if cross(a, b, c) <= 0.0 {
        return false;
    }
    let inside = |p: Pos2| cross(a, b, p) > 0.0 && cross(b, c, p) > 0.0 && cross(c, a, p) > 0.0;
    !ring.iter().any(|k| !corner.contains(k) && inside(points[*k]))
}

/// Whether a point lies in a polygon (even-odd).
#[cfg(test)]
fn contains(points: &[Pos2], p: Pos2) -> bool {
    let mut inside = false;
    let mut j = points.len().wrapping_sub(1);
    for (i, a) in points.iter().enumerate() {
        let b = points[j];
        if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
            inside = !inside;
        }
        j = i;
    }
    inside
}

/// Diagonal lines, `pitch` apart, cut to a polygon.
pub(super) fn hatching(points: &[Pos2], pitch: f32) -> Vec<[Pos2; 2]> {
    // In turned coordinates u = x + y, v = x − y the hatching runs along lines of equal u.
    let turned: Vec<(f32, f32)> = points.iter().map(|p| (p.x + p.y, p.x - p.y)).collect();
    let step = pitch * std::f32::consts::SQRT_2;
    let (low, high) = turned.iter().fold((f32::MAX, f32::MIN), |(l, h), p| (l.min(p.0), h.max(p.0)));
    let mut out = Vec::new();
    let mut u = (low / step).ceil() * step;
    while u < high && out.len() < 2000 {
        let mut crossings: Vec<f32> = (0..turned.len())
            .filter_map(|i| {
                let (a, b) = (turned[i], turned[(i + 1) % turned.len()]);
                ((a.0 > u) != (b.0 > u)).then(|| a.1 + (b.1 - a.1) * (u - a.0) / (b.0 - a.0))
            })
            .collect();
        crossings.sort_by(f32::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let back = |v: f32| pos2((u + v) / 2.0, (u - v) / 2.0);
            out.push([back(pair[0]), back(pair[1])]);
        }
        u += step;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cell of a ring: outer arc, then inner arc back.
    fn cell() -> Vec<Pos2> {
        let arc = |r: f32, i: i32| pos2(r * (i as f32 * 0.1).cos(), r * (i as f32 * 0.1).sin());
        (0..=10).map(|i| arc(10.0, i)).chain((0..=10).rev().map(|i| arc(6.0, i))).collect()
    }

    #[test]
    fn a_ring_cell_is_covered_once() {
        for points in [cell(), cell().into_iter().rev().collect::<Vec<_>>()] {
            let area: f32 = triangles(&points).iter().map(|t| cross(points[t[0]], points[t[1]], points[t[2]]).abs() / 2.0).sum();
            assert!((area - 32.0).abs() < 0.2, "{area}");
            assert!(contains(&points, pos2(7.0, 4.0)) && !contains(&points, pos2(3.0, 3.0)));
            assert!(hatching(&points, 1.0).iter().all(|[a, b]| contains(&points, *a + (*b - *a) * 0.5)));
        }
    }
}
