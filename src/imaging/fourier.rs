//! Sums over all pairs of voxels of a box, weighted by what lies between them: by Fourier transform of a
//! box of at least twice the size, so that nothing wraps around.

use crate::base::{Limits, Progress, Result};
use rayon::prelude::*;
use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Sums over ordered pairs (i, j), i ≠ j, of voxels of a mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairSums {
    /// Σ w.
    pub weights: f64,
    /// Σ w·zᵢ·zⱼ.
    pub products: f64,
    /// Σ w·zᵢ².
    pub squares: f64,
}

/// A box and the transforms along its axes.
struct Box3 {
    size: [usize; 3],
    plans: [Arc<dyn Fft<f64>>; 3],
}

/// [`PairSums`] of values `z` (`None` outside the mask) in a box, memory index `i + nx·(j + ny·k)`, with
/// `weight` of the difference of two voxels' indices, the same for both directions; that of no difference
/// is not asked for. Exact up to rounding. Costs two transforms of a box of twice the size along each axis
/// and about 200 bytes per voxel, asked of `limits` first.
pub fn pair_sums(
    z: &[Option<f64>],
    size: [usize; 3],
    weight: impl Fn([i64; 3]) -> f64 + Sync,
    limits: &Limits,
    progress: &Progress,
) -> Result<PairSums> {
    let padded = size.map(|n| smooth_at_least(2 * n - 1));
    let [px, py, pz] = padded.map(|n| n as u64);
    limits.check("the sums over all pairs of voxels", &[px, py, pz + size[2] as u64], 16)?;
    let mut planner = FftPlanner::new();
    let cube = Box3 { size: padded, plans: padded.map(|n| planner.plan_fft_forward(n)) };
    let nx = size[0];
    let at =
        |i: usize, j: usize, k: usize| (i < nx && j < size[1] && k < size[2]).then(|| z[i + nx * (j + size[1] * k)]).flatten();
    let first = cube.planes(
        [size[1], size[2]],
        |i, j, k| at(i, j, k).map_or(Complex64::ZERO, |v| Complex64::new(v, 1.0)),
        &progress.part(0.0, 0.3),
    )?;
    let lag = |i: usize, n: usize| if 2 * i <= n { i as i64 } else { i as i64 - n as i64 };
    let second = cube.planes(
        [padded[1], padded[2]],
        |i, j, k| {
            let d = [lag(i, padded[0]), lag(j, padded[1]), lag(k, padded[2])];
            let w = if d == [0; 3] { 0.0 } else { weight(d) };
            Complex64::new(at(i, j, k).map_or(0.0, |v| v * v), w)
        },
        &progress.part(0.3, 0.7),
    )?;
    cube.sums(&first, &second, &progress.part(0.7, 1.0))
}

impl Box3 {
    /// Transforms along i and j of the first planes, of which the first rows are filled.
    fn planes(
        &self,
        [n_rows, n_planes]: [usize; 2],
        value: impl Fn(usize, usize, usize) -> Complex64 + Sync,
        progress: &Progress,
    ) -> Result<Vec<Complex64>> {
        let [nx, ny, _] = self.size;
        let mut planes = vec![Complex64::ZERO; nx * ny * n_planes];
        planes.par_chunks_mut(nx * ny).enumerate().try_for_each(|(k, plane)| {
            progress.step(k as f64 / n_planes as f64, "summing over pairs of voxels")?;
            let rows = &mut plane[..nx * n_rows];
            rows.iter_mut().enumerate().for_each(|(at, v)| *v = value(at % nx, at / nx, k));
            self.plans[0].process(rows);
            self.columns(plane);
            Ok(())
        })?;
        Ok(planes)
    }

    /// Transforms of a plane along j, some columns at a time.
    fn columns(&self, plane: &mut [Complex64]) {
        const COLUMNS: usize = 8;
        let [nx, ny, _] = self.size;
        let mut lines = vec![Complex64::ZERO; COLUMNS * ny];
        let mut scratch = vec![Complex64::ZERO; self.plans[1].get_inplace_scratch_len()];
        for start in (0..nx).step_by(COLUMNS) {
            let n = COLUMNS.min(nx - start);
            for j in 0..ny {
                (0..n).for_each(|c| lines[c * ny + j] = plane[j * nx + start + c]);
            }
            self.plans[1].process_with_scratch(&mut lines[..n * ny], &mut scratch);
            for j in 0..ny {
                (0..n).for_each(|c| plane[j * nx + start + c] = lines[c * ny + j]);
            }
        }
    }

    /// Transforms along k, line by line, and at once what they contribute: a spectrum is never kept whole.
    fn sums(&self, first: &[Complex64], second: &[Complex64], progress: &Progress) -> Result<PairSums> {
        let [_, ny, nz] = self.size;
        // Spectra at −f are conjugates: half of the rows count twice.
        let parts: Result<Vec<[f64; 3]>> = (0..=ny / 2)
            .into_par_iter()
            .map_init(
                || Lines::new(self),
                |lines, j| {
                    progress.step(2.0 * j as f64 / ny as f64, "summing over pairs of voxels")?;
                    let twice = if j == 0 || 2 * j == ny { 1.0 } else { 2.0 };
                    Ok(lines.row(self, [first, second], j).map(|v| v * twice))
                },
            )
            .collect();
        let total = parts?.iter().fold([0.0; 3], |sum, part| std::array::from_fn(|a| sum[a] + part[a]));
        let n = (self.size[0] * ny * nz) as f64;
        Ok(PairSums { weights: total[0] / n, products: total[1] / n, squares: total[2] / n })
    }
}

