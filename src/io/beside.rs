//! Tables that lie beside a table of expression, as of spots or of nuclei: whether they say the same. What does not fit is
//! told with numbers; nothing is changed by it.

use super::table::Cells;
use super::{Content, Found, Reading, Table, bytes};
use crate::base::Result;
use crate::model::{Column, Section};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// No more tables of a folder are compared.
const MOST_TABLES: usize = 20;
/// Positions further apart than this, in pixels, differ.
const SAME_PX: f64 = 1.0;
const POSITIONS: [(&str, &str); 3] = [("x", "y"), ("pxl_col_in_fullres", "pxl_row_in_fullres"), ("pixel_x", "pixel_y")];

/// Observations of the sections of one file, by name: which section, which row.
type Known<'a> = BTreeMap<&'a str, (&'a Section, usize)>;

/// Compares the tables of a folder with the sections of the files beside them.
pub(super) fn compare(found: &[Found], tables: &[PathBuf], reading: &mut Reading) -> Result<()> {
    for path in tables.iter().filter(|p| is_table(p)).take(MOST_TABLES) {
        reading.progress.step(0.95, "comparing tables")?;
        let beside: Vec<&Section> = found
            .iter()
            .filter(|f| f.path.parent() == path.parent())
            .filter_map(|f| if let Content::Section(s) = &f.content { Some(s) } else { None })
            .collect();
        let mut known = Known::new();
        for section in beside {
            let Some(expression) = &section.expression else { continue };
            expression.observations().iter().enumerate().for_each(|(i, name)| {
                known.insert(name, (section, i));
            });
        }
        if known.is_empty() {
            continue;
        }
        // A table that cannot be read is one of the files of another kind, and told as such.
        let Ok(table) = Table::read(path, &reading.limits) else { continue };
        let Some(first) = table.columns().first() else { continue };
        let names = table.texts(&first.name)?;
        let n_matched = names.iter().flatten().filter(|n| known.contains_key(n.as_str())).count();
        let mut said = Vec::new();
        if 2 * n_matched > known.len().min(names.len()) {
            rows(&table, &names, &known, &mut said);
        } else {
            objects(&table, path, &known, &mut said);
        }
        for text in said {
            reading.warnings.warn("tables-disagree", text, Some(path));
        }
    }
    Ok(())
}

fn is_table(path: &Path) -> bool {
    matches!(bytes::ending(path).as_str(), "csv" | "tsv" | "parquet")
}

/// A table with a row for each observation.
fn rows(table: &Table, names: &[Option<String>], known: &Known, said: &mut Vec<String>) {
    let here: BTreeSet<&str> = names.iter().flatten().map(String::as_str).collect();
    let n_missing = known.keys().filter(|k| !here.contains(*k)).count();
    let n_extra = here.iter().filter(|h| !known.contains_key(*h)).count();
    if n_missing + n_extra > 0 {
        said.push(format!("{n_missing} observations have no row in this table, {n_extra} rows have no observation"));
    }
    if here.len() < names.len() {
        said.push(format!("{} rows have a name that stands before, or none", names.len() - here.len()));
    }
    positions(table, names, known, said);
    for column in table.columns().iter().skip(1) {
        let values = texts(table, &column.name);
        shared(&column.name, &values, names, known, said);
        key(&column.name, &values, said);
        suffix(&column.name, &values, names, said);
    }
}

fn texts(table: &Table, name: &str) -> Vec<Option<String>> {
    table.texts(name).unwrap_or_default()
}

fn positions(table: &Table, names: &[Option<String>], known: &Known, said: &mut Vec<String>) {
    let numbers = |name: &str| table.numbers(name).ok();
    let Some((xs, ys)) = POSITIONS.iter().find_map(|(x, y)| numbers(x).zip(numbers(y))) else { return };
    let (mut n, mut n_off, mut most) = (0, 0, 0.0_f64);
    for (i, name) in names.iter().enumerate() {
        let Some((section, row)) = name.as_deref().and_then(|n| known.get(n)) else { continue };
        let (Some(spots), Some(x), Some(y)) = (&section.spots, xs[i], ys[i]) else { continue };
        n += 1;
        let off = spots.px[*row].distance(crate::space::DVec2::new(x, y));
        n_off += usize::from(off > SAME_PX);
        most = most.max(off);
    }
    if n_off > 0 {
        said.push(format!("{n_off} of {n} positions differ from those of the table of expression, by up to {most:.0} px"));
    }
}

fn cell(column: &Column, row: usize) -> Option<String> {
    match column {
        Column::Number(v) => v.get(row).filter(|v| v.is_finite()).map(f64::to_string),
        Column::Text(v) => v.get(row).filter(|t| !t.is_empty()).cloned(),
        Column::Category { codes, names } => names.get(*codes.get(row)? as usize).filter(|t| !t.is_empty()).cloned(),
    }
}

fn is_same(a: Option<&str>, b: Option<&str>) -> bool {
    let missing = |t: Option<&str>| t.is_none_or(|t| matches!(t.to_ascii_lowercase().as_str(), "" | "nan" | "na"));
    if missing(a) || missing(b) {
        return missing(a) && missing(b);
    }
    let number = |t: Option<&str>| t.and_then(|t| t.parse::<f64>().ok());
    match (number(a), number(b)) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-6 * x.abs().max(1.0),
        _ => a == b,
    }
}

