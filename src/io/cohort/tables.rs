//! The tables that a sheet links: read once each, their rows given to the subjects that name them.

use super::draft::{Cell, Draft, DraftColumn, DraftSubject};
use super::said::Said;
use crate::base::{Error, Limits, Progress, Result, Severity};
use crate::io::bytes;
use crate::io::table::{Cells, Table, TableColumn, TableKind};
use crate::model::{CohortView, ItemState, NOT_LISTED, ViewTable, looks_personal};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Endings that make a reference a file even where it is not there.
const FILE_ENDINGS: [&str; 22] = [
    "nii", "dcm", "h5ad", "h5", "png", "jpg", "jpeg", "tif", "tiff", "svs", "ndpi", "csv", "tsv", "parquet", "mtx", "zip",
    "nrrd", "mha", "mhd", "gz", "json", "zarr",
];
/// A cell of this start says why there is nothing.
pub(super) const MISSING: &str = "missing:";
/// How many different tables a sheet may link.
const MOST_TABLES: usize = 1000;

/// Where linked files are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// Beside the sheet.
    Folder(&'a Path),
    /// In memory, by reference.
    Memory(&'a BTreeMap<String, Vec<u8>>),
}

impl Place<'_> {
    /// What an item's reference is.
    pub fn state(self, reference: &str) -> ItemState {
        let is_there = match self {
            Self::Folder(folder) => folder.join(reference).exists(),
            Self::Memory(files) => files.contains_key(reference),
        };
        let ending = reference.rsplit_once('.').map(|(_, e)| e.to_lowercase()).unwrap_or_default();
        let is_file = reference.contains(['/', '\\']) || FILE_ENDINGS.contains(&ending.as_str());
        match (is_there, is_file) {
            (true, _) => ItemState::File,
            (false, true) => ItemState::Absent,
            (false, false) => ItemState::Identifier,
        }
    }

    fn read(self, reference: &str, limits: &Limits) -> Result<Table> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(reference);
                // A device or a pipe would never end.
                if !path.is_file() {
                    return Err(Error::parameter(format!("the file {reference} is not there")));
                }
                Table::read(&path, limits)
            }
            Self::Memory(files) => {
                let data = files.get(reference).ok_or_else(|| Error::parameter(format!("the file {reference} is not there")))?;
                Table::parse(bytes::inflate(data.clone(), limits)?, TableKind::of(Path::new(reference)), limits)
            }
        }
    }
}

/// One linked table.
struct Linked {
    features: Vec<String>,
    columns: Vec<Vec<Option<f64>>>,
    rows: BTreeMap<String, Vec<usize>>,
    used: BTreeSet<usize>,
}

/// All linked tables.
pub(super) struct Tables<'a> {
    place: Place<'a>,
    limits: Limits,
    /// What the tables read so far take.
    n_cells: u64,
    tables: BTreeMap<String, Result<Linked, String>>,
}

impl<'a> Tables<'a> {
    pub fn new(place: Place<'a>, limits: Limits) -> Self {
        Self { place, limits, n_cells: 0, tables: BTreeMap::new() }
    }

    /// The view of a column: rows in the order of the subjects.
    pub fn view(&mut self, draft: &Draft, place: usize, said: &mut Said, progress: &Progress) -> Result<CohortView> {
        let column = &draft.views[place];
        let (mut missing, mut found) = (Vec::new(), Vec::new());
        for (i, subject) in draft.subjects.iter().enumerate() {
            progress.step(i as f64 / draft.subjects.len() as f64, "linking tables")?;
            match self.row(subject, place, said)? {
                Ok((reference, row)) => {
                    missing.push(None);
                    found.push((subject.id.clone(), reference, row));
                }
                Err(why) => missing.push(Some(why)),
            }
        }
        let table = if found.is_empty() { None } else { Some(Arc::new(self.join(column, &found)?)) };
        Ok(CohortView { name: column.name.clone(), unit: column.unit.clone(), table, missing })
    }

