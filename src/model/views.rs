//! Views: one table of numbers per modality over the same samples. An absent row is a missing view, NaN is
//! a missing value; nothing is filled in here.

use super::Column;
use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// One modality's table: samples × features, row-major, NaN where a value is missing.
#[derive(Clone, Debug)]
pub struct ViewTable {
    name: String,
    ids: Vec<String>,
    features: Vec<String>,
    values: Vec<f64>,
}

/// A missing value equals a missing value, so that a study with such a table equals itself.
impl PartialEq for ViewTable {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
        (&self.name, &self.ids, &self.features) == (&other.name, &other.ids, &other.features)
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(same)
    }
}

impl ViewTable {
    /// Checked constructor. [`Error::Malformed`] where sizes do not fit, a sample or feature is there twice
    /// or has no name, or a value is infinite; at least one sample and one feature are needed.
    pub fn new(name: impl Into<String>, ids: Vec<String>, features: Vec<String>, values: Vec<f64>) -> Result<Self> {
        let name = name.into();
        let wrong = |what: String| Err(Error::malformed(format!("view {name}: {what}")));
        if ids.is_empty() || features.is_empty() {
            return wrong(format!("{} samples × {} features; at least one of each was expected", ids.len(), features.len()));
        }
        if ids.len().checked_mul(features.len()) != Some(values.len()) {
            return wrong(format!("{} values for {} samples × {} features", values.len(), ids.len(), features.len()));
        }
        for (what, names) in [("sample", &ids), ("feature", &features)] {
            if names.iter().any(String::is_empty) {
                return wrong(format!("a {what} has no name"));
            }
            if let Some(twice) = repeated(names) {
                return wrong(format!("the {what} {twice} is there twice; each may be there once"));
            }
        }
        if let Some(i) = values.iter().position(|v| v.is_infinite()) {
            let (row, column) = (i / features.len(), i % features.len());
            return wrong(format!("{} of {} is infinite", features[column], ids[row]));
        }
        Ok(Self { name, ids, features, values })
    }

    /// What the view is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the samples, in the order of the rows.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Names of the features, in the order of the columns.
    #[must_use]
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// All values, row by row; NaN is missing.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of rows.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.ids.len()
    }

    /// Number of columns.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// The values of one sample.
    #[must_use]
    pub fn row(&self, sample: usize) -> &[f64] {
        &self.values[sample * self.features.len()..(sample + 1) * self.features.len()]
    }

    /// The values of one feature, one per sample.
    #[must_use]
    pub fn column(&self, feature: usize) -> Vec<f64> {
        self.values.iter().skip(feature).step_by(self.features.len()).copied().collect()
    }

    /// The samples `keep` in that order.
    pub fn samples(&self, keep: &[usize]) -> Result<Self> {
        let ids = keep.iter().map(|&i| self.ids[i].clone()).collect();
        let values = keep.iter().flat_map(|&i| self.row(i).iter().copied()).collect();
        Self::new(self.name.clone(), ids, self.features.clone(), values)
    }
}

/// Several views over the union of their samples, in order of first appearance.
#[derive(Clone, Debug, PartialEq)]
pub struct Views {
    tables: Vec<ViewTable>,
    ids: Vec<String>,
    rows: Vec<Vec<Option<usize>>>,
    groups: Option<Vec<String>>,
    covariates: BTreeMap<String, Column>,
}

impl Views {
    /// Joins views by the names of their samples. [`Error::Parameter`] where there is none or two have one name.
    pub fn new(tables: Vec<ViewTable>) -> Result<Self> {
        if tables.is_empty() {
            return Err(Error::parameter("no view was given"));
        }
        let names: Vec<String> = tables.iter().map(|t| t.name.clone()).collect();
        if let Some(twice) = repeated(&names) {
            return Err(Error::parameter(format!("two views are called {twice}; give each its own name")));
        }
        let mut place: BTreeMap<&str, usize> = BTreeMap::new();
        let mut ids = Vec::new();
        for id in tables.iter().flat_map(|t| &t.ids) {
            place.entry(id).or_insert_with(|| {
                ids.push(id.clone());
                ids.len() - 1
            });
        }
        let rows = tables.iter().map(|t| {
            let mut rows = vec![None; ids.len()];
            t.ids.iter().enumerate().for_each(|(row, id)| rows[place[id.as_str()]] = Some(row));
            rows
        });
        let rows = rows.collect();
        Ok(Self { tables, ids, rows, groups: None, covariates: BTreeMap::new() })
    }

