//! The status line: where the cursor is in every space, what lies there, how sure the chain is. A click
//! copies.

use super::desk::{Desk, dim, mm, small};
use crate::session::{Readout, three_digits};
use egui::{Button, RichText, Sense, Ui};

/// The readout in one line, for copying.
pub(super) fn summary(readout: &Readout) -> String {
    let mut parts: Vec<String> = readout.positions.iter().map(|(space, at)| format!("{space} {at}")).collect();
    if let Some((n, name)) = &readout.segment {
        parts.push(format!("segment {n} {name}"));
    }
    parts.extend(readout.values.iter().map(|(layer, value)| format!("{layer} {value}")));
    if let Some(sd) = readout.chain_sd_mm {
        parts.push(format!("chain ±{}", mm(sd)));
    }
    parts.join(" · ")
}

/// The positions in every space and the segment.
pub(super) fn positions(ui: &mut Ui, desk: &mut Desk<'_>) {
    let readout = desk.readout.clone();
    if readout.positions.is_empty() {
        ui.label(dim(desk.theme, "Move the pointer over an image: its place in every space appears here."));
        return;
    }
    for (i, (space, at)) in readout.positions.iter().enumerate() {
        if i > 0 {
            ui.label(dim(desk.theme, "→"));
        }
        part(ui, desk, space, at);
    }
    if let Some((n, name)) = &readout.segment {
        ui.label(dim(desk.theme, "→"));
        part(ui, desk, &format!("segment {n}"), name);
    }
}

/// The values of visible layers and the chain's error.
pub(super) fn values(ui: &mut Ui, desk: &mut Desk<'_>) {
    let readout = desk.readout.clone();
    if let Some(sd) = readout.chain_sd_mm {
        part(ui, desk, "chain", &format!("±{}", mm(sd)));
    }
    for (layer, value) in &readout.values {
        part(ui, desk, layer, value);
    }
}

/// A name and a value; a click copies the value.
fn part(ui: &mut Ui, desk: &mut Desk<'_>, name: &str, value: &str) {
    ui.spacing_mut().item_spacing.x = 4.0;
    let label = |text: RichText| egui::Label::new(text).selectable(false).sense(Sense::click());
    let first = ui.add(label(dim(desk.theme, name)));
    let second = ui.add(label(small(desk.theme, value)));
    let response = first.union(second).on_hover_text("Click to copy");
    if response.clicked() {
        desk.memo.copy(ui.ctx(), &format!("{name} {value}"));
    }
    ui.add_space(8.0);
}

/// The chain of transforms as chips, each with its error.
pub(super) fn chain(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(id) = desk.session.view.section else { return };
    let Some(section) = desk.session.study.section(id).cloned() else { return };
    let colors = *desk.colors();
    let quality = desk.session.registration().and_then(|r| r.fit.as_ref()).map(|f| f.quality.clone());
    let known = section.has_unit();
    let scale = format!("{} µm per pixel", three_digits(section.mm_per_px() * 1000.0));
    let error = quality.as_ref().map(|q| q.leave_one_out_median_mm.unwrap_or(q.rms_mm));
    let link = error.map_or_else(|| "not linked".to_owned(), |e| format!("±{}", mm(e)));
    let plane =
        desk.session.registration().map_or_else(|| "no plane yet".to_owned(), |r| format!("plane, ±{}", mm(r.half_slice_mm)));
    let segments = !desk.session.derived.segments.is_empty();
    let chips = [
        ("pixel", if known { scale.clone() } else { "size unknown".into() }, known, "Full-resolution pixels to micrometers"),
        ("µm", String::new(), known, "Micrometers to section millimeters"),
        ("section", link, error.is_some(), "Section to the plane it was cut in, by landmarks"),
        ("heart", plane, desk.session.registration().is_some(), "The plane in the patient; half a slice thick to each side"),
        ("segment", if segments { String::new() } else { "no labels".into() }, segments, "The 17 segments of the left ventricle"),
    ];
    ui.spacing_mut().item_spacing.x = 3.0;
    for (i, (name, note, fine, hint)) in chips.iter().enumerate() {
        if i > 0 {
            ui.label(dim(desk.theme, "›"));
        }
        let ink = if *fine { colors.text } else { colors.warning };
        let short = if note.is_empty() || note.contains("per pixel") || note.starts_with("plane") {
            (*name).to_owned()
        } else {
            format!("{name} {note}")
        };
        let text = RichText::new(short).font(egui::FontId::proportional(desk.theme.size.overlay)).color(ink);
        let chip = ui.add(Button::new(text).small().corner_radius(9).fill(colors.raised));
        let chip = chip.on_hover_text(format!("{hint}\n{note}"));
        if chip.clicked() {
            follow(desk, name);
        }
    }
}

/// What a chip opens.
fn follow(desk: &mut Desk<'_>, name: &str) {
    let layers = &desk.session.study.layers;
    let shown = desk.session.view.section;
    match name {
        "pixel" | "µm" => {
            let at = layers.iter().position(|l| Some(l.element) == shown);
            desk.memo.selected_layer = at.or(desk.memo.selected_layer);
        }
        "section" if !desk.memo.landmark_tool => desk.run(crate::session::Command::LandmarkTool),
        "heart" => desk.memo.maximized = None,
        _ => {}
    }
}
