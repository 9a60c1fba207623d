//! Tables in and out over polars: CSV, TSV and Parquet by ending, gzip by content. Text files are
//! read as text, and the asker says which columns are numbers. An empty cell is missing, never 0.

use super::{bytes, parquet_check};
use crate::base::{Error, Limits, Result};
use polars::prelude::{
    Column, CsvParseOptions, CsvReadOptions, CsvWriter, DataFrame, DataType, ParquetReader, ParquetWriter, PolarsResult,
    SerReader, SerWriter,
};
use rayon::prelude::*;
use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How a table is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Comma-separated with a header.
    Csv,
    /// Tab-separated with a header.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

impl TableKind {
    /// By the ending before `.gz`: `.tsv` and `.parquet` are what they say, everything else is CSV.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match bytes::ending(path).as_str() {
            "tsv" => Self::Tsv,
            "parquet" => Self::Parquet,
            _ => Self::Csv,
        }
    }
}

/// The values of a column; `None` is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Any words.
    Text(Vec<Option<String>>),
    /// Numbers, written in the shortest form that reads back the same; NaN is missing.
    Number(Vec<Option<f64>>),
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
}

impl Cells {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(v) => v.len(),
            Self::Number(v) => v.len(),
            Self::Whole(v) => v.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Text(v) => v[row].clone().filter(|t| !t.is_empty()),
            Self::Number(v) => v[row].filter(|n| !n.is_nan()).map(number_text),
            Self::Whole(v) => v[row].map(|n| n.to_string()),
        }
    }
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// As in the header.
    pub name: String,
    /// Its values.
    pub cells: Cells,
}

impl TableColumn {
    /// A column of words.
    pub fn text<T: Into<String>>(name: &str, values: impl IntoIterator<Item = Option<T>>) -> Self {
        Self { name: name.to_owned(), cells: Cells::Text(values.into_iter().map(|v| v.map(Into::into)).collect()) }
    }

    /// A column of numbers.
    pub fn numbers(name: &str, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        Self { name: name.to_owned(), cells: Cells::Number(values.into_iter().collect()) }
    }

    /// A column of whole numbers.
    pub fn whole(name: &str, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        Self { name: name.to_owned(), cells: Cells::Whole(values.into_iter().collect()) }
    }
}

/// Columns of one length with different names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<TableColumn>,
}

