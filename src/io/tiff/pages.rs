//! The pages of a TIFF file: what each directory says, before any pixel is read. Pages in the main chain come
//! first, then the smaller ones that hang below them (`SubIFDs`).

use crate::base::{Error, Progress, Result};
use std::io::{Cursor, Read, Result as IoResult, Seek, SeekFrom};
use tiff::decoder::ifd::Value;
use tiff::decoder::{Decoder, Limits as TiffLimits};
use tiff::tags::{IfdPointer, Tag};

/// Pages looked at; a stack of more is read no further.
const MOST_PAGES: usize = 4096;
/// Characters of a description that are kept.
const MOST_DESCRIPTION: usize = 4 << 20;

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page {
    /// Where its directory lies.
    pub(super) pointer: u64,
    /// The page of the main chain that it hangs below; itself there.
    pub(super) main: usize,
    pub(super) is_sub: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: u16,
    pub(super) bits: u16,
    pub(super) subfile: u32,
    pub(super) description: String,
    /// Pixels per unit along x and y, and the unit (2 inch, 3 cm).
    pub(super) resolution: Option<([f64; 2], u16)>,
}

/// A source of bytes that starts with a header of our own: it makes any directory the first one.
pub(super) struct Patched<R> {
    inner: R,
    header: Vec<u8>,
    at: u64,
}

impl<R: Read + Seek> Read for Patched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let n = if self.at < self.header.len() as u64 {
            (&self.header[self.at as usize..]).read(buffer)?
        } else {
            self.inner.read(buffer)?
        };
        self.at += n as u64;
        if self.at == self.header.len() as u64 {
            self.inner.seek(SeekFrom::Start(self.at))?;
        }
        Ok(n)
    }
}

impl<R: Read + Seek> Seek for Patched<R> {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(_) => self.inner.seek(to)?,
        };
        self.inner.seek(SeekFrom::Start(self.at))
    }
}

/// A file that is opened once for each page.
pub(super) struct Source<R> {
    open: Box<dyn Fn() -> Result<R>>,
    start: [u8; 16],
    is_big: bool,
    limits: TiffLimits,
}

impl<R: Read + Seek> Source<R> {
    /// Reads the header. `most_bytes` bounds what one strip or tile may unpack to.
    pub(super) fn new(open: Box<dyn Fn() -> Result<R>>, most_bytes: u64) -> Result<Self> {
        let mut start = [0; 16];
        let mut file = open()?;
        let mut n = 0;
        while let Ok(more @ 1..) = file.read(&mut start[n..]) {
            n += more;
        }
        let (little, version) = (&start[..2] == b"II", if &start[..2] == b"MM" { start[3] } else { start[2] });
        if n < 8 || !(little || &start[..2] == b"MM") || !(version == 42 || (version == 43 && n == 16)) {
            return Err(Error::malformed("this is no TIFF header; the file is cut off or damaged"));
        }
        let most = usize::try_from(most_bytes).unwrap_or(usize::MAX);
        let mut limits = TiffLimits::default();
        limits.decoding_buffer_size = most;
        limits.intermediate_buffer_size = most;
        limits.ifd_value_size = most.min(64 << 20);
        Ok(Self { open, start, is_big: version == 43, limits })
    }

    /// A decoder whose current page is that of the directory at `pointer` (`None`: the first of the file).
    pub(super) fn decoder(&self, pointer: Option<u64>) -> Result<Decoder<Patched<R>>> {
        let mut header = self.start[..if self.is_big { 16 } else { 8 }].to_vec();
        if let Some(pointer) = pointer {
            let little = &self.start[..2] == b"II";
            if self.is_big {
                header[8..].copy_from_slice(&if little { pointer.to_le_bytes() } else { pointer.to_be_bytes() });
            } else {
                let short =
                    u32::try_from(pointer).map_err(|_| Error::malformed("a directory lies beyond 4 GiB in a classic TIFF"))?;
                header[4..].copy_from_slice(&if little { short.to_le_bytes() } else { short.to_be_bytes() });
            }
        }
        let patched = Patched { inner: (self.open)()?, header, at: 0 };
        Ok(Decoder::new(patched).map_err(damaged)?.with_limits(self.limits.clone()))
    }

