//! The right side's panels beside the inspector: one tab, one file each. A panel reads the session, keeps
//! what is typed in its own state here, and pushes actions: `Action::Run` with a task, `Action::Paint` with
//! the name of a field, `Action::Exclude`, `Action::Export`. Results are read from the study's analyses.

mod cohort;
mod draw;
mod export;
mod figures;
mod fusion;
mod genes;
mod import;
mod measures;
mod plots;
mod prediction;
mod regions;
mod volcano;

pub(super) use plots::{click_spot, settle};

use super::desk::{Desk, dim, small};
use super::icon::{Icon, icon_button};
use crate::base::Severity;
use crate::model::{Analysis, AnalysisId, AnalysisResult, ElementId};
use crate::session::{Action, Command, Panel};
use egui::{Button, Label, ScrollArea, Ui};
use std::sync::Arc;

/// What the panels remember; none of it is part of the study.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The panel shown.
    pub(super) panel: Panel,
    pub(super) draw: draw::State,
    pub(super) figures: figures::State,
    pub(super) regions: regions::State,
    pub(super) measures: measures::State,
    pub(super) genes: genes::State,
    pub(super) plots: plots::State,
    pub(super) fusion: fusion::State,
    pub(super) prediction: prediction::State,
    pub(super) cohort: cohort::State,
    pub(super) export: export::State,
    pub(super) import: import::State,
}

/// The strip of tabs above the right side.
pub(super) fn tabs(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = 3.0;
        for panel in Panel::ALL {
            let shown = desk.memo.analyze.panel == panel;
            let button = Button::selectable(shown, small(desk.theme, panel.title()));
            if ui.add(button).on_hover_text(panel.hint()).clicked() {
                desk.run(Command::Panel(panel));
            }
        }
    });
    ui.add_space(2.0);
    ui.separator();
}

/// The shown panel, other than the inspector.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let panel = desk.memo.analyze.panel;
    ScrollArea::vertical().id_salt(panel.title()).auto_shrink(false).show(ui, |ui| match panel {
        Panel::Inspect => {}
        Panel::Draw => draw::show(ui, desk),
        Panel::Figures => figures::show(ui, desk),
        Panel::Regions => regions::show(ui, desk),
        Panel::Heart => measures::show(ui, desk),
        Panel::Genes => genes::show(ui, desk),
        Panel::Plots => plots::show(ui, desk),
        Panel::Fusion => fusion::show(ui, desk),
        Panel::Prediction => prediction::show(ui, desk),
        Panel::Cohort => cohort::show(ui, desk),
        Panel::Export => export::show(ui, desk),
        Panel::Import => import::show(ui, desk),
    });
}

/// The newest analysis of an element with a result that `is` the wanted kind.
pub(super) fn newest(
    desk: &Desk<'_>,
    of: ElementId,
    is: impl Fn(&AnalysisResult) -> bool,
) -> Option<(AnalysisId, Arc<Analysis>)> {
    let mut found = desk.session.study.analyses.iter().rev().filter(|(_, a)| a.of == of && is(&a.result));
    found.next().map(|(id, a)| (*id, Arc::clone(a)))
}

/// The button that starts a task, or its progress with Cancel while `slot` runs. `why_not` disables it.
pub(super) fn run_button(ui: &mut Ui, desk: &mut Desk<'_>, slot: &str, text: &str, why_not: Option<&str>) -> bool {
    if let Some(job) = desk.session.job(slot) {
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 64.0).max(60.0);
            let bar = egui::ProgressBar::new(job.fraction as f32).desired_width(width).text(job.what.clone());
            ui.add(bar).on_hover_text(&job.title);
            if ui.button("Cancel").clicked() {
                desk.act(Action::Cancel(job.id));
            }
        });
        return false;
    }
    let button = Button::new(text).min_size(egui::vec2(ui.available_width(), desk.theme.size.control_height));
    let response = ui.add_enabled(why_not.is_none(), button);
    response.on_disabled_hover_text(why_not.unwrap_or_default()).clicked()
}

/// What an analysis says of itself: sentence, findings, settings, seed, inputs; with a button that removes it.
pub(super) fn about(ui: &mut Ui, desk: &mut Desk<'_>, id: AnalysisId, analysis: &Analysis) {
    let colors = *desk.colors();
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 28.0).max(40.0);
        let name = Label::new(super::desk::strong(desk.theme, &analysis.title)).truncate();
        ui.add_sized([room, desk.theme.size.control_height], name).on_hover_text(&analysis.title);
        if icon_button(ui, Icon::Close, "Remove this result (can be undone)").clicked() {
            desk.act(Action::RemoveAnalysis(id));
        }
    });
    ui.add(Label::new(small(desk.theme, &analysis.sentence)).wrap());
    for finding in &analysis.findings {
        let color = match finding.severity {
            Severity::Note => colors.dim,
            Severity::Warning => colors.warning,
            Severity::Error => colors.error,
        };
        let text = format!("{} {}", sentence(&finding.what), sentence(&finding.remedy));
        ui.add(Label::new(small(desk.theme, text).color(color)).wrap());
    }
    egui::CollapsingHeader::new(dim(desk.theme, "Where from?")).id_salt(("where from", id.0)).show(ui, |ui| {
        for (name, value) in &analysis.settings {
            ui.add(Label::new(dim(desk.theme, format!("{name}: {value}"))).wrap());
        }
        ui.label(dim(desk.theme, format!("seed: {}", analysis.seed)));
        for (name, digest) in &analysis.inputs {
            ui.add(Label::new(dim(desk.theme, format!("{name}: {digest}"))).truncate()).on_hover_text(digest);
        }
    });
}

/// A text with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let Some(first) = letters.next() else { return String::new() };
    let end = if text.trim_end().ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}
