//! `deconvolve`: fractions of cell types at every observation.

use super::work::{Work, filled, names_column};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::Table;
use crate::omics::{Composition, DeconvolveSettings, Signature, deconvolve};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Options of `deconvolve`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `deconvolve`: table of mean expression, genes × cell types, linear (not logarithms).
    #[arg(long, value_name = "S.csv")]
    signature: Option<PathBuf>,
}

impl Options {
    /// Finds the fractions.
    pub(super) fn run(&self, mut work: Work, run: &Run) -> Result<Work> {
        let Some(path) = &self.signature else {
            return Err(Error::parameter("deconvolve needs --signature S.csv, a table of genes × cell types"));
        };
        let genes: BTreeSet<&str> =
            work.expression.genes().iter().chain(work.expression.gene_ids()).map(String::as_str).collect();
        let signature = read_signature(path, &genes, run)?;
        let found = deconvolve(&work.expression, &signature, &DeconvolveSettings::default(), &run.progress)?;
        let k = found.types.len();
        let mut columns = vec![names_column("id", work.expression.observations())];
        for (j, name) in found.types.iter().enumerate() {
            columns.push(filled(name, found.values.iter().skip(j).step_by(k).copied()));
        }
        columns.push(filled("residual", found.residual.iter().copied()));
        work.table("fractions.csv", Table::new(columns)?)?;
        work.findings.extend(found.findings);
        work.fractions = Some(Composition { types: found.types.clone(), values: found.values });
        work.lines.push(format!("fractions of {k} cell types from {} shared genes", found.n_genes));
        work.report.insert("deconvolve".into(), json!({"types": found.types, "n_genes": found.n_genes}));
        Ok(work)
    }
}

/// A signature of genes × types; turned around where the header, not the first column, names genes of the table.
fn read_signature(path: &Path, known: &BTreeSet<&str>, run: &Run) -> Result<Signature> {
    let table = Table::read(path, &run.limits)?;
    let Some((first, rest)) = table.columns().split_first() else {
        return Err(Error::malformed("the signature has no columns; genes and cell types were expected").at(path));
    };
    let missing = || Error::malformed("a row of the signature has no name; its first column names the genes").at(path);
    let lines: Vec<String> = table.texts(&first.name)?.into_iter().map(|n| n.ok_or_else(missing)).collect::<Result<_>>()?;
    let header: Vec<String> = rest.iter().map(|c| c.name.clone()).collect();
    let empty = |name: &str| Error::malformed(format!("the signature has an empty cell in column {name}; every mean is needed"));
    let mut columns = Vec::with_capacity(rest.len());
    for column in rest {
        let values = table.numbers(&column.name).map_err(|e| e.at(path))?;
        let values = values.into_iter().map(|v| v.ok_or_else(|| empty(&column.name).at(path)));
        columns.push(values.collect::<Result<Vec<f64>>>()?);
    }
    let n_known = |names: &[String]| names.iter().filter(|n| known.contains(n.as_str())).count();
    let made = if n_known(&header) > n_known(&lines) {
        Signature::new(header, lines, columns.concat())
    } else {
        let by_gene = (0..lines.len()).flat_map(|g| columns.iter().map(move |c| c[g])).collect();
        Signature::new(lines, header, by_gene)
    };
    made.map_err(|e| e.at(path))
}
