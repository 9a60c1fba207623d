//! How a voxel compares with those around it: its difference from their mean (family `ngt`) and how many
//! have its gray level (family `ngl`).

use super::Feature;
use super::counts::{Counts, Family, Part, Tally, Values, emphasis, of_parts, parts};
use super::levels::Levels;
use super::settings::Extent;
use super::zones::neighbors;
use crate::base::{Progress, Result};
use std::collections::BTreeMap;
use std::ops::Range;

const TONES: [&str; 5] = ["coarseness", "contrast", "busyness", "complexity", "strength"];

const DEPENDENCES: [&str; 17] = [
    "lde",
    "hde",
    "lgce",
    "hgce",
    "ldlge",
    "ldhge",
    "hdlge",
    "hdhge",
    "glnu",
    "glnu_norm",
    "dcnu",
    "dcnu_norm",
    "dc_perc",
    "gl_var",
    "dc_var",
    "dc_entr",
    "dc_energy",
];

/// What the neighborhoods of a part of the region give.
#[derive(Default)]
struct Around {
    /// For each level: voxels with a neighbor, and the sum of their differences from the neighbors' mean.
    tones: BTreeMap<u16, (u64, f64)>,
    /// (level, neighbors of that level and the voxel itself).
    dependences: Counts,
}

impl Part for Around {
    fn merged(parts: &[&Self]) -> Self {
        let mut tones: BTreeMap<u16, (u64, f64)> = BTreeMap::new();
        for (level, (n, sum)) in parts.iter().flat_map(|p| &p.tones) {
            let all = tones.entry(*level).or_default();
            *all = (all.0 + n, all.1 + sum);
        }
        Self { tones, dependences: Counts::merged(&parts.iter().map(|p| &p.dependences).collect::<Vec<_>>()) }
    }
}

/// Families `ngt` and `ngl` for the extents asked for.
pub(super) fn neighborhood(levels: &Levels, extents: &[Extent], progress: &Progress) -> Result<[Vec<Feature>; 2]> {
    let tones = Family { prefix: "ngt_", names: &TONES, evaluate: &|a: &Around| tone_features(a) };
    let dependences = Family { prefix: "ngl_", names: &DEPENDENCES, evaluate: &|a: &Around| emphasis(&a.dependences) };
    let mut features = [Vec::new(), Vec::new()];
    for extent in extents {
        let parts = parts(levels, *extent, |range, in_space| around(levels, range, in_space), progress)?;
        features[0].extend(of_parts(&tones, *extent, &parts));
        features[1].extend(of_parts(&dependences, *extent, &parts));
    }
    Ok(features)
}

fn around(levels: &Levels, range: Range<usize>, in_space: bool) -> Around {
    let steps = neighbors(levels, in_space);
    let n = levels.n_counted(range.clone());
    let mut tally = Tally::new(levels.n_levels, steps.len() + 1, n);
    let mut tones = vec![(0u64, 0.0f64); levels.n_levels + 1];
    for (at, level) in range.clone().zip(&levels.values[range]).filter(|(_, v)| **v > 0) {
        let (mut sum, mut n_counted, mut n_same) = (0u32, 0u32, 1);
        for step in &steps {
            let other = levels.values[at.wrapping_add_signed(*step)];
            sum += u32::from(other);
            n_counted += u32::from(other > 0);
            n_same += usize::from(other == *level);
        }
        tally.add(usize::from(*level), n_same);
        if n_counted > 0 {
            let tone = &mut tones[usize::from(*level)];
            *tone = (tone.0 + 1, tone.1 + (f64::from(*level) - f64::from(sum) / f64::from(n_counted)).abs());
        }
    }
    let tones = (0..).zip(tones).filter(|(_, t)| t.0 > 0).collect();
    Around { tones, dependences: tally.counts(n) }
}

/// The features of differences in the order of [`TONES`]; `None` where no voxel has a neighbor. Looks at
/// all pairs of levels that are there.
fn tone_features(around: &Around) -> Option<Values> {
    let n = around.tones.values().map(|t| t.0).sum::<u64>() as f64;
    if n == 0.0 {
        return None;
    }
    // Level, share, sum of differences.
    let tones: Vec<[f64; 3]> = around.tones.iter().map(|(l, t)| [f64::from(*l), t.0 as f64 / n, t.1]).collect();
    let weighted: f64 = tones.iter().map(|[_, p, s]| p * s).sum();
    let total: f64 = tones.iter().map(|t| t[2]).sum();
    let (mut spread, mut busy, mut complexity, mut strength) = (0.0, 0.0, 0.0, 0.0);
    for (at, [i, p, s]) in tones.iter().enumerate() {
        for [j, q, t] in &tones[at + 1..] {
            let difference = i - j;
            spread += p * q * difference * difference;
            busy += (i * p - j * q).abs();
            complexity += difference.abs() * (p * s + q * t) / (p + q);
            strength += (p + q) * difference * difference;
        }
    }
    let levels = tones.len() as f64;
    let one = tones.len() == 1;
    Some(vec![
        // A region without differences is as coarse as can be.
        if weighted > 0.0 { 1.0 / weighted } else { 1e6 },
        if one { 0.0 } else { 2.0 * spread / (levels * (levels - 1.0)) * total / n },
        if one || busy == 0.0 { 0.0 } else { weighted / (2.0 * busy) },
        2.0 * complexity / n,
        if total > 0.0 { 2.0 * strength / total } else { 0.0 },
    ])
}
