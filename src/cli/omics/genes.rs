//! Which matrix is read and what its genes are called: options of `omics` and `convert`.

use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::{self, Table};
use crate::model::{Duplicates, Expression, Section};
use clap::{Args, ValueEnum};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What becomes of genes of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// Each stays.
    #[default]
    Keep,
    /// `NAME-1`, `NAME-2`, …
    Unique,
    /// One gene with the sum of their values.
    Sum,
}

/// Options on the matrix and its genes.
#[derive(Args, Debug, Default)]
pub(in crate::cli) struct GeneOptions {
    /// The matrix of an AnnData table to take instead of X: `raw` or the name of a layer.
    #[arg(long, value_name = "NAME")]
    matrix: Option<String>,
    /// Take the version off Ensembl identifiers (ENSG00000175206.11).
    #[arg(long)]
    strip_versions: bool,
    /// Call genes by their identifiers, where the table has both.
    #[arg(long, conflicts_with = "gene_map")]
    by_id: bool,
    /// A table of two columns, identifiers and symbols: genes called by one get the other.
    #[arg(long, value_name = "MAP.csv")]
    gene_map: Option<PathBuf>,
    /// What becomes of genes of one name.
    #[arg(long, value_enum, default_value = "keep", value_name = "RULE")]
    duplicates: Rule,
}

impl GeneOptions {
    /// Whether anything is asked for.
    pub(in crate::cli) fn is_asked(&self) -> bool {
        self.matrix.is_some() || self.strip_versions || self.by_id || self.gene_map.is_some() || self.duplicates != Rule::Keep
    }

    /// Reads the table of a path with the asked matrix and genes.
    pub(in crate::cli) fn read(&self, path: &Path, run: &mut Run) -> Result<Section> {
        let mut section = io::read_matrix(path, self.matrix.as_deref(), &mut run.reading())?;
        if !self.is_asked() {
            return Ok(section);
        }
        // One owner, so that a large table is not copied.
        let Some(expression) = section.expression.take() else { return Ok(section) };
        let expression = self.apply(Arc::unwrap_or_clone(expression), run)?;
        Ok(Section { expression: Some(Arc::new(expression)), ..section })
    }

    fn apply(&self, mut expression: Expression, run: &mut Run) -> Result<Expression> {
        let n_genes = expression.genes().len();
        if self.strip_versions {
            let (bare, n) = expression.without_versions()?;
            let text = format!("the version is taken off {n} of {n_genes} identifiers");
            run.warnings.note("versions-stripped", text, None);
            expression = bare;
        }
        if self.by_id {
            let ids = expression.gene_ids().to_vec();
            if ids.is_empty() {
                return Err(Error::parameter("--by-id: the table has no identifiers beside the names of its genes"));
            }
            expression = expression.with_genes(ids.clone(), ids)?;
        }
        if let Some(path) = &self.gene_map {
            let names = read_map(path, &expression, run)?;
            let (mapped, n) = expression.mapped(&names).map_err(|e| match e {
                Error::Parameter(what) => Error::Parameter(format!("{what}: {}", path.display())),
                other => other,
            })?;
            let text = format!("{n} of {n_genes} genes get a name from the table; the others keep theirs");
            run.warnings.note("genes-mapped", text, Some(path));
            expression = mapped;
        }
        let (rule, done) = match self.duplicates {
            Rule::Keep => return Ok(expression),
            Rule::Unique => (Duplicates::Unique, "renamed"),
            Rule::Sum => (Duplicates::Sum, "added to the first of their name"),
        };
        let (expression, n) = expression.with_duplicates(rule)?;
        run.warnings.note("duplicates", format!("{n} genes whose name stands before are {done}"), None);
        Ok(expression)
    }
}

/// Names by what the genes are called now. Whichever of two columns knows more genes is looked up in.
fn read_map(path: &Path, expression: &Expression, run: &mut Run) -> Result<BTreeMap<String, String>> {
    let table = Table::read(path, &run.limits)?;
    let [first, second, ..] = table.columns() else {
        return Err(Error::malformed("the table of names has fewer than two columns").at(path));
    };
    let known: BTreeSet<&str> = expression.genes().iter().chain(expression.gene_ids()).map(String::as_str).collect();
    let [left, right] = [&first.name, &second.name].map(|n| table.texts(n));
    let (left, right) = (left?, right?);
    let count = |names: &[Option<String>]| names.iter().flatten().filter(|n| known.contains(n.as_str())).count();
    let (from, to) = if count(&left) >= count(&right) { (left, right) } else { (right, left) };
    let mut names = BTreeMap::new();
    let mut n_other = 0;
    for (old, new) in from.into_iter().zip(to) {
        let (Some(old), Some(new)) = (old, new) else { continue };
        match names.get(&old) {
            Some(before) if *before != new => n_other += 1,
            Some(_) => {}
            None => drop(names.insert(old, new)),
        }
    }
    if n_other > 0 {
        let text = format!("{n_other} rows give a second name to a gene; the first counts");
        run.warnings.warn("names-twice", text, Some(path));
    }
    Ok(names)
}
