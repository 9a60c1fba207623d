//! A tissue section: its histology picture, the size of a pixel, its spots and their genes.

use super::Expression;
use crate::base::{Error, Result};
use crate::space::DVec2;
use std::sync::Arc;

/// One resolution of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureLevel {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// RGBA, 8 bits each, gamma-encoded sRGB, row by row.
    pub rgba: Arc<[u8]>,
    /// Full-resolution pixels per pixel of this level.
    pub scale: f64,
    /// Full-resolution position of this level's first pixel center: `full = scale · p + offset`.
    pub offset: f64,
    /// As `hires` or `level 2`.
    pub name: String,
}

/// Histology as an image pyramid, finest level first.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// At least one level.
    pub levels: Vec<PictureLevel>,
    /// Size of the full-resolution picture in pixels (it may not be loaded itself).
    pub full_size: [f64; 2],
}

impl Picture {
    /// One level at full resolution.
    pub fn single(width: usize, height: usize, rgba: Vec<u8>) -> Result<Self> {
        Self::shared(width, height, rgba.into())
    }

    /// The same for pixels that are shared already.
    pub fn shared(width: usize, height: usize, rgba: Arc<[u8]>) -> Result<Self> {
        if width == 0 || height == 0 || rgba.len() != width * height * 4 {
            return Err(Error::malformed(format!("{} bytes for a picture of {width}×{height} RGBA pixels", rgba.len())));
        }
        let level = PictureLevel { width, height, rgba, scale: 1.0, offset: 0.0, name: "full".into() };
        Ok(Self { levels: vec![level], full_size: [width as f64, height as f64] })
    }
}

/// How large a full-resolution pixel is.
#[derive(Clone, Debug, PartialEq)]
pub enum PixelSize {
    /// Known, with the reason in words ("spot lattice", "OME metadata", "typed").
    Known {
        /// µm per full-resolution pixel.
        um_per_px: f64,
        /// Where it comes from.
        source: String,
    },
    /// Nobody said; distances on this section have no unit.
    Unknown,
}

/// Spots (or cells) on a section, in the order of the expression's observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Spots {
    /// Centers in full-resolution pixels, x right, y down.
    pub px: Arc<[DVec2]>,
    /// Diameter in full-resolution pixels.
    pub diameter_px: f64,
    /// Whether each lies on tissue.
    pub in_tissue: Vec<bool>,
}

/// A tissue section. Section space is millimeters with the origin at the first pixel's center, y down.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What it is called on screen.
    pub name: String,
    /// Histology.
    pub picture: Option<Arc<Picture>>,
    /// Size of a pixel.
    pub pixel_size: PixelSize,
    /// Where the spots are.
    pub spots: Option<Arc<Spots>>,
    /// What they express; observations are in the order of the spots.
    pub expression: Option<Arc<Expression>>,
}

impl Section {
    /// Section mm per full-resolution pixel. Where the pixel size is unknown, 1 px stands for 1 µm and
    /// every number must be labeled as pixels (see [`Self::has_unit`]).
    #[must_use]
    pub fn mm_per_px(&self) -> f64 {
        match self.pixel_size {
            PixelSize::Known { um_per_px, .. } => um_per_px / 1000.0,
            PixelSize::Unknown => 0.001,
        }
    }

    /// Whether lengths on the section are real millimeters.
    #[must_use]
    pub fn has_unit(&self) -> bool {
        matches!(self.pixel_size, PixelSize::Known { .. })
    }

    /// Corners (least, greatest) in section mm of the picture, or of the spots where there is none.
    #[must_use]
    pub fn bounds_mm(&self) -> [DVec2; 2] {
        let scale = self.mm_per_px();
        if let Some(picture) = &self.picture {
            let [w, h] = picture.full_size;
            return [DVec2::splat(-0.5) * scale, DVec2::new(w - 0.5, h - 0.5) * scale];
        }
        let Some(spots) = self.spots.as_ref().filter(|s| !s.px.is_empty()) else { return [DVec2::ZERO, DVec2::ONE] };
        let margin = DVec2::splat(spots.diameter_px);
        let low = spots.px.iter().copied().reduce(DVec2::min).unwrap_or_default() - margin;
        let high = spots.px.iter().copied().reduce(DVec2::max).unwrap_or_default() + margin;
        [low * scale, high * scale]
    }
}
