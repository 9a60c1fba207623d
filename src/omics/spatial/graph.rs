//! Who is whose neighbor on a section: hexagonal lattice, nearest neighbors, radius, Delaunay triangles; as
//! a sparse matrix of weights that add up to 1 for each spot.

use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Column, Expression, Finding};
use crate::stats::{Nearest, PointTree, delaunay_edges, quantile_of};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// How neighbors are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GraphKind {
    /// The six around a spot of a hexagonal lattice: by its place in the array where that is known, else all
    /// within 1.3 times the median distance to the nearest spot.
    Hex,
    /// So many nearest; not always mutual. Of equally near ones those that come first.
    Nearest(usize),
    /// All up to this distance, in the unit of the positions.
    Radius(f64),
    /// Corners of a common triangle.
    Delaunay,
}

impl GraphKind {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Nearest(_) => "knn",
            Self::Radius(_) => "radius",
            Self::Delaunay => "delaunay",
        }
    }
}

/// A sparse matrix of weights in rows: spot i has neighbors `neighbors[offsets[i]..offsets[i + 1]]`, which
/// increase, with weights that add up to 1; a spot without neighbors has an empty row.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialGraph {
    offsets: Vec<usize>,
    neighbors: Vec<u32>,
    weights: Vec<f64>,
    /// What was noticed: spots without neighbors, spots at one place.
    pub findings: Vec<Finding>,
}

impl SpatialGraph {
    /// The graph of positions (any unit). `array` holds row and column in the array of each spot, where
    /// known; a hexagonal one has columns in steps of two within a row.
    ///
    /// [`Error::Parameter`] for a kind that cannot be with so many spots, [`Error::Degenerate`] for positions
    /// that are not finite, all at one place or (for triangles) on one line, and for two spots at one place of
    /// the array. Costs about n log n and the neighbors found.
    pub fn new(positions: &[[f64; 2]], array: Option<&[[i64; 2]]>, kind: GraphKind, progress: &Progress) -> Result<Self> {
        if positions.len() < 2 {
            return Err(Error::degenerate(format!("{} spots have no neighbors; at least 2 were expected", positions.len())));
        }
        if let Some(i) = positions.iter().position(|p| !p.iter().all(|v| v.is_finite())) {
            return Err(Error::degenerate(format!("spot {} of {} has no position", i + 1, positions.len())));
        }
        progress.step(0.0, "finding neighbors")?;
        let lists = match (kind, array) {
            (GraphKind::Hex, Some(array)) => lattice(array)?,
            (GraphKind::Hex, None) => within(positions, 1.3 * pitch(positions)?, progress)?,
            (GraphKind::Nearest(k), _) => nearest(positions, k, progress)?,
            (GraphKind::Radius(r), _) if !r.is_finite() || r <= 0.0 => {
                return Err(Error::parameter(format!("radius {r}: a distance above 0 was expected")));
            }
            (GraphKind::Radius(r), _) => within(positions, r, progress)?,
            (GraphKind::Delaunay, _) => triangles(positions)?,
        };
        let mut graph = Self::from_lists(&lists);
        graph.notice(positions);
        Ok(graph)
    }

    /// The graph of neighbor lists, each weighted alike.
    #[must_use]
    pub fn from_lists(lists: &[Vec<u32>]) -> Self {
        let mut graph = Self { offsets: vec![0], neighbors: Vec::new(), weights: Vec::new(), findings: Vec::new() };
        for list in lists {
            graph.neighbors.extend(list);
            graph.weights.extend(std::iter::repeat_n(1.0 / list.len() as f64, list.len()));
            graph.offsets.push(graph.neighbors.len());
        }
        graph
    }

    /// Number of spots.
    #[must_use]
    pub fn n_spots(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of stored weights: each pair of mutual neighbors counts twice.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.neighbors.len()
    }

    /// Spots without neighbors.
    #[must_use]
    pub fn n_islands(&self) -> usize {
        self.offsets.windows(2).filter(|w| w[0] == w[1]).count()
    }

    /// Neighbors of a spot and their weights.
    #[must_use]
    pub fn row(&self, i: usize) -> (&[u32], &[f64]) {
        let range = self.offsets[i]..self.offsets[i + 1];
        (&self.neighbors[range.clone()], &self.weights[range])
    }

    /// Weighted sum of the neighbors' values of each spot.
    #[must_use]
    pub fn lag(&self, values: &[f64]) -> Vec<f64> {
        let sum = |i: usize| {
            let (neighbors, weights) = self.row(i);
            neighbors.iter().zip(weights).map(|(j, w)| w * values[*j as usize]).sum()
        };
        (0..self.n_spots()).map(sum).collect()
    }

