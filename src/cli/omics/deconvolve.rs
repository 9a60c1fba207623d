//! `deconvolve`: fractions of cell types at every observation.

use super::work::{Work, filled, names_column};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::Table;
use crate::omics::{Composition, DeconvolveSettings, Signature, deconvolve};
use crate::session::read_signature;
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

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
        let read = read_signature(path, &genes, &run.limits)?;
        let signature = Signature::new(read.genes, read.types, read.values).map_err(|e| e.at(path))?;
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
