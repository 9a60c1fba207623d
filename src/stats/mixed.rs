//! A linear model with a random intercept for each group (patient), by restricted maximum likelihood, and
//! tests with Satterthwaite's degrees of freedom.
//! Sources: D. A. Harville, J. Am. Stat. Assoc. 72 (1977) 320; F. E. Satterthwaite, Biometrics 2 (1946) 110;
//! A. Kuznetsova et al., J. Stat. Softw. 82 (2017) 13.

use super::{Cholesky, dot, t_two_sided};
use crate::base::{Error, Result};

/// Ratios of the two variances between which the likelihood is searched, as logarithms, and 0.
const LOG_RATIOS: (f64, f64) = (-12.0, 12.0);
/// Steps of the first look.
const N_LOOKS: usize = 33;

/// A design of n samples and p columns whose samples belong to groups.
#[derive(Clone, Debug)]
pub struct RandomIntercept {
    n: usize,
    p: usize,
    design: Vec<f64>,
    /// Samples of each group.
    members: Vec<Vec<usize>>,
    /// Sums of the design over each group, groups × p.
    sums: Vec<f64>,
}

/// One response.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedFit {
    /// By column of the design.
    pub coefficients: Vec<f64>,
    /// Variance between groups.
    pub group_variance: f64,
    /// Variance within groups.
    pub variance: f64,
}

/// A test of a contrast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixedTest {
    /// The contrast of the coefficients.
    pub effect: f64,
    /// Its standard error.
    pub error: f64,
    /// Satterthwaite's degrees of freedom.
    pub df: f64,
    /// Two-sided.
    pub p: f64,
}

/// Sums of one response and its likelihood's parts at one ratio of variances.
struct At {
    coefficients: Vec<f64>,
    factor: Cholesky,
    /// Weighted sum of squares of the rest.
    squares: f64,
    /// Logarithms of both determinants.
    determinants: f64,
}

impl RandomIntercept {
    /// Prepares a row-major n×p design and the group of each sample (0, 1, …). [`Error::Degenerate`] where
    /// no residual is left, or every sample is a group of its own, or there is only one group.
    pub fn new(n: usize, p: usize, design: &[f64], groups: &[usize]) -> Result<Self> {
        if design.len() != n * p || groups.len() != n {
            return Err(Error::parameter(format!(
                "a design of {n}×{p} got {} numbers and {} groups",
                design.len(),
                groups.len()
            )));
        }
        let mut members = vec![Vec::new(); groups.iter().max().map_or(0, |m| m + 1)];
        groups.iter().enumerate().for_each(|(i, &g)| members[g].push(i));
        members.retain(|m| !m.is_empty());
        if n <= p || members.len() < 2 || members.len() == n {
            return Err(Error::degenerate(format!(
                "{n} samples of {} groups cannot tell groups from noise; several samples of several groups are needed",
                members.len()
            )));
        }
        let sum = |m: &Vec<usize>, j: usize| m.iter().map(|&i| design[i * p + j]).sum::<f64>();
        let sums = members.iter().flat_map(|m| (0..p).map(move |j| (m, j))).map(|(m, j)| sum(m, j)).collect();
        Ok(Self { n, p, design: design.to_vec(), members, sums })
    }

