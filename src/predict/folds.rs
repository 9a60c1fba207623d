//! Which samples are held out together: patients across sections, blocks with a buffer within one. A random
//! split of spots is refused, because neighbors of a held-out spot would stay in training.

use super::training::{Fold, Place};
use crate::base::{Error, Result};
use crate::stats::Nearest;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What is held out together.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// Squares on each section. Training samples nearer than the buffer to a held-out one are left out.
    Blocks {
        /// Side of a square, mm.
        block_mm: f64,
        /// Width of the buffer, mm.
        buffer_mm: f64,
        /// Number of folds that the squares are dealt to.
        n_folds: usize,
    },
    /// Patients or other groups, one name per sample; a group is never divided.
    Groups {
        /// Name of each sample's group.
        of: Vec<String>,
        /// Number of folds; `None` leaves out one group at a time.
        n_folds: Option<usize>,
    },
}

/// The folds of a split; the same input gives the same folds. [`Error::Degenerate`] where too little is left.
pub fn make_folds(split: &Split, places: Option<&[Place]>, n: usize) -> Result<Vec<Fold>> {
    match split {
        Split::Groups { of, n_folds } => by_group(of, *n_folds, n),
        Split::Blocks { block_mm, buffer_mm, n_folds } => {
            let places =
                places.ok_or_else(|| Error::parameter("samples without positions cannot be held out in blocks; name groups"))?;
            by_block(places, *block_mm, *buffer_mm, *n_folds)
        }
    }
}

/// Members of each part, dealt to folds: the largest part first, always to the fold with the fewest samples.
fn deal(parts: BTreeMap<String, Vec<usize>>, n_folds: usize) -> Vec<(Vec<String>, Vec<usize>)> {
    let mut order: Vec<(String, Vec<usize>)> = parts.into_iter().collect();
    order.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    let mut folds = vec![(Vec::new(), Vec::new()); n_folds];
    for (name, rows) in order {
        let least = (0..n_folds).min_by_key(|&k| folds[k].1.len()).unwrap_or(0);
        folds[least].0.push(name);
        folds[least].1.extend(rows);
    }
    for fold in &mut folds {
        fold.0.sort();
        fold.1.sort_unstable();
    }
    folds
}

fn by_group(of: &[String], n_folds: Option<usize>, n: usize) -> Result<Vec<Fold>> {
    if of.len() != n {
        return Err(Error::parameter(format!("{} groups for {n} samples", of.len())));
    }
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    of.iter().enumerate().for_each(|(i, name)| parts.entry(name.clone()).or_default().push(i));
    if parts.len() < 2 {
        return Err(Error::degenerate(format!("{} group; at least 2 are needed to hold one out", parts.len())));
    }
    let k = n_folds.unwrap_or(parts.len());
    if k < 2 || k > parts.len() {
        return Err(Error::parameter(format!("{k} folds of {} groups; from 2 to {} are possible", parts.len(), parts.len())));
    }
    let names: Vec<String> = parts.keys().cloned().collect();
    let mut folds = deal(parts, k);
    if n_folds.is_none() {
        folds.sort();
    }
    let fold = |(test_groups, test): (Vec<String>, Vec<usize>)| Fold {
        train_groups: names.iter().filter(|g| !test_groups.contains(g)).cloned().collect(),
        train: (0..n).filter(|i| test.binary_search(i).is_err()).collect(),
        test_groups,
        test,
    };
    Ok(folds.into_iter().map(fold).collect())
}

