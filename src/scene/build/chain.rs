//! From section to patient and back through the registration that the view shows.

use super::Inputs;
use crate::model::{ElementId, Fit, Registration, Section};
use crate::space::{DVec2, DVec3, Warp};
use std::sync::Arc;

/// The section that the view names, else the first.
pub(super) fn section<'a>(inputs: &Inputs<'a>) -> Option<(ElementId, &'a Arc<Section>)> {
    let named = inputs.view.section.and_then(|id| inputs.study.section(id).map(|s| (id, s)));
    named.or_else(|| inputs.study.sections().next())
}

/// The registration of that section.
pub(super) fn registration<'a>(inputs: &Inputs<'a>) -> Option<&'a Registration> {
    inputs.study.registrations.get(&section(inputs)?.0)
}

/// A fitted registration whose link is on, and whether it is shown mirrored.
pub(super) struct Chain<'a> {
    pub registration: &'a Registration,
    pub fit: &'a Fit,
    pub warp: &'a Warp,
    pub mirrored: bool,
}

impl<'a> Chain<'a> {
    pub fn of(inputs: &Inputs<'a>) -> Option<Self> {
        let registration = registration(inputs)?;
        let fit = registration.used_fit()?;
        Some(Self { registration, fit, warp: &fit.plane_from_section, mirrored: inputs.view.neurological })
    }

    /// Plane mm as displayed.
    pub fn shown(&self, plane: DVec2) -> DVec2 {
        shown(self.mirrored, plane)
    }

    pub fn lps_from_section(&self, p: DVec2) -> Option<DVec3> {
        let lps = self.registration.plane.lps_from_plane(self.warp.apply(p));
        lps.is_finite().then_some(lps)
    }

    pub fn section_from_lps(&self, lps: DVec3) -> Option<DVec2> {
        self.warp.inverse_at(self.registration.plane.plane_from_lps(lps), 1e-6).ok()
    }
}

/// Plane mm in a display that may be mirrored left to right.
pub(super) fn shown(mirrored: bool, plane: DVec2) -> DVec2 {
    if mirrored { DVec2::new(-plane.x, plane.y) } else { plane }
}

/// The linked cursor in the patient: placed there, or carried from the section.
pub(super) fn cursor_lps(inputs: &Inputs<'_>) -> Option<DVec3> {
    inputs.view.cursor.or_else(|| Chain::of(inputs)?.lps_from_section(inputs.view.section_cursor?))
}

/// The linked cursor on the section: placed there, or carried from the patient.
pub(super) fn cursor_section(inputs: &Inputs<'_>) -> Option<DVec2> {
    inputs.view.section_cursor.or_else(|| Chain::of(inputs)?.section_from_lps(inputs.view.cursor?))
}
