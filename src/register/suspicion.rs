//! Landmarks that were placed in a wrong way: the whole section mirrored, or two points exchanged.
//!
//! Both are found from how much a least-squares fit gains. Exchanging two fixed points changes the sum
//! of squared residuals in closed form through the hat matrix, so all n(n−1)/2 exchanges cost O(n²).

use super::fit_2d::{orthonormal_columns, similarity};
use super::shape::Shape;
use crate::model::{Landmarks, Mirror};
use crate::space::{DAffine2, DVec2};

/// A mirror is suspected where the proper fit is this much worse than the reflected one…
const MIRROR_RATIO: f64 = 2.0;
/// …and leaves residuals of more than this share of the points' spread.
const MIRROR_FLOOR: f64 = 0.1;
/// An exchange counts where it explains more than this many residual variances…
const SWAP_GAIN: f64 = 24.0;
/// …and moves the sum of squares by more than this share of the squared spread.
const SWAP_FLOOR: f64 = 0.01;
/// From this many pairs on, exchanges are judged against an affine map, so that uneven shrinkage of
/// the tissue does not hide them; below, against a similarity.
const AFFINE_FROM: usize = 6;
/// At most this many exchanges are named.
const MOST_SWAPS: usize = 3;

/// RMS of the best similarity and of the best similarity with reflection, in the unit of `fixed`.
/// Suspected where at least 3 pairs fit more than twice as well mirrored and the proper fit is off by
/// more than a tenth of the spread, unless exchanging two points explains it better.
#[must_use]
pub fn mirrored(moving: &[DVec2], fixed: &[DVec2]) -> Mirror {
    let [rms_proper_mm, rms_reflected_mm] = both_rms(moving, fixed);
    Mirror {
        suspected: looks_mirrored(moving, &exchanged(moving, fixed, &swapped(moving, fixed))),
        rms_proper_mm,
        rms_reflected_mm,
    }
}

/// Pairs of indices whose fixed points look exchanged, most telling first; at most three. Needs 4
/// pairs. Empty where the section looks mirrored and that explains the misfit better.
#[must_use]
pub fn swapped(moving: &[DVec2], fixed: &[DVec2]) -> Vec<[usize; 2]> {
    let n = moving.len();
    if n < 4 || n != fixed.len() || Shape::of(moving).is_line() {
        return Vec::new();
    }
    let found = greedy_swaps(moving, fixed);
    let mended = exchanged(moving, fixed, &found);
    if n < AFFINE_FROM && !found.is_empty() && both_rms(moving, fixed)[1] <= both_rms(moving, &mended)[0] {
        return Vec::new();
    }
    found
}

fn looks_mirrored(moving: &[DVec2], fixed: &[DVec2]) -> bool {
    let [proper, reflected] = both_rms(moving, fixed);
    moving.len() >= 3 && proper > MIRROR_RATIO * reflected && proper > MIRROR_FLOOR * Shape::of(fixed).radius()
}

fn both_rms(moving: &[DVec2], fixed: &[DVec2]) -> [f64; 2] {
    let flipped: Vec<DVec2> = moving.iter().map(|p| DVec2::new(-p.x, p.y)).collect();
    [moving, &flipped].map(|from| {
        let map = similarity(from, fixed, false);
        let sum: f64 = from.iter().zip(fixed).map(|(p, q)| map.transform_point2(*p).distance_squared(*q)).sum();
        (sum / from.len().max(1) as f64).sqrt()
    })
}

fn exchanged(moving: &[DVec2], fixed: &[DVec2], swaps: &[[usize; 2]]) -> Vec<DVec2> {
    let mut mended = fixed[..moving.len().min(fixed.len())].to_vec();
    swaps.iter().for_each(|[i, j]| mended.swap(*i, *j));
    mended
}

/// Takes the best exchange again and again; accepts as many as end in a large gain.
fn greedy_swaps(moving: &[DVec2], fixed: &[DVec2]) -> Vec<[usize; 2]> {
    let n = moving.len();
    let hat = Hat::new(moving);
    let floor = SWAP_FLOOR * Shape::of(fixed).radius().powi(2);
    let (mut now, mut found, mut n_accepted) = (fixed.to_vec(), Vec::<[usize; 2]>::new(), 0);
    let mut before = hat.sum_of_squares(&now);
    while found.len() < MOST_SWAPS && n >= 2 * found.len() + 4 {
        let Some((swap, after)) = hat.best_swap(&now, &found.concat()) else { break };
        if after >= before {
            break;
        }
        now.swap(swap[0], swap[1]);
        found.push(swap);
        if before > after * (1.0 + SWAP_GAIN / hat.freedom) && before - after > floor {
            n_accepted = found.len();
        }
        before = after;
    }
    found.truncate(n_accepted);
    found
}

/// The hat matrix of a least-squares map, real for an affine, complex for a similarity.
struct Hat {
    /// One complex column per direction of the fit, orthonormal.
    columns: Vec<Vec<DVec2>>,
    /// Residual degrees of freedom.
    freedom: f64,
}

impl Hat {
    fn new(moving: &[DVec2]) -> Self {
        let n = moving.len();
        let shape = Shape::of(moving);
        let constant = vec![DVec2::new((n as f64).sqrt().recip(), 0.0); n];
        if n >= AFFINE_FROM {
            let [first, second, _] = orthonormal_columns(moving, shape.mean);
            let real = |v: Vec<f64>| v.into_iter().map(|x| DVec2::new(x, 0.0)).collect();
            return Self { columns: vec![constant, real(first.1), real(second.1)], freedom: (2 * n - 6) as f64 };
        }
        let length = shape.radius() * (n as f64).sqrt();
        let turn = moving.iter().map(|p| (*p - shape.mean) / length).collect();
        Self { columns: vec![constant, turn], freedom: (2 * n - 4) as f64 }
    }

