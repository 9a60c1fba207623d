//! Regions of spots: the list, two of them side by side with composition and genes, and files of other programs.

use super::super::desk::{Desk, dim, small, strong, title};
use super::super::icon::{Icon, icon_button};
use super::super::pick::{Answer, Ask, Picker};
use super::super::tree::{field, thousands};
use super::volcano;
use crate::base::Severity;
use crate::model::{ElementId, SpotRegion};
use crate::omics::{Comparison, Share, Unit};
use crate::session::{Action, Against, Command, Compared, Panel, RegionAction, Tool, three_digits};
use egui::{Button, CollapsingHeader, Color32, ComboBox, Label, Rect, ScrollArea, Sense, TextEdit, Ui, pos2, vec2};
use std::path::PathBuf;

/// Height of a row of a table.
const ROW: f32 = 20.0;
/// Width of a column of numbers.
const NUMBER: f32 = 46.0;
/// Genes in the table.
const MOST_GENES: usize = 50;
/// Width of an interval.
const INTERVAL: f32 = 104.0;

/// What is chosen and typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    renaming: Option<(usize, String)>,
    a: Option<usize>,
    /// `None` takes the second region, or all others where there is none.
    b: Option<Against>,
    by: Option<String>,
    /// What was compared last.
    asked: Option<Question>,
    file: String,
    picker: Option<Picker>,
    pub(super) volcano: volcano::State,
}

/// Everything that the answer depends on.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    section: ElementId,
    regions: Vec<SpotRegion>,
    exclusions: Vec<crate::model::Exclusion>,
    a: usize,
    b: Against,
    by: Option<String>,
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - 8.0);
    title(ui, desk.theme, "Regions", |_| {});
    let section = desk.session.view.section.filter(|id| desk.session.study.section(*id).is_some_and(|s| s.spots.is_some()));
    let Some(section) = section else {
        ui.add(Label::new(dim(desk.theme, "Open a section with spots: regions are drawn on it.")).wrap());
        return;
    };
    tools(ui, desk);
    let regions = desk.session.study.regions.clone();
    let here: Vec<usize> = (0..regions.len()).filter(|&i| regions[i].section == section).collect();
    if here.is_empty() {
        let hint = "Drag on the section or the overlay. Shift adds to the chosen region, Alt takes away; spots count by \
                    their centers.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
    }
    for &i in &here {
        row(ui, desk, i, &regions[i]);
    }
    ui.add_space(6.0);
    files(ui, desk, here.is_empty());
    if here.is_empty() {
        return;
    }
    ui.separator();
    let question = choose(ui, desk, section, &here, &regions);
    if desk.memo.analyze.regions.asked.as_ref() != Some(&question) {
        let (a, b, by) = (question.a, question.b, question.by.clone());
        desk.memo.analyze.regions.asked = Some(question);
        desk.act(Action::Region(RegionAction::Compare { a, b, by }));
        return;
    }
    if desk.session.job("compare regions").is_some() {
        ui.label(dim(desk.theme, "Comparing…"));
    } else if let Some(found) = desk.session.compared().filter(|c| c.section == section).cloned() {
        answer(ui, desk, &found);
    }
}

