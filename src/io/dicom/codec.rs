//! Compressed frames: RLE, JPEG-LS and 12-bit JPEG here, other JPEG and JPEG 2000 through the decoders of the
//! `dicom` crates. Sizes in the stream are compared with the header before anything is decoded, and a decoder
//! that panics is an error.

use super::element::{u16_at, u32_at};
use super::layout::{Color, Layout};
use super::{jpeg_extended, jpeg_ls};
use crate::base::{Error, Result};
use dicom::encoding::adapters::{PixelDataObject, RawPixelData};
use dicom::encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom::transfer_syntax::TransferSyntaxRegistry;
use std::borrow::Cow;
use std::io::Read;
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
const JPEG_LS: [&str; 2] = ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"];
const JPEG_2000: &str = "1.2.840.10008.1.2.4.91";
/// High-throughput JPEG 2000, which the decoder of JPEG 2000 reads too.
const HIGH_THROUGHPUT: [&str; 3] = ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"];
const DEFLATED_FRAME: &str = "1.2.840.10008.1.2.8.1";

/// Whether frames of a bit per pixel are kept packed by a transfer syntax.
pub(super) fn keeps_bits(transfer_syntax: &str) -> bool {
    transfer_syntax == DEFLATED_FRAME || transfer_syntax == RLE
}

/// Decodes RLE Lossless (PS3.5 annex G): one `PackBits` segment for each byte of each sample, highest byte
/// first, to interleaved little-endian samples.
fn run_lengths(stream: &[u8], layout: &Layout) -> Result<Vec<u8>> {
    let damaged = || Error::malformed("the run-length coded frame is damaged; copy the file again");
    let size = (layout.bits_allocated / 8).max(1) as usize;
    let n = if layout.bits_allocated == 1 { layout.n_pixels().div_ceil(8) } else { layout.n_pixels() };
    let stride = size * layout.samples;
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
    if let Some(bytes) = own(transfer_syntax, layout, &stream) {
        let color = if layout.color == Color::Ybr422 { Color::Ybr } else { layout.color };
        return Ok((bytes?, color));
    }
    let reader = if HIGH_THROUGHPUT.contains(&transfer_syntax) { JPEG_2000 } else { transfer_syntax };
    let known = TransferSyntaxRegistry.get(reader).ok_or_else(unsupported)?;
    let Codec::EncapsulatedPixelData(Some(reader), _) = known.codec() else { return Err(unsupported()) };
    check_size(&stream, layout)?;
    let layout = &Layout { bits_allocated: layout.bits_allocated.max(8), ..*layout };
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

/// Samples of the syntaxes that are decoded here; `None` for others.
fn own(transfer_syntax: &str, layout: &Layout, stream: &[u8]) -> Option<Result<Vec<u8>>> {
    if transfer_syntax == RLE {
        return Some(run_lengths(stream, layout));
    }
    if transfer_syntax == DEFLATED_FRAME {
        return Some(inflated(stream, layout));
    }
    if JPEG_LS.contains(&transfer_syntax) || stream.get(..4) == Some(&[0xFF, 0xD8, 0xFF, 0xF7]) {
        let size = (layout.columns, layout.rows, layout.samples);
        return Some(jpeg_ls::decode(stream, size).map(|image| packed(&image.samples, layout)));
    }
    (stream.starts_with(&[0xFF, 0xD8]) && layout.samples == 1 && jpeg_extended::is_extended(stream))
        .then(|| jpeg_extended::decode(stream, layout.columns, layout.rows).map(|samples| packed(&samples, layout)))
}

/// Samples as little-endian bytes of the allocated size.
fn packed(samples: &[u16], layout: &Layout) -> Vec<u8> {
    match layout.bits_allocated {
        8 => samples.iter().map(|&v| v as u8).collect(),
        16 => samples.iter().flat_map(|v| v.to_le_bytes()).collect(),
        _ => samples.iter().flat_map(|v| u32::from(*v).to_le_bytes()).collect(),
    }
}

/// A frame that was deflated by itself (PS3.5 A.4.13).
fn inflated(stream: &[u8], layout: &Layout) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let n = layout.frame_bytes();
    flate2::read::DeflateDecoder::new(stream)
        .take(n as u64)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::malformed(format!("the deflated frame is damaged ({e}); copy the file again")))?;
    if bytes.len() < n {
        return Err(Error::malformed(format!("the deflated frame gives {} bytes, {n} were expected", bytes.len())));
    }
    Ok(bytes)
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
/// take them for luminance and chroma. An Adobe segment too short to hold its transform says nothing of use,
/// and its writers meant luminance and chroma: it goes.
fn without_transform(stream: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const ADOBE: &[u8] = &[0xFF, 0xEE, 0, 14, b'A', b'd', b'o', b'b', b'e', 0, 100, 0, 0, 0, 0, 0];
    let adobe = stream.windows(9).take(4096).position(|w| w[..2] == ADOBE[..2] && w[4..] == ADOBE[4..9]);
    let length = adobe.and_then(|at| u16_at(&stream, at + 2, true)).map_or(0, usize::from);
    let (from, to, marker) = match adobe {
        Some(at) if length < 14 => (at, at + 2 + length, &[][..]),
        None if stream.get(..2) == Some(&[0xFF, 0xD8]) => (2, 2, ADOBE),
        _ => return stream,
    };
    let rest = stream.get(to..).unwrap_or_default();
    Cow::Owned([&stream[..from], marker, rest].concat())
}
