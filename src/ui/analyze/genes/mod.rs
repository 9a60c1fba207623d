//! Genes as numbers: the steps of the command line on the shown section, one at a time, with the same settings.

mod clusters;
mod map;
mod reduction;
mod sets;
mod spatial;

pub(super) use map::scatter as map_of;

use super::super::desk::{Desk, dim, small, title};
use super::super::pick::{Answer, Ask, Picker};
use super::super::tree::field;
use crate::model::{ElementId, LayerKind};
use crate::session::{Action, ValuesRecord};
use egui::{Align, Button, ComboBox, Label, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// Height of lists in rows.
const LIST_ROWS: f32 = 12.0;
/// Width kept free at the right.
const SCROLL_BAR: f32 = 8.0;
/// Width of lists of choices.
const WIDTH: f32 = 168.0;
/// Width of a column of numbers.
const NUMBER: f32 = 52.0;

/// What is done with the genes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Components,
    Clusters,
    SpatialGenes,
    Sets,
    CellTypes,
    Map,
}

impl Step {
    const ALL: [(Self, &str, &str); 6] = [
        (Self::Components, "Components", "Variable genes and principal components"),
        (Self::Clusters, "Clusters", "Groups of spots whose genes are alike"),
        (Self::SpatialGenes, "Spatially variable genes", "Genes that are alike among neighboring spots"),
        (Self::Sets, "Gene-set scores", "How much the genes of a set stand out at each spot"),
        (Self::CellTypes, "Cell types", "Fractions of cell types by a signature"),
        (Self::Map, "Map of spots (UMAP)", "Spots in the plane, those with like genes together"),
    ];
}

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    step: Step,
    reduction: reduction::State,
    clusters: clusters::State,
    spatial: spatial::State,
    sets: sets::State,
    map: map::State,
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    // The scroll bar of the side has its own place.
    ui.set_max_width(ui.available_width() - SCROLL_BAR);
    title(ui, desk.theme, "Genes as numbers", |_| {});
    let Some((id, why_not)) = shown(desk) else {
        let hint = "Open a section with counts (File, Open): components, clusters, spatial genes and cell types are found in it.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    };
    let mut step = desk.memo.analyze.genes.step;
    field(ui, desk, "Analysis", |ui| {
        let (_, name, hint) = Step::ALL.iter().find(|s| s.0 == step).copied().unwrap_or(Step::ALL[0]);
        let shown = ComboBox::from_id_salt("gene step").selected_text(name).width(WIDTH).show_ui(ui, |ui| {
            for (one, name, hint) in Step::ALL {
                ui.selectable_value(&mut step, one, name).on_hover_text(hint);
            }
        });
        shown.response.accessible_name(format!("Analysis of genes: {name}")).on_hover_text(hint);
    });
    desk.memo.analyze.genes.step = step;
    match step {
        Step::Components => reduction::show(ui, desk, id, why_not),
        Step::Clusters => clusters::show(ui, desk, id, why_not),
        Step::SpatialGenes => spatial::show(ui, desk, id, why_not),
        Step::Sets => sets::show_sets(ui, desk, id, why_not),
        Step::CellTypes => sets::show_types(ui, desk, id, why_not),
        Step::Map => map::show(ui, desk, id, why_not),
    }
}

/// The shown section, and why it cannot be worked on.
fn shown(desk: &Desk<'_>) -> Option<(ElementId, Option<&'static str>)> {
    let id = desk.session.view.section?;
    let section = desk.session.study.section(id)?;
    let why = section.expression.is_none().then_some("This section has no genes.");
    Some((id, why))
}

/// What the section's spots are colored by.
pub(super) fn painted(desk: &Desk<'_>, id: ElementId) -> Option<String> {
    desk.session.study.layers.iter().find_map(|l| match &l.kind {
        LayerKind::Spots { color_by, .. } if l.element == id && l.visible => color_by.clone(),
        _ => None,
    })
}

