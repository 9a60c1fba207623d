//! Linear models of many responses with one design, and tests whose variances are drawn towards a common
//! one. Source: G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3 (2004) article 3.

use super::{Cholesky, digamma, dot, t_quantile_upper, t_two_sided, thin_svd, trigamma, trigamma_inverse};
use crate::base::{Error, Result};

/// Part of the responses that are thought to differ, for the log odds.
const PROPORTION: f64 = 0.01;
/// Limits of the standard deviation of true effects, in units of that of the noise.
const EFFECT_LIMITS: [f64; 2] = [0.1, 4.0];

/// A design of n samples and p columns, prepared for responses.
#[derive(Clone, Debug)]
pub struct LinearModel {
    n: usize,
    p: usize,
    /// n × p, row-major.
    design: Vec<f64>,
    normal: Cholesky,
    /// Column lengths, by which the design was divided before it was factored.
    scales: Vec<f64>,
}

/// One response.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearFit {
    /// By column of the design.
    pub coefficients: Vec<f64>,
    /// Residual variance (n − p).
    pub variance: f64,
}

impl LinearModel {
    /// Prepares a row-major n×p design. [`Error::Degenerate`] where no residual is left or columns follow from each other.
    pub fn new(n: usize, p: usize, design: &[f64]) -> Result<Self> {
        if design.len() != n * p || p == 0 {
            return Err(Error::parameter(format!("a design of {n} samples × {p} columns got {} numbers", design.len())));
        }
        if n <= p {
            return Err(Error::degenerate(format!(
                "{n} samples for {p} coefficients leave nothing to estimate a variance from; more samples or fewer columns are needed"
            )));
        }
        let scales: Vec<f64> = (0..p).map(|j| (0..n).map(|i| design[i * p + j].powi(2)).sum::<f64>().sqrt()).collect();
        let entry =
            |a: usize, b: usize| (0..n).map(|i| design[i * p + a] * design[i * p + b]).sum::<f64>() / (scales[a] * scales[b]);
        let gram: Vec<f64> = (0..p * p).map(|i| entry(i / p, i % p)).collect();
        let normal = Cholesky::new(p, &gram)
            .map_err(|_| Error::degenerate("columns of the design follow from each other; leave one of them out"))?;
        Ok(Self { n, p, design: design.to_vec(), normal, scales })
    }

    /// The first column that follows from those before it, where there is one.
    #[must_use]
    pub fn aliased(n: usize, p: usize, design: &[f64]) -> Option<usize> {
        (1..=p)
            .find(|&k| {
                let part: Vec<f64> = (0..n * k).map(|i| design[i / k * p + i % k]).collect();
                let length = |j: usize| (0..n).map(|i| part[i * k + j].powi(2)).sum::<f64>().sqrt();
                let lengths: Vec<f64> = (0..k).map(length).collect();
                let unit: Vec<f64> = part.iter().enumerate().map(|(i, v)| v / lengths[i % k].max(f64::MIN_POSITIVE)).collect();
                n < k || thin_svd(n, k, &unit).is_ok_and(|s| s.s[k - 1] < 1e-8 * s.s[0])
            })
            .map(|k| k - 1)
    }

    /// Samples minus coefficients.
    #[must_use]
    pub fn df(&self) -> usize {
        self.n - self.p
    }

    /// Least squares of one response.
    #[must_use]
    pub fn fit(&self, y: &[f64]) -> LinearFit {
        let mut coefficients = self.solve(y);
        // Once more on the rest, which gives back what squaring the design cost.
        let rest = self.rest(y, &coefficients);
        coefficients.iter_mut().zip(self.solve(&rest)).for_each(|(c, more)| *c += more);
        let rest = self.rest(y, &coefficients);
        LinearFit { variance: dot(&rest, &rest) / self.df() as f64, coefficients }
    }

    /// Standard deviation of a contrast of the coefficients where the noise has variance 1.
    #[must_use]
    pub fn unscaled(&self, contrast: &[f64]) -> f64 {
        let scaled: Vec<f64> = contrast.iter().zip(&self.scales).map(|(c, s)| c / s).collect();
        self.normal.inverse_norm_squared(&scaled).sqrt()
    }

