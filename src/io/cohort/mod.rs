//! Sample sheets: one row per subject, or one per subject and item, that links scans, blocks, sections and
//! tables of numbers. Everything missing becomes a finding with its cell; nothing is lost silently.
//! `docs/files.md` describes the columns.

mod draft;
mod header;
mod said;
mod tables;
#[cfg(test)]
mod tests;
mod write;

pub use header::is_sheet;
pub(crate) use header::is_sheet_text;
pub use write::write_cohort;

use super::bytes;
use super::table::{Table, TableKind};
use super::{Content, Found, Reading};
use crate::base::{Result, Severity};
use crate::model::{Cohort, CohortParts, Covariate, Item, ItemState, Subject, Values};
use draft::{Draft, DraftItem, DraftSubject};
use said::Said;
use std::collections::BTreeMap;
use std::path::Path;
use tables::{Place, Tables};

/// Reads a sample sheet (CSV, TSV or Parquet, gzip or not) and the tables that it links.
pub fn read_cohort(path: &Path, reading: &mut Reading) -> Result<Found> {
    let table = Table::read(path, &reading.limits)?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = bytes::stem(path);
    let cohort = cohort_of(&table, &name, Place::Folder(folder), reading, Some(path)).map_err(|e| e.at(path))?;
    Ok(Found::alone(Content::Cohort(cohort), path))
}

/// A cohort from the bytes of a CSV sheet and of the files that it links, by their names in the sheet.
pub fn parse_cohort(sheet: &[u8], files: &BTreeMap<String, Vec<u8>>, reading: &mut Reading) -> Result<Cohort> {
    let data = bytes::inflate(sheet.to_vec(), &reading.limits)?;
    let table = Table::parse(data, TableKind::Csv, &reading.limits)?;
    cohort_of(&table, "sheet", Place::Memory(files), reading, None)
}

/// A sheet and, behind a zero byte, the table `t.csv` that it links: the body of the tests with damaged bytes.
pub fn parse_cohort_pair(bytes: &[u8], reading: &mut Reading) -> Result<Cohort> {
    let place = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let table = bytes.get(place + 1..).unwrap_or_default().to_vec();
    parse_cohort(&bytes[..place], &BTreeMap::from([("t.csv".to_owned(), table)]), reading)
}

fn cohort_of(table: &Table, name: &str, place: Place<'_>, reading: &mut Reading, path: Option<&Path>) -> Result<Cohort> {
    let mut said = Said::default();
    let draft = Draft::of(table, &mut said)?;
    let subjects = draft.subjects.iter().map(|s| subject(s, place, &mut said)).collect();
    let mut tables = Tables::new(place, reading.limits);
    let n = draft.views.len().max(1) as f64;
    let views = (0..draft.views.len())
        .map(|i| tables.view(&draft, i, &mut said, &reading.progress.part(i as f64 / n, (i + 1) as f64 / n)))
        .collect::<Result<_>>()?;
    tables.tell_unused(&mut said);
    let covariates = (0..draft.facts.len()).map(|i| covariate(&draft, i)).collect();
    let parts = CohortParts { name: name.to_owned(), subjects, covariates, views, findings: said.finish() };
    let cohort = Cohort::new(parts)?;
    for finding in cohort.findings() {
        match finding.severity {
            Severity::Note => reading.warnings.note(finding.code, finding.what.clone(), path),
            Severity::Warning => reading.warnings.warn(finding.code, finding.what.clone(), path),
            Severity::Error => reading.warnings.error(finding.code, finding.what.clone(), path),
        }
    }
    Ok(cohort)
}

fn subject(draft: &DraftSubject, place: Place<'_>, said: &mut Said) -> Subject {
    let patient = draft.patient.clone().unwrap_or_else(|| draft.id.clone());
    Subject { id: draft.id.clone(), patient, items: draft.items.iter().map(|i| item(i, place, said)).collect() }
}

fn item(draft: &DraftItem, place: Place<'_>, said: &mut Said) -> Item {
    let state = place.state(&draft.reference);
    if state == ItemState::Absent {
        let what = format!("{}: the file {} is not there", draft.cell, draft.shown);
        said.add(Severity::Warning, "missing-file", what, "Paths are relative to the sheet; mend the path or add the file.");
    }
    Item { kind: draft.kind, reference: draft.shown.clone(), block: draft.block.clone(), state }
}

fn covariate(draft: &Draft, place: usize) -> Covariate {
    let column = &draft.facts[place];
    let texts = draft.subjects.iter().map(|s| s.facts.get(&place).map(|(text, _)| text.clone()));
    let values = if column.is_number() {
        Values::Number(texts.map(|t| t.and_then(|t| t.parse().ok())).collect())
    } else {
        Values::Category(texts.collect())
    };
    Covariate { name: column.name.clone(), unit: column.unit.clone(), values }
}
