//! Values of spots by category: their spread as violins, several genes as dots, and the genes that stand out in each.

use super::table::check_table;
use crate::base::{Error, Progress, Result};
use crate::model::Expression;
use crate::stats::{KernelDensity, quantile};
use rayon::prelude::*;

/// Total of a spot that counts are scaled to.
const TARGET: f64 = 1e4;

/// Which category each observation is in.
#[derive(Clone, Copy, Debug)]
pub struct Categories<'a> {
    /// One code per observation; those that are not below `n` are in no category.
    pub codes: &'a [u32],
    /// How many categories there are.
    pub n: usize,
}

impl Categories<'_> {
    /// Observations in each.
    fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.n];
        self.codes.iter().for_each(|&c| {
            if let Some(size) = sizes.get_mut(c as usize) {
                *size += 1;
            }
        });
        sizes
    }
}

/// The spread of numbers in a category.
#[derive(Clone, Debug, PartialEq)]
pub struct Violin {
    /// How many numbers.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Least, first quartile, median, third quartile, greatest (R type 7, as `numpy`).
    pub quantiles: [f64; 5],
    /// Width of the kernels (Scott's rule); `None` where all numbers are the same.
    pub bandwidth: Option<f64>,
    /// The density at places of equal distance from the least to the greatest number; empty without a bandwidth.
    pub density: Vec<f64>,
}

/// The spread of values in each category, `None` for one without values; NaN is missing. `n_places` is the number of
/// places that densities are found at. Densities are those of `scipy.stats.gaussian_kde`, cut at the least and greatest
/// value. Cost: sorting the values, and different values within 9 bandwidths × places.
///
/// Errors: [`Error::Parameter`] where codes and values are not one for each observation.
pub fn violins(values: &[f32], categories: Categories<'_>, n_places: usize, progress: &Progress) -> Result<Vec<Option<Violin>>> {
    if values.len() != categories.codes.len() {
        let (n, m) = (values.len(), categories.codes.len());
        return Err(Error::parameter(format!("{n} values for {m} observations in categories")));
    }
    progress.step(0.0, "sorting values by category")?;
    let mut of: Vec<Vec<f64>> = vec![Vec::new(); categories.n];
    for (&code, &value) in categories.codes.iter().zip(values).filter(|(_, v)| v.is_finite()) {
        if let Some(list) = of.get_mut(code as usize) {
            list.push(f64::from(value));
        }
    }
    let mut found = Vec::with_capacity(of.len());
    for (i, mut list) in of.into_iter().enumerate() {
        progress.step(i as f64 / categories.n as f64, "finding densities")?;
        list.par_sort_unstable_by(f64::total_cmp);
        found.push(violin(&list, n_places));
    }
    Ok(found)
}

fn violin(sorted: &[f64], n_places: usize) -> Option<Violin> {
    let (&least, &most) = (sorted.first()?, sorted.last()?);
    let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|q| quantile(sorted, q));
    let kernel = KernelDensity::scott(sorted);
    let place = |i: usize| least + (most - least) * i as f64 / (n_places.max(2) - 1) as f64;
    let density = |k: &KernelDensity| (0..n_places).into_par_iter().map(|i| k.at(place(i))).collect();
    Some(Violin {
        n: sorted.len(),
        mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
        quantiles,
        bandwidth: kernel.as_ref().map(|k| k.bandwidth),
        density: kernel.as_ref().map(density).unwrap_or_default(),
    })
}

/// Genes × categories, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dots {
    /// Share of the observations of a category whose value is above 0.
    pub fraction: Vec<f64>,
    /// Mean over all observations of the category.
    pub mean: Vec<f64>,
    /// Observations in each category.
    pub sizes: Vec<usize>,
}

impl Dots {
    /// The means of a gene, less the least of them and by their range, as `standard_scale="var"` of scanpy: 0 to 1.
    #[must_use]
    pub fn scaled(&self) -> Vec<f64> {
        let one = |means: &[f64]| {
            let known = || means.iter().copied().filter(|m| m.is_finite());
            let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
            let range = if high > low { high - low } else { 1.0 };
            means.iter().map(|m| (m - low) / range).collect::<Vec<f64>>()
        };
        self.mean.chunks(self.sizes.len().max(1)).flat_map(one).collect()
    }
}

/// Logarithms of counts, ln(1 + 10⁴ · count / total), or the values of a table that holds no counts as they are.
fn value_of(e: &Expression) -> impl Fn(u32, f32) -> f64 + Sync + use<> {
    let totals = (e.unit == "counts").then(|| e.totals());
    move |row, value| match &totals {
        Some(totals) => (TARGET * f64::from(value) / totals[row as usize]).ln_1p(),
        None => f64::from(value),
    }
}

