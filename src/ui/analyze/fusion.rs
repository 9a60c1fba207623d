//! Fusion: image features against expression at the spots of a registered section, or two views of a
//! cohort; what will be used before running, and what the numbers are worth after.

use super::super::desk::{Desk, dim, small, title};
use super::super::tree::field;
use super::{about, newest, run_button};
use crate::model::{Analysis, AnalysisId, AnalysisResult, ElementId, Fusion};
use crate::session::{Action, FusePreview, FuseTask, Task, three_digits};
use egui::{Align, Button, ComboBox, DragValue, Grid, Label, Layout, ScrollArea, Ui};
use std::sync::Arc;

/// Height of lists in rows.
const LIST_ROWS: f32 = 12.0;
/// Width kept free at the right.
const SCROLL_BAR: f32 = 8.0;

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    /// Settings of the next run.
    task: FuseTask,
    /// What it would use, for a revision of the session.
    preview: Option<(u64, FuseTask, Result<FusePreview, String>)>,
    pair: usize,
    view: usize,
    by_name: bool,
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - SCROLL_BAR);
    title(ui, desk.theme, "Fusion", |_| {});
    let choices = choices(desk);
    let Some((first, _)) = choices.first() else {
        let hint = "Open a section with counts, or a cohort. Fusion asks whether two views of the same spots or patients \
                    belong together, and how much of that holds where it was not fitted.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    };
    if !choices.iter().any(|(id, _)| id.0 == desk.memo.analyze.fusion.task.of) {
        desk.memo.analyze.fusion.task.of = first.0;
    }
    let of = ElementId(desk.memo.analyze.fusion.task.of);
    choose(ui, desk, &choices);
    settings(ui, desk, of);
    let why_not = before(ui, desk);
    ui.add_space(4.0);
    if run_button(ui, desk, "fuse", "Run fusion", why_not.as_deref()) {
        desk.act(Action::Run(Task::Fuse(Box::new(desk.memo.analyze.fusion.task.clone()))));
    }
    if let Some((id, analysis)) = newest(desk, of, |r| matches!(r, AnalysisResult::Fusion(_))) {
        ui.add_space(6.0);
        ui.separator();
        results(ui, desk, id, &analysis);
    }
}

/// Sections with counts and cohorts, the shown section first.
fn choices(desk: &Desk<'_>) -> Vec<(ElementId, String)> {
    let study = &desk.session.study;
    let with_counts = study.sections().filter(|(_, s)| s.expression.is_some()).map(|(id, s)| (id, s.name.clone()));
    let mut all: Vec<_> = with_counts.chain(study.cohorts().map(|(id, c)| (id, c.name().to_owned()))).collect();
    all.sort_by_key(|(id, _)| Some(*id) != desk.session.view.section);
    all
}

fn choose(ui: &mut Ui, desk: &mut Desk<'_>, choices: &[(ElementId, String)]) {
    let task = &mut desk.memo.analyze.fusion.task;
    let name = choices.iter().find(|(id, _)| id.0 == task.of).map_or("", |(_, n)| n.as_str());
    let combo = ComboBox::from_id_salt("fusion of").selected_text(name).width(ui.available_width() - 8.0).truncate();
    let shown = combo.show_ui(ui, |ui| {
        for (id, name) in choices {
            ui.selectable_value(&mut task.of, id.0, name);
        }
    });
    shown
        .response
        .accessible_name(format!("Fusion of {name}"))
        .on_hover_text("A section: images against genes at its spots. A cohort: two of its views.");
}

