//! What a person prefers, kept as JSON in the configuration folder. A damaged file is the default again.

use super::keymap::Keymap;
use super::panes::{Pane, default_tree, is_complete};
use crate::base::{Error, Result};
use crate::io::write_bytes;
use egui_tiles::Tree;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Steps of the interface's scale.
pub(super) const SCALES: [f32; 9] = [0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 3.0];
/// Paths remembered.
const MOST_RECENT: usize = 12;

/// Preferences of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Prefs {
    pub(super) light: bool,
    /// Scale of the interface, 0.75 to 3.
    pub(super) scale: f32,
    pub(super) window: Option<[f32; 2]>,
    /// The arrangement of panes; kept apart so that a damaged one costs nothing else.
    pub(super) panes: serde_json::Value,
    /// Keys that differ from the command table.
    pub(super) keys: Keymap,
    /// Paths opened lately, newest first.
    pub(super) recent: Vec<PathBuf>,
    pub(super) hide_study: bool,
    pub(super) hide_properties: bool,
}

impl Default for Prefs {
    fn default() -> Self {
        Self {
            light: false,
            scale: 1.0,
            window: None,
            panes: serde_json::Value::Null,
            keys: Keymap::default(),
            recent: Vec::new(),
            hide_study: false,
            hide_properties: false,
        }
    }
}

/// `$XDG_CONFIG_HOME/myoscope`, or below `~/.config`; `None` where neither is known.
pub(super) fn folder() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".config"));
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|s| !s.is_empty()).map(PathBuf::from).or_else(home)?;
    Some(config.join("myoscope"))
}

impl Prefs {
    /// The preferences of a folder, or the default.
    pub(super) fn load(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("preferences.json")).unwrap_or_default();
        let mut prefs: Self = serde_json::from_str(&text).unwrap_or_default();
        prefs.scale = if prefs.scale.is_finite() { prefs.scale.clamp(SCALES[0], SCALES[SCALES.len() - 1]) } else { 1.0 };
        prefs.keys = prefs.keys.sound();
        prefs.recent.truncate(MOST_RECENT);
        prefs
    }

    /// Writes them, all or nothing.
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("writing", e, folder))?;
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::malformed(e.to_string()))?;
        write_bytes(&folder.join("preferences.json"), &text)
    }

    /// Remembers a path as the newest; those that are gone are forgotten.
    pub(super) fn remember(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        self.recent.retain(|p| *p != path && p.exists());
        self.recent.insert(0, path);
        self.recent.truncate(MOST_RECENT);
    }

    /// The arrangement kept, or the default one.
    pub(super) fn tree(&self) -> Tree<Pane> {
        serde_json::from_value(self.panes.clone()).ok().filter(is_complete).unwrap_or_else(default_tree)
    }

    /// Keeps an arrangement.
    pub(super) fn keep_tree(&mut self, tree: &Tree<Pane>) {
        self.panes = serde_json::to_value(tree).unwrap_or_default();
    }
}

/// Writes all keys to a file, all or nothing.
pub(super) fn export_keys(path: &Path, keys: &Keymap) -> Result<()> {
    let path = if path.extension().is_some() { path.to_path_buf() } else { path.with_extension("json") };
    write_bytes(&path, keys.to_text()?.as_bytes())
}

/// Keys of a file, and how many of its commands are not known. At most a megabyte is read.
pub(super) fn import_keys(path: &Path) -> Result<(Keymap, usize)> {
    let size = std::fs::metadata(path).map_err(|e| Error::io("reading", e, path))?.len();
    if size > 1 << 20 {
        return Err(Error::malformed(format!("{size} bytes are no file of keys; at most 1 MB was expected")).at(path));
    }
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("reading", e, path))?;
    Keymap::from_text(&text).map_err(|e| e.at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_the_default_again() {
        let folder = std::env::temp_dir().join(format!("myoscope-prefs-{}", std::process::id()));
        let mut prefs = Prefs { light: true, scale: 1.5, ..Prefs::default() };
        prefs.keep_tree(&default_tree());
        prefs.save(&folder).unwrap();
        assert_eq!(Prefs::load(&folder), prefs);
        assert!(is_complete(&prefs.tree()));
        std::fs::write(folder.join("preferences.json"), b"{\"light\": tru").unwrap();
        assert_eq!(Prefs::load(&folder), Prefs::default());
        prefs.panes = serde_json::json!({"root": 3});
        assert!(is_complete(&prefs.tree()));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
