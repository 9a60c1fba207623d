//! Dialogs: paths to open or to save to, coordinates to go to, moved data, unsaved work at the end.

use super::desk::{Desk, dim, small};
use super::pick::{Answer, Ask, Picker};
use super::theme::Theme;
use crate::session::{Action, ViewAction};
use crate::space::{DVec3, Space};
use egui::{Align2, Button, Context, Key, Modal, RichText, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// The dialog that is open.
#[derive(Debug)]
pub(super) enum Dialog {
    /// Paths to open.
    Open { ask: Ask, text: String, picker: Option<Picker> },
    /// A place to save to.
    Save { with_data: bool, text: String, picker: Option<Picker> },
    /// A folder in which missing inputs are.
    Relink { text: String, picker: Option<Picker> },
    /// Coordinates.
    GoTo { text: String },
    /// Unsaved work at the end.
    Quit,
}

impl Dialog {
    /// Asks for files or a folder; the system's dialog opens with it.
    pub(super) fn open(ctx: &Context, ask: Ask) -> Self {
        Self::Open { ask, text: String::new(), picker: Some(picker(ctx, ask)) }
    }

    /// Asks for a place.
    pub(super) fn save(ctx: &Context, with_data: bool) -> Self {
        Self::Save { with_data, text: String::new(), picker: Some(picker(ctx, Ask::Save)) }
    }
}

fn picker(ctx: &Context, ask: Ask) -> Picker {
    let ctx = ctx.clone();
    Picker::open(ask, move || ctx.request_repaint())
}

/// What a dialog wants.
enum Verdict {
    Stay,
    Close,
    Do(Vec<Action>),
    Quit,
}

/// Shows the dialog that is open; true where the program should end.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) -> bool {
    if desk.memo.dialog.is_none() && desk.session.relink.is_some() {
        desk.memo.dialog = Some(Dialog::Relink { text: String::new(), picker: None });
    }
    let Some(mut dialog) = desk.memo.dialog.take() else { return false };
    let area = Modal::default_area(egui::Id::unique("dialog")).anchor(Align2::CENTER_TOP, vec2(0.0, 96.0));
    let mut verdict = Verdict::Stay;
    let modal = Modal::new(egui::Id::unique("dialog")).area(area).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        egui::Frame::new().inner_margin(8).show(ui, |ui| {
            verdict = match &mut dialog {
                Dialog::Open { ask, text, picker } => open(ui, desk, *ask, text, picker),
                Dialog::Save { with_data, text, picker } => save(ui, desk, *with_data, text, picker),
                Dialog::Relink { text, picker } => relink(ui, desk, text, picker),
                Dialog::GoTo { text } => go_to(ui, desk, text),
                Dialog::Quit => quit(ui, desk),
            };
        });
    });
    // Asking takes the key, so it is asked once.
    let leaves = modal.should_close();
    let stays = matches!(verdict, Verdict::Stay) && !leaves;
    if !stays {
        super::keys::leave_text(ui.ctx());
    }
    match verdict {
        Verdict::Quit => return true,
        Verdict::Do(actions) => actions.into_iter().for_each(|a| desk.act(a)),
        Verdict::Stay if !leaves || matches!(dialog, Dialog::Relink { .. }) => desk.memo.dialog = Some(dialog),
        Verdict::Stay | Verdict::Close => {}
    }
    false
}

fn heading(ui: &mut Ui, desk: &Desk<'_>, text: &str) {
    ui.label(RichText::new(text).font(Theme::strong(desk.theme.size.title)));
    ui.add_space(4.0);
}

