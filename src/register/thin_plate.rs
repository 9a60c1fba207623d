//! Fitting thin-plate splines (Bookstein 1989; Wahba 1990 for the smoothing), and their leave-one-out
//! errors in closed form (Rippa 1999).

use super::shape::Shape;
use crate::base::Result;
use crate::space::{DAffine2, DMat2, DVec2, ThinPlate, thin_plate_kernel};
use crate::stats::solve;

/// The system in coordinates with mean 0 and radius 1, where its numbers are of one size.
struct System {
    moving: Shape,
    fixed_mean: DVec2,
    scale: f64,
    n: usize,
    matrix: Vec<f64>,
}

impl System {
    fn new(stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Self {
        let (shape, fixed_mean) = (Shape::of(moving), Shape::of(fixed).mean);
        let (n, scale) = (moving.len(), shape.radius());
        let side = n + 3;
        let unit: Vec<DVec2> = moving.iter().map(|p| (*p - shape.mean) / scale).collect();
        let mut matrix = vec![0.0; side * side];
        for (i, p) in unit.iter().enumerate() {
            for (j, q) in unit[..i].iter().enumerate() {
                let u = thin_plate_kernel(p.distance_squared(*q));
                matrix[i * side + j] = u;
                matrix[j * side + i] = u;
            }
            matrix[i * side + i] = stiffness / (scale * scale);
            for (k, v) in [1.0, p.x, p.y].into_iter().enumerate() {
                matrix[i * side + n + k] = v;
                matrix[(n + k) * side + i] = v;
            }
        }
        Self { moving: shape, fixed_mean, scale, n, matrix }
    }

    /// Solves for the fixed points (first two columns) and, where asked, for the unit matrix.
    fn solve(&self, fixed: &[DVec2], with_inverse: bool) -> Result<(usize, Vec<f64>)> {
        let side = self.n + 3;
        let columns = if with_inverse { 2 + side } else { 2 };
        let mut right = vec![0.0; side * columns];
        for (i, q) in fixed.iter().enumerate() {
            right[i * columns] = q.x - self.fixed_mean.x;
            right[i * columns + 1] = q.y - self.fixed_mean.y;
        }
        if with_inverse {
            (0..side).for_each(|i| right[i * columns + 2 + i] = 1.0);
        }
        Ok((columns, solve(side, &self.matrix, columns, &right)?))
    }
}

/// The spline through `fixed` at `moving`, or near it where `stiffness` λ > 0 (λ is added to the
/// diagonal of the kernel matrix, in squared units of `moving`). The points are checked by the caller.
pub(super) fn fit_thin_plate(stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Result<ThinPlate> {
    let system = System::new(stiffness, moving, fixed);
    let (columns, x) = system.solve(fixed, false)?;
    let row = |i: usize| DVec2::new(x[i * columns], x[i * columns + 1]);
    let (n, scale, mean) = (system.n, system.scale, system.moving.mean);
    let area = scale * scale;
    let weights: Vec<DVec2> = (0..n).map(|i| row(i) / area).collect();
    let linear = DMat2::from_cols(row(n + 1), row(n + 2)) * scale.recip();
    // U(r / s) = (U(r) − r² ln s) / s², and the second part is constant over the plane.
    let constant: DVec2 = moving.iter().zip(&weights).map(|(p, w)| *w * p.distance_squared(mean)).sum::<DVec2>() * scale.ln();
    let shift = system.fixed_mean + row(n) - constant - linear * mean;
    Ok(ThinPlate { affine: DAffine2::from_mat2_translation(linear, shift), centers: moving.to_vec(), weights })
}

/// The error at each point of the spline fitted without it; one inverse instead of n fits.
pub(super) fn leave_one_out(stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Result<Vec<f64>> {
    let system = System::new(stiffness, moving, fixed);
    let (columns, x) = system.solve(fixed, true)?;
    Ok((0..system.n).map(|i| DVec2::new(x[i * columns], x[i * columns + 1]).length() / x[i * columns + 2 + i].abs()).collect())
}
