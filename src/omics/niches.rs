//! Niches: observations of alike composition of cell types.
//! Sources: J. J. Egozcue et al., Math. Geol. 35 (2003) 279 (isometric log-ratios); J. A. Martín-Fernández et al.,
//! Math. Geol. 35 (2003) 253 (zeros); C. Kuppe et al., Nature 608 (2022) 766 (niches of the heart).

use super::cells::{ClusterSettings, NeighborSettings, cluster, neighbors};
use super::spatial::SpatialGraph;
use crate::base::{Error, Progress, Result, Severity};
use crate::model::Finding;
use crate::stats::Stream;
use rayon::prelude::*;

/// Observations whose silhouette is taken, at most.
const MOST_SILHOUETTES: usize = 1000;
/// Below this mean silhouette structure is weak and may be none. Source: L. Kaufman, P. J. Rousseeuw, Finding Groups in
/// Data (1990), table 4.
const WEAK_SILHOUETTE: f64 = 0.5;

/// Shares of cell types at observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Composition {
    /// Names of the types, k of them.
    pub types: Vec<String>,
    /// Observations × types, row-major, not negative; rows need not sum to 1, rows with NaN or of sum 0 are unknown.
    pub values: Vec<f64>,
}

/// Settings of [`niches`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NicheSettings {
    /// Neighbors of an observation in the space of log-ratios, itself among them.
    pub k: usize,
    /// Larger gives more niches.
    pub resolution: f64,
    /// What shares of 0 become, before the others are scaled down; none is 1 / types².
    pub zero: Option<f64>,
    /// Seed.
    pub seed: u64,
}

impl Default for NicheSettings {
    /// 15 neighbors, resolution 1.
    fn default() -> Self {
        Self { k: 15, resolution: 1.0, zero: None, seed: 0 }
    }
}

/// What [`niches`] found, the largest niche first.
#[derive(Clone, Debug, PartialEq)]
pub struct Niches {
    /// Niche of each observation; none where its composition is unknown.
    pub labels: Vec<Option<u32>>,
    /// Observations of each niche.
    pub sizes: Vec<usize>,
    /// Niches × types, row-major: mean shares.
    pub means: Vec<f64>,
    /// Observations × (types − 1), row-major: isometric log-ratios; NaN where the composition is unknown.
    pub coordinates: Vec<f64>,
    /// Mean silhouette of at most 1000 observations in the space of log-ratios, from −1 to 1; none for one niche.
    pub silhouette: Option<f64>,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Composition of the neighborhoods of observations: shares of the types among each and its spatial neighbors. `codes`
/// index `types`; others are unknown and count for nobody. O(edges).
#[must_use]
pub fn neighborhoods(graph: &SpatialGraph, codes: &[u32], types: Vec<String>) -> Composition {
    let k = types.len();
    let row = |i: usize| {
        let mut counts = vec![0.0; k];
        for j in graph.row(i).0.iter().map(|j| *j as usize).chain(std::iter::once(i)) {
            if let Some(count) = codes.get(j).and_then(|c| counts.get_mut(*c as usize)) {
                *count += 1.0;
            }
        }
        counts
    };
    let values = (0..graph.n_spots()).flat_map(row).collect();
    Composition { types, values }
}

/// A composition closed to sum 1, its zeros replaced by `zero` and the rest scaled down; none where it is unknown
/// (negative, not finite, nothing at all).
#[must_use]
pub fn replace_zeros(row: &[f64], zero: f64) -> Option<Vec<f64>> {
    let sum: f64 = row.iter().sum();
    if !(sum > 0.0 && sum.is_finite()) || row.iter().any(|v| *v < 0.0) {
        return None;
    }
    let n_zeros = row.iter().filter(|v| **v == 0.0).count();
    let rest = 1.0 - zero * n_zeros as f64;
    Some(row.iter().map(|v| if *v == 0.0 { zero } else { v / sum * rest }).collect())
}

/// Isometric log-ratios of a composition without zeros: k − 1 coordinates whose Euclidean distances are Aitchison's.
/// Coordinate j is √(j / (j + 1)) · (mean of the logarithms of the first j shares − the logarithm of the next).
#[must_use]
pub fn log_ratios(shares: &[f64]) -> Vec<f64> {
    let logs: Vec<f64> = shares.iter().map(|s| s.ln()).collect();
    let mut sum = 0.0;
    let coordinate = |j: usize| {
        sum += logs[j - 1];
        let n = j as f64;
        (n / (n + 1.0)).sqrt() * (sum / n - logs[j])
    };
    (1..logs.len()).map(coordinate).collect()
}

/// Observations grouped by the log-ratios of their composition: a graph of the most alike, then Leiden's clusters.
/// Costs as [`neighbors`] in k − 1 coordinates and [`cluster`].
///
/// Errors: [`Error::Degenerate`] for fewer than two types or three observations of known composition;
/// [`Error::Parameter`] for a replacement of zeros outside 0 to 1 / types.
pub fn niches(composition: &Composition, settings: &NicheSettings, progress: &Progress) -> Result<Niches> {
    let k = composition.types.len();
    if k < 2 {
        return Err(Error::degenerate(format!("{k} cell types have no composition; at least 2 are needed")));
    }
    let zero = settings.zero.unwrap_or(1.0 / (k * k) as f64);
    if !(zero > 0.0 && zero < 1.0 / k as f64) {
        return Err(Error::parameter(format!("zeros become {zero}; expected a number above 0 and below 1 / {k}")));
    }
    let shares: Vec<Option<Vec<f64>>> = composition.values.par_chunks(k).map(|row| replace_zeros(row, zero)).collect();
    let known: Vec<usize> = (0..shares.len()).filter(|i| shares[*i].is_some()).collect();
    if known.len() < 3 {
        return Err(Error::degenerate(format!("{} observations have a composition; at least 3 are needed", known.len())));
    }
    let unknown = || vec![f64::NAN; k - 1];
    let coordinates: Vec<f64> = shares.iter().flat_map(|s| s.as_deref().map_or_else(unknown, log_ratios)).collect();
    let points: Vec<f64> = known.iter().flat_map(|i| coordinates[i * (k - 1)..(i + 1) * (k - 1)].iter().copied()).collect();
    let graph = neighbors(k - 1, &points, &NeighborSettings { k: settings.k }, &progress.part(0.0, 0.6))?;
    let clusters = ClusterSettings { resolution: settings.resolution, seed: settings.seed };
    let found = cluster(&graph.connectivities, &clusters, &progress.part(0.6, 0.9))?;
    let mut labels = vec![None; shares.len()];
    let mut means = vec![0.0; found.sizes.len() * k];
    for (at, label) in known.iter().zip(&found.labels) {
        labels[*at] = Some(*label);
        let row = &composition.values[at * k..(at + 1) * k];
        let part = 1.0 / (row.iter().sum::<f64>() * found.sizes[*label as usize] as f64);
        let mean = &mut means[*label as usize * k..][..k];
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v * part);
    }
    let silhouette = silhouette(k - 1, &points, &found.labels, &found.sizes, settings.seed, &progress.part(0.9, 1.0))?;
    let findings = noticed(shares.len() - known.len(), shares.len(), silhouette);
    Ok(Niches { labels, sizes: found.sizes, means, coordinates, silhouette, findings })
}

