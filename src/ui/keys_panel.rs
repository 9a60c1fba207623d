//! The panel of keys: every command with its key; a click and a press give another. A key that is taken says by
//! what, and is taken over only when asked. Presets, and files to export and import.

use super::desk::{Desk, dim, small};
use super::icon::{Icon, icon_button_enabled};
use super::keymap::{Keymap, Preset};
use super::keys::{leave_text, shown, word_of};
use super::palette::score;
use super::pick::{Answer, Ask, Picker};
use super::prefs;
use super::theme::Theme;
use crate::session::{COMMANDS, MENUS, Spec};
use egui::{Align, Button, Event, Key, Layout, Modal, RichText, ScrollArea, TextEdit, Ui};
use std::path::PathBuf;

/// What the panel remembers.
#[derive(Debug, Default)]
pub(super) struct KeysPanel {
    pub(super) open: bool,
    query: String,
    /// Waits for a press for this command.
    waiting: Option<&'static Spec>,
    /// A key that another command has.
    taken: Option<Taken>,
    /// What came of the last action.
    said: String,
    file: String,
    picker: Option<(bool, Picker)>,
}

#[derive(Clone, Debug)]
struct Taken {
    spec: &'static Spec,
    key: String,
    by: &'static Spec,
}

impl KeysPanel {
    /// Opens it, with nothing typed.
    pub(super) fn show(&mut self) {
        *self = Self { open: true, ..Self::default() };
    }
}

/// The panel, where it is open.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    if !desk.memo.keys_panel.open {
        return;
    }
    let mut panel = std::mem::take(&mut desk.memo.keys_panel);
    let mut keys = desk.keys.clone();
    capture(ui, &mut panel, &mut keys);
    let was_waiting = panel.waiting.is_some();
    let modal = Modal::new(egui::Id::unique("keys panel")).show(ui.ctx(), |ui| {
        let room = ui.ctx().content_rect();
        ui.set_width(560.0f32.min(room.width() - 48.0));
        ui.label(RichText::new("Keys").font(Theme::strong(desk.theme.size.title)));
        presets(ui, desk, &mut panel, &mut keys);
        let field = TextEdit::singleline(&mut panel.query).hint_text("Find a command or a key").desired_width(f32::INFINITY);
        ui.add(field).accessible_name("Find a command or a key");
        status(ui, desk, &mut panel, &mut keys);
        let height = (room.height() - 320.0).clamp(96.0, 420.0);
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink([false, true]).show(ui, |ui| {
            list(ui, desk, &mut panel, &mut keys);
        });
        ui.separator();
        files(ui, &mut panel, &mut keys);
    });
    if modal.should_close() && !was_waiting {
        panel.open = false;
        leave_text(ui.ctx());
    }
    if keys != *desk.keys {
        desk.out.keys = Some(keys);
    }
    desk.memo.keys_panel = panel;
}

/// Takes the press that the panel waits for; nothing else sees it.
fn capture(ui: &Ui, panel: &mut KeysPanel, keys: &mut Keymap) {
    let Some(spec) = panel.waiting else { return };
    let pressed = ui.input_mut(|i| {
        let found = i.events.iter().find_map(|e| match e {
            Event::Key { key, pressed: true, modifiers, .. } => Some((*key, *modifiers)),
            _ => None,
        });
        i.events.retain(|e| !matches!(e, Event::Key { .. } | Event::Text(_)));
        found
    });
    let Some((key, modifiers)) = pressed else { return };
    panel.waiting = None;
    match (key, word_of(modifiers, key)) {
        (Key::Escape, _) => panel.said = "Nothing was changed.".into(),
        (_, Err(why)) => panel.said = format!("{} cannot be given away: {why}.", key.name()),
        (_, Ok(word)) => match keys.holder(&word).filter(|by| by.command != spec.command) {
            Some(by) => panel.taken = Some(Taken { spec, key: word, by }),
            None => {
                keys.give(spec, &word);
                panel.said = format!("{} is {} now.", spec.text, shown(&word));
            }
        },
    }
}

fn presets(ui: &mut Ui, desk: &Desk<'_>, panel: &mut KeysPanel, keys: &mut Keymap) {
    let now = keys.is_preset();
    ui.horizontal_wrapped(|ui| {
        ui.label(dim(desk.theme, "Preset"));
        for preset in Preset::ALL {
            let button = ui.selectable_label(now == Some(preset), preset.name());
            if button.on_hover_text(preset.hint()).clicked() {
                *keys = Keymap::preset(preset);
                panel.said = format!("These are the keys of {}.", preset.name());
                (panel.waiting, panel.taken) = (None, None);
            }
        }
        if now.is_none() {
            ui.label(dim(desk.theme, "changed by you"));
        }
    });
}

