//! Spots in categories: what they are grouped by, and which is in which. Plots show one row for each, and the one that
//! lights up does so in every pane.

use crate::model::ElementId;
use std::sync::Arc;

/// What the spots of a section are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// A field of an analysis or a column with categories, by its name.
    Column(String),
    /// The regions that were marked; a spot in several is in the first.
    Regions,
    /// The segments of the heart that the section is registered to.
    Segments,
}

impl GroupBy {
    /// Name on screen.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Column(name) => name,
            Self::Regions => "Regions",
            Self::Segments => "Segments",
        }
    }
}

/// The spots of a section in categories.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotGroups {
    /// The section.
    pub section: ElementId,
    /// What they are grouped by.
    pub by: GroupBy,
    /// The category of each spot; `u32::MAX` for spots without one, off the tissue or left out.
    pub codes: Arc<[u32]>,
    /// Names of the categories.
    pub names: Vec<String>,
    /// Their colors, the same as on the section.
    pub rgb: Vec<[u8; 3]>,
    /// Spots in each.
    pub sizes: Vec<usize>,
}

impl SpotGroups {
    /// The category of a spot.
    #[must_use]
    pub fn of(&self, spot: usize) -> Option<u32> {
        self.codes.get(spot).copied().filter(|c| (*c as usize) < self.names.len())
    }
}
