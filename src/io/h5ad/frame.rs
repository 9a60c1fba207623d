//! The tables of an `AnnData` file (`obs`, `var`) as columns by name, in every style since 0.7.

use crate::base::{Error, Result, Warnings};
use crate::io::stored::{Field, Kind, Stored};
use crate::model::Column;
use std::collections::BTreeMap;
use std::path::Path;

/// A table with named rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    /// Row names.
    pub index: Vec<String>,
    /// Columns by name; all as long as the index.
    pub columns: BTreeMap<String, Column>,
}

/// Reads the table at `at`. A column that cannot be read is left out with a warning.
pub(super) fn read_frame(file: &dyn Stored, at: &str, path: &Path, warnings: &mut Warnings) -> Result<Frame> {
    if file.is_array(at) {
        return records(file, at, path, warnings);
    }
    let children = file.children(at)?;
    let index_name = file.text_attribute(at, "_index").unwrap_or_else(|| "_index".into());
    let index = match ["_index", "index"].iter().find(|n| children.has(n)) {
        _ if children.has(&index_name) => column(file, at, &index_name)?,
        Some(name) => column(file, at, name)?,
        None => return Err(Error::malformed(format!("the table {at} has no row names ({index_name}); write the file again"))),
    };
    let mut frame = Frame { index: texts(&index), columns: BTreeMap::new() };
    for name in children.arrays.iter().chain(&children.groups) {
        if *name == index_name || name == "__categories" {
            continue;
        }
        match column(file, at, name) {
            Ok(values) if length(&values) == frame.index.len() => {
                frame.columns.insert(name.clone(), values);
            }
            Ok(values) => {
                let text = format!("column {at}/{name} has {} rows instead of {}; left out", length(&values), frame.index.len());
                warnings.warn("column-skipped", text, Some(path));
            }
            Err(why) => warnings.warn("column-skipped", format!("column {at}/{name} is left out: {why}"), Some(path)),
        }
    }
    Ok(frame)
}

/// The table in one array of records, as anndata before 0.7 wrote it; its categories lie in `uns/NAME_categories`.
fn records(file: &dyn Stored, at: &str, path: &Path, warnings: &mut Warnings) -> Result<Frame> {
    let mut fields = file.fields(at)?;
    let is_index =
        |(name, field): &(String, Field)| matches!(name.as_str(), "index" | "_index") && matches!(field, Field::Text(_));
    let first = fields.iter().position(is_index).or_else(|| fields.iter().position(|(_, f)| matches!(f, Field::Text(_))));
    let Some(index) = first else {
        return Err(Error::malformed(format!("the table {at} has no row names; write the file again with a current anndata")));
    };
    let (_, Field::Text(index)) = fields.remove(index) else {
        return Err(Error::malformed(format!("the table {at} has no row names")));
    };
    let mut frame = Frame { index, columns: BTreeMap::new() };
    for (name, field) in fields {
        let categories = format!("uns/{name}_categories");
        let column = match field {
            Field::Numbers(1, codes) if file.is_array(&categories) => coded(codes, categories_of(file, &categories)?)?,
            Field::Numbers(1, values) => Column::Number(values),
            Field::Text(values) => Column::Text(values),
            Field::Numbers(n, _) => {
                let text = format!("column {at}/{name} has {n} values in each row; left out");
                warnings.warn("column-skipped", text, Some(path));
                continue;
            }
        };
        frame.columns.insert(name, column);
    }
    warnings.note("old-table", format!("{at} is a table of records, as anndata before 0.7 wrote it"), Some(path));
    Ok(frame)
}

fn column(file: &dyn Stored, at: &str, name: &str) -> Result<Column> {
    let path = format!("{at}/{name}");
    if file.is_group(&path) {
        return encoded(file, &path);
    }
    let categories = format!("{at}/__categories/{name}");
    if file.is_array(&categories) {
        return categorical(file, &path, &categories);
    }
    if file.shape(&path)?.len() != 1 {
        return Err(Error::unsupported("only columns with one value per row are read"));
    }
    match file.kind(&path)? {
        Kind::Number => Ok(Column::Number(file.f64s(&path)?)),
        Kind::Text => Ok(Column::Text(file.strings(&path)?)),
        Kind::Compound | Kind::Other => Err(Error::unsupported("its kind of value is not read")),
    }
}

fn encoded(file: &dyn Stored, path: &str) -> Result<Column> {
    let encoding = file.text_attribute(path, "encoding-type").unwrap_or_default();
    let inner = |name: &str| format!("{path}/{name}");
    match encoding.as_str() {
        "categorical" => categorical(file, &inner("codes"), &inner("categories")),
        "nullable-string-array" => {
            let mask = file.f64s(&inner("mask"))?;
            let mut values = file.strings(&inner("values"))?;
            values.iter_mut().zip(mask).filter(|(_, m)| *m != 0.0).for_each(|(v, _)| v.clear());
            Ok(Column::Text(values))
        }
        "nullable-integer" | "nullable-boolean" => {
            let mask = file.f64s(&inner("mask"))?;
            let mut values = file.f64s(&inner("values"))?;
            values.iter_mut().zip(mask).filter(|(_, m)| *m != 0.0).for_each(|(v, _)| *v = f64::NAN);
            Ok(Column::Number(values))
        }
        other => Err(Error::unsupported(format!("encoding “{other}” is not read"))),
    }
}

fn categorical(file: &dyn Stored, codes: &str, categories: &str) -> Result<Column> {
    let names = categories_of(file, categories)?;
    // Codes are signed and small; −1 means missing, which every cast of a small float keeps apart.
    coded(file.f64s(codes)?, names)
}

fn categories_of(file: &dyn Stored, at: &str) -> Result<Vec<String>> {
    // Categories of text may have a mask of missing ones beside them.
    let values = format!("{at}/values");
    let at = if file.is_group(at) { values.as_str() } else { at };
    Ok(match file.kind(at)? {
        Kind::Text => file.strings(at)?,
        _ => file.f64s(at)?.into_iter().map(|v| v.to_string()).collect(),
    })
}

fn coded(codes: Vec<f64>, names: Vec<String>) -> Result<Column> {
    let codes = codes.into_iter().map(|code| match code {
        c if c < 0.0 => Ok(u32::MAX),
        c if c < names.len() as f64 => Ok(c as u32),
        c => Err(Error::malformed(format!("category {c} of {}", names.len()))),
    });
    Ok(Column::Category { codes: codes.collect::<Result<_>>()?, names })
}

fn length(column: &Column) -> usize {
    match column {
        Column::Number(v) => v.len(),
        Column::Text(v) => v.len(),
        Column::Category { codes, .. } => codes.len(),
    }
}

/// A column as text, one per row; missing is empty.
pub(super) fn texts(column: &Column) -> Vec<String> {
    match column {
        Column::Text(v) => v.clone(),
        Column::Number(v) => v.iter().map(f64::to_string).collect(),
        Column::Category { codes, names } => codes.iter().map(|&c| names.get(c as usize).cloned().unwrap_or_default()).collect(),
    }
}

/// A column as numbers, where it has numbers.
pub(super) fn numbers(column: &Column) -> Option<Vec<f64>> {
    match column {
        Column::Number(v) => Some(v.clone()),
        other => texts(other).iter().map(|t| t.trim().parse().ok()).collect(),
    }
}
