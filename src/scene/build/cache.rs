//! What is remembered between frames: planes, meshes, warped spots. Entries hold what they were made from
//! and are made again when that is not the same object or value any more.

use super::chain::{Chain, shown};
use super::pies::{Fractions, PiesEntry};
use crate::model::{ElementId, LabelMap, Section, SpotRegion, Spots, Study, Volume};
use crate::scene::planes::default_planes;
use crate::scene::{PaneKind, Pies, SpotGroups, SpotValues, SpotsDrawn, WarpMesh};
use crate::space::{DVec2, DVec3, Plane, Warp, warp_mesh};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Memory of [`super::build`]; one for all panes of a window.
#[derive(Debug, Default)]
pub struct SceneCache {
    planes: BTreeMap<ElementId, PlanesEntry>,
    meshes: BTreeMap<(ElementId, bool), MeshEntry>,
    spots: BTreeMap<(ElementId, bool), SpotsEntry>,
    placed: BTreeMap<ElementId, PlacedEntry>,
    near: BTreeMap<(ElementId, PaneKind), NearEntry>,
    lit: BTreeMap<(ElementId, Option<PaneKind>), LitEntry>,
    rims: BTreeMap<(ElementId, bool), Vec<RimEntry>>,
    pies: BTreeMap<ElementId, PiesEntry>,
}

/// The places of a region's spots in a pane.
#[derive(Debug)]
struct RimEntry {
    positions: Arc<[[f32; 2]]>,
    spots: Arc<[u32]>,
    found: Arc<[[f32; 2]]>,
}

/// Which spots light up.
#[derive(Clone, Debug)]
pub(super) enum LitBy {
    /// Those of a segment.
    Segment(Arc<[u8]>, u8),
    /// Those of a category.
    Group(Arc<SpotGroups>, u32),
}

impl LitBy {
    /// Whether a spot does.
    pub(super) fn holds(&self, spot: usize) -> bool {
        match self {
            Self::Segment(segments, lit) => segments.get(spot) == Some(lit),
            Self::Group(groups, lit) => groups.codes.get(spot) == Some(lit),
        }
    }

    /// Whether the same spots do.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Segment(a, x), Self::Segment(b, y)) => Arc::ptr_eq(a, b) && x == y,
            (Self::Group(a, x), Self::Group(b, y)) => Arc::ptr_eq(a, b) && x == y,
            _ => false,
        }
    }
}

/// The spots that light up among those of a pane.
#[derive(Debug)]
struct LitEntry {
    positions: Arc<[[f32; 2]]>,
    by: LitBy,
    /// Places in `positions`.
    places: Vec<u32>,
    found: Arc<[[f32; 2]]>,
    values: Option<(Arc<[f32]>, Arc<[f32]>)>,
}

/// Positions, values and numbers of spots near a plane.
type NearSpots = (Arc<[[f32; 2]]>, Arc<[f32]>, Arc<[u32]>);

/// Spots within half a slice of a heart pane's plane.
#[derive(Debug)]
struct NearEntry {
    spots: Arc<Spots>,
    mm_per_px: f64,
    warp: Warp,
    planes: [Plane; 2],
    values: Arc<SpotValues>,
    kept: Arc<[u32]>,
    positions: Arc<[[f32; 2]]>,
    shown: Arc<[f32]>,
}

#[derive(Debug)]
struct PlanesEntry {
    volume: Arc<Volume>,
    labels: Option<Arc<LabelMap>>,
    planes: [Plane; 3],
}

#[derive(Debug)]
struct MeshEntry {
    key: MeshKey,
    mesh: Arc<WarpMesh>,
}

#[derive(Debug)]
struct MeshKey {
    warp: Warp,
    mirrored: bool,
    bounds: [DVec2; 2],
    /// `floor(log2(mm per pixel))`: the mesh is fine enough for this zoom.
    octave: i32,
}

#[derive(Debug)]
struct PlacedEntry {
    spots: Arc<Spots>,
    mm_per_px: f64,
    warp: Warp,
    points: Arc<[DVec2]>,
}

