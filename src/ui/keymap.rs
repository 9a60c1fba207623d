//! Which key calls which command: the command table's keys, with those that a person changed. Presets, and a file
//! to take along.

use super::keys::shortcut;
use crate::base::{Error, Result};
use crate::session::{COMMANDS, Command, Spec, spec_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sets of keys to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preset {
    /// The table's own keys: those of viewers of images.
    Radiology,
    /// Keys of viewers of slides.
    Spatial,
}

impl Preset {
    pub(super) const ALL: [Self; 2] = [Self::Radiology, Self::Spatial];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Radiology => "Radiology",
            Self::Spatial => "Spatial",
        }
    }

    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Radiology => "Keys as in viewers of medical images",
            Self::Spatial => "Keys as in viewers of slides: . places points, A, D, H show and hide, Ctrl+L finds commands",
        }
    }

    /// Keys that differ from the table.
    fn keys(self) -> &'static [(Command, &'static str)] {
        match self {
            Self::Radiology => &[],
            Self::Spatial => &[
                (Command::Palette, "Ctrl+L"),
                (Command::LandmarkTool, "."),
                (Command::ToggleLabels, "A"),
                (Command::ToggleSpots, "D"),
                (Command::NextSlice, "PageUp"),
                (Command::PreviousSlice, "PageDown"),
            ],
        }
    }
}

/// The keys of a person: what differs from the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Keymap {
    /// By the command's word; an empty key is none.
    own: BTreeMap<String, String>,
}

