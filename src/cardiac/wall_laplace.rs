//! Field lines between the outlines of a wall: Laplace's equation with 0 on the inner and 1 on the outer
//! outline (Jones et al. 2000), solved by linear finite elements on a mesh of rays.

use super::outline::{N_POINTS, Outlines, direction, rays};
use super::wall_methods::Line;
use crate::space::DVec2;
use std::f64::consts::TAU;

/// Layers of the mesh from inner to outer outline.
const N_LAYERS: usize = 14;
/// Steps of a field line per thickness of its ray.
const STEPS: f64 = 30.0;

struct Mesh {
    /// Inner and outer radius of each ray.
    rays: Vec<[f64; 2]>,
    /// By ray, then layer.
    nodes: Vec<DVec2>,
    /// Sparse rows: neighbors and weights; the diagonal is in `diagonal`.
    rows: Vec<Vec<(usize, f64)>>,
    diagonal: Vec<f64>,
}

/// One field line per ray; none where a ray finds no wall.
pub(super) fn streamlines(outlines: &Outlines) -> Vec<Line> {
    let Some(rays) = rays(outlines, N_POINTS).into_iter().collect::<Option<Vec<_>>>() else { return Vec::new() };
    let mesh = Mesh::new(rays);
    let field = mesh.gradients(&mesh.solve());
    let n = mesh.rays.len();
    let line = |k: usize| {
        let start = direction(k, n) * mesh.rays[k][0];
        let [before, after] = [(k + n - 1) % n, (k + 1) % n].map(|j| direction(j, n) * mesh.rays[j][0]);
        let (end, length) = mesh.follow(&field, start, (mesh.rays[k][1] - mesh.rays[k][0]) / STEPS)?;
        Some((start, end, length, 0.5 * before.distance(after)))
    };
    (0..n).filter_map(line).collect()
}

impl Mesh {
    fn new(rays: Vec<[f64; 2]>) -> Self {
        let n = rays.len();
        let node = |k: usize, j: usize| {
            let [inner, outer] = rays[k];
            direction(k, n) * (inner + (outer - inner) * j as f64 / N_LAYERS as f64)
        };
        let nodes: Vec<DVec2> = (0..n).flat_map(|k| (0..=N_LAYERS).map(move |j| (k, j))).map(|(k, j)| node(k, j)).collect();
        let mut mesh = Self { rays, rows: vec![Vec::new(); nodes.len()], diagonal: vec![0.0; nodes.len()], nodes };
        for k in 0..n {
            for j in 0..N_LAYERS {
                let [a, b] = [k * (N_LAYERS + 1) + j, (k + 1) % n * (N_LAYERS + 1) + j];
                // Both ways of cutting each quadrangle, at half weight, so that none is preferred.
                for triangle in [[a, b, b + 1], [a, b + 1, a + 1], [a, b, a + 1], [b, b + 1, a + 1]] {
                    mesh.add(triangle);
                }
            }
        }
        mesh
    }

    /// Adds the stiffness of a triangle: cotangents of its angles.
    fn add(&mut self, triangle: [usize; 3]) {
        for c in 0..3 {
            let [i, j, at] = [triangle[(c + 1) % 3], triangle[(c + 2) % 3], triangle[c]];
            let (u, v) = (self.nodes[i] - self.nodes[at], self.nodes[j] - self.nodes[at]);
            let weight = 0.25 * u.dot(v) / u.perp_dot(v).abs().max(1e-12);
            for (from, to) in [(i, j), (j, i)] {
                self.rows[from].push((to, weight));
                self.diagonal[from] += weight;
            }
        }
    }

    fn is_fixed(index: usize) -> bool {
        matches!(index % (N_LAYERS + 1), 0 | N_LAYERS)
    }

