//! Scores of gene sets at the spots of a section. The sets are part of the settings, so that the numbers can be made
//! again without their file.

use super::{InUse, Made, ValuesRecord, one_sample, pair, summary};
use crate::base::{Error, Progress, Result};
use crate::model::{AnalysisResult, ElementId, Field, SetScore, SetScores, Study};
use crate::omics::{GeneSet, ScoreMethod, ScoreSettings, Scores, score};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Sets that are scored at most: each becomes values of all spots.
const MOST_SETS: usize = 300;

/// A gene set on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRecord {
    /// What it is called.
    pub name: String,
    /// Names or identifiers of its genes.
    pub genes: Vec<String>,
}

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreTask {
    /// The section.
    pub section: u64,
    /// What is done to counts first.
    pub values: ValuesRecord,
    /// `ulm` or `ora`.
    pub score: String,
    /// Sets with fewer genes in the table have no score.
    pub min_genes: usize,
    /// Where the sets are from, as a file's name with its digest.
    pub source: String,
    /// The sets.
    pub sets: Vec<SetRecord>,
}

impl ScoreTask {
    /// `ulm` of `log1p CP10k`; the sets are still to be read.
    #[must_use]
    pub fn usual(section: ElementId) -> Self {
        let settings = ScoreSettings::default();
        Self {
            section: section.0,
            values: ValuesRecord::default(),
            score: settings.method.name().into(),
            min_genes: settings.min_genes,
            source: String::new(),
            sets: Vec::new(),
        }
    }

    pub(in crate::session::task) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let method: ScoreMethod = self.score.parse().map_err(Error::parameter)?;
        if self.sets.is_empty() || self.sets.len() > MOST_SETS {
            let n = self.sets.len();
            return Err(Error::parameter(format!("{n} gene sets; from 1 to {MOST_SETS} can be scored here")));
        }
        progress.step(0.0, "choosing spots")?;
        let mut findings = Vec::new();
        let InUse { section, keep, part, n_spots } = InUse::of(study, ElementId(self.section), &mut findings)?;
        let table = self.values.table(part, &progress.part(0.05, 0.2), &mut findings)?;
        let sets: Vec<GeneSet> = self.sets.iter().map(|s| GeneSet { name: s.name.clone(), genes: s.genes.clone() }).collect();
        let settings = ScoreSettings { method, min_genes: self.min_genes, ..ScoreSettings::default() };
        let found = score(&table, &sets, &settings, &progress.part(0.2, 1.0))?;
        findings.extend(found.findings.iter().cloned());
        findings.push(one_sample("scores"));
        let result = summarized(&found, keep.len());
        Ok(Made {
            title: format!("Gene sets of {}", section.name),
            settings: vec![
                pair("values", &table.unit),
                pair("method", method),
                pair("least genes of a set", self.min_genes),
                pair("sets", &self.source),
            ],
            sentence: sentence(&result, method),
            findings,
            fields: fields(&found, method, &keep, n_spots),
            result: AnalysisResult::Sets(result),
        })
    }
}

fn summarized(found: &Scores, n_spots: usize) -> SetScores {
    let k = found.sets.len();
    let one = |(j, set): (usize, &String)| {
        let (mean, most, n) = summary(found.values.iter().skip(j).step_by(k).copied());
        let low = found.p.iter().skip(j).step_by(k).filter(|p| **p < 0.05).count();
        SetScore { set: set.clone(), mean, most, share: low as f64 / n.max(1) as f64 }
    };
    SetScores { sets: found.sets.iter().enumerate().map(one).collect(), n_spots }
}

fn sentence(found: &SetScores, method: ScoreMethod) -> String {
    let top = found.sets.iter().max_by(|a, b| a.mean.total_cmp(&b.mean));
    let led = top.map_or_else(String::new, |s| format!("; the highest mean is that of {}, {:.2}", s.set, s.mean));
    format!("{} sets scored by {method} at {} spots{led}.", found.sets.len(), found.n_spots)
}

fn fields(found: &Scores, method: ScoreMethod, keep: &[usize], n_spots: usize) -> Vec<Field> {
    let k = found.sets.len();
    let unit = match method {
        ScoreMethod::Ulm => "t of ulm",
        ScoreMethod::Ora => "ln odds of ora",
        ScoreMethod::Gsea => "normalized enrichment",
    };
    let one = |(j, set): (usize, &String)| Field {
        name: set.clone(),
        values: InUse::spread(keep, n_spots, |row| found.values[row * k + j] as f32),
        unit: unit.into(),
        signed: true,
        range: None,
        categories: Arc::default(),
    };
    found.sets.iter().enumerate().map(one).collect()
}
