//! Tables that other programs make of the observations of a table of expression: compositions of cell types
//! (cell2location, RCTD, Tangram), embeddings of models, and any other columns. Rows are matched by name.
//! Column names: cell2location `Cell2location.export_posterior` (`q05cell_abundance_w_sf_TYPE`, `means…`, `stds…`), RCTD
//! `results@weights`, Tangram `obsm["tangram_ct_pred"]`.

use super::table::Cells;
use super::{Reading, Table};
use crate::base::{Error, Result};
use crate::model::Column;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachedKind {
    /// How much there is of each type of cell; the sum of a row is not 1 in general.
    Composition,
    /// Coordinates that a model gives.
    Embedding,
    /// Anything else.
    Columns,
}

/// A table brought into the order of the observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Attached {
    /// What it is.
    pub kind: AttachedKind,
    /// Where it comes from, as `cell2location, 5 % quantiles`.
    pub source: String,
    /// Names of types or coordinates.
    pub names: Vec<String>,
    /// Values row by row, NaN where the table has none.
    pub values: Vec<f64>,
    /// Other columns, by name.
    pub columns: BTreeMap<String, Column>,
    /// How many observations have a row.
    pub n_matched: usize,
}

impl Attached {
    /// Shares of each type, which sum to 1; NaN where the sum is 0 or a value is negative or missing.
    #[must_use]
    pub fn fractions(&self) -> Vec<f64> {
        let k = self.names.len().max(1);
        let share = |row: &[f64]| {
            let sum: f64 = row.iter().sum();
            let is_good = sum > 0.0 && row.iter().all(|v| *v >= 0.0);
            row.iter().map(|v| if is_good { v / sum } else { f64::NAN }).collect::<Vec<f64>>()
        };
        self.values.chunks_exact(k).flat_map(share).collect()
    }
}

/// Beginnings of the column names of cell2location, best first: the 5 % quantile is what its authors show.
const CELL2LOCATION: [(&str, &str); 4] = [
    ("q05cell_abundance_w_sf_", "cell2location, 5 % quantiles"),
    ("meanscell_abundance_w_sf_", "cell2location, means"),
    ("q50cell_abundance_w_sf_", "cell2location, medians"),
    ("q05_spot_factors", "cell2location, 5 % quantiles"),
];
/// Others of its columns, which are no amounts.
const NOT_AMOUNTS: [&str; 4] = ["stdscell_abundance", "q95cell_abundance", "stds_spot_factors", "q95_spot_factors"];
/// Columns that RCTD's table of results has beside the weights.
const RCTD_RESULTS: [&str; 3] = ["spot_class", "first_type", "second_type"];
/// Columns that name rows.
const NAME_COLUMNS: [&str; 9] =
    ["id", "index", "_index", "__index_level_0__", "barcode", "barcodes", "cell_id", "spot", "spot_id"];
const EMBEDDINGS: [&str; 13] =
    ["x_scvi", "scvi", "latent", "z", "dim", "emb", "embedding", "scgpt", "x_scgpt", "geneformer", "x_geneformer", "uce", "pc"];

/// Reads a table (CSV, TSV, Parquet, `.gz`) of `observations`. [`Error::Malformed`] where no row has the name of one.
pub fn read_attached(path: &Path, observations: &[String], reading: &mut Reading) -> Result<Attached> {
    reading.progress.step(0.0, "reading the table")?;
    let table = Table::read(path, &reading.limits)?;
    attach(&table, observations, path, reading).map_err(|e| e.at(path))
}

/// The same from a table.
pub fn attach(table: &Table, observations: &[String], path: &Path, reading: &mut Reading) -> Result<Attached> {
    reading.limits.check("the table", &[observations.len() as u64, table.columns().len() as u64], 16)?;
    let names = names_of(table, observations)?;
    let rows = table.texts(&names)?;
    let places = places(&rows, observations, path, reading)?;
    let n_matched = places.iter().flatten().count();
    let rest: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).filter(|n| *n != names).collect();
    let (kind, source, chosen) = recognized(table, &rest);
    let mut values = vec![f64::NAN; observations.len() * chosen.len()];
    for (j, (column, _)) in chosen.iter().enumerate() {
        let numbers = table.numbers(column)?;
        for (i, place) in places.iter().enumerate() {
            if let Some(value) = place.and_then(|row| numbers[row]) {
                values[i * chosen.len() + j] = value;
            }
        }
    }
    let mut columns = BTreeMap::new();
    for name in rest.iter().filter(|n| !chosen.iter().any(|(c, _)| c == *n)) {
        if let Some(column) = column(table, name, &places) {
            columns.insert((*name).to_owned(), column);
        }
    }
    let names = chosen.into_iter().map(|(_, name)| name).collect();
    let attached = Attached { kind, source, names, values, columns, n_matched };
    tell(&attached, observations.len(), path, reading);
    Ok(attached)
}

