//! Elements of stored arrays as numbers: integers, floats and truth values of either byte order.

use crate::base::{Error, Result};

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Signed whole numbers.
    Signed,
    /// Whole numbers from 0; truth values are 0 and 1.
    Unsigned,
    /// IEEE 754 of 2, 4 or 8 bytes.
    Float,
}

/// How a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumberType {
    /// What it is.
    pub class: Class,
    /// Bytes of one: 1, 2, 4 or 8.
    pub size: usize,
    /// High byte first.
    pub is_big: bool,
}

impl NumberType {
    /// Whether numbers of this size are known.
    pub fn is_known(self) -> bool {
        matches!((self.class, self.size), (Class::Float, 2 | 4 | 8) | (Class::Signed | Class::Unsigned, 1 | 2 | 4 | 8))
    }

    /// The bits of each element, low byte first, in 8 bytes.
    fn bits(self, bytes: &[u8]) -> impl Iterator<Item = u64> {
        bytes.chunks_exact(self.size.clamp(1, 8)).map(move |b| {
            let mut wide = [0; 8];
            wide[..b.len()].copy_from_slice(b);
            if self.is_big {
                wide[..b.len()].reverse();
            }
            u64::from_le_bytes(wide)
        })
    }

    fn signed(self, bits: u64) -> i64 {
        let shift = 64 - 8 * self.size as u32;
        (bits << shift) as i64 >> shift
    }

    /// As double precision.
    pub fn f64s(self, bytes: &[u8]) -> Vec<f64> {
        let bits = self.bits(bytes);
        match (self.class, self.size) {
            (Class::Float, 2) => bits.map(|b| half(b as u16)).collect(),
            (Class::Float, 4) => bits.map(|b| f64::from(f32::from_bits(b as u32))).collect(),
            (Class::Float, _) => bits.map(f64::from_bits).collect(),
            (Class::Signed, _) => bits.map(|b| self.signed(b) as f64).collect(),
            (Class::Unsigned, _) => bits.map(|b| b as f64).collect(),
        }
    }

    /// As single precision.
    pub fn f32s(self, bytes: &[u8]) -> Vec<f32> {
        if self == (Self { class: Class::Float, size: 4, is_big: false }) {
            return words(bytes).map(f32::from_bits).collect();
        }
        let bits = self.bits(bytes);
        match (self.class, self.size) {
            (Class::Float, 4) => bits.map(|b| f32::from_bits(b as u32)).collect(),
            (Class::Float, _) => self.f64s(bytes).into_iter().map(|v| v as f32).collect(),
            (Class::Signed, _) => bits.map(|b| self.signed(b) as f32).collect(),
            (Class::Unsigned, _) => bits.map(|b| b as f32).collect(),
        }
    }

    /// As counts or indices; [`Error::Malformed`] naming `path` where one is negative or no whole number.
    pub fn u64s(self, path: &str, bytes: &[u8]) -> Result<Vec<u64>> {
        match self.class {
            Class::Float => self.f64s(bytes).into_iter().map(|v| whole(path, v)).collect(),
            Class::Unsigned => Ok(self.bits(bytes).collect()),
            Class::Signed => self.bits(bytes).map(|b| u64::try_from(self.signed(b)).map_err(|_| negative(path))).collect(),
        }
    }

    /// As indices up to 2³² − 1.
    pub fn u32s(self, path: &str, bytes: &[u8]) -> Result<Vec<u32>> {
        match self {
            Self { class: Class::Unsigned, size: 4, is_big: false } => Ok(words(bytes).collect()),
            Self { class: Class::Signed, size: 4, is_big: false } => {
                if words(bytes).fold(0, |all, w| all | w) >> 31 == 1 {
                    Err(negative(path))
                } else {
                    Ok(words(bytes).collect())
                }
            }
            _ => self.u64s(path, bytes)?.into_iter().map(|v| narrow(path, v)).collect(),
        }
    }
}

/// Four bytes each, low byte first.
fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// Half precision (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1.0 + mantissa / 1024.0) * 2_f64.powi(e - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

pub(crate) fn negative(path: &str) -> Error {
    Error::malformed(format!("a negative number in {path}, where counts or indices belong"))
}

pub(crate) fn narrow(path: &str, value: u64) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::malformed(format!("{value} in {path} is too large for an index")))
}

pub(crate) fn whole(path: &str, value: f64) -> Result<u64> {
    if (0.0..9e15).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    Err(Error::malformed(format!("{value} in {path}, where a count or index belongs")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_and_order() {
        let number = |class, size, is_big| NumberType { class, size, is_big };
        assert_eq!(number(Class::Signed, 2, true).f64s(&[0xff, 0xfe, 0, 3]), [-2.0, 3.0]);
        assert_eq!(number(Class::Unsigned, 1, false).u32s("a", &[7, 255]).unwrap(), [7, 255]);
        assert_eq!(number(Class::Float, 2, false).f32s(&[0, 0x3c, 1, 0, 0, 0xc0]), [1.0, 5.960_464_5e-8, -2.0]);
        assert_eq!(number(Class::Float, 8, false).u64s("a", &4.0_f64.to_le_bytes()).unwrap(), [4]);
        assert!(number(Class::Signed, 4, false).u64s("a", &(-1_i32).to_le_bytes()).is_err());
        let two = [7_u8, 0, 0, 0, 1, 2, 0, 128];
        assert!(number(Class::Signed, 4, false).u32s("a", &two).is_err());
        assert_eq!(number(Class::Signed, 4, false).u32s("a", &two[..4]).unwrap(), [7]);
        assert_eq!(number(Class::Unsigned, 4, false).u32s("a", &two).unwrap(), [7, 0x8000_0201]);
        assert_eq!(number(Class::Float, 4, false).f32s(&1.5_f32.to_le_bytes()), [1.5]);
        assert!(number(Class::Float, 4, false).u64s("a", &0.5_f32.to_le_bytes()).is_err());
    }
}
