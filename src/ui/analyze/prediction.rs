//! Prediction: genes from histology, with what held-out places say of it.

use super::super::desk::{Desk, dim, small, title};
use super::{about, newest, run_button};
use crate::model::{AnalysisResult, ElementId, GeneScore, Prediction, Section};
use crate::predict::{DEFAULT_PATCH_UM, is_shown};
use crate::session::{Action, PredictTask, Task};
use egui::{Align, Button, DragValue, Label, Layout, RichText, TextEdit, Ui};

/// What is typed here.
#[derive(Debug)]
pub(in crate::ui) struct State {
    /// Names, parted by spaces or commas; the most variable genes where empty.
    genes: String,
    n_genes: usize,
    patch_um: f64,
    n_folds: usize,
    block_mm: f64,
    buffer_mm: f64,
    /// Whether block and buffer are chosen by the program.
    automatic: bool,
    sort: Sort,
    /// The gene whose maps are offered.
    gene: Option<String>,
}

/// What the table is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    Name,
    #[default]
    R,
    Position,
    R2,
}

impl Default for State {
    fn default() -> Self {
        Self {
            genes: String::new(),
            n_genes: 30,
            patch_um: DEFAULT_PATCH_UM,
            n_folds: 5,
            block_mm: 2.0,
            buffer_mm: 0.5,
            automatic: true,
            sort: Sort::default(),
            gene: None,
        }
    }
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Prediction", |_| {});
    let section = desk.session.view.section.and_then(|id| desk.session.study.section(id).map(|s| (id, s.clone())));
    let Some((id, section)) = section else {
        let text = "Learns genes from histology patches and says how much of them the picture really shows. \
                    Open a section with a picture and counts: a Visium folder or an h5ad.";
        ui.add(Label::new(dim(desk.theme, text)).wrap());
        return;
    };
    let why_not = why_not(&section);
    let last = newest(desk, id, |r| matches!(r, AnalysisResult::Prediction(_)));
    let known = last.as_ref().and_then(|(_, a)| match &a.result {
        AnalysisResult::Prediction(p) => Some(p.clone()),
        _ => None,
    });
    settings(ui, desk, known.as_ref());
    let unknown = unknown_genes(&desk.memo.analyze.prediction.genes, &section);
    let why_not = why_not.or(unknown);
    ui.add_space(4.0);
    if run_button(ui, desk, "predict", "Run prediction", why_not.as_deref()) {
        let task = task(&desk.memo.analyze.prediction, id);
        desk.act(Action::Run(Task::Predict(Box::new(task))));
    }
    if let Some(why) = &why_not {
        ui.add(Label::new(dim(desk.theme, why)).wrap());
    }
    ui.add_space(4.0);
    match (last, known) {
        (Some((analysis_id, analysis)), Some(result)) => {
            ui.separator();
            about(ui, desk, analysis_id, &analysis);
            ui.add_space(4.0);
            maps(ui, desk, id, &result);
            table(ui, desk, id, &result);
        }
        _ => {
            let text = "Nothing was predicted on this section yet. Every number will come from blocks of tissue that the model \
                        did not see, beside a model that knows only positions.";
            ui.add(Label::new(dim(desk.theme, text)).wrap());
        }
    }
}

fn why_not(section: &Section) -> Option<String> {
    let missing = match (&section.picture, &section.spots, &section.expression) {
        (None, _, _) => "a histology picture",
        (_, None, _) => "spots with positions",
        (_, _, None) => "gene counts",
        _ if !section.has_unit() => return Some("The size of a pixel is unknown; type µm per pixel in the inspector.".into()),
        _ => return None,
    };
    Some(format!("This section has no {}; prediction needs it.", missing.trim_start_matches("a ")))
}

fn typed(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in text.split([',', ';', ' ', '\n', '\t']).map(str::trim).filter(|w| !w.is_empty()) {
        if !names.iter().any(|n| n == word) {
            names.push(word.to_owned());
        }
    }
    names
}

fn unknown_genes(text: &str, section: &Section) -> Option<String> {
    let expression = section.expression.as_ref()?;
    let unknown: Vec<String> = typed(text).into_iter().filter(|g| expression.find_gene(g).is_none()).collect();
    (!unknown.is_empty()).then(|| format!("Not in this section: {}.", unknown.join(", ")))
}

