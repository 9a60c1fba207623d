//! Steps from counts to principal components: summarize, normalize, variable, pca.

use super::work::{Work, filled, names_column, wide};
use super::{Omics, Plan};
use crate::base::Result;
use crate::cli::Run;
use crate::io::{Table, TableColumn};
use crate::model::{Column, Expression};
use crate::omics::{
    ComponentSettings, Components, NormalizeSettings, Summary, VariableGenes, VariableSettings, components, normalize, summarize,
    variable_genes,
};
use serde_json::json;

pub(super) fn summary(mut work: Work, run: &Run) -> Result<Work> {
    let s = summarize(&work.expression, &run.progress)?;
    work.findings.extend(s.findings.iter().cloned());
    work.table("observations.csv", observation_table(&work.expression, &s)?)?;
    work.table("genes.csv", gene_table(&work.expression, &s)?)?;
    let (total, genes) = (median(&s.total), median_whole(&s.n_genes));
    work.lines.push(format!("median {total} counts and {genes} genes per observation"));
    let report = json!({"median_total": total, "median_genes": genes, "n_mitochondrial_genes": s.n_mitochondrial});
    work.report.insert("summarize".into(), report);
    Ok(work)
}

pub(super) fn normalized(options: &Omics, work: Work, run: &Run) -> Result<Work> {
    let settings = NormalizeSettings { target: options.target, log1p: options.log1p };
    let done = normalize(work.expression, &settings, &run.progress)?;
    let mut work = Work { expression: done.expression, h5ad: Some("normalized.h5ad"), ..work };
    work.findings.extend(done.findings);
    let log = if options.log1p { ", log1p" } else { "" };
    work.lines.push(format!("normalized to {} per observation{log}", done.target));
    work.report.insert("normalize".into(), json!({"target": done.target, "log1p": options.log1p}));
    Ok(work)
}

/// Finds the variable genes; [`mark`] puts them into the table.
pub(super) fn variable(options: &Omics, plan: &Plan, work: &mut Work, run: &Run) -> Result<VariableGenes> {
    let settings = VariableSettings { flavor: options.flavor, n: plan.n_genes, target: options.target };
    let found = variable_genes(&work.expression, &settings, &run.progress)?;
    work.findings.extend(found.findings.iter().cloned());
    work.table("variable.csv", variable_table(&work.expression, &found)?)?;
    let n = chosen(&found).len();
    work.lines.push(format!("{n} variable genes by {}", options.flavor));
    work.report.insert("variable".into(), json!({"flavor": options.flavor.name(), "n": plan.n_genes, "n_found": n}));
    Ok(found)
}

/// The numbers of the variable genes.
pub(super) fn chosen(found: &VariableGenes) -> Vec<usize> {
    (0..found.variable.len()).filter(|&g| found.variable[g]).collect()
}

/// Columns of the gene table that scanpy gives the same names.
pub(super) fn mark(expression: &mut Expression, found: &VariableGenes) {
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

pub(super) fn principal(options: &Omics, plan: &Plan, mut work: Work, run: &Run) -> Result<Work> {
    let keep = if options.all_genes { None } else { marked(&work.expression) };
    let settings = ComponentSettings { n: plan.n_components, scale: options.scale, seed: run.shared.seed };
    let found = components(&work.expression, keep.as_deref(), &settings, &run.progress)?;
    work.findings.extend(found.findings.iter().cloned());
    for (name, table) in component_tables(&work.expression, &found)? {
        work.table(name, table)?;
    }
    let (k, n_genes, share) = (found.pca.k, found.genes.len(), 100.0 * found.pca.ratio.iter().sum::<f64>());
    work.lines.push(format!("{k} components of {n_genes} genes hold {share:.1} % of the variance"));
    let report = json!({"n": k, "n_genes": n_genes, "scale": options.scale,
        "method": format!("{:?}", found.pca.method).to_lowercase(), "variance_ratio": found.pca.ratio});
    work.report.insert("pca".into(), report);
    work.arrays.insert("X_pca".into(), (k, found.pca.scores));
    Ok(work)
}

/// The variable genes that the table marks.
pub(super) fn marked(expression: &Expression) -> Option<Vec<bool>> {
    match expression.gene_columns.get("highly_variable")? {
        Column::Number(values) => Some(values.iter().map(|v| *v == 1.0).collect()),
        _ => None,
    }
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
    let features: Vec<String> = found.genes.iter().map(|&g| expression.genes()[g].clone()).collect();
    let variance = Table::new(vec![
        TableColumn::text("component", (1..=k).map(|j| Some(format!("pc{j}")))),
        filled("variance", found.pca.variance.iter().copied()),
        filled("variance_ratio", found.pca.ratio.iter().copied()),
    ])?;
    Ok(vec![
        ("scores.csv", wide(names_column("id", expression.observations()), "pc", k, &found.pca.scores)?),
        ("loadings.csv", wide(names_column("feature", &features), "pc", k, &found.pca.loadings)?),
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
