//! The right side's upper half: how the selected layer is shown.

use super::desk::{Desk, dim, small, title};
use super::tree::field;
use super::{genes, histogram, layers};
use crate::model::{ColorMap, ElementId, Layer, LayerKind, PixelSize};
use crate::scene::color;
use crate::session::{Action, three_digits};
use egui::{Color32, DragValue, Rect, Sense, Slider, Ui, pos2, vec2};

/// Properties of the selected layer.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let layers = &desk.session.study.layers;
    let index = desk.memo.selected_layer.filter(|&i| i < layers.len()).or_else(|| usual(desk)).or(layers.len().checked_sub(1));
    let Some(index) = index else {
        title(ui, desk.theme, "Inspector", |_| {});
        ui.add(egui::Label::new(dim(desk.theme, "Window, colors and opacity of the selected layer appear here.")).wrap());
        return;
    };
    let layer = layers[index].clone();
    let name = desk.session.study.elements.get(&layer.element).map_or_else(String::new, |e| e.name().to_owned());
    let theme = desk.theme;
    title(ui, theme, "Inspector", |ui| {
        ui.add(egui::Label::new(dim(theme, format!("{name} · {}", layers::kind_name(&layer)))).truncate());
    });
    let mut changed = layer.clone();
    match &layer.kind {
        LayerKind::Image { .. } => image(ui, desk, &mut changed),
        LayerKind::Labels { .. } => labels(ui, desk, &mut changed),
        LayerKind::Picture => picture(ui, desk, layer.element),
        LayerKind::Spots { .. } => genes::show(ui, desk, &mut changed),
    }
    slider(ui, desk, "Opacity", &mut changed.opacity, 0.0..=1.0, |v| format!("{:.0} %", v * 100.0));
    if changed != layer {
        desk.act(Action::PreviewLayer { index, layer: changed });
    }
}

/// The layer to begin with: the topmost one in sight of the section shown, its spots before its picture; else of
/// the heart shown.
pub(super) fn usual(desk: &Desk<'_>) -> Option<usize> {
    let (layers, view) = (&desk.session.study.layers, &desk.session.view);
    let of = |id: Option<ElementId>, spots: bool| {
        let is_spots = |l: &Layer| matches!(l.kind, LayerKind::Spots { .. });
        layers.iter().rposition(|l| l.visible && Some(l.element) == id && (!spots || is_spots(l)))
    };
    of(view.section, true).or_else(|| of(view.section, false)).or_else(|| of(view.heart, false))
}

/// A slider with its name at the left and its value at the right.
pub(super) fn slider(
    ui: &mut Ui,
    desk: &Desk<'_>,
    name: &str,
    value: &mut f64,
    range: std::ops::RangeInclusive<f64>,
    shown: impl Fn(f64) -> String,
) {
    ui.horizontal(|ui| {
        ui.set_min_height(desk.theme.size.control_height);
        let label = ui
            .allocate_ui_with_layout(vec2(60.0, 20.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(60.0);
                ui.label(dim(desk.theme, name))
            })
            .inner;
        ui.spacing_mut().slider_width = (ui.available_width() - 62.0).max(40.0);
        ui.add(Slider::new(value, range).show_value(false)).labelled_by(label.id).on_hover_text(name);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(small(desk.theme, shown(*value)));
        });
    });
}

fn image(ui: &mut Ui, desk: &mut Desk<'_>, layer: &mut Layer) {
    let Some(volume) = desk.session.study.volume(layer.element).cloned() else { return };
    let LayerKind::Image { low, high, color_map, smooth } = &mut layer.kind else { return };
    if let Some((a, b)) = histogram::show(ui, desk, &volume, (*low, *high)) {
        (*low, *high) = (a, b);
    }
    let speed = (volume.window.1 - volume.window.0).abs() / 400.0;
    field(ui, desk, "Window", |ui| {
        let unit = if volume.unit.is_empty() { String::new() } else { format!(" {}", volume.unit) };
        let drag = |v| DragValue::new(v).speed(speed).max_decimals(2).suffix(unit.clone());
        ui.add(drag(high)).accessible_name("Value of the highest color").on_hover_text("Value of the highest color");
        ui.label(dim(desk.theme, "to"));
        ui.add(drag(low)).accessible_name("Value of the lowest color").on_hover_text("Value of the lowest color");
    });
    ui.horizontal_wrapped(|ui| {
        for (name, hint, window) in presets(&volume) {
            if ui.small_button(name).on_hover_text(hint).clicked() {
                (*low, *high) = window.unwrap_or_else(|| volume.percentile_window(0.005, 0.995));
            }
        }
        if ui.small_button("Invert").on_hover_text("Exchange the ends of the color table").clicked() {
            std::mem::swap(low, high);
        }
    });
    color_maps(ui, desk, color_map);
    ui.checkbox(smooth, "Smooth").on_hover_text("Interpolate between voxels; off shows each voxel as it is");
}

type Preset = (&'static str, &'static str, Option<(f64, f64)>);

