//! Fitting with held-out samples: every number that is told about a model comes from samples that it did
//! not see, and so does the choice of its penalty.

use super::domain::{Metric, SHRINKAGE, domain_of};
use super::score::known;
use super::training::{Fold, Training, check_folds};
use crate::base::{Error, Limits, Progress, Result};
use crate::model::Domain;
use crate::stats::{Design, Gram, Ridge, pearson};

/// How the penalty is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    /// From a grid, by folds inside the training samples of each fold.
    Nested,
    /// `100 / (features · genes)`, the rule of HEST.
    Hest,
    /// This one.
    Fixed(f64),
}

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Ridge regression of standardized features.
    Ridge,
    /// The same on their 256 leading principal components, with the penalty of HEST unless another is fixed.
    Hest,
}

impl Method {
    /// As on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::Hest => "hest",
        }
    }
}

/// Penalties of the grid, as shares of the number of training samples.
const GRID: [f64; 13] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
/// Folds inside the training samples.
const N_INNER: usize = 4;
/// Principal components of HEST.
const N_COMPONENTS: usize = 256;

/// A fit of all samples and the predictions of each from a fit without it.
#[derive(Clone, Debug)]
pub struct CrossFit {
    /// The fit of all samples.
    pub fit: Ridge,
    /// Correlations of the scaled features.
    pub correlation: Vec<f64>,
    /// Held-out predictions, gene by gene; NaN for samples that no fold holds out.
    pub held_out: Vec<Vec<f64>>,
    /// Their standard deviations.
    pub held_out_sd: Vec<Vec<f64>>,
    /// The training mean of each sample's fold, gene by gene: the map that knows nothing.
    pub mean_map: Vec<Vec<f64>>,
    /// Penalty of each fold.
    pub alphas: Vec<f64>,
    /// Mean over genes of the held-out correlation within each fold.
    pub fold_pearson: Vec<Option<f64>>,
    /// Root mean square of the held-out residuals of each gene.
    pub residual_sd: Vec<f64>,
    /// Mean leverage of held-out samples.
    pub mean_leverage: f64,
    /// Where training samples lie.
    pub domain: Domain,
    /// Whether each held-out sample lies in the domain of its fold's training samples.
    pub in_domain: Vec<bool>,
}

/// What one fold gives.
struct Held {
    alpha: f64,
    /// `[g][t]` for the fold's test samples.
    values: Vec<Vec<f64>>,
    means: Vec<f64>,
    leverage: Vec<f64>,
    distances: Vec<[f64; 2]>,
}

/// Fits and holds out. Cost: about `folds · samples · features · (features / 2 + genes)` three times.
pub fn cross_fit(training: &Training, folds: &[Fold], method: Method, penalty: Penalty, progress: &Progress) -> Result<CrossFit> {
    training.check()?;
    check_folds(folds, training.n())?;
    let nested = penalty == Penalty::Nested && method == Method::Ridge;
    if nested && folds.len() < 3 {
        return Err(Error::degenerate("two folds leave nothing to choose the penalty by; use 3 folds or more, or give --alpha"));
    }
    let (n, p, m) = (training.n() as u64, training.x.len() as u64, training.y.len() as u64);
    Limits::default().check("features and expression", &[n, p + 5 * m], 8)?;
    let design = Design::new(training.x.clone(), training.y.clone())?;
    let fitter = Fitter { design: &design, folds, method, penalty };
    let all: Vec<usize> = (0..training.n()).collect();
    let total = design.gram(&all, &progress.part(0.0, 0.1))?;
    let mut grams = Vec::new();
    let mut held = Vec::new();
    for (k, fold) in folds.iter().enumerate() {
        let part = progress.part(0.1 + 0.8 * k as f64 / folds.len() as f64, 0.1 + 0.8 * (k + 1) as f64 / folds.len() as f64);
        part.step(0.0, "held-out fit")?;
        let gram = fitter.without(&total, &all, &fold.train, &part.part(0.0, 0.3))?;
        held.push(fitter.hold_out(k, &gram, &part.part(0.3, 0.9))?);
        let test = design.gram(&fold.test, &part.part(0.9, 1.0))?;
        grams.push((gram, test));
    }
    progress.step(0.92, "fit of all samples")?;
    let alpha = match fitter.fixed_alpha() {
        Some(alpha) => alpha,
        None => fitter.best_alpha(&grams, total.n as f64, progress)?,
    };
    let fit = fitter.fit(&total, alpha)?;
    let correlation = total.centered(&fit.scale).iter().map(|v| v / total.n as f64).collect();
    Ok(gather(training, folds, held, fit, correlation))
}

