//! A table of numbers with names on two sides, from comma- or tab-separated text, zeros left out.

use crate::base::{Error, Result};
use crate::io::Reading;

/// Names on both sides and the numbers that are not zero, line by line; NaN is a missing cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cross {
    /// Names at the beginning of lines.
    pub lines: Vec<String>,
    /// Names in the header.
    pub header: Vec<String>,
    /// Whether entries are stored line by line; else column by column.
    pub by_lines: bool,
    /// Where each line (or column) begins.
    pub offsets: Vec<u64>,
    /// Column (or line) of each entry.
    pub places: Vec<u32>,
    /// Value of each entry.
    pub values: Vec<f32>,
}

/// Cuts a line at its separators; quotes protect them.
pub(super) fn fields(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut out, mut start, mut quoted) = (Vec::new(), 0, false);
    for (i, &byte) in line.iter().enumerate() {
        if byte == b'"' {
            quoted = !quoted;
        } else if byte == separator && !quoted {
            out.push(&line[start..i]);
            start = i + 1;
        }
    }
    out.push(&line[start..]);
    out
}

/// A name without its quotes.
pub(super) fn name(field: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(field).map_err(|_| Error::malformed("a name is not UTF-8; save the table as UTF-8"))?.trim();
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    Ok(inner.replace("\"\"", "\""))
}

/// A number; `None` for words, NaN for an empty cell or `NA`.
pub(super) fn number(field: &[u8]) -> Option<f32> {
    let field = field.trim_ascii();
    if let [digit @ b'0'..=b'9'] = field {
        return Some(f32::from(digit - b'0'));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches('"');
    if text.is_empty() || text.eq_ignore_ascii_case("na") {
        return Some(f32::NAN);
    }
    text.parse().ok()
}

/// Tab where the first line has more of them than commas.
pub(super) fn separator(bytes: &[u8]) -> u8 {
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |of: u8| first.iter().filter(|b| **b == of).count();
    if count(b'\t') > count(b',') { b'\t' } else { b',' }
}

/// Lines without their ends and without empty ones; a byte order mark is left out.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).filter(|l| !l.trim_ascii().is_empty())
}

/// Parses the whole table. The first column holds names; its header may be missing, as R writes it.
pub(super) fn parse(bytes: &[u8], reading: &mut Reading) -> Result<Cross> {
    reading.limits.check("the table", &[bytes.len() as u64], 5)?;
    let separator = separator(bytes);
    let mut all = lines(bytes);
    let Some(first) = all.next() else {
        return Err(Error::malformed("the table is empty; a header line with the names of genes was expected"));
    };
    let mut header: Vec<String> = fields(first, separator).into_iter().map(name).collect::<Result<_>>()?;
    let mut out = Cross { by_lines: true, offsets: vec![0], ..Cross::default() };
    let mut n_fields = 0;
    let mut done = first.len();
    for line in all {
        if out.lines.len().is_multiple_of(16) {
            reading.progress.step(0.1 + 0.7 * done as f64 / bytes.len() as f64, "reading the table")?;
        }
        done += line.len();
        let cells = fields(line, separator);
        if out.lines.is_empty() {
            n_fields = cells.len();
            if header.len() == n_fields {
                header.remove(0);
            }
        }
        if cells.len() != n_fields || header.len() + 1 != n_fields {
            let (row, n) = (out.lines.len() + 1, header.len() + 1);
            return Err(Error::malformed(format!(
                "row {row} has {} fields, expected {n}: a name and a number for each column",
                cells.len()
            )));
        }
        let row_name = name(cells[0])?;
        for (column, cell) in cells[1..].iter().enumerate() {
            let value = number(cell).ok_or_else(|| no_number(cell, &row_name, &header[column]))?;
            if value != 0.0 {
                out.places.push(column as u32);
                out.values.push(value);
            }
        }
        out.lines.push(row_name);
        out.offsets.push(out.places.len() as u64);
    }
    if out.lines.is_empty() || header.is_empty() {
        return Err(Error::malformed("the table has no numbers: a header, and lines with a name and numbers, were expected"));
    }
    out.header = header;
    Ok(out)
}

pub(super) fn no_number(cell: &[u8], row: &str, column: &str) -> Error {
    let shown = String::from_utf8_lossy(&cell[..cell.len().min(40)]).trim().to_owned();
    Error::malformed(format!("column {column} of {row} is “{shown}”, expected a number; only the first column may hold words"))
}
