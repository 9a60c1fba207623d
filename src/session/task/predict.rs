//! Genes predicted from histology with held-out scores, as a task.

use super::Made;
use crate::base::{Error, Progress, Result};
use crate::model::{AnalysisResult, ElementId, Field, Finding, GeneScore, Prediction, Range, Section, Spots, Study};
use crate::predict::{
    DEFAULT_PATCH_UM, FitSettings, Fitted, GeneReport, Method, Penalty, Prepared, ScaleChoice, Split, fit, make_folds,
    most_variable, prepare, suggest,
};
use crate::stats::quantile_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictTask {
    /// The section.
    pub section: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// Genes to predict; the most variable ones where empty.
    pub genes: Vec<String>,
    /// How many of the most variable genes.
    pub n_genes: usize,
    /// Side of a patch, µm.
    pub patch_um: f64,
    /// Number of folds.
    pub n_folds: usize,
    /// Side of the held-out blocks, mm; from the tissue's area where missing.
    pub block_mm: Option<f64>,
    /// Width of the buffer around them, mm; how far expression goes together where missing.
    pub buffer_mm: Option<f64>,
}

impl Default for PredictTask {
    fn default() -> Self {
        Self {
            section: 0,
            seed: 0,
            genes: Vec::new(),
            n_genes: 30,
            patch_um: DEFAULT_PATCH_UM,
            n_folds: 5,
            block_mm: None,
            buffer_mm: None,
        }
    }
}

/// Sizes of blocks and what was measured for them, mm.
struct Blocks {
    block_mm: f64,
    buffer_mm: f64,
    range_mm: f64,
}

impl PredictTask {
    pub(super) fn inputs(&self) -> BTreeSet<ElementId> {
        BTreeSet::from([ElementId(self.section)])
    }

    pub(super) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let id = ElementId(self.section);
        let section = study.section(id).ok_or_else(|| Error::parameter("the section is not open any more"))?;
        let section = without(section, &study.spots_left_out(id));
        let genes = if self.genes.is_empty() {
            most_variable(&[&section], self.n_genes.max(1), &progress.part(0.0, 0.05))?
        } else {
            self.genes.clone()
        };
        let mut prepared = prepare(&[&section], &genes, self.patch_um, ScaleChoice::Auto, &progress.part(0.05, 0.4))?;
        let sizes = suggest(&prepared.training, self.n_folds);
        let blocks = Blocks {
            block_mm: self.block_mm.unwrap_or(sizes.block_mm),
            buffer_mm: self.buffer_mm.unwrap_or(sizes.buffer_mm),
            range_mm: sizes.range_mm,
        };
        let split = Split::Blocks { block_mm: blocks.block_mm, buffer_mm: blocks.buffer_mm, n_folds: self.n_folds };
        let folds = make_folds(&split, prepared.training.places.as_deref(), prepared.training.n(), self.seed)?;
        prepared.facts.n_patients = 1;
        prepared.facts.held_out = format!("blocks of {} mm with a buffer of {} mm", blocks.block_mm, blocks.buffer_mm);
        prepared.facts.range_and_buffer_mm = Some([blocks.range_mm, blocks.buffer_mm]);
        let settings = FitSettings {
            method: Method::Ridge,
            penalty: Penalty::Nested,
            patch_um: Some(self.patch_um),
            expression: prepared.expression,
            facts: prepared.facts.clone(),
        };
        let fitted = fit(&prepared.training, &folds, &settings, &progress.part(0.4, 1.0))?;
        Ok(self.made(&section, &prepared, &blocks, fitted))
    }

    fn made(&self, section: &Section, prepared: &Prepared, blocks: &Blocks, fitted: Fitted) -> Made {
        let folds = format!("{} folds of blocks of {} mm, buffer {} mm", self.n_folds, blocks.block_mm, blocks.buffer_mm);
        let n_spots = prepared.training.n();
        let settings = [
            ("genes", format!("{}", fitted.genes.len())),
            ("expression", prepared.expression.words()),
            ("features", format!("{} of histology patches of {} µm", fitted.model.features.len(), self.patch_um)),
            ("model", "ridge, penalty chosen inside the training blocks".into()),
            ("held out", folds.clone()),
            ("range of expression", format!("{:.2} mm", blocks.range_mm)),
            ("spots", n_spots.to_string()),
        ];
        Made {
            title: format!("Prediction of {}", section.name),
            settings: settings.map(|(k, v)| (k.to_owned(), v)).to_vec(),
            sentence: fitted.sentence.clone(),
            findings: fitted.findings.iter().cloned().map(as_sentences).collect(),
            fields: fields(section, prepared, &fitted),
            result: AnalysisResult::Prediction(Prediction {
                genes: fitted.genes.iter().map(score).collect(),
                features: fitted.model.features.iter().map(|f| f.name.clone()).collect(),
                n_spots,
                folds,
                alpha: fitted.folds.iter().map(|f| f.alpha).collect(),
                block_mm: blocks.block_mm,
                buffer_mm: blocks.buffer_mm,
                range_mm: blocks.range_mm,
            }),
        }
    }
}

