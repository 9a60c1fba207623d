//! Genes that vary over a section: Moran's I and Geary's C of all genes on a graph of neighboring spots.

use super::{InUse, Made, ValuesRecord, one_sample, pair};
use crate::base::{Error, Progress, Result};
use crate::model::{AnalysisResult, ElementId, Expression, Section, SpatialGene, SpatialGenes, SpatialNumbers, Study};
use crate::omics::{GeneAutocorrelation, GraphKind, SpatialGraph, array_places, autocorrelation};
use serde::{Deserialize, Serialize};

/// Nearest neighbors where nothing else is said, as on the command line.
const K: usize = 6;

/// Who is a neighbor. The names are on disk: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GraphRecord {
    /// Hexagonal where the places in the array are known, else the 6 nearest.
    Auto,
    /// The six around a spot of a hexagonal array.
    Hex,
    /// So many nearest.
    Knn {
        /// How many.
        k: usize,
    },
    /// All up to a distance in full-resolution pixels.
    Radius {
        /// The distance.
        px: f64,
    },
    /// Corners of a common triangle.
    Delaunay,
}

impl GraphRecord {
    fn kind(self, has_array: bool) -> GraphKind {
        match self {
            Self::Auto if has_array => GraphKind::Hex,
            Self::Auto => GraphKind::Nearest(K),
            Self::Hex => GraphKind::Hex,
            Self::Knn { k } => GraphKind::Nearest(k),
            Self::Radius { px } => GraphKind::Radius(px),
            Self::Delaunay => GraphKind::Delaunay,
        }
    }
}

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpatialGenesTask {
    /// The section.
    pub section: u64,
    /// What is done to counts first.
    pub values: ValuesRecord,
    /// Who is a neighbor.
    pub graph: GraphRecord,
    /// p-values also from so many permutations.
    pub n_permutations: usize,
    /// Seed of the permutations.
    pub seed: u64,
}

impl SpatialGenesTask {
    /// `log1p CP10k`, the graph that fits the section, no permutations.
    #[must_use]
    pub fn usual(section: ElementId) -> Self {
        let values = ValuesRecord::default();
        Self { section: section.0, values, graph: GraphRecord::Auto, n_permutations: 0, seed: 0 }
    }

    pub(in crate::session::task) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        progress.step(0.0, "choosing spots")?;
        let mut findings = Vec::new();
        let InUse { section, keep, part, .. } = InUse::of(study, ElementId(self.section), &mut findings)?;
        let table = self.values.table(part, &progress.part(0.05, 0.2), &mut findings)?;
        let (kind, graph) = self.graph(&section, &keep, &table, &progress.part(0.2, 0.3))?;
        findings.extend(graph.findings.iter().cloned());
        let found = autocorrelation(&graph, &table, self.n_permutations, self.seed, &progress.part(0.3, 1.0))?;
        findings.push(one_sample("p-values"));
        let genes: Vec<SpatialGene> =
            table.genes().iter().zip(&found).map(|(g, f)| SpatialGene { gene: g.clone(), numbers: f.map(numbers) }).collect();
        let result = SpatialGenes { n_spots: graph.n_spots(), n_edges: graph.n_edges(), genes };
        Ok(Made {
            title: format!("Spatial genes of {}", section.name),
            settings: self.settings(&table, kind),
            sentence: sentence(&result),
            findings,
            fields: Vec::new(),
            result: AnalysisResult::SpatialGenes(result),
        })
    }

    fn graph(
        &self,
        section: &Section,
        keep: &[usize],
        table: &Expression,
        progress: &Progress,
    ) -> Result<(GraphKind, SpatialGraph)> {
        let Some(spots) = &section.spots else {
            return Err(Error::degenerate("the spots have no positions, so they have no neighbors"));
        };
        let positions: Vec<[f64; 2]> = keep.iter().map(|&i| spots.px[i].to_array()).collect();
        let array = array_places(table);
        let kind = self.graph.kind(array.is_some());
        Ok((kind, SpatialGraph::new(&positions, array.as_deref(), kind, progress)?))
    }

    fn settings(&self, table: &Expression, kind: GraphKind) -> Vec<(String, String)> {
        let neighbors = match kind {
            GraphKind::Nearest(k) => format!("{k} nearest"),
            GraphKind::Radius(px) => format!("within {px} px"),
            other => other.name().to_owned(),
        };
        let permutations = if self.n_permutations == 0 { "none".to_owned() } else { self.n_permutations.to_string() };
        vec![
            pair("values", &table.unit),
            pair("neighbors", neighbors),
            pair("weights", "add up to 1 for each spot"),
            pair("p", "two-sided, under randomization"),
            pair("q", "Benjamini–Hochberg over all genes"),
            pair("permutations", permutations),
        ]
    }
}

fn numbers(found: GeneAutocorrelation) -> SpatialNumbers {
    let (m, g) = (found.moran, found.geary);
    SpatialNumbers {
        moran: [m.value, m.z, m.p, found.moran_q],
        geary: [g.value, g.z, g.p],
        permuted: m.p_permuted.zip(g.p_permuted).map(|(m, g)| [m, g]),
    }
}

fn sentence(found: &SpatialGenes) -> String {
    let tested = || found.genes.iter().filter_map(|g| Some((g, g.numbers?)));
    let n = tested().filter(|(_, n)| n.moran[3] < 0.05).count();
    let top = tested().max_by(|a, b| a.1.moran[0].total_cmp(&b.1.moran[0]));
    let led = top.map_or_else(String::new, |(g, n)| format!("; the highest Moran's I is {:.3}, of {}", n.moran[0], g.gene));
    format!("{n} of {} genes are alike among neighbors of {} spots (q below 0.05){led}.", found.genes.len(), found.n_spots)
}
