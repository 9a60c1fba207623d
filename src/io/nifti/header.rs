//! The NIfTI header, version 1 (parsed by the `nifti` crate) or 2 (parsed here), as one type with its
//! sizes checked.

use crate::base::{Error, Result};
use nifti::{Endianness, NiftiHeader};

/// Bytes of a version 1 header.
pub(super) const SIZE_1: usize = 348;
/// Bytes of a version 2 header.
pub(super) const SIZE_2: usize = 540;

/// What this program uses of a header, lengths still in the file's unit and axes in RAS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// 1 or 2.
    pub version: u8,
    /// Byte order of header and voxels.
    pub big_endian: bool,
    /// Whether the voxels are in the same file.
    pub is_single: bool,
    /// Columns, rows, slices, phases; each at least 1.
    pub size: [u64; 4],
    /// `pixdim`; the first is qfac.
    pub pixdim: [f64; 8],
    /// `NIFTI_TYPE_*`.
    pub datatype: i16,
    /// Where the voxels begin.
    pub vox_offset: u64,
    /// Rescale slope; 0 or not finite means none.
    pub slope: f64,
    /// Rescale intercept.
    pub intercept: f64,
    /// `xyzt_units`.
    pub units: u8,
    /// `NIFTI_INTENT_*`.
    pub intent_code: i32,
    /// Time of the first phase.
    pub toffset: f64,
    /// `NIFTI_XFORM_*` of the quaternion.
    pub qform_code: i32,
    /// `NIFTI_XFORM_*` of the matrix.
    pub sform_code: i32,
    /// Quaternion b, c, d.
    pub quatern: [f64; 3],
    /// Shift of the quaternion.
    pub qoffset: [f64; 3],
    /// Rows of the matrix.
    pub srow: [[f64; 4]; 3],
}

/// Whether (inflated) bytes begin with a NIfTI header of either version and byte order.
#[must_use]
pub fn is_nifti(first_bytes: &[u8]) -> bool {
    magic(first_bytes).is_some()
}

/// Version and whether it is a single file, from the magic words.
fn magic(head: &[u8]) -> Option<(u8, bool)> {
    let one = head.get(344..348).and_then(|m| [(b"n+1\0", true), (b"ni1\0", false)].into_iter().find(|(w, _)| m == *w));
    let two = head.get(4..8).and_then(|m| [(b"n+2\0", true), (b"ni2\0", false)].into_iter().find(|(w, _)| m == *w));
    let size = head.get(..4).map(|s| [s[0], s[1], s[2], s[3]]);
    match (one, two) {
        (Some((_, single)), _) => Some((1, single)),
        (None, Some((_, single))) if size.is_some_and(is_size_2) => Some((2, single)),
        _ => None,
    }
}

fn is_size_2(size: [u8; 4]) -> bool {
    i32::from_le_bytes(size) == SIZE_2 as i32 || i32::from_be_bytes(size) == SIZE_2 as i32
}

impl Header {
    /// Whether these first bytes begin a header of version 2.
    pub fn is_version_2(head: &[u8]) -> bool {
        magic(head).is_some_and(|(version, _)| version == 2)
    }

    /// Parses and checks everything that does not depend on the length of the file.
    pub fn parse(head: &[u8]) -> Result<Self> {
        let header = match magic(head) {
            Some((1, single)) => parse_1(head, single)?,
            Some((_, single)) => parse_2(head, single)?,
            None => return Err(not_nifti(head)),
        };
        let least = if header.version == 1 { SIZE_1 } else { SIZE_2 } as u64 + 4;
        match (header.is_single, header.vox_offset) {
            (true, 0) => Ok(Self { vox_offset: least, ..header }),
            (true, offset) if offset < least => Err(Error::malformed(format!(
                "the voxels are said to begin at byte {offset}, inside the header, which needs {least} bytes"
            ))),
            _ => Ok(header),
        }
    }

    /// Number of voxels of one phase, or `None` where it overflows.
    pub fn n_voxels(&self) -> Option<u64> {
        self.size[..3].iter().try_fold(1u64, |a, &n| a.checked_mul(n))
    }
}

fn not_nifti(head: &[u8]) -> Error {
    if head.is_empty() {
        return Error::malformed("the file is empty; a NIfTI header of at least 348 bytes was expected");
    }
    let size = head.get(..4).map(|s| [s[0], s[1], s[2], s[3]]);
    let is_348 = size.is_some_and(|s| i32::from_le_bytes(s) == 348 || i32::from_be_bytes(s) == 348);
    if is_348 && head.len() < SIZE_1 {
        return Error::malformed(format!("{} bytes where a NIfTI header has 348; the file is cut off", head.len()));
    }
    if is_348 {
        return Error::unsupported("this is ANALYZE 7.5, which does not say left from right; convert it to NIfTI first");
    }
    Error::malformed(format!(
        "no NIfTI header in the first {} bytes; the words n+1, ni1, n+2 or ni2 were expected",
        head.len().min(SIZE_2)
    ))
}

