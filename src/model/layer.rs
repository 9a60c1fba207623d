//! How an element is shown: visibility, opacity, color map, limits, what it is colored by.

use super::ElementId;

/// Color tables of the program; none of them is a rainbow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorMap {
    /// Black to white, for anatomy.
    #[default]
    Gray,
    /// Sequential, default for expression.
    Viridis,
    /// Sequential on black.
    Magma,
    /// Sequential on black, warmer.
    Inferno,
    /// Sequential, safe for all color vision.
    Cividis,
    /// Diverging, blue to red, centered on 0.
    BlueRed,
    /// Eight colors that all color vision tells apart, then lighter and darker ones; entry i is category i.
    Categories,
}

impl ColorMap {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Gray, Self::Viridis, Self::Magma, Self::Inferno, Self::Cividis, Self::BlueRed, Self::Categories];

    /// Name on screen and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Viridis => "viridis",
            Self::Magma => "magma",
            Self::Inferno => "inferno",
            Self::Cividis => "cividis",
            Self::BlueRed => "blue-red",
            Self::Categories => "categories",
        }
    }

    /// The map of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
}

/// Limits of a color scale and the rule that gave them.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// Value of the lowest color.
    pub low: f64,
    /// Value of the highest color.
    pub high: f64,
    /// As `0–p99` or `typed`.
    pub rule: String,
}

/// What kind of drawing a layer is, with its own settings.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerKind {
    /// A volume or cine cut by planes.
    Image {
        /// Window of rescaled values.
        low: f64,
        /// Upper end of the window.
        high: f64,
        /// Color table.
        color_map: ColorMap,
        /// Trilinear where true, else nearest.
        smooth: bool,
    },
    /// A segmentation.
    Labels {
        /// Opacity of the fill, 0..1.
        fill: f64,
        /// Width of the outline in screen pixels.
        outline_px: f64,
    },
    /// A section's histology.
    Picture,
    /// A section's spots, colored by a gene or by a column.
    Spots {
        /// Gene or observation column; `None` draws plain spots.
        color_by: Option<String>,
        /// Whether values are `ln(1 + 10⁴ · count / total)` instead of counts.
        log_normalized: bool,
        /// Color table.
        color_map: ColorMap,
        /// Limits; `None` is 0–p99 of the spots on tissue.
        range: Option<Range>,
    },
}

/// One row of the layer list, drawn from first to last.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The element drawn.
    pub element: ElementId,
    /// How.
    pub kind: LayerKind,
    /// Whether it is drawn.
    pub visible: bool,
    /// 0 (nothing) to 1.
    pub opacity: f64,
}