/// The section with spots that were left out off its tissue.
fn without(section: &Section, why: &[Option<&str>]) -> Section {
    let mut section = section.clone();
    if let Some(spots) = section.spots.as_ref().filter(|_| why.iter().any(Option::is_some)) {
        let in_tissue = spots.in_tissue.iter().zip(why).map(|(t, why)| *t && why.is_none()).collect();
        section.spots = Some(Arc::new(Spots { in_tissue, ..Spots::clone(spots) }));
    }
    section
}

/// The same finding as two sentences, as panels print them.
fn as_sentences(finding: Finding) -> Finding {
    let sentence = |text: &str| {
        let mut letters = text.chars();
        let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
        format!("{first}{}.", letters.as_str().trim_end_matches('.'))
    };
    Finding { what: sentence(&finding.what), remedy: sentence(&finding.remedy), ..finding }
}

fn score(g: &GeneReport) -> GeneScore {
    GeneScore {
        gene: g.gene.clone(),
        pearson: g.score.pearson,
        spearman: g.score.spearman,
        spatial_only: g.position_pearson,
        mean_map: g.mean_map_pearson,
        r2: g.r2,
        variance_ratio: g.score.variance_ratio,
        moran_ratio: g.score.moran_ratio,
        coverage_90: g.score.coverage_90,
    }
}

/// Held-out, observed and residual maps of each gene; the best predicted gene first.
fn fields(section: &Section, prepared: &Prepared, fitted: &Fitted) -> Vec<Field> {
    let n = section.spots.as_ref().map_or(0, |s| s.px.len());
    let spread = |values: &[f64]| -> Arc<[f32]> {
        let mut out = vec![f32::NAN; n];
        prepared.spots.iter().zip(values).for_each(|((_, spot), v)| out[*spot] = *v as f32);
        out.into()
    };
    let number = |r: Option<f64>| r.map_or_else(|| "–".to_owned(), |r| format!("{r:.2}").replace('-', "−"));
    let mut order: Vec<usize> = (0..fitted.genes.len()).collect();
    let r = |g: usize| fitted.genes[g].score.pearson.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| r(b).total_cmp(&r(a)));
    let words = prepared.expression.words();
    let maps = order.into_iter().map(|g| {
        let report = &fitted.genes[g];
        let (observed, held_out) = (&prepared.training.y[g], &fitted.held_out[g]);
        let residual: Vec<f64> = observed.iter().zip(held_out).map(|(o, p)| o - p).collect();
        let told = format!("held-out r {}, position only {}", number(report.score.pearson), number(report.position_pearson));
        let range = Some(shared_range(observed));
        let [predicted, seen, left] = GeneScore::map_names(&report.gene);
        let field = |name: String, values: &[f64], unit: String, range: Option<Range>| {
            let signed = range.is_none();
            Field { name, values: spread(values), unit, signed, range, categories: Arc::default() }
        };
        [
            field(predicted, held_out, format!("predicted, {told}"), range.clone()),
            field(seen, observed, format!("observed {words}"), range),
            field(left, &residual, format!("observed − predicted, {told}"), None),
        ]
    });
    maps.flatten().collect()
}

/// One scale for predicted and observed values: from 0 (or the 1st percentile of signed values) to the 99th
/// percentile of what was observed.
fn shared_range(observed: &[f64]) -> Range {
    let signed = observed.iter().any(|v| *v < 0.0);
    let low = if signed { quantile_of(observed, 0.01) } else { 0.0 };
    let p99 = quantile_of(observed, 0.99);
    let most = observed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let start = if signed { "p1" } else { "0" };
    if p99 > low {
        Range { low, high: p99, rule: format!("{start}–p99 of observed") }
    } else {
        Range { low, high: if most > low { most } else { low + 1.0 }, rule: format!("{start}–maximum of observed") }
    }
}
