//! Smooth value noise from hashed lattice points: textures and wobble that need no stored state.

use crate::base::stream_seed;

/// A number in [-1, 1) of a lattice point.
pub(super) fn lattice(seed: u64, x: i64, y: i64, z: i64) -> f64 {
    let key = (x as u64).wrapping_mul(0x8DA6_B343) ^ (y as u64).wrapping_mul(0xD816_3841_0000_0001) ^ (z as u64).rotate_left(43);
    (stream_seed(seed, key) >> 12) as f64 / (1u64 << 51) as f64 - 1.0
}

fn fade(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

/// Noise in [-1, 1] on the plane; its features are about 1 wide.
pub(super) fn noise2(seed: u64, x: f64, y: f64) -> f64 {
    let (ix, iy) = (x.floor(), y.floor());
    let (u, v) = (fade(x - ix), fade(y - iy));
    let at = |dx: i64, dy: i64| lattice(seed, ix as i64 + dx, iy as i64 + dy, 0);
    let (low, high) = (mix(at(0, 0), at(1, 0), u), mix(at(0, 1), at(1, 1), u));
    mix(low, high, v)
}

/// Noise in [-1, 1] in space; its features are about 1 wide.
pub(super) fn noise3(seed: u64, x: f64, y: f64, z: f64) -> f64 {
    let (ix, iy, iz) = (x.floor(), y.floor(), z.floor());
    let (u, v, w) = (fade(x - ix), fade(y - iy), fade(z - iz));
    let at = |dx: i64, dy: i64, dz: i64| lattice(seed, ix as i64 + dx, iy as i64 + dy, iz as i64 + dz);
    let floor = |dz: i64| mix(mix(at(0, 0, dz), at(1, 0, dz), u), mix(at(0, 1, dz), at(1, 1, dz), u), v);
    mix(floor(0), floor(1), w)
}

/// From `a` (share 0) to `b` (share 1).
pub(super) fn mix(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

/// 0 below `low`, 1 above `high`, smooth between them.
pub(super) fn smoothstep(low: f64, high: f64, v: f64) -> f64 {
    fade(((v - low) / (high - low)).clamp(0.0, 1.0))
}
