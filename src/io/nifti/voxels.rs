//! Voxels of a NIfTI file as native samples: bytes and 16-bit integers stay, the rest becomes single
//! precision with a note where that changes a value.

use super::super::Reading;
use super::header::Header;
use crate::base::{Error, Result};
use crate::model::Samples;
use std::path::Path;
use std::sync::Arc;

/// All phases and their rescale.
#[derive(Clone, Debug)]
pub(super) struct Voxels {
    pub phases: Vec<Samples>,
    pub slope: f64,
    pub intercept: f64,
    /// Whether the file stores whole numbers.
    pub is_integer: bool,
}

impl Voxels {
    /// Checks the size against the limits and against `data` before anything is allocated.
    pub fn decode(header: &Header, data: &[u8], path: &Path, reading: &mut Reading) -> Result<Self> {
        let n_bytes_each = bytes_per_voxel(header.datatype)?;
        let n_voxels = header.n_voxels().unwrap_or(u64::MAX);
        let n_phases = header.size[3];
        let needed = n_voxels.checked_mul(n_phases).and_then(|n| n.checked_mul(n_bytes_each as u64)).unwrap_or(u64::MAX);
        let available = (data.len() as u64).saturating_sub(header.vox_offset);
        if needed > available {
            return Err(Error::malformed(format!(
                "the file is cut off: {} voxels of {n_bytes_each} bytes need {needed} bytes after byte {}, there are {available}",
                header.size.map(|n| n.to_string()).join("×"),
                header.vox_offset
            )));
        }
        reading.limits.check("the voxels", &[n_voxels, n_phases], 4.min(n_bytes_each as u64))?;

        let start = usize::try_from(header.vox_offset).map_err(|_| Error::malformed("the voxels begin beyond the file"))?;
        let phase_bytes = (needed / n_phases) as usize;
        let mut inexact = 0;
        let mut phases = Vec::new();
        for (i, raw) in data[start..].chunks_exact(phase_bytes.max(1)).take(n_phases as usize).enumerate() {
            reading.progress.step(0.5 + 0.5 * i as f64 / n_phases as f64, "decoding voxels")?;
            phases.push(samples(header, raw, &mut inexact)?);
        }
        if inexact > 0 {
            let what = format!("{inexact} voxels have more digits than single precision keeps; they were rounded");
            reading.warnings.note("precision-lost", what, Some(path));
        }
        let (slope, intercept) = rescale(header);
        Ok(Self { phases, slope, intercept, is_integer: !matches!(header.datatype, 16 | 64) })
    }
}

/// Slope 0 or not finite means that values are stored as they are.
fn rescale(header: &Header) -> (f64, f64) {
    let finite = |v: f64| if v.is_finite() { v } else { 0.0 };
    match finite(header.slope) {
        0.0 => (1.0, 0.0),
        slope => (slope, finite(header.intercept)),
    }
}

/// Size of a voxel of a `NIFTI_TYPE_*`; [`Error::Unsupported`] for colors and complex numbers.
pub(super) fn bytes_per_voxel(datatype: i16) -> Result<usize> {
    match datatype {
        2 | 256 => Ok(1),
        4 | 512 => Ok(2),
        8 | 16 | 768 => Ok(4),
        64 | 1024 | 1280 => Ok(8),
        128 | 2304 => Err(Error::unsupported("voxels are colors (RGB); convert them to gray values")),
        32 | 1792 | 2048 => Err(Error::unsupported("voxels are complex numbers; convert them to magnitudes")),
        1 | 1536 => Err(Error::unsupported(format!(
            "voxels of type {datatype} (bits or 128-bit numbers) are not read; convert to 16-bit"
        ))),
        other => Err(Error::malformed(format!("voxel type {other} is none of the NIfTI standard"))),
    }
}

fn samples(header: &Header, raw: &[u8], inexact: &mut u64) -> Result<Samples> {
    let big = header.big_endian;
    Ok(match header.datatype {
        2 => Samples::U8(raw.into()),
        256 => Samples::I16(raw.iter().map(|&v| i16::from(v as i8)).collect()),
        4 => Samples::I16(each(raw, big, i16::from_le_bytes).collect()),
        512 => Samples::U16(each(raw, big, u16::from_le_bytes).collect()),
        16 => Samples::F32(each(raw, big, f32::from_le_bytes).collect()),
        8 => Samples::F32(narrowed(each(raw, big, |b| f64::from(i32::from_le_bytes(b))), inexact)),
        768 => Samples::F32(narrowed(each(raw, big, |b| f64::from(u32::from_le_bytes(b))), inexact)),
        64 => Samples::F32(narrowed(each(raw, big, f64::from_le_bytes), inexact)),
        // Beyond 2⁵³ the first narrowing rounds already; such a voxel is far beyond `f32` anyway.
        1024 => Samples::F32(narrowed(each(raw, big, |b| i64::from_le_bytes(b) as f64), inexact)),
        1280 => Samples::F32(narrowed(each(raw, big, |b| u64::from_le_bytes(b) as f64), inexact)),
        other => return Err(Error::malformed(format!("voxel type {other} is none of the NIfTI standard"))),
    })
}

/// Numbers of `N` bytes in either byte order.
fn each<const N: usize, T>(raw: &[u8], big: bool, from_le: impl Fn([u8; N]) -> T) -> impl Iterator<Item = T> {
    raw.chunks_exact(N).map(move |chunk| {
        let mut bytes = [0; N];
        bytes.copy_from_slice(chunk);
        if big {
            bytes.reverse();
        }
        from_le(bytes)
    })
}

fn narrowed(values: impl Iterator<Item = f64>, inexact: &mut u64) -> Arc<[f32]> {
    values
        .map(|v| {
            let narrow = v as f32;
            *inexact += u64::from(f64::from(narrow) != v && !v.is_nan());
            narrow
        })
        .collect()
}