/// The column that names the observations: the first, or another by which rows are often called, as pandas keeps its index.
fn names_of(table: &Table, observations: &[String]) -> Result<String> {
    let first = table.columns().first().ok_or_else(|| Error::malformed("the table has no columns"))?.name.clone();
    let known: BTreeSet<&str> = observations.iter().map(String::as_str).collect();
    let fits = |name: &String| table.texts(name).is_ok_and(|t| t.iter().flatten().any(|n| known.contains(n.as_str())));
    let others = table.columns().iter().map(|c| &c.name).filter(|n| NAME_COLUMNS.contains(&n.to_ascii_lowercase().as_str()));
    let found = std::iter::once(&first).chain(others).find(|n| fits(n));
    Ok(found.cloned().unwrap_or(first))
}

/// Row of each observation.
fn places(rows: &[Option<String>], observations: &[String], path: &Path, reading: &mut Reading) -> Result<Vec<Option<usize>>> {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut n_twice = 0;
    for (row, name) in rows.iter().enumerate() {
        let Some(name) = name else { continue };
        n_twice += usize::from(by_name.insert(name, row).is_some());
    }
    if n_twice > 0 {
        reading.warnings.warn(
            "names-twice",
            format!("{n_twice} rows have a name that stands before; the last counts"),
            Some(path),
        );
    }
    let places: Vec<Option<usize>> = observations.iter().map(|o| by_name.get(o.as_str()).copied()).collect();
    let n = places.iter().flatten().count();
    if n == 0 {
        let (row, observation) = (rows.iter().flatten().next(), observations.first());
        return Err(Error::malformed(format!(
            "no row of the table (such as {}) has the name of an observation (such as {}); its first column holds the names",
            row.map_or("none", String::as_str),
            observation.map_or("none", String::as_str)
        )));
    }
    if n < observations.len() {
        let text = format!("{} of {} observations have no row and stay empty", observations.len() - n, observations.len());
        reading.warnings.warn("rows-missing", text, Some(path));
    }
    let n_extra = by_name.len() - n.min(by_name.len());
    if n_extra > 0 {
        let text = format!("{n_extra} rows are of no observation in the table of expression and are left out");
        reading.warnings.warn("rows-without-observation", text, Some(path));
    }
    Ok(places)
}

type Chosen<'a> = Vec<(&'a str, String)>;

/// What a table is, and which of its columns hold that, with the names they get.
fn recognized<'a>(table: &Table, columns: &[&'a str]) -> (AttachedKind, String, Chosen<'a>) {
    let is_number = |name: &&&str| table.numbers(name).is_ok();
    for (start, source) in CELL2LOCATION {
        let named = |c: &&'a str| Some((*c, c.strip_prefix(start)?.trim_start_matches('_').to_owned()));
        let chosen: Chosen = columns.iter().filter_map(named).filter(|(c, _)| table.numbers(c).is_ok()).collect();
        if !chosen.is_empty() {
            return (AttachedKind::Composition, source.into(), chosen);
        }
    }
    let plain: Vec<&'a str> = columns
        .iter()
        .filter(is_number)
        .copied()
        .filter(|c| !NOT_AMOUNTS.iter().any(|n| c.starts_with(n)) && !matches!(*c, "residual" | "in_tissue" | "total"))
        .collect();
    if is_embedding(table, &plain) {
        let named = plain.into_iter().map(|c| (c, c.to_owned())).collect();
        return (AttachedKind::Embedding, "coordinates of a model".into(), named);
    }
    let is_rctd = RCTD_RESULTS.iter().all(|c| columns.contains(c));
    let amounts = |c: &&str| {
        let values = table.numbers(c).unwrap_or_default();
        values.iter().flatten().all(|v| *v >= 0.0)
    };
    let all_amounts =
        plain.len() >= 2 && plain.len() == columns.iter().filter(|c| **c != "residual").count() && plain.iter().all(amounts);
    if !is_rctd && all_amounts {
        let sums = row_sums(table, &plain);
        let shares = sums.iter().all(|s| (s - 1.0).abs() < 0.02);
        let source = if shares { "shares that sum to 1 (as of RCTD)" } else { "amounts (as of Tangram)" };
        let named = plain.into_iter().map(|c| (c, c.to_owned())).collect();
        return (AttachedKind::Composition, source.into(), named);
    }
    let source = if is_rctd { "RCTD's table of results, without weights" } else { "columns" };
    (AttachedKind::Columns, source.into(), Vec::new())
}

/// Whether columns are numbered coordinates: of one name, and known as such or with values below 0, which no amount has.
fn is_embedding(table: &Table, columns: &[&str]) -> bool {
    let stem = |c: &str| {
        let word = c.to_ascii_lowercase();
        let stem = word.trim_end_matches(|d: char| d.is_ascii_digit());
        (stem.len() < word.len()).then(|| stem.trim_end_matches(['_', '-', '.', ' ']).to_owned())
    };
    let Some(first) = columns.first().and_then(|c| stem(c)) else { return false };
    let alike = columns.len() >= 2 && columns.iter().all(|c| stem(c).as_ref() == Some(&first));
    let below = |c: &&str| table.numbers(c).is_ok_and(|v| v.iter().flatten().any(|v| *v < 0.0));
    alike && (first.is_empty() || EMBEDDINGS.contains(&first.as_str()) || columns.iter().any(below))
}

