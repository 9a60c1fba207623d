//! Ridge regression of many responses at once, exact, from sums of products: the sums of all rows are
//! taken once, and those of a fold's training rows follow by subtraction.

use super::cholesky::{Cholesky, dot};
use super::svd::thin_svd;
use crate::base::{Error, Progress, Result};
use rayon::prelude::*;

/// Features and responses, column by column. Columns are kept minus their mean over all rows: this
/// changes no result, and sums of products keep their digits.
#[derive(Clone, Debug)]
pub struct Design {
    n_rows: usize,
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    x_origin: Vec<f64>,
    y_origin: Vec<f64>,
}

/// Sums over a set of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    /// Number of rows.
    pub n: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    /// p×p.
    xx: Vec<f64>,
    /// p×m.
    xy: Vec<f64>,
    yy: Vec<f64>,
}

/// A fitted ridge: `y = intercept + Σ coefficient · (x − mean) / scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    /// Penalty on the squared coefficients (of the scaled features).
    pub alpha: f64,
    /// Mean of each feature in training.
    pub mean: Vec<f64>,
    /// What each centered feature is divided by.
    pub scale: Vec<f64>,
    /// p×m, row-major: feature by response.
    pub coefficients: Vec<f64>,
    /// One per response: its mean in training.
    pub intercept: Vec<f64>,
    /// Number of training rows.
    pub n: usize,
    factor: Cholesky,
}

impl Design {
    /// From columns of one length; [`Error::Degenerate`] where a number is not finite.
    pub fn new(x: Vec<Vec<f64>>, y: Vec<Vec<f64>>) -> Result<Self> {
        let n_rows = x.first().or(y.first()).map_or(0, Vec::len);
        if x.is_empty() || n_rows == 0 {
            return Err(Error::degenerate(format!("{} features of {n_rows} samples leave nothing to fit", x.len())));
        }
        if x.iter().chain(&y).any(|c| c.len() != n_rows) {
            return Err(Error::parameter(format!("columns of different lengths; the first has {n_rows} rows")));
        }
        if x.iter().chain(&y).flatten().any(|v| !v.is_finite()) {
            return Err(Error::degenerate("a feature or response is not a finite number"));
        }
        let center = |columns: Vec<Vec<f64>>| -> (Vec<Vec<f64>>, Vec<f64>) {
            let one = |mut c: Vec<f64>| {
                let mean = c.iter().sum::<f64>() / n_rows as f64;
                c.iter_mut().for_each(|v| *v -= mean);
                (c, mean)
            };
            columns.into_par_iter().map(one).unzip()
        };
        let ((x, x_origin), (y, y_origin)) = (center(x), center(y));
        Ok(Self { n_rows, x, y, x_origin, y_origin })
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of features.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.x.len()
    }

    /// Number of responses.
    #[must_use]
    pub fn n_responses(&self) -> usize {
        self.y.len()
    }

    /// One response at one row.
    #[must_use]
    pub fn response(&self, g: usize, row: usize) -> f64 {
        self.y[g][row] + self.y_origin[g]
    }

    /// Sums over rows. Cost: rows × features × (features / 2 + responses).
    pub fn gram(&self, rows: &[usize], progress: &Progress) -> Result<Gram> {
        let pick = |columns: &[Vec<f64>]| -> Vec<Vec<f64>> {
            columns.par_iter().map(|c| rows.iter().map(|&i| c[i]).collect()).collect()
        };
        let (x, y) = (pick(&self.x), pick(&self.y));
        let sums = |columns: &[Vec<f64>]| columns.iter().map(|c| c.iter().sum()).collect();
        let p = x.len();
        let products: Vec<(Vec<f64>, Vec<f64>)> = (0..p)
            .into_par_iter()
            .map(|j| {
                progress.step(j as f64 / p as f64, "sums of products")?;
                let xx = (0..=j).map(|k| dot(&x[j], &x[k])).collect();
                Ok((xx, y.iter().map(|c| dot(&x[j], c)).collect()))
            })
            .collect::<Result<_>>()?;
        let mut xx = vec![0.0; p * p];
        for (j, (row, _)) in products.iter().enumerate() {
            for (k, v) in row.iter().enumerate() {
                xx[j * p + k] = *v;
                xx[k * p + j] = *v;
            }
        }
        let yy = y.iter().map(|c| dot(c, c)).collect();
        Ok(Gram { n: rows.len(), x: sums(&x), y: sums(&y), xx, xy: products.into_iter().flat_map(|r| r.1).collect(), yy })
    }

