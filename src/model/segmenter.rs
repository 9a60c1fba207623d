//! How a person's own network wants its pictures and what its classes mean.

use super::LabelEntry;
use crate::base::{Error, Result};

/// Order of the axes of a network's input and output, batch and channels first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Rows, columns: a slice at a time.
    Nchw,
    /// Columns, rows: a slice at a time.
    Ncwh,
    /// Slices, rows, columns.
    Ncdhw,
    /// Columns, rows, slices.
    Ncwhd,
}

impl Layout {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Nchw, "NCHW"), (Self::Ncwh, "NCWH"), (Self::Ncdhw, "NCDHW"), (Self::Ncwhd, "NCWHD")];

    /// Whether it takes a whole volume.
    #[must_use]
    pub fn is_volume(self) -> bool {
        matches!(self, Self::Ncdhw | Self::Ncwhd)
    }
}

/// How values are brought to the network's scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normalize {
    /// As they are.
    None,
    /// Less their mean, over their standard deviation (n).
    ZScore,
    /// Two percentiles (0 to 100) become 0 and 1; beyond them values are cut.
    Percentile(f64, f64),
    /// Two values become 0 and 1; beyond them values are cut.
    Range(f64, f64),
    /// Less a mean, over a standard deviation.
    MeanSd(f64, f64),
}

/// How its output is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClassRule {
    /// The channel with the greatest value (of equal ones the first).
    Greatest,
    /// One channel: at least this value is class 1.
    Threshold(f64),
}

/// What a manifest says.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmenter {
    /// Name on screen.
    pub name: String,
    /// Order of axes.
    pub layout: Layout,
    /// Columns, rows, slices of the input; 0 takes those of the image.
    pub size: [usize; 3],
    /// Steps in mm; 0 takes those of the image.
    pub spacing_mm: [f64; 3],
    /// Scale of the values.
    pub normalize: Normalize,
    /// Statistics of the scale are of each slice instead of the volume.
    pub per_slice_statistics: bool,
    /// How the output is read.
    pub reading: ClassRule,
    /// Label of each class, class 0 first; 0 is nothing.
    pub labels: Vec<u8>,
    /// Names of the labels.
    pub table: Vec<LabelEntry>,
}

impl Segmenter {
    /// Refuses what no network can want. [`Error::Parameter`] says which entry.
    pub fn check(&self) -> Result<()> {
        let fail = |what: String| Err(Error::parameter(what));
        if self.spacing_mm.iter().any(|s| !s.is_finite() || *s < 0.0) {
            return fail(format!("spacing_mm {:?} must be millimeters above 0", self.spacing_mm));
        }
        if self.labels.len() < 2 || self.labels.len() > 256 {
            return fail(format!("{} classes; a segmenter has 2 to 256, class 0 among them", self.labels.len()));
        }
        match self.normalize {
            Normalize::Percentile(a, b) if !(0.0 <= a && a < b && b <= 100.0) => {
                fail(format!("percentiles {a} and {b} must rise between 0 and 100"))
            }
            Normalize::Range(a, b) if !(a < b && a.is_finite() && b.is_finite()) => {
                fail(format!("the range {a} to {b} must rise"))
            }
            Normalize::MeanSd(mean, sd) if !(mean.is_finite() && sd > 0.0 && sd.is_finite()) => {
                fail(format!("mean {mean} and std {sd} must be numbers, std above 0"))
            }
            _ => match self.reading {
                ClassRule::Threshold(t) if !t.is_finite() => fail(format!("the threshold {t} must be a number")),
                _ => Ok(()),
            },
        }
    }
}
