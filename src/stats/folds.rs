//! Folds that do not leak: whole groups (patients, sections) or whole blocks of a section are held out,
//! and training points beside a held-out block are left out.

use super::{PointTree, Stream};
use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// One split: what a model is fitted on, and what it is judged on. Numbers of samples, increasing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Samples the model sees.
    pub train: Vec<usize>,
    /// Samples it is judged on.
    pub test: Vec<usize>,
}

/// `k` folds of about equal size in which no group is split: the largest group goes first, each to the
/// fold with the fewest samples; ties are broken by a shuffle with `seed`. Samples without a group must
/// be given one of their own. Costs O(n log n).
///
/// # Errors
/// [`Error::Parameter`] where `k` < 2; [`Error::Degenerate`] where there are fewer than `k` groups.
pub fn group_folds<G: Ord>(groups: &[G], k: usize, seed: u64) -> Result<Vec<Fold>> {
    let members = members(groups);
    if k < 2 {
        return Err(Error::parameter(format!("{k} folds: at least 2 are needed to hold anything out")));
    }
    if members.len() < k {
        return Err(Error::degenerate(format!(
            "{k} folds of {} groups: a group is never split, so there can be at most {} folds",
            members.len(),
            members.len()
        )));
    }
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let fold_of_group = balanced(&sizes, k, &mut Stream::new(seed, 0));
    let mut tests = vec![Vec::new(); k];
    members.iter().zip(&fold_of_group).for_each(|(m, &f)| tests[f].extend(m));
    Ok(tests.into_iter().map(|test| complement(test, groups.len())).collect())
}

/// As many folds as there are groups, in the groups' order; each holds one group out. [`Error::Degenerate`]
/// where there are fewer than 2 groups.
pub fn leave_one_group_out<G: Ord>(groups: &[G]) -> Result<Vec<Fold>> {
    let members = members(groups);
    if members.len() < 2 {
        return Err(Error::degenerate("all samples belong to one group: there is nothing to hold out"));
    }
    Ok(members.into_iter().map(|test| complement(test, groups.len())).collect())
}

/// `k` folds of the points of one section: the plane is cut into square blocks of `block_mm` (their corner
/// shifted by `seed`), each block is held out as a whole, and training points nearer than `buffer_mm` to
/// any held-out point are left out of that fold's training. Roberts et al., Ecography 40 (2017) 913.
/// Costs O(k n log n): the nearest held-out point is found in a tree.
///
/// # Errors
/// [`Error::Parameter`] for lengths that are not positive or points that are not finite;
/// [`Error::Degenerate`] where there are fewer than `k` occupied blocks or a fold keeps nothing to train on.
pub fn block_folds(points_mm: &[[f64; 2]], block_mm: f64, buffer_mm: f64, k: usize, seed: u64) -> Result<Vec<Fold>> {
    if !block_mm.is_finite() || block_mm <= 0.0 || !buffer_mm.is_finite() || buffer_mm < 0.0 {
        return Err(Error::parameter(format!(
            "blocks of {block_mm} mm with a buffer of {buffer_mm} mm: a block above 0 and a buffer from 0 were expected"
        )));
    }
    if points_mm.iter().flatten().any(|v| !v.is_finite()) {
        return Err(Error::parameter("a point is not finite; leave points without a position out first"));
    }
    let mut stream = Stream::new(seed, 1);
    let shift = [stream.uniform(), stream.uniform()];
    let block = |p: &[f64; 2]| [0, 1].map(|a| (p[a] / block_mm + shift[a]).floor() as i64);
    let blocks: Vec<[i64; 2]> = points_mm.iter().map(block).collect();
    let n_blocks = members(&blocks).len();
    if k >= 2 && n_blocks < k {
        return Err(Error::degenerate(format!(
            "{k} folds of {n_blocks} blocks of {block_mm} mm: choose smaller blocks or fewer folds"
        )));
    }
    let mut folds = group_folds(&blocks, k, seed)?;
    for (i, fold) in folds.iter_mut().enumerate() {
        let held_out: Vec<[f64; 2]> = fold.test.iter().map(|&t| points_mm[t]).collect();
        let tree = PointTree::new(&held_out);
        fold.train.retain(|&t| tree.nearest_within(points_mm[t], buffer_mm).is_none());
        if fold.train.is_empty() {
            return Err(Error::degenerate(format!(
                "fold {} of {k} keeps no point to train on with a buffer of {buffer_mm} mm: choose a smaller buffer or fewer folds",
                i + 1
            )));
        }
    }
    Ok(folds)
}

