//! Writing HDF5: datasets with the small set of encodings that anndata and Space Ranger expect. A file
//! is built in memory and put in place in one step; the same input gives the same bytes.

use crate::base::{Error, Result};
use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder, GroupBuilder};
use std::io::Write;
use std::path::Path;

/// Elements of a chunk. Its length takes two bytes: from 2¹⁶ the builder writes four where three are the
/// rule, and libhdf5 from version 2 on refuses that.
const CHUNK: u64 = 1 << 15;
const DEFLATE_LEVEL: u32 = 4;

/// A text attribute value as anndata writes it.
pub(crate) fn text(value: &str) -> AttrValue {
    AttrValue::VarLenString(value.to_owned())
}

/// Marks a group with anndata's encoding attributes.
pub(crate) fn encode_group(group: &mut GroupBuilder, kind: &str, version: &str) {
    group.set_attr("encoding-type", text(kind));
    group.set_attr("encoding-version", text(version));
}

/// Marks a dataset with anndata's encoding attributes.
pub(crate) fn encode(dataset: &mut DatasetBuilder, kind: &str) {
    dataset.set_attr("encoding-type", text(kind));
    dataset.set_attr("encoding-version", text("0.2.0"));
}

/// Compresses a one-dimensional dataset of `n` elements, where that is worth a chunk index.
pub(crate) fn pack(dataset: &mut DatasetBuilder, n: usize) {
    if n > 1024 {
        dataset.with_chunks(&[CHUNK.min(n as u64)]).with_shuffle().with_deflate(DEFLATE_LEVEL);
    }
}

/// An array of variable-length text.
pub(crate) fn strings<S: AsRef<str>>(dataset: &mut DatasetBuilder, values: &[S]) {
    let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    dataset.with_vlen_strings(&values);
    encode(dataset, "string-array");
}

/// Values as `i32` where all are whole numbers that fit, else as `f32`.
pub(crate) fn values(dataset: &mut DatasetBuilder, values: &[f32]) {
    if values.iter().all(|v| v.fract() == 0.0 && v.abs() < 2e9) {
        dataset.with_i32_data(&values.iter().map(|&v| v as i32).collect::<Vec<_>>());
    } else {
        dataset.with_f32_data(values);
    }
}

/// The bytes of a finished file.
pub(crate) fn finish(builder: FileBuilder) -> Result<Vec<u8>> {
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| builder.finish()));
    let failed = |why: String| Error::unsupported(format!("the HDF5 file could not be built ({why})"));
    built.map_err(|_| failed("internal failure".into()))?.map_err(|e| failed(e.to_string()))
}

/// Writes a whole file beside its place and moves it there, so that no half file is ever seen.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::io("writing", e, path))?;
    file.write_all(bytes).map_err(|e| Error::io("writing", e, path))?;
    file.as_file().sync_all().map_err(|e| Error::io("writing", e, path))?;
    // Temporary files are private to their owner; the finished file follows the folder's habit.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let habit = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(habit).map_err(|e| Error::io("writing", e, path))?;
    }
    file.persist(path).map_err(|e| Error::io("writing", e.error, path))?;
    Ok(())
}
