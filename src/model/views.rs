//! Stub until the real one lands.
use crate::base::Result;
/// Stub.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewTable { samples: Vec<String>, features: Vec<String>, values: Vec<f64> }
impl ViewTable {
    /// Stub.
    pub fn new(samples: Vec<String>, features: Vec<String>, values: Vec<f64>) -> Result<Self> { Ok(Self { samples, features, values }) }
    /// Stub.
    #[must_use] pub fn samples(&self) -> &[String] { &self.samples }
    /// Stub.
    #[must_use] pub fn features(&self) -> &[String] { &self.features }
    /// Stub.
    #[must_use] pub fn row(&self, i: usize) -> &[f64] { &self.values[i * self.features.len()..(i + 1) * self.features.len()] }
    /// Stub.
    #[must_use] pub fn n_missing(&self) -> usize { self.values.iter().filter(|v| v.is_nan()).count() }
}
