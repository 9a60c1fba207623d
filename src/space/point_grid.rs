//! Which of many points in the plane is nearest: buckets of one regular grid, a few points in each.

use super::DVec2;

/// Points wanted in a bucket.
const PER_BUCKET: f64 = 2.0;
/// Most buckets along one axis.
const MOST_BUCKETS: usize = 4096;

/// Points sorted into buckets. Making it costs about 30 ns a point, a search a few buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct PointGrid {
    low: DVec2,
    /// Side of a bucket.
    side: f64,
    n: [usize; 2],
    /// First entry of each bucket, and the number of entries.
    starts: Vec<u32>,
    /// Numbers of the points, bucket by bucket, rising in each.
    points: Vec<u32>,
}

impl PointGrid {
    /// Sorts points that are finite; at most `u32::MAX` of them.
    #[must_use]
    pub fn new(points: &[DVec2]) -> Self {
        let finite = || points.iter().copied().filter(|p| p.is_finite());
        let low = finite().reduce(DVec2::min).unwrap_or_default();
        let extent = finite().reduce(DVec2::max).unwrap_or_default() - low;
        let longest = if extent.max_element() > 0.0 { extent.max_element() } else { 1.0 };
        let area = (extent.x * extent.y).max(longest * longest * 1e-6);
        let side = (area * PER_BUCKET / points.len().max(1) as f64).sqrt().max(longest / (MOST_BUCKETS - 1) as f64);
        let n = [extent.x, extent.y].map(|e| (e / side).floor() as usize + 1);
        let mut grid = Self { low, side, n, starts: vec![0; n[0] * n[1] + 1], points: Vec::new() };
        let slots: Vec<Option<usize>> = points.iter().map(|p| p.is_finite().then(|| grid.slot(grid.bucket(*p)))).collect();
        slots.iter().flatten().for_each(|s| grid.starts[s + 1] += 1);
        for slot in 0..n[0] * n[1] {
            grid.starts[slot + 1] += grid.starts[slot];
        }
        let mut next = grid.starts.clone();
        grid.points = vec![0; grid.starts.last().map_or(0, |&n| n as usize)];
        for (i, slot) in slots.iter().enumerate() {
            if let Some(slot) = *slot {
                grid.points[next[slot] as usize] = i as u32;
                next[slot] += 1;
            }
        }
        grid
    }

    /// The point nearest to `at` that is at most `within` away, the first of equals. `points` are those it was
    /// made from.
    #[must_use]
    pub fn nearest(&self, points: &[DVec2], at: DVec2, within: f64) -> Option<usize> {
        if !at.is_finite() || within.is_nan() || within < 0.0 || self.points.is_empty() {
            return None;
        }
        let middle = ((at - self.low) / self.side).floor();
        let ends = DVec2::new(self.n[0] as f64 - 1.0, self.n[1] as f64 - 1.0);
        // Buckets lie in the rings from `nearest` to `farthest`; a point in ring r is at least r − 1 sides away.
        let nearest = (middle - ends).max(-middle).max_element().max(0.0);
        let farthest = middle.abs().max((ends - middle).abs()).max_element();
        let last = (within / self.side).ceil() + 1.0;
        if nearest > last {
            return None;
        }
        let mut best: Option<(f64, usize)> = None;
        for ring in nearest as i64..=last.min(farthest) as i64 {
            if best.is_some_and(|(d, _)| d < ((ring - 1).max(0) as f64 * self.side).powi(2)) {
                break;
            }
            self.each_in_ring([middle.x as i64, middle.y as i64], ring, |i| {
                let d = points.get(i).map_or(f64::INFINITY, |p| p.distance_squared(at));
                if d <= within * within && best.is_none_or(|(least, j)| d < least || (d == least && i < j)) {
                    best = Some((d, i));
                }
            });
        }
        best.map(|(_, i)| i)
    }

