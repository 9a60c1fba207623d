//! TIFF and OME-TIFF pictures: strips and tiles, classic and big, with their smaller copies as levels.
//! Format: TIFF 6.0 (Adobe 1992), `BigTIFF`, OME-TIFF specification.

mod pages;
pub(super) mod pixels;
pub(super) mod size;
#[cfg(test)]
mod tests;

use super::{Content, Found, Reading};
use crate::base::{Error, Result};
use crate::model::{Picture, PictureLevel, PixelSize, Section};
use pages::{Page, Source};
use pixels::{Channel, Meaning, Raster};
use size::Ome;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

/// Widths of a level may be off by so many pixels from a whole divisor of the full width.
const ROUNDING_PX: f64 = 1.5;
/// Levels narrower than this add nothing.
const LEAST_LEVEL_PX: u32 = 32;

/// Reads a TIFF as a section with a picture and nothing else.
pub fn read_tiff(path: &Path, reading: &mut Reading) -> Result<Found> {
    let at = path.to_path_buf();
    let open = move || {
        let file = std::fs::File::open(&at).map_err(|e| Error::io("reading", e, &at))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    };
    let name = super::bytes::stem(path);
    let name = name.strip_suffix(".ome").unwrap_or(&name).to_owned();
    let section = read(Box::new(open), name, path, reading)?;
    Ok(Found::alone(Content::Section(section), path))
}

/// The picture of a TIFF in memory.
pub fn parse_tiff(bytes: Vec<u8>, reading: &mut Reading) -> Result<Section> {
    let guarded =
        std::panic::AssertUnwindSafe(|| read(pages::of_bytes(bytes), "picture".into(), Path::new("bytes.tif"), reading));
    std::panic::catch_unwind(guarded).unwrap_or_else(|_| Err(Error::malformed("the TIFF is damaged: its decoder failed")))
}

fn read<R: Read + Seek>(open: Box<dyn Fn() -> Result<R>>, name: String, path: &Path, reading: &mut Reading) -> Result<Section> {
    reading.progress.step(0.0, "reading picture")?;
    let source = Source::new(open, reading.limits.max_bytes)?;
    let (pages, failed) = source.pages(reading.progress)?;
    failed.iter().for_each(|why| reading.warnings.warn("pages-left-out", why.clone(), Some(path)));
    let base = &pages[0];
    let ome = size::ome(&base.description);
    let stack = channels_of(&pages, ome.as_ref());
    let chosen = choose(&pages, &stack, path, reading)?;
    let mut shown = Shown { source: &source, pages: &pages, ome: ome.as_ref(), stack: &stack, channels: None, window: None };
    let mut levels = Vec::new();
    // The coarsest level first: what is stretched is measured there, and all levels look the same.
    for (k, level) in chosen.iter().enumerate().rev() {
        let part = reading.progress.part(1.0 - (k + 1) as f64 / chosen.len() as f64, 1.0 - k as f64 / chosen.len() as f64);
        let page = &pages[level.page];
        let rgba = shown.rgba(level, &part)?;
        levels.push(PictureLevel {
            width: page.width as usize,
            height: page.height as usize,
            rgba: rgba.into(),
            scale: level.scale,
            // A pixel of a smaller copy is the mean of a block, whose middle lies between pixels.
            offset: (level.scale - 1.0) / 2.0,
            name: if level.scale == 1.0 { "full".into() } else { format!("1 : {}", super::summary::short(level.scale)) },
        });
    }
    levels.reverse();
    shown.tell(path, reading);
    tell_others(&pages, &chosen, &stack, path, reading);
    let picture = Picture { levels, full_size: [f64::from(base.width), f64::from(base.height)] };
    let pixel_size = pixel_size(base, ome.as_ref(), path, reading);
    Ok(Section { name, picture: Some(Arc::new(picture)), pixel_size, spots: None, expression: None })
}

/// A level: a page and how many full-resolution pixels one of its pixels spans.
struct Level {
    page: usize,
    scale: f64,
}

/// Pages of the main chain that hold the channels of the picture, in order; one where a page is a picture.
fn channels_of(pages: &[Page], ome: Option<&Ome>) -> Vec<usize> {
    let base = &pages[0];
    let n = match ome {
        Some(ome) => ome.sizes[0],
        None if base.description.starts_with("ImageJ=") => {
            let told = base.description.lines().find_map(|l| l.strip_prefix("channels="));
            told.and_then(|n| n.trim().parse().ok()).unwrap_or(1)
        }
        None => 1,
    };
    if base.samples > 1 || n < 2 {
        return vec![0];
    }
    let at = |c: usize| {
        let main = ome.map_or(c, |o| o.page_of(c));
        let page = pages.iter().position(|p| !p.is_sub && p.main == main)?;
        (pages[page].width == base.width && pages[page].height == base.height).then_some(page)
    };
    let found: Vec<usize> = (0..n.min(64)).map_while(at).collect();
    if found.is_empty() { vec![0] } else { found }
}

