//! `AnnData` files (`.h5ad`): the table, and the sections that its observations lie on.
//! Format: anndata documentation, "On-disk format", and its 0.7 form.

mod arrays;
mod frame;
mod matrix;
mod matrix_write;
mod places;
mod values;
mod write;

pub use arrays::{CellArrays, parse_arrays, read_all_arrays, read_arrays};
pub use values::{AnnTable, parse_ann_table, read_ann_table};
pub use write::{Extras, build_h5ad, build_h5ad_with, write_h5ad, write_h5ad_with};

use super::hdf5_read::Hdf5;
use super::stored::Stored;
use super::{Content, Found, Reading};
use crate::base::{Error, Limits, Progress, Result, Warnings};
use crate::model::{Expression, PixelSize, Section};
use std::path::Path;

/// Everything in an open file, one entry per section.
pub(crate) fn read(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    let sections = sections(file, path, reading)?;
    let found = sections.into_iter().enumerate();
    Ok(found
        .map(|(item, section)| Found { summary: summary(&section), item, ..Found::alone(Content::Section(section), path) })
        .collect())
}

/// The sections of a file in memory.
pub fn parse_h5ad_bytes(bytes: Vec<u8>, limits: Limits) -> Result<Vec<Section>> {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits, progress: &Progress::none(), warnings: &mut warnings };
    sections(&Hdf5::from_bytes(bytes, limits)?, Path::new("bytes.h5ad"), &mut reading)
}

fn sections(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Vec<Section>> {
    let expression = table(file, None, path, reading)?;
    tell_left_out(file, path, reading);
    reading.progress.step(0.9, "placing spots")?;
    places::place(file, expression, path, reading)
}

/// The table of an open file as one thing, even where it holds several sections, with the values of `X`, of `raw` or of a
/// layer by its name.
pub(crate) fn read_whole(file: &dyn Stored, matrix: Option<&str>, path: &Path, reading: &mut Reading) -> Result<Section> {
    let expression = table(file, matrix, path, reading)?;
    tell_left_out(file, path, reading);
    Ok(places::whole(file, expression, path, reading))
}

fn table(file: &dyn Stored, matrix: Option<&str>, path: &Path, reading: &mut Reading) -> Result<Expression> {
    reading.progress.step(0.05, "reading tables")?;
    let obs = frame::read_frame(file, "obs", path, reading.warnings)?;
    let (at, var) = matrix_of(file, matrix)?;
    let var = frame::read_frame(file, var, path, reading.warnings)?;
    matrix::read_expression(file, &at, (obs, var), path, reading)
}

/// Where the values and the genes of a matrix are.
fn matrix_of(file: &dyn Stored, matrix: Option<&str>) -> Result<(String, &'static str)> {
    let there = |at: &str| file.is_group(at) || file.is_array(at);
    let (at, var) = match matrix {
        None | Some("X") => return Ok(("X".into(), "var")),
        Some("raw" | "raw/X") => ("raw/X".to_owned(), "raw/var"),
        Some(name) => (format!("layers/{}", name.strip_prefix("layers/").unwrap_or(name)), "var"),
    };
    if there(&at) {
        return Ok((at, var));
    }
    let layers = file.children("layers").map(|c| [c.groups, c.arrays].concat()).unwrap_or_default();
    let raw = if there("raw/X") { vec!["raw".to_owned()] } else { Vec::new() };
    let all = [vec!["X".to_owned()], raw, layers].concat().join(", ");
    Err(Error::parameter(format!("the table has no matrix {}; it has {all}", matrix.unwrap_or_default())))
}

/// Says which arrays of observations have a form that is not read.
fn tell_left_out(file: &dyn Stored, path: &Path, reading: &mut Reading) {
    for part in ["obsm", "layers"] {
        let Ok(children) = file.children(part) else { continue };
        for name in children.groups {
            let encoding = file.text_attribute(&format!("{part}/{name}"), "encoding-type").unwrap_or_default();
            if !matches!(encoding.as_str(), "csr_matrix" | "csc_matrix" | "dataframe" | "") {
                let text = format!("{part}/{name} has the encoding {encoding}, which is not read, and is left out");
                reading.warnings.warn("array-skipped", text, Some(path));
            }
        }
    }
}

fn summary(section: &Section) -> String {
    let size = section
        .expression
        .as_ref()
        .map_or_else(String::new, |e| format!("{} observations × {} genes, {}", e.observations().len(), e.genes().len(), e.unit));
    let place = match (&section.spots, &section.pixel_size) {
        (None, _) => "no positions".to_owned(),
        (Some(_), PixelSize::Known { um_per_px, source }) => format!("{um_per_px:.4} µm/px ({source})"),
        (Some(_), PixelSize::Unknown) => "pixel size unknown".to_owned(),
    };
    format!("AnnData {}: {size}, {place}", section.name)
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
pub(crate) mod tests;
