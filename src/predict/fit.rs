//! A model with everything that is told about it: per-gene scores of held-out samples beside two baselines,
//! findings, and a sentence that says what the numbers allow.

use super::cross::{CrossFit, Method, Penalty, cross_fit};
use super::position::by_position;
use super::score::{Graph, Score, known, score};
use super::training::{Fold, Training};
use super::verdict::{Facts, findings, sentence};
use crate::base::{Progress, Result};
use crate::model::{ExpressionScale, Finding, Predictor, PredictorFeature, PredictorGene};
use crate::stats::pearson;
use rayon::prelude::*;

/// What a fit needs beside samples and folds.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    /// What is fitted.
    pub method: Method,
    /// How its penalty is chosen.
    pub penalty: Penalty,
    /// Side of the patches, µm; `None` for features from a table.
    pub patch_um: Option<f64>,
    /// What the expression is.
    pub expression: ExpressionScale,
    /// What is known about the input beside its numbers.
    pub facts: Facts,
}

/// One gene, held out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneReport {
    /// Its name.
    pub gene: String,
    /// Scores over all held-out samples together.
    pub score: Score,
    /// Mean over folds of the correlation within the fold: offsets between folds do not count.
    pub within_pearson: Option<f64>,
    /// `1 − squared error / squared error of the mean map`: below 0 the mean map is better.
    pub r2: Option<f64>,
    /// Correlation of the mean map; below 0 by construction, because a high fold is left out of its own mean.
    pub mean_map_pearson: Option<f64>,
    /// Correlation of the model that knows only positions; `None` where samples lie nowhere.
    pub position_pearson: Option<f64>,
    /// `1 − squared error / squared error of the mean map` of the model that knows only positions.
    pub position_r2: Option<f64>,
    /// Whether the gene has one value everywhere.
    pub is_constant: bool,
}

/// One fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoldReport {
    /// Groups learned from.
    pub train_groups: Vec<String>,
    /// Groups held out.
    pub test_groups: Vec<String>,
    /// Samples learned from.
    pub n_train: usize,
    /// Samples held out.
    pub n_test: usize,
    /// Penalty.
    pub alpha: f64,
    /// Mean over genes of the correlation within the fold.
    pub mean_pearson: Option<f64>,
}

/// A model and what is known about it.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The model of all samples.
    pub model: Predictor,
    /// Per gene, in the order of the training columns.
    pub genes: Vec<GeneReport>,
    /// Per fold.
    pub folds: Vec<FoldReport>,
    /// Mean over the genes that vary of the held-out correlation.
    pub mean_pearson: Option<f64>,
    /// The same of the model that knows only positions.
    pub mean_position_pearson: Option<f64>,
    /// Mean over the genes that vary of `r2`.
    pub mean_r2: Option<f64>,
    /// Number of genes with one value everywhere.
    pub n_constant: usize,
    /// Held-out predictions, gene by gene.
    pub held_out: Vec<Vec<f64>>,
    /// Their standard deviations.
    pub held_out_sd: Vec<Vec<f64>>,
    /// Whether each held-out sample is like those learned from.
    pub in_domain: Vec<bool>,
    /// What the numbers allow.
    pub sentence: String,
    /// What speaks against the numbers.
    pub findings: Vec<Finding>,
}

