//! The mouse on a pane: radiology's habits in heart panes, those of slide viewers on the section and the
//! overlay. Landmarks move with the pointer after a dead zone, and the fit moves with them.

use super::cut_lines::{self, CutDrag};
use super::desk::Desk;
use super::marks::Pen;
use crate::model::{Layer, LayerKind};
use crate::scene::{Camera, CompareMode, Inputs, Mark, PaneKind, Scene, bullseye_at, cohort_hit};
use crate::session::{Action, RegisterAction, Side, ViewAction};
use crate::space::DVec2;
use egui::{Event, Key, MouseWheelUnit, PointerButton, Pos2, Response, Ui, Vec2};

/// How near to a landmark a press takes it, in points.
const GRAB: f32 = 10.0;

/// What a drag does.
#[derive(Clone, Debug)]
pub(super) enum Gesture {
    /// The image follows the pointer.
    Pan { from: Camera, press: Pos2 },
    /// Closer or farther about the pressed point.
    Zoom { from: Camera, press: Pos2 },
    /// Width right, level down.
    Window { index: usize, layer: Layer, press: Pos2 },
    /// A landmark.
    Landmark { pair: usize },
    /// Another cut, by its line.
    Cut(CutDrag),
    /// The divider of the swipe, and where it was.
    Swipe { from: f64 },
    /// A tool draws.
    Draw,
    /// Lasso or brush over spots.
    Region,
    /// Taken back with Esc; waits for the release.
    Over,
}

/// Everything the pointer does on a pane in this frame.
pub(super) fn interact(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) {
    if response.contains_pointer() {
        desk.memo.hovered = Some(kind);
        hover(ui, response, desk, kind, pen);
        wheel(ui, response, desk, kind, pen);
    } else if desk.memo.hovered == Some(kind) {
        desk.memo.hovered = None;
        desk.memo.pointer = None;
        if kind == PaneKind::Bullseye {
            desk.view(ViewAction::Light(None));
        }
        desk.memo.cohort_hit = None;
    }
    drag(ui, response, desk, kind, pen, scene);
    if !super::draw::click(ui, response, desk, kind, pen) && !super::lasso::click(ui, response, desk, kind, pen) {
        click(response, desk, kind, pen, scene);
    }
    cursor_icon(ui, response, desk, kind, pen, scene);
}

/// What scenes are made from.
pub(super) fn inputs_of<'a>(desk: &Desk<'a>, pixels_per_point: f32) -> Inputs<'a> {
    let session = desk.session;
    Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point }
}

fn hover(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>) {
    let Some(at) = response.hover_pos() else { return };
    let mm = pen.mm(at);
    if desk.memo.pointer == Some((kind, mm)) {
        return;
    }
    desk.memo.pointer = Some((kind, mm));
    if kind == PaneKind::Bullseye {
        let segment = bullseye_at(&desk.session.derived, mm).map(|(_, segment)| segment);
        if segment != desk.session.view.lit_segment {
            desk.view(ViewAction::Light(segment));
        }
    } else if kind == PaneKind::Cohort {
        desk.memo.cohort_hit = cohort_hit(&inputs_of(desk, pen.pixels_per_point), pen.size_px, mm);
    } else if ui.input(|i| i.pointer.delta() != Vec2::ZERO) || desk.session.view.cursor.is_none() {
        desk.view(ViewAction::Cursor(Some((kind, mm))));
        // With Shift all cuts follow the cursor, as in other viewers.
        if ui.input(|i| i.modifiers.shift && !i.pointer.any_down())
            && let Some(lps) = super::panes::lps_at(desk, kind, mm)
        {
            desk.view(ViewAction::Follow(kind, lps));
        }
    }
}

