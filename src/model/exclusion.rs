//! What is left out of analyses, and why. Nothing is deleted: an exclusion can be taken back.

use super::ElementId;

/// Something left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excluded {
    /// A subject of a cohort.
    Subject {
        /// The cohort.
        cohort: ElementId,
        /// The subject's pseudonym.
        subject: String,
    },
    /// A slice of a volume or segmentation.
    Slice {
        /// The volume or segmentation.
        element: ElementId,
        /// Slice number from 0.
        slice: usize,
    },
    /// Spots of a section.
    Spots {
        /// The section.
        section: ElementId,
        /// Names of the spots.
        names: Vec<String>,
    },
}

impl Excluded {
    /// The element that it is a part of.
    #[must_use]
    pub fn element(&self) -> ElementId {
        match self {
            Self::Subject { cohort: id, .. } | Self::Slice { element: id, .. } | Self::Spots { section: id, .. } => *id,
        }
    }
}

/// Something left out, with the reason that is printed wherever it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// What.
    pub what: Excluded,
    /// Why; never empty.
    pub reason: String,
}

impl std::fmt::Display for Exclusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            Excluded::Subject { subject, .. } => write!(f, "subject {subject}: {}", self.reason),
            Excluded::Slice { slice, .. } => write!(f, "slice {}: {}", slice + 1, self.reason),
            Excluded::Spots { names, .. } if names.len() == 1 => write!(f, "spot {}: {}", names[0], self.reason),
            Excluded::Spots { names, .. } => write!(f, "{} spots: {}", names.len(), self.reason),
        }
    }
}
