//! Seeded random numbers: one stream per task, so that a result does not depend on threads.

use crate::base::stream_seed;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Gamma, Poisson, StandardNormal};

/// Below this mean a count is drawn by inversion, above it from its mixture.
const INVERSION_BELOW: f64 = 12.0;

/// An independent stream of random numbers (`ChaCha8`).
#[derive(Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Stream `index` of a run with `seed`.
    #[must_use]
    pub fn new(seed: u64, index: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(stream_seed(seed, index)))
    }

    /// A number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Brings values into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            let j = (self.uniform() * (i + 1) as f64) as usize;
            values.swap(i, j.min(i));
        }
    }

    /// The numbers 0 to `n` − 1 in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut out: Vec<usize> = (0..n).collect();
        self.shuffle(&mut out);
        out
    }

    /// A gamma number of a shape and scale; 0 where they are not positive.
    pub fn gamma(&mut self, shape: f64, scale: f64) -> f64 {
        Gamma::new(shape, scale).map_or(0.0, |g| g.sample(&mut self.0))
    }

    /// A Poisson count of a mean; 0 where it is not positive.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        Poisson::new(mean).map_or(0.0, |p| p.sample(&mut self.0))
    }

    /// A negative binomial count of a mean and size (variance `mean + mean² / size`), as a Poisson count
    /// of a gamma mean; small means by inversion of the same distribution.
    pub fn negative_binomial(&mut self, mean: f64, size: f64) -> f64 {
        if mean <= 0.0 || size <= 0.0 || !mean.is_finite() {
            return 0.0;
        }
        if mean >= INVERSION_BELOW {
            let rate = self.gamma(size, mean / size);
            return self.poisson(rate);
        }
        let share = mean / (mean + size);
        let mut left = self.uniform();
        let mut chance = (-size * (mean / size).ln_1p()).exp();
        let mut count = 0.0;
        while left >= chance && count < 1e4 {
            left -= chance;
            chance *= share * (count + size) / (count + 1.0);
            count += 1.0;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_negative_binomial() {
        for (mean, size) in [(0.4, 2.0), (5.0, 3.0), (40.0, 4.0)] {
            let mut stream = Stream::new(3, 1);
            let n = 60_000;
            let draws: Vec<f64> = (0..n).map(|_| stream.negative_binomial(mean, size)).collect();
            let m = draws.iter().sum::<f64>() / f64::from(n);
            let v = draws.iter().map(|d| (d - m).powi(2)).sum::<f64>() / f64::from(n);
            assert!((m / mean - 1.0).abs() < 0.03, "mean {m} of {mean}");
            assert!((v / (mean + mean * mean / size) - 1.0).abs() < 0.06, "variance {v} of {mean}");
        }
    }

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, index| Stream::new(seed, index).normal();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
