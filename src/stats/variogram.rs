//! How far apart two points must be before their values say nothing about each other.

use super::Stream;
use crate::base::{Error, Result};

/// Anchors whose pairs are looked at; the cost stays linear in the number of points.
const N_ANCHORS: usize = 500;
const N_LAGS: usize = 24;

/// The autocorrelation range of values at points: that of the spherical model
/// `γ(h) = c₀ + c₁ (1.5 h/a − 0.5 (h/a)³)`, `c₀ + c₁` from `a` on, fitted to the empirical variogram
/// `γ(h) = mean of ½ (zᵢ − zⱼ)²` by least squares weighted with the number of pairs (Cressie 1985), over
/// distances up to half the points' extent. 0 where nothing is structured (`c₁` below 5 % of the sill);
/// at most that half extent, which means "at least so far" (a trend has no range). NaN values are left
/// out. Costs O(500 n).
///
/// # Errors
/// [`Error::Degenerate`] for fewer than 10 usable points or points in one place.
pub fn spatial_range_mm(points_mm: &[[f64; 2]], values: &[f64]) -> Result<f64> {
    if points_mm.len() != values.len() {
        return Err(Error::parameter(format!("{} points with {} values", points_mm.len(), values.len())));
    }
    let usable: Vec<usize> =
        (0..values.len()).filter(|&i| values[i].is_finite() && points_mm[i].iter().all(|v| v.is_finite())).collect();
    if usable.len() < 10 {
        return Err(Error::degenerate(format!(
            "a range of autocorrelation needs at least 10 points, there are {}",
            usable.len()
        )));
    }
    let extent = [0, 1].map(|a| {
        let axis = usable.iter().map(|&i| points_mm[i][a]);
        axis.clone().fold(f64::NEG_INFINITY, f64::max) - axis.fold(f64::INFINITY, f64::min)
    });
    let reach = extent[0].hypot(extent[1]) / 2.0;
    if reach <= 0.0 {
        return Err(Error::degenerate("all points are in one place: there is no distance to learn from"));
    }
    let lags = empirical(points_mm, values, &usable, reach);
    Ok(fitted_range(&lags, reach))
}

/// Mean distance, semivariance and number of pairs per lag.
fn empirical(points: &[[f64; 2]], values: &[f64], usable: &[usize], reach: f64) -> Vec<[f64; 3]> {
    let mut sums = vec![[0.0; 3]; N_LAGS];
    let order = Stream::new(0, 0).permutation(usable.len());
    for &anchor in order.iter().take(N_ANCHORS) {
        let a = usable[anchor];
        for &b in usable.iter().filter(|&&b| b != a) {
            let h = (points[a][0] - points[b][0]).hypot(points[a][1] - points[b][1]);
            if h < reach {
                let lag = &mut sums[((h / reach * N_LAGS as f64) as usize).min(N_LAGS - 1)];
                lag[0] += h;
                lag[1] += 0.5 * (values[a] - values[b]).powi(2);
                lag[2] += 1.0;
            }
        }
    }
    sums.into_iter().filter(|s| s[2] > 0.0).map(|[h, g, n]| [h / n, g / n, n]).collect()
}

fn fitted_range(lags: &[[f64; 3]], reach: f64) -> f64 {
    let n_tries = 120;
    let tries = (1..=n_tries).map(|t| reach * f64::from(t) / f64::from(n_tries));
    let fits = tries.map(|range| (range, spherical(lags, range)));
    let Some((range, [nugget, rise, _])) = fits.min_by(|a, b| a.1[2].total_cmp(&b.1[2])) else { return 0.0 };
    if rise <= 0.05 * (nugget + rise) { 0.0 } else { range }
}

/// Nugget, rise and weighted error of the best non-negative spherical model of a range.
fn spherical(lags: &[[f64; 3]], range: f64) -> [f64; 3] {
    let shape = |h: f64| if h >= range { 1.0 } else { 1.5 * h / range - 0.5 * (h / range).powi(3) };
    let sum = |f: &dyn Fn(&[f64; 3]) -> f64| lags.iter().map(|l| l[2] * f(l)).sum::<f64>();
    let (w, s, g) = (sum(&|_| 1.0), sum(&|l| shape(l[0])), sum(&|l| l[1]));
    let (ss, sg) = (sum(&|l| shape(l[0]).powi(2)), sum(&|l| shape(l[0]) * l[1]));
    let determinant = w * ss - s * s;
    let mut rise = if determinant > 1e-12 * w * ss { ((w * sg - s * g) / determinant).max(0.0) } else { 0.0 };
    let mut nugget = (g - rise * s) / w;
    if nugget < 0.0 {
        nugget = 0.0;
        rise = (sg / ss).max(0.0);
    }
    [nugget, rise, sum(&|l| (l[1] - nugget - rise * shape(l[0])).powi(2))]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White noise averaged over a disc: its correlation reaches zero at the disc's diameter.
    fn smooth(side: usize, radius: i64, seed: u64) -> (Vec<[f64; 2]>, Vec<f64>) {
        let mut stream = Stream::new(seed, 0);
        let wide = side + 2 * radius as usize;
        let noise: Vec<f64> = (0..wide * wide).map(|_| stream.normal()).collect();
        let mut out = (Vec::new(), Vec::new());
        for y in 0..side {
            for x in 0..side {
                let mut sum = 0.0;
                for dy in -radius..=radius {
                    for dx in (-radius..=radius).filter(|dx| dx * dx + dy * dy <= radius * radius) {
                        let (u, v) = (x as i64 + radius + dx, y as i64 + radius + dy);
                        sum += noise[v as usize * wide + u as usize];
                    }
                }
                out.0.push([x as f64 * 0.1, y as f64 * 0.1]);
                out.1.push(sum);
            }
        }
        out
    }

    #[test]
    fn range_of_known_fields() {
        for (radius, expected) in [(3, 0.6), (6, 1.2)] {
            let mut ranges: Vec<f64> = (0..7)
                .map(|seed| {
                    let (points, values) = smooth(60, radius, seed);
                    spatial_range_mm(&points, &values).unwrap()
                })
                .collect();
            ranges.sort_by(f64::total_cmp);
            assert!((ranges[3] / expected - 1.0).abs() < 0.35, "{ranges:?} for {expected}");
        }
        let (points, _) = smooth(60, 1, 0);
        let mut stream = Stream::new(9, 9);
        let noise: Vec<f64> = points.iter().map(|_| stream.normal()).collect();
        assert!(spatial_range_mm(&points, &noise).unwrap() < 0.3);
        let trend: Vec<f64> = points.iter().map(|p| p[0]).collect();
        assert!(spatial_range_mm(&points, &trend).unwrap() > 3.0);
        assert!(spatial_range_mm(&points[..5], &noise[..5]).is_err());
    }
}
