//! Genes as numbers: normalization, variable genes, principal components of the shown section.

use super::super::desk::{Desk, dim, title};
use super::{about, newest, run_button};
use crate::model::AnalysisResult;
use egui::{Label, Ui};

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Genes as numbers", |_| {});
    ui.add(Label::new(dim(desk.theme, "Open a section with counts.")).wrap());
    let State {} = &desk.memo.analyze.reduction;
    run_button(ui, desk, "reduce", "Run", Some("This method is not here yet."));
    let Some(section) = desk.session.view.section else { return };
    if let Some((id, analysis)) = newest(desk, section, |r| matches!(r, AnalysisResult::Reduction(_))) {
        about(ui, desk, id, &analysis);
    }
}
