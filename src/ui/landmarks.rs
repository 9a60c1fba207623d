//! The right side's lower half: landmark pairs, the family of maps, and how good the fit is.

use super::desk::{Desk, dim, mm_number, small, title};
use super::icon::{Icon, icon_button, icon_button_enabled};
use super::inspector::slider;
use super::quality;
use crate::model::{Landmark, PairError, Registration, TransformModel};
use crate::session::{Command, RegisterAction, three_digits};
use egui::{Align, Color32, Key, Layout, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};

/// The models offered as buttons, with their names.
const MODELS: [(TransformModel, &str, &str); 5] = [
    (TransformModel::Translation, "Shift", "Translation: shift only"),
    (TransformModel::Rigid, "Rigid", "Rotation and shift"),
    (TransformModel::Similarity, "Similarity", "Rotation, one scale and shift"),
    (TransformModel::Affine, "Affine", "Any linear map and shift"),
    (TransformModel::ThinPlate, "Thin plate", "Thin-plate spline: bends as little as the landmarks ask"),
];

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let tool = desk.memo.landmark_tool;
    title(ui, desk.theme, "Landmarks", |ui| {
        let why = super::menu::why_not(Command::LandmarkTool, desk.session);
        let name = if tool { "Stop placing landmark pairs" } else { "Place landmark pairs" };
        if icon_button_enabled(ui, Icon::Target, &desk.keys.hint(name, Command::LandmarkTool), why.as_deref(), tool).clicked() {
            desk.run(Command::LandmarkTool);
        }
        if let Some(r) = desk.session.registration() {
            let n = r.landmarks.complete().len();
            ui.label(dim(desk.theme, format!("{n} of {} placed", r.landmarks.pairs.len())));
        }
    });
    let Some(registration) = desk.session.registration().cloned() else {
        let key = desk.keys.shown(Command::LandmarkTool);
        let press = if key.is_empty() { "Choose Register ▶ Place landmark pairs".to_owned() } else { format!("Press {key}") };
        let hint = format!(
            "{press}, then click a place in the section and the same place in the heart. Three pairs or more let the \
             program check itself."
        );
        ui.add(egui::Label::new(dim(desk.theme, hint)).wrap());
        return;
    };
    quality::strip(ui, desk, &registration);
    models(ui, desk, &registration);
    ui.add_space(2.0);
    pairs(ui, desk, &registration);
}

fn models(ui: &mut Ui, desk: &mut Desk<'_>, r: &Registration) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(5.0, 2.0);
        ui.spacing_mut().icon_spacing = 3.0;
        for (model, name, hint) in MODELS {
            let needs = format!("{hint}. Needs {} pairs.", model.least_pairs());
            let text = RichText::new(name).font(egui::FontId::proportional(desk.theme.size.table));
            if ui.radio(r.model == model, text).on_hover_text(needs).clicked() && r.model != model {
                desk.run(Command::Model(model));
            }
        }
    });
    if r.model == TransformModel::ThinPlate {
        let mut stiffness = (1.0 + r.stiffness).log10();
        let before = stiffness;
        slider(ui, desk, "Stiffness", &mut stiffness, 0.0..=4.0, |v| three_digits(10f64.powf(v) - 1.0));
        if stiffness != before {
            desk.register(RegisterAction::SetStiffness(10f64.powf(stiffness) - 1.0));
        }
    }
}

fn error_of<'a>(list: &'a [PairError], name: &str) -> Option<&'a PairError> {
    list.iter().find(|e| e.name == name)
}

const NUMBER: f32 = 44.0;

