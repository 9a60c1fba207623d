//! Keys: from the command table's words to egui's shortcuts, and which commands were pressed.

use super::keymap::Keymap;
use crate::session::{COMMANDS, Command, Spec};
use egui::{Context, Key, KeyboardShortcut, Modifiers};

/// The shortcut of a word such as `Ctrl+Shift+Z`; `None` for an empty or unknown word.
pub(super) fn shortcut(word: &str) -> Option<KeyboardShortcut> {
    let (modifiers, key) = match word.rfind('+') {
        Some(at) if at + 1 < word.len() => (&word[..at], &word[at + 1..]),
        _ => ("", word),
    };
    let mut all = Modifiers::NONE;
    for part in modifiers.split('+').filter(|p| !p.is_empty()) {
        all = match part {
            "Ctrl" => all | Modifiers::COMMAND,
            "Shift" => all | Modifiers::SHIFT,
            "Alt" => all | Modifiers::ALT,
            _ => return None,
        };
    }
    let key = match key {
        "=" => Key::Equals,
        "-" => Key::Minus,
        "?" => Key::Questionmark,
        other => Key::from_name(other)?,
    };
    Some(KeyboardShortcut::new(all, key))
}

/// The word of a key that was pressed, or why it cannot call a command.
pub(super) fn word_of(modifiers: Modifiers, key: Key) -> Result<String, &'static str> {
    match key {
        Key::Escape => return Err("Esc steps back everywhere"),
        Key::Tab => return Err("Tab moves between controls"),
        Key::Enter => return Err("Enter presses the control that has the focus"),
        Key::Space if !modifiers.any() => return Err("Space pans while it is held"),
        _ => {}
    }
    let name = match key {
        Key::Equals => "=",
        Key::Minus => "-",
        Key::Questionmark => "?",
        Key::Period => ".",
        Key::Comma => ",",
        Key::OpenBracket => "[",
        Key::CloseBracket => "]",
        other => other.name(),
    };
    // On most keyboards the question mark is a shifted key already.
    let shift = modifiers.shift && key != Key::Questionmark;
    let parts = [(modifiers.command || modifiers.ctrl, "Ctrl+"), (modifiers.alt, "Alt+"), (shift, "Shift+")];
    let held: String = parts.into_iter().filter(|(on, _)| *on).map(|(_, part)| part).collect();
    Ok(held + name)
}

/// The key as people see it.
pub(super) fn shown(word: &str) -> String {
    let arrows = [("ArrowRight", "→"), ("ArrowLeft", "←"), ("ArrowUp", "↑"), ("ArrowDown", "↓")];
    arrows.into_iter().fold(word.to_owned(), |text, (name, arrow)| text.replace(name, arrow))
}

/// Takes the keyboard from a text field that is closed, so that the next key is a command again.
pub(super) fn leave_text(ctx: &Context) {
    ctx.memory_mut(|m| {
        if let Some(id) = m.focused() {
            m.surrender_focus(id);
        }
    });
}

/// Commands whose keys were pressed in this frame. Letters and arrows belong to a text field or a focused
/// control while there is one; a focused pane (`on_pane`) leaves them the arrows, those with Shift excepted.
pub(super) fn pressed(ctx: &Context, keys: &Keymap, on_pane: bool) -> Vec<Command> {
    let typing = ctx.text_edit_focused();
    let focused = !on_pane && ctx.memory(|m| m.focused().is_some());
    let mut specs: Vec<(&Spec, KeyboardShortcut)> =
        COMMANDS.iter().filter_map(|s| shortcut(keys.key(s)).map(|k| (s, k))).collect();
    // `Ctrl+Z` also matches while Shift is held, so longer ones go first.
    specs.sort_by_key(|(_, k)| std::cmp::Reverse(u8::from(k.modifiers.shift) + u8::from(k.modifiers.command)));
    let mut found = Vec::new();
    for (spec, key) in specs {
        let plain = !key.modifiers.command;
        let arrow = matches!(key.logical_key, Key::ArrowUp | Key::ArrowDown | Key::ArrowLeft | Key::ArrowRight);
        let of_text = matches!(spec.command, Command::Undo | Command::Redo);
        let moves_cursor = on_pane && arrow && ctx.input(|i| i.modifiers.shift);
        if (typing && (plain || of_text)) || (arrow && focused) || moves_cursor {
            continue;
        }
        if ctx.input_mut(|i| i.consume_shortcut(&key)) {
            found.push(spec.command);
        }
    }
    let free = keys.holder("Ctrl+Y").is_none();
    if free && !typing && ctx.input_mut(|i| i.consume_shortcut(&KeyboardShortcut::new(Modifiers::COMMAND, Key::Y))) {
        found.push(Command::Redo);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_known() {
        for spec in COMMANDS.iter().filter(|s| !s.key.is_empty()) {
            assert!(shortcut(spec.key).is_some(), "{} of {}", spec.key, spec.text);
        }
        let redo = shortcut("Ctrl+Shift+Z").unwrap();
        assert!(redo.modifiers.shift && redo.modifiers.command && redo.logical_key == Key::Z);
        assert_eq!(shortcut("Ctrl+-").unwrap().logical_key, Key::Minus);
        assert_eq!(shown("Ctrl+ArrowUp"), "Ctrl+↑");
    }

    #[test]
    fn a_pressed_key_reads_back_as_itself() {
        for (modifiers, key) in [
            (Modifiers::COMMAND | Modifiers::SHIFT, Key::O),
            (Modifiers::NONE, Key::Equals),
            (Modifiers::ALT, Key::ArrowUp),
            (Modifiers::SHIFT, Key::F8),
            (Modifiers::NONE, Key::Period),
        ] {
            let read = shortcut(&word_of(modifiers, key).unwrap()).unwrap();
            assert_eq!((read.modifiers, read.logical_key), (modifiers, key));
        }
        assert!(word_of(Modifiers::NONE, Key::Escape).is_err());
    }
}
