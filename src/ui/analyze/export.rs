//! Export: pictures, tables, maps and transforms, to be handed on.

use super::super::desk::{Desk, dim, title};
use egui::{Label, Ui};

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Export", |_| {});
    ui.add(Label::new(dim(desk.theme, "Open something first.")).wrap());
    let State {} = &desk.memo.analyze.export;
}
