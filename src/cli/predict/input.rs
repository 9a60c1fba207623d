//! Sections, tables and columns that the commands of `predict` read.

use super::super::Run;
use crate::base::{Error, Result};
use crate::guard::looks_like_group;
use crate::io::{self, Content, Table};
use crate::model::{Column, Expression, PixelSize, Section};
use std::collections::BTreeMap;
use std::path::Path;

/// The sections in a path; `um_per_px` where the files do not say it.
pub(super) fn sections(run: &mut Run, path: &Path, um_per_px: Option<f64>) -> Result<Vec<Section>> {
    if !path.exists() {
        return Err(Error::parameter(format!("no such file or folder: {}", path.display())));
    }
    if let Some(um) = um_per_px.filter(|um| !um.is_finite() || *um <= 0.0) {
        return Err(Error::parameter(format!("--um-per-px {um} is not above 0")));
    }
    let found = io::open(path, &mut run.reading())?;
    let mut sections: Vec<Section> = found
        .into_iter()
        .filter_map(|f| match f.content {
            Content::Section(section) => Some(section),
            _ => None,
        })
        .collect();
    if sections.is_empty() {
        return Err(Error::parameter(format!("there is no section or picture in {}", path.display())));
    }
    for section in &mut sections {
        if let (Some(um_per_px), PixelSize::Unknown) = (um_per_px, &section.pixel_size) {
            section.pixel_size = PixelSize::Known { um_per_px, source: "typed".into() };
        }
    }
    Ok(sections)
}

/// Words of an observation column, one per observation.
pub(super) fn words(expression: &Expression, name: &str) -> Option<Vec<String>> {
    expression.columns.get(name).map(column_words)
}

/// Words of a column; a missing value is empty.
pub(super) fn column_words(column: &Column) -> Vec<String> {
    match column {
        Column::Text(v) => v.clone(),
        Column::Number(v) => v.iter().map(|v| if v.is_nan() { String::new() } else { io::table::number_text(*v) }).collect(),
        Column::Category { codes, names } => codes.iter().map(|&c| names.get(c as usize).cloned().unwrap_or_default()).collect(),
    }
}

/// A table whose first column names its rows, all others numbers.
pub(super) struct View {
    pub(super) ids: Vec<String>,
    pub(super) names: Vec<String>,
    /// Column by column; NaN is missing.
    pub(super) columns: Vec<Vec<f64>>,
}

/// Reads samples × features; the first column is `id`.
pub(super) fn view(run: &Run, path: &Path) -> Result<View> {
    let table = Table::read(path, &run.limits)?;
    let first = table.columns().first().map(|c| c.name.clone()).unwrap_or_default();
    let ids = ids(&table, &first).map_err(|e| e.at(path))?;
    let names: Vec<String> = table.columns().iter().skip(1).map(|c| c.name.clone()).collect();
    if names.is_empty() {
        return Err(Error::malformed(format!("there is no column beside {first}; samples × features was expected")).at(path));
    }
    let numbers = |n: &String| table.numbers(n).map(|v| v.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect());
    let columns = names.iter().map(numbers).collect::<Result<_>>().map_err(|e| e.at(path))?;
    Ok(View { ids, names, columns })
}

fn ids(table: &Table, first: &str) -> Result<Vec<String>> {
    let ids: Vec<String> = table.texts(first)?.into_iter().map(Option::unwrap_or_default).collect();
    let mut seen = BTreeMap::new();
    for (row, id) in ids.iter().enumerate() {
        if id.is_empty() {
            return Err(Error::malformed(format!("row {} has no {first}", row + 1)));
        }
        if let Some(other) = seen.insert(id, row) {
            return Err(Error::malformed(format!("rows {} and {} are both named {id}", other + 1, row + 1)));
        }
    }
    Ok(ids)
}

/// A table of words by the id in its first column.
pub(super) struct Covariates {
    ids: Vec<String>,
    table: Table,
}

impl Covariates {
    /// Reads a table.
    pub(super) fn read(run: &Run, path: &Path) -> Result<Self> {
        let table = Table::read(path, &run.limits)?;
        let first = table.columns().first().map(|c| c.name.clone()).unwrap_or_default();
        let ids = ids(&table, &first).map_err(|e| e.at(path))?;
        Ok(Self { ids, table })
    }

    /// The column of a name by id.
    pub(super) fn column(&self, name: &str) -> Result<BTreeMap<&str, String>> {
        let values = self.table.texts(name)?;
        Ok(self.ids.iter().zip(values).filter_map(|(id, v)| Some((id.as_str(), v?))).collect())
    }

    /// A column that by its name says who a row is, and in which someone is there twice.
    pub(super) fn repeated_person(&self) -> Option<&str> {
        self.table.columns().iter().skip(1).map(|c| c.name.as_str()).find(|name| {
            let values = self.table.texts(name).unwrap_or_default();
            looks_like_group(name, &values.into_iter().flatten().collect::<Vec<_>>())
        })
    }
}

/// One name a line, or the first column of a table with a header `gene`.
pub(super) fn gene_list(run: &Run, path: &Path) -> Result<Vec<String>> {
    let text = String::from_utf8_lossy(&io::bytes::read_inflated(path, &run.limits)?).into_owned();
    let mut genes: Vec<String> = Vec::new();
    for (row, line) in text.lines().enumerate() {
        let word = line.split([',', '\t']).next().unwrap_or_default().trim().trim_matches('"');
        let is_header = row == 0 && ["gene", "gene_name", "symbol", "feature"].contains(&word.to_ascii_lowercase().as_str());
        if !word.is_empty() && !is_header && !genes.iter().any(|g| g == word) {
            genes.push(word.to_owned());
        }
    }
    if genes.is_empty() {
        Err(Error::malformed("there is no gene in this list; one name a line was expected").at(path))
    } else {
        Ok(genes)
    }
}
