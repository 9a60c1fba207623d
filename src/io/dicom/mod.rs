//! DICOM in and out. [`read_dicom`] takes a file or a folder, sorts frames to slices and phases by
//! geometry and time (never by name or number of the file alone) and says what it did; [`write_dicom_cine`]
//! writes an anonymous cine. Sources: DICOM PS3.3, PS3.5, PS3.10.

mod assemble;
mod codec;
pub mod deidentify;
mod directory;
mod element;
mod fill;
mod geometry;
mod group;
mod header;
mod jpeg_extended;
mod jpeg_ls;
mod layout;
mod open;
mod pixels;
mod segmentation;
mod sort;
mod source;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_hostile;
#[cfg(test)]
mod tests_real;
mod waveform;
mod write;
mod write_segmentation;

pub use source::is_dicom;
pub use write::{SeriesFacts, write_dicom_cine};
pub use write_segmentation::{write_dicom_segmentation, write_dicom_segmentation_of};

use crate::base::{Error, Result};
use crate::io::{Content, Found, Reading};
use crate::model::Volume;
use open::{Opened, Outcome};
use rayon::prelude::*;
use segmentation::{Made, Segments};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

const FILES_PER_STEP: usize = 64;
/// Headers of most files end before this.
const HEAD_BYTES: usize = 1 << 14;
const MAX_FOLDER_DEPTH: usize = 32;

/// Opens a DICOM file, or all of them in a folder and its folders. Files that are not DICOM are counted,
/// files that cannot be read are named in the warnings; an error where nothing is left.
/// Each file is read once, but for uncompressed files of many frames; its bytes go when its frame is decoded, so
/// memory is little more than that of the voxels.
pub fn read_dicom(path: &Path, reading: &mut Reading<'_>) -> Result<Vec<Found>> {
    if path.is_dir() {
        return read_dicom_roots(&[path.to_path_buf()], path, reading);
    }
    let files = listed_or_alone(path, reading)?;
    read_files(files, false, path, reading)
}

/// Opens all DICOM files below some folders as one, called `path`: series may lie in several of them.
pub(super) fn read_dicom_roots(roots: &[PathBuf], path: &Path, reading: &mut Reading<'_>) -> Result<Vec<Found>> {
    let mut files = Vec::new();
    for root in roots {
        collect(root, 0, &mut files)?;
    }
    read_files(files, true, path, reading)
}

fn read_files(files: Vec<PathBuf>, is_folder: bool, path: &Path, reading: &mut Reading<'_>) -> Result<Vec<Found>> {
    let n_bytes: u64 = files.iter().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
    let keep = n_bytes <= reading.limits.max_bytes / 2;
    let limits = reading.limits;
    let mut outcomes = Vec::with_capacity(files.len());
    for (chunk, part) in files.chunks(FILES_PER_STEP).enumerate() {
        reading.progress.step(0.5 * outcomes.len() as f64 / files.len() as f64, "reading DICOM files")?;
        let base = chunk * FILES_PER_STEP;
        outcomes.par_extend(part.par_iter().enumerate().map(|(i, file)| {
            if let Some(outcome) = open_start(file, base + i, &limits) {
                return Some(outcome);
            }
            match load(file, is_folder, &limits) {
                Ok(Some(bytes)) => Some(open::open(file, bytes, base + i, keep, &limits)),
                Ok(None) => None,
                Err(e) => Some(Outcome::Failed(e)),
            }
        }));
    }
    if is_folder {
        say_missing(&files, reading);
    }
    let n_other = outcomes.iter().filter(|o| o.is_none()).count();
    if n_other > 0 {
        reading.warnings.note("not-dicom", format!("{n_other} files are not DICOM and were left out"), Some(path));
    }
    let outcomes = outcomes.into_iter().zip(files).filter_map(|(o, f)| Some((o?, f))).collect();
    found(outcomes, path, reading)
}

