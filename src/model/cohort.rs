//! Patients side by side: what was scanned, cut and sequenced of each of them, the tables of numbers that
//! came out (views), what is known beside (covariates, outcome), and which view is missing for whom.

use super::{Column, Finding, ViewTable, Views};
use crate::base::{Error, Result, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Name of the covariate that is the outcome.
pub const OUTCOME: &str = "outcome";

/// Why a view is missing of which the sheet says nothing.
pub const NOT_LISTED: &str = "not in the sheet";

/// What can hang on a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// An image of the heart.
    Scan,
    /// A segmentation.
    Labels,
    /// A block of tissue.
    Block,
    /// A section cut from a block.
    Section,
}

impl ItemKind {
    /// All of them, in the order of a sheet's columns.
    pub const ALL: [Self; 4] = [Self::Scan, Self::Labels, Self::Block, Self::Section];

    /// Name of the column in a sheet.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Labels => "labels",
            Self::Block => "block",
            Self::Section => "section",
        }
    }
}

/// What an item's reference turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// An identifier that names no file.
    Identifier,
    /// A file or folder that is there.
    File,
    /// A file or folder that is not there.
    Absent,
}

/// One scan, segmentation, block or section of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// As the sheet has it: an identifier, or a path relative to the sheet.
    pub reference: String,
    /// Of a section: the block it was cut from, where that is known.
    pub block: Option<String>,
    /// What the reference turned out to be.
    pub state: ItemState,
}

/// One subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Pseudonym, different from all others; names the rows of tables.
    pub id: String,
    /// Pseudonym of the patient. Several subjects of one patient (visits, hearts before and after) are never
    /// split by folds.
    pub patient: String,
    /// Scans, segmentations, blocks and sections, in the order of the sheet.
    pub items: Vec<Item>,
}

/// Values of one covariate, one per subject; `None` is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Finite numbers.
    Number(Vec<Option<f64>>),
    /// Words.
    Category(Vec<Option<String>>),
}

impl Values {
    /// Number of subjects.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(v) => v.len(),
            Self::Category(v) => v.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A value as text.
    #[must_use]
    pub fn text(&self, subject: usize) -> Option<String> {
        match self {
            Self::Number(v) => v.get(subject)?.map(|n| n.to_string()),
            Self::Category(v) => v.get(subject)?.clone(),
        }
    }

    /// The values of these subjects as a column of a table.
    #[must_use]
    pub fn column(&self, subjects: &[usize]) -> Column {
        match self {
            Self::Number(v) => Column::Number(subjects.iter().map(|&i| v[i].unwrap_or(f64::NAN)).collect()),
            Self::Category(v) => {
                let names = self.levels();
                let code =
                    |i: &usize| v[*i].as_ref().and_then(|t| names.iter().position(|n| n == t)).map_or(u32::MAX, |c| c as u32);
                Column::Category { codes: subjects.iter().map(code).collect(), names }
            }
        }
    }

    /// Different values in order, numbers by size; missing ones left out.
    #[must_use]
    pub fn levels(&self) -> Vec<String> {
        match self {
            Self::Number(v) => {
                let mut numbers: Vec<f64> = v.iter().flatten().copied().collect();
                numbers.sort_by(f64::total_cmp);
                numbers.dedup();
                numbers.iter().map(f64::to_string).collect()
            }
            Self::Category(v) => v.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }
}

/// Something known about every subject: site, batch, age, sex, group, outcome, or any other column.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariate {
    /// As in the sheet, in small letters for the known ones.
    pub name: String,
    /// As `years`, or empty.
    pub unit: String,
    /// One per subject.
    pub values: Values,
}

/// One view: a table of numbers about those subjects who have it.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortView {
    /// As `bulk`.
    pub name: String,
    /// What the numbers are, as `log2 CPM`; empty where every column says its own.
    pub unit: String,
    /// Rows are named by subjects, in the cohort's order; those without the view have none. `None` where
    /// nobody has it.
    pub table: Option<Arc<ViewTable>>,
    /// Why the view is missing, one per subject; `None` where it is there.
    pub missing: Vec<Option<String>>,
}

impl CohortView {
    /// Number of subjects who have it.
    #[must_use]
    pub fn n_subjects(&self) -> usize {
        self.table.as_ref().map_or(0, |t| t.n_samples())
    }

