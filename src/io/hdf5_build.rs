//! Writing HDF5: datasets with the small set of encodings that anndata and Space Ranger expect. A file
//! is built beside its place and moved there in one step; the same input gives the same bytes.

use crate::base::{Error, Result};
use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder, GroupBuilder, Layout};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tempfile::NamedTempFile;

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
    let built = catch_unwind(AssertUnwindSafe(|| builder.finish()));
    built.map_err(|_| failed("internal failure".into()))?.map_err(|e| failed(e.to_string()))
}

/// Writes a whole file beside its place and moves it there, so that no half file is ever seen.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    put_in_place(path, |file| file.as_file().write_all(bytes).map_err(|e| Error::io("writing", e, path)))
}

/// Writes a file whose large arrays were built as zeros, and then what belongs in them.
pub(crate) fn write_with_holes(path: &Path, builder: FileBuilder, fill: impl FnOnce(&mut Holes) -> Result<()>) -> Result<()> {
    put_in_place(path, |whole| {
        let file = whole.as_file();
        let wrap = |e| Error::io("writing", e, path);
        let mut zeros = SkippedZeros { file, length: 0 };
        let built = catch_unwind(AssertUnwindSafe(|| builder.finish_to(&mut zeros)));
        match built.map_err(|_| failed("internal failure".into()))? {
            Err(hdf5_pure::Error::Io(e)) => return Err(wrap(e)),
            done => done.map_err(|e| failed(e.to_string()))?,
        }
        file.set_len(zeros.length).map_err(wrap)?;
        let read = catch_unwind(AssertUnwindSafe(|| hdf5_pure::File::open_streaming(whole.path())));
        let tree = read.map_err(|_| failed("internal failure".into()))?.map_err(|e| failed(e.to_string()))?;
        fill(&mut Holes { file, tree, next: BTreeMap::new() }).map_err(|e| e.at(path))
    })
}

/// Arrays of a file that are still zeros.
pub(crate) struct Holes<'a> {
    file: &'a File,
    tree: hdf5_pure::File,
    next: BTreeMap<String, Range<u64>>,
}

impl Holes<'_> {
    /// Writes the next bytes of an array.
    pub fn append(&mut self, array: &str, bytes: &[u8]) -> Result<()> {
        if !self.next.contains_key(array) {
            let place = self.tree.dataset(array).and_then(|d| d.layout()).map_err(|e| failed(e.to_string()))?;
            let Layout::Contiguous { address: Some(start), size } = place else {
                return Err(failed(format!("no place for {array}")));
            };
            self.next.insert(array.to_owned(), start..start + size);
        }
        let (mut file, n) = (self.file, bytes.len() as u64);
        let place = self.next.get_mut(array).filter(|p| p.end - p.start >= n);
        let place = place.ok_or_else(|| failed(format!("too many values for {array}")))?;
        let written = file.seek(SeekFrom::Start(place.start)).and_then(|_| file.write_all(bytes));
        place.start += n;
        written.map_err(|source| Error::Io { doing: "writing", source, path: None })
    }
}

/// Leaves out long runs of zeros: the file system gives them back as such.
struct SkippedZeros<'a> {
    file: &'a File,
    length: u64,
}

impl Write for SkippedZeros<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        const RUN: usize = 1 << 20;
        let piece = &bytes[..bytes.len().min(RUN)];
        let is_hole = piece.len() == RUN && piece.chunks(4096).all(|c| c.iter().fold(0, |all, b| all | b) == 0);
        if is_hole {
            self.file.seek(SeekFrom::Current(RUN as i64))?;
        } else {
            self.file.write_all(piece)?;
        }
        self.length += piece.len() as u64;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn failed(why: String) -> Error {
    Error::unsupported(format!("the HDF5 file could not be built ({why})"))
}

fn put_in_place(path: &Path, write: impl FnOnce(&NamedTempFile) -> Result<()>) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = NamedTempFile::new_in(folder).map_err(|e| Error::io("writing", e, path))?;
    write(&file)?;
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
