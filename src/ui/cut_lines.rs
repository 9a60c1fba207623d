//! The lines where the other cuts of the heart meet a pane: a drag moves the other cut, with Ctrl it turns it, so that
//! any oblique plane can be had.

use super::desk::Desk;
use super::marks::Pen;
use crate::scene::PaneKind;
use crate::session::ViewAction;
use crate::space::{DVec3, Plane};
use egui::Pos2;

/// How near to a line a press takes it, in points.
const GRAB: f64 = 5.0;

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
    let others = PaneKind::ALL.into_iter().filter(|o| o.is_heart() && *o != kind);
    let near = others.filter_map(|o| Some((distance(pen, &shown, &desk.session.pane_plane(o)?, at)?, o)));
    near.filter(|(d, _)| *d < GRAB).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, other)| other)
}

/// Begins to drag the cut under a press.
pub(super) fn begin(desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>, press: Pos2, turns: bool) -> Option<CutDrag> {
    let other = at(desk, kind, pen, press)?;
    let (shown, from) = (desk.session.shown_plane(kind)?, desk.session.pane_plane(other)?);
    let heart = desk.session.heart()?.grid.center_lps();
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