    /// Names of its features.
    #[must_use]
    pub fn features(&self) -> &[String] {
        self.table.as_ref().map_or(&[], |t| t.features())
    }

    /// The values of a subject, where it has the view.
    #[must_use]
    pub fn row(&self, subject: usize) -> Option<&[f64]> {
        let table = self.table.as_ref()?;
        let row = self.missing.get(..subject)?.iter().filter(|m| m.is_none()).count();
        self.missing.get(subject)?.is_none().then(|| table.row(row))
    }

    /// Number of values missing inside its rows.
    #[must_use]
    pub fn n_empty_cells(&self) -> usize {
        self.table.as_ref().map_or(0, |t| t.values().iter().filter(|v| v.is_nan()).count())
    }
}

/// All parts of a cohort before they are checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CohortParts {
    /// What it is called on screen.
    pub name: String,
    /// In the order of the sheet.
    pub subjects: Vec<Subject>,
    /// Known beside.
    pub covariates: Vec<Covariate>,
    /// Tables.
    pub views: Vec<CohortView>,
    /// What the reader found.
    pub findings: Vec<Finding>,
}

/// A checked cohort.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    parts: CohortParts,
}

/// One pattern of views that are there, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPattern {
    /// Whether each view is there.
    pub has: Vec<bool>,
    /// Numbers of the subjects, in order.
    pub subjects: Vec<usize>,
}

impl Cohort {
    /// Checks that subjects differ, that nothing belongs to two patients, that sections name blocks of their
    /// subject, that covariates and views fit the subjects, and that no identifier looks like a person's name or
    /// a date. [`Error::Malformed`] with the sentence otherwise.
    pub fn new(parts: CohortParts) -> Result<Self> {
        if parts.subjects.is_empty() {
            return Err(Error::malformed("the cohort has no subject"));
        }
        check_subjects(&parts.subjects)?;
        check_items(&parts.subjects)?;
        check_covariates(&parts)?;
        check_views(&parts)?;
        let mut cohort = Self { parts };
        let without = cohort.without_any_view();
        cohort.parts.findings.extend(without);
        Ok(cohort)
    }

