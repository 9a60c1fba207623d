//! Marks and layers that several panes have in common.

use super::cache::LitBy;
use super::{Inputs, SceneCache, chain::Chain, pies};
use crate::model::{ColorMap, ElementId, Landmark, LayerKind, Registration, Section, SpotRegion};
use crate::scene::number::round_length;
use crate::scene::{
    Camera, Compare, Corner, Drawn, Ink, LEAST_RADIUS_PX, Mark, PLAIN_SPOT_RGB, PaneKind, PictureDrawn, Scene, SpotValues,
    SpotsDrawn, significant,
};
use crate::space::{DVec2, Plane, orientation_letters};
use std::sync::Arc;

/// What one pane millimeter really is.
#[derive(Clone, Copy)]
pub(super) enum Length {
    Mm,
    /// A thousand pixels of a picture whose pixel size is unknown.
    KiloPixel,
    /// A unit that the file does not name.
    Unknown,
}

/// The lengths of a volume.
pub(super) fn heart_length(is_known: bool) -> Length {
    if is_known { Length::Mm } else { Length::Unknown }
}

/// A pane while it is put together.
pub(super) struct Pane {
    pub scene: Scene,
    point: f32,
}

impl Pane {
    pub fn new(inputs: &Inputs<'_>, size_px: [u32; 2], camera: Camera) -> Self {
        let scene = Scene { size_px, camera, background: [0; 3], drawn: Vec::new(), marks: Vec::new() };
        Self { scene, point: inputs.pixels_per_point }
    }

    /// A pane without data: sentences in its middle.
    pub fn empty(inputs: &Inputs<'_>, size_px: [u32; 2], lines: &[&str]) -> Scene {
        let mut pane = Self::new(inputs, size_px, Camera { center: DVec2::ZERO, mm_per_px: 1.0 });
        let pitch = 18.0 * f64::from(inputs.pixels_per_point);
        for (i, line) in lines.iter().enumerate() {
            let at = DVec2::new(0.0, (i as f64 - (lines.len() as f64 - 1.0) / 2.0) * pitch);
            let ink = if i == 0 { Ink::Plain } else { Ink::Dim };
            pane.mark(Mark::Label { at, text: (*line).to_owned(), ink });
        }
        pane.scene
    }

    pub fn draw(&mut self, drawn: Drawn) {
        self.scene.drawn.push(drawn);
    }

    pub fn mark(&mut self, mark: Mark) {
        self.scene.marks.push(mark);
    }

    pub fn text(&mut self, corner: Corner, lines: Vec<String>) {
        self.mark(Mark::Text { corner, lines });
    }

    /// Points as physical pixels.
    pub fn px(&self, points: f32) -> f32 {
        points * self.point
    }

    pub fn line(&mut self, points: Vec<DVec2>, ink: Ink, width: f32, dashed: bool) {
        self.mark(Mark::Line { points, closed: false, ink, width_px: self.px(width), dashed });
    }

    pub fn letters(&mut self, plane: &Plane) {
        let directions = [-plane.right(), plane.right(), -plane.down(), plane.down()];
        self.mark(Mark::Letters(directions.map(orientation_letters)));
    }

    /// A bar of at most 0.28 of the pane's width.
    pub fn scale_bar(&mut self, length: Length) {
        let width = f64::from(self.scene.size_px[0]) * 0.28;
        let mm = round_length(width.min(f64::from(self.px(170.0))) * self.scene.camera.mm_per_px);
        let plain = |v: f64| format!("{}", (v * 1e6).round() / 1e6);
        let label = match length {
            Length::Mm if mm >= 1.0 => format!("{} mm", plain(mm)),
            Length::Mm => format!("{} µm", plain(mm * 1000.0)),
            Length::KiloPixel => format!("{} px (unknown size)", plain(mm * 1000.0)),
            Length::Unknown => format!("{} (unit unknown)", plain(mm)),
        };
        self.mark(Mark::ScaleBar { mm, label });
    }
}

