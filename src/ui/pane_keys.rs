//! A pane without the mouse: the focus that a person sees, and the keys that move its cursor, zoom and place
//! landmarks. Slices and phases have commands of their own.

use super::desk::Desk;
use super::marks::Pen;
use super::pane_input::place;
use crate::scene::{PaneKind, Scene};
use crate::session::ViewAction;
use crate::space::{DVec2, Space};
use egui::{EventFilter, Key, Modifiers, Response, Stroke, StrokeKind, Ui};

/// Points that the cursor moves at a press.
const STEP: f64 = 5.0;

/// Keeps track of the focus, draws it, and does what the keys say.
pub(super) fn interact(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) {
    desk.memo.shown_panes.push(kind);
    if desk.memo.wants_focus == Some(kind) {
        desk.memo.wants_focus = None;
        response.request_focus();
    }
    if !response.has_focus() {
        desk.memo.focused_pane = desk.memo.focused_pane.filter(|k| *k != kind);
        return;
    }
    desk.memo.focused_pane = Some(kind);
    let filter = EventFilter { tab: false, horizontal_arrows: true, vertical_arrows: true, escape: false };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    let ring = Stroke::new(2.0, desk.theme.on_image().accent);
    pen.painter.rect_stroke(pen.rect, 0.0, ring, StrokeKind::Inside);
    move_cursor(ui, desk, kind, pen, scene);
    zoom(ui, desk, kind, pen);
    if desk.memo.landmark_tool
        && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter))
        && let Some(at) = cursor(desk, kind)
    {
        place(desk, kind, at);
    }
}

/// The cursor in mm of a pane, through the chain where it was put elsewhere.
fn cursor(desk: &Desk<'_>, kind: PaneKind) -> Option<DVec2> {
    let view = &desk.session.view;
    match kind {
        PaneKind::Bullseye => None,
        PaneKind::Section => view.section_cursor.or_else(|| {
            let id = view.section?;
            let at = desk.session.study.atlas().transform(Space::Section(id.0), Space::Patient, view.cursor?).ok()?;
            Some(at.truncate())
        }),
        _ => Some(desk.session.shown_plane(kind)?.plane_from_lps(view.cursor?)),
    }
}

fn move_cursor(ui: &Ui, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, scene: &Scene) {
    let arrows =
        [(Key::ArrowLeft, DVec2::NEG_X), (Key::ArrowRight, DVec2::X), (Key::ArrowUp, DVec2::NEG_Y), (Key::ArrowDown, DVec2::Y)];
    let moved: DVec2 = ui.input_mut(|i| {
        let mut presses = |key| f64::from(u32::try_from(i.count_and_consume_key(Modifiers::SHIFT, key)).unwrap_or(0));
        arrows.into_iter().map(|(key, way)| way * presses(key)).sum()
    });
    if moved == DVec2::ZERO || kind == PaneKind::Bullseye {
        return;
    }
    let start = cursor(desk, kind).unwrap_or(scene.camera.center);
    let step_mm = STEP * f64::from(pen.pixels_per_point) * scene.camera.mm_per_px;
    desk.view(ViewAction::Cursor(Some((kind, start + moved * step_mm))));
}

fn zoom(ui: &Ui, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>) {
    let factor = ui.input_mut(|i| {
        let closer = i.consume_key(Modifiers::NONE, Key::Plus) || i.consume_key(Modifiers::NONE, Key::Equals);
        let farther = i.consume_key(Modifiers::NONE, Key::Minus);
        f64::from(i32::from(closer) - i32::from(farther))
    });
    if factor != 0.0 {
        let [w, h] = pen.size_px.map(f64::from);
        let camera = pen.camera.zoomed(pen.size_px, DVec2::new(w, h) / 2.0, 1.25f64.powf(factor));
        desk.view(ViewAction::Camera(kind, camera));
    }
}

/// The pane that is focused after this one.
pub(super) fn after(shown: &[PaneKind], now: Option<PaneKind>) -> Option<PaneKind> {
    let next = now.and_then(|k| shown.iter().position(|s| *s == k)).map_or(0, |i| i + 1);
    shown.get(next).or(shown.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_goes_round() {
        let shown = [PaneKind::ShortAxis, PaneKind::Section];
        assert_eq!(after(&shown, None), Some(PaneKind::ShortAxis));
        assert_eq!(after(&shown, Some(PaneKind::ShortAxis)), Some(PaneKind::Section));
        assert_eq!(after(&shown, Some(PaneKind::Section)), Some(PaneKind::ShortAxis));
        assert_eq!(after(&shown, Some(PaneKind::Bullseye)), Some(PaneKind::ShortAxis));
        assert_eq!(after(&[], None), None);
    }
}
