//! Normalization, variable genes, principal components of the shown section.

use super::super::super::desk::{Desk, dim, small};
use super::super::super::tree::{field, thousands};
use super::super::{about, newest, run_button};
use super::{list, painted};
use crate::model::{Analysis, AnalysisResult, ElementId, Reduction};
use crate::session::{Action, FlavorRecord, ReduceTask, Task, three_digits};
use egui::{Align, Button, CollapsingHeader, ComboBox, DragValue, Label, Layout, ScrollArea, Sense, Ui, vec2};

/// Targets of normalization as people call them.
pub(super) const TARGETS: [(Option<f64>, &str); 3] = [(None, "median total"), (Some(1e4), "CP10k"), (Some(1e6), "CPM")];

/// What is typed here.
#[derive(Debug)]
pub(in crate::ui) struct State {
    /// Settings of the next run; the section is filled in then.
    pub(super) task: ReduceTask,
    component: usize,
    order: Order,
}

impl Default for State {
    fn default() -> Self {
        Self { task: ReduceTask::usual(ElementId(0)), component: 0, order: Order::Size }
    }
}

/// How the loadings are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Size,
    Falling,
    Rising,
    Name,
}

impl Order {
    const ALL: [(Self, &str, &str); 4] = [
        (Self::Size, "size", "Largest weight first, whatever its sign"),
        (Self::Falling, "+ first", "From positive to negative"),
        (Self::Rising, "− first", "From negative to positive"),
        (Self::Name, "name", "By the name of the gene"),
    ];
}

/// Components of the shown section.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, why_not: Option<&str>) {
    let mut task = desk.memo.analyze.genes.reduction.task.clone();
    settings(ui, desk, &mut task);
    desk.memo.analyze.genes.reduction.task = task.clone();
    ui.add_space(4.0);
    if run_button(ui, desk, "reduce", "Find components", why_not) {
        desk.act(Action::Run(Task::Reduce(ReduceTask { section: id.0, ..task })));
    }
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::Reduction(_))) else {
        return;
    };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    if let AnalysisResult::Reduction(found) = &analysis.result {
        results(ui, desk, id, &analysis, found);
    }
}

/// All controls of components.
pub(super) fn settings(ui: &mut Ui, desk: &Desk<'_>, task: &mut ReduceTask) {
    field(ui, desk, "Normalize to", |ui| {
        let name = TARGETS.iter().find(|t| t.0 == task.target).map_or("other", |t| t.1);
        let combo = ComboBox::from_id_salt("normalize to").selected_text(name).width(110.0);
        let shown = combo.show_ui(ui, |ui| {
            for (target, name) in TARGETS {
                ui.selectable_value(&mut task.target, target, name);
            }
        });
        shown.response.accessible_name(format!("Normalize to {name}")).on_hover_text("Total of every spot before the logarithm");
    });
    field(ui, desk, "Logarithm", |ui| {
        ui.checkbox(&mut task.log1p, "ln(1 + x)").on_hover_text("Natural logarithm after normalization");
    });
    field(ui, desk, "Variable genes by", |ui| {
        let name = task.flavor.flavor().name();
        let shown = ComboBox::from_id_salt("flavor").selected_text(name).width(110.0).show_ui(ui, |ui| {
            for flavor in FlavorRecord::ALL {
                ui.selectable_value(&mut task.flavor, flavor, flavor.flavor().name());
            }
        });
        let hint = "seurat: dispersion in bins of equal width; cell_ranger: in bins of percentiles; seurat_v3: variance of \
                    counts beside a smooth trend";
        shown.response.accessible_name(format!("Variable genes by {name}")).on_hover_text(hint);
    });
    field(ui, desk, "How many genes", |ui| {
        ui.add(DragValue::new(&mut task.n_genes).range(2..=50_000).speed(10))
            .accessible_name("Number of variable genes")
            .on_hover_text("Genes that the components are made of");
    });
    field(ui, desk, "Components", |ui| {
        ui.add(DragValue::new(&mut task.n_components).range(1..=200))
            .accessible_name("Number of components")
            .on_hover_text("How many principal components");
    });
    field(ui, desk, "Scale genes", |ui| {
        ui.checkbox(&mut task.scale, "unit variance").on_hover_text("Each gene weighs the same; off keeps their variances");
    });
    field(ui, desk, "Seed", |ui| {
        ui.add(DragValue::new(&mut task.seed))
            .accessible_name("Seed of the components")
            .on_hover_text("Of clusters and maps; components only use it for very large tables");
    });
}

