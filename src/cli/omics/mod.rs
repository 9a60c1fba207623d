//! `omics STEP[+STEP…] IN --out DIR`: steps on a table of genes that share one read and one write.

mod basics;
mod cells;
mod compare;
mod deconvolve;
pub(super) mod genes;
mod import;
mod niches;
mod programs;
mod samples;
mod spatial;
mod work;

use super::Run;
use super::print::notes_json;
use crate::base::{Error, Result};
use crate::omics::{Flavor, Target};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use work::{Work, named, note};

/// Steps in the order in which they follow each other.
const STEPS: [&str; 17] = [
    "import",
    "summarize",
    "pseudobulk",
    "normalize",
    "variable",
    "pca",
    "nmf",
    "neighbors",
    "cluster",
    "embed",
    "graph",
    "autocorrelation",
    "deconvolve",
    "niches",
    "score",
    "test",
    "compare",
];

/// `omics`.
#[derive(Args, Debug)]
pub struct Omics {
    /// Steps joined by `+`, in this order: import, summarize, pseudobulk, normalize, variable, pca, nmf, neighbors, cluster,
    /// embed, graph, autocorrelation, deconvolve, niches, score, test, compare.
    #[arg(value_name = "STEP[+STEP…]")]
    steps: String,
    /// h5ad, AnnData zarr, 10x h5, MTX folder, Visium or Xenium folder, or table of cells × genes (CSV, TSV, Parquet, `.gz`).
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The folder to write; it is made where it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Total of each observation after `normalize`: median, 10000, 1000000 or any number.
    #[arg(long, default_value = "median")]
    target: Target,
    /// Natural logarithm of 1 + value after `normalize`.
    #[arg(long)]
    log1p: bool,
    /// Rule of `variable`: `seurat`, `cell_ranger` or `seurat_v3` (takes counts).
    #[arg(long, default_value = "seurat")]
    flavor: Flavor,
    /// Number of variable genes (default 2000) or of components (default 50); in a chain of both, give it
    /// twice in this order, or once for the genes.
    #[arg(long, value_name = "N")]
    n: Vec<usize>,
    /// `pca`: divide genes by their standard deviation.
    #[arg(long)]
    scale: bool,
    /// `pca`: all genes, where the table marks variable ones.
    #[arg(long)]
    all_genes: bool,
    #[command(flatten)]
    genes: genes::GeneOptions,
    #[command(flatten)]
    import: import::Options,
    #[command(flatten)]
    deconvolve: deconvolve::Options,
    #[command(flatten)]
    niches: niches::Options,
    #[command(flatten)]
    samples: samples::Options,
    #[command(flatten)]
    programs: programs::Options,
    #[command(flatten)]
    cells: cells::Options,
    #[command(flatten)]
    spatial: spatial::Options,
    #[command(flatten)]
    compare: compare::Options,
}

/// Which steps run, and with how many genes and components.
struct Plan {
    steps: Vec<&'static str>,
    n_genes: usize,
    n_components: usize,
}

impl Plan {
    fn has(&self, step: &str) -> bool {
        self.steps.contains(&step)
    }
}

