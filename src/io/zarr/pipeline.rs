//! Codecs of a Zarr chunk, undone in reverse, and the index of a shard.

use crate::base::{Error, Result};
use crate::io::codec;
use crate::io::numbers::NumberType;
use serde_json::Value;

/// A codec of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Zlib,
    Zstd,
    Blosc,
    Lz4,
    Crc32c,
    Shuffle(usize),
}

impl Codec {
    /// By the name that versions 2 and 3 give it.
    pub fn parse(name: &str, settings: &Value, path: &str) -> Result<Self> {
        let name = name.strip_prefix("numcodecs.").unwrap_or(name);
        Ok(match name {
            "gzip" => Self::Gzip,
            "zlib" => Self::Zlib,
            "zstd" => Self::Zstd,
            "blosc" => Self::Blosc,
            "lz4" => Self::Lz4,
            "crc32c" => Self::Crc32c,
            "shuffle" => Self::Shuffle(settings.get("elementsize").and_then(Value::as_u64).unwrap_or(4).min(64) as usize),
            other => {
                return Err(Error::unsupported(format!(
                    "the Zarr array {path} is packed with {other}, which is not read; write it again with zstd or gzip"
                )));
            }
        })
    }

    fn undo(self, bytes: Vec<u8>, most: usize) -> Result<Vec<u8>> {
        match self {
            Self::Gzip => codec::gzip(&bytes, most),
            Self::Zlib => codec::zlib(&bytes, most),
            Self::Zstd => codec::zstd(&bytes, most),
            Self::Blosc => codec::blosc(&bytes, most),
            Self::Lz4 => codec::lz4_sized(&bytes, most),
            Self::Shuffle(size) => Ok(codec::unshuffle(&bytes, size)),
            Self::Crc32c => {
                let damaged = || Error::malformed("a chunk does not have the checksum it was written with; copy it again");
                let (rest, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
                if codec::crc32c(rest) == u32::from_le_bytes(*sum) { Ok(rest.to_vec()) } else { Err(damaged()) }
            }
        }
    }
}

/// Undoes `codecs`; at most `most` bytes come out of any.
pub(super) fn undo(codecs: &[Codec], mut bytes: Vec<u8>, most: usize) -> Result<Vec<u8>> {
    // A checksum of four bytes may be packed along.
    let most = most.saturating_add(4 * codecs.len());
    for codec in codecs.iter().rev() {
        bytes = codec.undo(bytes, most)?;
    }
    Ok(bytes)
}

/// Elements as bytes.
pub(super) struct Bytes;

impl Bytes {
    /// The lowest bytes of `bits` in the order of the numbers.
    pub fn of_bits(bits: u64, number: NumberType) -> Vec<u8> {
        let mut bytes = bits.to_le_bytes()[..number.size.min(8)].to_vec();
        if number.is_big {
            bytes.reverse();
        }
        bytes
    }
}

/// A file of several chunks with an index of where each lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// Size along each axis.
    pub shape: Vec<u64>,
    /// Whether the index ends with a CRC-32C.
    pub has_sum: bool,
    /// Whether the index comes first; else last.
    pub at_start: bool,
}

impl Shard {
    /// Bytes of the index of `n` chunks.
    pub fn index_bytes(&self, n: u64) -> u64 {
        n.saturating_mul(16).saturating_add(if self.has_sum { 4 } else { 0 })
    }

    /// Place and size of chunk `k` by an index; `None` where it was not written.
    pub fn entry(index: &[u8], k: u64) -> Option<(u64, u64)> {
        let at = usize::try_from(k).ok()?.checked_mul(16)?;
        let word = |at: usize| Some(u64::from_le_bytes(*index.get(at..)?.first_chunk::<8>()?));
        let (place, size) = (word(at)?, word(at + 8)?);
        (place != u64::MAX || size != u64::MAX).then_some((place, size))
    }
}
