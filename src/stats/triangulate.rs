//! Delaunay triangles of points in the plane.

use crate::base::{Error, Result};
use delaunator::{Point, triangulate};

/// Edges of the Delaunay triangulation of finite points, each once with the smaller number first, in
/// increasing order. A point exactly where an earlier one lies has no edges. Of four points on one circle
/// either diagonal is right; the choice is always the same. [`Error::Degenerate`] where all lie on one line.
/// Costs n log n.
pub fn delaunay_edges(points: &[[f64; 2]]) -> Result<Vec<[u32; 2]>> {
    let places: Vec<Point> = points.iter().map(|p| Point { x: p[0], y: p[1] }).collect();
    let triangles = triangulate(&places).triangles;
    if triangles.is_empty() {
        return Err(Error::degenerate(format!(
            "{} points lie on one line or at one place, so there are no triangles",
            points.len()
        )));
    }
    let edge = |a: usize, b: usize| [a.min(b) as u32, a.max(b) as u32];
    let mut edges: Vec<[u32; 2]> =
        triangles.chunks_exact(3).flat_map(|t| [edge(t[0], t[1]), edge(t[1], t[2]), edge(t[2], t[0])]).collect();
    edges.sort_unstable();
    edges.dedup();
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    #[test]
    fn no_point_lies_in_the_circle_of_a_triangle() {
        let mut s = Stream::new(2, 9);
        let p: Vec<[f64; 2]> = (0..60).map(|_| [s.normal(), s.normal()]).collect();
        let edges = delaunay_edges(&p).unwrap();
        let has = |a: usize, b: usize| edges.binary_search(&[a.min(b) as u32, a.max(b) as u32]).is_ok();
        // An edge belongs where some circle through both ends is empty; then so is a triangle's circle.
        for a in 0..60 {
            for b in a + 1..60 {
                let empty = (0..60).filter(|c| *c != a && *c != b).any(|c| circle_is_empty(&p, [a, b, c]));
                assert_eq!(has(a, b), empty, "{a} {b}");
            }
        }
    }

    fn circle_is_empty(p: &[[f64; 2]], [a, b, c]: [usize; 3]) -> bool {
        let (ab, ac) = ([p[b][0] - p[a][0], p[b][1] - p[a][1]], [p[c][0] - p[a][0], p[c][1] - p[a][1]]);
        let d = 2.0 * (ab[0] * ac[1] - ab[1] * ac[0]);
        let (bb, cc) = (ab[0] * ab[0] + ab[1] * ab[1], ac[0] * ac[0] + ac[1] * ac[1]);
        let u = [(ac[1] * bb - ab[1] * cc) / d, (ab[0] * cc - ac[0] * bb) / d];
        let r = u[0].hypot(u[1]);
        p.iter().enumerate().all(|(i, q)| [a, b, c].contains(&i) || (q[0] - p[a][0] - u[0]).hypot(q[1] - p[a][1] - u[1]) >= r)
    }
}
