//! Steps on neighbors: graph, autocorrelation.

use super::work::Work;
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::{Table, TableColumn};
use crate::model::{Expression, Section};
use crate::omics::{GeneAutocorrelation, GraphKind, SpatialGraph, array_places, autocorrelation, lee, local_moran};
use clap::{Args, ValueEnum};
use serde_json::json;

/// How neighbors are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The six around a spot of a hexagonal array.
    Hex,
    /// The nearest (`--k`).
    Knn,
    /// All up to a distance (`--radius`).
    Radius,
    /// Corners of a common Delaunay triangle.
    Delaunay,
}

/// Options of `graph`, `autocorrelation` and `niches --types`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `graph`, `autocorrelation`: who is a neighbor (default: hex where the spots' places in the array are
    /// known, else knn).
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// `--kind radius`: largest distance, in the unit of the file's positions.
    #[arg(long, value_name = "DISTANCE")]
    radius: Option<f64>,
    /// `autocorrelation`: p-values also from so many permutations of the spots.
    #[arg(long, value_name = "N", default_value_t = 0)]
    spatial_permutations: usize,
    /// `autocorrelation`: local Moran's I of these genes.
    #[arg(long, value_name = "GENE", value_delimiter = ',')]
    local: Vec<String>,
    /// `autocorrelation`: Lee's L of all pairs of these genes.
    #[arg(long, value_name = "GENE", value_delimiter = ',')]
    lee: Vec<String>,
}

impl Options {
    /// Finds neighbors; `graph.csv` where asked for, and the tables of `autocorrelation`. `k` is for `--kind knn`.
    pub(super) fn run(&self, [graph_too, genes_too]: [bool; 2], k: Option<usize>, mut work: Work, run: &Run) -> Result<Work> {
        let (kind, graph) = self.graph(k, &work.section, &work.expression, run)?;
        work.findings.extend(graph.findings.clone());
        let mut line = format!("{} spots have {} neighbors", graph.n_spots(), graph.n_edges());
        let report = json!({
            "kind": kind.name(), "n_spots": graph.n_spots(), "n_edges": graph.n_edges(), "n_islands": graph.n_islands(),
        });
        work.report.insert("graph".into(), report);
        if graph_too {
            let table = graph_table(&graph, &work.expression)?;
            work.table("graph.csv", table)?;
        }
        if genes_too {
            let found = autocorrelation(&graph, &work.expression, self.spatial_permutations, run.shared.seed, &run.progress)?;
            let n_found = found.iter().flatten().filter(|g| g.moran_q < 0.05).count();
            let alike = format!("{n_found} of {} genes are alike among neighbors (q below 0.05)", found.len());
            line = format!("{line}; {alike}");
            let table = autocorrelation_table(&work.expression, &found)?;
            work.table("autocorrelation.csv", table)?;
            if !self.local.is_empty() {
                let table = self.local_table(&graph, &work.expression)?;
                work.table("local.csv", table)?;
            }
            if !self.lee.is_empty() {
                let table = self.lee_table(&graph, &work.expression, run)?;
                work.table("lee.csv", table)?;
            }
        }
        work.lines.push(line);
        Ok(work)
    }

    pub(super) fn graph(
        &self,
        k: Option<usize>,
        section: &Section,
        expression: &Expression,
        run: &Run,
    ) -> Result<(GraphKind, SpatialGraph)> {
        let Some(spots) = &section.spots else {
            return Err(Error::degenerate("the observations have no positions, so they have no neighbors"));
        };
        let positions: Vec<[f64; 2]> = spots.px.iter().map(|p| p.to_array()).collect();
        let array = array_places(expression);
        let kind = match (self.kind, self.radius, &array) {
            (Some(Kind::Knn) | None, None, None) => GraphKind::Nearest(k.unwrap_or(6)),
            (Some(Kind::Knn), None, Some(_)) => GraphKind::Nearest(k.unwrap_or(6)),
            (Some(Kind::Radius), Some(r), _) if k.is_none() => GraphKind::Radius(r),
            (Some(Kind::Radius), None, _) => return Err(Error::parameter("--kind radius needs --radius")),
            (Some(Kind::Delaunay), None, _) if k.is_none() => GraphKind::Delaunay,
            (Some(Kind::Hex) | None, None, _) if k.is_none() => GraphKind::Hex,
            _ => return Err(Error::parameter("--k belongs to --kind knn, and --radius to --kind radius")),
        };
        Ok((kind, SpatialGraph::new(&positions, array.as_deref(), kind, &run.progress)?))
    }

