//! How the pixels of a file are stored (PS3.3 C.7.6.3), and where its frames lie in the bytes.

use super::element::{DataSet, Element, fragments, u16_at, u32_at};
use crate::base::{Error, Limits, Result};
use dicom::core::Tag;
use dicom::dictionary_std::tags;
use std::sync::Arc;

/// What the samples of a pixel mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Color {
    #[default]
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Luminance first, full resolution.
    Ybr,
    /// Two luminances, then the chroma they share.
    Ybr422,
    /// Index into a table.
    Palette,
}

/// Type of the voxels made of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    #[default]
    U8,
    I16,
    U16,
    F32,
}

/// Storage of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub rows: usize,
    pub columns: usize,
    pub samples: usize,
    pub bits_allocated: u32,
    pub bits_stored: u32,
    /// How far the stored bits are shifted up.
    pub shift: u32,
    pub signed: bool,
    pub float: bool,
    pub planar: bool,
    pub color: Color,
    /// Whether the lowest value is white.
    pub inverted: bool,
}

impl Layout {
    /// Reads and checks the description; what cannot be shown is `Unsupported`.
    pub fn read(data: &DataSet<'_>) -> Result<Self> {
        let short = |tag: Tag| data.find(tag).and_then(|e| e.numbers(*b"US", data.syntax.big).first().copied());
        let size = |tag, what: &str| {
            short(tag)
                .filter(|v| (1.0..=65_535.0).contains(v))
                .map(|v| v as usize)
                .ok_or_else(|| Error::malformed(format!("{what} is missing or not in 1..65535; the file cannot be shown")))
        };
        let photometric = data.find(tags::PHOTOMETRIC_INTERPRETATION).map(Element::text).unwrap_or_default();
        let float = data.find(tags::PIXEL_DATA).is_none();
        let bits_allocated = short(tags::BITS_ALLOCATED).map_or(0, |v| v as u32);
        let samples = short(tags::SAMPLES_PER_PIXEL).map_or(1, |v| v as usize);
        let color = color(&photometric, samples)?;
        if bits_allocated == 0 {
            return Err(Error::malformed("BitsAllocated is missing; the file cannot be shown"));
        }
        let is_known = match bits_allocated {
            1 | 64 => samples == 1 && float == (bits_allocated == 64),
            _ => matches!(bits_allocated, 8 | 16 | 32),
        };
        if !is_known {
            return Err(Error::unsupported(format!(
                "pixels of {samples} × {bits_allocated} bits are not supported; convert the file to 8 or 16 bits"
            )));
        }
        let bits_stored =
            short(tags::BITS_STORED).map(|v| v as u32).filter(|b| (1..=bits_allocated).contains(b)).unwrap_or(bits_allocated);
        let high_bit = short(tags::HIGH_BIT).map_or(bits_stored - 1, |v| v as u32);
        let shift = high_bit.saturating_add(1).saturating_sub(bits_stored);
        Ok(Self {
            rows: size(tags::ROWS, "Rows")?,
            columns: size(tags::COLUMNS, "Columns")?,
            samples,
            bits_allocated,
            bits_stored,
            shift: if shift + bits_stored <= bits_allocated { shift } else { 0 },
            signed: short(tags::PIXEL_REPRESENTATION) == Some(1.0),
            float,
            planar: short(tags::PLANAR_CONFIGURATION) == Some(1.0),
            color,
            inverted: photometric == "MONOCHROME1",
        })
    }

    pub fn kind(&self) -> Kind {
        match (self.color, self.bits_allocated, self.signed) {
            _ if self.float => Kind::F32,
            (Color::Gray, 1 | 8, false) => Kind::U8,
            (Color::Gray, 8 | 16, true) => Kind::I16,
            (Color::Gray, 16, false) => Kind::U16,
            (Color::Gray, _, _) => Kind::F32,
            _ => Kind::U8,
        }
    }

    pub fn n_pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Bytes of an uncompressed frame.
    pub fn frame_bytes(&self) -> usize {
        if self.color == Color::Ybr422 {
            return self.n_pixels().div_ceil(2) * 4;
        }
        if self.bits_allocated == 1 {
            return self.n_pixels().div_ceil(8);
        }
        self.n_pixels() * self.samples * (self.bits_allocated / 8) as usize
    }

