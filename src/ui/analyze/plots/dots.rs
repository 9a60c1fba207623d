//! Dots: genes by categories; the area of a dot is the share of spots that express the gene, its color the mean.

use super::super::super::desk::{Desk, dim, small};
use super::super::super::tree::{field, thousands};
use super::{answer, ink, same};
use crate::model::{AnalysisResult, ColorMap, ElementId};
use crate::scene::{SpotGroups, color};
use crate::session::{Action, DotGenes, DotPlot, MOST_DOT_GENES, PlotAction, Recipe, Task, built_in_sets, three_digits};
use egui::epaint::TextShape;
use egui::{Align2, Button, Color32, DragValue, FontId, Key, Label, Mesh, Rect, Role, ScrollArea, Sense, Shape, Stroke};
use egui::{TextEdit, Ui, WidgetInfo, pos2, vec2};
use std::sync::Arc;

/// Side of the square of a dot.
const CELL: f32 = 22.0;
/// Radius of a dot where all spots express the gene.
const RADIUS: f32 = 9.0;
/// Width of the names of genes.
const NAMES: f32 = 84.0;
/// Rows seen at once.
const ROWS: f32 = 14.0;
/// Letters of a category's name in the head.
const LETTERS: usize = 14;

/// What is typed here and what was asked for last.
#[derive(Debug)]
pub(super) struct State {
    text: String,
    wanted: DotGenes,
    leading: usize,
    /// Each gene from its least to its largest mean.
    scale: bool,
    asked: Option<(DotGenes, Arc<SpotGroups>)>,
}

impl Default for State {
    fn default() -> Self {
        Self { text: String::new(), wanted: DotGenes::Leading(2), leading: 2, scale: false, asked: None }
    }
}

/// Dots of the wanted genes.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, groups: &Arc<SpotGroups>) {
    if desk.session.study.section(id).is_none_or(|s| s.expression.is_none()) {
        ui.add(Label::new(dim(desk.theme, "This section has no genes.")).wrap());
        return;
    }
    controls(ui, desk, id);
    let state = &mut desk.memo.analyze.plots.dots;
    let wanted = state.wanted.clone();
    if !state.asked.as_ref().is_some_and(|(w, g)| *w == wanted && same(g, groups)) {
        state.asked = Some((wanted.clone(), Arc::clone(groups)));
        desk.act(Action::Plot(PlotAction::Dots(wanted.clone())));
    }
    match desk.session.dot_plot().filter(|p| same(&p.groups, groups) && p.asked == wanted).cloned() {
        Some(found) => plot(ui, desk, id, &found),
        None if desk.session.job("dots").is_some() => {
            ui.label(dim(desk.theme, "Counting spots…"));
        }
        None => {
            ui.add(Label::new(dim(desk.theme, "No dots: type names of genes of this section.")).wrap());
        }
    }
}

fn controls(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    let mut state = std::mem::take(&mut desk.memo.analyze.plots.dots);
    let edit = TextEdit::singleline(&mut state.text).hint_text("Genes, as NPPA MYH7 COL1A1").desired_width(f32::INFINITY);
    let response = ui.add(edit).accessible_name("Genes of the dots").on_hover_text("Names with spaces between; Enter draws them");
    if response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) && !names(&state.text).is_empty() {
        state.wanted = DotGenes::Named(names(&state.text));
    }
    ui.horizontal_wrapped(|ui| {
        let is_leading = matches!(state.wanted, DotGenes::Leading(_));
        let button = Button::selectable(is_leading, small(desk.theme, "Leading genes"));
        let hint = "Genes that stand out most in each category by Welch's t against all others. Where the categories were \
                    found from the same genes, this orders genes and says nothing about chance";
        let clicked = ui.add(button).on_hover_text(hint).clicked();
        let drag = ui.add(DragValue::new(&mut state.leading).range(1..=10)).accessible_name("Leading genes of each category");
        if clicked || drag.changed() {
            state.wanted = DotGenes::Leading(state.leading);
        }
        let menu = ui.menu_button(small(desk.theme, "Gene set ▼"), |ui| {
            if let Some(genes) = set_menu(ui, desk, id) {
                state.text = genes.join(" ");
                state.wanted = DotGenes::Named(genes);
                ui.close();
            }
        });
        menu.response.on_hover_text("The genes of a set: those scored last, else markers of the cells of the heart");
    });
    field(ui, desk, "Each gene 0 to 1", |ui| {
        let hint = "From the least to the largest mean of each gene; off, all genes share one scale";
        ui.checkbox(&mut state.scale, "").on_hover_text(hint);
    });
    desk.memo.analyze.plots.dots = state;
}

/// Names of genes in a text.
fn names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    words.filter(|w| !w.is_empty()).map(str::to_owned).take(MOST_DOT_GENES).collect()
}