/// The levels within memory, finest first. Labels and overviews of the glass slide are never levels.
fn choose(pages: &[Page], stack: &[usize], path: &Path, reading: &mut Reading) -> Result<Vec<Level>> {
    let base = &pages[0];
    let candidates = pages.iter().enumerate().filter(|(i, p)| *i == 0 || is_smaller_copy(p, base));
    let mut levels: Vec<Level> = candidates.map(|(page, p)| Level { page, scale: scale_of(base, p) }).collect();
    levels.sort_by(|a, b| a.scale.total_cmp(&b.scale));
    levels.dedup_by(|later, first| later.scale == first.scale);
    // The unpacked picture may be copied once on its way to the screen.
    let budget = reading.limits.max_bytes / 2;
    let needed = |l: &Level| pixels::bytes_needed(&pages[l.page]).saturating_mul(1 + stack.len() as u64);
    let finest = levels.iter().position(|l| needed(l) <= budget);
    let Some(finest) = finest else {
        let smallest = levels.last().map_or(u64::MAX, needed);
        return Err(Error::TooLarge {
            what: "the picture".into(),
            needed_bytes: smallest.saturating_mul(2),
            limit_bytes: reading.limits.max_bytes,
            path: None,
        });
    };
    if finest > 0 {
        let (full, used) = (&pages[levels[0].page], &pages[levels[finest].page]);
        let text = format!(
            "the full resolution of {}×{} pixels is beyond the memory limit; its copy of {}×{} pixels is shown. Raise the limit with --max-memory",
            full.width, full.height, used.width, used.height
        );
        reading.warnings.warn("coarser-level", text, Some(path));
    }
    let mut left = budget;
    let mut kept = Vec::new();
    for level in levels.into_iter().skip(finest) {
        let bytes = needed(&level);
        if bytes <= left {
            left -= bytes;
            kept.push(level);
        }
    }
    Ok(kept)
}

fn is_smaller_copy(page: &Page, base: &Page) -> bool {
    const APERIO_MACRO: u32 = 9;
    let words = page.description.to_ascii_lowercase();
    let is_other = words.contains("label") || words.contains("macro") || page.subfile == APERIO_MACRO;
    let [x, y] = [f64::from(base.width) / f64::from(page.width), f64::from(base.height) / f64::from(page.height)];
    // Rounding to whole pixels may change the shape a little, more so for small copies.
    let slack = 1.0 / f64::from(page.width) + 1.0 / f64::from(page.height) + 1e-3;
    let same_kind = page.samples == base.samples && page.bits == base.bits;
    let below = !page.is_sub || page.main == 0;
    x > 1.2 && (x / y - 1.0).abs() <= slack && page.width.max(page.height) >= LEAST_LEVEL_PX && same_kind && below && !is_other
}

/// Full-resolution pixels per pixel: a whole number where the widths allow it.
fn scale_of(base: &Page, page: &Page) -> f64 {
    let ratio = f64::from(base.width) / f64::from(page.width);
    let whole = ratio.round().max(1.0);
    let off = |full: u32, small: u32| (f64::from(full) / whole - f64::from(small)).abs();
    let fits = off(base.width, page.width) < ROUNDING_PX && off(base.height, page.height) < ROUNDING_PX;
    if fits { whole } else { 0.5 * (ratio + f64::from(base.height) / f64::from(page.height)) }
}

/// Makes colors of levels, the same way for each.
struct Shown<'a, R> {
    source: &'a Source<R>,
    pages: &'a [Page],
    ome: Option<&'a Ome>,
    stack: &'a [usize],
    channels: Option<Vec<Channel>>,
    window: Option<[f32; 2]>,
}

