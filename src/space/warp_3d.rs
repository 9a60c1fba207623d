//! Maps of space onto space: affine, thin plate, moving least squares. Points go `target_from_source`, mm
//! to mm; the inverse is found by Newton's method and refused where the warp folds.

use super::newton::damped_newton;
use super::{DAffine3, DMat3, DVec3, MlsKind};
use crate::base::{Error, Result};

/// A 3-D warp, mm to mm.
#[derive(Clone, Debug, PartialEq)]
pub enum Warp3 {
    /// A linear map.
    Affine(DAffine3),
    /// A thin-plate spline of space.
    ThinPlate(ThinPlate3),
    /// Moving least squares in space.
    MovingLeastSquares(MovingLeastSquares3),
}

/// `f(p) = A p + Σ wᵢ |p − cᵢ|`, mm to mm. The distance is the Green's function of the biharmonic operator in
/// space, up to a factor, as `r² ln r` is in the plane (Duchon 1977).
#[derive(Clone, Debug, PartialEq)]
pub struct ThinPlate3 {
    /// The affine part.
    pub affine: DAffine3,
    /// Control points in the source space.
    pub centers: Vec<DVec3>,
    /// One weight vector per control point.
    pub weights: Vec<DVec3>,
}

/// Moving least squares with weight `1 / |p − v|²` (Schaefer, `McPhail`, Warren 2006; in space Zhu and Gortler 2007).
#[derive(Clone, Debug, PartialEq)]
pub struct MovingLeastSquares3 {
    /// Which local maps.
    pub kind: MlsKind,
    /// Control points in the source space.
    pub source: Vec<DVec3>,
    /// Where they go.
    pub target: Vec<DVec3>,
}

impl Warp3 {
    /// The target of a source point. Costs one distance per control point, for moving least squares one
    /// decomposition of a 3×3 matrix more.
    #[must_use]
    pub fn apply(&self, p: DVec3) -> DVec3 {
        match self {
            Self::Affine(a) => a.transform_point3(p),
            Self::ThinPlate(t) => t.apply(p),
            Self::MovingLeastSquares(m) => m.apply(p),
        }
    }

    /// Derivative at a source point (columns are ∂/∂x, ∂/∂y and ∂/∂z).
    #[must_use]
    pub fn jacobian(&self, p: DVec3) -> DMat3 {
        match self {
            Self::Affine(a) => a.matrix3,
            Self::ThinPlate(t) => t.jacobian(p),
            Self::MovingLeastSquares(m) => m.jacobian(p),
        }
    }

    /// The linear part: the affine, that of the thin plate, or the unweighted fit.
    #[must_use]
    pub fn linear_part(&self) -> DAffine3 {
        match self {
            Self::Affine(a) => *a,
            Self::ThinPlate(t) => t.affine,
            Self::MovingLeastSquares(m) => m.fit(&vec![1.0; m.source.len()]),
        }
    }

    /// The source point that lands within `tolerance_mm` of `target`. [`Error::Degenerate`] where none is
    /// found, the warp is folded there, or its linear part has no inverse.
    pub fn inverse_at(&self, target: DVec3, tolerance_mm: f64) -> Result<DVec3> {
        let linear = self.linear_part();
        let det = linear.matrix3.determinant();
        if det.abs() < 1e-15 || !det.is_finite() {
            return Err(Error::degenerate(format!("the linear part of the warp has no inverse (determinant {det:e})")));
        }
        let start = linear.inverse().transform_point3(target);
        if matches!(self, Self::Affine(_)) {
            return Ok(start);
        }
        let step = |p: DVec3, miss: DVec3| {
            let j = self.jacobian(p);
            (j.determinant().abs() >= 1e-14).then(|| j.inverse() * miss)
        };
        let source = damped_newton(start, tolerance_mm, |p| self.apply(p) - target, step, DVec3::length)
            .ok_or_else(|| Error::degenerate(format!("no source point of the warp lands on {target}")))?;
        if self.jacobian(source).determinant() * det <= 0.0 {
            return Err(Error::degenerate(format!("the warp is folded at {source}, so it has no inverse there")));
        }
        Ok(source)
    }
}

impl ThinPlate3 {
    /// The target of a source point.
    #[must_use]
    pub fn apply(&self, p: DVec3) -> DVec3 {
        let bend: DVec3 = self.centers.iter().zip(&self.weights).map(|(c, w)| *w * p.distance(*c)).sum();
        self.affine.transform_point3(p) + bend
    }

