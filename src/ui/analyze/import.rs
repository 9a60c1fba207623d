//! The folder detective: one entry per image and segmentation with what was found, what was assumed, what is missing or
//! repeated, and corrections where the files are wrong. The files are never touched; every correction can be undone.

use super::super::desk::{Desk, dim, small, title};
use super::super::tree::field;
use crate::base::{Note, Severity};
use crate::model::{Element, ElementId, Mend, Provenance, Volume};
use crate::scene::phase_at;
use crate::session::{Action, three_digits};
use egui::{CollapsingHeader, DragValue, Label, Ui};
use std::sync::Arc;

/// Most notes listed of one path.
const MOST_NOTES: usize = 12;

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    of: Option<ElementId>,
    spacing_mm: f64,
    n_phases: usize,
    by_slice: bool,
    beat_ms: f64,
}

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - 8.0);
    title(ui, desk.theme, "What was imported", |_| {});
    let study = &desk.session.study;
    let items: Vec<(ElementId, Element)> = study.elements.iter().map(|(id, e)| (*id, e.clone())).collect();
    if items.is_empty() {
        let hint = "Open a folder (Ctrl+Shift+O), a zip or a file: each stack gets a line here with what sorted it, what is \
                    missing, repeated or shifted, and buttons to say otherwise.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    }
    for (id, element) in items {
        let provenance = desk.session.study.provenance.get(&id).cloned().unwrap_or_default();
        entry(ui, desk, id, &element, &provenance);
    }
}

/// One stack.
fn entry(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, element: &Element, provenance: &Provenance) {
    let colors = *desk.colors();
    let notes = about(provenance, desk, id);
    let worst = notes.iter().map(|n| n.severity).max();
    let (mark, color) = match worst {
        Some(Severity::Error) => (" · error", colors.error),
        Some(Severity::Warning) => (" · look at this", colors.warning),
        _ if !provenance.mends.is_empty() => (" · corrected", colors.accent),
        _ => ("", colors.text),
    };
    let head = small(desk.theme, format!("{}{mark}", element.name())).color(color);
    let open = worst.is_some_and(|w| w >= Severity::Warning) || desk.session.view.heart == Some(id);
    CollapsingHeader::new(head).id_salt(("import", id.0)).default_open(open).show(ui, |ui| {
        found(ui, desk, element, provenance);
        for note in notes.iter().take(MOST_NOTES) {
            let color = match note.severity {
                Severity::Note => colors.dim,
                Severity::Warning => colors.warning,
                Severity::Error => colors.error,
            };
            ui.add(Label::new(small(desk.theme, &note.message).color(color)).wrap()).on_hover_text(note.code);
        }
        if notes.len() > MOST_NOTES {
            ui.label(dim(desk.theme, format!("and {} more (Window, Problems)", notes.len() - MOST_NOTES)));
        }
        for mend in &provenance.mends {
            ui.add(Label::new(small(desk.theme, format!("Corrected: {}", mend.sentence())).color(colors.accent)).wrap());
        }
        if let Element::Volume(volume) = element {
            corrections(ui, desk, id, volume, provenance);
        }
    });
}

/// What was found and what sorted it.
fn found(ui: &mut Ui, desk: &Desk<'_>, element: &Element, provenance: &Provenance) {
    let text = match (&provenance.summary, provenance.demo_seed) {
        (text, None) if !text.is_empty() => text.clone(),
        (_, Some(seed)) => format!("Built-in case, seed {seed}"),
        _ => String::new(),
    };
    ui.add(Label::new(dim(desk.theme, text)).wrap());
    let Element::Volume(v) = element else { return };
    let ([_, _, nz], s) = (v.grid.size(), v.grid.spacing_mm());
    let unit = if v.length_unit_known { "mm" } else { "(unit unknown)" };
    ui.label(dim(desk.theme, format!("{nz} slices, {} {unit} apart · {} phases", three_digits(s.z), v.n_phases())));
    if v.phase_times_ms.len() == v.n_phases() && v.n_phases() > 1 {
        let rr = crate::session::rr_ms(v);
        ui.label(dim(desk.theme, format!("beat of {rr:.0} ms ({:.0} per minute)", 60_000.0 / rr)));
    } else if v.n_phases() > 1 {
        ui.label(dim(desk.theme, "no times: phases are taken as evenly spaced"));
    }
    if !v.missing.is_empty() {
        let list: Vec<String> = v.missing.iter().take(6).map(|(k, p)| format!("slice {} phase {}", k + 1, p + 1)).collect();
        let more = v.missing.len().saturating_sub(6);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let text = format!("Missing: {}{more}", list.join(", "));
        ui.add(Label::new(small(desk.theme, text).color(desk.colors().warning)).wrap());
    }
}

