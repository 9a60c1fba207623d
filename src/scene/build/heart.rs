//! Panes that cut the heart: the image, its labels, the lit segment, where the other planes and the
//! section lie, landmarks, the cursor, and the facts of the cut.

use super::chain::{Chain, cursor_lps, registration, section};
use super::shared::{Pane, color_bar, draw_spots, heart_length, landmark_ink, landmark_mark, span_text};
use super::{Inputs, SceneCache, camera_of, pane_plane};
use crate::model::{ElementId, LabelMap, LayerKind, Volume};
use crate::scene::number::fixed;
use crate::scene::phase::{label_phase, phase_at};
use crate::scene::planes::cut_bounds;
use crate::scene::{Compare, Corner, Drawn, Ink, LabelsDrawn, Mark, PLAIN_SPOT_RGB, PaneKind, Scene, SliceDrawn, SpotsDrawn};
use crate::space::{DVec2, Plane};
use std::cmp::Reverse;
use std::sync::Arc;

/// The heart that a pane is pinned to or the view names, else the first volume.
pub(super) fn heart<'a>(inputs: &Inputs<'a>, pane: PaneKind) -> Option<(ElementId, &'a Arc<Volume>)> {
    let there = |id: &ElementId| inputs.study.volume(*id).is_some();
    let named =
        inputs.view.heart_in(pane).filter(there).or(inputs.view.heart).and_then(|id| inputs.study.volume(id).map(|v| (id, v)));
    named.or_else(|| inputs.study.volumes().next())
}

/// A heart pane's plane, not mirrored: its own, else the one found from the volume.
pub(super) fn own_plane(inputs: &Inputs<'_>, cache: &mut SceneCache, pane: PaneKind) -> Option<Plane> {
    let number = [PaneKind::ShortAxis, PaneKind::TwoChamber, PaneKind::FourChamber].iter().position(|&p| p == pane)?;
    let (id, volume) = heart(inputs, pane)?;
    if let Some(plane) = inputs.view.panes.get(&pane).and_then(|p| p.plane) {
        return Some(plane);
    }
    let labels = inputs.study.labels_on(id).map(|(_, l)| l).find(|l| l.entry(3).is_some());
    Some(cache.planes(id, volume, labels)[number])
}

pub(super) fn heart_scene(inputs: &Inputs<'_>, cache: &mut SceneCache, kind: PaneKind, size_px: [u32; 2]) -> Scene {
    let (Some((id, volume)), Some(plane)) = (heart(inputs, kind), pane_plane(inputs, cache, kind)) else {
        let what = format!("{} of the heart", kind.title());
        let how = "Drop a DICOM folder, a NIfTI file or a project here";
        return Pane::empty(inputs, size_px, &[&what, how]);
    };
    let bounds = cut_bounds(&volume.grid, &plane);
    let mut pane = Pane::new(inputs, size_px, camera_of(inputs, kind, bounds, size_px));
    draw_cut(&mut pane, inputs, (id, volume), plane);
    let phase = phase_at(volume, inputs.view.cardiac_phase);
    draw_labels(&mut pane, inputs, (id, volume), (plane, phase));
    draw_genes(&mut pane, inputs, cache, kind, &plane);
    other_planes(&mut pane, inputs, cache, (kind, &plane), bounds);
    landmarks(&mut pane, inputs, &plane);
    super::figures::draw(&mut pane, inputs, (id, volume), &plane);
    if let Some(at) = cursor_lps(inputs) {
        pane.mark(Mark::Cursor { at: plane.plane_from_lps(at), sd_mm: None });
    }
    pane.letters(&plane);
    pane.scale_bar(heart_length(volume.length_unit_known));
    facts(&mut pane, inputs, (id, volume), &plane);
    pane.scene
}

/// The heart image in a plane, as its layer says; without a layer, with the volume's own window.
pub(super) fn draw_cut(pane: &mut Pane, inputs: &Inputs<'_>, (id, volume): (ElementId, &Arc<Volume>), plane: Plane) {
    if let Some(slice) = window_of(inputs, (id, volume)) {
        pane.draw(Drawn::Slice(SliceDrawn { plane, ..slice }));
    }
}

