//! A map of spots in the plane, colored as they are painted on the section; the one pointed at is under the cursor there.

use super::super::super::desk::{Desk, dim};
use super::super::super::tree::{field, thousands};
use super::super::plots::answer;
use super::super::{about, newest, run_button};
use super::clusters::components;
use crate::model::{AnalysisResult, ColorMap, ElementId, LayerKind, SpotMap};
use crate::scene::{PaneKind, color};
use crate::session::{Action, EmbedTask, Task, ViewAction};
use egui::{Color32, DragValue, Mesh, Painter, Pos2, Rect, Role, Sense, Shape, Ui, Vec2, WidgetInfo, pos2, vec2};

/// Strength of points that do not light up while others do.
const UNLIT: f32 = 0.25;
/// Points drawn at most.
const MOST_POINTS: usize = 20_000;

/// What is typed here.
#[derive(Debug)]
pub(super) struct State {
    task: EmbedTask,
}

impl Default for State {
    fn default() -> Self {
        Self { task: EmbedTask::usual(ElementId(0)) }
    }
}

/// A map of the shown section's spots.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, why_not: Option<&str>) {
    let mut task = desk.memo.analyze.genes.map.task.clone();
    field(ui, desk, "Neighbors", |ui| {
        ui.add(DragValue::new(&mut task.k).range(2..=500)).accessible_name("Neighbors of a spot in the map");
    });
    field(ui, desk, "Least distance", |ui| {
        ui.add(DragValue::new(&mut task.min_dist).range(0.0..=task.spread).speed(0.01))
            .accessible_name("Least distance in the map")
            .on_hover_text("How near spots may lie");
    });
    field(ui, desk, "Spread", |ui| {
        let least = task.min_dist.max(0.01);
        ui.add(DragValue::new(&mut task.spread).range(least..=20.0).speed(0.02)).accessible_name("Scale of the map");
    });
    components(ui, desk, "map components", &mut task.reduce);
    desk.memo.analyze.genes.map.task = task.clone();
    ui.add_space(4.0);
    if run_button(ui, desk, "embed", "Arrange spots", why_not) {
        task.reduce.section = id.0;
        desk.act(Action::Run(Task::Embed(Box::new(task))));
    }
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::Map(_))) else { return };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    if let AnalysisResult::Map(found) = &analysis.result {
        ui.add_space(6.0);
        scatter(ui, desk, id, found);
    }
}

/// Color of a spot as it is painted.
fn inks(desk: &Desk<'_>, id: ElementId) -> impl Fn(usize) -> Color32 + use<> {
    let map = desk.session.study.layers.iter().find_map(|l| match &l.kind {
        LayerKind::Spots { color_map, .. } if l.element == id => Some(*color_map),
        _ => None,
    });
    let (shown, none) = (desk.session.derived.spot_values.get(&id).cloned(), desk.colors().dim.gamma_multiply(0.5));
    move |spot| {
        let Some(values) = &shown else { return none };
        let value = values.values.get(spot).copied().filter(|v| v.is_finite());
        value.map_or(none, |v| {
            let t = (f64::from(v) - values.low) / (values.high - values.low).max(1e-12);
            let [r, g, b] = color(map.unwrap_or(ColorMap::Viridis), t as f32);
            Color32::from_rgb(r, g, b)
        })
    }
}

