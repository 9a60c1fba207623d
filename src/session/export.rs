//! Handing results on: what was asked becomes a line of the history, so that a replay writes the same
//! bytes. A record says everything that the picture or table depends on and that the study does not hold:
//! the view, the size, the file's name.

use super::edit::{Line, LineKind};
use super::project::{view_from, view_value};
use super::{Outcome, Session};
use crate::base::{Error, Progress, Result};
use crate::io;
use crate::model::Study;
use crate::scene::{self, Derived, Inputs, PaintTheme, PaneKind, SceneCache, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What is written. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ExportWhat {
    /// A pane as a picture.
    Picture {
        /// Title of the pane, as `Short axis`.
        pane: String,
        /// Width and height in pixels.
        size_px: [u32; 2],
    },
}

/// One export, as a line of the history holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportRecord {
    /// What.
    #[serde(flatten)]
    pub what: ExportWhat,
    /// Name of the file, without folders; its ending gives the format.
    pub file: String,
    /// How the study was looked at.
    #[serde(default)]
    pub view: Value,
}

/// Everything an export reads: a snapshot, cheap to take.
#[derive(Clone, Debug)]
pub struct Exporter {
    /// What is open.
    pub study: Study,
    /// How it is looked at.
    pub view: View,
    /// Values computed for display.
    pub derived: Derived,
}

impl Exporter {
    /// Writes what a record asks for into a folder; the files written.
    pub fn write(&self, record: &ExportRecord, folder: &Path, progress: &Progress) -> Result<Vec<PathBuf>> {
        let path = folder.join(plain_name(&record.file)?);
        progress.step(0.0, "writing")?;
        match &record.what {
            ExportWhat::Picture { pane, size_px } => self.picture(pane, *size_px, &path),
        }
    }

    fn picture(&self, pane: &str, size_px: [u32; 2], path: &Path) -> Result<Vec<PathBuf>> {
        let pane = PaneKind::ALL.into_iter().find(|k| k.title() == pane);
        let pane = pane.ok_or_else(|| Error::parameter("there is no such pane"))?;
        let inputs = Inputs { study: &self.study, view: &self.view, derived: &self.derived, pixels_per_point: 1.0 };
        let scene = scene::build(&inputs, &mut SceneCache::default(), pane, size_px);
        let image = scene::paint(&scene, &PaintTheme::default());
        io::write_png(path, image.width, image.height, &image.rgba)?;
        Ok(vec![path.to_path_buf()])
    }
}

/// The name itself where it names a file in the folder and nothing else.
fn plain_name(file: &str) -> Result<&str> {
    let plain = Path::new(file).file_name().is_some_and(|n| n == file);
    if plain { Ok(file) } else { Err(Error::parameter(format!("{file:?} is not the name of a file"))) }
}

impl Session {
    /// A snapshot for exports; with `view`, as the study was looked at then.
    #[must_use]
    pub fn exporter(&self) -> Exporter {
        Exporter { study: self.study.clone(), view: self.view.clone(), derived: self.derived.clone() }
    }

    /// Writes files in the background; the request is a line of the history.
    pub(super) fn export(&mut self, what: ExportWhat, path: &Path) -> Result<()> {
        let file = path.file_name().ok_or_else(|| Error::parameter("an export needs the name of a file"))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let record = ExportRecord { what, file: file.to_string_lossy().into_owned(), view: view_value(&self.view) };
        self.note_export(&record);
        let exporter = self.exporter();
        let title = format!("Exporting {}", record.file);
        self.jobs.start("export", &title, move |p| exporter.write(&record, &folder, p).map(Outcome::Exported));
        Ok(())
    }

    pub(super) fn note_export(&mut self, record: &ExportRecord) {
        let export = serde_json::to_value(record).ok();
        self.history.note(Line { export, ..Line::plain(LineKind::Export, &format!("export {}", record.file)) });
        self.write_last_line(false);
    }

    /// Looks at the study as a record says.
    pub(super) fn look_as(&mut self, record: &ExportRecord) {
        if record.view.is_object() {
            self.view = view_from(&record.view);
            self.repair_view();
            self.derive();
        }
    }
}