    /// What it is called on screen.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// Subjects in the order of the sheet.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.parts.subjects
    }

    /// Number of a subject.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.parts.subjects.iter().position(|s| s.id == id)
    }

    /// All covariates.
    #[must_use]
    pub fn covariates(&self) -> &[Covariate] {
        &self.parts.covariates
    }

    /// The covariate of a name, whatever the case of its letters.
    #[must_use]
    pub fn covariate(&self, name: &str) -> Option<&Covariate> {
        self.parts.covariates.iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    /// The outcome, where the sheet has one.
    #[must_use]
    pub fn outcome(&self) -> Option<&Covariate> {
        self.covariate(OUTCOME)
    }

    /// All views.
    #[must_use]
    pub fn views(&self) -> &[CohortView] {
        &self.parts.views
    }

    /// The view of a name.
    #[must_use]
    pub fn view(&self, name: &str) -> Option<&CohortView> {
        self.parts.views.iter().find(|v| v.name == name)
    }

    /// What the reader and the checks found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.parts.findings
    }

    /// The parts, to change and check again.
    #[must_use]
    pub fn into_parts(self) -> CohortParts {
        self.parts
    }

    /// Number of different patients.
    #[must_use]
    pub fn n_patients(&self) -> usize {
        self.parts.subjects.iter().map(|s| s.patient.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// Views by name for a joint model: only subjects for whom `keep` is true, grouped by patient, with all
    /// covariates. [`Error::Parameter`] for an unknown view or one that nobody kept has.
    pub fn views_of(&self, names: &[&str], keep: impl Fn(usize) -> bool) -> Result<Views> {
        let table = |name: &&str| {
            let view = self.view(name).ok_or_else(|| Error::parameter(format!("the cohort has no view {name}")))?;
            let there = self.parts.subjects.iter().enumerate().filter(|(i, _)| view.missing[*i].is_none());
            let rows: Vec<usize> = there.enumerate().filter(|(_, (i, _))| keep(*i)).map(|(row, _)| row).collect();
            match view.table.as_ref().filter(|_| !rows.is_empty()) {
                Some(table) => table.samples(&rows),
                None => Err(Error::parameter(format!("nobody has the view {name}"))),
            }
        };
        let views = Views::new(names.iter().map(table).collect::<Result<_>>()?)?;
        let places: Vec<usize> = views.ids().iter().filter_map(|id| self.position(id)).collect();
        let groups = places.iter().map(|&i| self.parts.subjects[i].patient.clone()).collect();
        let covariates = self.parts.covariates.iter().map(|c| (c.name.clone(), c.values.column(&places))).collect();
        views.with_groups(groups)?.with_covariates(covariates)
    }

    /// Patterns of views among the subjects for whom `keep` is true, the commonest first.
    #[must_use]
    pub fn patterns(&self, keep: impl Fn(usize) -> bool) -> Vec<MissingPattern> {
        let mut by: BTreeMap<Vec<bool>, Vec<usize>> = BTreeMap::new();
        for i in (0..self.parts.subjects.len()).filter(|&i| keep(i)) {
            by.entry(self.parts.views.iter().map(|v| v.missing[i].is_none()).collect()).or_default().push(i);
        }
        let mut patterns: Vec<MissingPattern> =
            by.into_iter().rev().map(|(has, subjects)| MissingPattern { has, subjects }).collect();
        // A stable sort: patterns of one size stay in the order of their views.
        patterns.sort_by_key(|p| std::cmp::Reverse(p.subjects.len()));
        patterns
    }

    fn without_any_view(&self) -> Option<Finding> {
        let lacks = |i: usize| self.parts.views.iter().all(|v| v.missing[i].is_some());
        let names: Vec<&str> =
            self.parts.subjects.iter().enumerate().filter(|(i, _)| lacks(*i)).map(|(_, s)| s.id.as_str()).collect();
        let first = names.first().filter(|_| !self.parts.views.is_empty())?;
        Some(Finding {
            severity: Severity::Warning,
            code: "subject-without-view",
            what: format!("{} of {} subjects have no view at all (as {first})", names.len(), self.parts.subjects.len()),
            evidence: vec![("n".into(), names.len() as f64)],
            remedy: "Nothing can be computed for them; exclude them with a reason or add their tables to the sheet.".into(),
        })
    }
}

fn check_subjects(subjects: &[Subject]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (i, subject) in subjects.iter().enumerate() {
        if subject.id.is_empty() || subject.patient.is_empty() {
            return Err(Error::malformed(format!("subject {} has no pseudonym", i + 1)));
        }
        for word in [&subject.id, &subject.patient] {
            if let Some(why) = looks_personal(word) {
                return Err(Error::malformed(format!("the identifier of subject {} looks like {why}; use a pseudonym", i + 1)));
            }
        }
        if !seen.insert(subject.id.as_str()) {
            return Err(Error::malformed(format!("the subject {} is there twice", subject.id)));
        }
    }
    Ok(())
}

/// Every scan, segmentation, block and section belongs to one patient, and a section's block to its subject.
fn check_items(subjects: &[Subject]) -> Result<()> {
    let mut owners: BTreeMap<(ItemKind, &str), &Subject> = BTreeMap::new();
    for subject in subjects {
        for item in &subject.items {
            let owner = owners.entry((item.kind, item.reference.as_str())).or_insert(subject);
            if owner.patient != subject.patient {
                let (kind, reference) = (item.kind.name(), &item.reference);
                let (a, b) = (&owner.patient, &subject.patient);
                return Err(Error::malformed(format!("the {kind} {reference} is listed under two patients, {a} and {b}")));
            }
            if let Some(block) = &item.block
                && !subject.items.iter().any(|i| i.kind == ItemKind::Block && i.reference == *block)
            {
                let what = format!("{} {} names the block {block}", item.kind.name(), item.reference);
                return Err(Error::malformed(format!("{what}, which subject {} does not have", subject.id)));
            }
        }
    }
    Ok(())
}

fn check_covariates(parts: &CohortParts) -> Result<()> {
    let mut seen = BTreeSet::new();
    for covariate in &parts.covariates {
        let (n, wanted) = (covariate.values.len(), parts.subjects.len());
        if n != wanted {
            return Err(Error::malformed(format!("{} has {n} values for {wanted} subjects", covariate.name)));
        }
        if let Values::Number(values) = &covariate.values
            && values.iter().flatten().any(|v| !v.is_finite())
        {
            return Err(Error::malformed(format!("{} has a value that is not finite", covariate.name)));
        }
        if !seen.insert(covariate.name.to_lowercase()) {
            return Err(Error::malformed(format!("the column {} is there twice", covariate.name)));
        }
    }
    Ok(())
}

/// The rows of a view are exactly the subjects who have it, in order.
fn check_views(parts: &CohortParts) -> Result<()> {
    let mut seen = BTreeSet::new();
    for view in &parts.views {
        if !seen.insert(view.name.as_str()) {
            return Err(Error::malformed(format!("the view {} is there twice", view.name)));
        }
        if view.missing.len() != parts.subjects.len() {
            let (n, wanted) = (view.missing.len(), parts.subjects.len());
            return Err(Error::malformed(format!("the view {} tells about {n} of {wanted} subjects", view.name)));
        }
        let those = parts.subjects.iter().zip(&view.missing).filter(|(_, m)| m.is_none()).map(|(s, _)| &s.id);
        let rows = view.table.as_ref().map_or(&[][..], |t| t.ids());
        if !those.eq(rows) {
            let unknown = rows.iter().find(|row| !parts.subjects.iter().any(|s| s.id == **row));
            return Err(Error::malformed(match unknown {
                Some(row) => format!("the view {} has a row {row}, which is no subject", view.name),
                None => format!("the rows of the view {} are not the subjects who have it", view.name),
            }));
        }
    }
    Ok(())
}

/// What an identifier looks like where it is no pseudonym: a person's name, a date, a record number. Two words
/// of letters (`Doe^Jane`, `Doe, Jane`), a calendar date in digits anywhere, nine digits or more.
#[must_use]
pub fn looks_personal(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if has_date(text) {
        return Some("a date");
    }
    let is_word = |w: &&str| w.chars().count() >= 2 && w.chars().all(|c| c.is_alphabetic() || c == '\'' || c == '-');
    let words: Vec<&str> = text.split(['^', ' ', ',', '=']).filter(|w| !w.is_empty()).collect();
    if words.len() >= 2 && words.iter().filter(|w| is_word(w)).count() >= 2 {
        return Some("a person's name");
    }
    if text.chars().count() >= 9 && text.chars().all(|c| c.is_ascii_digit()) {
        return Some("a record number");
    }
    None
}

/// `19540312`, `1954-03-12`, `12.03.1954`, `3/12/54` where day, month and year are possible.
fn has_date(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).collect();
    let number = |s: &str| s.parse::<u32>().ok();
    let is_date = |y: u32, m: u32, d: u32| (1900..2100).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d);
    let in_eight = |s: &&str| {
        s.len() == 8
            && matches!((number(&s[..4]), number(&s[4..6]), number(&s[6..])), (Some(y), Some(m), Some(d)) if is_date(y, m, d))
    };
    if groups.iter().any(in_eight) {
        return true;
    }
    let is_separated = text.split(|c: char| c.is_ascii_digit()).any(|s| matches!(s, "-" | "." | "/"));
    is_separated
        && groups.windows(3).any(|w| {
            let Some((a, b, c)) = number(w[0]).zip(number(w[1])).zip(number(w[2])).map(|((a, b), c)| (a, b, c)) else {
                return false;
            };
            match (w[0].len(), w[2].len()) {
                (4, 1..=2) => is_date(a, b, c),
                (1..=2, 4) => is_date(c, b, a) || is_date(c, a, b),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_dates_are_no_pseudonyms() {
        for (text, what) in [
            ("DOE^JANE", "a person's name"),
            ("Müller, Hans", "a person's name"),
            ("Jane Doe", "a person's name"),
            ("19540312", "a date"),
            ("P-1954-03-12", "a date"),
            ("12.03.1954", "a date"),
            ("3/12/1954", "a date"),
            ("4711471147", "a record number"),
        ] {
            assert_eq!(looks_personal(text), Some(what), "{text}");
        }
        for text in
            ["S01", "HEART-007", "P 12", "control-3", "patient_10", "1234567", "20991399", "A-1-2-3", "GSM4742856", "v1.2.3"]
        {
            assert_eq!(looks_personal(text), None, "{text}");
        }
    }
}
