//! Undoes the shuffling of bytes and bits that comes before compression.

/// Byte `b` of element `i` of `size` bytes lies at `b · n + i`; bytes beyond whole elements stay.
pub(crate) fn unshuffle(bytes: &[u8], size: usize) -> Vec<u8> {
    let n = bytes.len() / size.max(1);
    if size < 2 || n < 2 {
        return bytes.to_vec();
    }
    let mut out = bytes.to_vec();
    let whole = &bytes[..n * size];
    for (b, plane) in whole.chunks_exact(n).enumerate() {
        plane.iter().zip(out[b..].iter_mut().step_by(size)).for_each(|(from, to)| *to = *from);
    }
    out
}

/// Bit `b` of element `i` lies at bit `i mod 8` of byte `b · n / 8 + i / 8`; `n` elements, a multiple of 8.
pub(super) fn unshuffle_bits(bytes: &[u8], size: usize, n: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let row = n / 8;
    for (byte, group) in (0..size).flat_map(|b| (0..row).map(move |g| (b, g))) {
        let bits = (0..8).fold(0_u64, |all, bit| all | u64::from(bytes[(byte * 8 + bit) * row + group]) << (8 * bit));
        for (i, value) in transpose(bits).to_le_bytes().into_iter().enumerate() {
            out[(8 * group + i) * size + byte] = value;
        }
    }
    out
}

/// Transposes an 8 × 8 matrix of bits (Warren, Hacker's Delight, 7-3).
fn transpose(mut x: u64) -> u64 {
    for (mask, shift) in [(0x00aa_00aa_00aa_00aa, 7), (0x0000_cccc_0000_cccc, 14), (0x0000_0000_f0f0_f0f0, 28)] {
        let t = (x ^ x >> shift) & mask;
        x ^= t ^ t << shift;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_bits_come_back() {
        let values: Vec<u8> = (0..35).map(|i| i * 7).collect();
        let mut shuffled = values.clone();
        for (i, b) in (0..8).flat_map(|i| (0..4).map(move |b| (i, b))) {
            shuffled[b * 8 + i] = values[i * 4 + b];
        }
        assert_eq!(unshuffle(&shuffled, 4), values);
        let values = &values[..32];
        let mut bits = vec![0_u8; 32];
        for (i, b) in (0..16).flat_map(|i| (0..16).map(move |b| (i, b))) {
            bits[b * 2 + i / 8] |= (values[i * 2 + b / 8] >> (b % 8) & 1) << (i % 8);
        }
        assert_eq!(unshuffle_bits(&bits, 2, 16), values);
    }
}
