//! Marks on top of the picture: letters, bars, lines, landmarks, the cursor. They are vectors, drawn by
//! the window's own painter and by the processor painter.

use crate::model::ColorMap;
use crate::space::DVec2;
use std::sync::Arc;

/// Corner or edge of a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// Top left.
    TopLeft,
    /// Top right.
    TopRight,
    /// Bottom left.
    BottomLeft,
    /// Bottom right.
    BottomRight,
}

/// Categories that a legend lists at most.
pub const LEGEND_ROWS: usize = 16;

/// Colors of marks, by meaning; the theme gives the tint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Plain overlay text and lines.
    Plain,
    /// Less important.
    Dim,
    /// The interface accent: cursor, selection.
    Accent,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// A color of data, sRGB.
    Rgb([u8; 3]),
}

/// The rule of a color bar in lines of about `most` letters, broken after commas.
///
/// ```
/// use myoscope::scene::rule_lines;
/// assert_eq!(rule_lines("log1p CP10k, 0–p99, 3 left out", 20), ["log1p CP10k, 0–p99,", "3 left out"]);
/// ```
#[must_use]
pub fn rule_lines(rule: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in rule.split_inclusive(", ") {
        match lines.last_mut() {
            Some(line) if line.chars().count() + part.trim_end().chars().count() <= most => line.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines.into_iter().map(|l| l.trim_end().to_owned()).collect()
}

/// Discs cut into wedges by shares.
#[derive(Clone, Debug, PartialEq)]
pub struct Pies {
    /// Their middles, pane mm.
    pub centers: Vec<DVec2>,
    /// Centers × colors, row by row; a disc is cut by them as parts of their sum, clockwise from the top.
    pub shares: Vec<f32>,
    /// 0 to 255 for each center.
    pub opacity: Vec<u8>,
    /// sRGB.
    pub rgb: Vec<[u8; 3]>,
    /// Radius in pane mm.
    pub radius_mm: f64,
}

impl Pies {
    /// The wedges of a disc that are not empty: color and share of the turn from where to where, 0 to 1.
    pub fn wedges(&self, pie: usize) -> impl Iterator<Item = (usize, f32, f32)> + '_ {
        let k = self.rgb.len();
        let shares = self.shares.get(pie * k..(pie + 1) * k).unwrap_or_default();
        let whole: f32 = shares.iter().map(|s| s.max(0.0)).sum();
        let mut from = 0.0;
        shares.iter().enumerate().filter(|(_, s)| **s > 0.0).map(move |(i, s)| {
            let start = from;
            from += s / whole;
            (i, start, from.min(1.0))
        })
    }

    /// A direction of length 1 for a share of a turn, clockwise from the top.
    #[must_use]
    pub fn direction(turn: f32) -> [f32; 2] {
        let (sin, cos) = (turn * std::f32::consts::TAU).sin_cos();
        [sin, -cos]
    }
}

/// One mark. Positions are pane mm unless the name says pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// Patient directions on the edges: left, right, top, bottom.
    Letters([String; 4]),
    /// A bar of a round number of mm at the bottom right, with its label.
    ScaleBar {
        /// Length in mm.
        mm: f64,
        /// As `10 mm`.
        label: String,
    },
    /// A color bar with its rule at the right edge.
    ColorBar {
        /// Table.
        color_map: ColorMap,
        /// Value at the bottom.
        low: f64,
        /// Value at the top.
        high: f64,
        /// As `NPPA`.
        title: String,
        /// As `log1p CP10k, 0–p99`.
        rule: String,
        /// Names of the values 0, 1, … where they are categories: then each has its color, and there is no bar.
        names: Vec<String>,
    },
    /// Lines of text in a corner.
    Text {
        /// Where.
        corner: Corner,
        /// The lines.
        lines: Vec<String>,
    },
    /// A centered label at a place.
    Label {
        /// Where.
        at: DVec2,
        /// What.
        text: String,
        /// Color.
        ink: Ink,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<DVec2>,
        /// Closed to a polygon outline.
        closed: bool,
        /// Color.
        ink: Ink,
        /// Width in pixels.
        width_px: f32,
        /// Dashed where the meaning is weaker.
        dashed: bool,
    },
    /// A filled polygon.
    Fill {
        /// Corners; convex or an annular cell given as one ring.
        points: Vec<DVec2>,
        /// sRGB and opacity.
        rgba: [u8; 4],
        /// Hatched (missing data) instead of solid.
        hatched: bool,
    },
    /// One side of a landmark pair.
    Landmark {
        /// Where.
        at: DVec2,
        /// Its number from 1.
        number: usize,
        /// Its name.
        name: String,
        /// Its partner is not placed.
        hollow: bool,
        /// It is selected.
        selected: bool,
        /// It is left out of the fit or flagged.
        ink: Ink,
    },
    /// Discs cut into wedges.
    Pies(Arc<Pies>),
    /// The linked cursor.
    Cursor {
        /// Where.
        at: DVec2,
        /// Radius of the registration error in mm, drawn as a circle.
        sd_mm: Option<f64>,
    },
}
