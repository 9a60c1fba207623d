//! What is remembered between frames: planes, meshes, warped spots. Entries hold what they were made from
//! and are made again when that is not the same object or value any more.

use super::chain::{Chain, shown};
use crate::model::{ElementId, LabelMap, Section, Spots, Study, Volume};
use crate::scene::WarpMesh;
use crate::scene::planes::default_planes;
use crate::space::{DVec2, Plane, Warp, warp_mesh};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Memory of [`super::build`]; one for all panes of a window.
#[derive(Debug, Default)]
pub struct SceneCache {
    planes: Option<PlanesEntry>,
    meshes: BTreeMap<(ElementId, bool), MeshEntry>,
    spots: BTreeMap<(ElementId, bool), SpotsEntry>,
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
        if !self.planes.as_ref().is_some_and(|e| study.volumes().any(|(_, v)| Arc::ptr_eq(v, &e.volume))) {
            self.planes = None;
        }
    }

    /// The planes found from the volume and its labels.
    pub(super) fn planes(&mut self, volume: &Arc<Volume>, labels: Option<&Arc<LabelMap>>) -> [Plane; 3] {
        let same_labels = |e: &PlanesEntry| match (&e.labels, labels) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        if let Some(e) = self.planes.as_ref().filter(|e| Arc::ptr_eq(&e.volume, volume) && same_labels(e)) {
            return e.planes;
        }
        let planes = default_planes(volume, labels.map(Arc::as_ref));
        self.planes = Some(PlanesEntry { volume: Arc::clone(volume), labels: labels.cloned(), planes });
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
        let place = |px: &DVec2| {
            let p = warp.apply(*px * mm_per_px);
            let p = chain.map_or(p, |c| c.shown(p));
            [p.x as f32, p.y as f32]
        };
        let positions: Arc<[[f32; 2]]> = spots.px.par_iter().map(place).collect::<Vec<_>>().into();
        let entry =
            SpotsEntry { spots: Arc::clone(spots), mm_per_px, warp: warp.clone(), mirrored, positions: Arc::clone(&positions) };
        self.spots.insert(slot, entry);
        Some(positions)
    }
}

/// A mesh over the bounds (section mm), right to 0.3 pixels at this zoom or of 160 cells along a side. The
/// target is plane mm.
fn mesh_for(warp: &Warp, bounds: [DVec2; 2], mm_per_px: f64) -> WarpMesh {
    let mesh = warp_mesh(warp, bounds, 0.3 * mm_per_px, 160);
    WarpMesh { columns: mesh.n_cells[0] + 1, rows: mesh.n_cells[1] + 1, source: mesh.source, target: mesh.target }
}
