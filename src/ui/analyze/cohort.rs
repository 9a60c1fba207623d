//! The cohort: who has which views, what goes with the outcome, who is left out and why.

use super::super::desk::{Desk, dim, small, strong, title};
use super::super::icon::{Icon, icon_button};
use crate::base::Severity;
use crate::model::{Cohort, ElementId, Excluded, Finding};
use crate::scene::{PaneKind, significant};
use crate::session::{Action, CohortReport, CrossTable, ViewAction, ViewCount, cohort_report};
use egui::{Align, Button, Color32, Grid, Label, Layout, Rect, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, pos2, vec2};
use std::sync::Arc;

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    search: String,
    reason: String,
    /// What is about to be left out, until a reason is given.
    pending: Option<Excluded>,
    /// The reason field wants the keyboard.
    asks: bool,
    report: Option<(u64, Arc<CohortReport>)>,
}

impl State {
    /// Asks for a reason to leave something out.
    pub(in crate::ui) fn ask(&mut self, what: Excluded) {
        self.pending = Some(what);
        self.reason.clear();
        self.asks = true;
    }
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let shown = desk.session.view.cohort.and_then(|id| Some((id, Arc::clone(desk.session.study.cohort(id)?))));
    title(ui, desk.theme, "Cohort", |ui| {
        if shown.is_some()
            && ui.button("Show map").on_hover_text("Subjects by views in the whole middle; Esc steps back").clicked()
        {
            desk.memo.maximized = Some(PaneKind::Cohort);
        }
    });
    ask_reason(ui, desk);
    let Some((id, cohort)) = shown else {
        let hint =
            "Drop a sample sheet on the window: a CSV with a column subject that links scans, blocks, sections and tables.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        left_out(ui, desk);
        return;
    };
    choose(ui, desk, id);
    let Some(report) = report(desk, id) else { return };
    ui.add(Label::new(small(desk.theme, &report.sentence)).wrap());
    views(ui, desk, &report.views);
    if let Some(batch) = &report.batch {
        cross(ui, desk, batch);
    }
    findings(ui, desk, &report.findings);
    patterns(ui, desk, &report);
    left_out(ui, desk);
    subjects(ui, desk, id, &cohort);
}

/// The report of this state of the study.
fn report(desk: &mut Desk<'_>, id: ElementId) -> Option<Arc<CohortReport>> {
    let revision = desk.session.revision();
    let known = desk.memo.analyze.cohort.report.as_ref().filter(|(r, report)| *r == revision && report.of == id);
    if let Some((_, report)) = known {
        return Some(Arc::clone(report));
    }
    let made = Arc::new(cohort_report(&desk.session.study, id)?);
    desk.memo.analyze.cohort.report = Some((revision, Arc::clone(&made)));
    Some(made)
}

/// One cohort of several.
fn choose(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    let all: Vec<(ElementId, String)> = desk.session.study.cohorts().map(|(i, c)| (i, c.name().to_owned())).collect();
    let name = all.iter().find(|(i, _)| *i == id).map_or("", |(_, n)| n);
    if all.len() < 2 {
        ui.add(Label::new(strong(desk.theme, name)).truncate());
        return;
    }
    let shown = egui::ComboBox::from_id_salt("cohort").selected_text(name).width(ui.available_width() - 8.0).show_ui(ui, |ui| {
        for (other, name) in &all {
            if ui.selectable_label(*other == id, name).clicked() {
                desk.view(ViewAction::Cohort(*other));
            }
        }
    });
    shown.response.accessible_name("Cohort shown");
}

/// What is about to be left out, in words.
fn name_of(desk: &Desk<'_>, what: &Excluded) -> String {
    let element = desk.session.study.elements.get(&what.element()).map_or("", |e| e.name());
    match what {
        Excluded::Subject { subject, .. } => format!("subject {subject}"),
        Excluded::Slice { slice, .. } => format!("slice {} of {element}", slice + 1),
        Excluded::Spots { names, .. } if names.len() == 1 => format!("spot {} of {element}", names[0]),
        Excluded::Spots { names, .. } => format!("{} spots of {element}", names.len()),
    }
}