    /// Predictions for rows, response by response (`[g][i]`).
    #[must_use]
    pub fn predict(&self, fit: &Ridge, rows: &[usize]) -> Vec<Vec<f64>> {
        let scaled = self.scaled(fit, rows);
        let m = self.y.len();
        (0..m)
            .into_par_iter()
            .map(|g| {
                let b: Vec<f64> = (0..self.x.len()).map(|j| fit.coefficients[j * m + g]).collect();
                scaled.iter().map(|z| fit.intercept[g] + dot(z, &b)).collect()
            })
            .collect()
    }

    /// [`Ridge::leverage`] of rows.
    #[must_use]
    pub fn leverages(&self, fit: &Ridge, rows: &[usize]) -> Vec<f64> {
        self.scaled(fit, rows).par_iter().map(|z| fit.leverage(z)).collect()
    }

    /// Scaled features of rows, row by row.
    #[must_use]
    pub fn scaled(&self, fit: &Ridge, rows: &[usize]) -> Vec<Vec<f64>> {
        let shift: Vec<f64> = (0..self.x.len()).map(|j| self.x_origin[j] - fit.mean[j]).collect();
        rows.par_iter().map(|&i| (0..self.x.len()).map(|j| (self.x[j][i] + shift[j]) / fit.scale[j]).collect()).collect()
    }

    /// Fits the training rows behind `gram` with a penalty `alpha` > 0 (0 is allowed where the features are
    /// independent): minimizes `‖y − Xb‖² + α‖b‖²` with an intercept that is not penalized. Features are
    /// divided by their training standard deviation (over n) where `standardize`. Cost: p³/3 + p²m.
    pub fn fit(&self, gram: &Gram, alpha: f64, standardize: bool) -> Result<Ridge> {
        if !alpha.is_finite() || alpha < 0.0 {
            return Err(Error::parameter(format!("the penalty {alpha} is not a number from 0 upward")));
        }
        if gram.n < 2 {
            return Err(Error::degenerate(format!("{} training rows are too few to fit", gram.n)));
        }
        let scale: Vec<f64> = (0..self.x.len()).map(|j| if standardize { gram.sd(j) } else { 1.0 }).collect();
        let mut a = gram.centered(&scale);
        (0..scale.len()).for_each(|j| a[j * scale.len() + j] += alpha);
        let factor = Cholesky::new(scale.len(), &a)?;
        let solve = |mut b: Vec<f64>| {
            factor.solve_in_place(&mut b);
            b
        };
        let coefficients = self.coefficients(gram, &scale, solve);
        Ok(self.fitted(gram, alpha, scale, coefficients, factor))
    }

    /// As [`Self::fit`] with standardized features, in the space of their `k` leading principal components
    /// (the protocol of HEST: scaler, PCA, ridge); the coefficients are those of the features. Cost: p³ + p²m.
    pub fn fit_principal(&self, gram: &Gram, alpha: f64, k: usize) -> Result<Ridge> {
        let full = self.fit(gram, alpha, true)?;
        let p = self.x.len();
        if k >= p {
            return Ok(full);
        }
        let svd = thin_svd(p, p, &gram.centered(&full.scale))?;
        let direction = |c: usize| (0..p).map(|j| svd.v[j * p + c]).collect::<Vec<f64>>();
        let directions: Vec<Vec<f64>> = (0..k).map(direction).collect();
        let solve = |b: Vec<f64>| {
            let mut out = vec![0.0; p];
            for (v, s) in directions.iter().zip(&svd.s) {
                let along = dot(v, &b) / (s + alpha);
                out.iter_mut().zip(v).for_each(|(o, v)| *o += along * v);
            }
            out
        };
        let coefficients = self.coefficients(gram, &full.scale, solve);
        Ok(Ridge { coefficients, ..full })
    }