    fn local_table(&self, graph: &SpatialGraph, expression: &Expression) -> Result<Table> {
        let (mut ids, mut genes, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for name in &self.local {
            let (name, values) = gene(expression, name)?;
            found.extend(local_moran(graph, &values).map_err(|e| of_gene(e, &name))?);
            ids.extend(expression.observations().iter().map(|id| Some(id.clone())));
            genes.extend(std::iter::repeat_n(Some(name), values.len()));
        }
        Table::new(vec![
            TableColumn::text("id", ids),
            TableColumn::text("gene", genes),
            filled("local_i", found.iter().map(|l| l.i)),
            filled("local_z", found.iter().map(|l| l.z)),
            filled("local_p", found.iter().map(|l| l.p)),
        ])
    }

    fn lee_table(&self, graph: &SpatialGraph, expression: &Expression, run: &Run) -> Result<Table> {
        let maps: Vec<(String, Vec<f64>)> = self.lee.iter().map(|n| gene(expression, n)).collect::<Result<_>>()?;
        let pairs: Vec<[usize; 2]> = (0..maps.len()).flat_map(|a| (a + 1..maps.len()).map(move |b| [a, b])).collect();
        if pairs.is_empty() {
            return Err(Error::parameter("--lee needs at least two genes, as --lee A,B"));
        }
        let found = pairs.iter().map(|[a, b]| {
            let maps = [&maps[*a], &maps[*b]];
            lee(graph, maps.map(|m| m.1.as_slice()), self.spatial_permutations, run.shared.seed, &run.progress)
                .map_err(|e| of_gene(e, &format!("{} or {}", maps[0].0, maps[1].0)))
        });
        let found = found.collect::<Result<Vec<_>>>()?;
        let names = |side: usize| pairs.iter().map(move |p| p[side]).map(|g| Some(maps[g].0.clone())).collect::<Vec<_>>();
        Table::new(vec![
            TableColumn::text("gene_a", names(0)),
            TableColumn::text("gene_b", names(1)),
            filled("lee_l", found.iter().map(|l| l.l)),
            TableColumn::numbers("lee_p_permuted", found.iter().map(|l| l.p)),
        ])
    }
}

fn gene(expression: &Expression, name: &str) -> Result<(String, Vec<f64>)> {
    let at = expression.find_gene(name).ok_or_else(|| Error::parameter(format!("there is no gene “{name}”")))?;
    Ok((expression.genes()[at].clone(), expression.dense(at).into_iter().map(f64::from).collect()))
}

fn of_gene(error: Error, name: &str) -> Error {
    match error {
        Error::Degenerate(what) => Error::Degenerate(format!("{name}: {what}")),
        other => other,
    }
}

/// A column of numbers; those that are not finite are empty.
fn filled(name: &str, values: impl IntoIterator<Item = f64>) -> TableColumn {
    TableColumn::numbers(name, values.into_iter().map(|v| Some(v).filter(|v| v.is_finite())))
}

fn graph_table(graph: &SpatialGraph, expression: &Expression) -> Result<Table> {
    let ids = expression.observations();
    let edges = || {
        (0..graph.n_spots()).flat_map(|i| {
            let (neighbors, weights) = graph.row(i);
            neighbors.iter().zip(weights).map(move |(j, w)| (i, *j as usize, *w))
        })
    };
    Table::new(vec![
        TableColumn::text("id", edges().map(|e| Some(ids[e.0].clone()))),
        TableColumn::text("neighbor", edges().map(|e| Some(ids[e.1].clone()))),
        filled("weight", edges().map(|e| e.2)),
    ])
}

fn autocorrelation_table(expression: &Expression, found: &[Option<GeneAutocorrelation>]) -> Result<Table> {
    let column = |name: &str, of: &dyn Fn(&GeneAutocorrelation) -> f64| {
        filled(name, found.iter().map(|g| g.as_ref().map_or(f64::NAN, of)))
    };
    let mut columns = vec![
        TableColumn::text("gene", expression.genes().iter().map(|g| Some(g.clone()))),
        column("moran_i", &|g| g.moran.value),
        column("moran_z", &|g| g.moran.z),
        column("moran_p", &|g| g.moran.p),
        column("moran_q", &|g| g.moran_q),
        column("geary_c", &|g| g.geary.value),
        column("geary_z", &|g| g.geary.z),
        column("geary_p", &|g| g.geary.p),
    ];
    if found.iter().flatten().any(|g| g.moran.p_permuted.is_some()) {
        columns.push(column("moran_p_permuted", &|g| g.moran.p_permuted.unwrap_or(f64::NAN)));
        columns.push(column("geary_p_permuted", &|g| g.geary.p_permuted.unwrap_or(f64::NAN)));
    }
    Table::new(columns)
}