    /// The likelihood's parts for variances 1 within and `ratio` between groups. The inverse of a group's
    /// covariance is 1 − c 11ᵀ with c = ratio / (1 + size ratio).
    fn at(&self, y: &[f64], ratio: f64) -> Result<At> {
        let p = self.p;
        let (mut gram, mut right, mut determinants) = (vec![0.0; p * p], vec![0.0; p], 0.0);
        for (i, row) in self.design.chunks_exact(p).enumerate() {
            for a in 0..p {
                right[a] += row[a] * y[i];
                (0..=a).for_each(|b| gram[a * p + b] += row[a] * row[b]);
            }
        }
        for (m, sums) in self.members.iter().zip(self.sums.chunks_exact(p)) {
            let c = ratio / (1.0 + m.len() as f64 * ratio);
            let total: f64 = m.iter().map(|&i| y[i]).sum();
            for a in 0..p {
                right[a] -= c * sums[a] * total;
                (0..=a).for_each(|b| gram[a * p + b] -= c * sums[a] * sums[b]);
            }
            determinants += (m.len() as f64 * ratio).ln_1p();
        }
        let factor = Cholesky::new(p, &gram)?;
        determinants += factor.log_determinant();
        factor.solve_in_place(&mut right);
        let rest: Vec<f64> = self.design.chunks_exact(p).zip(y).map(|(row, y)| y - dot(row, &right)).collect();
        let mut squares = dot(&rest, &rest);
        for m in &self.members {
            let total: f64 = m.iter().map(|&i| rest[i]).sum();
            squares -= ratio / (1.0 + m.len() as f64 * ratio) * total * total;
        }
        Ok(At { coefficients: right, factor, squares, determinants })
    }

    /// Twice the negative restricted logarithm of the likelihood, with the variance within groups at its best.
    fn profile(&self, y: &[f64], ratio: f64) -> Result<f64> {
        let at = self.at(y, ratio)?;
        Ok((self.n - self.p) as f64 * at.squares.max(f64::MIN_POSITIVE).ln() + at.determinants)
    }

    /// Restricted maximum likelihood: a look at ratios from 0 to e¹², then golden sections around the best.
    pub fn fit(&self, y: &[f64]) -> Result<MixedFit> {
        let (low, high) = LOG_RATIOS;
        let step = (high - low) / (N_LOOKS - 1) as f64;
        let mut best = (self.profile(y, 0.0)?, None);
        for k in 0..N_LOOKS {
            let place = low + step * k as f64;
            let value = self.profile(y, place.exp())?;
            if value < best.0 {
                best = (value, Some(place));
            }
        }
        let mut ratio = 0.0;
        if let Some(place) = best.1 {
            let (mut a, mut b) = (place - step, place + step);
            let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
            while b - a > 1e-9 {
                let (c, d) = (b - golden * (b - a), a + golden * (b - a));
                if self.profile(y, c.exp())? <= self.profile(y, d.exp())? { b = d } else { a = c }
            }
            let found = (0.5 * (a + b)).exp();
            ratio = if self.profile(y, found)? < self.profile(y, 0.0)? { found } else { 0.0 };
        }
        let at = self.at(y, ratio)?;
        let variance = at.squares.max(0.0) / (self.n - self.p) as f64;
        Ok(MixedFit { coefficients: at.coefficients, group_variance: ratio * variance, variance })
    }

    /// A test of a contrast of the coefficients of a fit.
    pub fn test(&self, y: &[f64], fit: &MixedFit, contrast: &[f64]) -> Result<MixedTest> {
        let effect = dot(contrast, &fit.coefficients);
        let theta = [fit.group_variance, fit.variance];
        let square = self.contrast_variance(y, theta, contrast)?;
        let error = square.sqrt();
        let whole = (self.n - self.p) as f64;
        let df = if fit.group_variance > 0.0 { self.satterthwaite(y, theta, contrast, square)?.clamp(1.0, whole) } else { whole };
        Ok(MixedTest { effect, error, df, p: t_two_sided(effect / error, df) })
    }

    fn contrast_variance(&self, y: &[f64], [between, within]: [f64; 2], contrast: &[f64]) -> Result<f64> {
        Ok(within * self.at(y, between / within)?.factor.inverse_norm_squared(contrast))
    }

    /// Twice the negative restricted logarithm of the likelihood at both variances.
    fn deviance(&self, y: &[f64], [between, within]: [f64; 2]) -> Result<f64> {
        let at = self.at(y, between / within)?;
        Ok((self.n - self.p) as f64 * within.ln() + at.squares / within + at.determinants)
    }

