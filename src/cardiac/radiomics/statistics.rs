//! What a list of numbers says without its places: families `stat` (intensities) and `ih` (gray levels).

use super::Feature;
use crate::stats::quantile;

/// The features that both families share, under their names.
struct Moments {
    mean: f64,
    list: Vec<(&'static str, f64)>,
}

impl Moments {
    /// Of at least one number in increasing order; the fourth moment less 3, variances by n. Skewness and
    /// kurtosis of equal numbers are 0. Percentiles are linear between neighbors.
    fn of(sorted: &[f64]) -> Self {
        let n = sorted.len() as f64;
        let mean_of = |f: &dyn Fn(f64) -> f64| sorted.iter().map(|v| f(*v)).sum::<f64>() / n;
        let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
        // Of equal numbers the mean is that number, whatever the sum rounds to.
        let mean = if low == high { low } else { mean_of(&|v| v) };
        let variance = mean_of(&|v| (v - mean).powi(2));
        let standard = |power: i32| {
            if variance > 0.0 { mean_of(&|v| (v - mean).powi(power)) / variance.powf(f64::from(power) / 2.0) } else { 0.0 }
        };
        let at = |q: f64| quantile(sorted, q);
        let (p10, p25, median, p75, p90) = (at(0.1), at(0.25), at(0.5), at(0.75), at(0.9));
        let robust: Vec<f64> = sorted.iter().copied().filter(|v| (p10..=p90).contains(v)).collect();
        let robust_mean = robust.iter().sum::<f64>() / robust.len() as f64;
        let kurtosis = if variance > 0.0 { standard(4) - 3.0 } else { 0.0 };
        let list = vec![
            ("mean", mean),
            ("var", variance),
            ("skew", standard(3)),
            ("kurt", kurtosis),
            ("median", median),
            ("min", low),
            ("p10", p10),
            ("p90", p90),
            ("max", high),
            ("iqr", p75 - p25),
            ("range", high - low),
            ("mad", mean_of(&|v| (v - mean).abs())),
            ("rmad", robust.iter().map(|v| (v - robust_mean).abs()).sum::<f64>() / robust.len() as f64),
            ("medad", mean_of(&|v| (v - median).abs())),
            ("cov", variance.sqrt() / mean),
            ("qcod", (p75 - p25) / (p75 + p25)),
        ];
        Self { mean, list }
    }
}

/// Family `stat`.
pub(super) fn statistics(mut intensities: Vec<f64>) -> Vec<Feature> {
    intensities.sort_by(f64::total_cmp);
    let mut features = Feature::list("stat_", &Moments::of(&intensities).list);
    let energy = intensities.iter().map(|v| v * v).sum::<f64>();
    features.extend(Feature::list("stat_", &[("energy", energy), ("rms", (energy / intensities.len() as f64).sqrt())]));
    features
}

/// Family `ih`: `counts[g - 1]` voxels have gray level g.
pub(super) fn histogram(counts: &[u64]) -> Vec<Feature> {
    let sorted: Vec<f64> = (1u32..).zip(counts).flat_map(|(g, n)| std::iter::repeat_n(f64::from(g), *n as usize)).collect();
    let moments = Moments::of(&sorted);
    let n = sorted.len() as f64;
    let shares = || counts.iter().filter(|c| **c > 0).map(|c| *c as f64 / n);
    let highest = counts.iter().max().copied().unwrap_or(0);
    let levels = (1u32..).zip(counts).filter(|(_, c)| **c == highest).map(|(g, _)| f64::from(g));
    // Of several highest bins the one nearest to the mean.
    let mode = levels.min_by(|a, b| (a - moments.mean).abs().total_cmp(&(b - moments.mean).abs())).unwrap_or(f64::NAN);
    let ((up, up_at), (down, down_at)) = steepest(counts);
    // The table has the mode in the middle of the shared features.
    let (first, last) = moments.list.split_at(9);
    let mut list = first.to_vec();
    list.push(("mode", mode));
    list.extend(last);
    list.extend([
        ("entropy", -shares().map(|p| p * p.log2()).sum::<f64>() + 0.0),
        ("uniformity", shares().map(|p| p * p).sum()),
        ("max_grad", up),
        ("max_grad_g", up_at),
        ("min_grad", down),
        ("min_grad_g", down_at),
    ]);
    Feature::list("ih_", &list)
}

/// Largest and smallest gradient of a histogram and the first gray level that has it; NaN of one bin.
fn steepest(counts: &[u64]) -> ((f64, f64), (f64, f64)) {
    let n = counts.len();
    if n < 2 {
        return ((f64::NAN, f64::NAN), (f64::NAN, f64::NAN));
    }
    let at = |i: usize| counts[i] as f64;
    let gradient = |i: usize| match i {
        0 => at(1) - at(0),
        i if i == n - 1 => at(i) - at(i - 1),
        i => (at(i + 1) - at(i - 1)) / 2.0,
    };
    let (mut up, mut down) = ((f64::NEG_INFINITY, 0.0), (f64::INFINITY, 0.0));
    for i in 0..n {
        let g = gradient(i);
        if g > up.0 {
            up = (g, (i + 1) as f64);
        }
        if g < down.0 {
            down = (g, (i + 1) as f64);
        }
    }
    (up, down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_modes_the_one_near_the_mean() {
        let find = |f: &[Feature], tag: &str| f.iter().find(|f| f.tag == tag).and_then(|f| f.value).unwrap();
        let features = histogram(&[5, 0, 5, 0, 0, 2]);
        assert_eq!((find(&features, "ih_mode"), find(&features, "ih_max"), find(&features, "ih_median")), (3.0, 6.0, 3.0));
        assert_eq!((find(&features, "ih_min_grad"), find(&features, "ih_min_grad_g")), (-5.0, 1.0));
        assert_eq!(find(&features, "ih_max_grad_g"), 6.0);
    }

    #[test]
    fn equal_numbers_have_no_spread() {
        let features = statistics(vec![0.1; 7]);
        let of = |tag: &str| features.iter().find(|f| f.tag == tag).unwrap().value;
        assert_eq!(
            (of("stat_var"), of("stat_skew"), of("stat_kurt"), of("stat_mean")),
            (Some(0.0), Some(0.0), Some(0.0), Some(0.1))
        );
    }
}
