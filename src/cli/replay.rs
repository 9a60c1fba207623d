//! `replay`: a session's history, done again headless.

use super::Run;
use crate::base::{Error, Result};
use crate::io::{Table, TableColumn};
use crate::session::{Session, replay};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// `replay`.
#[derive(Args, Debug)]
pub struct Replay {
    /// A project (`.myo`) or the folder of a crash journal.
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
    /// Where the inputs are, if they moved.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where exports are written again.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

impl Replay {
    /// Repeats the history; writes its exports, and `replay.csv` with what the analyses found.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        std::fs::create_dir_all(&self.out).map_err(|e| Error::io("writing", e, &self.out))?;
        let done = replay(&self.journal, self.data.as_deref(), &self.out, run.limits, &run.progress)?;
        for warning in &done.warnings {
            run.printer.remark(&format!("warning: {warning}"));
        }
        let summary = self.out.join("replay.csv");
        summarize(&done.session)?.write(&summary)?;
        let written: Vec<String> = done.written.iter().chain([&summary]).map(|p| leaf(p)).collect();
        let steps: Vec<&str> = done.session.history.lines().iter().map(|l| l.name.as_str()).collect();
        if run.shared.json {
            let analyses: Vec<&str> = done.session.study.analyses.values().map(|a| a.title.as_str()).collect();
            let left_out: Vec<String> = done.session.study.exclusions.iter().map(ToString::to_string).collect();
            let object = json!({
                "out": self.out.display().to_string(), "steps": steps, "analyses": analyses, "excluded": left_out,
                "warnings": done.warnings, "files": written,
            });
            run.printer.json(&object);
        } else {
            run.printer.line(&format!("{} steps repeated; written: {}", steps.len(), written.join(", ")));
        }
        Ok(0)
    }
}

fn leaf(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// One row per step of the history and per analysis: what the study was made of.
pub fn summarize(session: &Session) -> Result<Table> {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut row = |kind: &str, name: &str, value: &str| rows.push([kind.to_owned(), name.to_owned(), value.to_owned()]);
    for line in session.history.lines() {
        row("step", &line.name, "");
    }
    for exclusion in &session.study.exclusions {
        row("excluded", &exclusion.to_string(), &exclusion.reason);
    }
    for analysis in session.study.analyses.values() {
        row("analysis", &analysis.title, &analysis.sentence);
        analysis.settings.iter().for_each(|(k, v)| row("setting", k, v));
        row("setting", "seed", &analysis.seed.to_string());
        analysis.inputs.iter().for_each(|(k, v)| row("input", k, v));
        analysis.findings.iter().for_each(|f| row("finding", f.code, &f.what));
    }
    let column = |name: &str, i: usize| TableColumn::text(name, rows.iter().map(|r| Some(r[i].clone())));
    Table::new(vec![column("kind", 0), column("name", 1), column("value", 2)])
}
