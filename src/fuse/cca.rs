//! Canonical correlation of two views with its evidence: correlation in samples that it was not fitted to,
//! a permutation null, and for spots of a section a null of surrogate maps.

use super::evidence::{Null, permutation_null, sentence, surrogate_null};
use super::explained::explained;
use super::holdout::{correlations, folds, held_out_scores};
use super::{Cases, CcaSettings};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{CanonicalPair, Finding, Fusion, Loadings, Views};
use crate::stats::{Cca, Fold, pearson};

/// What [`cca`] gives beside the [`Fusion`] that a study keeps.
#[derive(Clone, Debug)]
pub struct CcaResult {
    /// Pairs, weights, scores, words of folds and nulls.
    pub fusion: Fusion,
    /// Samples and features used.
    pub cases: Cases,
    /// Singular values of the fitted problem; the canonical correlations where the ridge is 0.
    pub singular: Vec<f64>,
    /// Mean of the two standardized scores, samples × pairs.
    pub factors: Vec<f64>,
    /// Scores of held-out samples per view (samples × pairs), where something was held out.
    pub held_out_scores: Option<[Vec<f64>; 2]>,
    /// R² per view of each factor's scores, then of all together.
    pub explained: [Vec<f64>; 2],
    /// 95th percentile of the permutation null per pair.
    pub permutation_upper: Vec<f64>,
    /// 95th percentile of the surrogate null per pair.
    pub surrogate_upper: Vec<f64>,
    /// The folds, as rows of the cases.
    pub folds: Vec<Fold>,
    /// What was noticed on the way.
    pub findings: Vec<Finding>,
    /// What the numbers allow to say.
    pub sentence: String,
}

/// Canonical correlation of the first two of `views` over their complete cases, by [`Cca`]; weights belong
/// to centered, unscaled features. `points_mm` are positions of the union's samples on a section: they
/// allow blocks and the surrogate null.
///
/// Held-out correlation: scores of all held-out samples, by the models of their folds, pooled. Permutation:
/// the second view's samples (whole groups) change places; pair k is judged after the k − 1 earlier ones are
/// removed, and `p_k = max(p_1..p_k)` (Winkler et al., `NeuroImage` 220 (2020) 117065). Costs a fit per fold
/// and O(n p q) per draw.
///
/// # Errors
/// [`Error::Parameter`] for settings out of range, [`Error::Degenerate`] where the data have no answer.
pub fn cca(views: &Views, points_mm: Option<&[[f64; 2]]>, settings: &CcaSettings, progress: &Progress) -> Result<CcaResult> {
    settings.check()?;
    if views.tables().len() != 2 {
        return Err(Error::parameter(format!("canonical correlation joins 2 views, {} were given", views.tables().len())));
    }
    if points_mm.is_some_and(|p| p.len() != views.ids().len()) {
        return Err(Error::parameter("there must be one position per sample"));
    }
    progress.step(0.0, "complete cases")?;
    let cases = Cases::new(views)?;
    let n = cases.n();
    let everyone: Vec<usize> = (0..n).collect();
    let sides = [0, 1].map(|v| cases.centered(v, &everyone, settings.scale));
    let fit = Cca::fit(n, &sides[0][2], &sides[1][2], settings.ridge)?;
    let n_pairs = settings.n_pairs.min(fit.n_pairs());
    let scores = [0, 1].map(|v| first_columns(&fit.scores(v, &sides[v][2]), fit.n_pairs(), n_pairs));
    let mut findings: Vec<Finding> = fewer_pairs(settings.n_pairs, n_pairs).into_iter().collect();

    progress.step(0.05, "held-out samples")?;
    let (folds, fold_words) = folds(views, &cases, points_mm, settings)?;
    let held_out = if folds.is_empty() {
        None
    } else {
        Some(held_out_scores(&cases, &folds, &scores, settings, &progress.part(0.05, 0.3))?)
    };
    let permutation = if settings.n_permutations == 0 {
        Null::default()
    } else {
        permutation_null(views, &cases, &fit, settings, &progress.part(0.3, 0.65))?.unwrap_or_else(|finding| {
            findings.push(finding);
            Null::default()
        })
    };
    let surrogate = match points_mm.filter(|_| settings.n_surrogates > 0) {
        Some(points) => surrogate_null(&cases, points, &fit, settings, &progress.part(0.65, 1.0))?,
        None => Null::default(),
    };
    let pairs = pairs(&scores, held_out.as_ref(), [&permutation, &surrogate], n_pairs);
    let mut nulls: Vec<String> = [&permutation, &surrogate].into_iter().map(|n| n.words.clone()).collect();
    nulls.retain(|w| !w.is_empty());
    let fusion = Fusion {
        views: views.tables().iter().map(|t| t.name().to_owned()).collect(),
        n,
        n_of_view: views.tables().iter().map(|t| t.n_samples()).collect(),
        weights: [0, 1]
            .map(|v| weights(views, &cases, v, &first_columns(&fit.weights[v], fit.n_pairs(), n_pairs), &sides[v][1]))
            .into(),
        correlations: [0, 1].map(|v| structure(views, &cases, v, &scores[v], n_pairs)).into(),
        ids: cases.samples.iter().map(|&i| views.ids()[i].clone()).collect(),
        scores: scores.to_vec(),
        folds: fold_words,
        nulls,
        pairs,
    };
    let explained = [explained(n, &sides[0][2], &scores[0])?, explained(n, &sides[1][2], &scores[1])?];
    findings.extend(missing(views, &cases));
    Ok(CcaResult {
        sentence: sentence(&fusion.pairs, n, points_mm.is_some()),
        factors: factors(&scores, n_pairs),
        singular: fit.singular[..n_pairs].to_vec(),
        permutation_upper: permutation.upper,
        surrogate_upper: surrogate.upper,
        held_out_scores: held_out,
        fusion,
        cases,
        explained,
        folds,
        findings,
    })
}

