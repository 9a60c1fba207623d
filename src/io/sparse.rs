//! Compressed rows of an HDF5 file to compressed columns, a piece at a time: the row-wise arrays of h5ad and 10x
//! files are read twice and never lie in memory as a whole beside what they become.

use super::Reading;
use super::hdf5_read::Hdf5;
use crate::base::{Error, Result};
use crate::model::Expression;

/// Names of genes, gene identifiers (may be empty) and observations.
pub(super) type Names = (Vec<String>, Vec<String>, Vec<String>);

/// The matrix whose arrays `indptr`, `indices` and `data` are in group `at`, one row per observation.
/// [`Error::Malformed`] where they do not fit the names. Costs two passes over `indices`, one over `data`.
pub(super) fn read_rows(file: &Hdf5, at: &str, (genes, ids, observations): Names, reading: &Reading) -> Result<Expression> {
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
            *offsets.get_mut(gene as usize + 1).ok_or_else(misfit)? += 1;
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
    Expression::new(genes, ids, observations, offsets, rows, values)
}
