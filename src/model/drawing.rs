//! A picture as shapes: what a vector file holds. Positions and lengths are pixels, x right, y down, (0, 0)
//! the top left corner.

use crate::space::DVec2;
use std::sync::Arc;

/// Shapes from back to front.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width and height.
    pub size_px: [u32; 2],
    /// What it shows, in a few words.
    pub title: String,
    /// Sentences under it, as they are told to who cannot see it.
    pub description: String,
    /// sRGB behind everything.
    pub background: [u8; 3],
    /// The shapes.
    pub shapes: Vec<Shape>,
}

/// A disc with its color.
pub type Disc = (DVec2, [u8; 3]);

/// One shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Pixels.
    Picture {
        /// Top left corner.
        at: DVec2,
        /// Columns and rows, each a pixel of the drawing.
        size: [usize; 2],
        /// RGBA, 8 bits each, row by row.
        rgba: Arc<[u8]>,
    },
    /// Lines through points, with a soft dark edge.
    Lines {
        /// Each through its points.
        lines: Vec<Vec<DVec2>>,
        /// sRGB.
        rgb: [u8; 3],
        /// Width.
        width: f64,
        /// Width of the dark edge on each side.
        halo: f64,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        points: Vec<DVec2>,
        /// sRGB and opacity.
        rgba: [u8; 4],
        /// Hatched with lines so far apart.
        hatch: Option<f64>,
    },
    /// Discs of one size in their order.
    Discs {
        /// Radius.
        radius: f64,
        /// 0 to 1.
        opacity: f64,
        /// Only their edges.
        hollow: bool,
        /// Center and color of each.
        discs: Vec<Disc>,
    },
    /// An upright color scale.
    Ramp {
        /// Top left and bottom right corner.
        corners: [DVec2; 2],
        /// Colors from bottom to top, evenly spaced.
        colors: Vec<[u8; 3]>,
    },
    /// One line of text.
    Text {
        /// The point of the baseline that `anchor` names.
        at: DVec2,
        /// What.
        text: String,
        /// Height of the em.
        em: f64,
        /// Semi bold.
        bold: bool,
        /// sRGB.
        rgb: [u8; 3],
        /// Share of the text's width that is left of `at`: 0, 0.5 or 1.
        anchor: f64,
        /// With a soft dark edge.
        halo: bool,
    },
}
