//! The left ventricle at one phase: two ellipsoids cut by a tilted basal plane, and their volumes in
//! closed form.

use crate::space::{DVec2, DVec3};
use std::f64::consts::PI;

/// An ellipsoid around the long axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ellipsoid {
    /// Half axes towards the septum and the anterior wall, mm.
    pub(super) across: DVec2,
    /// Half axis along the long axis, mm.
    pub(super) long: f64,
    /// Height of its middle above the epicardial apex, mm.
    pub(super) center: f64,
}

impl Ellipsoid {
    /// 1 on the surface, less inside.
    pub(super) fn level(&self, h: DVec3) -> f64 {
        let (x, y, z) = (h.x / self.across.x, h.y / self.across.y, (h.z - self.center) / self.long);
        (x * x + y * y + z * z).sqrt()
    }

    /// Distance of the surface from the long axis at a height and an angle, 0 beyond the end.
    pub(super) fn radius(&self, z: f64, angle: f64) -> f64 {
        let up = (z - self.center) / self.long;
        let flat = ((angle.sin() / self.across.x).powi(2) + (angle.cos() / self.across.y).powi(2)).sqrt();
        (1.0 - up * up).max(0.0).sqrt() / flat
    }
}

/// mL of an ellipsoid below the plane `z = height + tilt · (x, y)`: the affine image of a cut unit ball.
pub(super) fn cut_volume_ml(e: &Ellipsoid, height: f64, tilt: DVec2) -> f64 {
    let d = (height - e.center) / (e.long.powi(2) + (tilt * e.across).length_squared()).sqrt();
    let d = d.clamp(-1.0, 1.0);
    e.across.x * e.across.y * e.long * PI * (2.0 / 3.0 + d - d.powi(3) / 3.0) / 1000.0
}

/// The left ventricle at one phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) inner: Ellipsoid,
    pub(super) outer: Ellipsoid,
    /// Height of the basal plane on the axis, mm above the epicardial apex.
    pub(super) height: f64,
    /// Slope of the basal plane towards the septum and the anterior wall.
    pub(super) tilt: DVec2,
    /// Thickness of the apex in mm; the cavity begins there.
    pub(super) apex_wall: f64,
    /// 0 at end-diastole, 1 at end-systole.
    pub(super) active: f64,
}

impl Shape {
    /// mL of the cavity, papillary muscles included.
    pub(super) fn cavity_ml(&self) -> f64 {
        cut_volume_ml(&self.inner, self.height, self.tilt)
    }

    /// mL of the wall.
    pub(super) fn muscle_ml(&self) -> f64 {
        cut_volume_ml(&self.outer, self.height, self.tilt) - self.cavity_ml()
    }

    /// 0 at the end of the cavity, 1 at the base.
    pub(super) fn level(&self, z: f64) -> f64 {
        (z - self.apex_wall) / (self.height - self.apex_wall)
    }

    /// The height of a level.
    pub(super) fn z_of_level(&self, level: f64) -> f64 {
        self.apex_wall + level * (self.height - self.apex_wall)
    }

    /// Whether a point lies below the basal plane.
    pub(super) fn below_base(&self, h: DVec3) -> bool {
        h.z <= self.height + self.tilt.x * h.x + self.tilt.y * h.y
    }

    /// Rotation around the long axis since end-diastole in radians: the apex turns counter-clockwise for
    /// a viewer at the apex, the base clockwise.
    pub(super) fn twist(&self, z: f64) -> f64 {
        super::noise::mix(10.0, -4.0, self.level(z).clamp(0.0, 1.1)).to_radians() * self.active
    }
}
