//! A map of points that knows its dimensions: within a plane, from a plane into the patient, or in space.
//! It is what a transform on disk means, once its units are millimeters.

use super::{DAffine2, DAffine3, DMat2, DVec2, DVec3, Plane, Warp};
use crate::base::{Error, Result};

/// Moving to fixed points, mm to mm. Points of a plane have z = 0.
#[derive(Clone, Debug, PartialEq)]
pub enum PointMap {
    /// Plane to plane.
    Flat(Warp),
    /// Plane to a plane in the patient.
    Embedded(Warp, Plane),
    /// Space to space.
    Space(DAffine3),
}

impl PointMap {
    /// Coordinates of a moving point: 2 or 3.
    #[must_use]
    pub fn moving_dims(&self) -> usize {
        if matches!(self, Self::Space(_)) { 3 } else { 2 }
    }

    /// Coordinates of a fixed point: 2 or 3.
    #[must_use]
    pub fn fixed_dims(&self) -> usize {
        if matches!(self, Self::Flat(_)) { 2 } else { 3 }
    }

    /// Whether straight lines stay straight everywhere.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        match self {
            Self::Flat(w) | Self::Embedded(w, _) => matches!(w, Warp::Affine(_)),
            Self::Space(_) => true,
        }
    }

    /// The fixed point of a moving point.
    #[must_use]
    pub fn forth(&self, p: DVec3) -> DVec3 {
        match self {
            Self::Flat(w) => w.apply(p.truncate()).extend(0.0),
            Self::Embedded(w, plane) => plane.lps_from_plane(w.apply(p.truncate())),
            Self::Space(a) => a.transform_point3(p),
        }
    }

    /// The moving point that lands within `tolerance_mm` of a fixed point; of a point off the plane, that
    /// of its foot on the plane.
    pub fn back(&self, p: DVec3, tolerance_mm: f64) -> Result<DVec3> {
        match self {
            Self::Flat(w) => Ok(w.inverse_at(p.truncate(), tolerance_mm)?.extend(0.0)),
            Self::Embedded(w, plane) => Ok(w.inverse_at(plane.plane_from_lps(p), tolerance_mm)?.extend(0.0)),
            Self::Space(a) => Ok(inverse(a)?.transform_point3(p)),
        }
    }

    /// This map, then `next`; [`Error::Parameter`] where the dimensions do not meet. Linear maps give
    /// one linear map, others a chain.
    pub fn then(&self, next: &Self) -> Result<Self> {
        match (self, next) {
            (Self::Flat(a), Self::Flat(b)) => Ok(Self::Flat(one_after_other(a, b))),
            (Self::Flat(a), Self::Embedded(b, plane)) => Ok(Self::Embedded(one_after_other(a, b), *plane)),
            (Self::Embedded(a, plane), Self::Space(b)) => {
                let (moved, on_it) = moved_plane(plane, b)?;
                Ok(Self::Embedded(one_after_other(a, &Warp::Affine(on_it)), moved))
            }
            (Self::Space(a), Self::Space(b)) => Ok(Self::Space(*b * *a)),
            _ => Err(Error::parameter(format!(
                "the first transform ends in {} dimensions and the second begins in {}; they do not meet",
                self.fixed_dims(),
                next.moving_dims()
            ))),
        }
    }
}

/// The inverse of a map in space; [`Error::Degenerate`] where it has none.
pub fn inverse(a: &DAffine3) -> Result<DAffine3> {
    let det = a.matrix3.determinant();
    if !det.is_finite() || det.abs() < 1e-15 {
        return Err(Error::degenerate(format!("the transform has no inverse (determinant {det:e})")));
    }
    Ok(a.inverse())
}

/// Where a map of space brings a plane, and what it does within it.
fn moved_plane(plane: &Plane, a: &DAffine3) -> Result<(Plane, DAffine2)> {
    let [right, down] = [plane.right(), plane.down()].map(|v| a.transform_vector3(v));
    let moved = Plane::new(a.transform_point3(plane.origin()), right, down)?;
    let within = |v: DVec3| DVec2::new(v.dot(moved.right()), v.dot(moved.down()));
    Ok((moved, DAffine2::from_mat2_translation(DMat2::from_cols(within(right), within(down)), DVec2::ZERO)))
}

/// `a`, then `b`: one linear map where both are, else a chain without chains in it.
#[must_use]
pub fn one_after_other(a: &Warp, b: &Warp) -> Warp {
    let flat = |w: &Warp| if let Warp::Chain(parts) = w { parts.clone() } else { vec![w.clone()] };
    let mut parts: Vec<Warp> = Vec::new();
    for part in flat(a).into_iter().chain(flat(b)) {
        match (parts.last_mut(), &part) {
            (Some(Warp::Affine(last)), Warp::Affine(next)) => *last = *next * *last,
            _ => parts.push(part),
        }
    }
    if parts.len() == 1 { parts.remove(0) } else { Warp::Chain(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DMat3, ThinPlate};

    #[test]
    fn a_chain_is_its_parts() {
        let turn = Warp::Affine(DAffine2::from_scale_angle_translation(DVec2::new(1.2, 0.8), 0.4, DVec2::new(3.0, -1.0)));
        let bend = Warp::ThinPlate(ThinPlate {
            affine: DAffine2::IDENTITY,
            centers: vec![DVec2::ZERO, DVec2::new(4.0, 0.0), DVec2::new(0.0, 4.0)],
            weights: vec![DVec2::new(0.01, 0.0), DVec2::new(-0.02, 0.01), DVec2::new(0.01, -0.01)],
        });
        let plane = Plane::new(DVec3::new(1.0, 2.0, 3.0), DVec3::new(0.6, 0.8, 0.0), DVec3::Z).unwrap();
        let shear = DAffine3 {
            matrix3: DMat3::from_rotation_x(0.3) * DMat3::from_diagonal(DVec3::new(1.1, 0.9, 1.3)),
            translation: DVec3::X,
        };
        let maps = [PointMap::Flat(turn.clone()), PointMap::Flat(bend), PointMap::Embedded(turn, plane), PointMap::Space(shear)];
        let whole = maps.iter().skip(1).try_fold(maps[0].clone(), |a, b| a.then(b)).unwrap();
        for p in [DVec3::new(0.5, 0.25, 0.0), DVec3::new(9.0, -4.0, 0.0)] {
            let step = maps.iter().fold(p, |p, m| m.forth(p));
            assert!((whole.forth(p) - step).length() < 1e-12);
            assert!((whole.back(step, 1e-10).unwrap() - p).length() < 1e-8);
        }
        assert_eq!((whole.moving_dims(), whole.fixed_dims(), whole.is_linear()), (2, 3, false));
        assert!(maps[2].then(&maps[0]).is_err() && maps[0].then(&maps[3]).is_err());
        let both = maps[0].then(&maps[2]).unwrap();
        assert!(both.is_linear());
    }
}