fn row_sums(table: &Table, columns: &[&str]) -> Vec<f64> {
    let mut sums = vec![0.0; table.n_rows()];
    for column in columns {
        let values = table.numbers(column).unwrap_or_default();
        sums.iter_mut().zip(values).for_each(|(s, v)| *s += v.unwrap_or(0.0));
    }
    sums
}

fn column(table: &Table, name: &str, places: &[Option<usize>]) -> Option<Column> {
    if let Ok(values) = table.numbers(name) {
        return Some(Column::Number(places.iter().map(|p| p.and_then(|r| values[r]).unwrap_or(f64::NAN)).collect()));
    }
    let Cells::Text(values) = &table.column(name)?.cells else { return None };
    Some(Column::Text(places.iter().map(|p| p.and_then(|r| values[r].clone()).unwrap_or_default()).collect()))
}

fn tell(attached: &Attached, n: usize, path: &Path, reading: &mut Reading) {
    let what = match attached.kind {
        AttachedKind::Composition => format!("amounts of {} types of cells", attached.names.len()),
        AttachedKind::Embedding => format!("{} coordinates", attached.names.len()),
        AttachedKind::Columns => format!("{} columns", attached.columns.len()),
    };
    let text = format!("taken for {what} ({}) of {} of {n} observations", attached.source, attached.n_matched);
    reading.warnings.note("table-attached", text, Some(path));
    let is_amounts = attached.kind == AttachedKind::Composition;
    let n_negative = attached.values.iter().filter(|v| **v < 0.0).count();
    if is_amounts && n_negative > 0 {
        let text = format!("{n_negative} amounts are negative; the shares of these observations are left empty");
        reading.warnings.warn("negative-amounts", text, Some(path));
    }
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{codes, run};
    use super::super::table::TableKind;
    use super::*;
    use crate::base::Limits;

    fn read(text: &str) -> (Result<Attached>, Vec<&'static str>) {
        let table = Table::parse(text.as_bytes().to_vec(), TableKind::Csv, &Limits::default()).unwrap();
        let names = ["a", "b", "c"].map(str::to_owned);
        let (found, warnings) = run(|r| attach(&table, &names, Path::new("t.csv"), r));
        (found, codes(&warnings))
    }

    #[test]
    fn tables_are_known_by_their_columns() {
        let (cells, said) = read(
            "spot,meanscell_abundance_w_sf_CM,q05cell_abundance_w_sf_CM,q05cell_abundance_w_sf_Fib 1,in_tissue\nc,9,3,1,1\na,9,0,2,1\nx,1,1,1,1\n",
        );
        let cells = cells.unwrap();
        assert_eq!((cells.kind, cells.names.join("|")), (AttachedKind::Composition, "CM|Fib 1".into()));
        let shares = cells.fractions();
        assert_eq!((&shares[..2], shares[2].is_nan(), &shares[4..]), (&[0.0, 1.0][..], true, &[0.75, 0.25][..]));
        assert_eq!(said, ["rows-missing", "rows-without-observation", "table-attached"]);
        let (rctd, _) = read("\"\",\"CM\",\"EC\"\n\"a\",0.25,0.75\n\"b\",1,0\n\"c\",0.5,0.5\n");
        assert!(rctd.unwrap().source.contains("RCTD"));
        let (tangram, _) = read("id,CM,EC\na,2.5,0.1\nb,1,0\nc,0,7\n");
        assert!(tangram.unwrap().source.contains("Tangram"));
        let (scvi, said) = read("id,scVI_1,scVI_2\na,-1,2\nb,0,1\nc,3,3\n");
        let scvi = scvi.unwrap();
        assert_eq!((scvi.kind, scvi.values[4], said), (AttachedKind::Embedding, 3.0, vec!["table-attached"]));
        let (other, _) = read("id,spot_class,first_type,second_type\na,singlet,CM,EC\n");
        assert_eq!((other.as_ref().unwrap().kind, other.unwrap().columns.len()), (AttachedKind::Columns, 3));
        let (last, _) = read("latent_0,latent_1,__index_level_0__\n0.5,2,b\n");
        assert_eq!(last.unwrap().values[2..4], [0.5, 2.0]);
        let (none, _) = read("id,CM\nq,1\n");
        assert!(none.unwrap_err().to_string().contains("such as q"));
        let (negative, said) = read("id,q05cell_abundance_w_sf_CM,q05cell_abundance_w_sf_EC\na,-1,2\nb,1,1\nc,2,2\n");
        assert!(negative.unwrap().fractions()[0].is_nan() && said.contains(&"negative-amounts"));
    }
}
