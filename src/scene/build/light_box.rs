//! The light box: all slices of the heart's stack at the phase shown, or all phases of the slice shown, in one grid.

use super::heart::{draw_labels, heart, own_plane};
use super::shared::Pane;
use super::{Inputs, SceneCache, camera_of};
use crate::model::{ElementId, Volume};
use crate::scene::phase::{phase_at, share_of_phase};
use crate::scene::planes::cut_bounds;
use crate::scene::{Drawn, Ink, Mark, PaneKind, Scene, SliceDrawn};
use crate::space::{DVec2, Plane};
use std::sync::Arc;

/// Room between tiles, as a share of their size.
const GAP: f64 = 0.02;
/// Most tiles; beyond that every n-th slice is shown.
const MOST_TILES: usize = 64;

/// One picture of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tile {
    /// Its cut, in its own mm.
    pub plane: Plane,
    /// The phase shown.
    pub phase: usize,
    /// The share of the beat at which that phase begins.
    pub share: f64,
    /// Its number from 1: of the slice, or of the phase.
    pub number: usize,
    /// Where its (0, 0) lies in the pane, mm.
    pub at: DVec2,
    /// Least and greatest corner in pane mm.
    pub bounds: [DVec2; 2],
}

/// The tile under a place of the light box.
#[must_use]
pub fn light_box_tile(inputs: &Inputs<'_>, cache: &mut SceneCache, size_px: [u32; 2], mm: DVec2) -> Option<Tile> {
    let is_in = |t: &Tile| mm.cmpge(t.bounds[0]).all() && mm.cmple(t.bounds[1]).all();
    tiles(inputs, cache, size_px)?.into_iter().find(is_in)
}

fn tiles(inputs: &Inputs<'_>, cache: &mut SceneCache, size_px: [u32; 2]) -> Option<Vec<Tile>> {
    let (_, volume) = heart(inputs, PaneKind::LightBox)?;
    let shown = own_plane(inputs, cache, PaneKind::ShortAxis)?;
    let shown = if inputs.view.neurological { shown.mirrored() } else { shown };
    let now = phase_at(volume, inputs.view.cardiac_phase);
    let cuts: Vec<(Plane, usize, usize)> = if inputs.view.light_box_phases {
        let n = volume.n_phases();
        let step = n.div_ceil(MOST_TILES).max(1);
        (0..n).step_by(step).map(|p| (shown, p, p + 1)).collect()
    } else {
        slices(volume, &shown).into_iter().map(|(plane, number)| (plane, now, number)).collect()
    };
    let corners: Vec<[DVec2; 2]> = cuts.iter().map(|(plane, ..)| cut_bounds(&volume.grid, plane)).collect();
    let low = corners.iter().map(|b| b[0]).reduce(DVec2::min)?;
    let high = corners.iter().map(|b| b[1]).reduce(DVec2::max)?;
    let size = (high - low) * (1.0 + GAP);
    let columns = columns(cuts.len(), size, size_px);
    let place = |i: usize| DVec2::new((i % columns) as f64, (i / columns) as f64) * size - low;
    let tile = |(i, (plane, phase, number)): (usize, (Plane, usize, usize))| {
        let at = place(i);
        let share = share_of_phase(volume, phase);
        Tile { plane, phase, share, number, at, bounds: [low + at, high + at] }
    };
    Some(cuts.into_iter().enumerate().map(tile).collect())
}

