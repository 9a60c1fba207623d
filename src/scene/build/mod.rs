//! From study and view to the draw list of one pane. Nothing is computed here that takes long: what
//! does is passed in as [`Derived`] or remembered in a [`SceneCache`].

mod bullseye;
mod cache;
mod chain;
mod heart;
mod overlay;
mod section;
mod shared;
#[cfg(test)]
mod tests;

pub use bullseye::{Bullseye, BullseyeCell, bullseye_hit};
pub use cache::SceneCache;

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
    /// The seventeen segments as labels 1 to 17, by the segmentation they were cut from.
    pub segments: BTreeMap<ElementId, Arc<LabelMap>>,
    /// The bullseye, where there is one.
    pub bullseye: Option<Arc<Bullseye>>,
    /// What the spots of a section are colored by.
    pub spot_values: BTreeMap<ElementId, Arc<SpotValues>>,
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
    /// Without marks and margins.
    pub plain: bool,
}

/// The draw list of a pane of this size in physical pixels. Costs well under a millisecond once the
/// cache has seen the study; the first time, one pass over labels and spots.
#[must_use]
pub fn build(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, size_px: [u32; 2]) -> Scene {
    let mut scene = match pane {
        PaneKind::ShortAxis | PaneKind::TwoChamber | PaneKind::FourChamber => heart::heart_scene(inputs, cache, pane, size_px),
        PaneKind::Section => section::section_scene(inputs, cache, size_px),
        PaneKind::Overlay => overlay::overlay_scene(inputs, cache, size_px),
        PaneKind::Bullseye => bullseye::bullseye_scene(inputs, size_px),
    };
    if inputs.plain {
        scene.marks.clear();
    }
    scene
}

/// The plane that a heart pane or the overlay shows, mirrored where the display is neurological; `None`
/// for the other panes or where nothing is open.
#[must_use]
pub fn pane_plane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind) -> Option<Plane> {
    let plane = match pane {
        PaneKind::Overlay => chain::registration(inputs)?.plane,
        _ => heart::own_plane(inputs, cache, pane)?,
    };
    Some(if inputs.view.neurological { plane.mirrored() } else { plane })
}

/// The patient point (mm) under a place of a pane; in the section pane through the fit.
#[must_use]
pub fn lps_from_pane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, p: DVec2) -> Option<DVec3> {
    match pane {
        PaneKind::Section => Chain::of(inputs)?.lps_from_section(p),
        PaneKind::Bullseye => None,
        _ => Some(pane_plane(inputs, cache, pane)?.lps_from_plane(p)),
    }
}

/// The point of the section (mm) under a place of a pane; from the heart panes and the overlay through
/// the inverse of the fit, by the foot of the perpendicular on the section's plane.
#[must_use]
pub fn section_from_pane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind, p: DVec2) -> Option<DVec2> {
    match pane {
        PaneKind::Section => Some(p),
        PaneKind::Bullseye => None,
        _ => Chain::of(inputs)?.section_from_lps(lps_from_pane(inputs, cache, pane, p)?),
    }
}

fn camera_of(inputs: &Inputs<'_>, pane: PaneKind, bounds: [DVec2; 2], size_px: [u32; 2]) -> Camera {
    let own = inputs.view.panes.get(&pane).and_then(|p| p.camera);
    own.unwrap_or_else(|| Camera::fit(bounds, size_px, if inputs.plain { 0.0 } else { 0.08 }))
}
