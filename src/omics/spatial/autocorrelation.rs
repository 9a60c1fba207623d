//! Whether neighbors resemble each other: Moran's I and Geary's C of every gene, with two-sided p-values
//! under randomization and, where asked for, by permutation.

use super::graph::SpatialGraph;
use crate::base::{Error, Progress, Result};
use crate::model::Expression;
use crate::stats::{Stream, benjamini_hochberg, normal_upper};
use rayon::prelude::*;

/// One statistic of one gene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// Moran's I or Geary's C.
    pub value: f64,
    /// Distance from the expectation in standard deviations under randomization.
    pub z: f64,
    /// Two-sided, from z.
    pub p: f64,
    /// Share of permutations at least as far from the expectation, the observed one included.
    pub p_permuted: Option<f64>,
}

/// Both statistics of a gene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneAutocorrelation {
    /// Moran's I; above −1/(n − 1) where neighbors are alike.
    pub moran: Statistic,
    /// Benjamini–Hochberg over the genes that have a p-value of Moran's I.
    pub moran_q: f64,
    /// Geary's C; below 1 where neighbors are alike.
    pub geary: Statistic,
}

/// Sums over the weights that moments need.
#[derive(Clone, Debug)]
struct Weights {
    n: f64,
    /// Σ wᵢⱼ
    s0: f64,
    /// ½ Σ (wᵢⱼ + wⱼᵢ)²
    s1: f64,
    /// Σ (wᵢ. + w.ᵢ)²
    s2: f64,
    /// wᵢ. + w.ᵢ
    both: Vec<f64>,
}

impl Weights {
    fn of(graph: &SpatialGraph) -> Self {
        let n = graph.n_spots();
        let (mut s0, mut s1) = (0.0, 0.0);
        let mut both = vec![0.0; n];
        for i in 0..n {
            let (neighbors, weights) = graph.row(i);
            for (j, w) in neighbors.iter().zip(weights) {
                let (back_to, back) = graph.row(*j as usize);
                // Only the matrix itself is stored, so wⱼᵢ is looked up; Σ (w + w')² over both directions.
                let back = back_to.binary_search(&(i as u32)).map_or(0.0, |at| back[at]);
                s1 += w * w + w * back;
                s0 += w;
                both[i] += w;
                both[*j as usize] += w;
            }
        }
        Self { n: n as f64, s0, s1, s2: both.iter().map(|b| b * b).sum(), both }
    }

    fn moran(&self, products: f64, squares: f64) -> f64 {
        self.n / self.s0 * products / squares
    }

    fn geary(&self, products: f64, own: f64, squares: f64) -> f64 {
        (self.n - 1.0) / (2.0 * self.s0) * (own - 2.0 * products) / squares
    }

    /// Variance of I under randomization for values of kurtosis `b`.
    fn moran_variance(&self, b: f64) -> f64 {
        let (n, n2, s02) = (self.n, self.n * self.n, self.s0 * self.s0);
        let plain = n * ((n2 - 3.0 * n + 3.0) * self.s1 - n * self.s2 + 3.0 * s02);
        let peaked = b * ((n2 - n) * self.s1 - 2.0 * n * self.s2 + 6.0 * s02);
        (plain - peaked) / ((n - 1.0) * (n - 2.0) * (n - 3.0) * s02) - 1.0 / (n - 1.0).powi(2)
    }

    /// Variance of C under randomization for values of kurtosis `b`.
    fn geary_variance(&self, b: f64) -> f64 {
        let (n, n2, s02) = (self.n, self.n * self.n, self.s0 * self.s0);
        let first = (n - 1.0) * self.s1 * (n2 - 3.0 * n + 3.0 - (n - 1.0) * b);
        let second = 0.25 * (n - 1.0) * self.s2 * (n2 + 3.0 * n - 6.0 - (n2 - n + 2.0) * b);
        let third = s02 * (n2 - 3.0 - (n - 1.0).powi(2) * b);
        (first - second + third) / (n * (n - 2.0) * (n - 3.0) * s02)
    }
}

/// Moran's I and Geary's C of every gene (Cliff and Ord, 1981), in the order of the genes; `None` for a
/// gene with one value everywhere or with values that are not finite. Variances are those under
/// randomization; z and p are NaN below four spots. `n_permutations` (0: none) shuffles all genes alike,
/// reproducibly for a seed. Costs a look at each edge for each value that is not 0, times the permutations.
///
/// [`Error::Parameter`] where graph and table have different numbers of spots, [`Error::Degenerate`] where no
/// spot has a neighbor.
pub fn autocorrelation(
    graph: &SpatialGraph,
    expression: &Expression,
    n_permutations: usize,
    seed: u64,
    progress: &Progress,
) -> Result<Vec<Option<GeneAutocorrelation>>> {
    let n = expression.observations().len();
    if graph.n_spots() != n {
        return Err(Error::parameter(format!("a graph of {} spots for a table of {n}", graph.n_spots())));
    }
    if graph.n_edges() == 0 {
        return Err(Error::degenerate("no spot has a neighbor; take a larger radius or another kind of graph"));
    }
    let weights = Weights::of(graph);
    let shuffles: Vec<Vec<usize>> = (0..n_permutations).map(|k| Stream::new(seed, k as u64).permutation(n)).collect();
    let n_genes = expression.genes().len();
    let mut found: Vec<Option<GeneAutocorrelation>> = (0..n_genes)
        .into_par_iter()
        .map_init(
            || vec![0.0; n],
            |room, g| {
                progress.step(g as f64 / n_genes as f64, "comparing neighbors")?;
                Gene::of(expression.gene(g), room, &weights, graph)
                    .map_or(Ok(None), |gene| gene.tested(&shuffles, progress).map(Some))
            },
        )
        .collect::<Result<_>>()?;
    let p: Vec<f64> = found.iter().map(|f| f.map_or(f64::NAN, |f| f.moran.p)).collect();
    let tested: Vec<f64> = p.iter().copied().filter(|p| p.is_finite()).collect();
    let mut q = benjamini_hochberg(&tested).into_iter();
    for gene in found.iter_mut().flatten().filter(|g| g.moran.p.is_finite()) {
        gene.moran_q = q.next().unwrap_or(f64::NAN);
    }
    Ok(found)
}

