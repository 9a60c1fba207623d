//! Genes that vary over the section: who is a neighbor, and a table of all genes that sorts and filters.

use super::super::super::desk::{Desk, dim, small};
use super::super::super::tree::{field, thousands};
use super::super::{about, newest, run_button};
use super::{WIDTH, list, values};
use crate::model::{AnalysisId, AnalysisResult, ElementId, SpatialGene, SpatialGenes};
use crate::session::{Action, Command, GraphRecord, Panel, SpatialGenesTask, Task, three_digits};
use egui::{Align, Button, ComboBox, DragValue, Layout, TextEdit, Ui};

/// What is typed here.
#[derive(Debug)]
pub(super) struct State {
    task: SpatialGenesTask,
    filter: String,
    order: Order,
    rising: bool,
    /// Rows shown, for what they were made of.
    rows: Option<(AnalysisId, String, Order, bool, Vec<usize>)>,
}

impl Default for State {
    fn default() -> Self {
        let task = SpatialGenesTask::usual(ElementId(0));
        Self { task, filter: String::new(), order: Order::Moran, rising: false, rows: None }
    }
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Name,
    Moran,
    P,
    Q,
}

impl Order {
    fn number(self, gene: &SpatialGene) -> f64 {
        let of = |f: &dyn Fn(&crate::model::SpatialNumbers) -> f64| gene.numbers.as_ref().map_or(f64::NAN, f);
        match self {
            Self::Name => 0.0,
            Self::Moran => of(&|n| n.moran[0]),
            Self::P => of(&|n| n.moran[2]),
            Self::Q => of(&|n| n.moran[3]),
        }
    }
}

/// Kinds of graphs with their names.
const GRAPHS: [(GraphRecord, &str); 5] = [
    (GraphRecord::Auto, "that fits the section"),
    (GraphRecord::Hex, "six of a hexagon"),
    (GraphRecord::Knn { k: 6 }, "nearest"),
    (GraphRecord::Radius { px: 200.0 }, "within a distance"),
    (GraphRecord::Delaunay, "Delaunay triangles"),
];

/// Spatially variable genes of the shown section.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, why_not: Option<&str>) {
    let mut task = desk.memo.analyze.genes.spatial.task.clone();
    settings(ui, desk, &mut task);
    desk.memo.analyze.genes.spatial.task = task.clone();
    ui.add_space(4.0);
    if run_button(ui, desk, "spatial genes", "Compare neighbors", why_not) {
        desk.act(Action::Run(Task::SpatialGenes(Box::new(SpatialGenesTask { section: id.0, ..task }))));
    }
    ui.add_space(6.0);
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::SpatialGenes(_))) else { return };
    ui.separator();
    about(ui, desk, analysis_id, &analysis);
    if let AnalysisResult::SpatialGenes(found) = &analysis.result {
        table(ui, desk, id, analysis_id, found);
    }
}

fn settings(ui: &mut Ui, desk: &Desk<'_>, task: &mut SpatialGenesTask) {
    values(ui, desk, &mut task.values);
    field(ui, desk, "Neighbors", |ui| {
        let same = |a: &GraphRecord, b: &GraphRecord| std::mem::discriminant(a) == std::mem::discriminant(b);
        let name = GRAPHS.iter().find(|g| same(&g.0, &task.graph)).map_or("", |g| g.1);
        let shown = ComboBox::from_id_salt("graph").selected_text(name).width(WIDTH).show_ui(ui, |ui| {
            for (kind, name) in GRAPHS {
                if ui.selectable_label(same(&kind, &task.graph), name).clicked() && !same(&kind, &task.graph) {
                    task.graph = kind;
                }
            }
        });
        let hint = "The graph that fits: hexagonal where the places in the array are known, else the 6 nearest";
        shown.response.accessible_name(format!("Neighbors: {name}")).on_hover_text(hint);
    });
    match &mut task.graph {
        GraphRecord::Knn { k } => field(ui, desk, "How many", |ui| {
            ui.add(DragValue::new(k).range(1..=500)).accessible_name("Number of nearest neighbors");
        }),
        GraphRecord::Radius { px } => field(ui, desk, "Distance", |ui| {
            let drag = DragValue::new(px).range(0.001..=1e6).speed(1.0).suffix(" px");
            ui.add(drag).accessible_name("Largest distance of neighbors").on_hover_text("In pixels of the full picture");
        }),
        _ => {}
    }
    field(ui, desk, "Permutations", |ui| {
        ui.add(DragValue::new(&mut task.n_permutations).range(0..=9999))
            .accessible_name("Permutations of the spots")
            .on_hover_text("p-values also from random orders of the spots; 0: none");
    });
    if task.n_permutations > 0 {
        field(ui, desk, "Seed", |ui| {
            ui.add(DragValue::new(&mut task.seed)).accessible_name("Seed of the permutations");
        });
    }
}