/// The sets of the newest scores, else the built-in ones; the genes of the one chosen.
fn set_menu(ui: &mut Ui, desk: &Desk<'_>, id: ElementId) -> Option<Vec<String>> {
    let scored = super::super::newest(desk, id, |r| matches!(r, AnalysisResult::Sets(_)));
    let sets = match scored.and_then(|(_, a)| Recipe::of(&a)).map(|r| r.task) {
        Some(Task::Score(task)) => task.sets.into_iter().map(|s| (s.name, s.genes)).collect(),
        _ => built_in_sets(),
    };
    let mut chosen = None;
    ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
        for (name, genes) in sets {
            if ui.add(Button::new(name).frame_when_inactive(false)).clicked() {
                chosen = Some(genes.into_iter().take(MOST_DOT_GENES).collect());
            }
        }
    });
    chosen
}

/// Means as colors.
struct Shades {
    values: Vec<f64>,
    low: f64,
    high: f64,
}

impl Shades {
    fn of(plot: &DotPlot, scale: bool) -> Self {
        let values = if scale { plot.dots.scaled() } else { plot.dots.mean.clone() };
        let high = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let low = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::min);
        Self { values, low, high: if high > low { high } else { low + 1.0 } }
    }

    fn ink(&self, at: usize) -> Color32 {
        let [r, g, b] = color(ColorMap::Viridis, ((self.values[at] - self.low) / (self.high - self.low)) as f32);
        Color32::from_rgb(r, g, b)
    }
}

fn plot(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, plot: &DotPlot) {
    let shades = Shades::of(plot, desk.memo.analyze.plots.dots.scale);
    if !plot.unknown.is_empty() {
        let text = format!("Not in this section: {}", plot.unknown.join(", "));
        ui.add(Label::new(small(desk.theme, text).color(desk.colors().warning)).wrap());
    }
    let n = plot.groups.names.len();
    let width = (NAMES + CELL * n as f32 + 8.0).max(ui.available_width() - 2.0);
    ScrollArea::horizontal().id_salt("dots").auto_shrink([false, true]).show(ui, |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.spacing_mut().interact_size.y = CELL - 2.0;
        ui.spacing_mut().button_padding.y = 0.0;
        head(ui, desk, &plot.groups);
        let rows = (plot.genes.len() as f32).min(ROWS);
        let area = ScrollArea::vertical().id_salt("dot rows").auto_shrink([false, true]);
        area.max_height(rows * CELL).min_scrolled_height(rows * CELL).show_rows(ui, CELL, plot.genes.len(), |ui, range| {
            for gene in range {
                row(ui, desk, id, (plot, &shades), gene);
            }
        });
    });
    legend(ui, desk, plot, &shades);
}

/// Colors and names of the categories, upright where they are short.
fn head(ui: &mut Ui, desk: &mut Desk<'_>, groups: &SpotGroups) {
    let font = desk.theme.overlay_font();
    let lit = desk.session.view.shown_group();
    let short = |name: &str| match name.chars().count() {
        0..=LETTERS => name.to_owned(),
        _ => format!("{}…", name.chars().take(LETTERS - 1).collect::<String>()),
    };
    let colors = *desk.colors();
    let words: Vec<_> = groups.names.iter().map(|n| ui.painter().layout_no_wrap(short(n), font.clone(), colors.text)).collect();
    let longest = words.iter().map(|w| w.size().x).fold(0.0, f32::max);
    let upright = longest <= CELL - 2.0;
    let tall = if upright { 16.0 } else { longest + 6.0 };
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), tall + 16.0), Sense::hover());
    for (code, word) in words.into_iter().enumerate() {
        let column = Rect::from_min_size(pos2(rect.left() + NAMES + CELL * code as f32, rect.top()), vec2(CELL, rect.height()));
        let response = ui.interact(column, ui.scope_id().with(("dot head", code)), Sense::click());
        let selected = desk.session.view.selected_group == Some(code as u32);
        let name = format!("Dots of {}", groups.names[code]);
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, &name));
        if selected || lit == Some(code as u32) {
            ui.painter().rect_filled(column, 2.0, if selected { colors.selection } else { colors.hover });
        }
        let swatch = Rect::from_center_size(pos2(column.center().x, rect.bottom() - 8.0), vec2(10.0, 10.0));
        ui.painter().rect_filled(swatch, 2.0, ink(groups, code, lit));
        let text = if lit.is_none_or(|l| l as usize == code) { colors.text } else { colors.dim };
        let size = word.size();
        let shape = if upright {
            TextShape::new(pos2(column.center().x - size.x / 2.0, rect.top() + 1.0), word, text)
        } else {
            let at = pos2(column.center().x - size.y / 2.0, rect.bottom() - 16.0);
            TextShape::new(at, word, text).with_angle(-std::f32::consts::FRAC_PI_2)
        };
        ui.painter().add(shape.with_override_text_color(text));
        answer(desk, code as u32, response.hovered(), response.clicked());
        response.on_hover_text(format!("{}: {} spots", groups.names[code], thousands(groups.sizes[code])));
    }
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, (plot, shades): (&DotPlot, &Shades), gene: usize) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), CELL), Sense::hover());
    let (name, groups) = (&plot.genes[gene], &plot.groups);
    let painted = super::super::genes::painted(desk, id).as_deref() == Some(name);
    let button = Button::selectable(painted, small(desk.theme, name)).right_text("").truncate();
    let at = Rect::from_min_size(rect.min, vec2(NAMES - 4.0, CELL)).shrink2(vec2(0.0, 1.0));
    if ui.put(at, button).on_hover_text(format!("Paint {name}")).clicked() {
        desk.act(Action::Paint { section: id, name: name.clone() });
    }
    let (lit, colors) = (desk.session.view.shown_group(), *desk.colors());
    for (code, category) in groups.names.iter().enumerate() {
        let k = gene * groups.names.len() + code;
        let (fraction, mean) = (plot.dots.fraction[k], plot.dots.mean[k]);
        let square = Rect::from_min_size(pos2(rect.left() + NAMES + CELL * code as f32, rect.top()), vec2(CELL, CELL));
        let response = ui.interact(square, ui.scope_id().with(("dot", gene, code)), Sense::click());
        let label = format!("{name} in {category}");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        let is_lit = lit == Some(code as u32);
        if is_lit || response.hovered() {
            let is_selected = desk.session.view.selected_group == Some(code as u32);
            ui.painter().rect_filled(square, 0.0, if is_selected { colors.selection } else { colors.hover });
        }
        if fraction > 0.0 {
            let weak = if lit.is_none() || is_lit { 1.0 } else { 0.35 };
            let ring = Stroke::new(1.0, colors.dim.gamma_multiply(0.7 * weak));
            let radius = (RADIUS * (fraction as f32).sqrt()).max(1.0);
            ui.painter().circle(square.center(), radius, shades.ink(k).gamma_multiply(weak), ring);
        }
        answer(desk, code as u32, response.hovered(), false);
        if response.clicked() {
            desk.act(Action::Paint { section: id, name: name.clone() });
            if desk.session.view.selected_group != Some(code as u32) {
                answer(desk, code as u32, false, true);
            }
        }
        response.on_hover_ui(|ui| {
            let n = thousands(groups.sizes[code]);
            ui.label(format!("{label}\n{:.0} % of {n} spots express it\nmean {}", 100.0 * fraction, three_digits(mean)));
        });
    }
}