/// The card that asks why.
fn ask_reason(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(what) = desk.memo.analyze.cohort.pending.clone() else { return };
    let colors = *desk.colors();
    let text = format!("Leave out {}", name_of(desk, &what));
    let frame = egui::Frame::new().fill(colors.raised).inner_margin(8).corner_radius(desk.theme.size.corner as u8);
    frame.show(ui, |ui| {
        ui.add(Label::new(strong(desk.theme, &text)).wrap());
        let state = &mut desk.memo.analyze.cohort;
        let field = TextEdit::singleline(&mut state.reason).hint_text("Why? The reason is printed with every result");
        let field = ui.add(field.desired_width(f32::INFINITY)).accessible_name("Reason");
        if std::mem::take(&mut state.asks) {
            field.request_focus();
        }
        let enter = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        let escape = ui.input(|i| i.key_pressed(egui::Key::Escape));
        let reason = state.reason.trim().to_owned();
        ui.horizontal(|ui| {
            let button = ui.add_enabled(!reason.is_empty(), Button::new("Leave out"));
            let button = button.on_disabled_hover_text("Type a reason first");
            if (button.clicked() || enter) && !reason.is_empty() {
                desk.act(Action::Exclude { what, reason });
                desk.memo.analyze.cohort.pending = None;
            }
            if ui.button("Cancel").clicked() || escape {
                desk.memo.analyze.cohort.pending = None;
            }
        });
    });
    ui.add_space(4.0);
}

fn heading(ui: &mut Ui, desk: &Desk<'_>, text: &str) {
    ui.add_space(6.0);
    ui.label(dim(desk.theme, text));
}

/// A number at the right end of its cell.
fn number(ui: &mut Ui, desk: &Desk<'_>, text: impl Into<String>) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(small(desk.theme, text)));
}

fn views(ui: &mut Ui, desk: &Desk<'_>, views: &[ViewCount]) {
    heading(ui, desk, "Views");
    let tests = views.iter().any(|v| v.availability.is_some());
    Grid::new("views").num_columns(4).striped(true).spacing(vec2(10.0, 2.0)).show(ui, |ui| {
        for head in ["", "there", "features", if tests { "p outcome" } else { "" }] {
            ui.label(dim(desk.theme, head));
        }
        ui.end_row();
        for view in views {
            let n = view.n_there + view.n_missing;
            let hint = format!(
                "{} {}\n{} there, {} missing, {} excluded; {} empty cells",
                view.name, view.unit, view.n_there, view.n_missing, view.n_excluded, view.n_empty_cells
            );
            ui.add(Label::new(small(desk.theme, &view.name)).truncate()).on_hover_text(hint);
            number(ui, desk, format!("{}/{n}", view.n_there));
            number(ui, desk, view.n_features.to_string());
            if let Some(a) = &view.availability {
                let color = if a.p_holm < 0.05 { desk.colors().warning } else { desk.colors().text };
                let hint = "Whether the view is missing goes with the outcome: two-sided, adjusted over the views (Holm)";
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(small(desk.theme, significant(a.p_holm, 2)).color(color)).on_hover_text(hint);
                });
            }
            ui.end_row();
        }
    });
}

fn cross(ui: &mut Ui, desk: &Desk<'_>, table: &CrossTable) {
    heading(ui, desk, &format!("{} by outcome", table.rows_of));
    Grid::new("batch").striped(true).spacing(vec2(14.0, 2.0)).show(ui, |ui| {
        ui.label("");
        for level in &table.columns {
            number(ui, desk, level.clone());
        }
        ui.end_row();
        for (row, counts) in table.rows.iter().zip(&table.counts) {
            ui.label(small(desk.theme, row));
            for n in counts {
                number(ui, desk, n.to_string());
            }
            ui.end_row();
        }
    });
}

