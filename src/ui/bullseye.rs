//! The header of the bullseye's pane: which numbers it shows, with what they are compared, how they are handed on; and
//! what stands beside the pointer.

use super::desk::{Desk, dim, small};
use crate::model::{AnalysisId, AnalysisResult, ElementId};
use crate::scene::{BullseyeOf, BullseyeView, PaneKind, bullseye_at};
use crate::session::{Action, Command, Panel, Session, three_digits};
use crate::space::DVec2;
use egui::{Button, ScrollArea, TextEdit, Ui};

/// Height of a list before it scrolls.
const LIST: f32 = 300.0;

/// The chooser; truncated where there is little room.
pub(super) fn tools(ui: &mut Ui, desk: &mut Desk<'_>) {
    if !desk.has_content(PaneKind::Bullseye) || ui.available_width() < 60.0 {
        return;
    }
    let now = desk.session.view.bullseye.clone();
    let mut next = now.clone();
    let room = (ui.available_width() - 16.0).max(40.0);
    let title = desk.session.discs().first().map_or_else(String::new, crate::session::Disc::title);
    let letters = (room / 6.5) as usize;
    let title = if title.is_empty() { "Numbers".to_owned() } else { shortened(&title, letters) };
    let button = ui.menu_button(small(desk.theme, format!("{title} ▼")), |ui| {
        ui.set_min_width(230.0);
        ui.menu_button("Show", |ui| {
            if let Some(of) = sources(ui, desk, &now.of, "show") {
                next.of = of;
                ui.close();
            }
        });
        ui.menu_button("Compare with", |ui| {
            if ui.add(Button::selectable(now.other.is_none(), "Nothing").frame_when_inactive(false)).clicked() {
                next.other = None;
                ui.close();
            }
            let other = now.other.clone().unwrap_or_default();
            if let Some(of) = sources(ui, desk, &other, "compare") {
                next.other = Some(of);
                ui.close();
            }
        });
        let both = now.other.is_some();
        ui.add_enabled(both, egui::Checkbox::new(&mut next.difference, "Difference instead of two"))
            .on_disabled_hover_text("Choose first what to compare with.");
        ui.checkbox(&mut next.territories, "Territories of LAD, RCA and LCx")
            .on_hover_text("Usual coronary territories as outlines; they differ between patients");
        ui.separator();
        if ui.add(Button::new("Export picture (SVG)…").frame_when_inactive(false)).clicked() {
            desk.memo.analyze.export.choose_drawing(PaneKind::Bullseye);
            desk.run(Command::Panel(Panel::Export));
            ui.close();
        }
        if ui.add(Button::new("Export table (CSV)…").frame_when_inactive(false)).clicked() {
            desk.memo.analyze.export.choose_bullseye();
            desk.run(Command::Panel(Panel::Export));
            ui.close();
        }
    });
    button.response.on_hover_text("Which numbers, compared with which");
    if next != now {
        choose(desk, next);
    }
}

fn choose(desk: &mut Desk<'_>, next: BullseyeView) {
    desk.act(Action::Bullseye(Box::new(next)));
}

