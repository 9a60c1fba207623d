//! `AnnData` files (`.h5ad`): the table, and the sections that its observations lie on.
//! Format: anndata documentation, "On-disk format", and its 0.7 form.

mod arrays;
mod frame;
mod matrix;
mod places;
mod values;
mod write;

pub use arrays::{CellArrays, parse_arrays, read_arrays};
pub use values::{AnnTable, parse_ann_table, read_ann_table};
pub use write::{Extras, build_h5ad, build_h5ad_with, write_h5ad, write_h5ad_with};

use super::hdf5_read::Hdf5;
use super::stored::Stored;
use super::{Content, Found, Reading};
use crate::base::{Limits, Progress, Result, Warnings};
use crate::model::{Expression, PixelSize, Section};
use std::path::Path;

/// Everything in an open file, one entry per section.
pub(crate) fn read(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    let sections = sections(file, path, reading)?;
    let found = sections.into_iter().enumerate();
    Ok(found
        .map(|(item, section)| Found {
            summary: summary(&section),
            content: Content::Section(section),
            sorted_by: None,
            n_files: 1,
            path: path.to_path_buf(),
            item,
        })
        .collect())
}

/// The sections of a file in memory.
pub fn parse_h5ad_bytes(bytes: Vec<u8>, limits: Limits) -> Result<Vec<Section>> {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits, progress: &Progress::none(), warnings: &mut warnings };
    sections(&Hdf5::from_bytes(bytes, limits)?, Path::new("bytes.h5ad"), &mut reading)
}

fn sections(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Vec<Section>> {
    let expression = table(file, path, reading)?;
    reading.progress.step(0.9, "placing spots")?;
    places::place(file, expression, path, reading)
}

/// The table of an open file as one thing, even where it holds several sections.
pub(crate) fn read_whole(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Section> {
    let expression = table(file, path, reading)?;
    Ok(places::whole(file, expression, path, reading))
}

fn table(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Expression> {
    reading.progress.step(0.05, "reading tables")?;
    let obs = frame::read_frame(file, "obs", path, reading.warnings)?;
    let var = frame::read_frame(file, "var", path, reading.warnings)?;
    matrix::read_expression(file, obs, var, path, reading)
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
pub(crate) mod tests;
#[cfg(test)]
mod golden_tests;
