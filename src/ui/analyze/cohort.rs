//! The cohort: who has which views, who is left out and why.

use super::super::desk::{Desk, dim, title};
use egui::{Label, Ui};

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Cohort", |_| {});
    ui.add(Label::new(dim(desk.theme, "Drop a sample sheet on the window.")).wrap());
    let State {} = &desk.memo.analyze.cohort;
}
