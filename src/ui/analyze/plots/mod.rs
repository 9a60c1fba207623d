//! Plots of spots by category: violins of what is painted, dots of several genes, the map. A category that is pointed at
//! or clicked lights up in all of them and on the section.

mod axis;
mod dots;
mod violins;

pub(super) use axis::{Axis, ticks};

use super::super::desk::{Desk, dim, small, title};
use super::super::tree::{field, thousands};
use super::genes::map_of;
use crate::model::{AnalysisResult, ElementId};
use crate::scene::SpotGroups;
use crate::session::{Action, Command, Panel, ViewAction};
use crate::space::DVec2;
use egui::{Button, CollapsingHeader, Color32, ComboBox, Label, Ui};
use std::sync::Arc;

/// Strength of what does not light up while something does.
const UNLIT: f32 = 0.3;

/// What is chosen and typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    violins: violins::State,
    dots: dots::State,
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - 8.0);
    title(ui, desk.theme, "Spots by category", |_| {});
    let section = desk.session.view.section.filter(|id| desk.session.study.section(*id).is_some_and(|s| s.spots.is_some()));
    let Some(section) = section else {
        let hint = "Open a section with spots (File, Open): its genes are shown by cluster, region or segment here.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    };
    let Some(groups) = desk.session.derived.groups.clone().filter(|g| g.section == section) else {
        nothing(ui, desk);
        return;
    };
    choose(ui, desk, &groups);
    let head = |desk: &Desk<'_>, text: &str| small(desk.theme, text.to_owned());
    CollapsingHeader::new(head(desk, "Violins")).default_open(true).show(ui, |ui| violins::show(ui, desk, section, &groups));
    CollapsingHeader::new(head(desk, "Dots: genes × categories")).default_open(true).show(ui, |ui| {
        dots::show(ui, desk, section, &groups);
    });
    CollapsingHeader::new(head(desk, "Map of spots")).default_open(true).show(ui, |ui| map(ui, desk, section));
}

/// What to do where spots have no categories.
fn nothing(ui: &mut Ui, desk: &mut Desk<'_>) {
    let hint = "The spots of this section have no categories yet. Find clusters, mark regions, or register the section to \
                the heart: its segments are categories too.";
    ui.add(Label::new(dim(desk.theme, hint)).wrap());
    ui.horizontal_wrapped(|ui| {
        for (text, panel) in [("Find clusters…", Panel::Genes), ("Mark regions…", Panel::Regions)] {
            if ui.add(Button::new(text)).clicked() {
                desk.run(Command::Panel(panel));
            }
        }
    });
}

fn choose(ui: &mut Ui, desk: &mut Desk<'_>, groups: &SpotGroups) {
    let mut chosen = None;
    field(ui, desk, "Categories", |ui| {
        let name = groups.by.title();
        let shown = ComboBox::from_id_salt("group by").selected_text(name).width(168.0).truncate().show_ui(ui, |ui| {
            for by in desk.session.group_choices() {
                if ui.selectable_label(by == groups.by, by.title()).clicked() {
                    chosen = Some(by);
                }
            }
        });
        shown.response.accessible_name(format!("Categories of spots: {name}")).on_hover_text("What the spots are grouped by");
    });
    if let Some(by) = chosen {
        desk.act(Action::GroupBy(by));
    }
    let text = match desk.session.view.selected_group.and_then(|c| Some((c, groups.names.get(c as usize)?))) {
        None => "Point at a category: it lights up everywhere. A click keeps it lit.".to_owned(),
        Some((code, name)) => {
            let n = groups.sizes.get(code as usize).copied().unwrap_or(0);
            format!("{name} is lit: {} spots. Esc or another click lets it go.", thousands(n))
        }
    };
    ui.add(Label::new(dim(desk.theme, text)).wrap());
}

/// The newest map, with the same category lit.
fn map(ui: &mut Ui, desk: &mut Desk<'_>, section: ElementId) {
    match super::newest(desk, section, |r| matches!(r, AnalysisResult::Map(_))) {
        Some((_, analysis)) => {
            if let AnalysisResult::Map(found) = &analysis.result {
                map_of(ui, desk, section, found);
            }
        }
        None => {
            ui.add(Label::new(dim(desk.theme, "No map yet: Genes, Map of spots (UMAP) arranges the spots.")).wrap());
        }
    }
}

/// A category that is pointed at lights up; a click selects it or lets it go.
pub(super) fn answer(desk: &mut Desk<'_>, code: u32, hovered: bool, clicked: bool) {
    if hovered {
        desk.memo.hovered_group = Some(code);
    }
    if clicked {
        let again = desk.session.view.selected_group == Some(code);
        desk.view(ViewAction::SelectGroup((!again).then_some(code)));
    }
}

/// A click on the section while plots are shown: the category of the spot there stays lit, or is let go.
pub(in crate::ui) fn click_spot(desk: &mut Desk<'_>, mm: DVec2) {
    if !matches!(desk.memo.analyze.panel, Panel::Plots | Panel::Genes) {
        return;
    }
    let Some(groups) = desk.session.derived.groups.clone() else { return };
    match desk.session.spot_at(groups.section, mm).and_then(|spot| groups.of(spot)) {
        Some(code) => answer(desk, code, false, true),
        None if desk.session.view.selected_group.is_some() => desk.view(ViewAction::SelectGroup(None)),
        None => {}
    }
}

/// Lights what is pointed at in this frame, or nothing.
pub(in crate::ui) fn settle(desk: &mut Desk<'_>) {
    let hovered = desk.memo.hovered_group.take();
    if hovered != desk.session.view.lit_group {
        desk.view(ViewAction::LightGroup(hovered));
    }
}

/// The color of a category, weak where another one is lit.
fn ink(groups: &SpotGroups, code: usize, lit: Option<u32>) -> Color32 {
    let [r, g, b] = groups.rgb.get(code).copied().unwrap_or([128; 3]);
    let color = Color32::from_rgb(r, g, b);
    if lit.is_none_or(|l| l as usize == code) { color } else { color.gamma_multiply(UNLIT) }
}

/// Whether both are the same object.
fn same<T>(a: &Arc<T>, b: &Arc<T>) -> bool {
    Arc::ptr_eq(a, b)
}
