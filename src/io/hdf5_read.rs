//! The little of HDF5 that count matrices need: groups, text attributes, and arrays of numbers or
//! text by path. Every size is checked before it is read, and the decoder cannot take the program down.

use crate::base::{Error, Limits, Result};
use hdf5_pure::{AttrValue, DType, Dataset, File, FormatError, VlenStringReadOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What the elements of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers or booleans.
    Number,
    /// Strings.
    Text,
    /// A table in one array.
    Compound,
    /// Anything else.
    Other,
}

/// Names in a group, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Children {
    /// Groups.
    pub groups: Vec<String>,
    /// Arrays.
    pub arrays: Vec<String>,
}

impl Children {
    /// Whether there is a group or an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.groups.iter().chain(&self.arrays).any(|n| n == name)
    }
}

/// An open HDF5 file.
pub(crate) struct Hdf5 {
    file: File,
    limits: Limits,
}

/// Files up to this size are held in memory; larger ones stay on disk, so that a file and what it becomes do not lie
/// in memory together.
const IN_MEMORY_BYTES: u64 = 8 << 20;
/// Elements of an array that are read at a time.
const PIECE: u64 = 1 << 19;

impl Hdf5 {
    /// Opens a file; the path is not yet in the error.
    pub fn open(path: &Path, limits: Limits) -> Result<Self> {
        let size = std::fs::metadata(path).map_err(|e| Error::io("reading", e, path))?.len();
        let file = guard("the file", || {
            if size <= IN_MEMORY_BYTES.min(limits.max_bytes) { File::open(path) } else { File::open_streaming(path) }
        })?;
        Ok(Self { file, limits })
    }

    /// The same for bytes in memory.
    pub fn from_bytes(bytes: Vec<u8>, limits: Limits) -> Result<Self> {
        Ok(Self { file: guard("the file", || File::from_bytes(bytes))?, limits })
    }

    /// Names in a group; `""` is the root.
    pub fn children(&self, group: &str) -> Result<Children> {
        guard(group, || {
            let group = if group.is_empty() { self.file.root() } else { self.file.group(group)? };
            let (mut groups, mut arrays) = (group.groups()?, group.datasets()?);
            groups.sort();
            arrays.sort();
            Ok(Children { groups, arrays })
        })
    }

    /// Whether `path` is a group.
    pub fn is_group(&self, path: &str) -> bool {
        guard(path, || self.file.group(path)).is_ok()
    }

