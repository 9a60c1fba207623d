//! Compressed rows of a table that is stored gene by gene, a block of rows at a time, so that both forms of a large
//! table are never in memory together.

use crate::model::Expression;
use rayon::prelude::*;
use std::ops::Range;

/// Values of a block, about.
const BLOCK_VALUES: u64 = 1 << 20;

/// What a block of rows holds, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Block {
    /// Numbers of genes.
    pub genes: Vec<u32>,
    /// Values.
    pub values: Vec<f32>,
}

/// A table seen by rows.
pub(crate) struct RowBlocks<'a> {
    expression: &'a Expression,
    offsets: Vec<u64>,
}

impl<'a> RowBlocks<'a> {
    /// Counts the values of each row: one pass over them.
    pub fn new(expression: &'a Expression) -> Self {
        let (n, m) = (expression.observations().len(), expression.genes().len());
        let add = |mut counts: Vec<u64>, gene: usize| {
            expression.gene(gene).0.iter().for_each(|&row| counts[row as usize] += 1);
            counts
        };
        let both = |mut a: Vec<u64>, b: Vec<u64>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let genes = (0..m).into_par_iter().with_min_len(m.div_ceil(8).max(1));
        let counts = genes.fold(|| vec![0_u64; n], add).reduce(|| vec![0_u64; n], both);
        let mut offsets = Vec::with_capacity(n + 1);
        offsets.push(0);
        counts.iter().for_each(|c| offsets.push(offsets[offsets.len() - 1] + c));
        Self { expression, offsets }
    }

    /// Where each row begins, and where the last ends.
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// Rows in blocks of about a million values; a row is never cut.
    pub fn blocks(&self) -> Vec<Range<usize>> {
        let n = self.offsets.len() - 1;
        let (mut out, mut start) = (Vec::new(), 0);
        while start < n {
            let most = self.offsets[start] + BLOCK_VALUES;
            let end = self.offsets.partition_point(|o| *o <= most).saturating_sub(1).clamp(start + 1, n);
            out.push(start..end);
            start = end;
        }
        out
    }

    /// Gene numbers, increasing in each row, and values of a block, in place of what `out` held. Costs a search in every
    /// gene and a pass over what the block holds.
    pub fn block(&self, rows: &Range<usize>, out: &mut Block) {
        let (first, n_rows) = (self.offsets[rows.start], self.offsets.len() - 1);
        let n = (self.offsets[rows.end] - first) as usize;
        let mut next: Vec<usize> = self.offsets[rows.clone()].iter().map(|o| (o - first) as usize).collect();
        out.genes.resize(n, 0);
        out.values.resize(n, 0.0);
        for gene in 0..self.expression.genes().len() {
            let (all, values) = self.expression.gene(gene);
            let from = first_from(all, rows.start, n_rows);
            for (&row, &value) in all[from..].iter().zip(&values[from..]) {
                let Some(slot) = next.get_mut(row as usize - rows.start) else { break };
                (out.genes[*slot], out.values[*slot]) = (gene as u32, value);
                *slot += 1;
            }
        }
    }

    /// All rows at once.
    pub fn whole(self) -> (Vec<u64>, Vec<u32>, Vec<f32>) {
        let mut all = Block::default();
        self.block(&(0..self.offsets.len() - 1), &mut all);
        (self.offsets, all.genes, all.values)
    }
}

/// Number of the first of the increasing `rows` from `start`. Searches from where it would be if they were spread evenly,
/// since each step away from there is a miss of the cache.
fn first_from(rows: &[u32], start: usize, n_rows: usize) -> usize {
    let guess = (rows.len() as u64 * start as u64 / n_rows.max(1) as u64) as usize;
    let (mut low, mut high, mut step) = (guess, guess, 8);
    while low > 0 && rows[low - 1] as usize >= start {
        low = low.saturating_sub(step);
        step *= 2;
    }
    while high < rows.len() && (rows[high] as usize) < start {
        high = (high + step).min(rows.len());
        step *= 2;
    }
    low + rows[low..high].partition_point(|row| (*row as usize) < start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_make_the_whole() {
        let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
        let (row_offsets, columns, values) = (vec![0, 2, 2, 5, 6], vec![0, 2, 0, 1, 2, 1], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let e = Expression::from_rows(names("g", 3), vec![], names("s", 4), &row_offsets, &columns, &values).unwrap();
        let rows = RowBlocks::new(&e);
        assert_eq!((rows.blocks().len(), &rows.blocks()[0]), (1, &(0..4)));
        let mut block = Block::default();
        rows.block(&(2..4), &mut block);
        assert_eq!(block, Block { genes: vec![0, 1, 2, 1], values: vec![3.0, 4.0, 5.0, 6.0] });
        rows.block(&(1..2), &mut block);
        assert_eq!(block, Block::default());
        assert_eq!(rows.whole(), (row_offsets, columns, values));
        let none = Expression::new(vec![], vec![], vec![], vec![0], vec![], vec![]).unwrap();
        assert!(RowBlocks::new(&none).blocks().is_empty());
        assert_eq!(RowBlocks::new(&none).whole(), (vec![0], vec![], vec![]));
    }

    #[test]
    fn a_block_ends_between_rows() {
        let n = (BLOCK_VALUES + 1) as usize;
        let genes = (0..n).map(|i| i.to_string()).collect();
        let (names, offsets) = (["a", "b", "c"].map(str::to_owned).to_vec(), [0, n as u64, n as u64 + 1, n as u64 + 2]);
        let columns: Vec<u32> = (0..n as u32).chain([0, 1]).collect();
        let e = Expression::from_rows(genes, vec![], names, &offsets, &columns, &vec![1.0; n + 2]).unwrap();
        let rows = RowBlocks::new(&e);
        assert_eq!(rows.blocks(), [0..1, 1..3]);
        let mut block = Block::default();
        rows.block(&(1..3), &mut block);
        assert_eq!(block.genes, [0, 1]);
    }

    #[test]
    fn the_first_row_is_found_wherever_it_is() {
        for rows in [vec![], vec![3], (0..100).collect::<Vec<u32>>(), (900..1000).collect(), vec![0, 1, 2, 999]] {
            for start in 0..1001 {
                let found = first_from(&rows, start, 1000);
                assert_eq!(found, rows.partition_point(|r| (*r as usize) < start), "{start} in {rows:?}");
            }
        }
    }
}
