//! The menu bar, made from the command table; a disabled item says why.

use super::desk::Desk;
use super::icon::{Icon, icon_button, icon_button_enabled};
use super::theme::Theme;
use crate::model::LayerKind;
use crate::session::{COMMANDS, Command, MENUS, Session, Spec, Tool};
use egui::{Button, RichText, Ui};

/// Why a command cannot be run now, in one sentence.
pub(super) fn why_not(command: Command, session: &Session) -> Option<String> {
    let study = &session.study;
    let has_layer = |which: fn(&LayerKind) -> bool| study.layers.iter().any(|l| which(&l.kind));
    let say = |fine: bool, why: &str| (!fine).then(|| why.to_owned());
    let both = session.view.section.is_some() && session.view.heart.is_some();
    let quality = session.registration().and_then(|r| r.fit.as_ref()).map(|f| &f.quality);
    match command {
        Command::Undo => say(session.history.done().next().is_some(), "Nothing was done yet."),
        Command::Redo => say(session.history.undone().next().is_some(), "Nothing was taken back."),
        Command::Save | Command::SaveAs | Command::SaveWithData => say(!study.elements.is_empty(), "Nothing is open."),
        Command::Play | Command::NextPhase | Command::PreviousPhase => {
            say(session.heart().is_some_and(|v| v.n_phases() > 1), "The heart image shown has one phase only.")
        }
        Command::FindPlanes | Command::NextSlice | Command::PreviousSlice => {
            say(session.heart().is_some(), "Open a heart image first.")
        }
        Command::ToggleLabels => say(has_layer(|k| matches!(k, LayerKind::Labels { .. })), "No segmentation is open."),
        Command::ToggleSpots => say(has_layer(|k| matches!(k, LayerKind::Spots { .. })), "No section with spots is open."),
        Command::ToggleHistology => say(has_layer(|k| matches!(k, LayerKind::Picture)), "No histology is open."),
        Command::Compare(_) | Command::LandmarkTool | Command::BindPlane | Command::Model(_) => {
            say(both, "Open a heart image and a tissue section first.")
        }
        Command::NewLabels | Command::Tool(Tool::Figure(_)) => say(session.heart().is_some(), "Open a heart image first."),
        Command::Tool(tool) if tool.is_of_regions() => say(spots(session), "Open a section with spots first."),
        Command::Brush(_) if spots(session) => None,
        Command::Tool(_) | Command::Brush(_) => {
            say(session.drawn_labels().is_some(), "Show a segmentation of the heart image first, or begin a new one.")
        }
        Command::DeletePair => say(session.view.selected_pair.is_some(), "Select a landmark pair first."),
        Command::MendMirror => {
            let flipped = session.registration().is_some_and(|r| r.flip_x_mm.is_some());
            say(flipped || quality.is_some_and(|q| q.suspected_mirror().is_some()), "The landmarks do not look mirrored.")
        }
        Command::MendSwap => say(quality.is_some_and(|q| !q.swapped_pairs.is_empty()), "No pairs look exchanged."),
        Command::CancelJobs => say(!session.is_idle(), "Nothing runs in the background."),
        _ => None,
    }
}

/// Whether the section shown has spots.
fn spots(session: &Session) -> bool {
    session.view.section.and_then(|id| session.study.section(id)).is_some_and(|s| s.spots.is_some())
}

/// The text of a command; undo and redo say what.
pub(super) fn text(spec: &Spec, session: &Session) -> String {
    let with = |name: Option<&str>| name.map_or_else(|| spec.text.to_owned(), |n| format!("{}: {n}", spec.text));
    match spec.command {
        Command::Undo => with(session.history.done().next_back()),
        Command::Redo => with(session.history.undone().next_back()),
        Command::Play if session.playing => "Pause cine".into(),
        _ => spec.text.to_owned(),
    }
}

fn is_on(command: Command, desk: &Desk<'_>) -> bool {
    let (session, memo) = (desk.session, &desk.memo);
    let visible = |which: fn(&LayerKind) -> bool| session.study.layers.iter().any(|l| l.visible && which(&l.kind));
    match command {
        Command::ToggleLabels => visible(|k| matches!(k, LayerKind::Labels { .. })),
        Command::ToggleSpots => visible(|k| matches!(k, LayerKind::Spots { .. })),
        Command::ToggleHistology => visible(|k| matches!(k, LayerKind::Picture)),
        Command::Compare(mode) => session.view.compare == mode,
        Command::ToggleNeurological => session.view.neurological,
        Command::Play => session.playing,
        Command::LandmarkTool => memo.landmark_tool,
        Command::Tool(tool) => memo.draw.tool == Some(tool),
        Command::Model(model) => session.registration().is_some_and(|r| r.model == model),
        _ => false,
    }
}

