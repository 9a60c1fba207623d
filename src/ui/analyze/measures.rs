//! Numbers of the heart from a segmentation: this frame or all frames, as a table with where they are from.

use super::super::desk::{Desk, dim, small, title};
use super::super::tree::field;
use super::{about, newest, run_button};
use crate::model::{Analysis, AnalysisResult, ElementId, LabelMap, MeasuredValue};
use crate::scene::{label_phase, phase_at};
use crate::session::{Action, MeasureTask, MeasureWhat, Task, three_digits};
use egui::{ComboBox, Grid, Label, ScrollArea, Ui};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Width kept free at the right.
const SCROLL_BAR: f32 = 8.0;
/// Height of the table in rows.
const TABLE_ROWS: f32 = 18.0;
/// Definitions of thickness.
const DEFINITIONS: [&str; 4] = ["nearest", "centerline", "radial", "laplace"];
/// Rules for scar that need no remote muscle.
const RULES: [&str; 3] = ["otsu", "fwhm-max", "fwhm-min"];
/// Conventions of the segments.
const ANCHORS: [&str; 3] = ["anterior", "mid-septum", "both"];
/// Divisions of the levels.
const LEVELS: [&str; 2] = ["thirds", "continuous"];

/// What is typed here.
#[derive(Debug)]
pub(in crate::ui) struct State {
    kind: usize,
    definition: &'static str,
    rule: &'static str,
    anchor: &'static str,
    levels: &'static str,
    min_voxels: usize,
    all_frames: bool,
    /// The metric listed; all where empty.
    metric: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            kind: 0,
            definition: DEFINITIONS[0],
            rule: RULES[0],
            anchor: ANCHORS[0],
            levels: LEVELS[0],
            min_voxels: 5,
            all_frames: true,
            metric: String::new(),
        }
    }
}

impl State {
    const KINDS: [&'static str; 4] = ["Ventricles", "17 segments", "Wall thickness", "Scar"];

    fn what(&self) -> MeasureWhat {
        match self.kind {
            0 => MeasureWhat::Ventricles,
            1 => MeasureWhat::Segments,
            2 => MeasureWhat::Wall { definition: self.definition.into() },
            _ => MeasureWhat::Scar { rule: self.rule.into(), min_voxels: self.min_voxels },
        }
    }
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - SCROLL_BAR);
    title(ui, desk.theme, "Heart in numbers", |_| {});
    let Some((id, labels)) = shown(desk) else {
        let hint = "Open a segmentation of the left ventricle (File, Open): volumes, wall and scar are measured in it.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    };
    ui.add(Label::new(small(desk.theme, &labels.name)).truncate());
    settings(ui, desk);
    ui.add_space(4.0);
    let state = &desk.memo.analyze.measures;
    let image = desk.session.view.heart.filter(|heart| desk.session.study.belonging(id, *heart).is_some());
    let why_not = (state.kind == 3 && image.is_none()).then_some("Show the image of these labels first.");
    let frame = if state.all_frames { None } else { Some(frame(desk, &labels)) };
    let task = MeasureTask {
        labels: id.0,
        image: image.map(|i| i.0),
        what: state.what(),
        frame,
        anchor: state.anchor.into(),
        levels: state.levels.into(),
    };
    if run_button(ui, desk, "measure", "Measure", why_not) {
        desk.act(Action::Run(Task::Measure(Box::new(task))));
    }
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::Measures(_))) else { return };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    table(ui, desk, &analysis);
}

/// The segmentation whose segments are shown, else the first.
fn shown(desk: &Desk<'_>) -> Option<(ElementId, Arc<LabelMap>)> {
    let study = &desk.session.study;
    let id = desk.session.shown_segmentation().or_else(|| study.label_maps().next().map(|(id, _)| id))?;
    Some((id, Arc::clone(study.labels(id)?)))
}

/// The frame on the screen.
fn frame(desk: &Desk<'_>, labels: &LabelMap) -> usize {
    let volume = desk.session.view.heart.and_then(|id| desk.session.study.volume(id));
    let frame = volume.map_or(0, |v| label_phase(labels, v, phase_at(v, desk.session.view.cardiac_phase)));
    frame.min(labels.n_phases().saturating_sub(1))
}

/// One of a few words; `name` is what a reader of the screen hears.
fn choice(ui: &mut Ui, name: &str, hint: &str, chosen: &mut &'static str, all: &[&'static str]) {
    let combo = ComboBox::from_id_salt(name).selected_text(*chosen).width(110.0);
    let shown = combo.show_ui(ui, |ui| {
        for word in all {
            ui.selectable_value(chosen, *word, *word);
        }
    });
    shown.response.accessible_name(format!("{name} {chosen}")).on_hover_text(hint);
}

