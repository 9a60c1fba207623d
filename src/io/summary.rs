//! One line about a thing: what it is, how large, in which unit.

use super::Content;
use crate::model::{Cohort, ContourSpace, Contours, Ecg, LabelMap, Section, Surface, Volume};
use crate::space::Grid;
use std::collections::BTreeMap;

/// As `cine 256×256×12 voxels × 25 phases, 1.37×1.37×10 mm`.
#[must_use]
pub fn summarize(content: &Content) -> String {
    match content {
        Content::Volume(v) => volume_line(v),
        Content::Labels(l) => labels_line(l),
        Content::Section(s) => section_line(s),
        Content::Cohort(c) => cohort_line(c),
        Content::Ecg(e) => ecg_line(e),
        Content::Contours(c) => contours_line(c),
        Content::Surface(s) => surface_line(s),
    }
}

/// `volume`, `cine`, `labels`, `image`, `section`, `expression` or `table`, as in the reports.
#[must_use]
pub fn kind_name(content: &Content) -> &'static str {
    match content {
        Content::Volume(v) if v.n_phases() > 1 => "cine",
        Content::Volume(_) => "volume",
        Content::Labels(_) => "labels",
        Content::Section(s) if s.spots.is_some() => "section",
        Content::Section(s) if s.expression.is_some() => "expression",
        Content::Section(_) => "image",
        Content::Cohort(_) => "table",
        Content::Ecg(_) => "ecg",
        Content::Contours(_) => "contours",
        Content::Surface(_) => "mesh",
    }
}

fn grid_part(grid: &Grid, n_phases: usize, length_unit_known: bool) -> String {
    let [nx, ny, nz] = grid.size();
    let phases = if n_phases > 1 { format!(" × {n_phases} phases") } else { String::new() };
    let s = grid.spacing_mm();
    let unit = if length_unit_known { "mm" } else { "of unknown unit" };
    format!("{nx}×{ny}×{nz} voxels{phases}, {}×{}×{} {unit}", short(s.x), short(s.y), short(s.z))
}

/// Three significant digits at least, no trailing zeros.
pub(super) fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = if value.abs() < 0.1 && value != 0.0 { format!("{value:.3e}") } else { text };
    if text.contains('e') { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

fn volume_line(v: &Volume) -> String {
    let modality = if v.modality.is_empty() { String::new() } else { format!("{} ", v.modality) };
    let kind = if v.n_phases() > 1 { "cine" } else { "volume" };
    format!("{modality}{kind} {}", grid_part(&v.grid, v.n_phases(), v.length_unit_known))
}

fn labels_line(l: &LabelMap) -> String {
    let entries: Vec<String> = l.table.iter().take(8).map(|e| format!("{} {}", e.value, e.name)).collect();
    let more = if l.table.len() > 8 { format!(", {} more", l.table.len() - 8) } else { String::new() };
    let entries = if entries.is_empty() { "nothing marked".to_owned() } else { entries.join(", ") };
    format!("labels {}: {entries}{more}", grid_part(&l.grid, l.n_phases(), l.length_unit_known))
}

fn section_line(s: &Section) -> String {
    let mut parts = Vec::new();
    if let Some(picture) = &s.picture {
        parts.push(format!("{}×{} px", picture.full_size[0].round(), picture.full_size[1].round()));
    }
    if let Some(spots) = &s.spots {
        parts.push(format!("{} spots", spots.px.len()));
    }
    if let Some(expression) = &s.expression {
        parts.push(format!("{} observations × {} genes", expression.observations().len(), expression.genes().len()));
    }
    parts.push(if s.has_unit() {
        format!("{} µm per px", short(s.mm_per_px() * 1000.0))
    } else {
        "size of a pixel unknown".to_owned()
    });
    let kind = if s.spots.is_some() {
        "section"
    } else if s.expression.is_some() {
        "expression"
    } else {
        "image"
    };
    format!("{kind} {}", parts.join(", "))
}

/// As `sample sheet of 60 subjects: phenotypes 57, bulk 41; outcome`.
fn cohort_line(c: &Cohort) -> String {
    let n = c.subjects().len();
    let views: Vec<String> = c.views().iter().map(|v| format!("{} {}", v.name, v.n_subjects())).collect();
    let views = if views.is_empty() { "no views".to_owned() } else { views.join(", ") };
    let patients = if c.n_patients() == n { String::new() } else { format!(" of {} patients", c.n_patients()) };
    let outcome = if c.outcome().is_some() { "; with an outcome" } else { "; no outcome" };
    format!("sample sheet of {n} subjects{patients}: {views}{outcome}")
}

/// As `ECG of 12 leads (I, II, III, …), 10 s at 1000 Hz, 12 beats; also MEDIAN BEAT, 1.2 s`.
fn ecg_line(e: &Ecg) -> String {
    let strip = e.rhythm();
    let names: Vec<&str> = strip.leads.iter().take(12).map(|l| l.name.as_str()).collect();
    let (seconds, beats) = (short(strip.duration_ms() / 1000.0), e.r_peaks_ms().len());
    let others: Vec<String> = e
        .strips()
        .iter()
        .filter(|s| !std::ptr::eq(*s, strip))
        .map(|s| format!("{}, {} s", if s.label.is_empty() { "a strip" } else { &s.label }, short(s.duration_ms() / 1000.0)))
        .collect();
    let also = if others.is_empty() { String::new() } else { format!("; also {}", others.join("; ")) };
    let (n, hz) = (strip.leads.len(), short(strip.sampling_hz));
    format!("ECG of {n} leads ({}), {seconds} s at {hz} Hz, {beats} beats{also}", names.join(", "))
}

/// As `18 contours (9 endo, 9 epi) on 9 slices × 2 phases, patient mm`.
fn contours_line(c: &Contours) -> String {
    let mut borders: BTreeMap<String, usize> = BTreeMap::new();
    c.lines.iter().for_each(|l| *borders.entry(l.border.name()).or_default() += 1);
    let borders: Vec<String> = borders.iter().map(|(name, n)| format!("{n} {name}")).collect();
    let distinct =
        |key: fn(&crate::model::Contour) -> i64| c.lines.iter().map(key).collect::<std::collections::BTreeSet<i64>>().len();
    let place = match c.space {
        ContourSpace::Patient => {
            format!("{} slices × {} phases, patient mm", distinct(|l| l.slice), distinct(|l| l.phase as i64))
        }
        ContourSpace::Pixels => format!("{} images, in pixels (whole numbers are pixel centers)", distinct(|l| l.slice)),
        ContourSpace::Picture => format!("{} phases, mm in a picture without a place", distinct(|l| l.phase as i64)),
    };
    format!("{} contours ({}) on {place}", c.lines.len(), borders.join(", "))
}

/// As `mesh of 1572 vertices, 3076 triangles, closed, 104.2 mL`.
fn surface_line(s: &Surface) -> String {
    let open = s.open_edges().len();
    let state = match open {
        0 if s.is_oriented() => format!("closed, {} mL", short(s.volume_mm3().abs() / 1000.0)),
        0 => "closed, but triangles turn both ways".to_owned(),
        n => format!("open at {n} edges"),
    };
    format!("mesh of {} vertices, {} triangles, {state}", s.vertices().len(), s.triangles().len())
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn short_numbers() {
        for (value, text) in [(1.367_188, "1.37"), (10.0, "10"), (100.0, "100"), (0.25, "0.25"), (0.0123, "1.230e-2"), (0.0, "0")]
        {
            assert_eq!(short(value), text);
        }
    }
}