fn pairs(ui: &mut Ui, desk: &mut Desk<'_>, r: &Registration) {
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "pair"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(22.0);
            let heads = [("left out", "Error in mm where the pair is left out of the fit"), ("residual", "Residual in mm")];
            for (head, hint) in heads {
                let label = egui::Label::new(dim(desk.theme, head)).halign(Align::Max);
                ui.add_sized([NUMBER, 16.0], label).on_hover_text(hint);
            }
        });
    });
    let flagged = desk.session.flagged_pairs();
    ScrollArea::vertical().id_salt("pairs").auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (i, pair) in r.landmarks.pairs.iter().enumerate() {
            row(ui, desk, r, (i, pair));
            if let Some((_, mm)) = flagged.iter().find(|(at, _)| *at == i) {
                flag(ui, desk, *mm);
            }
        }
        ui.add_space(2.0);
        if ui.small_button("Add pair").on_hover_text("Begin a pair with a name; place its sides by clicking").clicked() {
            let name = crate::session::USUAL_NAMES.iter().find(|n| r.landmarks.pairs.iter().all(|l| l.name != **n));
            let name = name.map_or_else(|| format!("landmark {}", r.landmarks.pairs.len() + 1), |n| (*n).to_owned());
            desk.register(RegisterAction::AddPair(name));
        }
    });
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, r: &Registration, (i, pair): (usize, &Landmark)) {
    let selected = desk.session.view.selected_pair == Some(i);
    let quality = r.fit.as_ref().map(|f| &f.quality);
    let colors = *desk.colors();
    let ground = ui.painter().add(egui::Shape::Noop);
    let whole = ui.horizontal(|ui| {
        ui.set_min_height(desk.theme.size.control_height);
        ui.spacing_mut().item_spacing.x = 4.0;
        let mut active = pair.active;
        let check = ui.checkbox(&mut active, "").accessible_name(format!("Use {}", pair.name));
        if check.on_hover_text("The fit uses this pair").changed() {
            desk.register(RegisterAction::SetActive(i, active));
        }
        dot(ui, pair, &colors);
        ui.label(dim(desk.theme, format!("{}", i + 1)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, Icon::Close, &format!("Remove {}", pair.name)).clicked() {
                desk.register(RegisterAction::Remove(i));
            }
            let numbers = |list: &dyn Fn(&crate::model::Quality) -> Vec<PairError>| {
                quality.map(list).and_then(|l| error_of(&l, &pair.name).cloned()).and_then(|e| e.error_mm)
            };
            let left_out = numbers(&|q| q.leave_one_out.clone());
            let residual = numbers(&|q| q.residuals.clone());
            let median = quality.and_then(|q| q.leave_one_out_median_mm).unwrap_or(f64::INFINITY);
            for (value, limit) in [(left_out, 3.0 * median), (residual, f64::INFINITY)] {
                let text = value.map_or_else(|| "–".into(), mm_number);
                let color = if value.is_some_and(|v| v > limit && v > 1.0) { colors.warning } else { colors.text };
                let label = egui::Label::new(small(desk.theme, text).color(color)).halign(Align::Max);
                ui.add_sized([NUMBER, 18.0], label);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| name(ui, desk, (i, pair)));
        });
    });
    if selected {
        let rect = whole.response.rect.expand2(vec2(2.0, 0.0));
        ui.painter().set(ground, egui::Shape::rect_filled(rect, desk.theme.size.corner, colors.selection));
    }
}

/// Complete pairs are filled, half-placed ones hollow; left-out ones dim.
fn dot(ui: &mut Ui, pair: &Landmark, colors: &super::theme::Colors) {
    let (rect, response) = ui.allocate_exact_size(vec2(10.0, 18.0), Sense::hover());
    let complete = pair.moving.is_some() && pair.fixed.is_some();
    let color: Color32 = match (complete, pair.active) {
        (false, _) => colors.warning,
        (true, true) => colors.good,
        (true, false) => colors.dim,
    };
    ui.painter().circle_stroke(rect.center(), 4.0, egui::Stroke::new(1.3, color));
    if complete {
        ui.painter().circle_filled(rect.center(), 4.0, color);
    }
    let state = match (pair.moving.is_some(), pair.fixed.is_some()) {
        (true, true) => "Placed in the section and in the heart",
        (true, false) => "Placed in the section; the heart is missing",
        (false, true) => "Placed in the heart; the section is missing",
        (false, false) => "Not placed yet",
    };
    response.on_hover_text(state);
}

fn name(ui: &mut Ui, desk: &mut Desk<'_>, (i, pair): (usize, &Landmark)) {
    if let Some((_, text)) = desk.memo.renaming.as_mut().filter(|(at, _)| *at == i) {
        let field = ui.add(TextEdit::singleline(text).desired_width(ui.available_width() - 4.0));
        let field = field.accessible_name("Name of the pair");
        if ui.input(|i| i.key_pressed(Key::Escape)) {
            desk.memo.renaming = None;
        } else if field.lost_focus() {
            let text = text.trim().to_owned();
            desk.memo.renaming = None;
            if !text.is_empty() && text != pair.name {
                desk.register(RegisterAction::Rename(i, text));
            }
        } else {
            field.request_focus();
        }
        return;
    }
    let text = small(desk.theme, pair.name.clone());
    let text = if pair.active { text } else { text.color(desk.colors().dim) };
    let label = egui::Label::new(text).truncate().sense(Sense::click()).selectable(false);
    let response = ui.add(label).on_hover_text(format!("{}\nClick selects, double click renames", pair.name));
    if response.double_clicked() {
        desk.memo.renaming = Some((i, pair.name.clone()));
    } else if response.clicked() {
        super::palette::go_to_pair(desk, i);
    }
    response.context_menu(|ui| {
        if ui.button("Rename").clicked() {
            desk.memo.renaming = Some((i, pair.name.clone()));
            ui.close();
        }
        let clear = [
            ("Take the section side away", pair.moving.is_some(), true),
            ("Take the heart side away", pair.fixed.is_some(), false),
        ];
        for (text, there, moving) in clear {
            if ui.add_enabled(there, egui::Button::new(text)).clicked() {
                desk.register(RegisterAction::ClearSide(i, moving));
                ui.close();
            }
        }
        if ui.button("Remove").clicked() {
            desk.register(RegisterAction::Remove(i));
            ui.close();
        }
    });
}

fn flag(ui: &mut Ui, desk: &mut Desk<'_>, mm: f64) {
    ui.horizontal(|ui| {
        ui.add_space(38.0);
        ui.label(small(desk.theme, format!("{} off the plane", super::desk::mm(mm))).color(desk.colors().warning));
        if ui.small_button("Project").on_hover_text("Put flagged heart points on the section's plane").clicked() {
            desk.register(RegisterAction::ProjectFlagged);
        }
    });
}
