//! An oriented cut through patient space, and the letters on its edges.

use super::{DMat3, DVec2, DVec3};
use crate::base::{Error, Result};

/// A plane in the patient: `right` and `down` are the screen axes. The viewer looks along
/// `normal() = right × down`, into the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    origin: DVec3,
    right: DVec3,
    down: DVec3,
}

impl Plane {
    /// A plane through `origin` (patient mm). The axes are made unit and perpendicular (`right` is
    /// kept; axes that are unit and perpendicular already stay to the bit); refused where they are
    /// parallel or not finite.
    pub fn new(origin: DVec3, right: DVec3, down: DVec3) -> Result<Self> {
        let is_unit = |v: DVec3| (v.length_squared() - 1.0).abs() < 1e-14;
        if origin.is_finite() && is_unit(right) && is_unit(down) && right.dot(down).abs() < 1e-14 {
            return Ok(Self { origin, right, down });
        }
        let unit = right.try_normalize();
        let flat = unit.and_then(|r| (down - r * down.dot(r)).try_normalize());
        match (unit, flat) {
            (Some(right), Some(down)) if origin.is_finite() => Ok(Self { origin, right, down }),
            _ => Err(Error::degenerate(format!("no plane through {origin} with axes {right} and {down}"))),
        }
    }

    /// Axial, seen from the feet: patient's right on the left of the screen.
    #[must_use]
    pub fn axial(origin: DVec3) -> Self {
        Self { origin, right: DVec3::X, down: DVec3::Y }
    }

    /// Coronal, seen from the front.
    #[must_use]
    pub fn coronal(origin: DVec3) -> Self {
        Self { origin, right: DVec3::X, down: DVec3::NEG_Z }
    }

    /// Sagittal, seen from the patient's left: front on the left of the screen.
    #[must_use]
    pub fn sagittal(origin: DVec3) -> Self {
        Self { origin, right: DVec3::Y, down: DVec3::NEG_Z }
    }

    /// The patient point at plane coordinates (0, 0).
    #[must_use]
    pub fn origin(&self) -> DVec3 {
        self.origin
    }

    /// Unit vector to the right of the screen.
    #[must_use]
    pub fn right(&self) -> DVec3 {
        self.right
    }

    /// Unit vector down the screen.
    #[must_use]
    pub fn down(&self) -> DVec3 {
        self.down
    }

    /// Unit vector into the screen.
    #[must_use]
    pub fn normal(&self) -> DVec3 {
        self.right.cross(self.down)
    }

    /// Patient mm from plane mm.
    #[must_use]
    pub fn lps_from_plane(&self, p: DVec2) -> DVec3 {
        self.origin + self.right * p.x + self.down * p.y
    }

    /// Plane mm of the foot of the perpendicular from a patient point.
    #[must_use]
    pub fn plane_from_lps(&self, lps: DVec3) -> DVec2 {
        let d = lps - self.origin;
        DVec2::new(d.dot(self.right), d.dot(self.down))
    }

    /// Signed distance of a patient point along the normal, in mm.
    #[must_use]
    pub fn distance_mm(&self, lps: DVec3) -> f64 {
        (lps - self.origin).dot(self.normal())
    }

    /// The same orientation through another point.
    #[must_use]
    pub fn through(&self, origin: DVec3) -> Self {
        Self { origin, ..*self }
    }

    /// Turned about an axis (unit vector) through a patient point by an angle in radians, counter-clockwise for a
    /// viewer whom the axis points at.
    #[must_use]
    pub fn turned(&self, pivot: DVec3, axis: DVec3, angle: f64) -> Self {
        let turn = DMat3::from_axis_angle(axis, angle);
        let origin = pivot + turn * (self.origin - pivot);
        let right = (turn * self.right).normalize();
        // Rounding must not add up over many turns.
        let down = (turn * self.down - right * right.dot(turn * self.down)).normalize();
        Self { origin, right, down }
    }

    /// Mirrored left to right (neurological display); the data stay.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self { right: -self.right, ..*self }
    }
}

/// Letters of a patient direction, largest component first, as `AL`; a component under a quarter of
/// the largest is left out. R L A P S I.
#[must_use]
pub fn orientation_letters(direction: DVec3) -> String {
    let mut parts = [(direction.x, 'L', 'R'), (direction.y, 'P', 'A'), (direction.z, 'S', 'I')];
    parts.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let least = parts[0].0.abs() * 0.25;
    parts
        .iter()
        .filter(|(v, _, _)| v.abs() > least.max(1e-9))
        .map(|&(v, plus, minus)| if v > 0.0 { plus } else { minus })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axial_is_radiological() {
        let plane = Plane::axial(DVec3::ZERO);
        assert_eq!(orientation_letters(plane.right()), "L");
        assert_eq!(orientation_letters(plane.down()), "P");
        assert_eq!(plane.normal(), DVec3::Z);
        assert_eq!(orientation_letters(DVec3::new(0.5, -0.8, 0.1)), "AL");
    }

    #[test]
    fn to_plane_and_back() {
        let plane = Plane::new(DVec3::new(1.0, 2.0, 3.0), DVec3::new(1.0, 1.0, 0.0), DVec3::new(0.0, 1.0, 1.0)).unwrap();
        let p = DVec2::new(-4.0, 7.5);
        assert!((plane.plane_from_lps(plane.lps_from_plane(p)) - p).length() < 1e-12);
        assert!(Plane::new(DVec3::ZERO, DVec3::X, DVec3::X).is_err());
    }

    #[test]
    fn a_turn_keeps_the_pivot() {
        let (plane, pivot) = (Plane::coronal(DVec3::new(1.0, 2.0, 3.0)), DVec3::new(5.0, 2.0, -4.0));
        let quarter = plane.turned(pivot, DVec3::Z, std::f64::consts::FRAC_PI_2);
        assert!((quarter.right() - DVec3::Y).length() < 1e-12 && (quarter.down() + DVec3::Z).length() < 1e-12);
        assert!(quarter.distance_mm(pivot).abs() < 1e-12);
        let back = (0..1000).fold(plane, |p, _| p.turned(pivot, DVec3::Y, 0.02)).turned(pivot, DVec3::Y, -20.0);
        assert!((back.origin() - plane.origin()).length() < 1e-9 && (back.right() - plane.right()).length() < 1e-9);
    }
}
