//! Which phase of a cine a share of the heart beat is; everything is locked by time, not by number.

use crate::model::{LabelMap, Volume};

/// The phase of `volume` that is on the screen at a share (0 to 1) of the RR interval: the last one that
/// has begun. RR is the span of the times plus the mean step, and 0 is the first phase; without times the
/// phases are evenly spaced, so that it is `floor(share · n)`.
#[must_use]
pub fn phase_at(volume: &Volume, cardiac_phase: f64) -> usize {
    let share = if cardiac_phase.is_finite() { cardiac_phase.rem_euclid(1.0) + 1e-9 } else { 0.0 };
    shares(&volume.phase_times_ms, volume.n_phases()).iter().rposition(|&s| s <= share).unwrap_or(0)
}

/// The share of the RR interval at which a phase begins: [`phase_at`] gives it back.
#[must_use]
pub fn share_of_phase(volume: &Volume, phase: usize) -> f64 {
    shares(&volume.phase_times_ms, volume.n_phases()).get(phase).copied().unwrap_or(0.0)
}

/// The phase of a segmentation that belongs to a phase of an image: the nearest in ms where both have
/// times, the same number where there are equally many, else the nearest share.
#[must_use]
pub fn label_phase(labels: &LabelMap, volume: &Volume, phase: usize) -> usize {
    let n = labels.n_phases();
    let timed = labels.phase_times_ms.len() == n;
    if let Some(time) = volume.time_ms(phase).filter(|_| timed && n > 1) {
        let distance = |p: &usize| (labels.phase_times_ms[*p] - time).abs();
        return (0..n).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
    }
    if n == volume.n_phases() {
        return phase;
    }
    nearest(&shares(&labels.phase_times_ms, n), share_of_phase(volume, phase))
}

fn shares(times_ms: &[f64], n: usize) -> Vec<f64> {
    let even = || (0..n).map(|p| p as f64 / n.max(1) as f64).collect();
    let (Some(first), Some(last)) = (times_ms.first(), times_ms.last()) else { return even() };
    let rr = (last - first) * n as f64 / (n.max(2) - 1) as f64;
    let is_rising = times_ms.windows(2).all(|w| w[0] < w[1]);
    if times_ms.len() != n || n < 2 || !is_rising || !rr.is_finite() {
        return even();
    }
    times_ms.iter().map(|t| (t - first) / rr).collect()
}

/// Around the end of the interval too.
fn nearest(shares: &[f64], share: f64) -> usize {
    let around = |s: f64| {
        let d = (s - share).abs();
        d.min((1.0 - d).abs())
    };
    let best = shares.iter().enumerate().min_by(|a, b| around(*a.1).total_cmp(&around(*b.1)));
    best.map_or(0, |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::{DAffine3, Grid};
    use std::sync::Arc;

    fn cine(n: usize, times: &[f64]) -> Volume {
        let grid = Grid::new([1, 1, 1], DAffine3::IDENTITY).unwrap();
        let mut volume = Volume::new("c", grid, vec![Samples::U8(vec![0].into()); n]).unwrap();
        volume.phase_times_ms = times.to_vec();
        volume
    }

    #[test]
    fn there_and_back_at_any_number_of_phases() {
        for n in [1, 2, 7, 25, 30] {
            let volume = cine(n, &[]);
            (0..n).for_each(|p| assert_eq!(phase_at(&volume, share_of_phase(&volume, p)), p));
            (0..n).for_each(|p| assert_eq!(phase_at(&volume, (p as f64 + 0.5) / n as f64), p));
        }
        let timed = cine(4, &[20.0, 270.0, 520.0, 770.0]);
        (0..4).for_each(|p| assert_eq!(phase_at(&timed, share_of_phase(&timed, p)), p));
        (0..4).for_each(|p| assert_eq!(phase_at(&timed, (p as f64 + 0.5) / 4.0), p));
        let uneven = cine(3, &[0.0, 100.0, 500.0]);
        assert_eq!([0.0, 0.12, 0.14, 0.6, 0.7].map(|s| phase_at(&uneven, s)), [0, 0, 1, 1, 2]);
        assert_eq!((phase_at(&timed, f64::NAN), phase_at(&timed, 1.0)), (0, 0));
    }

    #[test]
    fn labels_follow_in_time() {
        let volume = cine(4, &[0.0, 250.0, 500.0, 750.0]);
        let labels = |n: usize, times: &[f64]| {
            let mut l = LabelMap::new("l", volume.grid, vec![Arc::from([1u8]); n]).unwrap();
            l.phase_times_ms = times.to_vec();
            l
        };
        assert_eq!(label_phase(&labels(1, &[]), &volume, 3), 0);
        assert_eq!(label_phase(&labels(4, &[]), &volume, 3), 3);
        assert_eq!(label_phase(&labels(2, &[0.0, 300.0]), &volume, 1), 1);
        assert_eq!(label_phase(&labels(2, &[0.0, 300.0]), &volume, 3), 1);
        assert_eq!(label_phase(&labels(2, &[]), &volume, 2), 1);
    }
}
