//! Compressed rows of an HDF5 file to compressed columns, a piece at a time: the row-wise arrays of h5ad and 10x
//! files are read twice and never lie in memory as a whole beside what they become.

use super::Reading;
use super::stored::Stored;
use crate::base::{Error, Result, Warnings};
use crate::model::{Expression, ValueFacts};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Names of genes, gene identifiers (may be empty) and observations.
pub(super) type Names = (Vec<String>, Vec<String>, Vec<String>);

/// The matrix whose arrays `indptr`, `indices` and `data` are in group `at`, one row per observation.
/// [`Error::Malformed`] where they do not fit the names. Costs two passes over `indices`, one over `data`.
pub(super) fn read_rows(
    file: &dyn Stored,
    at: &str,
    (genes, ids, observations): Names,
    reading: &mut Reading,
) -> Result<Expression> {
    let array = |name: &str| format!("{at}/{name}");
    let (indices, data) = (array("indices"), array("data"));
    let row_offsets = file.u64s(&array("indptr"))?;
    let n = file.n_elements(&indices)?;
    let n_values = file.n_elements(&data)?;
    reading.limits.check("the sparse matrix", &[n.max(n_values) + genes.len() as u64], 16)?;
    let (n_rows, n_genes, n_offsets) = (observations.len(), genes.len(), row_offsets.len());
    let misfit = || {
        Error::malformed(format!(
            "the sparse matrix does not fit {n_rows} observations × {n_genes} genes ({n_offsets} offsets, {n} columns, {n_values} values)"
        ))
    };
    let rises = row_offsets.windows(2).all(|w| w[0] <= w[1]);
    let closed = row_offsets.first() == Some(&0) && row_offsets.last() == Some(&n);
    if !rises || !closed || row_offsets.len() != observations.len() + 1 || n != n_values {
        return Err(misfit());
    }
    let mut sorting =
        Sorting { row_offsets, row: 0, next: count_genes(file, &indices, (n, genes.len()), reading)?, ..Sorting::default() };
    let mut offsets = sorting.next.clone();
    (sorting.rows, sorting.values) = (vec![0; n as usize], vec![0.0; n as usize]);
    let read = |(start, count): (u64, u64)| {
        reading.progress.step(0.4 + 0.5 * start as f64 / n as f64, "reading counts")?;
        Ok((start, file.u32s_at(&indices, start, count)?, file.f32s_at(&data, start, count)?))
    };
    read_ahead(&file.pieces(&indices)?, read, |(start, genes, values)| sorting.place(start, &genes, &values).ok_or_else(misfit))?;
    let Sorting { mut rows, mut values, .. } = sorting;
    merge(&mut offsets, &mut rows, &mut values, reading);
    Expression::new(genes, ids, observations, offsets, rows, values)
}

/// Where the entries of each gene begin, and where the last ends. [`Error::Malformed`] for a gene that there is not.
fn count_genes(file: &dyn Stored, indices: &str, (n, n_genes): (u64, usize), reading: &Reading) -> Result<Vec<u64>> {
    let mut offsets = vec![0_u64; n_genes + 1];
    let read = |(start, count): (u64, u64)| {
        reading.progress.step(0.2 + 0.2 * start as f64 / n as f64, "reading counts")?;
        file.u32s_at(indices, start, count)
    };
    read_ahead(&file.pieces(indices)?, read, |genes| {
        for gene in genes {
            let beyond = || Error::malformed(format!("{indices} names gene {gene}, but there are {n_genes} (counted from 0)"));
            *offsets[1..].get_mut(gene as usize).ok_or_else(beyond)? += 1;
        }
        Ok(())
    })?;
    for gene in 0..n_genes {
        offsets[gene + 1] += offsets[gene];
    }
    Ok(offsets)
}

/// Reads pieces on this thread while another works on the piece before.
fn read_ahead<P: Send>(
    pieces: &[(u64, u64)],
    read: impl Fn((u64, u64)) -> Result<P>,
    mut work: impl FnMut(P) -> Result<()> + Send,
) -> Result<()> {
    let mut ready: Option<P> = None;
    for &piece in pieces {
        let (mut done, mut next) = (Ok(()), None);
        rayon::in_place_scope(|scope| {
            if let Some(ready) = ready.take() {
                let (work, done) = (&mut work, &mut done);
                scope.spawn(move |_| *done = work(ready));
            }
            next = Some(read(piece));
        });
        done?;
        ready = next.transpose()?;
    }
    ready.map_or(Ok(()), work)
}

/// Compressed rows on their way to compressed columns. A piece is sorted by gene where it fits into the cache, and what
/// it has of a gene is then written in one run: entry by entry, every write would be a miss.
#[derive(Default)]
struct Sorting {
    row_offsets: Vec<u64>,
    row: usize,
    next: Vec<u64>,
    rows: Vec<u32>,
    values: Vec<f32>,
    sorted: Vec<(u32, f32)>,
}

