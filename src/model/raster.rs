//! A picture in its native numbers, as it is resampled: any number of channels, no colors implied.

use super::Samples;
use crate::base::{Error, Result};

/// Pixels in their native type, row by row, channels side by side:
/// index `(y · width + x) · channels + c`. Whole numbers are pixel centers.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub channels: usize,
    /// `width · height · channels` numbers.
    pub samples: Samples,
}

impl Raster {
    /// Checks that the samples fit the size; refused where there are none or more than four channels.
    pub fn new(width: usize, height: usize, channels: usize, samples: Samples) -> Result<Self> {
        let n = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
        if !(1..=4).contains(&channels) || n != Some(samples.len()) || samples.is_empty() {
            let n = samples.len();
            return Err(Error::malformed(format!("{n} numbers for a picture of {width}×{height} pixels, {channels} channels")));
        }
        Ok(Self { width, height, channels, samples })
    }

    /// The type of a number, as `uint8`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.samples {
            Samples::U8(_) => "uint8",
            Samples::I16(_) => "int16",
            Samples::U16(_) => "uint16",
            Samples::F32(_) => "float32",
        }
    }
}