    fn solve(&self, y: &[f64]) -> Vec<f64> {
        let along = |j: usize| (0..self.n).map(|i| self.design[i * self.p + j] * y[i]).sum::<f64>() / self.scales[j];
        let mut x: Vec<f64> = (0..self.p).map(along).collect();
        self.normal.solve_in_place(&mut x);
        x.iter_mut().zip(&self.scales).for_each(|(x, s)| *x /= s);
        x
    }

    fn rest(&self, y: &[f64], coefficients: &[f64]) -> Vec<f64> {
        self.design.chunks_exact(self.p).zip(y).map(|(row, y)| y - dot(row, coefficients)).collect()
    }
}

/// Where variances come from: a scaled inverse chi-squared distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// The common variance.
    pub variance: f64,
    /// How strongly it is believed, in degrees of freedom; infinite where all variances are one.
    pub df: f64,
}

impl Prior {
    /// From residual variances of `df` degrees of freedom each, by the moments of their logarithms; zero
    /// variances are raised to a hundred-thousandth of the median. `None` without a positive one.
    #[must_use]
    pub fn of(variances: &[f64], df: f64) -> Option<Self> {
        let mut sorted: Vec<f64> = variances.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = super::quantile(&sorted, 0.5);
        let median = if middle > 0.0 { middle } else { 1.0 };
        if sorted.last().is_none_or(|v| *v <= 0.0) {
            return None;
        }
        let raised: Vec<f64> = variances.iter().map(|v| v.max(1e-5 * median)).collect();
        let n = raised.len() as f64;
        let shifted: Vec<f64> = raised.iter().map(|v| v.ln() - digamma(0.5 * df) + (0.5 * df).ln()).collect();
        let mean = shifted.iter().sum::<f64>() / n;
        let spread = shifted.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0) - trigamma(0.5 * df);
        if spread > 0.0 {
            let prior_df = 2.0 * trigamma_inverse(spread);
            let variance = (mean + digamma(0.5 * prior_df) - (0.5 * prior_df).ln()).exp();
            return Some(Self { variance, df: prior_df });
        }
        let pooled = raised.iter().sum::<f64>() / n;
        let variance = if n > 1.0 { pooled } else { variances[0] };
        Some(Self { variance, df: if n > 1.0 { f64::INFINITY } else { 0.0 } })
    }

    fn posterior(&self, variance: f64, df: f64) -> f64 {
        if self.df.is_infinite() { self.variance } else { (self.df * self.variance + df * variance) / (self.df + df) }
    }
}

/// Tests of one contrast for all responses.
#[derive(Clone, Debug, PartialEq)]
pub struct Moderated {
    /// Effect by its standard error.
    pub t: Vec<f64>,
    /// Two-sided.
    pub p: Vec<f64>,
    /// Natural logarithm of the odds that there is an effect.
    pub log_odds: Vec<f64>,
    /// Degrees of freedom of all tests.
    pub df: f64,
}

impl Moderated {
    /// From effects, residual variances of `df` degrees of freedom and the unscaled standard deviation of the effect.
    #[must_use]
    pub fn new(effects: &[f64], variances: &[f64], df: f64, unscaled: f64, prior: &Prior) -> Self {
        let total = (df + prior.df).min(df * effects.len() as f64);
        let error = |v: f64| unscaled * prior.posterior(v, df).sqrt();
        let t: Vec<f64> = effects.iter().zip(variances).map(|(e, v)| e / error(*v)).collect();
        let p = t.iter().map(|t| t_two_sided(*t, total)).collect();
        let spread = effect_variance(&t, total, unscaled, prior.variance);
        let ratio = (unscaled * unscaled + spread) / (unscaled * unscaled);
        let base = (PROPORTION / (1.0 - PROPORTION)).ln() - 0.5 * ratio.ln();
        let kernel = |t: &f64| {
            let t2 = t * t;
            if prior.df > 1e6 {
                0.5 * t2 * (1.0 - 1.0 / ratio)
            } else {
                0.5 * (1.0 + total) * ((t2 + total) / (t2 / ratio + total)).ln()
            }
        };
        let log_odds = t.iter().map(|t| base + kernel(t)).collect();
        Self { p, log_odds, df: total, t }
    }
}

