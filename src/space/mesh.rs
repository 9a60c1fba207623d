//! A warp as a grid of triangles, fine enough to be drawn in its place.

use super::{DVec2, Warp};
use rayon::prelude::*;

/// Vertices of a regular grid over the source and where they go. Cell (i, j) is drawn as the triangles
/// (i,j) (i+1,j) (i+1,j+1) and (i,j) (i+1,j+1) (i,j+1).
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    /// Cells along x and y; there are one more vertices.
    pub n_cells: [usize; 2],
    /// Source positions in mm, x fastest.
    pub source: Vec<DVec2>,
    /// Target positions in mm, in the same order.
    pub target: Vec<DVec2>,
    /// Largest distance found between the triangles and the warp, in target mm.
    pub error_mm: f64,
}

impl Mesh {
    /// Three vertex indices per triangle.
    #[must_use]
    pub fn triangles(&self) -> Vec<u32> {
        let [nx, ny] = self.n_cells;
        let at = |i: usize, j: usize| (j * (nx + 1) + i) as u32;
        let cell = |c: usize| {
            let (i, j) = (c % nx, c / nx);
            [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j), at(i + 1, j + 1), at(i, j + 1)]
        };
        (0..nx * ny).flat_map(cell).collect()
    }

    /// The target of a source point by linear interpolation in its triangle; points outside go to the
    /// nearest edge.
    #[must_use]
    pub fn apply(&self, p: DVec2) -> DVec2 {
        let [nx, ny] = self.n_cells;
        let (Some(low), Some(high)) = (self.source.first(), self.source.last()) else { return p };
        let cells = DVec2::new(nx as f64, ny as f64);
        let t = ((p - *low) / (*high - *low) * cells).clamp(DVec2::ZERO, cells);
        let (i, j) = ((t.x as usize).min(nx - 1), (t.y as usize).min(ny - 1));
        let (x, y) = (t.x - i as f64, t.y - j as f64);
        let at = |i: usize, j: usize| self.target[j * (nx + 1) + i];
        let (start, end) = (at(i, j), at(i + 1, j + 1));
        if x >= y {
            start * (1.0 - x) + at(i + 1, j) * (x - y) + end * y
        } else {
            start * (1.0 - y) + at(i, j + 1) * (y - x) + end * x
        }
    }
}

/// A grid over `bounds` (least and greatest corner, source mm) on which linear interpolation stays
/// within `tolerance_mm` of the warp (looked at in the middles of all edges and cells), or the finest
/// of at most `max_cells` cells along each side. Cells are about square. Costs about five evaluations
/// of the warp per vertex.
#[must_use]
pub fn warp_mesh(warp: &Warp, bounds: [DVec2; 2], tolerance_mm: f64, max_cells: usize) -> Mesh {
    let max_cells = max_cells.max(1);
    let size = (bounds[1] - bounds[0]).abs().max(DVec2::splat(f64::MIN_POSITIVE));
    let shape = |along: usize| {
        let share = |side: f64| ((along as f64 * side / size.max_element()).ceil() as usize).clamp(1, max_cells);
        [share(size.x), share(size.y)]
    };
    if matches!(warp, Warp::Affine(_)) {
        return sample(warp, bounds, [1, 1]);
    }
    let mut along = 16.min(max_cells);
    loop {
        let mesh = sample(warp, bounds, shape(along));
        // Bending is uneven inside a cell, so the middles are held to three quarters of what is allowed.
        let excess = mesh.error_mm / (0.75 * tolerance_mm);
        if along >= max_cells || excess <= 1.0 || !excess.is_finite() {
            return mesh;
        }
        // The error falls with the square of the cell.
        let step = (excess.sqrt() * 1.05).clamp(1.2, 8.0);
        along = ((along as f64 * step).ceil() as usize).min(max_cells);
    }
}

/// Evaluates vertices and, between them, the middles of edges and cells.
fn sample(warp: &Warp, bounds: [DVec2; 2], n_cells: [usize; 2]) -> Mesh {
    let [nx, ny] = n_cells;
    let (columns, rows) = (2 * nx + 1, 2 * ny + 1);
    let step = (bounds[1] - bounds[0]) / DVec2::new(2.0 * nx as f64, 2.0 * ny as f64);
    let source = |k: usize| bounds[0] + step * DVec2::new((k % columns) as f64, (k / columns) as f64);
    let fine: Vec<DVec2> = (0..columns * rows).into_par_iter().with_min_len(64).map(|k| warp.apply(source(k))).collect();
    let at = |i: usize, j: usize| fine[j * columns + i];
    let mut error_mm = 0.0_f64;
    for j in 0..rows {
        for i in 0..columns {
            let (a, b) = match (i % 2, j % 2) {
                (1, 0) => (at(i - 1, j), at(i + 1, j)),
                (0, 1) => (at(i, j - 1), at(i, j + 1)),
                (1, 1) => (at(i - 1, j - 1), at(i + 1, j + 1)),
                _ => continue,
            };
            error_mm = error_mm.max(at(i, j).distance(a.midpoint(b)));
        }
    }
    let whole = (0..=ny).flat_map(|j| (0..=nx).map(move |i| 2 * j * columns + 2 * i));
    let (source, target) = whole.map(|k| (source(k), fine[k])).unzip();
    Mesh { n_cells, source, target, error_mm }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine2, ThinPlate};

    fn bent(n: usize) -> Warp {
        let at = |i: usize, a: f64, b: f64| DVec2::new((i as f64 * a).fract(), (i as f64 * b).fract());
        Warp::ThinPlate(ThinPlate {
            affine: DAffine2::from_scale_angle_translation(DVec2::new(1.0, 0.9), 0.2, DVec2::new(30.0, -4.0)),
            centers: (0..n).map(|i| at(i, 0.618_034, 0.754_878) * 6.5).collect(),
            weights: (0..n).map(|i| (at(i, 0.324_718, 0.569_84) - DVec2::splat(0.5)) * 0.01).collect(),
        })
    }

    #[test]
    fn interpolation_stays_within_the_tolerance() {
        for (n, tolerance) in [(3, 0.01), (12, 0.003), (64, 0.002)] {
            let (warp, bounds) = (bent(n), [DVec2::new(-0.5, 0.0), DVec2::new(7.0, 5.0)]);
            let mesh = warp_mesh(&warp, bounds, tolerance, 512);
            assert_eq!(mesh.source.len(), (mesh.n_cells[0] + 1) * (mesh.n_cells[1] + 1));
            assert_eq!(mesh.triangles().len(), mesh.n_cells[0] * mesh.n_cells[1] * 6);
            for k in 0..4000 {
                let t = DVec2::new((f64::from(k) * 0.618_034).fract(), (f64::from(k) * 0.754_878).fract());
                let p = bounds[0] + (bounds[1] - bounds[0]) * t;
                let miss = mesh.apply(p).distance(warp.apply(p));
                assert!(miss <= tolerance, "{n} {:?}: {miss} at {p}", mesh.n_cells);
            }
        }
    }

    #[test]
    fn affine_is_one_cell_and_the_limit_holds() {
        let bounds = [DVec2::ZERO, DVec2::new(10.0, 5.0)];
        assert_eq!(warp_mesh(&Warp::IDENTITY, bounds, 0.01, 512).n_cells, [1, 1]);
        assert_eq!(warp_mesh(&bent(12), bounds, 1e-9, 40).n_cells, [40, 20]);
    }
}
