//! `convert`: one thing of a file or folder in another form. All are written from the picture, table or lines alone, so
//! nothing about the patient can come along; DICOM files are rewritten without what names the patient.

mod dicom;
mod expression;
mod heart;
mod target;

use super::Run;
use super::omics::genes::GeneOptions;
use super::print::notes_json;
use crate::base::{Error, Result};
use crate::io::{self, Content, Found};
use crate::model::{LabelMap, Section};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use target::{FolderForm, Target, listed, same_place};

/// `convert`.
#[derive(Args, Debug)]
pub struct Convert {
    /// DICOM folder or archive, NIfTI, NRRD, MetaImage, contours, mesh, electrocardiogram, h5ad, 10x h5, MTX or Visium folder, table of counts.
    input: PathBuf,
    /// What to write: `.nii` or `.nii.gz` for images and labels, `.dcm` for labels as a DICOM segmentation, `.csv` for contours and electrocardiograms, `.ply`, `.stl` or `.obj` for meshes, `.h5ad`, `.csv`, `.tsv` or `.parquet` for sections and tables, a folder for DICOM images.
    output: PathBuf,
    /// Which of several things in the input, by its number in `inspect`.
    #[arg(long, value_name = "N")]
    item: Option<usize>,
    /// Image on whose grid contours or a mesh become labels: a file, or the DICOM series that contours were drawn on.
    #[arg(long, value_name = "IMAGE")]
    like: Option<PathBuf>,
    /// DICOM series of the image that labels belong to: its study and images are named in the segmentation.
    #[arg(long, value_name = "DICOM")]
    source: Option<PathBuf>,
    /// Label whose surface becomes a mesh, or that a mesh becomes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    label: Option<u8>,
    /// Phase of the labels whose surface becomes a mesh (0 first).
    #[arg(long, value_name = "N")]
    phase: Option<usize>,
    /// Number of the first pixel in contours on pixels: 0, or 1 as in MATLAB.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    first_pixel: u8,
    /// What a folder is to hold.
    #[arg(long = "as", value_name = "FORM")]
    form: Option<FolderForm>,
    /// Dates in DICOM files: `remove` (default), `keep`, or `shift:DAYS`; birth dates always go.
    #[arg(long, value_name = "WHAT")]
    dates: Option<String>,
    #[command(flatten)]
    genes: GeneOptions,
}

impl Convert {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let target = Target::of(&self.output, self.form)?;
        if same_place(&self.input, &self.output) {
            return Err(Error::parameter(format!("input and output are the same file: {}", self.output.display())));
        }
        if target == Target::Folder(FolderForm::Dicom)
            && let Some(status) = self.deidentified(run)?
        {
            return Ok(status);
        }
        let found = self.open(target, run)?;
        let one = self.choose(found, target)?;
        run.progress.step(0.9, "writing")?;
        let made = if target == Target::Table { None } else { self.labels_of(&one.content, run)?.map(Content::Labels) };
        let summary = made.as_ref().map_or_else(|| one.summary.clone(), io::summarize);
        let kind = io::kind_name(made.as_ref().unwrap_or(&one.content));
        if target == Target::Folder(FolderForm::Dicom) {
            self.write_series(&one, run)?;
        } else {
            self.write(made.as_ref().unwrap_or(&one.content), target, run)?;
        }
        if run.shared.json {
            let notes = notes_json(&std::mem::take(&mut run.warnings.notes));
            let out = self.output.display().to_string();
            run.printer.json(&json!({"out": out, "item": one.item, "kind": kind, "summary": summary, "notes": notes}));
        } else {
            run.printer.line(&format!("{summary} written to {}", self.output.display()));
        }
        Ok(0)
    }

    fn write(&self, content: &Content, target: Target, run: &mut Run) -> Result<()> {
        match (content, target) {
            (_, Target::Table) => self.write_table(content, run),
            (Content::Labels(labels), Target::Segmentation) => {
                let source = self.source_images(labels, run)?;
                io::write_dicom_segmentation_of(&self.output, labels, &source)?;
                note_numbers(labels, run);
                Ok(())
            }
            (Content::Labels(labels), Target::Mesh) => io::write_mesh(&self.output, &self.surface_of(labels, run)?),
            (Content::Surface(surface), Target::Mesh) => io::write_mesh(&self.output, surface),
            (Content::Labels(labels), Target::Folder(FolderForm::Sunnybrook)) => self.write_contour_text(labels, run).map(drop),
            (Content::Labels(labels), _) => io::write_nifti_labels(&self.output, labels),
            (Content::Volume(volume), _) => io::write_nifti_volume(&self.output, volume),
            (Content::Section(section), _) => self.write_h5ad(section, run),
            _ => Err(Error::parameter(format!("only {} can be written there", target.name()))),
        }
    }

    /// What the input holds; a table that only this command can take for expression is opened as such.
    fn open(&self, target: Target, run: &mut Run) -> Result<Vec<Found>> {
        let is_table =
            self.input.is_file() && matches!(io::bytes::ending(&self.input).as_str(), "csv" | "tsv" | "txt" | "parquet");
        if target.is_expression() && self.genes.is_asked() {
            let section = self.genes.read(&self.input, run)?;
            return Ok(vec![found(section, &self.input)]);
        }
        match io::open(&self.input, &mut run.reading()) {
            Err(Error::Unsupported { .. } | Error::Malformed { .. }) if is_table && target.is_expression() => {
                run.warnings.notes.clear();
                let section = io::read_expression(&self.input, &mut run.reading())?;
                Ok(vec![found(section, &self.input)])
            }
            other => other,
        }
    }

    fn choose(&self, found: Vec<Found>, target: Target) -> Result<Found> {
        if let Some(item) = self.item {
            let all = listed(&found.iter().collect::<Vec<_>>());
            let Some(one) = found.into_iter().find(|f| f.item == item) else {
                return Err(Error::parameter(format!("there is no item {item}; there are {all}")));
            };
            if target.takes(&one.content) {
                return Ok(one);
            }
            return Err(Error::parameter(format!("item {item} is {}, not {}", one.summary, target.name())));
        }
        let fitting: Vec<&Found> = found.iter().filter(|f| target.takes(&f.content)).collect();
        match fitting[..] {
            [] => {
                let all = listed(&found.iter().collect::<Vec<_>>());
                let text = format!("nothing in it is {}; there are {all}: {}", target.name(), self.input.display());
                Err(Error::parameter(text))
            }
            [one] => Ok(one.clone()),
            _ => Err(Error::parameter(format!(
                "{} things could be written; choose one with --item N: {}",
                fitting.len(),
                listed(&fitting)
            ))),
        }
    }
}

/// Segments of DICOM count from 1: says where that is not the value of the label.
fn note_numbers(labels: &LabelMap, run: &mut Run) {
    let moved: Vec<String> = labels
        .table
        .iter()
        .zip(1..)
        .filter(|(entry, n)| u32::from(entry.value) != *n)
        .map(|(entry, n)| format!("label {} is segment {n}", entry.value))
        .collect();
    if !moved.is_empty() {
        run.warnings.note("segments-renumbered", format!("segments count from 1 without gaps: {}", moved.join(", ")), None);
    }
}

fn found(section: Section, path: &Path) -> Found {
    Found::alone(Content::Section(section), path)
}
