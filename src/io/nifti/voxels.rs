//! Voxels of a NIfTI file as native samples: bytes and 16-bit integers stay, the rest becomes single
//! precision with a note where that changes a value.

use super::super::Reading;
use super::super::bytes::Stream;
use super::header::Header;
use crate::base::{Error, Progress, Result};
use crate::model::Samples;
use std::path::Path;
use std::sync::Arc;

/// Voxels decoded between two checks of the cancel.
const CHUNK_VOXELS: usize = 1 << 16;

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
    /// Checks the size against the limits and against what the stream can hold before anything is allocated.
    /// Decodes a piece at a time, so nothing but the result is in memory.
    pub fn decode(header: &Header, mut stream: Stream, path: &Path, reading: &mut Reading) -> Result<Self> {
        let n_bytes_each = bytes_per_voxel(header.datatype)?;
        let n_voxels = header.n_voxels().unwrap_or(u64::MAX);
        let n_phases = header.size[3];
        let needed = n_voxels.checked_mul(n_phases).and_then(|n| n.checked_mul(n_bytes_each as u64)).unwrap_or(u64::MAX);
        let available = stream.most_bytes.saturating_sub(header.vox_offset);
        if needed > available {
            return Err(cut_off(header, n_bytes_each, available));
        }
        reading.limits.check("the voxels", &[n_voxels, n_phases], 4.min(n_bytes_each as u64))?;
        skip_to(header.vox_offset, &mut stream)?;

        let mut source = Source { header, stream, n_bytes_each, inexact: 0 };
        let mut phases = Vec::new();
        for i in 0..n_phases {
            let from = i as f64 / n_phases as f64;
            let progress = reading.progress.part(from, from + 1.0 / n_phases as f64);
            phases.push(samples(&mut source, n_voxels as usize, &progress)?);
        }
        if source.inexact > 0 {
            let what = format!("{} voxels have more digits than single precision keeps; they were rounded", source.inexact);
            reading.warnings.note("precision-lost", what, Some(path));
        }
        let (slope, intercept) = rescale(header);
        Ok(Self { phases, slope, intercept, is_integer: !matches!(header.datatype, 16 | 64) })
    }
}

/// Where voxels come from.
struct Source<'a> {
    header: &'a Header,
    stream: Stream<'a>,
    n_bytes_each: usize,
    /// Voxels that single precision rounds.
    inexact: u64,
}

fn cut_off(header: &Header, n_bytes_each: usize, available: u64) -> Error {
    let needed = header.size.iter().try_fold(n_bytes_each as u64, |a, &n| a.checked_mul(n)).unwrap_or(u64::MAX);
    Error::malformed(format!(
        "the file is cut off: {} voxels of {n_bytes_each} bytes need {needed} bytes after byte {}, there are {available}",
        header.size.map(|n| n.to_string()).join("×"),
        header.vox_offset
    ))
}

/// Reads over what stands between header and voxels.
fn skip_to(offset: u64, stream: &mut Stream) -> Result<()> {
    let mut chunk = [0; 4096];
    while stream.n_read < offset {
        let n = (offset - stream.n_read).min(chunk.len() as u64) as usize;
        if stream.fill(&mut chunk[..n])? < n {
            let n = stream.n_read;
            return Err(Error::malformed(format!("the file is cut off: the voxels begin at byte {offset}, there are {n} bytes")));
        }
    }
    Ok(())
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
pub(in crate::io) fn bytes_per_voxel(datatype: i16) -> Result<usize> {
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

fn samples(source: &mut Source, n: usize, progress: &Progress) -> Result<Samples> {
    Ok(match source.header.datatype {
        2 => Samples::U8(source.phase(n, progress, u8::from_le_bytes)?),
        256 => Samples::I16(source.phase(n, progress, |b: [u8; 1]| i16::from(i8::from_le_bytes(b)))?),
        4 => Samples::I16(source.phase(n, progress, i16::from_le_bytes)?),
        512 => Samples::U16(source.phase(n, progress, u16::from_le_bytes)?),
        16 => Samples::F32(source.phase(n, progress, f32::from_le_bytes)?),
        8 => Samples::F32(source.narrowed(n, progress, |b| f64::from(i32::from_le_bytes(b)))?),
        768 => Samples::F32(source.narrowed(n, progress, |b| f64::from(u32::from_le_bytes(b)))?),
        64 => Samples::F32(source.narrowed(n, progress, f64::from_le_bytes)?),
        // Beyond 2⁵³ the first narrowing rounds already; such a voxel is far beyond `f32` anyway.
        1024 => Samples::F32(source.narrowed(n, progress, |b| i64::from_le_bytes(b) as f64)?),
        1280 => Samples::F32(source.narrowed(n, progress, |b| u64::from_le_bytes(b) as f64)?),
        other => return Err(Error::malformed(format!("voxel type {other} is none of the NIfTI standard"))),
    })
}

impl Source<'_> {
    /// The next `n` numbers of `N` bytes in the file's byte order.
    fn phase<const N: usize, T: Copy + Default>(
        &mut self,
        n: usize,
        progress: &Progress,
        mut from_le: impl FnMut([u8; N]) -> T,
    ) -> Result<Arc<[T]>> {
        let mut voxels: Arc<[T]> = std::iter::repeat_n(T::default(), n).collect();
        let mut chunk = vec![0; N * n.min(CHUNK_VOXELS)];
        for (i, part) in Arc::make_mut(&mut voxels).chunks_mut(CHUNK_VOXELS).enumerate() {
            progress.step((i * CHUNK_VOXELS) as f64 / n as f64, "decoding voxels")?;
            let raw = &mut chunk[..N * part.len()];
            if self.stream.fill(raw)? < raw.len() {
                let available = self.stream.n_read.saturating_sub(self.header.vox_offset);
                return Err(cut_off(self.header, self.n_bytes_each, available));
            }
            for (voxel, bytes) in part.iter_mut().zip(raw.as_chunks::<N>().0) {
                let mut bytes = *bytes;
                if self.header.big_endian {
                    bytes.reverse();
                }
                *voxel = from_le(bytes);
            }
        }
        Ok(voxels)
    }

    /// The same, narrowed to single precision; counts what that changes.
    fn narrowed<const N: usize>(
        &mut self,
        n: usize,
        progress: &Progress,
        from_le: impl Fn([u8; N]) -> f64,
    ) -> Result<Arc<[f32]>> {
        let mut inexact = 0;
        let voxels = self.phase(n, progress, |bytes| {
            let v = from_le(bytes);
            let narrow = v as f32;
            inexact += u64::from(f64::from(narrow) != v && !v.is_nan());
            narrow
        })?;
        self.inexact += inexact;
        Ok(voxels)
    }
}
