//! What spots are colored by: a gene, counts or log-normalized, or a column of the observation table,
//! with limits and the rule that gave them.

use crate::base::{Error, Result};
use crate::model::{Column, Expression, Field, Range, Section};
use std::sync::Arc;

/// One value per spot with its color limits.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotValues {
    /// In the order of the spots; NaN where missing or off tissue, and then not drawn.
    pub values: Arc<[f32]>,
    /// Value of the lowest color.
    pub low: f64,
    /// Value of the highest color.
    pub high: f64,
    /// As `NPPA`.
    pub title: String,
    /// As `log1p CP10k, 0–p99`.
    pub rule: String,
    /// Names of the codes 0, 1, … where the column has categories, else empty.
    pub categories: Vec<String>,
}

/// Values of a gene or, where no gene has that name, of a column.
///
/// Genes in counts are `ln(1 + 10⁴ · count / total)` of the spot where `log_normalized`; spots without
/// any count are missing. Limits are 0 and the 99th percentile (linear) of the spots on tissue that are not
/// missing; where that is 0 the maximum, and the rule says so. Columns with negative numbers go from their
/// 1st percentile; categories become codes. `range` replaces the limits. Where there is no such name all
/// values are missing and the rule says why.
#[must_use]
pub fn spot_values(section: &Section, color_by: &str, log_normalized: bool, range: Option<&Range>) -> SpotValues {
    let n = section.spots.as_ref().map_or(0, |s| s.px.len());
    try_spot_values(section, color_by, log_normalized, range).unwrap_or_else(|why| SpotValues {
        values: vec![f32::NAN; n].into(),
        low: 0.0,
        high: 1.0,
        title: color_by.to_owned(),
        rule: why.to_string(),
        categories: Vec::new(),
    })
}

/// As [`spot_values`]; [`Error::Parameter`] for an unknown name.
pub fn try_spot_values(section: &Section, color_by: &str, log_normalized: bool, range: Option<&Range>) -> Result<SpotValues> {
    let Some(expression) = &section.expression else {
        return Err(Error::parameter(format!("{} has no expression to color by {color_by}", section.name)));
    };
    let mut found = if let Some(gene) = expression.find_gene(color_by) {
        of_gene(expression, gene, log_normalized)
    } else if let Some(column) = expression.columns.get(color_by) {
        of_column(column, color_by)?
    } else {
        return Err(Error::parameter(format!("no gene or column of {} is called {color_by}", section.name)));
    };
    if let Some(spots) = &section.spots {
        let off = |i: usize| spots.in_tissue.get(i).is_some_and(|&t| !t);
        found.values.iter_mut().enumerate().filter(|(i, _)| off(*i)).for_each(|(_, v)| *v = f32::NAN);
    }
    let (low, high, limits) = match range {
        Some(range) => (range.low, range.high, range.rule.clone()),
        None => found.limits(),
    };
    let rule = if found.unit.is_empty() { limits } else { format!("{}, {limits}", found.unit) };
    Ok(SpotValues { values: found.values.into(), low, high, title: found.title, rule, categories: found.categories })
}

/// Values that an analysis made. Signed ones are centered on 0: limits are ± the 99th percentile of their
/// sizes; limits that the field shares with others come before that, `range` before all.
#[must_use]
pub fn field_values(field: &Field, range: Option<&Range>) -> SpotValues {
    let found = Found {
        values: field.values.to_vec(),
        title: field.name.clone(),
        unit: field.unit.clone(),
        categories: field.categories.to_vec(),
    };
    let (low, high, limits) = match (range.or(field.range.as_ref()), field.signed) {
        (Some(range), _) => (range.low, range.high, range.rule.clone()),
        (None, true) => found.signed_limits(),
        (None, false) => found.limits(),
    };
    let rule = if found.unit.is_empty() { limits } else { format!("{}, {limits}", found.unit) };
    SpotValues { values: Arc::clone(&field.values), low, high, title: found.title, rule, categories: found.categories }
}

impl SpotValues {
    /// Each category at its own entry of the color table, so that its color is the same however many there are; other
    /// values stay.
    #[must_use]
    pub fn by_entry(mut self) -> Self {
        if !self.categories.is_empty() {
            (self.low, self.high) = (0.0, 255.0);
        }
        self
    }
}

struct Found {
    values: Vec<f32>,
    title: String,
    unit: String,
    categories: Vec<String>,
}

fn of_gene(expression: &Expression, gene: usize, log_normalized: bool) -> Found {
    let mut values = expression.dense(gene);
    let mut unit = expression.unit.clone();
    if log_normalized && unit == "counts" {
        let totals = expression.totals();
        for (value, total) in values.iter_mut().zip(totals) {
            *value = if total > 0.0 { (1e4 * f64::from(*value) / total).ln_1p() as f32 } else { f32::NAN };
        }
        "log1p CP10k".clone_into(&mut unit);
    }
    Found { values, title: expression.genes()[gene].clone(), unit, categories: Vec::new() }
}

