//! The seventeen segments as rings: value by color, missing hatched, number, name and value in words.

use super::chain::Chain;
use super::heart::heart;
use super::shared::Pane;
use super::{Inputs, camera_of};
use crate::model::ColorMap;
use crate::scene::{Ink, Mark, PaneKind, Scene, color, significant};
use crate::space::DVec2;

/// One cell of the bullseye.
#[derive(Clone, Debug, PartialEq)]
pub struct BullseyeCell {
    /// 1 to 17.
    pub segment: u8,
    /// Outline in unit coordinates (−1 to 1, y down, anterior at the top).
    pub ring: Vec<DVec2>,
    /// Where its text goes.
    pub label_at: DVec2,
    /// Short name.
    pub name: String,
    /// What is shown; `None` is hatched.
    pub value: Option<f64>,
    /// Number of voxels or spots behind it.
    pub n: usize,
}

/// What the cells show.
#[derive(Clone, Debug, PartialEq)]
pub struct BullseyeScale {
    /// What the values are, as `NPPA` or `wall thickness`.
    pub title: String,
    /// Unit and rule, under the bar.
    pub rule: String,
    /// Value of the lowest color.
    pub low: f64,
    /// Value of the highest color.
    pub high: f64,
    /// Color table.
    pub color_map: ColorMap,
    /// Lines over the cells, as the borders of coronary territories, in the cells' coordinates.
    pub outlines: Vec<Vec<DVec2>>,
    /// What each disc shows where there are two: below them.
    pub names: Vec<String>,
    /// How each disc was made: definition, phase, unit; for captions.
    pub notes: Vec<String>,
}

/// Where the second disc's middle is.
const BESIDE: DVec2 = DVec2::new(2.3, 0.0);

/// The segment at a place in unit coordinates.
#[must_use]
pub fn bullseye_hit(cells: &[BullseyeCell], p: DVec2) -> Option<u8> {
    cells.iter().find(|c| is_inside(&c.ring, p)).map(|c| c.segment)
}

/// The disc (0 or 1) and the segment at a place of the bullseye's pane.
#[must_use]
pub fn bullseye_at(derived: &super::Derived, p: DVec2) -> Option<(usize, u8)> {
    let first = bullseye_hit(&derived.bullseye, p).map(|s| (0, s));
    first.or_else(|| bullseye_hit(&derived.bullseye_beside, p - BESIDE).map(|s| (1, s)))
}

/// The scale given, else from the least to the greatest value of the cells, named after what colors the
/// spots of the registered section, or after the heart image. Spots colored around 0 give cells colored so.
#[must_use]
pub fn bullseye_scale(inputs: &Inputs<'_>) -> BullseyeScale {
    if let Some(scale) = &inputs.derived.bullseye_scale {
        return scale.clone();
    }
    let values = || inputs.derived.bullseye.iter().filter_map(|c| c.value).filter(|v| v.is_finite());
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let (low, high) = if low < high { (low, high) } else { (0.0, if high > 0.0 { high } else { 1.0 }) };
    let spots = Chain::of(inputs).and_then(|c| inputs.derived.spot_values.get(&c.registration.section));
    let (title, rule) = match (spots, heart(inputs, PaneKind::Bullseye)) {
        (Some(v), _) => (v.title.clone(), format!("mean of {}", v.rule.split(',').next().unwrap_or_default())),
        (None, Some((_, volume))) => (volume.name.clone(), format!("mean {}", volume.unit).trim_end().to_owned()),
        (None, None) => (String::new(), String::new()),
    };
    if spots.is_some_and(|v| v.low < 0.0 && v.low == -v.high) {
        let reach = low.abs().max(high.abs());
        return BullseyeScale { title, rule, low: -reach, high: reach, color_map: ColorMap::BlueRed, ..plain() };
    }
    BullseyeScale { title, rule, low, high, color_map: ColorMap::Viridis, ..plain() }
}

fn plain() -> BullseyeScale {
    let (title, rule) = (String::new(), String::new());
    let color_map = ColorMap::Viridis;
    BullseyeScale { title, rule, low: 0.0, high: 1.0, color_map, outlines: Vec::new(), names: Vec::new(), notes: Vec::new() }
}

fn is_inside(ring: &[DVec2], p: DVec2) -> bool {
    let edges = ring.iter().zip(ring.iter().cycle().skip(1));
    let crossed = edges.filter(|(a, b)| (a.y <= p.y) != (b.y <= p.y) && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x));
    crossed.count() % 2 == 1
}

pub(super) fn bullseye_scene(inputs: &Inputs<'_>, size_px: [u32; 2]) -> Scene {
    let cells = &inputs.derived.bullseye;
    if cells.is_empty() {
        let lines = ["The seventeen segments", "Open labels of the left", "ventricle to cut its wall"];
        return Pane::empty(inputs, size_px, &lines);
    }
    let scale = bullseye_scale(inputs);
    let beside = &inputs.derived.bullseye_beside;
    let right = if beside.is_empty() { 1.6 } else { 1.6 + BESIDE.x };
    let bounds = [DVec2::new(-1.2, -1.15), DVec2::new(right, if beside.is_empty() { 1.15 } else { 1.3 })];
    let mut pane = Pane::new(inputs, size_px, camera_of(inputs, PaneKind::Bullseye, bounds, size_px));
    disc(&mut pane, inputs, &scale, (cells, DVec2::ZERO));
    if !beside.is_empty() {
        disc(&mut pane, inputs, &scale, (beside, BESIDE));
        for (at, name) in [DVec2::ZERO, BESIDE].into_iter().zip(&scale.names) {
            pane.mark(Mark::Label { at: at + DVec2::Y * 1.22, text: name.clone(), ink: Ink::Plain });
        }
    }
    let BullseyeScale { title, mut rule, low, high, color_map, .. } = scale;
    if radius_points(&pane) < 150.0 {
        rule.clear();
    }
    pane.mark(Mark::ColorBar { color_map, low, high, title, rule, names: Vec::new() });
    pane.scene
}

