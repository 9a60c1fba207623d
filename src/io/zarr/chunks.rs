//! Chunks of a Zarr array put together. A chunk that is not there stands for the fill value.

use super::meta::{ArrayMeta, Elements};
use super::pipeline::{Shard, undo};
use crate::base::{Error, Limits, Result};
use crate::io::codec;
use crate::io::window::Window;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of the rows `start..start + count`, last axis fastest.
pub(super) fn rows(meta: &ArrayMeta, folder: &Path, what: &str, (start, count): (u64, u64), limits: &Limits) -> Result<Vec<u8>> {
    let window = Window { shape: &meta.shape, start, count, size: meta.elements.size() };
    let n = window.n_bytes(what, limits)?;
    let mut out = filled(meta, n);
    let n_chunk = limits.check(what, &meta.chunk, meta.elements.size() as u64)?;
    let Some(ranges) = window.chunks(&meta.chunk) else { return Ok(out) };
    each(&ranges, |at| {
        let Some(packed) = stored(meta, folder, at, limits)? else { return Ok(()) };
        let plain = plain(meta, packed, n_chunk).map_err(|e| e.at(folder))?;
        let offset: Vec<u64> = at.iter().zip(&meta.chunk).map(|(k, c)| k * c).collect();
        let misfit = || Error::malformed(format!("a chunk of {what} is shorter than it should be; copy the store again"));
        window.place(&mut out, &plain, &meta.chunk, &offset).ok_or_else(misfit)
    })?;
    Ok(out)
}

/// Bytes of a box of the array, last axis fastest.
pub(super) fn piece(
    meta: &ArrayMeta,
    folder: &Path,
    what: &str,
    (from, size): (&[u64], &[u64]),
    limits: &Limits,
) -> Result<Vec<u8>> {
    let fits = from.len() == meta.shape.len()
        && size.len() == from.len()
        && from.iter().zip(size).zip(&meta.shape).all(|((f, n), all)| f.checked_add(*n).is_some_and(|end| end <= *all));
    if !fits {
        return Err(Error::parameter(format!("a box of {size:?} at {from:?} of the array {what} of {:?}", meta.shape)));
    }
    let each_size = meta.elements.size();
    let n = limits.check(what, size, each_size as u64)?;
    let mut out = filled(meta, n);
    if n == 0 {
        return Ok(out);
    }
    let n_chunk = limits.check(what, &meta.chunk, each_size as u64)?;
    let ranges: Vec<(u64, u64)> =
        (0..from.len()).map(|a| (from[a] / meta.chunk[a], (from[a] + size[a] - 1) / meta.chunk[a])).collect();
    each(&ranges, |at| {
        let Some(packed) = stored(meta, folder, at, limits)? else { return Ok(()) };
        let plain = plain(meta, packed, n_chunk).map_err(|e| e.at(folder))?;
        let misfit = || Error::malformed(format!("a chunk of {what} is shorter than it should be; copy the store again"));
        // The box is an array of its own; what of the chunk comes before it is cut off first.
        let low: Vec<u64> = (0..from.len()).map(|a| from[a].saturating_sub(at[a] * meta.chunk[a])).collect();
        let cut: Vec<u64> = low.iter().zip(&meta.chunk).map(|(l, c)| c - l).collect();
        let offset: Vec<u64> = (0..from.len()).map(|a| (at[a] * meta.chunk[a] + low[a]) - from[a]).collect();
        let plain =
            if low.iter().all(|l| *l == 0) { plain } else { cut_off(&plain, &meta.chunk, &low, each_size).ok_or_else(misfit)? };
        let whole = Window { shape: size, start: 0, count: size[0], size: each_size };
        whole.place(&mut out, &plain, &cut, &offset).ok_or_else(misfit)
    })?;
    Ok(out)
}

