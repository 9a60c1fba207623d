//! Connected voxels of one gray level: how large they are (family `szm`) and how near the border of the
//! shape they come (family `dzm`).

use super::Feature;
use super::counts::{Counts, Family, Part, Tally, emphasis, of_parts};
use super::levels::Levels;
use super::settings::Extent;
use crate::base::{Progress, Result};
use rayon::prelude::*;
use std::ops::Range;

const SIZES: [&str; 16] = [
    "sze",
    "lze",
    "lgze",
    "hgze",
    "szlge",
    "szhge",
    "lzlge",
    "lzhge",
    "glnu",
    "glnu_norm",
    "zsnu",
    "zsnu_norm",
    "z_perc",
    "gl_var",
    "zs_var",
    "zs_entr",
];

const DISTANCES: [&str; 16] = [
    "sde",
    "lde",
    "lgze",
    "hgze",
    "sdlge",
    "sdhge",
    "ldlge",
    "ldhge",
    "glnu",
    "glnu_norm",
    "zdnu",
    "zdnu_norm",
    "z_perc",
    "gl_var",
    "zd_var",
    "zd_entr",
];

/// Zones as (level, size) and as (level, distance).
#[derive(Default)]
struct Zones {
    sizes: Counts,
    distances: Counts,
}

impl Part for Zones {
    fn merged(parts: &[&Self]) -> Self {
        let of = |f: fn(&Self) -> &Counts| Counts::merged(&parts.iter().map(|p| f(p)).collect::<Vec<_>>());
        Self { sizes: of(|p| &p.sizes), distances: of(|p| &p.distances) }
    }
}

/// Families `szm` and `dzm` for the extents asked for.
pub(super) fn zones(levels: &Levels, extents: &[Extent], progress: &Progress) -> Result<[Vec<Feature>; 2]> {
    let sizes = Family { prefix: "szm_", names: &SIZES, evaluate: &|z: &Zones| emphasis(&z.sizes) };
    let distances = Family { prefix: "dzm_", names: &DISTANCES, evaluate: &|z: &Zones| emphasis(&z.distances) };
    let mut features = [Vec::new(), Vec::new()];
    for extent in extents {
        let parts = if *extent == Extent::Volume {
            vec![found(levels, 0..levels.values.len(), true, progress)?]
        } else {
            let slices: Vec<Zones> = levels
                .filled_slices()
                .into_par_iter()
                .map(|k| found(levels, levels.slice(k), false, progress))
                .collect::<Result<_>>()?;
            if *extent == Extent::Slices { slices } else { vec![Zones::merged(&slices.iter().collect::<Vec<_>>())] }
        };
        features[0].extend(of_parts(&sizes, *extent, &parts));
        features[1].extend(of_parts(&distances, *extent, &parts));
    }
    Ok(features)
}

/// The zones of a memory range, connected by faces, edges and corners in the plane or in space.
fn found(levels: &Levels, range: Range<usize>, in_space: bool, progress: &Progress) -> Result<Zones> {
    let n = levels.n_counted(range.clone());
    let values = &levels.values[range.clone()];
    let steps = neighbors(levels, in_space);
    let distance = border_distance(levels, range, in_space);
    let mut left: Vec<bool> = values.iter().map(|v| *v > 0).collect();
    let (mut sizes, mut distances) = (Tally::new(levels.n_levels, n, n), Tally::new(levels.n_levels, n, n));
    let mut open = Vec::new();
    for start in 0..values.len() {
        if start.is_multiple_of(1 << 16) {
            progress.step(start as f64 / values.len() as f64, "following zones of one gray level")?;
        }
        if !left[start] {
            continue;
        }
        let level = values[start];
        let (mut size, mut nearest) = (0, u32::MAX);
        left[start] = false;
        open.push(start);
        while let Some(at) = open.pop() {
            size += 1;
            nearest = nearest.min(distance[at]);
            for step in &steps {
                let next = at.wrapping_add_signed(*step);
                if values[next] == level && left[next] {
                    left[next] = false;
                    open.push(next);
                }
            }
        }
        sizes.add(usize::from(level), size);
        distances.add(usize::from(level), nearest as usize);
    }
    Ok(Zones { sizes: sizes.counts(n), distances: distances.counts(n) })
}

/// Memory steps to the 8 or 26 neighbors.
pub(super) fn neighbors(levels: &Levels, in_space: bool) -> Vec<isize> {
    let across = if in_space { -1..=1 } else { 0..=0 };
    across
        .flat_map(|k| (-1..=1).flat_map(move |j| (-1..=1).map(move |i| [i, j, k])))
        .filter(|d| *d != [0; 3])
        .map(|d| levels.step(d))
        .collect()
}

/// Steps over faces from each voxel of the shape to the nearest one outside it; 0 outside.
fn border_distance(levels: &Levels, range: Range<usize>, in_space: bool) -> Vec<u32> {
    let mut distance: Vec<u32> = levels.shape[range].iter().map(|s| if *s { u32::MAX } else { 0 }).collect();
    let back: Vec<isize> =
        [[-1, 0, 0], [0, -1, 0], [0, 0, -1]].iter().take(if in_space { 3 } else { 2 }).map(|d| levels.step(*d)).collect();
    // Two passes are exact for distances over faces.
    let relax = |distance: &mut [u32], at: usize, sign: isize| {
        if distance[at] > 0 {
            let nearest = back.iter().map(|s| distance[at.wrapping_add_signed(s * sign)]).min().unwrap_or(0);
            distance[at] = distance[at].min(nearest.saturating_add(1));
        }
    };
    (0..distance.len()).for_each(|at| relax(&mut distance, at, 1));
    (0..distance.len()).rev().for_each(|at| relax(&mut distance, at, -1));
    distance
}
