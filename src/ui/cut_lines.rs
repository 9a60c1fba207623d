//! The lines where the other cuts of the heart meet a pane: a drag moves the other cut, with Ctrl it turns it, so that
//! any oblique plane can be had; the handles near its ends turn it without a key.

use super::desk::Desk;
use super::marks::Pen;
use crate::scene::PaneKind;
use crate::session::ViewAction;
use crate::space::{DVec3, Plane};
use egui::Pos2;

/// How near to a line a press takes it, in points.
const GRAB: f64 = 5.0;

/// Radius of the handle that turns a cut, in points.
const HANDLE: f32 = 5.0;
/// Where the handles are on the part of the line in sight, as a share from its ends.
const HANDLE_SHARE: f32 = 0.12;

/// A cut that is dragged by its line in another pane.
#[derive(Clone, Debug)]
pub(super) struct CutDrag {
    other: PaneKind,
    from: Plane,
    /// Turned about this point instead of moved.
    pivot: Option<DVec3>,
    press: DVec3,
}

/// Distance in points of a window position from the line of another cut; none where they are nearly parallel.
fn distance(pen: &Pen<'_>, shown: &Plane, other: &Plane, at: Pos2) -> Option<f64> {
    let n = other.normal();
    let slope = shown.right().dot(n).hypot(shown.down().dot(n));
    let mm = other.distance_mm(shown.lps_from_plane(pen.mm(at))).abs() / slope;
    (slope > 0.035).then_some(mm / pen.camera.mm_per_px / f64::from(pen.pixels_per_point))
}

/// The other cut whose line lies under a window position.
pub(super) fn at(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>, at: Pos2) -> Option<PaneKind> {
    let shown = desk.session.shown_plane(kind).filter(|_| kind.is_heart())?;
    if let Some(other) = handle_at(desk, kind, pen, at) {
        return Some(other);
    }
    let near = others(desk, kind).filter_map(|o| Some((distance(pen, &shown, &desk.session.pane_plane(o)?, at)?, o)));
    near.filter(|(d, _)| *d < GRAB).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, other)| other)
}

/// The handles of the lines of the other cuts, near both ends of what is in sight of each.
fn handles(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>) -> Vec<(PaneKind, Pos2)> {
    let Some(shown) = desk.session.shown_plane(kind).filter(|_| kind.is_heart()) else { return Vec::new() };
    let mut all = Vec::new();
    for other in others(desk, kind) {
        let Some([a, b]) = desk.session.pane_plane(other).and_then(|o| in_sight(pen, &shown, &o)) else { continue };
        all.extend([(other, a.lerp(b, HANDLE_SHARE)), (other, b.lerp(a, HANDLE_SHARE))]);
    }
    all
}

/// The heart panes with the same image.
fn others(desk: &Desk<'_>, kind: PaneKind) -> impl Iterator<Item = PaneKind> + use<> {
    let view = &desk.session.view;
    let same: Vec<PaneKind> =
        PaneKind::ALL.into_iter().filter(|o| o.is_heart() && *o != kind && view.heart_in(*o) == view.heart_in(kind)).collect();
    same.into_iter()
}

/// The ends of another cut's line within the pane, in window points.
fn in_sight(pen: &Pen<'_>, shown: &Plane, other: &Plane) -> Option<[Pos2; 2]> {
    let n = other.normal();
    let slope = crate::space::DVec2::new(shown.right().dot(n), shown.down().dot(n));
    if slope.length() < 0.035 {
        return None;
    }
    let foot = -slope * (other.distance_mm(shown.origin()) / slope.length_squared());
    let along = slope.perp() / slope.length();
    let (at, to) = (pen.at(foot), pen.at(foot + along));
    let step = to - at;
    let inner = pen.rect.shrink(24.0);
    let (mut from, mut until) = (f32::NEG_INFINITY, f32::INFINITY);
    for (p, d, low, high) in [(at.x, step.x, inner.left(), inner.right()), (at.y, step.y, inner.top(), inner.bottom())] {
        if d.abs() < 1e-6 {
            if p < low || p > high {
                return None;
            }
            continue;
        }
        let (a, b) = ((low - p) / d, (high - p) / d);
        (from, until) = (from.max(a.min(b)), until.min(a.max(b)));
    }
    (from < until).then(|| [at + step * from, at + step * until])
}

/// The cut whose handle lies under a window position.
fn handle_at(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>, at: Pos2) -> Option<PaneKind> {
    handles(desk, kind, pen).into_iter().find(|(_, h)| h.distance(at) < HANDLE + 3.0).map(|(other, _)| other)
}

/// Draws the handles: a drag of one turns its cut.
pub(super) fn draw_handles(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>) {
    let colors = desk.theme.on_image();
    for (_, at) in handles(desk, kind, pen) {
        pen.painter.circle_filled(at, HANDLE, egui::Color32::from_black_alpha(120));
        pen.painter.circle_stroke(at, HANDLE, egui::Stroke::new(1.5, colors.text));
    }
}

/// Begins to drag the cut under a press.
pub(super) fn begin(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>, press: Pos2, turns: bool) -> Option<CutDrag> {
    let other = at(desk, kind, pen, press)?;
    let turns = turns || handle_at(desk, kind, pen, press).is_some();
    let (shown, from) = (desk.session.shown_plane(kind)?, desk.session.pane_plane(other)?);
    let heart = desk.session.heart_in(kind)?.grid.center_lps();
    // The heart's middle on this pane and on the line, so that it stays where it is.
    let middle = desk.session.view.cursor.filter(|c| shown.distance_mm(*c).abs() < 1.0).unwrap_or(heart);
    let on_pane = middle - shown.normal() * shown.distance_mm(middle);
    let pivot = turns.then_some(on_pane - from.normal() * from.distance_mm(on_pane));
    Some(CutDrag { other, from, pivot, press: shown.lps_from_plane(pen.mm(press)) })
}

/// The cut follows the pointer.
pub(super) fn follow(desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, drag: &CutDrag, at: Pos2) {
    let Some(shown) = desk.session.shown_plane(kind) else { return };
    let to = shown.lps_from_plane(pen.mm(at));
    let plane = match drag.pivot {
        None => {
            let n = drag.from.normal();
            drag.from.through(drag.from.origin() + n * (to - drag.press).dot(n))
        }
        Some(pivot) => {
            let (a, b) = (drag.press - pivot, to - pivot);
            let angle = a.cross(b).dot(shown.normal()).atan2(a.dot(b));
            drag.from.turned(pivot, shown.normal(), angle)
        }
    };
    desk.view(ViewAction::Plane(drag.other, plane));
}

/// The cut is where it was.
pub(super) fn cancel(desk: &mut Desk<'_>, drag: &CutDrag) {
    desk.view(ViewAction::Plane(drag.other, drag.from));
}
