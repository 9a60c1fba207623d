//! A table of expression as a plain table: one row for each cell or spot, one column for each gene.

use super::{Table, TableColumn};
use crate::base::{Error, Limits, Result};
use crate::model::Section;
use std::path::Path;

/// Writes cells × genes as CSV, TSV or Parquet by ending; the first column is `id`. Missing values are empty.
/// [`Error::Parameter`] where two genes have one name, [`Error::TooLarge`] where the dense table is beyond the limits.
pub fn write_expression_table(path: &Path, section: &Section, limits: &Limits) -> Result<()> {
    let Some(expression) = &section.expression else {
        return Err(Error::parameter(format!("{} has no genes, so there is no table to write", section.name)));
    };
    let (n, m) = (expression.observations().len(), expression.genes().len());
    limits.check("the table of cells × genes", &[n as u64, m as u64], 32)?;
    let is_whole = |values: &[f32]| values.iter().all(|v| v.fract() == 0.0 && v.abs() < 1e9);
    let mut columns = vec![TableColumn::text("id", expression.observations().iter().map(|o| Some(o.clone())))];
    for (gene, name) in expression.genes().iter().enumerate() {
        let values = expression.dense(gene);
        columns.push(if is_whole(&values) {
            TableColumn::whole(name, values.into_iter().map(|v| Some(v as i64)))
        } else {
            // The shortest decimal of a single-precision number, not of its image in double precision.
            let exact = |v: f32| v.to_string().parse::<f64>().ok().filter(|v| v.is_finite());
            TableColumn::numbers(name, values.into_iter().map(exact))
        });
    }
    let twice = |e: Error| match e {
        Error::Malformed { what, .. } => {
            Error::parameter(format!("{what}; choose what becomes of genes of one name with --duplicates"))
        }
        other => other,
    };
    Table::new(columns).map_err(twice)?.write(path)
}