    fn residuals(&self, fixed: &[DVec2]) -> Vec<DVec2> {
        let mut rest = fixed.to_vec();
        for column in &self.columns {
            let share: DVec2 = column.iter().zip(fixed).map(|(u, q)| times_conjugate(*q, *u)).sum();
            rest.iter_mut().zip(column).for_each(|(r, u)| *r -= times(share, *u));
        }
        rest
    }

    fn sum_of_squares(&self, fixed: &[DVec2]) -> f64 {
        self.residuals(fixed).iter().map(|r| r.length_squared()).sum()
    }

    /// Real part of entry (i, j).
    fn entry(&self, i: usize, j: usize) -> f64 {
        self.columns.iter().map(|u| u[i].dot(u[j])).sum()
    }

    /// The exchange (of points not in `used`) with the least sum of squares, and that sum.
    fn best_swap(&self, fixed: &[DVec2], used: &[usize]) -> Option<([usize; 2], f64)> {
        let rest = self.residuals(fixed);
        let now: f64 = rest.iter().map(|r| r.length_squared()).sum();
        let free: Vec<usize> = (0..fixed.len()).filter(|i| !used.contains(i)).collect();
        let pairs = free.iter().enumerate().flat_map(|(k, &i)| free[k + 1..].iter().map(move |&j| [i, j]));
        pairs
            .map(|[i, j]| {
                let d = fixed[j] - fixed[i];
                let own = 2.0 - self.entry(i, i) - self.entry(j, j) + 2.0 * self.entry(i, j);
                ([i, j], (now + 2.0 * d.dot(rest[i] - rest[j]) + d.length_squared() * own).max(0.0))
            })
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

fn times(a: DVec2, b: DVec2) -> DVec2 {
    DVec2::new(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
}

fn times_conjugate(a: DVec2, b: DVec2) -> DVec2 {
    times(a, DVec2::new(b.x, -b.y))
}

/// The flip of section space (mm, corners least and greatest of its picture) about the picture's
/// middle: x ↦ low + high − x. It is its own inverse; moving points go through it, or a warp is composed
/// after it.
#[must_use]
pub fn mend_mirror(section_bounds_mm: [DVec2; 2]) -> DAffine2 {
    let [low, high] = section_bounds_mm;
    DAffine2::from_cols(DVec2::NEG_X, DVec2::Y, DVec2::new(low.x + high.x, 0.0))
}

/// The landmarks with the fixed points of two named pairs exchanged; `None` where a name is unknown.
#[must_use]
pub fn mend_swap(landmarks: &Landmarks, names: &[String; 2]) -> Option<Landmarks> {
    let at = |name: &String| landmarks.pairs.iter().position(|l| l.name == *name);
    let (i, j) = (at(&names[0])?, at(&names[1])?);
    let mut mended = landmarks.clone();
    let kept = mended.pairs[i].fixed;
    mended.pairs[i].fixed = mended.pairs[j].fixed;
    mended.pairs[j].fixed = kept;
    Some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Landmark;
    use crate::space::DVec3;

    #[test]
    fn flip_is_its_own_inverse_and_keeps_the_picture() {
        let flip = mend_mirror([DVec2::new(-0.5, -0.5), DVec2::new(9.5, 4.5)]);
        let p = DVec2::new(2.0, 3.0);
        assert_eq!(flip.transform_point2(p), DVec2::new(7.0, 3.0));
        assert_eq!(flip.transform_point2(flip.transform_point2(p)), p);
    }

    #[test]
    fn swap_exchanges_fixed_points_by_name() {
        let mut landmarks = Landmarks::default();
        for (name, x) in [("a", 1.0), ("b", 2.0)] {
            landmarks.pairs.push(Landmark { fixed: Some(DVec3::X * x), ..Landmark::named(name) });
        }
        let mended = mend_swap(&landmarks, &["b".into(), "a".into()]).unwrap();
        assert_eq!(mended.pairs[0].fixed, Some(DVec3::X * 2.0));
        assert_eq!(mended.pairs[0].name, "a");
        assert!(mend_swap(&landmarks, &["a".into(), "c".into()]).is_none());
    }

    #[test]
    fn closed_form_of_an_exchange_is_the_refit() {
        let moving = [(0.0, 0.0), (9.0, 1.0), (4.0, 7.0), (2.0, 3.0), (8.0, 8.0), (1.0, 6.0)].map(|(x, y)| DVec2::new(x, y));
        let fixed = moving.map(|p| DVec2::new(1.1 * p.x - 0.4 * p.y + 0.1 * p.x.sin(), 0.3 * p.x + p.y + 0.2 * p.y.cos()));
        for n in [5, 6] {
            let hat = Hat::new(&moving[..n]);
            let (swap, after) = hat.best_swap(&fixed[..n], &[]).unwrap();
            let mut now = fixed[..n].to_vec();
            now.swap(swap[0], swap[1]);
            assert!((hat.sum_of_squares(&now) - after).abs() < 1e-9 * after);
            let rms = both_rms(&moving[..n], &fixed[..n])[0];
            assert!(n == 6 || (hat.sum_of_squares(&fixed[..n]) - rms * rms * n as f64).abs() < 1e-12);
        }
    }
}