    fn notice(&mut self, positions: &[[f64; 2]]) {
        let n = self.n_islands();
        if n > 0 {
            self.findings.push(Finding {
                severity: Severity::Warning,
                code: "spots-without-neighbors",
                what: format!("{n} of {} spots have no neighbors; they add nothing to sums over neighbors.", self.n_spots()),
                evidence: vec![("n_islands".into(), n as f64), ("n_spots".into(), self.n_spots() as f64)],
                remedy: "Take a larger radius or another kind of graph, or leave these spots out.".into(),
            });
        }
        let mut places: BTreeMap<[u64; 2], usize> = BTreeMap::new();
        // −0 and 0 are one place.
        positions.iter().for_each(|p| *places.entry(p.map(|v| (v + 0.0).to_bits())).or_default() += 1);
        let n = positions.len() - places.len();
        if n > 0 {
            self.findings.push(Finding {
                severity: Severity::Warning,
                code: "spots-at-one-place",
                what: format!("{n} spots lie exactly where another one does."),
                evidence: vec![("n_repeated".into(), n as f64)],
                remedy: "If these are several sections, give one at a time: their spots are no neighbors.".into(),
            });
        }
    }
}

/// Row and column of the array, where all spots have them as whole numbers (`array_row`, `array_col`).
#[must_use]
pub fn array_places(expression: &Expression) -> Option<Vec<[i64; 2]>> {
    let column = |name: &str| match expression.columns.get(name)? {
        Column::Number(values) if values.iter().all(|v| v.fract() == 0.0) => Some(values),
        _ => None,
    };
    Some(column("array_row")?.iter().zip(column("array_col")?).map(|(r, c)| [*r as i64, *c as i64]).collect())
}

/// Neighbors (row, column ± 2) and (row ± 1, column ± 1).
fn lattice(array: &[[i64; 2]]) -> Result<Vec<Vec<u32>>> {
    const AROUND: [[i64; 2]; 6] = [[0, -2], [0, 2], [-1, -1], [-1, 1], [1, -1], [1, 1]];
    let mut places: BTreeMap<[i64; 2], u32> = BTreeMap::new();
    for (i, place) in array.iter().enumerate() {
        if places.insert(*place, i as u32).is_some() {
            return Err(Error::degenerate(format!(
                "two spots are at row {} and column {} of the array; give one section at a time",
                place[0], place[1]
            )));
        }
    }
    let around = |p: &[i64; 2]| {
        let mut found: Vec<u32> = AROUND.iter().filter_map(|d| places.get(&[p[0] + d[0], p[1] + d[1]]).copied()).collect();
        found.sort_unstable();
        found
    };
    Ok(array.par_iter().map(around).collect())
}

/// Median distance to the nearest other spot.
fn pitch(positions: &[[f64; 2]]) -> Result<f64> {
    let tree = PointTree::new(positions);
    let distances: Vec<f64> = (0..positions.len()).into_par_iter().filter_map(|i| tree.nearest_other(i)).collect();
    let median = quantile_of(&distances, 0.5);
    if median > 0.0 {
        return Ok(median);
    }
    Err(Error::degenerate("most spots lie exactly where another one does, so they are no lattice; give one section at a time"))
}

fn nearest(positions: &[[f64; 2]], k: usize, progress: &Progress) -> Result<Vec<Vec<u32>>> {
    let n = positions.len();
    if k == 0 || k >= n {
        return Err(Error::parameter(format!("{k} nearest neighbors of {n} spots: from 1 to {} were expected", n - 1)));
    }
    let bins = Nearest::new(positions.to_vec());
    (0..n)
        .into_par_iter()
        .map(|i| {
            progress.step(i as f64 / n as f64, "finding neighbors")?;
            let mut found: Vec<u32> = bins.of(positions[i], k, |j| j != i).into_iter().map(|(_, j)| j as u32).collect();
            found.sort_unstable();
            Ok(found)
        })
        .collect()
}

/// All others up to a distance, by square bins of that size.
fn within(positions: &[[f64; 2]], radius: f64, progress: &Progress) -> Result<Vec<Vec<u32>>> {
    let bin = |p: &[f64; 2]| p.map(|v| (v / radius).floor().clamp(-9e15, 9e15) as i64);
    let mut bins: BTreeMap<[i64; 2], Vec<u32>> = BTreeMap::new();
    positions.iter().enumerate().for_each(|(i, p)| bins.entry(bin(p)).or_default().push(i as u32));
    let n = positions.len();
    (0..n)
        .into_par_iter()
        .map(|i| {
            progress.step(i as f64 / n as f64, "finding neighbors")?;
            let (p, [x, y]) = (positions[i], bin(&positions[i]));
            let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| [x, y]));
            let near = |j: &u32| {
                let q = positions[*j as usize];
                *j as usize != i && (p[0] - q[0]).hypot(p[1] - q[1]) <= radius
            };
            let mut found: Vec<u32> = around.filter_map(|b| bins.get(&b)).flatten().copied().filter(near).collect();
            found.sort_unstable();
            Ok(found)
        })
        .collect()
}

