//! `labels`: work on segmentations without a window. Every command reads one, does what the window does, and
//! writes another; inputs stay as they are.

mod segment;
mod work;

use super::Run;
use super::print::notes_json;
use crate::base::{Error, Result};
use crate::io::{self, Content};
use crate::model::{LabelMap, Volume};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What to do with labels.
#[derive(Debug, Subcommand)]
pub enum Labels {
    /// Fill what a label encloses.
    FillHoles(work::FillHoles),
    /// Fill empty slices between drawn ones, by shape.
    Interpolate(work::Interpolate),
    /// Keep the largest connected piece of a label.
    Largest(work::Largest),
    /// Grow a label over like values of an image.
    Grow(work::Grow),
    /// Copy a slice, or a phase, to another.
    Copy(work::Copy),
    /// Bring labels to the grid of an image.
    Resample(work::Resample),
    /// Say whether labels are mirrored or turned against their image, and turn them.
    Check(work::Check),
    /// Segment an image with a network of your own (ONNX).
    Segment(segment::Segment),
}

/// The segmentation, and where the new one goes.
#[derive(Args, Debug)]
pub struct Files {
    /// The segmentation.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// The file to write: `.nii`, `.nii.gz`, or `.dcm` for a DICOM segmentation.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Labels {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::FillHoles(c) => c.run(run),
            Self::Interpolate(c) => c.run(run),
            Self::Largest(c) => c.run(run),
            Self::Grow(c) => c.run(run),
            Self::Copy(c) => c.run(run),
            Self::Resample(c) => c.run(run),
            Self::Check(c) => c.run(run),
            Self::Segment(c) => c.run(run),
        }
    }
}

/// Labels of a file or folder: what is a segmentation in it, or the file read as one.
fn read_labels(run: &mut Run, path: &Path) -> Result<LabelMap> {
    if io::bytes::ending(path) == "nii" {
        return io::read_labels(path, &mut run.reading());
    }
    let found = io::open(path, &mut run.reading())?;
    let mut maps = found.into_iter().filter_map(|f| match f.content {
        Content::Labels(map) => Some(map),
        _ => None,
    });
    one(maps.next(), maps.next().is_some(), "segmentation", path)
}

/// The image of a file or folder.
fn read_image(run: &mut Run, path: &Path) -> Result<Volume> {
    if io::bytes::ending(path) == "nii" {
        return io::read_volume_any(path, &mut run.reading());
    }
    let found = io::open(path, &mut run.reading())?;
    let mut volumes = found.into_iter().filter_map(|f| match f.content {
        Content::Volume(v) => Some(v),
        _ => None,
    });
    one(volumes.next(), volumes.next().is_some(), "image", path)
}

fn one<T>(first: Option<T>, more: bool, what: &str, path: &Path) -> Result<T> {
    match first {
        Some(found) if !more => Ok(found),
        Some(_) => Err(Error::parameter(format!(
            "there is more than one {what} in it; write one with convert first: {}",
            path.display()
        ))),
        None => Err(Error::parameter(format!("there is no {what} in it: {}", path.display()))),
    }
}

/// Refuses what cannot be written, before any work.
fn check_out(out: &Path) -> Result<()> {
    Run::check_outputs(&[Some(out)])?;
    if matches!(io::bytes::ending(out).as_str(), "nii" | "dcm") {
        return Ok(());
    }
    Err(Error::parameter(format!("labels are written as .nii, .nii.gz or .dcm: {}", out.display())))
}

/// Writes labels by the ending, and says what was done.
fn finish(run: &mut Run, out: Option<&Path>, map: &LabelMap, said: &[String], extra: Value) -> Result<()> {
    run.progress.step(0.95, "writing")?;
    match out {
        Some(out) if io::bytes::ending(out) == "dcm" => io::write_dicom_segmentation(out, map)?,
        Some(out) => io::write_nifti_labels(out, map)?,
        None => {}
    }
    if run.shared.json {
        let row = |value: u8, name: &str| {
            let counts: Vec<usize> = (0..map.n_phases()).map(|p| map.count(p, value)).collect();
            json!({"value": value, "name": name, "n_voxels": counts})
        };
        let labels: Vec<Value> = map.table.iter().map(|e| row(e.value, &e.name)).collect();
        let mut object = json!({"labels": labels, "said": said, "notes": notes_json(&run.warnings.notes)});
        if let (Some(object), Value::Object(extra)) = (object.as_object_mut(), extra) {
            object.extend(extra);
            object.extend(out.map(|o| ("out".to_owned(), json!(o.display().to_string()))));
        }
        run.warnings.notes.clear();
        run.printer.json(&object);
    } else {
        said.iter().for_each(|s| run.printer.line(s));
        if let Some(out) = out {
            run.printer.line(&format!("written to {}", out.display()));
        }
    }
    Ok(())
}