fn noticed(n_unknown: usize, n: usize, silhouette: Option<f64>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if n_unknown > 0 {
        findings.push(Finding {
            severity: Severity::Note,
            code: "composition-unknown",
            what: format!("{n_unknown} of {n} observations have no composition and belong to no niche"),
            evidence: vec![("observations".into(), n_unknown as f64)],
            remedy: String::new(),
        });
    }
    if let Some(s) = silhouette.filter(|s| *s < WEAK_SILHOUETTE) {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "niches-overlap",
            what: format!("niches are hardly apart and may be none: their mean silhouette is {s:.2}, below {WEAK_SILHOUETTE}"),
            evidence: vec![("silhouette".into(), s)],
            remedy: "try a lower --resolution, and look whether niches come back in other patients".into(),
        });
    }
    findings
}

/// Mean of (b − a) / max(a, b), with a the mean distance to the own group and b to the nearest other, of at most 1000
/// points drawn by the seed; points alone in their group count 0. O(1000 · n · d).
fn silhouette(d: usize, points: &[f64], labels: &[u32], sizes: &[usize], seed: u64, progress: &Progress) -> Result<Option<f64>> {
    if sizes.len() < 2 {
        return Ok(None);
    }
    let mut drawn = Stream::new(seed, 1).permutation(labels.len());
    drawn.truncate(MOST_SILHOUETTES);
    let one = |i: &usize| -> Result<f64> {
        progress.step(0.5, "measuring how far niches are apart")?;
        let own = &points[i * d..(i + 1) * d];
        let mut sums = vec![0.0; sizes.len()];
        for (other, label) in points.chunks(d).zip(labels) {
            sums[*label as usize] += own.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        }
        let label = labels[*i] as usize;
        if sizes[label] < 2 {
            return Ok(0.0);
        }
        let a = sums[label] / (sizes[label] - 1) as f64;
        let others = sums.iter().zip(sizes).enumerate().filter(|(g, _)| *g != label);
        let b = others.map(|(_, (sum, n))| sum / *n as f64).fold(f64::INFINITY, f64::min);
        let most = a.max(b);
        Ok(if most > 0.0 { (b - a) / most } else { 0.0 })
    };
    let all: Vec<f64> = drawn.par_iter().map(one).collect::<Result<_>>()?;
    Ok(Some(all.iter().sum::<f64>() / all.len() as f64))
}
