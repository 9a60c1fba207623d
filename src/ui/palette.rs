//! `Ctrl+K`: everything by name. Commands, genes, observation columns, open data, layers, panes, landmarks and paths
//! opened lately are searched together.

use super::desk::{Desk, dim};
use super::keys;
use super::menu::{text, why_not};
use crate::model::{ElementId, Layer, LayerKind};
use crate::scene::PaneKind;
use crate::session::{Action, COMMANDS, Command, Spec, ViewAction};
use egui::{Key, Modal, ScrollArea, TextEdit, Ui};
use std::path::PathBuf;

/// State of the palette.
#[derive(Debug, Default)]
pub(super) struct Palette {
    pub(super) open: bool,
    query: String,
    chosen: usize,
}

impl Palette {
    /// Opens it empty.
    pub(super) fn show(&mut self) {
        *self = Self { open: true, ..Self::default() };
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Goal {
    Command(&'static Spec),
    Gene(ElementId, String),
    Element(ElementId),
    /// Shows or hides it.
    Layer(usize),
    /// Maximizes it.
    Pane(PaneKind),
    Pair(usize),
    Recent(PathBuf),
}

struct Hit {
    goal: Goal,
    name: String,
    kind: &'static str,
    key: String,
    why_not: Option<String>,
}

/// How well `query` is found in `text` as a subsequence; `None` where it is not. Beginnings of words and
/// runs of letters count most, short texts before long ones.
pub(super) fn score(query: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let (mut at, mut total, mut last) = (0, 0, None);
    for c in query.chars().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()) {
        let found = (at..text.len()).find(|&i| text[i] == c)?;
        let starts_word = found == 0 || !text[found - 1].is_alphanumeric();
        total += 1 + if starts_word { 6 } else { 0 } + if found > 0 && last == Some(found - 1) { 4 } else { 0 };
        (last, at) = (Some(found), found + 1);
    }
    Some(total * 8 - text.len() as i32)
}

/// The palette, where it is open.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    if !desk.memo.palette.open {
        return;
    }
    let hits = hits(desk);
    let chosen = desk.memo.palette.chosen.min(hits.len().saturating_sub(1));
    let (down, up, enter) = ui.input_mut(|i| {
        let mut key = |k| i.consume_key(egui::Modifiers::NONE, k);
        (key(Key::ArrowDown), key(Key::ArrowUp), key(Key::Enter))
    });
    let moved = (chosen + usize::from(down)).saturating_sub(usize::from(up));
    desk.memo.palette.chosen = moved.min(hits.len().saturating_sub(1));
    let mut goal = None;
    let area = Modal::default_area(egui::Id::unique("palette")).anchor(egui::Align2::CENTER_TOP, egui::vec2(0.0, 64.0));
    let modal = Modal::new(egui::Id::unique("palette")).area(area).show(ui.ctx(), |ui| {
        let room = ui.ctx().content_rect();
        ui.set_width(520.0f32.min(room.width() - 48.0));
        let field = TextEdit::singleline(&mut desk.memo.palette.query)
            .hint_text("A command, gene, layer, pane, landmark, file or name")
            .desired_width(f32::INFINITY);
        let field = ui.add(field).accessible_name("Search in everything");
        field.request_focus();
        if field.changed() {
            desk.memo.palette.chosen = 0;
        }
        ui.add_space(4.0);
        if hits.is_empty() {
            ui.label(dim(desk.theme, "Nothing has such a name. Genes are found once a section with expression is open."));
        }
        ScrollArea::vertical().max_height((room.height() - 150.0).clamp(96.0, 360.0)).auto_shrink([false, true]).show(ui, |ui| {
            for (i, hit) in hits.iter().enumerate() {
                if row(ui, desk, hit, i == desk.memo.palette.chosen, up || down) {
                    goal = Some(i);
                }
            }
        });
    });
    if enter {
        goal = Some(desk.memo.palette.chosen);
    }
    let picked = goal.and_then(|i| hits.get(i)).filter(|h| h.why_not.is_none());
    if let Some(hit) = picked {
        run(desk, &hit.goal);
    }
    if picked.is_some() || modal.should_close() {
        desk.memo.palette.open = false;
        keys::leave_text(ui.ctx());
    }
}

