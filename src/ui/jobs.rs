//! What runs in the background, what was said, memory and adapter: the right end of the status line and
//! the panels that open from it.

use super::desk::{Desk, dim, small, title};
use super::icon::{Icon, icon_button};
use super::problems;
use crate::base::Severity;
use crate::session::{Action, Command, JobStatus};
use egui::{Align, Align2, Button, Layout, ProgressBar, RichText, ScrollArea, Ui, vec2};

fn seconds(s: f64) -> String {
    if s < 90.0 { format!("{s:.0} s") } else { format!("{:.0} min", s / 60.0) }
}

/// Jobs, messages, memory and gear, from the right.
pub(super) fn status(ui: &mut Ui, desk: &mut Desk<'_>) {
    gear(ui, desk);
    memory(ui, desk);
    messages_button(ui, desk);
    let jobs = desk.session.jobs();
    if let Some(job) = jobs.first() {
        let text = if jobs.len() == 1 { job.title.clone() } else { format!("{} jobs", jobs.len()) };
        let bar = ProgressBar::new(job.fraction as f32).desired_width(64.0).desired_height(6.0).animate(false);
        ui.add(bar.fill(desk.colors().accent));
        let button = Button::new(small(desk.theme, text)).frame_when_inactive(false);
        let tip = format!("{} {:.0} %: {}", job.title, job.fraction * 100.0, job.what);
        if ui.add(button).on_hover_text(tip).clicked() {
            desk.memo.jobs_open = !desk.memo.jobs_open;
        }
    }
    if let Some((text, until)) = &desk.memo.copied
        && ui.ctx().time() < *until
    {
        ui.add(egui::Label::new(dim(desk.theme, format!("copied {text}"))).truncate());
    }
}

fn gear(ui: &mut Ui, desk: &mut Desk<'_>) {
    let button = icon_button(ui, Icon::Gear, "Preferences");
    egui::Popup::menu(&button).show(|ui| {
        ui.set_min_width(200.0);
        for command in [
            Command::ToggleTheme,
            Command::ToggleNeurological,
            Command::ResetViews,
            Command::ResetLayout,
            Command::EditKeys,
            Command::CheatSheet,
        ] {
            if let Some(spec) = crate::session::spec_of(command) {
                super::menu::item(ui, desk, spec);
            }
        }
        ui.separator();
        scale(ui, desk);
        ui.add(egui::Label::new(dim(desk.theme, format!("Drawn by {}", desk.adapter))).wrap());
    });
}

/// The scale of the interface in steps; a slider would move away under the pointer.
fn scale(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.label(dim(desk.theme, "Scale of the interface"));
    let now = ui.ctx().zoom_factor();
    ui.horizontal_wrapped(|ui| {
        ui.set_max_width(220.0);
        for step in super::prefs::SCALES {
            if ui.selectable_label((now - step).abs() < 0.01, format!("{:.0} %", step * 100.0)).clicked() {
                desk.out.scale = Some(step);
            }
        }
    });
}

fn memory(ui: &mut Ui, desk: &mut Desk<'_>) {
    let now = ui.ctx().time();
    if now - desk.memo.memory.1 > 1.0 || desk.memo.memory.0 == 0 {
        desk.memo.memory = (resident_bytes(), now);
    }
    let bytes = desk.memo.memory.0;
    let mut text = if bytes >= 1 << 30 {
        format!("{:.1} GB", bytes as f64 / f64::from(1 << 30))
    } else {
        format!("{:.0} MB", bytes as f64 / f64::from(1 << 20))
    };
    if std::env::var_os("MYOSCOPE_FRAME_TIMES").is_some() {
        let recent = &desk.memo.frame_ms;
        let worst = recent.iter().copied().fold(0.0, f64::max);
        let mean = recent.iter().sum::<f64>() / recent.len().max(1) as f64;
        text = format!("{mean:.1} ms (worst {worst:.1}) · {text}");
    }
    ui.label(dim(desk.theme, text)).on_hover_text(format!("Memory of the program. Drawn by {}.", desk.adapter));
}

/// Resident set of this process; 0 where the system does not say.
pub(super) fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|p| p.parse().ok()).unwrap_or(0);
    pages * 4096
}

