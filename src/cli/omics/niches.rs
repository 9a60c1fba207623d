//! `niches`: observations of alike composition of cell types.

use super::cells;
use super::spatial;
use super::work::{Work, filled, names_column};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::{Table, TableColumn};
use crate::model::Column;
use crate::omics::{Composition, NicheSettings, neighborhoods, niches};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Options of `niches`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `niches`: table of `id` and a column for each cell type, as `deconvolve` writes it; in a chain its own are taken.
    #[arg(long, value_name = "F.csv", conflicts_with = "types")]
    fractions: Option<PathBuf>,
    /// `niches`: column of cell types; the composition is that of each observation with its spatial neighbors (`--kind`).
    #[arg(long, value_name = "COLUMN")]
    types: Option<String>,
    /// `niches`: what shares of 0 become before log-ratios (default: 1 / types²).
    #[arg(long, value_name = "SHARE")]
    zero: Option<f64>,
}

impl Options {
    /// Finds niches: `niches.csv`, `niche_means.csv` and an h5ad with the column `niche`.
    pub(super) fn run(
        &self,
        (cells, spatial): (&cells::Options, &spatial::Options),
        k: Option<usize>,
        mut work: Work,
        run: &Run,
    ) -> Result<Work> {
        let (composition, from) = self.composition(spatial, k, &mut work, run)?;
        // With types, `--k` is for the spatial neighbors.
        let k = k.filter(|_| self.types.is_none()).unwrap_or(NicheSettings::default().k);
        let settings = NicheSettings { k, resolution: cells.resolution, zero: self.zero, seed: run.shared.seed };
        let found = niches(&composition, &settings, &run.progress)?;
        let n_types = composition.types.len();
        let niche = TableColumn::whole("niche", found.labels.iter().map(|l| l.map(i64::from)));
        let mut columns = vec![names_column("id", work.expression.observations()), niche];
        let ratio = |j: usize| found.coordinates.iter().skip(j).step_by(n_types - 1).copied();
        columns.extend((0..n_types - 1).map(|j| filled(&format!("ilr{}", j + 1), ratio(j))));
        work.table("niches.csv", Table::new(columns)?)?;
        let mut means = vec![
            TableColumn::whole("niche", (0..found.sizes.len()).map(|g| i64::try_from(g).ok())),
            TableColumn::whole("n", found.sizes.iter().map(|n| i64::try_from(*n).ok())),
        ];
        let column = |(j, name): (usize, &String)| filled(name, found.means.iter().skip(j).step_by(n_types).copied());
        means.extend(composition.types.iter().enumerate().map(column));
        work.table("niche_means.csv", Table::new(means)?)?;
        let told = found.silhouette.map_or(String::new(), |s| format!(", mean silhouette {s:.3}"));
        work.lines.push(format!("{} niches by {n_types} cell types ({from}){told}", found.sizes.len()));
        let report = json!({
            "n": found.sizes.len(), "sizes": found.sizes, "types": composition.types, "from": from, "k": settings.k,
            "resolution": settings.resolution, "silhouette": found.silhouette,
        });
        work.report.insert("niches".into(), report);
        let codes = found.labels.iter().map(|l| l.unwrap_or(u32::MAX)).collect();
        let names = (0..found.sizes.len()).map(|g| g.to_string()).collect();
        work.expression.columns.insert("niche".into(), Column::Category { codes, names });
        work.arrays.insert("X_ilr".into(), (n_types - 1, found.coordinates));
        work.findings.extend(found.findings);
        work.h5ad = Some("niches.h5ad");
        Ok(work)
    }

    /// Shares of cell types, and where they are from.
    fn composition(
        &self,
        spatial: &spatial::Options,
        k: Option<usize>,
        work: &mut Work,
        run: &Run,
    ) -> Result<(Composition, String)> {
        if let Some(column) = &self.types {
            let (codes, types) = categories(work, column)?;
            let (kind, graph) = spatial.graph(k, &work.section, &work.expression, run)?;
            work.findings.extend(graph.findings.clone());
            return Ok((neighborhoods(&graph, &codes, types), format!("{column} around each, {}", kind.name())));
        }
        match (&self.fractions, work.fractions.take()) {
            (Some(path), _) => read_fractions(path, work, run).map(|c| (c, "fractions".into())).map_err(|e| e.at(path)),
            (None, Some(found)) => Ok((found, "deconvolution".into())),
            (None, None) => Err(Error::parameter(
                "niches needs a composition: --fractions F.csv, --types COLUMN, or deconvolve before it, as deconvolve+niches",
            )),
        }
    }
}

/// Codes and names of a column of categories or text.
fn categories(work: &Work, name: &str) -> Result<(Vec<u32>, Vec<String>)> {
    match work.expression.columns.get(name) {
        Some(Column::Category { codes, names }) => Ok((codes.clone(), names.clone())),
        Some(Column::Text(texts)) => {
            let mut names: Vec<String> = texts.iter().filter(|t| !t.is_empty()).cloned().collect();
            names.sort();
            names.dedup();
            let code = |t: &String| names.binary_search(t).map_or(u32::MAX, |c| c as u32);
            Ok((texts.iter().map(code).collect(), names))
        }
        Some(Column::Number(_)) => {
            Err(Error::parameter(format!("--types {name}: the column holds numbers; a column of names was expected")))
        }
        None => {
            let known: Vec<&str> = work.expression.columns.keys().map(String::as_str).collect();
            Err(Error::parameter(format!("--types {name}: there is no such column; there are {}", known.join(", "))))
        }
    }
}

/// Fractions by `id`, in the order of the observations; those not in the table are unknown.
fn read_fractions(path: &Path, work: &mut Work, run: &Run) -> Result<Composition> {
    let table = Table::read(path, &run.limits)?;
    let ids = table.texts("id")?;
    let types: Vec<String> = table.columns().iter().map(|c| c.name.clone()).filter(|n| n != "id" && n != "residual").collect();
    let columns = types.iter().map(|t| table.numbers(t)).collect::<Result<Vec<_>>>()?;
    let mut rows = BTreeMap::new();
    for (row, id) in ids.iter().enumerate() {
        if let Some(id) = id
            && rows.insert(id.as_str(), row).is_some()
        {
            return Err(Error::malformed(format!("{id} is in the table of fractions twice")));
        }
    }
    let observations = work.expression.observations();
    if !observations.iter().any(|o| rows.contains_key(o.as_str())) {
        return Err(Error::malformed("none of its ids is an observation of the table"));
    }
    let values = observations.iter().flat_map(|o| {
        let row = rows.get(o.as_str());
        columns.iter().map(move |c| row.and_then(|r| c[*r]).unwrap_or(f64::NAN))
    });
    Ok(Composition { values: values.collect(), types })
}