/// The shortest decimal form that reads back as the same `f64`; exponents only beyond 10¹⁶ and 10⁻⁵.
#[must_use]
pub fn number_text(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() || (1e-5..1e16).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

impl Table {
    /// Checks that lengths agree and names differ.
    pub fn new(columns: Vec<TableColumn>) -> Result<Self> {
        let n_rows = columns.first().map_or(0, |c| c.cells.len());
        let mut names = std::collections::BTreeSet::new();
        for column in &columns {
            if column.cells.len() != n_rows {
                let n = column.cells.len();
                return Err(Error::malformed(format!("column {} has {n} rows, the first has {n_rows}", column.name)));
            }
            if !names.insert(column.name.as_str()) {
                return Err(Error::malformed(format!("the column {} is there twice", column.name)));
            }
        }
        Ok(Self { columns })
    }

    /// The columns in order.
    #[must_use]
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.cells.len())
    }

    /// A column by its name; letter case and spaces around the name do not matter.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        let exact = self.columns.iter().find(|c| c.name == name);
        exact.or_else(|| self.columns.iter().find(|c| c.name.trim().eq_ignore_ascii_case(name)))
    }

    /// A column as words; [`Error::Malformed`] naming the columns that exist where it is missing.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>> {
        let column = self.required(name)?;
        Ok((0..self.n_rows()).map(|row| column.cells.text(row)).collect())
    }

    /// A column as numbers; NaN and NA are missing, other words are [`Error::Malformed`] with the row.
    pub fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>> {
        match &self.required(name)?.cells {
            Cells::Number(values) => Ok(values.iter().map(|v| v.filter(|v| !v.is_nan())).collect()),
            Cells::Whole(values) => Ok(values.iter().map(|v| v.map(|v| v as f64)).collect()),
            Cells::Text(values) => values.iter().enumerate().map(|(row, v)| parse_number(v.as_deref(), name, row)).collect(),
        }
    }

    fn required(&self, name: &str) -> Result<&TableColumn> {
        self.column(name).ok_or_else(|| {
            let there: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).take(20).collect();
            Error::malformed(format!("there is no column {name}; the columns are {}", there.join(", ")))
        })
    }

    /// Reads a table; Parquet by content, TSV by ending, gzip by content.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self> {
        let data = bytes::read_inflated(path, limits)?;
        Self::parse(data, TableKind::of(path), limits).map_err(|e| e.at(path))
    }

    /// A table from the bytes of an inflated file.
    pub fn parse(data: Vec<u8>, kind: TableKind, limits: &Limits) -> Result<Self> {
        let kind = if data.starts_with(b"PAR1") { TableKind::Parquet } else { kind };
        if data.is_empty() {
            return Err(Error::malformed("the file is empty; a header line with the names of the columns was expected"));
        }
        match kind {
            TableKind::Parquet => parse_parquet(&data, limits),
            TableKind::Csv => parse_text(&data, b','),
            TableKind::Tsv => parse_text(&data, b'\t'),
        }
    }

    /// Writes the table atomically as its ending says (`.csv`, `.tsv`, `.parquet`, the first two also with `.gz`).
    pub fn write(&self, path: &Path) -> Result<()> {
        let kind = TableKind::of(path);
        let data = self.to_bytes(kind).map_err(|e| e.at(path))?;
        let is_gzip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) && kind != TableKind::Parquet;
        bytes::write_atomic(path, |w| {
            let written = if is_gzip { bytes::write_gzip(&data, w) } else { w.write_all(&data) };
            written.map_err(|e| Error::io("writing", e, path))
        })
    }

    /// The bytes of a file of a kind.
    pub fn to_bytes(&self, kind: TableKind) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let written = match kind {
            TableKind::Parquet => {
                self.typed_frame().and_then(|mut f| ParquetWriter::new(&mut out).set_parallel(false).finish(&mut f).map(drop))
            }
            TableKind::Csv | TableKind::Tsv => {
                let separator = if kind == TableKind::Tsv { b'\t' } else { b',' };
                self.text_pieces(separator).map(|pieces| pieces.iter().for_each(|piece| out.extend_from_slice(piece)))
            }
        };
        written.map_err(|e| Error::unsupported(format!("the table cannot be written ({e})")))?;
        Ok(out)
    }

    /// The table as text, some rows at a time on all cores: as text, numbers take many times their place.
    fn text_pieces(&self, separator: u8) -> PolarsResult<Vec<Vec<u8>>> {
        const ROWS: usize = 2048;
        let n_pieces = self.n_rows().div_ceil(ROWS).max(1);
        let pieces = (0..n_pieces).into_par_iter().map(|k| {
            let rows = k * ROWS..((k + 1) * ROWS).min(self.n_rows());
            let mut out = Vec::new();
            let writer = CsvWriter::new(&mut out).include_header(k == 0).with_separator(separator);
            writer.n_threads(1).finish(&mut self.text_frame(rows)?)?;
            Ok(out)
        });
        pieces.collect()
    }

    fn text_frame(&self, rows: std::ops::Range<usize>) -> PolarsResult<DataFrame> {
        let texts = |c: &TableColumn| rows.clone().map(|row| c.cells.text(row)).collect::<Vec<_>>();
        let columns = self.columns.iter().map(|c| Column::new(c.name.as_str().into(), texts(c))).collect();
        DataFrame::new(rows.len(), columns)
    }

    fn typed_frame(&self) -> PolarsResult<DataFrame> {
        let typed = |c: &TableColumn| {
            let name = c.name.as_str().into();
            match &c.cells {
                Cells::Text(v) => Column::new(name, v.as_slice()),
                Cells::Number(v) => Column::new(name, v.as_slice()),
                Cells::Whole(v) => Column::new(name, v.as_slice()),
            }
        };
        DataFrame::new(self.n_rows(), self.columns.iter().map(typed).collect())
    }
}

