//! Images of the heart on a regular grid: one phase (a volume) or many (a cine).

use crate::base::{Error, Result};
use crate::space::Grid;
use std::sync::Arc;

/// Voxels of one phase in their native type; memory index `i + nx·(j + ny·k)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Unsigned bytes.
    U8(Arc<[u8]>),
    /// Signed 16-bit.
    I16(Arc<[i16]>),
    /// Unsigned 16-bit.
    U16(Arc<[u16]>),
    /// Single precision; may hold NaN.
    F32(Arc<[f32]>),
}

impl Samples {
    /// Number of voxels.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The stored value, before rescale.
    #[must_use]
    pub fn stored(&self, index: usize) -> f32 {
        match self {
            Self::U8(v) => f32::from(v[index]),
            Self::I16(v) => f32::from(v[index]),
            Self::U16(v) => f32::from(v[index]),
            Self::F32(v) => v[index],
        }
    }

    /// Bytes in memory.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        match self {
            Self::U8(v) => v.len(),
            Self::I16(v) => v.len() * 2,
            Self::U16(v) => v.len() * 2,
            Self::F32(v) => v.len() * 4,
        }
    }
}

/// An image of the heart: `phases.len()` is 1 for a volume, more for a cine.
/// The value shown is `slope · stored + intercept` in `unit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// What it is called on screen; never a patient name.
    pub name: String,
    /// As `MR`, `CT`, `US`, or empty where unknown.
    pub modality: String,
    /// Size and place.
    pub grid: Grid,
    /// One array per phase, each of `grid.n_voxels()`.
    pub phases: Vec<Samples>,
    /// Time of each phase after the R wave in ms; empty where unknown.
    pub phase_times_ms: Vec<f64>,
    /// Rescale slope.
    pub slope: f64,
    /// Rescale intercept.
    pub intercept: f64,
    /// Unit of the rescaled value, as `HU`, or empty.
    pub unit: String,
    /// Whether the file said that lengths are millimeters (or another known unit).
    pub length_unit_known: bool,
    /// Display window (low, high) of rescaled values, from the file or from percentiles.
    pub window: (f64, f64),
    /// (slice, phase) that no file filled; their voxels are the lowest value.
    pub missing: Vec<(usize, usize)>,
}

impl Volume {
    /// Checks that every phase has the grid's number of voxels and sets the window to the 0.5 and
    /// 99.5 percentiles of a regular sample. Rescale 1, 0; everything else empty.
    pub fn new(name: impl Into<String>, grid: Grid, phases: Vec<Samples>) -> Result<Self> {
        let mut volume = Self::without_window(name, grid, phases)?;
        volume.set_percentile_window();
        Ok(volume)
    }

    /// As [`Self::new`] with the window (0, 1), for readers that know a rescale or a window of the file.
    pub fn without_window(name: impl Into<String>, grid: Grid, phases: Vec<Samples>) -> Result<Self> {
        if phases.is_empty() || phases.iter().any(|p| p.len() != grid.n_voxels()) {
            let counts: Vec<usize> = phases.iter().map(Samples::len).collect();
            return Err(Error::malformed(format!("{} voxels were expected in each phase, found {counts:?}", grid.n_voxels())));
        }
        Ok(Self {
            name: name.into(),
            modality: String::new(),
            grid,
            phases,
            phase_times_ms: Vec::new(),
            slope: 1.0,
            intercept: 0.0,
            unit: String::new(),
            length_unit_known: true,
            window: (0.0, 1.0),
            missing: Vec::new(),
        })
    }

    /// Sets the window to the 0.5 and 99.5 percentiles of the rescaled values.
    pub fn set_percentile_window(&mut self) {
        self.window = self.percentile_window(0.005, 0.995);
    }

    /// Number of phases.
    #[must_use]
    pub fn n_phases(&self) -> usize {
        self.phases.len()
    }

    /// The rescaled value of a voxel.
    #[must_use]
    pub fn value(&self, phase: usize, index: usize) -> f64 {
        f64::from(self.phases[phase].stored(index)) * self.slope + self.intercept
    }

    /// Percentiles of the finite values (at most 65 536 of them, regularly spaced) as a window.
    #[must_use]
    pub fn percentile_window(&self, low: f64, high: f64) -> (f64, f64) {
        let n = self.grid.n_voxels();
        let total = n * self.phases.len();
        let step = (total / 65_536).max(1);
        let mut values: Vec<f64> = (0..total).step_by(step).map(|i| self.value(i / n, i % n)).filter(|v| v.is_finite()).collect();
        if values.is_empty() {
            return (0.0, 1.0);
        }
        values.sort_by(f64::total_cmp);
        let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
        let (a, b) = (at(low), at(high));
        if b > a { (a, b) } else { (a, a + 1.0) }
    }

    /// Time of a phase in ms, where known.
    #[must_use]
    pub fn time_ms(&self, phase: usize) -> Option<f64> {
        self.phase_times_ms.get(phase).copied()
    }
}
