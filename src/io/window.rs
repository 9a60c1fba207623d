//! Rows of an array that lies in chunks: which chunks they touch, and where the bytes of each go.

use crate::base::{Error, Limits, Result};

/// Rows `start..start + count` (first axis) of an array, last axis fastest.
#[derive(Clone, Debug)]
pub(crate) struct Window<'a> {
    /// Size of the whole array; a single value has none.
    pub shape: &'a [u64],
    /// First row.
    pub start: u64,
    /// Number of rows.
    pub count: u64,
    /// Bytes of an element.
    pub size: usize,
}

impl Window<'_> {
    /// Bytes of these rows, within `limits`.
    pub fn n_bytes(&self, what: &str, limits: &Limits) -> Result<usize> {
        let mut shape = self.shape.to_vec();
        if let Some(first) = shape.first_mut() {
            if self.start.checked_add(self.count).is_none_or(|end| end > *first) {
                return Err(Error::malformed(format!("rows {}.. of the {first} in {what}", self.start)));
            }
            *first = self.count;
        }
        limits.check(what, &shape, self.size as u64)
    }

    /// First and last index (inclusive) along each axis of the chunks of `chunk` elements that these rows touch;
    /// `None` where there are none.
    pub fn chunks(&self, chunk: &[u64]) -> Option<Vec<(u64, u64)>> {
        let range = |axis: usize| {
            let (from, n) = if axis == 0 { (self.start, self.count) } else { (0, self.shape[axis]) };
            (n > 0).then(|| (from / chunk[axis], (from + n - 1) / chunk[axis]))
        };
        (0..self.shape.len()).map(range).collect()
    }

    /// Copies what of a chunk belongs to these rows. `offset` is the chunk's first element in the array.
    pub fn place(&self, out: &mut [u8], bytes: &[u8], chunk: &[u64], offset: &[u64]) -> Option<()> {
        if self.shape.is_empty() {
            out.copy_from_slice(bytes.get(..out.len())?);
            return Some(());
        }
        let axes = self.shape.len();
        // Part of the chunk along each axis: its first element there, how many, and where they go.
        let mut parts = Vec::with_capacity(axes);
        for axis in 0..axes {
            let (low, high) = if axis == 0 { (self.start, self.start + self.count) } else { (0, self.shape[axis]) };
            let from = offset[axis].max(low);
            let until = offset[axis].checked_add(chunk[axis])?.min(high);
            if until <= from {
                return Some(());
            }
            parts.push((from - offset[axis], until - from, from - low));
        }
        let (last, n_last, to_last) = parts[axes - 1];
        let run = n_last as usize * self.size;
        let mut index = vec![0_u64; axes - 1];
        loop {
            let (mut from, mut to) = (0_u64, 0_u64);
            for axis in 0..axes - 1 {
                from = from * chunk[axis] + parts[axis].0 + index[axis];
                let wide = if axis == 0 { self.count } else { self.shape[axis] };
                to = to * wide + parts[axis].2 + index[axis];
            }
            let wide = if axes == 1 { self.count } else { self.shape[axes - 1] };
            let from = (from * chunk[axes - 1] + last) as usize * self.size;
            let to = (to * wide + to_last) as usize * self.size;
            out.get_mut(to..to + run)?.copy_from_slice(bytes.get(from..from + run)?);
            if !advance(&mut index, &parts) {
                return Some(());
            }
        }
    }
}

/// The next row of the chunk; false after the last.
fn advance(index: &mut [u64], parts: &[(u64, u64, u64)]) -> bool {
    for axis in (0..index.len()).rev() {
        index[axis] += 1;
        if index[axis] < parts[axis].1 {
            return true;
        }
        index[axis] = 0;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_make_the_array() {
        let (shape, chunk) = ([5_u64, 4, 3], [2_u64, 3, 2]);
        let value = |i: [u64; 3]| (i[0] * 12 + i[1] * 3 + i[2]) as u8;
        let window = Window { shape: &shape, start: 1, count: 3, size: 1 };
        let mut out = vec![99; window.n_bytes("a", &Limits::default()).unwrap()];
        let ranges = window.chunks(&chunk).unwrap();
        assert_eq!(ranges, [(0, 1), (0, 1), (0, 1)]);
        for (a, b, c) in (0..2).flat_map(|a| (0..2).flat_map(move |b| (0..2).map(move |c| (a, b, c)))) {
            let offset = [a * 2, b * 3, c * 2];
            let inside = (0..12).map(|i| [offset[0] + i / 6, offset[1] + i / 2 % 3, offset[2] + i % 2]);
            let bytes: Vec<u8> = inside.map(value).collect();
            window.place(&mut out, &bytes, &chunk, &offset).unwrap();
        }
        assert_eq!(out, (12..48).collect::<Vec<u8>>());
        assert!(window.place(&mut out, &[0; 3], &chunk, &[0, 0, 0]).is_none());
    }
}
