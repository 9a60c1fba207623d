//! The door for Zarr stores: tells `AnnData` from pictures (OME-Zarr) by what is in them.

use super::stored::Stored;
use super::zarr::Zarr;
pub(super) use super::zarr::is_zarr;
use super::{Found, Reading, h5ad, ome_zarr};
use crate::base::{Error, Result};
use std::path::Path;

/// Reads the store in a folder: an `AnnData` table of any version, or a picture with its levels.
pub(super) fn read_zarr(folder: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    reading.progress.step(0.0, "opening Zarr")?;
    let store = Zarr::open(folder, reading.limits)?;
    if ome_zarr::is_picture(&store) {
        return Ok(vec![ome_zarr::read(&store, folder, reading)?]);
    }
    let top = store.children("")?;
    if top.has("obs") || top.has("X") {
        return h5ad::read(&store, folder, reading);
    }
    let names = [top.groups, top.arrays].concat();
    Err(Error::unsupported(format!(
        "a Zarr store with {} is neither AnnData (obs, var, X) nor a picture (multiscales)",
        if names.is_empty() { "nothing in it".to_owned() } else { names.join(", ") }
    )))
}
