//! `omics STEP[+STEP…] IN --out DIR`: steps on a table of genes that share one read and one write.

use super::Run;
use super::omics_spatial::Written;
use super::print::notes_json;
use crate::base::{Error, Note, Result};
use crate::io::{self, Table, TableColumn};
use crate::model::{Column, Expression, Finding, Section};
use crate::omics::{
    ComponentSettings, Components, Flavor, NormalizeSettings, Summary, Target, VariableGenes, VariableSettings, components,
    normalize, summarize, variable_genes,
};
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Steps in the order in which they follow each other.
const STEPS: [&str; 6] = ["summarize", "normalize", "variable", "pca", "graph", "autocorrelation"];

/// `omics`.
#[derive(Args, Debug)]
pub struct Omics {
    /// Steps joined by `+`, in this order: summarize, normalize, variable, pca, graph, autocorrelation.
    #[arg(value_name = "STEP[+STEP…]")]
    steps: String,
    /// h5ad, 10x h5, MTX folder, Visium folder, or table of cells × genes (CSV, TSV, Parquet, `.gz`).
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
    spatial: super::omics_spatial::Options,
}

/// What the steps found.
#[derive(Default)]
struct Results {
    summary: Option<Summary>,
    variable: Option<VariableGenes>,
    components: Option<Components>,
    target: Option<f64>,
    spatial: Option<Written>,
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
        let section = io::read_expression(&self.input, &mut run.reading())?;
        let Some(expression) = section.expression.clone() else {
            return Err(Error::malformed("there are no genes in it").at(&self.input));
        };
        let section = Section { expression: None, ..section };
        let mut findings = Vec::new();
        let worked = self.work(&plan, Arc::unwrap_or_clone(expression), run, &mut findings);
        let (expression, mut results) = worked.map_err(|e| named(e, &self.input))?;
        let steps = ["graph", "autocorrelation"].map(|s| plan.has(s));
        if steps.contains(&true) {
            let written = self.spatial.run(steps, &section, &expression, run).map_err(|e| named(e, &self.input))?;
            findings.extend(written.findings.iter().cloned());
            results.spatial = Some(written);
        }
        let shape = [expression.observations().len(), expression.genes().len()];
        let files = self.write(&plan, section, expression, &results, run)?;
        run.warnings.notes.extend(findings.iter().map(note));
        self.tell(&plan, shape, &results, &files, run);
        Ok(0)
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

    fn work(
        &self,
        plan: &Plan,
        mut expression: Expression,
        run: &Run,
        findings: &mut Vec<Finding>,
    ) -> Result<(Expression, Results)> {
        let mut results = Results::default();
        if plan.has("summarize") {
            let summary = summarize(&expression, &run.progress)?;
            findings.extend(summary.findings.iter().cloned());
            results.summary = Some(summary);
        }
        let settings = VariableSettings { flavor: self.flavor, n: plan.n_genes, target: self.target };
        let find = |expression: &Expression, results: &mut Results, findings: &mut Vec<Finding>| {
            let found = variable_genes(expression, &settings, &run.progress)?;
            findings.extend(found.findings.iter().cloned());
            results.variable = Some(found);
            Ok::<(), Error>(())
        };
        // seurat_v3 takes counts, so it comes before they are changed.
        let is_first = self.flavor == Flavor::SeuratV3;
        if plan.has("variable") && is_first {
            find(&expression, &mut results, findings)?;
        }
        if plan.has("normalize") {
            let settings = NormalizeSettings { target: self.target, log1p: self.log1p };
            let done = normalize(expression, &settings, &run.progress)?;
            findings.extend(done.findings);
            results.target = Some(done.target);
            expression = done.expression;
        }
        if plan.has("variable") && !is_first {
            find(&expression, &mut results, findings)?;
        }
        if let Some(found) = &results.variable {
            mark(&mut expression, found);
        }
        if plan.has("pca") {
            let keep = if self.all_genes { None } else { marked(&expression) };
            let settings = ComponentSettings { n: plan.n_components, scale: self.scale, seed: run.shared.seed };
            let found = components(&expression, keep.as_deref(), &settings, &run.progress)?;
            findings.extend(found.findings.iter().cloned());
            results.components = Some(found);
        }
        Ok((expression, results))
    }

