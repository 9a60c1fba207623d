//! Fractions of cell types at the spots of a section. The signature is part of the settings, so that the numbers can be
//! made again without its file.

use super::{InUse, Made, one_sample, pair, summary};
use crate::base::{Error, Progress, Result};
use crate::model::{AnalysisResult, CellType, CellTypes, ElementId, Field, Range, Study};
use crate::omics::{DeconvolveSettings, Fractions, Signature, deconvolve};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Mean expression of cell types on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignatureRecord {
    /// Names or identifiers of the genes.
    pub genes: Vec<String>,
    /// Names of the cell types.
    pub types: Vec<String>,
    /// Genes × types, row by row, linear.
    pub values: Vec<f64>,
}

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeconvolveTask {
    /// The section.
    pub section: u64,
    /// Where the signature is from, as a file's name with its digest.
    pub source: String,
    /// The signature.
    pub signature: SignatureRecord,
}

impl DeconvolveTask {
    /// The signature is still to be read.
    #[must_use]
    pub fn usual(section: ElementId) -> Self {
        Self { section: section.0, source: String::new(), signature: SignatureRecord::default() }
    }

    pub(in crate::session::task) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let SignatureRecord { genes, types, values } = self.signature.clone();
        if genes.is_empty() {
            return Err(Error::parameter("choose a signature: a table of genes × cell types"));
        }
        let signature = Signature::new(genes, types, values)?;
        progress.step(0.0, "choosing spots")?;
        let mut findings = Vec::new();
        let InUse { section, keep, part, n_spots } = InUse::of(study, ElementId(self.section), &mut findings)?;
        let settings = DeconvolveSettings::default();
        let found = deconvolve(&part, &signature, &settings, &progress.part(0.05, 1.0))?;
        findings.extend(found.findings.iter().cloned());
        findings.push(one_sample("fractions"));
        let result = summarized(&found, keep.len());
        let scale = match part.unit.as_str() {
            "counts" => format!("counts per {}", settings.total),
            unit if unit.starts_with("log1p") => format!("{unit}, taken back"),
            unit => unit.to_owned(),
        };
        Ok(Made {
            title: format!("Cell types of {}", section.name),
            settings: vec![
                pair("values", scale),
                pair("method", "least squares without negative weights"),
                pair("shared genes", found.n_genes),
                pair("signature", &self.source),
            ],
            sentence: sentence(&result),
            findings,
            fields: fields(&found, &keep, n_spots),
            result: AnalysisResult::CellTypes(result),
        })
    }
}

fn summarized(found: &Fractions, n_spots: usize) -> CellTypes {
    let k = found.types.len();
    let one = |(j, name): (usize, &String)| {
        let (mean, most, _) = summary(found.values.iter().skip(j).step_by(k).copied());
        CellType { name: name.clone(), mean, most }
    };
    CellTypes { types: found.types.iter().enumerate().map(one).collect(), n_genes: found.n_genes, n_spots }
}

fn sentence(found: &CellTypes) -> String {
    let top = found.types.iter().max_by(|a, b| a.mean.total_cmp(&b.mean));
    let led = top.map_or_else(String::new, |t| format!("; most is {}, {:.1} % on average", t.name, 100.0 * t.mean));
    format!("{} cell types at {} spots from {} shared genes{led}.", found.types.len(), found.n_spots, found.n_genes)
}

fn fields(found: &Fractions, keep: &[usize], n_spots: usize) -> Vec<Field> {
    let k = found.types.len();
    let field = |name: &str, unit: &str, range: Option<Range>, value: &dyn Fn(usize) -> f64| Field {
        name: name.to_owned(),
        values: InUse::spread(keep, n_spots, |row| value(row) as f32),
        unit: unit.into(),
        signed: false,
        range,
        categories: Arc::default(),
    };
    let mut all: Vec<Field> =
        found.types.iter().enumerate().map(|(j, name)| field(name, "fraction", None, &|row| found.values[row * k + j])).collect();
    all.push(field("Residual", "unexplained, counts per 10,000", None, &|row| found.residual[row]));
    all
}
