//! The window: panels that read the session and send actions. Nothing here changes the study; the look
//! comes from `assets/theme.toml`.

mod analyze;
mod app;
mod bullseye;
mod busy;
mod chain;
mod cheat_sheet;
mod cut_lines;
mod desk;
mod dialogs;
mod draw;
mod genes;
mod heart_pane;
mod histogram;
mod icon;
mod inspector;
mod jobs;
mod keymap;
mod keys;
mod keys_panel;
mod landmarks;
mod lasso;
mod layers;
mod layout;
mod marks;
mod memo;
mod menu;
mod palette;
mod pane_input;
mod pane_keys;
mod panes;
mod pick;
mod polygon;
mod prefs;
mod problems;
mod quality;
mod readout;
mod run;
mod theme;
mod timebar;
mod tree;

pub use app::{Setup, Workbench};
pub use palette::palette_names;
pub use run::{BenchOptions, RunOptions, StartReport, run};
