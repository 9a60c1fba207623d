//! Which observations are near which, with weights.

use crate::base::{Error, Result};

/// A weighted graph of observations: the edges of node `i` are `targets[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    offsets: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<f32>,
}

impl Graph {
    /// From compressed rows. [`Error::Malformed`] where sizes do not fit, a target is no node, or a weight is no number.
    pub fn new(offsets: Vec<usize>, targets: Vec<u32>, weights: Vec<f32>) -> Result<Self> {
        let n = offsets.len().saturating_sub(1);
        let fits = offsets.first() == Some(&0)
            && offsets.last() == Some(&targets.len())
            && offsets.windows(2).all(|w| w[0] <= w[1])
            && weights.len() == targets.len();
        if !fits || targets.iter().any(|t| *t as usize >= n) || weights.iter().any(|w| !w.is_finite()) {
            return Err(Error::malformed(format!(
                "the graph of {n} nodes does not fit its {} edges and {} weights",
                targets.len(),
                weights.len()
            )));
        }
        Ok(Self { offsets, targets, weights })
    }

    /// Number of nodes.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of stored edges; an edge that is there both ways counts twice.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.targets.len()
    }

    /// Targets and weights of the edges of a node.
    #[must_use]
    pub fn edges(&self, node: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[node]..self.offsets[node + 1];
        (&self.targets[range.clone()], &self.weights[range])
    }

    /// Offsets, targets and weights as they are stored.
    #[must_use]
    pub fn parts(&self) -> (&[usize], &[u32], &[f32]) {
        (&self.offsets, &self.targets, &self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_checked() {
        let g = Graph::new(vec![0, 1, 1, 3], vec![2, 0, 1], vec![1.0, 0.5, 2.0]).unwrap();
        assert_eq!((g.n_nodes(), g.n_edges(), g.edges(2)), (3, 3, (&[0, 1][..], &[0.5, 2.0][..])));
        assert!(Graph::new(vec![0, 1], vec![1], vec![1.0]).is_err());
        assert!(Graph::new(vec![0, 1], vec![0], vec![f32::NAN]).is_err());
        assert!(Graph::new(vec![], vec![], vec![]).is_err());
    }
}
