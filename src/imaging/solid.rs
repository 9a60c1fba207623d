//! Meshes to labels: a voxel belongs where its center is inside, that is where a line through it meets the surface
//! an odd number of times before it.

use crate::base::{Error, Progress, Result};
use crate::model::{LabelMap, Surface};
use crate::space::{DAffine3, DVec3, Grid};
use std::collections::BTreeMap;

/// Voxels along the longest side of a grid that is made for a mesh.
const OWN_VOXELS: f64 = 128.0;

/// Places where rows of voxels meet a mesh; more than any surface of an organ has.
const MOST_CROSSINGS: usize = 1 << 27;

/// Labels of value `value` inside a surface, and the number of edges at which it was open: holes are closed by fans
/// around the middle of their edge. It does not matter how triangles turn. `Degenerate` where edges of three or more
/// triangles leave no inside, or no voxel lies inside. Cost: the rows that each triangle covers, sorted.
pub fn fill_surface(surface: &Surface, grid: &Grid, value: u8, progress: &Progress) -> Result<(LabelMap, usize)> {
    let welded = surface.welded()?;
    let n_open = welded.open_edges().len();
    let closed = capped(&welded)?;
    let voxels: Vec<DVec3> = closed.vertices().iter().map(|v| grid.voxel_from_lps().transform_point3(*v)).collect();
    let [nx, ny, nz] = grid.size();
    let mut crossings: Vec<(usize, f64)> = Vec::new();
    for (i, triangle) in closed.triangles().iter().enumerate() {
        if i % 256 == 0 {
            progress.step(0.8 * i as f64 / closed.triangles().len() as f64, "filling the mesh")?;
        }
        cross(*triangle, &voxels, [ny, nz], &mut crossings);
        if crossings.len() > MOST_CROSSINGS {
            return Err(Error::unsupported("the mesh folds over itself too often to be filled; give a simpler one"));
        }
    }
    crossings.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut inside = vec![0_u8; grid.n_voxels()];
    for row in crossings.chunk_by(|a, b| a.0 == b.0) {
        for pair in row.chunks_exact(2) {
            let [from, to] = [pair[0].1, pair[1].1].map(|x| (x.ceil().max(0.0) as usize).min(nx));
            inside[row[0].0 * nx + from..row[0].0 * nx + to.max(from)].fill(value);
        }
    }
    if !inside.contains(&value) {
        return Err(Error::degenerate("no voxel of the image lies inside the mesh; check that they belong together"));
    }
    let mut labels = LabelMap::new(surface.name.clone(), *grid, vec![inside.into()])?;
    labels.table.iter_mut().for_each(|entry| entry.name.clone_from(&surface.name));
    Ok((labels, n_open))
}

/// Whether the point (y, z) of a row lies left of the edge from a to b; rows that the edge goes through are moved
/// by less than any number, the same for both triangles of the edge.
fn is_left(a: u32, b: u32, voxels: &[DVec3], y: f64, z: f64) -> bool {
    let (low, high) = (a.min(b), a.max(b));
    let (p, q) = (voxels[low as usize], voxels[high as usize]);
    let (dy, dz) = (q.y - p.y, q.z - p.z);
    let cross = dy * (z - p.z) - dz * (y - p.y);
    let left = if cross != 0.0 {
        cross > 0.0
    } else if dz != 0.0 {
        dz < 0.0
    } else {
        dy > 0.0
    };
    left == (a < b)
}

/// Adds the places where rows along x meet a triangle, as row number and x.
fn cross(triangle: [u32; 3], voxels: &[DVec3], [ny, nz]: [usize; 2], crossings: &mut Vec<(usize, f64)>) {
    let [a, b, c] = triangle;
    let [p, q, r] = triangle.map(|v| voxels[v as usize]);
    let normal = (q - p).cross(r - p);
    let range = |low: f64, high: f64, n: usize| (low.ceil().max(0.0) as usize)..((high.floor() + 1.0).max(0.0) as usize).min(n);
    for k in range(p.z.min(q.z).min(r.z), p.z.max(q.z).max(r.z), nz) {
        for j in range(p.y.min(q.y).min(r.y), p.y.max(q.y).max(r.y), ny) {
            let (y, z) = (j as f64, k as f64);
            let sides = [is_left(a, b, voxels, y, z), is_left(b, c, voxels, y, z), is_left(c, a, voxels, y, z)];
            if sides[0] != sides[1] || sides[1] != sides[2] {
                continue;
            }
            let on_plane = p.x - ((y - p.y) * normal.y + (z - p.z) * normal.z) / normal.x;
            let x = if on_plane.is_finite() { on_plane } else { p.x };
            crossings.push((j + ny * k, x.clamp(p.x.min(q.x).min(r.x), p.x.max(q.x).max(r.x))));
        }
    }
}

/// The surface with its holes closed.
fn capped(surface: &Surface) -> Result<Surface> {
    let open = surface.open_edges();
    if open.is_empty() {
        return Ok(surface.clone());
    }
    // Around a hole, edges are walked against the way their triangles go, where these turn the same way.
    let mut at: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (a, b) in open {
        at.entry(a).or_default().push(b);
        at.entry(b).or_default().push(a);
    }
    if at.values().any(|n| n.len() % 2 == 1) {
        return Err(Error::degenerate("edges of the mesh meet three or more triangles; it has no inside"));
    }
    let (mut vertices, mut triangles) = (surface.vertices().to_vec(), surface.triangles().to_vec());
    while let Some((&start, _)) = at.iter().find(|(_, n)| !n.is_empty()) {
        let mut walk = vec![start];
        let mut from = start;
        while let Some(to) = at.get_mut(&from).and_then(Vec::pop) {
            if let Some(back) = at.get_mut(&to)
                && let Some(i) = back.iter().position(|v| *v == from)
            {
                back.swap_remove(i);
            }
            walk.push(to);
            from = to;
        }
        at.retain(|_, n| !n.is_empty());
        let middle = walk[1..].iter().map(|v| vertices[*v as usize]).sum::<DVec3>() / (walk.len() - 1).max(1) as f64;
        let hub = vertices.len() as u32;
        vertices.push(middle);
        triangles.extend(walk.windows(2).map(|w| [w[1], w[0], hub]));
    }
    Surface::new(surface.name.clone(), vertices, triangles)
}

