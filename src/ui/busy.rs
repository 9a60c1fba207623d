//! A person in a hurry, for measurements: 64 landmark pairs, the cursor always moving, one landmark always dragged.

use super::app::Workbench;
use crate::model::TransformModel;
use crate::scene::PaneKind;
use crate::session::{Action, RegisterAction, Side, ViewAction};
use crate::space::DVec2;

/// Pairs along each side.
const SIDE: usize = 8;

/// Where the dragged landmark begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    start: DVec2,
    radius: f64,
}

impl Busy {
    /// Gives the shown section 64 pairs near its fit and a thin plate; none where there is no fitted section.
    pub(super) fn begin(workbench: &mut Workbench) -> Option<Self> {
        let session = workbench.session();
        let r = session.registration()?.clone();
        let fit = r.used_fit()?.plane_from_section.clone();
        let [low, high] = session.study.section(r.section)?.bounds_mm();
        let place = |i: usize| low + (high - low) * (DVec2::new((i % SIDE) as f64, (i / SIDE) as f64) + 0.5) / SIDE as f64;
        workbench.apply(Action::Register(RegisterAction::Reset));
        for i in 0..SIDE * SIDE {
            let wobble = DVec2::from_angle(i as f64) * 0.4;
            let fixed = r.plane.lps_from_plane(fit.apply(place(i)) + wobble);
            workbench.apply(Action::View(ViewAction::SelectPair(None)));
            workbench.apply(Action::Register(RegisterAction::Place(Side::Moving(place(i)))));
            workbench.apply(Action::Register(RegisterAction::Place(Side::Fixed(fixed))));
        }
        workbench.apply(Action::Register(RegisterAction::SetModel(TransformModel::ThinPlate)));
        Some(Self { start: place(SIDE * SIDE / 2 + SIDE / 2), radius: (high - low).min_element() * 0.02 })
    }

    /// What the person does before frame `k`.
    pub(super) fn step(&self, workbench: &mut Workbench, k: usize) {
        let at = self.start + DVec2::from_angle(k as f64 * 0.21) * self.radius;
        workbench.apply(Action::View(ViewAction::Cursor(Some((PaneKind::Section, at)))));
        let pair = SIDE * SIDE / 2 + SIDE / 2;
        workbench.apply(Action::Register(RegisterAction::Drag { pair, to: Side::Moving(at) }));
    }
}