/// The map itself, with the lit category in front; the category of the spot pointed at lights up, a click keeps it lit.
pub(in crate::ui::analyze) fn scatter(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, found: &SpotMap) {
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, width), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Map of spots"));
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, desk.theme.size.corner, Color32::BLACK);
    let Some(at) = places(found, rect.shrink(8.0)) else { return };
    let step = found.places.len().div_ceil(MOST_POINTS).max(1);
    let side = if found.places.len() > 3000 { 1.5 } else { 3.0 };
    let ink = inks(desk, id);
    let groups = desk.session.derived.groups.clone().filter(|g| g.section == id);
    let of = |spot: usize| groups.as_ref().and_then(|g| g.of(spot));
    let lit = desk.session.view.shown_group().filter(|_| groups.is_some());
    let [mut mesh, mut front] = [Mesh::default(), Mesh::default()];
    let mut nearest: Option<(f32, usize)> = None;
    for i in (0..found.places.len()).step_by(step) {
        let place = at(found.places[i]);
        let spot = found.spots[i] as usize;
        match lit {
            None => mesh.add_colored_rect(Rect::from_center_size(place, vec2(side, side)), ink(spot)),
            Some(_) if lit == of(spot) => {
                front.add_colored_rect(Rect::from_center_size(place, Vec2::splat(side + 1.0)), ink(spot));
            }
            Some(_) => mesh.add_colored_rect(Rect::from_center_size(place, vec2(side, side)), ink(spot).gamma_multiply(UNLIT)),
        }
        if let Some(pointer) = response.hover_pos() {
            let distance = place.distance(pointer);
            if distance < 8.0 && nearest.is_none_or(|n| distance < n.0) {
                nearest = Some((distance, i));
            }
        }
    }
    painter.add(Shape::mesh(mesh));
    painter.add(Shape::mesh(front));
    mark_cursor(desk, id, found, (&painter, &at));
    if let Some((_, i)) = nearest {
        painter.circle_stroke(at(found.places[i]), 5.0, egui::Stroke::new(1.5, Color32::WHITE));
        let spot = found.spots[i] as usize;
        let section = desk.session.study.section(id);
        let name = section.and_then(|s| s.expression.as_ref()?.observations().get(spot).cloned()).unwrap_or_default();
        let place = section.and_then(|s| Some(*s.spots.as_ref()?.px.get(spot)? * s.mm_per_px()));
        if let Some(mm) = place {
            desk.view(ViewAction::Cursor(Some((PaneKind::Section, mm))));
        }
        if let Some(code) = of(spot) {
            answer(desk, code, true, response.clicked());
        }
        let category = of(spot).and_then(|c| groups.as_ref()?.names.get(c as usize).cloned());
        response.on_hover_text_at_pointer([Some(name), category].into_iter().flatten().collect::<Vec<_>>().join("\n"));
    }
    let painted = desk.session.derived.spot_values.get(&id).map_or_else(|| "nothing".to_owned(), |v| v.title.clone());
    let thinned = if step > 1 { format!(", every {step}th drawn") } else { String::new() };
    let text = format!("{} spots{thinned}, colored by {painted}; axes without unit", thousands(found.places.len()));
    ui.add(egui::Label::new(dim(desk.theme, text)).wrap());
}

/// A ring about the spot under the cursor of the section.
fn mark_cursor(desk: &Desk<'_>, id: ElementId, found: &SpotMap, (painter, at): (&Painter, &impl Fn([f32; 2]) -> Pos2)) {
    let Some(spot) = desk.session.view.section_cursor.and_then(|mm| desk.session.spot_at(id, mm)) else { return };
    // Spots are in rising order.
    if let Ok(i) = found.spots.binary_search(&(spot as u32)) {
        painter.circle_stroke(at(found.places[i]), 5.0, egui::Stroke::new(1.5, desk.theme.on_image().accent));
    }
}

/// From places to the square, with one scale for both axes.
fn places(found: &SpotMap, rect: Rect) -> Option<impl Fn([f32; 2]) -> Pos2> {
    let first = *found.places.first()?;
    let (low, high) = found
        .places
        .iter()
        .fold((first, first), |(low, high), p| ([low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]));
    let size = (high[0] - low[0]).max(high[1] - low[1]).max(1e-6);
    let middle = [f32::midpoint(low[0], high[0]), f32::midpoint(low[1], high[1])];
    let scale = rect.width().min(rect.height()) / size;
    Some(move |p: [f32; 2]| pos2(rect.center().x + (p[0] - middle[0]) * scale, rect.center().y - (p[1] - middle[1]) * scale))
}
