//! What texture families count (pairs, runs, zones, dependences), how matrices of slices and directions
//! are joined, and how their features are averaged.

use super::Feature;
use super::levels::{DIRECTIONS, IN_PLANE, Levels};
use super::settings::{Aggregation, Extent};
use crate::base::{Progress, Result};
use rayon::prelude::*;
use std::ops::Range;

/// Something that parts of a region give and that can be added up.
pub(super) trait Part: Send + Sync + Sized {
    /// The sum; the order of the parts is kept.
    fn merged(parts: &[&Self]) -> Self;
}

/// A sparse matrix of counts: (row, column, how many), rows and columns from 1, in increasing order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub entries: Vec<(u32, u32, u64)>,
    /// Counted voxels of the parts, once for each matrix that was merged.
    pub n_voxels: u64,
}

impl Part for Counts {
    fn merged(parts: &[&Self]) -> Self {
        let mut all: Vec<(u32, u32, u64)> = parts.iter().flat_map(|p| &p.entries).copied().collect();
        all.sort_unstable_by_key(|e| (e.0, e.1));
        let mut entries: Vec<(u32, u32, u64)> = Vec::new();
        for (a, b, n) in all {
            match entries.last_mut() {
                Some(last) if (last.0, last.1) == (a, b) => last.2 += n,
                _ => entries.push((a, b, n)),
            }
        }
        Self { entries, n_voxels: parts.iter().map(|p| p.n_voxels).sum() }
    }
}

/// Collects [`Counts`]: in a full matrix where that is small, else as a list.
pub(super) struct Tally {
    n_columns: usize,
    full: Vec<u32>,
    list: Vec<u64>,
}

impl Tally {
    /// For rows and columns up to these, and about so many things to count.
    pub fn new(n_rows: usize, n_columns: usize, n_things: usize) -> Self {
        let n = (n_rows + 1).saturating_mul(n_columns + 1);
        let small = n <= (4 * n_things).max(1 << 12);
        Self { n_columns: n_columns + 1, full: if small { vec![0; n] } else { Vec::new() }, list: Vec::new() }
    }

    /// Counts one more.
    pub fn add(&mut self, row: usize, column: usize) {
        if self.full.is_empty() {
            self.list.push((row as u64) << 32 | column as u64);
        } else {
            self.full[row * self.n_columns + column] += 1;
        }
    }

    /// All that was counted, in `n_voxels`.
    pub fn counts(mut self, n_voxels: usize) -> Counts {
        let mut entries = Vec::new();
        for (at, n) in self.full.iter().enumerate().filter(|(_, n)| **n > 0) {
            entries.push(((at / self.n_columns) as u32, (at % self.n_columns) as u32, u64::from(*n)));
        }
        self.list.sort_unstable();
        for same in self.list.chunk_by(|a, b| a == b) {
            entries.push(((same[0] >> 32) as u32, same[0] as u32, same.len() as u64));
        }
        Counts { entries, n_voxels: n_voxels as u64 }
    }
}

/// The values of a family's features, in the order of its names; NaN where a feature has none.
pub(super) type Values = Vec<f64>;

/// Means over matrices of each feature's values, those that are none left out.
fn average(values: Vec<Option<Values>>, n: usize) -> Values {
    let mean = |f: usize| {
        let (mut sum, mut n) = (0.0, 0.0);
        for v in values.iter().flatten().map(|v| v[f]).filter(|v| v.is_finite()) {
            (sum, n) = (sum + v, n + 1.0);
        }
        sum / n
    };
    (0..n).map(mean).collect()
}

/// A family: the start of its tags, the names of its features, and their values for one matrix; `None` for
/// an empty one.
pub(super) struct Family<'a, P> {
    pub prefix: &'a str,
    pub names: &'a [&'a str],
    pub evaluate: &'a (dyn Fn(&P) -> Option<Values> + Sync),
}

impl<P> Family<'_, P> {
    fn features(&self, end: &str, values: &[f64]) -> Vec<Feature> {
        self.names.iter().zip(values).map(|(name, v)| Feature::new(&format!("{}{name}_{end}", self.prefix), *v)).collect()
    }

    fn averaged(&self, end: &str, parts: &[P]) -> Vec<Feature>
    where
        P: Part,
    {
        let values: Vec<Option<Values>> = parts.par_iter().map(|p| (self.evaluate)(p)).collect();
        self.features(end, &average(values, self.names.len()))
    }
}

