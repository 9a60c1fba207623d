//! Which samples are held out together: patients across sections, blocks with a buffer within one. A random
//! split of spots is refused, because neighbors of a held-out spot would stay in training.

use super::training::{Fold, Place};
use crate::base::{Error, Result};
use crate::stats::{block_folds, group_folds, leave_one_group_out};
use std::collections::BTreeSet;

/// What is held out together.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// Squares on one section. Training samples nearer than the buffer to a held-out one are left out.
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

/// The folds of a split; the same input and seed give the same folds. [`Error::Degenerate`] where too little
/// is left.
pub fn make_folds(split: &Split, places: Option<&[Place]>, n: usize, seed: u64) -> Result<Vec<Fold>> {
    match split {
        Split::Groups { of, n_folds } => {
            if of.len() != n {
                return Err(Error::parameter(format!("{} groups for {n} samples", of.len())));
            }
            let folds = match n_folds {
                Some(k) => group_folds(of, *k, seed)?,
                None => leave_one_group_out(of)?,
            };
            let names = |rows: &[usize]| rows.iter().map(|&i| of[i].clone()).collect::<BTreeSet<_>>().into_iter().collect();
            let fold = |f: crate::stats::Fold| Fold {
                train_groups: names(&f.train),
                test_groups: names(&f.test),
                train: f.train,
                test: f.test,
            };
            Ok(folds.into_iter().map(fold).collect())
        }
        Split::Blocks { block_mm, buffer_mm, n_folds } => {
            let places =
                places.ok_or_else(|| Error::parameter("samples without positions cannot be held out in blocks; name groups"))?;
            if places.iter().any(|p| p.section != places[0].section) {
                return Err(Error::parameter("blocks are held out of one section; several sections are held out whole"));
            }
            let points: Vec<[f64; 2]> = places.iter().map(|p| p.mm.to_array()).collect();
            let folds = block_folds(&points, *block_mm, *buffer_mm, *n_folds, seed)?;
            let name = |k: usize| format!("blocks {}", k + 1);
            let fold = |(k, f): (usize, crate::stats::Fold)| Fold {
                train_groups: (0..*n_folds).filter(|&j| j != k).map(name).collect(),
                test_groups: vec![name(k)],
                train: f.train,
                test: f.test,
            };
            Ok(folds.into_iter().enumerate().map(fold).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::DVec2;

    #[test]
    fn folds_are_named_and_refused() {
        let places: Vec<Place> =
            (0..900).map(|i| Place { section: 0, mm: DVec2::new(f64::from(i % 30), f64::from(i / 30)) * 0.1 }).collect();
        let split = Split::Blocks { block_mm: 0.5, buffer_mm: 0.25, n_folds: 4 };
        let folds = make_folds(&split, Some(&places), 900, 1).unwrap();
        assert_eq!(folds.iter().map(|f| f.test.len()).sum::<usize>(), 900);
        assert_eq!((folds[1].test_groups.as_slice(), folds[1].train_groups.len()), (&["blocks 2".to_owned()][..], 3));
        assert!(make_folds(&split, None, 900, 1).is_err());
        let mut two = places;
        two[7].section = 1;
        assert!(make_folds(&split, Some(&two), 900, 1).is_err());

        let of: Vec<String> = (0..60).map(|i| format!("p{}", i % 7)).collect();
        for n_folds in [None, Some(3)] {
            let folds = make_folds(&Split::Groups { of: of.clone(), n_folds }, None, 60, 0).unwrap();
            assert_eq!(folds.len(), n_folds.unwrap_or(7));
            for f in &folds {
                assert!(f.train.iter().all(|&i| !f.test_groups.contains(&of[i]) && f.train_groups.contains(&of[i])));
                assert!(f.test.iter().all(|&i| f.test_groups.contains(&of[i])));
            }
        }
        assert!(make_folds(&Split::Groups { of: vec!["a".into(); 9], n_folds: None }, None, 9, 0).is_err());
        assert!(make_folds(&Split::Groups { of, n_folds: Some(8) }, None, 60, 0).is_err());
    }
}