impl<R: Read + Seek> Shown<'_, R> {
    fn rgba(&mut self, level: &Level, progress: &crate::base::Progress) -> Result<Vec<u8>> {
        let first = pixels::read(self.source, &self.pages[level.page], &progress.part(0.0, 0.5))?;
        if first.meaning == Meaning::Channels {
            return Ok(self.mix(&[&first], first.n_samples));
        }
        if self.stack.len() > 1 {
            let mut all = vec![first];
            for &main in &self.stack[1..] {
                let page = self.sibling(level, main)?;
                all.push(pixels::read(self.source, page, progress)?);
            }
            return Ok(self.mix(&all.iter().collect::<Vec<_>>(), 1));
        }
        if first.meaning == Meaning::Gray && self.pages[0].bits > 8 && self.window.is_none() {
            let range = Channel::of(&first, 0, 0, None);
            self.window = Some([range.black, range.full]);
        }
        Ok(pixels::colors(&first, self.window))
    }

    /// The copy of another channel that has the size of a level.
    fn sibling(&self, level: &Level, main: usize) -> Result<&Page> {
        let (size, number) = (&self.pages[level.page], self.pages[main].main);
        let fits = |p: &&Page| p.main == number && p.width == size.width && p.height == size.height;
        let missing = || Error::malformed(format!("channel page {number} has no copy of {}×{} pixels", size.width, size.height));
        self.pages.iter().find(fits).ok_or_else(missing)
    }

    /// Adds up channels: `n` samples of each raster.
    fn mix(&mut self, rasters: &[&Raster], n: usize) -> Vec<u8> {
        let parts: Vec<(&Raster, usize)> = rasters.iter().flat_map(|r| (0..n).map(move |s| (*r, s))).collect();
        let known = self.ome.map(|o| o.channels.as_slice()).unwrap_or_default();
        let channels = self
            .channels
            .get_or_insert_with(|| parts.iter().enumerate().map(|(c, (r, s))| Channel::of(r, *s, c, known.get(c))).collect());
        let mut light = Vec::new();
        for ((raster, sample), channel) in parts.iter().zip(channels.iter()) {
            if light.is_empty() {
                let len = match &raster.values {
                    pixels::Samples::U8(v) => v.len(),
                    pixels::Samples::U16(v) => v.len(),
                    pixels::Samples::F32(v) => v.len(),
                };
                light = vec![0.0; len / raster.n_samples * 3];
            }
            pixels::add_light(&mut light, raster, *sample, channel);
        }
        pixels::of_light(&light)
    }

    fn tell(&self, path: &Path, reading: &mut Reading) {
        if let Some(channels) = &self.channels {
            let one = |c: &Channel| format!("{} {:.0}–{:.0}", c.name, c.black, c.full);
            let list = channels.iter().map(one).collect::<Vec<_>>().join(", ");
            let text = format!(
                "{} channels are mixed to one picture, each stretched between its 0.5th and 99.8th percentile: {list}",
                channels.len()
            );
            reading.warnings.note("channels-mixed", text, Some(path));
        }
        if let Some([black, full]) = self.window {
            let text = format!("gray is stretched from {black:.0} (black) to {full:.0} (white), its 0.5th and 99.8th percentile");
            reading.warnings.note("gray-stretched", text, Some(path));
        }
    }
}

/// Says which pages are not shown.
fn tell_others(pages: &[Page], chosen: &[Level], stack: &[usize], path: &Path, reading: &mut Reading) {
    let is_shown = |i: usize| chosen.iter().any(|l| l.page == i) || stack.contains(&i);
    let rest: Vec<&Page> = (0..pages.len()).filter(|&i| !is_shown(i) && !pages[i].is_sub).map(|i| &pages[i]).collect();
    let base = &pages[0];
    let (alike, other): (Vec<&Page>, Vec<&Page>) =
        rest.into_iter().partition(|p| p.width == base.width && p.height == base.height);
    if !alike.is_empty() {
        let text = format!("{} further pages of the same size (depths, times or channels) are not shown", alike.len());
        reading.warnings.note("pages-not-shown", text, Some(path));
    }
    let hidden: Vec<&Page> = other.into_iter().filter(|p| !is_smaller_copy(p, base)).collect();
    if !hidden.is_empty() {
        let text = format!("{} pages of another shape (label, overview or thumbnail) are not shown", hidden.len());
        reading.warnings.note("pages-not-shown", text, Some(path));
    }
}

fn pixel_size(base: &Page, ome: Option<&Ome>, path: &Path, reading: &mut Reading) -> PixelSize {
    let Some(([x, y], source)) = size::told_size(base, ome) else {
        let text = "the TIFF does not tell the size of a pixel on the tissue; distances are in pixels until it is typed in";
        reading.warnings.note("unit-unknown", text, Some(path));
        return PixelSize::Unknown;
    };
    if source == "TIFF resolution" {
        let text = format!("the resolution tags are taken for the size of a pixel on the tissue, {x:.4} µm; check it");
        reading.warnings.note("resolution-assumed", text, Some(path));
    }
    if (x / y - 1.0).abs() > 0.005 {
        let text = format!("pixels are {x:.4} µm wide and {y:.4} µm high; they are shown square, {x:.4} µm");
        reading.warnings.warn("pixels-not-square", text, Some(path));
    }
    PixelSize::Known { um_per_px: x, source }
}
