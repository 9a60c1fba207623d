//! What an `AnnData` file knows of its observations beside the table: coordinates (`obsm`) and graphs (`obsp`).

use crate::base::{Error, Result};
use crate::io::Reading;
use crate::io::hdf5_read::Hdf5;
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
    let file = Hdf5::open(path, reading.limits).map_err(|e| e.at(path))?;
    arrays(&file, obsm, obsp, reading).map_err(|e| e.at(path))
}

/// The same from bytes.
pub fn parse_arrays(bytes: Vec<u8>, obsm: &[&str], obsp: &[&str], reading: &mut Reading) -> Result<CellArrays> {
    arrays(&Hdf5::from_bytes(bytes, reading.limits)?, obsm, obsp, reading)
}

fn arrays(file: &Hdf5, obsm: &[&str], obsp: &[&str], reading: &mut Reading) -> Result<CellArrays> {
    let mut found = CellArrays::default();
    for name in obsm {
        reading.progress.step(0.3, "reading coordinates")?;
        let at = format!("obsm/{name}");
        if !file.is_array(&at) {
            continue;
        }
        let shape = file.shape(&at)?;
        let [n, width] = shape[..] else {
            return Err(Error::unsupported(format!("{at} has {} axes; observations × coordinates were expected", shape.len())));
        };
        reading.limits.check("coordinates", &[n, width], 8)?;
        if n == 0 || width == 0 {
            return Err(Error::malformed(format!("{at} is empty ({n} × {width}); write it again")));
        }
        found.arrays.insert((*name).to_owned(), (width as usize, file.f64s(&at)?));
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

fn graph(file: &Hdf5, at: &str) -> Result<Graph> {
    let encoding = file.text_attribute(at, "encoding-type").unwrap_or_default();
    if !matches!(encoding.as_str(), "csr_matrix" | "csc_matrix") {
        return Err(Error::unsupported(format!("{at} has the encoding “{encoding}”; csr_matrix or csc_matrix was expected")));
    }
    let offsets = file.u64s(&format!("{at}/indptr"))?.into_iter().map(|o| o as usize).collect();
    Graph::new(offsets, file.u32s(&format!("{at}/indices"))?, file.f32s(&format!("{at}/data"))?)
}