/// How the heart image is drawn, for any plane; none where its layer is hidden.
pub(super) fn window_of(inputs: &Inputs<'_>, (id, volume): (ElementId, &Arc<Volume>)) -> Option<SliceDrawn> {
    let layer = inputs.study.layers.iter().find(|l| l.element == id && matches!(l.kind, LayerKind::Image { .. }));
    if layer.is_some_and(|l| !l.visible) {
        return None;
    }
    let mut slice = SliceDrawn {
        volume: Arc::clone(volume),
        phase: phase_at(volume, inputs.view.cardiac_phase),
        plane: Plane::axial(crate::space::DVec3::ZERO),
        low: volume.window.0,
        high: volume.window.1,
        color_map: crate::model::ColorMap::Gray,
        smooth: true,
        opacity: 1.0,
    };
    if let Some(layer) = layer {
        slice.opacity = layer.opacity.clamp(0.0, 1.0) as f32;
        if let LayerKind::Image { low, high, color_map, smooth } = layer.kind {
            (slice.low, slice.high, slice.color_map, slice.smooth) = (low, high, color_map, smooth);
        }
    }
    Some(slice)
}

/// Segmentations that belong to the image; those of another patient would lie there too.
pub(super) fn draw_labels(
    pane: &mut Pane,
    inputs: &Inputs<'_>,
    (id, volume): (ElementId, &Volume),
    (plane, phase): (Plane, usize),
) {
    let on_image = |l: &&crate::model::Layer| inputs.study.belonging(l.element, id).is_some();
    for layer in inputs.study.layers.iter().filter(|l| l.visible && l.opacity > 0.0).filter(on_image) {
        let (LayerKind::Labels { fill, outline_px }, Some(labels)) = (&layer.kind, inputs.study.labels(layer.element)) else {
            continue;
        };
        let fill = (fill * layer.opacity).clamp(0.0, 1.0) as f32;
        let outline_px = pane.px(*outline_px as f32);
        pane.draw(Drawn::Labels(LabelsDrawn {
            labels: Arc::clone(labels),
            phase: label_phase(labels, volume, phase),
            plane,
            fill,
            outline_px,
            only: None,
            element: Some(layer.element),
        }));
    }
    draw_lit(pane, inputs, (id, volume), (plane, phase));
}

/// The voxels of the segment that lights up, in the phase shown and by one segmentation: a visible one before hidden
/// ones, one with the image's voxels before others.
fn draw_lit(pane: &mut Pane, inputs: &Inputs<'_>, (id, volume): (ElementId, &Volume), (plane, phase): (Plane, usize)) {
    let Some(lit) = inputs.view.shown_segment() else { return };
    let is_visible = |of: ElementId| inputs.study.layers.iter().any(|l| l.element == of && l.visible);
    let belonging = inputs.derived.segments.iter().filter(|(of, _)| inputs.study.belonging(**of, id).is_some());
    let rank = |(of, segments): &(&ElementId, &Arc<LabelMap>)| {
        (is_visible(**of), segments.grid.same_place(&volume.grid, 1e-3), Reverse(**of))
    };
    let Some((of, segments)) = belonging.max_by_key(rank) else { return };
    pane.draw(Drawn::Labels(LabelsDrawn {
        labels: Arc::clone(segments),
        phase: label_phase(segments, volume, phase),
        plane,
        fill: if is_visible(*of) { 0.4 } else { 0.3 },
        outline_px: pane.px(2.0),
        only: Some(lit),
        element: None,
    }));
}

