//! How much memory a reader may take, asked before it is taken.

use super::{Error, Result};

/// Memory budget of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest sum of allocations in bytes.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 8 GiB, which is half of a common office machine.
    fn default() -> Self {
        Self { max_bytes: 8 << 30 }
    }
}

impl Limits {
    /// `Ok(count × size_each)` as `usize` where that stays inside the budget, else [`Error::TooLarge`].
    /// Sizes may come from a hostile header: nothing overflows.
    pub fn check(&self, what: &str, counts: &[u64], size_each: u64) -> Result<usize> {
        let needed = counts.iter().try_fold(size_each, |a, &n| a.checked_mul(n)).unwrap_or(u64::MAX);
        if needed > self.max_bytes {
            return Err(Error::TooLarge { what: what.to_owned(), needed_bytes: needed, limit_bytes: self.max_bytes, path: None });
        }
        usize::try_from(needed).map_err(|_| Error::unsupported(format!("{what} does not fit this machine's address space")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_is_too_large() {
        let limits = Limits::default();
        assert!(matches!(limits.check("voxels", &[u64::MAX, u64::MAX], 2), Err(Error::TooLarge { .. })));
        assert_eq!(limits.check("voxels", &[2, 3], 4).unwrap(), 24);
    }
}