fn messages_button(ui: &mut Ui, desk: &mut Desk<'_>) {
    let messages = &desk.session.messages;
    let worst = messages.iter().map(|m| m.severity).max();
    let colors = desk.colors();
    let color = match worst {
        Some(Severity::Error) => colors.error,
        Some(Severity::Warning) => colors.warning,
        _ => colors.dim,
    };
    let text = match messages.len() {
        0 => "No problems".to_owned(),
        1 => "1 message".to_owned(),
        n => format!("{n} messages"),
    };
    let text = RichText::new(text).font(egui::FontId::proportional(desk.theme.size.table)).color(color);
    let button = Button::selectable(desk.memo.messages_open, text);
    let tip = desk.keys.hint("Everything that was said or went wrong", Command::Problems);
    if ui.add(button).on_hover_text(tip).clicked() {
        desk.run(Command::Problems);
    }
}

/// The panels above the status line.
pub(super) fn panels(ui: &mut Ui, desk: &mut Desk<'_>) {
    if desk.memo.jobs_open && !desk.session.is_idle() {
        floating(ui, desk, "Jobs", |ui, desk| {
            let jobs = desk.session.jobs();
            jobs.iter().for_each(|j| job(ui, desk, j));
        });
    } else if desk.memo.messages_open {
        problems::show(ui, desk);
    } else if !desk.memo.quiet {
        toast(ui, desk);
    }
}

fn floating(ui: &Ui, desk: &mut Desk<'_>, name: &str, content: impl FnOnce(&mut Ui, &mut Desk<'_>)) {
    let frame = egui::Frame::window(ui.style()).inner_margin(12);
    egui::Area::new(egui::Id::unique(name)).anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, -64.0)).order(egui::Order::Foreground).show(
        ui.ctx(),
        |ui| {
            frame.show(ui, |ui| {
                ui.set_width(420.0);
                let mut close = false;
                title(ui, desk.theme, name, |ui| close = icon_button(ui, Icon::Close, &format!("Close {name}")).clicked());
                ScrollArea::vertical().max_height(320.0).show(ui, |ui| content(ui, desk));
                if close {
                    (desk.memo.jobs_open, desk.memo.messages_open) = (false, false);
                }
            });
        },
    );
}

fn job(ui: &mut Ui, desk: &mut Desk<'_>, job: &JobStatus) {
    ui.horizontal(|ui| {
        ui.label(small(desk.theme, job.title.clone()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.small_button("Cancel").on_hover_text("Stop this work; what is open stays").clicked() {
                desk.act(Action::Cancel(job.id));
            }
            let left = job.seconds_left().map_or_else(String::new, |s| format!("about {} left", seconds(s)));
            ui.label(dim(desk.theme, left));
        });
    });
    ui.add(ProgressBar::new(job.fraction as f32).desired_height(6.0).fill(desk.colors().accent));
    ui.label(dim(desk.theme, job.what.clone()));
}

/// The newest message, for some seconds (errors until they are dismissed).
fn toast(ui: &Ui, desk: &mut Desk<'_>) {
    let now = ui.ctx().time();
    let n = desk.session.messages.len();
    if n != desk.memo.messages_seen {
        desk.memo.toast_until = if n > desk.memo.messages_seen { now + 6.0 } else { now };
        desk.memo.messages_seen = n;
    }
    let Some((index, message)) = desk.session.messages.iter().enumerate().next_back() else { return };
    let stays = message.severity == Severity::Error;
    if now > desk.memo.toast_until && !stays {
        return;
    }
    if !stays {
        ui.ctx().request_repaint_after_secs((desk.memo.toast_until - now) as f32 + 0.05);
    }
    let (message, (mark, color)) = (message.clone(), problems::severity(desk, message.severity));
    let frame = egui::Frame::window(ui.style()).inner_margin(egui::Margin::symmetric(12, 8));
    egui::Area::new(egui::Id::unique("toast"))
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -72.0))
        .order(egui::Order::Foreground)
        .show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                ui.set_max_width(560.0);
                ui.horizontal(|ui| {
                    ui.label(small(desk.theme, mark).color(color));
                    let width = ui.fonts_mut(|f| {
                        f.layout_no_wrap(message.text.clone(), egui::FontId::proportional(desk.theme.size.table), color).size().x
                    });
                    let label = egui::Label::new(small(desk.theme, message.text.clone())).wrap();
                    ui.allocate_ui(vec2(width.min(470.0) + 2.0, 20.0), |ui| {
                        ui.set_min_width(width.min(470.0) + 2.0);
                        ui.add(label)
                    });
                    if icon_button(ui, Icon::Close, "Dismiss message").clicked() {
                        desk.memo.toast_until = now;
                        if stays {
                            desk.act(Action::DismissMessage(index));
                        }
                    }
                });
            });
        });
}
