//! Any map of the section plane onto another plane: affine, thin plate, moving least squares, or a
//! chain of them. Points go `target_from_source`; the inverse is found by Newton's method and refused
//! where the warp folds.

use super::newton::damped_newton;
use super::{DAffine2, DMat2, DVec2, ThinPlate};
use crate::base::{Error, Result};
use rayon::prelude::*;

/// A 2-D warp, mm to mm.
#[derive(Clone, Debug, PartialEq)]
pub enum Warp {
    /// A linear map.
    Affine(DAffine2),
    /// A thin-plate spline.
    ThinPlate(ThinPlate),
    /// Moving least squares (Schaefer, `McPhail`, Warren 2006).
    MovingLeastSquares(MovingLeastSquares),
    /// Warps applied one after the other, the first first.
    Chain(Vec<Warp>),
}

/// Which maps the moving least squares may use locally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MlsKind {
    /// Rotation and shift.
    Rigid,
    /// Rotation, one scale and shift.
    Similarity,
    /// Any linear map.
    Affine,
}

/// Moving least squares with weight `1 / |p − v|²` (α = 1).
#[derive(Clone, Debug, PartialEq)]
pub struct MovingLeastSquares {
    /// Which local maps.
    pub kind: MlsKind,
    /// Control points in the source space.
    pub source: Vec<DVec2>,
    /// Where they go.
    pub target: Vec<DVec2>,
}

impl Warp {
    /// No change.
    pub const IDENTITY: Self = Self::Affine(DAffine2::IDENTITY);

    /// The target of a source point.
    #[must_use]
    pub fn apply(&self, p: DVec2) -> DVec2 {
        match self {
            Self::Affine(a) => a.transform_point2(p),
            Self::ThinPlate(t) => t.apply(p),
            Self::MovingLeastSquares(m) => m.apply(p),
            Self::Chain(parts) => parts.iter().fold(p, |p, w| w.apply(p)),
        }
    }

    /// The targets of many points on all cores, as [`Self::apply`] to 10⁻¹¹ of the bending, but several times
    /// faster than one by one.
    #[must_use]
    pub fn apply_all(&self, points: &[DVec2]) -> Vec<DVec2> {
        points.par_chunks(1024).map(|chunk| self.apply_chunk(chunk)).collect::<Vec<_>>().concat()
    }

    fn apply_chunk(&self, points: &[DVec2]) -> Vec<DVec2> {
        match self {
            Self::ThinPlate(t) => t.apply_all(points),
            Self::Chain(parts) => parts.iter().fold(points.to_vec(), |p, part| part.apply_chunk(&p)),
            _ => points.iter().map(|p| self.apply(*p)).collect(),
        }
    }

    /// Derivative at a source point (columns are ∂/∂x and ∂/∂y).
    #[must_use]
    pub fn jacobian(&self, p: DVec2) -> DMat2 {
        match self {
            Self::Affine(a) => a.matrix2,
            Self::ThinPlate(t) => t.jacobian(p),
            Self::MovingLeastSquares(m) => m.jacobian(p),
            Self::Chain(parts) => {
                let step = |(p, j): (DVec2, DMat2), w: &Self| (w.apply(p), w.jacobian(p) * j);
                parts.iter().fold((p, DMat2::IDENTITY), step).1
            }
        }
    }

    /// The source point that lands within `tolerance_mm` of `target` (damped Newton from the inverse
    /// of the linear part, then from points around it). [`Error::Degenerate`] where none is found or
    /// the warp is folded there.
    pub fn inverse_at(&self, target: DVec2, tolerance_mm: f64) -> Result<DVec2> {
        if let Self::Affine(a) = self {
            return invert(*a).map(|a| a.transform_point2(target));
        }
        if let Self::Chain(parts) = self {
            return parts.iter().rev().try_fold(target, |p, w| w.inverse_at(p, tolerance_mm));
        }
        let start = invert(self.linear_part())?.transform_point2(target);
        let source = self.newton(start, target, tolerance_mm)?;
        if self.jacobian(source).determinant() * self.linear_part().matrix2.determinant() <= 0.0 {
            return Err(Error::degenerate(format!("the warp is folded at {source}, so it has no inverse there")));
        }
        Ok(source)
    }

    /// The linear part that is right far away from the control points, or everywhere for an affine.
    #[must_use]
    pub fn linear_part(&self) -> DAffine2 {
        match self {
            Self::Affine(a) => *a,
            Self::ThinPlate(t) => t.affine,
            Self::MovingLeastSquares(m) => m.global_affine(),
            Self::Chain(parts) => parts.iter().fold(DAffine2::IDENTITY, |a, w| w.linear_part() * a),
        }
    }

    fn newton(&self, start: DVec2, target: DVec2, tolerance_mm: f64) -> Result<DVec2> {
        let step = |p: DVec2, miss: DVec2| {
            let j = self.jacobian(p);
            (j.determinant().abs() >= 1e-14).then(|| j.inverse() * miss)
        };
        damped_newton(start, tolerance_mm, |p| self.apply(p) - target, step, DVec2::length)
            .ok_or_else(|| Error::degenerate(format!("no source point of the warp lands on {target}")))
    }
}