struct Fitter<'a> {
    design: &'a Design,
    folds: &'a [Fold],
    method: Method,
    penalty: Penalty,
}

impl Fitter<'_> {
    /// The penalty where it does not depend on the samples.
    fn fixed_alpha(&self) -> Option<f64> {
        let hest = |p: usize| 100.0 / (p.min(N_COMPONENTS) * self.design.n_responses()) as f64;
        match (self.penalty, self.method) {
            (Penalty::Fixed(alpha), _) => Some(alpha),
            (Penalty::Hest, _) | (Penalty::Nested, Method::Hest) => Some(hest(self.design.n_features())),
            (Penalty::Nested, Method::Ridge) => None,
        }
    }

    fn fit(&self, gram: &Gram, alpha: f64) -> Result<Ridge> {
        match self.method {
            Method::Ridge => self.design.fit(gram, alpha, true),
            Method::Hest => self.design.fit_principal(gram, alpha, N_COMPONENTS),
        }
    }

    /// Sums over `keep`, from the sums over `all` where fewer rows have to be taken away than kept.
    fn without(&self, total: &Gram, all: &[usize], keep: &[usize], progress: &Progress) -> Result<Gram> {
        let out: Vec<usize> = difference(all, keep);
        if out.len() < keep.len() { total.minus(&self.design.gram(&out, progress)?) } else { self.design.gram(keep, progress) }
    }

    fn hold_out(&self, k: usize, gram: &Gram, progress: &Progress) -> Result<Held> {
        let fold = &self.folds[k];
        let alpha = match self.fixed_alpha() {
            Some(alpha) => alpha,
            None => self.best_alpha(&self.inner(k, gram, progress)?, gram.n as f64, progress)?,
        };
        let fit = self.fit(gram, alpha)?;
        let correlation: Vec<f64> = gram.centered(&fit.scale).iter().map(|v| v / gram.n as f64).collect();
        let metric = Metric::new(fit.scale.len(), &correlation, SHRINKAGE)?;
        progress.step(0.95, "held-out predictions")?;
        Ok(Held {
            alpha,
            values: self.design.predict(&fit, &fold.test),
            leverage: self.design.leverages(&fit, &fold.test),
            distances: self.design.scaled(&fit, &fold.test).iter().map(|z| metric.distances(z)).collect(),
            means: fit.intercept,
        })
    }

    /// Sums of training and test rows of the folds inside the training rows of fold `k`: the other folds in at
    /// most [`N_INNER`] parts, each held out with its own buffer.
    fn inner(&self, k: usize, gram: &Gram, progress: &Progress) -> Result<Vec<(Gram, Gram)>> {
        let train = &self.folds[k].train;
        let others: Vec<usize> = (0..self.folds.len()).filter(|&j| j != k).collect();
        let n_parts = others.len().min(N_INNER);
        let mut out = Vec::new();
        for part in 0..n_parts {
            let step = progress.part(part as f64 / n_parts as f64, (part + 1) as f64 / n_parts as f64);
            let mine = others.iter().skip(part).step_by(n_parts);
            let (mut keep, mut test) = (train.clone(), Vec::new());
            for &j in mine {
                keep = common(&keep, &self.folds[j].train);
                test.extend(common(train, &self.folds[j].test));
            }
            test.sort_unstable();
            if keep.len() >= 2 && !test.is_empty() {
                out.push((
                    self.without(gram, train, &keep, &step.part(0.0, 0.6))?,
                    self.design.gram(&test, &step.part(0.6, 1.0))?,
                ));
            }
        }
        if out.is_empty() {
            let what = format!("the training samples of fold {} cannot be divided again; give the penalty with --alpha", k + 1);
            return Err(Error::degenerate(what));
        }
        Ok(out)
    }

    /// The penalty of the grid with the least squared error over pairs of training and test sums, each gene
    /// counted by its own variance.
    fn best_alpha(&self, pairs: &[(Gram, Gram)], n: f64, progress: &Progress) -> Result<f64> {
        let mut errors = vec![0.0; GRID.len()];
        for (train, test) in pairs {
            for (share, error) in GRID.iter().zip(&mut errors) {
                progress.step(0.0, "choosing the penalty")?;
                let fit = self.fit(train, share * train.n as f64)?;
                let squared = self.design.squared_errors(&fit, test);
                let scaled = squared.iter().enumerate().map(|(g, e)| e / train.response_variance(g).max(1e-12));
                *error += scaled.sum::<f64>();
            }
        }
        let best = (0..GRID.len()).min_by(|&a, &b| errors[a].total_cmp(&errors[b])).unwrap_or(0);
        Ok(GRID[best] * n)
    }
}

