//! Codecs of single chunks, shared by HDF5 and Zarr: gzip, zlib, Zstandard, LZ4, LZF and Blosc. Each gets the most
//! bytes that may come out and never takes more, so that a small file cannot fill the memory.
//! Formats: RFC 1950, 1952 and 8878, the LZ4 block format, `LibLZF`, and the Blosc 1 container (c-blosc `README_CHUNK_FORMAT`).

mod bitshuffle;
mod blosc;
mod blosclz;
mod checksum;
mod shuffle;

pub(crate) use bitshuffle::bitshuffled;
pub(crate) use blosc::blosc;
pub(crate) use checksum::{crc32c, fletcher32};
pub(crate) use shuffle::unshuffle;

use crate::base::{Error, Result};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::Read;

fn damaged(what: &str, why: impl std::fmt::Display) -> Error {
    Error::malformed(format!("a {what} chunk is damaged ({why}); copy the file again"))
}

/// Everything that comes, refused where it is more than `most` bytes.
fn read_most(what: &str, source: impl Read, most: usize) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(most.min(1 << 20));
    source.take(most as u64 + 1).read_to_end(&mut out).map_err(|e| damaged(what, e))?;
    if out.len() > most {
        return Err(damaged(what, format!("it holds more than its {most} bytes")));
    }
    Ok(out)
}

/// A gzip stream (RFC 1952).
pub(crate) fn gzip(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    read_most("gzip", MultiGzDecoder::new(bytes), most)
}

/// A zlib stream (RFC 1950).
pub(crate) fn zlib(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    read_most("zlib", ZlibDecoder::new(bytes), most)
}

/// Zstandard frames (RFC 8878).
pub(crate) fn zstd(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let decoder = zstd::Decoder::with_buffer(bytes).map_err(|e| damaged("Zstandard", e))?;
    read_most("Zstandard", decoder, most)
}

/// An LZ4 block of at most `most` bytes.
pub(crate) fn lz4_block(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut out = vec![0; most];
    let size = i32::try_from(most).map_err(|_| damaged("LZ4", "it is too large"))?;
    let n = lz4::block::decompress_to_buffer(bytes, Some(size), &mut out).map_err(|e| damaged("LZ4", e))?;
    out.truncate(n);
    Ok(out)
}

/// An LZ4 block after its length (4 bytes, little-endian), as numcodecs writes it.
pub(crate) fn lz4_sized(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| damaged("LZ4", "it is cut off"))?;
    let n = u32::from_le_bytes(*head) as usize;
    if n > most {
        return Err(damaged("LZ4", format!("it claims {n} bytes where {most} fit")));
    }
    lz4_block(rest, n)
}

/// Blocks of LZ4 as the HDF5 filter 32004 writes them: size (8 bytes), block size (4), then size and bytes of each.
pub(crate) fn lz4_blocks(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let cut = || damaged("LZ4", "it is cut off");
    let (head, mut rest) = bytes.split_first_chunk::<12>().ok_or_else(cut)?;
    let total = u64::from_be_bytes(std::array::from_fn(|i| head[i])) as usize;
    let block = u32::from_be_bytes(std::array::from_fn(|i| head[8 + i])) as usize;
    if total > most || block == 0 {
        return Err(damaged("LZ4", format!("it claims {total} bytes where {most} fit")));
    }
    let mut out = Vec::with_capacity(total);
    while out.len() < total {
        let n = block.min(total - out.len());
        let (size, after) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let packed = after.get(..u32::from_be_bytes(*size) as usize).ok_or_else(cut)?;
        rest = &after[packed.len()..];
        if packed.len() == n {
            out.extend_from_slice(packed);
        } else {
            out.extend(exact("LZ4", lz4_block(packed, n)?, n)?);
        }
    }
    Ok(out)
}

/// `LibLZF`: literal runs and copies from at most 8 KiB back.
pub(crate) fn lzf(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let cut = || damaged("LZF", "it is cut off");
    let mut out = Vec::with_capacity(most.min(1 << 20));
    let mut at = 0;
    let mut next = |n: usize| {
        let piece = bytes.get(at..at + n);
        at += n;
        piece
    };
    while let Some(&[control]) = next(1) {
        if control < 32 {
            out.extend_from_slice(next(usize::from(control) + 1).ok_or_else(cut)?);
        } else {
            let mut n = usize::from(control >> 5) + 2;
            if n == 9 {
                n += usize::from(next(1).ok_or_else(cut)?[0]);
            }
            let back = (usize::from(control & 31) << 8) + usize::from(next(1).ok_or_else(cut)?[0]) + 1;
            copy_back(&mut out, back, n).ok_or_else(|| damaged("LZF", "it points before its start"))?;
        }
        if out.len() > most {
            return Err(damaged("LZF", format!("it holds more than its {most} bytes")));
        }
    }
    Ok(out)
}

/// Appends `n` bytes from `back` bytes before the end; they may overlap. `None` where there is nothing so far back.
fn copy_back(out: &mut Vec<u8>, back: usize, n: usize) -> Option<()> {
    let from = out.len().checked_sub(back).filter(|_| back > 0)?;
    (from..from + n).for_each(|i| out.push(out[i]));
    Some(())
}

/// `bytes` where there are exactly `n` of them.
pub(crate) fn exact(what: &str, bytes: Vec<u8>, n: usize) -> Result<Vec<u8>> {
    if bytes.len() == n {
        return Ok(bytes);
    }
    Err(damaged(what, format!("{} bytes instead of {n}", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lzf_copies_what_it_had() {
        // Three letters, then nine bytes from three back.
        let packed = [2, b'a', b'b', b'c', 0xe0, 0, 2];
        assert_eq!(lzf(&packed, 12).unwrap(), b"abcabcabcabc");
        assert!(lzf(&packed, 11).is_err() && lzf(&packed[..5], 12).is_err() && lzf(&[0xe0, 0, 9], 12).is_err());
        assert_eq!(lz4_sized(&[3, 0, 0, 0, 0x30, 1, 2, 3], 3).unwrap(), [1, 2, 3]);
        assert!(lz4_sized(&[3, 0, 0, 0, 0x30, 1, 2, 3], 2).is_err());
    }

    #[test]
    fn a_bomb_stops_at_its_bound() {
        let zeros = vec![0; 1 << 20];
        let packed = zstd::bulk::compress(&zeros, 3).unwrap();
        assert!(packed.len() < 1000 && zstd(&packed, 1000).is_err());
        assert_eq!(zstd(&packed, zeros.len()).unwrap(), zeros);
    }
}
