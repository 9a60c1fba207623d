//! What lies under the cursor: its position in every space, its segment, the value of every visible layer.

use super::Session;
use crate::imaging;
use crate::model::{ElementId, LayerKind};
use crate::scene::{label_phase, phase_at, significant};
use crate::space::{DVec3, Space};

/// The status bar's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readout {
    /// (space, coordinates), from pixel to patient.
    pub positions: Vec<(String, String)>,
    /// Number and name of the segment.
    pub segment: Option<(u8, String)>,
    /// (layer, value with unit).
    pub values: Vec<(String, String)>,
    /// Standard deviation of the chain to the patient, in mm.
    pub chain_sd_mm: Option<f64>,
}

/// A number with three significant digits and a true minus sign.
#[must_use]
pub fn three_digits(value: f64) -> String {
    significant(value, 3)
}

fn millimeters(p: DVec3) -> String {
    format!("{:.1} {:.1} {:.1} mm", p.x, p.y, p.z).replace('-', "−")
}

/// Reads everything under the view's cursor. Cost: a few samples and one look-up among the spots.
#[must_use]
pub fn read(session: &Session) -> Readout {
    let mut readout = Readout::default();
    let (view, atlas) = (&session.view, session.study.atlas());
    let section = view.section;
    let section_mm = view.section_cursor.map(|p| p.extend(0.0)).or_else(|| {
        let id = section?;
        atlas.transform(Space::Section(id.0), Space::Patient, view.cursor?).ok()
    });
    if let (Some(id), Some(mm)) = (section, section_mm) {
        section_positions(session, id, mm, &mut readout);
        readout.chain_sd_mm = atlas.sd_mm(Space::Patient, Space::Section(id.0)).ok().flatten();
    }
    if let Some(lps) = view.cursor {
        readout.positions.push(("LPS".into(), millimeters(lps)));
        readout.segment = session.segment_at(lps);
    }
    for layer in session.study.layers.iter().filter(|l| l.visible) {
        let value = match &layer.kind {
            LayerKind::Image { .. } => view.cursor.and_then(|p| image_value(session, layer.element, p)),
            LayerKind::Labels { .. } => {
                let drawn = view.heart.is_none_or(|heart| session.study.belonging(layer.element, heart).is_some());
                view.cursor.filter(|_| drawn).and_then(|p| label_name(session, layer.element, p))
            }
            LayerKind::Picture => None,
            LayerKind::Spots { .. } => {
                section_mm.filter(|_| Some(layer.element) == section).and_then(|p| spot_value(session, layer.element, p))
            }
        };
        if let Some(value) = value {
            readout.values.push(value);
        }
    }
    readout
}

fn section_positions(session: &Session, id: ElementId, mm: DVec3, readout: &mut Readout) {
    let Some(section) = session.study.section(id) else { return };
    let px = mm / section.mm_per_px();
    readout.positions.push(("px".into(), format!("{:.0}, {:.0}", px.x, px.y).replace('-', "−")));
    if section.has_unit() {
        let um = format!("{:.0}, {:.0} µm", mm.x * 1000.0, mm.y * 1000.0);
        readout.positions.push((section.name.clone(), um.replace('-', "−")));
    }
}

fn image_value(session: &Session, id: ElementId, lps: DVec3) -> Option<(String, String)> {
    let volume = session.study.volume(id)?;
    let phase = phase_at(volume, session.view.cardiac_phase);
    let value = imaging::sample(volume, phase, lps, false)?;
    let unit = if volume.unit.is_empty() { String::new() } else { format!(" {}", volume.unit) };
    Some((volume.name.clone(), format!("{}{unit}", three_digits(value))))
}

fn label_name(session: &Session, id: ElementId, lps: DVec3) -> Option<(String, String)> {
    let labels = session.study.labels(id)?;
    let phase = session.heart().map_or(0, |v| label_phase(labels, v, phase_at(v, session.view.cardiac_phase)));
    let value = imaging::label_at(labels, phase, lps);
    let entry = labels.entry(value)?;
    Some((labels.name.clone(), entry.name.clone()))
}

fn spot_value(session: &Session, id: ElementId, mm: DVec3) -> Option<(String, String)> {
    let spot = session.spot_at(id, mm.truncate())?;
    let shown = session.derived.spot_values.get(&id)?;
    let value = *shown.values.get(spot)?;
    let name = |v: f32| shown.categories.get(v as usize).cloned();
    (!value.is_nan()).then(|| (shown.title.clone(), name(value).unwrap_or_else(|| three_digits(f64::from(value)))))
}