fn task(state: &State, section: ElementId) -> PredictTask {
    PredictTask {
        section: section.0,
        seed: 0,
        genes: typed(&state.genes),
        n_genes: state.n_genes,
        patch_um: state.patch_um,
        n_folds: state.n_folds,
        block_mm: (!state.automatic).then_some(state.block_mm),
        buffer_mm: (!state.automatic).then_some(state.buffer_mm),
    }
}

fn row(ui: &mut Ui, desk: &Desk<'_>, label: &str, hint: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let size = egui::vec2(92.0, desk.theme.size.control_height);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(size.x);
            ui.label(small(desk.theme, label)).on_hover_text(hint);
        });
        add(ui);
    });
}

fn settings(ui: &mut Ui, desk: &mut Desk<'_>, last: Option<&Prediction>) {
    let mut state = std::mem::take(&mut desk.memo.analyze.prediction);
    row(ui, desk, "Genes", "Names parted by spaces or commas; empty takes the most variable ones", |ui| {
        let field =
            TextEdit::singleline(&mut state.genes).hint_text("most variable, or NPPA MYH7 …").desired_width(f32::INFINITY);
        ui.add(field).accessible_name("Genes to predict");
    });
    ui.add_enabled_ui(state.genes.trim().is_empty(), |ui| {
        row(ui, desk, "How many", "Number of the most variable genes", |ui| {
            ui.add(DragValue::new(&mut state.n_genes).range(1..=500)).accessible_name("Number of genes");
        });
    });
    row(ui, desk, "Patch", "Side of the square of histology around each spot", |ui| {
        ui.add(DragValue::new(&mut state.patch_um).range(20.0..=1000.0).speed(1.0).max_decimals(0).suffix(" µm"))
            .accessible_name("Patch size in micrometers");
        if state.patch_um != DEFAULT_PATCH_UM && ui.small_button("112 µm").on_hover_text("Back to the usual size").clicked() {
            state.patch_um = DEFAULT_PATCH_UM;
        }
    });
    row(ui, desk, "Folds", "Parts of the tissue that are held out in turn", |ui| {
        ui.add(DragValue::new(&mut state.n_folds).range(3..=20)).accessible_name("Number of folds");
    });
    row(ui, desk, "Held out", "Blocks are held out whole; spots within the buffer around them are not learned from", |ui| {
        ui.checkbox(&mut state.automatic, "block and buffer automatic");
    });
    ui.add_enabled_ui(!state.automatic, |ui| {
        row(ui, desk, "Block, buffer", "Side of a block and width of the buffer around it", |ui| {
            let size = |value| DragValue::new(value).range(0.05..=50.0).speed(0.02).max_decimals(2).suffix(" mm");
            ui.add(size(&mut state.block_mm)).accessible_name("Block size in mm");
            ui.add(size(&mut state.buffer_mm)).accessible_name("Buffer width in mm");
        });
    });
    if let Some(last) = last {
        let text = if last.range_mm > 0.0 {
            format!("Expression goes together over {:.2} mm here: a buffer of at least that is safe.", last.range_mm)
        } else {
            "Expression does not go together over a distance here: any buffer is safe.".into()
        };
        ui.add(Label::new(dim(desk.theme, text)).wrap());
        if state.automatic {
            (state.block_mm, state.buffer_mm) = (last.block_mm, last.buffer_mm);
        }
    }
    desk.memo.analyze.prediction = state;
}

/// Buttons that paint the maps of the chosen gene.
fn maps(ui: &mut Ui, desk: &mut Desk<'_>, section: ElementId, result: &Prediction) {
    let best = || {
        let r = |g: &&GeneScore| g.pearson.unwrap_or(f64::NEG_INFINITY);
        result.genes.iter().max_by(|a, b| r(a).total_cmp(&r(b))).map(|g| g.gene.clone())
    };
    let chosen = desk.memo.analyze.prediction.gene.clone().filter(|g| result.genes.iter().any(|s| s.gene == *g)).or_else(best);
    let Some(gene) = chosen else { return };
    let painted = desk.session.derived.spot_values.get(&section).map(|v| v.title.clone()).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&gene).font(super::super::theme::Theme::strong(desk.theme.size.control)));
        let hints = ["Predicted where it was held out", "What was counted", "Observed minus predicted, centered on 0"];
        for ((name, hint), word) in GeneScore::map_names(&gene).into_iter().zip(hints).zip(["Predicted", "Observed", "Residual"])
        {
            let button = Button::selectable(painted == name, small(desk.theme, word));
            if ui.add(button).on_hover_text(hint).clicked() {
                desk.act(Action::Paint { section, name });
            }
        }
    });
}