/// A column that both tables have.
fn shared(name: &str, values: &[Option<String>], names: &[Option<String>], known: &Known, said: &mut Vec<String>) {
    let (mut n, mut differing) = (0, Vec::new());
    for (value, row_name) in values.iter().zip(names) {
        let Some((section, row)) = row_name.as_deref().and_then(|n| known.get(n)) else { continue };
        let Some(column) = section.expression.as_ref().and_then(|e| e.columns.get(name)) else { continue };
        n += 1;
        if !is_same(value.as_deref(), cell(column, *row).as_deref()) {
            differing.push(row_name.clone().unwrap_or_default());
        }
    }
    if let Some(first) = differing.first() {
        said.push(format!("{} of {n} values of {name} differ from the table of expression (first at {first})", differing.len()));
    }
}

fn is_key(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix("id").is_some_and(|rest| rest.ends_with(['.', '_']))
}

/// A number that should name a row but stands in several.
fn key(name: &str, values: &[Option<String>], said: &mut Vec<String>) {
    let distinct: BTreeSet<&String> = values.iter().flatten().collect();
    // Identifiers of sections or samples are shared on purpose.
    if is_key(name) && distinct.len() < values.len() && 2 * distinct.len() > values.len() {
        let (n, all) = (distinct.len(), values.len());
        said.push(format!("{name} has {n} values for {all} rows, so it does not name a row alone"));
    }
}

/// A column that nearly all names end with.
fn suffix(column: &str, values: &[Option<String>], names: &[Option<String>], said: &mut Vec<String>) {
    let pairs = values.iter().zip(names).filter_map(|(v, n)| Some((v.as_deref()?, n.as_deref()?)));
    let (ending, other): (Vec<_>, Vec<_>) = pairs.partition(|(value, name)| value.len() > 1 && name.ends_with(value));
    if let Some((value, name)) = other.first()
        && ending.len() > 9 * other.len()
    {
        said.push(format!("{column} is the end of all names but {}, as {value} of {name}", other.len()));
    }
}