fn settings(ui: &mut Ui, desk: &mut Desk<'_>, of: ElementId) {
    let mut task = desk.memo.analyze.fusion.task.clone();
    let cohort = desk.session.study.cohort(of).map(|c| c.views().iter().map(|v| v.name.clone()).collect::<Vec<_>>());
    if let Some(names) = &cohort {
        if task.views.len() != 2 || task.views.iter().any(|v| !names.contains(v)) {
            task.views = names.iter().take(2).cloned().collect();
        }
        for at in 0..task.views.len() {
            field(ui, desk, ["First view", "Second view"][at.min(1)], |ui| {
                let combo = ComboBox::from_id_salt(("fusion view", at)).selected_text(task.views[at].clone()).width(130.0);
                let shown = combo.show_ui(ui, |ui| {
                    for name in names {
                        ui.selectable_value(&mut task.views[at], name.clone(), name);
                    }
                });
                shown.response.accessible_name(format!("View {} of the fusion", at + 1));
            });
        }
    } else {
        number(ui, desk, "Variable genes", &mut task.n_genes, 10..=20_000, "Most variable genes that the components are made of");
        number(ui, desk, "Components", &mut task.n_components, 1..=50, "Expression components that meet the image features");
    }
    number(ui, desk, "Pairs", &mut task.n_pairs, 1..=20, "Canonical pairs to look for");
    field(ui, desk, "Ridge", |ui| {
        let drag = DragValue::new(&mut task.ridge).range(0.0..=1.0).speed(0.01);
        ui.add(drag)
            .accessible_name("Ridge of the fusion")
            .on_hover_text("0: plain canonical correlation; 1: plain covariance of standardized features");
    });
    number(ui, desk, "Folds", &mut task.n_folds, 2..=20, "Spatial blocks of a section, whole patients of a cohort");
    if cohort.is_none() {
        length(
            ui,
            desk,
            "Buffer",
            &mut task.buffer_mm,
            "Training spots nearer than this to a held-out spot are left out; auto: how far expression goes together",
        );
        length(ui, desk, "Block", &mut task.block_mm, "Side of held-out squares; auto: twice the buffer");
        number(
            ui,
            desk,
            "Surrogate maps",
            &mut task.n_surrogates,
            0..=9999,
            "Random maps as smooth as the real ones; they decide",
        );
    }
    number(ui, desk, "Permutations", &mut task.n_permutations, 0..=99_999, "Random orders of spots or patients");
    field(ui, desk, "Seed", |ui| {
        ui.add(DragValue::new(&mut task.seed)).accessible_name("Seed of the fusion").on_hover_text("Of folds and nulls");
    });
    desk.memo.analyze.fusion.task = task;
}

fn number(ui: &mut Ui, desk: &Desk<'_>, name: &str, value: &mut u32, range: std::ops::RangeInclusive<u32>, hint: &str) {
    let hint = format!("{hint} ({} to {})", range.start(), range.end());
    field(ui, desk, name, |ui| {
        ui.add(DragValue::new(value).range(range)).accessible_name(name).on_hover_text(hint);
    });
}

fn length(ui: &mut Ui, desk: &Desk<'_>, name: &str, value: &mut Option<f64>, hint: &str) {
    field(ui, desk, name, |ui| {
        let mut own = value.is_some();
        if let Some(mm) = value {
            ui.add(DragValue::new(mm).range(0.05..=20.0).speed(0.05).suffix(" mm")).accessible_name(name).on_hover_text(hint);
        }
        let own_box = ui.checkbox(&mut own, "own").accessible_name(format!("{name}: own length"));
        if own_box.on_hover_text(hint).changed() {
            *value = own.then_some(1.0);
        }
        if value.is_none() {
            ui.label(small(desk.theme, "auto"));
        }
    });
}

/// What a run would use, and why it cannot run.
fn before(ui: &mut Ui, desk: &mut Desk<'_>) -> Option<String> {
    let (revision, task) = (desk.session.revision(), desk.memo.analyze.fusion.task.clone());
    let known = desk.memo.analyze.fusion.preview.as_ref().is_some_and(|(r, t, _)| *r == revision && *t == task);
    if !known {
        let found = task.preview(&desk.session.study).map_err(|e| e.to_string());
        desk.memo.analyze.fusion.preview = Some((revision, task, found));
    }
    let colors = *desk.colors();
    match desk.memo.analyze.fusion.preview.as_ref().map(|(_, _, found)| found) {
        Some(Ok(found)) => {
            let [(a, p), (b, q)] = &found.views;
            let ratio = found.n as f64 / (p + q).max(1) as f64;
            let text =
                format!("Will use {} samples: {p} features of {a}, {q} of {b}; n/(p+q) = {}.", found.n, three_digits(ratio));
            ui.add(Label::new(small(desk.theme, text)).wrap()).on_hover_text(found.features.join("\n"));
            for finding in &found.findings {
                let text = format!("{} {}", finding.what, finding.remedy);
                ui.add(Label::new(small(desk.theme, text).color(colors.warning)).wrap());
            }
            (found.n < 3).then(|| "There are too few samples.".to_owned())
        }
        Some(Err(why)) => {
            ui.add(Label::new(small(desk.theme, why).color(colors.warning)).wrap());
            Some(why.clone())
        }
        None => None,
    }
}

fn results(ui: &mut Ui, desk: &mut Desk<'_>, id: AnalysisId, analysis: &Arc<Analysis>) {
    about(ui, desk, id, analysis);
    let AnalysisResult::Fusion(found) = &analysis.result else { return };
    if found.pairs.is_empty() {
        return;
    }
    ui.add_space(6.0);
    pairs(ui, desk, analysis, found);
    ui.label(dim(desk.theme, format!("Held out: {}. Nulls: {}.", found.folds, found.nulls.join("; "))));
    ui.add_space(6.0);
    loadings(ui, desk, analysis.of, found);
}

