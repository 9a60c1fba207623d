//! Stacks to volumes: the grid, the voxels decoded in parallel straight into place, and what to say.

use super::fill::Filler;
use super::geometry::{Placement, placement};
use super::group::Stack;
use super::header::{FrameHeader, PHASE_TAGS};
use super::layout::{Color, Kind};
use super::open::Opened;
use crate::base::Result;
use crate::io::Reading;
use crate::model::{ImagePlace, SeriesIds, Volume};
use crate::space::{DAffine3, DMat3, DVec3, Grid};
use std::sync::Arc;

/// A volume and what is said about it.
pub(super) struct Assembled {
    pub volume: Volume,
    pub sorted_by: Option<String>,
    pub n_files: usize,
    pub images: Vec<ImagePlace>,
}

/// Some slices of a stack on a grid.
pub(super) struct Block<'a> {
    pub stack: &'a Stack,
    /// Slices of the stack that belong here.
    pub slices: Vec<usize>,
    /// Their slots.
    pub slots: Vec<usize>,
    pub n_slots: usize,
    first: DVec3,
    step: DVec3,
    pub name: String,
}

/// Makes the volumes of a stack: one, or one per slice where slices lie on no common grid.
pub(super) fn assemble(stack: &Stack, files: &[Opened], reading: &mut Reading<'_>) -> Result<Vec<Assembled>> {
    let Some(head) = stack.frames.first() else { return Ok(Vec::new()) };
    let name = name(head);
    note_sorting(stack, &name, reading);
    note_files(stack, files, &name, reading);
    blocks(stack, head, &name, reading).iter().map(|block| volume(block, files, reading)).collect()
}

/// What it is called: never a patient's name, number or path.
fn name(head: &FrameHeader) -> String {
    let modality = if head.modality.is_empty() { "image" } else { &head.modality };
    let base =
        if head.description.is_empty() { format!("{modality} series {}", head.series_number) } else { head.description.clone() };
    if head.component.is_empty() { base } else { format!("{base}, {}", head.component) }
}

fn note_sorting(stack: &Stack, name: &str, reading: &mut Reading<'_>) {
    let sorted = &stack.sorted;
    if stack.frames.iter().any(|f| f.frame_of_reference != stack.frames[0].frame_of_reference) {
        reading.warnings.note(
            "frame-of-reference",
            format!(
                "{name}: images of one series name different frames of reference; their positions are taken to be comparable"
            ),
            None,
        );
    }
    if !sorted.repeats.is_empty() {
        let instances: Vec<String> = sorted
            .repeats
            .iter()
            .take(40)
            .map(|&f| stack.frames[f].phase_tags[6].map_or_else(|| "?".to_owned(), |v| format!("{v}")))
            .collect();
        reading.warnings.warn(
            "duplicate-slice",
            format!(
                "{name}: {} images lie at a slice and phase acquired again later; the latest is kept, left out are instances {}",
                sorted.repeats.len(),
                instances.join(" ")
            ),
            None,
        );
    }
    let missing = sorted.missing();
    if !missing.is_empty() {
        let list: Vec<String> = missing.iter().take(40).map(|(s, p)| format!("slice {} phase {}", s + 1, p + 1)).collect();
        reading.warnings.warn(
            "missing-phase",
            format!(
                "{name}: {} of {} images are missing ({}); their voxels hold the lowest value",
                missing.len(),
                sorted.cells.len(),
                list.join(", ")
            ),
            None,
        );
    }
}