fn triangles(positions: &[[f64; 2]]) -> Result<Vec<Vec<u32>>> {
    let mut lists = vec![Vec::new(); positions.len()];
    for [a, b] in delaunay_edges(positions)? {
        lists[a as usize].push(b);
        lists[b as usize].push(a);
    }
    lists.iter_mut().for_each(|l| l.sort_unstable());
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    fn graph(positions: &[[f64; 2]], kind: GraphKind) -> SpatialGraph {
        SpatialGraph::new(positions, None, kind, &Progress::none()).unwrap()
    }

    #[test]
    fn a_lattice_is_found_from_array_and_from_positions() {
        let array: Vec<[i64; 2]> = (0..10).flat_map(|r| (0..8).map(move |c| [r, 2 * c + r % 2])).collect();
        let mut s = Stream::new(3, 1);
        let mut jitter = || s.between(-4.0, 4.0);
        let positions: Vec<[f64; 2]> =
            array.iter().map(|a| [a[1] as f64 * 50.0 + jitter(), a[0] as f64 * 86.6025 + jitter()]).collect();
        let by_array = SpatialGraph::new(&positions, Some(&array), GraphKind::Hex, &Progress::none()).unwrap();
        assert_eq!(by_array, graph(&positions, GraphKind::Hex));
        assert_eq!((by_array.row(27).0.len(), by_array.n_islands()), (6, 0));
        let twice: Vec<[i64; 2]> = array.iter().map(|a| [a[0] / 2, a[1] / 2]).collect();
        let error = SpatialGraph::new(&positions, Some(&twice), GraphKind::Hex, &Progress::none()).unwrap_err();
        assert!(error.to_string().contains("one section at a time"));
    }

    #[test]
    fn all_kinds_agree_with_looking_at_all() {
        let mut s = Stream::new(8, 2);
        let p: Vec<[f64; 2]> = (0..120).map(|_| [s.between(-5.0, 5.0), s.between(0.0, 3.0)]).collect();
        let distance = |i: usize, j: usize| (p[i][0] - p[j][0]).hypot(p[i][1] - p[j][1]);
        let (close, five, triangles) =
            (graph(&p, GraphKind::Radius(0.6)), graph(&p, GraphKind::Nearest(5)), graph(&p, GraphKind::Delaunay));
        for i in 0..120 {
            let mut others: Vec<usize> = (0..120).filter(|j| *j != i).collect();
            let want: Vec<u32> = others.iter().filter(|j| distance(i, **j) <= 0.6).map(|j| *j as u32).collect();
            assert_eq!(close.row(i).0, want);
            others.sort_by(|a, b| distance(i, *a).total_cmp(&distance(i, *b)));
            let mut want: Vec<u32> = others[..5].iter().map(|j| *j as u32).collect();
            want.sort_unstable();
            assert_eq!(five.row(i).0, want);
            // The nearest spot is always a corner of a common triangle.
            assert!(triangles.row(i).0.contains(&(others[0] as u32)));
            assert!(triangles.row(i).0.iter().all(|j| triangles.row(*j as usize).0.contains(&(i as u32))));
        }
        let sum = |i: usize| close.row(i).1.iter().sum::<f64>();
        assert!((0..120).all(|i| close.row(i).0.is_empty() || (sum(i) - 1.0).abs() < 1e-12));
    }

    #[test]
    fn islands_and_doubles_are_told_and_nonsense_is_refused() {
        let p = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [9.0, 9.0]];
        let found = graph(&p, GraphKind::Radius(2.0));
        assert_eq!(found.findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["spots-without-neighbors", "spots-at-one-place"]);
        let refused = |p: &[[f64; 2]], kind: GraphKind| SpatialGraph::new(p, None, kind, &Progress::none()).is_err();
        assert!(refused(&p, GraphKind::Radius(0.0)) && refused(&p, GraphKind::Radius(f64::NAN)));
        assert!(
            refused(&p, GraphKind::Nearest(0)) && refused(&p, GraphKind::Nearest(4)) && refused(&p[..1], GraphKind::Nearest(1))
        );
        assert!(refused(&[[0.0, 0.0], [f64::NAN, 1.0]], GraphKind::Nearest(1)));
        assert!(refused(&[[1.0, 1.0]; 5], GraphKind::Hex) && refused(&[[1.0, 1.0]; 5], GraphKind::Delaunay));
        assert!(refused(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], GraphKind::Delaunay), "a line has no triangles");
    }
}
