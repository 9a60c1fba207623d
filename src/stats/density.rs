//! Densities of numbers by Gaussian kernels, for violins.

use std::f64::consts::TAU;

/// A kernel is nothing (below 10⁻¹⁷ of its peak) so many bandwidths away.
const REACH: f64 = 9.0;

/// A density by Gaussian kernels of one width, as `scipy.stats.gaussian_kde` gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelDensity {
    /// Standard deviation of a kernel: that of the numbers (n − 1) times n^(−1/5), which is Scott's rule in one dimension.
    pub bandwidth: f64,
    /// Numbers in rising order, each once, and how often it is there.
    places: Vec<(f64, f64)>,
    n: f64,
}

impl KernelDensity {
    /// The density of finite numbers in rising order; `None` for fewer than two, or where all are the same.
    #[must_use]
    pub fn scott(sorted: &[f64]) -> Option<Self> {
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let variance = sorted.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
        let bandwidth = variance.sqrt() * n.powf(-0.2);
        if sorted.len() < 2 || bandwidth.is_nan() || bandwidth <= 0.0 || sorted.first() == sorted.last() {
            return None;
        }
        let mut places: Vec<(f64, f64)> = Vec::new();
        for &value in sorted {
            match places.last_mut() {
                Some((last, times)) if *last == value => *times += 1.0,
                _ => places.push((value, 1.0)),
            }
        }
        Some(Self { bandwidth, places, n })
    }

    /// The density at a place. Cost: the different numbers within 9 bandwidths.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let (low, high) = (x - REACH * self.bandwidth, x + REACH * self.bandwidth);
        let from = self.places.partition_point(|p| p.0 < low);
        let near = self.places[from..].iter().take_while(|p| p.0 <= high);
        let kernel = |&(value, times): &(f64, f64)| {
            let z = (x - value) / self.bandwidth;
            times * (-0.5 * z * z).exp()
        };
        near.map(kernel).sum::<f64>() / (self.n * self.bandwidth * TAU.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_in_closed_form() {
        let d = KernelDensity::scott(&[-1.0, 1.0]).unwrap();
        let h = 2f64.sqrt() * 2f64.powf(-0.2);
        assert!((d.bandwidth - h).abs() < 1e-15);
        let bell = |z: f64| (-0.5 * z * z).exp() / TAU.sqrt();
        for x in [0.0, 0.3, 1.0, 4.0] {
            let want = (bell((x - 1.0) / h) + bell((x + 1.0) / h)) / (2.0 * h);
            assert!((d.at(x) - want).abs() < 1e-15, "{x}");
        }
        // All of it is one, in steps of a hundredth.
        let all: f64 = (-2000..2000).map(|i| d.at(f64::from(i) / 100.0) / 100.0).sum();
        assert!((all - 1.0).abs() < 1e-9, "{all}");
    }

    #[test]
    fn nothing_to_spread() {
        for numbers in [&[][..], &[1.0], &[3.0, 3.0, 3.0]] {
            assert_eq!(KernelDensity::scott(numbers), None);
        }
    }
}
