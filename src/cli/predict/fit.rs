//! `predict fit`.

use super::super::Run;
use super::input::{self, Covariates};
use super::report;
use crate::base::{Error, Result};
use crate::guard::duplicated_samples;
use crate::io::{self, PredictorNotes};
use crate::model::{ExpressionScale, Finding, Section};
use crate::predict::{
    DEFAULT_PATCH_UM, Facts, FitSettings, Fitted, Fold, Method, Penalty, ScaleChoice, Split, Training, fit, make_folds,
    most_variable, prepare, suggest,
};
use crate::stats;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// `predict fit`.
#[derive(Args, Debug)]
pub struct Fit {
    /// Sections with histology and counts: Visium folders or h5ad files.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["x", "y"])]
    section: Vec<PathBuf>,
    /// Table of features, one row per sample, first column `id`.
    #[arg(long, value_name = "FILE", requires = "y")]
    x: Option<PathBuf>,
    /// Table of expression or scores, one row per sample, first column `id`.
    #[arg(long, value_name = "FILE", requires = "x")]
    y: Option<PathBuf>,
    /// Table with the group of each sample, spot or section, first column `id`.
    #[arg(long, value_name = "FILE")]
    covariates: Option<PathBuf>,
    /// Where features come from.
    #[arg(long, default_value = "handcrafted")]
    features: String,
    /// Genes to predict, one name a line.
    #[arg(long, value_name = "FILE", conflicts_with = "n_genes")]
    genes: Option<PathBuf>,
    /// This many most variable genes (default 50).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    n_genes: Option<u32>,
    /// What is fitted: `ridge` or `hest`.
    #[arg(long, default_value = "ridge")]
    model: String,
    /// Column that names the patient: a group is never divided between training and held-out samples.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Number of folds, or `leave-one-out` of the groups. Within one section folds are blocks with a buffer.
    #[arg(long, value_name = "N|leave-one-out")]
    folds: Option<String>,
    /// Penalty: `nested` (chosen inside the training samples), `hest` (100 / (features × genes)) or a number.
    #[arg(long, default_value = "nested", value_name = "nested|hest|NUMBER")]
    alpha: String,
    /// Side of a patch.
    #[arg(long, default_value_t = DEFAULT_PATCH_UM, value_name = "UM")]
    patch_um: f64,
    /// Side of the held-out blocks (default: from the tissue's area).
    #[arg(long, value_name = "MM")]
    block_mm: Option<f64>,
    /// Width of the buffer around held-out blocks (default: how far expression goes together, at most a quarter of a block).
    #[arg(long, value_name = "MM")]
    buffer_mm: Option<f64>,
    /// Scale of expression; `auto` takes log1p of counts scaled to the median total, and other values as they are.
    #[arg(long, default_value = "auto", value_parser = ["auto", "as-is", "log1p", "log1p-median"])]
    expression: String,
    /// µm per full-resolution pixel, where the files do not say it.
    #[arg(long, value_name = "UM")]
    um_per_px: Option<f64>,
    /// Write the model there (JSON).
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
}

/// Samples, what they are held out by, and how they are told about.
struct Case {
    training: Training,
    split: Split,
    facts: Facts,
    expression: ExpressionScale,
    patch_um: Option<f64>,
}

/// The `n` columns with the largest variance over their rows, in the order of the table.
fn widest(view: &input::View, n: usize) -> Vec<String> {
    let variance = |c: &Vec<f64>| {
        let known: Vec<f64> = c.iter().copied().filter(|v| v.is_finite()).collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / known.len().max(1) as f64
    };
    let variances: Vec<f64> = view.columns.iter().map(variance).collect();
    let mut order: Vec<usize> = (0..variances.len()).collect();
    order.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]).then(a.cmp(&b)));
    order.truncate(n);
    order.sort_unstable();
    order.into_iter().map(|g| view.names[g].clone()).collect()
}

/// Says why something was not done; the exit status of a refusal.
fn refuse(run: &Run, reason: &str) -> u8 {
    run.printer.remark(&format!("refused: {reason}"));
    if run.shared.json {
        run.printer.json(&json!({"refused": reason}));
    }
    1
}

