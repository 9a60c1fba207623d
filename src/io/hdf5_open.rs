//! The door for HDF5 files: tells `AnnData` from 10x count matrices by what is in them.

use super::hdf5_read::Hdf5;
use super::{Found, Reading, h5ad, tenx};
use crate::base::{Error, Result};
use std::path::Path;

/// Reads an `.h5ad` of any version since 0.7 or a 10x `.h5`, whatever it is called. One section per
/// thing found; a file with several sections in one table gives one for each.
pub fn read_hdf5(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    open(path, reading).map_err(|e| e.at(path))
}

fn open(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    reading.progress.step(0.0, "opening HDF5")?;
    let file = Hdf5::open(path, reading.limits)?;
    let top = file.children("")?;
    if top.has("obs") || top.has("X") {
        return h5ad::read(&file, path, reading);
    }
    if tenx::is_tenx(&file)? {
        return Ok(vec![tenx::read(&file, path, reading)?]);
    }
    let names = [top.groups, top.arrays].concat();
    Err(Error::unsupported(format!(
        "an HDF5 file with {} is neither AnnData (obs, var, X) nor a 10x matrix (matrix/barcodes)",
        if names.is_empty() { "nothing in it".to_owned() } else { names.join(", ") }
    )))
}
