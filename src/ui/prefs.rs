//! What a person prefers, kept as JSON in the configuration folder. A damaged file is the default again.

use super::panes::{Pane, default_tree, is_complete};
use crate::base::{Error, Result};
use crate::io::write_bytes;
use egui_tiles::Tree;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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
}

impl Default for Prefs {
    fn default() -> Self {
        Self { light: false, scale: 1.0, window: None, panes: serde_json::Value::Null }
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
        prefs.scale = if prefs.scale.is_finite() { prefs.scale.clamp(0.75, 3.0) } else { 1.0 };
        prefs
    }

    /// Writes them, all or nothing.
    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("writing", e, folder))?;
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::malformed(e.to_string()))?;
        write_bytes(&folder.join("preferences.json"), &text)
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
