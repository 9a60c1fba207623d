//! A tree of groups and arrays with attributes, whatever it lies in: the little of HDF5 and Zarr that tables of
//! expression need. Paths are names joined by `/`; the root is the empty path.

use crate::base::{Limits, Result};

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

/// A column of a table that is one array of records.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    /// Numbers, so many for each row.
    Numbers(usize, Vec<f64>),
    /// Text.
    Text(Vec<String>),
}

/// An open tree. Every size is checked before memory is taken.
pub(crate) trait Stored {
    /// Names in a group.
    fn children(&self, group: &str) -> Result<Children>;
    /// Whether `path` is a group.
    fn is_group(&self, path: &str) -> bool;
    /// Whether `path` is an array.
    fn is_array(&self, path: &str) -> bool;
    /// A text attribute of a group or array.
    fn text_attribute(&self, path: &str, name: &str) -> Option<String>;
    /// An attribute of whole numbers.
    fn count_attribute(&self, path: &str, name: &str) -> Option<Vec<u64>>;
    /// An attribute of several texts; empty where there is none.
    fn strings_attribute(&self, path: &str, name: &str) -> Vec<String>;
    /// Size of an array along each axis; empty for a single value.
    fn shape(&self, path: &str) -> Result<Vec<u64>>;
    /// What the elements of an array are.
    fn kind(&self, path: &str) -> Result<Kind>;
    /// All numbers of an array, last axis fastest.
    fn f64s(&self, path: &str) -> Result<Vec<f64>>;
    /// The same in single precision.
    fn f32s(&self, path: &str) -> Result<Vec<f32>>;
    /// Whole numbers. Negative ones are refused.
    fn u64s(&self, path: &str) -> Result<Vec<u64>>;
    /// Whole numbers up to 2³² − 1.
    fn u32s(&self, path: &str) -> Result<Vec<u32>>;
    /// Number of elements of an array, refused where 4 bytes each are too much.
    fn n_elements(&self, path: &str) -> Result<u64>;
    /// Pieces (start, count) along the first axis that are read at a time: about half a million elements, whole chunks.
    fn pieces(&self, path: &str) -> Result<Vec<(u64, u64)>>;
    /// A piece of [`Self::u32s`].
    fn u32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<u32>>;
    /// A piece of [`Self::f32s`].
    fn f32s_at(&self, path: &str, start: u64, count: u64) -> Result<Vec<f32>>;
    /// Text of fixed or variable length, without padding.
    fn strings(&self, path: &str) -> Result<Vec<String>>;
    /// The columns of an array of records, by name, in their order.
    fn fields(&self, path: &str) -> Result<Vec<(String, Field)>>;
    /// How much memory may be taken.
    fn limits(&self) -> Limits;

    /// The only number of an array.
    fn number(&self, path: &str) -> Option<f64> {
        let count = self.shape(path).ok()?.iter().try_fold(1_u64, |a, b| a.checked_mul(*b));
        (count == Some(1)).then(|| self.f64s(path).ok()?.first().copied()).flatten()
    }
}

/// Elements of an array that are read at a time.
const PIECE: u64 = 1 << 19;

/// Pieces of an array of `shape` whose chunks have `chunk` rows.
pub(crate) fn pieces(shape: &[u64], chunk: u64) -> Vec<(u64, u64)> {
    let n = shape.first().copied().unwrap_or(1);
    let row = shape.iter().skip(1).fold(1_u64, |a, b| a.saturating_mul(*b)).max(1);
    let chunk = chunk.clamp(1, n.max(1));
    let step = (PIECE / row).max(1).div_ceil(chunk) * chunk;
    (0..n.div_ceil(step)).map(|k| (k * step, step.min(n - k * step))).collect()
}