    fn each_in_ring(&self, [x, y]: [i64; 2], ring: i64, mut visit: impl FnMut(usize)) {
        let [nx, ny] = self.n.map(|n| n as i64);
        let mut bucket = |i: i64, j: i64| {
            let slot = j as usize * self.n[0] + i as usize;
            let range = self.starts[slot] as usize..self.starts[slot + 1] as usize;
            self.points[range].iter().for_each(|&p| visit(p as usize));
        };
        let inside = |v: i64, n: i64| (0..n).contains(&v);
        let mut row = |j: i64| ((x - ring).max(0)..=(x + ring).min(nx - 1)).for_each(|i| bucket(i, j));
        if inside(y - ring, ny) {
            row(y - ring);
        }
        if ring > 0 && inside(y + ring, ny) {
            row(y + ring);
        }
        for j in (y - ring + 1).max(0)..=(y + ring - 1).min(ny - 1) {
            [x - ring, x + ring].into_iter().filter(|i| inside(*i, nx)).for_each(|i| bucket(i, j));
        }
    }

    fn bucket(&self, p: DVec2) -> [usize; 2] {
        let at = (p - self.low) / self.side;
        [(at.x as usize).min(self.n[0] - 1), (at.y as usize).min(self.n[1] - 1)]
    }

    fn slot(&self, [x, y]: [usize; 2]) -> usize {
        y * self.n[0] + x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stream_seed;
    use std::time::Instant;

    fn number(stream: u64, i: u64) -> f64 {
        (stream_seed(stream, i) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn cloud(n: u64) -> Vec<DVec2> {
        // Half of them in clusters, so that some buckets are full and many are empty.
        let at = |i: u64| match i % 2 {
            0 => DVec2::new(number(1, i) * 900.0, number(2, i) * 300.0),
            _ => DVec2::new(number(3, i % 16) * 900.0 + number(1, i), number(4, i % 16) * 300.0 + number(2, i)),
        };
        (0..n).map(at).collect()
    }

    fn by_all(points: &[DVec2], at: DVec2, within: f64) -> Option<usize> {
        let near = points.iter().enumerate().filter(|(_, p)| p.distance(at) <= within);
        near.min_by(|a, b| a.1.distance_squared(at).total_cmp(&b.1.distance_squared(at))).map(|(i, _)| i)
    }

    #[test]
    fn as_a_search_through_all() {
        let mut points = cloud(3000);
        points[10] = DVec2::new(f64::NAN, 1.0);
        let grid = PointGrid::new(&points);
        for i in 0..2000 {
            let at = DVec2::new(number(7, i) * 1100.0 - 100.0, number(8, i) * 500.0 - 100.0);
            let within = number(9, i) * 60.0;
            assert_eq!(grid.nearest(&points, at, within), by_all(&points, at, within), "{at} within {within}");
        }
        assert_eq!(grid.nearest(&points, DVec2::new(1e300, 0.0), 5.0), None);
        assert_eq!(grid.nearest(&points, DVec2::NAN, 5.0), None);
    }

    #[test]
    fn odd_sets() {
        assert_eq!(PointGrid::new(&[]).nearest(&[], DVec2::ZERO, 1.0), None);
        let same = vec![DVec2::splat(3.0); 5];
        assert_eq!(PointGrid::new(&same).nearest(&same, DVec2::splat(3.5), 1.0), Some(0));
        let line: Vec<DVec2> = (0..500).map(|i| DVec2::new(f64::from(i), 0.0)).collect();
        assert_eq!(PointGrid::new(&line).nearest(&line, DVec2::new(77.4, 0.3), 1.0), Some(77));
    }

    #[test]
    fn a_million_points_cost_no_frame() {
        let points = cloud(1_000_000);
        let grid = PointGrid::new(&points);
        let began = Instant::now();
        let n = 10_000;
        let hits = (0..n)
            .filter(|&i| {
                let at = DVec2::new(number(7, i) * 900.0, number(8, i) * 300.0);
                grid.nearest(&points, at, 2.0).is_some()
            })
            .count();
        let each_us = began.elapsed().as_secs_f64() * 1e6 / n as f64;
        assert!(hits > 9000, "{hits}");
        assert!(each_us < 1000.0, "a search takes {each_us:.1} µs");
    }
}
