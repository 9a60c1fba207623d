//! A model of expression on disk: one JSON file that people can read.

use super::json;
use crate::base::{Error, Limits, Result};
use crate::model::{Domain, ExpressionScale, Predictor, PredictorFeature, PredictorGene};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `format` of the file.
const FORMAT: &str = "myoscope-predictor";
/// Largest number of features or genes of a file.
const MOST_NAMES: usize = 100_000;

/// What the file says beside the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictorNotes {
    /// The program that wrote it.
    pub program: String,
    /// Seed of the fit.
    pub seed: u64,
    /// SHA-256 of each input, in the order given.
    pub inputs: Vec<String>,
    /// What was held out.
    pub held_out: String,
    /// What the numbers allow.
    pub sentence: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    #[serde(default)]
    notes: PredictorNotes,
    settings: Settings,
    training: TrainingRow,
    domain: DomainRow,
    features: Vec<FeatureRow>,
    genes: Vec<GeneRow>,
    /// One row per feature, one number per gene.
    coefficients: Vec<Vec<f64>>,
    /// One row per feature.
    correlation: Vec<Vec<f64>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    method: String,
    alpha: f64,
    /// Missing for features from a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patch_um: Option<f64>,
    expression: ScaleRow,
}

/// A scale of expression as files name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleRow {
    /// `as-is`, `log1p` or `log1p-scaled`.
    pub scale: String,
    /// Sum of counts that every spot is scaled to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TrainingRow {
    n: usize,
    mean_leverage: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct DomainRow {
    shrinkage: f64,
    mahalanobis_limit: f64,
    length_limit: f64,
    limit: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct FeatureRow {
    name: String,
    mean: f64,
    scale: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct GeneRow {
    name: String,
    intercept: f64,
    residual_sd: f64,
    #[serde(default)]
    pearson: Option<f64>,
    #[serde(default)]
    position_pearson: Option<f64>,
}

impl ScaleRow {
    /// The row of a scale.
    #[must_use]
    pub fn of(scale: ExpressionScale) -> Self {
        match scale {
            ExpressionScale::AsIs => Self { scale: "as-is".into(), target: None },
            ExpressionScale::Log1p => Self { scale: "log1p".into(), target: None },
            ExpressionScale::Log1pScaled { target } => Self { scale: "log1p-scaled".into(), target: Some(target) },
        }
    }

    /// The scale of a row.
    pub fn scale(&self) -> Result<ExpressionScale> {
        match (self.scale.as_str(), self.target) {
            ("as-is", _) => Ok(ExpressionScale::AsIs),
            ("log1p", _) => Ok(ExpressionScale::Log1p),
            ("log1p-scaled", Some(target)) => Ok(ExpressionScale::Log1pScaled { target }),
            (other, _) => {
                let what = format!("the expression scale {other:?} is none of as-is, log1p, log1p-scaled with its target");
                Err(Error::malformed(what))
            }
        }
    }
}

/// Writes a model atomically; the same model gives the same bytes.
pub fn write_predictor(path: &Path, model: &Predictor, notes: &PredictorNotes) -> Result<()> {
    model.check()?;
    let rows = |values: &[f64], n: usize| values.chunks(n).map(<[f64]>::to_vec).collect();
    let d = model.domain;
    let file = File {
        format: FORMAT.into(),
        version: 1,
        notes: notes.clone(),
        settings: Settings {
            method: model.method.clone(),
            alpha: model.alpha,
            patch_um: model.patch_um,
            expression: ScaleRow::of(model.expression),
        },
        training: TrainingRow { n: model.n_train, mean_leverage: model.mean_leverage },
        domain: DomainRow {
            shrinkage: d.shrinkage,
            mahalanobis_limit: d.mahalanobis_limit,
            length_limit: d.length_limit,
            limit: d.limit,
        },
        features: model.features.iter().map(|f| FeatureRow { name: f.name.clone(), mean: f.mean, scale: f.scale }).collect(),
        genes: model.genes.iter().map(gene_row).collect(),
        coefficients: rows(&model.coefficients, model.genes.len()),
        correlation: rows(&model.correlation, model.features.len()),
    };
    json::write_json(path, &file)
}

fn gene_row(g: &PredictorGene) -> GeneRow {
    GeneRow {
        name: g.name.clone(),
        intercept: g.intercept,
        residual_sd: g.residual_sd,
        pearson: g.pearson,
        position_pearson: g.position_pearson,
    }
}

/// Reads a model; a damaged or foreign file gets a sentence.
pub fn read_predictor(path: &Path, limits: &Limits) -> Result<(Predictor, PredictorNotes)> {
    let bytes = super::bytes::read_file(path, limits)?;
    // Numbers in text take about as much room as parsed ones; both are held at once.
    limits.check("the model", &[bytes.len() as u64], 4).map_err(|e| e.at(path))?;
    parse_predictor(&bytes).map_err(|e| e.at(path))
}

/// A model from the bytes of its file.
pub fn parse_predictor(bytes: &[u8]) -> Result<(Predictor, PredictorNotes)> {
    let file: File = json::parse_json(bytes)?;
    if file.format != FORMAT {
        return Err(Error::malformed(format!("the format is {:?}, {FORMAT:?} was expected", file.format)));
    }
    if file.version != 1 {
        return Err(Error::unsupported(format!("this model has version {}; this program reads version 1", file.version)));
    }
    let (p, m) = (file.features.len(), file.genes.len());
    if p > MOST_NAMES || m > MOST_NAMES {
        return Err(Error::unsupported(format!("{p} features and {m} genes; at most {MOST_NAMES} of each are read")));
    }
    let flat = |rows: Vec<Vec<f64>>, n: usize, what: &str| -> Result<Vec<f64>> {
        match rows.iter().position(|r| r.len() != n) {
            Some(i) => Err(Error::malformed(format!("row {i} of {what} has {} numbers instead of {n}", rows[i].len()))),
            None => Ok(rows.into_iter().flatten().collect()),
        }
    };
    let d = file.domain;
    let model = Predictor {
        method: file.settings.method,
        features: file.features.into_iter().map(|f| PredictorFeature { name: f.name, mean: f.mean, scale: f.scale }).collect(),
        genes: file
            .genes
            .into_iter()
            .map(|g| PredictorGene {
                name: g.name,
                intercept: g.intercept,
                residual_sd: g.residual_sd,
                pearson: g.pearson,
                position_pearson: g.position_pearson,
            })
            .collect(),
        coefficients: flat(file.coefficients, m, "the coefficients")?,
        correlation: flat(file.correlation, p, "the correlations")?,
        alpha: file.settings.alpha,
        n_train: file.training.n,
        mean_leverage: file.training.mean_leverage,
        domain: Domain {
            shrinkage: d.shrinkage,
            mahalanobis_limit: d.mahalanobis_limit,
            length_limit: d.length_limit,
            limit: d.limit,
        },
        patch_um: file.settings.patch_um,
        expression: file.settings.expression.scale()?,
    };
    model.check()?;
    Ok((model, file.notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Predictor {
        Predictor {
            method: "ridge".into(),
            features: vec![PredictorFeature { name: "a_od".into(), mean: 0.1, scale: 2.0 }; 2],
            genes: vec![PredictorGene {
                name: "NPPA".into(),
                intercept: 1.5,
                residual_sd: 0.5,
                pearson: None,
                position_pearson: Some(0.25),
            }],
            coefficients: vec![0.1 + 0.2, -1e-300],
            correlation: vec![1.0, 0.5, 0.5, 1.0],
            alpha: 3.0,
            n_train: 40,
            mean_leverage: 0.05,
            domain: Domain { shrinkage: 0.01, mahalanobis_limit: 9.0, length_limit: 8.0, limit: 1.1 },
            patch_um: Some(112.0),
            expression: ExpressionScale::Log1pScaled { target: 3230.5 },
        }
    }

    #[test]
    fn a_model_comes_back_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        let notes = PredictorNotes { program: "p".into(), seed: 3, sentence: "s".into(), ..PredictorNotes::default() };
        write_predictor(&path, &model(), &notes).unwrap();
        assert_eq!(read_predictor(&path, &Limits::default()).unwrap(), (model(), notes));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"coefficients\": [[0.30000000000000004],[-1e-300]]"), "{text}");
    }

    #[test]
    fn hostile_models_are_refused_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        write_predictor(&path, &model(), &PredictorNotes::default()).unwrap();
        let good = std::fs::read_to_string(&path).unwrap();
        for (from, to, part) in [
            ("myoscope-predictor", "other", "was expected"),
            ("\"version\": 1", "\"version\": 9", "version 9"),
            ("[-1e-300]", "[1, 2]", "row 1 of the coefficients"),
            ("[0.5,1.0]]", "[0.5]]", "row 1 of the correlations"),
            ("log1p-scaled", "sqrt", "none of as-is"),
            ("3230.5", "0.0", "scaled to"),
            ("\"scale\": 2.0", "\"scale\": 0.0", "above 0"),
            ("\"n\": 40", "\"n\": -4", "JSON does not fit"),
            ("112.0", "-1.0", "patch size"),
            ("\"alpha\": 3.0", "\"alpha\": 1e999", "JSON does not fit"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let error = parse_predictor(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(read_predictor(&path, &Limits { max_bytes: 100 }).is_err());
    }
}
