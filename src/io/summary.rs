//! One line about a thing: what it is, how large, in which unit.

use super::Content;
use crate::model::{Cohort, LabelMap, Section, Volume};
use crate::space::Grid;

/// As `cine 256×256×12 voxels × 25 phases, 1.37×1.37×10 mm`.
#[must_use]
pub fn summarize(content: &Content) -> String {
    match content {
        Content::Volume(v) => volume_line(v),
        Content::Labels(l) => labels_line(l),
        Content::Section(s) => section_line(s),
        Content::Cohort(c) => cohort_line(c),
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
