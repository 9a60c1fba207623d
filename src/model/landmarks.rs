//! Named landmark pairs between a section (moving) and the heart (fixed).

use crate::space::{DVec2, DVec3};

/// One pair; a side that is not placed yet is `None` and is drawn hollow on the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Landmark {
    /// As `anterior RV insertion`.
    pub name: String,
    /// Section mm.
    pub moving: Option<DVec2>,
    /// Patient LPS mm.
    pub fixed: Option<DVec3>,
    /// Whether the fit uses it.
    pub active: bool,
}

impl Landmark {
    /// A pair with no side placed.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), moving: None, fixed: None, active: true }
    }

    /// Both sides, where both are placed and the pair is active.
    #[must_use]
    pub fn complete(&self) -> Option<(DVec2, DVec3)> {
        self.active.then_some(())?;
        Some((self.moving?, self.fixed?))
    }
}

/// All pairs of a registration, in the order of placing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Landmarks {
    /// The pairs.
    pub pairs: Vec<Landmark>,
}

impl Landmarks {
    /// Complete active pairs: index in `pairs`, moving (section mm), fixed (LPS mm).
    #[must_use]
    pub fn complete(&self) -> Vec<(usize, DVec2, DVec3)> {
        self.pairs.iter().enumerate().filter_map(|(i, l)| l.complete().map(|(m, f)| (i, m, f))).collect()
    }
}