fn tools(ui: &mut Ui, desk: &mut Desk<'_>) {
    let all = [
        (Tool::Lasso, "Lasso", "Drag around spots on the section or the overlay"),
        (Tool::SpotBrush, "Brush", "Drag a disc over spots on the section or the overlay"),
    ];
    ui.horizontal_wrapped(|ui| {
        for (tool, name, about) in all {
            let tip = desk.keys.hint(about, Command::Tool(tool));
            let button = Button::selectable(desk.memo.draw.tool == Some(tool), small(desk.theme, name));
            if ui.add(button).on_hover_text(tip).clicked() {
                desk.run(Command::Tool(tool));
            }
        }
    });
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, i: usize, region: &SpotRegion) {
    ui.horizontal(|ui| {
        swatch(ui, desk, i, region);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if icon_button(ui, Icon::Close, &format!("Remove region {} (can be undone)", region.name)).clicked() {
                desk.act(Action::Region(RegionAction::Remove(i)));
            }
            ui.label(dim(desk.theme, format!("{} spots", thousands(region.spots.len()))));
            let renaming = desk.memo.analyze.regions.renaming.take_if(|(n, _)| *n == i);
            if let Some((n, mut text)) = renaming {
                let edit = TextEdit::singleline(&mut text).desired_width(ui.available_width());
                let edit = ui.add(edit).accessible_name("Name of the region");
                edit.request_focus();
                if ui.input(|i| i.key_pressed(egui::Key::Enter)) || edit.lost_focus() {
                    desk.act(Action::Region(RegionAction::Rename(n, text)));
                } else if !ui.input(|i| i.key_pressed(egui::Key::Escape)) {
                    desk.memo.analyze.regions.renaming = Some((n, text));
                }
                return;
            }
            let chosen = super::super::lasso::chosen(desk) == Some(i);
            let name = Button::selectable(chosen, strong(desk.theme, &region.name)).right_text("");
            let width = ui.available_width();
            let response = ui.add(name.truncate().sense(Sense::click()).min_size(vec2(width, ROW)));
            let response = response.on_hover_text("Click: Shift and Alt are about this one. Double click: rename");
            if response.double_clicked() {
                desk.memo.analyze.regions.renaming = Some((i, region.name.clone()));
            } else if response.clicked() {
                desk.memo.lasso.choose(i);
            }
        });
    });
}

/// The region's color; a click takes the next one.
fn swatch(ui: &mut Ui, desk: &mut Desk<'_>, i: usize, region: &SpotRegion) {
    let (rect, response) = ui.allocate_exact_size(vec2(16.0, 16.0), Sense::click());
    let name = format!("Color of region {}: click for the next", region.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    ui.painter().rect_filled(rect, 3.0, ink(region.rgb));
    if response.on_hover_text(name).clicked() {
        let at = SpotRegion::COLORS.iter().position(|c| *c == region.rgb).map_or(0, |k| k + 1);
        desk.act(Action::Region(RegionAction::Color(i, SpotRegion::COLORS[at % SpotRegion::COLORS.len()])));
    }
}

fn ink([r, g, b]: [u8; 3]) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// Files of areas, as `QuPath` writes and reads them.
fn files(ui: &mut Ui, desk: &mut Desk<'_>, is_empty: bool) {
    let mut state = std::mem::take(&mut desk.memo.analyze.regions);
    if let Some(open) = &state.picker
        && let Answer::Paths(paths) = open.answer()
    {
        state.picker = None;
        if let Some(path) = paths.first() {
            state.file = path.display().to_string();
        }
    }
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let path = state.file.trim().to_owned();
            let import = ui.add_enabled(!path.is_empty(), Button::new("Import"));
            let import = import.on_hover_text("Areas in pixels of the full picture, as QuPath exports them");
            if import.on_disabled_hover_text("Type or browse a GeoJSON file first.").clicked() {
                desk.act(Action::Region(RegionAction::Import(PathBuf::from(path))));
            }
            if ui.add_enabled(state.picker.is_none(), Button::new("Browse…")).clicked() {
                let ctx = ui.ctx().clone();
                state.picker = Some(Picker::open(Ask::Files, move || ctx.request_repaint()));
            }
            let edit = TextEdit::singleline(&mut state.file).hint_text("GeoJSON").desired_width(ui.available_width());
            ui.add(edit).accessible_name("GeoJSON file of regions");
        });
    });
    desk.memo.analyze.regions = state;
    let export = ui.add_enabled(!is_empty, Button::new("Export as GeoJSON…"));
    let export = export.on_hover_text("For QuPath: an octagon about each spot of a region");
    if export.on_disabled_hover_text("Draw a region first.").clicked() {
        desk.memo.analyze.export.choose_regions();
        desk.run(Command::Panel(Panel::Export));
    }
}

