//! Slices between drawn ones, by shape: signed distances to the outlines are mixed linearly (Raya and Udupa
//! 1990, IEEE TMI 9:32; Herman, Zheng and Bucholtz 1992).

use super::cleanup::enclosed;
use super::slices::Slices;
use crate::base::{Error, Progress, Result};
use crate::imaging::distance_mm;
use std::collections::{BTreeMap, BTreeSet};

/// Where both outlines are as far, rounding would decide; such pixels belong to the shape.
const TIE_MM: f64 = -1e-9;

/// Voxels (index, value; rising) of the empty slices between drawn ones along `axis`. A slice is drawn where it
/// holds any of `values` (all labels where it is empty).
///
/// Signed distance of a pixel: mm to the nearest pixel center outside, less mm to the nearest inside, axes
/// taken as perpendicular with steps of `spacing_mm`. Between slices it is mixed linearly in the number of the
/// slice. The union of the labels is where its distance is at least 0. A pixel there belongs to the innermost
/// label whose own shape (with the labels that it encloses) holds it, else to the nearest. A label of one end
/// only vanishes half way. Shapes must overlap when laid on each other, or nothing lies between them. [`Error::Degenerate`] for fewer than two drawn slices, or none empty between them.
/// Cost: labels · pixels of the slices between.
pub fn interpolate_slices(
    voxels: &[u8],
    (size, spacing_mm): ([usize; 3], [f64; 3]),
    axis: usize,
    values: &[u8],
    progress: &Progress,
) -> Result<Vec<(usize, u8)>> {
    let slices = Slices::new(size, axis);
    let is = |v: u8| v != 0 && (values.is_empty() || values.contains(&v));
    let drawn: Vec<usize> = (0..slices.n).filter(|&k| (0..slices.area()).any(|p| is(voxels[slices.index(p, k)]))).collect();
    let gaps: Vec<[usize; 2]> = drawn.windows(2).map(|w| [w[0], w[1]]).filter(|[a, b]| b - a > 1).collect();
    if gaps.is_empty() {
        return Err(Error::degenerate(format!(
            "{} slices are drawn and none between them is empty; draw at least two with a gap",
            drawn.len()
        )));
    }
    let step = [spacing_mm[slices.axes[0]], spacing_mm[slices.axes[1]]];
    let mut filled = Vec::new();
    for (n, &[low, high]) in gaps.iter().enumerate() {
        progress.step(n as f64 / gaps.len() as f64, "interpolating slices")?;
        let ends = [low, high].map(|k| Shapes::of(&slices, voxels, k, &is, step));
        for k in low + 1..high {
            progress.step(n as f64 / gaps.len() as f64, "interpolating slices")?;
            let share = (k - low) as f64 / (high - low) as f64;
            let mixed = |[a, b]: [f64; 2]| a * (1.0 - share) + b * share;
            for p in 0..slices.area() {
                if mixed([ends[0].union[p], ends[1].union[p]]) >= TIE_MM
                    && let Some(value) = best(&ends, p, mixed)
                {
                    filled.push((slices.index(p, k), value));
                }
            }
        }
    }
    filled.sort_unstable();
    Ok(filled)
}

/// Signed distances in one slice: of all labels together, and of each with what it encloses.
struct Shapes {
    union: Vec<f64>,
    /// Distances of each label, and the greatest of them.
    labels: BTreeMap<u8, (Vec<f64>, f64)>,
    /// Pairs (outer, inner) where a label encloses another whole.
    nested: BTreeSet<(u8, u8)>,
}

impl Shapes {
    fn of(slices: &Slices, voxels: &[u8], k: usize, is: &impl Fn(u8) -> bool, step: [f64; 2]) -> Self {
        let size = [slices.width, slices.height];
        let held: Vec<u8> = (0..slices.area()).map(|p| voxels[slices.index(p, k)]).map(|v| if is(v) { v } else { 0 }).collect();
        let present: BTreeSet<u8> = held.iter().copied().filter(|v| *v != 0).collect();
        let signed = |mask: &[bool]| signed_mm(mask, size, step);
        let (mut labels, mut nested) = (BTreeMap::new(), BTreeSet::new());
        for &value in &present {
            let mut mask: Vec<bool> = held.iter().map(|v| *v == value).collect();
            let mut outside: BTreeSet<u8> = present.iter().copied().filter(|v| *v != value).collect();
            let holes = enclosed(&mask, [size[0], size[1], 1]);
            let mut inside = vec![false; mask.len()];
            holes.iter().for_each(|&p| inside[p] = true);
            outside.retain(|other| held.iter().zip(&inside).any(|(v, i)| v == other && !i));
            holes.iter().filter(|&&p| held[p] != 0).for_each(|&p| mask[p] = true);
            nested.extend(present.iter().filter(|v| **v != value && !outside.contains(v)).map(|v| (value, *v)));
            let distances = signed(&mask);
            let depth = distances.iter().copied().fold(0.0, f64::max);
            labels.insert(value, (distances, depth));
        }
        Self { union: signed(&held.iter().map(|v| *v != 0).collect::<Vec<_>>()), labels, nested }
    }
}