/// What of a chunk lies at and after `low`.
fn cut_off(bytes: &[u8], chunk: &[u64], low: &[u64], size: usize) -> Option<Vec<u8>> {
    let cut: Vec<u64> = low.iter().zip(chunk).map(|(l, c)| c - l).collect();
    let n: u64 = cut.iter().product();
    let mut out = Vec::with_capacity(n as usize * size);
    let (run, rows) = (*cut.last()?, n / *cut.last()?);
    for row in 0..rows {
        let (mut rest, mut at, mut stride) = (row, 0, 1);
        for axis in (0..chunk.len()).rev() {
            let i = if axis + 1 == chunk.len() { 0 } else { rest % cut[axis] };
            if axis + 1 != chunk.len() {
                rest /= cut[axis];
            }
            at += (i + low[axis]) * stride;
            stride *= chunk[axis];
        }
        let from = at as usize * size;
        out.extend_from_slice(bytes.get(from..from + run as usize * size)?);
    }
    Some(out)
}

fn filled(meta: &ArrayMeta, n: usize) -> Vec<u8> {
    if meta.fill.iter().all(|b| *b == 0) {
        return vec![0; n];
    }
    meta.fill.iter().copied().cycle().take(n).collect()
}

/// Every chunk of the ranges, last axis fastest.
fn each(ranges: &[(u64, u64)], mut run: impl FnMut(&[u64]) -> Result<()>) -> Result<()> {
    let mut at: Vec<u64> = ranges.iter().map(|r| r.0).collect();
    loop {
        run(&at)?;
        let Some(axis) = (0..at.len()).rev().find(|&a| at[a] < ranges[a].1) else { return Ok(()) };
        at[axis] += 1;
        for later in axis + 1..at.len() {
            at[later] = ranges[later].0;
        }
    }
}

/// A chunk with its codecs undone and its axes in order.
fn plain(meta: &ArrayMeta, packed: Vec<u8>, n: usize) -> Result<Vec<u8>> {
    let bytes = undo(&meta.codecs, packed, n)?;
    if bytes.len() != n {
        return Err(Error::malformed(format!("a chunk has {} bytes instead of {n}; copy the store again", bytes.len())));
    }
    if meta.order.is_sorted() {
        return Ok(bytes);
    }
    let size = meta.elements.size();
    let axes = meta.order.len();
    // Distance in the stored chunk of neighbors along each axis.
    let mut strides = vec![0_usize; axes];
    let mut stride = 1;
    for &axis in meta.order.iter().rev() {
        strides[axis] = stride;
        stride *= meta.chunk[axis] as usize;
    }
    let mut out = Vec::with_capacity(n);
    let mut index = vec![0_usize; axes];
    for _ in 0..n / size.max(1) {
        let from = index.iter().zip(&strides).map(|(i, s)| i * s).sum::<usize>() * size;
        out.extend_from_slice(&bytes[from..from + size]);
        for axis in (0..axes).rev() {
            index[axis] += 1;
            if index[axis] < meta.chunk[axis] as usize {
                break;
            }
            index[axis] = 0;
        }
    }
    Ok(out)
}

/// Stored bytes of a chunk; `None` where it was never written.
fn stored(meta: &ArrayMeta, folder: &Path, at: &[u64], limits: &Limits) -> Result<Option<Vec<u8>>> {
    let Some(shard) = &meta.shard else { return whole_file(&folder.join(name(meta, at)), limits) };
    let within: Vec<u64> = shard.shape.iter().zip(&meta.chunk).map(|(s, c)| s / c).collect();
    let outer: Vec<u64> = at.iter().zip(&within).map(|(k, w)| k / w).collect();
    let k = at.iter().zip(&within).fold(0, |k, (a, w)| k * w + a % w);
    let path = folder.join(name(meta, &outer));
    let Some(mut file) = open(&path)? else { return Ok(None) };
    let size = file.metadata().map_err(|e| Error::io("reading", e, &path))?.len();
    let n = within.iter().try_fold(1_u64, |a, b| a.checked_mul(*b)).unwrap_or(u64::MAX);
    let index = index_of(shard, n, (&mut file, size), &path, limits)?;
    let Some((start, n)) = Shard::entry(&index, k) else { return Ok(None) };
    read_at(&mut file, start, n, size, &path, limits).map(Some)
}

fn index_of(shard: &Shard, n: u64, (file, size): (&mut File, u64), path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let n_index = shard.index_bytes(n);
    let damaged = || Error::malformed("the index of a shard is damaged; copy the store again").at(path);
    let start = if shard.at_start { 0 } else { size.checked_sub(n_index).ok_or_else(damaged)? };
    let index = read_at(file, start, n_index, size, path, limits)?;
    if shard.has_sum {
        let (rest, sum) = index.split_last_chunk::<4>().ok_or_else(damaged)?;
        if codec::crc32c(rest) != u32::from_le_bytes(*sum) {
            return Err(damaged());
        }
    }
    Ok(index)
}

