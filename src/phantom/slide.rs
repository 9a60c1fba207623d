//! What is on the slide: muscle with its depth and state, vessels, glass. The picture and the spots
//! both ask here, so they agree.

use super::anatomy::Anatomy;
use super::chain::Chain;
use super::noise::{mix, noise2, smoothstep};
use super::tissue::{Region, TissueState};
use crate::space::{DVec2, DVec3};
use crate::stats::Stream;
use std::f64::consts::TAU;

/// Which muscle a point belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Muscle {
    LeftWall,
    Papillary,
    RightWall,
}

/// Tissue at a point of the slide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) muscle: Muscle,
    /// 0 at the endocardium, 1 at the epicardium; 0 in papillary muscles, 1 in the right wall.
    pub(super) depth: f64,
    pub(super) state: TissueState,
    /// 1 on the scar's surface, less inside.
    pub(super) scar_level: f64,
}

/// A cut vessel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vessel {
    /// Plane mm.
    pub(super) at: DVec2,
    pub(super) radius_mm: f64,
}

const BIN_MM: f64 = 3.0;
const N_BINS: usize = 40;

/// The cut, with its vessels sorted into square bins.
pub(super) struct Slide<'a> {
    pub(super) anatomy: &'a Anatomy,
    pub(super) chain: &'a Chain,
    bins: Vec<Vec<Vessel>>,
}

impl<'a> Slide<'a> {
    /// The cut of a heart.
    pub(super) fn new(anatomy: &'a Anatomy, chain: &'a Chain) -> Self {
        let shape = anatomy.diastole();
        let s = &mut Stream::new(anatomy.seed, 5);
        let mut bins = vec![Vec::new(); N_BINS * N_BINS];
        for i in 0..230 {
            let (angle, depth) = (s.between(0.0, TAU), s.between(0.08, 0.95));
            let radius = mix(shape.inner.radius(chain.z, angle), shape.outer.radius(chain.z, angle), depth);
            let largest = if i % 9 == 0 { 0.42 } else { 0.16 };
            let at = DVec2::new(-radius * angle.sin(), -radius * angle.cos());
            let vessel = Vessel { at, radius_mm: s.between(0.4, 1.0) * largest };
            for bin in near(at) {
                bins[bin].push(vessel);
            }
        }
        Self { anatomy, chain, bins }
    }

    /// Tissue at a point of the plane, `None` on glass.
    pub(super) fn piece(&self, p: DVec2) -> Option<Piece> {
        let (anatomy, shape) = (self.anatomy, self.anatomy.diastole());
        let h: DVec3 = self.chain.heart_from_plane(p * (1.0 + self.roughness(p) / p.length().max(1.0)));
        let healthy =
            |muscle, depth| Piece { muscle, depth, state: TissueState::Healthy, scar_level: anatomy.scar_level(shape, h, depth) };
        match anatomy.region(shape, h) {
            Region::Wall(depth) => {
                let scar_level = anatomy.scar_level(shape, h, depth);
                Some(Piece { muscle: Muscle::LeftWall, depth, state: anatomy.state(shape, h, depth), scar_level })
            }
            Region::Papillary => Some(healthy(Muscle::Papillary, 0.0)),
            Region::RvWall(along) if along < 0.17 + 0.02 * noise2(anatomy.seed, p.x * 0.45, p.y * 0.45) => {
                Some(healthy(Muscle::RightWall, 1.0))
            }
            _ => None,
        }
    }

    /// How far the cut surfaces are off the smooth shape here, mm along the radius: trabeculae inside, a
    /// little unevenness outside.
    fn roughness(&self, p: DVec2) -> f64 {
        let (seed, wall) = (self.anatomy.seed ^ 0x0276, self.anatomy.diastole());
        let (inner, outer) = (wall.inner.radius(self.chain.z, 0.0), wall.outer.radius(self.chain.z, 0.0));
        let amount = mix(0.32, 0.10, smoothstep(inner, outer, p.length()));
        amount * (0.75 * noise2(seed, p.x * 0.8, p.y * 0.8) + 0.35 * noise2(seed ^ 1, p.x * 3.1, p.y * 3.1))
    }

    /// Distance in mm from the surface of the nearest vessel (negative in its lumen) and its radius;
    /// `None` where none is near.
    pub(super) fn vessel(&self, p: DVec2) -> Option<(f64, f64)> {
        let bin = bin_of(p)?;
        self.bins[bin].iter().map(|v| (p.distance(v.at) - v.radius_mm, v.radius_mm)).min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

fn bin_of(p: DVec2) -> Option<usize> {
    let cell = |v: f64| {
        let i = (v / BIN_MM).floor() as i64 + N_BINS as i64 / 2;
        usize::try_from(i).ok().filter(|&i| i < N_BINS)
    };
    Some(cell(p.x)? + N_BINS * cell(p.y)?)
}

/// Bins within one step of a point.
fn near(p: DVec2) -> Vec<usize> {
    let steps = [-1.0, 0.0, 1.0];
    steps.iter().flat_map(|dx| steps.iter().filter_map(move |dy| bin_of(p + DVec2::new(*dx, *dy) * BIN_MM))).collect()
}
