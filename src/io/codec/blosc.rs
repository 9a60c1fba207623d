//! The Blosc 1 container: blocks, split by bytes of an element or not, packed by one of several compressors after bytes
//! or bits were shuffled.

use super::blosclz::blosclz;
use super::shuffle::{unshuffle, unshuffle_bits};
use super::{damaged, exact, lz4_block, zlib, zstd};
use crate::base::{Error, Result};

const HEADER: usize = 16;
/// Splits of a block, as c-blosc makes them: at most so many, none smaller than so many bytes.
const MOST_SPLITS: usize = 16;
const LEAST_SPLIT: usize = 128;

/// How the blocks of a container are packed.
struct Packing {
    flags: u8,
    size: usize,
    block: usize,
}

/// The bytes of a container that holds at most `most`.
pub(crate) fn blosc(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let cut = || damaged("Blosc", "it is cut off");
    let head = bytes.first_chunk::<HEADER>().ok_or_else(cut)?;
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| head[at + i])) as usize;
    let (total, block) = (word(4), word(8));
    let packing = Packing { flags: head[2], size: usize::from(head[3]).max(1), block };
    if total > most {
        return Err(damaged("Blosc", format!("it claims {total} bytes where {most} fit")));
    }
    if packing.flags & 2 != 0 {
        return Ok(bytes.get(HEADER..HEADER + total).ok_or_else(cut)?.to_vec());
    }
    if total > 0 && block == 0 {
        return Err(damaged("Blosc", "its blocks are empty"));
    }
    let mut out = Vec::with_capacity(total);
    for (k, start) in (0..total).step_by(block.max(1)).enumerate() {
        let n = block.min(total - start);
        let at = bytes.get(HEADER + 4 * k..).and_then(|b| b.first_chunk::<4>()).ok_or_else(cut)?;
        let packed = bytes.get(u32::from_le_bytes(*at) as usize..).ok_or_else(cut)?;
        out.extend(packing.block(packed, n)?);
    }
    Ok(out)
}

impl Packing {
    /// The `n` bytes of a block.
    fn block(&self, mut packed: &[u8], n: usize) -> Result<Vec<u8>> {
        let cut = || damaged("Blosc", "it is cut off");
        let may_split = self.size <= MOST_SPLITS && self.block / self.size >= LEAST_SPLIT;
        let is_split = self.flags & 0x10 == 0 && n == self.block && may_split;
        let n_splits = if is_split { self.size } else { 1 };
        let part = n / n_splits;
        let mut out = Vec::with_capacity(n);
        for _ in 0..n_splits {
            let (length, rest) = packed.split_first_chunk::<4>().ok_or_else(cut)?;
            let stored = rest.get(..u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
            packed = &rest[stored.len()..];
            if stored.len() == part {
                out.extend_from_slice(stored);
            } else {
                out.extend(exact("Blosc", self.unpack(stored, part)?, part)?);
            }
        }
        let out = exact("Blosc", out, n)?;
        let n_elements = n / self.size;
        Ok(match self.flags & 5 {
            1 => unshuffle(&out, self.size),
            // Bits of a number of elements that is no multiple of eight stay as they are.
            4 if n_elements.is_multiple_of(8) => {
                let whole = n_elements * self.size;
                let mut bits = unshuffle_bits(&out[..whole], self.size, n_elements);
                bits.extend_from_slice(&out[whole..]);
                bits
            }
            _ => out,
        })
    }

    fn unpack(&self, packed: &[u8], n: usize) -> Result<Vec<u8>> {
        match self.flags >> 5 {
            0 => blosclz(packed, n),
            1 => lz4_block(packed, n),
            3 => zlib(packed, n),
            4 => zstd(packed, n),
            2 => Err(Error::unsupported("Snappy inside Blosc is not read; write the file again with zstd or lz4")),
            other => Err(Error::unsupported(format!("compressor {other} inside Blosc is not read"))),
        }
    }
}
