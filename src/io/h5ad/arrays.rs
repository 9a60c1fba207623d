//! What an `AnnData` file knows of its observations beside the table: coordinates (`obsm`) and graphs (`obsp`).

use super::frame::{numbers, read_frame};
use crate::base::{Error, Result, Warnings};
use crate::io::Reading;
use crate::io::hdf5_read::Hdf5;
use crate::io::stored::{Field, Stored};
use crate::io::zarr::Zarr;
use crate::model::Graph;
use std::collections::BTreeMap;
use std::path::Path;

/// Arrays and graphs of observations, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellArrays {
    /// Columns and values, row by row.
    pub arrays: BTreeMap<String, (usize, Vec<f64>)>,
    /// Weighted graphs.
    pub graphs: BTreeMap<String, Graph>,
}

/// Reads the named arrays of `obsm` and graphs of `obsp` that an `.h5ad` has. A file that is no AnnData has none.
pub fn read_arrays(path: &Path, obsm: &[&str], obsp: &[&str], reading: &mut Reading) -> Result<CellArrays> {
    let read = |reading: &mut Reading| {
        if path.is_dir() {
            return arrays(&Zarr::open(path, reading.limits)?, obsm, obsp, reading);
        }
        arrays(&Hdf5::open(path, reading.limits)?, obsm, obsp, reading)
    };
    read(reading).map_err(|e| e.at(path))
}

/// Everything that an AnnData table has beside its `X`: arrays of observations but for their positions, graphs, and the
/// names of its layers. What cannot be read is left out with a warning.
pub fn read_all_arrays(path: &Path, reading: &mut Reading) -> Result<(CellArrays, Vec<String>)> {
    let read = |reading: &mut Reading| {
        if path.is_dir() {
            return all(&Zarr::open(path, reading.limits)?, path, reading);
        }
        all(&Hdf5::open(path, reading.limits)?, path, reading)
    };
    read(reading).map_err(|e| e.at(path))
}

fn all(file: &dyn Stored, path: &Path, reading: &mut Reading) -> Result<(CellArrays, Vec<String>)> {
    let names = |group: &str| file.children(group).map(|c| [c.groups, c.arrays].concat()).unwrap_or_default();
    let mut found = CellArrays::default();
    for name in names("obsm").into_iter().filter(|n| n != "spatial") {
        reading.progress.step(0.3, "reading coordinates")?;
        match coordinates(file, &name) {
            Ok(Some(array)) => drop(found.arrays.insert(name, array)),
            Ok(None) => {}
            Err(why) => reading.warnings.warn("array-skipped", format!("obsm/{name} is left out: {why}"), Some(path)),
        }
    }
    for name in names("obsp") {
        reading.progress.step(0.6, "reading a graph")?;
        match graph(file, &format!("obsp/{name}")) {
            Ok(graph) => drop(found.graphs.insert(name, graph)),
            Err(why) => reading.warnings.warn("array-skipped", format!("obsp/{name} is left out: {why}"), Some(path)),
        }
    }
    let mut layers = names("layers");
    if file.is_group("raw/X") || file.is_array("raw/X") {
        layers.push("raw".into());
    }
    let other: Vec<String> =
        names("uns").into_iter().filter(|n| !matches!(n.as_str(), "spatial" | "log1p" | "prediction")).collect();
    if !other.is_empty() {
        let text = format!("{} entries of uns are not carried over ({})", other.len(), other.join(", "));
        reading.warnings.note("left-out", text, Some(path));
    }
    Ok((found, layers))
}

/// What [`read_arrays`] gives, from bytes.
pub fn parse_arrays(bytes: Vec<u8>, obsm: &[&str], obsp: &[&str], reading: &mut Reading) -> Result<CellArrays> {
    arrays(&Hdf5::from_bytes(bytes, reading.limits)?, obsm, obsp, reading)
}

fn arrays(file: &dyn Stored, obsm: &[&str], obsp: &[&str], reading: &mut Reading) -> Result<CellArrays> {
    let mut found = CellArrays::default();
    for name in obsm {
        reading.progress.step(0.3, "reading coordinates")?;
        if let Some(array) = coordinates(file, name)? {
            found.arrays.insert((*name).to_owned(), array);
        }
    }
    for name in obsp {
        reading.progress.step(0.6, "reading a graph")?;
        let at = format!("obsp/{name}");
        if file.is_group(&at) {
            found.graphs.insert((*name).to_owned(), graph(file, &at)?);
        }
    }
    Ok(found)
}

