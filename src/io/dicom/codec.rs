//! Compressed frames: RLE here, JPEG and JPEG 2000 through the decoders of the `dicom` crates. Sizes in the
//! stream are compared with the header before anything is decoded, and a decoder that panics is an error.

use super::element::{u16_at, u32_at};
use super::layout::{Color, Layout};
use crate::base::{Error, Result};
use dicom::encoding::adapters::{PixelDataObject, RawPixelData};
use dicom::encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom::transfer_syntax::TransferSyntaxRegistry;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One frame in the form the decoders ask for.
struct OneFrame<'a> {
    transfer_syntax: &'a str,
    layout: &'a Layout,
    stream: Cow<'a, [u8]>,
}

impl PixelDataObject for OneFrame<'_> {
    fn transfer_syntax_uid(&self) -> &str {
        self.transfer_syntax
    }
    fn rows(&self) -> Option<u16> {
        u16::try_from(self.layout.rows).ok()
    }
    fn cols(&self) -> Option<u16> {
        u16::try_from(self.layout.columns).ok()
    }
    fn samples_per_pixel(&self) -> Option<u16> {
        u16::try_from(self.layout.samples).ok()
    }
    fn bits_allocated(&self) -> Option<u16> {
        u16::try_from(self.layout.bits_allocated).ok()
    }
    fn bits_stored(&self) -> Option<u16> {
        u16::try_from(self.layout.bits_stored).ok()
    }
    fn photometric_interpretation(&self) -> Option<&str> {
        Some(match self.layout.color {
            Color::Gray | Color::Palette => "MONOCHROME2",
            Color::Rgb => "RGB",
            Color::Ybr => "YBR_FULL",
            Color::Ybr422 => "YBR_FULL_422",
        })
    }
    fn number_of_frames(&self) -> Option<u32> {
        Some(1)
    }
    fn number_of_fragments(&self) -> Option<u32> {
        Some(1)
    }
    fn fragment(&self, fragment: usize) -> Option<Cow<'_, [u8]>> {
        (fragment == 0).then(|| Cow::Borrowed(self.stream.as_ref()))
    }
    fn offset_table(&self) -> Option<Cow<'_, [u32]>> {
        Some(Cow::Borrowed(&[0]))
    }
    fn raw_pixel_data(&self) -> Option<RawPixelData> {
        Some(RawPixelData { fragments: vec![self.stream.to_vec()].into(), offset_table: vec![0].into() })
    }
}

const RLE: &str = "1.2.840.10008.1.2.5";

/// Decodes RLE Lossless (PS3.5 annex G): one `PackBits` segment for each byte of each sample, highest byte
/// first, to interleaved little-endian samples.
fn run_lengths(stream: &[u8], layout: &Layout) -> Result<Vec<u8>> {
    let damaged = || Error::malformed("the run-length coded frame is damaged; copy the file again");
    let size = (layout.bits_allocated / 8) as usize;
    let (n, stride) = (layout.n_pixels(), size * layout.samples);
    let mut bytes = vec![0; n * stride];
    let mut segment = Vec::with_capacity(n);
    for part in 0..stride {
        let offset = |i: usize| u32_at(stream, 4 + 4 * i, false).filter(|&o| i < 15 && o >= 64).map(|o| o as usize);
        let start = offset(part).ok_or_else(damaged)?;
        let end = offset(part + 1).filter(|&e| e > start).unwrap_or(stream.len());
        pack_bits(stream.get(start..end.min(stream.len())).ok_or_else(damaged)?, n, &mut segment);
        if segment.len() < n {
            return Err(damaged());
        }
        let at = part / size * size + (size - 1 - part % size);
        for (pixel, &byte) in bytes.chunks_exact_mut(stride).zip(&segment) {
            pixel[at] = byte;
        }
    }
    Ok(bytes)
}

/// At most `n` bytes of a `PackBits` stream.
fn pack_bits(mut packed: &[u8], n: usize, out: &mut Vec<u8>) {
    out.clear();
    while let Some((&code, rest)) = packed.split_first()
        && out.len() < n
    {
        packed = rest;
        let count = usize::from(if code < 128 { code } else { code.wrapping_neg() }) + 1;
        if code < 128 {
            let (run, rest) = packed.split_at(count.min(packed.len()));
            out.extend_from_slice(run);
            packed = rest;
        } else if code > 128
            && let Some((&byte, rest)) = packed.split_first()
        {
            out.resize(out.len() + count, byte);
            packed = rest;
        }
    }
    out.truncate(n);
}

