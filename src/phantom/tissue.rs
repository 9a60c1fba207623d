//! What lies at a point of the heart at a phase: cavity, wall with its depth and state, right ventricle.

use super::anatomy::Anatomy;
use super::noise::{mix, noise3, smoothstep};
use super::shape::Shape;
use crate::space::DVec3;
use std::f64::consts::{PI, TAU};

/// Thickness of the right ventricle's free wall, mm.
const RV_WALL_MM: f64 = 3.4;
/// Where the border zone ends, in units of the scar's ellipsoid.
const BORDER_LEVEL: f64 = 1.19;

/// State of the muscle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TissueState {
    /// No tissue: glass or blood.
    None,
    /// Healthy muscle.
    Healthy,
    /// Border zone of the infarct.
    Border,
    /// Infarct scar.
    Scar,
}

impl TissueState {
    /// `none`, `healthy`, `border` or `scar`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Healthy => "healthy",
            Self::Border => "border",
            Self::Scar => "scar",
        }
    }
}

/// What lies at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Region {
    /// Nothing of the heart.
    Outside,
    /// Above the basal plane and within the outline: atria and outflow.
    AboveBase,
    /// Blood of the left ventricle.
    Cavity,
    /// A papillary muscle, within the cavity.
    Papillary,
    /// Left ventricular wall; depth 0 at the endocardium, 1 at the epicardium.
    Wall(f64),
    /// Blood of the right ventricle.
    RvCavity,
    /// Free wall of the right ventricle; how far it is from the nearer insertion, 0..0.5 of the arc.
    RvWall(f64),
}

/// Angle of a heart point: 0 anterior, +90° septal.
pub(super) fn angle_of(h: DVec3) -> f64 {
    h.x.atan2(h.y)
}

/// Difference of two angles in (-π, π].
pub(super) fn turn(a: f64, b: f64) -> f64 {
    let d = (a - b).rem_euclid(TAU);
    if d > PI { d - TAU } else { d }
}

impl Anatomy {
    /// What lies at heart point `h` in the given shape.
    pub(super) fn region(&self, shape: &Shape, h: DVec3) -> Region {
        let outer = shape.outer.level(h);
        if outer < 1.0 {
            if !shape.below_base(h) {
                return Region::AboveBase;
            }
            let inner = shape.inner.level(h);
            if inner >= 1.0 {
                return Region::Wall((inner - 1.0) / ((inner - 1.0) + (1.0 - outer)));
            }
            return if self.is_papillary(shape, h) { Region::Papillary } else { Region::Cavity };
        }
        if h.z < 0.0 || h.z > shape.height + 12.0 {
            return Region::Outside;
        }
        self.right_ventricle(shape, h)
    }

    fn right_ventricle(&self, shape: &Shape, h: DVec3) -> Region {
        let angle = angle_of(h);
        let span = self.insertions[1] - self.insertions[0];
        let along = turn(angle - shape.twist(h.z), self.insertions[0]) / span;
        if !(-0.09..=1.09).contains(&along) {
            return Region::Outside;
        }
        let width = self.rv_width_mm(shape, h.z);
        let radius = h.x.hypot(h.y);
        let edge = shape.outer.radius(h.z, angle) + width * (PI * along.clamp(0.0, 1.0)).sin();
        let thick = RV_WALL_MM * smoothstep(-0.09, 0.05, along.min(1.0 - along));
        let slope = width * PI * (PI * along).cos() / (span * edge.max(1.0));
        if radius < edge {
            return if shape.below_base(h) { Region::RvCavity } else { Region::AboveBase };
        }
        if width > 1.0 && shape.below_base(h) && radius < edge + thick * (1.0 + slope * slope).sqrt() {
            return Region::RvWall(along.min(1.0 - along).max(0.0));
        }
        Region::Outside
    }