/// What colors the registered section's spots, on the cut: the spots within half a slice of it.
fn draw_genes(pane: &mut Pane, inputs: &Inputs<'_>, cache: &mut SceneCache, kind: PaneKind, plane: &Plane) {
    let (Some((id, section)), Some(chain)) = (section(inputs), Chain::of(inputs)) else { return };
    let is_shown = |l: &&crate::model::Layer| l.element == id && l.visible && matches!(l.kind, LayerKind::Spots { .. });
    let Some(layer) = inputs.study.layers.iter().find(is_shown).filter(|_| inputs.view.genes_on_heart) else { return };
    let (LayerKind::Spots { color_map, .. }, Some(values)) = (&layer.kind, inputs.derived.spot_values.get(&id)) else { return };
    let Some((positions, shown, kept)) = cache.near_spots((id, kind), section, &chain, plane, values) else { return };
    if positions.is_empty() {
        return;
    }
    let stretch = chain.warp.linear_part().matrix2.determinant().abs().sqrt();
    let diameter_px = section.spots.as_ref().map_or(0.0, |s| s.diameter_px);
    let n_spots = section.spots.as_ref().map_or(0, |s| s.px.len());
    let is_face_on = positions.len() * 5 >= n_spots;
    let radius_mm = (diameter_px / 2.0 * section.mm_per_px() * stretch) as f32;
    let drawn = SpotsDrawn {
        positions,
        values: Some(shown),
        plain: PLAIN_SPOT_RGB,
        radius_mm,
        low: values.low as f32,
        high: values.high as f32,
        color_map: *color_map,
        opacity: layer.opacity.clamp(0.0, 1.0) as f32,
        compare: Compare::Blend,
    };
    draw_spots(pane, inputs, cache, (id, Some(kind), Some(&kept)), drawn);
    // A cut across the section shows a line of spots; the bar would hide more than it tells.
    if is_face_on {
        pane.mark(color_bar(*color_map, values));
    }
}

fn other_planes(
    pane: &mut Pane,
    inputs: &Inputs<'_>,
    cache: &mut SceneCache,
    (kind, plane): (PaneKind, &Plane),
    bounds: [DVec2; 2],
) {
    let section = registration(inputs).and_then(|r| meeting_line(plane, &r.plane, bounds));
    let is_section = |[a, b]: [DVec2; 2]| {
        let ends = |[c, d]: [DVec2; 2]| a.distance(c) + b.distance(d);
        section.is_some_and(|[c, d]| ends([c, d]).min(ends([d, c])) < 1.0)
    };
    let same = |o: PaneKind| inputs.view.heart_in(o) == inputs.view.heart_in(kind);
    for other in PaneKind::ALL.into_iter().filter(|&o| o.is_heart() && o != kind && same(o)) {
        let line = own_plane(inputs, cache, other).and_then(|o| meeting_line(plane, &o, bounds));
        if let Some(line) = line.filter(|&l| !is_section(l)) {
            pane.line(line.to_vec(), Ink::Dim, 1.0, true);
        }
    }
    if let Some(line) = section {
        pane.line(line.to_vec(), Ink::Plain, 1.5, true);
    }
}

/// Where another plane meets this one, within a box of plane mm; `None` where they are within 2° of
/// parallel or meet outside.
fn meeting_line(plane: &Plane, other: &Plane, bounds: [DVec2; 2]) -> Option<[DVec2; 2]> {
    let n = other.normal();
    let slope = DVec2::new(plane.right().dot(n), plane.down().dot(n));
    if slope.length() < 0.035 {
        return None;
    }
    let foot = -slope * (other.distance_mm(plane.origin()) / slope.length_squared());
    let along = slope.perp() / slope.length();
    let (mut from, mut to) = (f64::NEG_INFINITY, f64::INFINITY);
    for axis in 0..2 {
        let (p, d, low, high) = (foot[axis], along[axis], bounds[0][axis], bounds[1][axis]);
        if d.abs() < 1e-9 {
            if p < low || p > high {
                return None;
            }
            continue;
        }
        let (a, b) = ((low - p) / d, (high - p) / d);
        (from, to) = (from.max(a.min(b)), to.min(a.max(b)));
    }
    (from < to).then(|| [foot + along * from, foot + along * to])
}

