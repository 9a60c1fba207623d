//! How much of the region is at least how bright: the intensity-volume histogram (family `ivh`).

use super::{Discretize, Feature};

/// Bins between lowest and highest intensity where the unit is arbitrary.
const BINS: f64 = 1000.0;

/// Family `ivh`. Whole intensities that are kept or put in bins of a width are in a definite unit: steps of
/// one unit. All others are put in 1000 bins, whose number then stands for the intensity. Empty for equal
/// intensities.
pub(super) fn volume_histogram(mut intensities: Vec<f64>, whole: bool, discretize: Discretize) -> Vec<Feature> {
    let n = intensities.len() as f64;
    let (low, high) = intensities.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    let names = ["v10", "v90", "i10", "i90", "diff_v10_v90", "diff_i10_i90", "auc"];
    if low == high {
        return Feature::list("ivh_", &names.map(|name| (name, f64::NAN)));
    }
    let definite = whole && !matches!(discretize, Discretize::Count(_));
    if !definite {
        intensities.iter_mut().for_each(|v| *v = (BINS * (*v - low) / (high - low)).floor().min(BINS - 1.0) + 1.0);
    }
    intensities.sort_by(f64::total_cmp);
    let (low, high) = (intensities[0], intensities[intensities.len() - 1]);
    let share = |level: f64| (n - intensities.partition_point(|v| *v < level) as f64) / n;
    // A tenth of thirty is three, whatever it rounds to.
    let volume_at = |fraction: f64| share(low + (fraction * (high - low) - 1e-9).ceil());
    // The share falls only above an intensity that is there.
    let intensity_at = |fraction: f64| {
        let most = (fraction * n + 1e-9).floor() as usize;
        intensities[intensities.len() - 1 - most.min(intensities.len() - 1)] + 1.0
    };
    let (v10, v90) = (volume_at(0.1), volume_at(0.9));
    let (i10, i90) = (intensity_at(0.1), intensity_at(0.9));
    let area = |a: f64, b: f64| (share(a) + share(b)) / 2.0 * (b - a) / (high - low);
    let mut levels = intensities.clone();
    levels.dedup();
    levels = levels.iter().flat_map(|v| [*v, *v + 1.0]).filter(|v| *v <= high).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let auc = levels.windows(2).map(|w| area(w[0], w[1])).sum();
    Feature::list("ivh_", &names.into_iter().zip([v10, v90, i10, i90, v10 - v90, i10 - i90, auc]).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_one_unit() {
        let values: Vec<f64> = [(1.0, 50), (3.0, 1), (4.0, 16), (6.0, 7)].iter().flat_map(|(v, n)| vec![*v; *n]).collect();
        let features = volume_histogram(values, true, Discretize::None);
        let of = |tag: &str| features.iter().find(|f| f.tag == tag).unwrap().value.unwrap();
        assert_eq!((of("ivh_v10"), of("ivh_v90"), of("ivh_i10"), of("ivh_i90")), (24.0 / 74.0, 7.0 / 74.0, 5.0, 2.0));
        // By hand: shares 1, 24, 24, 23, 7, 7 of 74 at intensities 1 to 6.
        assert!((of("ivh_auc") - (0.5 + (24.0 + 24.0 + 23.0 + 7.0 + 3.5) / 74.0) / 5.0).abs() < 1e-12);
    }
}
