//! Icons drawn as lines of one weight on a 16-point square, and the button that carries one.

use egui::{Color32, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

/// The icons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Eye,
    EyeOff,
    Play,
    Pause,
    Next,
    Previous,
    Maximize,
    Restore,
    Close,
    Up,
    Down,
    Gear,
    Target,
    Copy,
    Plus,
    Search,
    Undo,
    Redo,
}

/// A frameless square button with a tooltip that is also its accessible name.
pub(super) fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    icon_button_enabled(ui, icon, name, None, false)
}

/// As [`icon_button`]; `why_not` disables it and says why, `on` shows it pressed.
pub(super) fn icon_button_enabled(ui: &mut Ui, icon: Icon, name: &str, why_not: Option<&str>, on: bool) -> Response {
    let enabled = why_not.is_none();
    let side = 20.0;
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), if enabled { Sense::click() } else { Sense::hover() });
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, on, name));
    let visuals = ui.visuals();
    let color = if !enabled {
        visuals.weak_text_color().gamma_multiply(0.6)
    } else if on {
        visuals.hyperlink_color
    } else if response.hovered() || response.has_focus() {
        visuals.text_color()
    } else {
        visuals.weak_text_color()
    };
    if enabled && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, visuals.menu_corner_radius, visuals.widgets.hovered.bg_fill);
    }
    paint(ui.painter(), rect.center(), icon, color);
    response.on_hover_text(why_not.map_or_else(|| name.to_owned(), |why| format!("{name}\n{why}")))
}

/// Draws an icon around a point.
pub(super) fn paint(painter: &Painter, center: Pos2, icon: Icon, color: Color32) {
    let stroke = Stroke::new(1.3, color);
    let at = |x: f32, y: f32| pos2(center.x + x, center.y + y);
    let line = |points: &[(f32, f32)]| {
        painter.line(points.iter().map(|&(x, y)| at(x, y)).collect(), stroke);
    };
    let fill = |points: &[(f32, f32)]| {
        painter.add(Shape::convex_polygon(points.iter().map(|&(x, y)| at(x, y)).collect(), color, Stroke::NONE));
    };
    match icon {
        Icon::Eye | Icon::EyeOff => {
            let lid = |sign: f32| (0..=12).map(move |i| lid_point(i, sign)).collect::<Vec<_>>();
            line(&lid(-1.0));
            line(&lid(1.0));
            painter.circle_filled(center, 1.9, color);
            if icon == Icon::EyeOff {
                line(&[(-5.5, 4.5), (5.5, -4.5)]);
            }
        }
        Icon::Play => fill(&[(-3.5, -5.0), (5.0, 0.0), (-3.5, 5.0)]),
        Icon::Pause => {
            painter.rect_filled(Rect::from_center_size(at(-2.5, 0.0), vec2(2.4, 9.0)), 0.5, color);
            painter.rect_filled(Rect::from_center_size(at(2.5, 0.0), vec2(2.4, 9.0)), 0.5, color);
        }
        Icon::Next | Icon::Previous => {
            let side = if icon == Icon::Next { 1.0 } else { -1.0 };
            fill(&[(side * -4.0, -4.0), (side * 2.0, 0.0), (side * -4.0, 4.0)]);
            line(&[(side * 3.5, -4.0), (side * 3.5, 4.0)]);
        }
        Icon::Maximize => corners(&line, 4.5, 2.0),
        Icon::Restore => corners(&line, 2.0, 4.5),
        Icon::Close => {
            line(&[(-3.5, -3.5), (3.5, 3.5)]);
            line(&[(-3.5, 3.5), (3.5, -3.5)]);
        }
        Icon::Up => line(&[(-4.0, 2.0), (0.0, -2.0), (4.0, 2.0)]),
        Icon::Down => line(&[(-4.0, -2.0), (0.0, 2.0), (4.0, -2.0)]),
        Icon::Gear => gear(painter, center, stroke),
        Icon::Target => {
            painter.circle_stroke(center, 3.5, stroke);
            line(&[(-6.0, 0.0), (-2.0, 0.0)]);
            line(&[(2.0, 0.0), (6.0, 0.0)]);
            line(&[(0.0, -6.0), (0.0, -2.0)]);
            line(&[(0.0, 2.0), (0.0, 6.0)]);
        }
        Icon::Copy => {
            let sheet = |x, y| Rect::from_center_size(at(x, y), vec2(6.5, 7.5));
            painter.rect_stroke(sheet(-1.4, -1.4), 1.0, stroke, egui::StrokeKind::Middle);
            painter.rect_stroke(sheet(1.4, 1.4), 1.0, stroke, egui::StrokeKind::Middle);
        }
        Icon::Plus => {
            line(&[(-4.5, 0.0), (4.5, 0.0)]);
            line(&[(0.0, -4.5), (0.0, 4.5)]);
        }
        Icon::Undo | Icon::Redo => {
            let side = if icon == Icon::Undo { 1.0 } else { -1.0 };
            let arc = |i: u8| {
                let angle = f32::from(i) / 10.0 * std::f32::consts::PI * 1.25 - std::f32::consts::FRAC_PI_2;
                (side * (0.5 + 4.0 * angle.cos()), 0.5 + 4.0 * angle.sin())
            };
            let points: Vec<(f32, f32)> = std::iter::once((side * -4.5, -3.5)).chain((0..=10).map(arc)).collect();
            line(&points);
            line(&[(side * -2.0, -6.0), (side * -4.5, -3.5), (side * -2.0, -1.0)]);
        }
        Icon::Search => {
            painter.circle_stroke(at(-1.0, -1.0), 3.6, stroke);
            line(&[(1.8, 1.8), (5.0, 5.0)]);
        }
    }
}

fn lid_point(i: u8, sign: f32) -> (f32, f32) {
    let t = f32::from(i) / 12.0;
    ((t - 0.5) * 12.0, sign * (std::f32::consts::PI * t).sin() * 4.0)
}

/// Four corner angles: their tips at `outer` or `inner` from the middle.
fn corners(line: &dyn Fn(&[(f32, f32)]), tip: f32, arm: f32) {
    for (sx, sy) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
        line(&[(sx * tip, sy * arm), (sx * tip, sy * tip), (sx * arm, sy * tip)]);
    }
}

fn gear(painter: &Painter, center: Pos2, stroke: Stroke) {
    painter.circle_stroke(center, 3.4, stroke);
    for i in 0..8 {
        let direction = egui::Vec2::angled(i as f32 * std::f32::consts::FRAC_PI_4);
        painter.line_segment([center + direction * 4.2, center + direction * 6.2], stroke);
    }
}
