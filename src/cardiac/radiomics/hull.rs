//! The convex hull of points on a lattice, exact in whole numbers (quickhull, Barber and others, 1996).

use std::collections::BTreeMap;

type Point = [i64; 3];

/// Triangles of the hull, corners as indices of the points, counter-clockwise seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hull {
    pub triangles: Vec<[usize; 3]>,
}

struct Face {
    corners: [usize; 3],
    normal: Point,
    offset: i64,
    /// Across the edges 01, 12, 20.
    neighbors: [usize; 3],
    /// Points above.
    above: Vec<usize>,
    alive: bool,
}

fn minus(a: Point, b: Point) -> Point {
    std::array::from_fn(|x| a[x] - b[x])
}

fn cross(a: Point, b: Point) -> Point {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: Point, b: Point) -> i64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

impl Face {
    fn new(points: &[Point], corners: [usize; 3], neighbors: [usize; 3]) -> Self {
        let [a, b, c] = corners.map(|v| points[v]);
        let normal = cross(minus(b, a), minus(c, a));
        Self { corners, normal, offset: dot(normal, a), neighbors, above: Vec::new(), alive: true }
    }

    /// Above 0 where the point sees the face.
    fn height(&self, p: Point) -> i64 {
        dot(self.normal, p) - self.offset
    }
}

/// The hull of points whose coordinates are below 2¹³ in size; `None` where they lie in one plane.
/// Usually n log n.
pub(super) fn convex_hull(points: &[Point]) -> Option<Hull> {
    let start = tetrahedron(points)?;
    let mut faces: Vec<Face> = [[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]]
        .into_iter()
        .map(|f| Face::new(points, f.map(|v| start[v]), [0; 3]))
        .collect();
    // Neighbors across 01, 12, 20 of the four faces above.
    for (face, neighbors) in faces.iter_mut().zip([[1, 2, 3], [3, 2, 0], [1, 3, 0], [2, 1, 0]]) {
        face.neighbors = neighbors;
    }
    share(points, &mut faces, 0, (0..points.len()).collect());
    let mut work: Vec<usize> = (0..4).collect();
    while let Some(f) = work.pop() {
        if !faces[f].alive {
            continue;
        }
        let Some(top) = faces[f].above.iter().copied().max_by_key(|p| (faces[f].height(points[*p]), std::cmp::Reverse(*p)))
        else {
            continue;
        };
        let n = faces.len();
        add_point(points, &mut faces, f, top);
        work.extend(n..faces.len());
    }
    Some(Hull { triangles: faces.iter().filter(|f| f.alive).map(|f| f.corners).collect() })
}

/// Gives each point to the first of the faces from `from` on that it sees.
fn share(points: &[Point], faces: &mut [Face], from: usize, candidates: Vec<usize>) {
    for p in candidates {
        if let Some(face) = faces[from..].iter_mut().find(|f| f.height(points[p]) > 0) {
            face.above.push(p);
        }
    }
}

/// Replaces the faces that `top` sees by a cone to it.
fn add_point(points: &[Point], faces: &mut Vec<Face>, seen_from: usize, top: usize) {
    let mut seen = vec![seen_from];
    faces[seen_from].alive = false;
    let mut horizon: Vec<(usize, usize, usize)> = Vec::new();
    let mut at = 0;
    while at < seen.len() {
        let f = seen[at];
        at += 1;
        for e in 0..3 {
            let next = faces[f].neighbors[e];
            if !faces[next].alive {
                continue;
            }
            if faces[next].height(points[top]) > 0 {
                faces[next].alive = false;
                seen.push(next);
            } else {
                horizon.push((faces[f].corners[e], faces[f].corners[(e + 1) % 3], next));
            }
        }
    }
    let from = faces.len();
    let by_start: BTreeMap<usize, usize> = horizon.iter().enumerate().map(|(n, h)| (h.0, from + n)).collect();
    let by_end: BTreeMap<usize, usize> = horizon.iter().enumerate().map(|(n, h)| (h.1, from + n)).collect();
    for (n, (a, b, beyond)) in horizon.into_iter().enumerate() {
        let (after, before) = (by_start.get(&b).copied(), by_end.get(&a).copied());
        faces.push(Face::new(points, [a, b, top], [beyond, after.unwrap_or(beyond), before.unwrap_or(beyond)]));
        let edge = (0..3).find(|e| faces[beyond].corners[*e] == b && faces[beyond].corners[(e + 1) % 3] == a);
        if let Some(edge) = edge {
            faces[beyond].neighbors[edge] = from + n;
        }
    }
    let mut candidates: Vec<usize> = seen.iter().flat_map(|f| std::mem::take(&mut faces[*f].above)).collect();
    candidates.retain(|p| *p != top);
    share(points, faces, from, candidates);
}

/// Four points that span space; the first three counter-clockwise seen from outside.
fn tetrahedron(points: &[Point]) -> Option<[usize; 4]> {
    let index = 0..points.len();
    let a = index.clone().min_by_key(|p| points[*p])?;
    let b = index.clone().max_by_key(|p| points[*p])?;
    let along = minus(points[b], points[a]);
    let off_line = |p: &usize| cross(along, minus(points[*p], points[a]));
    let c = index.clone().max_by_key(|p| dot(off_line(p), off_line(p)))?;
    let normal = off_line(&c);
    let d = index.max_by_key(|p| dot(normal, minus(points[*p], points[a])).abs())?;
    match dot(normal, minus(points[d], points[a])) {
        0 => None,
        height if height < 0 => Some([a, b, c, d]),
        _ => Some([a, c, b, d]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six times the volume.
    fn volume(points: &[Point], hull: &Hull) -> i64 {
        hull.triangles.iter().map(|t| dot(points[t[0]], cross(points[t[1]], points[t[2]]))).sum()
    }

    #[test]
    fn a_full_lattice_is_a_cuboid() {
        let points: Vec<Point> = (0..5 * 4 * 3).map(|i| [i % 5, i / 5 % 4, i / 20]).collect();
        let hull = convex_hull(&points).unwrap();
        assert_eq!(volume(&points, &hull), 6 * 4 * 3 * 2);
        assert!(convex_hull(&points[..20]).is_none(), "a plane has no hull");
    }

    #[test]
    fn no_point_is_outside_and_no_edge_is_alone() {
        for seed in 1..12u64 {
            let mut s = seed;
            let mut next = |n: u64| {
                s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((s >> 33) % n) as i64
            };
            let points: Vec<Point> = (0..400).map(|_| [next(12), next(9), next(5 + seed)]).collect();
            let hull = convex_hull(&points).unwrap();
            let mut edges = std::collections::BTreeSet::new();
            for t in &hull.triangles {
                let face = Face::new(&points, *t, [0; 3]);
                assert!(points.iter().all(|p| face.height(*p) <= 0) && face.normal != [0; 3]);
                (0..3).for_each(|e| assert!(edges.insert((t[e], t[(e + 1) % 3]))));
            }
            assert!(edges.iter().all(|(a, b)| edges.contains(&(*b, *a))), "the hull is closed");
        }
    }
}
