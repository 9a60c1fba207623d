//! Spots as pies of their cell types, where they are large enough on the screen and not too many are in sight.

use super::cache::LitBy;
use super::shared::{Pane, lit_by};
use super::{Inputs, SceneCache};
use crate::model::{ColorMap, ElementId};
use crate::scene::{Mark, Pies, SpotsDrawn, color_table};
use crate::space::DVec2;
use std::sync::Arc;

/// Pies have at least this radius in points; smaller ones cannot be read.
pub const LEAST_PIE_PX: f64 = 4.0;
/// So many pies are drawn at most.
pub const MOST_PIES: usize = 3000;
/// Opacity of the pies that do not light up.
const UNLIT: f32 = 0.2;

/// Shares of cell types at the spots of a section.
#[derive(Clone, Debug, PartialEq)]
pub struct Fractions {
    /// Names of the types; type i has color i of [`ColorMap::Categories`].
    pub names: Vec<String>,
    /// For each type one share per spot, 0 to 1; NaN where there is none.
    pub values: Vec<Arc<[f32]>>,
}

impl Fractions {
    /// The shares of a spot; `None` where one is missing or all are 0.
    fn of(&self, spot: usize) -> Option<Vec<f32>> {
        let shares: Option<Vec<f32>> = self.values.iter().map(|v| v.get(spot).copied().filter(|s| s.is_finite())).collect();
        shares.filter(|s| s.iter().any(|v| *v > 0.0))
    }
}

/// What pies were made from.
#[derive(Debug)]
pub(super) struct PiesEntry {
    positions: Arc<[[f32; 2]]>,
    fractions: Arc<Fractions>,
    bounds: [DVec2; 2],
    lit: Option<LitBy>,
    radius_mm: f32,
    opacity: f32,
    /// The pies, or how many spots are in sight where these are too many.
    found: Result<Arc<Pies>, usize>,
}

/// Draws the pies of a section and their legend, or a line that says why there are none. Cost: one pass over the spots
/// whenever the camera moves and spots are large enough, else nothing.
pub(super) fn draw(
    pane: &mut Pane,
    inputs: &Inputs<'_>,
    cache: &mut SceneCache,
    id: ElementId,
    spots: &SpotsDrawn,
) -> Option<String> {
    let fractions = inputs.derived.cell_types.get(&id).filter(|_| inputs.view.pies)?;
    let camera = pane.scene.camera;
    if f64::from(spots.radius_mm) / camera.mm_per_px < LEAST_PIE_PX * f64::from(inputs.pixels_per_point) {
        return Some("Pies: spots too small, zoom in".into());
    }
    let size = pane.scene.size_px;
    let far = DVec2::new(f64::from(size[0]), f64::from(size[1]));
    let reach = DVec2::splat(f64::from(spots.radius_mm));
    let bounds = [camera.mm_from_px(size, DVec2::ZERO) - reach, camera.mm_from_px(size, far) + reach];
    let lit = lit_by(inputs, id);
    match cache.pies(id, spots, fractions, bounds, lit.as_ref()) {
        Ok(pies) => {
            pane.scene.marks.retain(|m| !matches!(m, Mark::ColorBar { .. }));
            pane.mark(Mark::Pies(pies));
            pane.mark(Mark::ColorBar {
                color_map: ColorMap::Categories,
                low: 0.0,
                high: 255.0,
                title: "Cell types".into(),
                rule: "fractions of each spot".into(),
                names: fractions.names.clone(),
            });
            None
        }
        Err(n) => Some(format!("Pies: {n} spots in sight, at most {MOST_PIES}; zoom in")),
    }
}

impl PiesEntry {
    /// The same entry where nothing it was made from changed, else a new one.
    pub(super) fn renewed(
        old: Option<Self>,
        spots: &SpotsDrawn,
        fractions: &Arc<Fractions>,
        bounds: [DVec2; 2],
        lit: Option<&LitBy>,
    ) -> Self {
        let same_lit = |e: &Self| match (&e.lit, lit) {
            (None, None) => true,
            (Some(a), Some(b)) => a.is_same(b),
            _ => false,
        };
        let same = |e: &Self| {
            Arc::ptr_eq(&e.positions, &spots.positions)
                && Arc::ptr_eq(&e.fractions, fractions)
                && (e.bounds, e.radius_mm, e.opacity) == (bounds, spots.radius_mm, spots.opacity)
                && same_lit(e)
        };
        old.filter(same).unwrap_or_else(|| Self {
            positions: Arc::clone(&spots.positions),
            fractions: Arc::clone(fractions),
            bounds,
            lit: lit.cloned(),
            radius_mm: spots.radius_mm,
            opacity: spots.opacity,
            found: found(spots, fractions, bounds, lit),
        })
    }

    pub(super) fn found(&self) -> Result<Arc<Pies>, usize> {
        self.found.clone()
    }
}

fn found(spots: &SpotsDrawn, fractions: &Fractions, [low, high]: [DVec2; 2], lit: Option<&LitBy>) -> Result<Arc<Pies>, usize> {
    let place = |p: &[f32; 2]| DVec2::new(f64::from(p[0]), f64::from(p[1]));
    let is_inside = |p: &[f32; 2]| place(p).cmpge(low).all() && place(p).cmple(high).all();
    let inside: Vec<usize> = (0..spots.positions.len()).filter(|&i| is_inside(&spots.positions[i])).collect();
    if inside.len() > MOST_PIES {
        return Err(inside.len());
    }
    let mut pies = Pies { centers: vec![], shares: vec![], opacity: vec![], rgb: vec![], radius_mm: f64::from(spots.radius_mm) };
    let table = color_table(ColorMap::Categories);
    pies.rgb = (0..fractions.names.len()).map(|i| table[i.min(255)]).collect();
    for spot in inside {
        let Some(shares) = fractions.of(spot) else { continue };
        let share = if lit.is_none_or(|l| l.holds(spot)) { 1.0 } else { UNLIT };
        pies.centers.push(place(&spots.positions[spot]));
        pies.shares.extend(shares);
        pies.opacity.push((255.0 * share * spots.opacity) as u8);
    }
    Ok(Arc::new(pies))
}