/// Says once per stack what was said of its files.
fn note_files(stack: &Stack, files: &[Opened], name: &str, reading: &mut Reading<'_>) {
    let mut said: Vec<(&'static str, &str, usize, usize)> = Vec::new();
    let mut last = None;
    for frame in &stack.frames {
        if last.replace(frame.file) == Some(frame.file) {
            continue;
        }
        for (code, message) in &files[frame.file].notes {
            match said.iter_mut().find(|s| (s.0, s.1) == (*code, message)) {
                Some(known) => known.2 += 1,
                None => said.push((code, message, 1, frame.file)),
            }
        }
    }
    for (code, message, n, file) in said {
        let files_text = if n == 1 { String::new() } else { format!(" ({n} files)") };
        let text = format!("{name}: {message}{files_text}");
        let path = files[file].path.as_path();
        if code == "truncated" {
            reading.warnings.warn(code, text, Some(path));
        } else {
            reading.warnings.note(code, text, Some(path));
        }
    }
}

/// The grids of a stack.
fn blocks<'a>(stack: &'a Stack, head: &FrameHeader, name: &str, reading: &mut Reading<'_>) -> Vec<Block<'a>> {
    let n = stack.sorted.n_slices();
    let (positions, normal) = (stack.positions(), stack.normal());
    if head.axes.is_none() {
        reading.warnings.note(
            "no-position",
            format!("{name}: the file does not say where the image lies; put at the origin"),
            None,
        );
    }
    if head.spacing_mm.is_none() {
        reading.warnings.warn(
            "unit-unknown",
            format!("{name}: the file does not give the pixel size; pixels are counted as 1 mm, do not measure"),
            None,
        );
    }
    let alone = |slices: Vec<usize>, name: String| {
        let first = slices.first().and_then(|&s| positions.get(s).copied()).unwrap_or_default();
        Block { stack, slices, slots: vec![0], n_slots: 1, first, step: normal * head.slice_mm.unwrap_or(1.0), name }
    };
    if n < 2 {
        if head.axes.is_some() {
            let from = head.slice_mm.map_or_else(|| "unknown, 1 mm is taken".to_owned(), |mm| format!("{mm} mm as declared"));
            reading.warnings.note("single-slice", format!("{name}: one slice; its thickness is {from}"), None);
        }
        return vec![alone(vec![0], name.to_owned())];
    }
    match placement(&positions, normal) {
        Placement::Uniform { first, step, slots, n_slots } => {
            if n_slots > n {
                let gaps: Vec<String> = (0..n_slots).filter(|k| !slots.contains(k)).map(|k| format!("{}", k + 1)).collect();
                reading.warnings.warn(
                    "slice-gap",
                    format!("{name}: {} of {n_slots} slices are missing at {:.3} mm spacing (slices {}); their voxels hold the lowest value", n_slots - n, step.length(), gaps.join(" ")),
                    None,
                );
            }
            note_tilt(step, normal, name, reading);
            let slices = (0..n).collect();
            vec![Block { stack, slices, slots, n_slots, first, step, name: name.to_owned() }]
        }
        Placement::Irregular(smallest, largest, shift) => {
            reading.warnings.warn(
                "irregular-spacing",
                format!("{name}: slices are {smallest:.3} to {largest:.3} mm apart, shifted in plane by up to {shift:.3} mm; each of the {n} slices is its own volume at its true place"),
                None,
            );
            (0..n).map(|s| alone(vec![s], format!("{name}, slice {}", s + 1))).collect()
        }
    }
}

/// Slices that are shifted against each other, as by a tilted gantry: the voxels are sheared, and so is their matrix.
fn note_tilt(step: DVec3, normal: DVec3, name: &str, reading: &mut Reading<'_>) {
    let tilt_deg = step.angle_between(normal).to_degrees();
    if tilt_deg > 0.2 {
        let what = format!(
            "{name}: slices are shifted by {:.3} mm each, as with a gantry tilted by {tilt_deg:.2}°; the matrix of the voxels is sheared accordingly",
            (step - normal * step.dot(normal)).length()
        );
        reading.warnings.warn("gantry-tilt", what, None);
    }
}

fn volume(block: &Block<'_>, files: &[Opened], reading: &mut Reading<'_>) -> Result<Assembled> {
    let stack = block.stack;
    let head = &stack.frames[0];
    let sorted = &stack.sorted;
    let size = [head.layout.columns, head.layout.rows, block.n_slots];
    let n_phases =
        (0..sorted.n_phases).rev().find(|&p| block.slices.iter().any(|&s| sorted.frame(s, p).is_some())).map_or(1, |p| p + 1);
    let used: Vec<&FrameHeader> = (0..n_phases)
        .flat_map(|p| block.slices.iter().filter_map(move |&s| sorted.frame(s, p)))
        .map(|f| &stack.frames[f])
        .collect();
    let varies = used.iter().any(|f| f.rescale != head.rescale);
    let kind = if varies && head.layout.color == Color::Gray { Kind::F32 } else { head.layout.kind() };
    if varies {
        reading.warnings.note(
            "rescale-varies",
            format!("{}: slope and intercept differ between images and are applied to the voxels", block.name),
            None,
        );
    }
    let filler = Filler { block, files, limits: reading.limits, progress: reading.progress, n_phases };
    let (phases, missing) = match kind {
        Kind::U8 => filler.fill::<u8>(reading),
        Kind::I16 => filler.fill::<i16>(reading),
        Kind::U16 => filler.fill::<u16>(reading),
        Kind::F32 => filler.fill::<f32>(reading),
    }?;
    let mut volume = Volume::without_window(block.name.clone(), grid(block, head, size)?, phases)?;
    volume.modality.clone_from(&head.modality);
    volume.phase_times_ms = times(block, n_phases);
    if kind != Kind::F32 && head.layout.color == Color::Gray {
        (volume.slope, volume.intercept) = head.rescale;
    }
    volume.unit.clone_from(&head.unit);
    volume.length_unit_known = head.spacing_mm.is_some();
    volume.missing = missing;
    match window(&used, head) {
        Some(window) => volume.window = window,
        None => volume.set_percentile_window(),
    }
    let mut paths: Vec<usize> = used.iter().map(|f| f.file).collect();
    paths.sort_unstable();
    paths.dedup();
    let sorted_by = sorted.tag.filter(|_| n_phases > 1).map(|t| PHASE_TAGS[t].to_owned());
    let images = images(block, head, n_phases);
    Ok(Assembled { volume, sorted_by, n_files: paths.len(), images })
}

/// Where each image lies in the patient and in the volume.
fn images(block: &Block<'_>, head: &FrameHeader, n_phases: usize) -> Vec<ImagePlace> {
    let sorted = &block.stack.sorted;
    let (right, down) = head.axes.unwrap_or((DVec3::X, DVec3::Y));
    let (dx, dy) = head.spacing_mm.unwrap_or((1.0, 1.0));
    // Series of one slice each may be joined, so that a stack may hold several.
    let mut last: Option<Arc<SeriesIds>> = None;
    let mut series_of = |frame: &FrameHeader| {
        let ids = SeriesIds {
            study: frame.study_uid.clone(),
            series: frame.series_uid.clone(),
            frame_of_reference: frame.frame_of_reference.clone(),
            class: frame.class_uid.clone(),
        };
        let same = last.as_ref().filter(|l| ***l == ids).map(Arc::clone);
        let series = same.unwrap_or_else(|| Arc::new(ids));
        last = Some(Arc::clone(&series));
        series
    };
    let cells = (0..n_phases).flat_map(|p| block.slices.iter().zip(&block.slots).map(move |(&s, &slot)| (p, s, slot)));
    cells
        .filter_map(|(phase, s, slice)| {
            let frame = &block.stack.frames[sorted.frame(s, phase)?];
            let matrix3 = DMat3::from_cols(right * dx, down * dy, right.cross(down));
            Some(ImagePlace {
                number: frame.phase_tags[6].filter(|n| *n >= 0.0 && *n <= f64::from(u32::MAX)).map(|n| n as u32),
                uid: frame.sop_uid.clone(),
                series: series_of(frame),
                slice,
                phase,
                lps_from_pixel: DAffine3 { matrix3, translation: frame.position.unwrap_or(block.first) },
            })
        })
        .collect()
}

fn grid(block: &Block<'_>, head: &FrameHeader, size: [usize; 3]) -> Result<Grid> {
    let (right, down) = head.axes.unwrap_or((DVec3::X, DVec3::Y));
    let (dx, dy) = head.spacing_mm.unwrap_or((1.0, 1.0));
    let matrix3 = DMat3::from_cols(right * dx, down * dy, block.step);
    Grid::new(size, DAffine3 { matrix3, translation: block.first })
}

/// Time of each phase in ms, where the files say it.
fn times(block: &Block<'_>, n_phases: usize) -> Vec<f64> {
    let (sorted, frames) = (&block.stack.sorted, &block.stack.frames);
    let value = |p: usize| sorted.values.get(p).copied();
    let times: Option<Vec<f64>> = match sorted.tag {
        Some(0) => (0..n_phases).map(value).collect(),
        Some(1) => {
            let rr_ms = frames.iter().find_map(|f| f.rr_ms);
            rr_ms.and_then(|rr| (0..n_phases).map(|p| value(p).map(|v| v * rr / 100.0)).collect())
        }
        Some(_) => (0..n_phases)
            .map(|p| block.slices.iter().find_map(|&s| sorted.frame(s, p)).and_then(|f| frames[f].frame_time_ms))
            .collect::<Option<Vec<f64>>>()
            .filter(|t| t.windows(2).all(|w| w[1] > w[0])),
        None => None,
    };
    times.unwrap_or_default()
}

/// Window of the middle image by its center, in rescaled values.
fn window(used: &[&FrameHeader], head: &FrameHeader) -> Option<(f64, f64)> {
    if head.layout.color != Color::Gray {
        return Some((0.0, 255.0));
    }
    let mut windows: Vec<(f64, f64)> = used.iter().filter_map(|f| f.window).collect();
    windows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (center, width) = windows.get(windows.len() / 2).copied()?;
    let half = (width - 1.0).max(1.0) / 2.0;
    Some((center - 0.5 - half, center - 0.5 + half))
}
