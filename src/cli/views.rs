//! Tables of samples as views and covariates, from files.

use crate::base::{Error, Limits, Result};
use crate::guard::looks_like_group;
use crate::io::Table;
use crate::model::{ViewTable, Views};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A table whose rows are samples.
#[derive(Debug)]
pub struct Sheet {
    path: PathBuf,
    table: Table,
    /// Names of the samples, from the column `id`, or the first.
    pub ids: Vec<String>,
    id_column: String,
}

impl Sheet {
    /// Reads a table; its column `id` (or, without one, the first) names the samples.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        let table = Table::read(path, limits)?;
        let first = table.columns().first().map(|c| c.name.clone()).unwrap_or_default();
        let id_column = table.column("id").map_or(first, |c| c.name.clone());
        let ids = table.texts(&id_column).map_err(|e| e.at(path))?;
        let ids: Vec<String> =
            ids.into_iter().enumerate().map(|(row, id)| named(id, row, &id_column, path)).collect::<Result<_>>()?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = ids.iter().find(|id| !seen.insert(id.as_str())) {
            return Err(Error::malformed(format!("the sample {twice} is there twice; each may be there once")).at(path));
        }
        Ok(Self { path: path.to_path_buf(), table, ids, id_column })
    }

    /// All columns but the samples' names and `except`, as numbers.
    pub fn view(&self, name: &str, except: Option<&str>) -> Result<ViewTable> {
        let used = |c: &&str| *c != self.id_column && Some(*c) != except;
        let features: Vec<&str> = self.table.columns().iter().map(|c| c.name.as_str()).filter(used).collect();
        let columns: Vec<Vec<Option<f64>>> =
            features.iter().map(|f| self.table.numbers(f).map_err(|e| e.at(&self.path))).collect::<Result<_>>()?;
        let mut values = Vec::with_capacity(self.ids.len() * features.len());
        for row in 0..self.ids.len() {
            values.extend(columns.iter().map(|c| c[row].unwrap_or(f64::NAN)));
        }
        let features = features.into_iter().map(str::to_owned).collect();
        ViewTable::new(name, self.ids.clone(), features, values).map_err(|e| e.at(&self.path))
    }

    /// A column by name as words, by sample.
    pub fn words(&self, column: &str) -> Result<BTreeMap<&str, Option<String>>> {
        let words = self.table.texts(column).map_err(|e| e.at(&self.path))?;
        Ok(self.ids.iter().map(String::as_str).zip(words).collect())
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.table.column(column).is_some()
    }

    /// The first column that looks as if it named patients, with the number of its values.
    pub fn group_column(&self) -> Option<(String, usize)> {
        let all = self.table.columns().iter().filter(|c| c.name != self.id_column);
        all.filter_map(|c| Some((c.name.clone(), self.table.texts(&c.name).ok()?)))
            .find(|(name, values)| looks_like_group(name, values))
            .map(|(name, values)| (name, values.iter().flatten().collect::<BTreeSet<_>>().len()))
    }

    /// Positions `x_mm`, `y_mm` of these samples; `None` without the columns.
    pub fn points(&self, ids: &[String]) -> Result<Option<Vec<[f64; 2]>>> {
        if !self.has("x_mm") || !self.has("y_mm") {
            return Ok(None);
        }
        let [x, y] = ["x_mm", "y_mm"].map(|c| self.table.numbers(c).map_err(|e| e.at(&self.path)));
        let (x, y) = (x?, y?);
        let place: BTreeMap<&str, usize> = self.ids.iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
        let point = |id: &String| {
            let row = place.get(id.as_str()).copied();
            row.and_then(|r| Some([x[r]?, y[r]?]))
                .ok_or_else(|| Error::malformed(format!("sample {id} has no position x_mm, y_mm")).at(&self.path))
        };
        ids.iter().map(point).collect::<Result<Vec<_>>>().map(Some)
    }
}

fn named(id: Option<String>, row: usize, column: &str, path: &Path) -> Result<String> {
    id.ok_or_else(|| Error::malformed(format!("row {} has no name in column {column}", row + 1)).at(path))
}

/// Views from `NAME=FILE`, with groups from `group` (a column of the covariates or of a view's file).
/// Beside them, where no group was given, a column that looks like one, with the number of its values.
pub fn views_of(
    named: &[String],
    covariates: Option<&Sheet>,
    group: Option<&str>,
    limits: &Limits,
) -> Result<(Views, Option<(String, usize)>)> {
    let mut sheets = Vec::new();
    for text in named {
        let wrong = || Error::parameter(format!("--view {text}: expected NAME=FILE with a name of letters, digits, - or _"));
        let (name, path) = text.split_once('=').ok_or_else(wrong)?;
        let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(wrong());
        }
        sheets.push((name, Sheet::read(Path::new(path), limits)?));
    }
    let looks = covariates.and_then(Sheet::group_column).or_else(|| sheets.iter().find_map(|(_, s)| s.group_column()));
    let guess = looks.as_ref().map(|(name, _)| name.as_str());
    let tables = sheets.iter().map(|(name, sheet)| sheet.view(name, group.or(guess))).collect::<Result<_>>()?;
    let views = Views::new(tables)?;
    let Some(column) = group else { return Ok((views, looks)) };
    let source = covariates.into_iter().chain(sheets.iter().map(|(_, s)| s)).find(|s| s.has(column));
    let Some(source) = source else {
        return Err(Error::parameter(format!("--group {column}: no table has this column; give it with --covariates")));
    };
    let words = source.words(column)?;
    let of = |id: &String| {
        let word = words.get(id.as_str()).cloned().flatten();
        word.ok_or_else(|| Error::malformed(format!("sample {id} has no {column}; every sample needs one")).at(&source.path))
    };
    let groups = views.ids().iter().map(of).collect::<Result<Vec<_>>>()?;
    Ok((views.with_groups(groups)?, None))
}