fn parse_1(head: &[u8], is_single: bool) -> Result<Header> {
    let h = NiftiHeader::from_reader(head).map_err(|e| Error::malformed(format!("the NIfTI-1 header cannot be read ({e})")))?;
    if h.sizeof_hdr.swap_bytes() == SIZE_1 as i32 {
        // The crate tells the byte order by dim[0], so an impossible one looks like the other order.
        return Err(wrong_axes(i64::from(h.dim[0].swap_bytes() as i16)));
    }
    if h.sizeof_hdr != SIZE_1 as i32 {
        return Err(Error::malformed(format!("the header says it has {} bytes, 348 were expected", h.sizeof_hdr)));
    }
    // The crate reads the signed sizes as unsigned.
    let dim = h.dim.map(|d| i64::from(d as i16));
    Ok(Header {
        version: 1,
        big_endian: h.endianness == Endianness::Big,
        is_single,
        size: checked_size(dim)?,
        pixdim: h.pixdim.map(f64::from),
        datatype: h.datatype,
        vox_offset: checked_offset(f64::from(h.vox_offset))?,
        slope: f64::from(h.scl_slope),
        intercept: f64::from(h.scl_inter),
        units: h.xyzt_units,
        intent_code: i32::from(h.intent_code),
        toffset: f64::from(h.toffset),
        qform_code: i32::from(h.qform_code),
        sform_code: i32::from(h.sform_code),
        quatern: [h.quatern_b, h.quatern_c, h.quatern_d].map(f64::from),
        qoffset: [h.quatern_x, h.quatern_y, h.quatern_z].map(f64::from),
        srow: [h.srow_x, h.srow_y, h.srow_z].map(|row| row.map(f64::from)),
    })
}

fn parse_2(head: &[u8], is_single: bool) -> Result<Header> {
    if head.len() < SIZE_2 {
        return Err(Error::malformed(format!("{} bytes where a NIfTI-2 header has {SIZE_2}; the file is cut off", head.len())));
    }
    if head[8..12] != *b"\r\n\x1a\n" {
        return Err(Error::malformed(
            "the line ends in the NIfTI-2 magic are changed: the file was copied as text; copy it as binary",
        ));
    }
    let big_endian = head[..4] == (SIZE_2 as i32).to_be_bytes();
    let f = Fields { head, big_endian };
    Ok(Header {
        version: 2,
        big_endian,
        is_single,
        size: checked_size(std::array::from_fn(|i| f.i64(16 + 8 * i)))?,
        pixdim: std::array::from_fn(|i| f.f64(104 + 8 * i)),
        datatype: f.i16(12),
        vox_offset: checked_offset(f.i64(168) as f64)?,
        slope: f.f64(176),
        intercept: f.f64(184),
        units: (f.i32(500) & 0xff) as u8,
        intent_code: f.i32(504),
        toffset: f.f64(216),
        qform_code: f.i32(344),
        sform_code: f.i32(348),
        quatern: std::array::from_fn(|i| f.f64(352 + 8 * i)),
        qoffset: std::array::from_fn(|i| f.f64(376 + 8 * i)),
        srow: std::array::from_fn(|r| std::array::from_fn(|c| f.f64(400 + 32 * r + 8 * c))),
    })
}

/// Numbers at fixed places of a header of checked length.
struct Fields<'a> {
    head: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes: [u8; N] = std::array::from_fn(|i| self.head[at + i]);
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.array(at))
    }

    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.array(at))
    }

    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.array(at))
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.array(at))
    }
}

/// Columns, rows, slices, phases from `dim`; further axes must have length 1.
fn checked_size(dim: [i64; 8]) -> Result<[u64; 4]> {
    let Ok(n @ 1..=7) = usize::try_from(dim[0]) else { return Err(wrong_axes(dim[0])) };
    let used = &dim[1..=n];
    if let Some(bad) = used.iter().find(|&&d| d < 1) {
        return Err(Error::malformed(format!("an axis has length {bad} (dim is {used:?}); at least 1 was expected")));
    }
    if used.iter().skip(4).any(|&d| d != 1) {
        let what = format!("an image with axes {used:?} has more than phases beside its three axes; split it into 4-D images");
        return Err(Error::unsupported(what));
    }
    Ok(std::array::from_fn(|i| used.get(i).map_or(1, |&d| d as u64)))
}

fn wrong_axes(n: i64) -> Error {
    Error::malformed(format!("dim[0] is {n}; a number of axes from 1 to 7 was expected"))
}

fn checked_offset(offset: f64) -> Result<u64> {
    if offset.is_finite() && (0.0..9e15).contains(&offset) {
        Ok(offset as u64)
    } else {
        Err(Error::malformed(format!("the voxels are said to begin at byte {offset}")))
    }
}
