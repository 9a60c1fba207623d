//! One epoch of the map of cells: each cell is drawn by its neighbors and pushed by cells drawn at random, one after
//! another, while several cells are moved side by side in the lanes of one instruction. No sum goes across lanes, so the
//! places are the same whatever instructions a machine has.

// What is called for each group must become part of the function that has the instructions.
#![allow(clippy::inline_always)]

use super::embed::Curve;
use crate::base::stream_seed;
use crate::model::Graph;

/// Cells that are not neighbors, drawn for each neighbor.
const N_NEGATIVE: usize = 5;
/// Steps along one coordinate are not larger.
const MOST_STEP: f32 = 4.0;
/// Cells that are moved side by side.
const LANES: usize = 16;

/// Numbers of the cells side by side.
type Lanes = [f32; LANES];

/// Edges of the graph and how often each is used.
pub(super) struct Edges {
    offsets: Vec<usize>,
    targets: Vec<u32>,
    /// Part of the epochs in which an edge is used.
    shares: Vec<f32>,
}

impl Edges {
    /// Weights as parts of the largest; edges that are used less than once and those of a cell to itself are left out.
    pub fn new(graph: &Graph, epochs: usize) -> Self {
        let most = graph.parts().2.iter().copied().fold(0.0_f32, f32::max);
        let mut out = Self { offsets: vec![0], targets: Vec::new(), shares: Vec::new() };
        for cell in 0..graph.n_nodes() {
            let (targets, weights) = graph.edges(cell);
            for (&other, weight) in targets.iter().zip(weights) {
                let share = weight / most;
                if other as usize != cell && share * epochs as f32 >= 1.0 {
                    out.targets.push(other);
                    out.shares.push(share);
                }
            }
            out.offsets.push(out.targets.len());
        }
        out
    }

    /// Cells by how often they are drawn, so that those that are moved side by side end together.
    pub fn order(&self) -> Vec<u32> {
        let total = |cell: u32| {
            let range = self.offsets[cell as usize]..self.offsets[cell as usize + 1];
            self.shares[range].iter().map(|s| f64::from(*s)).sum::<f64>()
        };
        let mut cells: Vec<(f64, u32)> = (0..self.offsets.len() as u32 - 1).map(|cell| (total(cell), cell)).collect();
        cells.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        cells.into_iter().map(|c| c.1).collect()
    }

    /// Neighbors of a cell that draw it in an epoch: as often as the weight says.
    fn used(&self, cell: usize, epoch: usize, out: &mut Vec<u32>) {
        out.clear();
        let range = self.offsets[cell]..self.offsets[cell + 1];
        for (&other, &share) in self.targets[range.clone()].iter().zip(&self.shares[range]) {
            let share = f64::from(share);
            if (share * (epoch + 1) as f64) as u32 > (share * epoch as f64) as u32 {
                out.push(other);
            }
        }
    }
}

/// What moves cells in one epoch.
pub(super) struct Epoch<'a> {
    pub edges: &'a Edges,
    pub curve: Curve,
    pub epoch: usize,
    pub epochs: usize,
    pub seed: u64,
    pub places: &'a [[f32; 2]],
}

impl Epoch<'_> {
    /// The places of some cells after this epoch.
    pub fn run(&self, cells: &[u32], out: &mut [[f32; 2]]) {
        let arch = pulp::Arch::new();
        let mut used: [Vec<u32>; LANES] = Default::default();
        for (cells, part) in cells.chunks(LANES).zip(out.chunks_mut(LANES)) {
            used.iter_mut().for_each(Vec::clear);
            cells.iter().zip(&mut used).for_each(|(&cell, used)| self.edges.used(cell as usize, self.epoch, used));
            let lanes: [u32; LANES] = std::array::from_fn(|l| cells[l.min(cells.len() - 1)]);
            let moved = arch.dispatch(Group { epoch: self, cells: &lanes, used: &used });
            part.iter_mut().zip(moved).for_each(|(place, moved)| *place = moved);
        }
    }

    /// The places of a group of cells. A cell without an edge for this step is drawn by itself and not moved.
    #[inline(always)]
    fn group(&self, cells: &[u32; LANES], used: &[Vec<u32>; LANES]) -> [[f32; 2]; LANES] {
        let n = self.places.len() as u64;
        let rate = 1.0 - self.epoch as f32 / self.epochs as f32;
        let (mut x, mut y) = self.gather(cells);
        let mut state: [u64; LANES] = std::array::from_fn(|l| stream_seed(self.seed, u64::from(cells[l])) | 1);
        for step in 0..used.iter().map(Vec::len).max().unwrap_or(0) {
            let others: [u32; LANES] = std::array::from_fn(|l| used[l].get(step).copied().unwrap_or(cells[l]));
            let near_rate: Lanes = std::array::from_fn(|l| if step < used[l].len() { rate } else { 0.0 });
            let near = self.gather(&others);
            // Once for each of its directions.
            for _ in 0..2 {
                move_along::<true>(self.curve, &near_rate, (&mut x, &mut y), &near);
            }
            for _ in 0..N_NEGATIVE {
                for s in &mut state {
                    *s ^= *s << 13;
                    *s ^= *s >> 7;
                    *s ^= *s << 17;
                }
                let others: [u32; LANES] = std::array::from_fn(|l| (((state[l] >> 32) * n) >> 32) as u32);
                let far_rate: Lanes = std::array::from_fn(|l| if others[l] == cells[l] { 0.0 } else { near_rate[l] });
                move_along::<false>(self.curve, &far_rate, (&mut x, &mut y), &self.gather(&others));
            }
        }
        std::array::from_fn(|l| [x[l], y[l]])
    }

    /// Where cells were at the start of the epoch.
    #[inline(always)]
    fn gather(&self, cells: &[u32; LANES]) -> (Lanes, Lanes) {
        let (mut x, mut y) = ([0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            let place = self.places[cells[l] as usize];
            (x[l], y[l]) = (place[0], place[1]);
        }
        (x, y)
    }
}