    /// The table and row of a subject, or why there is none.
    fn row(&mut self, subject: &DraftSubject, place: usize, said: &mut Said) -> Result<Result<(String, usize), String>> {
        let Some((text, cell)) = subject.links.get(&place) else { return Ok(Err(NOT_LISTED.into())) };
        if let Some(reason) = text.strip_prefix(MISSING) {
            return Ok(Err(reason.trim().to_owned()));
        }
        let (reference, id) = match text.rsplit_once('#') {
            Some((file, id)) => (file.trim().to_owned(), id.trim().to_owned()),
            None => (text.clone(), subject.key.clone()),
        };
        let shown = if looks_personal(&id).is_some() { "the one named" } else { id.as_str() };
        let linked = match self.table(&reference, said)? {
            Ok(linked) => linked,
            Err(why) => return Ok(Err(tell(said, cell, "missing-file", why))),
        };
        let rows = linked.rows.get(&id).map(Vec::as_slice).unwrap_or_default();
        linked.used.extend(rows);
        let [row] = *rows else {
            let count = if rows.is_empty() { "no row" } else { "more than one row" };
            let code = if rows.is_empty() { "missing-row" } else { "duplicate-row" };
            return Ok(Err(tell(said, cell, code, format!("{reference} has {count} {shown}"))));
        };
        if linked.columns.iter().all(|c| c[row].is_none()) {
            return Ok(Err(tell(said, cell, "empty-row", format!("the row {shown} of {reference} is empty"))));
        }
        Ok(Ok((reference, row)))
    }

    fn table(&mut self, reference: &str, said: &mut Said) -> Result<Result<&mut Linked, String>> {
        if !self.tables.contains_key(reference) {
            let is_full = self.tables.len() >= MOST_TABLES;
            let read = if is_full { Err(too_many()) } else { self.place.read(reference, &self.limits) };
            let linked = match read.and_then(|t| linked(&t, reference, said)) {
                Ok(linked) => {
                    self.n_cells += linked.columns.iter().map(|c| c.len() as u64).sum::<u64>();
                    self.limits.check("the linked tables", &[self.n_cells], 16)?;
                    Ok(linked)
                }
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(e) => Err(without_path(&e)),
            };
            self.tables.insert(reference.to_owned(), linked);
        }
        match self.tables.get_mut(reference) {
            Some(Ok(linked)) => Ok(Ok(linked)),
            Some(Err(why)) => Ok(Err(why.clone())),
            None => Ok(Err("it was not read".into())),
        }
    }

    /// One table of the rows found; features in the order in which the tables have them.
    fn join(&self, column: &DraftColumn, found: &[(String, String, usize)]) -> Result<ViewTable> {
        let mut features: Vec<String> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let tables: BTreeSet<&str> = found.iter().map(|(_, t, _)| t.as_str()).collect();
        let linked = |name: &str| self.tables.get(name).and_then(|t| t.as_ref().ok());
        for feature in tables.iter().filter_map(|t| linked(t)).flat_map(|t| &t.features) {
            places.entry(feature).or_insert_with(|| {
                features.push(feature.clone());
                features.len() - 1
            });
        }
        self.limits.check(&format!("the view {}", column.name), &[found.len() as u64, features.len() as u64], 8)?;
        let mut values = vec![f64::NAN; found.len() * features.len()];
        for (i, (_, name, row)) in found.iter().enumerate() {
            let Some(table) = linked(name) else { continue };
            for (feature, cells) in table.features.iter().zip(&table.columns) {
                if let (Some(&place), Some(value)) = (places.get(feature.as_str()), cells[*row]) {
                    values[i * features.len() + place] = value;
                }
            }
        }
        let samples = found.iter().map(|(id, ..)| id.clone()).collect();
        ViewTable::new(column.name.as_str(), samples, features, values)
    }

