//! The surface of a mask: half way between voxels inside and outside, by marching cubes whose cases are
//! made here by walking around the faces of a cube (Lorensen and Cline, 1987). On a face with two inside
//! corners across its diagonal the corners are joined, the same in both cubes, so that the surface is closed.

use crate::base::{Error, Progress, Result};
use crate::model::Surface;
use crate::space::{DVec3, Grid};
use std::collections::BTreeMap;

/// Corner c of a cube has its bits as offsets along i, j, k.
fn corner(c: usize) -> [i64; 3] {
    [c & 1, c >> 1 & 1, c >> 2 & 1].map(|v| v as i64)
}

/// The corners of the six faces, in order as seen from outside.
const FACES: [[usize; 4]; 6] = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];

/// The triangles of a case (bit c set: corner c is inside); vertices in half voxels from corner 0,
/// counterclockwise as seen from outside where the axes are right-handed.
#[must_use]
pub fn cube_triangles(case: usize) -> Vec<[[i64; 3]; 3]> {
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

/// The closed surface around the voxels of a mask (`true` inside; memory index as in [`Grid`]), in patient mm,
/// counterclockwise as seen from outside. `Degenerate` where nothing is inside. Cost: one look at each voxel and
/// O(n log n) for the n vertices.
pub fn surface_of_mask(name: &str, grid: &Grid, mask: &[bool], progress: &Progress) -> Result<Surface> {
    let cases: Vec<Vec<[[i64; 3]; 3]>> = (0..256).map(cube_triangles).collect();
    let [nx, ny, nz] = grid.size().map(|n| n as i64);
    let (mut numbers, mut vertices, mut triangles): (BTreeMap<[i64; 3], u32>, Vec<[i64; 3]>, Vec<[u32; 3]>) = Default::default();
    for k in -1..nz {
        progress.step((k + 1) as f64 / (nz + 1) as f64, "making the surface")?;
        for j in -1..ny {
            let rows = [(j, k), (j + 1, k), (j, k + 1), (j + 1, k + 1)].map(|(j, k)| grid.index([0, j, k]));
            let column = |i: i64| {
                let bit = |row: Option<usize>| (0..nx).contains(&i) && row.is_some_and(|r| mask[r + i as usize]);
                rows.iter().enumerate().fold(0, |bits, (n, row)| bits | usize::from(bit(*row)) << (2 * n))
            };
            let mut before = 0;
            for i in -1..nx {
                let after = column(i + 1);
                for triangle in &cases[before | after << 1] {
                    triangles.push(triangle.map(|v| {
                        let place = [2 * i + v[0], 2 * j + v[1], 2 * k + v[2]];
                        *numbers.entry(place).or_insert_with(|| {
                            vertices.push(place);
                            vertices.len() as u32 - 1
                        })
                    }));
                }
                before = after;
            }
        }
    }
    if triangles.is_empty() {
        return Err(Error::degenerate("nothing is marked, so there is no surface"));
    }
    let lps = grid.lps_from_voxel();
    if lps.matrix3.determinant() < 0.0 {
        triangles.iter_mut().for_each(|t| t.swap(1, 2));
    }
    let place = |v: &[i64; 3]| lps.transform_point3(DVec3::from_array(v.map(|x| x as f64 / 2.0)));
    Surface::new(name, vertices.iter().map(place).collect(), triangles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine3, DMat3};
    use std::f64::consts::PI;

    fn grid(n: usize, mm: f64, flip: f64) -> Grid {
        let axes = DMat3::from_cols(DVec3::new(0.8, -0.6, 0.0) * mm, DVec3::new(0.6, 0.8, 0.0) * mm, DVec3::Z * mm * flip);
        Grid::new([n; 3], DAffine3 { matrix3: axes, translation: DVec3::new(100.0, -50.0, 7.0) }).unwrap()
    }

    #[test]
    fn a_ball_and_a_ring_have_their_volume() {
        for flip in [1.0, -1.0] {
            let grid = grid(64, 1.5, flip);
            let middle = grid.center_lps();
            let inside = |shape: &dyn Fn(DVec3) -> bool| -> Vec<bool> {
                (0..grid.n_voxels())
                    .map(|i| {
                        let v = DVec3::new((i % 64) as f64, (i / 64 % 64) as f64, (i / 4096) as f64);
                        shape(grid.lps_from_voxel().transform_point3(v) - middle)
                    })
                    .collect()
            };
            let ball = inside(&|p| p.length() < 40.0);
            let ring = inside(&|p| (p.truncate().length() - 28.0).hypot(p.z) < 12.0);
            for (mask, exact) in [(ball, 4.0 / 3.0 * PI * 64_000.0), (ring, 2.0 * PI * PI * 28.0 * 144.0)] {
                let s = surface_of_mask("s", &grid, &mask, &Progress::none()).unwrap();
                assert!(s.open_edges().is_empty() && s.is_oriented());
                assert!((s.volume_mm3() / exact - 1.0).abs() < 0.01, "{} {exact}", s.volume_mm3());
            }
        }
    }

    #[test]
    fn marks_at_the_border_are_closed_and_nothing_is_refused() {
        let grid = grid(3, 1.0, 1.0);
        let s = surface_of_mask("s", &grid, &[true; 27], &Progress::none()).unwrap();
        assert!(s.open_edges().is_empty());
        assert!(surface_of_mask("s", &grid, &[false; 27], &Progress::none()).is_err());
    }
}