    /// How many uncompressed frames so many bytes hold; frames of single bits follow without padding.
    fn n_native(&self, n_bytes: usize) -> usize {
        if self.bits_allocated == 1 {
            return n_bytes.saturating_mul(8) / self.n_pixels().max(1);
        }
        n_bytes / self.frame_bytes().max(1)
    }
}

fn color(photometric: &str, samples: usize) -> Result<Color> {
    match (photometric, samples) {
        ("PALETTE COLOR", 1) => Ok(Color::Palette),
        (_, 1) => Ok(Color::Gray),
        ("YBR_FULL_422" | "YBR_PARTIAL_422", 3) => Ok(Color::Ybr422),
        ("YBR_FULL", 3) => Ok(Color::Ybr),
        (_, 3) => Ok(Color::Rgb),
        _ => Err(Error::unsupported(format!(
            "{samples} samples per pixel ({photometric}) are not supported; convert the file to gray or RGB"
        ))),
    }
}

/// Where the frames of a file lie.
#[derive(Clone, Debug)]
pub(super) enum Frames {
    /// One after the other from `at`.
    Native { at: usize },
    /// Each in one or more fragments (start, end).
    Encapsulated(Vec<Vec<(usize, usize)>>),
}

/// Pixels of one file before decoding.
#[derive(Clone, Debug)]
pub(super) struct Pixels {
    pub frames: Frames,
    pub n_frames: usize,
    /// As the header says; more than `n_frames` where the file ends early.
    pub declared_frames: usize,
    pub transfer_syntax: String,
    pub big: bool,
    /// 8-bit samples in big-endian words.
    pub swapped: bool,
    /// Luminance of each palette index, from the first index on.
    pub palette: Option<Arc<(i64, Vec<u8>)>>,
}

/// Pixel data of whichever kind the file has.
pub(super) fn pixel_element<'a, 'b>(data: &'b DataSet<'a>) -> Option<&'b Element<'a>> {
    [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA].into_iter().find_map(|tag| data.find(tag))
}

impl Pixels {
    /// Finds the frames; counts only those whose bytes are there. `n_bytes` of pixels are in the file, where these
    /// were not read with the data set.
    pub fn find(
        data: &DataSet<'_>,
        layout: &Layout,
        transfer_syntax: &str,
        n_bytes: Option<usize>,
        limits: &Limits,
    ) -> Result<Self> {
        let element = pixel_element(data).ok_or_else(|| Error::malformed("the file has no pixel data"))?;
        let n_bytes = n_bytes.unwrap_or(element.value.len());
        let said = data.find(tags::NUMBER_OF_FRAMES).and_then(|e| e.numbers(*b"IS", data.syntax.big).first().copied());
        let declared_frames = said.filter(|n| *n >= 1.0 && *n < 1e9).map_or(1, |n| n as usize);
        limits.check("the pixels of a file", &[layout.frame_bytes() as u64, declared_frames as u64], 1)?;
        let frames = if element.undefined {
            Frames::Encapsulated(frame_fragments(element, declared_frames)?)
        } else {
            Frames::Native { at: element.at }
        };
        let n_frames = match &frames {
            Frames::Native { .. } => layout.n_native(n_bytes).min(declared_frames),
            Frames::Encapsulated(list) => list.len().min(declared_frames),
        };
        if n_frames == 0 {
            return Err(Error::malformed(format!(
                "the file is cut off: {} bytes of pixel data, {} needed for a frame of {} × {}; copy it again",
                n_bytes,
                layout.frame_bytes(),
                layout.columns,
                layout.rows
            )));
        }
        Ok(Self {
            frames,
            n_frames,
            declared_frames,
            transfer_syntax: transfer_syntax.to_owned(),
            big: data.syntax.big,
            swapped: data.syntax.big && layout.bits_allocated == 8 && &element.vr == b"OW",
            palette: (layout.color == Color::Palette).then(|| palette(data)).transpose()?.map(Arc::new),
        })
    }
}