/// How many observations of each category express genes, and how much on average, as `scanpy.pl.dotplot` counts it: the
/// mean is over all observations of the category. Values are ln(1 + counts per 10,000), or as they are in a table without
/// counts. Categories without observations have NaN. Cost: one pass over the table for totals, one over the genes.
///
/// Errors: [`Error::Parameter`] for a gene that is not there or codes that are not one for each observation.
pub fn dots(e: &Expression, genes: &[usize], categories: Categories<'_>, progress: &Progress) -> Result<Dots> {
    check(e, categories)?;
    if let Some(gene) = genes.iter().find(|g| **g >= e.genes().len()) {
        return Err(Error::parameter(format!("no gene {gene} of {}", e.genes().len())));
    }
    progress.step(0.0, "counting spots by category")?;
    let (value, sizes) = (value_of(e), categories.sizes());
    let one = |&gene: &usize| {
        let (mut above, mut sum) = (vec![0.0; categories.n], vec![0.0; categories.n]);
        let (rows, values) = e.gene(gene);
        for (&row, &v) in rows.iter().zip(values).filter(|(_, v)| **v != 0.0) {
            let code = categories.codes[row as usize] as usize;
            if code < categories.n {
                above[code] += f64::from(u8::from(v > 0.0));
                sum[code] += value(row, v);
            }
        }
        let by_size = |all: Vec<f64>| all.iter().zip(&sizes).map(|(v, &n)| if n > 0 { v / n as f64 } else { f64::NAN }).collect();
        [by_size(above), by_size(sum)]
    };
    let rows: Vec<[Vec<f64>; 2]> = genes.par_iter().map(one).collect();
    let all = |k: usize| rows.iter().flat_map(|r| r[k].iter().copied()).collect();
    Ok(Dots { fraction: all(0), mean: all(1), sizes: sizes.clone() })
}

/// A gene that stands out in a category.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leading {
    /// Its number in the table.
    pub gene: usize,
    /// Welch's t of the category against all other observations in categories.
    pub score: f64,
}

/// The genes with the largest t of each category against all others, the largest first, at most `most` of each; only
/// those above 0. Values are those of [`dots`]. Where categories were found from the same genes, the t only orders the
/// genes and says nothing about chance. Cost: two passes over the table.
///
/// Errors: as [`dots`].
pub fn leading_genes(e: &Expression, categories: Categories<'_>, most: usize, progress: &Progress) -> Result<Vec<Vec<Leading>>> {
    check(e, categories)?;
    progress.step(0.0, "finding genes that stand out")?;
    let (value, sizes) = (value_of(e), categories.sizes());
    let n_all: f64 = sizes.iter().sum::<usize>() as f64;
    let scores = |gene: usize| {
        let mut sums = vec![[0.0f64; 2]; categories.n];
        let (rows, values) = e.gene(gene);
        for (&row, &v) in rows.iter().zip(values).filter(|(_, v)| **v != 0.0) {
            let code = categories.codes[row as usize] as usize;
            if code < categories.n {
                let v = value(row, v);
                sums[code] = [sums[code][0] + v, sums[code][1] + v * v];
            }
        }
        let all = sums.iter().fold([0.0; 2], |a, s| [a[0] + s[0], a[1] + s[1]]);
        let score = |(s, &n): (&[f64; 2], &usize)| welch((n as f64, *s), (n_all - n as f64, [all[0] - s[0], all[1] - s[1]]));
        sums.iter().zip(&sizes).map(score).collect::<Vec<f64>>()
    };
    let all: Vec<Vec<f64>> = (0..e.genes().len()).into_par_iter().map(scores).collect();
    progress.step(0.8, "ordering genes")?;
    let of = |k: usize| {
        let above = |(gene, s): (usize, &Vec<f64>)| (s[k] > 0.0).then(|| Leading { gene, score: s[k] });
        let mut found: Vec<Leading> = all.iter().enumerate().filter_map(above).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.gene.cmp(&b.gene)));
        found.truncate(most);
        found
    };
    Ok((0..categories.n).into_par_iter().map(of).collect())
}

/// Welch's t from numbers, sums and sums of squares; 0 where nothing varies or a side has fewer than two.
fn welch(a: (f64, [f64; 2]), b: (f64, [f64; 2])) -> f64 {
    let moments = |(n, [sum, square]): (f64, [f64; 2])| (sum / n, ((square - sum * sum / n) / (n - 1.0)).max(0.0) / n);
    let ((ma, va), (mb, vb)) = (moments(a), moments(b));
    let spread = (va + vb).sqrt();
    // Differences of rounding size are none.
    if a.0 < 2.0 || b.0 < 2.0 || spread <= 1e-9 * (ma.abs() + mb.abs()) { 0.0 } else { (ma - mb) / spread }
}

fn check(e: &Expression, categories: Categories<'_>) -> Result<()> {
    check_table(e)?;
    let (n, m) = (categories.codes.len(), e.observations().len());
    if n == m { Ok(()) } else { Err(Error::parameter(format!("{n} codes of categories for {m} observations"))) }
}
