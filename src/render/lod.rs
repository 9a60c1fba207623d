//! An order of points in which every prefix of levels is an even subsample: level `l` holds the first
//! point of each cell of a 2ˡ × 2ˡ grid that no coarser level has taken. Inside a level the points lie in
//! Morton order, so what is out of sight is left out as whole runs.
//!
//! Found from one sort: a point's level follows from how many leading bits its Morton code shares with
//! the code before it. The codes are scrambled by one constant, which keeps cells together but takes
//! the first point of a cell from all corners alike.

use rayon::prelude::*;
use std::ops::Range;

/// Levels 0 to 16, and one for points that share a cell of the finest.
const N_LEVELS: usize = 18;
/// Tiles along each side for culling.
const TILE_SIDE: u32 = 32;
const N_TILES: usize = (TILE_SIDE * TILE_SIDE) as usize;
const SCRAMBLE: u32 = 0x9E37_79B9;
/// Runs nearer to each other than this are drawn as one.
const GAP: u32 = 2048;

/// Points in drawing order.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    /// Positions in the new order; points that are not finite are left out.
    pub positions: Vec<[f32; 2]>,
    /// Old index of each.
    pub order: Vec<u32>,
    /// First point of each (level, tile), and the number of points.
    starts: Vec<u32>,
    low: [f32; 2],
    extent: f32,
}

/// Which points a view needs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Visible {
    pub(super) runs: Vec<Range<u32>>,
    /// Points in the runs.
    pub(super) n_shown: usize,
    /// Points in sight.
    pub(super) n_total: usize,
}

/// Orders points for drawing. About 0.1 µs a point; for a worker thread.
#[must_use]
pub fn prepare_points(positions: &[[f32; 2]]) -> Ordered {
    let (low, extent) = bounds(positions);
    let code = |p: &[f32; 2]| {
        let axis = |v: f32, low: f32| (((v - low) / extent) * 65536.0).clamp(0.0, 65535.0) as u32;
        (spread(axis(p[0], low[0])) | spread(axis(p[1], low[1])) << 1) ^ SCRAMBLE
    };
    let mut keys: Vec<u64> = positions
        .par_iter()
        .enumerate()
        .filter(|(_, p)| p[0].is_finite() && p[1].is_finite())
        .map(|(i, p)| u64::from(code(p)) << 32 | i as u64)
        .collect();
    keys.par_sort_unstable();
    let slot = |k: usize| {
        let code = (keys[k] >> 32) as u32;
        let level = if k == 0 { 0 } else { level_after((keys[k - 1] >> 32) as u32, code) };
        level * N_TILES + (code >> 22) as usize
    };
    let mut starts = vec![0u32; N_LEVELS * N_TILES + 1];
    (0..keys.len()).for_each(|k| starts[slot(k) + 1] += 1);
    (0..N_LEVELS * N_TILES).for_each(|s| starts[s + 1] += starts[s]);
    let mut next = starts.clone();
    let mut order = vec![0u32; keys.len()];
    for (k, key) in keys.iter().enumerate() {
        let at = &mut next[slot(k)];
        order[*at as usize] = *key as u32;
        *at += 1;
    }
    let positions = order.par_iter().map(|&i| positions[i as usize]).collect();
    Ordered { positions, order, starts, low, extent }
}

/// The coarsest level at which the second code begins a new cell.
fn level_after(before: u32, code: u32) -> usize {
    match before ^ code {
        0 => N_LEVELS - 1,
        different => different.leading_zeros() as usize / 2 + 1,
    }
}

fn bounds(positions: &[[f32; 2]]) -> ([f32; 2], f32) {
    let mut low = [f32::INFINITY; 2];
    let mut high = [f32::NEG_INFINITY; 2];
    for p in positions.iter().filter(|p| p[0].is_finite() && p[1].is_finite()) {
        for axis in 0..2 {
            low[axis] = low[axis].min(p[axis]);
            high[axis] = high[axis].max(p[axis]);
        }
    }
    let extent = (high[0] - low[0]).max(high[1] - low[1]);
    if extent.is_finite() { (low, extent.max(f32::MIN_POSITIVE * 1e6)) } else { ([0.0; 2], 1.0) }
}

/// Puts a zero between the bits of a 16-bit number.
fn spread(v: u32) -> u32 {
    let v = (v | v << 8) & 0x00FF_00FF;
    let v = (v | v << 4) & 0x0F0F_0F0F;
    let v = (v | v << 2) & 0x3333_3333;
    (v | v << 1) & 0x5555_5555
}

fn gather(v: u32) -> u32 {
    let v = v & 0x5555_5555;
    let v = (v | v >> 1) & 0x3333_3333;
    let v = (v | v >> 2) & 0x0F0F_0F0F;
    let v = (v | v >> 4) & 0x00FF_00FF;
    (v | v >> 8) & 0xFFFF
}

impl Ordered {
    /// Permutes values given in the old order.
    #[must_use]
    pub fn values(&self, values: &[f32]) -> Vec<f32> {
        self.order.par_iter().map(|&i| values.get(i as usize).copied().unwrap_or(f32::NAN)).collect()
    }

