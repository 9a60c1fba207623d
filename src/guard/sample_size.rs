//! Too few samples for so many features: correlations of fitted scores are large on pure noise.

use crate::base::Severity;
use crate::model::Finding;

/// Below this n/(p+q) a person should not read an in-sample correlation.
const ENOUGH: f64 = 5.0;

/// The first canonical correlation that pure noise gives in sample: the upper edge of Wachter's (1980)
/// limit, `ρ² = a + b − 2ab + 2 √(a(1−a) b(1−b))` with `a = p/(n−1)`, `b = q/(n−1)`; 1 where p + q ≥ n − 1.
/// Without regularization; at small n the mean over noise lies a little below it.
#[must_use]
pub fn noise_correlation(n: usize, p: usize, q: usize) -> f64 {
    let freedom = n.saturating_sub(1) as f64;
    let (a, b) = (p as f64 / freedom, q as f64 / freedom);
    if freedom <= 0.0 || a + b >= 1.0 {
        return 1.0;
    }
    (a + b - 2.0 * a * b + 2.0 * (a * (1.0 - a) * b * (1.0 - b)).sqrt()).clamp(0.0, 1.0).sqrt()
}

/// Refuses claims in sample where `n ≤ p + q + 1` (the fit is perfect whatever the data), warns below
/// n/(p+q) = 5. `q` is 0 for one view or 1 for a single outcome. Evidence: n, p, q, their ratio, and the
/// correlation of noise.
#[must_use]
pub fn n_against_features(n: usize, p: usize, q: usize) -> Option<Finding> {
    let ratio = n as f64 / ((p + q) as f64).max(1.0);
    if ratio >= ENOUGH {
        return None;
    }
    let noise = noise_correlation(n, p, q);
    let perfect = n <= p + q + 1;
    let why = if perfect { "the fit is perfect whatever the data" } else { "read it only beside held-out samples and a null" };
    Some(Finding {
        severity: if perfect { Severity::Error } else { Severity::Warning },
        code: "few-samples",
        what: format!(
            "{n} samples for {p} + {q} features: n/(p+q) = {ratio:.2}. Pure noise gives an in-sample correlation of about {noise:.2}; {why}."
        ),
        evidence: vec![
            ("n".into(), n as f64),
            ("p".into(), p as f64),
            ("q".into(), q as f64),
            ("n_per_feature".into(), ratio),
            ("noise_correlation".into(), noise),
        ],
        remedy: "Reduce each view to fewer components, regularize (ridge), or bring more samples.".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_and_thresholds() {
        // 50 runs of numpy on noise, n = 30, p = q = 14: mean 0.995.
        assert!((noise_correlation(30, 14, 14) - 0.995).abs() < 0.01);
        assert_eq!(noise_correlation(20, 14, 14), 1.0);
        assert!(noise_correlation(5000, 5, 5) < 0.07);
        let few = n_against_features(30, 14, 14).unwrap();
        assert_eq!(few.severity, Severity::Warning);
        assert_eq!(n_against_features(29, 14, 14).unwrap().severity, Severity::Error);
        assert!(n_against_features(140, 14, 14).is_none());
    }
}
