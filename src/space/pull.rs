//! Where the pixels of a fixed picture come from in the moving one: the inverse of a warp, solved on a
//! grid that is refined until interpolation in it is as good as asked, and pixel by pixel where a warp
//! folds. Both pictures are in pixels; whole numbers are pixel centers.

use super::{DMat2, DVec2, Warp};
use crate::base::{Progress, Result};
use rayon::prelude::*;

/// Pixels per cell before the first refinement.
const FIRST_STEP: usize = 64;

/// Cells with a bad or missing corner are solved pixel by pixel where they are at most this share of all.
const FEW: f64 = 0.02;

/// Where such a rest may be left: cells of this many pixels.
const SMALL_STEP: usize = 8;

/// Points solved between two looks at the progress.
const BLOCK: usize = 1 << 15;

/// Moving positions on a regular grid over a fixed picture.
#[derive(Clone, Debug)]
pub struct PullGrid {
    warp: Warp,
    step: usize,
    n_cells: [usize; 2],
    /// Moving pixels of the vertices, x fastest; NaN where no moving point lands.
    source: Vec<DVec2>,
    /// Vertices around which interpolation misses by more than the tolerance.
    is_rough: Vec<bool>,
    /// Sign that the area of a cell must have.
    sign: f64,
    tolerance_px: f64,
}

/// Solves where every pixel of a fixed picture of `size` (columns, rows) comes from, so that
/// [`PullGrid::row`] is within `tolerance_px` moving pixels. `warp` leads from moving to fixed pixels.
/// Costs a few evaluations of the warp per vertex: for 2048² pixels and a smooth warp some 20 thousand.
pub fn pull_grid(warp: &Warp, size: [usize; 2], tolerance_px: f64, progress: &Progress) -> Result<PullGrid> {
    let mut grid = PullGrid::coarse(warp, size, tolerance_px, progress)?;
    while !grid.is_fine_enough() {
        grid = grid.refined(size, progress)?;
    }
    Ok(grid)
}

/// Equations `warp(source) = target` that are solved together.
struct Equations {
    targets: Vec<DVec2>,
    source: Vec<DVec2>,
    /// About the inverse of the derivative.
    slope: Vec<DMat2>,
}

impl Equations {
    /// Corrects all sources by `slope · miss` until they are right; what does not get there is solved one
    /// by one, and is NaN where that fails too.
    fn solve(&mut self, warp: &Warp, rounds: usize, tolerance: f64, progress: &Progress) -> Result<()> {
        let n = self.targets.len();
        for start in (0..n).step_by(BLOCK) {
            progress.step(start as f64 / n as f64, "inverting the transform")?;
            let mut open: Vec<usize> = (start..(start + BLOCK).min(n)).filter(|&i| self.source[i].is_finite()).collect();
            let mut hard: Vec<usize> = (start..(start + BLOCK).min(n)).filter(|&i| !self.source[i].is_finite()).collect();
            for round in 0..rounds {
                let points: Vec<DVec2> = open.iter().map(|&i| self.source[i]).collect();
                let mut left = Vec::new();
                for (&i, landed) in open.iter().zip(warp.apply_all(&points)) {
                    let miss = landed - self.targets[i];
                    if miss.length() <= tolerance {
                        continue;
                    }
                    self.source[i] -= self.slope[i] * miss;
                    if round + 1 < rounds && self.source[i].is_finite() { left.push(i) } else { hard.push(i) }
                }
                open = left;
            }
            self.solve_hard(warp, &hard, tolerance, progress)?;
        }
        Ok(())
    }

    fn solve_hard(&mut self, warp: &Warp, hard: &[usize], tolerance: f64, progress: &Progress) -> Result<()> {
        for part in hard.chunks(512) {
            progress.step(0.5, "inverting the transform where it bends most")?;
            let nowhere = DVec2::splat(f64::NAN);
            let found: Vec<DVec2> =
                part.par_iter().map(|&i| warp.inverse_at(self.targets[i], tolerance).unwrap_or(nowhere)).collect();
            part.iter().zip(found).for_each(|(&i, p)| self.source[i] = p);
        }
        Ok(())
    }
}