/// A grid around a mesh along the patient's axes: cubes, 128 along the longest side.
pub fn grid_of_surface(surface: &Surface) -> Result<Grid> {
    let all = surface.vertices();
    let low = all.iter().fold(DVec3::INFINITY, |a, b| a.min(*b));
    let high = all.iter().fold(DVec3::NEG_INFINITY, |a, b| a.max(*b));
    let step = (high - low).max_element() / OWN_VOXELS;
    if !(step.is_finite() && step > 0.0) {
        return Err(Error::degenerate("the mesh has no size"));
    }
    let size = ((high - low) / step + 4.0).to_array().map(|n| n as usize);
    let translation = low - DVec3::splat(1.5 * step);
    Grid::new(size, DAffine3 { translation, ..DAffine3::from_scale(DVec3::splat(step)) })
}

#[cfg(test)]
mod tests {
    use super::super::surface_of_mask;
    use super::*;
    use std::f64::consts::{PI, TAU};

    /// A ring around z of n × n facets; a ball for `ring` 0 would have poles.
    fn ring(n: u32, ring: f64, tube: f64) -> Surface {
        let point = |i: u32, j: u32| {
            let (u, v) = (TAU * f64::from(i) / f64::from(n), TAU * f64::from(j) / f64::from(n));
            let r = ring + tube * v.cos();
            DVec3::new(r * u.cos() + 11.0, r * u.sin() - 7.0, tube * v.sin() + 3.0)
        };
        let vertices = (0..n * n).map(|v| point(v / n, v % n)).collect();
        let at = |i: u32, j: u32| i % n * n + j % n;
        let faces = (0..n * n).flat_map(|v| {
            let (i, j) = (v / n, v % n);
            [[at(i, j), at(i + 1, j), at(i + 1, j + 1)], [at(i, j), at(i + 1, j + 1), at(i, j + 1)]]
        });
        Surface::new("ring", vertices, faces.collect()).unwrap()
    }

    #[test]
    fn a_ring_has_its_volume_as_mesh_and_as_voxels() {
        let (mesh, exact) = (ring(160, 30.0, 10.0), 2.0 * PI * PI * 30.0 * 100.0);
        assert!((mesh.volume_mm3() / exact - 1.0).abs() < 1e-3 && mesh.open_edges().is_empty());
        let grid = grid_of_surface(&mesh).unwrap();
        let (labels, n_open) = fill_surface(&mesh, &grid, 3, &Progress::none()).unwrap();
        let volume = labels.count(0, 3) as f64 * grid.voxel_mm3();
        assert!(n_open == 0 && (volume / mesh.volume_mm3() - 1.0).abs() < 5e-3, "{volume} {exact}");
    }

    #[test]
    fn the_surface_of_a_mask_gives_the_mask_back() {
        let place = DAffine3 { translation: DVec3::new(-3.0, 8.0, 1.0), ..DAffine3::from_scale(DVec3::new(1.5, -2.0, 7.0)) };
        let grid = Grid::new([13, 11, 9], place).unwrap();
        for seed in 1..30_u64 {
            let mask: Vec<bool> = (0..grid.n_voxels() as u64).map(|i| (i * i * seed + i / 7 * seed) % 5 < 2).collect();
            let mesh = surface_of_mask("m", &grid, &mask, &Progress::none()).unwrap();
            let (labels, n_open) = fill_surface(&mesh, &grid, 1, &Progress::none()).unwrap();
            let wrong = labels.phases[0].iter().zip(&mask).filter(|(v, m)| (**v == 1) != **m).count();
            assert_eq!((wrong, n_open), (0, 0), "seed {seed}");
        }
    }

    #[test]
    fn holes_are_closed_and_said() {
        let whole = ring(80, 30.0, 10.0);
        // A quarter of the tube missing leaves two round holes.
        let kept = whole.triangles().iter().copied().filter(|t| t.iter().all(|v| v / 80 < 60 && v / 80 > 0)).collect();
        let open = Surface::new("o", whole.vertices().to_vec(), kept).unwrap();
        let grid = grid_of_surface(&whole).unwrap();
        let (labels, n_open) = fill_surface(&open, &grid, 1, &Progress::none()).unwrap();
        let volume = labels.count(0, 1) as f64 * grid.voxel_mm3();
        let exact = whole.volume_mm3() * 58.0 / 80.0;
        assert!(n_open == 160 && (volume / exact - 1.0).abs() < 0.01, "{n_open} {volume} {exact}");
    }

    #[test]
    fn a_mesh_elsewhere_is_refused() {
        let grid = Grid::new([4, 4, 4], DAffine3::from_translation(DVec3::splat(500.0))).unwrap();
        assert!(matches!(fill_surface(&ring(20, 30.0, 10.0), &grid, 1, &Progress::none()), Err(Error::Degenerate(_))));
    }
}
