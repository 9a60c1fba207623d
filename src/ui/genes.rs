//! What spots are colored by: a gene or a column found by typing, its scale and its limits.

use super::desk::{Desk, dim, small};
use super::inspector::color_maps;
use super::palette::score;
use super::tree::{field, thousands};
use crate::model::{ColorMap, Layer, LayerKind, Range};
use egui::{DragValue, Key, Modifiers, TextEdit, Ui};

/// Controls of a spots layer.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, layer: &mut Layer) {
    let Some(section) = desk.session.study.section(layer.element).cloned() else { return };
    if let Some(expression) = &section.expression {
        let fields: Vec<String> = desk.session.study.fields(layer.element).map(|f| f.name.clone()).collect();
        search(ui, desk, layer, &names(expression, &fields));
        let counts =
            format!("{} genes, {} spots", thousands(expression.genes().len()), thousands(expression.observations().len()));
        ui.label(dim(desk.theme, counts));
    } else {
        ui.label(dim(desk.theme, "This section has no expression; its spots are drawn plain."));
    }
    let element = layer.element;
    let LayerKind::Spots { log_normalized, color_map, range, color_by } = &mut layer.kind else { return };
    if color_by.is_none() {
        return;
    }
    ui.checkbox(log_normalized, "log1p CP10k").on_hover_text("ln(1 + 10⁴ · count / total of the spot); off shows counts");
    color_maps(ui, desk, color_map);
    let shown = desk.session.derived.spot_values.get(&element);
    let (mut low, mut high) = shown.map_or((0.0, 1.0), |s| (s.low, s.high));
    let rule = shown.map_or_else(String::new, |s| s.rule.clone());
    field(ui, desk, "Limits", |ui| {
        let speed = (high - low).abs().max(1e-3) / 200.0;
        let drag = |v| DragValue::new(v).speed(speed).max_decimals(2);
        let mut changed = ui.add(drag(&mut high)).accessible_name("Value of the highest color").changed();
        ui.label(dim(desk.theme, "to"));
        changed |= ui.add(drag(&mut low)).accessible_name("Value of the lowest color").changed();
        if changed && high > low {
            *range = Some(Range { low, high, rule: "typed".into() });
        }
    });
    ui.horizontal(|ui| {
        ui.add(egui::Label::new(dim(desk.theme, rule)).truncate()).on_hover_text("How values become colors");
        if range.is_some() && ui.small_button("0–p99").on_hover_text("Back to 0 and the 99th percentile on tissue").clicked() {
            *range = None;
        }
    });
}

fn names<'a>(expression: &'a crate::model::Expression, fields: &'a [String]) -> Vec<(&'a str, &'static str)> {
    let made = fields.iter().map(|f| (f.as_str(), "analysis"));
    let columns = expression.columns.keys().map(|c| (c.as_str(), "column"));
    expression.genes().iter().map(|g| (g.as_str(), "gene")).chain(columns).chain(made).collect()
}

/// The field with its suggestions.
fn search(ui: &mut Ui, desk: &mut Desk<'_>, layer: &mut Layer, names: &[(&str, &'static str)]) {
    let element = layer.element;
    let LayerKind::Spots { color_by, range, color_map, .. } = &mut layer.kind else { return };
    if !desk.memo.gene_active {
        desk.memo.gene = color_by.clone().unwrap_or_default();
    }
    let id = ui.make_persistent_id("gene field");
    let field =
        TextEdit::singleline(&mut desk.memo.gene).id(id).hint_text("Gene or column, as NPPA").desired_width(f32::INFINITY);
    let enter = desk.memo.gene_active && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    let response =
        ui.add(field).accessible_name("Gene or column").on_hover_text("Type a gene or a column; Enter takes the first");
    if response.gained_focus() {
        desk.memo.gene_active = true;
        desk.memo.gene.clear();
    }
    if !desk.memo.gene_active {
        return;
    }
    let query = desk.memo.gene.trim().to_owned();
    let mut picked = None;
    let best = suggestions(&query, names, color_by.as_deref());
    egui::Frame::new().fill(desk.colors().pane).inner_margin(4).corner_radius(desk.theme.size.corner).show(ui, |ui| {
        ui.set_width(ui.available_width());
        for (name, kind) in &best {
            let button = egui::Button::selectable(color_by.as_deref() == Some(*name), small(desk.theme, *name))
                .right_text(dim(desk.theme, *kind))
                .min_size(egui::vec2(ui.available_width(), 22.0));
            if ui.add(button).clicked() {
                picked = Some((*name).to_owned());
            }
        }
        if best.is_empty() {
            ui.label(dim(desk.theme, "No gene or column has such a name."));
        }
    });
    if enter {
        picked = best.first().map(|(n, _)| (*n).to_owned());
    }
    if let Some(name) = picked {
        match desk.session.study.categories(element, &name) {
            Some(_) => *color_map = ColorMap::Categories,
            None if *color_map == ColorMap::Categories => *color_map = ColorMap::Viridis,
            None => {}
        }
        *color_by = Some(name);
        *range = None;
        layer.visible = true;
        desk.memo.gene_active = false;
        response.surrender_focus();
    } else if ui.input(|i| i.key_pressed(Key::Escape)) || response.clicked_elsewhere() && !ui.ui_contains_pointer() {
        desk.memo.gene_active = false;
        response.surrender_focus();
    }
}

fn suggestions<'a>(query: &str, names: &[(&'a str, &'static str)], now: Option<&str>) -> Vec<(&'a str, &'static str)> {
    if query.is_empty() {
        let usual = ["NPPA", "NPPB", "MYH7", "MYH6", "TNNT2", "ACTC1", "COL1A1", "VWF"];
        let known = names.iter().filter(|(n, kind)| usual.contains(n) || *kind == "column" || Some(*n) == now);
        return known.take(9).copied().collect();
    }
    let mut found: Vec<(i32, (&str, &'static str))> =
        names.iter().filter_map(|&(n, kind)| score(query, n).map(|points| (points, (n, kind)))).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.0.cmp(b.1.0)));
    found.into_iter().take(9).map(|(_, n)| n).collect()
}