impl PullGrid {
    fn coarse(warp: &Warp, size: [usize; 2], tolerance_px: f64, progress: &Progress) -> Result<Self> {
        let linear = warp.linear_part();
        let n_cells = size.map(|n| n.saturating_sub(1).div_ceil(FIRST_STEP).max(1));
        let determinant = linear.matrix2.determinant();
        let back = if determinant.abs() < 1e-15 || !determinant.is_finite() {
            return Err(crate::base::Error::degenerate(format!(
                "the linear part of the transform has no inverse (determinant {determinant:e})"
            )));
        } else {
            linear.inverse()
        };
        let step = FIRST_STEP as f64;
        let at = |i: usize| DVec2::new((i % (n_cells[0] + 1)) as f64, (i / (n_cells[0] + 1)) as f64) * step;
        let targets: Vec<DVec2> = (0..(n_cells[0] + 1) * (n_cells[1] + 1)).map(at).collect();
        let source = targets.iter().map(|p| back.transform_point2(*p)).collect();
        let slope = vec![back.matrix2; targets.len()];
        let mut equations = Equations { targets, source, slope };
        if !matches!(warp, Warp::Affine(_)) {
            equations.solve(warp, 40, tolerance_px / 20.0, progress)?;
        }
        let n = equations.source.len();
        let is_rough = vec![!matches!(warp, Warp::Affine(_)); n];
        let sign = back.matrix2.determinant().signum();
        Ok(Self { warp: warp.clone(), step: FIRST_STEP, n_cells, source: equations.source, is_rough, sign, tolerance_px })
    }

    /// Nothing is rough, or little in small cells, or a cell is a pixel.
    fn is_fine_enough(&self) -> bool {
        let n_cells = self.n_cells[0] * self.n_cells[1];
        let n_left = (0..n_cells).filter(|&c| self.cell(c % self.n_cells[0], c / self.n_cells[0]).is_none()).count();
        n_left == 0 || self.step == 1 || (self.step <= SMALL_STEP && n_left as f64 <= FEW * n_cells as f64)
    }

    fn vertex(&self, i: usize, j: usize) -> usize {
        j * (self.n_cells[0] + 1) + i
    }

    /// The four corners of a cell that may be interpolated: (0, 0), (1, 0), (0, 1), (1, 1).
    fn cell(&self, i: usize, j: usize) -> Option<[DVec2; 4]> {
        let at = [self.vertex(i, j), self.vertex(i + 1, j), self.vertex(i, j + 1), self.vertex(i + 1, j + 1)];
        let p = at.map(|v| self.source[v]);
        let area = |a: DVec2, b: DVec2, c: DVec2| (b - a).perp_dot(c - a) * self.sign > 0.0;
        let turns = area(p[0], p[1], p[3]) && area(p[0], p[3], p[2]);
        (turns && at.iter().all(|&v| !self.is_rough[v])).then_some(p)
    }

    /// The same with cells of half the size. A vertex is rough where it lies farther from where its
    /// neighbors on both sides put it than four times what is allowed: halving a cell quarters the miss.
    fn refined(&self, size: [usize; 2], progress: &Progress) -> Result<Self> {
        let step = self.step / 2;
        let n_cells = size.map(|n| n.saturating_sub(1).div_ceil(step).max(1));
        let n_columns = n_cells[0] + 1;
        let n = n_columns * (n_cells[1] + 1);
        let mut source = Vec::with_capacity(n);
        let (mut new, mut slope) = (Vec::new(), Vec::new());
        for v in 0..n {
            let (i, j) = (v % n_columns, v / n_columns);
            source.push(self.guess(i, j));
            if i % 2 == 1 || j % 2 == 1 {
                new.push(v);
                slope.push(self.slope(i / 2, j / 2));
            }
        }
        let place = |&v: &usize| DVec2::new((v % n_columns) as f64, (v / n_columns) as f64) * step as f64;
        let targets = new.iter().map(place).collect();
        let guesses: Vec<DVec2> = new.iter().map(|&v| source[v]).collect();
        let mut equations = Equations { targets, source: guesses.clone(), slope };
        equations.solve(&self.warp, 6, self.tolerance_px / 20.0, progress)?;
        let mut is_rough = vec![false; n];
        for ((&v, guess), solved) in new.iter().zip(&guesses).zip(&equations.source) {
            source[v] = *solved;
            let miss = (*guess - *solved).length();
            is_rough[v] = miss.is_nan() || miss > 2.0 * self.tolerance_px;
        }
        Ok(Self { warp: self.warp.clone(), step, n_cells, source, is_rough, sign: self.sign, tolerance_px: self.tolerance_px })
    }

    /// What the coarser grid says of a vertex of the finer one.
    fn guess(&self, i: usize, j: usize) -> DVec2 {
        let (a, b) = (self.vertex(i / 2, j / 2), self.vertex(i.div_ceil(2), j.div_ceil(2)));
        if i % 2 == 1 && j % 2 == 1 {
            let others = self.source[self.vertex(i.div_ceil(2), j / 2)] + self.source[self.vertex(i / 2, j.div_ceil(2))];
            return (self.source[a] + self.source[b] + others) / 4.0;
        }
        self.source[a].midpoint(self.source[b])
    }

    /// Moving pixels per fixed pixel near a vertex.
    fn slope(&self, i: usize, j: usize) -> DMat2 {
        let (i, j) = (i.min(self.n_cells[0] - 1), j.min(self.n_cells[1] - 1));
        let [origin, right, below] = [(i, j), (i + 1, j), (i, j + 1)].map(|(i, j)| self.source[self.vertex(i, j)]);
        DMat2::from_cols(right - origin, below - origin) * (1.0 / self.step as f64)
    }