/// Samples of each group, groups in order.
fn members<G: Ord>(groups: &[G]) -> Vec<Vec<usize>> {
    let mut map: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
    groups.iter().enumerate().for_each(|(i, g)| map.entry(g).or_default().push(i));
    map.into_values().collect()
}

/// A fold for each group so that the folds' sizes are near each other.
fn balanced(sizes: &[usize], k: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order = stream.permutation(sizes.len());
    order.sort_by_key(|&g| std::cmp::Reverse(sizes[g]));
    let mut load = vec![0; k];
    let mut fold = vec![0; sizes.len()];
    for g in order {
        let least = (0..k).min_by_key(|&f| load[f]).unwrap_or(0);
        fold[g] = least;
        load[least] += sizes[g];
    }
    fold
}

fn complement(mut test: Vec<usize>, n: usize) -> Fold {
    test.sort_unstable();
    let mut held = vec![false; n];
    test.iter().for_each(|&t| held[t] = true);
    Fold { train: (0..n).filter(|&i| !held[i]).collect(), test }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(folds: &[Fold], n: usize) {
        let mut seen: Vec<usize> = folds.iter().flat_map(|f| f.test.clone()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..n).collect::<Vec<_>>());
        assert!(folds.iter().all(|f| f.train.iter().all(|t| !f.test.contains(t))));
    }

    #[test]
    fn groups_are_never_split() {
        let groups: Vec<u32> = (0..100).map(|i| [0, 0, 0, 1, 2, 3, 4, 5, 5, 6][i % 10]).collect();
        let folds = group_folds(&groups, 3, 7).unwrap();
        checked(&folds, 100);
        for fold in &folds {
            assert!(fold.test.iter().all(|&t| fold.train.iter().all(|&r| groups[r] != groups[t])));
            assert!((30..=40).contains(&fold.test.len()), "{}", fold.test.len());
        }
        assert_eq!(folds, group_folds(&groups, 3, 7).unwrap());
        assert_ne!(folds, group_folds(&groups, 3, 8).unwrap());
        checked(&leave_one_group_out(&groups).unwrap(), 100);
        assert!(matches!(group_folds(&groups, 8, 0), Err(Error::Degenerate(_))));
        assert!(matches!(group_folds(&groups, 1, 0), Err(Error::Parameter(_))));
        assert!(leave_one_group_out(&["a", "a"]).is_err());
    }

    #[test]
    fn no_training_point_is_inside_the_buffer() {
        let mut stream = Stream::new(2, 2);
        let points: Vec<[f64; 2]> = (0..900).map(|_| [stream.between(-4.0, 9.0), stream.between(0.0, 7.0)]).collect();
        let (block, buffer) = (1.7, 0.4);
        let folds = block_folds(&points, block, buffer, 5, 3).unwrap();
        checked(&folds, points.len());
        for fold in &folds {
            let nearest = |p: [f64; 2]| {
                fold.test.iter().map(|&t| (points[t][0] - p[0]).hypot(points[t][1] - p[1])).fold(f64::INFINITY, f64::min)
            };
            let mut kept = fold.train.iter().map(|&t| nearest(points[t]));
            assert!(kept.all(|d| d >= buffer));
            let n_far = (0..points.len()).filter(|&i| nearest(points[i]) >= buffer).count();
            assert_eq!(n_far, fold.train.len(), "only points inside the buffer are left out");
        }
        assert!(matches!(block_folds(&points, 100.0, 0.1, 3, 0), Err(Error::Degenerate(_))));
        assert!(matches!(block_folds(&points, 2.0, 50.0, 3, 0), Err(Error::Degenerate(_))));
        assert!(block_folds(&points, 0.0, 0.1, 3, 0).is_err());
    }

    #[test]
    fn many_points_in_little_time() {
        let points: Vec<[f64; 2]> = (0..60_000).map(|i| [f64::from(i % 245) * 0.01, f64::from(i / 245) * 0.01]).collect();
        let start = std::time::Instant::now();
        let folds = block_folds(&points, 0.5, 0.2, 4, 0).unwrap();
        assert!(folds.iter().all(|f| !f.train.is_empty()));
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }
}