/// Fragments of each frame: one each, or by the offset table, or all for a single frame.
fn frame_fragments(element: &Element<'_>, n_frames: usize) -> Result<Vec<Vec<(usize, usize)>>> {
    let all = fragments(element.value);
    let Some((&table, rest)) = all.split_first() else { return Ok(Vec::new()) };
    let absolute = |&(start, end): &(usize, usize)| (start + element.at, end + element.at);
    if n_frames == 1 {
        return Ok(if rest.is_empty() { Vec::new() } else { vec![rest.iter().map(absolute).collect()] });
    }
    if rest.len() <= n_frames {
        return Ok(rest.iter().map(|f| vec![absolute(f)]).collect());
    }
    let offsets: Vec<usize> = element
        .value
        .get(table.0..table.1)
        .unwrap_or_default()
        .chunks_exact(4)
        .filter_map(|c| u32_at(c, 0, false))
        .map(|v| v as usize)
        .collect();
    if offsets.len() != n_frames {
        return by_starts(element.value, rest, n_frames, absolute).ok_or_else(|| {
            Error::unsupported(format!(
                "{} fragments for {n_frames} frames without an offset table; convert the file to an uncompressed one",
                rest.len()
            ))
        });
    }
    let first = rest.first().map_or(0, |f| f.0.saturating_sub(8));
    let mut frames = vec![Vec::new(); n_frames];
    for fragment in rest {
        let offset = fragment.0.saturating_sub(8).saturating_sub(first);
        let frame = offsets.partition_point(|&o| o <= offset).saturating_sub(1);
        if let Some(list) = frames.get_mut(frame) {
            list.push(absolute(fragment));
        }
    }
    Ok(frames)
}

/// Fragments of each frame by the start marks of JPEG, JPEG-LS and JPEG 2000, where there is one for each frame.
fn by_starts(
    value: &[u8],
    fragments: &[(usize, usize)],
    n_frames: usize,
    absolute: impl Fn(&(usize, usize)) -> (usize, usize),
) -> Option<Vec<Vec<(usize, usize)>>> {
    let mut frames: Vec<Vec<(usize, usize)>> = Vec::new();
    for fragment in fragments {
        let is_start = value
            .get(fragment.0..fragment.1)
            .is_some_and(|bytes| bytes.starts_with(&[0xFF, 0xD8, 0xFF]) || bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]));
        match (is_start, frames.last_mut()) {
            (true, _) => frames.push(vec![absolute(fragment)]),
            (false, Some(frame)) => frame.push(absolute(fragment)),
            (false, None) => return None,
        }
    }
    (frames.len() == n_frames).then_some(frames)
}

/// First index and luminances of the color tables.
fn palette(data: &DataSet<'_>) -> Result<(i64, Vec<u8>)> {
    let damaged = || Error::malformed("the color table of the file is missing or damaged");
    let big = data.syntax.big;
    let descriptor =
        data.find(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR).map(|e| e.numbers(*b"US", big)).ok_or_else(damaged)?;
    let [count, first, bits] = descriptor[..] else { return Err(damaged()) };
    let count = if count < 1.0 { 65_536 } else { (count as usize).min(65_536) };
    let mut tables = Vec::new();
    for tag in [0x1201, 0x1202, 0x1203].map(|e| Tag(0x0028, e)) {
        let raw = data.find(tag).ok_or_else(damaged)?.value;
        let table: Vec<u8> = if raw.len() >= count * 2 {
            let low = bits <= 8.0;
            (0..count).filter_map(|i| u16_at(raw, i * 2, big)).map(|v| if low { v as u8 } else { (v >> 8) as u8 }).collect()
        } else {
            raw.get(..count).ok_or_else(damaged)?.to_vec()
        };
        tables.push(table);
    }
    Ok((first as i64, (0..count).map(|i| luminance(tables[0][i], tables[1][i], tables[2][i])).collect()))
}

/// Luminance of BT.601, rounded.
pub(super) fn luminance(r: u8, g: u8, b: u8) -> u8 {
    ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114 + 500) / 1000) as u8
}