/// Samples of a table that are the same on both sides of a fold, features and scores alike.
fn entered_twice(training: &Training, folds: &[Fold]) -> Option<Finding> {
    if training.places.is_some() {
        return None;
    }
    let columns: Vec<&Vec<f64>> = training.x.iter().chain(&training.y).collect();
    let rows: Vec<f64> = (0..training.n()).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
    let folds: Vec<stats::Fold> = folds.iter().map(|f| stats::Fold { train: f.train.clone(), test: f.test.clone() }).collect();
    duplicated_samples(&folds, &rows, columns.len())
}

impl Fit {
    pub(super) fn run(self, run: &mut Run) -> Result<u8> {
        let (method, penalty) = (self.method()?, self.penalty()?);
        if let Some(reason) = self.refusal(run)? {
            return Ok(refuse(run, &reason));
        }
        let case = if self.section.is_empty() { self.tables(run)? } else { self.sections(run)? };
        let folds = make_folds(&case.split, case.training.places.as_deref(), case.training.n(), run.shared.seed)?;
        if let Some(twice) = entered_twice(&case.training, &folds) {
            return Ok(refuse(run, &format!("{} {}", twice.what, twice.remedy)));
        }
        let settings =
            FitSettings { method, penalty, patch_um: case.patch_um, expression: case.expression, facts: case.facts.clone() };
        let fitted = fit(&case.training, &folds, &settings, &run.progress)?;
        self.write(run, &fitted, &case)?;
        self.tell(run, &fitted, &case);
        Ok(0)
    }

    fn method(&self) -> Result<Method> {
        if self.features != "handcrafted" {
            let what = "only handcrafted features exist; features of a network can be given as a table with --x";
            return Err(Error::parameter(format!("--features {}: {what}", self.features)));
        }
        match self.model.as_str() {
            "ridge" => Ok(Method::Ridge),
            "hest" => Ok(Method::Hest),
            other => Err(Error::parameter(format!("--model {other}: the models are ridge and hest"))),
        }
    }

    fn penalty(&self) -> Result<Penalty> {
        match self.alpha.as_str() {
            "nested" => Ok(Penalty::Nested),
            "hest" => Ok(Penalty::Hest),
            text => match text.parse::<f64>() {
                Ok(alpha) if alpha.is_finite() && alpha > 0.0 => Ok(Penalty::Fixed(alpha)),
                _ => Err(Error::parameter(format!("--alpha {text}: expected nested, hest or a number above 0"))),
            },
        }
    }

    /// Why this must not be fitted, if so.
    fn refusal(&self, run: &Run) -> Result<Option<String>> {
        if self.folds.as_deref().is_some_and(|f| ["random", "shuffle", "spots"].contains(&f)) {
            let what = "a random split leaves neighbors of each held-out spot, and spots of the same patient, in training; \
                        the score would be of memory. Hold out blocks with a buffer (one section) or patients (--group)";
            return Ok(Some(what.into()));
        }
        let (None, Some(path)) = (&self.group, &self.covariates) else { return Ok(None) };
        let covariates = Covariates::read(run, path)?;
        let repeated = covariates.repeated_person().map(|name| {
            format!("the column {name} holds the same person in several rows, and folds would divide them; give --group {name}")
        });
        Ok(repeated)
    }

