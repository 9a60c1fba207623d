//! Quantiles of lists of numbers.

/// The `q`-quantile (0..1) of increasing numbers, linear between neighbors (the default of numpy and R type 7);
/// NaN of an empty list.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = q.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    sorted[low] + place.fract() * (sorted[(low + 1).min(last)] - sorted[low])
}

/// The `q`-quantile of numbers in any order; those that are not finite are left out.
#[must_use]
pub fn quantile_of(values: &[f64], q: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_neighbors() {
        assert_eq!(quantile_of(&[4.0, 1.0, f64::NAN, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 1.0), 4.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
