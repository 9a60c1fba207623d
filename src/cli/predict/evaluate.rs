//! `predict evaluate`.

use super::super::Run;
use super::super::print::notes_json;
use super::input;
use crate::base::{Error, Result};
use crate::io::{self, AnnTable, Table, TableColumn};
use crate::model::ExpressionScale;
use crate::predict::{Graph, Score, score};
use clap::Args;
use rayon::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// `predict evaluate`.
#[derive(Args, Debug)]
pub struct Evaluate {
    /// Observed expression.
    #[arg(long, value_name = "FILE.h5ad")]
    observed: PathBuf,
    /// Predicted expression; the layer `standard_deviation` gives the intervals.
    #[arg(long, value_name = "FILE.h5ad")]
    predicted: PathBuf,
    /// Write the table there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The name of rows over all slides together.
const POOLED: &str = "pooled";

/// Both files on the same observations and genes.
struct Pair {
    genes: Vec<String>,
    observed: Vec<Vec<f64>>,
    predicted: Vec<Vec<f64>>,
    sd: Option<Vec<Vec<f64>>>,
    slides: Option<Vec<String>>,
    positions: Option<Vec<[f64; 2]>>,
}

impl Evaluate {
    pub(super) fn run(self, run: &mut Run) -> Result<u8> {
        let observed = io::read_ann_table(&self.observed, &[], &mut run.reading())?;
        let predicted = io::read_ann_table(&self.predicted, &["standard_deviation"], &mut run.reading())?;
        let pair = pair(run, observed, predicted)?;
        let rows = scored(run, &pair)?;
        table(&rows)?.write(&self.out)?;
        let pooled: Vec<&Score> = rows.iter().filter(|r| r.slide == POOLED).map(|r| &r.score).collect();
        let known: Vec<f64> = pooled.iter().filter_map(|s| s.pearson).collect();
        let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        let n_constant = pooled.len() - known.len();
        if n_constant > 0 {
            let what =
                format!("{n_constant} of {} genes do not vary, observed or predicted; their correlation is empty", pooled.len());
            run.warnings.warn("constant-genes", what, None);
        }
        if run.shared.json {
            run.printer.json(&json!({
                "out": self.out.display().to_string(), "genes": pair.genes.len(), "observations": pair.observed[0].len(),
                "slides": pair.slides.as_ref().map_or(0, |s| s.iter().collect::<BTreeSet<_>>().len()),
                "mean_pearson": mean, "constant_genes": n_constant, "notes": notes_json(&run.warnings.notes),
            }));
            run.warnings.notes.clear();
        } else {
            let mean = mean.map_or_else(|| "–".to_owned(), |m| format!("{m:.3}"));
            run.printer.line(&format!("{} genes, mean pooled r {mean}", pair.genes.len()));
        }
        Ok(0)
    }
}

/// Matches observations and genes by name, in the order of the observed file.
fn pair(run: &mut Run, mut observed: AnnTable, predicted: AnnTable) -> Result<Pair> {
    let place = |names: &[String]| -> BTreeMap<String, usize> { names.iter().cloned().zip(0..).collect() };
    let (row_of, gene_of) = (place(&predicted.observations), place(&predicted.genes));
    let common = |names: &[String], of: &BTreeMap<String, usize>| -> Vec<(usize, usize)> {
        (0..names.len()).filter_map(|i| Some((i, *of.get(&names[i])?))).collect()
    };
    let (rows, genes) = (common(&observed.observations, &row_of), common(&observed.genes, &gene_of));
    if rows.is_empty() || genes.is_empty() {
        let (r, g) = (rows.len(), genes.len());
        return Err(Error::parameter(format!("the files share {r} observations and {g} genes by name; both are needed")));
    }
    let left = (observed.observations.len() - rows.len()) + (predicted.observations.len() - rows.len());
    if left > 0 {
        run.warnings.note("observations-left-out", format!("{left} observations are in one of the files only"), None);
    }
    rescale(run, &mut observed, &predicted)?;
    let pick = |columns: &[Vec<f64>], of_gene: fn(&(usize, usize)) -> usize, of_row: fn(&(usize, usize)) -> usize| {
        genes.iter().map(|g| rows.iter().map(|r| columns[of_gene(g)][of_row(r)]).collect()).collect::<Vec<Vec<f64>>>()
    };
    let slide = |t: &AnnTable, of_row: fn(&(usize, usize)) -> usize| {
        let words = t.columns.get("slide").map(input::column_words)?;
        Some(rows.iter().map(|r| words[of_row(r)].clone()).collect::<Vec<String>>())
    };
    let positions = |t: &AnnTable, of_row: fn(&(usize, usize)) -> usize| {
        t.positions.as_ref().map(|p| rows.iter().map(|r| p[of_row(r)].to_array()).collect::<Vec<[f64; 2]>>())
    };
    Ok(Pair {
        genes: genes.iter().map(|g| observed.genes[g.0].clone()).collect(),
        observed: pick(&observed.values, |g| g.0, |r| r.0),
        predicted: pick(&predicted.values, |g| g.1, |r| r.1),
        sd: predicted.layers.get("standard_deviation").map(|l| pick(l, |g| g.1, |r| r.1)),
        slides: slide(&observed, |r| r.0).or_else(|| slide(&predicted, |r| r.1)),
        positions: positions(&observed, |r| r.0).or_else(|| positions(&predicted, |r| r.1)),
    })
}

/// Brings observed counts to the scale that the predictions say they have.
fn rescale(run: &mut Run, observed: &mut AnnTable, predicted: &AnnTable) -> Result<()> {
    let Some(scale) = predicted.expression.filter(|s| *s != ExpressionScale::AsIs) else { return Ok(()) };
    let is_count = |v: &f64| *v >= 0.0 && v.fract() == 0.0;
    if observed.expression.is_some() || !observed.values.iter().flatten().all(is_count) {
        return Ok(());
    }
    let n = observed.observations.len();
    let factors: Vec<f64> = match scale {
        ExpressionScale::Log1pScaled { target } => {
            let total = |i: usize| observed.values.iter().map(|c| c[i]).sum::<f64>();
            (0..n).map(total).map(|t| if t > 0.0 { target / t } else { 0.0 }).collect()
        }
        ExpressionScale::AsIs | ExpressionScale::Log1p => vec![1.0; n],
    };
    for (k, column) in observed.values.iter_mut().enumerate() {
        run.progress.step(k as f64 / predicted.genes.len().max(1) as f64, "scaling counts")?;
        column.iter_mut().zip(&factors).for_each(|(v, f)| *v = (*v * f).ln_1p());
    }
    let what = format!("observed counts were brought to the scale of the predictions: {}", scale.words());
    run.warnings.note("observed-rescaled", what, None);
    Ok(())
}

struct Row {
    gene: String,
    slide: String,
    score: Score,
}

/// One row per gene and slide, then one per gene over all slides.
fn scored(run: &Run, pair: &Pair) -> Result<Vec<Row>> {
    let n = pair.observed[0].len();
    let mut parts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    if let Some(slides) = &pair.slides {
        slides.iter().enumerate().filter(|(_, s)| !s.is_empty()).for_each(|(i, s)| parts.entry(s).or_default().push(i));
    }
    let mut part_of = vec![0; n];
    parts.values().enumerate().for_each(|(k, rows)| rows.iter().for_each(|&i| part_of[i] = k));
    let graph = |rows: &[usize]| {
        let points = pair.positions.as_ref()?;
        let finite = rows.iter().all(|&i| points[i].iter().all(|v| v.is_finite()));
        let (points, of): (Vec<[f64; 2]>, Vec<usize>) = rows.iter().map(|&i| (points[i], part_of[i])).unzip();
        finite.then(|| Graph::new(&points, &of))
    };
    let mut sets: Vec<(String, Vec<usize>)> = parts.iter().map(|(s, rows)| ((*s).to_owned(), rows.clone())).collect();
    sets.push((POOLED.into(), (0..n).collect()));
    let mut out = Vec::new();
    for (k, (slide, rows)) in sets.iter().enumerate() {
        let graph = graph(rows);
        let pick = |column: &[f64]| rows.iter().map(|&i| column[i]).collect::<Vec<f64>>();
        let scores: Vec<Row> = (0..pair.genes.len())
            .into_par_iter()
            .map(|g| {
                run.progress.step(k as f64 / sets.len() as f64, "scores")?;
                let sd = pair.sd.as_ref().map(|s| pick(&s[g]));
                let score = score(&pick(&pair.observed[g]), &pick(&pair.predicted[g]), sd.as_deref(), graph.as_ref());
                Ok(Row { gene: pair.genes[g].clone(), slide: slide.clone(), score })
            })
            .collect::<Result<_>>()?;
        out.extend(scores);
    }
    Ok(out)
}

fn table(rows: &[Row]) -> Result<Table> {
    let number = |name: &str, of: fn(&Score) -> Option<f64>| TableColumn::numbers(name, rows.iter().map(|r| of(&r.score)));
    Table::new(vec![
        TableColumn::text("gene", rows.iter().map(|r| Some(r.gene.clone()))),
        TableColumn::text("slide", rows.iter().map(|r| Some(r.slide.clone()))),
        TableColumn::whole("n", rows.iter().map(|r| Some(r.score.n as i64))),
        number("pearson", |s| s.pearson),
        number("spearman", |s| s.spearman),
        number("variance_ratio", |s| s.variance_ratio),
        number("moran_ratio", |s| s.moran_ratio),
        number("coverage_90", |s| s.coverage_90),
    ])
}
