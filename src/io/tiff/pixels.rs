//! Pixels of a page as numbers, chunk by chunk, and numbers of channels as colors.

use super::pages::{Page, Source, damaged};
use crate::base::{Error, Progress, Result};
use std::io::{Read, Seek};
use tiff::ColorType;
use tiff::decoder::{ChunkType, DecodingResult};
use tiff::tags::{PlanarConfiguration, Tag};

/// How samples become colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::io) enum Meaning {
    /// One sample of light.
    Gray,
    /// Gray and opacity.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, opacity.
    Rgba,
    /// Brightness and two differences of color (ITU-R BT.601, full range).
    Ycbcr,
    /// Channels without a color of their own.
    Channels,
}

/// Samples of a page, interleaved, on the scale 0..1 of their type (floats as they are).
pub(in crate::io) struct Raster {
    pub(in crate::io) n_samples: usize,
    pub(in crate::io) meaning: Meaning,
    /// `width · height · n_samples`.
    pub(in crate::io) values: Samples,
}

/// Stored samples.
pub(in crate::io) enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
    F32(Vec<f32>),
}

impl Samples {
    /// One sample; whole numbers as they are.
    pub(in crate::io) fn value(&self, i: usize) -> f32 {
        match self {
            Self::U8(v) => f32::from(v[i]),
            Self::U16(v) => f32::from(v[i]),
            Self::F32(v) => v[i],
        }
    }

    /// The value of full light, where the type has one.
    pub(in crate::io) fn full(&self) -> f32 {
        match self {
            Self::U8(_) => 255.0,
            Self::U16(_) => 65_535.0,
            Self::F32(_) => 1.0,
        }
    }
}

/// Bytes that decoding a page takes: its samples and its colors.
pub(super) fn bytes_needed(page: &Page) -> u64 {
    let each = u64::from(page.samples).saturating_mul(u64::from(page.bits.div_ceil(8)).max(1)).saturating_add(4);
    u64::from(page.width).saturating_mul(u64::from(page.height)).saturating_mul(each)
}

/// Decodes a page whose size was checked.
pub(super) fn read<R: Read + Seek>(source: &Source<R>, page: &Page, progress: &Progress) -> Result<Raster> {
    let mut decoder = source.decoder(Some(page.pointer))?;
    let color = decoder.colortype().map_err(damaged)?;
    let (meaning, n_samples) = meaning(color, page)?;
    let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration).map_err(damaged)?;
    let is_planar = planar == Some(PlanarConfiguration::Planar.to_u16()) && n_samples > 1;
    let (width, height) = (page.width as usize, page.height as usize);
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    if chunk_width == 0 || chunk_height == 0 {
        return Err(Error::malformed("a strip or tile of the TIFF has no pixels"));
    }
    let across = match decoder.get_chunk_type() {
        ChunkType::Strip => 1,
        ChunkType::Tile => page.width.div_ceil(chunk_width),
    };
    let per_plane = across * page.height.div_ceil(chunk_height);
    let n_planes = if is_planar { n_samples as u32 } else { 1 };
    let mut into = Into { values: None, width, height, n_samples, step: n_samples };
    for chunk in 0..per_plane * n_planes {
        progress.step(f64::from(chunk) / f64::from(per_plane * n_planes), "unpacking picture")?;
        let (plane, place) = (chunk / per_plane, chunk % per_plane);
        let at = [(place % across * chunk_width) as usize, (place / across * chunk_height) as usize];
        let size = decoder.chunk_data_dimensions(chunk);
        let data = decoder.read_chunk(chunk).map_err(damaged)?;
        let n = if is_planar { 1 } else { n_samples };
        into.put(data, at, [size.0 as usize, size.1 as usize], (plane as usize, n))?;
    }
    let values = into.values.ok_or_else(|| Error::malformed("the TIFF has no pixels"))?;
    Ok(Raster { n_samples, meaning, values })
}

