//! What is chosen before features are computed: grid, intensities that count, gray levels, aggregation.

use crate::base::{Error, Result};

/// How intensities become gray levels, which the histogram and the texture matrices count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Discretize {
    /// Nothing was asked for: whole intensities are gray levels; for others the families that need gray
    /// levels stay empty, with a note.
    #[default]
    IfWhole,
    /// The intensities are gray levels; refused where they are not whole numbers.
    None,
    /// Bins of a fixed width in units of intensity, the first one starts at the lower bound of the
    /// resegmentation or else at the lowest intensity.
    Width(f64),
    /// A fixed number of bins between lowest and highest intensity; the highest belongs to the last bin.
    Count(u32),
}

impl Discretize {
    /// The gray levels of a word: `none`, `width:W` or `count:N`; [`Error::Parameter`] for anything else.
    pub fn from_name(text: &str) -> Result<Self> {
        let wrong = || Error::parameter(format!("{text}: none, width:W or count:N was expected, as width:25 or count:32"));
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            Some(("width", width)) => width.parse().map(Self::Width).map_err(|_| wrong()),
            Some(("count", count)) => count.parse().map(Self::Count).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// How the texture matrices of slices and directions become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aggregation {
    /// A value for each slice and direction, averaged.
    Average2D,
    /// A value for each slice with its directions merged, averaged.
    Merged2D,
    /// A value for each direction with its slices merged, averaged.
    Average25D,
    /// Slices and in-plane directions merged.
    Merged25D,
    /// A value for each of the 13 directions in space, averaged.
    Average3D,
    /// The 13 directions merged.
    Merged3D,
}

/// Where a texture matrix without directions is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    Slices,
    MergedSlices,
    Volume,
}

impl Aggregation {
    /// All six, in the order of the reference table.
    pub const ALL: [Self; 6] =
        [Self::Average2D, Self::Merged2D, Self::Average25D, Self::Merged25D, Self::Average3D, Self::Merged3D];

    /// The end of the tags of families with directions, as `2_5D_avg`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Average2D => "2D_avg",
            Self::Merged2D => "2D_comb",
            Self::Average25D => "2_5D_avg",
            Self::Merged25D => "2_5D_comb",
            Self::Average3D => "3D_avg",
            Self::Merged3D => "3D_comb",
        }
    }

    /// Where families without directions are computed for this aggregation.
    pub(super) fn extent(self) -> Extent {
        match self {
            Self::Average2D | Self::Merged2D => Extent::Slices,
            Self::Average25D | Self::Merged25D => Extent::MergedSlices,
            Self::Average3D | Self::Merged3D => Extent::Volume,
        }
    }
}

impl Extent {
    /// The end of the tags of families without directions, as `2_5D`.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Slices => "2D",
            Self::MergedSlices => "2_5D",
            Self::Volume => "3D",
        }
    }
}

/// Settings of [`super::radiomics`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RadiomicsSettings {
    /// The label that is the region; `None` takes every label but 0.
    pub label: Option<u8>,
    /// Resample to cubes of this size in mm first.
    pub resample_mm: Option<f64>,
    /// Only intensities from the first to the second (both included) count; the shape stays as it is.
    pub resegment: Option<(f64, f64)>,
    /// Gray levels.
    pub discretize: Discretize,
    /// One aggregation; `None` gives all.
    pub aggregation: Option<Aggregation>,
}

impl RadiomicsSettings {
    /// [`Error::Parameter`] where a number is out of its range.
    pub fn check(&self) -> Result<()> {
        if let Some(mm) = self.resample_mm.filter(|mm| !mm.is_finite() || *mm <= 0.0) {
            return Err(Error::parameter(format!("resample {mm}: a size in mm above 0 was expected")));
        }
        if let Some((low, high)) = self.resegment.filter(|(a, b)| !(a.is_finite() && b.is_finite() && a <= b)) {
            return Err(Error::parameter(format!("resegment {low},{high}: two intensities in increasing order were expected")));
        }
        match self.discretize {
            Discretize::Width(w) if !w.is_finite() || w <= 0.0 => {
                Err(Error::parameter(format!("discretize width:{w}: a width above 0 was expected")))
            }
            Discretize::Count(n) if !(1..=super::levels::MAX_LEVELS).contains(&n) => {
                Err(Error::parameter(format!("discretize count:{n}: from 1 to {} bins were expected", super::levels::MAX_LEVELS)))
            }
            _ => Ok(()),
        }
    }

    /// The aggregations asked for.
    pub(super) fn aggregations(&self) -> Vec<Aggregation> {
        self.aggregation.map_or_else(|| Aggregation::ALL.to_vec(), |a| vec![a])
    }

    /// The extents asked for, each once.
    pub(super) fn extents(&self) -> Vec<Extent> {
        let mut extents: Vec<Extent> = self.aggregations().into_iter().map(Aggregation::extent).collect();
        extents.dedup();
        extents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_discretization() {
        assert_eq!(Discretize::from_name("width:2.5").unwrap(), Discretize::Width(2.5));
        assert_eq!(Discretize::from_name("count:32").unwrap(), Discretize::Count(32));
        assert!(["width", "count:x", "count:-1", "bins:3", ""].iter().all(|t| Discretize::from_name(t).is_err()));
    }
}
