//! The surface of a mask: half way between voxels inside and outside, by marching cubes whose cases are
//! made here by walking around the faces of a cube (Lorensen and Cline, 1987). On a face with two inside
//! corners across its diagonal the corners are joined, the same in both cubes, so that the surface is closed.
//! What a case adds to area and volume is known beforehand; no triangle is stored.

use super::region::Region;
use crate::space::{DMat3, DVec3};

/// Corner c of a cube has its bits as offsets along i, j, k.
fn corner(c: usize) -> [i64; 3] {
    [c & 1, c >> 1 & 1, c >> 2 & 1].map(|v| v as i64)
}

/// The corners of the six faces, in order as seen from outside.
const FACES: [[usize; 4]; 6] = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];

/// The triangles of a case (bit c set: corner c is inside); vertices in half voxels from corner 0.
fn triangles(case: usize) -> Vec<[[i64; 3]; 3]> {
    let inside = |c: usize| case >> c & 1 == 1;
    let middle = |a: usize, b: usize| std::array::from_fn(|x| corner(a)[x] + corner(b)[x]);
    // On each face a segment leads from where its border enters the inside to where it left it before.
    let mut segments: Vec<([i64; 3], [i64; 3])> = Vec::new();
    for face in FACES {
        for start in (0..4).filter(|s| !inside(face[*s]) && inside(face[(s + 1) % 4])) {
            let leave = (1..4).map(|n| start + 4 - n).find(|n| inside(face[n % 4]) && !inside(face[(n + 1) % 4]));
            if let Some(leave) = leave {
                segments.push((middle(face[start], face[(start + 1) % 4]), middle(face[leave % 4], face[(leave + 1) % 4])));
            }
        }
    }
    let mut found = Vec::new();
    while let Some((first, mut at)) = segments.pop() {
        let mut polygon = vec![first];
        while at != first {
            polygon.push(at);
            let Some(next) = segments.iter().position(|s| s.0 == at) else { break };
            at = segments.swap_remove(next).1;
        }
        found.extend(widest(&polygon));
    }
    found
}

/// The triangles of a polygon whose areas add up to the most: of a bent polygon these keep its flat parts
/// flat, as the published tables of cases do.
fn widest(polygon: &[[i64; 3]]) -> Vec<[[i64; 3]; 3]> {
    let Some(last) = polygon.len().checked_sub(1) else { return Vec::new() };
    let area = |a: usize, b: usize, c: usize| {
        let [a, b, c] = [a, b, c].map(|v| DVec3::from_array(polygon[v].map(|x| x as f64)));
        (b - a).cross(c - a).length()
    };
    // Best area and middle corner between corners a and c, shorter spans first.
    let mut best = vec![vec![(0.0, 0); polygon.len()]; polygon.len()];
    for (span, a) in (2..=last).flat_map(|s| (0..=last - s).map(move |a| (s, a))) {
        let c = a + span;
        let of = |b: usize| (best[a][b].0 + best[b][c].0 + area(a, b, c), b);
        best[a][c] = (a + 1..c).map(of).fold((f64::NEG_INFINITY, 0), |x, y| if y.0 > x.0 + 1e-9 { y } else { x });
    }
    let (mut open, mut found) = (vec![(0, last)], Vec::new());
    while let Some((a, c)) = open.pop() {
        if c >= a + 2 {
            let b = best[a][c].1;
            found.push([a, b, c].map(|v| polygon[v]));
            open.extend([(a, b), (b, c)]);
        }
    }
    found
}

/// What a case adds.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    area: f64,
    /// Six times the volume between the triangles and corner 0.
    volume: f64,
    /// Twice the sum of the triangles' vector areas.
    normal: DVec3,
}

impl Part {
    fn of(case: usize, mm: DMat3) -> Self {
        let place = |v: [i64; 3]| mm * (DVec3::new(v[0] as f64, v[1] as f64, v[2] as f64) / 2.0);
        triangles(case).into_iter().fold(Self::default(), |sum, t| {
            let [a, b, c] = t.map(place);
            let normal = (b - a).cross(c - a);
            Self { area: sum.area + normal.length() / 2.0, volume: sum.volume + a.dot(b.cross(c)), normal: sum.normal + normal }
        })
    }
}

/// Area in mm² and volume in mm³ inside the surface of a region's shape. One look at each voxel.
pub(super) fn area_and_volume(region: &Region) -> (f64, f64) {
    let parts: Vec<Part> = (0..256).map(|case| Part::of(case, region.mm)).collect();
    let [nx, ny, nz] = region.size.map(|n| n as i64);
    let row = |j: i64, k: i64| {
        let there = (0..ny).contains(&j) && (0..nz).contains(&k);
        let start = (nx * (j + ny * k)).max(0) as usize;
        there.then(|| &region.shape[start..start + nx as usize])
    };
    let (mut area, mut volume) = (0.0, 0.0);
    for (k, j) in (-1..nz).flat_map(|k| (-1..ny).map(move |j| (k, j))) {
        let rows = [row(j, k), row(j + 1, k), row(j, k + 1), row(j + 1, k + 1)];
        if rows.iter().flatten().all(|r| !r.contains(&true)) {
            continue;
        }
        let column = |i: i64| {
            let bit = |r: Option<&[bool]>| {
                usize::from(r.is_some_and(|r| usize::try_from(i).ok().and_then(|i| r.get(i)) == Some(&true)))
            };
            rows.iter().enumerate().fold(0, |bits, (n, r)| bits | bit(*r) << (2 * n))
        };
        let mut before = 0;
        for i in -1..nx {
            let after = column(i + 1);
            let case = before | after << 1;
            before = after;
            if case != 0 && case != 255 {
                let part = &parts[case];
                area += part.area;
                volume += part.volume + (region.mm * DVec3::new(i as f64, j as f64, k as f64)).dot(part.normal);
            }
        }
    }
    (area, volume.abs() / 6.0)
}

/// The vertices of the surface in half voxels that may lie on its convex hull: the outermost of each row.
pub(super) fn outer_vertices(region: &Region) -> Vec<[i64; 3]> {
    let [nx, ny, nz] = region.size;
    let (wide, high) = (2 * ny + 1, 2 * nz + 1);
    let mut ends: Vec<Option<(i64, i64)>> = vec![None; wide * high];
    let mut add = |x: i64, y: usize, z: usize| {
        let end = ends[y + wide * z].get_or_insert((x, x));
        *end = (end.0.min(x), end.1.max(x));
    };
    for k in 0..nz {
        for j in 0..ny {
            let row = &region.shape[nx * (j + ny * k)..][..nx];
            let (Some(first), Some(last)) = (row.iter().position(|s| *s), row.iter().rposition(|s| *s)) else { continue };
            let (first, last) = (2 * first as i64, 2 * last as i64);
            // Shifted by one so that row −1 of half voxels exists.
            let (y, z) = (2 * j + 1, 2 * k + 1);
            for (x, y, z) in [(first - 1, y, z), (last + 1, y, z)] {
                add(x, y, z);
            }
            for x in [first, last] {
                [(y - 1, z), (y + 1, z), (y, z - 1), (y, z + 1)].into_iter().for_each(|(y, z)| add(x, y, z));
            }
        }
    }
    let of_row = |(n, end): (usize, &Option<(i64, i64)>)| {
        let (y, z) = ((n % wide) as i64 - 1, (n / wide) as i64 - 1);
        end.map(|(a, b)| if a == b { vec![[a, y, z]] } else { vec![[a, y, z], [b, y, z]] })
    };
    ends.iter().enumerate().filter_map(of_row).flatten().collect()
}
