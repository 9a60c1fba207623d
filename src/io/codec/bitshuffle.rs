//! The HDF5 filter 32008: bits shuffled in blocks, alone or before LZ4 or Zstandard.
//! Format: the bitshuffle library, `bshuf_h5filter.c`.

use super::shuffle::unshuffle_bits;
use super::{damaged, exact, lz4_block, zstd};
use crate::base::{Error, Result};

/// Bytes of a chunk of `n_bytes`, by the filter's settings: …, element size, elements of a block (0: the usual), compressor.
pub(crate) fn bitshuffled(bytes: &[u8], settings: &[u32], n_bytes: usize) -> Result<Vec<u8>> {
    let setting = |i: usize| settings.get(i).copied().unwrap_or(0) as usize;
    let size = setting(2).max(1);
    let usual = (8192 / size / 8 * 8).max(128);
    let block = if setting(3) == 0 { usual } else { setting(3) };
    let compressor = setting(4);
    if compressor == 0 {
        return Ok(blocks(bytes, size, block));
    }
    let cut = || damaged("bitshuffle", "it is cut off");
    let (head, mut rest) = bytes.split_first_chunk::<12>().ok_or_else(cut)?;
    let total = u64::from_be_bytes(std::array::from_fn(|i| head[i])) as usize;
    let block = u32::from_be_bytes(std::array::from_fn(|i| head[8 + i])) as usize / size;
    if total > n_bytes || block == 0 || !block.is_multiple_of(8) {
        return Err(damaged("bitshuffle", format!("blocks of {block} elements for {total} bytes")));
    }
    let mut out = Vec::with_capacity(total);
    // What is no multiple of eight elements lies plain at the end.
    let packed_bytes = total / (8 * size) * (8 * size);
    while out.len() < packed_bytes {
        let n = (block * size).min(packed_bytes - out.len());
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let packed = after.get(..u32::from_be_bytes(*length) as usize).ok_or_else(cut)?;
        rest = &after[packed.len()..];
        let bits = match compressor {
            2 => lz4_block(packed, n)?,
            3 => zstd(packed, n)?,
            other => return Err(Error::unsupported(format!("a bitshuffle chunk with the compressor {other} is not read"))),
        };
        out.extend(unshuffle_bits(&exact("bitshuffle", bits, n)?, size, n / size));
    }
    out.extend_from_slice(rest.get(..total - packed_bytes).ok_or_else(cut)?);
    Ok(out)
}

fn blocks(bytes: &[u8], size: usize, block: usize) -> Vec<u8> {
    let whole = bytes.len() / (8 * size) * (8 * size);
    let mut out = Vec::with_capacity(bytes.len());
    for piece in bytes[..whole].chunks(block.max(8) / 8 * 8 * size) {
        out.extend(unshuffle_bits(piece, size, piece.len() / size));
    }
    out.extend_from_slice(&bytes[whole..]);
    out
}