/// The files that a `DICOMDIR` lists, or the file itself.
pub(super) fn listed_or_alone(path: &Path, reading: &mut Reading<'_>) -> Result<Vec<PathBuf>> {
    let bytes = if is_directory(path) { load(path, true, &reading.limits)? } else { None };
    let Some(bytes) = bytes else { return Ok(vec![path.to_path_buf()]) };
    let Some(listed) = directory::listed(path, bytes, &reading.limits) else { return Ok(vec![path.to_path_buf()]) };
    directory::say_missing(&listed, path, reading.warnings);
    if listed.there.is_empty() {
        return Err(Error::malformed("none of the files that the DICOMDIR lists is there; copy the whole medium").at(path));
    }
    Ok(listed.there)
}

/// Directories have this name by the standard.
fn is_directory(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().to_ascii_uppercase().starts_with("DICOMDIR"))
}

/// Of the directories among files, says what they list and is not there.
fn say_missing(files: &[PathBuf], reading: &mut Reading<'_>) {
    for path in files.iter().filter(|f| is_directory(f)) {
        let listed = load(path, true, &reading.limits).ok().flatten().and_then(|b| directory::listed(path, b, &reading.limits));
        if let Some(listed) = listed {
            directory::say_missing(&listed, path, reading.warnings);
        }
    }
}

/// Opens one DICOM file in memory.
pub fn parse_dicom_bytes(bytes: &[u8], reading: &mut Reading<'_>) -> Result<Vec<Found>> {
    let limits = reading.limits;
    let outcome = open::open(Path::new(""), bytes.to_vec(), 0, true, &limits);
    found(vec![(outcome, PathBuf::new())], Path::new(""), reading)
}

/// All files of a folder and its folders, in order of name.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files)?;
    Ok(files)
}

/// Files of a folder in order of name; links to folders are not followed.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |e| Error::io("reading", e, folder);
    let mut entries: Vec<_> = std::fs::read_dir(folder).map_err(failed)?.collect::<std::io::Result<_>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            if depth < MAX_FOLDER_DEPTH {
                collect(&entry.path(), depth + 1, files)?;
            }
        } else if entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Opens an image by the start of its file, where its pixels are uncompressed and behind it; `None` where the whole
/// file is to be read.
fn open_start(path: &Path, file: usize, limits: &crate::base::Limits) -> Option<Outcome> {
    let mut source = File::open(path).ok()?;
    let size = usize::try_from(source.metadata().ok()?.len()).ok().filter(|size| *size >= 2 * HEAD_BYTES)?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    (&mut source).take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
    if !is_dicom(&head) {
        return None;
    }
    open::open_head(path, &head, size, file, limits)
}