/// The pickers of both sides and of the composition.
fn choose(ui: &mut Ui, desk: &mut Desk<'_>, section: ElementId, here: &[usize], regions: &[SpotRegion]) -> Question {
    let state = &desk.memo.analyze.regions;
    let mut a = state.a.filter(|i| here.contains(i)).or_else(|| here.first().copied()).unwrap_or(0);
    let second = here.iter().copied().find(|i| *i != a).map_or(Against::Rest, Against::Region);
    let is_there = |b: &Against| matches!(b, Against::Rest) || matches!(b, Against::Region(i) if here.contains(i) && *i != a);
    let mut b = state.b.filter(is_there).unwrap_or(second);
    let mut by = state.by.clone();
    let name = |b: Against| match b {
        Against::Rest => "all other spots".to_owned(),
        Against::Region(i) => regions.get(i).map_or_else(String::new, |r| r.name.clone()),
    };
    field(ui, desk, "A", |ui| {
        let combo = ComboBox::from_id_salt("region a").selected_text(name(Against::Region(a))).width(140.0);
        let shown = combo.show_ui(ui, |ui| {
            here.iter().for_each(|&i| {
                ui.selectable_value(&mut a, i, &regions[i].name);
            });
        });
        shown.response.accessible_name("Region A");
    });
    field(ui, desk, "B", |ui| {
        let shown = ComboBox::from_id_salt("region b").selected_text(name(b)).width(140.0).show_ui(ui, |ui| {
            for &i in here.iter().filter(|i| **i != a) {
                ui.selectable_value(&mut b, Against::Region(i), &regions[i].name);
            }
            ui.selectable_value(&mut b, Against::Rest, name(Against::Rest));
        });
        shown.response.accessible_name("Region B");
    });
    let compared = desk.session.compared().filter(|c| c.section == section).cloned();
    if let Some(found) = compared.filter(|c| c.columns.len() > 1) {
        let now = found.composition.as_ref().map_or("", |(name, _)| name.as_str());
        field(ui, desk, "Composition by", |ui| {
            let shown = ComboBox::from_id_salt("region by").selected_text(now).width(140.0).show_ui(ui, |ui| {
                for column in &found.columns {
                    ui.selectable_value(&mut by, Some(column.clone()), column);
                }
            });
            shown.response.accessible_name("Column of the composition");
        });
    }
    let state = &mut desk.memo.analyze.regions;
    (state.a, state.by) = (Some(a), by.clone());
    if b != second || state.b.is_some() {
        state.b = Some(b);
    }
    let kept = here.iter().map(|&i| regions[i].clone()).collect();
    let exclusions = desk.session.study.exclusions.clone();
    Question { section, regions: kept, exclusions, a, b, by }
}

fn answer(ui: &mut Ui, desk: &mut Desk<'_>, found: &Compared) {
    if let Some((name, shares)) = &found.composition {
        composition(ui, desk, found, name, shares);
    }
    ui.add_space(6.0);
    match &found.genes {
        Err(why) => {
            ui.add(Label::new(dim(desk.theme, format!("No genes are compared: {why}."))).wrap());
        }
        Ok(comparison) => genes(ui, desk, found, comparison),
    }
}

/// Two bars, A above B, in the same order of categories; the parts are named below.
fn composition(ui: &mut Ui, desk: &Desk<'_>, found: &Compared, name: &str, shares: &[Share]) {
    ui.label(dim(desk.theme, format!("Composition by {name}")));
    for s in 0..2 {
        let text = format!("{} · {} spots", found.names[s], thousands(found.sets[s].len()));
        ui.label(small(desk.theme, text).color(ink(found.rgb[s])));
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 12.0), Sense::hover());
        let mut left = rect.left();
        for (k, share) in shares.iter().enumerate() {
            let right = left + rect.width() * share.share[s] as f32;
            let part = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
            ui.painter().rect_filled(part, 0.0, part_color(k));
            left = right;
        }
        response.on_hover_text("Shares of the categories below, in their order");
    }
    for (k, share) in shares.iter().enumerate() {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, part_color(k));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                for s in [1, 0] {
                    let text = format!("{:.0} % ({})", 100.0 * share.share[s], share.n[s]);
                    ui.add_sized([84.0, 16.0], Label::new(small(desk.theme, text)).halign(egui::Align::Max));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(Label::new(small(desk.theme, &share.name)).truncate());
                });
            });
        });
    }
}