    /// Moving pixels of all pixels of a row; NaN where none lands. `out` is as long as the row.
    pub fn row(&self, y: usize, out: &mut [DVec2]) {
        let j = (y / self.step).min(self.n_cells[1] - 1);
        let v = (y - j * self.step) as f64 / self.step as f64;
        for (i, part) in out.chunks_mut(self.step).enumerate() {
            // A last vertex alone is the end of the cell before it.
            let (cell, first) = if i < self.n_cells[0] { (i, 0) } else { (i - 1, self.step) };
            if let Some([a, b, c, d]) = self.cell(cell, j) {
                let (left, right) = (a + (c - a) * v, b + (d - b) * v);
                let per_px = (right - left) / self.step as f64;
                part.iter_mut().enumerate().for_each(|(x, p)| *p = left + per_px * (first + x) as f64);
            } else {
                self.exact((cell * self.step + first, y), self.is_empty_cell(cell, j), part);
            }
        }
    }

    /// Whether no corner of a cell has a source, so that its inside is not looked at.
    fn is_empty_cell(&self, i: usize, j: usize) -> bool {
        [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)].iter().all(|&(i, j)| self.source[self.vertex(i, j)].is_nan())
    }

    fn exact(&self, (x, y): (usize, usize), is_empty: bool, out: &mut [DVec2]) {
        for (k, p) in out.iter_mut().enumerate() {
            let target = DVec2::new((x + k) as f64, y as f64);
            let nowhere = DVec2::splat(f64::NAN);
            *p = if is_empty { nowhere } else { self.warp.inverse_at(target, self.tolerance_px / 20.0).unwrap_or(nowhere) };
        }
    }

    /// Pixels per cell at the end.
    #[must_use]
    pub fn step_px(&self) -> usize {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine2, ThinPlate};

    fn plate(bend: f64) -> Warp {
        let at = |i: usize, a: f64, b: f64| DVec2::new((i as f64 * a).fract(), (i as f64 * b).fract());
        Warp::ThinPlate(ThinPlate {
            affine: DAffine2::from_scale_angle_translation(DVec2::new(1.05, 0.9), 0.2, DVec2::new(30.0, -14.0)),
            centers: (0..24).map(|i| at(i, 0.618_034, 0.754_878) * 300.0).collect(),
            weights: (0..24).map(|i| (at(i, 0.324_718, 0.569_84) - DVec2::splat(0.5)) * bend).collect(),
        })
    }

    fn worst(warp: &Warp, size: [usize; 2], tolerance: f64) -> (f64, usize) {
        let grid = pull_grid(warp, size, tolerance, &Progress::none()).unwrap();
        let mut row = vec![DVec2::ZERO; size[0]];
        let (mut worst, mut n_missing) = (0.0f64, 0);
        for y in (0..size[1]).step_by(7) {
            grid.row(y, &mut row);
            for (x, p) in row.iter().enumerate() {
                if p.is_nan() {
                    n_missing += 1;
                    continue;
                }
                let target = DVec2::new(x as f64, y as f64);
                let exact = warp.inverse_at(target, 1e-9).map_or(*p, |e| e);
                worst = worst.max(p.distance(exact));
            }
        }
        (worst, n_missing)
    }

    #[test]
    fn rows_are_the_inverse_to_the_tolerance() {
        for (warp, size) in [(plate(4e-5), [300, 257]), (plate(2e-5), [301, 64]), (plate(3e-5), [1, 1]), (plate(3e-5), [65, 130])]
        {
            let (miss, n_missing) = worst(&warp, size, 0.02);
            assert!(miss < 0.02 && n_missing == 0, "{size:?}: {miss} px, {n_missing} missing");
        }
        let (miss, _) = worst(&Warp::Affine(DAffine2::from_angle_translation(2.5, DVec2::new(40.0, 7.0))), [200, 90], 0.02);
        assert!(miss < 1e-9, "{miss}");
    }

    #[test]
    fn folds_have_no_source_or_a_right_one() {
        let warp = plate(2e-2);
        let size = [300, 300];
        let grid = pull_grid(&warp, size, 0.05, &Progress::none()).unwrap();
        let mut row = vec![DVec2::ZERO; size[0]];
        for y in 0..size[1] {
            grid.row(y, &mut row);
            for (x, p) in row.iter().enumerate().filter(|(_, p)| p.is_finite()) {
                let miss = warp.apply(*p).distance(DVec2::new(x as f64, y as f64));
                assert!(miss < 1.0, "({x}, {y}) comes from {p}, which lands {miss} px away");
            }
        }
    }
}
