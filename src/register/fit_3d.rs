//! Linear landmark models in space: Umeyama (1991) without reflections, and ordinary least squares.

use super::shape::check_points;
use crate::base::{Error, Result};
use crate::model::TransformModel;
use crate::space::{DAffine3, DMat3, DVec3};
use crate::stats::{ThinSvd, thin_svd};

/// The linear map of `model` that takes `moving` to `fixed` (both 3-D, one unit) with least squared
/// distances. Needs 1 pair for a translation, 3 not on one line for rigid and similarity, 4 not in one
/// plane for affine, else [`Error::Degenerate`]; thin plates and moving least squares are
/// [`Error::Unsupported`] in space. Costs O(n).
pub fn fit_3d(model: TransformModel, moving: &[DVec3], fixed: &[DVec3]) -> Result<DAffine3> {
    check_points(moving.len(), fixed.len(), moving.iter().chain(fixed).all(|p| p.is_finite()))?;
    let (needed, rank) = match model {
        TransformModel::Translation => (1, 0),
        TransformModel::Rigid | TransformModel::Similarity => (3, 2),
        TransformModel::Affine => (4, 3),
        _ => {
            return Err(Error::unsupported(format!(
                "the model {} is fitted in a plane only; use translation, rigid, similarity or affine for 3-D pairs",
                model.name()
            )));
        }
    };
    let (n, name) = (moving.len(), model.name());
    if n < needed {
        return Err(Error::degenerate(format!("the model {name} needs {needed} complete active 3-D pairs, there are {n}")));
    }
    let (from, to) = (mean(moving), mean(fixed));
    if rank == 0 {
        return Ok(DAffine3::from_translation(to - from));
    }
    let svd = centered_svd(moving, from)?;
    for (side, s) in [("moving", &svd.s), ("fixed", &centered_svd(fixed, to)?.s)] {
        if s.len() < rank || s[rank - 1] <= 1e-6 * s[0] {
            let flat = if rank == 2 { "on one line" } else { "in one plane" };
            return Err(Error::degenerate(format!(
                "the model {name} needs {needed} pairs that do not lie {flat}, but the {n} {side} points do"
            )));
        }
    }
    let linear = match model {
        TransformModel::Affine => affine(&svd, fixed, to),
        _ => umeyama([moving, fixed], [from, to], model == TransformModel::Rigid)?,
    };
    Ok(DAffine3 { matrix3: linear, translation: to - linear * from })
}

pub(super) fn mean(points: &[DVec3]) -> DVec3 {
    points.iter().copied().sum::<DVec3>() / points.len().max(1) as f64
}

pub(super) fn centered_svd(points: &[DVec3], mean: DVec3) -> Result<ThinSvd> {
    let flat: Vec<f64> = points.iter().flat_map(|p| (*p - mean).to_array()).collect();
    thin_svd(points.len(), 3, &flat)
}

/// `B = V S⁻¹ Uᵀ q` for `q ≈ p B`, returned as the matrix of columns that acts from the left.
fn affine(svd: &ThinSvd, fixed: &[DVec3], to: DVec3) -> DMat3 {
    let mut columns = [DVec3::ZERO; 3];
    for k in 0..3 {
        let along: DVec3 = fixed.iter().enumerate().map(|(i, q)| (*q - to) * svd.u[i * 3 + k]).sum::<DVec3>() / svd.s[k];
        for (axis, column) in columns.iter_mut().enumerate() {
            *column += along * svd.v[axis * 3 + k];
        }
    }
    DMat3::from_cols(columns[0], columns[1], columns[2])
}

/// `Σ = U D Vᵀ` of the cross-covariance, `R = U S Vᵀ` with det R = +1, `c = tr(D S) / var_x` (ddof 0).
fn umeyama([moving, fixed]: [&[DVec3]; 2], [from, to]: [DVec3; 2], rigid: bool) -> Result<DMat3> {
    let n = moving.len() as f64;
    let (mut sigma, mut variance) = ([0.0; 9], 0.0);
    for (p, q) in moving.iter().zip(fixed) {
        let (p, q) = ((*p - from).to_array(), (*q - to).to_array());
        for (k, s) in sigma.iter_mut().enumerate() {
            *s += q[k / 3] * p[k % 3] / n;
        }
        variance += p.iter().map(|v| v * v).sum::<f64>() / n;
    }
    let svd = thin_svd(3, 3, &sigma)?;
    let matrix = |m: &[f64]| DMat3::from_cols_slice(m).transpose();
    let (u, v) = (matrix(&svd.u), matrix(&svd.v));
    let sign = if u.determinant() * v.determinant() < 0.0 { -1.0 } else { 1.0 };
    let rotation = u * DMat3::from_diagonal(DVec3::new(1.0, 1.0, sign)) * v.transpose();
    let scale = if rigid { 1.0 } else { (svd.s[0] + svd.s[1] + sign * svd.s[2]) / variance };
    Ok(rotation * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> Vec<DVec3> {
        [(0.0, 0.0, 0.0), (10.0, 1.0, 2.0), (3.0, 8.0, -4.0), (-5.0, 2.0, 6.0), (1.0, 1.0, 9.0)]
            .map(|(x, y, z)| DVec3::new(x, y, z))
            .to_vec()
    }

    #[test]
    fn exact_maps_come_back() {
        let turn = DMat3::from_axis_angle(DVec3::new(1.0, 2.0, -1.0).normalize(), 2.1);
        let shear = DMat3::from_cols(DVec3::new(1.0, 0.2, 0.0), DVec3::new(-0.3, 1.5, 0.1), DVec3::new(0.0, 0.4, -0.7));
        for (model, linear) in [
            (TransformModel::Translation, DMat3::IDENTITY),
            (TransformModel::Rigid, turn),
            (TransformModel::Similarity, turn * 1.7),
            (TransformModel::Affine, shear),
        ] {
            let map = DAffine3 { matrix3: linear, translation: DVec3::new(100.0, -50.0, 7.0) };
            let fixed: Vec<DVec3> = cloud().iter().map(|p| map.transform_point3(*p)).collect();
            let got = fit_3d(model, &cloud(), &fixed).unwrap();
            assert!(got.abs_diff_eq(map, 1e-12 * 100.0), "{model:?}: {got:?}");
        }
    }

    #[test]
    fn never_a_reflection_and_never_flat() {
        let mirrored: Vec<DVec3> = cloud().iter().map(|p| *p * DVec3::new(-1.0, 1.0, 1.0)).collect();
        for model in [TransformModel::Rigid, TransformModel::Similarity] {
            assert!(fit_3d(model, &cloud(), &mirrored).unwrap().matrix3.determinant() > 0.0);
        }
        let line: Vec<DVec3> = (0..5).map(|i| DVec3::new(1.0, 2.0, 3.0) * f64::from(i)).collect();
        let sheet: Vec<DVec3> = cloud().iter().map(|p| p.with_z(4.0)).collect();
        assert!(matches!(fit_3d(TransformModel::Rigid, &line, &cloud()), Err(Error::Degenerate(_))));
        assert!(fit_3d(TransformModel::Rigid, &sheet, &cloud()).is_ok());
        assert!(matches!(fit_3d(TransformModel::Affine, &sheet, &cloud()), Err(Error::Degenerate(_))));
        assert!(matches!(fit_3d(TransformModel::ThinPlate, &cloud(), &cloud()), Err(Error::Unsupported { .. })));
    }
}
