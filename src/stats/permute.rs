//! Permutation: p-values that are never 0, and who may change places with whom.

use super::Stream;
use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// `(1 + #{null ≥ observed}) / (1 + B)`, the valid p-value of a Monte-Carlo permutation test (Phipson and
/// Smyth 2010). Values of the null within 1e-12 (relative) of the observed count as equal. NaN where the
/// observed value is NaN.
#[must_use]
pub fn permutation_p(observed: f64, null: &[f64]) -> f64 {
    if observed.is_nan() {
        return f64::NAN;
    }
    let level = observed - 1e-12 * observed.abs();
    (1 + null.iter().filter(|v| **v >= level).count()) as f64 / (1 + null.len()) as f64
}

/// Which samples may change places under the null hypothesis (Winkler et al. 2015).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    n: usize,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Free,
    /// Samples of each block, which change places among themselves.
    Within(Vec<Vec<usize>>),
    /// Blocks of one size each, which change places as wholes.
    Whole(Vec<Vec<Vec<usize>>>),
}

impl Exchange {
    /// Every sample may change places with every other.
    #[must_use]
    pub fn free(n: usize) -> Self {
        Self { n, kind: Kind::Free }
    }

    /// Samples change places inside their block only (a batch, a site, a matched pair).
    #[must_use]
    pub fn within<G: Ord>(blocks: &[G]) -> Self {
        Self { n: blocks.len(), kind: Kind::Within(members(blocks)) }
    }

    /// Whole groups (patients) change places with groups of the same size, their samples kept in order.
    /// [`Error::Degenerate`] where no two groups have the same size.
    pub fn whole<G: Ord>(groups: &[G]) -> Result<Self> {
        let mut by_size: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
        members(groups).into_iter().for_each(|m| by_size.entry(m.len()).or_default().push(m));
        if by_size.values().all(|same| same.len() < 2) {
            return Err(Error::degenerate(
                "no two groups have the same number of samples, so whole groups cannot change places: average each group to one row",
            ));
        }
        Ok(Self { n: groups.len(), kind: Kind::Whole(by_size.into_values().collect()) })
    }

    /// Natural logarithm of how many arrangements there are; few of them bound how small p can be.
    #[must_use]
    pub fn ln_arrangements(&self) -> f64 {
        let ln_factorial = |n: usize| (2..=n).map(|k| (k as f64).ln()).sum::<f64>();
        match &self.kind {
            Kind::Free => ln_factorial(self.n),
            Kind::Within(blocks) => blocks.iter().map(|b| ln_factorial(b.len())).sum(),
            Kind::Whole(sizes) => sizes.iter().map(|s| ln_factorial(s.len())).sum(),
        }
    }

    /// One arrangement: sample `i` takes the place of `out[i]`.
    pub fn draw(&self, stream: &mut Stream) -> Vec<usize> {
        let mut out: Vec<usize> = (0..self.n).collect();
        match &self.kind {
            Kind::Free => stream.shuffle(&mut out),
            Kind::Within(blocks) => {
                for block in blocks {
                    let mut to = block.clone();
                    stream.shuffle(&mut to);
                    block.iter().zip(to).for_each(|(&i, t)| out[i] = t);
                }
            }
            Kind::Whole(sizes) => {
                for same in sizes {
                    let to = stream.permutation(same.len());
                    for (from, &to) in same.iter().zip(&to) {
                        from.iter().zip(&same[to]).for_each(|(&i, &t)| out[i] = t);
                    }
                }
            }
        }
        out
    }
}

fn members<G: Ord>(groups: &[G]) -> Vec<Vec<usize>> {
    let mut map: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
    groups.iter().enumerate().for_each(|(i, g)| map.entry(g).or_default().push(i));
    map.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_counts_itself_and_ties() {
        assert_eq!(permutation_p(3.0, &[1.0, 2.0, 2.5]), 0.25);
        assert_eq!(permutation_p(2.0, &[1.0, 2.0, 2.5]), 0.75);
        assert_eq!(permutation_p(0.1 + 0.2, &[0.3]), 1.0);
        assert_eq!(permutation_p(1.0, &[]), 1.0);
        assert!(permutation_p(f64::NAN, &[1.0]).is_nan());
    }

    #[test]
    fn blocks_keep_their_promise() {
        let blocks = ["a", "b", "a", "b", "c", "c", "a", "d"];
        let mut stream = Stream::new(1, 1);
        let whole = Exchange::whole(&blocks).unwrap();
        let mut moved = false;
        for _ in 0..50 {
            let within = Exchange::within(&blocks).draw(&mut stream);
            assert!(within.iter().enumerate().all(|(i, &t)| blocks[i] == blocks[t]));
            let out = whole.draw(&mut stream);
            assert_eq!([out[0], out[2], out[6], out[7]], [0, 2, 6, 7], "sizes 3 and 1 have no partner");
            assert!(out[1] + 2 == out[3] || out[1] + 1 == out[3], "pairs stay together: {out:?}");
            moved |= out[1] == 4;
            let mut sorted = out;
            sorted.sort_unstable();
            assert_eq!(sorted, (0..8).collect::<Vec<_>>());
        }
        assert!(moved);
        assert!(Exchange::whole(&[1, 2, 2]).is_err());
        assert!((Exchange::free(5).ln_arrangements() - 120f64.ln()).abs() < 1e-12);
    }
}
