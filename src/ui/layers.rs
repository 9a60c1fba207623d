//! The layer list: what is drawn over what. The topmost layer is the first row.

use super::desk::{Desk, dim, small, title};
use super::icon::{Icon, icon_button, icon_button_enabled};
use crate::model::{Layer, LayerKind};
use crate::session::Action;
use egui::{Align, Button, Layout, Ui};

/// What a layer shows, in a few words.
pub(super) fn kind_name(layer: &Layer) -> String {
    match &layer.kind {
        LayerKind::Image { .. } => "image".into(),
        LayerKind::Labels { .. } => "labels".into(),
        LayerKind::Picture => "histology".into(),
        LayerKind::Spots { color_by, .. } => color_by.clone().unwrap_or_else(|| "spots".into()),
    }
}

/// The list, topmost first.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Layers", |_| {});
    let layers = &desk.session.study.layers;
    if layers.is_empty() {
        ui.label(dim(desk.theme, "What is open appears here, topmost first."));
    }
    for (index, layer) in layers.iter().enumerate().rev() {
        row(ui, desk, index, layer, layers.len());
    }
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, index: usize, layer: &Layer, n: usize) {
    let name = desk.session.study.elements.get(&layer.element).map_or_else(String::new, |e| e.name().to_owned());
    let selected = desk.memo.selected_layer.or_else(|| super::inspector::usual(desk)) == Some(index);
    let whole = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let (icon, what) = if layer.visible { (Icon::Eye, "Hide") } else { (Icon::EyeOff, "Show") };
        if icon_button(ui, icon, &format!("{what} {} of {name}", kind_name(layer))).clicked() {
            desk.act(Action::SetLayer { index, layer: Layer { visible: !layer.visible, ..layer.clone() } });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let near = ui.rect_contains_pointer(ui.max_rect());
            if selected || near {
                arrows(ui, desk, index, n);
            }
            let text = small(desk.theme, name.clone());
            let text = if layer.visible { text } else { text.color(desk.colors().dim) };
            let button = Button::selectable(selected, text)
                .right_text(dim(desk.theme, kind_name(layer)))
                .truncate()
                .sense(egui::Sense::click_and_drag())
                .min_size(egui::vec2(ui.available_width(), desk.theme.size.control_height));
            let said = format!("Select layer {name}: {}", kind_name(layer));
            let response =
                ui.add(button).accessible_name(said).on_hover_text(format!("{name}: {}\nDrag moves it", kind_name(layer)));
            if response.clicked() {
                desk.memo.selected_layer = Some(index);
            }
            response.dnd_set_drag_payload(LayerRow(index));
        });
    });
    let response = whole.response.interact(egui::Sense::hover());
    if response.dnd_hover_payload::<LayerRow>().is_some() {
        let line = egui::Stroke::new(2.0, desk.colors().accent);
        ui.painter().hline(response.rect.x_range(), response.rect.top(), line);
    }
    if let Some(dropped) = response.dnd_release_payload::<LayerRow>()
        && dropped.0 != index
    {
        desk.act(Action::MoveLayer { from: dropped.0, to: index });
    }
}

/// Moves a layer by one place.
fn arrows(ui: &mut Ui, desk: &mut Desk<'_>, index: usize, n: usize) {
    let top = (index + 1 == n).then_some("It is the topmost layer.");
    let bottom = (index == 0).then_some("It is the lowest layer.");
    if icon_button_enabled(ui, Icon::Down, "Move below", bottom, false).clicked() {
        desk.act(Action::MoveLayer { from: index, to: index - 1 });
    }
    if icon_button_enabled(ui, Icon::Up, "Move above", top, false).clicked() {
        desk.act(Action::MoveLayer { from: index, to: index + 1 });
    }
}

/// A row that is dragged.
#[derive(Clone, Copy, Debug)]
struct LayerRow(usize);