    /// With the group (patient) of each sample of the union. [`Error::Parameter`] where a sample has none.
    pub fn with_groups(mut self, groups: Vec<String>) -> Result<Self> {
        if groups.len() != self.ids.len() {
            return Err(Error::parameter(format!("{} groups for {} samples", groups.len(), self.ids.len())));
        }
        if let Some(i) = groups.iter().position(String::is_empty) {
            return Err(Error::parameter(format!("sample {} has no group; every sample must belong to a patient", self.ids[i])));
        }
        self.groups = Some(groups);
        Ok(self)
    }

    /// With covariates of each sample of the union (batch, age, …); missing stays missing.
    pub fn with_covariates(mut self, covariates: BTreeMap<String, Column>) -> Result<Self> {
        for (name, column) in &covariates {
            let n = match column {
                Column::Number(v) => v.len(),
                Column::Category { codes, .. } => codes.len(),
                Column::Text(v) => v.len(),
            };
            if n != self.ids.len() {
                return Err(Error::parameter(format!("covariate {name} has {n} values for {} samples", self.ids.len())));
            }
        }
        self.covariates = covariates;
        Ok(self)
    }

    /// The views in order.
    #[must_use]
    pub fn tables(&self) -> &[ViewTable] {
        &self.tables
    }

    /// The union of samples.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Group of each sample of the union, where groups are known.
    #[must_use]
    pub fn groups(&self) -> Option<&[String]> {
        self.groups.as_deref()
    }

    /// Covariates of the union's samples by name.
    #[must_use]
    pub fn covariates(&self) -> &BTreeMap<String, Column> {
        &self.covariates
    }

    /// Row of a sample of the union in a view; `None` is a missing view.
    #[must_use]
    pub fn row_of(&self, view: usize, sample: usize) -> Option<usize> {
        self.rows[view][sample]
    }

    /// Samples of the union that have all these views (values inside may still be missing).
    #[must_use]
    pub fn present_in(&self, views: &[usize]) -> Vec<usize> {
        (0..self.ids.len()).filter(|&i| views.iter().all(|&v| self.rows[v][i].is_some())).collect()
    }

    /// Values of a view at samples of the union, row-major; NaN throughout where the view is missing.
    #[must_use]
    pub fn matrix(&self, view: usize, samples: &[usize]) -> Vec<f64> {
        let table = &self.tables[view];
        let mut out = Vec::with_capacity(samples.len() * table.n_features());
        for &i in samples {
            match self.rows[view][i] {
                Some(row) => out.extend_from_slice(table.row(row)),
                None => out.extend(std::iter::repeat_n(f64::NAN, table.n_features())),
            }
        }
        out
    }
}

fn repeated(names: &[String]) -> Option<&str> {
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.windows(2).find(|w| w[0] == w[1]).map(|w| w[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn union_keeps_missing_rows_and_cells() {
        let a = ViewTable::new("a", words("p1 p2"), words("x y"), vec![1.0, f64::NAN, 3.0, 4.0]).unwrap();
        let b = ViewTable::new("b", words("p3 p2"), words("z"), vec![5.0, 6.0]).unwrap();
        assert_eq!(a.column(0), [1.0, 3.0]);
        let views = Views::new(vec![a.clone(), b]).unwrap();
        assert_eq!(views.ids(), words("p1 p2 p3"));
        assert_eq!(views.present_in(&[0, 1]), [1]);
        assert_eq!(views.row_of(1, 0), None);
        assert_eq!(views.matrix(1, &[1, 2]), [6.0, 5.0]);
        assert!(views.matrix(0, &[2]).iter().all(|v| v.is_nan()));
        assert!(views.clone().with_groups(words("g g")).is_err());
        assert_eq!(views.with_groups(words("g g h")).unwrap().groups().unwrap()[2], "h");
        assert!(Views::new(vec![a.clone(), a]).is_err());
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let make = |ids: &str, features: &str, values: Vec<f64>| ViewTable::new("v", words(ids), words(features), values);
        assert!(make("p p", "x", vec![1.0, 2.0]).unwrap_err().to_string().contains("sample p is there twice"));
        assert!(make("p q", "x", vec![1.0]).is_err());
        assert!(make("p q", "x", vec![1.0, f64::INFINITY]).unwrap_err().to_string().contains("x of q is infinite"));
        assert!(ViewTable::new("v", vec![], words("x"), vec![]).is_err());
    }
}