fn parse_number(cell: Option<&str>, name: &str, row: usize) -> Result<Option<f64>> {
    let Some(text) = cell.map(str::trim).filter(|t| !t.is_empty() && !t.eq_ignore_ascii_case("na")) else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(value) => Ok(Some(value).filter(|v| !v.is_nan())),
        Err(_) => {
            let shown: String = text.chars().take(40).collect();
            Err(Error::malformed(format!("row {} of column {name} is {shown:?}; a number was expected", row + 1)))
        }
    }
}

/// Runs polars on foreign bytes: its errors and its panics are the file's fault.
fn guarded<T>(what: &str, run: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    let damaged = |why: &dyn fmt::Display| {
        let why: String = why.to_string().lines().next().unwrap_or_default().chars().take(200).collect();
        Error::malformed(format!("the {what} cannot be read as a table ({why})"))
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(out)) => Ok(out),
        Ok(Err(e)) => Err(damaged(&e)),
        Err(_) => Err(damaged(&"its content is damaged")),
    }
}

fn parse_text(data: &[u8], separator: u8) -> Result<Table> {
    let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
    if let Err(e) = std::str::from_utf8(data) {
        return Err(Error::malformed(format!("byte {} is not UTF-8 text; save the table as UTF-8", e.valid_up_to())));
    }
    let options = CsvReadOptions::default()
        .with_infer_schema_length(Some(0))
        .with_parse_options(CsvParseOptions::default().with_separator(separator));
    let frame = guarded("text", || options.into_reader_with_file_handle(Cursor::new(data)).finish())?;
    let table = guarded("text", || columns_of(&frame))?;
    Table::new(without_blank_rows(table))
}

fn parse_parquet(data: &[u8], limits: &Limits) -> Result<Table> {
    let frame = {
        let mut reader = ParquetReader::new(Cursor::new(data));
        let n_rows = guarded("Parquet file", || reader.num_rows())?;
        let n_columns = guarded("Parquet file", || reader.schema().map(|s| s.as_ref().len()))?;
        limits.check("the table", &[n_rows as u64, n_columns as u64], 32)?;
        let metadata = guarded("Parquet file", || reader.get_metadata().cloned())?;
        for chunk in metadata.row_groups.iter().flat_map(|group| group.parquet_columns()) {
            let place = guarded("Parquet file", || Ok(chunk.byte_range()))?;
            parquet_check::check_chunk(data, place, chunk.num_values(), limits)?;
        }
        guarded("Parquet file", || reader.finish())?
    };
    Table::new(guarded("Parquet file", || columns_of(&frame))?)
}

/// Names of the columns of a Parquet file, without its values.
pub fn parquet_names(path: &Path) -> Result<Vec<String>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io("reading", e, path))?;
    let mut reader = ParquetReader::new(file);
    let schema = guarded("Parquet file", || reader.schema()).map_err(|e| e.at(path))?;
    Ok(schema.iter_names().map(ToString::to_string).collect())
}

fn columns_of(frame: &DataFrame) -> PolarsResult<Vec<TableColumn>> {
    frame.columns().iter().map(|c| Ok(TableColumn { name: c.name().to_string(), cells: cells_of(c)? })).collect()
}

fn cells_of(column: &Column) -> PolarsResult<Cells> {
    let dtype = column.dtype();
    if dtype.is_integer() {
        let whole = column.strict_cast(&DataType::Int64)?;
        return Ok(Cells::Whole(whole.i64()?.iter().collect()));
    }
    if dtype.is_float() {
        let number = column.strict_cast(&DataType::Float64)?;
        return Ok(Cells::Number(number.f64()?.iter().collect()));
    }
    let text = column.cast(&DataType::String)?;
    let text = text.str()?;
    Ok(Cells::Text(text.iter().map(|t| t.filter(|t| !t.is_empty()).map(str::to_owned)).collect()))
}

