//! Matrix Market folders as Cell Ranger writes them: `matrix.mtx` with `barcodes.tsv` and `features.tsv`
//! (version 3) or `genes.tsv` (version 2), each plain or gzip, with or without a common prefix.
//! Formats: NIST, "Matrix Market exchange formats"; 10x Genomics, "Feature-barcode matrices".

use super::bytes::read_inflated;
use super::{Content, Found, Reading, summarize};
use crate::base::{Error, Result};
use crate::model::{Expression, PixelSize, Section};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The three files of one matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MtxFiles {
    pub matrix: PathBuf,
    pub barcodes: PathBuf,
    pub features: PathBuf,
}

impl MtxFiles {
    /// Whether a file is one of the three.
    pub fn has(&self, path: &Path) -> bool {
        [&self.matrix, &self.barcodes, &self.features].iter().any(|p| *p == path)
    }
}

/// Every complete matrix in a folder, sorted by name.
pub(crate) fn matrices(folder: &Path) -> Vec<MtxFiles> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let prefix_of = |name: &String| {
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        plain.strip_suffix("matrix.mtx").map(str::to_owned)
    };
    let complete = |name: &String| {
        let prefix = prefix_of(name)?;
        let beside = |stems: &[&str]| {
            let spellings = stems.iter().flat_map(|s| [format!("{prefix}{s}.tsv"), format!("{prefix}{s}.tsv.gz")]);
            spellings.map(|n| folder.join(n)).find(|p| p.is_file())
        };
        let (barcodes, features) = (beside(&["barcodes"])?, beside(&["features", "genes"])?);
        Some(MtxFiles { matrix: folder.join(name), barcodes, features })
    };
    names.iter().filter_map(complete).collect()
}

/// Reads the matrix that a folder or one of its files belongs to. Several in one folder are an error that
/// names them.
pub fn read_mtx(path: &Path, reading: &mut Reading) -> Result<Found> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let mut found = matrices(folder);
    if path.is_file() {
        found.retain(|m| m.has(path));
    }
    match &found[..] {
        [one] => read_matrix(one, reading),
        [] => {
            Err(Error::malformed("matrix.mtx needs barcodes.tsv and features.tsv (or genes.tsv) beside it, each may end in .gz")
                .at(path))
        }
        several => {
            let names: Vec<String> = several.iter().map(|m| m.matrix.display().to_string()).collect();
            Err(Error::parameter(format!("{} matrices; give one of them: {}", names.len(), names.join(", "))))
        }
    }
}

/// Reads one matrix as a table without positions.
pub(crate) fn read_matrix(files: &MtxFiles, reading: &mut Reading) -> Result<Found> {
    let expression = read_counts(files, reading)?;
    let folder = files.matrix.parent().unwrap_or(Path::new(""));
    let name = folder.file_name().map_or_else(|| "matrix".into(), |n| n.to_string_lossy().into_owned());
    let section =
        Section { name, picture: None, pixel_size: PixelSize::Unknown, spots: None, expression: Some(Arc::new(expression)) };
    let content = Content::Section(section);
    let summary = format!("Matrix Market {}", summarize(&content));
    Ok(Found { summary, n_files: 3, ..Found::alone(content, &files.matrix) })
}

/// Counts of the only matrix in a folder.
pub(crate) fn read_only(folder: &Path, reading: &mut Reading) -> Result<Expression> {
    match &matrices(folder)[..] {
        [one] => read_counts(one, reading),
        several => Err(Error::malformed(format!("{} matrices where one was expected", several.len())).at(folder)),
    }
}

/// Counts of one matrix.
pub(crate) fn read_counts(files: &MtxFiles, reading: &mut Reading) -> Result<Expression> {
    reading.progress.step(0.0, "reading genes and barcodes")?;
    let column = |path: &Path| read_inflated(path, &reading.limits).and_then(|b| lines(&b).map_err(|e| e.at(path)));
    let (features, barcodes) = (column(&files.features)?, column(&files.barcodes)?);
    reading.progress.step(0.1, "reading counts")?;
    let matrix = read_inflated(&files.matrix, &reading.limits)?;
    let matrix = parse_mtx(&matrix, reading).map_err(|e| e.at(&files.matrix))?;
    note_kinds(&features, &files.features, reading);
    let part = |line: &String, at: usize| line.split('\t').nth(at).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let first = |line: &String| part(line, 0).unwrap_or_default();
    let ids: Vec<String> = features.iter().map(first).collect();
    let names = features.iter().map(|l| part(l, 1).unwrap_or_else(|| first(l))).collect();
    expression(matrix, names, ids, barcodes.iter().map(first).collect(), reading).map_err(|e| e.at(&files.matrix))
}

