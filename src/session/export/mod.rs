//! Handing results on: what was asked becomes a line of the history, so that a replay writes the same
//! bytes. A record says everything that the picture or table depends on and that the study does not hold:
//! the view, the size, the file's name. Beside every file lies its provenance.

mod names;
mod picture;
mod places;
mod provenance;
mod tables;
mod volumes;

pub use names::{export_name, stamp};
pub use picture::text_scale;
pub use places::{Placed, SpotRow};

use super::derive::SegmentsOf;
use super::discs::Disc;
use super::edit::{Line, LineKind};
use super::view_record::{view_from, view_value};
use super::{Outcome, Session};
use crate::base::{Error, Progress, Result};
use crate::io;
use crate::model::{ElementId, Section, Study};
use crate::scene::{Derived, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is written. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ExportWhat {
    /// A pane as a picture: `.png`, or `.svg` with text, marks and spots as vectors.
    Picture {
        /// Title of the pane, as `Short axis`.
        pane: String,
        /// Width and height in pixels, caption included.
        size_px: [u32; 2],
        /// Size of the pane on the screen, whose content is shown; missing where it was never on one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pane_px: Option<[u32; 2]>,
        /// With sentences below that say what it shows.
        #[serde(default)]
        caption: bool,
    },
    /// The spots of a section with their places and values: `.csv`, `.tsv`, `.parquet`, or `.h5ad` with all
    /// counts and patient coordinates.
    Spots {
        /// The section.
        section: u64,
        /// Genes, columns and fields; empty takes what is painted and every field of an analysis.
        values: Vec<String>,
        /// Genes as `log1p CP10k` instead of counts.
        log_normalized: bool,
    },
    /// A value on the heart's grid: `.nii.gz`, and the number of spots in each voxel as `_count.nii.gz`.
    Map {
        /// The section.
        section: u64,
        /// Gene, column or field.
        value: String,
        /// A gene as `log1p CP10k` instead of counts.
        log_normalized: bool,
        /// The volume whose grid it gets.
        heart: u64,
    },
    /// The 17 segments: means of the spots of a section, or what the bullseye shows.
    Segments {
        /// The section; `None` is what the bullseye shows.
        section: Option<u64>,
        /// As for spots.
        values: Vec<String>,
        /// Genes as `log1p CP10k` instead of counts.
        log_normalized: bool,
    },
    /// What the bullseye shows, one disc or two: `segment,name,territory,metric,value,unit,n,method`.
    Bullseye,
    /// The numbers of an analysis of the heart: `subject,region,phase,metric,value,unit,method`.
    Measures {
        /// The analysis.
        analysis: u64,
    },
    /// A table of genes of an analysis: Moran's I and Geary's C, as `autocorrelation.csv`.
    GeneTable {
        /// The analysis.
        analysis: u64,
    },
    /// Landmark pairs of a section with their residuals.
    Residuals {
        /// The section.
        section: u64,
    },
    /// Values of all visible images and labels at the spots of a section.
    Layers {
        /// The section.
        section: u64,
    },
    /// The transform from section to patient: `.json`, `.tfm`, `.csv` or `.ngff.json`.
    Transform {
        /// The section.
        section: u64,
    },
    /// Figures that measure, as a tidy table.
    Figures,
    /// Regions marked on a section: `.geojson` for `QuPath`, in pixels from the corner of the picture.
    Regions {
        /// The section.
        section: u64,
    },
    /// A segmentation: `.nii.gz` or `.dcm`.
    Labels {
        /// The segmentation.
        labels: u64,
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
    /// A transform from a file in the place of a registration, for one section.
    pub given: Option<(ElementId, Placed)>,
    segments: BTreeMap<ElementId, Arc<SegmentsOf>>,
    discs: Vec<Disc>,
}

impl Exporter {
    /// Writes what a record asks for into a folder, and its provenance beside it; the files written.
    pub fn write(&self, record: &ExportRecord, folder: &Path, progress: &Progress) -> Result<Vec<PathBuf>> {
        let path = folder.join(plain_name(&record.file)?);
        progress.step(0.0, "writing")?;
        let part = progress.part(0.0, 0.8);
        let mut written = match &record.what {
            ExportWhat::Picture { pane, size_px, pane_px, caption } => {
                self.picture(pane, *size_px, (*pane_px, *caption), &path, &part)
            }
            ExportWhat::Spots { section, values, log_normalized } => {
                self.spots(ElementId(*section), values, *log_normalized, &path, &part)
            }
            ExportWhat::Map { section, value, log_normalized, heart } => {
                let places = [*section, *heart].map(ElementId);
                self.map(places, value, *log_normalized, &path, &part)
            }
            ExportWhat::Segments { section, values, log_normalized } => {
                self.segment_means(section.map(ElementId), values, *log_normalized)?.write(&path).map(|()| vec![path.clone()])
            }
            ExportWhat::Bullseye => self.bullseye()?.write(&path).map(|()| vec![path.clone()]),
            ExportWhat::Measures { analysis } => self.measures(*analysis)?.write(&path).map(|()| vec![path.clone()]),
            ExportWhat::GeneTable { analysis } => self.gene_table(*analysis)?.write(&path).map(|()| vec![path.clone()]),
            ExportWhat::Residuals { section } => self.residuals(ElementId(*section))?.write(&path).map(|()| vec![path.clone()]),
            ExportWhat::Layers { section } => {
                self.layer_values(ElementId(*section), &part)?.write(&path).map(|()| vec![path.clone()])
            }
            ExportWhat::Figures => super::figures::figure_table(&self.study)?.write(&path).map(|()| vec![path.clone()]),
            ExportWhat::Regions { section } => {
                let id = ElementId(*section);
                super::regions::export_regions(&self.study.regions, id, self.section(id)?, &path).map(|()| vec![path.clone()])
            }
            ExportWhat::Labels { labels } => self.labels(ElementId(*labels), &path),
            ExportWhat::Transform { section } => self.transform(ElementId(*section), &path),
        }?;
        let beside = provenance::path_beside(&path);
        io::json::write_json(&beside, &self.provenance(record, &progress.part(0.8, 1.0))?)?;
        written.push(beside);
        Ok(written)
    }

    pub(super) fn section(&self, id: ElementId) -> Result<&Arc<Section>> {
        self.study.section(id).ok_or_else(|| Error::parameter("this section is not open"))
    }

    fn transform(&self, id: ElementId, path: &Path) -> Result<Vec<PathBuf>> {
        let placed = self.placed(id).ok_or_else(unregistered)?;
        let is_known = self.section(id)?.has_unit();
        let moving = if is_known { io::LengthUnit::Um } else { io::LengthUnit::Px };
        let file = placed.file(moving)?;
        let format = io::TransformFormat::of_ending(path, file.is_linear())?;
        io::write_any_transform(path, &file, format)?;
        Ok(vec![path.to_path_buf()])
    }
}

/// What to do where there is no way from section to patient.
fn unregistered() -> Error {
    Error::parameter("the section has no transform to the patient: register it, or give one with --transform")
}

/// The name itself where it names a file in the folder and nothing else.
fn plain_name(file: &str) -> Result<&str> {
    let plain = Path::new(file).file_name().is_some_and(|n| n == file);
    if plain { Ok(file) } else { Err(Error::parameter(format!("{file:?} is not the name of a file"))) }
}

impl Session {
    /// A snapshot for exports.
    #[must_use]
    pub fn exporter(&self) -> Exporter {
        Exporter {
            study: self.study.clone(),
            view: self.view.clone(),
            derived: self.derived.clone(),
            given: None,
            segments: self.segments.clone(),
            discs: self.discs.clone(),
        }
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
