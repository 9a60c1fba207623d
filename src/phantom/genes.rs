//! Planted expression: every gene's mean follows the visible tissue and fields that no stain shows, its
//! counts are negative binomial, and library size and dropout vary from spot to spot.

use super::spots::{Area, Sampled, SpotTruth};
use super::tissue::TissueState;
use crate::base::{Error, Progress, Result};
use crate::model::{Column, Expression};
use crate::space::DVec2;
use crate::stats::{Stream, solve};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One gene a line: symbol and class.
const LIST: &str = include_str!("../../assets/genes.txt");
/// Number of smooth fields that no stain shows.
const N_FIELDS: usize = 8;
/// Sum of all means at a spot of middle library size.
const MEAN_TOTAL: f64 = 3230.0;
/// What glass holds, relative to tissue.
const AMBIENT: f64 = 0.015;

/// What is known about each gene beforehand.
struct Gene {
    name: &'static str,
    class: &'static str,
}

/// The counts and the truth behind them.
pub(super) struct Planted {
    pub(super) expression: Expression,
    pub(super) classes: BTreeMap<String, String>,
    /// Share of the planted variance of log means that the visible tissue explains, per gene that varies.
    pub(super) histology_share: BTreeMap<String, f64>,
}

fn genes() -> Vec<Gene> {
    LIST.lines().filter_map(|line| line.split_once(' ')).map(|(name, class)| Gene { name, class: class.trim() }).collect()
}

fn varies(class: &str) -> bool {
    !matches!(class, "housekeeping" | "noise")
}

/// Plants the counts of all spots.
pub(super) fn plant(seed: u64, sampled: &Sampled, progress: &Progress) -> Result<Planted> {
    let genes = genes();
    let tissue: Vec<usize> = (0..sampled.truth.len()).filter(|&i| sampled.spots.in_tissue[i]).collect();
    if tissue.len() < 100 {
        return Err(Error::degenerate(format!("only {} spots of the built-in case lie on tissue", tissue.len())));
    }
    let visible: Vec<[f64; N_VISIBLE]> = tissue.iter().map(|&i| visible(&sampled.truth[i])).collect();
    let fields = hidden_fields(seed, sampled, &tissue, &visible)?;
    progress.step(0.1, "genes")?;
    let mut logs: Vec<Vec<f64>> =
        genes.par_iter().enumerate().map(|(g, gene)| log_effect(seed, g, gene, &visible, &fields)).collect();
    let base = base_means(seed, &genes);
    balance(&mut logs, &base, &genes);
    let mut share = BTreeMap::new();
    for (gene, log) in genes.iter().zip(&logs).filter(|(g, _)| varies(g.class)) {
        share.insert(gene.name.to_owned(), explained(log, &visible)?);
    }
    progress.step(0.25, "genes")?;
    let yields = Yields::of_seed(seed, sampled);
    let done = AtomicUsize::new(0);
    let columns: Vec<(Vec<u32>, Vec<f32>)> = (0..genes.len())
        .into_par_iter()
        .map(|g| {
            let log = varies(genes[g].class).then(|| logs[g].as_slice());
            let column = counts(seed, g, base[g], log, &tissue, &yields);
            progress.step(0.25 + 0.75 * done.fetch_add(1, Ordering::Relaxed) as f64 / genes.len() as f64, "counts")?;
            Ok(column)
        })
        .collect::<Result<_>>()?;
    Ok(Planted {
        expression: table(&genes, columns, sampled)?,
        classes: genes.iter().map(|g| (g.name.to_owned(), g.class.to_owned())).collect(),
        histology_share: share,
    })
}

const N_VISIBLE: usize = 9;

/// What the stain shows at a spot; the first is the constant.
fn visible(t: &SpotTruth) -> [f64; N_VISIBLE] {
    let scar = f64::from(u8::from(t.state == TissueState::Scar));
    let border = f64::from(u8::from(t.state == TissueState::Border));
    let depth = t.depth.unwrap_or(0.0);
    let inner = (-depth / 0.12).exp();
    let other = f64::from(u8::from(t.depth.is_none()));
    [1.0, scar, border, depth, depth * depth, inner, (-t.vessel_mm.max(0.0) / 0.25).exp(), other, scar * depth]
}

