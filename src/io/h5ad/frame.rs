//! The tables of an `AnnData` file (`obs`, `var`) as columns by name, in every style since 0.7.

use crate::base::{Error, Result, Warnings};
use crate::io::hdf5_read::{Hdf5, Kind};
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
pub(super) fn read_frame(file: &Hdf5, at: &str, path: &Path, warnings: &mut Warnings) -> Result<Frame> {
    if file.is_array(at) {
        return Err(Error::unsupported(format!(
            "{at} is one compound table, as anndata before 0.7 wrote it; open the file in Python with a current anndata and write it again"
        )));
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

fn column(file: &Hdf5, at: &str, name: &str) -> Result<Column> {
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

fn encoded(file: &Hdf5, path: &str) -> Result<Column> {
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

fn categorical(file: &Hdf5, codes: &str, categories: &str) -> Result<Column> {
    let names = match file.kind(categories)? {
        Kind::Text => file.strings(categories)?,
        _ => file.f64s(categories)?.into_iter().map(|v| v.to_string()).collect(),
    };
    // Codes are signed and small; −1 means missing, which every cast of a small float keeps apart.
    let codes = file.f64s(codes)?.into_iter().map(|code| match code {
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