/// A family with directions: `count` gives the matrix of a memory range along a direction.
pub(super) fn directional<P: Part>(
    levels: &Levels,
    aggregations: &[Aggregation],
    family: &Family<'_, P>,
    count: impl Fn(Range<usize>, [isize; 3]) -> P + Sync,
    progress: &Progress,
) -> Result<Vec<Feature>> {
    let counted = |(range, direction): (Range<usize>, [isize; 3])| -> Result<P> {
        progress.step(0.5, "counting textures")?;
        Ok(count(range, direction))
    };
    let wanted = |e: Extent| aggregations.iter().any(|a| a.extent() == e);
    let mut planar: Vec<P> = Vec::new();
    if wanted(Extent::Slices) || wanted(Extent::MergedSlices) {
        let slices = levels.filled_slices();
        let work: Vec<_> = slices.iter().flat_map(|k| DIRECTIONS[..IN_PLANE].iter().map(|d| (levels.slice(*k), *d))).collect();
        planar = work.into_par_iter().map(counted).collect::<Result<_>>()?;
    }
    let mut spatial: Vec<P> = Vec::new();
    if wanted(Extent::Volume) {
        spatial = DIRECTIONS.into_par_iter().map(|d| counted((0..levels.values.len(), d))).collect::<Result<_>>()?;
    }
    let merge = |parts: Vec<&P>| P::merged(&parts);
    let mut features = Vec::new();
    for a in aggregations {
        let matrices = match a {
            Aggregation::Average2D => {
                features.extend(family.averaged(a.tag(), &planar));
                continue;
            }
            Aggregation::Average3D => {
                features.extend(family.averaged(a.tag(), &spatial));
                continue;
            }
            Aggregation::Merged2D => planar.chunks(IN_PLANE).map(|c| merge(c.iter().collect())).collect(),
            Aggregation::Average25D => (0..IN_PLANE).map(|d| merge(planar.iter().skip(d).step_by(IN_PLANE).collect())).collect(),
            Aggregation::Merged25D => vec![merge(planar.iter().collect())],
            Aggregation::Merged3D => vec![merge(spatial.iter().collect())],
        };
        features.extend(family.averaged(a.tag(), &matrices));
    }
    Ok(features)
}

/// The parts of families without directions for an extent: one for each slice, or one. `count` gives the
/// part of a memory range with neighbors in the plane, or in space where told.
pub(super) fn parts<P: Part>(
    levels: &Levels,
    extent: Extent,
    count: impl Fn(Range<usize>, bool) -> P + Sync,
    progress: &Progress,
) -> Result<Vec<P>> {
    let counted = |k: usize| -> Result<P> {
        progress.step(0.5, "counting textures")?;
        Ok(count(levels.slice(k), extent == Extent::Volume))
    };
    let parts: Vec<P> = levels.filled_slices().into_par_iter().map(counted).collect::<Result<_>>()?;
    Ok(if extent == Extent::Slices { parts } else { vec![P::merged(&parts.iter().collect::<Vec<_>>())] })
}

/// The features of a family without directions.
pub(super) fn of_parts<P: Part>(family: &Family<'_, P>, extent: Extent, parts: &[P]) -> Vec<Feature> {
    family.averaged(extent.tag(), parts)
}

/// The features that runs, zones and dependences share. Rows are gray levels i, columns j what was
/// counted. In this order: short, long, low, high; short-low, short-high, long-low, long-high emphasis;
/// non-uniformity of levels and of j, each with its normalized form behind it; share of voxels; variance
/// of levels and of j; entropy; energy. `None` of an empty matrix.
pub(super) fn emphasis(counts: &Counts) -> Option<Values> {
    let total = counts.entries.iter().map(|e| e.2).sum::<u64>() as f64;
    if total == 0.0 {
        return None;
    }
    let mut sums = [0.0; 8];
    let (mut levels, mut columns) = (Marginal::default(), Marginal::default());
    let (mut entropy, mut energy) = (0.0, 0.0);
    for (i, j, n) in &counts.entries {
        let (i2, j2) = (f64::from(*i).powi(2), f64::from(*j).powi(2));
        let p = *n as f64 / total;
        let terms = [1.0 / j2, j2, 1.0 / i2, i2, 1.0 / (i2 * j2), i2 / j2, j2 / i2, i2 * j2];
        sums.iter_mut().zip(terms).for_each(|(s, t)| *s += p * t);
        levels.add(*i, p);
        columns.add(*j, p);
        entropy -= p * p.log2();
        energy += p * p;
    }
    let mut values = sums.to_vec();
    let (a, b) = (levels.squares(), columns.squares());
    values.extend([a * total, a, b * total, b, total / counts.n_voxels as f64]);
    values.extend([levels.variance(), columns.variance(), entropy + 0.0, energy]);
    Some(values)
}

/// Shares of rows or of columns.
#[derive(Default)]
struct Marginal(std::collections::BTreeMap<u32, f64>);

impl Marginal {
    fn add(&mut self, at: u32, p: f64) {
        *self.0.entry(at).or_default() += p;
    }

    fn squares(&self) -> f64 {
        self.0.values().map(|p| p * p).sum()
    }

    fn variance(&self) -> f64 {
        let mean: f64 = self.0.iter().map(|(v, p)| f64::from(*v) * p).sum();
        self.0.iter().map(|(v, p)| (f64::from(*v) - mean).powi(2) * p).sum()
    }
}