fn note_kinds(features: &[String], path: &Path, reading: &mut Reading) {
    let mut kinds: Vec<&str> = features.iter().filter_map(|l| l.split('\t').nth(2)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() > 1 {
        let text = format!("{} kinds of features are kept in one table: {}", kinds.len(), kinds.join(", "));
        reading.warnings.note("feature-types", text, Some(path));
    }
}

fn lines(bytes: &[u8]) -> Result<Vec<String>> {
    let text = std::str::from_utf8(bytes).map_err(|e| Error::malformed(format!("the names are not UTF-8 ({e})")))?;
    Ok(text.lines().map(str::to_owned).filter(|l| !l.trim().is_empty()).collect())
}

/// Entries of a coordinate matrix, places counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixMarket {
    /// Rows, in a matrix of 10x the genes.
    pub n_rows: usize,
    /// Columns, in a matrix of 10x the barcodes.
    pub n_columns: usize,
    /// Row, column and value of each entry in file order; 1 where the file has places only.
    pub entries: Vec<(u32, u32, f32)>,
}

/// Parses a coordinate matrix of integers, reals or places only. Places are counted from 1 in the file and
/// checked. [`Error::Unsupported`] for dense, symmetric and complex matrices.
pub fn parse_mtx(bytes: &[u8], reading: &mut Reading) -> Result<MatrixMarket> {
    let mut lines = bytes.split(|b| *b == b'\n').map(|l| l.trim_ascii());
    let has_values = header(lines.next().unwrap_or_default())?;
    let mut lines = lines.filter(|l| !l.is_empty() && !l.starts_with(b"%"));
    let sizes = lines.next().ok_or_else(|| Error::malformed("the matrix ends before its line of sizes"))?;
    let sizes: Vec<u64> = words(sizes).map(whole).collect::<Option<_>>().unwrap_or_default();
    let [n_rows, n_columns, n] = sizes[..] else {
        return Err(Error::malformed("the line of sizes must be three whole numbers: rows, columns, entries"));
    };
    if n_rows > u64::from(u32::MAX) || n_columns > u64::from(u32::MAX) {
        return Err(Error::unsupported(format!("a matrix of {n_rows} × {n_columns} is too large")));
    }
    // The shortest entry is "1 1" and a line end: more cannot be in the file.
    let most = bytes.len() as u64 / 4 + 1;
    if n > most {
        return Err(Error::malformed(format!("{n} entries are promised, but the file has room for {most} at most")));
    }
    reading.limits.check("the entries of the matrix", &[n], 12)?;
    let mut entries = Vec::with_capacity(n as usize);
    for line in lines {
        if entries.len().is_multiple_of(1 << 16) {
            reading.progress.step(0.1 + 0.7 * entries.len() as f64 / n.max(1) as f64, "reading counts")?;
        }
        let entry = entry(line, has_values).ok_or_else(|| bad_entry(line, entries.len()))?;
        if entry.0 == 0 || entry.1 == 0 || entry.0 > n_rows || entry.1 > n_columns {
            return Err(Error::malformed(format!(
                "entry {} is at row {}, column {} of a {n_rows} × {n_columns} matrix; places count from 1",
                entries.len() + 1,
                entry.0,
                entry.1
            )));
        }
        if entries.len() as u64 == n {
            return Err(Error::malformed(format!("there are more than the {n} entries that are promised")));
        }
        entries.push((entry.0 as u32 - 1, entry.1 as u32 - 1, entry.2));
    }
    if entries.len() as u64 != n {
        let found = entries.len();
        return Err(Error::malformed(format!("the matrix ends after {found} of {n} entries; copy the file again")));
    }
    Ok(MatrixMarket { n_rows: n_rows as usize, n_columns: n_columns as usize, entries })
}

