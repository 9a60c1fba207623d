//! What is on the screen, as a value; and the processor painter that is its reference.
//!
//! A [`Scene`] is one pane: what is drawn (cuts, labels, pictures, spots) in order, then the marks on
//! top of it. It is comparable and testable without a GPU; `render` draws the same value on one.

mod build;
mod colormap;
mod colormap_tables;
mod drawn;
mod heart_axis;
mod mark;
mod number;
mod paint;
mod phase;
mod planes;
mod spot_groups;
mod spot_values;
mod view;

pub use build::{
    BullseyeCell, BullseyeScale, CohortHit, Derived, Fractions, Inputs, LEAST_PIE_PX, MOST_PIES, SceneCache, Tile, build,
    build_plain, bullseye_at, bullseye_hit, bullseye_scale, cohort_hit, light_box_tile, lps_from_pane, pane_plane,
    section_from_pane,
};
pub use colormap::{ColorTable, color, color_index, color_table};
pub use drawn::{Compare, Drawn, LabelsDrawn, PictureDrawn, SliceDrawn, SpotsDrawn, WarpMesh};
pub use heart_axis::{HeartAxis, HeartView};
pub use mark::{Corner, Ink, LEGEND_ROWS, Mark, Pies, rule_lines};
pub use number::{fixed, round_length, significant};
pub use paint::{
    Caption, FONT_REGULAR, FONT_SEMIBOLD, Image, LEAST_RADIUS_PX, MOST_VECTOR_SPOTS, PLAIN_SPOT_RGB, PaintTheme, VoxelWalk,
    draw_vectors, is_shown, paint, paint_with_caption, picture_level,
};
pub use phase::{label_phase, phase_at, share_of_phase};
pub use planes::{PatientPlane, cut_bounds, default_planes, heart_axis, patient_plane};
pub use spot_groups::{GroupBy, SpotGroups};
pub use spot_values::{SpotValues, field_values, spot_values, try_spot_values};
pub use view::{BullseyeOf, BullseyeView, Camera, CompareMode, PaneKind, PaneView, View};

/// One pane's draw list.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width and height in physical pixels.
    pub size_px: [u32; 2],
    /// Where the pane looks.
    pub camera: Camera,
    /// sRGB behind everything.
    pub background: [u8; 3],
    /// From back to front.
    pub drawn: Vec<Drawn>,
    /// Lines, letters, bars: on top, in order.
    pub marks: Vec<Mark>,
}