/// A path field with the system's dialog beside it; the paths where they were chosen.
fn path_field(ui: &mut Ui, text: &mut String, picker: &mut Option<Picker>, (ask, go): (Ask, &str)) -> Option<Vec<PathBuf>> {
    let mut chosen = None;
    if let Some(open) = picker
        && let Answer::Paths(paths) = open.answer()
    {
        *picker = None;
        chosen = Some(paths).filter(|p| !p.is_empty());
    }
    let field = TextEdit::singleline(text).hint_text("Type or paste a path").desired_width(f32::INFINITY);
    let response = ui.add(field).accessible_name("Path");
    if ui.memory(|m| m.focused().is_none()) {
        response.request_focus();
    }
    let enter = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let ready = !text.trim().is_empty();
        let button = ui.add_enabled(ready, Button::new(go)).on_disabled_hover_text("Type a path first.");
        if ready && (button.clicked() || enter) {
            chosen = Some(text.lines().map(|l| PathBuf::from(l.trim())).collect());
        }
        let why = "The system's dialog is open already.";
        if ui.add_enabled(picker.is_none(), Button::new("Browse…")).on_disabled_hover_text(why).clicked() {
            *picker = Some(self::picker(ui.ctx(), ask));
        }
    });
    chosen
}

fn open(ui: &mut Ui, desk: &Desk<'_>, ask: Ask, text: &mut String, picker: &mut Option<Picker>) -> Verdict {
    let (title, what) = match ask {
        Ask::Folder => ("Open folder", "A DICOM folder, a Visium or Spatial Transcriptomics folder"),
        _ => ("Open files", "NIfTI, DICOM, pictures, .h5ad, .myo projects; several at once"),
    };
    heading(ui, desk, title);
    ui.label(dim(desk.theme, format!("{what}. You can also drop things on the window.")));
    ui.add_space(4.0);
    path_field(ui, text, picker, (ask, "Open")).map_or(Verdict::Stay, |paths| Verdict::Do(vec![Action::Open(paths)]))
}

fn save(ui: &mut Ui, desk: &Desk<'_>, with_data: bool, text: &mut String, picker: &mut Option<Picker>) -> Verdict {
    heading(ui, desk, if with_data { "Save with data" } else { "Save as" });
    let what = if with_data {
        "One file with the bytes of all inputs: it opens on any machine. Mind that it may hold patient data."
    } else {
        "A small file with landmarks, fits, layers and history. Inputs stay where they are and are found again."
    };
    ui.add(egui::Label::new(dim(desk.theme, what)).wrap());
    ui.add_space(4.0);
    let Some(path) = path_field(ui, text, picker, (Ask::Save, "Save")).and_then(|p| p.into_iter().next()) else {
        return Verdict::Stay;
    };
    let path = if path.extension().is_some() { path } else { path.with_extension("myo") };
    Verdict::Do(vec![Action::Save { path, with_data }])
}

fn relink(ui: &mut Ui, desk: &Desk<'_>, text: &mut String, picker: &mut Option<Picker>) -> Verdict {
    let Some(relink) = &desk.session.relink else { return Verdict::Close };
    heading(ui, desk, "Some data have moved");
    ui.label(small(desk.theme, "These are not where they were. Choose one folder; it is searched for all of them."));
    ui.add_space(4.0);
    egui::ScrollArea::vertical().max_height(160.0).show(ui, |ui| {
        for name in &relink.missing {
            ui.add(egui::Label::new(dim(desk.theme, name.clone())).truncate());
        }
    });
    ui.add_space(4.0);
    let chosen = path_field(ui, text, picker, (Ask::Folder, "Look there"));
    chosen.and_then(|p| p.into_iter().next()).map_or(Verdict::Stay, |p| Verdict::Do(vec![Action::Relink(p)]))
}

fn go_to(ui: &mut Ui, desk: &Desk<'_>, text: &mut String) -> Verdict {
    heading(ui, desk, "Go to coordinate");
    let what = "Three numbers are patient LPS in mm; “ras” before them turns x and y; “px” or “um” and two numbers are a place in \
                the section shown.";
    ui.add(egui::Label::new(dim(desk.theme, what)).wrap());
    ui.add_space(4.0);
    let field = TextEdit::singleline(text).hint_text("−12.4 31 8.7   or   px 812 440   or   um 3120 1690");
    let response = ui.add(field.desired_width(f32::INFINITY)).accessible_name("Coordinates");
    response.request_focus();
    let target = coordinates(text).and_then(|place| lps_of(desk, place));
    ui.add_space(4.0);
    let why = "Type coordinates that lead into the heart; a section needs its landmarks first.";
    let clicked = ui.add_enabled(target.is_some(), Button::new("Go")).on_disabled_hover_text(why).clicked();
    match target {
        Some(lps) if clicked || ui.input(|i| i.key_pressed(Key::Enter)) => Verdict::Do(vec![Action::View(ViewAction::GoTo(lps))]),
        _ => Verdict::Stay,
    }
}