    /// Rows that no subject named are told, not dropped silently.
    pub fn tell_unused(&self, said: &mut Said) {
        for (reference, linked) in &self.tables {
            let Ok(linked) = linked else { continue };
            let unused: Vec<&str> = linked
                .rows
                .iter()
                .filter(|(_, rows)| rows.iter().all(|r| !linked.used.contains(r)))
                .map(|(id, _)| id.as_str())
                .collect();
            let Some(first) = unused.first() else { continue };
            let example = if looks_personal(first).is_some() { String::new() } else { format!(" (as {first})") };
            let what = format!("{} rows of {reference} belong to no subject of the sheet{example}", unused.len());
            said.add(Severity::Note, "unused-rows", what, "Add their subjects to the sheet, or leave them out knowingly.");
        }
    }
}

fn too_many() -> Error {
    Error::unsupported(format!("a sheet may link {MOST_TABLES} different tables; join some of them"))
}

/// Says what is missing in a cell; gives the reason for the map.
fn tell(said: &mut Said, cell: &Cell, code: &'static str, why: String) -> String {
    said.add(
        Severity::Warning,
        code,
        format!("{cell}: {why}"),
        "Mend the cell or the file and open the sheet again; until then this view is missing for the subject.",
    );
    why
}

/// The sentence of an error without its path, which the sheet has already named.
fn without_path(error: &Error) -> String {
    match error {
        Error::Malformed { what, .. } | Error::Unsupported { what, .. } => what.clone(),
        Error::Io { doing, source, .. } => format!("{doing}: {source}"),
        other => other.to_string(),
    }
}

/// The numbers of a table; a column of words is left out and told.
fn linked(table: &Table, reference: &str, said: &mut Said) -> Result<Linked> {
    let Some((ids, rest)) = table.columns().split_first() else {
        return Err(Error::malformed(format!("{reference} has no columns; the first names the rows")));
    };
    let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (row, id) in table.texts(&ids.name)?.into_iter().enumerate() {
        rows.entry(id.unwrap_or_default().trim().to_owned()).or_default().push(row);
    }
    let (mut features, mut columns) = (Vec::new(), Vec::new());
    for column in rest {
        let name = column.name.trim();
        if name.is_empty() || features.iter().any(|f| f == name) {
            let what = format!("{reference}: the column {name:?} has no name of its own and is left out");
            said.add(Severity::Warning, "unused-column", what, "Give every feature a name of its own.");
            continue;
        }
        match numbers(table, column) {
            Ok(values) => {
                features.push(name.to_owned());
                columns.push(values);
            }
            Err(row) => {
                let what =
                    format!("{reference}: row {}, column {} is no finite number; the column is left out", row + 1, column.name);
                said.add(
                    Severity::Warning,
                    "not-a-number",
                    what,
                    "A view holds numbers; write words as covariates in the sheet.",
                );
            }
        }
    }
    Ok(Linked { features, columns, rows, used: BTreeSet::new() })
}

/// Values of a column, or the first row that is no finite number.
fn numbers(table: &Table, column: &TableColumn) -> Result<Vec<Option<f64>>, usize> {
    let finite = |v: &Option<f64>| v.is_none_or(f64::is_finite);
    let values = match &column.cells {
        Cells::Text(texts) => {
            let number = |(row, t): (usize, &Option<String>)| match t.as_deref().map(str::trim).unwrap_or_default() {
                "" => Ok(None),
                t if ["na", "nan", "n/a"].iter().any(|w| t.eq_ignore_ascii_case(w)) => Ok(None),
                t => t.parse::<f64>().map(Some).map_err(|_| row),
            };
            texts.iter().enumerate().map(number).collect::<Result<Vec<_>, usize>>()?
        }
        _ => table.numbers(&column.name).map_err(|_| 0usize)?,
    };
    match values.iter().position(|v| !finite(v)) {
        Some(row) => Err(row),
        None => Ok(values),
    }
}
