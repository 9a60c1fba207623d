//! Where the panels of the window are: strips at the top and bottom, the study at the left, properties at the right.

use super::desk::Desk;
use super::theme::Theme;
use super::{analyze, chain, dialogs, inspector, jobs, landmarks, layers, menu, pane_input, readout, timebar, tree};
use crate::scene::CompareMode;
use crate::session::{Command, Panel as SidePanel, ViewAction};
use egui::{Align, Frame, Key, Layout, Margin, Modifiers, Panel, ScrollArea, Ui};

/// Esc steps back: drag, palette, tool, maximized pane, selection. Tab over a pane cycles the overlay.
pub(super) fn escape(ui: &Ui, desk: &mut Desk<'_>) {
    let memo = &desk.memo;
    let modal = memo.dialog.is_some() || memo.palette.open || memo.cheat_sheet || memo.keys_panel.open;
    let idle = !modal && !ui.ctx().text_edit_focused() && !egui::Popup::is_any_open(ui.ctx());
    if idle && ui.input(|i| i.key_pressed(Key::Escape)) {
        if pane_input::cancel(desk) || super::draw::step_back(desk) {
        } else if desk.memo.axis_tool.is_some() {
            desk.memo.axis_tool = None;
        } else if desk.memo.landmark_tool {
            desk.memo.landmark_tool = false;
        } else if desk.memo.messages_open || desk.memo.jobs_open {
            (desk.memo.messages_open, desk.memo.jobs_open) = (false, false);
        } else if desk.memo.maximized.is_some() {
            desk.memo.maximized = None;
        } else if desk.session.view.selected_pair.is_some() {
            desk.view(ViewAction::SelectPair(None));
        } else if desk.session.view.selected_segment.is_some() {
            desk.view(ViewAction::SelectSegment(None));
        } else if desk.session.view.selected_group.is_some() {
            desk.view(ViewAction::SelectGroup(None));
        }
    }
    let unfocused = ui.memory(|m| m.focused().is_none());
    if idle && unfocused && desk.memo.hovered.is_some() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Tab)) {
        let modes = CompareMode::ALL;
        let now = modes.iter().position(|m| *m == desk.session.view.compare).unwrap_or(0);
        desk.run(Command::Compare(modes[(now + 1) % modes.len()]));
    }
}

fn plain(desk: &Desk<'_>, margin: Margin) -> Frame {
    Frame::new().fill(desk.colors().window).inner_margin(margin)
}

pub(super) fn top(ui: &mut Ui, desk: &mut Desk<'_>) {
    let frame = plain(desk, Margin::symmetric(4, 2));
    Panel::top("menu").frame(frame).show(ui, |ui| menu::bar(ui, desk));
    let slow = ["llvmpipe", "lavapipe", "swiftshader", "softpipe", "basic render"];
    let software = slow.iter().any(|s| desk.adapter.to_lowercase().contains(s));
    if software && !desk.memo.software_seen && !desk.adapter.is_empty() {
        let colors = *desk.colors();
        let frame = Frame::new().fill(colors.raised).inner_margin(Margin::symmetric(12, 2));
        Panel::top("software").frame(frame).show(ui, |ui| {
            ui.horizontal(|ui| {
                let text = "The processor draws the pictures: no graphics driver was found. Everything works, but slower.";
                ui.label(super::desk::small(desk.theme, text).color(colors.warning)).on_hover_text(desk.adapter);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if super::icon::icon_button(ui, super::icon::Icon::Close, "Dismiss notice").clicked() {
                        desk.memo.software_seen = true;
                    }
                });
            });
        });
    }
    dialogs::recovery(ui, desk);
}

pub(super) fn bottom(ui: &mut Ui, desk: &mut Desk<'_>) {
    let frame = plain(desk, Margin::symmetric(8, 2));
    Panel::bottom("status").frame(frame).exact_size(56.0).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let height = 25.0;
        ui.allocate_ui(egui::vec2(ui.available_width(), height), |ui| {
            ui.horizontal_centered(|ui| {
                timebar::show(ui, desk);
                ui.add_space(8.0);
                ui.separator();
                ScrollArea::horizontal().id_salt("positions").auto_shrink([false, true]).show(ui, |ui| {
                    ui.horizontal_centered(|ui| readout::positions(ui, desk));
                });
            });
        });
        ui.allocate_ui(egui::vec2(ui.available_width(), height), |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                jobs::status(ui, desk);
                ui.add_space(8.0);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    chain::show(ui, desk);
                    ui.add_space(8.0);
                    ScrollArea::horizontal().id_salt("values").auto_shrink([false, true]).show(ui, |ui| {
                        ui.horizontal_centered(|ui| readout::values(ui, desk));
                    });
                });
            });
        });
    });
}

pub(super) fn left(ui: &mut Ui, desk: &mut Desk<'_>) {
    let wide = ui.available_width();
    let frame = plain(desk, Margin::symmetric(8, 4));
    let panel = Panel::left("study")
        .default_size(match wide {
            w if w > 1600.0 => 264.0,
            w if w > 1360.0 => 232.0,
            _ => 200.0,
        })
        .size_range(140.0..=420.0);
    panel.frame(frame).show(ui, |ui| {
        ScrollArea::vertical().id_salt("study").auto_shrink(false).show(ui, |ui| {
            tree::show(ui, desk);
            ui.add_space(8.0);
            ui.separator();
            layers::show(ui, desk);
        });
    });
}

pub(super) fn right(ui: &mut Ui, desk: &mut Desk<'_>) {
    let wide = ui.available_width();
    let frame = plain(desk, Margin::symmetric(8, 4));
    let panel = Panel::right("properties")
        .default_size(match wide {
            w if w > 1400.0 => 344.0,
            w if w > 1120.0 => 316.0,
            _ => 288.0,
        })
        .size_range(220.0..=520.0);
    panel.frame(frame).show(ui, |ui| {
        analyze::tabs(ui, desk);
        if desk.memo.analyze.panel != SidePanel::Inspect {
            analyze::show(ui, desk);
            return;
        }
        let half = (ui.available_height() * 0.46).max(160.0);
        ScrollArea::vertical().id_salt("inspector").auto_shrink([false, true]).max_height(half).show(ui, |ui| {
            inspector::show(ui, desk);
        });
        ui.add_space(4.0);
        ui.separator();
        landmarks::show(ui, desk);
    });
}

/// What a drop would do, while something is dragged over the window.
pub(super) fn drop_hint(ui: &Ui, desk: &Desk<'_>) {
    if ui.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop")));
    let rect = ui.ctx().content_rect();
    painter.rect_filled(rect, 0.0, egui::Color32::from_black_alpha(150));
    let font = Theme::strong(desk.theme.size.title);
    let text = "Drop to open: heart images, labels, sections, projects";
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, font, desk.theme.on_image().text);
}