impl Omics {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let plan = self.plan()?;
        let mut section = self.genes.read(&self.input, run)?;
        let Some(expression) = section.expression.take() else {
            return Err(Error::malformed("there are no genes in it").at(&self.input));
        };
        // One owner, so that steps may change the values in place.
        let work = Work::new(section, Arc::unwrap_or_clone(expression));
        let mut work = self.work(&plan, work, run).map_err(|e| named(e, &self.input))?;
        let shape = [work.expression.observations().len(), work.expression.genes().len()];
        run.warnings.notes.extend(work.findings.iter().map(note));
        let (report, lines) = (std::mem::take(&mut work.report), std::mem::take(&mut work.lines));
        let status = u8::from(work.is_refused);
        let files = work.write(&self.out, run)?;
        if run.shared.json {
            let notes = notes_json(&std::mem::take(&mut run.warnings.notes));
            let mut object = json!({
                "steps": plan.steps, "in": self.input.display().to_string(), "out": self.out.display().to_string(),
                "n_observations": shape[0], "n_genes": shape[1], "files": files, "notes": notes,
            });
            if let Value::Object(map) = &mut object {
                map.extend(report);
            }
            run.printer.json(&object);
            return Ok(status);
        }
        run.printer.line(&format!("{} observations × {} genes: {}", shape[0], shape[1], self.input.display()));
        lines.iter().for_each(|l| run.printer.line(l));
        run.printer.line(&format!("written to {}: {}", self.out.display(), files.join(", ")));
        Ok(status)
    }

    fn plan(&self) -> Result<Plan> {
        let mut steps: Vec<&'static str> = Vec::new();
        for word in self.steps.split('+') {
            let Some(at) = STEPS.iter().position(|s| *s == word) else {
                return Err(Error::parameter(format!("there is no step “{word}”; the steps are {}", STEPS.join(", "))));
            };
            if steps.last().is_some_and(|last| STEPS.iter().position(|s| s == last) >= Some(at)) {
                let order = STEPS.join("+");
                return Err(Error::parameter(format!("{} is not in order: steps follow each other as {order}", self.steps)));
            }
            steps.push(STEPS[at]);
        }
        let [genes, pca] = ["variable", "pca"].map(|s| steps.contains(&s));
        let most = usize::from(genes) + usize::from(pca);
        if self.n.len() > most || self.n.contains(&0) {
            let given = self.n.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            return Err(Error::parameter(format!("--n {given}: {} takes {most} such numbers, each at least 1", self.steps)));
        }
        let mut n = self.n.iter().copied();
        let n_genes = if genes { n.next() } else { None };
        let (n_genes, n_components) = (n_genes.unwrap_or(2000), n.next().unwrap_or(50));
        Ok(Plan { steps, n_genes, n_components })
    }

    fn on_cells(&self, plan: &Plan, mut work: Work, run: &mut Run) -> Result<Work> {
        if ["neighbors", "cluster", "embed"].iter().any(|s| plan.has(s)) {
            // What this run has found goes before what the input has.
            let found = std::mem::take(&mut work.arrays);
            self.cells.load(&self.input, &mut work, run)?;
            work.arrays.extend(found);
        }
        if plan.has("neighbors") {
            work = self.cells.neighbors(self.programs.k, work, run)?;
        }
        if plan.has("cluster") {
            work = self.cells.cluster(work, run)?;
        }
        if plan.has("embed") {
            work = self.cells.embed(work, run)?;
        }
        Ok(work)
    }

    fn work(&self, plan: &Plan, mut work: Work, run: &mut Run) -> Result<Work> {
        // seurat_v3 takes counts, so it comes before they are changed.
        let is_first = self.flavor == Flavor::SeuratV3;
        let mut found = None;
        if plan.has("import") {
            work = self.import.run(work, run)?;
        }
        if plan.has("summarize") {
            work = basics::summary(work, run)?;
        }
        if plan.has("pseudobulk") {
            work = self.samples.pseudobulk(work, run)?;
        }
        if plan.has("variable") && is_first {
            found = Some(basics::variable(self, plan, &mut work, run)?);
        }
        if plan.has("normalize") {
            work = basics::normalized(self, work, run)?;
        }
        if plan.has("variable") && !is_first {
            found = Some(basics::variable(self, plan, &mut work, run)?);
        }
        if let Some(found) = &found {
            basics::mark(&mut work.expression, found);
        }
        if plan.has("pca") {
            work = basics::principal(self, plan, work, run)?;
        }
        if plan.has("nmf") {
            work = self.programs.nmf(self.all_genes, work, run)?;
        }
        work = self.on_cells(plan, work, run)?;
        let spatial = ["graph", "autocorrelation"].map(|s| plan.has(s));
        if spatial.contains(&true) {
            work = self.spatial.run(spatial, self.programs.k, work, run)?;
        }
        if plan.has("deconvolve") {
            work = self.deconvolve.run(work, run)?;
        }
        if plan.has("niches") {
            work = self.niches.run((&self.cells, &self.spatial), self.programs.k, work, run)?;
        }
        if plan.has("score") {
            work = self.programs.score(work, run)?;
        }
        if plan.has("test") {
            work = self.samples.test(work, run)?;
        }
        if plan.has("compare") {
            work = self.compare.run(work, run)?;
        }
        // Without new values, the table of the variable genes is the new thing.
        if let (Some(found), None) = (&found, work.h5ad) {
            let expression = work.expression.subset_genes(&basics::chosen(found))?;
            work = Work { expression, h5ad: Some("variable.h5ad"), ..work };
        }
        Ok(work)
    }
}