/// One disc around a middle: cells, territories, what is lit, words.
fn disc(pane: &mut Pane, inputs: &Inputs<'_>, scale: &BullseyeScale, (cells, middle): (&[BullseyeCell], DVec2)) {
    let moved = |points: &[DVec2]| points.iter().map(|p| *p + middle).collect::<Vec<_>>();
    let cells: Vec<BullseyeCell> =
        cells.iter().map(|c| BullseyeCell { ring: moved(&c.ring), label_at: c.label_at + middle, ..c.clone() }).collect();
    for cell in &cells {
        fill(pane, scale, cell);
    }
    for cell in &cells {
        outline(pane, cell, Ink::Rgb([0, 0, 0]), 2.0);
    }
    for points in &scale.outlines {
        let width_px = pane.px(4.0);
        pane.mark(Mark::Line { points: moved(points), closed: false, ink: Ink::Plain, width_px, dashed: false });
    }
    let is = |segment: Option<u8>, c: &&BullseyeCell| segment == Some(c.segment);
    for cell in cells.iter().filter(|c| is(inputs.derived.cursor_segment, c)) {
        outline(pane, cell, Ink::Plain, 2.0);
    }
    for cell in cells.iter().filter(|c| is(inputs.view.selected_segment, c) || is(inputs.view.lit_segment, c)) {
        outline(pane, cell, Ink::Plain, 3.0);
    }
    for cell in &cells {
        text(pane, cell);
    }
    for (at, word) in [(DVec2::NEG_Y, "anterior"), (DVec2::Y, "inferior")] {
        pane.mark(Mark::Label { at: middle + at * 1.08, text: word.into(), ink: Ink::Dim });
    }
    for (at, word) in [(DVec2::new(-1.08, -0.6), "septal"), (DVec2::new(1.1, 0.6), "lateral")] {
        if inputs.derived.bullseye_beside.is_empty() && has_room(pane, middle + at) {
            pane.mark(Mark::Label { at: middle + at, text: word.into(), ink: Ink::Dim });
        }
    }
}

fn fill(pane: &mut Pane, scale: &BullseyeScale, cell: &BullseyeCell) {
    let (rgba, hatched) = match cell.value.filter(|v| v.is_finite()) {
        Some(value) => {
            let t = if scale.high > scale.low { (value - scale.low) / (scale.high - scale.low) } else { 0.5 };
            let [r, g, b] = color(scale.color_map, t as f32);
            ([r, g, b, 255], false)
        }
        None => ([0x9A, 0xA1, 0xAA, 150], true),
    };
    pane.mark(Mark::Fill { points: cell.ring.clone(), rgba, hatched });
}

fn outline(pane: &mut Pane, cell: &BullseyeCell, ink: Ink, width: f32) {
    let width_px = pane.px(width);
    pane.mark(Mark::Line { points: cell.ring.clone(), closed: true, ink, width_px, dashed: false });
}

/// Radius of the whole in points: in a small pane the words give way.
fn radius_points(pane: &Pane) -> f64 {
    1.0 / pane.scene.camera.mm_per_px / f64::from(pane.px(1.0))
}

/// Whether a short word around a place stays inside of the pane.
fn has_room(pane: &Pane, at: DVec2) -> bool {
    let x = pane.scene.camera.px_from_mm(pane.scene.size_px, at).x;
    let half = f64::from(pane.px(17.0));
    x > half && x + half < f64::from(pane.scene.size_px[0])
}

/// Number and name over the value; in a small pane only the number.
fn text(pane: &mut Pane, cell: &BullseyeCell) {
    let line = f64::from(pane.px(7.0)) * pane.scene.camera.mm_per_px;
    let value = cell.value.map_or_else(|| "–".to_owned(), |v| significant(v, 3));
    let rows = match radius_points(pane) {
        r if r > 260.0 && !cell.name.is_empty() && cell.n > 0 => {
            vec![format!("{} {}", cell.segment, cell.name), value, format!("n {}", cell.n)]
        }
        r if r > 180.0 && !cell.name.is_empty() => vec![format!("{} {}", cell.segment, cell.name), value],
        r if r > 90.0 => vec![cell.segment.to_string(), value],
        _ => vec![cell.segment.to_string()],
    };
    let n = rows.len() as f64 - 1.0;
    for (i, text) in rows.into_iter().enumerate() {
        let at = cell.label_at + DVec2::Y * (line * (2.0 * i as f64 - n));
        pane.mark(Mark::Label { at, text, ink: Ink::Plain });
    }
}