fn by_block(places: &[Place], block_mm: f64, buffer_mm: f64, n_folds: usize) -> Result<Vec<Fold>> {
    if !block_mm.is_finite() || block_mm <= 0.0 || !buffer_mm.is_finite() || buffer_mm < 0.0 || n_folds < 2 {
        return Err(Error::parameter(format!(
            "{n_folds} folds of blocks of {block_mm} mm with a buffer of {buffer_mm} mm make no sense"
        )));
    }
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, p) in places.iter().enumerate() {
        let [x, y] = [p.mm.x, p.mm.y].map(|v| (v / block_mm).floor() as i64);
        parts.entry(format!("section {} block {x},{y}", p.section + 1)).or_default().push(i);
    }
    if parts.len() < n_folds {
        let n = parts.len();
        return Err(Error::degenerate(format!(
            "{n} blocks of {block_mm} mm for {n_folds} folds; use smaller blocks or fewer folds"
        )));
    }
    let names: Vec<String> = parts.keys().cloned().collect();
    let dealt = deal(parts, n_folds);
    let fold = |(test_groups, test): (Vec<String>, Vec<usize>)| {
        let near = Buffer::new(places, &test, buffer_mm);
        let train: Vec<usize> =
            (0..places.len()).into_par_iter().filter(|i| test.binary_search(i).is_err() && !near.holds(places[*i])).collect();
        Fold { train_groups: names.iter().filter(|g| !test_groups.contains(g)).cloned().collect(), test_groups, train, test }
    };
    let folds: Vec<Fold> = dealt.into_iter().map(fold).collect();
    match folds.iter().position(|f| f.train.len() < 2) {
        Some(k) => Err(Error::degenerate(format!(
            "the buffer of {buffer_mm} mm leaves {} training samples in fold {}; use larger blocks or a smaller buffer",
            folds[k].train.len(),
            k + 1
        ))),
        None => Ok(folds),
    }
}

/// Held-out samples of each section, to ask how near one is.
struct Buffer {
    sections: BTreeMap<usize, Nearest>,
    width_mm: f64,
}

impl Buffer {
    fn new(places: &[Place], test: &[usize], width_mm: f64) -> Self {
        let mut points: BTreeMap<usize, Vec<[f64; 2]>> = BTreeMap::new();
        test.iter().for_each(|&i| points.entry(places[i].section).or_default().push(places[i].mm.to_array()));
        Self { sections: points.into_iter().map(|(s, p)| (s, Nearest::new(p))).collect(), width_mm }
    }

    fn holds(&self, place: Place) -> bool {
        let nearest = self.sections.get(&place.section).map(|n| n.of(place.mm.to_array(), 1, |_| true));
        nearest.and_then(|n| n.first().copied()).is_some_and(|(d2, _)| d2.sqrt() < self.width_mm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::DVec2;

    #[test]
    fn blocks_keep_their_distance() {
        let places: Vec<Place> =
            (0..900).map(|i| Place { section: 0, mm: DVec2::new(f64::from(i % 30), f64::from(i / 30)) * 0.1 }).collect();
        let split = Split::Blocks { block_mm: 0.5, buffer_mm: 0.25, n_folds: 4 };
        let folds = make_folds(&split, Some(&places), 900).unwrap();
        assert_eq!(folds.iter().map(|f| f.test.len()).sum::<usize>(), 900);
        for f in &folds {
            assert!(f.train.len() > 50 && f.train.len() + f.test.len() < 900);
            for &i in f.train.iter().step_by(7) {
                let near = f.test.iter().map(|&j| places[i].mm.distance(places[j].mm)).fold(f64::INFINITY, f64::min);
                assert!(near >= 0.25);
            }
        }
        assert!(make_folds(&Split::Blocks { block_mm: 9.0, buffer_mm: 0.0, n_folds: 4 }, Some(&places), 900).is_err());
        assert!(make_folds(&Split::Blocks { block_mm: 0.5, buffer_mm: 3.0, n_folds: 4 }, Some(&places), 900).is_err());
        assert!(make_folds(&split, None, 900).is_err());
    }

    #[test]
    fn groups_stay_whole() {
        let of: Vec<String> = (0..60).map(|i| format!("p{}", i % 7)).collect();
        for n_folds in [None, Some(3)] {
            let folds = make_folds(&Split::Groups { of: of.clone(), n_folds }, None, 60).unwrap();
            assert_eq!(folds.len(), n_folds.unwrap_or(7));
            for f in &folds {
                assert!(f.train.iter().all(|&i| !f.test_groups.contains(&of[i]) && f.train_groups.contains(&of[i])));
                assert!(f.test.iter().all(|&i| f.test_groups.contains(&of[i])));
            }
        }
        assert!(make_folds(&Split::Groups { of: vec!["a".into(); 9], n_folds: None }, None, 9).is_err());
        assert!(make_folds(&Split::Groups { of, n_folds: Some(8) }, None, 60).is_err());
    }
}
