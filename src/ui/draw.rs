//! Tools in hand on heart panes: brush, eraser, polygon and growing region on segmentations, figures that
//! measure. The brush shows its circle in mm; a stroke follows every place that the mouse reports.

use super::desk::Desk;
use super::marks::Pen;
use crate::model::{FigureKind, LabelMap};
use crate::scene::PaneKind;
use crate::session::{Action, Brush, Dab, FigureAction, GrowSettings, LabelAction, LabelOp, Tip, Tool, Which};
use crate::space::{DVec2, DVec3};
use egui::{Align2, Color32, Event, Key, Modifiers, PointerButton, Pos2, Response, Stroke, Ui};

/// The tool in hand and what it is set to.
#[derive(Debug)]
pub(super) struct State {
    pub(super) tool: Option<Tool>,
    /// The label drawn with.
    pub(super) value: u8,
    pub(super) radius_mm: f64,
    pub(super) ball: bool,
    /// Only where the image has values between these.
    pub(super) within: Option<[f64; 2]>,
    /// Largest difference of a growing region.
    pub(super) tolerance: Option<f64>,
    /// A region grows through all slices.
    pub(super) grow_in_space: bool,
    /// Corners of what is being drawn, in mm of a pane.
    corners: Vec<DVec2>,
    pane: Option<PaneKind>,
    /// Where the stroke is.
    last: Option<DVec3>,
    erases: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            tool: None,
            value: 3,
            radius_mm: 6.0,
            ball: false,
            within: None,
            tolerance: None,
            grow_in_space: false,
            corners: Vec::new(),
            pane: None,
            last: None,
            erases: false,
        }
    }
}

impl State {
    /// Takes another tool, or none; what was begun is dropped.
    pub(super) fn take(&mut self, tool: Option<Tool>) {
        self.tool = tool;
        self.corners.clear();
        self.pane = None;
    }

    /// A larger or smaller brush.
    pub(super) fn resize(&mut self, steps: f64) {
        self.radius_mm = (self.radius_mm * 1.15f64.powf(steps)).clamp(0.25, 60.0);
    }
}

/// Whether a tool works on this pane.
fn tool_on(desk: &Desk<'_>, kind: PaneKind) -> Option<Tool> {
    desk.memo.draw.tool.filter(|t| !t.is_of_regions() && kind.is_heart() && desk.has_content(kind))
}

/// The name of what a tool does, for the hint.
fn hint(tool: Tool, n_corners: usize) -> &'static str {
    match tool {
        Tool::Brush => "Drag paints, Alt erases · [ ] or Alt and wheel: size · Esc lays the brush down",
        Tool::Eraser => "Drag erases the chosen label · [ ] or Alt and wheel: size",
        Tool::Polygon if n_corners < 3 => "Click corners; Alt clears instead of filling",
        Tool::Polygon => "Double click or Enter fills the polygon, Esc drops it",
        Tool::Grow => "Click a place: the chosen label grows over like values",
        Tool::Figure(FigureKind::Length) => "Drag from end to end, or click both ends",
        Tool::Figure(FigureKind::Angle) => "Click an end, the vertex, the other end",
        Tool::Figure(FigureKind::Ellipse) => "Drag over the ellipse",
        Tool::Figure(FigureKind::Polygon) if n_corners < 3 => "Click the corners of the area",
        Tool::Figure(FigureKind::Polygon) => "Double click or Enter closes the area, Esc drops it",
        Tool::Lasso | Tool::SpotBrush => "",
    }
}

fn is_erasing(ui: &Ui, tool: Tool) -> bool {
    tool == Tool::Eraser || ui.input(|i| i.modifiers.alt)
}

/// The segmentation drawn on and its phase on the screen.
fn target<'a>(desk: &'a Desk<'_>) -> Option<(crate::model::ElementId, &'a LabelMap, usize)> {
    let id = desk.session.drawn_labels()?;
    Some((id, desk.session.study.labels(id)?, desk.session.shown_label_phase(id)))
}

/// A drag begins with a tool in hand; whether the tool takes it.
pub(super) fn begin(ui: &Ui, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, press: Pos2) -> bool {
    let Some(tool) = tool_on(desk, kind) else { return false };
    let state = &mut desk.memo.draw;
    match tool {
        Tool::Brush | Tool::Eraser => {
            state.erases = is_erasing(ui, tool);
            state.last = None;
            dab(desk, kind, pen.mm(press));
        }
        Tool::Figure(FigureKind::Length | FigureKind::Ellipse) => {
            state.pane = Some(kind);
            state.corners = vec![pen.mm(press), pen.mm(press)];
        }
        Tool::Polygon | Tool::Grow | Tool::Figure(_) | Tool::Lasso | Tool::SpotBrush => {}
    }
    true
}

