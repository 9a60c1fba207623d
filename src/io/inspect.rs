//! The report of `inspect`: what was found and what was said about it, as JSON and as a table.

use super::summary::kind_name;
use super::{Content, Found, LengthUnit, Table, bytes, read_transform};
use crate::base::{Limits, Warnings};
use crate::model::{PixelSize, Section};
use crate::space::{DVec3, Grid, orientation_letters};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// One thing found; keys that do not apply are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Item {
    /// `volume`, `cine`, `labels`, `image`, `section`, `expression`, `table`, `contours`, `mesh` or `ecg`.
    pub kind: &'static str,
    /// Name on screen.
    pub name: String,
    /// Columns, rows, slices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 3]>,
    /// Distance between neighboring voxel centers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spacing_mm: Option<[f64; 3]>,
    /// Rows of the 4×4 matrix from voxel centers to LPS mm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lps_from_voxel: Option<[[f64; 4]; 4]>,
    /// Number of phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_phases: Option<usize>,
    /// Time of each phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phase_times_ms: Vec<f64>,
    /// Position of each slice along the normal of its rows and columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slice_positions_mm: Vec<f64>,
    /// Number of spots or observations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_spots: Option<usize>,
    /// Number of genes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_genes: Option<usize>,
    /// Size of a full-resolution pixel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub um_per_px: Option<f64>,
    /// Patient direction of the voxel axes, as `+x=L,+y=P,+z=S`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<String>,
    /// As `MR`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub modality: String,
    /// Which tag sorted the phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sorted_by: Option<String>,
    /// How many files it was made of.
    pub files: usize,
}

/// One note.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteRow {
    /// `note`, `warning` or `error`.
    pub severity: &'static str,
    /// Stable kebab-case word.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
    /// The file it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// The whole report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Inspection {
    /// What was found, in order.
    pub items: Vec<Item>,
    /// What was said, in order.
    pub notes: Vec<NoteRow>,
}

/// The report of what was found and said.
#[must_use]
pub fn inspect(found: &[Found], warnings: &Warnings) -> Inspection {
    let notes = warnings.notes.iter().map(|n| NoteRow {
        severity: n.severity.name(),
        code: n.code,
        message: n.message.clone(),
        file: n.file.as_ref().map(|f| f.display().to_string()),
    });
    Inspection { items: found.iter().map(item).collect(), notes: notes.collect() }
}

/// A file that other commands take, as an item and a sentence: a table or a transform; `None` where it is neither.
#[must_use]
pub fn side_item(path: &Path, limits: &Limits) -> Option<(Item, String)> {
    let item = |kind| Item { kind, name: bytes::stem(path), files: 1, ..Item::default() };
    match bytes::ending(path).as_str() {
        "csv" | "tsv" | "parquet" => {
            let table = Table::read(path, limits).ok()?;
            let columns: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).take(20).collect();
            Some((item("table"), format!("table of {} rows: {}", table.n_rows(), columns.join(", "))))
        }
        "json" => {
            let file = read_transform(path, limits).ok()?;
            let [from, to] = [(file.moving_dims(), file.units), (file.fixed_dims(), file.fixed_unit())];
            let said = |(dims, unit): (usize, LengthUnit)| format!("{dims}-D {}", unit.name());
            Some((item("transform"), format!("transform {} from {} to {}", file.model, said(from), said(to))))
        }
        _ => None,
    }
}

fn item(found: &Found) -> Item {
    let base =
        Item { kind: kind_name(&found.content), sorted_by: found.sorted_by.clone(), files: found.n_files, ..Item::default() };
    match &found.content {
        Content::Volume(v) => Item {
            name: v.name.clone(),
            n_phases: Some(v.n_phases()),
            phase_times_ms: v.phase_times_ms.clone(),
            modality: v.modality.clone(),
            ..on_grid(base, &v.grid)
        },
        Content::Labels(l) => Item {
            name: l.name.clone(),
            n_phases: Some(l.n_phases()),
            phase_times_ms: l.phase_times_ms.clone(),
            ..on_grid(base, &l.grid)
        },
        Content::Section(s) => Item {
            name: s.name.clone(),
            size: s.picture.as_ref().map(|p| [p.full_size[0].round() as usize, p.full_size[1].round() as usize, 1]),
            n_spots: n_spots(s),
            n_genes: s.expression.as_ref().map(|e| e.genes().len()),
            um_per_px: match s.pixel_size {
                PixelSize::Known { um_per_px, .. } => Some(um_per_px),
                PixelSize::Unknown => None,
            },
            ..base
        },
        Content::Contours(c) => Item { name: c.name.clone(), n_phases: Some(c.n_phases()), ..base },
        Content::Cohort(_) | Content::Ecg(_) | Content::Surface(_) => Item { name: found.content.name().to_owned(), ..base },
    }
}

fn n_spots(s: &Section) -> Option<usize> {
    let spots = s.spots.as_ref().map(|s| s.px.len());
    spots.or_else(|| s.expression.as_ref().map(|e| e.observations().len()))
}