    fn jacobian(&self, p: DVec3) -> DMat3 {
        let mut j = self.affine.matrix3;
        for (c, w) in self.centers.iter().zip(&self.weights) {
            // At a control point the kernel has a kink; its mean slope there is 0.
            let slope = (p - *c).normalize_or_zero();
            j += DMat3::from_cols(*w * slope.x, *w * slope.y, *w * slope.z);
        }
        j
    }
}

impl MovingLeastSquares3 {
    /// The target of a source point; at a control point, exactly its partner.
    #[must_use]
    pub fn apply(&self, v: DVec3) -> DVec3 {
        let weights: Vec<f64> = self.source.iter().map(|p| 1.0 / p.distance_squared(v)).collect();
        match weights.iter().position(|w| !(w.is_finite() && *w < 1e24)) {
            Some(i) => self.target[i],
            None if weights.is_empty() => v,
            None => self.fit(&weights).transform_point3(v),
        }
    }

    /// Central differences with a step of 10⁻⁵ mm.
    fn jacobian(&self, p: DVec3) -> DMat3 {
        let h = 1e-5;
        let slope = |axis: DVec3| (self.apply(p + axis * h) - self.apply(p - axis * h)) / (2.0 * h);
        DMat3::from_cols(slope(DVec3::X), slope(DVec3::Y), slope(DVec3::Z))
    }

    fn fit(&self, weights: &[f64]) -> DAffine3 {
        let total: f64 = weights.iter().sum();
        let mean = |points: &[DVec3]| points.iter().zip(weights).map(|(p, w)| *p * *w).sum::<DVec3>() / total;
        let (p_mean, q_mean) = (mean(&self.source), mean(&self.target));
        let (mut pp, mut qp, mut spread) = (DMat3::ZERO, DMat3::ZERO, 0.0);
        for ((p, q), w) in self.source.iter().zip(&self.target).zip(weights) {
            let (p, q) = (*p - p_mean, (*q - q_mean) * *w);
            pp += DMat3::from_cols(p * p.x, p * p.y, p * p.z) * *w;
            qp += DMat3::from_cols(q * p.x, q * p.y, q * p.z);
            spread += w * p.length_squared();
        }
        let linear = match self.kind {
            MlsKind::Affine => qp * pp.inverse(),
            MlsKind::Rigid => nearest_rotation(qp),
            MlsKind::Similarity => {
                let rotation = nearest_rotation(qp);
                let along = rotation.x_axis.dot(qp.x_axis) + rotation.y_axis.dot(qp.y_axis) + rotation.z_axis.dot(qp.z_axis);
                rotation * (along / spread)
            }
        };
        DAffine3 { matrix3: linear, translation: q_mean - linear * p_mean }
    }
}

/// The rotation R (never a reflection) with the largest trace of Rᵀ M, for M = Σ w q pᵀ: the quaternion of the
/// largest eigenvalue of Horn's symmetric 4×4 matrix (1987). Costs some 20 Jacobi rotations.
fn nearest_rotation(m: DMat3) -> DMat3 {
    let (x, y, z) = (m.x_axis, m.y_axis, m.z_axis);
    let n = [
        [x.x + y.y + z.z, y.z - z.y, z.x - x.z, x.y - y.x],
        [y.z - z.y, x.x - y.y - z.z, y.x + x.y, z.x + x.z],
        [z.x - x.z, y.x + x.y, y.y - x.x - z.z, z.y + y.z],
        [x.y - y.x, z.x + x.z, z.y + y.z, z.z - x.x - y.y],
    ];
    let [a, b, c, d] = largest_eigenvector(n);
    DMat3::from_cols(
        DVec3::new(a * a + b * b - c * c - d * d, 2.0 * (b * c + a * d), 2.0 * (b * d - a * c)),
        DVec3::new(2.0 * (b * c - a * d), a * a - b * b + c * c - d * d, 2.0 * (c * d + a * b)),
        DVec3::new(2.0 * (b * d + a * c), 2.0 * (c * d - a * b), a * a - b * b - c * c + d * d),
    )
}

