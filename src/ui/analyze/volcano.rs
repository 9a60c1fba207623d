//! The volcano of two regions: how much genes differ against how surely; a click paints a gene.

use super::super::desk::{Desk, dim, small};
use super::super::tree::thousands;
use super::plots::{Axis, ticks};
use crate::omics::{Comparison, GeneDifference, Unit};
use crate::session::{Action, Compared, three_digits};
use egui::{Align2, Button, Color32, Label, Mesh, Painter, Pos2, Rangef, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo};
use egui::{pos2, vec2};
use std::f64::consts::LN_10;

/// Height in points.
const HEIGHT: f32 = 240.0;
/// Genes with names.
const NAMED: usize = 10;
/// False discovery rate of the line.
const RATE: f64 = 0.05;

/// What the axes show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Hedges' g instead of log2.
    effect: bool,
    /// The chance instead of the false discovery rate.
    chance: bool,
}

impl State {
    fn x(self, g: &GeneDifference) -> f64 {
        if self.effect { g.effect } else { g.log2fc }
    }

    fn y(self, g: &GeneDifference) -> f64 {
        -(if self.chance { g.ln_p } else { g.ln_q }) / LN_10
    }
}

/// The plot with its switches.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, found: &Compared, comparison: &Comparison) {
    let mut state = desk.memo.analyze.regions.volcano;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let pick = |ui: &mut Ui, is: bool, text: &str, hint: &str| {
            ui.add(Button::selectable(is, small(desk.theme, text))).on_hover_text(hint).clicked()
        };
        if pick(ui, !state.effect, "log2", "Across: log2 of the ratio of 1 + normalized counts") {
            state.effect = false;
        }
        if pick(ui, state.effect, "effect", "Across: Hedges' g") {
            state.effect = true;
        }
        ui.add_space(8.0);
        if pick(ui, !state.chance, "q", "Up: false discovery rate among all compared genes (Benjamini and Hochberg)") {
            state.chance = false;
        }
        if pick(ui, state.chance, "p", "Up: two-sided chance of t, each gene alone") {
            state.chance = true;
        }
    });
    desk.memo.analyze.regions.volcano = state;
    if comparison.genes.is_empty() {
        ui.add(Label::new(dim(desk.theme, "No gene differs between the two: there is nothing to draw.")).wrap());
        return;
    }
    draw(ui, desk, found, comparison, state);
    let sure = comparison.genes.iter().filter(|g| is_sure(g)).count();
    let unit = if comparison.unit == Unit::Spots { "; spots of one section are counted, not patients" } else { "" };
    let text = format!("{} of {} genes with q below {RATE}{unit}", thousands(sure), thousands(comparison.genes.len()));
    ui.add(Label::new(dim(desk.theme, text)).wrap());
}

fn draw(ui: &mut Ui, desk: &mut Desk<'_>, found: &Compared, comparison: &Comparison, state: State) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "Volcano of the regions"));
    let painter = ui.painter_at(rect);
    let inner = Rect::from_min_max(rect.min + vec2(34.0, 20.0), rect.max - vec2(10.0, 34.0));
    let genes = &comparison.genes;
    let reach = genes.iter().map(|g| state.x(g).abs()).fold(0.0, f64::max) * 1.05;
    let top = genes.iter().map(|g| state.y(g)).fold(0.0, f64::max) * 1.05;
    let across = Axis { low: -reach, high: reach, places: inner.x_range() };
    let up = Axis { low: 0.0, high: top.max(0.1), places: Rangef::new(inner.bottom(), inner.top()) };
    painter.rect_filled(rect, desk.theme.size.corner, desk.colors().pane);
    axes(&painter, desk, found, (&across, &up, inner), state);
    let at = |g: &GeneDifference| pos2(across.at(state.x(g)), up.at(state.y(g)));
    let mut mesh = Mesh::default();
    let side = if genes.len() > 3000 { 2.0 } else { 3.0 };
    let mut nearest: Option<(f32, usize)> = None;
    // The largest effects are first in the list and last on the picture.
    for (i, g) in genes.iter().enumerate().rev() {
        let place = at(g);
        // Genes that may differ by chance are smaller, whatever the colors of the regions.
        let side = if is_sure(g) { side } else { 0.6 * side };
        mesh.add_colored_rect(Rect::from_center_size(place, vec2(side, side)), ink(desk, found, g));
        if let Some(distance) = response.hover_pos().map(|p| place.distance(p)).filter(|d| *d < 8.0)
            && nearest.is_none_or(|n| distance <= n.0)
        {
            nearest = Some((distance, i));
        }
    }
    painter.add(Shape::mesh(mesh));
    names(&painter, desk, found, (genes, &at), inner);
    let Some((_, i)) = nearest else { return };
    let (g, name) = (&genes[i], &found.gene_names[i]);
    painter.circle_stroke(at(g), 5.0, Stroke::new(1.5, desk.colors().text));
    if response.clicked() {
        desk.act(Action::Paint { section: found.section, name: name.clone() });
    }
    let [log2, effect] = [g.log2fc, g.effect].map(three_digits);
    let [p, q] = [g.ln_p, g.ln_q].map(small_number);
    response.on_hover_text_at_pointer(format!("{name}\nlog2 {log2}, effect {effect}\np {p}, q {q}\nClick paints it"));
}

