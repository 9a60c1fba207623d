//! Correlation of two lists of numbers in which some are missing.

/// Pearson's correlation over the pairs in which both numbers are finite. NaN for lists of different
/// lengths, fewer than 2 pairs, or a side that does not vary (relative to its size, 1e-14).
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let pairs = finite_pairs(x, y);
    let n = pairs.len() as f64;
    let [mx, my] = [0, 1].map(|a| pairs.iter().map(|p| p[a]).sum::<f64>() / n);
    let (mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0);
    for [a, b] in &pairs {
        sxx += (a - mx) * (a - mx);
        syy += (b - my) * (b - my);
        sxy += (a - mx) * (b - my);
    }
    let varies = |s: f64, m: f64| s > n * (1e-14 * m).powi(2);
    if pairs.len() < 2 || !varies(sxx, mx) || !varies(syy, my) {
        return f64::NAN;
    }
    (sxy / (sxx.sqrt() * syy.sqrt())).clamp(-1.0, 1.0)
}

/// Spearman's correlation: Pearson's of the ranks of the pairs in which both numbers are finite.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    let pairs = finite_pairs(x, y);
    let [a, b] = [0, 1].map(|axis| ranks(&pairs.iter().map(|p| p[axis]).collect::<Vec<_>>()));
    if x.len() == y.len() { pearson(&a, &b) } else { f64::NAN }
}

/// Ranks from 1, ties sharing their mean rank; the input is finite.
#[must_use]
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut out = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let tied = order[start..].iter().take_while(|&&i| values[i] == values[order[start]]).count();
        let rank = start as f64 + (tied as f64 + 1.0) / 2.0;
        order[start..start + tied].iter().for_each(|&i| out[i] = rank);
        start += tied;
    }
    out
}

fn finite_pairs(x: &[f64], y: &[f64]) -> Vec<[f64; 2]> {
    if x.len() != y.len() {
        return Vec::new();
    }
    x.iter().zip(y).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| [*a, *b]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms_and_missing() {
        let nan = f64::NAN;
        assert!((pearson(&[1.0, 2.0, 3.0, nan], &[2.0, 4.0, 6.0, 9.0]) - 1.0).abs() < 1e-15);
        // scipy.stats.pearsonr and spearmanr of the same lists.
        let (x, y) = ([1.0, 3.0, 2.0, 5.0, 4.0], [2.0, 2.0, 7.0, 1.0, 0.5]);
        assert!((pearson(&x, &y) + 0.517_293_526_532_656_7).abs() < 1e-12, "{}", pearson(&x, &y));
        assert!((spearman(&x, &y) + 0.718_184_846_459_607_9).abs() < 1e-12, "{}", spearman(&x, &y));
        assert!(pearson(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]).is_nan());
        assert!(pearson(&[1.0], &[1.0]).is_nan() && pearson(&[1.0, 2.0], &[1.0]).is_nan());
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }
}