/// Colors of parts, told apart by order too: the palette, then the same darker.
fn part_color(k: usize) -> Color32 {
    let n = SpotRegion::COLORS.len();
    ink(SpotRegion::COLORS[k % n]).gamma_multiply(if (k / n).is_multiple_of(2) { 1.0 } else { 0.55 })
}

fn genes(ui: &mut Ui, desk: &mut Desk<'_>, found: &Compared, comparison: &Comparison) {
    let unit = match comparison.unit {
        Unit::Spots => "spots".to_owned(),
        Unit::PairedPatients(n) => format!("{n} patients with both"),
        Unit::Patients([a, b]) => format!("{a} and {b} patients"),
    };
    let [a, b] = &found.names;
    ui.add(Label::new(small(desk.theme, format!("Genes of {a} against {b}; counted as one: {unit}"))).wrap());
    for finding in &comparison.findings {
        let warns = finding.severity != Severity::Note;
        let color = if warns { desk.colors().warning } else { desk.colors().dim };
        ui.add(Label::new(small(desk.theme, format!("{}; {}.", finding.what, finding.remedy)).color(color)).wrap());
    }
    let head = small(desk.theme, "Volcano");
    CollapsingHeader::new(head).default_open(true).show(ui, |ui| volcano::show(ui, desk, found, comparison));
    let shown = comparison.genes.len().min(MOST_GENES);
    let about = format!(
        "{} of {} genes, largest effect first. log2 of the ratio of 1 + normalized counts with its 95 % interval; effect is \
         Hedges' g. Each interval stands alone: the first of many genes look larger than they are. {:.0} ms.",
        shown,
        thousands(comparison.n_genes),
        found.ms
    );
    ui.add(Label::new(dim(desk.theme, about)).wrap());
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "gene"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.add_space(10.0);
            for (head, width) in [("interval", INTERVAL), ("log2", NUMBER), ("effect", NUMBER)] {
                ui.add_sized([width, 16.0], Label::new(dim(desk.theme, head)).halign(egui::Align::Max));
            }
        });
    });
    let area = ScrollArea::vertical().id_salt("region genes").auto_shrink([false, true]);
    area.max_height(ROW * 14.0).min_scrolled_height(ROW * 14.0).show_rows(ui, ROW, shown, |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for at in range {
            let (gene, name) = (&comparison.genes[at], &found.gene_names[at]);
            let numbers = [
                (format!("{} to {}", three_digits(gene.low), three_digits(gene.high)), INTERVAL),
                (three_digits(gene.log2fc), NUMBER),
                (three_digits(gene.effect), NUMBER),
            ];
            gene_row(ui, desk, found.section, name, numbers);
        }
    });
}

fn gene_row(ui: &mut Ui, desk: &mut Desk<'_>, section: ElementId, name: &str, numbers: [(String, f32); 3]) {
    ui.horizontal(|ui| {
        ui.set_min_height(ROW);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.add_space(10.0);
            for (text, width) in numbers {
                ui.add_sized([width, ROW], Label::new(small(desk.theme, text)).halign(egui::Align::Max));
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let button = Button::selectable(false, small(desk.theme, name)).truncate();
                if ui.add(button).on_hover_text(format!("Paint {name}")).clicked() {
                    desk.act(Action::Paint { section, name: name.to_owned() });
                }
            });
        });
    });
}
