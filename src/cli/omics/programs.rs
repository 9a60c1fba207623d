//! Steps on many genes together: nmf, score.

use super::basics::marked;
use super::work::{Work, filled, names_column, wide};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::gmt::{cardiac_sets, read_gmt};
use crate::io::{Reading, Table, TableColumn};
use crate::omics::{GeneSet, ScoreMethod, ScoreSettings, factors, score};
use crate::stats::{NmfLoss, NmfSettings};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Loss of `nmf`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Loss {
    /// Squared differences.
    Frobenius,
    /// Kullback–Leibler divergence.
    Kl,
}

/// Options of `nmf` and `score`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `nmf`: number of factors (default 10); `neighbors`, `niches`: number of neighbors with the cell itself (default 15);
    /// `graph`, `autocorrelation` and `niches --types` with `--kind knn`: number of neighbors (default 6).
    #[arg(long, value_name = "N")]
    pub(super) k: Option<usize>,
    /// `nmf`: what is made small.
    #[arg(long, value_enum, default_value = "frobenius")]
    loss: Loss,
    /// `nmf`: rounds at most.
    #[arg(long, value_name = "N", default_value_t = 500)]
    rounds: usize,
    /// `score`: gene sets (GMT); without it, built-in marker lists of the cells of the heart.
    #[arg(long, value_name = "S.gmt")]
    sets: Option<PathBuf>,
    /// `score`: ulm, ora or gsea.
    #[arg(long, default_value = "ulm")]
    method: ScoreMethod,
    /// `score`: sets with fewer genes in the table have no score.
    #[arg(long, value_name = "N", default_value_t = 3)]
    min_genes: usize,
    /// `score --method gsea`: number of permutations.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    permutations: usize,
}

impl Options {
    /// Finds factors.
    pub(super) fn nmf(&self, all_genes: bool, mut work: Work, run: &Run) -> Result<Work> {
        let k = self.k.unwrap_or(10);
        if k == 0 || self.rounds == 0 {
            return Err(Error::parameter(format!("--k {k} --rounds {}: both are at least 1", self.rounds)));
        }
        let loss = match self.loss {
            Loss::Frobenius => NmfLoss::Frobenius,
            Loss::Kl => NmfLoss::KullbackLeibler,
        };
        let keep = if all_genes { None } else { marked(&work.expression) };
        let settings = NmfSettings { k, loss, max_rounds: self.rounds, tolerance: 1e-4, seed: run.shared.seed };
        let found = factors(&work.expression, keep.as_deref(), &settings, &run.progress)?;
        let features: Vec<String> = found.genes.iter().map(|&g| work.expression.genes()[g].clone()).collect();
        let scores = wide(names_column("id", work.expression.observations()), "factor", k, &found.nmf.scores)?;
        work.table("scores.csv", scores)?;
        work.table("loadings.csv", wide(names_column("feature", &features), "factor", k, &found.nmf.loadings)?)?;
        work.lines.push(format!("{k} factors of {} genes after {} rounds", features.len(), found.nmf.rounds));
        let report = json!({"k": k, "n_genes": features.len(), "rounds": found.nmf.rounds, "converged": found.nmf.is_converged, "objective": found.nmf.loss});
        work.report.insert("nmf".into(), report);
        work.findings.extend(found.findings);
        work.arrays.insert("X_nmf".into(), (k, found.nmf.scores));
        Ok(work)
    }

    /// Scores gene sets.
    pub(super) fn score(&self, mut work: Work, run: &mut Run) -> Result<Work> {
        let mut reading = Reading { limits: run.limits, progress: &run.progress, warnings: &mut run.warnings };
        let sets = match &self.sets {
            Some(path) => read_gmt(path, &mut reading)?,
            None => cardiac_sets(&mut reading)?,
        };
        let sets: Vec<GeneSet> = sets.into_iter().map(|s| GeneSet { name: s.name, genes: s.genes }).collect();
        let settings = ScoreSettings {
            method: self.method,
            min_genes: self.min_genes,
            n_permutations: self.permutations,
            seed: run.shared.seed,
            ..ScoreSettings::default()
        };
        let found = score(&work.expression, &sets, &settings, &run.progress)?;
        let (n, k) = (work.expression.observations().len(), found.sets.len());
        let ids = work.expression.observations();
        let mut columns = vec![
            TableColumn::text("id", (0..n * k).map(|i| Some(ids[i / k].clone()))),
            TableColumn::text("set", (0..n * k).map(|i| Some(found.sets[i % k].clone()))),
            filled("score", found.values.iter().copied()),
            filled("p", found.p.iter().copied()),
        ];
        if !found.enrichment.is_empty() {
            columns.push(filled("enrichment", found.enrichment.iter().copied()));
        }
        work.table("scores.csv", Table::new(columns)?)?;
        work.lines.push(format!("{k} sets scored by {}", self.method));
        work.report.insert("score".into(), json!({"method": self.method.name(), "sets": found.sets}));
        work.findings.extend(found.findings);
        Ok(work)
    }
}
