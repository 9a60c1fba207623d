//! A warp as a grid of triangles, fine enough to be drawn in its place.

use super::{DVec2, Warp};
use std::collections::BTreeSet;

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
/// within `tolerance_mm` of the warp, or the finest of at most `max_cells` cells along each side. Looked
/// at are the middles of edges and cells on a 24 × 24 lattice and around all control points, where a
/// warp bends most. Cells are about square. Costs about two evaluations of the warp per vertex; while a
/// landmark is dragged, `max_cells` 96 keeps that near 5 ms at 64 pairs on two cores.
#[must_use]
pub fn warp_mesh(warp: &Warp, bounds: [DVec2; 2], tolerance_mm: f64, max_cells: usize) -> Mesh {
    let max_cells = max_cells.max(1);
    let size = (bounds[1] - bounds[0]).abs().max(DVec2::splat(f64::MIN_POSITIVE));
    let shape = |along: usize| {
        let share = |side: f64| ((along as f64 * side / size.max_element()).ceil() as usize).clamp(1, max_cells);
        [share(size.x), share(size.y)]
    };
    let bent = bent_places(warp);
    let mut along = if matches!(warp, Warp::Affine(_)) { 1 } else { 24.min(max_cells) };
    loop {
        let lattice =
            Lattice { from: bounds[0], size: bounds[1] - bounds[0], n_cells: if along == 1 { [1, 1] } else { shape(along) } };
        let error_mm = lattice.error(warp, &bent);
        // Bending is uneven inside a cell, so the middles are held to three quarters of what is allowed.
        let excess = error_mm / (0.75 * tolerance_mm);
        if along == 1 || along >= max_cells || excess <= 1.0 || !excess.is_finite() {
            let source = lattice.vertices();
            let target = warp.apply_all(&source);
            return Mesh { n_cells: lattice.n_cells, source, target, error_mm };
        }
        // The error falls with the square of the cell.
        along = ((along as f64 * (excess.sqrt() * 1.05).clamp(1.2, 8.0)).ceil() as usize).min(max_cells);
    }
}

/// Where a warp bends most: at its control points, as far as they are known in source space.
fn bent_places(warp: &Warp) -> Vec<DVec2> {
    match warp {
        Warp::Affine(_) => Vec::new(),
        Warp::ThinPlate(t) => t.centers.clone(),
        Warp::MovingLeastSquares(m) => m.source.clone(),
        Warp::Chain(parts) => {
            let mut places = Vec::new();
            for part in parts.iter().rev() {
                if let Warp::Affine(a) = part {
                    let back = a.inverse();
                    places.iter_mut().for_each(|p| *p = back.transform_point2(*p));
                } else {
                    places = places.iter().filter_map(|p| part.inverse_at(*p, 1e-3).ok()).collect();
                    places.extend(bent_places(part));
                }
            }
            places
        }
    }
}

/// A regular grid of cells.
struct Lattice {
    from: DVec2,
    size: DVec2,
    n_cells: [usize; 2],
}

impl Lattice {
    /// The source point at (possibly half) cell coordinates.
    fn at(&self, x: f64, y: f64) -> DVec2 {
        self.from + self.size * DVec2::new(x / self.n_cells[0] as f64, y / self.n_cells[1] as f64)
    }

    fn vertices(&self) -> Vec<DVec2> {
        let [nx, ny] = self.n_cells;
        (0..=ny).flat_map(|j| (0..=nx).map(move |i| (i, j))).map(|(i, j)| self.at(i as f64, j as f64)).collect()
    }

    /// Largest distance between triangles and warp, in the middles of the cells that are looked at.
    fn error(&self, warp: &Warp, bent: &[DVec2]) -> f64 {
        const CHECKED: usize = 24;
        /// Four corners, then the middles of the edges and of the diagonal.
        const OFFSETS: [(f64, f64); 9] =
            [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.0), (0.5, 1.0), (0.0, 0.5), (1.0, 0.5), (0.5, 0.5)];
        let [nx, ny] = self.n_cells;
        let spread = |n: usize| (0..n.min(CHECKED)).map(move |k| (2 * k + 1) * n / (2 * n.min(CHECKED)));
        let mut cells: BTreeSet<(usize, usize)> = spread(ny).flat_map(|j| spread(nx).map(move |i| (i, j))).collect();
        for p in bent {
            let t = (*p - self.from) / self.size * DVec2::new(nx as f64, ny as f64);
            let near = [-1.0, 0.0, 1.0].map(|d| (t + DVec2::splat(d)).floor());
            for (x, y) in near.iter().flat_map(|a| near.iter().map(|b| (a.x, b.y))) {
                if x >= 0.0 && y >= 0.0 && x < nx as f64 && y < ny as f64 {
                    cells.insert((x as usize, y as usize));
                }
            }
        }
        let points: Vec<DVec2> =
            cells.iter().flat_map(|&(i, j)| OFFSETS.map(|(x, y)| self.at(i as f64 + x, j as f64 + y))).collect();
        let worst = |p: &[DVec2]| {
            [(4, 0, 1), (5, 2, 3), (6, 0, 2), (7, 1, 3), (8, 0, 3)]
                .map(|(middle, a, b)| p[middle].distance(p[a].midpoint(p[b])))
                .into_iter()
                .fold(0.0, f64::max)
        };
        warp.apply_all(&points).chunks_exact(OFFSETS.len()).map(worst).fold(0.0, f64::max)
    }
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
