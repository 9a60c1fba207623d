//! The random numbers that the generator scripts draw too, so that both programs see the same input.

/// The linear congruential generator of ANSI C, 31 bits.
pub struct Lcg(pub u64);

impl Lcg {
    /// Between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12_345) % (1 << 31);
        self.0 as f64 / (1u64 << 31) as f64
    }

    /// About normal: twelve uniform numbers less 6.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