    /// Whether `path` is an array.
    pub fn is_array(&self, path: &str) -> bool {
        guard(path, || self.file.dataset(path)).is_ok()
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

    /// A text attribute of a group or array.
    pub fn text_attribute(&self, path: &str, name: &str) -> Option<String> {
        self.attribute(path, name)?.as_str().map(str::to_owned)
    }

    /// An attribute of whole numbers.
    pub fn count_attribute(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        self.attribute(path, name)?.to_u64s()
    }

    fn array<T>(&self, path: &str, read: impl FnOnce(&Dataset) -> Result<T, hdf5_pure::Error>) -> Result<T> {
        guard(path, || read(&self.file.dataset(path)?))
    }

    /// Size of an array along each axis; empty for a single value.
    pub fn shape(&self, path: &str) -> Result<Vec<u64>> {
        self.array(path, Dataset::shape)
    }

    /// What the elements of an array are.
    pub fn kind(&self, path: &str) -> Result<Kind> {
        Ok(match self.array(path, Dataset::dtype)? {
            DType::F32 | DType::F64 | DType::I8 | DType::I16 | DType::I32 | DType::I64 => Kind::Number,
            DType::U8 | DType::U16 | DType::U32 | DType::U64 | DType::Enum(_) => Kind::Number,
            DType::String | DType::VariableLengthString => Kind::Text,
            DType::Compound(_) => Kind::Compound,
            _ => Kind::Other,
        })
    }

    /// Refuses arrays that are too large as stored or as `wanted_bytes` per element.
    fn check(&self, path: &str, wanted_bytes: u64) -> Result<u64> {
        let shape = self.shape(path)?;
        let (size, chunk) = self.array(path, |d| Ok((d.element_size()?, d.chunk_shape()?)))?;
        self.limits.check(path, &shape, size.max(wanted_bytes))?;
        self.limits.check(path, &chunk.unwrap_or_default(), size)?;
        Ok(shape.iter().product())
    }

    /// All numbers of an array, last axis fastest.
    pub fn f64s(&self, path: &str) -> Result<Vec<f64>> {
        self.check(path, 8)?;
        self.array(path, Dataset::read_f64)
    }

    /// The same in single precision.
    pub fn f32s(&self, path: &str) -> Result<Vec<f32>> {
        self.check(path, 4)?;
        self.array(path, Dataset::read_f32)
    }

    /// Whole numbers. Negative ones become too large to be a valid index.
    pub fn u64s(&self, path: &str) -> Result<Vec<u64>> {
        self.check(path, 8)?;
        match self.array(path, Dataset::dtype)? {
            DType::F32 | DType::F64 => self.f64s(path)?.into_iter().map(|v| whole(path, v)).collect(),
            DType::U8 | DType::U16 | DType::U32 | DType::U64 => self.array(path, Dataset::read_u64),
            _ => {
                let signed = self.array(path, Dataset::read_i64)?;
                signed.into_iter().map(|v| u64::try_from(v).map_err(|_| negative(path))).collect()
            }
        }
    }

    /// Whole numbers up to 2³² − 1.
    pub fn u32s(&self, path: &str) -> Result<Vec<u32>> {
        if matches!(self.array(path, Dataset::dtype)?, DType::U8 | DType::U16 | DType::U32) {
            self.check(path, 4)?;
            return self.array(path, Dataset::read_u32);
        }
        self.u64s(path)?.into_iter().map(|v| narrow(path, v)).collect()
    }

    /// Number of elements of an array, refused where 4 bytes each are too much.
    pub fn n_elements(&self, path: &str) -> Result<u64> {
        self.check(path, 4)
    }

    /// Pieces (start, count) along the first axis that are read at a time: about half a million elements, whole
    /// chunks.
    pub fn pieces(&self, path: &str) -> Result<Vec<(u64, u64)>> {
        self.check(path, 4)?;
        let shape = self.shape(path)?;
        let n = shape.first().copied().unwrap_or(1);
        let row = shape.iter().skip(1).product::<u64>().max(1);
        let chunk = self.array(path, Dataset::chunk_shape)?.and_then(|c| c.first().copied()).unwrap_or(1).max(1);
        let step = (PIECE / row).max(1).div_ceil(chunk) * chunk;
        Ok((0..n.div_ceil(step)).map(|k| (k * step, step.min(n - k * step))).collect())
    }

    /// A piece of [`Self::u32s`].
    pub fn u32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<u32>> {
        match self.array(path, Dataset::dtype)? {
            DType::U8 | DType::U16 | DType::U32 => self.array(path, |d| d.read_u32_rows(start, count)),
            DType::U64 => self.array(path, |d| d.read_u64_rows(start, count))?.into_iter().map(|v| narrow(path, v)).collect(),
            DType::F32 | DType::F64 => {
                let values = self.array(path, |d| d.read_f64_rows(start, count))?;
                values.into_iter().map(|v| narrow(path, whole(path, v)?)).collect()
            }
            _ => {
                let values = self.array(path, |d| d.read_i64_rows(start, count))?;
                values.into_iter().map(|v| narrow(path, u64::try_from(v).map_err(|_| negative(path))?)).collect()
            }
        }
    }

    /// A piece of [`Self::f32s`].
    pub fn f32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<f32>> {
        self.array(path, |d| d.read_f32_rows(start, count))
    }

    /// Text of fixed or variable length, without padding.
    pub fn strings(&self, path: &str) -> Result<Vec<String>> {
        let n = self.check(path, std::mem::size_of::<String>() as u64)?;
        let most = usize::try_from(self.limits.max_bytes).unwrap_or(usize::MAX);
        let options = VlenStringReadOptions::new().with_max_elements(n as usize).with_max_payload_bytes(most);
        self.array(path, |d| match d.dtype()? {
            DType::VariableLengthString => d.read_vlen_strings(options),
            _ => d.read_string(),
        })
    }

    /// The only number of an array.
    pub fn number(&self, path: &str) -> Option<f64> {
        let count = self.shape(path).ok()?.iter().try_fold(1_u64, |a, b| a.checked_mul(*b));
        (count == Some(1)).then(|| self.f64s(path).ok()?.first().copied()).flatten()
    }

    /// How much memory may be taken.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

fn negative(path: &str) -> Error {
    Error::malformed(format!("a negative number in {path}, where counts or indices belong"))
}

fn narrow(path: &str, value: u64) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::malformed(format!("{value} in {path} is too large for an index")))
}

fn whole(path: &str, value: f64) -> Result<u64> {
    if (0.0..9e15).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    Err(Error::malformed(format!("{value} in {path}, where a count or index belongs")))
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
                32001 => "Blosc",
                32004 => "LZ4",
                32008 => "bitshuffle",
                32015 => "Zstandard",
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
