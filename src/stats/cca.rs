//! Canonical correlation of two tables, plain or ridge, with a permutation test that whitens once.

use super::thin_svd;
use crate::base::{Error, Result};

/// Directions of a table below this share of its largest singular value are not used without a ridge.
const RANK_LEVEL: f64 = 1e-10;

/// A table seen along its own directions, scaled so that the (regularized) covariance is the identity.
#[derive(Clone, Debug)]
struct Whitened {
    rank: usize,
    /// n × rank; divided by √(n − 1), so that products of two such tables are cross-covariances.
    scores: Vec<f64>,
    /// p × rank: from a feature's weight to a direction.
    weights: Vec<f64>,
}

/// Canonical correlation of `x` (n × p) and `y` (n × q), columns centered.
#[derive(Clone, Debug)]
pub struct Cca {
    /// Number of samples.
    pub n: usize,
    /// Singular values of the whitened cross-covariance, largest first: the canonical correlations where
    /// the ridge is 0; with a ridge they are *not* correlations of the scores.
    pub singular: Vec<f64>,
    /// p × k and q × k weights of the centered features; `(1 − r) wᵀSw + r wᵀw = 1`.
    pub weights: [Vec<f64>; 2],
    n_features: [usize; 2],
    /// Whitened scores turned so that the first k columns are the canonical variables; the others complete
    /// the larger side (n × rank each).
    turned: [Vec<f64>; 2],
    ranks: [usize; 2],
}

impl Cca {
    /// Fits centered columns. `ridge` r in [0, 1] replaces each covariance S by `(1 − r) S + r I` (Vinod
    /// 1976, in the convex form). Signs are fixed: the largest weight of `x` in each pair is positive.
    /// Costs O(n p² + n q² + p q min(p, q)).
    ///
    /// # Errors
    /// [`Error::Parameter`] for sizes or a ridge out of range; [`Error::Degenerate`] for fewer than 3
    /// samples or a table that does not vary.
    pub fn fit(n: usize, x: &[f64], y: &[f64], ridge: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&ridge) {
            return Err(Error::parameter(format!("ridge {ridge}: a number from 0 (none) to 1 was expected")));
        }
        if n < 3 || !x.len().is_multiple_of(n) || !y.len().is_multiple_of(n) || x.is_empty() || y.is_empty() {
            return Err(Error::degenerate(format!(
                "canonical correlation of {n} samples: at least 3 samples and a feature on each side"
            )));
        }
        let sides = [whiten(n, x, ridge)?, whiten(n, y, ridge)?];
        let [rx, ry] = [sides[0].rank, sides[1].rank];
        let cross = product(n, &sides[0].scores, rx, &sides[1].scores, ry, |i| i);
        let svd = thin_svd(rx, ry, &cross)?;
        let k = rx.min(ry);
        let mut turns = [complete(&svd.u, rx, k), complete(&svd.v, ry, k)];
        let n_features = [x.len() / n, y.len() / n];
        let mut weights: Vec<Vec<f64>> = Vec::new();
        for (side, turn) in sides.iter().zip(&turns) {
            weights.push(multiply(&side.weights, side.rank, turn, side.rank, k));
        }
        for pair in 0..k {
            let column = || weights[0].iter().skip(pair).step_by(k);
            let largest = column().fold(0.0f64, |a, w| if w.abs() > a.abs() * (1.0 + 1e-9) { *w } else { a });
            if largest < 0.0 {
                weights.iter_mut().for_each(|w| w.iter_mut().skip(pair).step_by(k).for_each(|w| *w = -*w));
                turns.iter_mut().zip([rx, ry]).for_each(|(t, r)| t.iter_mut().skip(pair).step_by(r).for_each(|t| *t = -*t));
            }
        }
        let turned = [0, 1].map(|s| multiply(&sides[s].scores, sides[s].rank, &turns[s], sides[s].rank, sides[s].rank));
        let [wx, wy] = [std::mem::take(&mut weights[0]), std::mem::take(&mut weights[1])];
        Ok(Self { n, singular: svd.s, weights: [wx, wy], n_features, turned, ranks: [rx, ry] })
    }

    /// Number of pairs.
    #[must_use]
    pub fn n_pairs(&self) -> usize {
        self.singular.len()
    }

    /// Scores of one side (0 is `x`) for rows of centered features: rows × pairs.
    #[must_use]
    pub fn scores(&self, side: usize, centered: &[f64]) -> Vec<f64> {
        multiply(centered, self.n_features[side], &self.weights[side], self.n_features[side], self.n_pairs())
    }

    /// Whitened canonical variables of a side, n × [`Self::rank`]; their products are what the nulls redraw.
    #[must_use]
    pub fn variables(&self, side: usize) -> &[f64] {
        &self.turned[side]
    }

    /// Columns of [`Self::variables`].
    #[must_use]
    pub fn rank(&self, side: usize) -> usize {
        self.ranks[side]
    }

    /// The largest singular value of each pair's problem when the rows of `y` are taken in another order:
    /// for pair k, after the k − 1 earlier variables of both sides are removed (Winkler et al. 2020). Ask
    /// for the first `n_pairs`. Costs O(n p q + p³) per order.
    #[must_use]
    pub fn permuted(&self, order: &[usize], n_pairs: usize) -> Vec<f64> {
        let [rx, ry] = self.ranks;
        nested_largest(&product(self.n, &self.turned[0], rx, &self.turned[1], ry, |i| order[i]), rx, ry, n_pairs)
    }
}

