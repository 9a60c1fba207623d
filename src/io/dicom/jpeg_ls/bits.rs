//! Bits of a scan (T.87 A.1): after a byte of ones the next byte begins with a stuffed zero bit.

use crate::base::{Error, Result};

/// Reads bits, highest first.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    pos: usize,
    /// The next bits, at the low end.
    cache: u64,
    n_cached: u32,
    after_ones: bool,
    /// Bits given that the scan did not have.
    n_beyond: u32,
}

/// So many bits beyond the end are taken for padding.
const MOST_BEYOND: u32 = 64;

impl<'a> Bits<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, pos: 0, cache: 0, n_cached: 0, after_ones: false, n_beyond: 0 }
    }

    /// Bytes taken from the data so far; a byte of ones may begin the next marker and is not counted.
    pub fn n_read(&self) -> usize {
        self.pos - usize::from(self.after_ones)
    }

    fn refill(&mut self) -> Result<()> {
        while self.n_cached <= 48 {
            match self.data.get(self.pos) {
                Some(&byte) if !(self.after_ones && byte >= 0x80) => {
                    let n = if self.after_ones { 7 } else { 8 };
                    self.cache = self.cache << n | u64::from(byte);
                    self.n_cached += n;
                    self.after_ones = byte == 0xFF;
                    self.pos += 1;
                }
                _ => {
                    self.n_beyond += 8;
                    if self.n_beyond > MOST_BEYOND + self.n_cached {
                        return Err(Error::malformed("the JPEG-LS frame is cut off; copy the file again"));
                    }
                    self.cache <<= 8;
                    self.n_cached += 8;
                }
            }
        }
        Ok(())
    }

    /// The next `n` bits, at most 32.
    pub fn take(&mut self, n: u32) -> Result<u32> {
        if n == 0 {
            return Ok(0);
        }
        if self.n_cached < n {
            self.refill()?;
        }
        self.n_cached -= n;
        Ok((self.cache >> self.n_cached & ((1 << n) - 1)) as u32)
    }

    /// Zeros before the next one, which is taken too; `Malformed` where there are more than `most`.
    pub fn zeros(&mut self, most: u32) -> Result<u32> {
        let mut count = 0;
        loop {
            if self.n_cached == 0 {
                self.refill()?;
            }
            let left = self.cache << (64 - self.n_cached);
            let zeros = left.leading_zeros().min(self.n_cached);
            count += zeros;
            if count > most {
                return Err(Error::malformed("the JPEG-LS frame is damaged: a code is too long; copy the file again"));
            }
            self.n_cached -= zeros;
            if self.n_cached > 0 {
                self.n_cached -= 1;
                return Ok(count);
            }
        }
    }
}