/// A command's word in files: its text in small letters, with hyphens.
pub(super) fn word(spec: &Spec) -> String {
    let parts = spec.text.split(|c: char| !c.is_alphanumeric()).filter(|p| !p.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

impl Keymap {
    /// The key of a command, as `Ctrl+Z`, or empty.
    pub(super) fn key<'a>(&'a self, spec: &'a Spec) -> &'a str {
        self.own.get(&word(spec)).map_or(spec.key, String::as_str)
    }

    /// The key of a command as people see it, or empty.
    pub(super) fn shown(&self, command: Command) -> String {
        spec_of(command).map_or_else(String::new, |s| super::keys::shown(self.key(s)))
    }

    /// A text with the command's key in brackets, where it has one.
    pub(super) fn hint(&self, text: &str, command: Command) -> String {
        match self.shown(command).as_str() {
            "" => text.to_owned(),
            key => format!("{text} ({key})"),
        }
    }

    /// Whether a person changed it.
    pub(super) fn is_own(&self, spec: &Spec) -> bool {
        self.own.contains_key(&word(spec))
    }

    /// The command that has a key already.
    pub(super) fn holder(&self, key: &str) -> Option<&'static Spec> {
        let wanted = shortcut(key)?;
        COMMANDS.iter().find(|s| shortcut(self.key(s)) == Some(wanted))
    }

    /// Gives a key to a command and takes it from whichever had it; an empty key takes it away.
    pub(super) fn give(&mut self, spec: &Spec, key: &str) {
        if let Some(other) = self.holder(key).filter(|other| other.command != spec.command) {
            self.put(other, "");
        }
        self.put(spec, key);
    }

    /// The table's key again; taken from whichever has it now.
    pub(super) fn reset(&mut self, spec: &Spec) {
        self.give(spec, spec.key);
    }

    fn put(&mut self, spec: &Spec, key: &str) {
        if key == spec.key {
            self.own.remove(&word(spec));
        } else {
            self.own.insert(word(spec), key.to_owned());
        }
    }

    /// The keys of a preset, nothing else.
    pub(super) fn preset(preset: Preset) -> Self {
        let mut map = Self::default();
        for (command, key) in preset.keys() {
            if let Some(spec) = spec_of(*command) {
                map.give(spec, key);
            }
        }
        map
    }

    /// The preset that these keys are, if any.
    pub(super) fn is_preset(&self) -> Option<Preset> {
        Preset::ALL.into_iter().find(|p| Self::preset(*p) == *self)
    }

    /// All keys as text for a file.
    pub(super) fn to_text(&self) -> Result<String> {
        let all: BTreeMap<String, &str> = COMMANDS.iter().map(|s| (word(s), self.key(s))).collect();
        let file = serde_json::json!({"format": FORMAT, "keys": all});
        serde_json::to_string_pretty(&file).map_err(|e| Error::malformed(e.to_string()))
    }

    /// The keys of a file's text, and how many of its lines were left out because no such command is known.
    /// Malformed where a key is not one or stands twice.
    pub(super) fn from_text(text: &str) -> Result<(Self, usize)> {
        let file: KeyFile = serde_json::from_str(text)
            .map_err(|e| Error::malformed(format!("this is not a file of keys ({e}); export one to see how it looks")))?;
        if file.format != FORMAT {
            return Err(Error::malformed(format!(
                "{:?} was found where {FORMAT:?} was expected; export a file to see one",
                file.format
            )));
        }
        let mut map = Self::default();
        let known: BTreeMap<String, &Spec> = COMMANDS.iter().map(|s| (word(s), s)).collect();
        let left_out = file.keys.keys().filter(|w| !known.contains_key(*w)).count();
        for (word, key) in &file.keys {
            let Some(spec) = known.get(word) else { continue };
            if !key.is_empty() && shortcut(key).is_none() {
                return Err(Error::malformed(format!("{key:?} of {word} is not a key; write it as Ctrl+Shift+Z")));
            }
            map.put(spec, key);
        }
        match map.repeated() {
            Some((key, a, b)) => {
                Err(Error::malformed(format!("{key} stands for both {} and {}; give each its own", a.text, b.text)))
            }
            None => Ok((map, left_out)),
        }
    }

    /// These keys where they are sound, else the table's.
    pub(super) fn sound(self) -> Self {
        let is_key = |key: &String| key.is_empty() || shortcut(key).is_some();
        if self.own.values().all(is_key) && self.repeated().is_none() { self } else { Self::default() }
    }

    /// A key that two commands have.
    fn repeated(&self) -> Option<(&str, &'static Spec, &'static Spec)> {
        COMMANDS.iter().enumerate().find_map(|(i, a)| {
            let key = self.key(a);
            let wanted = shortcut(key)?;
            let b = COMMANDS[i + 1..].iter().find(|b| shortcut(self.key(b)) == Some(wanted))?;
            Some((self.key(b), a, b))
        })
    }
}

/// First line of a file of keys.
const FORMAT: &str = "myoscope-keys-1";

#[derive(Deserialize)]
struct KeyFile {
    format: String,
    keys: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn spec(command: Command) -> &'static Spec {
        spec_of(command).unwrap()
    }

    #[test]
    fn words_and_presets_do_not_fight() {
        let words: BTreeSet<String> = COMMANDS.iter().map(word).collect();
        assert_eq!(words.len(), COMMANDS.len());
        for preset in Preset::ALL {
            let map = Keymap::preset(preset);
            assert!(map.repeated().is_none(), "{:?}", map.repeated().map(|r| r.0.to_owned()));
            assert!(COMMANDS.iter().all(|s| map.key(s).is_empty() || shortcut(map.key(s)).is_some()));
            assert_eq!(map.is_preset(), Some(preset));
        }
    }

    #[test]
    fn a_key_belongs_to_one_command() {
        let mut map = Keymap::default();
        assert_eq!(map.holder("L").map(|s| s.command), Some(Command::LandmarkTool));
        map.give(spec(Command::Play), "L");
        assert_eq!((map.key(spec(Command::Play)), map.key(spec(Command::LandmarkTool))), ("L", ""));
        assert_eq!(map.hint("Play cine", Command::Play), "Play cine (L)");
        map.reset(spec(Command::LandmarkTool));
        assert_eq!((map.key(spec(Command::Play)), map.key(spec(Command::LandmarkTool))), ("", "L"));
        map.reset(spec(Command::Play));
        assert_eq!(map, Keymap::default());
    }

    #[test]
    fn files_come_back_and_damage_is_told() {
        let mut map = Keymap::preset(Preset::Spatial);
        map.give(spec(Command::Play), "Shift+F5");
        assert_eq!(Keymap::from_text(&map.to_text().unwrap()).unwrap(), (map, 0));
        let more = r#"{"format": "myoscope-keys-1", "keys": {"play-cine": "Q", "fly": "F"}}"#;
        assert_eq!(Keymap::from_text(more).unwrap().1, 1);
        for (text, part) in [
            ("{", "not a file of keys"),
            (r#"{"format": "x", "keys": {}}"#, "was expected"),
            (r#"{"format": "myoscope-keys-1", "keys": {"play-cine": "Hyper+Q"}}"#, "is not a key"),
            (r#"{"format": "myoscope-keys-1", "keys": {"play-cine": "L"}}"#, "stands for both"),
        ] {
            let error = Keymap::from_text(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let damaged = Keymap { own: BTreeMap::from([("play-cine".into(), "L".into())]) };
        assert_eq!(damaged.sound(), Keymap::default());
    }
}