fn of_column(column: &Column, name: &str) -> Result<Found> {
    let (values, categories) = match column {
        Column::Number(v) => (v.iter().map(|&v| v as f32).collect(), Vec::new()),
        Column::Category { codes, names } => {
            let value = |&c: &u32| if (c as usize) < names.len() { c as f32 } else { f32::NAN };
            (codes.iter().map(value).collect(), names.clone())
        }
        Column::Text(_) => {
            return Err(Error::parameter(format!("column {name} is free text; color by a gene, a number or categories")));
        }
    };
    Ok(Found { values, title: name.to_owned(), unit: String::new(), categories })
}

impl Found {
    fn limits(&self) -> (f64, f64, String) {
        if !self.categories.is_empty() {
            let n = self.categories.len();
            return (0.0, (n as f64 - 1.0).max(1.0), format!("{n} categories"));
        }
        let mut sorted: Vec<f64> = self.values.iter().map(|&v| f64::from(v)).filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else { return (0.0, 1.0, "no values".into()) };
        let high = percentile(&sorted, 0.99);
        if least < 0.0 {
            let low = percentile(&sorted, 0.01);
            return (low, if high > low { high } else { low + 1.0 }, "p1–p99".into());
        }
        if high > 0.0 {
            return (0.0, high, "0–p99".into());
        }
        let rule = if most > 0.0 { "0–max (p99 is 0)" } else { "all 0" };
        (0.0, if most > 0.0 { most } else { 1.0 }, rule.into())
    }

    fn signed_limits(&self) -> (f64, f64, String) {
        let mut sizes: Vec<f64> = self.values.iter().map(|v| f64::from(v.abs())).filter(|v| v.is_finite()).collect();
        sizes.sort_by(f64::total_cmp);
        let high = if sizes.is_empty() { 0.0 } else { percentile(&sizes, 0.99) };
        if high > 0.0 { (-high, high, "±p99".into()) } else { (-1.0, 1.0, "all 0".into()) }
    }
}

/// Between neighbors in proportion (R type 7, as `numpy`).
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let (a, b) = (place.floor() as usize, place.ceil() as usize);
    sorted[a] + (sorted[b] - sorted[a]) * (place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PixelSize, Spots};
    use crate::space::DVec2;

    fn section() -> Section {
        let names = |p: &str, n: usize| (0..n).map(|i| format!("{p}{i}")).collect::<Vec<_>>();
        let n = 101;
        let offsets: Vec<u64> = (0..=n as u64).map(|i| i * 2).collect();
        let genes: Vec<u32> = (0..n).flat_map(|_| [0, 1]).collect();
        let counts: Vec<f32> = (0..n).flat_map(|i| [i as f32, 1000.0 - i as f32]).collect();
        let mut e = Expression::from_rows(names("g", 3), vec![], names("s", n), &offsets, &genes, &counts).unwrap();
        let codes = (0..n as u32).map(|i| if i == 5 { u32::MAX } else { i % 3 }).collect();
        e.columns.insert("type".into(), Column::Category { codes, names: names("t", 3) });
        let spots = Spots { px: vec![DVec2::ZERO; n].into(), diameter_px: 5.0, in_tissue: (0..n).map(|i| i != 100).collect() };
        Section {
            name: "s".into(),
            picture: None,
            pixel_size: PixelSize::Unknown,
            spots: Some(spots.into()),
            expression: Some(e.into()),
        }
    }

    #[test]
    fn a_gene_by_the_rule() {
        let s = section();
        let v = spot_values(&s, "G0", true, None);
        assert!((f64::from(v.values[50]) - (1.0f64 + 1e4 * 50.0 / 1000.0).ln()).abs() < 1e-6);
        assert!(v.values[100].is_nan(), "off tissue");
        assert_eq!((v.title.as_str(), v.rule.as_str()), ("g0", "log1p CP10k, 0–p99"));
        let counts = spot_values(&s, "g0", false, None);
        assert!((counts.high - 98.01).abs() < 1e-4, "numpy.percentile(arange(100), 99), found {}", counts.high);
        assert_eq!(spot_values(&s, "g2", false, None).rule, "counts, all 0");
        let typed = Range { low: 1.0, high: 2.0, rule: "typed".into() };
        assert_eq!(spot_values(&s, "g0", false, Some(&typed)).rule, "counts, typed");
    }

    #[test]
    fn columns_and_unknown_names() {
        let v = spot_values(&section(), "type", true, None);
        assert_eq!((v.values[4], v.low, v.high, v.categories.len()), (1.0, 0.0, 2.0, 3));
        assert!(v.values[5].is_nan());
        assert!(matches!(try_spot_values(&section(), "nobody", true, None), Err(Error::Parameter(_))));
        assert!(spot_values(&section(), "nobody", true, None).values.iter().all(|v| v.is_nan()));
    }
}