/// The pointer goes on with the button held.
pub(super) fn follow(ui: &Ui, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, at: Pos2) {
    match tool_on(desk, kind) {
        Some(Tool::Brush | Tool::Eraser) => {
            // A slow frame holds many places of the mouse; the stroke goes through all of them.
            let moved: Vec<Pos2> = ui.input(|i| {
                let place = |e: &Event| if let Event::PointerMoved(p) = e { Some(*p) } else { None };
                i.events.iter().filter_map(place).collect()
            });
            let places = if moved.is_empty() { vec![at] } else { moved };
            places.into_iter().for_each(|p| dab(desk, kind, pen.mm(p)));
        }
        Some(Tool::Figure(FigureKind::Length | FigureKind::Ellipse)) => {
            if let Some(last) = desk.memo.draw.corners.last_mut() {
                *last = pen.mm(at);
            }
        }
        _ => {}
    }
}

fn dab(desk: &mut Desk<'_>, kind: PaneKind, mm: DVec2) {
    let Some(plane) = desk.session.shown_plane(kind) else { return };
    let Some((labels, _, phase)) = target(desk) else { return };
    let state = &mut desk.memo.draw;
    let to = plane.lps_from_plane(mm);
    let from = state.last.replace(to).unwrap_or(to);
    let tip = if state.ball { Tip::Ball } else { Tip::Disc };
    let brush = Brush { plane, tip, radius_mm: state.radius_mm };
    let (value, erase, within) = (state.value, state.erases, state.within);
    desk.act(Action::Label(LabelAction::Draw(Dab { labels, phase, value, erase, brush, path: [from, to], within })));
}

/// The button was let go.
pub(super) fn end(desk: &mut Desk<'_>, kind: PaneKind) {
    match desk.memo.draw.tool {
        Some(Tool::Brush | Tool::Eraser) => {
            desk.memo.draw.last = None;
            desk.act(Action::Label(LabelAction::EndStroke));
        }
        Some(Tool::Figure(figure @ (FigureKind::Length | FigureKind::Ellipse))) => add_figure(desk, kind, figure),
        _ => {}
    }
}

/// Esc during a drag.
pub(super) fn cancel(desk: &mut Desk<'_>) {
    desk.memo.draw.corners.clear();
    desk.memo.draw.last = None;
    desk.act(Action::Label(LabelAction::CancelStroke));
}

/// Esc without a drag: drops what was begun, then lays the tool down.
pub(super) fn step_back(desk: &mut Desk<'_>) -> bool {
    let state = &mut desk.memo.draw;
    if !state.corners.is_empty() {
        state.corners.clear();
        return true;
    }
    state.tool.take().is_some()
}

/// A click, or Enter, with a tool in hand; whether the tool takes it.
pub(super) fn click(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>) -> bool {
    let Some(tool) = tool_on(desk, kind) else { return false };
    let here = desk.memo.draw.pane == Some(kind) && !desk.memo.draw.corners.is_empty();
    let enter = here && !ui.ctx().text_edit_focused() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    let closes = enter || (here && response.double_clicked());
    if closes {
        let alt = ui.input(|i| i.modifiers.alt);
        match tool {
            Tool::Polygon => fill(desk, kind, alt),
            Tool::Figure(FigureKind::Polygon) => add_figure(desk, kind, FigureKind::Polygon),
            _ => {}
        }
        return true;
    }
    if response.secondary_clicked() {
        return false;
    }
    let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked_by(PointerButton::Primary)) else {
        return response.double_clicked();
    };
    let mm = pen.mm(at);
    match tool {
        Tool::Brush | Tool::Eraser => {
            desk.memo.draw.erases = is_erasing(ui, tool);
            desk.memo.draw.last = None;
            dab(desk, kind, mm);
            end(desk, kind);
        }
        Tool::Grow => grow(desk, kind, mm),
        Tool::Polygon | Tool::Figure(FigureKind::Polygon) => corner(desk, kind, mm),
        Tool::Figure(figure) => {
            corner(desk, kind, mm);
            let wanted = if figure == FigureKind::Angle { 3 } else { 2 };
            if desk.memo.draw.corners.len() >= wanted {
                add_figure(desk, kind, figure);
            }
        }
        Tool::Lasso | Tool::SpotBrush => {}
    }
    true
}

fn corner(desk: &mut Desk<'_>, kind: PaneKind, mm: DVec2) {
    let state = &mut desk.memo.draw;
    if state.pane != Some(kind) {
        state.corners.clear();
        state.pane = Some(kind);
    }
    state.corners.push(mm);
}

fn fill(desk: &mut Desk<'_>, kind: PaneKind, erase: bool) {
    let corners = std::mem::take(&mut desk.memo.draw.corners);
    let Some(plane) = desk.session.shown_plane(kind) else { return };
    let Some((labels, _, phase)) = target(desk) else { return };
    let op = LabelOp::Polygon { plane, corners, value: desk.memo.draw.value, erase };
    desk.act(Action::Label(LabelAction::Work { labels, op, which: Which::This(phase) }));
}

