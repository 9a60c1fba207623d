//! Clusters and a map of spots, both from the graph of the spots whose components are most alike.

use super::{InUse, Made, Reduced, one_sample, pair};
use crate::base::{Progress, Result, Severity};
use crate::model::{AnalysisResult, Clustering, ElementId, Field, Finding, SpotMap, Study};
use crate::omics::{CellGraph, ClusterSettings, Clusters, EmbedSettings, NeighborSettings, cluster, embed, neighbors};
use crate::session::task::ReduceTask;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Categories whose colors differ.
const N_COLORS: usize = 24;
/// Components where nothing else is said, as on the command line.
const N_COMPONENTS: usize = 50;

/// Settings of clusters. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterTask {
    /// The components that spots are compared by; its seed is that of the clusters too.
    pub reduce: ReduceTask,
    /// Neighbors of a spot, itself among them.
    pub k: usize,
    /// Larger gives more clusters.
    pub resolution: f64,
}

/// Settings of a map. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbedTask {
    /// The components that spots are compared by; its seed is that of the map too.
    pub reduce: ReduceTask,
    /// Neighbors of a spot, itself among them.
    pub k: usize,
    /// How near spots may lie in the map.
    pub min_dist: f64,
    /// Scale of the map.
    pub spread: f64,
    /// Epochs; 0 chooses by the number of spots.
    pub epochs: usize,
}

fn usual_components(section: ElementId) -> ReduceTask {
    ReduceTask { n_components: N_COMPONENTS, ..ReduceTask::usual(section) }
}

/// The components and the graph of neighbors.
fn graph(reduce: &ReduceTask, k: usize, study: &Study, progress: &Progress) -> Result<(Reduced, CellGraph)> {
    let mut reduced = reduce.reduced(study, &progress.part(0.0, 0.6))?;
    let pca = &reduced.found.pca;
    let near = neighbors(pca.k, &pca.scores, &NeighborSettings { k }, &progress.part(0.6, 1.0))?;
    if near.k < k {
        reduced.findings.push(Finding {
            severity: Severity::Note,
            code: "few-spots",
            what: format!("{} neighbors instead of {k}: there are no more spots.", near.k),
            evidence: Vec::new(),
            remedy: String::new(),
        });
    }
    Ok((reduced, near))
}

impl ClusterTask {
    /// The settings of the command line: 50 components, 15 neighbors, resolution 1.
    #[must_use]
    pub fn usual(section: ElementId) -> Self {
        let (k, resolution) = (NeighborSettings::default().k, ClusterSettings::default().resolution);
        Self { reduce: usual_components(section), k, resolution }
    }

    pub(in crate::session::task) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let (reduced, near) = graph(&self.reduce, self.k, study, &progress.part(0.0, 0.8))?;
        let settings = ClusterSettings { resolution: self.resolution, seed: self.reduce.seed };
        let found = cluster(&near.connectivities, &settings, &progress.part(0.8, 1.0))?;
        let mut all = self.reduce.settings(&reduced.table);
        all.extend([pair("neighbors", near.k), pair("resolution", self.resolution)]);
        let mut findings = reduced.findings;
        findings.push(one_sample("clusters"));
        if found.sizes.len() > N_COLORS {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "colors-repeat",
                what: format!("{} clusters have {N_COLORS} colors: some look alike.", found.sizes.len()),
                evidence: Vec::new(),
                remedy: "Take a lower resolution.".into(),
            });
        }
        Ok(Made {
            title: format!("Clusters of {}", reduced.name),
            settings: all,
            sentence: sentence(&found),
            findings,
            fields: vec![field(&found, &reduced.keep, reduced.n_spots)],
            result: AnalysisResult::Clusters(Clustering {
                n_spots: found.labels.len(),
                sizes: found.sizes,
                modularity: found.quality,
            }),
        })
    }
}

fn sentence(found: &Clusters) -> String {
    let (n, spots) = (found.sizes.len(), found.labels.len());
    let (most, least) = (found.sizes.first().copied().unwrap_or(0), found.sizes.last().copied().unwrap_or(0));
    let word = if n == 1 { "cluster" } else { "clusters" };
    format!(
        "{n} {word} of {spots} spots, the largest of {most}, the smallest of {least}; modularity {:.3}. Other settings \
         give others.",
        found.quality
    )
}

fn field(found: &Clusters, keep: &[usize], n_spots: usize) -> Field {
    let names: Vec<String> = (0..found.sizes.len()).map(|c| c.to_string()).collect();
    Field {
        name: "Cluster".into(),
        values: InUse::spread(keep, n_spots, |row| found.labels[row] as f32),
        unit: String::new(),
        signed: false,
        range: None,
        categories: Arc::from(names),
    }
}

impl EmbedTask {
    /// The settings of the command line: 50 components, 15 neighbors, distance 0.5, spread 1.
    #[must_use]
    pub fn usual(section: ElementId) -> Self {
        let EmbedSettings { min_dist, spread, epochs, .. } = EmbedSettings::default();
        Self { reduce: usual_components(section), k: NeighborSettings::default().k, min_dist, spread, epochs }
    }

    pub(in crate::session::task) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let (reduced, near) = graph(&self.reduce, self.k, study, &progress.part(0.0, 0.5))?;
        let settings =
            EmbedSettings { min_dist: self.min_dist, spread: self.spread, epochs: self.epochs, seed: self.reduce.seed };
        let pca = &reduced.found.pca;
        let found = embed(&near.connectivities, pca.k, &pca.scores, &settings, &progress.part(0.5, 1.0))?;
        let mut all = self.reduce.settings(&reduced.table);
        all.extend([
            pair("neighbors", near.k),
            pair("least distance", self.min_dist),
            pair("spread", self.spread),
            pair("epochs", found.epochs),
        ]);
        let spots = reduced.keep.iter().map(|s| *s as u32).collect::<Vec<u32>>();
        let mut findings = reduced.findings;
        findings.push(one_sample("maps"));
        Ok(Made {
            title: format!("Map of {}", reduced.name),
            settings: all,
            sentence: format!(
                "{} spots after {} epochs. Spots nearby have like genes; distances between groups and their sizes mean little.",
                spots.len(),
                found.epochs
            ),
            findings,
            fields: Vec::new(),
            result: AnalysisResult::Map(SpotMap { spots, places: found.places, epochs: found.epochs }),
        })
    }
}