    /// Feature by response: what `solve` makes of the products of scaled features with each response.
    fn coefficients(&self, gram: &Gram, scale: &[f64], solve: impl Fn(Vec<f64>) -> Vec<f64> + Sync) -> Vec<f64> {
        let (p, m, n) = (self.x.len(), self.y.len(), gram.n as f64);
        let column = |g: usize| solve((0..p).map(|j| (gram.xy[j * m + g] - gram.x[j] * gram.y[g] / n) / scale[j]).collect());
        let columns: Vec<Vec<f64>> = (0..m).into_par_iter().map(column).collect();
        (0..p * m).map(|i| columns[i % m][i / m]).collect()
    }

    fn fitted(&self, gram: &Gram, alpha: f64, scale: Vec<f64>, coefficients: Vec<f64>, factor: Cholesky) -> Ridge {
        let (p, m, n) = (self.x.len(), self.y.len(), gram.n as f64);
        Ridge {
            alpha,
            mean: (0..p).map(|j| self.x_origin[j] + gram.x[j] / n).collect(),
            scale,
            coefficients,
            intercept: (0..m).map(|g| self.y_origin[g] + gram.y[g] / n).collect(),
            n: gram.n,
            factor,
        }
    }

    /// Sum of squared errors of a fit over the rows behind `gram`, one per response. Cost: p²m.
    #[must_use]
    pub fn squared_errors(&self, fit: &Ridge, gram: &Gram) -> Vec<f64> {
        let (p, m, n) = (self.x.len(), self.y.len(), gram.n as f64);
        (0..m)
            .into_par_iter()
            .map(|g| {
                let b: Vec<f64> = (0..p).map(|j| fit.coefficients[j * m + g] / fit.scale[j]).collect();
                // The prediction in kept columns is `offset + b · x`.
                let shift: f64 = (0..p).map(|j| b[j] * (self.x_origin[j] - fit.mean[j])).sum();
                let offset = fit.intercept[g] - self.y_origin[g] + shift;
                let quadratic: f64 = (0..p).map(|j| b[j] * dot(&gram.xx[j * p..(j + 1) * p], &b)).sum();
                let cross: f64 = (0..p).map(|j| b[j] * (gram.xy[j * m + g] - offset * gram.x[j])).sum();
                (gram.yy[g] - 2.0 * offset * gram.y[g] + n * offset * offset + quadratic - 2.0 * cross).max(0.0)
            })
            .collect()
    }
}

impl Gram {
    /// The sums without those of `part`, which must be a part of the same rows.
    pub fn minus(&self, part: &Self) -> Result<Self> {
        if part.n > self.n || part.xx.len() != self.xx.len() || part.xy.len() != self.xy.len() {
            return Err(Error::parameter("these sums are not a part of the others"));
        }
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Ok(Self {
            n: self.n - part.n,
            x: less(&self.x, &part.x),
            y: less(&self.y, &part.y),
            xx: less(&self.xx, &part.xx),
            xy: less(&self.xy, &part.xy),
            yy: less(&self.yy, &part.yy),
        })
    }

    /// Products of centered features, each divided by its scale: p×p, row-major. Divided by n these are the
    /// correlations, where the scales are the standard deviations.
    #[must_use]
    pub fn centered(&self, scale: &[f64]) -> Vec<f64> {
        let (p, n) = (self.x.len(), self.n as f64);
        let product = |j: usize, k: usize| (self.xx[j * p + k] - self.x[j] * self.x[k] / n) / (scale[j] * scale[k]);
        (0..p * p).map(|i| product(i / p, i % p)).collect()
    }

    /// Standard deviation over n of a feature; 1 where it does not vary.
    #[must_use]
    pub fn sd(&self, j: usize) -> f64 {
        let (p, n) = (self.x.len(), self.n as f64);
        let (square, mean) = (self.xx[j * p + j] / n, self.x[j] / n);
        let variance = square - mean * mean;
        if variance > 1e-12 * (square + 1e-30) { variance.sqrt() } else { 1.0 }
    }