/// The notes of the path that are about this element: those that name it, and those that name nothing of it.
fn about(provenance: &Provenance, desk: &Desk<'_>, id: ElementId) -> Vec<Note> {
    let study = &desk.session.study;
    let name = |id: &ElementId| study.elements.get(id).map(|e| e.name().to_owned());
    let own = name(&id).unwrap_or_default();
    let others: Vec<String> = study
        .provenance
        .iter()
        .filter(|(other, p)| **other != id && p.path == provenance.path)
        .filter_map(|(other, _)| name(other))
        .filter(|n| *n != own)
        .collect();
    let names_other = |n: &&Note| !n.message.contains(&own) && others.iter().any(|o| n.message.contains(o.as_str()));
    provenance.notes.iter().filter(|n| !names_other(n)).cloned().collect()
}

/// Buttons to say otherwise.
fn corrections(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, volume: &Arc<Volume>, provenance: &Provenance) {
    let [_, _, nz] = volume.grid.size();
    let n = volume.n_phases();
    CollapsingHeader::new(dim(desk.theme, "Say otherwise")).id_salt(("mend", id.0)).show(ui, |ui| {
        let mut state = std::mem::take(&mut desk.memo.analyze.import);
        if state.of != Some(id) {
            let (spacing_mm, beat_ms) = (volume.grid.spacing_mm().z, crate::session::rr_ms(volume));
            state = State { of: Some(id), spacing_mm, n_phases: n, by_slice: false, beat_ms };
        }
        let mut mend = None;
        field(ui, desk, "Slice distance", |ui| {
            if ui.button("Set").on_hover_text("The first slice stays where it is").clicked() {
                mend = Some(Mend::SliceSpacing(state.spacing_mm));
            }
            let drag = DragValue::new(&mut state.spacing_mm).range(0.01..=200.0).speed(0.05).max_decimals(3).suffix(" mm");
            ui.add(drag).accessible_name("Distance of slices in mm");
        });
        if n > 1 {
            field(ui, desk, "Beat", |ui| {
                if ui.button("Set").on_hover_text("Phases are evenly spaced in it").clicked() {
                    mend = Some(Mend::BeatMs(state.beat_ms));
                }
                let drag = DragValue::new(&mut state.beat_ms).range(100.0..=5000.0).speed(1.0).max_decimals(0).suffix(" ms");
                ui.add(drag).accessible_name("Length of the beat in ms");
            });
        }
        field(ui, desk, "Phases", |ui| {
            let fits = state.n_phases > 0 && (nz * n).is_multiple_of(state.n_phases);
            let text = format!("{} pictures cannot be divided so.", nz * n);
            let set = ui.add_enabled(fits && (state.n_phases != n || state.by_slice), egui::Button::new("Divide"));
            if set.on_hover_text("Slices and phases were mixed up").on_disabled_hover_text(text).clicked() {
                mend = Some(Mend::Phases { n: state.n_phases, by_slice: state.by_slice });
            }
            ui.checkbox(&mut state.by_slice, "by slice").on_hover_text("The phases of a slice lie together");
            ui.add(DragValue::new(&mut state.n_phases).range(1..=nz * n)).accessible_name("Number of phases");
        });
        buttons(ui, desk, (volume, provenance), &mut mend);
        if let Some(mend) = mend {
            desk.act(Action::Mend { image: id, mend });
            state.of = None;
        }
        if !provenance.mends.is_empty() && ui.button("As the files say").on_hover_text("Takes all corrections back").clicked() {
            desk.act(Action::Unmend(id));
            state.of = None;
        }
        desk.memo.analyze.import = state;
    });
}

fn buttons(ui: &mut Ui, desk: &Desk<'_>, (volume, _): (&Volume, &Provenance), mend: &mut Option<Mend>) {
    let [_, _, nz] = volume.grid.size();
    let n = volume.n_phases();
    let phase = phase_at(volume, desk.session.view.cardiac_phase);
    ui.horizontal_wrapped(|ui| {
        let mut offer = |ui: &mut Ui, on: bool, text: String, hint: &str, what: Mend| {
            if on && ui.small_button(text).on_hover_text(hint).clicked() {
                *mend = Some(what);
            }
        };
        offer(ui, nz > 1, "Turn slices".into(), "Base and apex are exchanged", Mend::TurnSlices);
        offer(ui, nz > 1, "Drop first slice".into(), "A repeated or empty slice at the end", Mend::DropSlice(0));
        offer(ui, nz > 1, "Drop last slice".into(), "A repeated or empty slice at the end", Mend::DropSlice(nz.max(1) - 1));
        offer(ui, n > 1, "Turn phases".into(), "The beat runs backward", Mend::TurnPhases);
        let begin = format!("Begin at phase {}", phase + 1);
        offer(ui, n > 1 && phase > 0, begin, "The phase shown is the first of the beat", Mend::FirstPhase(phase));
        let drop = format!("Drop phase {}", phase + 1);
        offer(ui, n > 1, drop, "The phase shown is a repeat or broken", Mend::DropPhase(phase));
    });
}
