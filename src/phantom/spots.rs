//! Four capture areas on one hexagonal lattice, and what truly lies under each spot.

use super::slide::{Muscle, Slide};
use super::tissue::TissueState;
use crate::base::Result;
use crate::model::Spots;
use crate::space::{DVec2, DVec3};
use std::collections::BTreeMap;

/// Distance between neighboring spots in mm.
pub(super) const PITCH_MM: f64 = 0.1;
/// Diameter of a spot in mm.
const DIAMETER_MM: f64 = 0.055;
/// Side of a capture area in mm.
const AREA_MM: f64 = 6.5;

/// A capture area, named by what it was placed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// Middle of the infarct.
    Scar,
    /// Its edge on the lateral side.
    Border,
    /// Inferior half of the septum.
    Septum,
    /// Inferolateral wall, far from the infarct.
    Remote,
}

impl Area {
    /// All, in the order of the spots.
    pub const ALL: [Self; 4] = [Self::Scar, Self::Border, Self::Septum, Self::Remote];

    /// `scar`, `border`, `septum` or `remote`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scar => "scar",
            Self::Border => "border",
            Self::Septum => "septum",
            Self::Remote => "remote",
        }
    }
}

/// What truly lies under a spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotTruth {
    /// Its capture area.
    pub area: Area,
    /// State of the tissue; `None` on glass.
    pub state: TissueState,
    /// Transmural depth of the left ventricular wall, 0 endocardium, 1 epicardium.
    pub depth: Option<f64>,
    /// AHA segment of the left ventricular wall.
    pub segment: Option<u8>,
    /// Distance to the surface of the nearest vessel, mm; negative in its lumen, 9 where none is near.
    pub vessel_mm: f64,
}

/// Spots with their array positions and truth, area by area, row by row.
pub(super) struct Sampled {
    pub(super) spots: Spots,
    /// Row and column as on a Visium array: columns of odd rows are odd.
    pub(super) array: Vec<(u32, u32)>,
    pub(super) truth: Vec<SpotTruth>,
    /// True place of each spot in the plane, mm.
    pub(super) plane_mm: Vec<DVec2>,
    /// True place of each spot in the patient, LPS mm.
    pub(super) lps: Vec<DVec3>,
}

/// Puts the capture areas on the slide.
pub(super) fn sample(slide: &Slide) -> Result<Sampled> {
    let warp = &slide.chain.plane_from_section;
    let mut lattice: BTreeMap<(Area, u32, u32), DVec2> = BTreeMap::new();
    let mut taken: BTreeMap<(u32, u32), Area> = BTreeMap::new();
    for area in Area::ALL {
        let middle = warp.inverse_at(center(slide, area), 1e-6)?;
        for (row, col, at) in square(middle) {
            if *taken.entry((row, col)).or_insert(area) == area {
                lattice.insert((area, row, col), at);
            }
        }
    }
    let px_per_mm = 1000.0 / slide.chain.um_per_px;
    let px: Vec<DVec2> = lattice.values().map(|at| *at * px_per_mm).collect();
    let plane_mm: Vec<DVec2> = lattice.values().map(|at| warp.apply(*at)).collect();
    let truth: Vec<SpotTruth> = lattice.keys().zip(&plane_mm).map(|(key, p)| under(slide, key.0, *p)).collect();
    let in_tissue = truth.iter().map(|t| t.state != TissueState::None).collect();
    Ok(Sampled {
        spots: Spots { px: px.into(), diameter_px: DIAMETER_MM * px_per_mm, in_tissue },
        array: lattice.keys().map(|&(_, row, col)| (row, col)).collect(),
        truth,
        lps: plane_mm.iter().map(|p| slide.chain.plane.lps_from_plane(*p)).collect(),
        plane_mm,
    })
}

/// Middle of an area in plane mm: in the middle of the wall at the angle that gives it its name.
fn center(slide: &Slide, area: Area) -> DVec2 {
    let anatomy = slide.anatomy;
    let angle = match area {
        Area::Scar => anatomy.scar.angle,
        Area::Border => anatomy.scar.angle - 1.04 * anatomy.scar.half_angle,
        Area::Septum => anatomy.insertions[0] + 86f64.to_radians(),
        Area::Remote => anatomy.insertions[0] + 212f64.to_radians(),
    };
    let (shape, z) = (anatomy.diastole(), slide.chain.z);
    let radius = 0.5 * (shape.inner.radius(z, angle) + shape.outer.radius(z, angle));
    DVec2::new(-radius * angle.sin(), -radius * angle.cos())
}

/// Lattice positions (row, column, section mm) in a square around a point.
fn square(middle: DVec2) -> impl Iterator<Item = (u32, u32, DVec2)> {
    let (dx, dy) = (PITCH_MM / 2.0, PITCH_MM * 0.75f64.sqrt());
    let half = AREA_MM / 2.0;
    let range =
        move |at: f64, step: f64| ((at - half) / step).ceil().max(0.0) as u32..=((at + half) / step).floor().max(0.0) as u32;
    range(middle.y, dy).flat_map(move |row| {
        range(middle.x, dx)
            .filter(move |col| col % 2 == row % 2)
            .map(move |col| (row, col, DVec2::new(f64::from(col) * dx, f64::from(row) * dy)))
    })
}

fn under(slide: &Slide, area: Area, p: DVec2) -> SpotTruth {
    let vessel_mm = slide.vessel(p).map_or(9.0, |(away, _)| away);
    let Some(piece) = slide.piece(p) else {
        return SpotTruth { area, state: TissueState::None, depth: None, segment: None, vessel_mm };
    };
    let wall = piece.muscle == Muscle::LeftWall;
    SpotTruth {
        area,
        state: piece.state,
        depth: wall.then_some(piece.depth),
        segment: wall.then(|| slide.anatomy.segment(slide.chain.heart_from_plane(p))),
        vessel_mm,
    }
}
