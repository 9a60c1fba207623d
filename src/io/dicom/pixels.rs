//! Frames to voxels: uncompressed samples are copied straight into place, color becomes luminance.

use super::codec;
use super::element::{u16_at, u32_at};
use super::layout::{Color, Frames, Layout, Pixels, luminance};
use crate::base::{Error, Result};
use crate::model::Samples;
use std::borrow::Cow;
use std::sync::Arc;

/// An uncompressed frame.
pub(super) struct Raw<'a> {
    bytes: Cow<'a, [u8]>,
    layout: Layout,
    big: bool,
    palette: Option<&'a (i64, Vec<u8>)>,
}

/// The bytes of one frame, decoded where they are compressed. `body` is the data set of the file.
pub(super) fn raw_frame<'a>(body: &'a [u8], pixels: &'a Pixels, layout: &Layout, frame: usize) -> Result<Raw<'a>> {
    let early = || Error::malformed(format!("frame {frame} is not in the file"));
    let palette = pixels.palette.as_deref();
    match &pixels.frames {
        Frames::Native { at } if layout.bits_allocated == 1 => {
            let first = frame.checked_mul(layout.n_pixels()).ok_or_else(early)?;
            let bytes = unpacked(body.get(*at..).ok_or_else(early)?, first, layout.n_pixels()).ok_or_else(early)?;
            Ok(Raw { bytes: Cow::Owned(bytes), layout: Layout { bits_allocated: 8, ..*layout }, big: false, palette })
        }
        Frames::Native { at } => {
            let size = layout.frame_bytes();
            let start = frame.checked_mul(size).and_then(|o| o.checked_add(*at)).ok_or_else(early)?;
            let bytes = body.get(start..start.saturating_add(size)).ok_or_else(early)?;
            let bytes = if pixels.swapped { Cow::Owned(swap_pairs(body, *at, start, size)) } else { Cow::Borrowed(bytes) };
            Ok(Raw { bytes, layout: *layout, big: pixels.big, palette })
        }
        Frames::Encapsulated(frames) => {
            let parts = frames.get(frame).ok_or_else(early)?;
            let stream = match parts[..] {
                [(start, end)] => Cow::Borrowed(body.get(start..end).ok_or_else(early)?),
                _ => Cow::Owned(parts.iter().filter_map(|&(a, b)| body.get(a..b)).flatten().copied().collect()),
            };
            let (bytes, color) = codec::decode(&pixels.transfer_syntax, layout, stream)?;
            let mut layout = Layout { color, planar: false, ..*layout };
            let is_packed = layout.bits_allocated == 1 && codec::keeps_bits(&pixels.transfer_syntax);
            let bytes = if is_packed { unpacked(&bytes, 0, layout.n_pixels()).ok_or_else(early)? } else { bytes };
            layout.bits_allocated = layout.bits_allocated.max(8);
            Ok(Raw { bytes: Cow::Owned(bytes), layout, big: false, palette })
        }
    }
}

/// `n` pixels of one bit from the pixel `first` on, lowest bit first (PS3.5 8.1.1), as bytes of 0 and 1.
fn unpacked(bytes: &[u8], first: usize, n: usize) -> Option<Vec<u8>> {
    let end = first.checked_add(n)?;
    if end.div_ceil(8) > bytes.len() {
        return None;
    }
    Some((first..end).map(|i| bytes[i / 8] >> (i % 8) & 1).collect())
}

/// Bytes `start..start+size` of data that start at `at`, with the two bytes of each word exchanged.
fn swap_pairs(body: &[u8], at: usize, start: usize, size: usize) -> Vec<u8> {
    (start..start + size).map(|i| body.get(at + ((i - at) ^ 1)).copied().unwrap_or(0)).collect()
}

