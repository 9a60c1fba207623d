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

/// An array from bytes: its metadata (of either version), a zero byte, and its first chunk; numbers or text are read.
pub fn parse_zarr_array(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    let mut parts = bytes.splitn(2, |b| *b == 0);
    let (meta, chunk) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let folder = tempfile::tempdir().map_err(|e| Error::io("making a temporary folder", e, std::env::temp_dir()))?;
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
        made.map_err(|e| Error::io("writing", e, &path))
    };
    let is_new = meta.windows(9).any(|w| w == b"node_type");
    put(if is_new { "zarr.json" } else { ".zarray" }, meta)?;
    for name in if is_new { ["c/0/0", "c.0"] } else { ["0.0", "0"] } {
        put(name, chunk)?;
    }
    let store = Zarr::open(folder.path(), reading.limits)?;
    let numbers = store.f64s("").map(|_| ());
    numbers.or_else(|_| store.strings("").map(|_| ()))
}