/// A gene's sums.
struct Gene<'a> {
    weights: &'a Weights,
    graph: &'a SpatialGraph,
    rows: &'a [u32],
    values: &'a [f32],
    mean: f64,
    squares: f64,
    kurtosis: f64,
    moran: f64,
    geary: f64,
}

impl<'a> Gene<'a> {
    fn of(
        (rows, values): (&'a [u32], &'a [f32]),
        room: &mut [f64],
        weights: &'a Weights,
        graph: &'a SpatialGraph,
    ) -> Option<Self> {
        let n = weights.n;
        if !values.iter().all(|v| v.is_finite()) {
            return None;
        }
        let n_empty = n - rows.len() as f64;
        let first = if n_empty > 0.0 { 0.0 } else { *values.first()? };
        if values.iter().all(|v| *v == first) {
            return None;
        }
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let power = |k: i32| values.iter().map(|v| (f64::from(*v) - mean).powi(k)).sum::<f64>() + n_empty * mean.powi(k);
        let squares = power(2);
        let kurtosis = n * power(4) / (squares * squares);
        let mut gene = Self { weights, graph, rows, values, mean, squares, kurtosis, moran: 0.0, geary: 0.0 };
        (gene.moran, gene.geary) = gene.measured(room, |i| i);
        Some(gene)
    }

    /// I and C with the value of spot i moved to `place(i)`. `room` is 0 before and after.
    fn measured(&self, room: &mut [f64], place: impl Fn(usize) -> usize) -> (f64, f64) {
        let spots = || self.rows.iter().zip(self.values).map(|(r, v)| (place(*r as usize), f64::from(*v)));
        let around = |room: &[f64], i: usize| {
            let (neighbors, weights) = self.graph.row(i);
            neighbors.iter().zip(weights).map(|(j, w)| w * room[*j as usize]).sum::<f64>()
        };
        let (w, m) = (self.weights, self.mean);
        let (mut products, mut own) = (0.0, 0.0);
        // Where most values are 0, only the others are looked at, and the mean is taken off afterwards; no
        // digits are lost then, since the mean is small beside the spread.
        if self.rows.len() * 4 < room.len() {
            spots().for_each(|(i, v)| room[i] = v);
            let mut crossed = 0.0;
            for (i, v) in spots() {
                products += v * around(room, i);
                crossed += v * w.both[i];
                own += w.both[i] * v * v;
            }
            products += m * m * w.s0 - m * crossed;
            own += m * m * 2.0 * w.s0 - 2.0 * m * crossed;
            spots().for_each(|(i, _)| room[i] = 0.0);
        } else {
            room.fill(-m);
            spots().for_each(|(i, v)| room[i] = v - m);
            for i in 0..room.len() {
                products += room[i] * around(room, i);
                own += w.both[i] * room[i] * room[i];
            }
            room.fill(0.0);
        }
        (w.moran(products, self.squares), w.geary(products, own, self.squares))
    }

    fn tested(&self, shuffles: &[Vec<usize>], progress: &Progress) -> Result<GeneAutocorrelation> {
        let expected = -1.0 / (self.weights.n - 1.0);
        let mut n_beyond = [1usize; 2];
        let mut room = vec![0.0; if shuffles.is_empty() { 0 } else { self.weights.both.len() }];
        for order in shuffles {
            progress.step(0.5, "shuffling spots")?;
            let (i, c) = self.measured(&mut room, |at| order[at]);
            // Rounding must not tell equal arrangements apart.
            let beyond = |new: f64, old: f64, e: f64| usize::from((new - e).abs() >= (old - e).abs() * (1.0 - 1e-12));
            n_beyond = [n_beyond[0] + beyond(i, self.moran, expected), n_beyond[1] + beyond(c, self.geary, 1.0)];
        }
        let share = |n: usize| (!shuffles.is_empty()).then(|| n as f64 / (shuffles.len() + 1) as f64);
        let statistic = |value: f64, expected: f64, variance: f64, n: usize| {
            let z = if self.weights.n > 3.0 && variance > 0.0 { (value - expected) / variance.sqrt() } else { f64::NAN };
            Statistic { value, z, p: (2.0 * normal_upper(z.abs())).min(1.0), p_permuted: share(n) }
        };
        Ok(GeneAutocorrelation {
            moran: statistic(self.moran, expected, self.weights.moran_variance(self.kurtosis), n_beyond[0]),
            moran_q: f64::NAN,
            geary: statistic(self.geary, 1.0, self.weights.geary_variance(self.kurtosis), n_beyond[1]),
        })
    }
}
