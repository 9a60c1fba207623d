//! How two lists of numbers go together. Pairs with a number that is not finite are left out.

/// Pearson's correlation; `None` with fewer than 2 pairs or where one side does not vary.
#[must_use]
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    correlation(&pairs(a, b))
}

/// Spearman's correlation: Pearson's of the ranks, ties with their mean rank.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let pairs = pairs(a, b);
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    correlation(&ranks(&a).into_iter().zip(ranks(&b)).collect::<Vec<_>>())
}

/// Ranks from 1, equal numbers with the mean of their ranks. All must be finite.
#[must_use]
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut out = vec![0.0; values.len()];
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        // The chunk's place in the order is known from its first element's address in it.
        let first = order.partition_point(|&k| values[k] < values[tied[0]]);
        let rank = first as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| out[i] = rank);
    }
    out
}

fn pairs(a: &[f64], b: &[f64]) -> Vec<(f64, f64)> {
    a.iter().zip(b).filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(x, y)| (*x, *y)).collect()
}

fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    if pairs.len() < 2 {
        return None;
    }
    let (mean_a, mean_b) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (dx, dy) = (x - mean_a, y - mean_b);
        aa += dx * dx;
        bb += dy * dy;
        ab += dx * dy;
    }
    // Below this what varies is rounding.
    let varies = |square: f64, mean: f64| square > n * (1e-13 * mean).powi(2) && square > 0.0;
    (varies(aa, mean_a) && varies(bb, mean_b)).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // scipy.stats 1.17: pearsonr and spearmanr of these lists.
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 7.0]);
        assert!((pearson(&a, &b).unwrap() - 0.824_163_383_692_134).abs() < 1e-12);
        assert!((spearman(&a, &b).unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(pearson(&[1.0, f64::NAN, 2.0], &[1.0, 9.0, 2.0]), Some(1.0));
        assert_eq!(pearson(&[0.1; 5], &a), None);
        assert_eq!(pearson(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[2.0; 3], &[1.0, 2.0, 3.0]), None);
    }
}