impl Sorting {
    /// Puts a piece, which begins with entry `start`, in its places; `None` where there are none.
    fn place(&mut self, start: u64, genes: &[u32], values: &[f32]) -> Option<()> {
        // Where each gene begins in the sorted piece, and after sorting where it ends.
        let mut ends = vec![0_u32; self.next.len()];
        for &gene in genes {
            *ends.get_mut(gene as usize)? += 1;
        }
        let mut sum = 0;
        ends.iter_mut().for_each(|end| (*end, sum) = (sum, sum + *end));
        self.sorted.resize(genes.len(), (0, 0.0));
        let mut from = 0;
        while from < genes.len() {
            while *self.row_offsets.get(self.row + 1)? <= start + from as u64 {
                self.row += 1;
            }
            let end = genes.len().min((self.row_offsets[self.row + 1] - start) as usize);
            for (&gene, &value) in genes[from..end].iter().zip(values.get(from..end)?) {
                let end = ends.get_mut(gene as usize)?;
                *self.sorted.get_mut(*end as usize)? = (self.row as u32, value);
                *end += 1;
            }
            from = end;
        }
        let mut begin = 0;
        for (next, &end) in self.next.iter_mut().zip(&ends).filter(|(_, end)| **end > 0) {
            let run = self.sorted.get(begin..end as usize)?;
            let place = *next as usize..*next as usize + run.len();
            let places = self.rows.get_mut(place.clone())?.iter_mut().zip(self.values.get_mut(place)?);
            places.zip(run).for_each(|((row, value), entry)| (*row, *value) = *entry);
            (*next, begin) = (*next + run.len() as u64, end as usize);
        }
        Some(())
    }
}

/// Adds up entries of one place (rows are sorted within each column), as scipy does, and says how many there were.
pub(super) fn merge(offsets: &mut [u64], rows: &mut Vec<u32>, values: &mut Vec<f32>, reading: &mut Reading) {
    let is_single = |w: &[u64]| rows[w[0] as usize..w[1] as usize].windows(2).all(|pair| pair[0] != pair[1]);
    if offsets.par_windows(2).all(is_single) {
        return;
    }
    let (mut kept, mut start) = (0, 0);
    for end in offsets.iter_mut().skip(1) {
        let first = kept;
        for i in start..*end as usize {
            if kept > first && rows[kept - 1] == rows[i] {
                values[kept - 1] += values[i];
            } else {
                (rows[kept], values[kept]) = (rows[i], values[i]);
                kept += 1;
            }
        }
        start = *end as usize;
        *end = kept as u64;
    }
    let n_merged = rows.len() - kept;
    rows.truncate(kept);
    values.truncate(kept);
    if n_merged > 0 {
        let text = format!("{n_merged} values of the sparse matrix stand at a place that has one already; they are added up");
        reading.warnings.warn("entries-twice", text, None);
    }
}

/// Says what is odd about a table: names that stand twice, values that are missing, and negative counts.
pub(super) fn tell_oddities(expression: &Expression, path: &Path, warnings: &mut Warnings) {
    for (names, what) in [(expression.genes(), "genes"), (expression.observations(), "cells or spots")] {
        let mut seen = BTreeSet::new();
        let twice: BTreeSet<&String> = names.iter().filter(|n| !seen.insert(n.as_str())).collect();
        if let Some(name) = twice.first() {
            let text = format!(
                "{} names of {what} stand more than once (as {name}); each is kept{}",
                twice.len(),
                if what == "genes" { " (else --duplicates)" } else { "" }
            );
            warnings.warn("names-twice", text, Some(path));
        }
    }
    let ValueFacts { n_not_finite, n_negative, n_fractions, .. } = expression.value_facts();
    if n_not_finite > 0 {
        let text = format!("{n_not_finite} values are missing or infinite");
        warnings.warn("values-missing", text, Some(path));
    }
    if n_negative > 0 && n_fractions == 0 {
        let text = format!("{n_negative} counts are negative; counts start at 0, so this table was changed");
        warnings.warn("negative-counts", text, Some(path));
    }
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{codes, run};
    use super::*;

    #[test]
    fn entries_of_one_place_are_added() {
        let (mut offsets, mut rows, mut values) = (vec![0, 3, 3, 5], vec![0, 0, 2, 1, 1], vec![1.0, 2.0, 3.0, 4.0, 5.0]);
        let (_, warnings) = run(|r| {
            merge(&mut offsets, &mut rows, &mut values, r);
            Ok(())
        });
        assert_eq!((offsets, rows, values), (vec![0, 2, 2, 3], vec![0, 2, 1], vec![3.0, 3.0, 9.0]));
        assert_eq!(codes(&warnings), ["entries-twice"]);
    }
}