fn table(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, analysis: AnalysisId, found: &SpatialGenes) {
    let mut state = std::mem::take(&mut desk.memo.analyze.genes.spatial);
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.small_button("Export CSV…").on_hover_text("The whole table, as the command line writes it").clicked() {
                desk.memo.analyze.export.choose_genes(analysis);
                desk.run(Command::Panel(Panel::Export));
            }
            let edit = TextEdit::singleline(&mut state.filter).hint_text("Genes that hold").desired_width(ui.available_width());
            ui.add(edit).accessible_name("Filter genes").on_hover_text("Lists genes whose name holds these letters");
        });
    });
    heads(ui, desk, &mut state);
    refresh(&mut state, analysis, found);
    let rows = state.rows.take();
    if let Some((.., rows)) = &rows {
        list(ui, desk, id, "spatial genes", rows.len(), |row| {
            let gene = &found.genes[rows[row]];
            let text = |of: Order| {
                let value = of.number(gene);
                match value {
                    v if !v.is_finite() => "–".to_owned(),
                    v if of != Order::Moran && v < 1e-99 => "<1e−99".to_owned(),
                    v => three_digits(v),
                }
            };
            (gene.gene.clone(), [Order::Q, Order::P, Order::Moran].map(text).to_vec())
        });
        let text = format!("{} of {} genes; a click paints", thousands(rows.len()), thousands(found.genes.len()));
        ui.label(dim(desk.theme, text));
    }
    state.rows = rows;
    desk.memo.analyze.genes.spatial = state;
}

/// Sorts and filters where something changed.
fn refresh(state: &mut State, analysis: AnalysisId, found: &SpatialGenes) {
    let query = state.filter.trim().to_lowercase();
    let is_known = state
        .rows
        .as_ref()
        .is_some_and(|(a, f, o, r, _)| (*a, f.as_str(), *o, *r) == (analysis, query.as_str(), state.order, state.rising));
    if is_known {
        return;
    }
    let mut rows: Vec<usize> =
        (0..found.genes.len()).filter(|&g| query.is_empty() || found.genes[g].gene.to_lowercase().contains(&query)).collect();
    let order = state.order;
    rows.sort_by(|&a, &b| {
        let (one, other) = (&found.genes[a], &found.genes[b]);
        let (x, y) = (order.number(one), order.number(other));
        let by = if order == Order::Name { one.gene.cmp(&other.gene) } else { x.total_cmp(&y) };
        // What has no number is last.
        x.is_nan().cmp(&y.is_nan()).then(if state.rising { by } else { by.reverse() }).then(a.cmp(&b))
    });
    state.rows = Some((analysis, query, order, state.rising, rows));
}

fn heads(ui: &mut Ui, desk: &Desk<'_>, state: &mut State) {
    let mut head = |ui: &mut Ui, order: Order, name: &str, hint: &str| {
        let is_it = state.order == order;
        let arrow = match (is_it, state.rising) {
            (false, _) => "",
            (true, true) => " ↑",
            (true, false) => " ↓",
        };
        let button = Button::selectable(is_it, small(desk.theme, format!("{name}{arrow}")));
        if ui.add(button).on_hover_text(format!("{hint}; click to sort")).clicked() {
            state.rising = if is_it { !state.rising } else { matches!(order, Order::Name | Order::P | Order::Q) };
            state.order = order;
        }
    };
    ui.horizontal(|ui| {
        head(ui, Order::Name, "gene", "Name");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(10.0);
            for (order, name, hint) in [
                (Order::Q, "q", "Benjamini–Hochberg over all genes, of Moran's I"),
                (Order::P, "p", "Two-sided chance of Moran's I under randomization"),
                (Order::Moran, "I", "Moran's I; above 0 where neighbors are alike"),
            ] {
                ui.allocate_ui_with_layout(egui::vec2(super::NUMBER, 20.0), Layout::right_to_left(Align::Center), |ui| {
                    ui.set_min_width(super::NUMBER);
                    head(ui, order, name, hint);
                });
            }
        });
    });
}
