//! Clusters of spots: settings of the command line, and the clusters with their colors and sizes.

use super::super::super::desk::{Desk, dim, small};
use super::super::super::tree::{field, thousands};
use super::super::plots::answer;
use super::super::{about, newest, run_button};
use super::{number, painted, reduction};
use crate::model::{Analysis, AnalysisResult, Clustering, ColorMap, ElementId};
use crate::scene::{GroupBy, color_table};
use crate::session::{Action, ClusterTask, ReduceTask, Task, ViewAction};
use egui::{Align, CollapsingHeader, Color32, DragValue, Layout, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui};
use egui::{WidgetInfo, vec2};

/// What is typed here.
#[derive(Debug)]
pub(super) struct State {
    task: ClusterTask,
}

impl Default for State {
    fn default() -> Self {
        Self { task: ClusterTask::usual(ElementId(0)) }
    }
}

/// Clusters of the shown section.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, why_not: Option<&str>) {
    let mut task = desk.memo.analyze.genes.clusters.task.clone();
    field(ui, desk, "Neighbors", |ui| {
        ui.add(DragValue::new(&mut task.k).range(2..=500))
            .accessible_name("Neighbors of a spot")
            .on_hover_text("Spots most alike by their components, the spot itself among them");
    });
    field(ui, desk, "Resolution", |ui| {
        ui.add(DragValue::new(&mut task.resolution).range(0.01..=20.0).speed(0.02))
            .accessible_name("Resolution of the clusters")
            .on_hover_text("Larger gives more clusters");
    });
    components(ui, desk, "cluster components", &mut task.reduce);
    desk.memo.analyze.genes.clusters.task = task.clone();
    ui.add_space(4.0);
    if run_button(ui, desk, "cluster", "Find clusters", why_not) {
        task.reduce.section = id.0;
        desk.act(Action::Run(Task::Cluster(Box::new(task))));
    }
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::Clusters(_))) else { return };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    if let AnalysisResult::Clusters(found) = &analysis.result {
        sizes(ui, desk, id, &analysis, found);
    }
}

/// The components that spots are compared by, folded away.
pub(super) fn components(ui: &mut Ui, desk: &Desk<'_>, salt: &str, reduce: &mut ReduceTask) {
    let text = format!("By {} components of {} genes", reduce.n_components, thousands(reduce.n_genes));
    CollapsingHeader::new(small(desk.theme, text)).id_salt(salt).show(ui, |ui| reduction::settings(ui, desk, reduce));
}

fn sizes(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, analysis: &Analysis, found: &Clustering) {
    let Some(name) = analysis.fields.first().map(|f| f.name.clone()) else { return };
    let is_painted = painted(desk, id).as_deref() == Some(name.as_str());
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "cluster"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.selectable_label(is_painted, "Paint").on_hover_text("Color the spots by cluster").clicked() {
                desk.act(Action::Paint { section: id, name: name.clone() });
            }
        });
    });
    let height = 20.0;
    let area = ScrollArea::vertical().id_salt("clusters").auto_shrink([false, true]).max_height(height * super::LIST_ROWS);
    area.show_rows(ui, height, found.sizes.len(), |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for code in range {
            let share = 100.0 * found.sizes[code] as f64 / found.n_spots.max(1) as f64;
            let row = ui.horizontal(|ui| {
                ui.set_min_height(height);
                let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
                let [r, g, b] = color_table(ColorMap::Categories)[code.min(255)];
                ui.painter().rect_filled(rect, 2.0, Color32::from_rgb(r, g, b));
                ui.label(small(desk.theme, code.to_string()));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.add_space(10.0);
                    number(ui, 64.0, small(desk.theme, format!("{share:.1} %")));
                    let spots = format!("{} spots", thousands(found.sizes[code]));
                    number(ui, 96.0, small(desk.theme, spots));
                });
            });
            light(ui, desk, &name, code as u32, &row.response);
        }
    });
}

/// A cluster that is pointed at lights up where the spots are grouped by it; a click groups by it and keeps it lit.
fn light(ui: &Ui, desk: &mut Desk<'_>, name: &str, code: u32, row: &Response) {
    let response = row.interact(Sense::click());
    let is_it = desk.session.derived.groups.as_ref().is_some_and(|g| g.by == GroupBy::Column(name.to_owned()));
    let selected = is_it && desk.session.view.selected_group == Some(code);
    let label = format!("Spots of cluster {code}");
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, &label));
    if selected || response.hovered() {
        let color = if selected { desk.colors().accent } else { desk.colors().dim };
        ui.painter().rect_stroke(row.rect, 2.0, Stroke::new(1.0, color), StrokeKind::Inside);
    }
    if is_it {
        answer(desk, code, response.hovered(), response.clicked());
    } else if response.clicked() {
        desk.act(Action::GroupBy(GroupBy::Column(name.to_owned())));
        desk.view(ViewAction::SelectGroup(Some(code)));
    }
    response.on_hover_text("Click: its spots stay lit in the section, the map and the plots");
}