/// The entry `name` of `obsm` as columns, row by row: an array, a sparse matrix, a table, or a column of the records
/// that anndata before 0.7 wrote; `None` where there is none. [`Error::Unsupported`] for ragged (awkward) arrays.
pub(super) fn coordinates(file: &dyn Stored, name: &str) -> Result<Option<(usize, Vec<f64>)>> {
    if file.is_array("obsm") {
        let fields = file.fields("obsm")?;
        let field = fields.into_iter().find(|(n, _)| n == name);
        return Ok(field.and_then(|(_, f)| if let Field::Numbers(width, values) = f { Some((width, values)) } else { None }));
    }
    let at = format!("obsm/{name}");
    if file.is_group(&at) {
        let encoding = file.text_attribute(&at, "encoding-type").unwrap_or_default();
        return match encoding.as_str() {
            "csr_matrix" | "csc_matrix" => sparse(file, &at, encoding == "csr_matrix").map(Some),
            "dataframe" => table(file, &at).map(Some),
            other => Err(Error::unsupported(format!(
                "{at} has the encoding “{other}”, which is not read; an array, a sparse matrix or a table was expected"
            ))),
        };
    }
    if !file.is_array(&at) {
        return Ok(None);
    }
    let shape = file.shape(&at)?;
    let (n, width) = match shape[..] {
        [n] => (n, 1),
        [n, width] => (n, width),
        _ => return Err(Error::unsupported(format!("{at} has {} axes; observations × coordinates were expected", shape.len()))),
    };
    file.limits().check("coordinates", &[n, width], 8)?;
    filled(&at, n, width)?;
    Ok(Some((width as usize, file.f64s(&at)?)))
}

fn filled(at: &str, n: u64, width: u64) -> Result<()> {
    if n == 0 || width == 0 {
        return Err(Error::malformed(format!("{at} is empty ({n} × {width}); write it again")));
    }
    Ok(())
}

fn sparse(file: &dyn Stored, at: &str, by_row: bool) -> Result<(usize, Vec<f64>)> {
    let shape = file.count_attribute(at, "shape").unwrap_or_default();
    let [n, width] = shape[..] else { return Err(Error::malformed(format!("{at} does not say its shape"))) };
    filled(at, n, width)?;
    let size = file.limits().check("coordinates", &[n, width], 8)? / 8;
    let (offsets, indices) = (file.u64s(&format!("{at}/indptr"))?, file.u32s(&format!("{at}/indices"))?);
    let values = file.f64s(&format!("{at}/data"))?;
    let (major, minor) = if by_row { (n, width) } else { (width, n) };
    let fits = offsets.len() as u64 == major + 1
        && offsets.windows(2).all(|w| w[0] <= w[1])
        && offsets.first() == Some(&0)
        && offsets.last() == Some(&(values.len() as u64))
        && indices.len() == values.len()
        && indices.iter().all(|&i| u64::from(i) < minor);
    if !fits {
        return Err(Error::malformed(format!("the offsets or indices of {at} do not fit {n} × {width}; write it again")));
    }
    let mut out = vec![0.0; size];
    for (line, w) in offsets.windows(2).enumerate() {
        for k in w[0] as usize..w[1] as usize {
            let other = indices[k] as usize;
            let (row, column) = if by_row { (line, other) } else { (other, line) };
            out[row * width as usize + column] += values[k];
        }
    }
    Ok((width as usize, out))
}

/// The columns of numbers of a table, in its own order.
fn table(file: &dyn Stored, at: &str) -> Result<(usize, Vec<f64>)> {
    let columns = columns(file, at)?;
    let n = columns.first().map_or(0, |(_, c)| c.len());
    filled(at, n as u64, columns.len() as u64)?;
    file.limits().check("coordinates", &[n as u64, columns.len() as u64], 8)?;
    Ok((columns.len(), (0..n).flat_map(|i| columns.iter().map(move |(_, c)| c[i])).collect()))
}

/// Columns of numbers of a table in `obsm`, with their names.
pub(super) fn columns(file: &dyn Stored, at: &str) -> Result<Vec<(String, Vec<f64>)>> {
    let mut warnings = Warnings::default();
    let frame = read_frame(file, at, Path::new(""), &mut warnings)?;
    let named = frame.columns.iter().filter_map(|(name, c)| Some((name.clone(), numbers(c)?)));
    let mut columns: Vec<(String, Vec<f64>)> = named.collect();
    let order = file.strings_attribute(at, "column-order");
    columns.sort_by_key(|(name, _)| order.iter().position(|o| o == name));
    Ok(columns)
}

fn graph(file: &dyn Stored, at: &str) -> Result<Graph> {
    let encoding = file.text_attribute(at, "encoding-type").unwrap_or_default();
    if !matches!(encoding.as_str(), "csr_matrix" | "csc_matrix") {
        return Err(Error::unsupported(format!("{at} has the encoding “{encoding}”; csr_matrix or csc_matrix was expected")));
    }
    let offsets = file.u64s(&format!("{at}/indptr"))?.into_iter().map(|o| o as usize).collect();
    Graph::new(offsets, file.u32s(&format!("{at}/indices"))?, file.f32s(&format!("{at}/data"))?)
}