/// Smooth fields of unit variance over the tissue, uncorrelated with everything that the stain shows.
fn hidden_fields(seed: u64, sampled: &Sampled, tissue: &[usize], visible: &[[f64; N_VISIBLE]]) -> Result<Vec<Vec<f64>>> {
    (0..N_FIELDS)
        .into_par_iter()
        .map(|f| {
            let s = &mut Stream::new(seed, 1000 + f as u64);
            let waves: Vec<(DVec2, f64)> =
                (0..24).map(|_| (DVec2::new(s.normal(), s.normal()) * (1.0 / 0.9), s.between(0.0, TAU))).collect();
            let at = |p: DVec2| waves.iter().map(|(k, phase)| (k.dot(p) + phase).cos()).sum::<f64>();
            let raw: Vec<f64> = tissue.iter().map(|&i| at(sampled.plane_mm[i])).collect();
            let fitted = fit(&raw, visible)?;
            Ok(standard(raw.iter().zip(fitted).map(|(a, b)| a - b).collect()))
        })
        .collect()
}

/// Least-squares fit of values by the visible features.
fn fit(values: &[f64], visible: &[[f64; N_VISIBLE]]) -> Result<Vec<f64>> {
    let mut a = vec![0.0; N_VISIBLE * N_VISIBLE];
    let mut b = vec![0.0; N_VISIBLE];
    for (v, row) in values.iter().zip(visible) {
        for i in 0..N_VISIBLE {
            (0..N_VISIBLE).for_each(|j| a[i * N_VISIBLE + j] += row[i] * row[j]);
            b[i] += row[i] * v;
        }
    }
    (0..N_VISIBLE).for_each(|i| a[i * N_VISIBLE + i] += 1e-6);
    let x = solve(N_VISIBLE, &a, 1, &b)?;
    Ok(visible.iter().map(|row| row.iter().zip(&x).map(|(r, x)| r * x).sum()).collect())
}

/// R² of the visible features for values.
fn explained(values: &[f64], visible: &[[f64; N_VISIBLE]]) -> Result<f64> {
    let fitted = fit(values, visible)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let total: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let rest: f64 = values.iter().zip(fitted).map(|(v, f)| (v - f).powi(2)).sum();
    Ok(if total > 0.0 { 1.0 - rest / total } else { 0.0 })
}

/// Mean 0 and variance 1; all 0 where they do not vary.
fn standard(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = if sd > 1e-9 { 1.0 / sd } else { 0.0 };
    values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
    values
}

/// Log mean of a gene at the tissue spots relative to its base: a visible and a hidden part.
fn log_effect(seed: u64, g: usize, gene: &Gene, visible: &[[f64; N_VISIBLE]], fields: &[Vec<f64>]) -> Vec<f64> {
    if !varies(gene.class) {
        return vec![0.0; visible.len()];
    }
    let s = &mut Stream::new(seed, 2000 + g as u64);
    let side = if s.uniform() < 0.5 { -1.0 } else { 1.0 };
    let [wobble, second] = [s.between(0.8, 1.2), s.between(0.0, 0.25)];
    let seen = standard(
        visible
            .iter()
            .map(|v| match gene.class {
                "transmural" => side * wobble * (v[3] - 0.5) - 0.45 * v[1] - 0.2 * v[2],
                "scar" => v[1] + 0.45 * wobble * v[2] + second * v[7],
                "border" => wobble * v[2] + second * v[1],
                "vessel" => wobble * v[6] + 0.2 * second * v[2],
                _ => wobble * v[5] - second * v[1],
            })
            .collect(),
    );
    let first = (s.uniform() * N_FIELDS as f64) as usize % N_FIELDS;
    let other = (first + 1 + (s.uniform() * (N_FIELDS - 1) as f64) as usize) % N_FIELDS;
    let (way, share, spread) = (s.between(0.0, TAU), s.between(0.24, 0.42), s.between(0.55, 0.95));
    let unseen = standard(fields[first].iter().zip(&fields[other]).map(|(a, b)| a * way.cos() + b * way.sin()).collect());
    let (a, b) = (spread * share.sqrt(), spread * (1.0 - share).sqrt());
    seen.iter().zip(unseen).map(|(h, l)| a * h + b * l).collect()
}

/// Base means of all genes, which sum to [`MEAN_TOTAL`].
fn base_means(seed: u64, genes: &[Gene]) -> Vec<f64> {
    let mut means: Vec<f64> = genes
        .iter()
        .enumerate()
        .map(|(g, gene)| {
            let s = &mut Stream::new(seed, 4000 + g as u64);
            let class = match gene.class {
                "transmural" => 4.0,
                "housekeeping" if gene.name.starts_with("MT-") => 22.0,
                "housekeeping" => 4.0,
                "scar" => 1.6,
                "border" => 1.2,
                "vessel" => 0.8,
                "conduction" => 0.3,
                _ => 0.55,
            };
            let known = if matches!(gene.name, "MYH7" | "ACTC1" | "TNNT2" | "MYL2" | "MB") { 3.0 } else { 1.0 };
            class * known * (0.9 * s.normal()).exp()
        })
        .collect();
    let sum: f64 = means.iter().sum();
    means.iter_mut().for_each(|m| *m *= MEAN_TOTAL / sum);
    means
}