/// A group of cells to move. A closure would not be compiled into the function that has the instructions.
struct Group<'a> {
    epoch: &'a Epoch<'a>,
    cells: &'a [u32; LANES],
    used: &'a [Vec<u32>; LANES],
}

impl pulp::WithSimd for Group<'_> {
    type Output = [[f32; 2]; LANES];

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        self.epoch.group(self.cells, self.used)
    }
}

/// Moves cells towards others, or away from them.
#[inline(always)]
fn move_along<const IS_NEAR: bool>(curve: Curve, rate: &Lanes, (x, y): (&mut Lanes, &mut Lanes), other: &(Lanes, Lanes)) {
    let Curve { a, b } = curve;
    for l in 0..LANES {
        let (along_x, along_y) = (x[l] - other.0[l], y[l] - other.1[l]);
        let square = along_x * along_x + along_y * along_y;
        // Cells on one another are not moved. Any ordinary number will do there; the smallest ones cost a processor a
        // hundred times as much.
        let safe = if square > f32::MIN_POSITIVE { square } else { 1.0 };
        let near = a * power(safe, b);
        let factor = if IS_NEAR { -2.0 * b * near / (safe * (1.0 + near)) } else { 2.0 * b / ((0.001 + safe) * (1.0 + near)) };
        x[l] += rate[l] * (factor * along_x).clamp(-MOST_STEP, MOST_STEP);
        y[l] += rate[l] * (factor * along_y).clamp(-MOST_STEP, MOST_STEP);
    }
}

/// x to the power p for positive x, to about 1e-5: logarithm and exponential to base 2 by short series, the
/// same on every machine.
#[inline(always)]
fn power(x: f32, p: f32) -> f32 {
    // Adding it rounds to a whole number, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let bits = x.to_bits();
    // Checks of overflow would keep the lanes from being worked on together.
    let exponent = ((bits >> 23) as i32).wrapping_sub(127);
    let m = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    // Around √2, where the series of (m − √2) / (m + √2) is short.
    let s = (m - std::f32::consts::SQRT_2) / (m + std::f32::consts::SQRT_2);
    let s2 = s * s;
    let log2 = exponent as f32 + 0.5 + s * (2.885_39 + s2 * (0.961_797 + s2 * (0.577_078 + s2 * 0.412_198)));
    let y = (p * log2).clamp(-126.0, 126.0);
    let rounded = y + ROUND;
    let f = y - (rounded - ROUND);
    let fraction = 1.0
        + f * (std::f32::consts::LN_2
            + f * (0.240_226_5 + f * (0.055_504_1 + f * (0.009_618_1 + f * (0.001_333_4 + f * 0.000_154)))));
    let whole = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    f32::from_bits((whole.wrapping_add(127) << 23) as u32) * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_near() {
        for x in [f32::MIN_POSITIVE, 1e-9_f32, 0.3, 1.0, 1.9, 77.0] {
            for p in [0.8_f32, 1.334] {
                let want = x.powf(p).max(2_f32.powi(-126));
                assert!((power(x, p) / want - 1.0).abs() < 1e-4, "{x} {p}");
            }
        }
    }

    #[test]
    fn edges_are_used_as_often_as_they_weigh() {
        let graph = Graph::new(vec![0, 3, 3, 3], vec![0, 1, 2], vec![1.0, 1.0, 0.25]).unwrap();
        let (edges, mut used, mut times) = (Edges::new(&graph, 20), Vec::new(), [0; 3]);
        for epoch in 0..20 {
            edges.used(0, epoch, &mut used);
            used.iter().for_each(|o| times[*o as usize] += 1);
        }
        assert_eq!(times, [0, 20, 5]);
        let rare = Edges::new(&graph, 3);
        assert_eq!(rare.targets, [1]);
    }

    #[test]
    fn lanes_do_not_change_a_cell() {
        let n = 40;
        let graph = Graph::new(
            (0..=n).map(|i| i * 3).collect(),
            (0..n * 3).map(|i| ((i / 3 + 1 + i % 3) % n) as u32).collect(),
            vec![1.0; n * 3],
        );
        let (edges, curve) = (Edges::new(&graph.unwrap(), 10), Curve { a: 0.583, b: 1.334 });
        let places: Vec<[f32; 2]> = (0..n).map(|i| [(i * 7 % 11) as f32, (i * 5 % 13) as f32]).collect();
        let epoch = Epoch { edges: &edges, curve, epoch: 2, epochs: 10, seed: 3, places: &places };
        let mut together = vec![[0.0; 2]; n];
        epoch.run(&(0..n as u32).collect::<Vec<_>>(), &mut together);
        for (cell, together) in together.iter().enumerate() {
            let mut alone = [[0.0; 2]];
            epoch.run(&[cell as u32], &mut alone);
            assert_eq!(alone[0], *together, "{cell}");
        }
        assert!(together.iter().flatten().all(|v| v.is_finite()));
    }
}