/// The list of all numbers there are per segment; what was chosen.
fn sources(ui: &mut Ui, desk: &mut Desk<'_>, now: &BullseyeOf, salt: &str) -> Option<BullseyeOf> {
    ui.set_min_width(240.0);
    let mut chosen = None;
    let row = |ui: &mut Ui, is: bool, text: String| ui.add(Button::selectable(is, text).frame_when_inactive(false)).clicked();
    let session = desk.session;
    if row(ui, *now == BullseyeOf::Shown, "What colors the spots, else the image".into()) {
        chosen = Some(BullseyeOf::Shown);
    }
    for (id, volume) in session.study.volumes() {
        let has_segments = session.derived.segments.keys().any(|l| session.study.belonging(*l, id).is_some());
        let of = BullseyeOf::Image(id);
        if has_segments && row(ui, *now == of, format!("Mean of {}", volume.name)) {
            chosen = Some(of);
        }
    }
    let registered: Vec<(ElementId, String)> = session
        .study
        .sections()
        .filter(|(id, s)| session.derived.spot_segments.contains_key(id) && s.expression.is_some())
        .map(|(id, s)| (id, s.name.clone()))
        .collect();
    for (section, name) in registered {
        ui.horizontal(|ui| {
            let text = &mut desk.memo.bullseye_gene;
            let hint = format!("Gene or column of {name}");
            let edit = ui.add(TextEdit::singleline(text).hint_text(&hint).desired_width(170.0)).accessible_name(hint);
            let enter = edit.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            let go = ui.add_enabled(!text.trim().is_empty(), Button::new("Show")).clicked();
            if (go || enter) && !text.trim().is_empty() {
                chosen = Some(BullseyeOf::Spots { section, name: text.trim().to_owned() });
            }
        });
        for field in session.study.fields(section) {
            let of = BullseyeOf::Spots { section, name: field.name.clone() };
            if row(ui, *now == of, format!("Mean of {}", field.name)) {
                chosen = Some(of);
            }
        }
    }
    chosen.or_else(|| measured(ui, desk, now, salt))
}

/// Analyses with numbers per segment, newest first; each with its metrics and phases.
fn measured(ui: &mut Ui, desk: &Desk<'_>, now: &BullseyeOf, salt: &str) -> Option<BullseyeOf> {
    let mut chosen = None;
    let mut any = false;
    for (id, analysis) in desk.session.study.analyses.iter().rev() {
        let AnalysisResult::Measures(found) = &analysis.result else { continue };
        let all = Session::segment_metrics(&found.rows);
        if all.is_empty() {
            continue;
        }
        any = true;
        ui.menu_button(analysis.title.as_str(), |ui| {
            ScrollArea::vertical().id_salt((salt, id.0)).max_height(LIST).show(ui, |ui| {
                ui.set_min_width(220.0);
                for (metric, phase) in all {
                    let text = line(&metric, &phase);
                    let of = BullseyeOf::Measure { analysis: AnalysisId(id.0), metric, phase };
                    if ui.add(Button::selectable(*now == of, text).frame_when_inactive(false)).clicked() {
                        chosen = Some(of);
                        ui.close();
                    }
                }
            });
        });
    }
    if !any {
        ui.label(dim(desk.theme, "Measure segments, wall, scar, strain … in the"));
        ui.label(dim(desk.theme, "Heart panel (Shift+H): they appear here."));
    }
    chosen
}

/// As `wall thickness mean, ED` or `strain, frame 4`.
fn line(metric: &str, phase: &str) -> String {
    crate::session::Disc { phase: phase.to_owned(), ..crate::session::Disc::empty(metric) }.title()
}

fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters.max(6) {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(letters.max(6) - 1).collect::<String>())
}

/// Everything about the cell at a place of the pane, one line each.
pub(super) fn about(desk: &Desk<'_>, mm: DVec2) -> Option<String> {
    let derived = &desk.session.derived;
    let (which, segment) = bullseye_at(derived, mm)?;
    let disc = desk.session.discs().get(which)?;
    let cell = disc.cells().into_iter().find(|c| c.segment == segment)?;
    let value = cell.value.map_or_else(|| "no value".to_owned(), |v| format!("{} {}", three_digits(v), disc.unit));
    let mut lines = vec![format!("{segment} {}", cell.name), format!("{}: {}", disc.title(), value.trim_end())];
    if cell.n > 0 {
        lines.push(format!("n {}", cell.n));
    }
    lines.extend([disc.whose.clone(), disc.method.clone()].into_iter().filter(|l| !l.is_empty()));
    lines.push("Click keeps its voxels and spots lit".into());
    Some(lines.join("\n"))
}