fn findings(ui: &mut Ui, desk: &Desk<'_>, findings: &[Finding]) {
    const SHOWN: usize = 6;
    if findings.is_empty() {
        return;
    }
    heading(ui, desk, "Findings");
    let colors = desk.colors();
    let mut worst: Vec<&Finding> = findings.iter().collect();
    worst.sort_by_key(|f| std::cmp::Reverse(f.severity));
    for finding in worst.iter().take(SHOWN) {
        let color = match finding.severity {
            Severity::Note => colors.dim,
            Severity::Warning => colors.warning,
            Severity::Error => colors.error,
        };
        ui.add(Label::new(small(desk.theme, &finding.what).color(color)).wrap()).on_hover_text(&finding.remedy);
    }
    if worst.len() > SHOWN {
        let rest: Vec<&str> = worst[SHOWN..].iter().take(40).map(|f| f.what.as_str()).collect();
        ui.label(dim(desk.theme, format!("and {} more", worst.len() - SHOWN))).on_hover_text(rest.join("\n"));
    }
}

/// A small square: filled where a view is there, hatched where it is missing.
fn square(ui: &mut Ui, there: bool, color: Color32, quiet: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 14.0), Sense::hover());
    let rect = Rect::from_center_size(rect.center(), vec2(9.0, 9.0));
    if there {
        ui.painter().rect_filled(rect, 1.0, color);
        return;
    }
    ui.painter().rect_stroke(rect, 1.0, Stroke::new(1.0, quiet), egui::StrokeKind::Inside);
    for k in [0.0, 4.5] {
        let (a, b) = (pos2(rect.left(), rect.bottom() - k), pos2(rect.right() - k, rect.top()));
        ui.painter().line_segment([a, b], Stroke::new(1.0, quiet));
    }
}

/// Blue of what is there, as in the map.
fn there_color(desk: &Desk<'_>) -> Color32 {
    if desk.theme.is_dark { Color32::from_rgb(0x56, 0xB4, 0xE9) } else { Color32::from_rgb(0x00, 0x72, 0xB2) }
}

fn patterns(ui: &mut Ui, desk: &Desk<'_>, report: &CohortReport) {
    if report.views.is_empty() {
        return;
    }
    heading(ui, desk, "Patterns of missing views");
    let (blue, gray) = (there_color(desk), desk.colors().dim);
    for pattern in report.patterns.iter().take(8) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 3.0;
            pattern.has.iter().for_each(|&h| square(ui, h, blue, gray));
            let lacks: Vec<&str> =
                report.views.iter().zip(&pattern.has).filter(|(_, h)| !**h).map(|(v, _)| v.name.as_str()).collect();
            let words = if lacks.is_empty() { "complete".to_owned() } else { format!("without {}", lacks.join(", ")) };
            ui.label(small(desk.theme, format!(" {}", pattern.subjects.len())));
            ui.add(Label::new(dim(desk.theme, words)).truncate());
        });
    }
    if report.patterns.len() > 8 {
        ui.label(dim(desk.theme, format!("and {} rarer ones", report.patterns.len() - 8)));
    }
}

/// Everything left out, of whatever kind, with its reason and a way back.
fn left_out(ui: &mut Ui, desk: &mut Desk<'_>) {
    heading(ui, desk, "Left out");
    let exclusions = &desk.session.study.exclusions;
    if exclusions.is_empty() {
        let hint = "Nothing. Subjects are left out below; slices and spots by a right click in their panes.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
    }
    for (i, exclusion) in exclusions.iter().enumerate() {
        let name = name_of(desk, &exclusion.what);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, Icon::Undo, &format!("Take {name} back in")).clicked() {
                    desk.act(Action::Include(i));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text = RichText::new(format!("{name}: {}", exclusion.reason));
                    let text = text.font(egui::FontId::proportional(desk.theme.size.table));
                    ui.add(Label::new(text).truncate()).on_hover_text(&exclusion.reason);
                });
            });
        });
    }
}

