//! Area and volume inside the surface of a mask, half way between voxels inside and outside. What a case of the
//! marching cubes adds is known beforehand; no triangle is stored.

use super::region::Region;
use crate::imaging::cube_triangles;
use crate::space::{DMat3, DVec3};

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
        cube_triangles(case).into_iter().fold(Self::default(), |sum, t| {
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