#[derive(Debug)]
struct SpotsEntry {
    spots: Arc<Spots>,
    mm_per_px: f64,
    warp: Warp,
    mirrored: bool,
    positions: Arc<[[f32; 2]]>,
}

impl SceneCache {
    /// Lets go of what is not in the study any more.
    pub(super) fn keep_only(&mut self, study: &Study) {
        self.meshes.retain(|(id, _), _| study.section(*id).is_some());
        self.spots.retain(|(id, _), _| study.section(*id).is_some());
        self.placed.retain(|id, _| study.section(*id).is_some());
        self.near.retain(|(id, _), _| study.section(*id).is_some());
        self.lit.retain(|(id, _), _| study.section(*id).is_some());
        self.rims.retain(|(id, _), _| study.section(*id).is_some());
        self.pies.retain(|id, _| study.section(*id).is_some());
        self.planes.retain(|id, e| study.volume(*id).is_some_and(|v| Arc::ptr_eq(v, &e.volume)));
    }

    /// The planes found from the volume and its labels.
    pub(super) fn planes(&mut self, id: ElementId, volume: &Arc<Volume>, labels: Option<&Arc<LabelMap>>) -> [Plane; 3] {
        let same_labels = |e: &PlanesEntry| match (&e.labels, labels) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        if let Some(e) = self.planes.get(&id).filter(|e| Arc::ptr_eq(&e.volume, volume) && same_labels(e)) {
            return e.planes;
        }
        let planes = default_planes(volume, labels.map(Arc::as_ref));
        self.planes.insert(id, PlanesEntry { volume: Arc::clone(volume), labels: labels.cloned(), planes });
        planes
    }

    /// The mesh of a section through a warp, for this zoom.
    pub(super) fn mesh(&mut self, id: ElementId, section: &Section, chain: Option<&Chain<'_>>, mm_per_px: f64) -> Arc<WarpMesh> {
        let bounds = section.bounds_mm();
        let octave = mm_per_px.max(1e-9).log2().floor() as i32;
        let warp = chain.map_or(&Warp::IDENTITY, |c| c.warp);
        let mirrored = chain.is_some_and(|c| c.mirrored);
        let slot = (id, chain.is_some());
        let same = |k: &MeshKey| k.octave == octave && k.mirrored == mirrored && k.bounds == bounds && k.warp == *warp;
        if let Some(e) = self.meshes.get(&slot).filter(|e| same(&e.key)) {
            return Arc::clone(&e.mesh);
        }
        let mut mesh = mesh_for(warp, bounds, 2f64.powi(octave));
        if mirrored {
            mesh.target.iter_mut().for_each(|p| *p = shown(true, *p));
        }
        let mesh = Arc::new(mesh);
        let key = MeshKey { warp: warp.clone(), mirrored, bounds, octave };
        self.meshes.insert(slot, MeshEntry { key, mesh: Arc::clone(&mesh) });
        mesh
    }

