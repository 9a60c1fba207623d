//! 10x count matrices in HDF5, of Cell Ranger 3 and later (`matrix/features`) and of version 2 (one
//! group per genome). Layout: 10x Genomics, "HDF5 Feature-Barcode Matrix Format".

use super::hdf5_build::{finish, pack, values};
use super::hdf5_read::Hdf5;
use super::row_blocks::RowBlocks;
use super::sparse::{read_rows, tell_oddities};
use super::stored::Stored;
use super::{Content, Found, Reading};
use crate::base::{Error, Limits, Progress, Result, Warnings};
use crate::model::{Column, Expression, PixelSize, Section};
use hdf5_pure::{AttrValue, FileBuilder};
use std::path::Path;
use std::sync::Arc;

/// Whether the file has a 10x matrix in it.
pub(crate) fn is_tenx(file: &dyn Stored) -> Result<bool> {
    Ok(file.is_array("matrix/barcodes") || !genomes(file)?.is_empty())
}

fn genomes(file: &dyn Stored) -> Result<Vec<String>> {
    let mut names = file.children("")?.groups;
    names.retain(|g| file.is_array(&format!("{g}/barcodes")) && file.is_array(&format!("{g}/genes")));
    Ok(names)
}

/// The matrix as a section without positions.
pub(crate) fn read(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Found> {
    let expression = matrix(file, path, reading)?;
    tell_oddities(&expression, path, reading.warnings);
    let summary = format!(
        "10x matrix {} barcodes × {} genes, {} values, no positions",
        expression.observations().len(),
        expression.genes().len(),
        expression.n_stored()
    );
    let name = path.file_stem().map_or_else(|| "10x matrix".into(), |s| s.to_string_lossy().into_owned());
    let section =
        Section { name, picture: None, pixel_size: PixelSize::Unknown, spots: None, expression: Some(Arc::new(expression)) };
    Ok(Found { summary, ..Found::alone(Content::Section(section), path) })
}

/// Counts of a 10x file at `path`.
pub(crate) fn read_matrix(path: &Path, reading: &mut Reading) -> Result<Expression> {
    let read = |reading: &mut Reading| {
        let file = Hdf5::open(path, reading.limits)?;
        if !is_tenx(&file)? {
            return Err(Error::malformed("no 10x matrix (matrix/barcodes) in this HDF5 file"));
        }
        matrix(&file, path, reading)
    };
    read(reading).map_err(|e| e.at(path))
}

/// Counts of a 10x file in memory.
pub fn parse_10x_bytes(bytes: Vec<u8>, limits: Limits) -> Result<Expression> {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits, progress: &Progress::none(), warnings: &mut warnings };
    matrix(&Hdf5::from_bytes(bytes, limits)?, Path::new("bytes"), &mut reading)
}