/// Puts the folds together.
fn gather(training: &Training, folds: &[Fold], held: Vec<Held>, fit: Ridge, correlation: Vec<f64>) -> CrossFit {
    let (n, m) = (training.n(), training.y.len());
    let distances: Vec<[f64; 2]> = held.iter().flat_map(|h| h.distances.iter().copied()).collect();
    let domain = domain_of(&distances);
    let leverages: Vec<f64> = held.iter().flat_map(|h| h.leverage.iter().copied()).collect();
    let mean_leverage = leverages.iter().sum::<f64>() / leverages.len() as f64;
    let squares = squares(training, folds, &held);
    let sum = |g: usize, skip: Option<usize>| -> (f64, f64) {
        let kept = squares.iter().enumerate().filter(|(k, _)| Some(*k) != skip);
        kept.fold((0.0, 0.0), |(s, c), (k, by_gene)| (s + by_gene[g], c + folds[k].test.len() as f64))
    };
    let mut out = CrossFit {
        fit,
        correlation,
        held_out: vec![vec![f64::NAN; n]; m],
        held_out_sd: vec![vec![f64::NAN; n]; m],
        mean_map: vec![vec![f64::NAN; n]; m],
        alphas: held.iter().map(|h| h.alpha).collect(),
        fold_pearson: Vec::new(),
        residual_sd: (0..m).map(|g| sum(g, None)).map(|(s, c)| (s / c).sqrt()).collect(),
        mean_leverage,
        domain,
        in_domain: vec![false; n],
    };
    for (k, (fold, h)) in folds.iter().zip(&held).enumerate() {
        for g in 0..m {
            // The spread of a fold's own residuals is not used for its intervals.
            let (s, c) = sum(g, Some(k));
            let sd = (s / c).sqrt();
            for (t, &i) in fold.test.iter().enumerate() {
                out.held_out[g][i] = h.values[g][t];
                out.held_out_sd[g][i] = sd * ((1.0 + h.leverage[t]) / (1.0 + mean_leverage)).sqrt();
                out.mean_map[g][i] = h.means[g];
            }
        }
        for (t, &i) in fold.test.iter().enumerate() {
            out.in_domain[i] = super::domain::distance(&out.domain, h.distances[t]) <= out.domain.limit;
        }
        let pick = |g: usize| fold.test.iter().map(|&i| training.y[g][i]).collect::<Vec<f64>>();
        let known: Vec<f64> = (0..m).filter_map(|g| known(pearson(&pick(g), &h.values[g]))).collect();
        out.fold_pearson.push((!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64));
    }
    out
}

/// Sums of squared held-out residuals, by fold and gene.
fn squares(training: &Training, folds: &[Fold], held: &[Held]) -> Vec<Vec<f64>> {
    let of = |(fold, h): (&Fold, &Held)| {
        let gene = |g: usize| fold.test.iter().zip(&h.values[g]).map(|(&i, v)| (training.y[g][i] - v).powi(2)).sum();
        (0..training.y.len()).map(gene).collect()
    };
    folds.iter().zip(held).map(of).collect()
}

/// Members of an increasing list that are not in another one.
fn difference(a: &[usize], b: &[usize]) -> Vec<usize> {
    a.iter().copied().filter(|i| b.binary_search(i).is_err()).collect()
}

/// Members of both increasing lists.
fn common(a: &[usize], b: &[usize]) -> Vec<usize> {
    a.iter().copied().filter(|i| b.binary_search(i).is_ok()).collect()
}