/// One row of a menu or of a list of commands; true when it was chosen.
pub(super) fn item(ui: &mut Ui, desk: &mut Desk<'_>, spec: &Spec) -> bool {
    let why = why_not(spec.command, desk.session);
    let mark = if is_on(spec.command, desk) { "• " } else { "" };
    let button = Button::new(format!("{mark}{}", text(spec, desk.session)))
        .shortcut_text(desk.keys.shown(spec.command))
        .frame_when_inactive(false);
    let response = ui.add_enabled(why.is_none(), button);
    let response = if let Some(why) = why { response.on_disabled_hover_text(why) } else { response };
    if response.clicked() {
        desk.run(spec.command);
        return true;
    }
    false
}

fn menus(ui: &mut Ui, desk: &mut Desk<'_>) {
    for menu in MENUS {
        ui.menu_button(*menu, |ui| {
            ui.set_min_width(220.0);
            for spec in COMMANDS.iter().filter(|s| s.menu == *menu) {
                if item(ui, desk, spec) {
                    ui.close();
                }
                if spec.command == Command::OpenDemo {
                    recent(ui, desk);
                }
            }
        });
    }
}

/// The bar at the top.
pub(super) fn bar(ui: &mut Ui, desk: &mut Desk<'_>) {
    egui::MenuBar::new().ui(ui, |ui| {
        let size = desk.theme.size.title;
        ui.add_space(4.0);
        ui.label(RichText::new("Myoscope").font(Theme::strong(size)));
        ui.add_space(8.0);
        if ui.available_width() < 600.0 {
            ui.menu_button("Menu", |ui| menus(ui, desk));
        } else {
            menus(ui, desk);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_space(4.0);
            search_field(ui, desk);
            for (icon, command) in [(Icon::Redo, Command::Redo), (Icon::Undo, Command::Undo)] {
                let why = why_not(command, desk.session);
                let Some(spec) = crate::session::spec_of(command) else { continue };
                let name = desk.keys.hint(&text(spec, desk.session), command);
                if icon_button_enabled(ui, icon, &name, why.as_deref(), false).clicked() {
                    desk.run(command);
                }
            }
            project_name(ui, desk);
        });
    });
}

/// Paths opened lately.
fn recent(ui: &mut Ui, desk: &mut Desk<'_>) {
    if desk.recent.is_empty() {
        let button = Button::new("Open recent").frame_when_inactive(false);
        ui.add_enabled(false, button).on_disabled_hover_text("Nothing was opened yet.");
        return;
    }
    ui.menu_button("Open recent", |ui| {
        for path in desk.recent {
            let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
            let button = ui.add(Button::new(name).frame_when_inactive(false));
            if button.on_hover_text(path.display().to_string()).clicked() {
                desk.act(crate::session::Action::Open(vec![path.clone()]));
                ui.close();
            }
        }
    });
}

fn search_field(ui: &mut Ui, desk: &mut Desk<'_>) {
    let width = if ui.available_width() > 420.0 { 210.0 } else { 24.0 };
    if width < 100.0 {
        if icon_button(ui, Icon::Search, &desk.keys.hint("Search everything", Command::Palette)).clicked() {
            desk.run(Command::Palette);
        }
        return;
    }
    let text = RichText::new("Search everything").color(desk.colors().dim);
    let key = desk.keys.shown(Command::Palette);
    let button = Button::new(text).shortcut_text(key).min_size(egui::vec2(width, 22.0));
    if ui.add(button).on_hover_text("Commands, genes, layers, panes and open data by name").clicked() {
        desk.run(Command::Palette);
    }
}

fn project_name(ui: &mut Ui, desk: &Desk<'_>) {
    let Some(path) = &desk.session.project else { return };
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mark = if desk.session.is_unsaved() { " •" } else { "" };
    let hint = if desk.session.is_unsaved() { "has unsaved changes" } else { "is saved" };
    if ui.available_width() > 180.0 {
        ui.label(super::desk::dim(desk.theme, format!("{name}{mark}"))).on_hover_text(format!("{} {hint}", path.display()));
    }
}
