//! The columns of a sample sheet: what each of them is, by its name, and how a sheet is told from any other
//! table.

use crate::model::ItemKind;

/// Tables that a sheet may link without saying that they are views.
pub(super) const KNOWN_VIEWS: [&str; 4] = ["phenotypes", "bulk", "single_cell", "protein"];
/// A column of this prefix links a view of any other name.
pub(super) const VIEW_PREFIX: &str = "view:";
/// Facts that are words even where they look like numbers.
pub(super) const WORDS: [&str; 5] = ["batch", "site", "group", "sex", "patient"];
/// Facts with a name of their own.
const KNOWN_FACTS: [&str; 6] = ["batch", "site", "age", "sex", "group", "outcome"];
/// Columns that say who somebody is.
const PERSONAL: [&str; 16] = [
    "name",
    "patient_name",
    "first_name",
    "last_name",
    "surname",
    "family_name",
    "given_name",
    "birth_date",
    "birthdate",
    "date_of_birth",
    "dob",
    "mrn",
    "address",
    "phone",
    "email",
    "ssn",
];

/// What a column of a sheet is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Subject,
    Patient,
    Item(ItemKind),
    View(String),
    Fact(String),
    Personal,
}

/// A column name without its unit, and the unit: `age [years]`.
pub(super) fn name_and_unit(header: &str) -> (String, String) {
    let header = header.trim();
    match header.strip_suffix(']').and_then(|h| h.rsplit_once('[')) {
        Some((name, unit)) => (name.trim().to_owned(), unit.trim().to_owned()),
        None => (header.to_owned(), String::new()),
    }
}

/// The role of a column by its name without unit; letter case, spaces and hyphens do not matter for the known ones.
pub(super) fn role(name: &str) -> Role {
    let plain = name.trim().to_lowercase().replace([' ', '-'], "_");
    if let Some(view) = plain.strip_prefix(VIEW_PREFIX) {
        // The view keeps the letters that it has in the sheet.
        let start = name.trim().len().saturating_sub(view.len());
        return Role::View(name.trim().get(start..).unwrap_or(view).trim().to_owned());
    }
    if let Some(kind) = ItemKind::ALL.into_iter().find(|k| k.name() == plain) {
        return Role::Item(kind);
    }
    match plain.as_str() {
        "subject" | "subject_id" => Role::Subject,
        "patient" | "patient_id" => Role::Patient,
        p if KNOWN_VIEWS.contains(&p) => Role::View(plain),
        p if PERSONAL.contains(&p) => Role::Personal,
        p if KNOWN_FACTS.contains(&p) => Role::Fact(plain),
        _ => Role::Fact(name.trim().to_owned()),
    }
}

/// Whether columns of these names are those of a sample sheet: a subject, and something that hangs on it or is
/// known beside it.
#[must_use]
pub fn is_sheet<'a>(headers: impl IntoIterator<Item = &'a str>) -> bool {
    let roles: Vec<Role> = headers.into_iter().map(|h| role(&name_and_unit(h).0)).collect();
    let known = |r: &Role| match r {
        Role::Item(_) | Role::View(_) => true,
        Role::Fact(name) => ["batch", "site", "group", "outcome"].contains(&name.as_str()),
        _ => false,
    };
    roles.contains(&Role::Subject) && roles.iter().any(known)
}

/// Whether the first bytes of a text file are the header of a sample sheet.
pub(crate) fn is_sheet_text(first: &[u8]) -> bool {
    let first = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
    let line = first.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let separator = if line.contains('\t') { '\t' } else { ',' };
    is_sheet(line.split(separator).map(|h| h.trim().trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_told_from_results() {
        assert!(is_sheet_text(b"subject,patient,batch,scan,bulk\nS1,,,,\n"));
        assert!(is_sheet_text(b"\xEF\xBB\xBF\"Subject\"\tOutcome\nS1\t1\n"));
        assert!(is_sheet_text(b"subject,view:metabolites [uM]"));
        for other in ["subject,region,phase,metric,value,unit,method\n", "id,edv_ml\n", "name,moving_x\n", "subject\n", "\u{0}"] {
            assert!(!is_sheet_text(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn roles_and_units() {
        assert_eq!(name_and_unit(" age [years] "), ("age".into(), "years".into()));
        assert_eq!(name_and_unit("x]"), ("x]".into(), String::new()));
        assert_eq!(role("Single-Cell"), Role::View("single_cell".into()));
        assert_eq!(role("View:Lipids"), Role::View("Lipids".into()));
        assert_eq!(role("Birth date"), Role::Personal);
        assert_eq!(role("height_cm"), Role::Fact("height_cm".into()));
    }
}