    /// Conjugate gradients with the diagonal as preconditioner.
    fn solve(&self) -> Vec<f64> {
        let mut x: Vec<f64> = (0..self.nodes.len()).map(|i| (i % (N_LAYERS + 1)) as f64 / N_LAYERS as f64).collect();
        let times = |v: &[f64], i: usize| self.diagonal[i] * v[i] - self.rows[i].iter().map(|(j, w)| w * v[*j]).sum::<f64>();
        let free = |i: usize| !Self::is_fixed(i);
        let mut r: Vec<f64> = (0..x.len()).map(|i| if free(i) { -times(&x, i) } else { 0.0 }).collect();
        let precondition = |r: &[f64]| r.iter().zip(&self.diagonal).map(|(r, d)| r / d).collect::<Vec<f64>>();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut z = precondition(&r);
        let (mut p, mut rz) = (z.clone(), dot(&r, &z));
        let first = rz;
        for _ in 0..400 {
            if rz <= 1e-20 * first || rz <= 0.0 {
                break;
            }
            let ap: Vec<f64> = (0..x.len()).map(|i| if free(i) { times(&p, i) } else { 0.0 }).collect();
            let step = rz / dot(&p, &ap);
            for i in 0..x.len() {
                x[i] += step * p[i];
                r[i] -= step * ap[i];
            }
            z = precondition(&r);
            let now = dot(&r, &z);
            let beta = now / rz;
            p.iter_mut().zip(&z).for_each(|(p, z)| *p = z + beta * *p);
            rz = now;
        }
        x
    }

    /// Direction of the gradient at every node, by differences along layers and rays.
    fn gradients(&self, x: &[f64]) -> Vec<DVec2> {
        let (n, m) = (self.rays.len(), N_LAYERS + 1);
        let at = |i: usize| {
            let (k, j) = (i / m, i % m);
            let [left, right] = [(k + n - 1) % n * m + j, (k + 1) % n * m + j];
            let [low, high] = [i - usize::from(j > 0), i + usize::from(j < N_LAYERS)];
            let (u, du) = (self.nodes[right] - self.nodes[left], x[right] - x[left]);
            let (v, dv) = (self.nodes[high] - self.nodes[low], slope(x, i, j, low, high));
            // The gradient g with g·u = du and g·v = dv.
            let det = u.perp_dot(v);
            DVec2::new(du * v.y - dv * u.y, dv * u.x - du * v.x) / if det.abs() > 1e-12 { det } else { 1e-12 }
        };
        (0..x.len()).map(at).collect()
    }

    /// End and length of the field line from a point of the inner outline.
    fn follow(&self, field: &[DVec2], start: DVec2, step: f64) -> Option<(DVec2, f64)> {
        let (mut p, mut length) = (start, 0.0);
        for _ in 0..(20.0 * STEPS) as usize {
            let half = p + self.direction_at(field, p)? * (0.5 * step);
            let next = p + self.direction_at(field, half)? * step;
            let depth = self.depth(next);
            if depth >= 1.0 {
                let before = self.depth(p);
                let t = ((1.0 - before) / (depth - before)).clamp(0.0, 1.0);
                return Some((p.lerp(next, t), length + t * step));
            }
            p = next;
            length += step;
        }
        None
    }

    /// Ray, share of the way to the next, and share of the way from inner to outer outline.
    fn place(&self, p: DVec2) -> (usize, f64, f64) {
        let n = self.rays.len();
        let turn = (p.y.atan2(p.x) / TAU * n as f64 - 0.5).rem_euclid(n as f64);
        let k = (turn as usize).min(n - 1);
        let t = turn - k as f64;
        // Between two rays the outline is their chord.
        let radius = |side: usize| {
            let [a, b] = [k, (k + 1) % n].map(|r| direction(r, n) * self.rays[r][side]);
            let along = p.normalize_or_zero();
            let cut = along.perp_dot(b - a);
            if cut.abs() > 1e-12 { a.perp_dot(b - a) / cut } else { a.length() }
        };
        let (inner, outer) = (radius(0), radius(1));
        (k, t, (p.length() - inner) / (outer - inner))
    }

    fn depth(&self, p: DVec2) -> f64 {
        self.place(p).2
    }

    fn direction_at(&self, field: &[DVec2], p: DVec2) -> Option<DVec2> {
        let (k, t, depth) = self.place(p);
        let layer = (depth * N_LAYERS as f64).clamp(0.0, N_LAYERS as f64);
        let j = (layer as usize).min(N_LAYERS - 1);
        let s = layer - j as f64;
        let at = |k: usize| {
            let i = k % self.rays.len() * (N_LAYERS + 1) + j;
            field[i].lerp(field[i + 1], s)
        };
        at(k).lerp(at(k + 1), t).try_normalize()
    }
}

/// Rise over one step of the layers; at the outlines extrapolated from the two nearest steps.
fn slope(x: &[f64], i: usize, j: usize, low: usize, high: usize) -> f64 {
    match j {
        0 => 1.5 * (x[high] - x[low]) - 0.5 * (x[i + 2] - x[i + 1]),
        N_LAYERS => 1.5 * (x[high] - x[low]) - 0.5 * (x[i - 1] - x[i - 2]),
        _ => x[high] - x[low],
    }
}