    fn write(
        &self,
        plan: &Plan,
        section: Section,
        expression: Expression,
        results: &Results,
        run: &Run,
    ) -> Result<Vec<&'static str>> {
        let mut tables: Vec<(&'static str, Table)> = Vec::new();
        if let Some(summary) = &results.summary {
            tables.push(("observations.csv", observation_table(&expression, summary)?));
            tables.push(("genes.csv", gene_table(&expression, summary)?));
        }
        if let Some(found) = &results.variable {
            tables.push(("variable.csv", variable_table(&expression, found)?));
        }
        if let Some(found) = &results.components {
            tables.extend(component_tables(&expression, found)?);
        }
        if let Some(written) = &results.spatial {
            tables.extend(written.tables.iter().cloned());
        }
        std::fs::create_dir_all(&self.out).map_err(|e| Error::io("writing", e, &self.out))?;
        for (name, table) in &tables {
            run.progress.step(0.9, "writing tables")?;
            table.write(&self.out.join(name))?;
        }
        let mut files: Vec<&'static str> = tables.iter().map(|t| t.0).collect();
        // Without new values, the table of the variable genes is the new thing.
        let (name, expression) = match &results.variable {
            _ if plan.has("normalize") => ("normalized.h5ad", expression),
            Some(found) => ("variable.h5ad", expression.subset_genes(&chosen(found))?),
            None => return Ok(files),
        };
        run.progress.step(0.95, "writing the table")?;
        io::write_h5ad(&self.out.join(name), &Section { expression: Some(Arc::new(expression)), ..section })?;
        files.push(name);
        Ok(files)
    }

    fn tell(&self, plan: &Plan, [n, m]: [usize; 2], results: &Results, files: &[&str], run: &mut Run) {
        if run.shared.json {
            let notes = notes_json(&std::mem::take(&mut run.warnings.notes));
            let mut object = json!({
                "steps": plan.steps, "in": self.input.display().to_string(), "out": self.out.display().to_string(),
                "n_observations": n, "n_genes": m, "files": files, "notes": notes,
            });
            if let Value::Object(map) = &mut object {
                self.report(plan, results, map);
            }
            run.printer.json(&object);
            return;
        }
        run.printer.line(&format!("{n} observations × {m} genes: {}", self.input.display()));
        if let Some(s) = &results.summary {
            run.printer.line(&format!(
                "median {} counts and {} genes per observation",
                median(&s.total),
                median_whole(&s.n_genes)
            ));
        }
        if let Some(target) = results.target {
            let log = if self.log1p { ", log1p" } else { "" };
            run.printer.line(&format!("normalized to {target} per observation{log}"));
        }
        if let Some(found) = &results.variable {
            run.printer.line(&format!("{} variable genes by {}", chosen(found).len(), self.flavor));
        }
        if let Some(found) = &results.components {
            let share: f64 = found.pca.ratio.iter().sum();
            let text =
                format!("{} components of {} genes hold {:.1} % of the variance", found.pca.k, found.genes.len(), 100.0 * share);
            run.printer.line(&text);
        }
        if let Some(written) = &results.spatial {
            run.printer.line(&written.line);
        }
        run.printer.line(&format!("written to {}: {}", self.out.display(), files.join(", ")));
    }

    fn report(&self, plan: &Plan, results: &Results, map: &mut Map<String, Value>) {
        if let Some(s) = &results.summary {
            let medians = json!({"median_total": median(&s.total), "median_genes": median_whole(&s.n_genes),
                "n_mitochondrial_genes": s.n_mitochondrial});
            map.insert("summarize".into(), medians);
        }
        if let Some(target) = results.target {
            map.insert("normalize".into(), json!({"target": target, "log1p": self.log1p}));
        }
        if let Some(found) = &results.variable {
            let value = json!({"flavor": self.flavor.name(), "n": plan.n_genes, "n_found": chosen(found).len()});
            map.insert("variable".into(), value);
        }
        if let Some(found) = &results.components {
            let value = json!({"n": found.pca.k, "n_genes": found.genes.len(), "scale": self.scale,
                "method": format!("{:?}", found.pca.method).to_lowercase(), "variance_ratio": found.pca.ratio});
            map.insert("pca".into(), value);
        }
        if let Some(written) = &results.spatial {
            map.insert("graph".into(), written.report.clone());
        }
    }
}

