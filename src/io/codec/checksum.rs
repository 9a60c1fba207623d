//! Checksums that chunks carry: Fletcher-32 of HDF5 and CRC-32C (RFC 3720) of Zarr.

/// Fletcher-32 as HDF5 computes it: over 16-bit words, high byte first.
pub(crate) fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0_u32, 0_u32);
    let mut words = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | w.get(1).copied().map_or(0, u32::from)).peekable();
    while words.peek().is_some() {
        // So many sums fit 32 bits.
        for word in words.by_ref().take(360) {
            low += word;
            high += low;
        }
        (low, high) = ((low & 0xffff) + (low >> 16), (high & 0xffff) + (high >> 16));
    }
    (low, high) = ((low & 0xffff) + (low >> 16), (high & 0xffff) + (high >> 16));
    high << 16 | low
}

/// CRC-32C, the Castagnoli polynomial.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let table: [u32; 256] =
        std::array::from_fn(|i| (0..8).fold(i as u32, |crc, _| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 }));
    !bytes.iter().fold(!0, |crc, byte| crc >> 8 ^ table[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        // RFC 3720, B.4.
        assert_eq!((crc32c(&[0; 32]), crc32c(b"123456789")), (0x8a91_36aa, 0xe306_9283));
        // Words are big-endian: 0x6162 + 0x6364 and their running sums.
        assert_eq!(fletcher32(b"abcd"), (0x6162 + 0x6162 + 0x6364 - 0xffff) << 16 | (0x6162 + 0x6364));
    }
}