/// Train, held out and nulls of each pair, with buttons that paint its scores.
fn pairs(ui: &mut Ui, desk: &mut Desk<'_>, analysis: &Analysis, found: &Fusion) {
    let show = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
    let two = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| crate::scene::fixed(v, 2));
    let mut chosen = None;
    Grid::new("pairs").num_columns(6).striped(true).spacing([6.0, 3.0]).show(ui, |ui| {
        let heads = [
            ("pair", "Canonical pair"),
            ("train", "Correlation of scores where it was fitted"),
            ("held out", "Correlation of scores where it was not fitted"),
            ("p perm", "Under random order; too small for spots, which resemble their neighbors"),
            ("p maps", "Under random maps as smooth as these; it decides for a section"),
            ("paint", "Scores on section, heart cut and bullseye"),
        ];
        for (head, hint) in heads {
            ui.label(dim(desk.theme, head)).on_hover_text(hint);
        }
        ui.end_row();
        for (k, pair) in found.pairs.iter().enumerate() {
            let is_shown = k == desk.memo.analyze.fusion.pair;
            if ui
                .add(Button::selectable(is_shown, small(desk.theme, (k + 1).to_string())))
                .on_hover_text("List its loadings")
                .clicked()
            {
                chosen = Some(k);
            }
            for text in [two(Some(pair.train)), two(pair.held_out), show(pair.permutation_p), show(pair.surrogate_p)] {
                ui.label(small(desk.theme, text));
            }
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                ui.spacing_mut().button_padding.x = 3.0;
                for (side, name) in ["image", "genes"].into_iter().enumerate() {
                    let Some(field) = analysis.fields.get(2 * k + side) else { continue };
                    if ui.small_button(name).on_hover_text(format!("Paint {}", field.name)).clicked() {
                        desk.act(Action::Paint { section: analysis.of, name: field.name.clone() });
                    }
                }
            });
            ui.end_row();
        }
    });
    if let Some(k) = chosen {
        desk.memo.analyze.fusion.pair = k;
    }
}

fn loadings(ui: &mut Ui, desk: &mut Desk<'_>, of: ElementId, found: &Fusion) {
    let pair = desk.memo.analyze.fusion.pair.min(found.pairs.len() - 1);
    let view = desk.memo.analyze.fusion.view.min(found.weights.len().saturating_sub(1));
    ui.horizontal_wrapped(|ui| {
        ui.label(dim(desk.theme, format!("Loadings of pair {}", pair + 1)));
        for (v, name) in found.views.iter().enumerate() {
            if ui.add(Button::selectable(v == view, small(desk.theme, name))).clicked() {
                desk.memo.analyze.fusion.view = v;
            }
        }
        let by_name = desk.memo.analyze.fusion.by_name;
        for (value, text) in [(false, "by size"), (true, "by name")] {
            if ui.add(Button::selectable(by_name == value, small(desk.theme, text))).clicked() {
                desk.memo.analyze.fusion.by_name = value;
            }
        }
    });
    let (Some(weights), Some(correlations)) = (found.weights.get(view), found.correlations.get(view)) else { return };
    let (w, r) = (weights.component(pair), correlations.component(pair));
    let size = |i: usize| if r[i].is_nan() { 0.0 } else { r[i].abs() };
    let mut order: Vec<usize> = (0..w.len()).collect();
    if desk.memo.analyze.fusion.by_name {
        order.sort_by(|&a, &b| weights.features[a].cmp(&weights.features[b]));
    } else {
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    }
    row(ui, desk, None, ["feature", "correlation", "weight"].map(str::to_owned));
    let height = 20.0;
    let area = ScrollArea::vertical().id_salt("fusion loadings").auto_shrink([false, true]).max_height(height * LIST_ROWS);
    area.show_rows(ui, height, order.len(), |ui, range| {
        for at in range {
            let i = order[at];
            let r = if r[i].is_nan() { "–".to_owned() } else { format!("{:.2}", r[i]) };
            row(ui, desk, (view == 1).then_some(of), [weights.features[i].clone(), r, three_digits(w[i])]);
        }
    });
}

/// A feature and its numbers; a gene of a section can be painted.
fn row(ui: &mut Ui, desk: &mut Desk<'_>, paint: Option<ElementId>, [name, first, second]: [String; 3]) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            for text in [second, first] {
                ui.add_sized([72.0, 18.0], Label::new(small(desk.theme, text)).halign(Align::Max));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                match paint.filter(|id| desk.session.study.section(*id).is_some()) {
                    Some(section) => {
                        if ui
                            .add(Button::selectable(false, small(desk.theme, &name)))
                            .on_hover_text(format!("Paint {name}"))
                            .clicked()
                        {
                            desk.act(Action::Paint { section, name });
                        }
                    }
                    None => {
                        ui.add(Label::new(small(desk.theme, &name)).truncate()).on_hover_text(name);
                    }
                }
            });
        });
    });
}
