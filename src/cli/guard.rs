//! `guard`: the failure-mode checks of a design or of a project.

use super::Run;
use super::fuse::finding_lines;
use super::print::finding_json;
use super::views::Sheet;
use crate::base::{Error, Result};
use crate::guard::{Phenotype, batch_aliased, leakage, n_against_features, random_folds, refuses};
use crate::model::Finding;
use crate::session::replay;
use crate::stats::Fold;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// `guard`.
#[derive(Args, Debug)]
pub struct Guard {
    /// A project, whose analyses are made again and asked for their findings.
    #[arg(value_name = "PROJECT", required_unless_present = "design", conflicts_with = "design")]
    project: Option<PathBuf>,
    /// A table of samples (`id`) with their fold, group, batch, phenotype.
    #[arg(long, value_name = "DESIGN.csv")]
    design: Option<PathBuf>,
    /// Column of the fold that a sample is held out in (default `fold`, where there is one).
    #[arg(long, value_name = "COLUMN")]
    folds_column: Option<String>,
    /// Column of the patient or section (default the first that looks like one).
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Column of the batch (default `batch`, where there is one).
    #[arg(long, value_name = "COLUMN")]
    batch: Option<String>,
    /// Column of the phenotype (default `phenotype` or `outcome`).
    #[arg(long, value_name = "COLUMN")]
    phenotype: Option<String>,
    /// Number of features of a view; once or twice.
    #[arg(long, value_name = "N")]
    features: Vec<usize>,
}

impl Guard {
    /// Runs the command; 1 where a guard refuses.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let (findings, checked) = match (&self.project, &self.design) {
            (Some(project), _) => of_project(project, run)?,
            (None, Some(_)) => self.of_design(run)?,
            (None, None) => return Err(Error::parameter("guard needs a project or --design")),
        };
        let refused = refuses(&findings);
        if run.shared.json {
            let list: Vec<_> = findings.iter().map(finding_json).collect();
            run.printer.json(&json!({"refused": refused, "checked": checked, "findings": list}));
        } else {
            finding_lines(&findings).iter().for_each(|line| run.printer.line(line));
            let verdict = if refused { "refused" } else { "nothing refused" };
            run.printer.line(&format!("{verdict}; checked: {}", checked.join(", ")));
        }
        Ok(u8::from(refused))
    }

    fn of_design(&self, run: &Run) -> Result<(Vec<Finding>, Vec<String>)> {
        let path = self.design.clone().unwrap_or_default();
        let sheet = Sheet::read(&path, &run.limits)?;
        let column = |given: &Option<String>, usual: &[&str]| -> Result<Option<String>> {
            if let Some(name) = given {
                sheet.words(name)?;
                return Ok(Some(name.clone()));
            }
            Ok(usual.iter().find(|c| sheet.has(c)).map(|c| (*c).to_owned()))
        };
        let words = |name: &str| -> Result<Vec<String>> {
            let map = sheet.words(name)?;
            Ok(sheet.ids.iter().map(|id| map.get(id.as_str()).cloned().flatten().unwrap_or_default()).collect())
        };
        let (mut findings, mut checked) = (Vec::new(), Vec::new());
        let group = match &self.group {
            Some(name) => Some(name.clone()),
            None => sheet.group_column().map(|(name, _)| name),
        };
        let folds_column = column(&self.folds_column, &["fold"])?;
        if let (Some(folds), Some(group)) = (&folds_column, &group) {
            let mut groups = words(group)?;
            sheet.ids.iter().zip(&mut groups).filter(|(_, g)| g.is_empty()).for_each(|(id, g)| g.clone_from(id));
            findings.extend(leakage(&folds_of(&words(folds)?)?, &groups, group));
            checked.push(format!("leakage of {group} across {folds}"));
        } else if let (Some(folds), true) = (&folds_column, sheet.has("x_mm") && sheet.has("y_mm")) {
            findings.extend(random_folds(sheet.ids.len(), None, true));
            checked.push(format!("{folds} of samples with positions"));
        }
        let batch = column(&self.batch, &["batch", "scanner", "site"])?;
        let phenotype = column(&self.phenotype, &["phenotype", "outcome"])?;
        if let (Some(batch), Some(phenotype)) = (&batch, &phenotype) {
            findings.extend(batch_aliased(&words(batch)?, &phenotype_of(&words(phenotype)?)));
            checked.push(format!("{batch} against {phenotype}"));
        }
        if let Some((&p, rest)) = self.features.split_first() {
            let n = group.as_deref().map(words).transpose()?.map_or(sheet.ids.len(), |g| independent(&g));
            findings.extend(n_against_features(n, p, rest.iter().sum()));
            checked.push(format!("n = {n} against features"));
        }
        if checked.is_empty() {
            return Err(Error::parameter(
                "there is nothing to check: name columns with --folds-column and --group, --batch and --phenotype, or give --features",
            ));
        }
        Ok((findings, checked))
    }
}

/// Findings of the analyses of a project, made again from its history.
fn of_project(path: &std::path::Path, run: &Run) -> Result<(Vec<Finding>, Vec<String>)> {
    let folder = std::env::temp_dir().join(format!("myoscope-guard-{}", std::process::id()));
    let done = replay(path, None, &folder, run.limits, &run.progress);
    // Exports of the history are no part of the question.
    let _ = std::fs::remove_dir_all(&folder);
    let study = done?.session.study;
    let findings = study.analyses.values().flat_map(|a| a.findings.iter().cloned()).collect();
    let mut checked: Vec<String> = study.analyses.values().map(|a| a.title.clone()).collect();
    if checked.is_empty() {
        checked.push("no analyses in this project".into());
    }
    Ok((findings, checked))
}

/// Samples that count: groups, and samples without one.
fn independent(groups: &[String]) -> usize {
    let named: BTreeSet<&String> = groups.iter().filter(|g| !g.is_empty()).collect();
    named.len() + groups.iter().filter(|g| g.is_empty()).count()
}

fn phenotype_of(words: &[String]) -> Phenotype {
    let numbers: Vec<Option<f64>> = words.iter().map(|w| w.trim().parse().ok()).collect();
    let numeric = words.iter().zip(&numbers).all(|(w, n)| w.is_empty() || n.is_some());
    let distinct = words.iter().filter(|w| !w.is_empty()).collect::<BTreeSet<_>>().len();
    if numeric && distinct > 5 {
        Phenotype::Numbers(numbers.into_iter().map(|n| n.unwrap_or(f64::NAN)).collect())
    } else {
        Phenotype::Groups(words.to_vec())
    }
}

/// One fold per name; samples without one are trained on only.
fn folds_of(names: &[String]) -> Result<Vec<Fold>> {
    let mut tests: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
    names.iter().enumerate().filter(|(_, n)| !n.is_empty()).for_each(|(i, n)| tests.entry(n).or_default().push(i));
    if tests.len() < 2 {
        return Err(Error::parameter(format!("the column of folds names {} folds; at least 2 were expected", tests.len())));
    }
    let train = |test: &[usize]| (0..names.len()).filter(|i| test.binary_search(i).is_err()).collect();
    Ok(tests.into_values().map(|test| Fold { train: train(&test), test }).collect())
}
