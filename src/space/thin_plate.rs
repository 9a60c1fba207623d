//! Evaluation of 2-D thin-plate splines; they are fitted in `register`.

use super::{DAffine2, DMat2, DVec2};

/// `U(r) = r² ln r` from the squared distance; 0 at 0 (Bookstein 1989).
#[must_use]
pub fn thin_plate_kernel(r2: f64) -> f64 {
    if r2 > 0.0 { 0.5 * r2 * r2.ln() } else { 0.0 }
}

/// `f(p) = A p + Σ wᵢ U(|p − cᵢ|)`, mm to mm.
#[derive(Clone, Debug, PartialEq)]
pub struct ThinPlate {
    /// The affine part.
    pub affine: DAffine2,
    /// Control points in the source space.
    pub centers: Vec<DVec2>,
    /// One weight vector per control point.
    pub weights: Vec<DVec2>,
}

impl ThinPlate {
    /// The target of a source point. Costs one logarithm per control point.
    #[must_use]
    pub fn apply(&self, p: DVec2) -> DVec2 {
        let bend: DVec2 =
            self.centers.iter().zip(&self.weights).map(|(c, w)| *w * thin_plate_kernel(p.distance_squared(*c))).sum();
        self.affine.transform_point2(p) + bend
    }

    /// Derivative of [`Self::apply`] (columns are ∂/∂x and ∂/∂y).
    #[must_use]
    pub fn jacobian(&self, p: DVec2) -> DMat2 {
        let mut j = self.affine.matrix2;
        for (c, w) in self.centers.iter().zip(&self.weights) {
            let d = p - *c;
            let r2 = d.length_squared();
            if r2 > 0.0 {
                let slope = d * (r2.ln() + 1.0);
                j.x_axis += *w * slope.x;
                j.y_axis += *w * slope.y;
            }
        }
        j
    }
}
