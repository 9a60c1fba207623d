//! From study and view to the draw list of one pane. Nothing is computed here that takes long: what
//! does is passed in as [`Derived`] or remembered in a [`SceneCache`].

mod bullseye;
mod cache;
mod chain;
mod cohort;
mod figures;
mod heart;
mod light_box;
mod overlay;
mod pies;
mod section;
mod shared;
#[cfg(test)]
mod tests;

pub use bullseye::{BullseyeCell, BullseyeScale, bullseye_at, bullseye_hit, bullseye_scale};
pub use cache::SceneCache;
pub use cohort::{CohortHit, cohort_hit};
pub use light_box::{Tile, light_box_tile};
pub use pies::{Fractions, LEAST_PIE_PX, MOST_PIES};

use super::spot_groups::SpotGroups;
use super::spot_values::SpotValues;
use super::{Camera, PaneKind, Scene, View};
use crate::model::{ElementId, LabelMap, Study};
use crate::space::{DVec2, DVec3, Plane};
use chain::Chain;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the session computed from the study and the panes show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derived {
    /// The seventeen segments as labels 1 to 17 in each phase, by the segmentation they were cut from.
    pub segments: BTreeMap<ElementId, Arc<LabelMap>>,
    /// The cells of the bullseye; empty where there are no segments.
    pub bullseye: Vec<BullseyeCell>,
    /// What the cells show; `None` is found from the cells and from what colors the spots.
    pub bullseye_scale: Option<BullseyeScale>,
    /// The cells of a second disc beside the first, in its own unit coordinates.
    pub bullseye_beside: Vec<BullseyeCell>,
    /// The segment of each spot of a registered section, 0 for none.
    pub spot_segments: BTreeMap<ElementId, Arc<[u8]>>,
    /// The segment of the muscle or spot under the cursor.
    pub cursor_segment: Option<u8>,
    /// What the spots of a section are colored by.
    pub spot_values: BTreeMap<ElementId, Arc<SpotValues>>,
    /// The categories of the spots of the section shown.
    pub groups: Option<Arc<SpotGroups>>,
    /// The cell types of sections whose spots may be drawn as pies.
    pub cell_types: BTreeMap<ElementId, Arc<Fractions>>,
}

/// All that a pane is made from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What is open.
    pub study: &'a Study,
    /// How it is looked at.
    pub view: &'a View,
    /// What was computed from it.
    pub derived: &'a Derived,
    /// Physical pixels per point; widths of lines and gaps of marks follow it.
    pub pixels_per_point: f32,
}

/// Room around what a fitted camera shows, as a share.
const MARGIN: f64 = 0.08;

/// The draw list of a pane of this size in physical pixels. Costs well under a millisecond once the
/// cache has seen the study; the first time, one pass over labels and spots.
#[must_use]
pub fn build(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, size_px: [u32; 2]) -> Scene {
    cache.keep_only(inputs.study);
    match pane {
        PaneKind::ShortAxis | PaneKind::TwoChamber | PaneKind::FourChamber => heart::heart_scene(inputs, cache, pane, size_px),
        PaneKind::Section => section::section_scene(inputs, cache, size_px),
        PaneKind::Overlay => overlay::overlay_scene(inputs, cache, size_px),
        PaneKind::Bullseye => bullseye::bullseye_scene(inputs, size_px),
        PaneKind::Cohort => cohort::cohort_scene(inputs, size_px),
        PaneKind::LightBox => light_box::light_box_scene(inputs, cache, size_px),
    }
}

/// As [`build`], without marks and, where the camera is fitted, without margins.
#[must_use]
pub fn build_plain(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, size_px: [u32; 2]) -> Scene {
    let mut scene = build(inputs, cache, pane, size_px);
    scene.marks.clear();
    if pane != PaneKind::Cohort && inputs.view.panes.get(&pane).is_none_or(|p| p.camera.is_none()) {
        scene.camera.mm_per_px /= 1.0 + MARGIN;
    }
    scene
}

/// The plane that a heart pane or the overlay shows, mirrored where the display is neurological; `None`
/// for the other panes or where nothing is open.
#[must_use]
pub fn pane_plane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind) -> Option<Plane> {
    let plane = match pane {
        PaneKind::Overlay => chain::registration(inputs)?.plane,
        PaneKind::Cohort | PaneKind::LightBox => return None,
        _ => heart::own_plane(inputs, cache, pane)?,
    };
    Some(if inputs.view.neurological { plane.mirrored() } else { plane })
}

/// The patient point (mm) under a place of a pane; in the section pane through the fit.
#[must_use]
pub fn lps_from_pane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, p: DVec2) -> Option<DVec3> {
    match pane {
        PaneKind::Section => Chain::of(inputs)?.lps_from_section(p),
        PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox => None,
        _ => Some(pane_plane(inputs, cache, pane)?.lps_from_plane(p)),
    }
}

/// The point of the section (mm) under a place of a pane; from the heart panes and the overlay through
/// the inverse of the fit, by the foot of the perpendicular on the section's plane.
#[must_use]
pub fn section_from_pane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, p: DVec2) -> Option<DVec2> {
    match pane {
        PaneKind::Section => Some(p),
        PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox => None,
        _ => Chain::of(inputs)?.section_from_lps(lps_from_pane(inputs, cache, pane, p)?),
    }
}

fn camera_of(inputs: &Inputs<'_>, pane: PaneKind, bounds: [DVec2; 2], size_px: [u32; 2]) -> Camera {
    let own = inputs.view.panes.get(&pane).and_then(|p| p.camera);
    own.unwrap_or_else(|| Camera::fit(bounds, size_px, MARGIN))
}
