//! Violins: what the spots are colored by, one row for each category, all as wide at their widest.

use super::super::super::desk::{Desk, dim, small};
use super::super::super::tree::thousands;
use super::{Axis, UNLIT, answer, ink, same, ticks};
use crate::model::ElementId;
use crate::omics::Violin;
use crate::scene::{SpotGroups, SpotValues};
use crate::session::{Action, PlotAction, ViolinPlot, three_digits};
use egui::{
    Align2, Button, Color32, FontId, Key, Label, Mesh, Pos2, Rangef, Rect, Role, Sense, Shape, Stroke, StrokeKind, TextEdit, Ui,
};
use egui::{WidgetInfo, pos2, vec2};
use std::sync::Arc;

/// Height of a row.
const ROW: f32 = 28.0;
/// Width of the numbers at the right.
const COUNT: f32 = 52.0;

/// What was asked for last.
#[derive(Debug, Default)]
pub(super) struct State {
    asked: Option<(Arc<SpotValues>, Arc<SpotGroups>)>,
    name: String,
}

/// Violins of the painted numbers.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, groups: &Arc<SpotGroups>) {
    paint_field(ui, desk, id);
    let shown = desk.session.derived.spot_values.get(&id).cloned();
    let Some(values) = shown.filter(|v| v.categories.is_empty()) else {
        let hint = "The spots are colored by categories or by nothing. Type a gene, a score or a number above: it is \
                    painted, and its violins stand here.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    };
    let state = &mut desk.memo.analyze.plots.violins;
    if !state.asked.as_ref().is_some_and(|(v, g)| same(v, &values) && same(g, groups)) {
        state.asked = Some((values, Arc::clone(groups)));
        desk.act(Action::Plot(PlotAction::Violins));
    }
    match desk.session.violins().filter(|p| same(&p.groups, groups)).cloned() {
        Some(found) => plot(ui, desk, &found),
        None if desk.session.job("violins").is_some() => {
            ui.label(dim(desk.theme, "Finding densities…"));
        }
        None => {
            if ui.add(Button::new("Draw violins")).clicked() {
                desk.memo.analyze.plots.violins.asked = None;
            }
        }
    }
}

/// Paints what is typed.
fn paint_field(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    let mut name = std::mem::take(&mut desk.memo.analyze.plots.violins.name);
    let edit = TextEdit::singleline(&mut name).hint_text("Gene, score or number, as NPPA").desired_width(f32::INFINITY);
    let response = ui.add(edit).accessible_name("Gene, score or number of the violins").on_hover_text("Enter paints it");
    let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    let typed = name.trim().to_owned();
    if !typed.is_empty() {
        let study = &desk.session.study;
        let expression = study.section(id).and_then(|s| s.expression.as_ref());
        let gene = expression.and_then(|e| e.find_gene(&typed).map(|g| e.genes()[g].clone()));
        let column = expression.is_some_and(|e| e.columns.contains_key(&typed)) || study.field(id, &typed).is_some();
        match gene.or_else(|| column.then(|| typed.clone())) {
            Some(name) if entered => {
                desk.act(Action::Paint { section: id, name });
                return;
            }
            Some(_) => {}
            None => {
                ui.label(dim(desk.theme, "No gene, score or number has this name yet."));
            }
        }
    }
    desk.memo.analyze.plots.violins.name = name;
}

fn plot(ui: &mut Ui, desk: &mut Desk<'_>, plot: &ViolinPlot) {
    let groups = &plot.groups;
    let known = || plot.violins.iter().flatten();
    let low = known().map(|v| v.quantiles[0]).fold(f64::INFINITY, f64::min);
    let high = known().map(|v| v.quantiles[4]).fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        ui.label(dim(desk.theme, "No spot in a category has a value."));
        return;
    }
    let width = ui.available_width();
    let names = (width * 0.3).clamp(56.0, 120.0);
    let unit = plot.values.rule.split(", ").next().unwrap_or_default();
    ui.horizontal(|ui| {
        ui.add(Label::new(small(desk.theme, format!("{} · {unit}", plot.values.title))).truncate());
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(dim(desk.theme, "spots")));
    });
    let left = ui.cursor().left();
    let axis = Axis { low, high, places: Rangef::new(left + names + 6.0, left + width - COUNT) };
    let lit = desk.session.view.shown_group();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (code, violin) in plot.violins.iter().enumerate() {
            row(ui, desk, groups, (code, violin.as_ref()), (&axis, width, names, lit));
        }
    });
    let (rect, _) = ui.allocate_exact_size(vec2(width, 16.0), Sense::hover());
    let colors = *desk.colors();
    ui.painter().hline(axis.places, rect.top() + 1.0, Stroke::new(1.0, colors.dim));
    for (value, text) in ticks(low, high, 5) {
        let x = axis.at(value);
        ui.painter().vline(x, Rangef::new(rect.top() + 1.0, rect.top() + 4.0), Stroke::new(1.0, colors.dim));
        ui.painter().text(pos2(x, rect.top() + 5.0), Align2::CENTER_TOP, text, desk.theme.overlay_font(), colors.dim);
    }
    let about = "Density by Gaussian kernels (Scott's width), cut at the least and greatest value, each as wide at its widest; \
                 bar: quartiles, dot: median.";
    ui.add(Label::new(dim(desk.theme, about)).wrap());
}

