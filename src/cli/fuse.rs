//! `fuse cca`: joint models of tables.

use super::Run;
use super::views::{Sheet, views_of};
use crate::base::{Error, Result};
use crate::fuse::{CcaResult, CcaSettings, Holdout};
use crate::io::{Table, TableColumn};
use crate::model::{Finding, Views};
use crate::session::{Joined, join_views};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// `fuse METHOD`.
#[derive(Args, Debug)]
pub struct Fuse {
    /// The joint model.
    #[arg(value_name = "METHOD", value_parser = ["cca"])]
    method: String,
    /// A table of samples × features, as `rna=RNA.csv`; give two.
    #[arg(long = "view", value_name = "NAME=FILE", required = true)]
    views: Vec<String>,
    /// Covariates of the samples: groups, batches, positions.
    #[arg(long, value_name = "C.csv")]
    covariates: Option<PathBuf>,
    /// Column of the patient, who is never split by folds or permutations.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Number of canonical pairs.
    #[arg(long, value_name = "K", default_value_t = 2)]
    factors: usize,
    /// Covariance `(1 − k) S + k I`.
    #[arg(long, value_name = "k", default_value_t = 0.0)]
    ridge: f64,
    /// Divide features by their standard deviation in the training samples.
    #[arg(long)]
    scale: bool,
    /// Hold out this many folds, or one sample (patient) at a time.
    #[arg(long, value_name = "N|leave-one-out")]
    folds: Option<String>,
    /// Hold out square blocks of a section; needs `x_mm` and `y_mm` among the covariates.
    #[arg(long, value_name = "MM", requires = "folds")]
    block_mm: Option<f64>,
    /// Training spots nearer than this to a held-out one are left out.
    #[arg(long, value_name = "MM", requires = "block_mm")]
    buffer_mm: Option<f64>,
    /// Draws of the permutation null.
    #[arg(long, value_name = "N", default_value_t = 0)]
    permutations: usize,
    /// Draws of surrogate maps; needs positions.
    #[arg(long, value_name = "N", default_value_t = 0)]
    surrogates: usize,
    /// Where the tables go.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Fuse {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        if self.views.len() != 2 {
            return Err(Error::parameter(format!(
                "{} joins exactly 2 views; --view was given {} times",
                self.method,
                self.views.len()
            )));
        }
        let covariates = self.covariates.as_ref().map(|p| Sheet::read(p, &run.limits)).transpose()?;
        let (views, looks) = views_of(&self.views, covariates.as_ref(), self.group.as_deref(), &run.limits)?;
        let points = covariates.as_ref().map(|c| c.points(views.ids())).transpose()?.flatten();
        let settings = self.settings(run.shared.seed, points.is_some())?;
        let column = looks.as_ref().map(|(name, n)| (name.as_str(), *n));
        let joined = join_views(&views, points.as_deref(), &settings, column, &run.progress)?;
        for f in &joined.findings {
            run.printer.remark(&format!("{} [{}]: {} {}", f.severity.name(), f.code, f.what, f.remedy));
        }
        let report = self.report(&views, &joined, &settings);
        if let Some(result) = &joined.result {
            std::fs::create_dir_all(&self.out).map_err(|e| Error::io("writing", e, &self.out))?;
            write_tables(&self.out, &views, result)?;
            crate::io::write_bytes(&self.out.join("report.json"), format!("{report:#}\n").as_bytes())?;
        }
        if run.shared.json {
            run.printer.json(&report);
        } else if let Some(result) = &joined.result {
            table(result).iter().for_each(|line| run.printer.line(line));
        } else {
            run.printer.line("Refused: nothing was written.");
        }
        Ok(u8::from(joined.result.is_none()))
    }

    fn settings(&self, seed: u64, has_points: bool) -> Result<CcaSettings> {
        let folds = |text: &str| match text {
            "leave-one-out" => Ok(Holdout::LeaveOneOut),
            _ => text
                .parse()
                .ok()
                .filter(|n| *n >= 2)
                .map(Holdout::Folds)
                .ok_or_else(|| Error::parameter(format!("--folds {text}: a number from 2 or leave-one-out was expected"))),
        };
        let holdout = match (self.folds.as_deref().map(folds).transpose()?, self.block_mm) {
            (None, _) => Holdout::None,
            (Some(Holdout::Folds(k)), Some(block_mm)) => {
                Holdout::Blocks { k, block_mm, buffer_mm: self.buffer_mm.unwrap_or(0.0) }
            }
            (Some(_), Some(_)) => return Err(Error::parameter("--block-mm goes with a number of --folds")),
            (Some(other), None) => other,
        };
        if !has_points && (self.surrogates > 0 || self.block_mm.is_some()) {
            return Err(Error::parameter("--surrogates and --block-mm need the columns x_mm and y_mm in --covariates"));
        }
        Ok(CcaSettings {
            n_pairs: self.factors,
            ridge: self.ridge,
            scale: self.scale,
            holdout,
            n_permutations: self.permutations,
            n_surrogates: self.surrogates,
            seed,
        })
    }

    fn report(&self, views: &Views, joined: &Joined, settings: &CcaSettings) -> Value {
        let per_view = |of: &dyn Fn(usize) -> usize| -> Value {
            views
                .tables()
                .iter()
                .enumerate()
                .map(|(v, t)| (t.name().to_owned(), json!(of(v))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let n_union = views.ids().len();
        let mut report = json!({
            "settings": {
                "method": self.method, "factors": settings.n_pairs, "ridge": settings.ridge, "scale": settings.scale,
                "folds": self.folds, "block_mm": self.block_mm, "buffer_mm": self.buffer_mm, "group": self.group,
                "permutations": settings.n_permutations, "surrogates": settings.n_surrogates, "seed": settings.seed,
            },
            "n": { "samples": joined.n, "union": n_union, "views": per_view(&|v| views.tables()[v].n_samples()),
                   "features": per_view(&|v| views.tables()[v].n_features()) },
            "missing": { "samples_without_view": per_view(&|v| n_union - views.tables()[v].n_samples()) },
            "findings": joined.findings.iter().map(super::print::finding_json).collect::<Vec<_>>(),
        });
        if let (Some(object), Some(result)) = (report.as_object_mut(), &joined.result)
            && let Value::Object(more) = result_json(views, result, settings)
        {
            object.extend(more);
        }
        report
    }
}

fn result_json(views: &Views, result: &CcaResult, settings: &CcaSettings) -> Value {
    let pairs = &result.fusion.pairs;
    let list = |of: fn(&crate::model::CanonicalPair) -> Option<f64>| pairs.iter().map(of).collect::<Vec<_>>();
    let id = |i: &usize| views.ids()[result.cases.samples[*i]].clone();
    let folds: Vec<Value> = result
        .folds
        .iter()
        .map(|f| json!({"n_train": f.train.len(), "test": f.test.iter().map(id).collect::<Vec<_>>()}))
        .collect();
    let dropped: Vec<Value> =
        result.cases.dropped.iter().map(|d| json!({"view": d.view, "feature": d.feature, "reason": d.reason})).collect();
    json!({
        "objective": result.singular,
        "train": { "correlation": list(|p| Some(p.train)) },
        "held_out": { "correlation": list(|p| p.held_out), "how": result.fusion.folds, "folds": folds },
        "permutation": { "p": list(|p| p.permutation_p), "n": settings.n_permutations, "null_95": result.permutation_upper },
        "surrogate": { "p": list(|p| p.surrogate_p), "n": settings.n_surrogates, "null_95": result.surrogate_upper },
        "nulls": result.fusion.nulls,
        "dropped": dropped,
        "sentence": result.sentence,
    })
}

fn write_tables(out: &Path, views: &Views, result: &CcaResult) -> Result<()> {
    let k = result.fusion.pairs.len();
    let columns = |values: &[f64]| -> Vec<TableColumn> {
        (0..k)
            .map(|c| {
                let column = values.iter().skip(c).step_by(k).map(|v| Some(*v).filter(|v| v.is_finite()));
                TableColumn::numbers(&format!("factor{}", c + 1), column.collect::<Vec<_>>())
            })
            .collect()
    };
    let named = |name: &str, names: &[String], values: &[f64]| {
        let mut all = vec![TableColumn::text(name, names.iter().map(|n| Some(n.as_str())))];
        all.extend(columns(values));
        Table::new(all)
    };
    named("id", &result.fusion.ids, &result.factors)?.write(&out.join("factors.csv"))?;
    let (mut view_names, mut factors, mut r2) = (Vec::new(), Vec::new(), Vec::new());
    for (v, table) in views.tables().iter().enumerate() {
        let name = table.name();
        let weights = &result.fusion.weights[v];
        named("feature", &weights.features, &weights.values)?.write(&out.join(format!("weights_{name}.csv")))?;
        named("id", &result.fusion.ids, &result.fusion.scores[v])?.write(&out.join(format!("scores_{name}.csv")))?;
        for (f, value) in result.explained[v].iter().enumerate() {
            view_names.push(Some(name.to_owned()));
            factors.push(Some(if f < k { format!("factor{}", f + 1) } else { "all".to_owned() }));
            r2.push(Some(*value));
        }
    }
    Table::new(vec![TableColumn::text("view", view_names), TableColumn::text("factor", factors), TableColumn::numbers("r2", r2)])?
        .write(&out.join("variance_explained.csv"))
}

/// One line per pair, then the sentence.
fn table(result: &CcaResult) -> Vec<String> {
    let show = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    let mut lines =
        vec![format!("{:>6} {:>9} {:>9} {:>13} {:>11}", "factor", "train", "held out", "permutation p", "surrogate p")];
    for (k, p) in result.fusion.pairs.iter().enumerate() {
        lines.push(format!(
            "{:>6} {:>9} {:>9} {:>13} {:>11}",
            k + 1,
            show(Some(p.train)),
            show(p.held_out),
            show(p.permutation_p),
            show(p.surrogate_p)
        ));
    }
    lines.push(format!("n = {}; held out: {}. {}", result.fusion.n, result.fusion.folds, result.sentence));
    lines
}

/// Findings for a table of people.
pub(super) fn finding_lines(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|f| {
            let evidence: Vec<String> =
                f.evidence.iter().map(|(k, v)| format!("{k} {}", crate::session::three_digits(*v))).collect();
            format!("{:<8} {:<20} {} {} [{}]", f.severity.name(), f.code, f.what, f.remedy, evidence.join(", "))
        })
        .collect()
}
