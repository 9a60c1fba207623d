//! Surrogates of maps: random maps with the spatial pattern of the real one, against which two smooth maps
//! must prove that they belong together. Spots beside each other are no independent samples: shuffling them
//! calls two unrelated smooth maps related more than half of the time.

use super::cca::{complete, multiply, product};
use super::{PointTree, Stream};
use crate::base::{Error, Result};
use faer::Mat;
use std::collections::BTreeMap;

/// Patterns at most, and numbers that they may take together.
const MAX_PATTERNS: usize = 800;
const MAX_NUMBERS: usize = 6_000_000;

/// What surrogate maps need of a section: smooth patterns over its points, from coarse to fine.
#[derive(Clone, Debug)]
pub struct SpatialBasis {
    n: usize,
    n_patterns: usize,
    /// n × patterns, orthonormal, each of mean 0.
    patterns: Vec<f64>,
}

/// Two tables split into their parts along the patterns of a basis and the rest.
#[derive(Clone, Debug)]
pub struct SpatialParts {
    coefficients: [Vec<f64>; 2],
    rest: [Vec<f64>; 2],
    widths: [usize; 2],
    n: usize,
    n_patterns: usize,
}

impl SpatialBasis {
    /// Patterns over the points of a section, for spectral sign randomization: the singleton form of Moran
    /// spectral randomization (Wagner and Dray 2015), with cosines of rising frequency over each connected
    /// piece of tissue, made orthonormal, in place of the eigenvectors of a neighbor matrix, whose cost
    /// grows with n³. A third as many patterns as points (at most 800): they carry everything coarser than
    /// about 2 point spacings; what is finer is shuffled. Level differences between pieces are patterns too.
    /// Costs O(n m²).
    ///
    /// # Errors
    /// [`Error::Parameter`] for points that are not finite; [`Error::Degenerate`] for fewer than 12 points.
    pub fn new(points_mm: &[[f64; 2]]) -> Result<Self> {
        let n = points_mm.len();
        if points_mm.iter().flatten().any(|v| !v.is_finite()) {
            return Err(Error::parameter("a point is not finite; leave points without a position out first"));
        }
        if n < 12 {
            return Err(Error::degenerate(format!("surrogate maps need at least 12 points, there are {n}")));
        }
        let pieces = pieces(points_mm);
        let most = (n / 3).min(MAX_PATTERNS).min(MAX_NUMBERS / n).max(pieces.len());
        let mut columns: Vec<Vec<(usize, f64)>> = level_contrasts(&pieces, n);
        for piece in &pieces {
            let share = (most * piece.len() / n).min(piece.len() / 3);
            columns.extend(cosines(points_mm, piece, share));
        }
        let m = columns.len();
        let mut patterns = vec![0.0; n * m];
        for (k, column) in columns.iter().enumerate() {
            column.iter().for_each(|(i, v)| patterns[i * m + k] = *v);
        }
        Ok(Self { n, n_patterns: m, patterns })
    }

    /// Number of patterns.
    #[must_use]
    pub fn n_patterns(&self) -> usize {
        self.n_patterns
    }

    /// Splits tables of n rows (`a` n × p, `b` n × q). Costs O(n m (p + q)).
    #[must_use]
    pub fn split(&self, a: &[f64], b: &[f64]) -> SpatialParts {
        let (n, m) = (self.n, self.n_patterns);
        let widths = [a.len() / n, b.len() / n];
        let part = |table: &[f64], width: usize| {
            let coefficients = product(n, &self.patterns, m, table, width, |i| i);
            let smooth = multiply(&self.patterns, m, &coefficients, m, width);
            (coefficients, table.iter().zip(smooth).map(|(t, s)| t - s).collect::<Vec<f64>>())
        };
        let ((ca, ra), (cb, rb)) = (part(a, widths[0]), part(b, widths[1]));
        SpatialParts { coefficients: [ca, cb], rest: [ra, rb], widths, n, n_patterns: m }
    }
}

impl SpatialParts {
    /// Cross-products of the first table with a surrogate of the second that keeps its spatial pattern at
    /// every scale and the relations among its columns: each pattern's coefficients change sign together
    /// or not, the rest changes places. Costs O((n + m) p q).
    pub fn surrogate(&self, stream: &mut Stream) -> Vec<f64> {
        let [p, q] = self.widths;
        let order = stream.permutation(self.n);
        let mut out = product(self.n, &self.rest[0], p, &self.rest[1], q, |i| order[i]);
        for k in 0..self.n_patterns {
            let sign = if stream.uniform() < 0.5 { -1.0 } else { 1.0 };
            let b = &self.coefficients[1][k * q..(k + 1) * q];
            for (a, out) in self.coefficients[0][k * p..(k + 1) * p].iter().zip(out.chunks_exact_mut(q)) {
                out.iter_mut().zip(b).for_each(|(o, b)| *o += sign * a * b);
            }
        }
        out
    }
}