fn wheel(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>) {
    let Some(at) = response.hover_pos() else { return };
    let ticks: Vec<(f64, egui::Modifiers)> = ui.input(|i| i.events.iter().filter_map(ticks_of).collect());
    if super::draw::wheel(desk, kind, &ticks) || super::lasso::wheel(desk, kind, &ticks) {
        return;
    }
    // A slow frame holds many notches; what they do is absolute, so they are added up first.
    let sum = |which: &dyn Fn(&egui::Modifiers) -> bool| -> f64 { ticks.iter().filter(|(_, m)| which(m)).map(|(t, _)| t).sum() };
    let is_phase = |m: &egui::Modifiers| m.shift && !m.command;
    let is_zoom = |m: &egui::Modifiers| !is_phase(m) && (!kind.is_heart() || m.command);
    let (phases, closer) = (sum(&is_phase), sum(&is_zoom));
    let n = desk.session.heart().map_or(1, |v| v.n_phases()) as f64;
    if phases != 0.0 && n > 1.0 {
        desk.view(ViewAction::Phase(desk.session.view.cardiac_phase - phases / n));
    }
    if closer != 0.0 {
        let px = (at - pen.rect.min) * pen.pixels_per_point;
        let camera = pen.camera.zoomed(pen.size_px, DVec2::new(f64::from(px.x), f64::from(px.y)), 1.15f64.powf(closer));
        desk.view(ViewAction::Camera(kind, camera));
    }
    desk.memo.wheel_rest -= sum(&|m| !is_phase(m) && !is_zoom(m));
    let whole = desk.memo.wheel_rest.trunc();
    if whole != 0.0 {
        desk.memo.wheel_rest -= whole;
        desk.view(ViewAction::Slice(kind, whole));
    }
}

/// Notches of a wheel event, up positive; 40 points of a touch pad are one.
fn ticks_of(event: &Event) -> Option<(f64, egui::Modifiers)> {
    let Event::MouseWheel { unit, delta, modifiers, .. } = event else { return None };
    let along = if delta.y == 0.0 { delta.x } else { delta.y };
    let per_tick = match unit {
        MouseWheelUnit::Point => 40.0,
        MouseWheelUnit::Line => 1.0,
        MouseWheelUnit::Page => 0.2,
    };
    (along != 0.0).then(|| (f64::from(along / per_tick), *modifiers))
}

/// The landmark under a window position.
fn landmark_at(pen: &Pen<'_>, scene: &Scene, at: Pos2) -> Option<usize> {
    let near = scene.marks.iter().filter_map(|m| match m {
        Mark::Landmark { at: mm, number, .. } => Some((pen.at(*mm).distance(at), number.saturating_sub(1))),
        _ => None,
    });
    near.filter(|(d, _)| *d < GRAB).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, pair)| pair)
}

fn swipe_x(desk: &Desk<'_>, pen: &Pen<'_>) -> f32 {
    pen.rect.left() + pen.rect.width() * desk.session.view.mix as f32
}

fn is_on_swipe(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>, at: Pos2) -> bool {
    kind == PaneKind::Overlay && desk.session.view.compare == CompareMode::Swipe && (at.x - swipe_x(desk, pen)).abs() < 7.0
}

/// A fitted overlay would follow the warp; it stays where it is while a landmark moves.
fn hold_overlay(desk: &mut Desk<'_>) {
    let kind = PaneKind::Overlay;
    let fitted = desk.session.view.panes.get(&kind).is_none_or(|p| p.camera.is_none());
    if let Some((camera, _)) = desk.memo.drawn.get(&kind).copied().filter(|_| fitted) {
        desk.view(ViewAction::Camera(kind, camera));
    }
}

fn begin(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) -> Option<Gesture> {
    let press = ui.input(|i| i.pointer.press_origin())?;
    let (shift, turns, space) = ui.input(|i| (i.modifiers.shift, i.modifiers.command, i.key_down(Key::Space)));
    let pan = Gesture::Pan { from: pen.camera, press };
    if response.drag_started_by(PointerButton::Middle) {
        return Some(pan);
    }
    if response.drag_started_by(PointerButton::Secondary) {
        return Some(Gesture::Zoom { from: pen.camera, press });
    }
    if !response.drag_started_by(PointerButton::Primary) {
        return None;
    }
    if !space && super::lasso::begin(ui, desk, kind, pen, press) {
        return Some(Gesture::Region);
    }
    if shift || space {
        return Some(pan);
    }
    if super::draw::begin(ui, desk, kind, pen, press) {
        return Some(Gesture::Draw);
    }
    if let Some(pair) = landmark_at(pen, scene, press) {
        hold_overlay(desk);
        return Some(Gesture::Landmark { pair });
    }
    if is_on_swipe(desk, kind, pen, press) {
        return Some(Gesture::Swipe { from: desk.session.view.mix });
    }
    if let Some(cut) = cut_lines::begin(desk, kind, pen, press, turns) {
        return Some(Gesture::Cut(cut));
    }
    match kind {
        PaneKind::Section | PaneKind::Overlay | PaneKind::Bullseye | PaneKind::Cohort => Some(pan),
        _ => desk.image_layer_in(kind).map(|(index, layer)| Gesture::Window { index, layer, press }),
    }
}