/// What is waited for, what is in the way, or what was done: one line that never moves the rest.
fn status(ui: &mut Ui, desk: &Desk<'_>, panel: &mut KeysPanel, keys: &mut Keymap) {
    ui.horizontal(|ui| {
        ui.set_min_height(desk.theme.size.control_height);
        if let Some(taken) = panel.taken.clone() {
            let text = format!("{} calls “{}” already.", shown(&taken.key), taken.by.text);
            ui.label(small(desk.theme, text).color(desk.colors().warning));
            if ui.small_button("Take it over").clicked() {
                keys.give(taken.spec, &taken.key);
                panel.said = format!("{} is {} now; “{}” has no key.", taken.spec.text, shown(&taken.key), taken.by.text);
                panel.taken = None;
            }
            if ui.small_button("Leave it").clicked() {
                panel.taken = None;
            }
        } else if let Some(spec) = panel.waiting {
            let text = format!("Press the key for “{}”; Esc leaves it as it is.", spec.text);
            ui.label(small(desk.theme, text).color(desk.colors().accent));
        } else {
            let text = if panel.said.is_empty() { "Click a key, then press another." } else { &panel.said };
            ui.add(egui::Label::new(dim(desk.theme, text)).truncate());
        }
    });
}

fn list(ui: &mut Ui, desk: &Desk<'_>, panel: &mut KeysPanel, keys: &mut Keymap) {
    let query = panel.query.trim().to_owned();
    let fits = |s: &Spec| query.is_empty() || score(&query, &format!("{} {} {}", s.text, s.menu, keys.key(s))).is_some();
    let rows: Vec<&'static Spec> = COMMANDS.iter().filter(|s| fits(s)).collect();
    if rows.is_empty() {
        ui.label(dim(desk.theme, "No command has such a name or key."));
    }
    for menu in MENUS {
        let of_menu: Vec<&'static Spec> = rows.iter().copied().filter(|s| s.menu == *menu).collect();
        if !of_menu.is_empty() {
            ui.add_space(4.0);
            ui.label(dim(desk.theme, *menu));
        }
        of_menu.into_iter().for_each(|spec| row(ui, desk, panel, keys, spec));
    }
}

fn row(ui: &mut Ui, desk: &Desk<'_>, panel: &mut KeysPanel, keys: &mut Keymap, spec: &'static Spec) {
    ui.horizontal(|ui| {
        ui.set_min_height(desk.theme.size.control_height);
        ui.label(small(desk.theme, spec.text.trim_end_matches('…')));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            let why = (!keys.is_own(spec)).then_some("It is the key of the table.");
            if icon_button_enabled(ui, Icon::Undo, &format!("Reset the key of {}", spec.text), why, false).clicked() {
                keys.reset(spec);
                panel.said = format!("{} has its first key again.", spec.text);
            }
            let why = keys.key(spec).is_empty().then_some("It has no key.");
            if icon_button_enabled(ui, Icon::Close, &format!("Take the key of {} away", spec.text), why, false).clicked() {
                keys.give(spec, "");
                panel.said = format!("{} has no key.", spec.text);
            }
            let waits = panel.waiting.is_some_and(|w| w.command == spec.command);
            let key = shown(keys.key(spec));
            let text = match (waits, key.is_empty()) {
                (true, _) => "press…".to_owned(),
                (false, true) => "none".to_owned(),
                (false, false) => key,
            };
            let button = Button::new(small(desk.theme, text.clone())).selected(waits).min_size(egui::vec2(120.0, 20.0));
            let button = ui.add(button).accessible_name(format!("Key of {}: {text}", spec.text));
            if button.on_hover_text("Click, then press another key").clicked() {
                (panel.waiting, panel.taken) = (Some(spec), None);
                leave_text(ui.ctx());
            }
        });
    });
}

fn files(ui: &mut Ui, panel: &mut KeysPanel, keys: &mut Keymap) {
    let mut chosen: Option<(bool, PathBuf)> = None;
    if let Some((saves, picker)) = &panel.picker
        && let Answer::Paths(paths) = picker.answer()
    {
        chosen = paths.into_iter().next().map(|p| (*saves, p));
        panel.picker = None;
    }
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 220.0).max(80.0);
        let field = TextEdit::singleline(&mut panel.file).hint_text("Path of a file of keys").desired_width(width);
        ui.add(field).accessible_name("Path of a file of keys");
        let typed = PathBuf::from(panel.file.trim());
        for (saves, name, hint) in [(true, "Export", "Write all keys to a file"), (false, "Import", "Take the keys of a file")] {
            if ui.button(name).on_hover_text(hint).clicked() {
                if panel.file.trim().is_empty() {
                    let ctx = ui.ctx().clone();
                    let ask = if saves { Ask::SaveKeys } else { Ask::Files };
                    panel.picker = Some((saves, Picker::open(ask, move || ctx.request_repaint())));
                    panel.said = "Choose a file, or type its path beside.".into();
                } else {
                    chosen = Some((saves, typed.clone()));
                }
            }
        }
    });
    let Some((saves, path)) = chosen else { return };
    panel.said = if saves {
        prefs::export_keys(&path, keys).map_or_else(|e| e.to_string(), |()| format!("Keys written to {}.", path.display()))
    } else {
        match prefs::import_keys(&path) {
            Ok((map, left_out)) => {
                *keys = map;
                let rest = if left_out == 0 { String::new() } else { format!("; {left_out} commands are not known here") };
                format!("Keys read from {}{rest}.", path.display())
            }
            Err(e) => e.to_string(),
        }
    };
}