/// Room for a row of lines along k and their mirrors.
struct Lines {
    lines: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

/// Lines along k that are gathered together.
const GATHERED: usize = 4;

impl Lines {
    fn new(cube: &Box3) -> Self {
        let scratch = vec![Complex64::ZERO; cube.plans[2].get_inplace_scratch_len()];
        Self { lines: vec![Complex64::ZERO; GATHERED * 4 * cube.size[2]], scratch }
    }

    /// Σ over a row j of W·|M|², W·|Z|² and W·Re(Q̄·M).
    fn row(&mut self, cube: &Box3, planes: [&[Complex64]; 2], j: usize) -> [f64; 3] {
        let [nx, ny, nz] = cube.size;
        let mut sum = [0.0; 3];
        for start in (0..nx).step_by(GATHERED) {
            let n = GATHERED.min(nx - start);
            for (p, plane) in planes.iter().enumerate() {
                let n_filled = plane.len() / (nx * ny);
                for c in 0..n {
                    let there = j * nx + start + c;
                    let mirror = (ny - j) % ny * nx + (nx - start - c) % nx;
                    for (m, from) in [there, mirror].into_iter().enumerate() {
                        let line = &mut self.lines[((c * 2 + p) * 2 + m) * nz..][..nz];
                        (0..n_filled).for_each(|k| line[k] = plane[k * nx * ny + from]);
                        line[n_filled..].fill(Complex64::ZERO);
                    }
                }
            }
            cube.plans[2].process_with_scratch(&mut self.lines[..n * 4 * nz], &mut self.scratch);
            for c in 0..n {
                let at = |p: usize, m: usize| &self.lines[((c * 2 + p) * 2 + m) * nz..][..nz];
                add_line(&mut sum, [at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]);
            }
        }
        sum
    }
}

/// Separates the two real signals of each spectrum and adds their products.
fn add_line(sum: &mut [f64; 3], first: [&[Complex64]; 2], second: [&[Complex64]; 2]) {
    let nz = first[0].len();
    for k in 0..nz {
        let mirror = (nz - k) % nz;
        let (a, b) = (first[0][k], first[1][mirror].conj());
        let (c, d) = (second[0][k], second[1][mirror].conj());
        let (z, m) = ((a + b) * 0.5, (a - b) * Complex64::new(0.0, -0.5));
        let (q, w) = ((c + d) * 0.5, ((c - d) * Complex64::new(0.0, -0.5)).re);
        sum[0] += w * m.norm_sqr();
        sum[1] += w * z.norm_sqr();
        sum[2] += w * (q.re * m.re + q.im * m.im);
    }
}

/// The smallest number from `n` on whose factors are 2, 3, 5 and 7.
fn smooth_at_least(n: usize) -> usize {
    let smooth = |mut m: usize| {
        for p in [2, 3, 5, 7] {
            while m.is_multiple_of(p) {
                m /= p;
            }
        }
        m == 1
    };
    (n.max(1)..=2 * n.max(1)).find(|m| smooth(*m)).unwrap_or(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pairs_are_counted_once() {
        let size = [7, 5, 4];
        let value = |i: usize| (!(i * 7).is_multiple_of(5)).then(|| ((i * 37) % 23) as f64 - 11.0);
        let z: Vec<Option<f64>> = (0..140).map(value).collect();
        let place = |i: usize| [i % 7, i / 7 % 5, i / 35].map(|v| v as i64);
        let weight = |d: [i64; 3]| 1.0 / ((d[0] * d[0] + 2 * d[1] * d[1] + 5 * d[2] * d[2] + d[0] * d[2]) as f64).sqrt();
        let mut want = [0.0; 3];
        for (i, j) in (0..140).flat_map(|i| (0..140).map(move |j| (i, j))).filter(|(i, j)| i != j) {
            if let (Some(a), Some(b)) = (z[i], z[j]) {
                let w = weight(std::array::from_fn(|x| place(i)[x] - place(j)[x]));
                want = [want[0] + w, want[1] + w * a * b, want[2] + w * a * a];
            }
        }
        let got = pair_sums(&z, size, weight, &Limits::default(), &Progress::none()).unwrap();
        for (g, w) in [got.weights, got.products, got.squares].into_iter().zip(want) {
            assert!((g - w).abs() < 1e-9 * want[2], "{got:?} {want:?}");
        }
        let one = pair_sums(&[Some(3.0)], [1, 1, 1], weight, &Limits::default(), &Progress::none()).unwrap();
        assert_eq!(one, PairSums { weights: 0.0, products: 0.0, squares: 0.0 });
        assert!(pair_sums(&z, size, weight, &Limits { max_bytes: 1000 }, &Progress::none()).is_err());
    }

    #[test]
    fn sizes_with_small_factors() {
        assert_eq!([1, 11, 13, 215, 167].map(smooth_at_least), [1, 12, 14, 216, 168]);
    }
}
