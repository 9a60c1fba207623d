//! The model that knows only where a sample lies: what a picture must beat. Expression varies smoothly over
//! tissue, so that neighbors predict each other without any histology.

use super::training::{Fold, Place};
use crate::base::{Progress, Result};
use crate::stats::Nearest;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Mean of so many nearest training samples.
pub const N_NEIGHBORS: usize = 10;

/// Held-out predictions by position, gene by gene (`[g][i]`, NaN where there are none): the mean of the
/// [`N_NEIGHBORS`] nearest training samples of the same section, or, where a whole section is held out, those at
/// the nearest relative position (bounds of a section as 0 to 1) of the other sections.
pub fn by_position(y: &[Vec<f64>], places: &[Place], folds: &[Fold], progress: &Progress) -> Result<Vec<Vec<f64>>> {
    let n = places.len();
    let relative = relative(places);
    let mut near: Vec<Vec<usize>> = vec![Vec::new(); n];
    for (k, fold) in folds.iter().enumerate() {
        progress.step(k as f64 / folds.len() as f64, "baseline of positions")?;
        let mut by_section: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        fold.train.iter().for_each(|&i| by_section.entry(places[i].section).or_default().push(i));
        let sections: BTreeMap<usize, (Nearest, Vec<usize>)> = by_section
            .into_iter()
            .map(|(s, rows)| (s, (Nearest::new(rows.iter().map(|&i| places[i].mm.to_array()).collect()), rows)))
            .collect();
        let all = (Nearest::new(fold.train.iter().map(|&i| relative[i]).collect()), fold.train.clone());
        let found: Vec<(usize, Vec<usize>)> = fold
            .test
            .par_iter()
            .map(|&i| {
                progress.step(k as f64 / folds.len() as f64, "baseline of positions")?;
                let own = sections.get(&places[i].section).filter(|(_, rows)| rows.len() >= N_NEIGHBORS);
                let (nearest, rows, at) = match own {
                    Some((nearest, rows)) => (nearest, rows, places[i].mm.to_array()),
                    None => (&all.0, &all.1, relative[i]),
                };
                Ok((i, nearest.of(at, N_NEIGHBORS, |_| true).into_iter().map(|(_, j)| rows[j]).collect()))
            })
            .collect::<Result<_>>()?;
        found.into_iter().for_each(|(i, rows)| near[i] = rows);
    }
    let mean = |column: &Vec<f64>| {
        let of = |rows: &Vec<usize>| {
            if rows.is_empty() { f64::NAN } else { rows.iter().map(|&j| column[j]).sum::<f64>() / rows.len() as f64 }
        };
        near.iter().map(of).collect()
    };
    Ok(y.par_iter().map(mean).collect())
}

/// Positions as shares of their section's bounds.
fn relative(places: &[Place]) -> Vec<[f64; 2]> {
    let mut bounds: BTreeMap<usize, [f64; 4]> = BTreeMap::new();
    for p in places {
        let b = bounds.entry(p.section).or_insert([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY]);
        *b = [b[0].min(p.mm.x), b[1].min(p.mm.y), b[2].max(p.mm.x), b[3].max(p.mm.y)];
    }
    let share = |v: f64, low: f64, high: f64| if high > low { (v - low) / (high - low) } else { 0.5 };
    places
        .iter()
        .map(|p| bounds.get(&p.section).map_or([0.5; 2], |b| [share(p.mm.x, b[0], b[2]), share(p.mm.y, b[1], b[3])]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::DVec2;

    #[test]
    fn a_ramp_is_known_from_its_neighbors() {
        let places: Vec<Place> =
            (0..60).map(|i| Place { section: i / 30, mm: DVec2::new(f64::from((i % 30) as u32), 0.0) }).collect();
        let y = vec![places.iter().map(|p| p.mm.x).collect::<Vec<_>>()];
        let split = |test: Vec<usize>| {
            let train = (0..60).filter(|i| !test.contains(i)).collect();
            Fold { train, test, ..Fold::default() }
        };
        let middle = by_position(&y, &places, &[split(vec![15])], &Progress::none()).unwrap();
        assert!((middle[0][15] - 15.0).abs() < 1e-12 && middle[0][0].is_nan());
        let section = by_position(&y, &places, &[split((0..30).collect())], &Progress::none()).unwrap();
        assert!((section[0][12] - 12.0).abs() < 1.0, "{}", section[0][12]);
    }
}
