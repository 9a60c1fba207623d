//! Numbers of the heart from segmentations and images: every measure of the command line with its settings, of this
//! frame or of all, as a table with definitions, a curve over the beat, and what is to be said of them.

mod curve;
mod settings;
mod table;

use super::super::desk::{Desk, dim, title};
use super::super::tree::field;
use super::{about, run_button};
use crate::model::{Analysis, AnalysisId, AnalysisResult, ElementId, LabelMap};
use crate::scene::{label_phase, phase_at};
use crate::session::{Action, MeasureTask, Task};
use egui::{ComboBox, Label, Ui};
use settings::Kind;
pub(in crate::ui) use settings::State;
use std::sync::Arc;

/// Width kept free at the right.
const SCROLL_BAR: f32 = 8.0;

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - SCROLL_BAR);
    title(ui, desk.theme, "Heart in numbers", |_| {});
    if desk.session.study.elements.is_empty() {
        let hint = "Open a segmentation of the left ventricle (File, Open): volumes, wall and scar are measured in it.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    }
    let mut state = std::mem::take(&mut desk.memo.analyze.measures);
    settings::show(ui, desk, &mut state);
    ui.add_space(4.0);
    let why_not = settings::why_not(desk, &state);
    if run_button(ui, desk, "measure", "Measure", why_not.as_deref()) {
        run(desk, &mut state);
    }
    ui.add_space(6.0);
    results(ui, desk, &mut state);
    desk.memo.analyze.measures = state;
}

fn run(desk: &mut Desk<'_>, state: &mut State) {
    state.shown = None;
    if state.kind == Kind::Echo {
        if let Some(of) = desk.session.view.heart.or_else(|| desk.session.study.elements.keys().next().copied()) {
            desk.act(Action::MeasureEcho { of, files: state.echo.clone() });
        }
        return;
    }
    let Some((id, labels)) = labels(desk, state.labels) else { return };
    let task = MeasureTask {
        labels: id.0,
        image: settings::image(desk, state, id).map(|i| i.0),
        what: state.what(desk),
        frame: (!state.all_frames && state.kind.has_frames()).then(|| frame(desk, &labels)),
        anchor: state.anchor.into(),
        levels: state.levels.into(),
        body: state.body,
    };
    desk.act(Action::Run(Task::Measure(Box::new(task))));
}

/// The segmentation chosen, else the one whose segments are shown, else the first.
fn labels(desk: &Desk<'_>, chosen: Option<ElementId>) -> Option<(ElementId, Arc<LabelMap>)> {
    let study = &desk.session.study;
    let shown = || desk.session.shown_segmentation().or_else(|| study.label_maps().next().map(|(id, _)| id));
    let id = chosen.filter(|id| study.labels(*id).is_some()).or_else(shown)?;
    Some((id, Arc::clone(study.labels(id)?)))
}

/// The frame on the screen.
fn frame(desk: &Desk<'_>, labels: &LabelMap) -> usize {
    let volume = desk.session.view.heart.and_then(|id| desk.session.study.volume(id));
    let frame = volume.map_or(0, |v| label_phase(labels, v, phase_at(v, desk.session.view.cardiac_phase)));
    frame.min(labels.n_phases().saturating_sub(1))
}

/// The results there are, newest first; one of them with its table and curve.
fn results(ui: &mut Ui, desk: &mut Desk<'_>, state: &mut State) {
    let is_measures = |a: &Arc<Analysis>| matches!(a.result, AnalysisResult::Measures(_));
    let all: Vec<(AnalysisId, Arc<Analysis>)> =
        desk.session.study.analyses.iter().rev().filter(|(_, a)| is_measures(a)).map(|(id, a)| (*id, Arc::clone(a))).collect();
    let chosen = state.shown.and_then(|id| all.iter().find(|(i, _)| *i == id)).or_else(|| all.first()).cloned();
    let Some((id, analysis)) = chosen else { return };
    ui.separator();
    if all.len() > 1 {
        field(ui, desk, "Result", |ui| {
            let width = (ui.available_width() - 8.0).clamp(120.0, 260.0);
            let list = ComboBox::from_id_salt("measured result").selected_text(&analysis.title).width(width).truncate();
            let shown = list.show_ui(ui, |ui| {
                for (other, a) in &all {
                    if ui.selectable_label(*other == id, format!("{} · {}", a.title, said(a))).clicked() {
                        state.shown = Some(*other);
                    }
                }
            });
            shown.response.accessible_name("Which result is shown");
        });
    }
    about(ui, desk, id, &analysis);
    let AnalysisResult::Measures(found) = &analysis.result else { return };
    curve::show(ui, desk, &analysis, &found.rows, state);
    table::show(ui, desk, (id, &analysis), &found.rows, state);
}

/// The first settings, to tell results of one kind apart.
fn said(analysis: &Analysis) -> String {
    analysis.settings.iter().take(4).map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
}