/// Histology and spots of a section, warped where there is a chain; the color bar of the last gene. Without a chain the
/// spots may be pies of their cell types; what is given back says why they are not.
pub(super) fn draw_section(
    pane: &mut Pane,
    inputs: &Inputs<'_>,
    cache: &mut SceneCache,
    (id, section): (ElementId, &Arc<Section>),
    (chain, compare, mix): (Option<&Chain<'_>>, Compare, f64),
) -> Option<String> {
    let mut said = None;
    let mm_per_px = section.mm_per_px();
    for layer in inputs.study.layers.iter().filter(|l| l.element == id && l.visible) {
        let opacity = (layer.opacity * mix).clamp(0.0, 1.0) as f32;
        match &layer.kind {
            LayerKind::Picture => {
                let Some(picture) = section.picture.clone() else { continue };
                let mesh = cache.mesh(id, section, chain, pane.scene.camera.mm_per_px);
                pane.draw(Drawn::Picture(PictureDrawn { picture, mm_per_px, mesh, opacity, compare }));
            }
            LayerKind::Spots { color_by, color_map, .. } => {
                let (Some(positions), Some(spots)) = (cache.spots(id, section, chain), &section.spots) else { continue };
                let stretch = chain.map_or(1.0, |c| c.warp.linear_part().matrix2.determinant().abs().sqrt());
                let values = color_by.as_ref().and_then(|_| inputs.derived.spot_values.get(&id));
                let radius_mm = (spots.diameter_px / 2.0 * mm_per_px * stretch) as f32;
                let slot = (id, chain.map(|_| PaneKind::Overlay), None);
                let drawn = SpotsDrawn {
                    positions,
                    values: values.map(|v| Arc::clone(&v.values)),
                    plain: PLAIN_SPOT_RGB,
                    radius_mm,
                    low: values.map_or(0.0, |v| v.low as f32),
                    high: values.map_or(1.0, |v| v.high as f32),
                    color_map: *color_map,
                    opacity,
                    compare,
                };
                draw_rims(pane, inputs, cache, slot.0, (chain.is_some(), &drawn));
                draw_spots(pane, inputs, cache, slot, drawn.clone());
                if let Some(v) = values {
                    pane.scene.marks.retain(|m| !matches!(m, Mark::ColorBar { .. }));
                    pane.mark(color_bar(*color_map, v));
                }
                if chain.is_none() {
                    said = pies::draw(pane, inputs, cache, id, &drawn);
                }
            }
            LayerKind::Image { .. } | LayerKind::Labels { .. } => {}
        }
    }
    said
}

/// The scale of what colors the spots.
pub(super) fn color_bar(color_map: ColorMap, v: &SpotValues) -> Mark {
    let (title, rule, names) = (v.title.clone(), v.rule.clone(), v.categories.clone());
    Mark::ColorBar { color_map, low: v.low, high: v.high, title, rule, names }
}

/// A rim in the color of its region about every spot of a region, and the region's name in its middle.
fn draw_rims(pane: &mut Pane, inputs: &Inputs<'_>, cache: &mut SceneCache, id: ElementId, (warped, spots): (bool, &SpotsDrawn)) {
    let least = f64::from(pane.px(2.0)) * pane.scene.camera.mm_per_px;
    let radius_mm = spots.radius_mm + (f64::from(spots.radius_mm) * 0.4).max(least) as f32;
    let regions: Vec<&SpotRegion> = inputs.study.regions.iter().filter(|r| r.section == id).collect();
    let found = cache.rims((id, warped), &spots.positions, &regions);
    for (region, positions) in regions.iter().zip(found).filter(|(_, p)| !p.is_empty()) {
        let n = positions.len() as f64;
        let sum: DVec2 = positions.iter().map(|[x, y]| DVec2::new(f64::from(*x), f64::from(*y))).sum();
        let rim = SpotsDrawn { positions, values: None, plain: region.rgb, radius_mm, opacity: 1.0, ..spots.clone() };
        pane.draw(Drawn::Spots(rim));
        if (sum / n).is_finite() {
            pane.mark(Mark::Label { at: sum / n, text: region.name.clone(), ink: Ink::Rgb(region.rgb) });
        }
    }
}

/// Opacity of the spots that do not light up, as a share.
const UNLIT: f32 = 0.22;
/// So many spots are drawn disc by disc; of more, each pixel shows one.
const MANY: usize = 50_000;

/// Opacity of spots that step back. Where the screen is too coarse for them, several lie on each pixel: then each is
/// weaker, so that together they are as weak as one.
fn unlit(spots: &SpotsDrawn, mm_per_px: f64) -> f32 {
    let radius_px = (f64::from(spots.radius_mm) / mm_per_px).max(1e-3) as f32;
    let times = if spots.positions.len() < MANY { (LEAST_RADIUS_PX / radius_px).max(1.0).powi(2) } else { 1.0 };
    1.0 - (1.0 - spots.opacity * UNLIT).powf(1.0 / times)
}

/// What lights up among the spots of a section: a category before a segment that was clicked.
pub(super) fn lit_by(inputs: &Inputs<'_>, id: ElementId) -> Option<LitBy> {
    let groups = inputs.derived.groups.as_ref().filter(|g| g.section == id);
    if let (Some(code), Some(groups)) = (inputs.view.shown_group(), groups) {
        return Some(LitBy::Group(Arc::clone(groups), code));
    }
    let segment = inputs.view.shown_segment()?;
    Some(LitBy::Segment(Arc::clone(inputs.derived.spot_segments.get(&id)?), segment))
}

/// Draws spots; where a segment or a category lights up, its spots stay as they are with a light rim, and the others step back.
/// `kept` are the numbers of the spots at the positions, where these are not all.
pub(super) fn draw_spots(
    pane: &mut Pane,
    inputs: &Inputs<'_>,
    cache: &mut SceneCache,
    (id, slot, kept): (ElementId, Option<PaneKind>, Option<&Arc<[u32]>>),
    spots: SpotsDrawn,
) {
    let Some(by) = lit_by(inputs, id) else {
        pane.draw(Drawn::Spots(spots));
        return;
    };
    let (positions, values) = cache.lit_spots((id, slot), (&spots.positions, kept), spots.values.as_ref(), &by);
    let opacity = unlit(&spots, pane.scene.camera.mm_per_px);
    pane.draw(Drawn::Spots(SpotsDrawn { opacity, ..spots.clone() }));
    if positions.is_empty() {
        return;
    }
    let least = f64::from(pane.px(1.5)) * pane.scene.camera.mm_per_px;
    let radius_mm = spots.radius_mm + (f64::from(spots.radius_mm) * 0.3).max(least) as f32;
    let rim = SpotsDrawn { positions: Arc::clone(&positions), values: None, radius_mm, opacity: 1.0, ..spots.clone() };
    pane.draw(Drawn::Spots(rim));
    pane.draw(Drawn::Spots(SpotsDrawn { positions, values, ..spots }));
}

/// Color of a landmark: dim where it is left out, red where two look exchanged, amber where its fixed
/// side is farther from the plane than half a slice.
pub(super) fn landmark_ink(r: &Registration, pair: &Landmark) -> Ink {
    let swapped = r.fit.as_ref().is_some_and(|f| f.quality.swapped_pairs.iter().flatten().any(|n| *n == pair.name));
    let is_far = pair.fixed.is_some_and(|p| r.plane.distance_mm(p).abs() > r.half_slice_mm);
    match () {
        () if !pair.active => Ink::Dim,
        () if swapped => Ink::Error,
        () if is_far => Ink::Warning,
        () => Ink::Plain,
    }
}

pub(super) fn landmark_mark(inputs: &Inputs<'_>, (i, pair): (usize, &Landmark), at: DVec2, ink: Ink) -> Mark {
    let hollow = pair.moving.is_none() || pair.fixed.is_none();
    let selected = inputs.view.selected_pair == Some(i);
    Mark::Landmark { at, number: i + 1, name: pair.name.clone(), hollow, selected, ink }
}

/// As `12.5–340 HU`.
pub(super) fn span_text(low: f64, high: f64, unit: &str) -> String {
    format!("{}–{} {unit}", significant(low, 3), significant(high, 3)).trim_end().to_owned()
}
