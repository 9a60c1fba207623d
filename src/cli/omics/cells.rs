//! Steps on the graph of cells: neighbors, cluster, embed.

use super::work::{Work, filled, names_column};
use crate::base::{Error, Result, Severity};
use crate::cli::Run;
use crate::io::{CellArrays, Reading, Table, TableColumn, read_arrays, table_file};
use crate::model::{Column, Expression, Finding, Graph};
use crate::omics::{ClusterSettings, ComponentSettings, EmbedSettings, NeighborSettings, cluster, components, embed, neighbors};
use clap::Args;
use serde_json::json;
use std::path::Path;

/// Tables of so many columns or fewer are coordinates themselves.
const MOST_COORDINATES: usize = 50;

/// Options of `neighbors`, `cluster` and `embed`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `neighbors`: coordinates of the cells in `obsm`, as `X_pca` (the default where it is there) or `X_scVI`.
    #[arg(long, value_name = "NAME")]
    use_rep: Option<String>,
    /// `cluster`, `niches`: larger gives more clusters.
    #[arg(long, value_name = "R", default_value_t = 1.0)]
    pub(super) resolution: f64,
    /// `embed`: how near cells may lie in the map.
    #[arg(long, value_name = "D", default_value_t = 0.5)]
    min_dist: f64,
    /// `embed`: scale of the map.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    spread: f64,
    /// `embed`: epochs (default 500, or 200 above 10,000 cells).
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
}

impl Options {
    /// Takes the coordinates and graphs that the input has.
    pub(super) fn load(&self, input: &Path, work: &mut Work, run: &mut Run) -> Result<()> {
        let Some(file) = table_file(input) else { return Ok(()) };
        let mut reading = Reading { limits: run.limits, progress: &run.progress, warnings: &mut run.warnings };
        let mut names = vec!["X_pca", "X_umap"];
        names.extend(self.use_rep.as_deref().filter(|r| !["X_pca", "X_umap"].contains(r)));
        let CellArrays { arrays, graphs } = read_arrays(&file, &names, &["connectivities", "distances"], &mut reading)?;
        let n = work.expression.observations().len();
        work.arrays.extend(arrays.into_iter().filter(|(_, (width, values))| values.len() == n * width));
        work.graphs.extend(graphs.into_iter().filter(|(_, g)| g.n_nodes() == n));
        Ok(())
    }

    /// Finds the graph.
    pub(super) fn neighbors(&self, k: Option<usize>, mut work: Work, run: &Run) -> Result<Work> {
        let settings = NeighborSettings { k: k.unwrap_or_else(|| NeighborSettings::default().k) };
        let name = self.coordinates(&mut work, run)?;
        let (d, points) = &work.arrays[&name];
        let found = neighbors(*d, points, &settings, &run.progress)?;
        if found.k < settings.k {
            let what = format!("{} neighbors instead of {}: there are no more cells", found.k, settings.k);
            work.findings.push(Finding {
                severity: Severity::Note,
                code: "few-cells",
                what,
                evidence: Vec::new(),
                remedy: String::new(),
            });
        }
        work.lines.push(format!("{} neighbors of each cell in {d} coordinates ({name})", found.k));
        let n_edges = found.connectivities.n_edges();
        work.report.insert("neighbors".into(), json!({"k": found.k, "coordinates": name, "n_edges": n_edges}));
        work.graphs.insert("connectivities".into(), found.connectivities);
        work.graphs.insert("distances".into(), found.distances);
        work.h5ad = Some("neighbors.h5ad");
        Ok(work)
    }