/// Connected pieces: points closer than three usual spacings belong together.
fn pieces(points: &[[f64; 2]]) -> Vec<Vec<usize>> {
    let link = 3.0 * spacing(points);
    if link <= 0.0 {
        return vec![(0..points.len()).collect()];
    }
    let mut cells: BTreeMap<[i64; 2], Vec<usize>> = BTreeMap::new();
    points.iter().enumerate().for_each(|(i, p)| cells.entry(p.map(|v| (v / link).floor() as i64)).or_default().push(i));
    let mut out = Vec::new();
    while let Some((first, members)) = cells.pop_first() {
        let (mut todo, mut piece) = (vec![first], members);
        while let Some([x, y]) = todo.pop() {
            for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
                let cell = [x.saturating_add(dx), y.saturating_add(dy)];
                if let Some(members) = cells.remove(&cell) {
                    piece.extend(members);
                    todo.push(cell);
                }
            }
        }
        piece.sort_unstable();
        out.push(piece);
    }
    out
}

/// Median distance to the nearest other point.
fn spacing(points: &[[f64; 2]]) -> f64 {
    let tree = PointTree::new(points);
    let mut nearest: Vec<f64> = (0..points.len()).filter_map(|i| tree.nearest_other(i)).collect();
    nearest.sort_by(f64::total_cmp);
    nearest.get(nearest.len() / 2).copied().unwrap_or(0.0)
}

/// Differences between the pieces' levels: orthonormal and of mean 0.
fn level_contrasts(pieces: &[Vec<usize>], n: usize) -> Vec<Vec<(usize, f64)>> {
    let c = pieces.len();
    let mean: Vec<f64> = pieces.iter().map(|p| (p.len() as f64 / n as f64).sqrt()).collect();
    let basis = complete(&mean, c, 1);
    let one = |k: usize| {
        let levels = pieces.iter().enumerate().map(move |(i, p)| (p, i));
        levels.flat_map(|(p, i)| p.iter().map(|&s| (s, basis[i * c + k] / (p.len() as f64).sqrt())).collect::<Vec<_>>()).collect()
    };
    (1..c).map(one).collect()
}

