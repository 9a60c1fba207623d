//! The numbers of a result: region, phase, metric, value and unit, the definition on hover, and a mark where a healthy
//! range is known.

use super::super::super::desk::{Desk, dim, small};
use super::super::super::tree::field;
use super::settings::State;
use crate::model::{Analysis, AnalysisId, Finding, MeasuredValue};
use crate::scene::{BullseyeOf, BullseyeView};
use crate::session::{Action, Command, Panel, Session, three_digits};
use egui::{ComboBox, Grid, Label, RichText, ScrollArea, Ui};
use std::collections::BTreeSet;

/// Height of the table in rows.
const ROWS: f32 = 18.0;

/// The table with its filter and what can be done with it.
pub(super) fn show(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    (id, analysis): (AnalysisId, &Analysis),
    all: &[MeasuredValue],
    state: &mut State,
) {
    let metrics: BTreeSet<&str> = all.iter().map(|r| r.metric.as_str()).collect();
    if !metrics.contains(state.metric.as_str()) {
        state.metric.clear();
    }
    field(ui, desk, "Show", |ui| {
        let text = if state.metric.is_empty() { "everything".to_owned() } else { state.metric.replace('_', " ") };
        let combo = ComboBox::from_id_salt("metric shown").selected_text(text).width(168.0).truncate();
        let shown = combo.show_ui(ui, |ui| {
            ui.selectable_value(&mut state.metric, String::new(), "everything");
            for name in &metrics {
                ui.selectable_value(&mut state.metric, (*name).to_owned(), name.replace('_', " "));
            }
        });
        shown.response.accessible_name("Metric shown");
    });
    let rows: Vec<&MeasuredValue> = all.iter().filter(|r| state.metric.is_empty() || r.metric == state.metric).collect();
    told(ui, desk, analysis, &rows);
    buttons(ui, desk, id, all, state);
    let height = desk.theme.size.control_height;
    let list = ScrollArea::both().id_salt("measures").auto_shrink([false, true]).max_height(height * ROWS);
    list.show_rows(ui, height, rows.len(), |ui, range| {
        Grid::new("measures").num_columns(5).striped(true).min_row_height(height).show(ui, |ui| {
            for row in &rows[range] {
                line(ui, desk, analysis, row);
            }
        });
    });
}

fn line(ui: &mut Ui, desk: &Desk<'_>, analysis: &Analysis, row: &MeasuredValue) {
    let phase = row.phase.parse::<usize>().map_or_else(|_| row.phase.clone(), |p| format!("frame {}", p + 1));
    let colors = desk.colors();
    ui.label(small(desk.theme, &row.region)).on_hover_text(&row.method);
    ui.label(dim(desk.theme, phase));
    ui.label(small(desk.theme, row.metric.replace('_', " "))).on_hover_text(&row.method);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.label(small(desk.theme, format!("{} {}", three_digits(row.value), row.unit))).on_hover_text(&row.method);
    });
    match badge(analysis, row) {
        Some(finding) if finding.code == "within-healthy-range" => {
            ui.label(RichText::new("in range").size(desk.theme.size.overlay).color(colors.good)).on_hover_text(&finding.what);
        }
        Some(finding) => {
            ui.label(RichText::new("outside").size(desk.theme.size.overlay).color(colors.warning))
                .on_hover_text(format!("{} {}", finding.what, finding.remedy));
        }
        None => {
            ui.label("");
        }
    }
    ui.end_row();
}

/// What is known of a number's healthy range.
fn badge<'a>(analysis: &'a Analysis, row: &MeasuredValue) -> Option<&'a Finding> {
    analysis.findings.iter().filter(|f| f.code.ends_with("-healthy-range")).find(|f| {
        let value = f.evidence.iter().find(|(name, _)| name == "value").map(|(_, v)| *v);
        value == Some(row.value) && f.what.to_lowercase().contains(&row.metric.replace('_', " "))
    })
}

/// Where lengths come from, and the definition where all rows have one; several are told apart, never pooled.
fn told(ui: &mut Ui, desk: &Desk<'_>, analysis: &Analysis, rows: &[&MeasuredValue]) {
    if let Some(labels) = desk.session.study.labels(analysis.of) {
        let s = labels.grid.spacing_mm();
        let source = if labels.length_unit_known { "of the file's geometry" } else { "of unknown unit" };
        let text = format!("Spacing {} × {} × {} mm {source}", three_digits(s.x), three_digits(s.y), three_digits(s.z));
        ui.add(Label::new(dim(desk.theme, text)).truncate());
    }
    let methods: BTreeSet<&str> = rows.iter().map(|r| r.method.as_str()).collect();
    match methods.len() {
        0 => {}
        1 => {
            let text = rows.first().map_or_else(String::new, |r| format!("Definition: {}", r.method));
            ui.add(Label::new(dim(desk.theme, text)).wrap());
        }
        n => {
            let text = format!("{n} definitions; each row has its own (point at it)");
            ui.add(Label::new(dim(desk.theme, text)).wrap()).on_hover_text(methods.into_iter().collect::<Vec<_>>().join("\n"));
        }
    }
}

fn buttons(ui: &mut Ui, desk: &mut Desk<'_>, id: AnalysisId, rows: &[MeasuredValue], state: &State) {
    ui.horizontal_wrapped(|ui| {
        if ui.small_button("Export CSV…").on_hover_text("The whole table, as the command line writes it").clicked() {
            desk.memo.analyze.export.choose_measures(id);
            desk.run(Command::Panel(Panel::Export));
        }
        if ui.small_button("Copy").on_hover_text("The whole table, to paste into a sheet").clicked() {
            let text = copied(rows);
            ui.ctx().copy_text(text);
            desk.memo.copied = Some((format!("{} rows", rows.len()), ui.ctx().time() + 2.0));
        }
        let per_segment = Session::segment_metrics(rows);
        let usual = ["wall_thickness_mean", "transmurality", "ecv", "volume"];
        let chosen = per_segment
            .iter()
            .find(|(m, _)| *m == state.metric)
            .or_else(|| per_segment.iter().find(|(m, _)| usual.contains(&m.as_str())))
            .or_else(|| per_segment.first());
        if let Some((metric, phase)) = chosen.cloned()
            && ui.small_button("To bullseye").on_hover_text("Shows this metric by segment").clicked()
        {
            let of = BullseyeOf::Measure { analysis: id, metric, phase };
            let now = desk.session.view.bullseye.clone();
            desk.act(Action::Bullseye(Box::new(BullseyeView { of, ..now })));
        }
    });
}

/// Lines with tabs.
fn copied(rows: &[MeasuredValue]) -> String {
    let head = "region\tphase\tmetric\tvalue\tunit\tmethod".to_owned();
    let row = |r: &MeasuredValue| format!("{}\t{}\t{}\t{}\t{}\t{}", r.region, r.phase, r.metric, r.value, r.unit, r.method);
    std::iter::once(head).chain(rows.iter().map(row)).map(|line| line + "\n").collect()
}
