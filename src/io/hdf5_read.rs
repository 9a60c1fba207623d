//! The little of HDF5 that count matrices need: groups, text attributes, and arrays of numbers or
//! text by path. Every size is checked before it is read, and the decoder cannot take the program down.

use super::hdf5_chunks::{Bytes, Chunks, is_foreign};
use super::numbers::{Class, NumberType, narrow, negative, whole};
use super::stored::{Children, Field, Kind, Stored, pieces};
use crate::base::{Error, Limits, Result};
use hdf5_pure::{AttrValue, DType, Dataset, Datatype, DatatypeByteOrder, File, FormatError, VlenStringReadOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// An open HDF5 file.
pub(crate) struct Hdf5 {
    file: File,
    limits: Limits,
    chunks: Chunks,
}

/// Files up to this size are held in memory; larger ones stay on disk, so that a file and what it becomes do not lie
/// in memory together.
const IN_MEMORY_BYTES: u64 = 8 << 20;

impl Hdf5 {
    /// Opens a file; the path is not yet in the error.
    pub fn open(path: &Path, limits: Limits) -> Result<Self> {
        let size = std::fs::metadata(path).map_err(|e| Error::io("reading", e, path))?.len();
        let file = guard("the file", || {
            if size <= IN_MEMORY_BYTES.min(limits.max_bytes) { File::open(path) } else { File::open_streaming(path) }
        })?;
        let bytes = Bytes::Disk(std::fs::File::open(path).map_err(|e| Error::io("reading", e, path))?);
        Ok(Self { file, limits, chunks: Chunks::new(bytes, limits) })
    }

    /// The same for bytes in memory.
    pub fn from_bytes(bytes: Vec<u8>, limits: Limits) -> Result<Self> {
        let chunks = Chunks::new(Bytes::Memory(bytes.as_slice().into()), limits);
        Ok(Self { file: guard("the file", || File::from_bytes(bytes))?, limits, chunks })
    }

    fn attribute(&self, path: &str, name: &str) -> Option<AttrValue> {
        let read = || {
            let mut attributes = match self.file.group(path) {
                Ok(group) => group.attrs()?,
                Err(_) => self.file.dataset(path)?.attrs()?,
            };
            Ok(attributes.remove(name))
        };
        guard(path, read).ok().flatten()
    }

    fn array<T>(&self, path: &str, read: impl FnOnce(&Dataset) -> Result<T, hdf5_pure::Error>) -> Result<T> {
        guard(path, || read(&self.file.dataset(path)?))
    }

    /// Refuses arrays that are too large as stored or as `wanted_bytes` per element.
    fn check(&self, path: &str, wanted_bytes: u64) -> Result<u64> {
        let shape = self.shape(path)?;
        let (size, chunk) = self.array(path, |d| Ok((d.element_size()?, d.chunk_shape()?)))?;
        self.limits.check(path, &shape, size.max(wanted_bytes))?;
        self.limits.check(path, &chunk.unwrap_or_default(), size)?;
        Ok(shape.iter().product())
    }

    /// All stored bytes of an array whose chunks or numbers only this program reads, and how its numbers are stored;
    /// `None` where the library reads them.
    fn own_bytes(&self, path: &str) -> Result<Option<(NumberType, Vec<u8>)>> {
        if !self.is_own(path)? {
            return Ok(None);
        }
        let rows = self.array(path, Dataset::shape)?.first().copied().unwrap_or(1);
        self.stored_rows(path, 0, rows).map(Some)
    }

    fn is_own(&self, path: &str) -> Result<bool> {
        let (foreign, kind) = self.array(path, |d| Ok((is_foreign(d), d.datatype()?)))?;
        Ok(foreign || number_type(&kind).is_some_and(|n| n.class == Class::Float && n.size == 2))
    }

    /// Stored bytes of rows, and how their numbers are stored.
    fn stored_rows(&self, path: &str, start: u64, count: u64) -> Result<(NumberType, Vec<u8>)> {
        let (foreign, kind) = self.array(path, |d| Ok((is_foreign(d), d.datatype()?)))?;
        let number =
            number_type(&kind).ok_or_else(|| Error::malformed(format!("{path} holds no numbers, where numbers belong")))?;
        if !foreign {
            return Ok((number, self.array(path, |d| d.read_raw_rows(start, count))?));
        }
        let dataset = guard(path, || self.file.dataset(path))?;
        Ok((number, caught(path, || self.chunks.rows(path, &dataset, start, count))?))
    }
}

impl Stored for Hdf5 {
    fn children(&self, group: &str) -> Result<Children> {
        guard(group, || {
            let group = if group.is_empty() { self.file.root() } else { self.file.group(group)? };
            let (mut groups, mut arrays) = (group.groups()?, group.datasets()?);
            groups.sort();
            arrays.sort();
            Ok(Children { groups, arrays })
        })
    }

    fn is_group(&self, path: &str) -> bool {
        guard(path, || self.file.group(path)).is_ok()
    }

    fn is_array(&self, path: &str) -> bool {
        guard(path, || self.file.dataset(path)).is_ok()
    }

    fn text_attribute(&self, path: &str, name: &str) -> Option<String> {
        self.attribute(path, name)?.as_str().map(str::to_owned)
    }

    fn count_attribute(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        self.attribute(path, name)?.to_u64s()
    }

    fn strings_attribute(&self, path: &str, name: &str) -> Vec<String> {
        match self.attribute(path, name) {
            Some(AttrValue::StringArray(values) | AttrValue::VarLenStringArray(values)) => values,
            _ => Vec::new(),
        }
    }

    fn shape(&self, path: &str) -> Result<Vec<u64>> {
        self.array(path, Dataset::shape)
    }

    fn kind(&self, path: &str) -> Result<Kind> {
        let (kind, exact) = self.array(path, |d| Ok((d.dtype()?, d.datatype()?)))?;
        Ok(match kind {
            DType::String | DType::VariableLengthString => Kind::Text,
            DType::Compound(_) => Kind::Compound,
            _ if number_type(&exact).is_some() => Kind::Number,
            _ => Kind::Other,
        })
    }

    fn f64s(&self, path: &str) -> Result<Vec<f64>> {
        self.check(path, 8)?;
        match self.own_bytes(path)? {
            Some((number, bytes)) => Ok(number.f64s(&bytes)),
            None => self.array(path, Dataset::read_f64),
        }
    }

    fn f32s(&self, path: &str) -> Result<Vec<f32>> {
        self.check(path, 4)?;
        match self.own_bytes(path)? {
            Some((number, bytes)) => Ok(number.f32s(&bytes)),
            None => self.array(path, Dataset::read_f32),
        }
    }

    fn u64s(&self, path: &str) -> Result<Vec<u64>> {
        self.check(path, 8)?;
        if let Some((number, bytes)) = self.own_bytes(path)? {
            return number.u64s(path, &bytes);
        }
        match self.array(path, Dataset::dtype)? {
            DType::F32 | DType::F64 => self.f64s(path)?.into_iter().map(|v| whole(path, v)).collect(),
            DType::U8 | DType::U16 | DType::U32 | DType::U64 => self.array(path, Dataset::read_u64),
            _ => {
                let signed = self.array(path, Dataset::read_i64)?;
                signed.into_iter().map(|v| u64::try_from(v).map_err(|_| negative(path))).collect()
            }
        }
    }

    fn u32s(&self, path: &str) -> Result<Vec<u32>> {
        if !self.is_own(path)? && matches!(self.array(path, Dataset::dtype)?, DType::U8 | DType::U16 | DType::U32) {
            self.check(path, 4)?;
            return self.array(path, Dataset::read_u32);
        }
        self.u64s(path)?.into_iter().map(|v| narrow(path, v)).collect()
    }

    fn n_elements(&self, path: &str) -> Result<u64> {
        self.check(path, 4)
    }

    fn pieces(&self, path: &str) -> Result<Vec<(u64, u64)>> {
        self.check(path, 4)?;
        let chunk = self.array(path, Dataset::chunk_shape)?.and_then(|c| c.first().copied()).unwrap_or(1);
        Ok(pieces(&self.shape(path)?, chunk))
    }

    fn u32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<u32>> {
        let (number, bytes) = self.stored_rows(path, start, count)?;
        number.u32s(path, &bytes)
    }

    fn f32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<f32>> {
        let (number, bytes) = self.stored_rows(path, start, count)?;
        Ok(number.f32s(&bytes))
    }

    fn strings(&self, path: &str) -> Result<Vec<String>> {
        let n = self.check(path, std::mem::size_of::<String>() as u64)?;
        let dataset = guard(path, || self.file.dataset(path))?;
        let (foreign, is_variable) =
            guard(path, || Ok((is_foreign(&dataset), matches!(dataset.dtype()?, DType::VariableLengthString))))?;
        if foreign {
            let (rows, size) = guard(path, || Ok((dataset.shape()?, dataset.element_size()?)))?;
            let rows = rows.first().copied().unwrap_or(1);
            let bytes = caught(path, || self.chunks.rows(path, &dataset, 0, rows))?;
            if is_variable {
                return caught(path, || self.chunks.strings(&bytes, size as usize));
            }
            return Ok(bytes.chunks_exact((size as usize).max(1)).map(padded).collect());
        }
        let most = usize::try_from(self.limits.max_bytes).unwrap_or(usize::MAX);
        let options = VlenStringReadOptions::new().with_max_elements(n as usize).with_max_payload_bytes(most);
        self.array(path, |d| if is_variable { d.read_vlen_strings(options) } else { d.read_string() })
    }

    fn fields(&self, path: &str) -> Result<Vec<(String, Field)>> {
        self.check(path, 8)?;
        let (kind, bytes) = self.array(path, |d| Ok((d.datatype()?, d.read_raw()?)))?;
        let Datatype::Compound { size, members } = kind else {
            return Err(Error::malformed(format!("{path} is no table of records")));
        };
        let records = || bytes.chunks_exact((size as usize).max(1));
        let misfit = || Error::malformed(format!("the records of {path} are shorter than their columns"));
        let mut out = Vec::new();
        for member in members {
            let from = member.byte_offset as usize;
            let (element, each) = match &member.datatype {
                Datatype::Array { base_type, dimensions } => {
                    (base_type.as_ref(), dimensions.iter().fold(1_usize, |n, d| n.saturating_mul(*d as usize)))
                }
                other => (other, 1),
            };
            let wide = |one: usize| from.checked_add(one.saturating_mul(each)).filter(|end| *end <= size as usize);
            let part = |one: usize| wide(one).map(|end| records().flat_map(move |r| r[from..end].to_vec()).collect::<Vec<u8>>());
            let field = match (number_type(element), element) {
                (Some(number), _) => Field::Numbers(each, number.f64s(&part(number.size).ok_or_else(misfit)?)),
                (None, Datatype::String { size, .. }) => {
                    let all = part(*size as usize).ok_or_else(misfit)?;
                    Field::Text(all.chunks_exact((*size as usize).max(1)).map(padded).collect())
                }
                (None, Datatype::VariableLength { is_string: true, .. }) => {
                    let all = part(16).ok_or_else(misfit)?;
                    Field::Text(caught(path, || self.chunks.strings(&all, 16))?)
                }
                _ => continue,
            };
            out.push((member.name, field));
        }
        Ok(out)
    }

    fn limits(&self) -> Limits {
        self.limits
    }
}

/// Text without the zeros and blanks after it.
fn padded(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned()
}

/// How numbers of a type are stored; truth values are named bytes.
fn number_type(kind: &Datatype) -> Option<NumberType> {
    let number = match kind {
        Datatype::FixedPoint { size, byte_order, layout } => {
            let class = if layout.signed { Class::Signed } else { Class::Unsigned };
            NumberType { class, size: *size as usize, is_big: *byte_order == DatatypeByteOrder::BigEndian }
        }
        Datatype::FloatingPoint { size, byte_order, .. } => {
            NumberType { class: Class::Float, size: *size as usize, is_big: *byte_order == DatatypeByteOrder::BigEndian }
        }
        Datatype::Enumeration { base_type, .. } => return number_type(base_type),
        _ => return None,
    };
    number.is_known().then_some(number)
}

/// Runs our own decoder with the same last net as the library's.
fn caught<T>(what: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    let failed = || Error::malformed(format!("the HDF5 structure of {what} is damaged"));
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(failed()))
}