    /// Finds clusters.
    pub(super) fn cluster(&self, mut work: Work, run: &Run) -> Result<Work> {
        let settings = ClusterSettings { resolution: self.resolution, seed: run.shared.seed };
        let found = cluster(graph(&work)?, &settings, &run.progress)?;
        let (n, names) = (found.sizes.len(), (0..found.sizes.len()).map(|c| c.to_string()).collect());
        let table = vec![
            names_column("id", work.expression.observations()),
            TableColumn::whole("cluster", found.labels.iter().map(|l| Some(i64::from(*l)))),
        ];
        work.table("clusters.csv", Table::new(table)?)?;
        work.lines.push(format!("{n} clusters at resolution {}, modularity {:.4}", self.resolution, found.quality));
        let report = json!({"n": n, "sizes": found.sizes, "resolution": self.resolution, "modularity": found.quality});
        work.report.insert("cluster".into(), report);
        work.expression.columns.insert("leiden".into(), Column::Category { codes: found.labels, names });
        work.h5ad = Some("clustered.h5ad");
        Ok(work)
    }

    /// Finds a map.
    pub(super) fn embed(&self, mut work: Work, run: &Run) -> Result<Work> {
        let settings = EmbedSettings {
            min_dist: self.min_dist,
            spread: self.spread,
            epochs: self.epochs.unwrap_or(0),
            seed: run.shared.seed,
        };
        let name = self.coordinates(&mut work, run)?;
        let (d, points) = &work.arrays[&name];
        let found = embed(graph(&work)?, *d, points, &settings, &run.progress)?;
        let column = |axis: usize| found.places.iter().map(|p| f64::from(p[axis])).collect::<Vec<f64>>();
        let table =
            vec![names_column("id", work.expression.observations()), filled("umap1", column(0)), filled("umap2", column(1))];
        work.table("embedding.csv", Table::new(table)?)?;
        work.lines.push(format!("a map of {} cells after {} epochs", found.places.len(), found.epochs));
        let report = json!({"epochs": found.epochs, "min_dist": self.min_dist, "spread": self.spread});
        work.report.insert("embed".into(), report);
        let flat = found.places.iter().flatten().map(|v| f64::from(*v)).collect();
        work.arrays.insert("X_umap".into(), (2, flat));
        work.h5ad = Some("embedded.h5ad");
        Ok(work)
    }

    /// The name of the coordinates to use; without any, a narrow table is taken as it is and components are found of a wide one.
    fn coordinates(&self, work: &mut Work, run: &Run) -> Result<String> {
        let name = self.use_rep.as_deref().unwrap_or("X_pca");
        if work.arrays.contains_key(name) {
            return Ok(name.to_owned());
        }
        if let Some(missing) = &self.use_rep {
            return Err(Error::parameter(format!("--use-rep {missing}: the table has no such coordinates in obsm")));
        }
        let m = work.expression.genes().len();
        if m <= MOST_COORDINATES {
            work.arrays.insert("X".into(), (m, dense(&work.expression)));
            return Ok("X".into());
        }
        let keep = super::basics::marked(&work.expression);
        let settings = ComponentSettings { seed: run.shared.seed, ..ComponentSettings::default() };
        let found = components(&work.expression, keep.as_deref(), &settings, &run.progress)?;
        work.findings.extend(found.findings);
        work.findings.push(Finding {
            severity: Severity::Note,
            code: "components-chosen",
            what: format!("there were no components, so {} of {} genes were found first", found.pca.k, found.genes.len()),
            evidence: vec![("components".into(), found.pca.k as f64)],
            remedy: "choose them with the step pca".into(),
        });
        work.arrays.insert("X_pca".into(), (found.pca.k, found.pca.scores));
        Ok("X_pca".into())
    }
}

fn graph(work: &Work) -> Result<&Graph> {
    work.graphs
        .get("connectivities")
        .ok_or_else(|| Error::parameter("the table has no graph of cells; run neighbors first, as neighbors+cluster+embed"))
}

fn dense(expression: &Expression) -> Vec<f64> {
    let (n, m) = (expression.observations().len(), expression.genes().len());
    let mut out = vec![0.0; n * m];
    for gene in 0..m {
        expression.dense(gene).into_iter().enumerate().for_each(|(row, v)| out[row * m + gene] = f64::from(v));
    }
    out
}