fn results(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, analysis: &Analysis, found: &Reduction) {
    if found.loadings.n_components == 0 {
        return;
    }
    let component = desk.memo.analyze.genes.reduction.component.min(found.loadings.n_components - 1);
    ui.add_space(6.0);
    ui.label(dim(desk.theme, "Explained variance; a click paints the component"));
    variances(ui, desk, id, (analysis, found), component);
    ui.add_space(6.0);
    loadings(ui, desk, id, found, component);
    let n = found.genes.iter().filter(|g| g.variable).count();
    let heading = format!("Variable genes ({} of {})", thousands(n), thousands(found.genes.len()));
    CollapsingHeader::new(small(desk.theme, heading)).id_salt("variable genes").show(ui, |ui| variable(ui, desk, id, found));
}

fn variances(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, (analysis, found): (&Analysis, &Reduction), component: usize) {
    let painted = painted(desk, id);
    let largest = found.variance_ratio.first().copied().unwrap_or(1.0).max(1e-12);
    let height = desk.theme.size.control_height;
    let rows = found.variance_ratio.len();
    let list = ScrollArea::vertical()
        .id_salt("variances")
        .auto_shrink([false, true])
        .max_height(height * 6.0)
        .min_scrolled_height(height * 6.0);
    list.show_rows(ui, height, rows, |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for j in range {
            let name = analysis.fields.get(j).map_or_else(|| format!("PC{}", j + 1), |f| f.name.clone());
            let is_painted = painted.as_ref() == Some(&name);
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
            let hint = format!("{name}: variance {}; click to paint it and list its genes", three_digits(found.variance[j]));
            response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_painted, &name));
            bar(ui, desk, rect, (&name, found.variance_ratio[j], largest), (j == component, response.hovered()));
            if response.on_hover_text(hint).clicked() {
                desk.memo.analyze.genes.reduction.component = j;
                desk.act(Action::Paint { section: id, name });
            }
        }
    });
}

/// One component: its name, a bar, its share.
fn bar(ui: &Ui, desk: &Desk<'_>, rect: egui::Rect, (name, share, largest): (&str, f64, f64), (selected, hovered): (bool, bool)) {
    let (colors, painter) = (desk.colors(), ui.painter());
    let font = egui::FontId::proportional(desk.theme.size.table);
    if selected || hovered {
        let fill = if selected { colors.selection } else { colors.hover };
        painter.rect_filled(rect, desk.theme.size.corner, fill);
    }
    let (left, right) = (rect.left() + 48.0, rect.right() - 58.0);
    let length = ((right - left).max(0.0) * (share / largest) as f32).max(1.0);
    let shape = egui::Rect::from_min_size(egui::pos2(left, rect.center().y - 3.0), vec2(length, 6.0));
    painter.rect_filled(shape, 2.0, colors.accent);
    painter.text(rect.left_center() + vec2(6.0, 0.0), egui::Align2::LEFT_CENTER, name, font.clone(), colors.text);
    let text = format!("{:.1} %", 100.0 * share);
    painter.text(rect.right_center() - vec2(6.0, 0.0), egui::Align2::RIGHT_CENTER, text, font, colors.text);
}

fn loadings(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, found: &Reduction, component: usize) {
    let order = desk.memo.analyze.genes.reduction.order;
    ui.label(dim(desk.theme, format!("Genes of PC{}, sorted by", component + 1)));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (one, name, hint) in Order::ALL {
            if ui.add(Button::selectable(one == order, small(desk.theme, name))).on_hover_text(hint).clicked() {
                desk.memo.analyze.genes.reduction.order = one;
            }
        }
    });
    let weights = found.loadings.component(component);
    let mut sorted: Vec<usize> = (0..weights.len()).collect();
    sorted.sort_by(|&a, &b| match order {
        Order::Size => weights[b].abs().total_cmp(&weights[a].abs()),
        Order::Falling => weights[b].total_cmp(&weights[a]),
        Order::Rising => weights[a].total_cmp(&weights[b]),
        Order::Name => found.loadings.features[a].cmp(&found.loadings.features[b]),
    });
    list(ui, desk, id, "loadings", sorted.len(), |row| {
        let at = sorted[row];
        (found.loadings.features[at].clone(), vec![three_digits(weights[at])])
    });
}

fn variable(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, found: &Reduction) {
    let mut genes: Vec<_> = found.genes.iter().filter(|g| g.variable).collect();
    genes.sort_by(|a, b| b.dispersion.total_cmp(&a.dispersion));
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "gene"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for head in ["dispersion", "mean"] {
                ui.add_sized([72.0, 16.0], Label::new(dim(desk.theme, head)).halign(Align::Max));
            }
        });
    });
    list(ui, desk, id, "genes", genes.len(), |row| {
        let gene = genes[row];
        (gene.gene.clone(), vec![three_digits(gene.dispersion), three_digits(gene.mean)])
    });
}