/// Whether entries have values.
fn header(line: &[u8]) -> Result<bool> {
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    let parts: Vec<&str> = text.split_whitespace().collect();
    let ["%%matrixmarket", "matrix", layout, kind, shape] = parts[..] else {
        return Err(Error::malformed("the first line must be %%MatrixMarket matrix coordinate integer|real|pattern general"));
    };
    match (layout, kind, shape) {
        ("coordinate", "integer" | "real" | "double" | "unsigned-integer", "general") => Ok(true),
        ("coordinate", "pattern", "general") => Ok(false),
        _ => Err(Error::unsupported(format!(
            "a Matrix Market file that is {layout} {kind} {shape}; coordinate integer, real or pattern, general, is read"
        ))),
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty())
}

fn whole(word: &[u8]) -> Option<u64> {
    let fits = !word.is_empty() && word.len() <= 18 && word.iter().all(u8::is_ascii_digit);
    fits.then(|| word.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
}

fn entry(line: &[u8], has_values: bool) -> Option<(u64, u64, f32)> {
    let mut words = words(line);
    let (row, column) = (whole(words.next()?)?, whole(words.next()?)?);
    let value = match words.next() {
        Some(word) if has_values => match whole(word) {
            Some(n) => n as f32,
            None => std::str::from_utf8(word).ok()?.parse().ok()?,
        },
        None if !has_values => 1.0,
        _ => return None,
    };
    words.next().is_none().then_some((row, column, value))
}

fn bad_entry(line: &[u8], n_before: usize) -> Error {
    let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
    Error::malformed(format!("entry {} is “{shown}”, expected row, column and value", n_before + 1))
}

/// The table, genes in rows; turned around where only that fits the names.
fn expression(
    mut matrix: MatrixMarket,
    genes: Vec<String>,
    ids: Vec<String>,
    barcodes: Vec<String>,
    reading: &mut Reading,
) -> Result<Expression> {
    let (n, m) = (barcodes.len(), genes.len());
    if (matrix.n_rows, matrix.n_columns) == (n, m) && n != m {
        matrix.entries.iter_mut().for_each(|e| *e = (e.1, e.0, e.2));
        reading.warnings.note("matrix-turned", "the matrix has barcodes in rows and is turned around", None);
    } else if (matrix.n_rows, matrix.n_columns) != (m, n) {
        return Err(Error::malformed(format!(
            "the matrix is {} × {}, but there are {m} features and {n} barcodes; the files are of different samples",
            matrix.n_rows, matrix.n_columns
        )));
    }
    reading.limits.check("the sparse matrix", &[matrix.entries.len() as u64 + m as u64], 32)?;
    reading.progress.step(0.85, "sorting by genes")?;
    // Stable, so entries of one place stay in file order and their sum is always the same.
    matrix.entries.sort_by_key(|e| (e.0, e.1));
    let n_entries = matrix.entries.len();
    matrix.entries.dedup_by(|later, kept| {
        let same = (later.0, later.1) == (kept.0, kept.1);
        if same {
            kept.2 += later.2;
        }
        same
    });
    let n_twice = n_entries - matrix.entries.len();
    if n_twice > 0 {
        reading.warnings.warn(
            "entries-twice",
            format!("{n_twice} entries are at a place that is there before; they are added"),
            None,
        );
    }
    let mut offsets = vec![0_u64; m + 1];
    matrix.entries.iter().for_each(|e| offsets[e.0 as usize + 1] += 1);
    (0..m).for_each(|g| offsets[g + 1] += offsets[g]);
    let (rows, values) = matrix.entries.iter().map(|e| (e.1, e.2)).unzip();
    let mut expression = Expression::new(genes, ids, barcodes, offsets, rows, values)?;
    if matrix.entries.iter().any(|e| e.2.fract() != 0.0) {
        expression.unit = "values".into();
    }
    Ok(expression)
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::{codes, run, shared};
    use super::*;
    use crate::io::bytes::write_gzip;

    fn parse(text: &str) -> Result<MatrixMarket> {
        run(|r| parse_mtx(text.as_bytes(), r)).0
    }

    #[test]
    fn kinds_and_places() {
        let m = parse("%%MatrixMarket matrix coordinate integer general\n%c\n\n2 3 2\n1 1 5\r\n2 3 7\n").unwrap();
        assert_eq!((m.n_rows, m.n_columns, m.entries), (2, 3, vec![(0, 0, 5.0), (1, 2, 7.0)]));
        let m = parse("%%matrixmarket Matrix coordinate real general\n1 1 1\n1 1 -1.5e-1\n").unwrap();
        assert_eq!(m.entries, [(0, 0, -0.15)]);
        let m = parse("%%MatrixMarket matrix coordinate pattern general\n2 2 1\n2 1").unwrap();
        assert_eq!(m.entries, [(1, 0, 1.0)]);
        for (text, part) in [
            ("", "first line"),
            ("%%MatrixMarket matrix array real general\n1 1\n1\n", "array real general"),
            ("%%MatrixMarket matrix coordinate real symmetric\n1 1 1\n1 1 1\n", "symmetric"),
            ("%%MatrixMarket matrix coordinate integer general\n", "before its line of sizes"),
            ("%%MatrixMarket matrix coordinate integer general\n1 1\n", "three whole numbers"),
            ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n3 1 1\n", "row 3, column 1"),
            ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n0 1 1\n", "count from 1"),
            ("%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 1\n", "after 1 of 2"),
            ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 1\n1 2 1\n", "more than the 1"),
            ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 x 1\n", "“1 x 1”"),
            ("%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1\n", "“1 1”"),
            ("%%MatrixMarket matrix coordinate integer general\n9 9 99999999999\n1 1 1\n", "room for"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn folders_of_both_versions() {
        let folder = tempfile::tempdir().unwrap();
        let matrix = "%%MatrixMarket matrix coordinate integer general\n2 3 4\n2 1 1\n1 3 4\n2 2 5\n2 1 2\n";
        let write = |name: &str, text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            if name.contains(".gz") {
                bytes.clear();
                write_gzip(text.as_bytes(), &mut bytes).unwrap();
            }
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("A_matrix.mtx.gz", matrix);
        write("A_barcodes.tsv.gz", "s1\ns2\ns3\n");
        write("A_features.tsv", "E1\tTTN\tGene Expression\nE2\tMYH7\tAntibody Capture\n");
        let (found, warnings) = run(|r| read_mtx(folder.path(), r));
        let Content::Section(section) = found.unwrap().content else { panic!() };
        let e = section.expression.unwrap();
        assert_eq!((e.genes(), e.gene_ids()), (&["TTN".to_owned(), "MYH7".into()][..], &["E1".to_owned(), "E2".into()][..]));
        assert_eq!((e.dense(0), e.dense(1)), (vec![0.0, 0.0, 4.0], vec![3.0, 5.0, 0.0]));
        assert_eq!(codes(&warnings), ["feature-types", "entries-twice"]);
        write("matrix.mtx", matrix);
        write("barcodes.tsv", "s1\ns2\n");
        write("genes.tsv", "E1\nE2\nE3\n");
        let error = run(|r| read_mtx(folder.path(), r)).0.unwrap_err().to_string();
        assert!(error.starts_with("2 matrices"), "{error}");
        let turned = run(|r| read_mtx(&folder.path().join("matrix.mtx"), r));
        assert_eq!(codes(&turned.1), ["matrix-turned", "entries-twice"]);
        write("barcodes.tsv", "s1\n");
        let error = run(|r| read_mtx(&folder.path().join("matrix.mtx"), r)).0.unwrap_err().to_string();
        assert!(error.contains("3 features and 1 barcodes") && error.ends_with("matrix.mtx"), "{error}");
    }

    #[test]
    fn real_folders_have_the_numbers_of_their_h5_twins() {
        for (folder, n, m, sum) in [
            ("1.2.0/filtered_gene_bc_matrices/hg19_chr21", 12, 343, 12.0),
            ("3.0.0/filtered_feature_bc_matrix", 1107, 507, 41549.0),
        ] {
            let Some(path) = shared(&format!("h5ad-zarr-formats/10x_data/{folder}")) else { return };
            let found = run(|r| read_mtx(&path, r)).0.unwrap();
            let Content::Section(section) = found.content else { panic!() };
            let e = section.expression.unwrap();
            assert_eq!((e.observations().len(), e.genes().len()), (n, m), "{folder}");
            assert_eq!(e.totals().iter().sum::<f64>(), sum, "{folder}");
        }
    }
}
