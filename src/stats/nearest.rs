//! Nearest points in the plane by square bins; ties go to the smaller number.

/// Points sorted into bins.
#[derive(Clone, Debug)]
pub struct Nearest {
    points: Vec<[f64; 2]>,
    low: [f64; 2],
    bin: f64,
    size: [usize; 2],
    /// Numbers of the points of each bin, increasing.
    bins: Vec<Vec<u32>>,
}

impl Nearest {
    /// Sorts finite points into bins of about two each.
    #[must_use]
    pub fn new(points: Vec<[f64; 2]>) -> Self {
        let fold = |axis: usize, f: fn(f64, f64) -> f64, from: f64| points.iter().map(|p| p[axis]).fold(from, f);
        let low = [fold(0, f64::min, f64::INFINITY), fold(1, f64::min, f64::INFINITY)];
        let high = [fold(0, f64::max, f64::NEG_INFINITY), fold(1, f64::max, f64::NEG_INFINITY)];
        let (wide, tall) = ((high[0] - low[0]).max(0.0), (high[1] - low[1]).max(0.0));
        let n_bins = (points.len() as f64 / 2.0).max(1.0);
        let bin = (wide * tall / n_bins).sqrt().max(wide.max(tall) / n_bins);
        let bin = if bin.is_finite() && bin > 0.0 { bin } else { 1.0 };
        let size = [(wide / bin) as usize + 1, (tall / bin) as usize + 1];
        let mut out = Self { low, bin, size, bins: vec![Vec::new(); size[0] * size[1]], points: Vec::new() };
        for (i, p) in points.iter().enumerate() {
            let [x, y] = out.bin_of(*p);
            out.bins[y * size[0] + x].push(i as u32);
        }
        out.points = points;
        out
    }

    fn bin_of(&self, p: [f64; 2]) -> [usize; 2] {
        std::array::from_fn(|a| (((p[a] - self.low[a]) / self.bin).max(0.0) as usize).min(self.size[a] - 1))
    }

    /// The `k` points nearest to a place among those that `keep` lets through, nearest first, with squared
    /// distances. Rings of bins around the place are searched until no nearer point can be left.
    pub fn of(&self, place: [f64; 2], k: usize, keep: impl Fn(usize) -> bool) -> Vec<(f64, usize)> {
        let mut best: Vec<(f64, usize)> = Vec::with_capacity(k + 1);
        let [cx, cy] = self.bin_of(place).map(|v| v as i64);
        // A place outside the bins is farther from their rings by this.
        let inside = [self.low[0] + (cx as f64 + 0.5) * self.bin, self.low[1] + (cy as f64 + 0.5) * self.bin];
        let off = (0..2).map(|a| ((place[a] - inside[a]).abs() - 0.5 * self.bin).max(0.0)).fold(0.0, f64::max);
        for ring in 0..=(self.size[0].max(self.size[1]) as i64) {
            let reach = (ring as f64 - 1.0) * self.bin - off;
            if k == 0 || (best.len() == k && reach > 0.0 && best[k - 1].0 < reach * reach) {
                break;
            }
            for y in cy - ring..=cy + ring {
                let edge = (y - cy).abs() == ring;
                let step = if edge || ring == 0 { 1 } else { 2 * ring };
                let mut x = cx - ring;
                while x <= cx + ring {
                    if (0..self.size[0] as i64).contains(&x) && (0..self.size[1] as i64).contains(&y) {
                        self.search(y as usize * self.size[0] + x as usize, place, k, &keep, &mut best);
                    }
                    x += step;
                }
            }
        }
        best
    }

    fn search(&self, bin: usize, at: [f64; 2], k: usize, keep: &impl Fn(usize) -> bool, best: &mut Vec<(f64, usize)>) {
        for i in self.bins[bin].iter().map(|&i| i as usize).filter(|&i| keep(i)) {
            let p = self.points[i];
            let new = ((p[0] - at[0]).powi(2) + (p[1] - at[1]).powi(2), i);
            let slot = best.partition_point(|old| *old < new);
            if slot < k {
                best.insert(slot, new);
                best.truncate(k);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    #[test]
    fn agrees_with_looking_at_all() {
        let mut s = Stream::new(4, 2);
        for n in [1, 7, 300] {
            let points: Vec<[f64; 2]> = (0..n).map(|_| [s.between(0.0, 9.0), s.between(0.0, 2.0)]).collect();
            let nearest = Nearest::new(points.clone());
            for _ in 0..60 {
                let at = [s.between(-3.0, 12.0), s.between(-6.0, 5.0)];
                let keep = |i: usize| i % 3 != 1;
                let mut all: Vec<(f64, usize)> = points
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| keep(*i))
                    .map(|(i, p)| ((p[0] - at[0]).powi(2) + (p[1] - at[1]).powi(2), i))
                    .collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                all.truncate(5);
                assert_eq!(nearest.of(at, 5, keep), all);
            }
        }
        assert!(Nearest::new(Vec::new()).of([0.0, 0.0], 3, |_| true).is_empty());
        assert_eq!(Nearest::new(vec![[1.0, 1.0]; 4]).of([0.0, 0.0], 2, |_| true), [(2.0, 0), (2.0, 1)]);
    }
}
