//! Counts of genes at spots or cells, gene by gene, so that painting a gene is one read.

use super::value_facts::ValueFacts;
use crate::base::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// One column of the observation table.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// Codes into a list of categories; `u32::MAX` is missing.
    Category {
        /// One code per observation.
        codes: Vec<u32>,
        /// Names of the categories.
        names: Vec<String>,
    },
    /// Free text.
    Text(Vec<String>),
}

/// Sparse counts in compressed columns (one column per gene): the values of gene `g` are
/// `values[offsets[g]..offsets[g + 1]]` at observations `rows[..]`, which increase.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    genes: Vec<String>,
    gene_ids: Vec<String>,
    observations: Vec<String>,
    offsets: Vec<u64>,
    rows: Vec<u32>,
    values: Vec<f32>,
    /// What was found of the values and the order of the rows; nothing where it was not asked for, or they changed.
    known: Known,
    /// Columns of the observation table (`obs`), by name.
    pub columns: BTreeMap<String, Column>,
    /// Columns of the gene table (`var`), by name.
    pub gene_columns: BTreeMap<String, Column>,
    /// What the numbers are, as `counts` or `log1p CP10k`.
    pub unit: String,
}

/// Facts of a table that cost a pass over its values, kept until they change. They follow from the values, so that two
/// tables are equal whether or not they were asked for.
#[derive(Clone, Debug, Default)]
struct Known {
    facts: OnceLock<ValueFacts>,
    is_increasing: OnceLock<bool>,
}

impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Expression {
    /// Checked constructor from compressed columns. `gene_ids` may be empty.
    pub fn new(
        genes: Vec<String>,
        gene_ids: Vec<String>,
        observations: Vec<String>,
        offsets: Vec<u64>,
        rows: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<Self> {
        let rising = offsets.windows(2).all(|w| w[0] <= w[1]);
        let closed = offsets.first() == Some(&0) && offsets.last() == Some(&(rows.len() as u64));
        if offsets.len() != genes.len() + 1 || !rising || !closed || rows.len() != values.len() {
            return Err(Error::malformed(format!(
                "the sparse matrix does not fit its {} genes: {} offsets, {} row numbers, {} values",
                genes.len(),
                offsets.len(),
                rows.len(),
                values.len()
            )));
        }
        if !gene_ids.is_empty() && gene_ids.len() != genes.len() {
            return Err(Error::malformed(format!("{} gene identifiers for {} genes", gene_ids.len(), genes.len())));
        }
        if let Some(row) = rows.par_iter().with_min_len(1 << 16).find_any(|&&r| r as usize >= observations.len()) {
            return Err(Error::malformed(format!("row {row} of {} observations", observations.len())));
        }
        let (columns, gene_columns) = (BTreeMap::new(), BTreeMap::new());
        let (known, unit) = (Known::default(), "counts".into());
        Ok(Self { genes, gene_ids, observations, offsets, rows, values, known, columns, gene_columns, unit })
    }

    /// From compressed rows (one row per observation), as 10x and most `h5ad` files are stored.
    /// Cost: two passes over the values.
    pub fn from_rows(
        genes: Vec<String>,
        gene_ids: Vec<String>,
        observations: Vec<String>,
        row_offsets: &[u64],
        columns: &[u32],
        values: &[f32],
    ) -> Result<Self> {
        let fits = row_offsets.len() == observations.len() + 1
            && row_offsets.first() == Some(&0)
            && row_offsets.last() == Some(&(columns.len() as u64))
            && row_offsets.windows(2).all(|w| w[0] <= w[1])
            && columns.len() == values.len();
        if !fits || columns.iter().any(|&c| c as usize >= genes.len()) {
            return Err(Error::malformed(format!(
                "the sparse matrix does not fit {} observations × {} genes ({} offsets, {} columns, {} values)",
                observations.len(),
                genes.len(),
                row_offsets.len(),
                columns.len(),
                values.len()
            )));
        }
        let mut offsets = vec![0u64; genes.len() + 1];
        columns.iter().for_each(|&c| offsets[c as usize + 1] += 1);
        for g in 0..genes.len() {
            offsets[g + 1] += offsets[g];
        }
        let mut next = offsets.clone();
        let (mut rows, mut sorted) = (vec![0u32; columns.len()], vec![0f32; columns.len()]);
        for (row, w) in row_offsets.windows(2).enumerate() {
            for i in w[0] as usize..w[1] as usize {
                let slot = &mut next[columns[i] as usize];
                rows[*slot as usize] = row as u32;
                sorted[*slot as usize] = values[i];
                *slot += 1;
            }
        }
        Self::new(genes, gene_ids, observations, offsets, rows, sorted)
    }

    /// The same counts with other observations: old row r becomes `places[r]` of `observations`, or goes where that
    /// is `None`; `columns` go. In place, so that a large table is not there twice. [`Error::Parameter`] where
    /// `places` are not one for each old row and within the new ones.
    pub fn rearranged(mut self, places: &[Option<u32>], observations: Vec<String>) -> Result<Self> {
        let n_new = observations.len();
        if places.len() != self.observations.len() || places.iter().flatten().any(|p| *p as usize >= n_new) {
            let (n, old) = (places.len(), self.observations.len());
            return Err(Error::parameter(format!("{n} places for {old} observations that become {n_new}")));
        }
        let mut kept = 0;
        for gene in 0..self.genes.len() {
            let (from, start) = (self.offsets[gene] as usize..self.offsets[gene + 1] as usize, kept);
            self.offsets[gene] = kept as u64;
            for i in from {
                if let Some(place) = places[self.rows[i] as usize] {
                    (self.rows[kept], self.values[kept]) = (place, self.values[i]);
                    kept += 1;
                }
            }
            if !self.rows[start..kept].is_sorted() {
                let mut entries: Vec<(u32, f32)> = (start..kept).map(|i| (self.rows[i], self.values[i])).collect();
                entries.sort_by_key(|e| e.0);
                (start..).zip(entries).for_each(|(i, (row, value))| (self.rows[i], self.values[i]) = (row, value));
            }
        }
        if let Some(last) = self.offsets.last_mut() {
            *last = kept as u64;
        }
        self.rows.truncate(kept);
        self.values.truncate(kept);
        self.observations = observations;
        self.columns.clear();
        self.known = Known::default();
        Ok(self)
    }

    /// Offsets, row numbers and values.
    pub(super) fn into_parts(self) -> (Vec<u64>, Vec<u32>, Vec<f32>) {
        (self.offsets, self.rows, self.values)
    }

    /// Gene names in order.
    #[must_use]
    pub fn genes(&self) -> &[String] {
        &self.genes
    }

    /// Gene identifiers (Ensembl) in order, or empty.
    #[must_use]
    pub fn gene_ids(&self) -> &[String] {
        &self.gene_ids
    }

    /// Names of the spots or cells in order.
    #[must_use]
    pub fn observations(&self) -> &[String] {
        &self.observations
    }

    /// Number of stored values.
    #[must_use]
    pub fn n_stored(&self) -> usize {
        self.values.len()
    }

    /// Stored entries of a gene: observation numbers and values.
    #[must_use]
    pub fn gene(&self, gene: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[gene] as usize..self.offsets[gene + 1] as usize;
        (&self.rows[range.clone()], &self.values[range])
    }

    /// What kind of numbers are stored. One pass over the values, on all cores, the first time.
    #[must_use]
    pub fn value_facts(&self) -> ValueFacts {
        let find = || self.values.par_chunks(1 << 16).map(ValueFacts::of).reduce(ValueFacts::default, ValueFacts::and);
        *self.known.facts.get_or_init(find)
    }

    /// Whether the observation numbers of every gene increase, so that none stands twice. One pass over them, the first
    /// time.
    #[must_use]
    pub fn is_increasing(&self) -> bool {
        let rises = |w: &[u64]| self.rows[w[0] as usize..w[1] as usize].windows(2).all(|pair| pair[0] < pair[1]);
        *self.known.is_increasing.get_or_init(|| self.offsets.par_windows(2).all(rises))
    }

    /// All values of a gene, one per observation.
    #[must_use]
    pub fn dense(&self, gene: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.observations.len()];
        let (rows, values) = self.gene(gene);
        rows.iter().zip(values).for_each(|(&r, &v)| out[r as usize] += v);
        out
    }

    /// Sum over genes per observation. The same to the last bit on any number of threads.
    #[must_use]
    pub fn totals(&self) -> Vec<f64> {
        const PARTS: usize = 8;
        let parts = self.rows.par_chunks(self.rows.len().div_ceil(PARTS).max(1 << 16));
        let sums: Vec<Vec<f64>> = parts
            .zip(self.values.par_chunks(self.values.len().div_ceil(PARTS).max(1 << 16)))
            .map(|(rows, values)| {
                let mut out = vec![0.0; self.observations.len()];
                rows.iter().zip(values).for_each(|(&r, &v)| out[r as usize] += f64::from(v));
                out
            })
            .collect();
        let empty = vec![0.0; self.observations.len()];
        sums.into_iter().reduce(|a, b| a.iter().zip(b).map(|(a, b)| a + b).collect()).unwrap_or(empty)
    }

    /// Number of the gene with this name or identifier; the case of letters does not matter.
    #[must_use]
    pub fn find_gene(&self, name: &str) -> Option<usize> {
        let same = |s: &String| s.eq_ignore_ascii_case(name);
        self.genes
            .iter()
            .position(|g| g == name)
            .or_else(|| self.genes.iter().position(same))
            .or_else(|| self.gene_ids.iter().position(same))
    }

    /// The observations `keep` (increasing numbers) with all genes; columns are cut too.
    pub fn subset(&self, keep: &[usize]) -> Result<Self> {
        let mut place = vec![u32::MAX; self.observations.len()];
        for (new, &old) in keep.iter().enumerate() {
            *place.get_mut(old).ok_or_else(|| Error::parameter(format!("no observation {old}")))? = new as u32;
        }
        let (mut offsets, mut rows, mut values) = (vec![0u64], Vec::new(), Vec::new());
        for g in 0..self.genes.len() {
            let (r, v) = self.gene(g);
            for (&r, &v) in r.iter().zip(v).filter(|(r, _)| place[**r as usize] != u32::MAX) {
                rows.push(place[r as usize]);
                values.push(v);
            }
            offsets.push(rows.len() as u64);
        }
        let names = keep.iter().map(|&i| self.observations[i].clone()).collect();
        let mut cut = Self::new(self.genes.clone(), self.gene_ids.clone(), names, offsets, rows, values)?;
        cut.columns = self.columns.iter().map(|(k, c)| (k.clone(), c.subset(keep))).collect();
        cut.gene_columns.clone_from(&self.gene_columns);
        cut.unit.clone_from(&self.unit);
        Ok(cut)
    }

    /// The genes `keep` (any order) with all observations; columns are cut too.
    pub fn subset_genes(&self, keep: &[usize]) -> Result<Self> {
        if let Some(gene) = keep.iter().find(|g| **g >= self.genes.len()) {
            return Err(Error::parameter(format!("no gene {gene} of {}", self.genes.len())));
        }
        let (mut offsets, mut rows, mut values) = (vec![0u64], Vec::new(), Vec::new());
        for &gene in keep {
            let (r, v) = self.gene(gene);
            rows.extend_from_slice(r);
            values.extend_from_slice(v);
            offsets.push(rows.len() as u64);
        }
        let pick = |names: &[String]| keep.iter().filter_map(|&g| names.get(g).cloned()).collect::<Vec<_>>();
        let names = self.observations.clone();
        let mut cut = Self::new(pick(&self.genes), pick(&self.gene_ids), names, offsets, rows, values)?;
        cut.columns.clone_from(&self.columns);
        cut.gene_columns = self.gene_columns.iter().map(|(k, c)| (k.clone(), c.subset(keep))).collect();
        cut.unit.clone_from(&self.unit);
        Ok(cut)
    }

    /// Replaces every stored value by `change(observation, value)`, in place. What is not stored stays zero.
    pub fn map_values(&mut self, change: impl Fn(usize, f32) -> f32 + Sync) {
        self.known.facts = OnceLock::new();
        let pieces = self.rows.par_chunks(1 << 14).zip(self.values.par_chunks_mut(1 << 14));
        pieces.for_each(|(rows, values)| {
            rows.iter().zip(values).for_each(|(&row, value)| *value = change(row as usize, *value));
        });
    }
}

