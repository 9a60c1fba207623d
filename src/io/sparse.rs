//! Compressed rows of an HDF5 file to compressed columns, a piece at a time: the row-wise arrays of h5ad and 10x
//! files are read twice and never lie in memory as a whole beside what they become.

use super::Reading;
use super::stored::Stored;
use crate::base::{Error, Result, Warnings};
use crate::model::Expression;
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
    let misfit = || {
        Error::malformed(format!(
            "the sparse matrix does not fit {} observations × {} genes ({} offsets, {n} columns, {n_values} values)",
            observations.len(),
            genes.len(),
            row_offsets.len()
        ))
    };
    let rises = row_offsets.windows(2).all(|w| w[0] <= w[1]);
    let closed = row_offsets.first() == Some(&0) && row_offsets.last() == Some(&n);
    if !rises || !closed || row_offsets.len() != observations.len() + 1 || n != n_values {
        return Err(misfit());
    }
    let mut offsets = vec![0_u64; genes.len() + 1];
    for (start, count) in file.pieces(&indices)? {
        reading.progress.step(0.2 + 0.2 * start as f64 / n as f64, "reading counts")?;
        for gene in file.u32s_at(&indices, start, count)? {
            let beyond =
                || Error::malformed(format!("{indices} names gene {gene}, but there are {} (counted from 0)", genes.len()));
            *offsets.get_mut(gene as usize + 1).filter(|_| (gene as usize) < genes.len()).ok_or_else(beyond)? += 1;
        }
    }
    for gene in 0..genes.len() {
        offsets[gene + 1] += offsets[gene];
    }

    let mut next = offsets.clone();
    let (mut rows, mut values) = (vec![0_u32; n as usize], vec![0_f32; n as usize]);
    let mut row = 0;
    for (start, count) in file.pieces(&indices)? {
        reading.progress.step(0.4 + 0.5 * start as f64 / n as f64, "reading counts")?;
        let genes_here = file.u32s_at(&indices, start, count)?;
        let values_here = file.f32s_at(&data, start, count)?;
        for (k, (gene, value)) in (start..).zip(genes_here.into_iter().zip(values_here)) {
            while row_offsets[row + 1] <= k {
                row += 1;
            }
            let slot = next.get_mut(gene as usize).ok_or_else(misfit)?;
            let (row_at, value_at) = (rows.get_mut(*slot as usize), values.get_mut(*slot as usize));
            let (Some(row_at), Some(value_at)) = (row_at, value_at) else { return Err(misfit()) };
            (*row_at, *value_at) = (row as u32, value);
            *slot += 1;
        }
    }
    merge(&mut offsets, &mut rows, &mut values, reading);
    Expression::new(genes, ids, observations, offsets, rows, values)
}

/// Adds up entries of one place (rows are sorted within each column), as scipy does, and says how many there were.
pub(super) fn merge(offsets: &mut [u64], rows: &mut Vec<u32>, values: &mut Vec<f32>, reading: &mut Reading) {
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
    let values = || (0..expression.genes().len()).flat_map(|g| expression.gene(g).1.iter().copied());
    let n_missing = values().filter(|v| !v.is_finite()).count();
    if n_missing > 0 {
        let text = format!("{n_missing} values are missing or infinite");
        warnings.warn("values-missing", text, Some(path));
    }
    let n_negative = values().filter(|v| *v < 0.0).count();
    let is_whole = || values().all(|v| !v.is_finite() || v.fract() == 0.0);
    if n_negative > 0 && is_whole() {
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
