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

    /// The targets of many points, good to 10⁻¹¹ of the bending: several times faster than one by one.
    #[must_use]
    pub fn apply_all(&self, points: &[DVec2]) -> Vec<DVec2> {
        const LANES: usize = 8;
        let mut targets = Vec::with_capacity(points.len());
        for block in points.chunks(LANES) {
            let (mut x, mut y) = ([0.0; LANES], [0.0; LANES]);
            for (i, p) in block.iter().enumerate() {
                (x[i], y[i]) = (p.x, p.y);
            }
            let (mut bend_x, mut bend_y) = ([0.0; LANES], [0.0; LANES]);
            for (c, w) in self.centers.iter().zip(&self.weights) {
                for i in 0..LANES {
                    let (dx, dy) = (x[i] - c.x, y[i] - c.y);
                    let r2 = dx * dx + dy * dy;
                    let u = 0.5 * r2 * straight_ln(r2);
                    bend_x[i] += w.x * u;
                    bend_y[i] += w.y * u;
                }
            }
            let target = |i: usize| self.affine.transform_point2(block[i]) + DVec2::new(bend_x[i], bend_y[i]);
            targets.extend((0..block.len()).map(target));
        }
        targets
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

/// Natural logarithm without branches, so that loops over it become vector instructions: exponent and
/// mantissa apart, then the series of the inverse hyperbolic tangent. Right to 10⁻¹² for normal numbers
/// above 0; finite at 0.
#[inline]
fn straight_ln(v: f64) -> f64 {
    const MANTISSA: u64 = 0x000F_FFFF_FFFF_FFFF;
    const ONE: u64 = 0x3FF0_0000_0000_0000;
    /// 2⁵² as bits: a small whole number or-ed into it is added to it.
    const BIG: u64 = 0x4330_0000_0000_0000;
    let bits = v.to_bits();
    let exponent = f64::from_bits((bits >> 52) | BIG) - (4_503_599_627_370_496.0 + 1023.0);
    let m = f64::from_bits((bits & MANTISSA) | ONE);
    let t = (m - std::f64::consts::SQRT_2) / (m + std::f64::consts::SQRT_2);
    let s = t * t;
    let series = 1.0 + s * (1.0 / 3.0 + s * (0.2 + s * (1.0 / 7.0 + s * (1.0 / 9.0 + s * (1.0 / 11.0 + s * (1.0 / 13.0))))));
    (exponent + 0.5) * std::f64::consts::LN_2 + 2.0 * t * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_logarithm_and_batches_agree_with_the_exact_ones() {
        for k in -600..600 {
            let v = 1.037_f64.powi(k) * 1.000_1;
            assert!((straight_ln(v) - v.ln()).abs() < 1e-12 * (1.0 + v.ln().abs()), "{v}");
        }
        assert!(straight_ln(0.0).is_finite());
        let plate = ThinPlate {
            affine: DAffine2::from_angle(0.3),
            centers: (0..20).map(|i| DVec2::new((f64::from(i) * 0.618).fract(), (f64::from(i) * 0.755).fract()) * 9.0).collect(),
            weights: (0..20).map(|i| DVec2::new((f64::from(i) * 0.3).sin(), (f64::from(i) * 0.7).cos()) * 0.01).collect(),
        };
        let mut points: Vec<DVec2> = (0..21).map(|i| DVec2::new(f64::from(i) * 0.4, 3.0)).collect();
        points.push(plate.centers[3]);
        for (p, q) in points.iter().zip(plate.apply_all(&points)) {
            assert!(plate.apply(*p).distance(q) < 1e-10);
        }
    }
}