impl Column {
    /// The values of the observations `keep` (numbers below the number of values), in that order.
    #[must_use]
    pub fn subset(&self, keep: &[usize]) -> Self {
        match self {
            Self::Number(v) => Self::Number(keep.iter().map(|&i| v[i]).collect()),
            Self::Text(v) => Self::Text(keep.iter().map(|&i| v[i].clone()).collect()),
            Self::Category { codes, names } => {
                Self::Category { codes: keep.iter().map(|&i| codes[i]).collect(), names: names.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(prefix: &str, n: usize) -> Vec<String> {
        (0..n).map(|i| format!("{prefix}{i}")).collect()
    }

    #[test]
    fn rows_become_columns() {
        let e = Expression::from_rows(names("g", 3), vec![], names("s", 2), &[0, 2, 3], &[0, 2, 2], &[5.0, 1.0, 7.0]).unwrap();
        assert_eq!(e.dense(2), vec![1.0, 7.0]);
        assert_eq!(e.dense(1), vec![0.0, 0.0]);
        assert_eq!(e.totals(), vec![6.0, 7.0]);
        assert_eq!(e.find_gene("G2"), Some(2));
        assert_eq!(e.subset(&[1]).unwrap().dense(2), vec![7.0]);
        let cut = e.subset_genes(&[2, 0]).unwrap();
        assert_eq!(
            (cut.genes(), cut.dense(0), cut.dense(1)),
            (&names("g", 3)[2..].iter().chain(&names("g", 1)).cloned().collect::<Vec<_>>()[..], vec![1.0, 7.0], vec![5.0, 0.0])
        );
        assert!(e.subset_genes(&[3]).is_err());
        let mut changed = cut;
        changed.map_values(|row, value| value + row as f32);
        assert_eq!(changed.dense(0), vec![1.0, 8.0]);
        assert!(changed.is_increasing() && changed.value_facts().are_counts());
        changed.map_values(|_, value| value / 16.0);
        assert_eq!(changed.value_facts().n_fractions, 3);
        assert!(Expression::from_rows(names("g", 3), vec![], names("s", 2), &[0, 2, 3], &[0, 9, 2], &[5.0, 1.0, 7.0]).is_err());
    }

    #[test]
    fn rearranging_moves_drops_and_sorts() {
        let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
        let (offsets, rows, values) = (vec![0, 3, 4], vec![0, 1, 2, 1], vec![1.0, 2.0, 3.0, 4.0]);
        let e = Expression::new(names("g", 2), vec![], names("old", 3), offsets, rows, values).unwrap();
        let moved = e.clone().rearranged(&[Some(3), None, Some(1)], names("new", 4)).unwrap();
        assert_eq!((moved.dense(0), moved.dense(1)), (vec![0.0, 3.0, 0.0, 1.0], vec![0.0; 4]));
        assert_eq!((moved.gene(0).0, moved.n_stored(), moved.observations()[3].as_str()), (&[1, 3][..], 2, "new3"));
        assert!(e.clone().rearranged(&[Some(0)], names("new", 1)).is_err());
        assert!(e.rearranged(&[Some(9), None, None], names("new", 2)).is_err());
    }
}