    /// The square that holds all points: least and greatest corner.
    pub(super) fn bounds(&self) -> [[f32; 2]; 2] {
        [self.low, self.low.map(|v| v + self.extent)]
    }

    /// The points that lie in a box (least, greatest corner) and in levels of cells of at least
    /// `least_cell` (all levels where even the finest cell is larger).
    pub(super) fn visible(&self, bounds: [[f32; 2]; 2], least_cell: f32) -> Visible {
        let n_levels = self.n_levels(least_cell);
        let in_sight: Vec<bool> = (0..N_TILES as u32).map(|tile| self.tile_meets(tile, bounds)).collect();
        let mut runs: Vec<Range<u32>> = Vec::new();
        let (mut n_total, mut n_shown) = (0, 0);
        for (slot, pair) in self.starts.windows(2).enumerate() {
            if !in_sight[slot % N_TILES] || pair[0] == pair[1] {
                continue;
            }
            n_total += (pair[1] - pair[0]) as usize;
            if slot / N_TILES >= n_levels {
                continue;
            }
            n_shown += (pair[1] - pair[0]) as usize;
            match runs.last_mut() {
                Some(last) if pair[0] - last.end < GAP => last.end = pair[1],
                _ => runs.push(pair[0]..pair[1]),
            }
        }
        Visible { runs, n_shown, n_total }
    }

    fn n_levels(&self, least_cell: f32) -> usize {
        if self.extent / 65536.0 >= least_cell {
            return N_LEVELS;
        }
        (1..17).take_while(|&level| self.extent / (1u32 << level) as f32 >= least_cell).count() + 1
    }

    fn tile_meets(&self, tile: u32, [low, high]: [[f32; 2]; 2]) -> bool {
        let code = (tile << 22) ^ (SCRAMBLE & 0xFFC0_0000);
        let side = self.extent / TILE_SIDE as f32;
        let at = |bits: u32, low: f32| low + (gather(bits) >> 11) as f32 * side;
        let corner = [at(code, self.low[0]), at(code >> 1, self.low[1])];
        // A hair of margin, because codes are rounded.
        let margin = side * 1e-3;
        (0..2).all(|axis| corner[axis] - margin <= high[axis] && corner[axis] + side + margin >= low[axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn cloud(n: usize) -> Vec<[f32; 2]> {
        let mut state = 17u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        (0..n).map(|_| [next() * 100.0 - 20.0, next() * 60.0 + 5.0]).collect()
    }

    #[test]
    fn every_point_once_and_one_a_cell() {
        let mut points = cloud(20_000);
        points[7] = [f32::NAN, 3.0];
        let ordered = prepare_points(&points);
        let unique: BTreeSet<u32> = ordered.order.iter().copied().collect();
        assert_eq!((unique.len(), ordered.order.len(), unique.contains(&7)), (19_999, 19_999, false));
        assert!(ordered.order.iter().zip(&ordered.positions).all(|(&i, p)| points[i as usize] == *p));
        for level in [3, 5, 7] {
            let end = ordered.starts[(level + 1) * N_TILES] as usize;
            let cell = |p: &[f32; 2]| {
                let axis = |v: f32, low: f32| ((v - low) / ordered.extent * 65536.0).clamp(0.0, 65535.0) as u32 >> (16 - level);
                (axis(p[0], ordered.low[0]), axis(p[1], ordered.low[1]))
            };
            let taken: BTreeSet<_> = ordered.positions[..end].iter().map(cell).collect();
            let all: BTreeSet<_> = ordered.positions.iter().map(cell).collect();
            assert_eq!(taken.len(), end, "two points in a cell of level {level}");
            assert_eq!(taken, all, "an empty cell at level {level}");
        }
    }

    #[test]
    fn runs_hold_all_that_is_in_sight() {
        let ordered = prepare_points(&cloud(50_000));
        let bounds = [[10.0, 20.0], [25.0, 31.0]];
        let visible = ordered.visible(bounds, 1e-9);
        let mut drawn = vec![false; ordered.positions.len()];
        visible.runs.iter().for_each(|r| (r.start..r.end).for_each(|i| drawn[i as usize] = true));
        let inside = |p: &[f32; 2]| (0..2).all(|a| p[a] >= bounds[0][a] && p[a] <= bounds[1][a]);
        assert!(ordered.positions.iter().zip(&drawn).all(|(p, &d)| d || !inside(p)));
        assert!(visible.n_shown < 10_000 && visible.n_shown == visible.n_total);
        let coarse = ordered.visible([[-1e3; 2], [1e3; 2]], 1.0);
        assert_eq!(coarse.runs.len(), 1);
        assert!(coarse.n_shown <= 128 * 128 && coarse.n_total == 50_000);
    }

    #[test]
    fn odd_inputs() {
        assert!(prepare_points(&[]).positions.is_empty());
        let same = prepare_points(&[[3.0, 3.0]; 5]);
        assert_eq!(same.visible([[0.0; 2], [9.0; 2]], 1e-30).n_total, 5);
        assert_eq!(gather(spread(0xBEEF)), 0xBEEF);
    }
}
