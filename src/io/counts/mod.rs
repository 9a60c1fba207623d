//! Expression as plain tables: cells × genes or genes × cells in CSV, TSV or Parquet, and the text tables of
//! the older spatial arrays, whose spots are called by their place (`15x16`).
//! Source of the array's measures: Ståhl et al., Science 353 (2016) 78: spots of 100 µm every 200 µm.

mod names;
mod spots;
mod text;

use super::bytes::{inflate, inflated_start, is_gzip, read_inflated, stem};
use super::table::{Cells, Table, TableKind};
use super::{Content, Found, Reading, summarize};
use crate::base::{Error, Result};
use crate::model::{Column, Expression, PixelSize, Section, Spots};
use crate::space::DVec2;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use text::Cross;

/// Distance of spots on the older arrays.
const PITCH_UM: f64 = 200.0;
/// Their diameter.
const SPOT_UM: f64 = 100.0;
/// So many lines are looked at to recognize a table of counts.
const N_LINES: usize = 20;
/// Columns that no table of counts has; they belong to other tables of this program.
const OTHER_TABLES: [&str; 8] = ["moving_x", "x_mm", "y_mm", "x", "y", "phase", "array_row", "pxl_row_in_fullres"];

/// Whether the beginning of a text file looks like a table of counts: a name and at least three whole
/// numbers in each line, or names of spots or genes.
#[must_use]
pub fn is_counts(start: &[u8]) -> bool {
    let start = if is_gzip(start) { inflated_start(start, 1 << 20) } else { start.to_vec() };
    let separator = text::separator(&start);
    let mut lines: Vec<&[u8]> = text::lines(&start).take(N_LINES + 1).collect();
    // The last line may be cut off.
    if !start.ends_with(b"\n") {
        lines.pop();
    }
    let [first, rest @ ..] = &lines[..] else { return false };
    let header: Vec<String> = text::fields(first, separator).into_iter().filter_map(|f| text::name(f).ok()).collect();
    if header.len() < 3 || header.iter().any(|h| OTHER_TABLES.contains(&h.as_str())) {
        return false;
    }
    let mut names = Vec::new();
    let mut is_whole = !rest.is_empty();
    for line in rest {
        let cells = text::fields(line, separator);
        let Ok(name) = text::name(cells[0]) else { return false };
        let values: Option<Vec<f32>> = cells[1..].iter().map(|c| text::number(c)).collect();
        let Some(values) = values.filter(|v| v.len() >= 3 && v.len().abs_diff(header.len()) <= 1) else { return false };
        is_whole &= values.iter().all(|v| *v >= 0.0 && v.fract() == 0.0) && text::number(name.as_bytes()).is_none();
        names.push(name);
    }
    let many = |names: &[String]| names::evidence(names).into_iter().any(|n| 2 * n > names.len());
    is_whole || (!rest.is_empty() && (many(&names) || many(&header[1..])))
}

/// Reads a table as one thing; sections told apart by the names of spots stay together.
pub fn read_counts(path: &Path, reading: &mut Reading) -> Result<Section> {
    let read = |reading: &mut Reading| {
        reading.progress.step(0.0, "reading the table")?;
        let bytes = read_inflated(path, &reading.limits)?;
        let section = parse_counts(bytes, &stem(path), reading)?;
        spots::placed(section, path, reading)
    };
    read(reading).map_err(|e| e.at(path))
}

/// Reads a table; sections that share the places of one array become one thing each.
pub(crate) fn read_found(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    let section = read_counts(path, reading)?;
    let sections = split(&section)?;
    Ok(sections
        .into_iter()
        .enumerate()
        .map(|(item, section)| {
            let content = Content::Section(section);
            let summary = format!("table: {}", summarize(&content));
            Found { summary, item, ..Found::alone(content, path) }
        })
        .collect())
}

/// A table from the bytes of a file, gzip or not, text or Parquet.
pub fn parse_counts(bytes: Vec<u8>, name: &str, reading: &mut Reading) -> Result<Section> {
    let bytes = inflate(bytes, &reading.limits)?;
    let cross = if bytes.starts_with(b"PAR1") { from_parquet(bytes, reading)? } else { text::parse(&bytes, reading)? };
    reading.progress.step(0.9, "sorting by genes")?;
    let expression = expression(cross, reading)?;
    Ok(place(expression, name, reading))
}

fn from_parquet(bytes: Vec<u8>, reading: &Reading) -> Result<Cross> {
    let table = Table::parse(bytes, TableKind::Parquet, &reading.limits)?;
    let columns = table.columns();
    let words = columns.iter().position(|c| matches!(c.cells, Cells::Text(_))).unwrap_or(0);
    let Some(id) = columns.get(words) else { return Err(Error::malformed("the table has no columns")) };
    let lines = table.texts(&id.name)?.into_iter().map(Option::unwrap_or_default).collect();
    let mut out = Cross { lines, offsets: vec![0], ..Cross::default() };
    for column in columns.iter().enumerate().filter(|(i, _)| *i != words).map(|(_, c)| c) {
        for (row, value) in table.numbers(&column.name)?.into_iter().enumerate() {
            let value = value.map_or(f32::NAN, |v| v as f32);
            if value != 0.0 {
                out.places.push(row as u32);
                out.values.push(value);
            }
        }
        out.header.push(column.name.clone());
        out.offsets.push(out.places.len() as u64);
    }
    if out.lines.is_empty() || out.header.is_empty() {
        return Err(Error::malformed("the table has no numbers: a column of names and columns of numbers were expected"));
    }
    Ok(out)
}

