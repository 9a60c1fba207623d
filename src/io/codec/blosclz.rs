//! The compressor that Blosc brings along. Format: c-blosc `blosclz.c`, after `FastLZ`.

use super::{copy_back, damaged};
use crate::base::Result;

/// Copies that reach farther than this say so in two more bytes.
const MAX_DISTANCE: usize = 8191;

/// The `n` bytes of a block: runs of letters, and copies of at least three bytes from before.
pub(super) fn blosclz(bytes: &[u8], n: usize) -> Result<Vec<u8>> {
    let cut = || damaged("BloscLZ", "it is cut off");
    let mut out = Vec::with_capacity(n);
    let mut input = bytes.iter().map(|b| usize::from(*b));
    // The first byte always starts a run of letters.
    let mut control = input.next().ok_or_else(cut)? & 31;
    loop {
        if control >= 32 {
            let mut length = (control >> 5) + 2;
            if length == 9 {
                loop {
                    let more = input.next().ok_or_else(cut)?;
                    length += more;
                    if more != 255 {
                        break;
                    }
                    if length > n {
                        return Err(damaged("BloscLZ", "a copy is longer than the block"));
                    }
                }
            }
            let low = input.next().ok_or_else(cut)?;
            let mut back = ((control & 31) << 8) + low + 1;
            if low == 255 && control & 31 == 31 {
                let far = input.next().ok_or_else(cut)? << 8;
                back = far + input.next().ok_or_else(cut)? + MAX_DISTANCE + 1;
            }
            if out.len() + length > n || copy_back(&mut out, back, length).is_none() {
                return Err(damaged("BloscLZ", "a copy leaves the block"));
            }
        } else {
            for _ in 0..=control {
                out.push(input.next().ok_or_else(cut)? as u8);
            }
            if out.len() > n {
                return Err(damaged("BloscLZ", "it holds more than its block"));
            }
        }
        match input.next() {
            Some(next) => control = next,
            None => return Ok(out),
        }
    }
}
