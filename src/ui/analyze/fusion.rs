//! Fusion: image features against expression at the spots of a registered section.

use super::super::desk::{Desk, dim, title};
use super::{about, newest, run_button};
use crate::model::AnalysisResult;
use egui::{Label, Ui};

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Fusion", |_| {});
    ui.add(Label::new(dim(desk.theme, "Register a section first.")).wrap());
    let State {} = &desk.memo.analyze.fusion;
    run_button(ui, desk, "fuse", "Run", Some("This method is not here yet."));
    let Some(section) = desk.session.view.section else { return };
    if let Some((id, analysis)) = newest(desk, section, |r| matches!(r, AnalysisResult::Fusion(_))) {
        about(ui, desk, id, &analysis);
    }
}
