//! Gray levels of the counted voxels in a box with an empty border, so that no neighbor has to be checked.

use super::region::{Region, bounds};
use super::{Discretize, RadiomicsSettings};
use crate::base::{Error, Result};

/// More gray levels say nothing, and some features look at all pairs of them.
pub(super) const MAX_LEVELS: u32 = 16_384;

/// Gray levels from 1, 0 where no voxel counts; the outermost layer of the box is empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Levels {
    pub size: [usize; 3],
    pub values: Vec<u16>,
    /// The shape in the same box, whose border zone distances are measured from.
    pub shape: Vec<bool>,
    /// The highest level that may occur.
    pub n_levels: usize,
}

/// What discretization gave.
pub(super) enum Discretized {
    Levels(Levels, Option<String>),
    /// Families that need levels stay empty, for this reason.
    Missing(String),
}

impl Levels {
    /// Levels of a region as the settings say; the note of a shift, where there was one.
    pub fn discretize(region: &Region, settings: &RadiomicsSettings) -> Result<Discretized> {
        let (low, high) = region
            .values
            .iter()
            .zip(&region.counted)
            .filter(|(_, c)| **c)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (v, _)| (a.min(*v), b.max(*v)));
        let mut note = None;
        let (n_levels, level): (f64, Box<dyn Fn(f64) -> f64>) = match settings.discretize {
            Discretize::Count(n) => {
                let (n, span) = (f64::from(n), high - low);
                (n, Box::new(move |v| if span > 0.0 { ((n * (v - low) / span).floor() + 1.0).min(n) } else { 1.0 }))
            }
            Discretize::Width(w) => {
                let start = settings.resegment.map_or(low, |(a, _)| a);
                let n = ((high - start) / w).floor() + 1.0;
                (n, Box::new(move |v| ((v - start) / w).floor() + 1.0))
            }
            Discretize::None | Discretize::IfWhole if region.whole => {
                let shift = if low < 1.0 { 1.0 - low } else { 0.0 };
                if shift > 0.0 {
                    note =
                        Some(format!("gray levels start at 1: {shift} was added to the intensities for histogram and texture"));
                }
                (high + shift, Box::new(move |v| v + shift))
            }
            stated => {
                let why = "the intensities are not whole numbers, so they are no gray levels; choose bins with --discretize width:W or count:N";
                return if stated == Discretize::None {
                    Err(Error::parameter(why))
                } else {
                    Ok(Discretized::Missing(why.into()))
                };
            }
        };
        if n_levels > f64::from(MAX_LEVELS) {
            let why = format!(
                "{n_levels} gray levels are more than {MAX_LEVELS}; choose fewer, wider bins with --discretize width:W or count:N"
            );
            return match settings.discretize {
                Discretize::IfWhole => Ok(Discretized::Missing(why)),
                _ => Err(Error::parameter(why)),
            };
        }
        Ok(Discretized::Levels(Self::filled(region, n_levels as usize, &level), note))
    }

    /// The smallest region there is.
    pub fn one_voxel() -> Self {
        let middle = |i: usize| i == 13;
        Self {
            size: [3; 3],
            values: (0..27).map(|i| u16::from(middle(i))).collect(),
            shape: (0..27).map(middle).collect(),
            n_levels: 1,
        }
    }

    fn filled(region: &Region, n_levels: usize, level: &dyn Fn(f64) -> f64) -> Self {
        let b = bounds(region.size, |i| region.shape[i]).unwrap_or_default();
        let size: [usize; 3] = std::array::from_fn(|a| b[a].1 - b[a].0 + 3);
        let mut values = vec![0; size.iter().product()];
        let mut shape = vec![false; values.len()];
        for k in b[2].0..=b[2].1 {
            for j in b[1].0..=b[1].1 {
                for i in b[0].0..=b[0].1 {
                    let from = i + region.size[0] * (j + region.size[1] * k);
                    let to = (i + 1 - b[0].0) + size[0] * ((j + 1 - b[1].0) + size[1] * (k + 1 - b[2].0));
                    shape[to] = region.shape[from];
                    if region.counted[from] {
                        values[to] = level(region.values[from]) as u16;
                    }
                }
            }
        }
        Self { size, values, shape, n_levels }
    }

    /// Memory step to the neighbor at an offset along i, j, k.
    pub fn step(&self, offset: [isize; 3]) -> isize {
        let [nx, ny] = [self.size[0] as isize, self.size[1] as isize];
        offset[0] + nx * (offset[1] + ny * offset[2])
    }

    /// Memory range of slice k.
    pub fn slice(&self, k: usize) -> std::ops::Range<usize> {
        let n = self.size[0] * self.size[1];
        k * n..(k + 1) * n
    }

    /// The slices that hold counted voxels.
    pub fn filled_slices(&self) -> Vec<usize> {
        (0..self.size[2]).filter(|k| self.values[self.slice(*k)].iter().any(|v| *v > 0)).collect()
    }

    /// Number of counted voxels in a memory range.
    pub fn n_counted(&self, range: std::ops::Range<usize>) -> usize {
        self.values[range].iter().filter(|v| **v > 0).count()
    }
}

/// The 13 directions in space (half of the 26 neighbors); the first four lie in the plane of a slice.
pub(super) const DIRECTIONS: [[isize; 3]; 13] = [
    [1, 0, 0],
    [0, 1, 0],
    [1, 1, 0],
    [-1, 1, 0],
    [0, 0, 1],
    [1, 0, 1],
    [-1, 0, 1],
    [0, 1, 1],
    [0, -1, 1],
    [1, 1, 1],
    [-1, 1, 1],
    [1, -1, 1],
    [-1, -1, 1],
];

/// How many of [`DIRECTIONS`] lie in a slice.
pub(super) const IN_PLANE: usize = 4;
