//! Gene sets and signatures of cell types from files: what is read becomes part of the recipe, so that the numbers can
//! be made again without the files.

use super::task::{ScoreTask, SetRecord, SignatureRecord, Task};
use super::{Outcome, Session};
use crate::base::{Error, Limits, Progress, Result, Warnings};
use crate::io::gmt::{cardiac_sets, read_gmt};
use crate::io::project::digest_input;
use crate::io::{Reading, Table};
use crate::model::{ElementId, Study};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A signature of genes × types; turned around where the header, not the first column, names genes of `known`.
pub fn read_signature(path: &Path, known: &BTreeSet<&str>, limits: &Limits) -> Result<SignatureRecord> {
    let table = Table::read(path, limits)?;
    let Some((first, rest)) = table.columns().split_first() else {
        return Err(Error::malformed("the signature has no columns; genes and cell types were expected").at(path));
    };
    let missing = || Error::malformed("a row of the signature has no name; its first column names the genes").at(path);
    let lines: Vec<String> = table.texts(&first.name)?.into_iter().map(|n| n.ok_or_else(missing)).collect::<Result<_>>()?;
    let header: Vec<String> = rest.iter().map(|c| c.name.clone()).collect();
    let empty = |name: &str| Error::malformed(format!("the signature has an empty cell in column {name}; every mean is needed"));
    let mut columns = Vec::with_capacity(rest.len());
    for column in rest {
        let values = table.numbers(&column.name).map_err(|e| e.at(path))?;
        let values = values.into_iter().map(|v| v.ok_or_else(|| empty(&column.name).at(path)));
        columns.push(values.collect::<Result<Vec<f64>>>()?);
    }
    let n_known = |names: &[String]| names.iter().filter(|n| known.contains(n.as_str())).count();
    Ok(if n_known(&header) > n_known(&lines) {
        SignatureRecord { genes: header, types: lines, values: columns.concat() }
    } else {
        let values = (0..lines.len()).flat_map(|g| columns.iter().map(move |c| c[g])).collect();
        SignatureRecord { genes: lines, types: header, values }
    })
}

/// Name and digest of a file; no folder.
fn source(path: &Path, progress: &Progress) -> Result<String> {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    Ok(format!("{name}, sha256 {}", digest_input(path, progress)?.1))
}

/// The task with what its file holds; without a file, the built-in gene sets.
fn filled(task: Task, file: Option<&Path>, study: &Study, limits: Limits, progress: &Progress) -> Result<Task> {
    progress.step(0.0, "reading the file")?;
    match task {
        Task::Score(mut task) => {
            let mut warnings = Warnings::default();
            let mut reading = Reading { limits, progress, warnings: &mut warnings };
            let sets = match file {
                Some(path) => read_gmt(path, &mut reading)?,
                None => cardiac_sets(&mut reading)?,
            };
            let source = file.map_or_else(|| Ok("built-in markers of the cells of the heart".into()), |p| source(p, progress))?;
            let sets = sets.into_iter().map(|s| SetRecord { name: s.name, genes: s.genes }).collect();
            *task = ScoreTask { source, sets, ..*task };
            Ok(Task::Score(task))
        }
        Task::Deconvolve(mut task) => {
            let path = file.ok_or_else(|| Error::parameter("choose a signature: a table of genes × cell types"))?;
            let expression = study.section(ElementId(task.section)).and_then(|s| s.expression.as_ref());
            let known = expression.iter().flat_map(|e| e.genes().iter().chain(e.gene_ids())).map(String::as_str).collect();
            task.signature = read_signature(path, &known, &limits)?;
            task.source = source(path, progress)?;
            Ok(Task::Deconvolve(task))
        }
        other => Ok(other),
    }
}

/// Names and genes of the built-in gene sets: markers of the cells of the heart.
#[must_use]
pub fn built_in_sets() -> Vec<(String, Vec<String>)> {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    cardiac_sets(&mut reading).unwrap_or_default().into_iter().map(|s| (s.name, s.genes)).collect()
}

impl Session {
    /// Starts a task whose gene sets or signature are read from a file first.
    pub(super) fn run_from(&mut self, task: Task, file: Option<PathBuf>) -> Result<()> {
        if !self.study.elements.contains_key(&task.of()) {
            return Err(Error::parameter("open a section first: there is nothing to analyze"));
        }
        let (study, limits) = (self.study.clone(), self.limits);
        self.jobs.start(task.slot(), task.title(), move |p| {
            let task = filled(task, file.as_deref(), &study, limits, &p.part(0.0, 0.05))?;
            task.run(&study, &p.part(0.05, 1.0)).map(|a| Outcome::Analyzed(Box::new(a)))
        });
        Ok(())
    }
}
