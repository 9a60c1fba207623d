//! Seeds of independent random streams: one per task, so that results do not depend on threads.

/// Seed of stream `index` of a run with `seed` (`SplitMix64` finalizer; Steele, Lea, Flood 2014).
///
/// ```
/// use myoscope::base::stream_seed;
/// assert_ne!(stream_seed(0, 0), stream_seed(0, 1));
/// ```
#[must_use]
pub fn stream_seed(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
