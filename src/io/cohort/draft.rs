//! The rows of a sample sheet put together by subject, before any file is looked at. What cannot be used
//! is told with its cell; identifiers that look like people are replaced.

use super::header::{Role, WORDS, name_and_unit, role};
use super::said::Said;
use crate::base::{Error, Result, Severity};
use crate::io::table::Table;
use crate::model::{ItemKind, looks_personal};
use std::collections::BTreeMap;

/// A place in the sheet: row from 1 below the header, and the column's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub row: usize,
    pub column: String,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {}, column {}", self.row, self.column)
    }
}

/// One scan, block, … with its cell.
#[derive(Clone, Debug)]
pub(super) struct DraftItem {
    pub kind: ItemKind,
    /// As in the sheet; a file is looked for by it.
    pub reference: String,
    /// As shown.
    pub shown: String,
    pub block: Option<String>,
    pub cell: Cell,
}

/// One subject as the sheet has it.
#[derive(Clone, Debug)]
pub(super) struct DraftSubject {
    /// As in the sheet; never shown where it looks like a person.
    pub key: String,
    /// As shown.
    pub id: String,
    pub patient: Option<String>,
    pub first_row: usize,
    pub items: Vec<DraftItem>,
    /// By the number of the fact column.
    pub facts: BTreeMap<usize, (String, usize)>,
    /// By the number of the view column.
    pub links: BTreeMap<usize, (String, Cell)>,
}

/// A column of facts or of links to a view.
#[derive(Clone, Debug)]
pub(super) struct DraftColumn {
    pub name: String,
    pub unit: String,
    header: String,
    texts: Vec<Option<String>>,
}

/// The whole sheet.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub subjects: Vec<DraftSubject>,
    pub facts: Vec<DraftColumn>,
    pub views: Vec<DraftColumn>,
}

/// Columns by what they are.
#[derive(Default)]
struct Columns {
    subject: Option<DraftColumn>,
    patient: Option<DraftColumn>,
    items: Vec<(ItemKind, DraftColumn)>,
    facts: Vec<DraftColumn>,
    views: Vec<DraftColumn>,
}

/// Words that mean that there is nothing.
fn is_nothing(text: &str) -> bool {
    text.is_empty() || ["na", "n/a", "nan"].iter().any(|w| text.eq_ignore_ascii_case(w))
}

impl Draft {
    pub fn of(table: &Table, said: &mut Said) -> Result<Self> {
        let columns = columns(table, said)?;
        let Some(subject) = &columns.subject else {
            return Err(Error::malformed("there is no column subject; a sample sheet names the subject of every row"));
        };
        let mut draft = Self::default();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for row in 0..table.n_rows() {
            let Some(key) = subject.texts[row].clone() else {
                let what = format!("row {} names no subject and is left out", row + 1);
                said.add(Severity::Error, "no-subject", what, "Write the subject's pseudonym in the column subject.");
                continue;
            };
            let place = *places.entry(key.clone()).or_insert_with(|| {
                draft.subjects.push(DraftSubject::new(key, row));
                draft.subjects.len() - 1
            });
            draft.subjects[place].take(row, &columns, said)?;
        }
        pseudonyms(&mut draft.subjects, said);
        (draft.facts, draft.views) = (columns.facts, columns.views);
        Ok(draft)
    }
}

fn columns(table: &Table, said: &mut Said) -> Result<Columns> {
    let mut out = Columns::default();
    for column in table.columns() {
        let (name, unit) = name_and_unit(&column.name);
        let header = column.name.trim().to_owned();
        let trimmed = |t: Option<String>| t.map(|t| t.trim().to_owned()).filter(|t| !is_nothing(t));
        let texts: Vec<Option<String>> = table.texts(&column.name)?.into_iter().map(trimmed).collect();
        let found = |name: String| DraftColumn { name, unit, header: header.clone(), texts };
        match role(&name) {
            Role::Subject if out.subject.is_none() => out.subject = Some(found(name)),
            Role::Patient if out.patient.is_none() => out.patient = Some(found(name)),
            Role::Item(kind) => out.items.push((kind, found(name))),
            Role::View(view) if !view.is_empty() => out.views.push(found(view)),
            Role::Fact(fact) if !fact.is_empty() => keep_fact(found(fact), &mut out, said),
            Role::Personal => {
                let what = format!("the column {header} says who somebody is and is left out");
                said.add(
                    Severity::Warning,
                    "personal-data",
                    what,
                    "Remove it from the sheet; subjects are told apart by pseudonyms.",
                );
            }
            _ => {
                let what = format!("the column {header:?} cannot be used and is left out");
                said.add(
                    Severity::Warning,
                    "unused-column",
                    what,
                    "Give every column a name of its own; subject and patient once.",
                );
            }
        }
    }
    Ok(out)
}

/// A fact column whose words look like names or dates of people is left out.
fn keep_fact(column: DraftColumn, out: &mut Columns, said: &mut Said) {
    let personal = column.texts.iter().enumerate().find_map(|(row, t)| Some((row, looks_personal(t.as_deref()?)?)));
    match personal.filter(|(_, why)| *why != "a record number") {
        Some((row, why)) => {
            let what = format!("row {}, column {}: this looks like {why}; the column is left out", row + 1, column.header);
            said.add(Severity::Warning, "personal-data", what, "Replace dates by ages or intervals and names by pseudonyms.");
        }
        None => out.facts.push(column),
    }
}

impl DraftSubject {
    fn new(key: String, row: usize) -> Self {
        let id = key.clone();
        Self { key, id, patient: None, first_row: row + 1, items: vec![], facts: BTreeMap::new(), links: BTreeMap::new() }
    }

