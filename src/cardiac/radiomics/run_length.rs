//! How far one gray level goes in a line (family `rlm`).

use super::Feature;
use super::counts::{Counts, Family, Tally, directional, emphasis};
use super::levels::Levels;
use super::settings::Aggregation;
use crate::base::{Progress, Result};
use std::ops::Range;

const NAMES: [&str; 16] = [
    "sre",
    "lre",
    "lgre",
    "hgre",
    "srlge",
    "srhge",
    "lrlge",
    "lrhge",
    "glnu",
    "glnu_norm",
    "rlnu",
    "rlnu_norm",
    "r_perc",
    "gl_var",
    "rl_var",
    "rl_entr",
];

/// Family `rlm`.
pub(super) fn run_length(levels: &Levels, aggregations: &[Aggregation], progress: &Progress) -> Result<Vec<Feature>> {
    let family = Family { prefix: "rlm_", names: &NAMES, evaluate: &emphasis };
    directional(levels, aggregations, &family, |range, d| runs(levels, range, d), progress)
}

/// Runs along a direction as (level, length).
fn runs(levels: &Levels, range: Range<usize>, direction: [isize; 3]) -> Counts {
    let n = levels.n_counted(range.clone());
    let longest = levels.size.iter().max().copied().unwrap_or(0);
    let step = levels.step(direction);
    let mut tally = Tally::new(levels.n_levels, longest, n);
    for (start, level) in range.clone().zip(&levels.values[range]).filter(|(_, v)| **v > 0) {
        if levels.values[start.wrapping_add_signed(-step)] == *level {
            continue;
        }
        let (mut at, mut length) = (start.wrapping_add_signed(step), 1);
        while levels.values[at] == *level {
            at = at.wrapping_add_signed(step);
            length += 1;
        }
        tally.add(usize::from(*level), length);
    }
    tally.counts(n)
}