/// A table of smaller things, as nuclei, that names the observation each lies in.
fn objects(table: &Table, path: &Path, known: &Known, said: &mut Vec<String>) {
    let columns = |name: &str| {
        let sections = known.values().next().and_then(|(s, _)| s.expression.as_ref());
        sections.is_some_and(|e| e.columns.contains_key(name))
    };
    let Some(key) = table.columns().iter().map(|c| &c.name).find(|n| is_key(n) && columns(n)) else { return };
    let keys = normal(&texts(table, key));
    let image = table.columns().iter().find(|c| {
        matches!(c.cells, Cells::Text(_))
            && matches!(c.name.to_ascii_lowercase().as_str(), "image" | "section" | "slide" | "sample")
    });
    let images = image.map(|c| texts(table, &c.name));
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (i, key) in keys.iter().enumerate() {
        let Some(key) = key else { continue };
        let image = images.as_ref().and_then(|v| v[i].clone()).unwrap_or_default();
        *counts.entry((image, key.clone())).or_default() += 1;
    }
    let n_inside: usize = counts.values().sum();
    if n_inside == 0 {
        return;
    }
    let what = bytes::stem(path);
    let what = what.split(['_', '.', '-']).next().unwrap_or_default().to_owned();
    let (mut n_known, mut n_told, mut differing) = (0, 0, Vec::new());
    for (name, (section, row)) in known {
        let Some(expression) = &section.expression else { continue };
        let Some(own) = expression.columns.get(key).and_then(|c| cell(c, *row)) else { continue };
        let place = expression.columns.get("section").and_then(|c| cell(c, *row)).unwrap_or_default();
        let own = normal(&[Some(own)])[0].clone().unwrap_or_default();
        // Sections may be called with a number before the name of the picture.
        let of = |image: &str| image.is_empty() || place.is_empty() || place.ends_with(image) || image.ends_with(&place);
        let n: usize = counts.iter().filter(|((image, k), _)| *k == own && of(image)).map(|(_, n)| n).sum();
        n_known += n;
        let Some(told) = expression.columns.get(&what).and_then(|c| cell(c, *row)).and_then(|t| t.parse::<f64>().ok()) else {
            continue;
        };
        n_told += 1;
        if (told - n as f64).abs() > 0.5 {
            differing.push(format!("{name} ({n}, told {told})"));
        }
    }
    if n_known < n_inside {
        said.push(format!("{} of {n_inside} rows with {key} name an observation that is not there", n_inside - n_known));
    }
    if let Some(first) = differing.first() {
        said.push(format!(
            "the number of rows differs from the column {what} for {} of {n_told} observations, as {first}",
            differing.len()
        ));
    }
}

/// Whole numbers in one spelling.
fn normal(values: &[Option<String>]) -> Vec<Option<String>> {
    let one = |t: &String| t.parse::<f64>().ok().filter(|v| v.fract() == 0.0).map_or_else(|| t.clone(), |v| v.to_string());
    values.iter().map(|v| v.as_ref().map(one)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{run, shared};

    #[test]
    fn the_tables_of_the_embryonic_heart_do_not_agree() {
        let Some(folder) = shared("asp-heart-st") else { return };
        let (found, warnings) = run(|r| crate::io::open(&folder, r));
        assert_eq!(found.unwrap().len(), 4);
        let said: Vec<&str> = warnings.notes.iter().filter(|n| n.code == "tables-disagree").map(|n| n.message.as_str()).collect();
        let has = |part: &str| assert!(said.iter().any(|s| s.contains(part)), "{part}: {said:?}");
        has("spot.id has 361 values for 511 rows");
        has("spot.pos is the end of all names but 2");
        has("the number of rows differs from the column nuclei for");
    }

    #[test]
    fn what_differs_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("counts.tsv", "\tTTN\tACTB\tMYH7\n1x1\t1\t0\t2\n1x2\t0\t3\t1\n2x1\t2\t2\t2\n");
        write("spots.csv", "id,x,y,array_col\n1x1,200,200,1\n1x2,200,460,1\n9x9,1,1,1\n");
        let (found, warnings) = run(|r| crate::io::open(folder.path(), r));
        assert_eq!(found.unwrap().len(), 1);
        let said: Vec<&str> = warnings.notes.iter().filter(|n| n.code == "tables-disagree").map(|n| n.message.as_str()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("1 observations have no row in this table, 1 rows have no observation"));
        assert!(said[1].contains("1 of 2 positions differ") && said[1].contains("60 px"));
    }
}
