//! The window: panels that read the session and send actions. Nothing here changes the study; the look
//! comes from `assets/theme.toml`.

mod analyze;
mod app;
mod desk;
mod dialogs;
mod genes;
mod histogram;
mod icon;
mod inspector;
mod jobs;
mod keys;
mod landmarks;
mod layers;
mod marks;
mod memo;
mod menu;
mod palette;
mod pane_input;
mod panes;
mod pick;
mod polygon;
mod prefs;
mod quality;
mod readout;
mod run;
mod theme;
mod timebar;
mod tree;

pub use app::{Setup, Workbench};
pub use palette::palette_names;
pub use run::{BenchOptions, RunOptions, StartReport, run};