fn drag(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) {
    if response.drag_started() {
        desk.memo.gesture = begin(ui, response, desk, kind, pen, scene).map(|g| (kind, g));
    }
    let Some((owner, gesture)) = desk.memo.gesture.clone().filter(|(owner, _)| *owner == kind) else { return };
    if response.drag_stopped() || !ui.input(|i| i.pointer.any_down()) {
        desk.memo.gesture = None;
        match gesture {
            Gesture::Landmark { .. } => desk.register(RegisterAction::EndDrag),
            Gesture::Window { .. } => desk.act(Action::KeepLayers),
            Gesture::Draw => super::draw::end(desk, kind),
            Gesture::Region => super::lasso::end(desk),
            _ => {}
        }
        return;
    }
    let Some(at) = response.interact_pointer_pos() else { return };
    match &gesture {
        Gesture::Pan { from, press } => {
            let moved = (at - *press) * pen.pixels_per_point;
            let center = from.center - DVec2::new(f64::from(moved.x), f64::from(moved.y)) * from.mm_per_px;
            desk.view(ViewAction::Camera(kind, Camera { center, ..*from }));
        }
        Gesture::Zoom { from, press } => {
            let px = (*press - pen.rect.min) * pen.pixels_per_point;
            let factor = (f64::from(press.y - at.y) * 0.01).exp();
            let camera = from.zoomed(pen.size_px, DVec2::new(f64::from(px.x), f64::from(px.y)), factor);
            desk.view(ViewAction::Camera(kind, camera));
        }
        Gesture::Window { index, layer, press } => window(desk, *index, layer, at - *press),
        Gesture::Landmark { pair } => {
            if let Some(to) = desk.session.side_at(kind, pen.mm(at)) {
                desk.register(RegisterAction::Drag { pair: *pair, to });
            }
        }
        Gesture::Cut(cut) => cut_lines::follow(desk, kind, pen, cut, at),
        Gesture::Swipe { .. } => {
            desk.view(ViewAction::Mix(f64::from((at.x - pen.rect.left()) / pen.rect.width())));
        }
        Gesture::Draw => super::draw::follow(ui, desk, kind, pen, at),
        Gesture::Region => super::lasso::follow(ui, desk, pen, at),
        Gesture::Over => {}
    }
    desk.memo.gesture = Some((owner, gesture));
}

/// Window and level: right is wider, down is darker, in proportion to the window at the press.
fn window(desk: &mut Desk<'_>, index: usize, start: &Layer, moved: Vec2) {
    let mut layer = start.clone();
    if let LayerKind::Image { low, high, .. } = &mut layer.kind {
        let (width, level) = ((*high - *low).abs().max(1e-6), f64::midpoint(*low, *high));
        let wider = width * (f64::from(moved.x) * 0.006).exp();
        let level = level + width * f64::from(moved.y) * 0.003;
        (*low, *high) = (level - wider / 2.0, level + wider / 2.0);
    }
    desk.act(Action::PreviewLayer { index, layer });
}