    /// Variance over n of a response; 0 where it does not vary.
    #[must_use]
    pub fn response_variance(&self, g: usize) -> f64 {
        let (n, mean) = (self.n as f64, self.y[g] / self.n as f64);
        (self.yy[g] / n - mean * mean).max(0.0)
    }
}

impl Ridge {
    /// `1/n + zᵀ (ZᵀZ + αI)⁻¹ z`: how much a sample with scaled features `z` depends on the fit. Times the
    /// residual variance it is the posterior variance of the prediction.
    #[must_use]
    pub fn leverage(&self, z: &[f64]) -> f64 {
        1.0 / self.n as f64 + self.factor.inverse_norm_squared(z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Stream;

    fn design(n: usize, p: usize, m: usize) -> (Design, Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let mut s = Stream::new(5, 1);
        let mut columns = |k: usize| -> Vec<Vec<f64>> { (0..k).map(|_| (0..n).map(|_| 100.0 + s.normal()).collect()).collect() };
        let (x, y) = (columns(p), columns(m));
        (Design::new(x.clone(), y.clone()).unwrap(), x, y)
    }

    #[test]
    fn normal_equations_hold_and_subtraction_agrees() {
        let (d, x, y) = design(40, 6, 3);
        let none = Progress::none();
        let (all, out): (Vec<usize>, Vec<usize>) = ((0..40).collect(), (0..40).filter(|i| i % 4 == 1).collect());
        let train: Vec<usize> = (0..40).filter(|i| i % 4 != 1).collect();
        let by_subtraction = d.gram(&all, &none).unwrap().minus(&d.gram(&out, &none).unwrap()).unwrap();
        let direct = d.gram(&train, &none).unwrap();
        let (a, b) = (d.fit(&by_subtraction, 2.5, true).unwrap(), d.fit(&direct, 2.5, true).unwrap());
        for (u, v) in a.coefficients.iter().zip(&b.coefficients) {
            assert!((u - v).abs() < 1e-12);
        }
        // Zᵀ(y − ŷ) = α b, and residuals of the training rows sum to 0.
        let fitted = d.predict(&b, &train);
        for g in 0..3 {
            let residual: Vec<f64> = train.iter().zip(&fitted[g]).map(|(&i, f)| y[g][i] - f).collect();
            assert!(residual.iter().sum::<f64>().abs() < 1e-10);
            for (j, column) in x.iter().enumerate() {
                let z = train.iter().map(|&i| (column[i] - b.mean[j]) / b.scale[j]);
                let pull: f64 = z.zip(&residual).map(|(z, r)| z * r).sum();
                assert!((pull - 2.5 * b.coefficients[j * 3 + g]).abs() < 1e-9);
            }
        }
        let (held, errors) = (d.predict(&b, &out), d.squared_errors(&b, &d.gram(&out, &none).unwrap()));
        for g in 0..3 {
            let direct: f64 = out.iter().zip(&held[g]).map(|(&i, f)| (y[g][i] - f).powi(2)).sum();
            assert!((direct - errors[g]).abs() < 1e-9 * direct);
        }
    }

    #[test]
    fn constant_features_and_bad_input() {
        let y = vec![vec![1.0, 2.0, 4.0, 3.0]];
        let d = Design::new(vec![vec![7.0; 4], vec![0.0, 1.0, 2.0, 3.0]], y.clone()).unwrap();
        let gram = d.gram(&[0, 1, 2, 3], &Progress::none()).unwrap();
        let fit = d.fit(&gram, 1e-9, true).unwrap();
        assert_eq!(fit.coefficients[0], 0.0);
        assert!((fit.intercept[0] - 2.5).abs() < 1e-12 && (fit.coefficients[1] - 0.8 * 1.25f64.sqrt()).abs() < 1e-8);
        assert!(d.fit(&gram, 0.0, true).is_err());
        assert!(d.fit(&gram, -1.0, true).is_err());
        assert!(Design::new(vec![vec![f64::NAN]], vec![]).is_err());
        assert!(Design::new(Vec::new(), y).is_err());
    }
}
