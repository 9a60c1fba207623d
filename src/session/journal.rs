//! The crash journal: every edit is a line on disk before the next one is made. A folder per run, held
//! by a lock; a folder whose lock is free belongs to a run that ended badly and is offered back.
//!
//! Lines name inputs by a key, never by path; paths are in `inputs.myo` beside them.

use super::edit::Line;
use crate::base::{Error, Progress, Result};
use crate::io::project::{Manifest, Project, read_project, write_project};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The journal of this run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    lines: File,
    _lock: File,
}

/// What a run that ended badly left.
#[derive(Clone, Debug, PartialEq)]
pub struct Leftover {
    /// Its folder.
    pub folder: PathBuf,
    /// Inputs and, where it was saved before, elements.
    pub manifest: Manifest,
    /// What was done.
    pub lines: Vec<Line>,
}

/// `$XDG_STATE_HOME/myoscope/runs`, or below `~/.local/state`, or in the temporary folder.
#[must_use]
pub fn state_folder() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").filter(|s| !s.is_empty()).map(PathBuf::from).or_else(home);
    state.unwrap_or_else(std::env::temp_dir).join("myoscope").join("runs")
}

impl Leftover {
    /// Whether more was done than opening the built-in case.
    #[must_use]
    pub fn is_work(&self) -> bool {
        self.lines.len() > 1 || self.lines.iter().any(|l| l.name != super::open::OPEN_DEMO)
    }
}

impl Journal {
    /// Begins a journal below `root`.
    pub fn begin(root: &Path) -> Result<Self> {
        let stamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        let folder = root.join(format!("{stamp:x}-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|e| Error::io("writing", e, &folder))?;
        let create = |name: &str| File::create(folder.join(name)).map_err(|e| Error::io("writing", e, folder.join(name)));
        let lock = create("lock")?;
        lock.try_lock().map_err(|e| Error::unsupported(format!("the journal cannot be locked ({e})")).at(&folder))?;
        let lines = create("journal.jsonl")?;
        Ok(Self { folder, lines, _lock: lock })
    }

    /// Appends a line and hands it to the operating system.
    pub fn append(&mut self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_string(line).map_err(|e| Error::malformed(e.to_string()))?;
        text.push('\n');
        self.lines.write_all(text.as_bytes()).map_err(|e| Error::io("writing", e, &self.folder))
    }

    /// Replaces the list of inputs.
    pub fn set_inputs(&self, manifest: &Manifest) -> Result<()> {
        let project = Project { manifest: manifest.clone(), history: Vec::new() };
        write_project(&self.folder.join("inputs.myo"), &project, &BTreeMap::new(), &Progress::none())
    }

    /// Ends the run well: nothing is offered at the next start.
    pub fn finish(self) {
        // A folder that cannot be removed is offered again, which loses nothing.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs below `root` that ended badly and did something, newest first.
#[must_use]
pub fn leftovers(root: &Path) -> Vec<Leftover> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders.into_iter().rev().filter_map(|f| leftover(&f)).collect()
}

fn leftover(folder: &Path) -> Option<Leftover> {
    let lock = File::open(folder.join("lock")).ok()?;
    lock.try_lock().ok()?;
    let lines = read_lines(&folder.join("journal.jsonl"));
    if lines.is_empty() {
        let _ = fs::remove_dir_all(folder);
        return None;
    }
    let manifest = read_project(&folder.join("inputs.myo")).map(|p| p.manifest).unwrap_or_default();
    Some(Leftover { folder: folder.to_path_buf(), manifest, lines })
}

/// Complete lines only: the last one may be cut off.
fn read_lines(path: &Path) -> Vec<Line> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let lines = BufReader::new(file).lines().map_while(std::io::Result::ok);
    lines.map_while(|l| serde_json::from_str(&l).ok()).collect()
}

/// Throws a leftover away.
pub fn discard(leftover: &Leftover) {
    // It is offered again where it cannot be removed.
    let _ = fs::remove_dir_all(&leftover.folder);
}

#[cfg(test)]
mod tests {
    use super::super::edit::LineKind;
    use super::*;

    #[test]
    fn a_cut_line_loses_only_itself() {
        let root = tempfile::tempdir().unwrap();
        let line = |n: usize| Line::plain(LineKind::Edit, &format!("edit {n}"));
        let mut journal = Journal::begin(root.path()).unwrap();
        journal.append(&line(1)).unwrap();
        journal.append(&line(2)).unwrap();
        assert!(leftovers(root.path()).is_empty(), "a run that is alive is not offered");
        journal.lines.write_all(b"{\"kind\":\"edit\",\"na").unwrap();
        drop(journal);
        let left = leftovers(root.path());
        assert_eq!(left[0].lines, vec![line(1), line(2)]);
        discard(&left[0]);
        assert!(leftovers(root.path()).is_empty());
    }
}
