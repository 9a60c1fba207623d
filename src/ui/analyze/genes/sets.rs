//! Scores of gene sets and fractions of cell types: a file, settings, and a table whose rows are painted by a click.

use super::super::super::desk::Desk;
use super::super::super::tree::field;
use super::super::{about, newest, run_button};
use super::{FileField, WIDTH, heads, list, values};
use crate::model::{AnalysisResult, ElementId};
use crate::session::{Action, DeconvolveTask, ScoreTask, Task, ViewAction, three_digits};
use egui::{ComboBox, DragValue, Ui};

/// What is typed here.
#[derive(Debug)]
pub(super) struct State {
    task: ScoreTask,
    sets: FileField,
    signature: FileField,
}

impl Default for State {
    fn default() -> Self {
        Self { task: ScoreTask::usual(ElementId(0)), sets: FileField::default(), signature: FileField::default() }
    }
}

/// Methods of the window; enrichment by permutation is on the command line.
const METHODS: [(&str, &str); 2] = [
    ("ulm", "t of the slope of expression on membership in the set"),
    ("ora", "logarithm of the odds of the set among the highest 5 % of the genes"),
];

/// Gene-set scores of the shown section.
pub(super) fn show_sets(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, why_not: Option<&str>) {
    let mut state = std::mem::take(&mut desk.memo.analyze.genes.sets);
    let hint = "A GMT file: name, description and genes with tabs between; empty takes markers of the cells of the heart";
    state.sets.show(ui, desk, "Gene sets", "built-in, of the heart", hint);
    values(ui, desk, &mut state.task.values);
    field(ui, desk, "Method", |ui| {
        let shown = ComboBox::from_id_salt("score").selected_text(state.task.score.clone()).width(WIDTH).show_ui(ui, |ui| {
            for (name, hint) in METHODS {
                ui.selectable_value(&mut state.task.score, name.to_owned(), name).on_hover_text(hint);
            }
        });
        let hint = METHODS.iter().find(|m| m.0 == state.task.score).map_or("", |m| m.1);
        shown.response.accessible_name(format!("Method of scores: {}", state.task.score)).on_hover_text(hint);
    });
    field(ui, desk, "Least genes", |ui| {
        ui.add(DragValue::new(&mut state.task.min_genes).range(1..=1000))
            .accessible_name("Least genes of a set")
            .on_hover_text("Sets with fewer genes in the table have no score");
    });
    ui.add_space(4.0);
    if run_button(ui, desk, "score", "Score gene sets", why_not) {
        let task = ScoreTask { section: id.0, ..state.task.clone() };
        desk.act(Action::RunFrom { task: Box::new(Task::Score(Box::new(task))), file: state.sets.path() });
    }
    desk.memo.analyze.genes.sets = state;
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::Sets(_))) else { return };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    let AnalysisResult::Sets(found) = &analysis.result else { return };
    let mut order: Vec<usize> = (0..found.sets.len()).collect();
    order.sort_by(|&a, &b| found.sets[b].mean.total_cmp(&found.sets[a].mean));
    ui.add_space(6.0);
    heads(ui, desk, "set", &["p < 0.05", "mean"]);
    list(ui, desk, id, "gene sets", order.len(), |row| {
        let set = &found.sets[order[row]];
        let name = analysis.fields.get(order[row]).map_or_else(|| set.set.clone(), |f| f.name.clone());
        (name, vec![format!("{:.0} %", 100.0 * set.share), three_digits(set.mean)])
    });
}

/// Fractions of cell types of the shown section.
pub(super) fn show_types(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, why_not: Option<&str>) {
    let mut state = std::mem::take(&mut desk.memo.analyze.genes.sets);
    let hint = "A table of mean expression, genes × cell types, linear (not logarithms): CSV, TSV or Parquet";
    state.signature.show(ui, desk, "Signature", "genes × cell types", hint);
    let file = state.signature.path();
    let why_not = why_not.or_else(|| file.is_none().then_some("Choose a signature first."));
    ui.add_space(4.0);
    if run_button(ui, desk, "deconvolve", "Find cell types", why_not) {
        let task = DeconvolveTask::usual(id);
        desk.act(Action::RunFrom { task: Box::new(Task::Deconvolve(Box::new(task))), file });
    }
    desk.memo.analyze.genes.sets = state;
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::CellTypes(_))) else { return };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    let AnalysisResult::CellTypes(found) = &analysis.result else { return };
    ui.add_space(6.0);
    let mut pies = desk.session.view.pies;
    let hint = "Each spot as a pie of its fractions in the section pane, where spots are large enough and not too many in sight";
    if ui.checkbox(&mut pies, "Spots as pies").on_hover_text(hint).changed() {
        desk.view(ViewAction::Pies(pies));
    }
    heads(ui, desk, "type", &["largest", "mean"]);
    let percent = |v: f64| format!("{:.1} %", 100.0 * v);
    list(ui, desk, id, "cell types", analysis.fields.len(), |row| {
        let numbers = found.types.get(row).map_or_else(|| vec![String::new(); 2], |t| vec![percent(t.most), percent(t.mean)]);
        (analysis.fields[row].name.clone(), numbers)
    });
}