/// A voxel type that frames can be decoded to.
pub(super) trait Voxel: Copy + Default + PartialOrd + Send + Sync {
    /// Writes a frame to `out` (one voxel per pixel); `rescale` is only used by `f32`.
    fn fill(raw: &Raw<'_>, rescale: (f64, f64), out: &mut [Self]);
    fn samples(voxels: Arc<[Self]>) -> Samples;
}

impl Voxel for u8 {
    fn fill(raw: &Raw<'_>, _: (f64, f64), out: &mut [Self]) {
        if raw.layout.color == Color::Gray {
            let (shift, mask) = raw.shift_and_mask();
            let plain = shift == 0 && mask == 0xFF;
            if plain {
                for (o, &b) in out.iter_mut().zip(raw.bytes.iter()) {
                    *o = b;
                }
            } else {
                for (o, &b) in out.iter_mut().zip(raw.bytes.iter()) {
                    *o = (u32::from(b) >> shift & mask) as u8;
                }
            }
        } else {
            raw.fill_luminance(out);
        }
    }
    fn samples(voxels: Arc<[Self]>) -> Samples {
        Samples::U8(voxels)
    }
}

impl Voxel for u16 {
    fn fill(raw: &Raw<'_>, _: (f64, f64), out: &mut [Self]) {
        let (shift, mask) = raw.shift_and_mask();
        let mask = mask as u16;
        for (o, word) in out.iter_mut().zip(raw.words()) {
            *o = word >> shift & mask;
        }
    }
    fn samples(voxels: Arc<[Self]>) -> Samples {
        Samples::U16(voxels)
    }
}

impl Voxel for i16 {
    fn fill(raw: &Raw<'_>, _: (f64, f64), out: &mut [Self]) {
        let layout = &raw.layout;
        if layout.bits_allocated == 8 {
            let up = 8 - layout.bits_stored.min(8);
            for (o, &b) in out.iter_mut().zip(raw.bytes.iter()) {
                *o = i16::from((b >> layout.shift << up).cast_signed() >> up);
            }
            return;
        }
        let up = 16 - layout.bits_stored.min(16);
        let shift = layout.shift;
        for (o, word) in out.iter_mut().zip(raw.words()) {
            *o = (word >> shift << up).cast_signed() >> up;
        }
    }
    fn samples(voxels: Arc<[Self]>) -> Samples {
        Samples::I16(voxels)
    }
}

impl Voxel for f32 {
    fn fill(raw: &Raw<'_>, (slope, intercept): (f64, f64), out: &mut [Self]) {
        let size = (raw.layout.bits_allocated / 8) as usize;
        for (o, sample) in out.iter_mut().zip(raw.bytes.chunks_exact(size.max(1))) {
            *o = (raw.number(sample) * slope + intercept) as f32;
        }
    }
    fn samples(voxels: Arc<[Self]>) -> Samples {
        Samples::F32(voxels)
    }
}

impl Raw<'_> {
    fn shift_and_mask(&self) -> (u32, u32) {
        let mask = if self.layout.bits_stored >= 32 { u32::MAX } else { (1 << self.layout.bits_stored) - 1 };
        (self.layout.shift, mask)
    }

    fn words(&self) -> impl Iterator<Item = u16> {
        let big = self.big;
        self.bytes.as_chunks::<2>().0.iter().map(move |&b| if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) })
    }

    /// One sample of any size as a number.
    fn number(&self, sample: &[u8]) -> f64 {
        let bits = sample.iter().enumerate().fold(0_u64, |sum, (i, &b)| {
            let place = if self.big { sample.len() - 1 - i } else { i };
            sum | u64::from(b) << (8 * place)
        });
        if self.layout.float {
            return if sample.len() == 8 { f64::from_bits(bits) } else { f64::from(f32::from_bits(bits as u32)) };
        }
        let stored = self.layout.bits_stored.clamp(1, 32);
        let value = bits >> self.layout.shift << (64 - stored);
        if self.layout.signed { (value.cast_signed() >> (64 - stored)) as f64 } else { (value >> (64 - stored)) as f64 }
    }

    /// Luminance of every pixel; the top 8 bits where samples have more.
    fn fill_luminance(&self, out: &mut [u8]) {
        let layout = &self.layout;
        let wide = layout.bits_allocated == 16;
        let down = layout.bits_stored.saturating_sub(8);
        let sample = |i: usize| -> u8 {
            match layout.bits_allocated {
                16 => (u16_at(&self.bytes, i * 2, self.big).unwrap_or(0) >> layout.shift >> down) as u8,
                32 => (u32_at(&self.bytes, i * 4, self.big).unwrap_or(0) >> layout.shift >> down) as u8,
                _ => self.bytes.get(i).copied().unwrap_or(0),
            }
        };
        let n = out.len();
        let at =
            |pixel: usize, channel: usize| if layout.planar { sample(channel * n + pixel) } else { sample(pixel * 3 + channel) };
        match layout.color {
            Color::Rgb => out.iter_mut().enumerate().for_each(|(i, o)| *o = luminance(at(i, 0), at(i, 1), at(i, 2))),
            Color::Ybr => out.iter_mut().enumerate().for_each(|(i, o)| *o = at(i, 0)),
            Color::Ybr422 => out.iter_mut().enumerate().for_each(|(i, o)| *o = sample(i / 2 * 4 + i % 2)),
            Color::Palette | Color::Gray => out.iter_mut().enumerate().for_each(|(i, o)| *o = self.indexed(i, wide)),
        }
    }

    fn indexed(&self, pixel: usize, wide: bool) -> u8 {
        let index = if wide {
            u16_at(&self.bytes, pixel * 2, self.big).unwrap_or(0)
        } else {
            u16::from(self.bytes.get(pixel).copied().unwrap_or(0))
        };
        let Some((first, table)) = self.palette else { return index as u8 };
        let place = (i64::from(index) - first).clamp(0, table.len() as i64 - 1);
        table.get(place as usize).copied().unwrap_or(0)
    }
}