    /// All pages, in order; a page that cannot be read is left out and its reason kept.
    pub(super) fn pages(&self, progress: &Progress) -> Result<(Vec<Page>, Vec<String>)> {
        let mut decoder = self.decoder(None)?;
        let (mut pages, mut failed) = (Vec::new(), Vec::new());
        let mut next = decoder.ifd_pointer();
        let mut seen = std::collections::BTreeSet::new();
        let mut main = 0;
        while let Some(pointer) = next.filter(|p| p.0 != 0) {
            progress.step(0.02, "reading the pages")?;
            if pages.len() >= MOST_PAGES || !seen.insert(pointer.0) {
                failed.push(format!("only the first {} pages were looked at", pages.len()));
                break;
            }
            let (page, below, follows) = match read_page(&mut decoder, pointer) {
                Ok(read) => read,
                Err(e) => {
                    failed.push(format!("page {main} cannot be read ({e})"));
                    break;
                }
            };
            pages.push(Page { main, ..page });
            for sub in below {
                if pages.len() >= MOST_PAGES || !seen.insert(sub.0) {
                    break;
                }
                match read_page(&mut decoder, sub) {
                    Ok((page, _, _)) => pages.push(Page { main, is_sub: true, ..page }),
                    Err(e) => failed.push(format!("a smaller copy of page {main} cannot be read ({e})")),
                }
            }
            next = follows;
            main += 1;
        }
        if pages.is_empty() {
            let why = failed.first().map_or("it has no pages", String::as_str);
            return Err(Error::malformed(format!("the TIFF has no page to show: {why}")));
        }
        Ok((pages, failed))
    }
}

type ReadPage = (Page, Vec<IfdPointer>, Option<IfdPointer>);

/// What a directory says, the directories below it, and the one that follows.
fn read_page<R: Read + Seek>(decoder: &mut Decoder<R>, pointer: IfdPointer) -> Result<ReadPage> {
    let directory = decoder.read_directory(pointer).map_err(damaged)?;
    let follows = directory.next();
    let mut tags = decoder.read_directory_tags(&directory);
    let mut number = |tag: Tag| tags.find_tag_unsigned::<u32>(tag).map_err(damaged);
    let width = number(Tag::ImageWidth)?.unwrap_or(0);
    let height = number(Tag::ImageLength)?.unwrap_or(0);
    let samples = number(Tag::SamplesPerPixel)?.unwrap_or(1);
    let subfile = number(Tag::NewSubfileType)?.unwrap_or(0);
    let unit = number(Tag::ResolutionUnit)?.unwrap_or(2);
    if width == 0 || height == 0 {
        return Err(Error::malformed(format!("{width}×{height} pixels")));
    }
    let bits = tags.find_tag_unsigned_vec::<u16>(Tag::BitsPerSample).map_err(damaged)?;
    let description = tags.find_tag(Tag::ImageDescription).ok().flatten().and_then(|v| v.into_string().ok()).unwrap_or_default();
    let mut ratio = |tag: Tag| {
        let value = match tags.find_tag(tag).ok().flatten()? {
            Value::Rational(n, d) => f64::from(n) / f64::from(d),
            Value::Float(v) => f64::from(v),
            Value::Double(v) => v,
            other => f64::from(other.into_u32().ok()?),
        };
        (value.is_finite() && value > 0.0).then_some(value)
    };
    let resolution = ratio(Tag::XResolution).zip(ratio(Tag::YResolution)).map(|(x, y)| ([x, y], unit as u16));
    let below = tags.find_tag(Tag::SubIfd).ok().flatten().and_then(|v| v.into_ifd_vec().ok()).unwrap_or_default();
    let page = Page {
        pointer: pointer.0,
        width,
        height,
        samples: u16::try_from(samples).unwrap_or(u16::MAX),
        bits: bits.and_then(|b| b.first().copied()).unwrap_or(1),
        subfile,
        description: description.chars().take(MOST_DESCRIPTION).collect(),
        resolution,
        ..Page::default()
    };
    Ok((page, below, follows))
}

/// The decoder's words as one of our errors.
pub(super) fn damaged(error: tiff::TiffError) -> Error {
    match error {
        tiff::TiffError::UnsupportedError(e) => Error::unsupported(format!("this kind of TIFF is not read ({e})")),
        tiff::TiffError::LimitsExceeded => {
            Error::unsupported("a part of the TIFF is larger than memory allows; raise the limit with --max-memory")
        }
        e => Error::malformed(format!("the TIFF is damaged ({e}); save the picture again")),
    }
}

/// Bytes in memory as a source.
pub(super) fn of_bytes(bytes: Vec<u8>) -> Box<dyn Fn() -> Result<Cursor<std::sync::Arc<[u8]>>>> {
    let shared: std::sync::Arc<[u8]> = bytes.into();
    Box::new(move || Ok(Cursor::new(shared.clone())))
}