/// All subjects, found by typing.
fn subjects(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, cohort: &Arc<Cohort>) {
    heading(ui, desk, "Subjects");
    let search = &mut desk.memo.analyze.cohort.search;
    let field = TextEdit::singleline(search).hint_text("Search subject, patient, site, batch").desired_width(f32::INFINITY);
    ui.add(field).accessible_name("Search subjects");
    let wanted = search.trim().to_lowercase();
    let found: Vec<usize> = (0..cohort.subjects().len()).filter(|&i| matches(cohort, i, &wanted)).collect();
    if found.is_empty() {
        ui.label(dim(desk.theme, "No subject is called so."));
        return;
    }
    let height = 22.0;
    let room = (found.len() as f32 * height).min(ui.available_height().max(10.0 * height));
    ScrollArea::vertical().id_salt("subjects").max_height(room).show_rows(ui, height, found.len(), |ui, rows| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for &i in &found[rows] {
            subject(ui, desk, (id, cohort), i);
        }
    });
}

fn matches(cohort: &Cohort, i: usize, wanted: &str) -> bool {
    let subject = &cohort.subjects()[i];
    let words = [subject.id.to_lowercase(), subject.patient.to_lowercase()];
    let facts = cohort.covariates().iter().filter_map(|c| c.values.text(i)).map(|t| t.to_lowercase());
    wanted.is_empty() || words.into_iter().chain(facts).any(|w| w.contains(wanted))
}

fn subject(ui: &mut Ui, desk: &mut Desk<'_>, (id, cohort): (ElementId, &Cohort), i: usize) {
    let subject = &cohort.subjects()[i];
    let study = &desk.session.study;
    let what = Excluded::Subject { cohort: id, subject: subject.id.clone() };
    let place = study.exclusions.iter().position(|e| e.what == what);
    let (blue, gray, warning) = (there_color(desk), desk.colors().dim, desk.colors().warning);
    let lit = desk.session.view.lit_subject == Some(i);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 22.0), Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        match place {
            Some(place) => {
                if icon_button(ui, Icon::Undo, &format!("Take {} back in", subject.id)).clicked() {
                    desk.act(Action::Include(place));
                }
            }
            None => {
                if icon_button(ui, Icon::Close, &format!("Leave {} out …", subject.id)).clicked() {
                    desk.memo.analyze.cohort.ask(what);
                }
            }
        }
        let outcome = cohort.outcome().and_then(|o| o.values.text(i)).unwrap_or_default();
        ui.add_sized([26.0, 18.0], Label::new(dim(desk.theme, outcome)).truncate());
        for view in cohort.views().iter().rev() {
            square(ui, view.missing[i].is_none(), blue, gray);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let text = small(desk.theme, &subject.id);
            let text = if place.is_some() { text.strikethrough().color(warning) } else { text };
            let button = Button::selectable(lit, text).truncate().min_size(vec2(ui.available_width(), 20.0));
            let response = ui.add(button).on_hover_ui(|ui| about(ui, desk, cohort, i));
            if response.clicked() {
                desk.view(ViewAction::LightSubject(if lit { None } else { Some(i) }));
            }
        });
    });
}

/// Everything known about a subject.
fn about(ui: &mut Ui, desk: &Desk<'_>, cohort: &Cohort, i: usize) {
    let subject = &cohort.subjects()[i];
    ui.label(strong(desk.theme, format!("{} of patient {}", subject.id, subject.patient)));
    let mut lines: Vec<String> = cohort
        .covariates()
        .iter()
        .map(|c| format!("{}: {} {}", c.name, c.values.text(i).unwrap_or("missing".into()), c.unit).trim_end().to_owned())
        .collect();
    lines.extend(subject.items.iter().map(|item| format!("{}: {}", item.kind.name(), item.reference)));
    lines.extend(cohort.views().iter().map(|v| match &v.missing[i] {
        Some(why) => format!("{}: missing, {why}", v.name),
        None => format!("{}: {} values", v.name, v.features().len()),
    }));
    for line in lines {
        ui.label(small(desk.theme, line));
    }
}
