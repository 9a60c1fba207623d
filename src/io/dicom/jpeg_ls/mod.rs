//! JPEG-LS (ITU-T T.87, ISO/IEC 14495-1): lossless and near-lossless streams of 2 to 16 bits, of one or several
//! components in any interleave. The published crates of this codec decode one component only.

mod bits;
mod model;
mod scan;

use crate::base::{Error, Result};
use bits::Bits;
use model::Coding;
use scan::{Interleave, decode_scan};

/// A decoded image.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Image {
    pub columns: usize,
    pub rows: usize,
    pub n_components: usize,
    /// Components of a pixel side by side.
    pub samples: Vec<u16>,
}

/// What the markers said so far.
#[derive(Debug, Default)]
struct Header {
    precision: u32,
    columns: usize,
    rows: usize,
    /// Identifiers of the components in order.
    ids: Vec<u8>,
    /// `MAXVAL`, `T1`, `T2`, `T3`, `RESET`; 0 where the default holds.
    presets: [i32; 5],
}

/// Decodes a whole stream. `expected` is (columns, rows, components) of the header of the file: another size is
/// refused before memory is taken. Linear in the number of samples.
pub(super) fn decode(stream: &[u8], expected: (usize, usize, usize)) -> Result<Image> {
    let mut header = Header::default();
    let mut samples = Vec::new();
    let mut n_done = 0;
    let mut pos = 2;
    loop {
        let code = marker(stream, &mut pos).ok_or_else(|| damaged("it ends before its last scan"))?;
        let segment = segment(stream, pos).ok_or_else(|| damaged("a marker segment is cut off"))?;
        pos += segment.len() + 2;
        match code {
            0xF7 => {
                header.frame(segment)?;
                if (header.columns, header.rows, header.ids.len()) != expected {
                    return Err(Error::malformed(format!(
                        "the JPEG-LS stream is {} × {} × {}, the header says {expected:?}",
                        header.columns,
                        header.rows,
                        header.ids.len()
                    )));
                }
                samples = vec![0; expected.0 * expected.1 * expected.2];
            }
            0xF8 => header.preset(segment)?,
            0xDD if segment.iter().any(|b| *b != 0) => {
                return Err(Error::unsupported("JPEG-LS with restart markers is not supported; convert the file"));
            }
            0xE8 if segment.starts_with(b"mrfx") && segment.get(4).is_some_and(|b| *b != 0) => {
                return Err(Error::unsupported("JPEG-LS with a color transform is not supported; convert the file"));
            }
            0xDA => {
                let (n, used) = header.scan(segment, stream.get(pos..).unwrap_or_default(), &mut samples)?;
                n_done += n;
                pos += used;
                if n_done >= header.ids.len() {
                    return Ok(Image { columns: expected.0, rows: expected.1, n_components: expected.2, samples });
                }
            }
            _ => {}
        }
    }
}

fn damaged(what: &str) -> Error {
    Error::malformed(format!("the JPEG-LS frame is damaged: {what}; copy the file again"))
}

/// Code of the next marker that has a segment; `pos` is left behind it.
fn marker(stream: &[u8], pos: &mut usize) -> Option<u8> {
    loop {
        let (&mark, &code) = (stream.get(*pos)?, stream.get(*pos + 1)?);
        *pos += 1;
        if mark == 0xFF && !matches!(code, 0x00 | 0xFF | 0xD0..=0xD9) && code >= 0x80 {
            *pos += 1;
            return Some(code);
        }
    }
}

/// Content of the segment whose length stands at `pos`.
fn segment(stream: &[u8], pos: usize) -> Option<&[u8]> {
    let length = usize::from(number(stream, pos)?);
    stream.get(pos + 2..pos.checked_add(length)?)
}

fn number(bytes: &[u8], pos: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(pos..pos.checked_add(2)?)?.try_into().ok()?))
}

impl Header {
    /// Start of frame (C.2.2).
    fn frame(&mut self, s: &[u8]) -> Result<()> {
        let short = || damaged("its frame header is cut off");
        let count = usize::from(*s.get(5).ok_or_else(short)?);
        self.precision = u32::from(s[0]);
        self.rows = usize::from(number(s, 1).ok_or_else(short)?);
        self.columns = usize::from(number(s, 3).ok_or_else(short)?);
        let parts: Vec<&[u8]> = s.get(6..).unwrap_or_default().chunks_exact(3).take(count).collect();
        if !(2..=16).contains(&self.precision) || parts.len() != count || !(1..=scan::MOST_COMPONENTS).contains(&count) {
            return Err(damaged("its frame header makes no sense"));
        }
        if parts.iter().any(|p| p[1] != 0x11) {
            return Err(Error::unsupported("JPEG-LS with subsampled components is not supported; convert the file"));
        }
        self.ids = parts.iter().map(|p| p[0]).collect();
        Ok(())
    }

    /// Preset coding parameters (C.2.4.1).
    fn preset(&mut self, s: &[u8]) -> Result<()> {
        if s.first() != Some(&1) {
            return Err(Error::unsupported("JPEG-LS with mapping tables is not supported; convert the file"));
        }
        for (i, value) in self.presets.iter_mut().enumerate() {
            *value = i32::from(number(s, 1 + 2 * i).ok_or_else(|| damaged("its parameters are cut off"))?);
        }
        Ok(())
    }

    /// Decodes a scan; gives how many components it held and how many bytes it took.
    fn scan(&self, s: &[u8], data: &[u8], samples: &mut [u16]) -> Result<(usize, usize)> {
        let short = || damaged("a scan header is cut off");
        let count = usize::from(*s.first().ok_or_else(short)?);
        let ids: Vec<u8> = s.get(1..).unwrap_or_default().chunks_exact(2).take(count).map(|p| p[0]).collect();
        let rest = s.get(1 + 2 * count..4 + 2 * count).ok_or_else(short)?;
        let components: Vec<usize> = ids.iter().filter_map(|id| self.ids.iter().position(|known| known == id)).collect();
        if components.len() != count || !(1..=self.ids.len()).contains(&count) || samples.is_empty() {
            return Err(damaged("a scan names a component that is not in its frame header"));
        }
        let interleave = match (count, rest[1]) {
            (1, _) | (_, 1) => Interleave::Line,
            (_, 2) => Interleave::Sample,
            _ => return Err(damaged("its interleave makes no sense")),
        };
        let coding = Coding::new(self.precision, i32::from(rest[0]), self.presets)?;
        let mut bits = Bits::new(data);
        let place = scan::Place { columns: self.columns, n_all: self.ids.len(), components, shift: u32::from(rest[2] & 15) };
        decode_scan(&mut bits, coding, interleave, &place, samples)?;
        Ok((count, bits.n_read()))
    }
}

#[cfg(test)]
mod tests;
