//! What is particular to the panes of the heart: which image they show, how they cut, the three clicks that give the
//! heart's axis, and the grid of the light box.

use super::desk::{Desk, small};
use super::marks::Pen;
use crate::model::ElementId;
use crate::scene::{HeartView, PaneKind, PatientPlane, SceneCache, light_box_tile};
use crate::session::ViewAction;
use crate::space::{DVec2, DVec3};
use egui::{Button, Ui};

/// What is asked for, in order.
const PLACES: [&str; 3] = [
    "Click the apex of the left ventricle",
    "Now the middle of the mitral valve (the base)",
    "Now the right ventricle, or its insertion at the septum",
];

/// The header's chooser of the image: the pane follows the study, or stays with one image, as of another patient.
pub(super) fn pin(ui: &mut Ui, desk: &mut Desk<'_>, kind: PaneKind) {
    let all: Vec<(ElementId, String)> = desk.session.study.volumes().map(|(id, v)| (id, v.name.clone())).collect();
    let pinned = desk.session.view.panes.get(&kind).and_then(|p| p.heart);
    let room = ui.available_width() - 24.0;
    if all.is_empty() || room < 60.0 {
        return;
    }
    let shown = desk.session.heart_in(kind).map_or_else(String::new, |v| v.name.clone());
    let letters = ((room / 6.5) as usize).clamp(6, 40);
    let short = if shown.chars().count() > letters {
        format!("{}…", shown.chars().take(letters - 1).collect::<String>())
    } else {
        shown.clone()
    };
    let mark = if pinned.is_some() { "• " } else { "" };
    let text = small(desk.theme, format!("{mark}{short}"));
    let text = if pinned.is_some() { text.color(desk.colors().accent) } else { text.color(desk.colors().dim) };
    let hint = if pinned.is_some() {
        format!("{shown}: this pane stays with it, at the same share of the beat")
    } else {
        format!("{shown}: this pane shows the image chosen in the study; choose one to stay with")
    };
    let list = ui.menu_button(text, |ui| {
        ui.set_min_width(200.0);
        let row = |ui: &mut Ui, is: bool, text: &str| ui.add(Button::selectable(is, text).frame_when_inactive(false)).clicked();
        if row(ui, pinned.is_none(), "Follow the study") {
            desk.view(ViewAction::Pin(kind, None));
            ui.close();
        }
        ui.separator();
        for (id, name) in &all {
            if row(ui, pinned == Some(*id), name) {
                desk.view(ViewAction::Pin(kind, Some(*id)));
                ui.close();
            }
        }
    });
    list.response.on_hover_text(hint);
}

/// Slices or phases.
pub(super) fn light_box_tools(ui: &mut Ui, desk: &mut Desk<'_>) {
    let phases = desk.session.view.light_box_phases;
    let many = desk.session.heart().is_some_and(|v| v.n_phases() > 1);
    for (on, name, hint) in
        [(true, "Phases", "All phases of the slice shown"), (false, "Slices", "All slices of the phase shown")]
    {
        let button = Button::selectable(phases == on, small(desk.theme, name));
        let response = ui.add_enabled(many || !on, button).on_hover_text(hint);
        if response.on_disabled_hover_text("The image has one phase only.").clicked() {
            desk.view(ViewAction::LightBoxPhases(on));
        }
    }
}

/// A click on a tile goes to its slice and phase.
pub(super) fn click_tile(desk: &mut Desk<'_>, pen: &Pen<'_>, mm: DVec2) {
    let inputs = super::pane_input::inputs_of(desk, pen.pixels_per_point);
    let Some(tile) = light_box_tile(&inputs, &mut SceneCache::default(), pen.size_px, mm) else { return };
    if desk.session.view.light_box_phases {
        desk.view(ViewAction::Play(false));
        desk.view(ViewAction::Phase(tile.share + 1e-6));
        return;
    }
    let plane = if desk.session.view.neurological { tile.plane.mirrored() } else { tile.plane };
    desk.view(ViewAction::Plane(PaneKind::ShortAxis, plane));
}

/// The cuts by name, in the menu of a right click.
pub(super) fn cuts(ui: &mut Ui, desk: &mut Desk<'_>, kind: PaneKind) {
    if !kind.is_heart() {
        return;
    }
    ui.menu_button("Cut as", |ui| {
        ui.set_min_width(170.0);
        let row = |ui: &mut Ui, text: &str| ui.add(Button::new(text).frame_when_inactive(false)).clicked();
        let mut chosen = None;
        for view in HeartView::ALL {
            if row(ui, view.title()) {
                chosen = Some(ViewAction::Cut(kind, view));
            }
        }
        ui.separator();
        for (plane, name) in
            [(PatientPlane::Axial, "Axial"), (PatientPlane::Coronal, "Coronal"), (PatientPlane::Sagittal, "Sagittal")]
        {
            if row(ui, name) {
                chosen = Some(ViewAction::PatientCut(kind, plane));
            }
        }
        ui.separator();
        if row(ui, "As found from image and labels") {
            chosen = Some(ViewAction::FoundPlane(kind));
        }
        if let Some(action) = chosen {
            desk.view(action);
            ui.close();
        }
    });
    if ui.add(Button::new("Find planes by three clicks").frame_when_inactive(false)).clicked() {
        begin_axis(desk);
        ui.close();
    }
}

/// Begins to ask for apex, base and right ventricle.
pub(super) fn begin_axis(desk: &mut Desk<'_>) {
    desk.memo.landmark_tool = false;
    desk.memo.axis_tool = Some(Vec::new());
}

/// Takes a click for the axis; whether it was one.
pub(super) fn take_axis_click(desk: &mut Desk<'_>, kind: PaneKind, mm: DVec2) -> bool {
    let Some(mut places) = desk.memo.axis_tool.take() else { return false };
    if let Some(lps) = super::panes::lps_at(desk, kind, mm).filter(|_| kind.is_heart()) {
        places.push(lps);
        desk.view(ViewAction::Follow(kind, lps));
    }
    match <[DVec3; 3]>::try_from(places) {
        Ok(points) => desk.view(ViewAction::Axis(points)),
        Err(places) => desk.memo.axis_tool = Some(places),
    }
    true
}

/// What the next click is for.
pub(super) fn axis_prompt(desk: &Desk<'_>) -> Option<&'static str> {
    PLACES.get(desk.memo.axis_tool.as_ref()?.len()).copied()
}
