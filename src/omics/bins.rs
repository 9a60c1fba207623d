//! Genes of like mean in one bin, and how each stands out of its bin.

/// Median absolute deviation of a normal distribution with standard deviation 1.
const NORMAL_MAD: f64 = 0.674_489_750_196_081_7;

/// Bin of each value among `n` equally wide ones from the least to the largest value. Bins are closed on
/// the right, and the first reaches a thousandth of the range further down.
pub(super) fn equal_width(values: &[f64], n: usize) -> Vec<usize> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let step = (high - low) / n as f64;
    let mut edges: Vec<f64> = (0..n).map(|i| i as f64 * step + low).collect();
    edges.push(high);
    edges[0] -= (high - low) * 0.001;
    bin_of(values, &edges)
}

/// Bin of each value between the percentiles 10, 15, … 100 of the values, and whether edges fell together
/// and were merged.
pub(super) fn percentiles(values: &[f64]) -> (Vec<usize>, bool) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut edges = vec![f64::NEG_INFINITY];
    edges.extend((10..=100).step_by(5).map(|p| percentile(&sorted, f64::from(p))));
    edges.push(f64::INFINITY);
    let n = edges.len();
    edges.dedup();
    (bin_of(values, &edges), edges.len() < n)
}

/// A percentile by linear interpolation between sorted values.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let place = (sorted.len() as f64 - 1.0) * (percent / 100.0);
    let below = place.floor();
    let (a, b) = (sorted[below as usize], sorted[(below as usize + 1).min(sorted.len() - 1)]);
    let part = place - below;
    if part < 0.5 { a + (b - a) * part } else { b - (b - a) * (1.0 - part) }
}

/// The bin `(edges[i], edges[i + 1]]` that holds each value.
fn bin_of(values: &[f64], edges: &[f64]) -> Vec<usize> {
    let last = edges.len().saturating_sub(2);
    values.iter().map(|v| edges.partition_point(|e| e < v).saturating_sub(1).min(last)).collect()
}

/// Distance of each value from the mean of its bin in standard deviations (n − 1), NaN values left out.
/// A value alone in its bin is divided by itself.
pub(super) fn standardize(values: &[f64], bins: &[usize]) -> Vec<f64> {
    within(values, bins, |members| {
        let n = members.len() as f64;
        let mean = members.iter().sum::<f64>() / n;
        if members.len() < 2 {
            return (0.0, mean);
        }
        (mean, (members.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    })
}

/// Distance of each value from the median of its bin in scaled median absolute deviations.
pub(super) fn standardize_robustly(values: &[f64], bins: &[usize]) -> Vec<f64> {
    within(values, bins, |members| {
        let center = median(members.to_vec());
        (center, median(members.iter().map(|v| (v - center).abs()).collect()) / NORMAL_MAD)
    })
}

/// `(value − center) / spread` with center and spread of each bin's values.
fn within(values: &[f64], bins: &[usize], of: impl Fn(&[f64]) -> (f64, f64)) -> Vec<f64> {
    let n_bins = bins.iter().max().map_or(0, |b| b + 1);
    let mut members = vec![Vec::new(); n_bins];
    bins.iter().zip(values).filter(|(_, v)| !v.is_nan()).for_each(|(&b, &v)| members[b].push(v));
    let stats: Vec<(f64, f64)> = members.iter().map(|m| if m.is_empty() { (f64::NAN, f64::NAN) } else { of(m) }).collect();
    bins.iter().zip(values).map(|(&b, v)| (v - stats[b].0) / stats[b].1).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_closed_on_the_right() {
        assert_eq!(equal_width(&[0.0, 0.5, 0.500_1, 1.0], 2), [0, 0, 1, 1]);
        assert_eq!(equal_width(&[3.0, 3.0], 20), [0, 0]);
        let values: Vec<f64> = (0..21).map(f64::from).collect();
        let (bins, merged) = percentiles(&values);
        assert!(!merged && bins[..4] == [0, 0, 0, 1] && bins[20] == 18);
        assert!(percentiles(&[1.0; 5]).1);
    }

    #[test]
    fn a_value_alone_counts_one() {
        let z = standardize(&[2.0, f64::NAN, 1.0, 3.0], &[0, 0, 1, 1]);
        assert_eq!(z[0], 1.0);
        assert!(z[1].is_nan());
        assert!((z[3] - 0.5_f64.sqrt()).abs() < 1e-15);
        let r = standardize_robustly(&[1.0, 2.0, 4.0], &[0, 0, 0]);
        assert!((r[2] - 2.0 * NORMAL_MAD).abs() < 1e-15 && r[1] == 0.0);
    }
}