fn row(ui: &mut Ui, desk: &Desk<'_>, hit: &Hit, chosen: bool, follow: bool) -> bool {
    let enabled = hit.why_not.is_none();
    let right = if hit.key.is_empty() { hit.kind.to_owned() } else { format!("{}   {}", hit.kind, hit.key) };
    let button = egui::Button::selectable(chosen, hit.name.clone())
        .right_text(dim(desk.theme, right))
        .min_size(egui::vec2(ui.available_width(), desk.theme.size.control_height));
    let response = ui.add_enabled(enabled, button);
    if chosen && follow {
        response.scroll_to_me(None);
    }
    let why = hit.why_not.clone().unwrap_or_default();
    response.on_disabled_hover_text(why).clicked()
}

fn hits(desk: &Desk<'_>) -> Vec<Hit> {
    let query = desk.memo.palette.query.trim();
    let session = desk.session;
    let mut found: Vec<(i32, Hit)> = Vec::new();
    for spec in COMMANDS {
        let name = text(spec, session);
        if let Some(points) = score(query, &format!("{} {}", spec.text, spec.menu)) {
            let why_not = why_not(spec.command, session);
            let hit = Hit { goal: Goal::Command(spec), name, kind: spec.menu, key: desk.keys.shown(spec.command), why_not };
            found.push((points, hit));
        }
    }
    let things = elements(desk).into_iter().chain(layers(desk)).chain(panes(desk)).chain(pairs(desk)).chain(recent(desk));
    let scored = |(goal, name, kind): Thing| {
        score(query, &name).map(|points| (points, Hit { goal, name, kind, key: String::new(), why_not: None }))
    };
    found.extend(things.filter_map(scored));
    if !query.is_empty() {
        found.extend(gene_hits(desk, query));
        found.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    }
    found.truncate(60);
    found.into_iter().map(|(_, h)| h).collect()
}