type Place<'a> = (&'a Axis, f32, f32, Option<u32>);

fn row(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    groups: &SpotGroups,
    (code, violin): (usize, Option<&Violin>),
    (axis, width, names, lit): Place<'_>,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::click());
    let (name, n) = (&groups.names[code], violin.map_or(0, |v| v.n));
    let selected = desk.session.view.selected_group == Some(code as u32);
    let label = format!("Violin of {name}");
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, &label));
    let (colors, is_lit) = (*desk.colors(), lit == Some(code as u32));
    if selected || response.hovered() || is_lit {
        ui.painter().rect_filled(rect, desk.theme.size.corner, if selected { colors.selection } else { colors.hover });
    }
    let weak = lit.is_some() && !is_lit;
    let text = if weak { colors.dim } else { colors.text };
    let middle = rect.center().y;
    let swatch = Rect::from_center_size(pos2(rect.left() + 9.0, middle), vec2(10.0, 10.0));
    ui.painter().rect_filled(swatch, 2.0, ink(groups, code, lit));
    let font = FontId::proportional(desk.theme.size.table);
    let room = names - 20.0;
    let galley = egui::WidgetText::from(egui::RichText::new(name).font(font.clone()).color(text));
    let galley = galley.into_galley(ui, Some(egui::TextWrapMode::Truncate), room, font.clone());
    ui.painter().galley(pos2(rect.left() + 18.0, middle - galley.size().y / 2.0), galley, text);
    ui.painter().text(pos2(rect.right() - 4.0, middle), Align2::RIGHT_CENTER, thousands(n), font, text);
    if let Some(v) = violin {
        body(ui, desk, (axis, middle), v, (ink(groups, code, lit), weak));
    }
    answer(desk, code as u32, response.hovered(), response.clicked());
    response.on_hover_ui(|ui| {
        ui.label(about(name, violin));
    });
}

fn about(name: &str, violin: Option<&Violin>) -> String {
    let Some(v) = violin else { return format!("{name}: no spot has a value") };
    let [least, q1, median, q3, most] = v.quantiles.map(three_digits);
    let width = v.bandwidth.map_or_else(|| "all values are the same".to_owned(), |h| format!("kernel width {}", three_digits(h)));
    let n = thousands(v.n);
    format!(
        "{name}\n{n} spots, mean {}\nmedian {median}, quartiles {q1} to {q3}\n{least} to {most}; {width}",
        three_digits(v.mean)
    )
}

/// The shape of a density with quartiles and median.
fn body(ui: &Ui, desk: &Desk<'_>, (axis, middle): (&Axis, f32), v: &Violin, (color, weak): (Color32, bool)) {
    let painter = ui.painter();
    let colors = desk.colors();
    let line = if weak { colors.dim.gamma_multiply(UNLIT + 0.2) } else { colors.text };
    let [least, q1, median, q3, most] = v.quantiles.map(|q| axis.at(q));
    let peak = v.density.iter().copied().fold(0.0, f64::max);
    if peak > 0.0 {
        let last = (v.density.len() - 1).max(1) as f64;
        let x = |i: usize| axis.at(v.quantiles[0] + (v.quantiles[4] - v.quantiles[0]) * i as f64 / last);
        let half = |d: f64| (ROW / 2.0 - 3.0) * (d / peak) as f32;
        let mut mesh = Mesh::default();
        let mut edge: Vec<Pos2> = Vec::with_capacity(2 * v.density.len());
        for (i, &d) in v.density.iter().enumerate() {
            let (top, bottom) = (pos2(x(i), middle - half(d)), pos2(x(i), middle + half(d)));
            mesh.colored_vertex(top, color);
            mesh.colored_vertex(bottom, color);
            if i > 0 {
                let k = 2 * i as u32;
                mesh.add_triangle(k - 2, k - 1, k);
                mesh.add_triangle(k - 1, k + 1, k);
            }
            edge.push(top);
        }
        edge.extend(v.density.iter().enumerate().rev().map(|(i, &d)| pos2(x(i), middle + half(d))));
        painter.add(Shape::mesh(mesh));
        painter.add(Shape::closed_line(edge, Stroke::new(1.0, colors.dim.gamma_multiply(if weak { UNLIT } else { 0.8 }))));
    }
    painter.hline(Rangef::new(least, most), middle, Stroke::new(1.0, line));
    let bar = Rect::from_min_max(pos2(q1, middle - 2.0), pos2(q3, middle + 2.0));
    painter.rect(bar, 1.0, colors.pane, Stroke::new(1.0, line), StrokeKind::Outside);
    painter.circle(pos2(median, middle), 3.0, line, Stroke::new(1.0, colors.pane));
}