    /// Greatest width of the right cavity at a height.
    fn rv_width_mm(&self, shape: &Shape, z: f64) -> f64 {
        self.rv_depth_mm * smoothstep(0.04, 0.68, shape.level(z)) * (1.0 - 0.36 * shape.active)
    }

    /// Heart x, y of the free right wall at end-diastole, in its middle, at a share of the arc between
    /// the insertions.
    pub(super) fn rv_wall_point(&self, z: f64, along: f64) -> (f64, f64) {
        let shape = self.diastole();
        let angle = mix(self.insertions[0], self.insertions[1], along) + shape.twist(z);
        let bulge = self.rv_width_mm(shape, z) * (PI * along).sin();
        let radius = shape.outer.radius(z, angle) + bulge + 0.5 * RV_WALL_MM;
        (radius * angle.sin(), radius * angle.cos())
    }

    fn is_papillary(&self, shape: &Shape, h: DVec3) -> bool {
        let along = (shape.level(h.z) - 0.42) / 0.23;
        if along.abs() >= 1.0 {
            return false;
        }
        let lobes = 1.0 + 0.16 * noise3(self.seed ^ 0x9A91, h.x * 0.3, h.y * 0.3, h.z * 0.08);
        let size = self.papillary_mm * (1.0 - along * along).sqrt() * lobes;
        (0..2).any(|i| {
            let (x, y) = self.papillary_center(shape, i, h.z);
            (h.x - x).powi(2) + (h.y - y).powi(2) < size * size
        })
    }

    /// Where papillary muscle `i` is at a height (heart x, y in mm).
    pub(super) fn papillary_center(&self, shape: &Shape, i: usize, z: f64) -> (f64, f64) {
        let angle = self.papillary_angles[i] + shape.twist(z);
        let radius = shape.inner.radius(z, angle) - 0.8 * self.papillary_mm;
        (radius * angle.sin(), radius * angle.cos())
    }

    /// State of the wall at a depth below heart point `h`.
    pub(super) fn state(&self, shape: &Shape, h: DVec3, depth: f64) -> TissueState {
        let extent = self.scar_level(shape, h, depth);
        match extent {
            q if q < 1.0 => TissueState::Scar,
            q if q < BORDER_LEVEL => TissueState::Border,
            _ => TissueState::Healthy,
        }
    }

    /// 1 on the scar's surface, less inside; wobbles so that the outline is not a perfect ellipsoid.
    pub(super) fn scar_level(&self, shape: &Shape, h: DVec3, depth: f64) -> f64 {
        let scar = &self.scar;
        let angle = turn(angle_of(h) - shape.twist(h.z), scar.angle);
        let (u, v) = (angle / scar.half_angle, (shape.level(h.z) - scar.level) / scar.half_level);
        let q = ((u * u + v * v).powi(2) + (depth / scar.depth).powi(4)).sqrt().sqrt();
        if q > 2.0 {
            return q;
        }
        q * (1.0 + 0.11 * noise3(self.seed ^ 0x5CA2, angle * 11.0, h.z / 7.0, depth * 3.0))
    }

    /// AHA segment of a wall point at end-diastole, 1 to 17: fixed 60° from the anterior insertion,
    /// thirds of the cavity's length, 17 beyond its end.
    pub(super) fn segment(&self, h: DVec3) -> u8 {
        let level = self.diastole().level(h.z);
        if level <= 0.0 {
            return 17;
        }
        let phi = (angle_of(h) - self.insertions[0]).to_degrees().rem_euclid(360.0);
        if level <= 1.0 / 3.0 {
            return match phi {
                p if (15.0..105.0).contains(&p) => 14,
                p if (105.0..195.0).contains(&p) => 15,
                p if (195.0..285.0).contains(&p) => 16,
                _ => 13,
            };
        }
        let sector = [2, 3, 4, 5, 6, 1][((phi / 60.0) as usize).min(5)];
        if level > 2.0 / 3.0 { sector } else { sector + 6 }
    }
}