/// The `m` coarsest cosines over a piece's bounding box, orthonormal over its points and free of its mean.
fn cosines(points: &[[f64; 2]], piece: &[usize], m: usize) -> Vec<Vec<(usize, f64)>> {
    let bounds = [0, 1].map(|a| {
        let axis = piece.iter().map(|&i| points[i][a]);
        (axis.clone().fold(f64::INFINITY, f64::min), axis.fold(f64::NEG_INFINITY, f64::max))
    });
    let side = bounds.map(|(low, high)| (high - low).max(1e-9) * (1.0 + 1.0 / (piece.len() as f64).sqrt()));
    let most = 2 * m + 2;
    let per_axis = |a: usize| ((most as f64 * side[a] / side[1 - a]).sqrt().ceil() as usize + 2).min(most);
    let mut waves: Vec<(f64, [usize; 2])> = (0..per_axis(0))
        .flat_map(|a| (0..per_axis(1)).map(move |b| [a, b]))
        .map(|[a, b]| ((a as f64 / side[0]).powi(2) + (b as f64 / side[1]).powi(2), [a, b]))
        .collect();
    waves.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    waves.truncate(m + 1);
    let wave = |i: usize, [a, b]: [usize; 2]| {
        let angle = |axis: usize, k: usize| {
            let at = (points[piece[i]][axis] - bounds[axis].0) / side[axis]
                + 0.5 / (piece.len() as f64).sqrt() / (1.0 + 1.0 / (piece.len() as f64).sqrt());
            (std::f64::consts::PI * k as f64 * at).cos()
        };
        angle(0, a) * angle(1, b)
    };
    let columns = Mat::from_fn(piece.len(), waves.len(), |i, j| wave(i, waves[j].1));
    let q = columns.qr().compute_thin_Q();
    (1..waves.len()).map(|j| piece.iter().enumerate().map(|(i, &s)| (s, q[(i, j)])).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Cca, Exchange, nested_largest, permutation_p};

    /// White noise smoothed by a Gaussian kernel, on a lattice cut from one that is `margin` wider on all
    /// sides. Without a margin the maps fade at the edges, as those of `golden/gen4.py` do.
    fn maps([side, margin]: [usize; 2], length: f64, k: usize, stream: &mut Stream) -> Vec<f64> {
        let (n, wide) = (side * side, side + 2 * margin);
        let kernel = |d: f64| (-d * d / (2.0 * length * length)).exp();
        let mut out = vec![0.0; n * k];
        for column in 0..k {
            let noise: Vec<f64> = (0..wide * wide).map(|_| stream.normal()).collect();
            let along = |i: usize, t: usize| kernel((i + margin) as f64 - t as f64);
            let rows: Vec<f64> =
                (0..side * wide).map(|i| (0..wide).map(|t| along(i % side, t) * noise[i / side * wide + t]).sum()).collect();
            let map: Vec<f64> = (0..n).map(|i| (0..wide).map(|t| along(i / side, t) * rows[t * side + i % side]).sum()).collect();
            let mean = map.iter().sum::<f64>() / n as f64;
            map.iter().enumerate().for_each(|(i, v)| out[i * k + column] = v - mean);
        }
        out
    }

    /// Shares of runs with p < 0.05 on independent maps: by surrogates and by shuffling.
    fn errors([side, margin]: [usize; 2], length: f64, k: usize, runs: u64) -> [f64; 2] {
        let points: Vec<[f64; 2]> = (0..side * side).map(|i| [(i % side) as f64 * 0.1, (i / side) as f64 * 0.1]).collect();
        let basis = SpatialBasis::new(&points).unwrap();
        let mut found = [0.0; 2];
        for run in 0..runs {
            let stream = &mut Stream::new(77, run);
            let (x, y) = (maps([side, margin], length, k, stream), maps([side, margin], length, k, stream));
            let fit = Cca::fit(side * side, &x, &y, 0.0).unwrap();
            let parts = basis.split(fit.variables(0), fit.variables(1));
            let surrogate: Vec<f64> = (0..99).map(|_| nested_largest(&parts.surrogate(stream), k, k, 1)[0]).collect();
            let free = Exchange::free(side * side);
            let shuffled: Vec<f64> = (0..99).map(|_| fit.permuted(&free.draw(stream), 1)[0]).collect();
            for (count, null) in found.iter_mut().zip([surrogate, shuffled]) {
                *count += f64::from(u8::from(permutation_p(fit.singular[0], &null) <= 0.05)) / runs as f64;
            }
        }
        found
    }

    #[test]
    fn two_independent_smooth_maps_stay_independent() {
        let [surrogate, shuffled] = errors([10, 6], 1.5, 1, 600);
        println!("single maps: surrogates {surrogate}, shuffled {shuffled}");
        assert!(surrogate < 0.08, "{surrogate}");
        assert!(shuffled > 0.5, "{shuffled}");
        // Maps that fade at the edges, where variogram surrogates reach 9 % (`sa_type1` of the goldens).
        let [surrogate, shuffled] = errors([10, 0], 1.5, 1, 600);
        println!("fading maps: surrogates {surrogate}, shuffled {shuffled}");
        assert!(surrogate < 0.11, "{surrogate}");
        assert!(shuffled > 0.5, "{shuffled}");
        let [surrogate, shuffled] = errors([16, 6], 1.5, 3, 200);
        println!("3 × 3 maps: surrogates {surrogate}, shuffled {shuffled}");
        assert!(surrogate < 0.09, "{surrogate}");
        assert!(shuffled > 0.9, "{shuffled}");
    }

    #[test]
    fn patterns_are_orthonormal_and_of_mean_zero() {
        let mut stream = Stream::new(4, 0);
        let points: Vec<[f64; 2]> = (0..300)
            .map(|i| if i % 3 == 0 { [stream.uniform(), stream.uniform()] } else { [9.0 + stream.uniform(), stream.uniform()] })
            .collect();
        let basis = SpatialBasis::new(&points).unwrap();
        let m = basis.n_patterns();
        assert!((90..=101).contains(&m), "{m}");
        let gram = product(300, &basis.patterns, m, &basis.patterns, m, |i| i);
        for i in 0..m {
            let mean: f64 = basis.patterns.iter().skip(i).step_by(m).sum();
            assert!(mean.abs() < 1e-10);
            for j in 0..m {
                assert!((gram[i * m + j] - f64::from(u8::from(i == j))).abs() < 1e-10);
            }
        }
        assert!(SpatialBasis::new(&points[..5]).is_err());
    }
}