fn matrix(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<Expression> {
    if file.is_array("matrix/barcodes") {
        let several = |names: &str| -> Option<Vec<String>> {
            let mut all = file.strings(&format!("matrix/features/{names}")).ok()?;
            all.sort();
            all.dedup();
            (all.len() > 1).then_some(all)
        };
        if let Some(kinds) = several("feature_type") {
            let text = format!("{} kinds of features are kept in one table: {}", kinds.len(), kinds.join(", "));
            reading.warnings.note("feature-types", text, Some(path));
        }
        let mut expression = group(file, "matrix", "features/name", "features/id", reading)?;
        let kinds = file.strings("matrix/features/feature_type").ok().filter(|k| k.len() == expression.genes().len());
        if let Some(kinds) = kinds {
            expression.gene_columns.insert("feature_types".into(), Column::Text(kinds));
        }
        return Ok(expression);
    }
    let names = genomes(file)?;
    let mut parts = Vec::new();
    for name in &names {
        parts.push((name.as_str(), group(file, name, "gene_names", "genes", reading)?));
    }
    let Some((first_name, first)) = parts.first() else {
        return Err(Error::malformed("no 10x matrix (matrix/barcodes) in this HDF5 file"));
    };
    if parts.len() == 1 {
        return Ok(first.clone());
    }
    if parts.iter().any(|(_, e)| e.observations() != first.observations()) {
        let text = format!("{} genomes with different barcodes; only {first_name} is read", names.join(", "));
        reading.warnings.warn("several-genomes", text, Some(path));
        return Ok(first.clone());
    }
    let text = format!("{} genomes ({}) are in one table; gene names start with the genome", names.len(), names.join(", "));
    reading.warnings.note("several-genomes", text, Some(path));
    side_by_side(&parts)
}

fn group(file: &dyn Stored, at: &str, names: &str, ids: &str, reading: &mut Reading) -> Result<Expression> {
    let path = |name: &str| format!("{at}/{name}");
    reading.progress.step(0.1, "reading genes and barcodes")?;
    let barcodes = file.strings(&path("barcodes"))?;
    let ids = if file.is_array(&path(ids)) { file.strings(&path(ids))? } else { Vec::new() };
    let genes = if file.is_array(&path(names)) { file.strings(&path(names))? } else { ids.clone() };
    let shape = file.u64s(&path("shape"))?;
    if shape != [genes.len() as u64, barcodes.len() as u64] {
        return Err(Error::malformed(format!(
            "the matrix is said to be {shape:?}, but there are {} genes and {} barcodes",
            genes.len(),
            barcodes.len()
        )));
    }
    reading.progress.step(0.2, "reading counts")?;
    read_rows(file, at, (genes, ids, barcodes), reading)
}

fn side_by_side(parts: &[(&str, Expression)]) -> Result<Expression> {
    let (mut genes, mut ids) = (Vec::new(), Vec::new());
    let (mut offsets, mut rows, mut values) = (vec![0_u64], Vec::new(), Vec::new());
    for (genome, part) in parts {
        genes.extend(part.genes().iter().map(|g| format!("{genome}_{g}")));
        ids.extend_from_slice(part.gene_ids());
        for gene in 0..part.genes().len() {
            let (r, v) = part.gene(gene);
            rows.extend_from_slice(r);
            values.extend_from_slice(v);
            offsets.push(rows.len() as u64);
        }
    }
    let observations = parts.first().map_or_else(Vec::new, |(_, e)| e.observations().to_vec());
    if ids.len() != genes.len() {
        ids.clear();
    }
    Expression::new(genes, ids, observations, offsets, rows, values)
}

/// A Cell Ranger 3 matrix file of the observations `keep`.
pub(crate) fn build_10x(expression: &Expression, keep: &[usize], library: &str) -> Result<Vec<u8>> {
    let (offsets, columns, data) = RowBlocks::new(&expression.subset(keep)?).whole();
    let mut file = FileBuilder::new();
    file.set_attr("filetype", AttrValue::AsciiString("matrix".into()));
    file.set_attr("version", AttrValue::I64(2));
    file.set_attr("library_ids", AttrValue::StringArray(vec![library.to_owned()]));
    file.set_attr("chemistry_description", AttrValue::AsciiString("Spatial 3' v1".into()));
    file.set_attr("software_version", AttrValue::AsciiString(concat!("myoscope-", env!("CARGO_PKG_VERSION")).into()));
    let mut matrix = file.create_group("matrix");
    let barcodes: Vec<&str> = keep.iter().map(|&i| expression.observations()[i].as_str()).collect();
    let failed = |e: hdf5_pure::FormatError| Error::unsupported(format!("the HDF5 file could not be built ({e})"));
    matrix.create_dataset("barcodes").with_strings(&barcodes).map_err(failed)?;
    let dataset = matrix.create_dataset("data");
    values(dataset, &data);
    pack(dataset, data.len());
    let columns: Vec<i64> = columns.into_iter().map(i64::from).collect();
    pack(matrix.create_dataset("indices").with_i64_data(&columns), columns.len());
    let offsets: Vec<i64> = offsets.into_iter().map(|v| v as i64).collect();
    pack(matrix.create_dataset("indptr").with_i64_data(&offsets), offsets.len());
    matrix.create_dataset("shape").with_i32_data(&[expression.genes().len() as i32, keep.len() as i32]);
    let mut features = matrix.create_group("features");
    let texts = |v: &[String]| v.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let ids = if expression.gene_ids().is_empty() { texts(expression.genes()) } else { texts(expression.gene_ids()) };
    let n = ids.len();
    let columns = [
        ("id", ids),
        ("name", texts(expression.genes())),
        ("feature_type", vec!["Gene Expression".to_owned(); n]),
        ("genome", vec!["unknown".to_owned(); n]),
        ("_all_tag_keys", vec!["genome".to_owned()]),
    ];
    for (name, column) in &columns {
        let column: Vec<&str> = column.iter().map(String::as_str).collect();
        features.create_dataset(name).with_strings(&column).map_err(failed)?;
    }
    matrix.add_group(features.finish());
    file.add_group(matrix.finish());
    finish(file)
}