fn meaning(color: ColorType, page: &Page) -> Result<(Meaning, usize)> {
    let bits = color.bit_depth();
    if !matches!(bits, 8 | 16 | 32) {
        return Err(Error::unsupported(format!("a TIFF of {bits} bits per sample is not read; save it with 8 or 16 bits")));
    }
    Ok(match color {
        ColorType::Gray(_) => (Meaning::Gray, 1),
        ColorType::GrayA(_) => (Meaning::GrayAlpha, 2),
        ColorType::RGB(_) => (Meaning::Rgb, 3),
        ColorType::RGBA(_) => (Meaning::Rgba, 4),
        ColorType::YCbCr(8) => (Meaning::Ycbcr, 3),
        ColorType::Multiband { num_samples, .. } if num_samples == page.samples => (Meaning::Channels, usize::from(num_samples)),
        other => {
            return Err(Error::unsupported(format!("a TIFF with colors as {other:?} is not read; save it as gray, RGB or RGBA")));
        }
    })
}

/// Where chunks are put together.
struct Into {
    values: Option<Samples>,
    width: usize,
    height: usize,
    n_samples: usize,
    step: usize,
}

impl Into {
    /// Puts a chunk of `size` pixels of `n` samples at a place; planes go beside each other.
    fn put(&mut self, data: DecodingResult, at: [usize; 2], size: [usize; 2], (plane, n): (usize, usize)) -> Result<()> {
        let total = self.width * self.height * self.n_samples;
        let target = Target { width: self.width, height: self.height, step: self.step, at, size, plane, n };
        match data {
            DecodingResult::U8(v) => {
                let out = self.values.get_or_insert_with(|| Samples::U8(vec![0; total]));
                let Samples::U8(out) = out else { return Err(mixed()) };
                target.copy(&v, out)
            }
            DecodingResult::U16(v) => {
                let out = self.values.get_or_insert_with(|| Samples::U16(vec![0; total]));
                let Samples::U16(out) = out else { return Err(mixed()) };
                target.copy(&v, out)
            }
            DecodingResult::F32(v) => {
                let out = self.values.get_or_insert_with(|| Samples::F32(vec![0.0; total]));
                let Samples::F32(out) = out else { return Err(mixed()) };
                target.copy(&v, out)
            }
            _ => Err(Error::unsupported("a TIFF with signed or wide whole numbers is not read; save it with 8 or 16 bits")),
        }
    }
}

fn mixed() -> Error {
    Error::malformed("the parts of the TIFF have samples of different kinds")
}

struct Target {
    width: usize,
    height: usize,
    step: usize,
    at: [usize; 2],
    size: [usize; 2],
    plane: usize,
    n: usize,
}

impl Target {
    fn copy<T: Copy>(&self, from: &[T], to: &mut [T]) -> Result<()> {
        let [w, h] = self.size;
        if from.len() < w * h * self.n {
            return Err(Error::malformed(format!(
                "a part of the TIFF holds {} numbers instead of {}",
                from.len(),
                w * h * self.n
            )));
        }
        for y in 0..h.min(self.height.saturating_sub(self.at[1])) {
            for x in 0..w.min(self.width.saturating_sub(self.at[0])) {
                let source = (y * w + x) * self.n;
                let out = ((self.at[1] + y) * self.width + self.at[0] + x) * self.step + self.plane;
                to[out..out + self.n].copy_from_slice(&from[source..source + self.n]);
            }
        }
        Ok(())
    }
}

/// Light of a channel: what is black, what is full, and its color.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::io) struct Channel {
    pub(in crate::io) name: String,
    pub(in crate::io) black: f32,
    pub(in crate::io) full: f32,
    pub(in crate::io) color: [f32; 3],
}

/// Colors of channels that name none: told apart by most eyes.
const COLORS: [[f32; 3]; 6] =
    [[0.0, 0.45, 1.0], [0.0, 1.0, 0.3], [1.0, 0.2, 0.0], [1.0, 0.9, 0.0], [1.0, 0.0, 0.8], [0.0, 1.0, 1.0]];