/// Unit eigenvector of the largest eigenvalue of a symmetric matrix, by cyclic Jacobi rotations.
fn largest_eigenvector(mut a: [[f64; 4]; 4]) -> [f64; 4] {
    const PAIRS: [(usize, usize); 6] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    let mut v = [[0.0; 4]; 4];
    (0..4).for_each(|i| v[i][i] = 1.0);
    for _ in 0..30 {
        let off: f64 = PAIRS.iter().map(|&(p, q)| a[p][q] * a[p][q]).sum();
        let size: f64 = a.iter().flatten().map(|x| x * x).sum();
        if off <= 1e-34 * size {
            break;
        }
        for (p, q) in PAIRS {
            if a[p][q] != 0.0 {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    let best = (0..4).fold(0, |best, k| if a[k][k] > a[best][best] { k } else { best });
    [v[0][best], v[1][best], v[2][best], v[3][best]]
}

/// Makes `a[p][q]` 0 by a rotation, which is also put on the vectors.
fn rotate(a: &mut [[f64; 4]; 4], v: &mut [[f64; 4]; 4], p: usize, q: usize) {
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = t.hypot(1.0).recip();
    let s = t * c;
    for row in a.iter_mut().chain(v.iter_mut()) {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    let (row_p, row_q) = (a[p], a[q]);
    a[p] = std::array::from_fn(|k| c * row_p[k] - s * row_q[k]);
    a[q] = std::array::from_fn(|k| s * row_p[k] + c * row_q[k]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> Vec<DVec3> {
        [(0.0, 0.0, 0.0), (10.0, 1.0, 2.0), (3.0, 8.0, -4.0), (-5.0, 2.0, 6.0), (1.0, 1.0, 9.0), (7.0, -6.0, 3.0)]
            .map(|(x, y, z)| DVec3::new(x, y, z))
            .to_vec()
    }

    fn turn(angle: f64) -> DMat3 {
        DMat3::from_axis_angle(DVec3::new(1.0, 2.0, -1.0).normalize(), angle)
    }

    #[test]
    fn rotations_come_back_half_turns_and_reflections_included() {
        for angle in [0.0, 0.3, 1.7, std::f64::consts::PI, -2.5] {
            let p = cloud();
            let m = p.iter().fold(DMat3::ZERO, |m, p| {
                let q = turn(angle) * *p;
                m + DMat3::from_cols(q * p.x, q * p.y, q * p.z)
            });
            assert!(nearest_rotation(m).abs_diff_eq(turn(angle), 1e-12), "{angle}");
            let mirrored = DMat3::from_diagonal(DVec3::new(-1.0, 1.0, 1.0)) * m;
            assert!((nearest_rotation(mirrored).determinant() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn local_maps_repeat_an_exact_map_and_come_back() {
        let shear = DMat3::from_cols(DVec3::new(1.0, 0.2, 0.0), DVec3::new(-0.3, 1.5, 0.1), DVec3::new(0.0, 0.4, 0.7));
        for (kind, linear) in [(MlsKind::Rigid, turn(2.1)), (MlsKind::Similarity, turn(-0.8) * 1.7), (MlsKind::Affine, shear)] {
            let map = DAffine3 { matrix3: linear, translation: DVec3::new(100.0, -50.0, 7.0) };
            let target = cloud().iter().map(|p| map.transform_point3(*p)).collect();
            let mls = Warp3::MovingLeastSquares(MovingLeastSquares3 { kind, source: cloud(), target });
            for p in [DVec3::new(2.0, 3.0, 1.0), DVec3::new(-40.0, 9.0, 22.0), cloud()[2]] {
                let q = mls.apply(p);
                assert!((q - map.transform_point3(p)).length() < 1e-11, "{kind:?} {p}");
                assert!((mls.inverse_at(q, 1e-9).unwrap() - p).length() < 1e-8);
            }
        }
    }

    #[test]
    fn inverse_of_a_plate_and_its_slope() {
        let weights = [0.02, -0.03, 0.01, 0.02, -0.03, 0.01].map(|w| DVec3::new(w, -w, 0.5 * w)).to_vec();
        let affine = DAffine3 { matrix3: turn(0.4) * 1.1, translation: DVec3::new(5.0, -2.0, 1.0) };
        let plate = Warp3::ThinPlate(ThinPlate3 { affine, centers: cloud(), weights });
        for p in [DVec3::new(2.0, 2.0, 1.0), DVec3::new(30.0, -9.0, 4.0)] {
            assert!((plate.inverse_at(plate.apply(p), 1e-10).unwrap() - p).length() < 1e-8);
            let h = 1e-6;
            let slope = (plate.apply(p + DVec3::Y * h) - plate.apply(p - DVec3::Y * h)) / (2.0 * h);
            assert!((plate.jacobian(p).y_axis - slope).length() < 1e-7);
        }
        let flat = Warp3::Affine(DAffine3::from_scale(DVec3::new(1.0, 1.0, 0.0)));
        assert!(matches!(flat.inverse_at(DVec3::ONE, 1e-9), Err(Error::Degenerate(_))));
    }
}
