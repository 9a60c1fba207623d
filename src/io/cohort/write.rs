//! A cohort as a sample sheet with its tables beside it, which [`super::read_cohort`] reads back.

use super::tables::MISSING;
use crate::base::{Error, Result};
use crate::io::table::{Table, TableColumn};
use crate::model::{Cohort, CohortView, Item, ItemKind, NOT_LISTED, Subject, Values};
use std::collections::BTreeSet;
use std::path::Path;

/// Name of the sheet in its folder.
const SHEET: &str = "sample_sheet.csv";

/// Writes `sample_sheet.csv` and one table per view into a folder, which is made; the names of the files.
pub fn write_cohort(folder: &Path, cohort: &Cohort) -> Result<Vec<String>> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("writing", e, folder))?;
    let mut taken = BTreeSet::from([SHEET.to_owned()]);
    let names: Vec<String> = cohort.views().iter().map(|v| file_name(&v.name, &mut taken)).collect();
    for (view, name) in cohort.views().iter().zip(&names) {
        view_table(view)?.write(&folder.join(name))?;
    }
    sheet(cohort, &names)?.write(&folder.join(SHEET))?;
    Ok(std::iter::once(SHEET.to_owned()).chain(names).collect())
}

/// `bulk` is `bulk.csv`; what cannot be in a name of a file becomes `_`.
fn file_name(view: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = view.chars().map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' }).collect();
    let mut name = format!("{plain}.csv");
    while !taken.insert(name.to_lowercase()) {
        name.insert(0, '_');
    }
    name
}

fn view_table(view: &CohortView) -> Result<Table> {
    let names = view.table.as_ref().map_or(&[][..], |t| t.ids());
    let ids = TableColumn::text("id", names.iter().map(|s| Some(s.clone())));
    let cells = |j: usize| view.table.as_ref().map_or_else(Vec::new, |t| t.column(j));
    let columns = view
        .features()
        .iter()
        .enumerate()
        .map(|(j, f)| TableColumn::numbers(f, cells(j).into_iter().map(|v| Some(v).filter(|v| !v.is_nan()))));
    Table::new(std::iter::once(ids).chain(columns).collect())
}

/// One row per subject, more where it has several items of a kind.
struct Row<'a> {
    subject: usize,
    first: bool,
    items: Vec<&'a Item>,
}

fn rows(cohort: &Cohort) -> Vec<Row<'_>> {
    let of = |(i, subject): (usize, &'_ Subject)| {
        let n = ItemKind::ALL.iter().map(|k| subject.items.iter().filter(|i| i.kind == *k).count()).max().unwrap_or(0).max(1);
        (0..n).map(move |row| (i, row)).collect::<Vec<_>>()
    };
    let pick = |(i, row): (usize, usize)| {
        let items = &cohort.subjects()[i].items;
        let nth = |kind: ItemKind| items.iter().filter(move |i| i.kind == kind).nth(row);
        let mut picked: Vec<&Item> = ItemKind::ALL.into_iter().filter_map(nth).collect();
        // A section stands beside its own block.
        let block = picked.iter().find(|i| i.kind == ItemKind::Section).and_then(|s| s.block.clone());
        if let Some(block) = block {
            picked.retain(|i| i.kind != ItemKind::Block);
            picked.extend(items.iter().find(|i| i.kind == ItemKind::Block && i.reference == block));
        }
        Row { subject: i, first: row == 0, items: picked }
    };
    cohort.subjects().iter().enumerate().flat_map(of).map(pick).collect()
}

fn sheet(cohort: &Cohort, files: &[String]) -> Result<Table> {
    let rows = rows(cohort);
    let subjects = cohort.subjects();
    let mut columns = vec![
        TableColumn::text("subject", rows.iter().map(|r| Some(subjects[r.subject].id.clone()))),
        TableColumn::text("patient", rows.iter().map(|r| Some(subjects[r.subject].patient.clone()))),
    ];
    for covariate in cohort.covariates() {
        let name = header(&covariate.name, &covariate.unit);
        columns.push(match &covariate.values {
            Values::Number(v) => TableColumn::numbers(&name, rows.iter().map(|r| v[r.subject])),
            Values::Category(v) => TableColumn::text(&name, rows.iter().map(|r| v[r.subject].clone())),
        });
    }
    let used = |kind: &ItemKind| subjects.iter().any(|s| s.items.iter().any(|i| i.kind == *kind));
    for kind in ItemKind::ALL.into_iter().filter(used) {
        let cell = |r: &Row<'_>| r.items.iter().find(|i| i.kind == kind).map(|i| i.reference.clone());
        columns.push(TableColumn::text(kind.name(), rows.iter().map(cell)));
    }
    for (view, file) in cohort.views().iter().zip(files) {
        let name = if super::header::KNOWN_VIEWS.contains(&view.name.as_str()) {
            view.name.clone()
        } else {
            format!("view:{}", view.name)
        };
        let cell = |r: &Row<'_>| match &view.missing[r.subject] {
            _ if !r.first => None,
            None => Some(format!("{file}#{}", subjects[r.subject].id)),
            Some(why) if why == NOT_LISTED => None,
            Some(why) => Some(format!("{MISSING} {why}")),
        };
        columns.push(TableColumn::text(&header(&name, &view.unit), rows.iter().map(cell)));
    }
    Table::new(columns)
}

fn header(name: &str, unit: &str) -> String {
    if unit.is_empty() { name.to_owned() } else { format!("{name} [{unit}]") }
}
