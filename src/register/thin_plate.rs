//! Fitting thin-plate splines in the plane (Bookstein 1989) and in space (Duchon 1977), smoothing as Wahba
//! (1990), and their leave-one-out errors in closed form (Rippa 1999).

use super::fit_3d;
use super::shape::Shape;
use crate::base::Result;
use crate::space::{DAffine2, DAffine3, DMat2, DMat3, DVec2, DVec3, ThinPlate, ThinPlate3, thin_plate_kernel};
use crate::stats::solve;

/// The system in coordinates with mean 0 and radius 1, where its numbers are of one size.
struct System<const D: usize> {
    mean: [f64; D],
    fixed_mean: [f64; D],
    scale: f64,
    n: usize,
    matrix: Vec<f64>,
}

/// Kernel in the plane, `r² ln r`, and in space, `−r`: both conditionally positive definite, so smoothing is
/// added to the diagonal with a plus.
fn kernel<const D: usize>(squared_distance: f64) -> f64 {
    if D == 2 { thin_plate_kernel(squared_distance) } else { -squared_distance.sqrt() }
}

impl<const D: usize> System<D> {
    fn new(stiffness: f64, moving: &[[f64; D]], [mean, fixed_mean]: [[f64; D]; 2], scale: f64) -> Self {
        let n = moving.len();
        let side = n + D + 1;
        let unit: Vec<[f64; D]> = moving.iter().map(|p| std::array::from_fn(|k| (p[k] - mean[k]) / scale)).collect();
        let mut matrix = vec![0.0; side * side];
        for (i, p) in unit.iter().enumerate() {
            for (j, q) in unit[..i].iter().enumerate() {
                let u = kernel::<D>((0..D).map(|k| (p[k] - q[k]) * (p[k] - q[k])).sum());
                matrix[i * side + j] = u;
                matrix[j * side + i] = u;
            }
            // The kernel is of degree 2 in lengths in the plane, of degree 1 in space.
            matrix[i * side + i] = stiffness / if D == 2 { scale * scale } else { scale };
            for k in 0..=D {
                let v = if k == 0 { 1.0 } else { p[k - 1] };
                matrix[i * side + n + k] = v;
                matrix[(n + k) * side + i] = v;
            }
        }
        Self { mean, fixed_mean, scale, n, matrix }
    }

    fn flat(stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> System<2> {
        let shape = Shape::of(moving);
        let means = [shape.mean, Shape::of(fixed).mean].map(|m| m.to_array());
        System::new(stiffness, &moving.iter().map(DVec2::to_array).collect::<Vec<_>>(), means, shape.radius())
    }

    fn deep(stiffness: f64, moving: &[DVec3], fixed: &[DVec3]) -> System<3> {
        let mean = fit_3d::mean(moving);
        let means = [mean, fit_3d::mean(fixed)].map(|m| m.to_array());
        System::new(stiffness, &moving.iter().map(DVec3::to_array).collect::<Vec<_>>(), means, fit_3d::spread(moving))
    }

    /// Solves for the fixed points: rows of D numbers, one per weight, then constant and slopes. Where asked,
    /// the diagonal of the inverse for the weights, too.
    fn solve(&self, fixed: &[[f64; D]], with_inverse: bool) -> Result<(Vec<[f64; D]>, Vec<f64>)> {
        let side = self.n + D + 1;
        let columns = if with_inverse { D + side } else { D };
        let mut right = vec![0.0; side * columns];
        for (i, q) in fixed.iter().enumerate() {
            (0..D).for_each(|k| right[i * columns + k] = q[k] - self.fixed_mean[k]);
        }
        if with_inverse {
            (0..side).for_each(|i| right[i * columns + D + i] = 1.0);
        }
        let x = solve(side, &self.matrix, columns, &right)?;
        let rows = (0..side).map(|i| std::array::from_fn(|k| x[i * columns + k])).collect();
        let diagonal = if with_inverse { (0..self.n).map(|i| x[i * columns + D + i]).collect() } else { Vec::new() };
        Ok((rows, diagonal))
    }

    fn left_out(&self, fixed: &[[f64; D]]) -> Result<Vec<f64>> {
        let (rows, diagonal) = self.solve(fixed, true)?;
        let length = |row: &[f64; D]| row.iter().map(|v| v * v).sum::<f64>().sqrt();
        Ok(rows.iter().zip(diagonal).map(|(row, d)| length(row) / d.abs()).collect())
    }
}

/// The spline through `fixed` at `moving`, or near it where `stiffness` λ > 0 (λ is added to the
/// diagonal of the kernel matrix, in squared units of `moving`). The points are checked by the caller.
pub(super) fn fit_thin_plate(stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Result<ThinPlate> {
    let system = System::<2>::flat(stiffness, moving, fixed);
    let (rows, _) = system.solve(&fixed.iter().map(DVec2::to_array).collect::<Vec<_>>(), false)?;
    let row = |i: usize| DVec2::from_array(rows[i]);
    let (n, scale, mean) = (system.n, system.scale, DVec2::from_array(system.mean));
    let area = scale * scale;
    let weights: Vec<DVec2> = (0..n).map(|i| row(i) / area).collect();
    let linear = DMat2::from_cols(row(n + 1), row(n + 2)) * scale.recip();
    // U(r / s) = (U(r) − r² ln s) / s², and the second part is constant over the plane.
    let constant: DVec2 = moving.iter().zip(&weights).map(|(p, w)| *w * p.distance_squared(mean)).sum::<DVec2>() * scale.ln();
    let shift = DVec2::from_array(system.fixed_mean) + row(n) - constant - linear * mean;
    Ok(ThinPlate { affine: DAffine2::from_mat2_translation(linear, shift), centers: moving.to_vec(), weights })
}

/// The same in space; λ is in units of `moving`.
pub(super) fn fit_thin_plate_3(stiffness: f64, moving: &[DVec3], fixed: &[DVec3]) -> Result<ThinPlate3> {
    let system = System::<3>::deep(stiffness, moving, fixed);
    let (rows, _) = system.solve(&fixed.iter().map(DVec3::to_array).collect::<Vec<_>>(), false)?;
    let row = |i: usize| DVec3::from_array(rows[i]);
    let (n, scale, mean) = (system.n, system.scale, DVec3::from_array(system.mean));
    // The spline is written with +r, the system is solved with −r.
    let weights = (0..n).map(|i| -row(i) / scale).collect();
    let matrix3 = DMat3::from_cols(row(n + 1), row(n + 2), row(n + 3)) * scale.recip();
    let translation = DVec3::from_array(system.fixed_mean) + row(n) - matrix3 * mean;
    Ok(ThinPlate3 { affine: DAffine3 { matrix3, translation }, centers: moving.to_vec(), weights })
}

/// The error at each point of the spline fitted without it; one inverse instead of n fits.
pub(super) fn leave_one_out(stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Result<Vec<f64>> {
    System::<2>::flat(stiffness, moving, fixed).left_out(&fixed.iter().map(DVec2::to_array).collect::<Vec<_>>())
}

/// The same in space.
pub(super) fn leave_one_out_3(stiffness: f64, moving: &[DVec3], fixed: &[DVec3]) -> Result<Vec<f64>> {
    System::<3>::deep(stiffness, moving, fixed).left_out(&fixed.iter().map(DVec3::to_array).collect::<Vec<_>>())
}