/// Esc while a drag is under way takes it back.
pub(super) fn cancel(desk: &mut Desk<'_>) -> bool {
    let Some((kind, gesture)) = desk.memo.gesture.take() else { return false };
    match gesture {
        Gesture::Landmark { .. } => desk.register(RegisterAction::CancelDrag),
        Gesture::Window { index, layer, .. } => desk.act(Action::PreviewLayer { index, layer }),
        Gesture::Pan { from, .. } | Gesture::Zoom { from, .. } => desk.view(ViewAction::Camera(kind, from)),
        Gesture::Cut(cut) => cut_lines::cancel(desk, &cut),
        Gesture::Swipe { from } => desk.view(ViewAction::Mix(from)),
        Gesture::Draw => super::draw::cancel(desk),
        Gesture::Region => super::lasso::cancel(desk),
        Gesture::Over => return false,
    }
    desk.memo.gesture = Some((kind, Gesture::Over));
    true
}

fn click(response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) {
    let Some(at) = response.interact_pointer_pos() else { return };
    if response.secondary_clicked() {
        desk.memo.menu_at = Some((kind, pen.mm(at)));
    }
    if response.double_clicked() && !desk.memo.landmark_tool && desk.memo.axis_tool.is_none() {
        desk.memo.maximized = if desk.memo.maximized.is_some() { None } else { Some(kind) };
        return;
    }
    if !response.clicked() {
        return;
    }
    if kind == PaneKind::LightBox {
        super::heart_pane::click_tile(desk, pen, pen.mm(at));
    } else if super::heart_pane::take_axis_click(desk, kind, pen.mm(at)) {
    } else if kind == PaneKind::Cohort {
        let hit = cohort_hit(&inputs_of(desk, pen.pixels_per_point), pen.size_px, pen.mm(at));
        desk.view(ViewAction::LightSubject(hit.map(|h| h.subject)));
    } else if kind == PaneKind::Bullseye {
        let segment = bullseye_at(&desk.session.derived, pen.mm(at)).map(|(_, segment)| segment);
        let again = segment == desk.session.view.selected_segment;
        desk.view(ViewAction::SelectSegment(segment.filter(|_| !again)));
    } else if let Some(pair) = landmark_at(pen, scene, at) {
        desk.view(ViewAction::SelectPair(Some(pair)));
    } else if desk.memo.landmark_tool {
        place(desk, kind, pen.mm(at));
    } else if kind == PaneKind::Section {
        super::analyze::click_spot(desk, pen.mm(at));
    }
}

/// Places one side of a landmark pair at a place of a pane.
pub(super) fn place(desk: &mut Desk<'_>, kind: PaneKind, mm: DVec2) {
    hold_overlay(desk);
    if let Some(side) = desk.session.side_at(kind, mm) {
        desk.register(RegisterAction::Place(side));
    }
}

/// Which side a click in the landmark tool should place next, in words.
pub(super) fn next_side(desk: &Desk<'_>) -> &'static str {
    let Some(r) = desk.session.registration() else { return "Click a place in the section or in the heart" };
    let half = r.landmarks.pairs.iter().find(|l| l.moving.is_some() != l.fixed.is_some());
    match half {
        Some(l) if l.moving.is_none() => "Now the same place in the section",
        Some(_) => "Now the same place in the heart",
        None => "Click a place in the section, then the same in the heart",
    }
}

fn cursor_icon(ui: &Ui, response: &Response, desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) {
    let Some(at) = response.hover_pos() else { return };
    let icon = if ui.input(|i| i.key_down(Key::Space)) {
        egui::CursorIcon::Grab
    } else if landmark_at(pen, scene, at).is_some() {
        egui::CursorIcon::Move
    } else if cut_lines::at(desk, kind, pen, at).is_some() {
        if ui.input(|i| i.modifiers.command) { egui::CursorIcon::AllScroll } else { egui::CursorIcon::Grab }
    } else if is_on_swipe(desk, kind, pen, at) {
        egui::CursorIcon::ResizeHorizontal
    } else if !matches!(kind, PaneKind::Bullseye | PaneKind::Cohort | PaneKind::LightBox) {
        egui::CursorIcon::Crosshair
    } else {
        egui::CursorIcon::Default
    };
    ui.ctx().set_cursor_icon(icon);
}

/// The side that a place of a pane would be, for the menu.
pub(super) fn side(desk: &Desk<'_>, kind: PaneKind, mm: DVec2) -> Option<Side> {
    desk.session.side_at(kind, mm)
}