/// The slices of the stack that are parallel to the plane shown, from base to apex as the plane looks; else cuts as far
/// apart as the least spacing allows.
fn slices(volume: &Volume, shown: &Plane) -> Vec<(Plane, usize)> {
    let (grid, n) = (&volume.grid, shown.normal());
    let m = grid.lps_from_voxel().matrix3;
    let axes = [m.x_axis, m.y_axis, m.z_axis];
    let along = |a: usize| axes[a].normalize_or_zero().dot(n).abs();
    let k = (0..3).max_by(|&a, &b| along(a).total_cmp(&along(b))).unwrap_or(2);
    let count = grid.size()[k];
    let step = count.div_ceil(MOST_TILES).max(1);
    let middle = grid.size().map(|s| (s as f64 - 1.0) / 2.0);
    let cut = |i: usize| {
        let mut voxel = middle;
        voxel[k] = i as f64;
        let at = grid.lps_from_voxel().transform_point3(crate::space::DVec3::from_array(voxel));
        (shown.through(shown.origin() + n * shown.distance_mm(at)), i + 1)
    };
    (0..count).step_by(step).map(cut).collect()
}

/// As many columns as make the tiles largest.
fn columns(n: usize, size: DVec2, size_px: [u32; 2]) -> usize {
    let [w, h] = size_px.map(|s| f64::from(s.max(1)));
    let scale = |columns: usize| {
        let rows = n.div_ceil(columns);
        (w / (columns as f64 * size.x)).min(h / (rows as f64 * size.y))
    };
    (1..=n.max(1)).max_by(|&a, &b| scale(a).total_cmp(&scale(b)).then(b.cmp(&a))).unwrap_or(1)
}

pub(super) fn light_box_scene(inputs: &Inputs<'_>, cache: &mut SceneCache, size_px: [u32; 2]) -> Scene {
    let found = heart(inputs, PaneKind::LightBox);
    let (Some((id, volume)), Some(tiles)) = (found, tiles(inputs, cache, size_px)) else {
        let lines = ["All slices or all phases of the heart", "Drop a DICOM folder, a NIfTI file or a project here"];
        return Pane::empty(inputs, size_px, &lines);
    };
    let low = tiles.iter().map(|t| t.bounds[0]).reduce(DVec2::min).unwrap_or(DVec2::ZERO);
    let high = tiles.iter().map(|t| t.bounds[1]).reduce(DVec2::max).unwrap_or(DVec2::ONE);
    let mut pane = Pane::new(inputs, size_px, camera_of(inputs, PaneKind::LightBox, [low, high], size_px));
    let window = super::heart::window_of(inputs, (id, volume));
    let now = phase_at(volume, inputs.view.cardiac_phase);
    for tile in &tiles {
        draw_tile(&mut pane, inputs, (id, volume), window.clone(), tile);
    }
    let shown = own_plane(inputs, cache, PaneKind::ShortAxis);
    for tile in &tiles {
        let is_shown = if inputs.view.light_box_phases {
            tile.phase == now
        } else {
            shown.is_some_and(|s| s.distance_mm(tile.plane.origin()).abs() < 0.5 * volume.grid.spacing_mm().min_element())
        };
        let at = tile.bounds[0] + DVec2::splat(f64::from(pane.px(11.0)) * pane.scene.camera.mm_per_px);
        let ink = if is_shown { Ink::Accent } else { Ink::Plain };
        pane.mark(Mark::Label { at, text: tile.number.to_string(), ink });
        if is_shown {
            let [a, b] = tile.bounds;
            pane.scene.marks.push(Mark::Line {
                points: vec![a, DVec2::new(b.x, a.y), b, DVec2::new(a.x, b.y)],
                closed: true,
                ink: Ink::Accent,
                width_px: 1.5 * inputs.pixels_per_point,
                dashed: false,
            });
        }
    }
    pane.scene
}

/// Beyond the grid nothing is drawn, so that tiles as large as the grid's cut do not meet.
fn draw_tile(
    pane: &mut Pane,
    inputs: &Inputs<'_>,
    (id, volume): (ElementId, &Arc<Volume>),
    drawn: Option<SliceDrawn>,
    tile: &Tile,
) {
    let origin = tile.plane.lps_from_plane(-tile.at);
    let plane = tile.plane.through(origin);
    if let Some(slice) = drawn {
        pane.draw(Drawn::Slice(SliceDrawn { phase: tile.phase, plane, ..slice }));
    }
    draw_labels(pane, inputs, (id, volume), (plane, tile.phase));
}