    /// Positions (plane mm), values and numbers of the spots within half a slice of a heart pane's plane. The same
    /// `Arc`s as long as neither plane, fit nor values change. Cost: one pass over the spots.
    pub(super) fn near_spots(
        &mut self,
        (id, pane): (ElementId, PaneKind),
        section: &Section,
        chain: &Chain<'_>,
        plane: &Plane,
        values: &Arc<SpotValues>,
    ) -> Option<NearSpots> {
        let spots = section.spots.as_ref()?;
        let (mm_per_px, planes) = (section.mm_per_px(), [*plane, chain.registration.plane]);
        let same = |e: &NearEntry| {
            Arc::ptr_eq(&e.spots, spots) && e.mm_per_px == mm_per_px && e.planes == planes && e.warp == *chain.warp
        };
        let old = self.near.remove(&(id, pane)).filter(same);
        let mut entry = old.unwrap_or_else(|| {
            let near = |lps: &DVec3| lps.is_finite() && plane.distance_mm(*lps).abs() <= chain.registration.half_slice_mm;
            let placed = self.placed(id, spots, mm_per_px, chain.warp);
            let lps = |p: &DVec2| Some(chain.registration.plane.lps_from_plane(*p)).filter(near);
            let found: Vec<Option<DVec3>> = placed.par_iter().map(lps).collect();
            let kept: Arc<[u32]> = (0..found.len() as u32).filter(|&i| found[i as usize].is_some()).collect();
            let place = |p: &DVec3| plane.plane_from_lps(*p).as_vec2().to_array();
            let positions: Vec<[f32; 2]> = found.iter().flatten().map(place).collect();
            let shown = picked(&kept, values);
            let (spots, values) = (Arc::clone(spots), Arc::clone(values));
            NearEntry { spots, mm_per_px, warp: chain.warp.clone(), planes, values, kept, positions: positions.into(), shown }
        });
        if !Arc::ptr_eq(&entry.values, values) {
            (entry.shown, entry.values) = (picked(&entry.kept, values), Arc::clone(values));
        }
        let drawn = (Arc::clone(&entry.positions), Arc::clone(&entry.shown), Arc::clone(&entry.kept));
        self.near.insert((id, pane), entry);
        Some(drawn)
    }