/// A typed place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Lps(DVec3),
    Px(f64, f64),
    Um(f64, f64),
}

fn coordinates(text: &str) -> Option<Place> {
    let text = text.replace('−', "-").to_lowercase();
    let split = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '[' | ']');
    let words: Vec<&str> = text.split(split).filter(|w| !w.is_empty()).collect();
    let numbers: Vec<f64> = words.iter().filter_map(|w| w.parse().ok()).filter(|v: &f64| v.is_finite()).collect();
    let first = words.first().copied().unwrap_or_default();
    match (first, numbers.as_slice()) {
        ("px", &[x, y]) => Some(Place::Px(x, y)),
        ("um" | "µm", &[x, y]) => Some(Place::Um(x, y)),
        ("ras", &[x, y, z]) => Some(Place::Lps(DVec3::new(-x, -y, z))),
        ("px" | "um" | "µm" | "ras", _) => None,
        (_, &[x, y, z]) => Some(Place::Lps(DVec3::new(x, y, z))),
        _ => None,
    }
}

fn lps_of(desk: &Desk<'_>, place: Place) -> Option<DVec3> {
    let section = |p: DVec3, from: fn(u64) -> Space| {
        let id = desk.session.view.section?;
        desk.session.study.atlas().transform(Space::Patient, from(id.0), p).ok()
    };
    match place {
        Place::Lps(p) => Some(p),
        Place::Px(x, y) => section(DVec3::new(x, y, 0.0), Space::Pixel),
        Place::Um(x, y) => section(DVec3::new(x, y, 0.0) / 1000.0, Space::Section),
    }
}

fn quit(ui: &mut Ui, desk: &mut Desk<'_>) -> Verdict {
    heading(ui, desk, "Unsaved work");
    let n = desk.session.history.done().count();
    ui.label(small(desk.theme, format!("{n} steps are not saved.")));
    ui.add_space(8.0);
    let mut verdict = Verdict::Stay;
    ui.horizontal(|ui| {
        if ui.button("Save…").clicked() {
            desk.run(crate::session::Command::Save);
            verdict = Verdict::Close;
        }
        if ui.button("End without saving").clicked() {
            verdict = Verdict::Quit;
        }
        if ui.button("Stay").clicked() {
            verdict = Verdict::Close;
        }
    });
    verdict
}

/// The offer to bring back what an earlier run left, as a strip below the menu.
pub(super) fn recovery(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(leftover) = &desk.session.leftover else { return };
    let n = leftover.lines.len();
    let steps = if n == 1 { "1 step".to_owned() } else { format!("{n} steps") };
    let colors = *desk.colors();
    egui::Panel::top("recovery").frame(egui::Frame::new().fill(colors.raised).inner_margin(egui::Margin::symmetric(12, 6))).show(
        ui,
        |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new(format!("Unsaved work from an earlier run: {steps}.")).color(colors.warning));
                if ui.button("Bring it back").clicked() {
                    desk.act(Action::Recover(true));
                }
                if ui.button("Discard").on_hover_text("Throw it away for good").clicked() {
                    desk.act(Action::Recover(false));
                }
            });
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_of_every_kind() {
        assert_eq!(coordinates("−12.4, 31 8.7"), Some(Place::Lps(DVec3::new(-12.4, 31.0, 8.7))));
        assert_eq!(coordinates("RAS 1 2 3"), Some(Place::Lps(DVec3::new(-1.0, -2.0, 3.0))));
        assert_eq!(coordinates("px 812 440"), Some(Place::Px(812.0, 440.0)));
        assert_eq!(coordinates("um 1 2 3"), None);
        assert_eq!(coordinates("here"), None);
    }
}