fn invert(a: DAffine2) -> Result<DAffine2> {
    let det = a.matrix2.determinant();
    if det.abs() < 1e-15 || !det.is_finite() {
        return Err(Error::degenerate(format!("the linear part of the warp has no inverse (determinant {det:e})")));
    }
    Ok(a.inverse())
}

impl MovingLeastSquares {
    /// The target of a source point; at a control point, exactly its partner.
    #[must_use]
    pub fn apply(&self, v: DVec2) -> DVec2 {
        let Some(local) = self.local(v) else {
            let at = self.source.iter().position(|p| p.distance_squared(v) < 1e-24);
            return at.map_or(v, |i| self.target[i]);
        };
        local.transform_point2(v)
    }

    /// Central differences with a step of 10⁻⁵ mm.
    fn jacobian(&self, p: DVec2) -> DMat2 {
        let h = 1e-5;
        let dx = self.apply(p + DVec2::X * h) - self.apply(p - DVec2::X * h);
        let dy = self.apply(p + DVec2::Y * h) - self.apply(p - DVec2::Y * h);
        DMat2::from_cols(dx / (2.0 * h), dy / (2.0 * h))
    }

    /// The unweighted fit, as a start for the inverse.
    fn global_affine(&self) -> DAffine2 {
        self.fit(&vec![1.0; self.source.len()])
    }

    fn local(&self, v: DVec2) -> Option<DAffine2> {
        let weights: Vec<f64> = self.source.iter().map(|p| 1.0 / p.distance_squared(v)).collect();
        weights.iter().all(|w| w.is_finite() && *w < 1e24).then(|| self.fit(&weights))
    }

    fn fit(&self, weights: &[f64]) -> DAffine2 {
        let total: f64 = weights.iter().sum();
        let mean = |points: &[DVec2]| points.iter().zip(weights).map(|(p, w)| *p * *w).sum::<DVec2>() / total;
        let (p_mean, q_mean) = (mean(&self.source), mean(&self.target));
        let linear = match self.kind {
            MlsKind::Affine => self.fit_affine(weights, p_mean, q_mean),
            MlsKind::Similarity | MlsKind::Rigid => self.fit_similarity(weights, p_mean, q_mean),
        };
        DAffine2::from_mat2_translation(linear, q_mean - linear * p_mean)
    }

    fn fit_affine(&self, weights: &[f64], p_mean: DVec2, q_mean: DVec2) -> DMat2 {
        let (mut pp, mut qp) = (DMat2::ZERO, DMat2::ZERO);
        for ((p, q), w) in self.source.iter().zip(&self.target).zip(weights) {
            let (p, q) = (*p - p_mean, *q - q_mean);
            pp += DMat2::from_cols(p * p.x, p * p.y) * *w;
            qp += DMat2::from_cols(q * p.x, q * p.y) * *w;
        }
        qp * pp.inverse()
    }

    fn fit_similarity(&self, weights: &[f64], p_mean: DVec2, q_mean: DVec2) -> DMat2 {
        let (mut cos, mut sin, mut spread) = (0.0, 0.0, 0.0);
        for ((p, q), w) in self.source.iter().zip(&self.target).zip(weights) {
            let (p, q) = (*p - p_mean, *q - q_mean);
            cos += w * p.dot(q);
            sin += w * p.perp_dot(q);
            spread += w * p.length_squared();
        }
        let scale = if self.kind == MlsKind::Rigid { cos.hypot(sin) } else { spread };
        DMat2::from_cols(DVec2::new(cos, sin) / scale, DVec2::new(-sin, cos) / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_of_a_thin_plate() {
        let warp = Warp::ThinPlate(ThinPlate {
            affine: DAffine2::from_scale_angle_translation(DVec2::splat(0.9), 0.3, DVec2::new(5.0, -2.0)),
            centers: vec![DVec2::new(1.0, 2.0), DVec2::new(8.0, 3.0), DVec2::new(4.0, 9.0)],
            weights: vec![DVec2::new(0.002, -0.001), DVec2::new(-0.004, 0.002), DVec2::new(0.002, -0.001)],
        });
        for p in [DVec2::new(0.0, 0.0), DVec2::new(5.0, 5.0), DVec2::new(20.0, -3.0)] {
            let back = warp.inverse_at(warp.apply(p), 1e-9).unwrap();
            assert!((back - p).length() < 1e-7, "{p} came back as {back}");
        }
    }

    #[test]
    fn local_maps_repeat_an_exact_map() {
        let map = DAffine2::from_scale_angle_translation(DVec2::splat(1.3), 0.4, DVec2::new(1.0, 2.0));
        let source: Vec<DVec2> = [(0.0, 0.0), (9.0, 1.0), (4.0, 7.0), (2.0, 3.0)].map(|(x, y)| DVec2::new(x, y)).to_vec();
        let target: Vec<DVec2> = source.iter().map(|p| map.transform_point2(*p)).collect();
        for kind in [MlsKind::Similarity, MlsKind::Affine] {
            let mls = MovingLeastSquares { kind, source: source.clone(), target: target.clone() };
            let p = DVec2::new(5.0, 3.0);
            assert!((mls.apply(p) - map.transform_point2(p)).length() < 1e-12);
            assert!((mls.apply(source[1]) - target[1]).length() < 1e-9);
        }
    }
}
