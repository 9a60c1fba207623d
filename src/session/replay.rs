//! A session's history, done again without a window: inputs are found and read, every edit is made,
//! every analysis is computed anew, every export is written. Same inputs, same bytes.

use super::export::ExportRecord;
use super::project::{Request, read_inputs};
use super::{LineKind, Session};
use crate::base::{Error, Limits, Progress, Result};
use crate::io::project::{Project, read_project};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a replay did.
#[derive(Debug)]
pub struct Replayed {
    /// The study at the end, with its history.
    pub session: Session,
    /// Files written, in order.
    pub written: Vec<PathBuf>,
    /// Inputs whose content changed since.
    pub warnings: Vec<String>,
}

/// Repeats the history of a project file or of a crash journal's folder, writing exports into `out`.
/// Inputs are looked for where they were, beside the file, and below `data`.
pub fn replay(journal: &Path, data: Option<&Path>, out: &Path, limits: Limits, progress: &Progress) -> Result<Replayed> {
    let project = read_journal(journal)?;
    if project.history.is_empty() {
        return Err(Error::malformed("there is no history to repeat").at(journal));
    }
    let file = if journal.is_dir() { None } else { Some(journal.to_path_buf()) };
    let request = Request { project, file, folder: data.map(Path::to_path_buf), limits };
    let inputs = read_inputs(&request, &progress.part(0.0, 0.3))?;
    if !inputs.missing.is_empty() {
        let list = inputs.missing.join(", ");
        return Err(Error::parameter(format!("inputs are missing: {list}. Give the folder that holds them with --data.")));
    }
    let mut session = Session::new(Arc::new(|| {}));
    session.limits = limits;
    let mut written = Vec::new();
    let n = inputs.lines.len();
    for (i, line) in inputs.lines.iter().enumerate() {
        let part = progress.part(0.3 + 0.7 * i as f64 / n as f64, 0.3 + 0.7 * (i + 1) as f64 / n as f64);
        part.step(0.0, &line.name)?;
        session.repeat(line, &inputs.sources, &part)?;
        if line.kind == LineKind::Export {
            let record = line.export.clone().ok_or_else(|| Error::malformed(format!("{:?} does not say what", line.name)))?;
            let record: ExportRecord = serde_json::from_value(record).map_err(|e| Error::malformed(e.to_string()))?;
            session.look_as(&record);
            settle(&mut session, &part)?;
            written.extend(session.exporter().write(&record, out, &part)?);
        }
    }
    settle(&mut session, progress)?;
    Ok(Replayed { session, written, warnings: inputs.warnings })
}

fn read_journal(path: &Path) -> Result<Project> {
    if !path.is_dir() {
        return read_project(path);
    }
    let text =
        std::fs::read_to_string(path.join("journal.jsonl")).map_err(|e| Error::io("reading", e, path.join("journal.jsonl")))?;
    // A journal without inputs is one of the built-in case.
    let manifest = read_project(&path.join("inputs.myo")).map(|p| p.manifest).unwrap_or_default();
    Ok(Project { manifest, history: text.lines().map(str::to_owned).collect() })
}

/// Waits for what the study implies for display.
fn settle(session: &mut Session, progress: &Progress) -> Result<()> {
    loop {
        session.poll();
        if session.is_idle() {
            return Ok(());
        }
        progress.step(0.5, "segments")?;
        std::thread::sleep(Duration::from_millis(1));
    }
}