/// How counts are scaled before the step.
fn values(ui: &mut Ui, desk: &Desk<'_>, values: &mut ValuesRecord) {
    field(ui, desk, "Values", |ui| {
        let of = |v: &ValuesRecord| reduction::TARGETS.iter().find(|t| t.0 == v.target).map_or("other", |t| t.1);
        let name = if values.normalize { of(values) } else { "as they are" };
        let shown = ComboBox::from_id_salt("values").selected_text(name).width(WIDTH).show_ui(ui, |ui| {
            for (target, name) in reduction::TARGETS {
                let is_it = values.normalize && values.target == target;
                if ui.selectable_label(is_it, name).clicked() {
                    *values = ValuesRecord { normalize: true, target, ..*values };
                }
            }
            if ui.selectable_label(!values.normalize, "as they are").clicked() {
                values.normalize = false;
            }
        });
        shown.response.accessible_name(format!("Values: {name}")).on_hover_text("Total of every spot before the logarithm");
    });
    if values.normalize {
        field(ui, desk, "Logarithm", |ui| {
            ui.checkbox(&mut values.log1p, "ln(1 + x)").on_hover_text("Natural logarithm after normalization");
        });
    }
}

/// A path that is typed or chosen with the system's dialog.
#[derive(Debug, Default)]
struct FileField {
    text: String,
    picker: Option<Picker>,
}

impl FileField {
    /// The path; `None` where nothing is typed.
    fn path(&self) -> Option<PathBuf> {
        let text = self.text.trim();
        (!text.is_empty()).then(|| PathBuf::from(text))
    }

    fn show(&mut self, ui: &mut Ui, desk: &Desk<'_>, label: &str, empty: &str, hint: &str) {
        if let Some(open) = &self.picker
            && let Answer::Paths(paths) = open.answer()
        {
            self.picker = None;
            if let Some(path) = paths.first() {
                self.text = path.display().to_string();
            }
        }
        ui.horizontal(|ui| {
            ui.set_min_height(desk.theme.size.control_height);
            ui.label(dim(desk.theme, label));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add_enabled(self.picker.is_none(), Button::new("Browse…")).on_hover_text(hint).clicked() {
                    let ctx = ui.ctx().clone();
                    self.picker = Some(Picker::open(Ask::Files, move || ctx.request_repaint()));
                }
                let edit = TextEdit::singleline(&mut self.text).hint_text(empty).desired_width(ui.available_width());
                ui.add(edit).accessible_name(label).on_hover_text(hint);
            });
        });
    }
}

/// A number at the right end of its column.
fn number(ui: &mut Ui, width: f32, text: RichText) {
    ui.allocate_ui_with_layout(vec2(width, 20.0), Layout::right_to_left(Align::Center), |ui| {
        ui.set_min_width(width);
        ui.label(text);
    });
}

/// Heads of columns of numbers, the last first, over a [`list`].
fn heads(ui: &mut Ui, desk: &Desk<'_>, first: &str, numbers: &[&str]) {
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, first));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            for head in numbers {
                number(ui, NUMBER, dim(desk.theme, *head));
            }
        });
    });
}

/// Rows of a name and its numbers, last number first; a click paints what has that name.
fn list(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, salt: &str, n: usize, row: impl Fn(usize) -> (String, Vec<String>)) {
    let painted = painted(desk, id);
    let height = 20.0;
    let area = ScrollArea::vertical().id_salt(salt).auto_shrink([false, true]);
    let area = area.max_height(height * LIST_ROWS).min_scrolled_height(height * LIST_ROWS);
    area.show_rows(ui, height, n, |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for at in range {
            let (name, numbers) = row(at);
            ui.horizontal(|ui| {
                ui.set_min_height(height);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.add_space(10.0);
                    for text in numbers {
                        number(ui, NUMBER, small(desk.theme, text));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let button = Button::selectable(painted.as_deref() == Some(&name), small(desk.theme, name.clone()));
                        if ui.add(button.truncate()).on_hover_text(format!("Paint {name}")).clicked() {
                            desk.act(Action::Paint { section: id, name });
                        }
                    });
                });
            });
        }
    });
}