/// Largest singular value of the trailing blocks `m[k.., k..]` of an r × c matrix, k = 0, 1, ….
#[must_use]
pub fn nested_largest(m: &[f64], r: usize, c: usize, n_pairs: usize) -> Vec<f64> {
    // The Gram matrix of the shorter side, as a sum that loses one row and column of `m` at a time.
    (0..n_pairs.min(r).min(c))
        .map(|k| {
            let (rows, columns) = (r - k, c - k);
            let size = rows.min(columns);
            let entry = |i: usize, j: usize| m[(i + k) * c + j + k];
            let mut gram = vec![0.0; size * size];
            for i in 0..size {
                for j in 0..=i {
                    let sum: f64 = if rows <= columns {
                        m[(i + k) * c + k..(i + k + 1) * c]
                            .iter()
                            .zip(&m[(j + k) * c + k..(j + k + 1) * c])
                            .map(|(a, b)| a * b)
                            .sum()
                    } else {
                        (0..rows).map(|t| entry(t, i) * entry(t, j)).sum()
                    };
                    gram[i * size + j] = sum;
                    gram[j * size + i] = sum;
                }
            }
            largest_eigenvalue(&mut gram, size).max(0.0).sqrt()
        })
        .collect()
}

/// Largest eigenvalue of a symmetric matrix: Householder reflections to three diagonals, then bisection
/// with Sturm counts (Golub and Van Loan, 8.3 and 8.4). Destroys its input.
fn largest_eigenvalue(a: &mut [f64], n: usize) -> f64 {
    let mut off = vec![0.0; n];
    let mut v = vec![0.0; n];
    let mut p = vec![0.0; n];
    for k in 0..n.saturating_sub(2) {
        let norm = (k + 1..n).map(|i| a[i * n + k] * a[i * n + k]).sum::<f64>().sqrt();
        let head = a[(k + 1) * n + k];
        let alpha = if head > 0.0 { -norm } else { norm };
        off[k] = alpha;
        let length = norm * (norm + head.abs());
        if length <= 0.0 {
            continue;
        }
        (k + 1..n).for_each(|i| v[i] = a[i * n + k]);
        v[k + 1] -= alpha;
        for i in k + 1..n {
            p[i] = a[i * n + k + 1..(i + 1) * n].iter().zip(&v[k + 1..]).map(|(a, v)| a * v).sum::<f64>() / length;
        }
        let half = (k + 1..n).map(|i| p[i] * v[i]).sum::<f64>() / (2.0 * length);
        (k + 1..n).for_each(|i| p[i] -= half * v[i]);
        for i in k + 1..n {
            let (vi, pi) = (v[i], p[i]);
            a[i * n + k + 1..(i + 1) * n]
                .iter_mut()
                .zip(v[k + 1..].iter().zip(&p[k + 1..]))
                .for_each(|(a, (v, p))| *a -= vi * p + pi * v);
        }
    }
    if n >= 2 {
        off[n - 2] = a[(n - 1) * n + n - 2];
    }
    let diagonal: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for i in 0..n {
        let around = off[i].abs() + if i > 0 { off[i - 1].abs() } else { 0.0 };
        low = low.max(diagonal[i]);
        high = high.max(diagonal[i] + around);
    }
    while high - low > 1e-13 * high.abs() {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if has_above(&diagonal, &off, middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Whether a symmetric three-diagonal matrix has an eigenvalue above a level.
fn has_above(diagonal: &[f64], off: &[f64], level: f64) -> bool {
    let mut q = diagonal[0] - level;
    for i in 1..diagonal.len() {
        if q > 0.0 {
            return true;
        }
        let safe = if q == 0.0 { -f64::MIN_POSITIVE.sqrt() } else { q };
        q = diagonal[i] - level - off[i - 1] * off[i - 1] / safe;
    }
    q > 0.0
}

fn whiten(n: usize, centered: &[f64], ridge: f64) -> Result<Whitened> {
    let p = centered.len() / n;
    let svd = thin_svd(n, p, centered)?;
    let k = svd.s.len();
    let first = svd.s.first().copied().unwrap_or(0.0);
    let rank = svd.s.iter().filter(|s| **s > first * RANK_LEVEL && **s > 0.0).count();
    if rank == 0 {
        return Err(Error::degenerate(format!("a view of {n} samples × {p} features does not vary")));
    }
    let freedom = (n - 1) as f64;
    let spread: Vec<f64> = svd.s[..rank].iter().map(|s| ((1.0 - ridge) * s * s / freedom + ridge).sqrt()).collect();
    let scale = |j: usize| svd.s[j] / spread[j] / freedom.sqrt();
    let scores = (0..n * rank).map(|t| svd.u[t / rank * k + t % rank] * scale(t % rank)).collect();
    let weights = (0..p * rank).map(|t| svd.v[t / rank * k + t % rank] / spread[t % rank]).collect();
    Ok(Whitened { rank, scores, weights })
}

/// `aᵀ b` where row `i` of `a` meets row `order(i)` of `b`.
#[must_use]
pub(super) fn product(n: usize, a: &[f64], p: usize, b: &[f64], q: usize, order: impl Fn(usize) -> usize) -> Vec<f64> {
    let mut out = vec![0.0; p * q];
    for i in 0..n {
        let row = &b[order(i) * q..(order(i) + 1) * q];
        for (a, out) in a[i * p..(i + 1) * p].iter().zip(out.chunks_exact_mut(q)) {
            out.iter_mut().zip(row).for_each(|(o, b)| *o += a * b);
        }
    }
    out
}

/// The first `k` columns of `a · b`, `a` rows × m, `b` m × `width`.
pub(super) fn multiply(a: &[f64], m: usize, b: &[f64], b_rows: usize, k: usize) -> Vec<f64> {
    let width = b.len() / b_rows.max(1);
    let mut out = vec![0.0; a.len() / m.max(1) * k];
    for (row, out) in a.chunks_exact(m).zip(out.chunks_exact_mut(k)) {
        for (t, a) in row.iter().enumerate() {
            out.iter_mut().zip(&b[t * width..]).for_each(|(o, b)| *o += a * b);
        }
    }
    out
}

/// An orthogonal m × m matrix whose first `k` columns are given: each further one is the unit vector least
/// explained so far, made orthogonal.
pub(super) fn complete(columns: &[f64], m: usize, k: usize) -> Vec<f64> {
    let mut all: Vec<Vec<f64>> = (0..k).map(|j| columns.iter().skip(j).step_by(k).copied().collect()).collect();
    while all.len() < m {
        let rest = |axis: usize| 1.0 - all.iter().map(|c| c[axis] * c[axis]).sum::<f64>();
        let axis = (0..m).max_by(|&a, &b| rest(a).total_cmp(&rest(b)).then(b.cmp(&a))).unwrap_or(0);
        let mut new: Vec<f64> = (0..m).map(|i| f64::from(u8::from(i == axis))).collect();
        for _ in 0..2 {
            for c in &all {
                let dot: f64 = c.iter().zip(&new).map(|(a, b)| a * b).sum();
                new.iter_mut().zip(c).for_each(|(v, c)| *v -= dot * c);
            }
        }
        let norm = new.iter().map(|v| v * v).sum::<f64>().sqrt();
        new.iter_mut().for_each(|v| *v /= norm);
        all.push(new);
    }
    (0..m * m).map(|t| all[t % m][t / m]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Stream, pearson};

    fn golden(name: &str) -> Vec<Vec<f64>> {
        let text = include_str!("../../tests/golden/stats.json");
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let row = |v: &serde_json::Value| {
            v.as_array().map_or_else(Vec::new, |a| a.iter().filter_map(serde_json::Value::as_f64).collect())
        };
        let all = json[name].as_array().unwrap();
        if all[0].is_array() { all.iter().map(row).collect() } else { vec![row(&json[name])] }
    }

    fn centered(rows: &[Vec<f64>]) -> Vec<f64> {
        let n = rows.len() as f64;
        let means: Vec<f64> = (0..rows[0].len()).map(|j| rows.iter().map(|r| r[j]).sum::<f64>() / n).collect();
        rows.iter().flat_map(|r| r.iter().zip(&means).map(|(v, m)| v - m).collect::<Vec<_>>()).collect()
    }

    fn noise(n: usize, p: usize, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, 0);
        centered(&(0..n).map(|_| (0..p).map(|_| stream.normal()).collect()).collect::<Vec<_>>())
    }

    #[test]
    fn golden_correlations_with_and_without_ridge() {
        let (x, y) = (centered(&golden("cca_X")), centered(&golden("cca_Y")));
        for (ridge, name, tolerance) in [(0.0, "cca_rho", 1e-10), (0.1, "rcca_rho_0.1", 1e-10), (0.0, "cca_sklearn_rho", 1e-6)] {
            let fit = Cca::fit(40, &x, &y, ridge).unwrap();
            for (got, want) in fit.singular.iter().zip(&golden(name)[0]) {
                assert!((got - want).abs() < tolerance, "{name}: {got} {want}");
            }
        }
        let fit = Cca::fit(40, &x, &y, 0.0).unwrap();
        let (u, v) = (fit.scores(0, &x), fit.scores(1, &y));
        for pair in 0..4 {
            let take = |s: &[f64]| s.iter().skip(pair).step_by(4).copied().collect::<Vec<_>>();
            assert!((pearson(&take(&u), &take(&v)) - fit.singular[pair]).abs() < 1e-10);
            let largest = (0..5).map(|j| fit.weights[0][j * 4 + pair]).fold(0.0f64, |a, w| if w.abs() > a.abs() { w } else { a });
            assert!(largest > 0.0);
            assert!((take(&u).iter().map(|v| v * v).sum::<f64>() / 39.0 - 1.0).abs() < 1e-10, "unit variance");
        }
    }

    #[test]
    fn an_order_is_the_fit_of_that_order() {
        let (n, p, q) = (30, 4, 6);
        let (x, y) = (noise(n, p, 1), noise(n, q, 2));
        for ridge in [0.0, 0.3] {
            let fit = Cca::fit(n, &x, &y, ridge).unwrap();
            let unmoved: Vec<usize> = (0..n).collect();
            for (got, want) in fit.permuted(&unmoved, 4).iter().zip(&fit.singular) {
                assert!((got - want).abs() < 1e-11, "{got} {want}");
            }
            let order = Stream::new(3, 0).permutation(n);
            let moved: Vec<f64> = order.iter().flat_map(|&i| y[i * q..(i + 1) * q].to_vec()).collect();
            let again = Cca::fit(n, &x, &moved, ridge).unwrap();
            let got = fit.permuted(&order, 4);
            assert!((got[0] - again.singular[0]).abs() < 1e-11);
            let flipped = Cca::fit(n, &y, &x, ridge).unwrap();
            assert!((flipped.singular[2] - fit.singular[2]).abs() < 1e-11);
        }
        // A column that repeats another changes nothing, one that is constant neither.
        let twice: Vec<f64> = x.chunks(p).flat_map(|r| [r, &[r[0] + r[1], 0.0]].concat()).collect();
        let fit = Cca::fit(n, &twice, &y, 0.0).unwrap();
        assert!((fit.singular[0] - Cca::fit(n, &x, &y, 0.0).unwrap().singular[0]).abs() < 1e-10);
        assert!(matches!(Cca::fit(n, &vec![0.0; n], &y, 0.0), Err(Error::Degenerate(_))));
        assert!(Cca::fit(n, &x, &y, 1.5).is_err());
    }

    #[test]
    fn largest_singular_values_of_blocks() {
        for (r, c, seed) in [(1, 1, 1), (3, 7, 2), (15, 15, 3), (9, 4, 4)] {
            let m = noise(r, c, seed).iter().map(|v| v + 0.1).collect::<Vec<_>>();
            for (k, got) in nested_largest(&m, r, c, 20).iter().enumerate() {
                let block: Vec<f64> = (k..r).flat_map(|i| m[i * c + k..(i + 1) * c].to_vec()).collect();
                let want = thin_svd(r - k, c - k, &block).unwrap().s[0];
                assert!((got - want).abs() < 1e-7 * want.max(1e-3), "{r}×{c} block {k}: {got} {want}");
            }
        }
    }
}