fn is_sure(g: &GeneDifference) -> bool {
    g.ln_q < RATE.ln()
}

/// A number from its logarithm, as `3.2e−412` where it is too small for a number.
fn small_number(ln: f64) -> String {
    if ln > -600.0 {
        return three_digits(ln.exp());
    }
    let power = (ln / LN_10).floor();
    format!("{:.1}e−{:.0}", (ln - power * LN_10).exp(), -power)
}

/// The side that has more of a gene, where that is sure; sides are told by left and right too.
fn ink(desk: &Desk<'_>, found: &Compared, g: &GeneDifference) -> Color32 {
    if !is_sure(g) {
        return desk.colors().dim.gamma_multiply(0.6);
    }
    let [r, g, b] = found.rgb[usize::from(g.log2fc < 0.0)];
    Color32::from_rgb(r, g, b)
}

fn axes(painter: &Painter, desk: &Desk<'_>, found: &Compared, (across, up, inner): (&Axis, &Axis, Rect), state: State) {
    let (colors, font) = (*desk.colors(), desk.theme.overlay_font());
    for (value, text) in ticks(across.low, across.high, 5) {
        let x = across.at(value);
        painter.vline(x, inner.y_range(), Stroke::new(1.0, colors.line));
        painter.text(pos2(x, inner.bottom() + 3.0), Align2::CENTER_TOP, text, font.clone(), colors.dim);
    }
    for (value, text) in ticks(0.0, up.high, 5) {
        let y = up.at(value);
        painter.hline(inner.x_range(), y, Stroke::new(1.0, colors.line));
        painter.text(pos2(inner.left() - 4.0, y), Align2::RIGHT_CENTER, text, font.clone(), colors.dim);
    }
    let rate = -RATE.log10();
    if rate < up.high && !state.chance {
        let y = up.at(rate);
        let line = [pos2(inner.left(), y), pos2(inner.right(), y)];
        painter.extend(Shape::dashed_line(&line, Stroke::new(1.0, colors.dim), 4.0, 3.0));
    }
    let what = if state.chance { "−log10 p" } else { "−log10 q" };
    painter.text(inner.left_top() - vec2(30.0, 4.0), Align2::LEFT_BOTTOM, what, font.clone(), colors.dim);
    let [a, b] = &found.names;
    let below = inner.bottom() + 18.0;
    let words = if state.effect { "Hedges' g" } else { "log2 of the ratio" };
    painter.text(pos2(inner.center().x, below), Align2::CENTER_TOP, words, font.clone(), colors.dim);
    painter.text(pos2(inner.left(), below), Align2::LEFT_TOP, format!("← {}", short(b)), font.clone(), colors.text);
    painter.text(pos2(inner.right(), below), Align2::RIGHT_TOP, format!("{} →", short(a)), font, colors.text);
}

fn short(name: &str) -> String {
    if name.chars().count() <= 12 { name.to_owned() } else { format!("{}…", name.chars().take(11).collect::<String>()) }
}

/// Names of the genes with the largest effects, where there is room.
fn names(
    painter: &Painter,
    desk: &Desk<'_>,
    found: &Compared,
    (genes, at): (&[GeneDifference], &impl Fn(&GeneDifference) -> Pos2),
    inner: Rect,
) {
    let mut taken: Vec<Rect> = Vec::new();
    let text = desk.colors().text;
    for (g, name) in genes.iter().zip(&found.gene_names).filter(|(g, _)| is_sure(g)).take(4 * NAMED) {
        let galley = painter.layout_no_wrap(name.clone(), desk.theme.overlay_font(), text);
        let place = at(g);
        let is_left = place.x + galley.size().x + 6.0 > inner.right();
        let x = if is_left { place.x - galley.size().x - 5.0 } else { place.x + 5.0 };
        let y = (place.y - galley.size().y / 2.0).clamp(inner.top() - 10.0, inner.bottom() - galley.size().y);
        let rect = Rect::from_min_size(pos2(x, y), galley.size());
        if taken.len() < NAMED && taken.iter().all(|t| !t.intersects(rect)) {
            painter.rect_filled(rect.expand(1.0), 2.0, desk.colors().pane.gamma_multiply(0.65));
            painter.galley(rect.min, galley, text);
            taken.push(rect);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_written_however_small() {
        assert_eq!(small_number(0.04_f64.ln()), "0.0400");
        assert_eq!(small_number(-1000.0 * LN_10 + 3.2_f64.ln()), "3.2e−1000");
    }
}