fn settings(ui: &mut Ui, desk: &mut Desk<'_>) {
    let mut state = std::mem::take(&mut desk.memo.analyze.measures);
    field(ui, desk, "Measure", |ui| {
        let combo = ComboBox::from_id_salt("measure").selected_text(State::KINDS[state.kind.min(3)]).width(110.0);
        let shown = combo.show_ui(ui, |ui| {
            for (kind, name) in State::KINDS.iter().enumerate() {
                ui.selectable_value(&mut state.kind, kind, *name);
            }
        });
        shown.response.accessible_name("What is measured");
    });
    field(ui, desk, "Frames", |ui| {
        ui.selectable_value(&mut state.all_frames, true, "all").on_hover_text("Every phase of the beat");
        ui.selectable_value(&mut state.all_frames, false, "this one").on_hover_text("The phase on the screen");
    });
    match state.kind {
        2 => field(ui, desk, "Thickness", |ui| {
            let hint = "nearest: to the nearest outer point; centerline: chords across the mid-curve; radial: rays from the \
                        middle; laplace: field lines";
            choice(ui, "Definition of thickness", hint, &mut state.definition, &DEFINITIONS);
        }),
        3 => {
            field(ui, desk, "Rule", |ui| {
                let hint = "otsu: two classes; fwhm-max: half of the maximum; fwhm-min: half way from minimum to maximum. Rules that \
                            compare with remote muscle are on the command line";
                choice(ui, "Rule for scar", hint, &mut state.rule, &RULES);
            });
            field(ui, desk, "Least voxels", |ui| {
                ui.add(egui::DragValue::new(&mut state.min_voxels).range(1..=10_000))
                    .accessible_name("Least voxels of a piece of scar")
                    .on_hover_text("Smaller connected pieces are no scar");
            });
        }
        _ => {}
    }
    if state.kind > 0 {
        field(ui, desk, "Segments from", |ui| {
            choice(ui, "Anchor of the segments", "Where the first segment begins", &mut state.anchor, &ANCHORS);
        });
        field(ui, desk, "Levels", |ui| {
            choice(ui, "Levels", "Whole slices in thirds, or by the long axis", &mut state.levels, &LEVELS);
        });
    }
    desk.memo.analyze.measures = state;
}

fn table(ui: &mut Ui, desk: &mut Desk<'_>, analysis: &Analysis) {
    let AnalysisResult::Measures(found) = &analysis.result else { return };
    let metrics: BTreeSet<&str> = found.rows.iter().map(|r| r.metric.as_str()).collect();
    let mut metric = desk.memo.analyze.measures.metric.clone();
    if !metrics.contains(metric.as_str()) {
        metric.clear();
    }
    field(ui, desk, "Show", |ui| {
        let text = if metric.is_empty() { "everything".to_owned() } else { metric.replace('_', " ") };
        let shown = ComboBox::from_id_salt("metric shown").selected_text(text).width(140.0).show_ui(ui, |ui| {
            ui.selectable_value(&mut metric, String::new(), "everything");
            for name in &metrics {
                ui.selectable_value(&mut metric, (*name).to_owned(), name.replace('_', " "));
            }
        });
        shown.response.accessible_name("Metric shown");
    });
    let rows: Vec<&MeasuredValue> = found.rows.iter().filter(|r| metric.is_empty() || r.metric == metric).collect();
    desk.memo.analyze.measures.metric = metric;
    let height = desk.theme.size.control_height;
    let list = ScrollArea::vertical().id_salt("measures").auto_shrink([false, true]).max_height(height * TABLE_ROWS);
    list.show_rows(ui, height, rows.len(), |ui, range| {
        Grid::new("measures").num_columns(4).striped(true).min_row_height(height).show(ui, |ui| {
            for row in &rows[range] {
                let phase = row.phase.parse::<usize>().map_or_else(|_| row.phase.clone(), |p| format!("frame {}", p + 1));
                ui.label(small(desk.theme, &row.region)).on_hover_text(&row.method);
                ui.label(dim(desk.theme, phase));
                ui.label(small(desk.theme, row.metric.replace('_', " "))).on_hover_text(&row.method);
                ui.label(small(desk.theme, format!("{} {}", three_digits(row.value), row.unit))).on_hover_text(&row.method);
                ui.end_row();
            }
        });
    });
}
