//! The numbers of an `AnnData` file as they are, in double precision and gene by gene: the matrix, layers
//! beside it and where the observations lie. Sections come from [`super::read`]; this is for tables.

use super::frame::read_frame;
use super::matrix::gene_names;
use super::places::positions_of;
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::io::hdf5_read::Hdf5;
use crate::io::predictor_file::ScaleRow;
use crate::io::stored::Stored;
use crate::model::{Column, ExpressionScale};
use crate::space::DVec2;
use std::collections::BTreeMap;
use std::path::Path;

/// Numbers of an `AnnData` file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnTable {
    /// Names of the observations.
    pub observations: Vec<String>,
    /// Names of the genes.
    pub genes: Vec<String>,
    /// Columns of `obs`.
    pub columns: BTreeMap<String, Column>,
    /// `X`, gene by gene.
    pub values: Vec<Vec<f64>>,
    /// The layers that were asked for and are there.
    pub layers: BTreeMap<String, Vec<Vec<f64>>>,
    /// `obsm/spatial` or position columns, full-resolution pixels.
    pub positions: Option<Vec<DVec2>>,
    /// What predicted values are (`uns/prediction`), where the file says so.
    pub expression: Option<ExpressionScale>,
}

/// Reads the matrix and the named layers of an `.h5ad`.
pub fn read_ann_table(path: &Path, layers: &[&str], reading: &mut Reading) -> Result<AnnTable> {
    let read = |reading: &mut Reading| table(&Hdf5::open(path, reading.limits)?, layers, path, reading);
    read(reading).map_err(|e| e.at(path))
}

/// The same from bytes.
pub fn parse_ann_table(bytes: Vec<u8>, layers: &[&str], reading: &mut Reading) -> Result<AnnTable> {
    table(&Hdf5::from_bytes(bytes, reading.limits)?, layers, Path::new("bytes.h5ad"), reading)
}

fn table(file: &dyn Stored, layers: &[&str], path: &Path, reading: &mut Reading) -> Result<AnnTable> {
    reading.progress.step(0.1, "reading tables")?;
    let obs = read_frame(file, "obs", path, reading.warnings)?;
    let mut var = read_frame(file, "var", path, reading.warnings)?;
    let (genes, _) = gene_names(&mut var);
    let shape = [obs.index.len(), genes.len()];
    let values = columns(file, "X", shape, reading)?;
    let mut kept = BTreeMap::new();
    for name in layers {
        let at = format!("layers/{name}");
        if file.is_group(&at) || file.is_array(&at) {
            kept.insert((*name).to_owned(), columns(file, &at, shape, reading)?);
        }
    }
    let positions = positions_of(file, shape[0], &obs.columns).map(|p| p.0);
    Ok(AnnTable {
        observations: obs.index,
        genes,
        columns: obs.columns,
        values,
        layers: kept,
        positions,
        expression: scale(file),
    })
}

fn scale(file: &dyn Stored) -> Option<ExpressionScale> {
    let scale = file.strings("uns/prediction/expression").ok()?.into_iter().next()?;
    let target = file.f64s("uns/prediction/target").ok().and_then(|t| t.first().copied());
    ScaleRow { scale, target }.scale().ok()
}

/// A matrix of observations × genes as columns.
fn columns(file: &dyn Stored, at: &str, [n, m]: [usize; 2], reading: &Reading) -> Result<Vec<Vec<f64>>> {
    reading.limits.check("the matrix as numbers", &[n as u64, m as u64], 24)?;
    reading.progress.step(0.4, "reading numbers")?;
    if file.is_array(at) {
        let shape = file.shape(at)?;
        if shape != [n as u64, m as u64] {
            return Err(Error::malformed(format!("{at} is {shape:?}, but obs has {n} rows and var {m}; write the file again")));
        }
        let all = file.f64s(at)?;
        return Ok((0..m).map(|g| all.iter().skip(g).step_by(m).copied().collect()).collect());
    }
    if !file.is_group(at) {
        return Err(Error::malformed(format!("there is no {at}; write the file again with its matrix")));
    }
    let encoding = file.text_attribute(at, "encoding-type").or_else(|| file.text_attribute(at, "h5sparse_format"));
    let by_row = match encoding.as_deref() {
        Some("csr_matrix" | "csr") => true,
        Some("csc_matrix" | "csc") => false,
        other => {
            let other = other.unwrap_or("none");
            return Err(Error::unsupported(format!("{at} has the encoding {other}, expected csr_matrix or csc_matrix")));
        }
    };
    let (offsets, indices) = (file.u64s(&format!("{at}/indptr"))?, file.u32s(&format!("{at}/indices"))?);
    let values = file.f64s(&format!("{at}/data"))?;
    let (major, minor) = if by_row { (n, m) } else { (m, n) };
    let fits = offsets.len() == major + 1
        && offsets.windows(2).all(|w| w[0] <= w[1])
        && offsets.first() == Some(&0)
        && offsets.last() == Some(&(values.len() as u64))
        && indices.len() == values.len()
        && indices.iter().all(|&i| (i as usize) < minor);
    if !fits {
        return Err(Error::malformed(format!("the offsets or indices of {at} do not fit {n} observations × {m} genes")));
    }
    let mut out = vec![vec![0.0; n]; m];
    for (line, w) in offsets.windows(2).enumerate() {
        for k in w[0] as usize..w[1] as usize {
            let other = indices[k] as usize;
            let (row, gene) = if by_row { (line, other) } else { (other, line) };
            out[gene][row] += values[k];
        }
    }
    Ok(out)
}
