//! Lasso and brush over spots, on the section pane and on the overlay: plain makes a new region, Shift adds to the
//! chosen one, Alt (or Ctrl) takes away.

use super::desk::Desk;
use super::marks::Pen;
use crate::scene::PaneKind;
use crate::session::{Action, RegionAction, RegionMode, RegionShape, Tool};
use crate::space::DVec2;
use egui::{Color32, Event, Modifiers, PointerButton, Pos2, Response, Stroke, Ui};

/// Corners kept nearer than this to each other are one, in points.
const STEP: f32 = 1.5;

/// What is being drawn.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The region that is added to and taken from.
    chosen: Option<usize>,
    /// Places so far, in mm of the pane.
    path: Vec<DVec2>,
    pane: Option<PaneKind>,
    mode: Option<RegionMode>,
    /// Radius of the brush; a share of the section until it was changed.
    radius_mm: Option<f64>,
}

impl State {
    /// The region that Shift and Alt are about.
    pub(super) fn choose(&mut self, region: usize) {
        self.chosen = Some(region);
    }

    /// A larger or smaller brush.
    pub(super) fn resize(&mut self, steps: f64, usual_mm: f64) {
        self.radius_mm = Some((self.radius_mm.unwrap_or(usual_mm) * 1.15f64.powf(steps)).clamp(1e-3, 60.0));
    }
}

/// The radius of a brush that was not changed: a twentieth of the section's width.
pub(super) fn usual_radius_mm(session: &crate::session::Session) -> f64 {
    let section = session.view.section.and_then(|id| session.study.section(id));
    section.map_or(1.0, |s| {
        let [low, high] = s.bounds_mm();
        (0.05 * (high - low).min_element()).max(1e-3)
    })
}

fn radius_mm(desk: &Desk<'_>) -> f64 {
    desk.memo.lasso.radius_mm.unwrap_or_else(|| usual_radius_mm(desk.session))
}

/// The region that Shift and Alt are about: the chosen one, else the newest of the shown section.
pub(super) fn chosen(desk: &Desk<'_>) -> Option<usize> {
    let regions = &desk.session.study.regions;
    let is_here = |i: &usize| regions.get(*i).is_some_and(|r| Some(r.section) == desk.session.view.section);
    desk.memo.lasso.chosen.filter(is_here).or_else(|| (0..regions.len()).rev().find(is_here))
}

fn tool_on(desk: &Desk<'_>, kind: PaneKind) -> Option<Tool> {
    let is_here = matches!(kind, PaneKind::Section | PaneKind::Overlay) && desk.has_content(kind);
    desk.memo.draw.tool.filter(|t| is_here && t.is_of_regions())
}

/// What a drag with these keys would do; `None` where there is no region to take from.
fn mode(desk: &Desk<'_>, keys: Modifiers) -> Option<RegionMode> {
    let region = chosen(desk);
    match (keys.alt || keys.command, keys.shift) {
        (true, _) => region.map(RegionMode::Take),
        (false, true) => Some(region.map_or(RegionMode::New, RegionMode::Add)),
        (false, false) => Some(RegionMode::New),
    }
}

/// A drag begins; whether the tool takes it.
pub(super) fn begin(ui: &Ui, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>, press: Pos2) -> bool {
    if tool_on(desk, kind).is_none() {
        return false;
    }
    let mode = mode(desk, ui.input(|i| i.modifiers));
    let state = &mut desk.memo.lasso;
    (state.mode, state.pane, state.path) = (mode, Some(kind), vec![pen.mm(press)]);
    true
}

/// The pointer goes on with the button held.
pub(super) fn follow(ui: &Ui, desk: &mut Desk<'_>, pen: &Pen<'_>, at: Pos2) {
    let moved: Vec<Pos2> = ui.input(|i| {
        let place = |e: &Event| if let Event::PointerMoved(p) = e { Some(*p) } else { None };
        i.events.iter().filter_map(place).collect()
    });
    let step = f64::from(STEP * pen.pixels_per_point) * pen.camera.mm_per_px;
    let path = &mut desk.memo.lasso.path;
    for place in if moved.is_empty() { vec![at] } else { moved } {
        let mm = pen.mm(place);
        if path.last().is_none_or(|last| last.distance(mm) >= step) {
            path.push(mm);
        }
    }
}

