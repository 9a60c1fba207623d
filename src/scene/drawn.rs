//! The things that are drawn pixel by pixel: cuts through volumes, labels, pictures, spots.
//!
//! Pane millimeters are the coordinates of the pane's plane (heart panes, overlay) or of the section
//! (section pane), x right, y down. The GPU keeps what an `Arc` points to for as long as it is drawn,
//! so a changed window, plane, phase or color uploads only a few numbers.

use crate::model::{ColorMap, LabelMap, Picture, Volume};
use crate::space::{DVec2, Plane};
use std::sync::Arc;

/// One thing drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Drawn {
    /// A cut through a volume.
    Slice(SliceDrawn),
    /// A cut through a segmentation.
    Labels(LabelsDrawn),
    /// A picture through a warp.
    Picture(PictureDrawn),
    /// Spots or cells.
    Spots(SpotsDrawn),
}

/// A cut through one phase of a volume. A pixel at pane mm `p` samples voxel
/// `voxel_from_lps · plane.lps_from_plane(p)`, trilinear or nearest; outside the grid nothing is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceDrawn {
    /// The volume.
    pub volume: Arc<Volume>,
    /// Which phase.
    pub phase: usize,
    /// The pane's plane.
    pub plane: Plane,
    /// Rescaled value of the lowest color.
    pub low: f64,
    /// Rescaled value of the highest color.
    pub high: f64,
    /// Color table.
    pub color_map: ColorMap,
    /// Trilinear, else nearest.
    pub smooth: bool,
    /// 0 to 1.
    pub opacity: f32,
}

/// A cut through one phase of a segmentation (always nearest), filled and outlined in the colors of
/// its table. A pixel belongs to the outline where a pixel within `outline_px` has another label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelsDrawn {
    /// The segmentation.
    pub labels: Arc<LabelMap>,
    /// Which phase.
    pub phase: usize,
    /// The pane's plane.
    pub plane: Plane,
    /// Opacity of the fill, 0 to 1.
    pub fill: f32,
    /// Width of the outline in screen pixels; 0 is none.
    pub outline_px: f32,
    /// Draw only this value (a clicked segment), or all.
    pub only: Option<u8>,
    /// The element whose voxels these are: another version of it changes the old one where it lies.
    pub element: Option<crate::model::ElementId>,
}

/// A triangulated grid that carries section mm to pane mm: `columns × rows` vertices, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct WarpMesh {
    /// Vertices across.
    pub columns: usize,
    /// Vertices down.
    pub rows: usize,
    /// Section mm of each vertex.
    pub source: Vec<DVec2>,
    /// Pane mm of each vertex.
    pub target: Vec<DVec2>,
}

/// How a picture or its spots share the pane with what is behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compare {
    /// Over it, with opacity.
    Blend,
    /// Only right of this share of the pane's width.
    Swipe(f32),
    /// Only on every other square of this many pixels.
    Checker(f32),
    /// Shown or not, in turn.
    Flicker(bool),
    /// Only the edges of the picture, as a line in the accent color; never saturates.
    Contour,
}

/// A picture drawn through a mesh. Texture position of section mm `s` is `s / mm_per_px` full-resolution
/// pixels; the level whose pixels are nearest to (not coarser than) screen pixels is sampled bilinearly.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureDrawn {
    /// The pyramid.
    pub picture: Arc<Picture>,
    /// mm per full-resolution pixel.
    pub mm_per_px: f64,
    /// Section mm to pane mm.
    pub mesh: Arc<WarpMesh>,
    /// 0 to 1.
    pub opacity: f32,
    /// How it shares the pane.
    pub compare: Compare,
}

/// Spots as discs. Positions stay while values change.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotsDrawn {
    /// Centers in pane mm (already warped).
    pub positions: Arc<[[f32; 2]]>,
    /// One value per spot; NaN is not drawn. `None` draws all in the plain color.
    pub values: Option<Arc<[f32]>>,
    /// Color of spots without values, sRGB.
    pub plain: [u8; 3],
    /// Radius in pane mm; never smaller than 0.75 pixels on the screen.
    pub radius_mm: f32,
    /// Value of the lowest color.
    pub low: f32,
    /// Value of the highest color.
    pub high: f32,
    /// Color table.
    pub color_map: ColorMap,
    /// 0 to 1.
    pub opacity: f32,
    /// How they share the pane.
    pub compare: Compare,
}