fn grow(desk: &mut Desk<'_>, kind: PaneKind, mm: DVec2) {
    let Some(plane) = desk.session.shown_plane(kind) else { return };
    let Some((labels, map, phase)) = target(desk) else { return };
    let axis = crate::session::slice_axis(&map.grid, plane.normal());
    let state = &desk.memo.draw;
    let window = desk.session.heart().map_or(1.0, |v| (v.window.1 - v.window.0).abs());
    let settings = GrowSettings {
        tolerance: state.tolerance.unwrap_or(window * 0.1),
        in_slice: (!state.grow_in_space).then_some(axis),
        ..GrowSettings::default()
    };
    let op = LabelOp::Grow { from: plane.lps_from_plane(mm), value: state.value, settings };
    desk.act(Action::Label(LabelAction::Work { labels, op, which: Which::This(phase) }));
}

fn add_figure(desk: &mut Desk<'_>, kind: PaneKind, figure: FigureKind) {
    let corners = std::mem::take(&mut desk.memo.draw.corners);
    let Some(plane) = desk.session.shown_plane(kind) else { return };
    let flat = if figure == FigureKind::Ellipse { ellipse_of(&corners) } else { corners };
    let points = flat.iter().map(|p| plane.lps_from_plane(*p)).collect();
    desk.act(Action::Figure(FigureAction::Add(figure, points)));
}

/// Center and ends of the half axes of the ellipse in a box of two corners.
fn ellipse_of(corners: &[DVec2]) -> Vec<DVec2> {
    let [a, b] = corners else { return Vec::new() };
    let center = (*a + *b) / 2.0;
    vec![center, DVec2::new(b.x, center.y), DVec2::new(center.x, b.y)]
}

/// Alt and wheel change the size of the brush; whether they did.
pub(super) fn wheel(desk: &mut Desk<'_>, kind: PaneKind, ticks: &[(f64, Modifiers)]) -> bool {
    if !matches!(tool_on(desk, kind), Some(Tool::Brush | Tool::Eraser)) || !ticks.iter().any(|(_, m)| m.alt) {
        return false;
    }
    let steps = ticks.iter().filter(|(_, m)| m.alt).map(|(t, _)| t).sum();
    desk.memo.draw.resize(steps);
    true
}

/// The color of the label drawn with.
fn ink(desk: &Desk<'_>) -> Color32 {
    let entry = target(desk).and_then(|(_, map, _)| map.entry(desk.memo.draw.value).map(|e| e.rgb));
    entry.map_or(desk.theme.on_image().accent, |[r, g, b]| Color32::from_rgb(r, g, b))
}

/// The brush's circle, what is being drawn, and how to go on.
pub(super) fn overlay(ui: &Ui, desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>) {
    let Some(tool) = tool_on(desk, kind) else { return };
    let state = &desk.memo.draw;
    let accent = desk.theme.on_image().accent;
    let is_label = !matches!(tool, Tool::Figure(_));
    let color = if is_label { ink(desk) } else { accent };
    let over = desk.memo.hovered == Some(kind);
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|p| over && pen.rect.contains(*p));
    if let (Tool::Brush | Tool::Eraser, Some(at)) = (tool, pointer) {
        let radius = (state.radius_mm / pen.camera.mm_per_px) as f32 / pen.pixels_per_point;
        let n = ((radius * 1.2) as usize).clamp(24, 240);
        let ring: Vec<Pos2> =
            (0..n).map(|i| at + egui::Vec2::angled(i as f32 / n as f32 * std::f32::consts::TAU) * radius).collect();
        pen.line(&ring, true, Stroke::new(1.5, color), is_erasing(ui, tool));
        let text = format!("{} mm{}", crate::scene::fixed(2.0 * state.radius_mm, 1), if state.ball { " ball" } else { "" });
        let below = at + egui::vec2(0.0, radius + 4.0);
        pen.text(below, Align2::CENTER_TOP, &text, desk.theme.overlay_font(), desk.theme.on_image().text);
    }
    if state.pane == Some(kind) && !state.corners.is_empty() {
        let mut points: Vec<Pos2> = if tool == Tool::Figure(FigureKind::Ellipse) {
            ellipse_points(&state.corners).iter().map(|p| pen.at(*p)).collect()
        } else {
            state.corners.iter().map(|p| pen.at(*p)).collect()
        };
        let closed = tool == Tool::Figure(FigureKind::Ellipse);
        let dragging = desk.memo.gesture.is_some();
        points.extend(pointer.filter(|_| !closed && !dragging));
        pen.line(&points, closed, Stroke::new(1.5, color), false);
    }
    if over {
        // Below the letter of the upper edge; the lower edge has facts and the scale.
        let at = pen.rect.left_top() + egui::vec2(8.0, 26.0);
        let text = hint(tool, state.corners.len());
        pen.text(at, Align2::LEFT_TOP, text, desk.theme.overlay_font(), accent);
    }
}

fn ellipse_points(corners: &[DVec2]) -> Vec<DVec2> {
    let [center, a, b] = ellipse_of(corners)[..] else { return Vec::new() };
    let at = |i: u8| {
        let (sin, cos) = (f64::from(i) / 64.0 * std::f64::consts::TAU).sin_cos();
        center + (a - center) * cos + (b - center) * sin
    };
    (0..64).map(at).collect()
}