/// Variance of true effects, in units of the noise, from the largest tests.
fn effect_variance(t: &[f64], df: f64, unscaled: f64, prior_variance: f64) -> f64 {
    let n = t.len() as f64;
    let wanted = (0.5 * PROPORTION * n).ceil();
    let part = (wanted / n).max(PROPORTION);
    let mut sizes: Vec<f64> = t.iter().map(|t| t.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let limits = EFFECT_LIMITS.map(|l| l * l / prior_variance);
    let one = |(rank, size): (usize, &f64)| {
        let p0 = t_two_sided(*size, df);
        let target = ((rank as f64 + 0.5) / n - (1.0 - part) * p0) / part;
        let raw =
            if target > p0 { unscaled * unscaled * ((size / t_quantile_upper(0.5 * target, df)).powi(2) - 1.0) } else { 0.0 };
        raw.max(limits[0]).min(limits[1])
    };
    let used = wanted as usize;
    sizes.iter().take(used).enumerate().map(one).sum::<f64>() / used as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    #[test]
    fn a_line_is_fitted() {
        let design = [1.0, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 3.0];
        let model = LinearModel::new(4, 2, &design).unwrap();
        let fit = model.fit(&[1.0, 3.1, 4.9, 7.0]);
        assert!((fit.coefficients[0] - 1.03).abs() < 1e-12 && (fit.coefficients[1] - 1.98).abs() < 1e-12);
        assert!((model.unscaled(&[0.0, 1.0]) - 0.2_f64.sqrt()).abs() < 1e-12);
        assert!((fit.variance - 0.009).abs() < 1e-12);
    }

    #[test]
    fn what_follows_is_named() {
        let design = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
        assert_eq!(LinearModel::aliased(4, 3, &design), Some(2));
        assert!(LinearModel::new(4, 3, &design).unwrap_err().to_string().contains("follow from each other"));
        assert_eq!(LinearModel::aliased(4, 1, &[1.0; 4]), None);
        assert!(LinearModel::new(2, 2, &[1.0, 0.0, 1.0, 1.0]).is_err());
    }

    /// Where there is no effect, five in a hundred tests are below 0.05.
    #[test]
    fn null_tests_keep_their_level() {
        let (n, genes) = (8, 4000);
        let mut r = Stream::new(3, 4);
        let design: Vec<f64> = (0..n).flat_map(|i| [1.0, f64::from(i % 2)]).collect();
        let model = LinearModel::new(n as usize, 2, &design).unwrap();
        let fits: Vec<LinearFit> = (0..genes)
            .map(|_| {
                let sd = (4.0 / r.gamma(2.0, 2.0)).sqrt();
                model.fit(&(0..n).map(|_| sd * r.normal()).collect::<Vec<_>>())
            })
            .collect();
        let variances: Vec<f64> = fits.iter().map(|f| f.variance).collect();
        let effects: Vec<f64> = fits.iter().map(|f| f.coefficients[1]).collect();
        let prior = Prior::of(&variances, 6.0).unwrap();
        assert!((prior.df / 4.0 - 1.0).abs() < 0.2, "{prior:?}");
        let tests = Moderated::new(&effects, &variances, 6.0, model.unscaled(&[0.0, 1.0]), &prior);
        let share = tests.p.iter().filter(|p| **p < 0.05).count() as f64 / f64::from(genes);
        assert!((share - 0.05).abs() < 0.011, "{share}");
    }

    #[test]
    fn equal_variances_are_pooled() {
        let prior = Prior::of(&[1.0, 1.0, 1.0], 4.0).unwrap();
        assert!(prior.df.is_infinite() && prior.variance == 1.0);
        assert!(Prior::of(&[0.0, 0.0], 4.0).is_none());
        assert!(Prior::of(&[], 4.0).is_none());
    }
}
