//! Page headers of a Parquet file, looked at before it is decoded: the decoder allocates what they
//! claim, and an allocation that fails ends the program. Source: Apache Parquet and Thrift compact protocol.

use crate::base::{Error, Limits, Result};
use std::ops::Range;

/// How deep unknown structures are skipped.
const MAX_DEPTH: usize = 16;

/// Walks all pages of a column chunk. [`Error::Malformed`] where a page claims a negative size, more
/// values than the chunk, or a place beyond it; [`Error::TooLarge`] where it inflates beyond the limit.
pub(super) fn check_chunk(data: &[u8], place: Range<u64>, n_values: i64, limits: &Limits) -> Result<()> {
    let n_values = u64::try_from(n_values).map_err(|_| damaged("a column has a negative length"))?;
    limits.check("a column of the table", &[n_values], 8)?;
    let end = usize::try_from(place.end).ok().filter(|e| *e <= data.len());
    let start = usize::try_from(place.start).ok();
    let (Some(start), Some(end)) = (start, end) else { return Err(damaged("a column lies beyond the file")) };
    let mut reader = Compact { data: data.get(..end).unwrap_or(data), at: start };
    let mut seen = 0u64;
    while reader.at < end {
        let page = reader.page()?;
        limits.check("a page of the table", &[page.n_inflated], 1)?;
        limits.check("a page of the table", &[page.n_dictionary], 16)?;
        seen = seen.saturating_add(page.n_values);
        if seen > n_values {
            return Err(damaged("the pages of a column hold more values than the column"));
        }
        reader.advance(page.n_stored)?;
    }
    Ok(())
}

fn damaged(what: &str) -> Error {
    Error::malformed(format!("the Parquet file is damaged: {what}"))
}

/// What matters of a page header.
#[derive(Debug, Default)]
struct Page {
    n_inflated: u64,
    n_stored: u64,
    n_values: u64,
    n_dictionary: u64,
}

/// Thrift's compact protocol.
struct Compact<'a> {
    data: &'a [u8],
    at: usize,
}

impl Compact<'_> {
    fn advance(&mut self, n: u64) -> Result<()> {
        let at = usize::try_from(n).ok().and_then(|n| self.at.checked_add(n)).filter(|at| *at <= self.data.len());
        self.at = at.ok_or_else(|| damaged("a page ends beyond its column"))?;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = *self.data.get(self.at).ok_or_else(|| damaged("a page header is cut off"))?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged("a number has no end"))
    }

    /// A whole number that must not be negative.
    fn count(&mut self) -> Result<u64> {
        let zigzag = self.varint()?;
        if zigzag & 1 == 0 { Ok(zigzag >> 1) } else { Err(damaged("a page header has a negative size")) }
    }

    /// The next field's number and type, `None` at the end of the structure.
    fn field(&mut self, last: i64) -> Result<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        let id = match byte >> 4 {
            0 => self.varint()? as i64 >> 1,
            step => last.saturating_add(i64::from(step)),
        };
        Ok(Some((id, byte & 15)))
    }

    fn page(&mut self) -> Result<Page> {
        let mut page = Page::default();
        let mut last = 0;
        while let Some((id, kind)) = self.field(last)? {
            match (id, kind) {
                (2, 5) => page.n_inflated = self.count()?,
                (3, 5) => page.n_stored = self.count()?,
                (5, 12) => page.n_values = self.most_of_first(1)?,
                (8, 12) => page.n_values = self.most_of_first(3)?,
                (7, 12) => page.n_dictionary = self.most_of_first(1)?,
                _ => self.skip(kind, 0)?,
            }
            last = id;
        }
        Ok(page)
    }

    /// The largest of the first `n` fields of a page's own header: values, and in version 2 nulls and rows.
    fn most_of_first(&mut self, n: i64) -> Result<u64> {
        let (mut most, mut last) = (0, 0);
        while let Some((id, kind)) = self.field(last)? {
            match (id, kind) {
                (1.., 5) if id <= n => most = most.max(self.count()?),
                _ => self.skip(kind, 0)?,
            }
            last = id;
        }
        Ok(most)
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(damaged("a page header is nested too deep"));
        }
        match kind {
            1 | 2 => Ok(()),
            3 => self.advance(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.advance(8),
            8 => self.varint().and_then(|n| self.advance(n)),
            9 | 10 => {
                let head = self.byte()?;
                let n = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // A truth value in a list takes a byte of its own.
                let element = if matches!(head & 15, 1 | 2) { 3 } else { head & 15 };
                (0..n).try_for_each(|_| self.skip(element, depth + 1))
            }
            12 => {
                let mut last = 0;
                while let Some((id, kind)) = self.field(last)? {
                    self.skip(kind, depth + 1)?;
                    last = id;
                }
                Ok(())
            }
            _ => Err(damaged("a page header holds an unknown type")),
        }
    }
}