fn guard<T>(what: &str, read: impl FnOnce() -> Result<T, hdf5_pure::Error>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(done) => done.map_err(|e| translate(what, e)),
        Err(_) => Err(Error::malformed(format!("the HDF5 structure of {what} is damaged"))),
    }
}

fn translate(what: &str, error: hdf5_pure::Error) -> Error {
    let what = if what.is_empty() { "the top group" } else { what };
    match error {
        hdf5_pure::Error::Io(source) => Error::Io { doing: "reading", source, path: None },
        hdf5_pure::Error::Format(FormatError::UnsupportedFilter(id)) => {
            let name = match id {
                4 => "SZIP",
                32013 => "ZFP",
                32026 => "Blosc2",
                _ => "an unknown filter",
            };
            Error::unsupported(format!(
                "{what} is compressed with {name} (HDF5 filter {id}), which is not read yet; \
                 write the file again with gzip, as adata.write_h5ad(…, compression=\"gzip\")"
            ))
        }
        hdf5_pure::Error::Format(FormatError::VariableLengthByteLimitExceeded { limit, required }) => {
            Error::TooLarge { what: what.to_owned(), needed_bytes: required, limit_bytes: limit as u64, path: None }
        }
        other => Error::malformed(format!("cannot read {what} of this HDF5 file ({other}); copy or export the file again")),
    }
}
