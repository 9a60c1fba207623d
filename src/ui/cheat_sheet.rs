//! All keys on one page, grouped as the menus are, with what the mouse does.

use super::desk::{Desk, dim, small};
use super::theme::Theme;
use crate::session::{COMMANDS, Command, MENUS, Spec};
use egui::{Align, Layout, Modal, RichText, ScrollArea, Ui};

/// All keys, where the sheet is open.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    if !desk.memo.cheat_sheet {
        return;
    }
    let modal = Modal::new(egui::Id::unique("keys")).show(ui.ctx(), |ui| {
        let room = ui.ctx().content_rect();
        ui.set_width(720.0f32.min(room.width() - 48.0));
        ui.spacing_mut().item_spacing.x = 28.0;
        egui::Frame::new().inner_margin(14).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new("Keys").font(Theme::strong(desk.theme.size.title)));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.button("Edit keys…").clicked() {
                        desk.memo.cheat_sheet = false;
                        desk.run(Command::EditKeys);
                    }
                });
            });
            let height = ui.ctx().content_rect().height() * 0.75;
            let margin = egui::Margin { right: 18, ..egui::Margin::ZERO };
            ScrollArea::vertical().max_height(height).min_scrolled_height(height).content_margin(margin).show(ui, |ui| {
                ui.columns_const(|[left, right]: &mut [Ui; 2]| {
                    for menu in MENUS {
                        let side = if matches!(*menu, "File" | "Edit" | "View") { &mut *left } else { &mut *right };
                        group(side, desk, menu);
                    }
                    mouse(right, desk);
                    keyboard(right, desk);
                });
            });
        });
    });
    if modal.should_close() {
        desk.memo.cheat_sheet = false;
    }
}

fn group(ui: &mut Ui, desk: &Desk<'_>, menu: &str) {
    let rows: Vec<&Spec> = COMMANDS.iter().filter(|s| s.menu == menu && !desk.keys.key(s).is_empty()).collect();
    if rows.is_empty() {
        return;
    }
    ui.add_space(6.0);
    ui.label(dim(desk.theme, menu));
    for spec in rows {
        pair(ui, desk, spec.text.trim_end_matches('…'), &desk.keys.shown(spec.command));
    }
}

fn mouse(ui: &mut Ui, desk: &Desk<'_>) {
    ui.add_space(6.0);
    ui.label(dim(desk.theme, "Mouse"));
    let rows = [
        ("Slice (heart), zoom (section)", "wheel"),
        ("Zoom anywhere", "Ctrl+wheel, right drag"),
        ("Phase of a cine", "Shift+wheel"),
        ("Window (heart), pan (section)", "left drag"),
        ("Pan", "middle drag, Shift+drag, Space+drag"),
        ("Move another cut by its line; turn it", "drag; Ctrl+drag"),
        ("All cuts follow the cursor", "Shift+move"),
        ("Maximize or restore a pane", "double click"),
        ("Menu", "right click"),
    ];
    rows.iter().for_each(|(what, how)| pair(ui, desk, what, how));
}

fn keyboard(ui: &mut Ui, desk: &Desk<'_>) {
    ui.add_space(6.0);
    ui.label(dim(desk.theme, "Without the mouse"));
    let rows = [
        ("Next or previous control", "Tab, Shift+Tab"),
        ("Rows of a list", "arrows"),
        ("Press the control", "Enter, Space"),
        ("In a pane: move the cursor", "Shift+arrows"),
        ("In a pane: zoom", "+ −"),
        ("In a pane: place a landmark at the cursor", "Enter"),
        ("Step back: drag, tool, panel, pane, selection", "Esc"),
    ];
    rows.iter().for_each(|(what, how)| pair(ui, desk, what, how));
}

fn pair(ui: &mut Ui, desk: &Desk<'_>, what: &str, key: &str) {
    ui.horizontal(|ui| {
        ui.set_max_height(20.0);
        ui.label(small(desk.theme, what));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(dim(desk.theme, key)));
    });
}
