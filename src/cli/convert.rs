//! `convert`: one thing of a file or folder as NIfTI, DICOM segmentation, h5ad or plain table. All are written from the picture or table
//! alone, so nothing about the patient can come along.

use super::Run;
use super::omics::genes::GeneOptions;
use super::print::notes_json;
use crate::base::{Error, Result};
use crate::io::{self, Content, Found};
use crate::model::{Expression, LabelMap, Section};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// `convert`.
#[derive(Args, Debug)]
pub struct Convert {
    /// DICOM folder or archive, NIfTI, NRRD, MetaImage, h5ad, 10x h5, MTX or Visium folder, table of counts.
    input: PathBuf,
    /// The file to write: `.nii` or `.nii.gz` for images and labels, `.dcm` for labels as a DICOM segmentation, `.h5ad`, `.csv`, `.tsv` or `.parquet` for tables of expression.
    output: PathBuf,
    /// Which of several things in the input, by its number in `inspect`.
    #[arg(long, value_name = "N")]
    item: Option<usize>,
    #[command(flatten)]
    genes: GeneOptions,
}

/// What the ending asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Nifti,
    AnnData,
    /// Cells × genes as CSV, TSV or Parquet.
    Table,
    /// DICOM, for labels.
    Segmentation,
}

impl Target {
    fn of(path: &Path) -> Result<Self> {
        match io::bytes::ending(path).as_str() {
            "nii" => Ok(Self::Nifti),
            "dcm" => Ok(Self::Segmentation),
            "h5ad" if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) => Ok(Self::AnnData),
            "csv" | "tsv" | "parquet" => Ok(Self::Table),
            _ => Err(Error::parameter(format!(
                "the output must end in .nii, .nii.gz, .dcm, .h5ad, .csv, .tsv or .parquet, which decides what is written: {}",
                path.display()
            ))),
        }
    }

    fn takes(self, content: &Content) -> bool {
        match content {
            Content::Volume(_) => self == Self::Nifti,
            Content::Labels(_) => matches!(self, Self::Nifti | Self::Segmentation),
            Content::Section(s) => self.is_expression() && s.expression.is_some(),
            Content::Cohort(_) => false,
        }
    }

    fn is_expression(self) -> bool {
        matches!(self, Self::AnnData | Self::Table)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nifti => "an image or labels, which NIfTI holds",
            Self::Segmentation => "labels, which a DICOM segmentation holds",
            Self::AnnData | Self::Table => "a table of expression, which h5ad, CSV, TSV and Parquet hold",
        }
    }
}

impl Convert {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let target = Target::of(&self.output)?;
        if same_place(&self.input, &self.output) {
            return Err(Error::parameter(format!("input and output are the same file: {}", self.output.display())));
        }
        let found = self.open(target, run)?;
        let one = self.choose(found, target)?;
        run.progress.step(0.9, "writing")?;
        match &one.content {
            Content::Volume(v) => io::write_nifti_volume(&self.output, v)?,
            Content::Labels(l) if target == Target::Segmentation => io::write_dicom_segmentation(&self.output, l)?,
            Content::Labels(l) => io::write_nifti_labels(&self.output, l)?,
            Content::Section(s) if target == Target::Table => io::write_expression_table(&self.output, s, &run.limits)?,
            Content::Section(s) => self.write_h5ad(s, run)?,
            Content::Cohort(_) => return Err(Error::parameter("a sample sheet is a table already; there is nothing to convert")),
        }
        if let (Target::Segmentation, Content::Labels(labels)) = (target, &one.content) {
            note_numbers(labels, run);
        }
        let (item, kind) = (one.item, io::kind_name(&one.content));
        if run.shared.json {
            let notes = notes_json(&std::mem::take(&mut run.warnings.notes));
            let out = self.output.display().to_string();
            let object = json!({"out": out, "item": item, "kind": kind, "summary": one.summary, "notes": notes});
            run.printer.json(&object);
        } else {
            run.printer.line(&format!("{} written to {}", one.summary, self.output.display()));
        }
        Ok(0)
    }

    /// Writes a section with what the input has beside its matrix.
    fn write_h5ad(&self, section: &Section, run: &mut Run) -> Result<()> {
        let (Some(file), Some(expression)) = (io::table_file(&self.input), &section.expression) else {
            return io::write_h5ad(&self.output, section);
        };
        let n = expression.observations().len();
        let (arrays, layers) = io::read_all_arrays(&file, &mut run.reading())?;
        // Of one section among several, the rows would be others.
        let mut extras = io::Extras {
            obsm: arrays.arrays.into_iter().filter(|(_, (width, values))| values.len() == n * width).collect(),
            graphs: arrays.graphs.into_iter().filter(|(_, g)| g.n_nodes() == n).collect(),
            ..io::Extras::default()
        };
        let mut n_left = 0;
        for name in layers {
            // The notes of the table were given when it was read first.
            let n_notes = run.warnings.notes.len();
            let layer = io::read_matrix(&file, Some(&name), &mut run.reading())?.expression;
            run.warnings.notes.truncate(n_notes);
            let fits = |e: &Expression| e.observations() == expression.observations() && e.genes() == expression.genes();
            match layer.filter(|e| fits(e)) {
                Some(layer) => drop(extras.matrices.insert(if name == "raw" { "raw_X".into() } else { name }, (*layer).clone())),
                None => n_left += 1,
            }
        }
        if n_left > 0 {
            let text = format!("{n_left} matrices have other observations or genes than what is written and are left out");
            run.warnings.warn("left-out", text, Some(&file));
        }
        io::write_h5ad_with(&self.output, section, &extras)
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
        let list = |items: &[&Found]| {
            let one = |f: &&Found| format!("{} ({})", f.item, f.summary);
            items.iter().map(one).collect::<Vec<_>>().join("; ")
        };
        if let Some(item) = self.item {
            let all = list(&found.iter().collect::<Vec<_>>());
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
                let all = list(&found.iter().collect::<Vec<_>>());
                let text = format!("nothing in it is {}; there are {all}: {}", target.name(), self.input.display());
                Err(Error::parameter(text))
            }
            [one] => Ok(one.clone()),
            _ => Err(Error::parameter(format!(
                "{} things could be written; choose one with --item N: {}",
                fitting.len(),
                list(&fitting)
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
    let content = Content::Section(section);
    let summary = io::summarize(&content);
    Found { content, summary, sorted_by: None, n_files: 1, path: path.to_path_buf(), item: 0 }
}

fn same_place(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