/// Fits, holds out, scores and judges.
pub fn fit(training: &Training, folds: &[Fold], settings: &FitSettings, progress: &Progress) -> Result<Fitted> {
    let cross = cross_fit(training, folds, settings.method, settings.penalty, &progress.part(0.0, 0.7))?;
    let by_place = match &training.places {
        Some(places) => Some(by_position(&training.y, places, folds, &progress.part(0.7, 0.85))?),
        None => None,
    };
    progress.step(0.85, "scores")?;
    let graph = training.places.as_ref().map(|places| {
        let points: Vec<[f64; 2]> = places.iter().map(|p| p.mm.to_array()).collect();
        Graph::new(&points, &places.iter().map(|p| p.section).collect::<Vec<_>>())
    });
    let genes: Vec<GeneReport> = (0..training.y.len())
        .into_par_iter()
        .map(|g| {
            progress.step(0.85 + 0.15 * g as f64 / training.y.len() as f64, "scores")?;
            Ok(report(training, folds, &cross, (g, by_place.as_ref().map(|b| b[g].as_slice()), graph.as_ref())))
        })
        .collect::<Result<_>>()?;
    let mean = |of: fn(&GeneReport) -> Option<f64>| {
        let known: Vec<f64> = genes.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let fold_reports = folds.iter().enumerate().map(|(k, f)| FoldReport {
        train_groups: f.train_groups.clone(),
        test_groups: f.test_groups.clone(),
        n_train: f.train.len(),
        n_test: f.test.len(),
        alpha: cross.alphas[k],
        mean_pearson: cross.fold_pearson[k],
    });
    let mut fitted = Fitted {
        model: predictor(training, settings, &cross, &genes),
        folds: fold_reports.collect(),
        mean_pearson: mean(|g| g.score.pearson),
        mean_position_pearson: mean(|g| g.position_pearson),
        mean_r2: mean(|g| g.r2),
        n_constant: genes.iter().filter(|g| g.is_constant).count(),
        genes,
        held_out: cross.held_out,
        held_out_sd: cross.held_out_sd,
        in_domain: cross.in_domain,
        sentence: String::new(),
        findings: Vec::new(),
    };
    fitted.findings = findings(&fitted, training, &settings.facts);
    fitted.sentence = sentence(&fitted, &settings.facts);
    Ok(fitted)
}

fn report(
    training: &Training,
    folds: &[Fold],
    cross: &CrossFit,
    (g, by_place, graph): (usize, Option<&[f64]>, Option<&Graph>),
) -> GeneReport {
    let (observed, held) = (&training.y[g], &cross.held_out[g]);
    let is_constant = observed.iter().all(|v| *v == observed[0]);
    let error =
        |of: &[f64]| -> f64 { observed.iter().zip(of).filter(|(_, p)| p.is_finite()).map(|(o, p)| (o - p).powi(2)).sum() };
    let flat = error(&cross.mean_map[g]);
    let gain = |of: &[f64]| (!is_constant && flat > 0.0).then(|| 1.0 - error(of) / flat);
    let pick = |of: &[f64], fold: &Fold| fold.test.iter().map(|&i| of[i]).collect::<Vec<f64>>();
    let within: Vec<f64> = folds.iter().filter_map(|f| known(pearson(&pick(observed, f), &pick(held, f)))).collect();
    GeneReport {
        gene: training.genes[g].clone(),
        score: score(observed, held, Some(&cross.held_out_sd[g]), graph),
        within_pearson: (!within.is_empty()).then(|| within.iter().sum::<f64>() / within.len() as f64),
        r2: gain(held),
        mean_map_pearson: known(pearson(observed, &cross.mean_map[g])),
        position_pearson: by_place.and_then(|b| known(pearson(observed, b))),
        position_r2: by_place.and_then(gain),
        is_constant,
    }
}

fn predictor(training: &Training, settings: &FitSettings, cross: &CrossFit, genes: &[GeneReport]) -> Predictor {
    let features = training.features.iter().enumerate();
    let outputs = genes.iter().enumerate().map(|(g, r)| PredictorGene {
        name: r.gene.clone(),
        intercept: cross.fit.intercept[g],
        residual_sd: cross.residual_sd[g],
        pearson: r.score.pearson,
        position_pearson: r.position_pearson,
    });
    Predictor {
        method: settings.method.name().into(),
        features: features
            .map(|(j, name)| PredictorFeature { name: name.clone(), mean: cross.fit.mean[j], scale: cross.fit.scale[j] })
            .collect(),
        genes: outputs.collect(),
        coefficients: cross.fit.coefficients.clone(),
        correlation: cross.correlation.clone(),
        alpha: cross.fit.alpha,
        n_train: cross.fit.n,
        mean_leverage: cross.mean_leverage,
        domain: cross.domain,
        patch_um: settings.patch_um,
        expression: settings.expression,
    }
}