    /// Those of the positions whose spots (all, or the numbers `kept`) light up, with their values; the same `Arc`s as
    /// long as neither positions, what lights up nor values change.
    pub(super) fn lit_spots(
        &mut self,
        slot: (ElementId, Option<PaneKind>),
        (positions, kept): (&Arc<[[f32; 2]]>, Option<&Arc<[u32]>>),
        values: Option<&Arc<[f32]>>,
        by: &LitBy,
    ) -> (Arc<[[f32; 2]]>, Option<Arc<[f32]>>) {
        let same = |e: &LitEntry| Arc::ptr_eq(&e.positions, positions) && e.by.is_same(by);
        let mut entry = self.lit.remove(&slot).filter(same).unwrap_or_else(|| {
            let number = |i: u32| kept.map_or(i as usize, |k| k.get(i as usize).map_or(usize::MAX, |&n| n as usize));
            let is_lit = |i: &u32| by.holds(number(*i));
            let places: Vec<u32> = (0..positions.len() as u32).filter(is_lit).collect();
            let found = places.iter().map(|&i| positions[i as usize]).collect();
            LitEntry { positions: Arc::clone(positions), by: by.clone(), places, found, values: None }
        });
        if let Some(all) = values {
            if !entry.values.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, all)) {
                let picked = entry.places.iter().map(|&i| all.get(i as usize).copied().unwrap_or(f32::NAN)).collect();
                entry.values = Some((Arc::clone(all), picked));
            }
        } else {
            entry.values = None;
        }
        let shown = (Arc::clone(&entry.found), entry.values.as_ref().map(|(_, v)| Arc::clone(v)));
        self.lit.insert(slot, entry);
        shown
    }

    /// The places of the spots of regions among those of a pane; the same `Arc`s as long as neither changes.
    pub(super) fn rims(
        &mut self,
        slot: (ElementId, bool),
        positions: &Arc<[[f32; 2]]>,
        regions: &[&SpotRegion],
    ) -> Vec<Arc<[[f32; 2]]>> {
        let old = self.rims.remove(&slot).unwrap_or_default();
        let same = |e: &&RimEntry, r: &SpotRegion| Arc::ptr_eq(&e.positions, positions) && Arc::ptr_eq(&e.spots, &r.spots);
        let entry = |r: &&SpotRegion| {
            let found = old.iter().find(|e| same(e, r)).map(|e| Arc::clone(&e.found));
            let place = |&i: &u32| positions.get(i as usize).copied();
            let found = found.unwrap_or_else(|| r.spots.iter().filter_map(place).collect());
            RimEntry { positions: Arc::clone(positions), spots: Arc::clone(&r.spots), found }
        };
        let entries: Vec<RimEntry> = regions.iter().map(entry).collect();
        let found = entries.iter().map(|e| Arc::clone(&e.found)).collect();
        self.rims.insert(slot, entries);
        found
    }

    /// The pies of the spots within bounds (pane mm), or how many these are where they are too many; the same `Arc` as
    /// long as nothing changes.
    pub(super) fn pies(
        &mut self,
        id: ElementId,
        spots: &SpotsDrawn,
        fractions: &Arc<Fractions>,
        bounds: [DVec2; 2],
        lit: Option<&LitBy>,
    ) -> Result<Arc<Pies>, usize> {
        let entry = PiesEntry::renewed(self.pies.remove(&id), spots, fractions, bounds, lit);
        let found = entry.found();
        self.pies.insert(id, entry);
        found
    }

    /// All spots in mm of the section's plane; found once for all panes.
    fn placed(&mut self, id: ElementId, spots: &Arc<Spots>, mm_per_px: f64, warp: &Warp) -> Arc<[DVec2]> {
        let same = |e: &&PlacedEntry| Arc::ptr_eq(&e.spots, spots) && e.mm_per_px == mm_per_px && e.warp == *warp;
        if let Some(e) = self.placed.get(&id).filter(same) {
            return Arc::clone(&e.points);
        }
        let source: Vec<DVec2> = spots.px.par_iter().map(|px| *px * mm_per_px).collect();
        let points: Arc<[DVec2]> = warp.apply_all(&source).into();
        let entry = PlacedEntry { spots: Arc::clone(spots), mm_per_px, warp: warp.clone(), points: Arc::clone(&points) };
        self.placed.insert(id, entry);
        points
    }

    /// Spots in pane mm: of the section pane (no chain) or warped. The same `Arc` as long as nothing moves.
    pub(super) fn spots(&mut self, id: ElementId, section: &Section, chain: Option<&Chain<'_>>) -> Option<Arc<[[f32; 2]]>> {
        let spots = section.spots.as_ref()?;
        let mm_per_px = section.mm_per_px();
        let warp = chain.map_or(&Warp::IDENTITY, |c| c.warp);
        let mirrored = chain.is_some_and(|c| c.mirrored);
        let slot = (id, chain.is_some());
        let same = |e: &&SpotsEntry| {
            Arc::ptr_eq(&e.spots, spots) && e.mm_per_px == mm_per_px && e.mirrored == mirrored && e.warp == *warp
        };
        if let Some(e) = self.spots.get(&slot).filter(same) {
            return Some(Arc::clone(&e.positions));
        }
        let place = |p: DVec2| chain.map_or(p, |c| c.shown(p)).as_vec2().to_array();
        let positions: Vec<[f32; 2]> = match chain {
            Some(_) => self.placed(id, spots, mm_per_px, warp).par_iter().map(|p| place(*p)).collect(),
            None => spots.px.par_iter().map(|px| place(*px * mm_per_px)).collect(),
        };
        let positions: Arc<[[f32; 2]]> = positions.into();
        let entry =
            SpotsEntry { spots: Arc::clone(spots), mm_per_px, warp: warp.clone(), mirrored, positions: Arc::clone(&positions) };
        self.spots.insert(slot, entry);
        Some(positions)
    }
}

/// The values of some spots.
fn picked(kept: &[u32], values: &SpotValues) -> Arc<[f32]> {
    kept.iter().map(|&i| values.values.get(i as usize).copied().unwrap_or(f32::NAN)).collect()
}

/// A mesh over the bounds (section mm), right to 0.3 pixels at this zoom or of 160 cells along a side. The
/// target is plane mm.
fn mesh_for(warp: &Warp, bounds: [DVec2; 2], mm_per_px: f64) -> WarpMesh {
    let mesh = warp_mesh(warp, bounds, 0.3 * mm_per_px, 160);
    WarpMesh { columns: mesh.n_cells[0] + 1, rows: mesh.n_cells[1] + 1, source: mesh.source, target: mesh.target }
}