    /// Folds that were asked for; `None` leaves one group out at a time.
    fn n_folds(&self, default: Option<usize>) -> Result<Option<usize>> {
        match self.folds.as_deref() {
            None => Ok(default),
            Some("leave-one-out") => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(n) if n >= 2 => Ok(Some(n)),
                _ => Err(Error::parameter(format!("--folds {text}: expected a number from 2 upward or leave-one-out"))),
            },
        }
    }

    /// Patients are left out one at a time up to a dozen, else in five parts.
    fn groups(&self, of: Vec<String>) -> Result<Split> {
        let n = of.iter().collect::<BTreeSet<_>>().len();
        Ok(Split::Groups { n_folds: self.n_folds((n > 12).then_some(5))?, of })
    }

    fn tables(&self, run: &mut Run) -> Result<Case> {
        let (Some(x), Some(y)) = (&self.x, &self.y) else {
            return Err(Error::parameter("give sections with --section, or tables with --x and --y"));
        };
        let (x, y) = (input::view(run, x)?, input::view(run, y)?);
        let wanted = match &self.genes {
            Some(path) => input::gene_list(run, path)?,
            None => widest(&y, self.n_genes.map_or(usize::MAX, |n| n as usize)),
        };
        let genes = wanted
            .iter()
            .map(|g| y.names.iter().position(|n| n == g).ok_or_else(|| Error::parameter(format!("--y has no column {g}"))))
            .collect::<Result<Vec<usize>>>()?;
        let row_of: BTreeMap<&String, usize> = y.ids.iter().zip(0..).collect();
        let pairs: Vec<(usize, usize)> = (0..x.ids.len()).filter_map(|i| Some((i, *row_of.get(&x.ids[i])?))).collect();
        let whole = |&&(i, j): &&(usize, usize)| {
            x.columns.iter().all(|c| c[i].is_finite()) && genes.iter().all(|&g| y.columns[g][j].is_finite())
        };
        let kept: Vec<(usize, usize)> = pairs.iter().filter(whole).copied().collect();
        let (unpaired, missing) = (x.ids.len() + y.ids.len() - 2 * pairs.len(), pairs.len() - kept.len());
        if unpaired + missing > 0 {
            let what = format!("{unpaired} rows are in one table only and {missing} have an empty cell; they are left out");
            run.warnings.warn("rows-left-out", what, None);
        }
        let ids: Vec<String> = kept.iter().map(|&(i, _)| x.ids[i].clone()).collect();
        let of = self.table_groups(run, &ids)?;
        let n_patients = of.iter().collect::<BTreeSet<_>>().len();
        let held_out = self.group.clone().unwrap_or_else(|| "id".into());
        let training = Training {
            features: x.names,
            x: x.columns.iter().map(|c| kept.iter().map(|&(i, _)| c[i]).collect()).collect(),
            genes: wanted,
            y: genes.iter().map(|&g| kept.iter().map(|&(_, j)| y.columns[g][j]).collect()).collect(),
            places: None,
            samples: ids,
        };
        let facts = Facts { held_out, n_patients, ..Facts::default() };
        Ok(Case { training, split: self.groups(of)?, facts, expression: ExpressionScale::AsIs, patch_um: None })
    }

    fn table_groups(&self, run: &mut Run, ids: &[String]) -> Result<Vec<String>> {
        let Some(group) = &self.group else {
            let what = "no --group was given: every row is taken to be a patient of its own";
            run.warnings.note("rows-are-patients", what, None);
            return Ok(ids.to_vec());
        };
        let Some(path) = &self.covariates else {
            return Err(Error::parameter(format!("--group {group} names a column of a table; give the table with --covariates")));
        };
        let covariates = Covariates::read(run, path)?;
        let column = covariates.column(group).map_err(|e| e.at(path))?;
        let of = |id: &String| {
            let found = column.get(id.as_str()).cloned();
            found.ok_or_else(|| Error::malformed(format!("{id} has no {group}; every sample needs one")).at(path))
        };
        ids.iter().map(of).collect()
    }

    fn sections(&self, run: &mut Run) -> Result<Case> {
        let mut sections = Vec::new();
        for path in &self.section {
            sections.extend(input::sections(run, path, self.um_per_px)?);
        }
        let refs: Vec<&Section> = sections.iter().collect();
        let genes = match &self.genes {
            Some(path) => input::gene_list(run, path)?,
            None => most_variable(&refs, self.n_genes.unwrap_or(50) as usize, &run.progress.part(0.0, 0.05))?,
        };
        let choice = match self.expression.as_str() {
            "as-is" => ScaleChoice::AsIs,
            "log1p" => ScaleChoice::Log1p,
            "log1p-median" => ScaleChoice::Log1pMedian,
            _ => ScaleChoice::Auto,
        };
        let prepared = prepare(&refs, &genes, self.patch_um, choice, &run.progress.part(0.05, 0.5))?;
        let mut facts = prepared.facts;
        let (split, n_patients) = match self.section_groups(run, &sections, &prepared.spots)? {
            Some(of) => {
                facts.held_out = self.group.clone().unwrap_or_else(|| "section".into());
                let n = of.iter().collect::<BTreeSet<_>>().len();
                (self.groups(of)?, if self.group.is_some() { n } else { 1 })
            }
            None => (self.blocks(&prepared.training, &mut facts)?, 1),
        };
        facts.n_patients = n_patients;
        Ok(Case { training: prepared.training, split, facts, expression: prepared.expression, patch_um: Some(self.patch_um) })
    }

    /// The group of each sample; `None` where one section is divided in blocks.
    fn section_groups(&self, run: &mut Run, sections: &[Section], spots: &[(usize, usize)]) -> Result<Option<Vec<String>>> {
        let Some(group) = &self.group else {
            if sections.len() < 2 {
                return Ok(None);
            }
            let what =
                "no --group was given: whole sections are held out; sections of one patient know each other, so name the patient";
            run.warnings.warn("sections-are-groups", what, None);
            return Ok(Some(spots.iter().map(|(s, _)| format!("{} ({})", sections[*s].name, s + 1)).collect()));
        };
        let covariates = self.covariates.as_ref().map(|p| Covariates::read(run, p)).transpose()?;
        let table = covariates.as_ref().map(|c| c.column(group)).transpose()?;
        let columns: Vec<Option<Vec<String>>> =
            sections.iter().map(|s| s.expression.as_ref().and_then(|e| input::words(e, group))).collect();
        let of = |&(s, i): &(usize, usize)| {
            let spot = sections[s].expression.as_ref().map_or("", |e| e.observations()[i].as_str());
            let name = match &table {
                Some(table) => table.get(spot).or_else(|| table.get(sections[s].name.as_str())).cloned(),
                None => columns[s].as_ref().map(|c| c[i].clone()),
            };
            name.filter(|n| !n.is_empty()).ok_or_else(|| {
                Error::parameter(format!(
                    "{} has no {group} for {spot}; it is read from obs, or from --covariates by id",
                    sections[s].name
                ))
            })
        };
        spots.iter().map(of).collect::<Result<Vec<_>>>().map(Some)
    }

    fn blocks(&self, training: &Training, facts: &mut Facts) -> Result<Split> {
        let n_folds = self.n_folds(Some(5))?.ok_or_else(|| {
            Error::parameter("--folds leave-one-out holds out groups; one section needs a number of folds, or --group")
        })?;
        let sizes = suggest(training, n_folds);
        let (block_mm, buffer_mm) = (self.block_mm.unwrap_or(sizes.block_mm), self.buffer_mm.unwrap_or(sizes.buffer_mm));
        facts.held_out = format!("blocks of {block_mm} mm with a buffer of {buffer_mm} mm");
        facts.range_and_buffer_mm = Some([sizes.range_mm, buffer_mm]);
        Ok(Split::Blocks { block_mm, buffer_mm, n_folds })
    }

    fn write(&self, run: &Run, fitted: &Fitted, case: &Case) -> Result<()> {
        let paths = self.section.iter().chain(&self.x).chain(&self.y).chain(&self.covariates).chain(&self.genes);
        let notes = PredictorNotes {
            program: format!("myoscope {}", env!("CARGO_PKG_VERSION")),
            seed: run.shared.seed,
            inputs: paths.map(|p| Ok(io::project::digest_input(p, &run.progress)?.1)).collect::<Result<_>>()?,
            held_out: case.facts.held_out.clone(),
            sentence: fitted.sentence.clone(),
        };
        io::write_predictor(&self.out, &fitted.model, &notes)
    }

    fn tell(&self, run: &mut Run, fitted: &Fitted, case: &Case) {
        if !run.shared.json {
            report::lines(fitted).iter().for_each(|l| run.printer.line(l));
            return;
        }
        let (block, buffer) = match case.split {
            Split::Blocks { block_mm, buffer_mm, .. } => (Some(block_mm), Some(buffer_mm)),
            Split::Groups { .. } => (None, None),
        };
        let settings = json!({
            "model": self.model, "features": if case.patch_um.is_some() { "handcrafted" } else { "table" },
            "alpha": self.alpha, "patch_um": case.patch_um, "expression": case.expression.words(), "group": self.group,
            "held_out": case.facts.held_out, "block_mm": block, "buffer_mm": buffer, "seed": run.shared.seed,
        });
        run.printer.json(&report::report(fitted, &self.out.display().to_string(), &settings, run));
        run.warnings.notes.clear();
    }
}