/// Name of a transfer syntax for a sentence.
pub(super) fn syntax_name(uid: &str) -> String {
    TransferSyntaxRegistry.get(uid).map_or_else(|| format!("transfer syntax {uid}"), |t| format!("{} ({uid})", t.name()))
}

/// Decodes one frame to interleaved little-endian samples, and says what color they have.
pub(super) fn decode(transfer_syntax: &str, layout: &Layout, stream: Cow<'_, [u8]>) -> Result<(Vec<u8>, Color)> {
    let unsupported = || {
        Error::unsupported(format!(
            "{} cannot be decoded; convert the file to Explicit VR Little Endian",
            syntax_name(transfer_syntax)
        ))
    };
    if transfer_syntax == RLE {
        let color = if layout.color == Color::Ybr422 { Color::Ybr } else { layout.color };
        return Ok((run_lengths(&stream, layout)?, color));
    }
    let known = TransferSyntaxRegistry.get(transfer_syntax).ok_or_else(unsupported)?;
    let Codec::EncapsulatedPixelData(Some(reader), _) = known.codec() else { return Err(unsupported()) };
    check_size(&stream, layout)?;
    let stream = if layout.color == Color::Rgb { without_transform(stream) } else { stream };
    let frame = OneFrame { transfer_syntax, layout, stream };
    let mut bytes = Vec::new();
    match catch_unwind(AssertUnwindSafe(|| reader.decode_frame(&frame, 0, &mut bytes))) {
        Ok(Ok(())) => {}
        Ok(Err(e)) => return Err(Error::unsupported(format!("{}: {}", syntax_name(transfer_syntax), chain(&e)))),
        Err(_) => return Err(Error::malformed(format!("{}: the compressed frame is damaged", syntax_name(transfer_syntax)))),
    }
    let needed = layout.n_pixels() * layout.samples * (layout.bits_allocated / 8) as usize;
    if bytes.len() < needed {
        return Err(Error::malformed(format!("the compressed frame gives {} bytes, {needed} were expected", bytes.len())));
    }
    let color = match layout.color {
        Color::Gray | Color::Palette => layout.color,
        _ => Color::Rgb,
    };
    Ok((bytes, color))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        text = format!("{text}: {e}");
        next = e.source();
    }
    text
}

/// Refuses a stream whose own size is not the header's: it would be decoded to another amount of memory.
fn check_size(stream: &[u8], layout: &Layout) -> Result<()> {
    let size = match stream.get(..2) {
        Some([0xFF, 0xD8]) => jpeg_size(stream),
        Some([0xFF, 0x4F]) => jpeg2000_size(stream),
        _ => return Ok(()),
    };
    match size {
        Some(found) if found == (layout.columns, layout.rows) => Ok(()),
        found => Err(Error::malformed(format!(
            "the compressed frame is {found:?} pixels, the header says {} × {}",
            layout.columns, layout.rows
        ))),
    }
}

/// Columns and rows of the first frame header of a JPEG stream.
fn jpeg_size(stream: &[u8]) -> Option<(usize, usize)> {
    let mut pos = 2;
    loop {
        let (&mark, &code) = (stream.get(pos)?, stream.get(pos + 1)?);
        if mark != 0xFF || code == 0xFF {
            pos += 1;
            continue;
        }
        if matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC) {
            return Some((usize::from(u16_at(stream, pos + 7, true)?), usize::from(u16_at(stream, pos + 5, true)?)));
        }
        pos += 2 + if matches!(code, 0x01 | 0xD0..=0xD8) { 0 } else { usize::from(u16_at(stream, pos + 2, true)?) };
    }
}

fn jpeg2000_size(stream: &[u8]) -> Option<(usize, usize)> {
    let number = |at: usize| u32_at(stream, at, true).map(|v| v as usize);
    Some((number(8)?.checked_sub(number(16)?)?, number(12)?.checked_sub(number(20)?)?))
}

/// Says in a JPEG stream that its three components are RGB, where it says nothing: the decoder would
/// take them for luminance and chroma.
fn without_transform(stream: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const ADOBE: &[u8] = &[0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0];
    if stream.get(..2) != Some(&[0xFF, 0xD8]) || stream.windows(5).take(4096).any(|w| w == b"Adobe") {
        return stream;
    }
    let mut marked = Vec::with_capacity(stream.len() + ADOBE.len());
    marked.extend_from_slice(&stream[..2]);
    marked.extend_from_slice(ADOBE);
    marked.extend_from_slice(&stream[2..]);
    Cow::Owned(marked)
}
