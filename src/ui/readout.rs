//! The status line: where the cursor is in every space, what lies there, how sure the chain is. A click
//! copies.

use super::desk::{Desk, dim, mm, small};
use crate::session::Readout;
use egui::{RichText, Sense, Ui};

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