/// Bytes of a file; `None` where it is not DICOM and `sniff` asks for that.
fn load(path: &Path, sniff: bool, limits: &crate::base::Limits) -> Result<Option<Vec<u8>>> {
    let failed = |e| Error::io("reading", e, path);
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let size = limits.check("the file", &[size], 1).map_err(|e| e.at(path))?;
    let mut bytes = Vec::with_capacity(size.saturating_add(1));
    if sniff {
        (&mut file).take(132).read_to_end(&mut bytes).map_err(failed)?;
        if !is_dicom(&bytes) {
            return Ok(None);
        }
    }
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Stacks and volumes of all files that opened.
fn found(outcomes: Vec<(Outcome, PathBuf)>, path: &Path, reading: &mut Reading<'_>) -> Result<Vec<Found>> {
    let (mut images, mut reason): (Vec<Opened>, Option<Error>) = (Vec::new(), None);
    let (mut segmentations, mut waveforms) = (Vec::new(), Vec::new());
    for (outcome, file) in outcomes {
        match outcome {
            Outcome::Image(mut opened) => {
                for header in &mut opened.headers {
                    header.file = images.len();
                }
                images.push(*opened);
            }
            Outcome::Segmentation(parts) => segmentations.push((parts, file)),
            Outcome::Waveform(ecg) => waveforms.push(*ecg),
            Outcome::Other(what) => {
                reading.warnings.note("not-an-image", format!("{what}: not an image, left out"), Some(&file));
                reason.get_or_insert_with(|| {
                    Error::unsupported(format!("{what} is not an image; choose an image series")).at(&file)
                });
            }
            Outcome::Failed(e) => {
                let code = if e.code() == "truncated" { "truncated" } else { "unreadable-file" };
                reading.warnings.error(code, e.to_string(), Some(&file));
                reason = Some(e);
            }
        }
    }
    let headers = images.iter_mut().flat_map(|o| std::mem::take(&mut o.headers)).collect();
    let stacks = group::stacks(headers, reading.warnings);
    let mut items: Vec<Found> = Vec::new();
    for (i, stack) in stacks.iter().enumerate() {
        reading.progress.step(0.5 + 0.5 * i as f64 / stacks.len() as f64, "decoding pixels")?;
        let part =
            reading.progress.part(0.5 + 0.5 * i as f64 / stacks.len() as f64, 0.5 + 0.5 * (i + 1) as f64 / stacks.len() as f64);
        let mut inner = Reading { limits: reading.limits, progress: &part, warnings: reading.warnings };
        match assemble::assemble(stack, &images, &mut inner) {
            Ok(volumes) => items.extend(volumes.into_iter().map(|a| as_found(a, path))),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(e) => {
                reading.warnings.error("unreadable-stack", e.to_string(), None);
                reason.get_or_insert(e);
            }
        }
    }
    for (parts, file) in &segmentations {
        match segmentation_items(&parts.0, &parts.1, path, reading) {
            Ok(more) => items.extend(more),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(e) => {
                reading.warnings.error(e.code(), e.to_string(), Some(file));
                reason.get_or_insert(e.at(file));
            }
        }
    }
    items.extend(waveforms.into_iter().map(|ecg| Found::alone(Content::Ecg(ecg), path)));
    if items.is_empty() {
        return Err(
            reason.unwrap_or_else(|| Error::malformed("no DICOM file was found; choose a folder with DICOM files").at(path))
        );
    }
    for (i, item) in items.iter_mut().enumerate() {
        item.item = i;
    }
    Ok(items)
}

/// Labels and fractions of a segmentation.
fn segmentation_items(file: &Opened, segments: &Segments, path: &Path, reading: &mut Reading<'_>) -> Result<Vec<Found>> {
    let made = segmentation::assemble(file, &file.headers, segments, reading)?;
    let content = made.into_iter().map(|one| match one {
        Made::Labels(labels) => Content::Labels(labels),
        Made::Fractions(volume) => Content::Volume(volume),
    });
    Ok(content.map(|content| Found::alone(content, path)).collect())
}

fn as_found(a: assemble::Assembled, path: &Path) -> Found {
    let summary = summary(&a.volume, a.sorted_by.as_deref());
    Found {
        content: Content::Volume(a.volume),
        summary,
        sorted_by: a.sorted_by,
        n_files: a.n_files,
        path: path.to_path_buf(),
        item: 0,
        images: a.images,
    }
}

/// `cine 256×256×12 voxels × 25 phases, 1.37×1.37×10 mm, sorted by TriggerTime`.
fn summary(volume: &Volume, sorted_by: Option<&str>) -> String {
    let [nx, ny, nz] = volume.grid.size();
    let spacing = volume.grid.spacing_mm();
    let short = |v: f64| format!("{v:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
    let what = if volume.n_phases() > 1 {
        "cine"
    } else if nz > 1 {
        "volume"
    } else {
        "slice"
    };
    let phases = if volume.n_phases() > 1 { format!(" × {} phases", volume.n_phases()) } else { String::new() };
    let lengths = if volume.length_unit_known {
        format!("{}×{}×{} mm", short(spacing.x), short(spacing.y), short(spacing.z))
    } else {
        "pixel size unknown".to_owned()
    };
    let order = sorted_by.map_or_else(String::new, |t| format!(", sorted by {t}"));
    let missing = if volume.missing.is_empty() { String::new() } else { format!(", {} images missing", volume.missing.len()) };
    format!("{what} {nx}×{ny}×{nz} voxels{phases}, {lengths}{order}{missing}")
}