fn read_at(file: &mut File, start: u64, n: u64, size: u64, path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    if start.checked_add(n).is_none_or(|end| end > size) {
        return Err(Error::malformed("a chunk is cut off; copy the store again").at(path));
    }
    let mut out = vec![0; limits.check("a chunk", &[n], 1)?];
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut out)).map_err(|e| Error::io("reading", e, path))?;
    Ok(out)
}

fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(Error::io("reading", e, path)),
    }
}

fn whole_file(path: &Path, limits: &Limits) -> Result<Option<Vec<u8>>> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let size = file.metadata().map_err(|e| Error::io("reading", e, path))?.len();
    read_at(&mut file, 0, size, size, path, limits).map(Some)
}

/// File of a chunk, relative to its array.
fn name(meta: &ArrayMeta, at: &[u64]) -> String {
    let separator = meta.key.separator.to_string();
    let numbers = at.iter().map(u64::to_string).collect::<Vec<_>>().join(&separator);
    match (meta.key.is_default, at.is_empty()) {
        (true, true) => "c".into(),
        (true, false) => format!("c{separator}{numbers}"),
        (false, true) => "0".into(),
        (false, false) => numbers,
    }
}

/// All text of an array of one axis (or a single text).
pub(super) fn strings(meta: &ArrayMeta, folder: &Path, what: &str, limits: &Limits) -> Result<Vec<String>> {
    if let Elements::Fixed { size, utf32 } = meta.elements {
        let n = meta.shape.first().copied().unwrap_or(1);
        limits.check(what, &meta.shape, 24)?;
        let bytes = rows(meta, folder, what, (0, n), limits)?;
        return Ok(bytes.chunks_exact(size.max(1)).map(|b| fixed(b, utf32)).collect());
    }
    if meta.elements != Elements::Variable || meta.shape.len() > 1 {
        return Err(Error::malformed(format!("{what} holds no list of text, where text belongs")));
    }
    let n = meta.shape.first().copied().unwrap_or(1);
    let chunk = meta.chunk.first().copied().unwrap_or(1);
    limits.check(what, &[n], std::mem::size_of::<String>() as u64)?;
    let mut out = Vec::with_capacity(n as usize);
    for k in 0..n.div_ceil(chunk) {
        let wanted = chunk.min(n - k * chunk) as usize;
        let at = if meta.shape.is_empty() { vec![] } else { vec![k] };
        match stored(meta, folder, &at, limits)? {
            None => out.extend(std::iter::repeat_n(String::new(), wanted)),
            Some(packed) => {
                let most = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX);
                let bytes = undo(&meta.codecs, packed, most)?;
                let texts = variable(&bytes).filter(|t| t.len() >= wanted);
                let damaged = || Error::malformed(format!("a chunk of text of {what} is damaged; copy the store again"));
                out.extend(texts.ok_or_else(damaged)?.into_iter().take(wanted));
            }
        }
    }
    Ok(out)
}

/// The number of texts, then length and bytes of each (numcodecs `vlen-utf8`).
fn variable(bytes: &[u8]) -> Option<Vec<String>> {
    let (n, mut rest) = bytes.split_first_chunk::<4>()?;
    let n = u32::from_le_bytes(*n) as usize;
    // Every text takes four bytes at least.
    let mut out = Vec::with_capacity(n.min(rest.len() / 4));
    for _ in 0..n {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let text = after.get(..u32::from_le_bytes(*length) as usize)?;
        out.push(std::str::from_utf8(text).ok()?.to_owned());
        rest = &after[text.len()..];
    }
    Some(out)
}

fn fixed(bytes: &[u8], utf32: Option<bool>) -> String {
    let Some(is_big) = utf32 else {
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        return String::from_utf8_lossy(&bytes[..end]).into_owned();
    };
    let letters = bytes.chunks_exact(4).map(|b| {
        let word = [b[0], b[1], b[2], b[3]];
        if is_big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    });
    letters.take_while(|c| *c != 0).map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect()
}
