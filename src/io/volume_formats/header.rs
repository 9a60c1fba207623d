//! What both headers share: fields of text, numbers, voxel types, and a grid of checked axes.

use crate::base::{Error, Result};
use crate::space::{DAffine3, DMat3, DVec3, Grid};

/// Numbers of a field, at most 64.
pub(super) fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split_whitespace().take(64).map(|t| t.parse::<f64>().ok().filter(|v| v.is_finite())).collect()
}

/// Sizes of the axes; each 1 to 2³¹.
pub(super) fn sizes(text: &str, name: &str) -> Result<Vec<usize>> {
    let all: Option<Vec<usize>> =
        text.split_whitespace().take(16).map(|t| t.parse::<usize>().ok().filter(|n| (1..1 << 31).contains(n))).collect();
    all.filter(|s| !s.is_empty())
        .ok_or_else(|| Error::malformed(format!("{name} is «{text}»; whole numbers above 0 were expected")))
}

/// `NIFTI_TYPE_*` of a number of `bits` bits.
pub(super) fn datatype(is_float: bool, is_signed: bool, bits: u32) -> Option<i16> {
    Some(match (is_float, is_signed, bits) {
        (false, false, 8) => 2,
        (false, true, 8) => 256,
        (false, true, 16) => 4,
        (false, false, 16) => 512,
        (false, true, 32) => 8,
        (false, false, 32) => 768,
        (false, true, 64) => 1024,
        (false, false, 64) => 1280,
        (true, _, 32) => 16,
        (true, _, 64) => 64,
        _ => return None,
    })
}

/// The grid of axes in LPS mm; `Malformed` where they span no volume.
pub(super) fn grid(size: [usize; 3], axes: [DVec3; 3], origin: DVec3) -> Result<Grid> {
    let matrix3 = DMat3::from_cols(axes[0], axes[1], axes[2]);
    if !matrix3.determinant().is_finite() || matrix3.determinant() == 0.0 || !origin.is_finite() {
        return Err(Error::malformed("the axes of the voxels span no volume; spacing and directions must not be 0"));
    }
    Grid::new(size, DAffine3 { matrix3, translation: origin })
}

/// A pattern as `slice%03d.raw` with a number in it; `None` where it holds no number.
pub(super) fn formatted(pattern: &str, number: i64) -> Option<String> {
    let at = pattern.find('%')?;
    let rest = &pattern[at + 1..];
    let end = rest.find('d')?;
    let width = &rest[..end];
    let digits: usize = if width.is_empty() { 0 } else { width.parse().ok().filter(|n| *n < 32)? };
    let text = if width.starts_with('0') { format!("{number:0digits$}") } else { format!("{number:digits$}") };
    Some(format!("{}{text}{}", &pattern[..at], &rest[end + 1..]))
}
