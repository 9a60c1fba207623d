//! What a person drew to measure: lengths, angles, areas, in patient mm.

use super::ElementId;
use crate::space::DVec3;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FigureKind {
    /// Two points.
    Length,
    /// Three points, the vertex in the middle.
    Angle,
    /// Three corners or more, in order.
    Polygon,
    /// The center, and an end of each of two half axes (conjugate ones, so any plane will do).
    Ellipse,
}

impl FigureKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Length, Self::Angle, Self::Polygon, Self::Ellipse];

    /// Name on screen, on disk and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Angle => "angle",
            Self::Polygon => "polygon",
            Self::Ellipse => "ellipse",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// Whether a figure of this kind can have so many points.
    #[must_use]
    pub fn takes(self, n_points: usize) -> bool {
        match self {
            Self::Length => n_points == 2,
            Self::Angle | Self::Ellipse => n_points == 3,
            Self::Polygon => n_points >= 3,
        }
    }
}

/// One figure on an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// As `length 1`.
    pub name: String,
    /// What it measures.
    pub kind: FigureKind,
    /// Patient LPS mm.
    pub points: Vec<DVec3>,
    /// The image it lies on, whose pixels give its uncertainty.
    pub image: ElementId,
    /// Phase of the image whose values count.
    pub phase: usize,
}
