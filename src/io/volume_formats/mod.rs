//! NRRD and MetaImage: a header of text, then voxels in the same file or beside it. Sources: the format pages
//! of Teem (NRRD 5) and of ITK (MetaIO).

mod header;
mod metaimage;
mod nrrd;
#[cfg(test)]
mod tests;

pub use metaimage::is_metaimage;

use super::bytes::{self, Stream};
use super::nifti::{Foreign, decode_foreign};
use super::{Content, Found, Reading};
use crate::base::{Error, Limits, Result};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// The largest header that is read.
const MOST_HEADER_BYTES: usize = 1 << 20;

/// How voxels are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Raw,
    Gzip,
    Zlib,
    Text,
}

/// Where voxels are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// In the same file from this byte on.
    Here(usize),
    /// In other files, one after the other.
    Files(Vec<String>),
}

/// Header and place of the voxels.
#[derive(Clone, Debug)]
struct Described {
    foreign: Foreign,
    packing: Packing,
    source: Source,
    /// Bytes before the voxels; `None` where they are the last of the file.
    byte_skip: Option<u64>,
    line_skip: usize,
    /// Value, name and color of labels.
    table: Vec<(u8, String, Option<[u8; 3]>)>,
}

/// Reads a file of either format with the files that it names beside it.
pub fn read_lattice(path: &Path, reading: &mut Reading) -> Result<Found> {
    let limits = reading.limits;
    let data = bytes::read_file(path, &limits)?;
    let (content, n_files) = parse(&data, path, reading).map_err(|e| e.at(path))?;
    Ok(Found { n_files, ..Found::alone(content, path) })
}

/// A file from memory; `name` is what its name would be. Files beside it are looked for beside that name.
pub fn parse_lattice(data: &[u8], name: &str, reading: &mut Reading) -> Result<Content> {
    parse(data, Path::new(name), reading).map(|(content, _)| content)
}

fn parse(data: &[u8], path: &Path, reading: &mut Reading) -> Result<(Content, usize)> {
    let described =
        if data.starts_with(b"NRRD") { nrrd::describe(data, path, reading)? } else { metaimage::describe(data, path, reading)? };
    let (packed, n_files) = match &described.source {
        Source::Here(at) => (data.get(*at..).unwrap_or_default().to_vec(), 1),
        Source::Files(names) => (beside(path, names, &described, &reading.limits)?, 1 + names.len()),
    };
    let is_here = matches!(described.source, Source::Here(_));
    let packed = if is_here { skipped(&packed, &described)?.to_vec() } else { packed };
    let voxels = unpacked(packed, &described, &reading.limits)?;
    let mut content = decode_foreign(described.foreign, Stream::of_bytes(&voxels), path, reading)?;
    if let Content::Labels(labels) = &mut content {
        for entry in &mut labels.table {
            if let Some((_, name, rgb)) = described.table.iter().find(|t| t.0 == entry.value) {
                entry.name.clone_from(name);
                entry.rgb = rgb.unwrap_or(entry.rgb);
            }
        }
    }
    Ok((content, n_files))
}

/// The bytes of the files that a header names; they must lie beside it or below.
fn beside(path: &Path, names: &[String], described: &Described, limits: &Limits) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for name in names {
        let relative = PathBuf::from(name.replace('\\', "/"));
        let is_below = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !is_below {
            return Err(Error::unsupported(format!("the voxels are said to be in {name}; keep them beside the header")));
        }
        let file = path.with_file_name("").join(relative);
        let data = bytes::read_file(&file, limits)?;
        let data = skipped(&data, described).map_err(|e| e.at(&file))?;
        limits.check("the voxels", &[(all.len() + data.len()) as u64], 1)?;
        all.extend_from_slice(data);
    }
    Ok(all)
}

/// The bytes behind the lines and bytes that are to be skipped.
fn skipped<'a>(data: &'a [u8], described: &Described) -> Result<&'a [u8]> {
    let short = || Error::malformed("the file is cut off before its voxels; copy it again");
    let mut rest = data;
    for _ in 0..described.line_skip {
        let end = rest.iter().position(|b| *b == b'\n').ok_or_else(short)?;
        rest = &rest[end + 1..];
    }
    match described.byte_skip {
        Some(n) if described.packing == Packing::Raw || described.packing == Packing::Text => {
            rest.get(usize::try_from(n).unwrap_or(usize::MAX)..).ok_or_else(short)
        }
        Some(_) => Ok(rest),
        None => {
            let n = described.n_bytes()?;
            rest.len().checked_sub(n).and_then(|at| rest.get(at..)).ok_or_else(short)
        }
    }
}

impl Described {
    fn n_bytes(&self) -> Result<usize> {
        let each = super::nifti::bytes_per_voxel(self.foreign.datatype)?;
        let n = self.foreign.grid.n_voxels().checked_mul(self.foreign.n_phases).and_then(|n| n.checked_mul(each));
        n.ok_or_else(|| Error::malformed("more voxels than can be counted"))
    }
}

/// Voxels as plain bytes. Inflating stops at what the header asks for.
fn unpacked(packed: Vec<u8>, described: &Described, limits: &Limits) -> Result<Vec<u8>> {
    let n = described.n_bytes()?;
    limits.check("the voxels", &[n as u64], 1)?;
    let skip = described.byte_skip.unwrap_or(0);
    let mut out = Vec::new();
    let most = (n as u64).saturating_add(skip);
    let inflated = match described.packing {
        Packing::Raw => return Ok(packed),
        Packing::Text => return numbers(&packed, described, n),
        Packing::Gzip => flate2::read::MultiGzDecoder::new(packed.as_slice()).take(most).read_to_end(&mut out),
        Packing::Zlib => flate2::read::ZlibDecoder::new(packed.as_slice()).take(most).read_to_end(&mut out),
    };
    inflated.map_err(|e| Error::malformed(format!("the compressed voxels are damaged ({e}); copy the file again")))?;
    Ok(out.split_off(out.len().min(usize::try_from(skip).unwrap_or(usize::MAX))))
}

/// Numbers in words to little-endian voxels.
fn numbers(text: &[u8], described: &Described, n: usize) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let mut out = Vec::with_capacity(n.min(text.len() * 8));
    for word in text.split_ascii_whitespace() {
        let bad =
            || Error::malformed(format!("«{}» stands where a voxel was expected", word.chars().take(20).collect::<String>()));
        let whole = || word.parse::<i128>().map_err(|_| bad());
        match described.foreign.datatype {
            2 | 256 => out.extend(&whole()?.to_le_bytes()[..1]),
            4 | 512 => out.extend(&whole()?.to_le_bytes()[..2]),
            8 | 768 => out.extend(&whole()?.to_le_bytes()[..4]),
            1024 | 1280 => out.extend(&whole()?.to_le_bytes()[..8]),
            16 => out.extend(word.parse::<f32>().map_err(|_| bad())?.to_le_bytes()),
            _ => out.extend(word.parse::<f64>().map_err(|_| bad())?.to_le_bytes()),
        }
    }
    Ok(out)
}