/// What sizes and colors mean.
fn legend(ui: &mut Ui, desk: &Desk<'_>, plot: &DotPlot, shades: &Shades) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let (colors, painter) = (*desk.colors(), ui.painter());
    let font = FontId::proportional(desk.theme.size.overlay);
    let (line, below) = (rect.top() + 14.0, rect.bottom() - 12.0);
    let mut x = rect.left() + RADIUS + 2.0;
    for share in [0.2, 0.6, 1.0f32] {
        painter.circle(pos2(x, line), RADIUS * share.sqrt(), colors.dim, Stroke::NONE);
        painter.text(pos2(x, below), Align2::CENTER_TOP, format!("{:.0}", 100.0 * share), font.clone(), colors.dim);
        x += 28.0;
    }
    painter.text(pos2(x - 12.0, line), Align2::LEFT_CENTER, "% of spots", font.clone(), colors.dim);
    let bar = Rect::from_min_max(pos2(rect.right() - 104.0, line - 4.0), pos2(rect.right() - 8.0, line + 4.0));
    let mut mesh = Mesh::default();
    for i in 0..=24u32 {
        let t = i as f32 / 24.0;
        let [r, g, b] = color(ColorMap::Viridis, t);
        let x = bar.left() + t * bar.width();
        mesh.colored_vertex(pos2(x, bar.top()), Color32::from_rgb(r, g, b));
        mesh.colored_vertex(pos2(x, bar.bottom()), Color32::from_rgb(r, g, b));
        if i > 0 {
            mesh.add_triangle(2 * i - 2, 2 * i - 1, 2 * i);
            mesh.add_triangle(2 * i - 1, 2 * i + 1, 2 * i);
        }
    }
    painter.add(Shape::mesh(mesh));
    painter.rect_stroke(bar, 0.0, Stroke::new(1.0, colors.line), egui::StrokeKind::Outside);
    let ends = [(bar.left(), Align2::LEFT_TOP, shades.low), (bar.right(), Align2::RIGHT_TOP, shades.high)];
    for (x, align, value) in ends {
        painter.text(pos2(x, below), align, three_digits(value), font.clone(), colors.dim);
    }
    let scaled = desk.memo.analyze.plots.dots.scale;
    let what = if scaled { "mean, each gene 0 to 1".to_owned() } else { format!("mean {}", plot.unit) };
    painter.text(pos2(bar.center().x, line - 6.0), Align2::CENTER_BOTTOM, what, font, colors.dim);
}

#[cfg(test)]
mod tests {
    #[test]
    fn genes_are_typed_in_any_way() {
        assert_eq!(super::names(" NPPA, MYH7;TTN\n\tVWF "), ["NPPA", "MYH7", "TTN", "VWF"]);
        assert!(super::names(" ,; ").is_empty());
    }
}
