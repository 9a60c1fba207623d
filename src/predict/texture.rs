//! Texture of a square of numbers: gradients, co-occurrence of gray levels, local binary patterns.

/// A square of optical densities, row by row.
#[derive(Clone, Debug)]
pub(super) struct Square {
    pub(super) side: usize,
    pub(super) values: Vec<f64>,
}

/// What a square looks like at one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Texture {
    /// Mean squared gradient, per pixel.
    pub(super) gradient_energy: f64,
    /// How much the gradients agree in direction (structure tensor): 0 none, 1 all parallel.
    pub(super) coherence: f64,
    /// Mean squared difference of gray levels of neighbors.
    pub(super) contrast: f64,
    /// Mean of 1 / (1 + squared difference of gray levels).
    pub(super) homogeneity: f64,
    /// Entropy in bits of rotation-invariant uniform local binary patterns.
    pub(super) pattern_entropy: f64,
}

/// Gray levels for co-occurrence, and the optical density of the last.
const N_GRAYS: f64 = 16.0;
const DARKEST_OD: f64 = 1.2;

impl Square {
    /// Means of 2 × 2 blocks; an odd last row or column is left out.
    pub(super) fn halved(&self) -> Self {
        let side = self.side / 2;
        let at = |x: usize, y: usize| self.values[y * self.side + x];
        let mean = |i: usize| {
            let (x, y) = (2 * (i % side), 2 * (i / side));
            0.25 * (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1))
        };
        Self { side, values: (0..side * side).map(mean).collect() }
    }

    /// The texture; zeros where the square is too small to have one (less than 2 pixels, patterns less than 3).
    pub(super) fn texture(&self) -> Texture {
        let n = self.side;
        if n < 2 {
            return Texture::default();
        }
        let at = |x: usize, y: usize| self.values[y * n + x];
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        let (mut contrast, mut homogeneity) = (0.0, 0.0);
        for y in 0..n - 1 {
            for x in 0..n - 1 {
                let (dx, dy) = (at(x + 1, y) - at(x, y), at(x, y + 1) - at(x, y));
                xx += dx * dx;
                yy += dy * dy;
                xy += dx * dy;
                for neighbor in [at(x + 1, y), at(x, y + 1)] {
                    let step = (gray(neighbor) - gray(at(x, y))).powi(2);
                    contrast += step;
                    homogeneity += 1.0 / (1.0 + step);
                }
            }
        }
        let cells = ((n - 1) * (n - 1)) as f64;
        let energy = xx + yy;
        let coherence = if energy > 1e-12 { ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt() / energy } else { 0.0 };
        Texture {
            gradient_energy: energy / cells,
            coherence,
            contrast: contrast / (2.0 * cells),
            homogeneity: homogeneity / (2.0 * cells),
            pattern_entropy: self.pattern_entropy(),
        }
    }

    fn pattern_entropy(&self) -> f64 {
        // The ring of neighbors in order, so that changes along it can be counted.
        const RING: [(usize, usize); 8] = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)];
        let n = self.side;
        if n < 3 {
            return 0.0;
        }
        let mut counts = [0u32; 10];
        for y in 0..n - 2 {
            for x in 0..n - 2 {
                let middle = self.values[(y + 1) * n + x + 1];
                let bits = RING.map(|(dx, dy)| self.values[(y + dy) * n + x + dx] >= middle);
                let changes = (0..8).filter(|&k| bits[k] != bits[(k + 1) % 8]).count();
                let ones = bits.iter().filter(|b| **b).count();
                counts[if changes <= 2 { ones } else { 9 }] += 1;
            }
        }
        let total = f64::from(counts.iter().sum::<u32>());
        let shares = counts.iter().filter(|c| **c > 0).map(|c| f64::from(*c) / total);
        -shares.map(|s| s * s.log2()).sum::<f64>()
    }
}

fn gray(od: f64) -> f64 {
    (od / DARKEST_OD * N_GRAYS).floor().clamp(0.0, N_GRAYS - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(side: usize, of: impl Fn(usize, usize) -> f64) -> Square {
        Square { side, values: (0..side * side).map(|i| of(i % side, i / side)).collect() }
    }

    #[test]
    fn stripes_are_coherent_and_flat_is_empty() {
        let flat = square(8, |_, _| 0.4).texture();
        assert_eq!((flat.gradient_energy, flat.coherence, flat.contrast, flat.homogeneity), (0.0, 0.0, 0.0, 1.0));
        assert_eq!(flat.pattern_entropy, 0.0);
        let ramp = square(8, |x, _| 0.1 * x as f64).texture();
        assert!((ramp.gradient_energy - 0.01).abs() < 1e-12 && (ramp.coherence - 1.0).abs() < 1e-12);
        // Two gray levels of 0.075 apart: neighbors across differ by 0.15, those below are equal.
        let steps = square(4, |x, _| 0.15 * (x % 2) as f64).texture();
        assert!((steps.contrast - 2.0).abs() < 1e-12 && (steps.homogeneity - 0.6).abs() < 1e-12);
        let halved = square(5, |x, y| (x + y) as f64).halved();
        assert_eq!((halved.side, &halved.values[..]), (2, &[1.0, 3.0, 3.0, 5.0][..]));
        assert_eq!(square(1, |_, _| 1.0).texture(), Texture::default());
    }

    #[test]
    fn a_checkerboard_has_two_patterns() {
        let t = square(6, |x, y| ((x + y) % 2) as f64).texture();
        // Half of the middles are above their four sides (a broken ring), half below all.
        assert!((t.pattern_entropy - 1.0).abs() < 1e-12, "{}", t.pattern_entropy);
    }
}