/// Genes with their held-out scores and baselines; a click paints the predicted map.
fn table(ui: &mut Ui, desk: &mut Desk<'_>, section: ElementId, result: &Prediction) {
    let colors = *desk.colors();
    let widths = [76.0, 52.0, 52.0, 52.0, 52.0];
    let heads = [
        ("Gene", Some(Sort::Name), "Click a gene to paint its predicted map"),
        ("r", Some(Sort::R), "Held-out correlation of the histology model"),
        ("position", Some(Sort::Position), "Held-out correlation of the ten nearest training spots: no histology"),
        ("R²", Some(Sort::R2), "Squared error against the mean map, which has 0; below 0 the mean is better"),
        ("spread", None, "Variance of predicted over observed: below 1 the map is too flat"),
    ];
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for ((text, sort, hint), width) in heads.into_iter().zip(widths) {
            let on = sort == Some(desk.memo.analyze.prediction.sort);
            let text = small(desk.theme, text).color(if on { colors.text } else { colors.dim });
            let button = Button::new(text).frame(false).min_size(egui::vec2(width, 20.0));
            let align = if sort == Some(Sort::Name) {
                Layout::left_to_right(Align::Center)
            } else {
                Layout::right_to_left(Align::Center)
            };
            let clicked = ui
                .allocate_ui_with_layout(egui::vec2(width, 20.0), align, |ui| ui.add(button).on_hover_text(hint).clicked())
                .inner;
            if let (true, Some(sort)) = (clicked, sort) {
                desk.memo.analyze.prediction.sort = sort;
            }
        }
    });
    let painted = desk.session.derived.spot_values.get(&section).map(|v| v.title.clone()).unwrap_or_default();
    for score in sorted(&result.genes, desk.memo.analyze.prediction.sort) {
        let shown = is_shown(score.pearson, score.spatial_only);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let names = GeneScore::map_names(&score.gene);
            let button = Button::selectable(names.contains(&painted), small(desk.theme, &score.gene)).truncate();
            let cell = egui::vec2(widths[0], 20.0);
            let hint = if shown {
                "Predicted better than by position; paint it"
            } else {
                "Not predicted better than by position; paint it"
            };
            if ui.add_sized(cell, button).on_hover_text(hint).clicked() {
                desk.memo.analyze.prediction.gene = Some(score.gene.clone());
                desk.act(Action::Paint { section, name: names[0].clone() });
            }
            let values = [score.pearson, score.spatial_only, score.r2, score.variance_ratio];
            for (k, (value, width)) in values.into_iter().zip(&widths[1..]).enumerate() {
                let text = RichText::new(number(value)).font(egui::FontId::proportional(desk.theme.size.table));
                let text =
                    if k == 0 && shown { text.strong() } else { text.color(if k == 0 { colors.text } else { colors.dim }) };
                ui.allocate_ui_with_layout(egui::vec2(*width, 20.0), Layout::right_to_left(Align::Center), |ui| {
                    ui.set_min_width(*width);
                    ui.add(Label::new(text).selectable(true));
                });
            }
        });
    }
    let constant = result.genes.iter().filter(|g| g.pearson.is_none()).count();
    if constant > 0 {
        let text = format!("{constant} genes do not vary; they have no correlation.");
        ui.add(Label::new(dim(desk.theme, text)).wrap());
    }
    ui.add(Label::new(dim(desk.theme, format!("{} spots, {}", result.n_spots, result.folds))).wrap());
}

/// The genes in the order of a column, the largest first; missing last.
fn sorted(genes: &[GeneScore], by: Sort) -> Vec<&GeneScore> {
    let mut order: Vec<&GeneScore> = genes.iter().collect();
    let key = |g: &GeneScore| {
        let value = match by {
            Sort::Name => None,
            Sort::R => g.pearson,
            Sort::Position => g.spatial_only,
            Sort::R2 => g.r2,
        };
        value.unwrap_or(f64::NEG_INFINITY)
    };
    order.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.gene.cmp(&b.gene)));
    order
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |v| format!("{v:.2}").replace('-', "−").replace("−0.00", "0.00"))
}
