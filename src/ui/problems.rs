//! Everything that was said or went wrong, in one place: filtered, searched, copied one by one or all together, with
//! where it comes from and what to do.

use super::desk::{Desk, dim, small, title};
use super::icon::{Icon, icon_button, icon_button_enabled};
use crate::base::Severity;
use crate::session::{Action, Message};
use egui::{Align, Align2, Color32, Layout, ScrollArea, TextEdit, Ui, vec2};

/// What the panel remembers.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// The least severity shown.
    least: Option<Severity>,
    query: String,
}

impl Problems {
    fn fits(&self, message: &Message) -> bool {
        let query = self.query.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&query);
        self.least.is_none_or(|least| message.severity >= least) && (query.is_empty() || has(&message.text) || has(&message.from))
    }
}

/// Mark and color of a severity; the mark carries the meaning without the color.
pub(super) fn severity(desk: &Desk<'_>, severity: Severity) -> (&'static str, Color32) {
    let colors = desk.colors();
    match severity {
        Severity::Note => ("i", colors.dim),
        Severity::Warning => ("!", colors.warning),
        Severity::Error => ("×", colors.error),
    }
}

/// A message as text: what, where from, what to do.
pub(super) fn as_text(message: &Message) -> String {
    let times = if message.times > 1 { format!(" ({} times)", message.times) } else { String::new() };
    let remedy = if message.remedy.is_empty() { String::new() } else { format!(" {}", message.remedy) };
    format!("{}: {}{times} [{}]{remedy}", message.severity.name(), message.text, message.from)
}

/// The panel above the status line.
pub(super) fn show(ui: &Ui, desk: &mut Desk<'_>) {
    let room = ui.ctx().content_rect();
    let width = 560.0f32.min(room.width() - 48.0);
    let frame = egui::Frame::window(ui.style()).inner_margin(12);
    let area = egui::Area::new(egui::Id::unique("Problems")).anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, -64.0));
    area.order(egui::Order::Foreground).show(ui.ctx(), |ui| {
        frame.show(ui, |ui| {
            ui.set_width(width);
            header(ui, desk);
            let height = (room.height() * 0.5).clamp(96.0, 420.0);
            ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| list(ui, desk));
        });
    });
}

fn header(ui: &mut Ui, desk: &mut Desk<'_>) {
    let mut close = false;
    title(ui, desk.theme, "Problems", |ui| close = icon_button(ui, Icon::Close, "Close problems").clicked());
    let count = |least: Severity| desk.session.messages.iter().filter(|m| m.severity >= least).count();
    let filters = [
        (None, "All", count(Severity::Note)),
        (Some(Severity::Warning), "Warnings and errors", count(Severity::Warning)),
        (Some(Severity::Error), "Errors", count(Severity::Error)),
    ];
    ui.horizontal_wrapped(|ui| {
        for (least, name, n) in filters {
            if ui.selectable_label(desk.memo.problems.least == least, format!("{name} {n}")).clicked() {
                desk.memo.problems.least = least;
            }
        }
    });
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 66.0).max(80.0);
        let field = TextEdit::singleline(&mut desk.memo.problems.query).hint_text("Find in messages").desired_width(width);
        ui.add(field).accessible_name("Find in messages");
        let shown: Vec<String> = desk.session.messages.iter().filter(|m| desk.memo.problems.fits(m)).map(as_text).collect();
        let why = shown.is_empty().then_some("Nothing is shown.");
        if icon_button_enabled(ui, Icon::Copy, "Copy all that is shown", why, false).clicked() {
            desk.memo.copy(ui.ctx(), &shown.join("\n"));
        }
        if icon_button_enabled(ui, Icon::Close, "Dismiss all that is shown", why, false).clicked() {
            let fits = |(i, m): (usize, &Message)| desk.memo.problems.fits(m).then_some(i);
            let all: Vec<usize> = desk.session.messages.iter().enumerate().filter_map(fits).collect();
            all.into_iter().rev().for_each(|i| desk.act(Action::DismissMessage(i)));
        }
    });
    if close {
        desk.memo.messages_open = false;
    }
}

fn list(ui: &mut Ui, desk: &mut Desk<'_>) {
    let all = desk.session.messages.clone();
    let shown: Vec<(usize, &Message)> = all.iter().enumerate().rev().filter(|(_, m)| desk.memo.problems.fits(m)).collect();
    if shown.is_empty() {
        let text = if all.is_empty() {
            "Nothing was said yet. What goes wrong appears here, newest first."
        } else {
            "No message is so."
        };
        ui.add(egui::Label::new(dim(desk.theme, text)).wrap());
    }
    for (i, message) in shown {
        ui.push_id(i, |ui| row(ui, desk, i, message));
    }
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, i: usize, message: &Message) {
    ui.horizontal_top(|ui| {
        let (mark, color) = severity(desk, message.severity);
        ui.add_sized([12.0, 18.0], egui::Label::new(small(desk.theme, mark).color(color))).on_hover_text(message.severity.name());
        ui.with_layout(Layout::right_to_left(Align::TOP), |ui| {
            ui.add_space(8.0);
            if icon_button(ui, Icon::Close, "Dismiss message").clicked() {
                desk.act(Action::DismissMessage(i));
            }
            if icon_button(ui, Icon::Copy, "Copy message").clicked() {
                desk.memo.copy(ui.ctx(), &as_text(message));
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                ui.add(egui::Label::new(small(desk.theme, message.text.clone())).wrap());
                let times = if message.times > 1 { format!(", {} times", message.times) } else { String::new() };
                let mut from = format!("from {}{times}", message.from);
                if !message.remedy.is_empty() {
                    from = format!("{from} · {}", message.remedy);
                }
                ui.add(egui::Label::new(dim(desk.theme, from)).wrap());
            });
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_and_copied_whole() {
        let message = Message {
            severity: Severity::Warning,
            text: "two slices are missing".into(),
            from: "cine".into(),
            remedy: "Check the folder.",
            times: 3,
        };
        assert_eq!(as_text(&message), "warning: two slices are missing (3 times) [cine] Check the folder.");
        let problems = |least, query: &str| Problems { least, query: query.into() };
        assert!(problems(None, "SLICES").fits(&message) && problems(Some(Severity::Warning), "cine").fits(&message));
        assert!(!problems(Some(Severity::Error), "").fits(&message) && !problems(None, "landmark").fits(&message));
    }
}