/// The table with genes in columns; turned around where the names say that they are in lines.
fn expression(cross: Cross, reading: &mut Reading) -> Result<Expression> {
    let [cells_in_lines, genes_in_lines] = names::evidence(&cross.lines);
    let [cells_in_header, genes_in_header] = names::evidence(&cross.header);
    // Evidence counts where the other side has less of it.
    let (turned, plain) = (genes_in_lines + cells_in_header, cells_in_lines + genes_in_header);
    let is_turned = turned > plain;
    if turned == plain {
        let text = format!(
            "the names do not tell genes from cells: {} lines are taken for cells, {} columns for genes",
            cross.lines.len(),
            cross.header.len()
        );
        reading.warnings.note("table-orientation", text, None);
    } else if is_turned {
        let text = format!(
            "genes are in the {} lines and cells in the {} columns, as their names say",
            cross.lines.len(),
            cross.header.len()
        );
        reading.warnings.note("table-turned", text, None);
    }
    let (genes, observations) = if is_turned { (cross.lines, cross.header) } else { (cross.header, cross.lines) };
    note_twice(&genes, "genes", reading);
    note_twice(&observations, "cells or spots", reading);
    let is_counts = cross.values.iter().all(|v| *v >= 0.0 && v.fract() == 0.0);
    // Entries that are stored cell by cell are sorted by genes; else they are already.
    let mut expression = if cross.by_lines == is_turned {
        Expression::new(genes, Vec::new(), observations, cross.offsets, cross.places, cross.values)?
    } else {
        Expression::from_rows(genes, Vec::new(), observations, &cross.offsets, &cross.places, &cross.values)?
    };
    if !is_counts {
        expression.unit = "values".into();
    }
    Ok(expression)
}

fn note_twice(names: &[String], what: &str, reading: &mut Reading) {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some([name, ..]) = sorted.windows(2).find(|w| w.first() == w.last()) {
        reading.warnings.warn("names-twice", format!("some {what} have the same name, as {name}"), None);
    }
}

/// Positions from the names of spots, where all have one.
fn place(mut expression: Expression, name: &str, reading: &mut Reading) -> Section {
    let name = name.to_owned();
    if !names::all_spots(expression.observations()) {
        let expression = Some(Arc::new(expression));
        return Section { name, picture: None, pixel_size: PixelSize::Unknown, spots: None, expression };
    }
    let places: Vec<(&str, f64, f64)> = expression.observations().iter().filter_map(|n| names::spot(n)).collect();
    let px: Vec<DVec2> = places.iter().map(|p| DVec2::new(p.1, p.2) * PITCH_UM).collect();
    let mut groups: BTreeMap<&str, u32> = places.iter().map(|p| (p.0, 0)).collect();
    groups.values_mut().enumerate().for_each(|(i, code)| *code = i as u32);
    let codes: Vec<u32> = places.iter().map(|p| groups[p.0]).collect();
    let section = (groups.len() > 1).then(|| Column::Category { codes, names: groups.keys().map(|k| (*k).to_owned()).collect() });
    let array = |of: fn(&(&str, f64, f64)) -> f64| Column::Number(places.iter().map(of).collect());
    let (columns, rows) = (array(|p| p.1), array(|p| p.2));
    expression.columns.insert("array_col".into(), columns);
    expression.columns.insert("array_row".into(), rows);
    section.map(|s| expression.columns.insert("section".into(), s));
    let text = format!("spots are called by their place: {PITCH_UM} µm apart and {SPOT_UM} µm wide, as on the arrays of 2016");
    reading.warnings.note("array-by-name", text, None);
    let spots = Spots { in_tissue: vec![true; px.len()], px: px.into(), diameter_px: SPOT_UM };
    let pixel_size = PixelSize::Known { um_per_px: 1.0, source: "array pitch of 200 µm".into() };
    Section { name, picture: None, pixel_size, spots: Some(Arc::new(spots)), expression: Some(Arc::new(expression)) }
}

/// One section for each name before the places.
fn split(section: &Section) -> Result<Vec<Section>> {
    let (Some(expression), Some(spots)) = (&section.expression, &section.spots) else { return Ok(vec![section.clone()]) };
    let Some(Column::Category { codes, names }) = expression.columns.get("section") else { return Ok(vec![section.clone()]) };
    let one = |code: usize| {
        let keep: Vec<usize> = (0..codes.len()).filter(|&i| codes[i] as usize == code).collect();
        let px = keep.iter().map(|&i| spots.px[i]).collect();
        let spots = Spots { px, diameter_px: spots.diameter_px, in_tissue: vec![true; keep.len()] };
        let expression = Some(Arc::new(expression.subset(&keep)?));
        let name = if names[code].is_empty() { section.name.clone() } else { names[code].clone() };
        Ok(Section { name, spots: Some(Arc::new(spots)), expression, ..section.clone() })
    };
    (0..names.len()).map(one).collect()
}

#[cfg(test)]
mod tests;
