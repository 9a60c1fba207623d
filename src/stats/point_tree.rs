//! A tree of points in the plane that answers "who is nearest" without looking at all of them.

/// Points split by turns at the median of x and y (Bentley 1975), stored as a balanced order.
/// Building costs O(n log² n), a question O(log n) on ordinary point sets.
#[derive(Clone, Debug)]
pub struct PointTree {
    points: Vec<[f64; 2]>,
    order: Vec<u32>,
}

impl PointTree {
    /// A tree of finite points.
    #[must_use]
    pub fn new(points: &[[f64; 2]]) -> Self {
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        split(points, &mut order, 0);
        Self { points: points.to_vec(), order }
    }

    /// The nearest point at a distance strictly below `radius`, with that distance; of equally near ones
    /// the one that is met first.
    #[must_use]
    pub fn nearest_within(&self, p: [f64; 2], radius: f64) -> Option<(usize, f64)> {
        let mut best = (None, radius);
        self.walk(p, &self.order, (0, None), &mut best);
        best.0.map(|i| (i, best.1))
    }

    /// Distance from a point of the tree to the nearest other one.
    #[must_use]
    pub fn nearest_other(&self, i: usize) -> Option<f64> {
        let mut best = (None, f64::INFINITY);
        self.walk(self.points[i], &self.order, (0, Some(i)), &mut best);
        best.0.map(|_| best.1)
    }

    fn walk(&self, p: [f64; 2], part: &[u32], (axis, not): (usize, Option<usize>), best: &mut (Option<usize>, f64)) {
        let Some(&middle) = part.get(part.len() / 2) else { return };
        let (before, after) = (&part[..part.len() / 2], &part[part.len() / 2 + 1..]);
        let q = self.points[middle as usize];
        let distance = (q[0] - p[0]).hypot(q[1] - p[1]);
        if distance < best.1 && not != Some(middle as usize) {
            *best = (Some(middle as usize), distance);
        }
        let side = p[axis] - q[axis];
        let (near, far) = if side < 0.0 { (before, after) } else { (after, before) };
        self.walk(p, near, (1 - axis, not), best);
        if side.abs() < best.1 {
            self.walk(p, far, (1 - axis, not), best);
        }
    }
}

fn split(points: &[[f64; 2]], part: &mut [u32], axis: usize) {
    if part.len() < 2 {
        return;
    }
    let middle = part.len() / 2;
    let key = |i: u32| points[i as usize][axis];
    part.select_nth_unstable_by(middle, |&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
    split(points, &mut part[..middle], 1 - axis);
    split(points, &mut part[middle + 1..], 1 - axis);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    #[test]
    fn finds_what_a_full_search_finds() {
        let mut stream = Stream::new(5, 0);
        let points: Vec<[f64; 2]> =
            (0..400).map(|i| if i % 3 == 0 { [1.0, 2.0] } else { [stream.normal(), stream.normal()] }).collect();
        let tree = PointTree::new(&points);
        for _ in 0..300 {
            let p = [stream.between(-3.0, 3.0), stream.between(-3.0, 3.0)];
            let all = points.iter().map(|q| (q[0] - p[0]).hypot(q[1] - p[1])).fold(f64::INFINITY, f64::min);
            assert_eq!(tree.nearest_within(p, f64::INFINITY).unwrap().1, all);
            assert_eq!(tree.nearest_within(p, 0.2).is_some(), all < 0.2);
        }
        assert!(PointTree::new(&[]).nearest_within([0.0, 0.0], 9.0).is_none());
    }
}