    fn take(&mut self, row: usize, columns: &Columns, said: &mut Said) -> Result<()> {
        if let Some(patient) = columns.patient.as_ref().and_then(|c| c.texts[row].clone()) {
            if self.patient.as_ref().is_some_and(|p| *p != patient) {
                let what = format!("row {}, column patient: this subject has another patient in an earlier row", row + 1);
                return Err(Error::malformed(format!("{what}; a subject belongs to one patient")));
            }
            self.patient = Some(patient);
        }
        self.take_items(row, &columns.items);
        for (i, column) in columns.facts.iter().enumerate() {
            let Some(text) = column.texts[row].clone() else { continue };
            let (kept, first) = self.facts.entry(i).or_insert_with(|| (text.clone(), row + 1)).clone();
            if kept != text {
                let what = format!("row {}, column {}: differs from row {first} of the same subject", row + 1, column.header);
                said.add(Severity::Warning, "conflicting-fact", what, "The first is kept; write one value per subject.");
            }
        }
        for (i, column) in columns.views.iter().enumerate() {
            let Some(text) = column.texts[row].clone() else { continue };
            let cell = Cell { row: row + 1, column: column.header.clone() };
            let (kept, _) = self.links.entry(i).or_insert_with(|| (text.clone(), cell.clone())).clone();
            if kept != text {
                let what = format!("{cell}: this subject has a row of the view {} already; this one is left out", column.name);
                said.add(Severity::Warning, "second-measurement", what, "Make it a subject of its own of the same patient.");
            }
        }
        Ok(())
    }

    fn take_items(&mut self, row: usize, columns: &[(ItemKind, DraftColumn)]) {
        let list = |c: &DraftColumn| {
            let text = c.texts[row].clone().unwrap_or_default();
            text.split(';').map(str::trim).filter(|t| !is_nothing(t)).map(str::to_owned).collect::<Vec<_>>()
        };
        let blocks: Vec<String> = columns.iter().filter(|(k, _)| *k == ItemKind::Block).flat_map(|(_, c)| list(c)).collect();
        for kind in ItemKind::ALL {
            for (_, column) in columns.iter().filter(|(k, _)| *k == kind) {
                for reference in list(column) {
                    let block = blocks.first().filter(|_| kind == ItemKind::Section && blocks.len() == 1).cloned();
                    let cell = Cell { row: row + 1, column: column.header.clone() };
                    if !self.items.iter().any(|i| i.kind == kind && i.reference == reference) {
                        self.items.push(DraftItem { kind, shown: reference.clone(), reference, block, cell });
                    }
                }
            }
        }
    }
}

/// Replaces what looks like people by made-up names, the same for the same patient.
fn pseudonyms(subjects: &mut [DraftSubject], said: &mut Said) {
    let mut taken: Vec<String> = subjects.iter().map(|s| s.key.clone()).collect();
    let mut patients: BTreeMap<String, String> = BTreeMap::new();
    for subject in subjects.iter_mut() {
        let row = subject.first_row;
        if let Some(why) = looks_personal(&subject.key) {
            subject.id = fresh("subject", row, &mut taken);
            let what = format!("row {row}, column subject: this looks like {why}; it is called {} here", subject.id);
            said.add(
                Severity::Warning,
                "personal-identifier",
                what,
                "Replace identifiers by pseudonyms before sharing the sheet.",
            );
        }
        let Some(patient) = subject.patient.clone() else { continue };
        if let Some(why) = looks_personal(&patient) {
            let known = patients.get(&patient).cloned();
            let name = known.unwrap_or_else(|| {
                let name = fresh("patient", row, &mut taken);
                let what = format!("row {row}, column patient: this looks like {why}; it is called {name} here");
                said.add(
                    Severity::Warning,
                    "personal-identifier",
                    what,
                    "Replace identifiers by pseudonyms before sharing the sheet.",
                );
                name
            });
            patients.insert(patient, name.clone());
            subject.patient = Some(name);
        }
    }
    personal_items(subjects, said);
}

/// References that look like people keep their file, not their name.
fn personal_items(subjects: &mut [DraftSubject], said: &mut Said) {
    for subject in subjects {
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        for (n, item) in subject.items.iter_mut().enumerate() {
            let why = item.reference.split(['/', '\\']).find_map(looks_personal).filter(|w| *w != "a record number");
            let Some(why) = why else { continue };
            item.shown = format!("{}-{:03}-{}", item.kind.name(), item.cell.row, n + 1);
            let what = format!("{}: this looks like {why}; it is called {} here", item.cell, item.shown);
            said.add(Severity::Warning, "personal-identifier", what, "Rename the file or folder to a pseudonym.");
            if item.kind == ItemKind::Block {
                renamed.insert(item.reference.clone(), item.shown.clone());
            }
        }
        for block in subject.items.iter_mut().filter_map(|i| i.block.as_mut()) {
            if let Some(name) = renamed.get(block) {
                block.clone_from(name);
            }
        }
    }
}

fn fresh(word: &str, row: usize, taken: &mut Vec<String>) -> String {
    let mut name = format!("{word}-{row:03}");
    while taken.contains(&name) {
        name.push('x');
    }
    taken.push(name.clone());
    name
}

impl DraftColumn {
    /// Whether the column holds numbers only (and is not one of the columns of words).
    pub fn is_number(&self) -> bool {
        let mut cells = self.texts.iter().flatten().peekable();
        let is_word = WORDS.iter().any(|w| self.name.eq_ignore_ascii_case(w));
        !is_word && cells.peek().is_some() && cells.all(|t| t.parse::<f64>().is_ok_and(f64::is_finite))
    }
}