fn presets(volume: &crate::model::Volume) -> Vec<Preset> {
    let mut all = vec![
        ("From file", "The window stored with the image, or 0.5–99.5 %", Some(volume.window)),
        ("0.5–99.5 %", "Percentiles of all voxels", None),
    ];
    if volume.unit == "HU" || volume.modality == "CT" {
        all.push(("Soft tissue", "Level 40, width 400 HU", Some((-160.0, 240.0))));
        all.push(("Angiography", "Level 300, width 600 HU", Some((0.0, 600.0))));
        all.push(("Lung", "Level −600, width 1500 HU", Some((-1350.0, 150.0))));
        all.push(("Bone", "Level 400, width 1800 HU", Some((-500.0, 1300.0))));
    }
    all
}

fn labels(ui: &mut Ui, desk: &mut Desk<'_>, layer: &mut Layer) {
    let Some(map) = desk.session.study.labels(layer.element) else { return };
    for entry in &map.table {
        ui.horizontal(|ui| {
            let [r, g, b] = entry.rgb;
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, Color32::from_rgb(r, g, b));
            ui.label(small(desk.theme, format!("{}  {}", entry.value, entry.name)));
        });
    }
    let LayerKind::Labels { fill, outline_px } = &mut layer.kind else { return };
    slider(ui, desk, "Fill", fill, 0.0..=1.0, |v| format!("{:.0} %", v * 100.0));
    slider(ui, desk, "Outline", outline_px, 0.0..=5.0, |v| format!("{v:.1} px"));
}

fn picture(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    let Some(section) = desk.session.study.section(id).cloned() else { return };
    if let Some(picture) = &section.picture {
        let [w, h] = picture.full_size;
        field(ui, desk, "Full size", |ui| {
            ui.label(small(desk.theme, format!("{w:.0} × {h:.0} px")));
        });
        let names: Vec<String> =
            picture.levels.iter().map(|l| format!("{} ({} of full)", l.name, three_digits(1.0 / l.scale))).collect();
        field(ui, desk, "Levels", |ui| {
            ui.add(egui::Label::new(small(desk.theme, names.join(", "))).truncate());
        });
    }
    pixel_size(ui, desk, id, &section.pixel_size);
}

/// The size of a pixel, and a field to type it where nobody said.
fn pixel_size(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, size: &PixelSize) {
    if let PixelSize::Known { um_per_px, source } = size {
        let typed = source == "typed";
        field(ui, desk, "Pixel", |ui| {
            ui.add(egui::Label::new(small(desk.theme, format!("{} µm ({source})", three_digits(*um_per_px)))).truncate());
        });
        if !typed {
            return;
        }
        if ui.small_button("Forget what was typed").on_hover_text("Back to what the files say; undo brings it back").clicked() {
            desk.act(Action::ForgetPixelSize(id));
        }
    }
    let why = "The files do not say how large a pixel is. Lengths are in pixels until you type it.";
    if matches!(size, PixelSize::Unknown) {
        ui.add(egui::Label::new(small(desk.theme, why).color(desk.colors().warning)).wrap());
    }
    ui.horizontal(|ui| {
        let field = egui::TextEdit::singleline(&mut desk.memo.pixel_size).hint_text("µm per pixel").desired_width(90.0);
        let typed = ui.add(field).accessible_name("Size of a pixel in µm").lost_focus();
        let value = desk.memo.pixel_size.trim().replace(',', ".").parse::<f64>().ok().filter(|v| *v > 0.0);
        let go = ui.add_enabled(value.is_some(), egui::Button::new("Set")).on_disabled_hover_text("Type a number in µm.");
        if let Some(um_per_px) = value
            && (go.clicked() || typed && ui.input(|i| i.key_pressed(egui::Key::Enter)))
        {
            desk.act(Action::SetPixelSize { section: id, um_per_px });
            desk.memo.pixel_size.clear();
        }
    });
}

/// The choice of a color table, each with its picture.
pub(super) fn color_maps(ui: &mut Ui, desk: &Desk<'_>, map: &mut ColorMap) {
    field(ui, desk, "Colors", |ui| {
        let combo = egui::ComboBox::from_id_salt("color map").selected_text(map.name()).width(110.0);
        let shown = combo.show_ui(ui, |ui| {
            // Colors of categories come with what is painted.
            let now = *map;
            for choice in ColorMap::ALL.into_iter().filter(|c| *c != ColorMap::Categories || now == *c) {
                ui.horizontal(|ui| {
                    let (rect, _) = ui.allocate_exact_size(vec2(48.0, 12.0), Sense::hover());
                    strip(ui, rect, choice);
                    ui.selectable_value(map, choice, choice.name());
                });
            }
        });
        shown.response.accessible_name(format!("Color table: {}", map.name()));
        let (rect, _) = ui.allocate_exact_size(vec2(64.0, 12.0), Sense::hover());
        strip(ui, rect, *map);
    });
}

fn strip(ui: &Ui, rect: Rect, map: ColorMap) {
    let n = 32;
    for i in 0..n {
        let share = |k: i32| rect.left() + rect.width() * k as f32 / n as f32;
        let [r, g, b] = color(map, i as f32 / (n - 1) as f32);
        let part = Rect::from_min_max(pos2(share(i), rect.top()), pos2(share(i + 1) + 0.5, rect.bottom()));
        ui.painter().rect_filled(part.intersect(rect), 0.0, Color32::from_rgb(r, g, b));
    }
}