type Thing = (Goal, String, &'static str);

fn elements(desk: &Desk<'_>) -> Vec<Thing> {
    let elements = desk.session.study.elements.iter();
    elements.map(|(&id, e)| (Goal::Element(id), e.name().to_owned(), "open data")).collect()
}

fn layers(desk: &Desk<'_>) -> Vec<Thing> {
    let study = &desk.session.study;
    let thing = |(i, layer): (usize, &Layer)| {
        let name = study.elements.get(&layer.element).map_or("?", |e| e.name());
        let verb = if layer.visible { "Hide" } else { "Show" };
        (Goal::Layer(i), format!("{verb} {} of {name}", super::layers::kind_name(layer)), "layer")
    };
    study.layers.iter().enumerate().map(thing).collect()
}

fn panes(desk: &Desk<'_>) -> Vec<Thing> {
    let thing = |kind: PaneKind| {
        let verb = if desk.memo.maximized == Some(kind) { "Restore" } else { "Maximize" };
        (Goal::Pane(kind), format!("{verb} {}", kind.title().to_lowercase()), "pane")
    };
    PaneKind::ALL.into_iter().map(thing).collect()
}

fn pairs(desk: &Desk<'_>) -> Vec<Thing> {
    let pairs = desk.session.registration().map(|r| r.landmarks.pairs.as_slice()).unwrap_or_default();
    pairs.iter().enumerate().map(|(i, pair)| (Goal::Pair(i), format!("Go to {}", pair.name), "landmark")).collect()
}

fn recent(desk: &Desk<'_>) -> Vec<Thing> {
    let name = |p: &PathBuf| p.file_name().map_or_else(|| p.display().to_string(), |n| n.to_string_lossy().into_owned());
    desk.recent.iter().map(|p| (Goal::Recent(p.clone()), format!("Open {}", name(p)), "opened lately")).collect()
}

/// Selects a pair and shows its place in the heart.
pub(super) fn go_to_pair(desk: &mut Desk<'_>, i: usize) {
    desk.view(ViewAction::SelectPair(Some(i)));
    let fixed = desk.session.registration().and_then(|r| r.landmarks.pairs.get(i)).and_then(|l| l.fixed);
    if let Some(lps) = fixed {
        desk.view(ViewAction::GoTo(lps));
    }
}

fn gene_hits(desk: &Desk<'_>, query: &str) -> Vec<(i32, Hit)> {
    let section = desk.session.view.section.and_then(|id| Some((id, desk.session.study.section(id)?)));
    let Some((id, Some(expression))) = section.map(|(id, s)| (id, &s.expression)) else { return Vec::new() };
    let names = expression.genes().iter().map(|g| (g, "gene")).chain(expression.columns.keys().map(|c| (c, "column")));
    let hit = |(name, kind): (&String, &'static str)| {
        let points = score(query, name)?;
        let goal = Goal::Gene(id, name.clone());
        Some((points, Hit { goal, name: format!("Color spots by {name}"), kind, key: String::new(), why_not: None }))
    };
    let mut all: Vec<(i32, Hit)> = names.filter_map(hit).collect();
    all.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    all.truncate(30);
    all
}

fn run(desk: &mut Desk<'_>, goal: &Goal) {
    match goal {
        Goal::Command(spec) => desk.run(spec.command),
        Goal::Gene(id, name) => color_by(desk, *id, name),
        Goal::Element(id) => show_element(desk, *id),
        Goal::Layer(index) => {
            if let Some(layer) = desk.session.study.layers.get(*index).cloned() {
                desk.memo.selected_layer = Some(*index);
                desk.act(Action::SetLayer { index: *index, layer: Layer { visible: !layer.visible, ..layer } });
            }
        }
        Goal::Pane(kind) => desk.memo.maximized = Some(*kind).filter(|k| desk.memo.maximized != Some(*k)),
        Goal::Pair(i) => go_to_pair(desk, *i),
        Goal::Recent(path) => desk.act(Action::Open(vec![path.clone()])),
    }
}

/// Shows an element in its panes and selects its first layer.
pub(super) fn show_element(desk: &mut Desk<'_>, id: ElementId) {
    if desk.session.study.volume(id).is_some() {
        desk.view(ViewAction::Heart(id));
    }
    if desk.session.study.section(id).is_some() {
        desk.view(ViewAction::Section(id));
    }
    if desk.session.study.cohort(id).is_some() {
        desk.view(ViewAction::Cohort(id));
    }
    if let Some(index) = desk.session.study.layers.iter().position(|l| l.element == id) {
        desk.memo.selected_layer = Some(index);
    }
}

/// Colors the spots of a section by a gene or column.
pub(super) fn color_by(desk: &mut Desk<'_>, id: ElementId, name: &str) {
    let layers = &desk.session.study.layers;
    let found = layers.iter().enumerate().find(|(_, l)| l.element == id && matches!(l.kind, LayerKind::Spots { .. }));
    let Some((index, layer)) = found else { return };
    let mut layer = layer.clone();
    if let LayerKind::Spots { color_by, range, .. } = &mut layer.kind {
        *color_by = Some(name.to_owned());
        *range = None;
    }
    layer.visible = true;
    desk.memo.selected_layer = Some(index);
    desk.act(Action::SetLayer { index, layer });
}

/// Names in the palette for an empty query; for tests.
#[must_use]
pub fn palette_names() -> Vec<(Command, String)> {
    COMMANDS.iter().filter(|s| score("", s.text).is_some()).map(|s| (s.command, s.text.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_count_most() {
        assert!(score("ov bl", "Overlay: blend") > score("ov bl", "Move labels below"));
        assert!(score("np", "NPPA") > score("np", "ENPP1"));
        assert_eq!(score("xyz", "Overlay"), None);
    }
}