fn on_grid(base: Item, grid: &Grid) -> Item {
    let a = grid.lps_from_voxel();
    let m = a.matrix3;
    let row = |r: usize| [m.x_axis[r], m.y_axis[r], m.z_axis[r], a.translation[r]];
    let normal = m.x_axis.cross(m.y_axis).normalize_or_zero();
    let position = |k: usize| a.transform_point3(DVec3::new(0.0, 0.0, k as f64)).dot(normal);
    Item {
        size: Some(grid.size()),
        spacing_mm: Some(grid.spacing_mm().to_array()),
        lps_from_voxel: Some([row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]),
        slice_positions_mm: (0..grid.size()[2]).map(position).collect(),
        orientation: Some(orientation(grid)),
        ..base
    }
}

/// Patient direction in which each voxel index grows, as `+x=L,+y=P,+z=S`; oblique axes have two or
/// three letters, the largest part first.
#[must_use]
pub fn orientation(grid: &Grid) -> String {
    let m = grid.lps_from_voxel().matrix3;
    let [x, y, z] = [m.x_axis, m.y_axis, m.z_axis].map(|axis| orientation_letters(axis.normalize_or_zero()));
    format!("+x={x},+y={y},+z={z}")
}

/// A table for people: one line per thing, then one per note.
#[must_use]
pub fn inspection_table(found: &[Found], warnings: &Warnings) -> String {
    let mut out = String::new();
    let names: Vec<&str> = found.iter().map(|f| f.content.name()).collect();
    let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    for (one, name) in found.iter().zip(names) {
        let files = if one.n_files == 1 { String::new() } else { format!(", {} files", one.n_files) };
        let axes = match &one.content {
            Content::Volume(v) => format!(", {}", orientation(&v.grid)),
            Content::Labels(l) => format!(", {}", orientation(&l.grid)),
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:>3}  {name:width$}  {}{axes}{files}", one.item, one.summary);
    }
    for note in &warnings.notes {
        let file = note.file.as_ref().map_or_else(String::new, |f| f.display().to_string());
        let file = if file.is_empty() || note.message.ends_with(&file) { String::new() } else { format!(": {file}") };
        let _ = writeln!(out, "{} [{}] {}{file}", note.severity.name(), note.code, note.message);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::summary::summarize;
    use crate::model::{Picture, Samples, Volume};
    use crate::space::{DAffine3, DMat3};
    use std::path::PathBuf;
    use std::sync::Arc;

    fn cine() -> Found {
        let matrix3 = DMat3::from_cols(DVec3::new(2.0, 0.0, 0.0), DVec3::new(0.0, -2.0, 0.0), DVec3::new(0.0, 0.0, 8.0));
        let grid = Grid::new([2, 1, 3], DAffine3 { matrix3, translation: DVec3::new(1.0, 2.0, 3.0) }).unwrap();
        let mut volume = Volume::new("c", grid, vec![Samples::U8([0; 6].into()); 2]).unwrap();
        volume.phase_times_ms = vec![0.0, 40.0];
        let content = Content::Volume(volume);
        Found {
            summary: summarize(&content),
            content,
            sorted_by: Some("TriggerTime".into()),
            n_files: 6,
            path: PathBuf::from("x"),
            item: 0,
            images: Vec::new(),
        }
    }

    #[test]
    fn keys_of_the_contract() {
        let mut warnings = Warnings::default();
        warnings.warn("slice-gap", "a gap", Some(Path::new("x")));
        let json = serde_json::to_value(inspect(&[cine()], &warnings)).unwrap();
        let expected = serde_json::json!({
            "items": [{"kind": "cine", "name": "c", "size": [2, 1, 3], "spacing_mm": [2.0, 2.0, 8.0],
                "lps_from_voxel": [[2.0, 0.0, 0.0, 1.0], [0.0, -2.0, 0.0, 2.0], [0.0, 0.0, 8.0, 3.0], [0.0, 0.0, 0.0, 1.0]],
                "n_phases": 2, "phase_times_ms": [0.0, 40.0], "slice_positions_mm": [-3.0, -11.0, -19.0],
                "orientation": "+x=L,+y=A,+z=S", "sorted_by": "TriggerTime", "files": 6}],
            "notes": [{"severity": "warning", "code": "slice-gap", "message": "a gap", "file": "x"}]
        });
        assert_eq!(json, expected);
        let table = inspection_table(&[cine()], &warnings);
        assert_eq!(
            table,
            "  0  c  cine 2×1×3 voxels × 2 phases, 2×2×8 mm, +x=L,+y=A,+z=S, 6 files\nwarning [slice-gap] a gap: x\n"
        );
    }

    #[test]
    fn a_picture_is_an_image() {
        let picture = Picture::single(3, 2, vec![0; 24]).unwrap();
        let section = Section {
            name: "p".into(),
            picture: Some(Arc::new(picture)),
            pixel_size: PixelSize::Known { um_per_px: 0.5, source: "typed".into() },
            spots: None,
            expression: None,
        };
        let content = Content::Section(section);
        let found = Found::alone(content, Path::new(""));
        assert_eq!(found.summary, "image 3×2 px, 0.5 µm per px");
        let json = serde_json::to_value(inspect(&[found], &Warnings::default())).unwrap();
        assert_eq!(
            json["items"][0],
            serde_json::json!({"kind": "image", "name": "p", "size": [3, 2, 1], "um_per_px": 0.5, "files": 1})
        );
    }
}