impl Channel {
    /// With black at the 0.5th and full at the 99.8th percentile of at most a million samples.
    pub(in crate::io) fn of(raster: &Raster, sample: usize, number: usize, known: Option<&(String, Option<[u8; 3]>)>) -> Self {
        let n = raster_len(raster);
        let step = (n / 1_000_000).max(1);
        let all = (0..n).step_by(step).map(|i| raster.values.value(i * raster.n_samples + sample));
        let mut sorted: Vec<f32> = all.filter(|v| v.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        let at = |q: f64| sorted.get((q * sorted.len().saturating_sub(1) as f64) as usize).copied().unwrap_or(0.0);
        let (black, full) = (at(0.005), at(0.998));
        let (name, color) = known.cloned().unwrap_or_default();
        Self {
            name: if name.is_empty() { format!("channel {}", number + 1) } else { name },
            black,
            full: if full > black { full } else { black + 1.0 },
            color: color.filter(|c| *c != [0; 3]).map_or(COLORS[number % COLORS.len()], |c| c.map(|v| f32::from(v) / 255.0)),
        }
    }
}

/// Number of pixels.
fn raster_len(raster: &Raster) -> usize {
    let n = match &raster.values {
        Samples::U8(v) => v.len(),
        Samples::U16(v) => v.len(),
        Samples::F32(v) => v.len(),
    };
    n / raster.n_samples
}

/// RGBA of a page that says what its colors are. `window` is what gray is stretched over, where it is.
pub(in crate::io) fn colors(raster: &Raster, window: Option<[f32; 2]>) -> Vec<u8> {
    let v = &raster.values;
    let [black, full] = window.unwrap_or([0.0, v.full()]);
    let byte = |x: f32| ((x - black) / (full - black) * 255.0).round().clamp(0.0, 255.0) as u8;
    let opacity = |x: f32| (x / v.full() * 255.0).round().clamp(0.0, 255.0) as u8;
    let n = raster_len(raster);
    let mut out = Vec::with_capacity(n * 4);
    for i in 0..n {
        let s = |k: usize| v.value(i * raster.n_samples + k);
        out.extend_from_slice(&match raster.meaning {
            Meaning::Gray | Meaning::Channels => [byte(s(0)), byte(s(0)), byte(s(0)), 255],
            Meaning::GrayAlpha => [byte(s(0)), byte(s(0)), byte(s(0)), opacity(s(1))],
            Meaning::Rgb => [byte(s(0)), byte(s(1)), byte(s(2)), 255],
            Meaning::Rgba => [byte(s(0)), byte(s(1)), byte(s(2)), opacity(s(3))],
            Meaning::Ycbcr => {
                let (y, b, r) = (s(0), s(1) - 128.0, s(2) - 128.0);
                [byte(y + 1.402 * r), byte(y - 0.344_136 * b - 0.714_136 * r), byte(y + 1.772 * b), 255]
            }
        });
    }
    out
}

/// Adds the light of a channel to a picture of light (three numbers a pixel).
pub(in crate::io) fn add_light(light: &mut [f32], raster: &Raster, sample: usize, channel: &Channel) {
    for (i, px) in light.chunks_exact_mut(3).enumerate() {
        let share = (raster.values.value(i * raster.n_samples + sample) - channel.black) / (channel.full - channel.black);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        (0..3).for_each(|c| px[c] += share * channel.color[c]);
    }
}

/// Light as RGBA; more than full is full.
pub(in crate::io) fn of_light(light: &[f32]) -> Vec<u8> {
    let byte = |v: &f32| (v * 255.0).round().clamp(0.0, 255.0) as u8;
    light.chunks_exact(3).flat_map(|p| [byte(&p[0]), byte(&p[1]), byte(&p[2]), 255]).collect()
}