/// Millimeters to the outline, inside positive. A full slice is a pixel's diagonal from an outside that is
/// beyond its border.
fn signed_mm(mask: &[bool], [width, height]: [usize; 2], step: [f64; 2]) -> Vec<f64> {
    let (size, spacing) = ([width, height, 1], [step[0], step[1], 1.0]);
    let outside: Vec<bool> = mask.iter().map(|m| !m).collect();
    let most = (width as f64 * step[0]).hypot(height as f64 * step[1]);
    let (to_outside, to_inside) = (distance_mm(&outside, size, spacing), distance_mm(mask, size, spacing));
    to_outside.iter().zip(to_inside).map(|(out, inside)| out.min(most) - inside.min(most)).collect()
}

/// The label of a pixel of the union: of those whose shape holds it the innermost, else the nearest.
fn best(ends: &[Shapes; 2], p: usize, mixed: impl Fn([f64; 2]) -> f64) -> Option<u8> {
    let nested = |outer, inner| ends.iter().any(|e| e.nested.contains(&(outer, inner)));
    let mut found: Option<(f64, u8)> = None;
    for value in ends[0].labels.keys().chain(ends[1].labels.keys().filter(|v| !ends[0].labels.contains_key(v))) {
        let at = |s: &Shapes| s.labels.get(value).map(|(d, _)| d[p]);
        // A label that ends here shrinks to its middle half way.
        let depth = |s: &Shapes| s.labels.get(value).map_or(0.0, |(_, depth)| *depth);
        let distance = match (at(&ends[0]), at(&ends[1])) {
            (Some(a), Some(b)) => mixed([a, b]),
            (Some(a), None) => mixed([a, -depth(&ends[0])]),
            (None, Some(b)) => mixed([-depth(&ends[1]), b]),
            (None, None) => continue,
        };
        let better = found.is_none_or(|(most, held)| match (distance >= TIE_MM, most >= TIE_MM) {
            (true, true) if nested(held, *value) => true,
            (true, true) if nested(*value, held) => false,
            _ => distance > most || (distance == most && *value < held),
        });
        if better {
            found = Some((distance, *value));
        }
    }
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 3] = [64, 60, 9];

    fn disc(v: &mut [u8], k: usize, (cx, cy, r): (f64, f64, f64), value: u8) {
        for j in 0..SIZE[1] {
            for i in 0..SIZE[0] {
                if (i as f64 - cx).hypot((j as f64 - cy) * 1.5) <= r {
                    v[i + SIZE[0] * (j + SIZE[1] * k)] = value;
                }
            }
        }
    }

    fn area(v: &[u8], k: usize, value: u8) -> f64 {
        let n = SIZE[0] * SIZE[1];
        v[k * n..(k + 1) * n].iter().filter(|x| **x == value).count() as f64 * 1.5
    }

    fn run(v: &mut [u8]) {
        let found = interpolate_slices(v, (SIZE, [1.0, 1.5, 8.0]), 2, &[], &Progress::none()).unwrap();
        found.into_iter().for_each(|(at, value)| v[at] = value);
    }

    #[test]
    fn a_cone_between_circles_and_a_cylinder() {
        let mut v = vec![0; SIZE.iter().product()];
        disc(&mut v, 0, (31.0, 30.0, 10.0), 3);
        disc(&mut v, 8, (31.0, 30.0, 26.0), 3);
        run(&mut v);
        for k in 1..8 {
            let r = 10.0 + 2.0 * k as f64;
            let found = (area(&v, k, 3) / std::f64::consts::PI).sqrt();
            assert!((found - r).abs() < 0.5, "slice {k}: radius {found} instead of {r}");
        }
        let mut v = vec![0; SIZE.iter().product()];
        disc(&mut v, 0, (31.0, 30.0, 15.0), 3);
        disc(&mut v, 8, (31.0, 30.0, 15.0), 3);
        run(&mut v);
        assert!((1..8).all(|k| area(&v, k, 3) == area(&v, 0, 3)), "equal circles make a cylinder to the voxel");
    }

    #[test]
    fn a_ring_stays_closed_around_its_cavity() {
        let mut v = vec![0; SIZE.iter().product()];
        for (k, r) in [(0, 22.0), (8, 12.0)] {
            disc(&mut v, k, (31.0, 30.0, r), 2);
            disc(&mut v, k, (31.0, 30.0, r - 6.0), 3);
        }
        run(&mut v);
        for k in 1..8 {
            let outer = 22.0 - 10.0 * k as f64 / 8.0;
            let found = (area(&v, k, 3) / std::f64::consts::PI).sqrt();
            assert!((found - outer + 6.0).abs() < 0.75, "slice {k}: radius {found} instead of {}", outer - 6.0);
            let row = &v[SIZE[0] * (30 + SIZE[1] * k)..][..SIZE[0]];
            assert!(row.iter().skip_while(|x| **x == 0).take_while(|x| **x != 0).count() as f64 > 2.0 * outer - 3.0);
        }
    }

    #[test]
    fn nothing_to_do_is_said() {
        let mut v = vec![0; SIZE.iter().product()];
        disc(&mut v, 3, (31.0, 30.0, 10.0), 3);
        let run = |v: &[u8]| interpolate_slices(v, (SIZE, [1.0; 3]), 2, &[], &Progress::none());
        assert!(run(&v).is_err());
        disc(&mut v, 4, (31.0, 30.0, 10.0), 3);
        assert!(run(&v).is_err());
    }
}
