//! Matrices as compressed rows: small ones packed with the rest of the file, large ones plainly and a block at a time
//! into holes that are left for them.

use crate::base::Result;
use crate::io::hdf5_build::{Holes, encode_group, pack};
use crate::io::row_blocks::{Block, RowBlocks};
use crate::model::Expression;
use hdf5_pure::{AttrValue, FinishedGroup, GroupBuilder, make_f32_type, make_i32_type, make_i64_type};
use rayon::prelude::*;

/// Matrices with more values are written plainly, as anndata writes all: packing them takes longer than computing them.
pub(super) const MOST_PACKED: usize = 1 << 23;

/// Matrices that are still to be written, by path of their group.
pub(super) struct Late<'a> {
    most_packed: usize,
    matrices: Vec<(String, RowBlocks<'a>)>,
}

impl<'a> Late<'a> {
    /// Matrices of more values may wait.
    pub fn above(most_packed: usize) -> Self {
        Self { most_packed, matrices: Vec::new() }
    }

    /// Adds a matrix; a large one as a hole.
    pub fn matrix(&mut self, x: GroupBuilder, path: &str, expression: &'a Expression) -> FinishedGroup {
        let rows = RowBlocks::new(expression);
        if expression.n_stored() > self.most_packed {
            let group = hole(x, expression, rows.offsets());
            self.matrices.push((path.to_owned(), rows));
            group
        } else {
            packed(x, expression, rows)
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.matrices.is_empty()
    }

    /// Writes what waits.
    pub fn fill(&self, holes: &mut Holes) -> Result<()> {
        self.matrices.iter().try_for_each(|(path, rows)| fill(holes, path, rows))
    }
}

/// scipy takes offsets and gene numbers in one type, and some of what uses it only the smaller one.
fn is_small(n_stored: usize) -> bool {
    i32::try_from(n_stored).is_ok()
}

fn start(x: &mut GroupBuilder, expression: &Expression) {
    encode_group(x, "csr_matrix", "0.1.0");
    let shape = vec![expression.observations().len() as i64, expression.genes().len() as i64];
    x.set_attr("shape", AttrValue::I64Array(shape));
}

fn offsets_of(x: &mut GroupBuilder, offsets: &[u64], is_small: bool) {
    let dataset = x.create_dataset("indptr");
    if is_small {
        dataset.with_i32_data(&offsets.iter().map(|&o| o as i32).collect::<Vec<_>>());
    } else {
        dataset.with_i64_data(&offsets.iter().map(|&o| o as i64).collect::<Vec<_>>());
    }
    pack(dataset, offsets.len());
}

fn packed(mut x: GroupBuilder, expression: &Expression, rows: RowBlocks) -> FinishedGroup {
    let (offsets, columns, values) = rows.whole();
    start(&mut x, expression);
    pack(x.create_dataset("data").with_f32_data(&values), values.len());
    let dataset = x.create_dataset("indices");
    if is_small(values.len()) {
        dataset.with_i32_data(&columns.iter().map(|&c| c as i32).collect::<Vec<_>>());
    } else {
        dataset.with_i64_data(&columns.iter().map(|&c| i64::from(c)).collect::<Vec<_>>());
    }
    pack(dataset, columns.len());
    offsets_of(&mut x, &offsets, is_small(values.len()));
    x.finish()
}

/// The zeros are never touched, so they take no memory.
fn hole(mut x: GroupBuilder, expression: &Expression, offsets: &[u64]) -> FinishedGroup {
    let n = expression.n_stored();
    start(&mut x, expression);
    x.create_dataset("data").with_raw_data(make_f32_type(), vec![0; n * 4], n as u64);
    let (kind, size) = if is_small(n) { (make_i32_type(), 4) } else { (make_i64_type(), 8) };
    x.create_dataset("indices").with_raw_data(kind, vec![0; n * size], n as u64);
    offsets_of(&mut x, offsets, is_small(n));
    x.finish()
}

fn fill(holes: &mut Holes, path: &str, rows: &RowBlocks) -> Result<()> {
    let is_small = is_small(rows.offsets().last().copied().unwrap_or(0) as usize);
    let (indices, data) = (format!("{path}/indices"), format!("{path}/data"));
    let mut write = |ready: &[Block]| {
        for block in ready {
            // As many at a time as stay in the cache.
            for genes in block.genes.chunks(1 << 15) {
                if is_small {
                    holes.append(&indices, genes.iter().map(|g| g.to_le_bytes()).collect::<Vec<_>>().as_flattened())?;
                } else {
                    let wide = genes.iter().map(|&g| u64::from(g).to_le_bytes());
                    holes.append(&indices, wide.collect::<Vec<_>>().as_flattened())?;
                }
            }
            for values in block.values.chunks(1 << 15) {
                holes.append(&data, values.iter().map(|v| v.to_le_bytes()).collect::<Vec<_>>().as_flattened())?;
            }
        }
        Ok(())
    };
    // The next blocks are made while these are written.
    let width = rayon::current_num_threads().max(1);
    let (mut ready, mut next) = (Vec::new(), vec![Block::default(); width]);
    for ranges in rows.blocks().chunks(width) {
        next.resize(ranges.len(), Block::default());
        let make = || next.par_iter_mut().zip(ranges).for_each(|(block, range)| rows.block(range, block));
        rayon::join(|| write(&ready), make).0?;
        std::mem::swap(&mut ready, &mut next);
    }
    write(&ready)
}