/// Lines with nothing in them, as at the end of many files, are no rows.
fn without_blank_rows(columns: Vec<TableColumn>) -> Vec<TableColumn> {
    let n_rows = columns.first().map_or(0, |c| c.cells.len());
    let keep: Vec<bool> = (0..n_rows).map(|row| columns.iter().any(|c| c.cells.text(row).is_some())).collect();
    let kept = |c: TableColumn| match c.cells {
        Cells::Text(values) => {
            let values = values.into_iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| v).collect();
            TableColumn { name: c.name, cells: Cells::Text(values) }
        }
        cells => TableColumn { name: c.name, cells },
    };
    columns.into_iter().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        Table::new(vec![
            TableColumn::text("name", [Some("a,b"), None, Some("é \"q\"")]),
            TableColumn::numbers("x_mm", [Some(0.1), Some(-1e-300), None]),
            TableColumn::whole("n", [Some(1), None, Some(i64::MAX)]),
        ])
        .unwrap()
    }

    #[test]
    fn text_round_trip_and_bytes() {
        let table = sample();
        let csv = String::from_utf8(table.to_bytes(TableKind::Csv).unwrap()).unwrap();
        assert_eq!(csv, "name,x_mm,n\n\"a,b\",0.1,1\n,-1e-300,\n\"é \"\"q\"\"\",,9223372036854775807\n");
        for kind in [TableKind::Csv, TableKind::Tsv] {
            let back = Table::parse(table.to_bytes(kind).unwrap(), kind, &Limits::default()).unwrap();
            assert_eq!(back.texts("name").unwrap(), table.texts("name").unwrap());
            assert_eq!(back.numbers("X_MM").unwrap(), [Some(0.1), Some(-1e-300), None]);
        }
    }

    #[test]
    fn files_by_ending() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.csv", "a.tsv", "a.csv.gz", "a.parquet"] {
            let path = folder.path().join(name);
            sample().write(&path).unwrap();
            let back = Table::read(&path, &Limits::default()).unwrap();
            assert_eq!(back.texts("n").unwrap(), sample().texts("n").unwrap(), "{name}");
            assert_eq!(back.numbers("x_mm").unwrap(), sample().numbers("x_mm").unwrap(), "{name}");
        }
        let one = Table::new(vec![TableColumn::text("name", [Some("a")])]).unwrap();
        one.write(&folder.path().join("one.parquet")).unwrap();
        assert_eq!(Table::read(&folder.path().join("one.parquet"), &Limits::default()).unwrap(), one);
        let typed = Table::read(&folder.path().join("a.parquet"), &Limits::default()).unwrap();
        assert_eq!(typed, sample());
    }

    #[test]
    fn odd_text_files() {
        let parse = |text: &str| Table::parse(text.as_bytes().to_vec(), TableKind::Csv, &Limits::default());
        let table = parse("\u{FEFF}id,x\r\na, 1.5 \r\n\r\nb,NA\r\nc,nan\r\n\r\n").unwrap();
        assert_eq!(table.numbers("x").unwrap(), [Some(1.5), None, None]);
        assert_eq!(table.texts("id").unwrap().len(), 3);
        assert_eq!(parse("id,x\n").unwrap().n_rows(), 0);
        assert!(parse("").is_err());
        let error = parse("id,x\na,zwei\n").unwrap().numbers("x").unwrap_err().to_string();
        assert!(error.contains("row 1 of column x is \"zwei\""), "{error}");
        assert!(table.numbers("y").unwrap_err().to_string().contains("the columns are id, x"));
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.1, "0.1"), (100.0, "100"), (1e300, "1e300"), (-2.5e-7, "-2.5e-7"), (0.0, "0")] {
            assert_eq!(number_text(value), text);
            assert_eq!(text.parse::<f64>().unwrap(), value);
        }
    }
}