/// Scales the genes that vary at each spot so that their means always have the same sum: the others
/// then depend on nothing, even after division by the total.
fn balance(logs: &mut [Vec<f64>], base: &[f64], genes: &[Gene]) {
    let which: Vec<usize> = (0..genes.len()).filter(|&g| varies(genes[g].class)).collect();
    let wanted: f64 = which.iter().map(|&g| base[g]).sum();
    for i in 0..logs.first().map_or(0, Vec::len) {
        let sum: f64 = which.iter().map(|&g| base[g] * logs[g][i].exp()).sum();
        let shift = (wanted / sum).ln();
        which.iter().for_each(|&g| logs[g][i] += shift);
    }
}

/// What the chemistry gave at each spot.
struct Yields {
    library: Vec<f64>,
    dropout: Vec<f64>,
}

impl Yields {
    fn of_seed(seed: u64, sampled: &Sampled) -> Self {
        let s = &mut Stream::new(seed, 6);
        let areas: BTreeMap<Area, f64> = Area::ALL.iter().map(|a| (*a, s.between(0.88, 1.14))).collect();
        let (mut library, mut dropout) = (Vec::new(), Vec::new());
        for (t, on) in sampled.truth.iter().zip(&sampled.spots.in_tissue) {
            let size = areas.get(&t.area).copied().unwrap_or(1.0) * (0.36 * s.normal()).exp();
            library.push(if *on { size } else { size * AMBIENT });
            dropout.push(0.02 + 0.14 * s.uniform().powi(2));
        }
        Self { library, dropout }
    }
}

/// Stored entries of one gene.
fn counts(seed: u64, g: usize, base: f64, log: Option<&[f64]>, tissue: &[usize], yields: &Yields) -> (Vec<u32>, Vec<f32>) {
    let s = &mut Stream::new(seed, 6000 + g as u64);
    let size = s.between(1.6, 7.0);
    let mut mean: Vec<f64> = yields.library.iter().map(|l| l * base).collect();
    for (&i, l) in tissue.iter().zip(log.unwrap_or(&[])) {
        mean[i] *= l.exp();
    }
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (i, m) in mean.iter().enumerate() {
        let lost = s.uniform() < yields.dropout[i];
        let count = s.negative_binomial(*m, size);
        if !lost && count > 0.0 {
            rows.push(i as u32);
            values.push(count as f32);
        }
    }
    (rows, values)
}

fn table(genes: &[Gene], columns: Vec<(Vec<u32>, Vec<f32>)>, sampled: &Sampled) -> Result<Expression> {
    let mut offsets = vec![0u64];
    let n: usize = columns.iter().map(|c| c.0.len()).sum();
    let (mut rows, mut values) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for (r, v) in columns {
        rows.extend(r);
        values.extend(v);
        offsets.push(rows.len() as u64);
    }
    let names = genes.iter().map(|g| g.name.to_owned()).collect();
    let barcodes = (0..sampled.truth.len()).map(barcode).collect();
    let mut e = Expression::new(names, Vec::new(), barcodes, offsets, rows, values)?;
    let number = |f: &dyn Fn(usize) -> f64| Column::Number((0..sampled.truth.len()).map(f).collect());
    e.columns.insert("array_row".into(), number(&|i| f64::from(sampled.array[i].0)));
    e.columns.insert("array_col".into(), number(&|i| f64::from(sampled.array[i].1)));
    e.columns.insert("in_tissue".into(), number(&|i| f64::from(u8::from(sampled.spots.in_tissue[i]))));
    let codes = sampled.truth.iter().map(|t| t.area as u32).collect();
    let areas = Area::ALL.iter().map(|a| a.name().to_owned()).collect();
    e.columns.insert("capture_area".into(), Column::Category { codes, names: areas });
    Ok(e)
}

/// A different barcode of 16 bases for every number (an odd factor permutes the 32-bit numbers).
fn barcode(i: usize) -> String {
    let mixed = (i as u32).wrapping_mul(0x9E37_79B1) ^ 0x2545_F491;
    let bases: String = (0..16).map(|k| ['A', 'C', 'G', 'T'][(mixed >> (2 * k) & 3) as usize]).collect();
    format!("{bases}-1")
}
