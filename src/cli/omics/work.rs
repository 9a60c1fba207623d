//! What goes through the steps: the table with what is known of its observations, and what there is to
//! write and to say at the end.

use crate::base::{Error, Note, Result};
use crate::cli::Run;
use crate::io::{self, Extras, Table, TableColumn};
use crate::model::{Expression, Finding, Graph, Section};
use crate::omics::Composition;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The table on its way.
pub(super) struct Work {
    /// Where the observations lie; without their genes.
    pub section: Section,
    /// The table.
    pub expression: Expression,
    /// Arrays of observations (`obsm`): columns and values, row by row.
    pub arrays: BTreeMap<String, (usize, Vec<f64>)>,
    /// Graphs of observations (`obsp`).
    pub graphs: BTreeMap<String, Graph>,
    /// Fractions of cell types, where `deconvolve` found them.
    pub fractions: Option<Composition>,
    /// Tables to write, by file name.
    pub tables: Vec<(&'static str, Table)>,
    /// The name of the h5ad to write, where a step changed what belongs there.
    pub h5ad: Option<&'static str>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// Parts of the report, by step.
    pub report: Map<String, Value>,
    /// Lines for people.
    pub lines: Vec<String>,
    /// Whether the answer of a step was no.
    pub is_refused: bool,
}

impl Work {
    /// A table as it was read.
    pub fn new(section: Section, expression: Expression) -> Self {
        Self {
            section,
            expression,
            arrays: BTreeMap::new(),
            graphs: BTreeMap::new(),
            fractions: None,
            tables: Vec::new(),
            h5ad: None,
            findings: Vec::new(),
            report: Map::new(),
            lines: Vec::new(),
            is_refused: false,
        }
    }

    /// A table to write at the end; two of one name are refused, since one would replace the other.
    pub fn table(&mut self, name: &'static str, table: Table) -> Result<()> {
        if self.tables.iter().any(|t| t.0 == name) {
            return Err(Error::parameter(format!(
                "two of these steps write {name}; run them one by one into folders of their own"
            )));
        }
        self.tables.push((name, table));
        Ok(())
    }

    /// Writes everything into a folder; the names of the files.
    pub fn write(self, folder: &Path, run: &Run) -> Result<Vec<&'static str>> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("writing", e, folder))?;
        let mut files: Vec<&'static str> = Vec::new();
        for (name, table) in self.tables {
            run.progress.step(0.9, "writing tables")?;
            table.write(&folder.join(name))?;
            files.push(name);
        }
        let Some(name) = self.h5ad else { return Ok(files) };
        run.progress.step(0.95, "writing the table")?;
        let extras = Extras { obsm: self.arrays, graphs: self.graphs, ..Extras::default() };
        let section = Section { expression: Some(Arc::new(self.expression)), ..self.section };
        io::write_h5ad_with(&folder.join(name), &section, &extras)?;
        files.push(name);
        Ok(files)
    }
}

/// The file in an error of the mathematics, path last.
pub(super) fn named(error: Error, path: &Path) -> Error {
    match error {
        Error::Degenerate(what) => Error::Degenerate(format!("{what}: {}", path.display())),
        Error::Parameter(what) => Error::Parameter(format!("{what}: {}", path.display())),
        other => other.at(path),
    }
}

pub(super) fn note(finding: &Finding) -> Note {
    let remedy = if finding.remedy.is_empty() { String::new() } else { format!("; {}", finding.remedy) };
    Note { severity: finding.severity, code: finding.code, message: format!("{}{remedy}", finding.what), file: None }
}

/// A column of names.
pub(super) fn names_column(name: &str, values: &[String]) -> TableColumn {
    TableColumn::text(name, values.iter().map(|v| Some(v.clone())))
}

/// A column of numbers; those that are not finite are empty.
pub(super) fn filled(name: &str, values: impl IntoIterator<Item = f64>) -> TableColumn {
    TableColumn::numbers(name, values.into_iter().map(|v| Some(v).filter(|v| v.is_finite())))
}

/// A table with a column of names and numbered columns of a row-major matrix.
pub(super) fn wide(first: TableColumn, prefix: &str, k: usize, values: &[f64]) -> Result<Table> {
    let one = |j: usize| filled(&format!("{prefix}{}", j + 1), values.iter().skip(j).step_by(k).copied());
    Table::new(std::iter::once(first).chain((0..k).map(one)).collect())
}