    /// `2 v² / gᵀ A g` with the gradient `g` of the contrast's variance v and the covariance `A` of the two variances.
    fn satterthwaite(&self, y: &[f64], theta: [f64; 2], contrast: &[f64], square: f64) -> Result<f64> {
        let h = theta.map(|t| 1e-3 * t);
        let moved = |a: f64, b: f64| [theta[0] + a * h[0], theta[1] + b * h[1]];
        let d = |a: f64, b: f64| self.deviance(y, moved(a, b));
        let v = |a: f64, b: f64| self.contrast_variance(y, moved(a, b), contrast);
        let g = [(v(1.0, 0.0)? - v(-1.0, 0.0)?) / (2.0 * h[0]), (v(0.0, 1.0)? - v(0.0, -1.0)?) / (2.0 * h[1])];
        let middle = d(0.0, 0.0)?;
        let xx = (d(1.0, 0.0)? - 2.0 * middle + d(-1.0, 0.0)?) / (h[0] * h[0]);
        let yy = (d(0.0, 1.0)? - 2.0 * middle + d(0.0, -1.0)?) / (h[1] * h[1]);
        let xy = (d(1.0, 1.0)? - d(1.0, -1.0)? - d(-1.0, 1.0)? + d(-1.0, -1.0)?) / (4.0 * h[0] * h[1]);
        let determinant = xx * yy - xy * xy;
        // The covariance is twice the inverse of the deviance's second derivatives.
        let spread = 2.0 * (g[0] * g[0] * yy - 2.0 * g[0] * g[1] * xy + g[1] * g[1] * xx) / determinant;
        Ok(if spread > 0.0 && determinant > 0.0 {
            2.0 * square * square / spread
        } else {
            self.members.len() as f64 - self.p as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    /// In balanced groups with a covariate of the groups, the test is that of the group means.
    #[test]
    fn balanced_groups_are_tested_as_means() {
        let (groups, size) = (10, 6);
        let mut r = Stream::new(5, 0);
        let (mut design, mut of, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for g in 0..groups {
            let shift = 1.5 * r.normal();
            for _ in 0..size {
                design.extend([1.0, f64::from(u8::from(g % 2 == 0))]);
                of.push(g);
                y.push(shift + r.normal());
            }
        }
        let model = RandomIntercept::new(groups * size, 2, &design, &of).unwrap();
        let fit = model.fit(&y).unwrap();
        let test = model.test(&y, &fit, &[0.0, 1.0]).unwrap();
        let means: Vec<f64> = y.chunks_exact(size).map(|c| c.iter().sum::<f64>() / size as f64).collect();
        let of = |k: usize| means.iter().skip(k).step_by(2).copied().collect::<Vec<f64>>();
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (a, b) = (of(0), of(1));
        let squares: f64 = [&a, &b].iter().map(|v| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>()).sum();
        let error = (squares / 8.0 * 2.0 / 5.0).sqrt();
        assert!((test.effect - (mean(&a) - mean(&b))).abs() < 1e-9);
        assert!((test.error / error - 1.0).abs() < 1e-6, "{} {error}", test.error);
        assert!((test.df - 8.0).abs() < 0.01, "{}", test.df);
    }

    #[test]
    fn groups_without_effect_have_no_variance() {
        let y = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let model = RandomIntercept::new(6, 1, &[1.0; 6], &[0, 0, 1, 1, 2, 2]).unwrap();
        let fit = model.fit(&y).unwrap();
        assert_eq!(fit.group_variance, 0.0);
        assert!((fit.variance - 1.2).abs() < 1e-12);
        assert_eq!(model.test(&y, &fit, &[1.0]).unwrap().df, 5.0);
        assert!(RandomIntercept::new(3, 1, &[1.0; 3], &[0, 1, 2]).is_err());
        assert!(RandomIntercept::new(3, 1, &[1.0; 3], &[0, 0, 0]).is_err());
    }
}
