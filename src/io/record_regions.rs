//! Mirror type for disk of regions marked on sections.

use crate::base::{Error, Result};
use crate::model::{ElementId, SpotRegion};
use serde::{Deserialize, Serialize};

/// Numbers of spots that a file may name; more than any section has.
const MOST: u64 = 1 << 26;

/// A region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotRegionRecord {
    /// Its name.
    pub name: String,
    /// sRGB.
    pub rgb: [u8; 3],
    /// The section.
    pub section: u64,
    /// Runs of spots: the first number and how many.
    pub runs: Vec<[u32; 2]>,
}

impl From<&SpotRegion> for SpotRegionRecord {
    fn from(r: &SpotRegion) -> Self {
        let mut runs: Vec<[u32; 2]> = Vec::new();
        for &spot in &*r.spots {
            match runs.last_mut() {
                Some([first, n]) if *first + *n == spot => *n += 1,
                _ => runs.push([spot, 1]),
            }
        }
        Self { name: r.name.clone(), rgb: r.rgb, section: r.section.0, runs }
    }
}

impl SpotRegionRecord {
    /// The region; refused where runs are empty, out of order or far too long.
    pub fn to_region(&self) -> Result<SpotRegion> {
        let (mut end, mut n_all) = (0, 0);
        for &[first, n] in &self.runs {
            let (first, n) = (u64::from(first), u64::from(n));
            n_all += n;
            if n == 0 || first < end || first + n > u64::from(u32::MAX) || n_all > MOST {
                return Err(Error::malformed(format!("the region {:?} has runs of spots that cannot be", self.name)));
            }
            end = first + n;
        }
        let spots = self.runs.iter().flat_map(|&[first, n]| first..first + n).collect();
        Ok(SpotRegion { name: self.name.clone(), rgb: self.rgb, section: ElementId(self.section), spots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_back_and_odd_ones_are_refused() {
        let spots = [0, 1, 2, 7, 9, 10].into();
        let region = SpotRegion { name: "A".into(), rgb: [1, 2, 3], section: ElementId(4), spots };
        let record = SpotRegionRecord::from(&region);
        assert_eq!((record.runs.as_slice(), record.to_region().unwrap()), (&[[0, 3], [7, 1], [9, 2]][..], region));
        for runs in [vec![[0, 0]], vec![[5, 2], [6, 1]], vec![[u32::MAX, 2]], vec![[0, u32::MAX - 1]]] {
            assert!(SpotRegionRecord { runs, ..record.clone() }.to_region().is_err());
        }
    }
}
