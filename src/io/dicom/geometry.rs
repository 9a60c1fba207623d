//! Whether slices lie on one regular grid. The distance comes from positions, never from slice thickness.

use crate::space::DVec3;

/// Where slices lie.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Placement {
    /// On a grid of `n_slots`, maybe with gaps.
    Uniform {
        /// Position of slot 0.
        first: DVec3,
        /// From slot to slot.
        step: DVec3,
        /// Slot of each slice.
        slots: Vec<usize>,
        /// Number of slots.
        n_slots: usize,
    },
    /// Not on one grid: smallest and largest distance between neighbors, and the largest shift in plane, mm.
    Irregular(f64, f64, f64),
}

/// Looks for the grid of two or more slices that rise along `normal`. Distances may differ by 1 % of the
/// step, or be whole multiples of it; a slice may lie off the line by 2 % of the step.
pub(super) fn placement(positions: &[DVec3], normal: DVec3) -> Placement {
    placement_within(positions, normal, 2 * positions.len() + 8)
}

/// As [`placement`], with at most so many steps from the first slice to the last.
pub(super) fn placement_within(positions: &[DVec3], normal: DVec3, most_steps: usize) -> Placement {
    let gaps: Vec<f64> = positions.windows(2).map(|w| (w[1] - w[0]).dot(normal)).collect();
    let smallest = gaps.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = gaps.iter().copied().fold(0.0, f64::max);
    let irregular = |shift| Placement::Irregular(smallest, largest, shift);
    let (Some(&first), Some(&last)) = (positions.first(), positions.last()) else { return irregular(0.0) };
    let mut single: Vec<f64> = gaps.iter().copied().filter(|g| *g < 1.5 * smallest).collect();
    single.sort_by(f64::total_cmp);
    let Some(&step_mm) = single.get(single.len() / 2).filter(|s| **s > 1e-6) else { return irregular(0.0) };
    let multiples: Vec<usize> = gaps.iter().map(|g| (g / step_mm).round().clamp(0.0, 1e6) as usize).collect();
    let n_steps: usize = multiples.iter().sum();
    let even = gaps.iter().zip(&multiples).all(|(g, &m)| m > 0 && (g / m as f64 - step_mm).abs() <= 0.01 * step_mm + 1e-4);
    if !even || n_steps > most_steps {
        return irregular(0.0);
    }
    let step = (last - first) / n_steps as f64;
    let slots: Vec<usize> = std::iter::once(0)
        .chain(multiples.iter().scan(0, |at, m| {
            *at += m;
            Some(*at)
        }))
        .collect();
    let shift = positions.iter().zip(&slots).map(|(p, &k)| (*p - first - step * k as f64).length()).fold(0.0, f64::max);
    if shift > 0.02 * step_mm + 1e-3 {
        return irregular(shift);
    }
    Placement::Uniform { first, step, slots, n_slots: n_steps + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(z: &[f64]) -> Vec<DVec3> {
        z.iter().map(|&z| DVec3::new(1.0, 2.0, z)).collect()
    }

    #[test]
    fn gaps_are_whole_multiples() {
        let Placement::Uniform { slots, n_slots, step, .. } = placement(&at(&[0.0, 10.0, 30.0, 40.0]), DVec3::Z) else {
            panic!("on a grid")
        };
        assert_eq!((slots, n_slots), (vec![0, 1, 3, 4], 5));
        assert!((step - DVec3::Z * 10.0).length() < 1e-12);
    }

    #[test]
    fn uneven_or_shifted_is_irregular() {
        assert!(matches!(placement(&at(&[0.0, 10.0, 20.3]), DVec3::Z), Placement::Irregular(..)));
        assert!(matches!(placement(&at(&[0.0, 10.0, 20.05]), DVec3::Z), Placement::Uniform { .. }));
        let mut shifted = at(&[0.0, 10.0, 20.0]);
        shifted[1].x += 3.0;
        assert!(matches!(placement(&shifted, DVec3::Z), Placement::Irregular(..)));
        assert!(matches!(placement(&at(&[0.0, 1e-9]), DVec3::Z), Placement::Irregular(..)));
    }
}