fn pairs(scores: &[Vec<f64>; 2], held_out: Option<&[Vec<f64>; 2]>, nulls: [&Null; 2], n_pairs: usize) -> Vec<CanonicalPair> {
    let train = correlations(scores, n_pairs);
    let held = held_out.map(|s| correlations(s, n_pairs));
    let one = |k: usize| CanonicalPair {
        train: train[k],
        held_out: held.as_ref().map(|h| h[k]).filter(|h| h.is_finite()),
        permutation_p: nulls[0].p.get(k).copied(),
        surrogate_p: nulls[1].p.get(k).copied(),
    };
    (0..n_pairs).map(one).collect()
}

fn first_columns(values: &[f64], width: usize, n: usize) -> Vec<f64> {
    values.chunks_exact(width).flat_map(|row| row[..n].iter().copied()).collect()
}

/// Weights of all features of a view on their own scale; features that were not used weigh 0.
fn weights(views: &Views, cases: &Cases, view: usize, used: &[f64], sd: &[f64]) -> Loadings {
    let table = &views.tables()[view];
    let n_pairs = used.len() / cases.features[view].len();
    let mut values = vec![0.0; table.n_features() * n_pairs];
    for (u, &j) in cases.features[view].iter().enumerate() {
        (0..n_pairs).for_each(|k| values[j * n_pairs + k] = used[u * n_pairs + k] / sd[u]);
    }
    Loadings { features: table.features().to_vec(), n_components: n_pairs, values }
}

/// Correlation of each used feature with the scores of its own view; NaN for features that were not used.
fn structure(views: &Views, cases: &Cases, view: usize, scores: &[f64], n_pairs: usize) -> Loadings {
    let table = &views.tables()[view];
    let p = cases.features[view].len();
    let mut values = vec![f64::NAN; table.n_features() * n_pairs];
    for (u, &j) in cases.features[view].iter().enumerate() {
        let feature: Vec<f64> = cases.values[view].iter().skip(u).step_by(p).copied().collect();
        for k in 0..n_pairs {
            let score: Vec<f64> = scores.iter().skip(k).step_by(n_pairs).copied().collect();
            values[j * n_pairs + k] = pearson(&feature, &score);
        }
    }
    Loadings { features: table.features().to_vec(), n_components: n_pairs, values }
}

fn factors(scores: &[Vec<f64>; 2], n_pairs: usize) -> Vec<f64> {
    let n = (scores[0].len() / n_pairs) as f64;
    let sd = |side: usize, k: usize| {
        let square: f64 = scores[side].iter().skip(k).step_by(n_pairs).map(|s| s * s).sum();
        let sd = (square / (n - 1.0)).sqrt();
        if sd > 0.0 { sd } else { 1.0 }
    };
    let scale: Vec<[f64; 2]> = (0..n_pairs).map(|k| [sd(0, k), sd(1, k)]).collect();
    let both = scores[0].iter().zip(&scores[1]).enumerate();
    both.map(|(t, (a, b))| 0.5 * (a / scale[t % n_pairs][0] + b / scale[t % n_pairs][1])).collect()
}

fn fewer_pairs(asked: usize, given: usize) -> Option<Finding> {
    (given < asked).then(|| Finding {
        severity: Severity::Note,
        code: "fewer-factors",
        what: format!("{asked} factors were asked for; the smaller view has {given} independent features."),
        evidence: vec![("asked".into(), asked as f64), ("given".into(), given as f64)],
        remedy: "Nothing to do.".into(),
    })
}

/// What complete cases and constant features cost.
fn missing(views: &Views, cases: &Cases) -> Vec<Finding> {
    let mut found = Vec::new();
    let n_union = views.ids().len();
    if cases.n() < n_union {
        found.push(Finding {
            severity: Severity::Warning,
            code: "complete-cases",
            what: format!(
                "{} of {n_union} samples have all of both views and are used; {} have both but miss a value.",
                cases.n(),
                cases.n_incomplete
            ),
            evidence: vec![("n".into(), cases.n() as f64), ("n_union".into(), n_union as f64)],
            remedy: "Compare the outcome between samples with and without a view: if they differ, the used ones are a selection."
                .into(),
        });
    }
    for dropped in &cases.dropped {
        found.push(Finding {
            severity: Severity::Note,
            code: "feature-dropped",
            what: format!("{} of {} is not used: {}.", dropped.feature, dropped.view, dropped.reason),
            evidence: Vec::new(),
            remedy: "Nothing to do.".into(),
        });
    }
    found
}