/// The file in an error of the mathematics, path last.
fn named(error: Error, path: &Path) -> Error {
    match error {
        Error::Degenerate(what) => Error::Degenerate(format!("{what}: {}", path.display())),
        Error::Parameter(what) => Error::Parameter(format!("{what}: {}", path.display())),
        other => other.at(path),
    }
}

fn note(finding: &Finding) -> Note {
    let remedy = if finding.remedy.is_empty() { String::new() } else { format!("; {}", finding.remedy) };
    Note { severity: finding.severity, code: finding.code, message: format!("{}{remedy}", finding.what), file: None }
}

fn chosen(found: &VariableGenes) -> Vec<usize> {
    (0..found.variable.len()).filter(|&g| found.variable[g]).collect()
}

/// Columns of the gene table that scanpy gives the same names.
fn mark(expression: &mut Expression, found: &VariableGenes) {
    let mask = found.variable.iter().map(|v| f64::from(u8::from(*v))).collect();
    for (name, values) in [
        ("highly_variable", mask),
        ("means", found.mean.clone()),
        ("dispersions", found.dispersion.clone()),
        ("dispersions_norm", found.score.clone()),
    ] {
        expression.gene_columns.insert(name.into(), Column::Number(values));
    }
}

/// The variable genes that the table marks.
fn marked(expression: &Expression) -> Option<Vec<bool>> {
    match expression.gene_columns.get("highly_variable")? {
        Column::Number(values) => Some(values.iter().map(|v| *v == 1.0).collect()),
        _ => None,
    }
}

fn names_column(name: &str, values: &[String]) -> TableColumn {
    TableColumn::text(name, values.iter().map(|v| Some(v.clone())))
}

fn filled(name: &str, values: impl IntoIterator<Item = f64>) -> TableColumn {
    TableColumn::numbers(name, values.into_iter().map(|v| Some(v).filter(|v| v.is_finite())))
}

fn observation_table(expression: &Expression, summary: &Summary) -> Result<Table> {
    Table::new(vec![
        names_column("id", expression.observations()),
        filled("total", summary.total.iter().copied()),
        TableColumn::whole("n_genes", summary.n_genes.iter().map(|n| Some(*n as i64))),
        filled("mitochondrial_percent", summary.mitochondrial_percent.iter().copied()),
    ])
}

fn gene_table(expression: &Expression, summary: &Summary) -> Result<Table> {
    let n = expression.observations().len() as f64;
    Table::new(vec![
        names_column("gene", expression.genes()),
        filled("total", summary.gene_total.iter().copied()),
        filled("mean", summary.gene_total.iter().map(|t| t / n)),
        TableColumn::whole("n_observations", summary.n_detected.iter().map(|d| Some(*d as i64))),
        filled("detection_percent", summary.n_detected.iter().map(|d| 100.0 * *d as f64 / n)),
    ])
}

fn variable_table(expression: &Expression, found: &VariableGenes) -> Result<Table> {
    Table::new(vec![
        names_column("gene", expression.genes()),
        filled("mean", found.mean.iter().copied()),
        filled("dispersion", found.dispersion.iter().copied()),
        TableColumn::text("variable", found.variable.iter().map(|v| Some(if *v { "true" } else { "false" }))),
    ])
}

fn component_tables(expression: &Expression, found: &Components) -> Result<Vec<(&'static str, Table)>> {
    let k = found.pca.k;
    let wide = |first: TableColumn, values: &[f64]| {
        let one = |j: usize| filled(&format!("pc{}", j + 1), values.iter().skip(j).step_by(k).copied());
        Table::new(std::iter::once(first).chain((0..k).map(one)).collect())
    };
    let features: Vec<String> = found.genes.iter().map(|&g| expression.genes()[g].clone()).collect();
    let variance = Table::new(vec![
        TableColumn::text("component", (1..=k).map(|j| Some(format!("pc{j}")))),
        filled("variance", found.pca.variance.iter().copied()),
        filled("variance_ratio", found.pca.ratio.iter().copied()),
    ])?;
    Ok(vec![
        ("scores.csv", wide(names_column("id", expression.observations()), &found.pca.scores)?),
        ("loadings.csv", wide(names_column("feature", &features), &found.pca.loadings)?),
        ("variance.csv", variance),
    ])
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

fn median_whole(values: &[usize]) -> f64 {
    median(&values.iter().map(|v| *v as f64).collect::<Vec<_>>())
}