/// Fixed sides: full within half a slice of this plane, dim within three, else not drawn.
fn landmarks(pane: &mut Pane, inputs: &Inputs<'_>, plane: &Plane) {
    let Some(r) = registration(inputs) else { return };
    let near = r.half_slice_mm.max(1.0);
    for (i, pair) in r.landmarks.pairs.iter().enumerate() {
        let Some(fixed) = pair.fixed else { continue };
        let distance = plane.distance_mm(fixed).abs();
        let is_selected = inputs.view.selected_pair == Some(i);
        if distance <= 3.0 * near || is_selected {
            let ink = if distance <= near { landmark_ink(r, pair) } else { Ink::Dim };
            pane.mark(landmark_mark(inputs, (i, pair), plane.plane_from_lps(fixed), ink));
        }
    }
}

fn facts(pane: &mut Pane, inputs: &Inputs<'_>, (id, volume): (ElementId, &Arc<Volume>), plane: &Plane) {
    pane.text(Corner::TopLeft, vec![volume.name.clone()]);
    let mut lines = vec![position_text(volume, plane)];
    let phase = phase_at(volume, inputs.view.cardiac_phase);
    if volume.n_phases() > 1 {
        let time = volume.time_ms(phase).map_or_else(String::new, |t| format!(" · {} ms", fixed(t, 0)));
        lines.push(format!("phase {}/{}{time}", phase + 1, volume.n_phases()));
    }
    let layer = inputs.study.layers.iter().find(|l| l.element == id && matches!(l.kind, LayerKind::Image { .. }));
    let (low, high) = match layer.map(|l| &l.kind) {
        Some(LayerKind::Image { low, high, .. }) => (*low, *high),
        _ => volume.window,
    };
    lines.push(format!("window {}", span_text(low, high, &volume.unit)));
    lines.extend(left_out(inputs, plane));
    if inputs.view.neurological {
        lines.push("mirrored (neurological)".into());
    }
    pane.text(Corner::BottomLeft, lines);
}

/// As `slice 4 left out: motion`, where the plane lies in such a slice of the image or of labels.
fn left_out(inputs: &Inputs<'_>, plane: &Plane) -> Option<String> {
    let study = inputs.study;
    let image = heart(inputs, PaneKind::ShortAxis).map(|(id, v)| (id, &v.grid));
    study.label_maps().map(|(id, l)| (id, &l.grid)).chain(image).find_map(|(id, grid)| {
        let voxel_from_lps = grid.voxel_from_lps();
        let is_along = voxel_from_lps.matrix3.transpose().z_axis.normalize_or_zero().dot(plane.normal()).abs() > 0.99;
        let k = voxel_from_lps.transform_point3(plane.origin()).z.round();
        let left_out = study.slices_left_out(id);
        let reason = left_out.get(&(k.max(0.0) as usize)).filter(|_| is_along && k >= 0.0)?;
        Some(format!("slice {} left out: {reason}", k + 1.0))
    })
}

/// As `axial · S 12.5 mm`, or `slice 4/12 · 3.0 mm` where the plane is parallel to a stack's slices, or the
/// distance from the volume's middle.
fn position_text(volume: &Volume, plane: &Plane) -> String {
    let (n, o) = (plane.normal(), plane.origin());
    let unit = if volume.length_unit_known { "mm" } else { "units" };
    let patient = [(n.z, o.z, "axial", "S", "I"), (n.y, o.y, "coronal", "P", "A"), (n.x, o.x, "sagittal", "L", "R")];
    if let Some((_, at, name, plus, minus)) = patient.into_iter().find(|(n, ..)| n.abs() > 0.9999) {
        return format!("{name} · {} {} {unit}", if at < 0.0 { minus } else { plus }, fixed(at.abs(), 1));
    }
    let distance = fixed(-plane.distance_mm(volume.grid.center_lps()), 1);
    let k_axis = volume.grid.voxel_from_lps().matrix3.transpose().z_axis;
    if k_axis.normalize_or_zero().dot(n).abs() > 0.9999 {
        let slice = volume.grid.voxel_from_lps().transform_point3(o).z;
        return format!("slice {}/{} · {distance} {unit}", fixed(slice + 1.0, 0), volume.grid.size()[2]);
    }
    format!("{distance} {unit} from the middle")
}