/// The button was let go.
pub(super) fn end(desk: &mut Desk<'_>) {
    let radius_mm = radius_mm(desk);
    let tool = desk.memo.draw.tool;
    let state = &mut desk.memo.lasso;
    let path = std::mem::take(&mut state.path);
    let (Some(pane), Some(mode), Some(tool)) = (state.pane.take(), state.mode.take(), tool) else { return };
    let shape = if tool == Tool::Lasso { RegionShape::Lasso(path) } else { RegionShape::Brush { path, radius_mm } };
    if let RegionMode::Add(i) | RegionMode::Take(i) = mode {
        state.chosen = Some(i);
    } else {
        state.chosen = Some(desk.session.study.regions.len());
    }
    desk.act(Action::Region(RegionAction::Draw { pane, shape, mode }));
}

/// Esc during a drag.
pub(super) fn cancel(desk: &mut Desk<'_>) {
    let state = &mut desk.memo.lasso;
    state.path.clear();
    (state.pane, state.mode) = (None, None);
}

/// A click with a tool in hand: the brush marks one disc; whether the tool takes it.
pub(super) fn click(ui: &Ui, response: &Response, desk: &mut Desk<'_>, kind: PaneKind, pen: &Pen<'_>) -> bool {
    let Some(tool) = tool_on(desk, kind) else { return false };
    if response.secondary_clicked() {
        return false;
    }
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked_by(PointerButton::Primary))
        && tool == Tool::SpotBrush
    {
        begin(ui, desk, kind, pen, at);
        end(desk);
    }
    response.clicked() || response.double_clicked()
}

/// Alt and wheel change the size of the brush; whether they did.
pub(super) fn wheel(desk: &mut Desk<'_>, kind: PaneKind, ticks: &[(f64, Modifiers)]) -> bool {
    if tool_on(desk, kind) != Some(Tool::SpotBrush) || !ticks.iter().any(|(_, m)| m.alt) {
        return false;
    }
    let usual = usual_radius_mm(desk.session);
    desk.memo.lasso.resize(ticks.iter().filter(|(_, m)| m.alt).map(|(t, _)| t).sum(), usual);
    true
}

/// The brush's circle, what is being drawn, and how to go on.
pub(super) fn overlay(ui: &Ui, desk: &Desk<'_>, kind: PaneKind, pen: &Pen<'_>) {
    let Some(tool) = tool_on(desk, kind) else { return };
    let state = &desk.memo.lasso;
    let (accent, keys) = (desk.theme.on_image().accent, ui.input(|i| i.modifiers));
    let drawing = state.pane == Some(kind) && !state.path.is_empty();
    let now = if drawing { state.mode } else { mode(desk, keys) };
    let region = match now {
        Some(RegionMode::Add(i) | RegionMode::Take(i)) => desk.session.study.regions.get(i),
        _ => None,
    };
    let color = region.map_or(accent, |r| Color32::from_rgb(r.rgb[0], r.rgb[1], r.rgb[2]));
    let takes = !matches!(now, Some(RegionMode::New | RegionMode::Add(_)));
    let points: Vec<Pos2> = state.path.iter().filter(|_| drawing).map(|p| pen.at(*p)).collect();
    let radius = (radius_mm(desk) / pen.camera.mm_per_px) as f32 / pen.pixels_per_point;
    let over = desk.memo.hovered == Some(kind);
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|p| over && pen.rect.contains(*p));
    if tool == Tool::Lasso && points.len() > 1 {
        pen.line(&points, true, Stroke::new(1.5, color), takes);
    }
    if tool == Tool::SpotBrush {
        if points.len() > 1 {
            pen.painter.line(points, Stroke::new(2.0 * radius, color.gamma_multiply(0.25)));
        }
        if let Some(at) = pointer {
            let ring: Vec<Pos2> =
                (0..48).map(|i| at + egui::Vec2::angled(i as f32 / 48.0 * std::f32::consts::TAU) * radius).collect();
            pen.line(&ring, true, Stroke::new(1.5, color), takes);
        }
    }
    if over {
        let what = match (now, region) {
            (Some(RegionMode::Add(_)), Some(r)) => format!("Drag adds to {}", r.name),
            (Some(RegionMode::Take(_)), Some(r)) => format!("Drag takes from {}", r.name),
            (None, _) => "There is no region to take from".to_owned(),
            _ => "Drag marks a new region · Shift adds, Alt takes away".to_owned(),
        };
        let size = if tool == Tool::SpotBrush { " · [ ] or Alt and wheel: size" } else { "" };
        let at = pen.rect.left_top() + egui::vec2(8.0, 26.0);
        let text = format!("{what}{size} · Esc");
        pen.text(at, egui::Align2::LEFT_TOP, &text, desk.theme.overlay_font(), accent);
    }
}
