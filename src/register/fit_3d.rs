//! Landmark models in space: Umeyama (1991) without reflections, ordinary least squares, thin plates with the
//! kernel of space, and moving least squares.

use super::fit_2d::{is_are, refuse_doubles};
use super::shape::{check_points, check_stiffness};
use super::thin_plate::fit_thin_plate_3;
use crate::base::{Error, Result};
use crate::model::TransformModel;
use crate::space::{DAffine3, DMat3, DVec3, MlsKind, MovingLeastSquares3, Warp3};
use crate::stats::{ThinSvd, thin_svd};

/// How many pairs a model needs in space, and how many dimensions they must span.
fn needs(model: TransformModel) -> (usize, usize) {
    match model {
        TransformModel::Translation => (1, 0),
        TransformModel::Rigid | TransformModel::Similarity | TransformModel::MlsRigid | TransformModel::MlsSimilarity => (3, 2),
        TransformModel::Affine | TransformModel::ThinPlate | TransformModel::MlsAffine => (4, 3),
    }
}

/// The map of `model` that takes `moving` to `fixed` (both 3-D, one unit) with least squared distances.
///
/// Needs 1 pair for a translation, 3 not on one line for rigid and similarity and their moving least squares,
/// 4 not in one plane for affine, thin plate and affine moving least squares, else [`Error::Degenerate`].
/// `stiffness` ≥ 0 is added to the diagonal of the thin plate's kernel matrix (kernel −r, so in units of
/// `moving`; 0 goes through every point). Costs O(n), for the thin plate O(n³).
pub fn fit_3d(model: TransformModel, stiffness: f64, moving: &[DVec3], fixed: &[DVec3]) -> Result<Warp3> {
    check(model, stiffness, moving, fixed)?;
    let mls = |kind| Warp3::MovingLeastSquares(MovingLeastSquares3 { kind, source: moving.to_vec(), target: fixed.to_vec() });
    let (from, to) = (mean(moving), mean(fixed));
    let linear = match model {
        TransformModel::ThinPlate => return Ok(Warp3::ThinPlate(fit_thin_plate_3(stiffness, moving, fixed)?)),
        TransformModel::MlsRigid => return Ok(mls(MlsKind::Rigid)),
        TransformModel::MlsSimilarity => return Ok(mls(MlsKind::Similarity)),
        TransformModel::MlsAffine => return Ok(mls(MlsKind::Affine)),
        TransformModel::Translation => return Ok(Warp3::Affine(DAffine3::from_translation(to - from))),
        TransformModel::Affine => affine(&centered_svd(moving, from)?, fixed, to),
        TransformModel::Rigid | TransformModel::Similarity => {
            umeyama([moving, fixed], [from, to], model == TransformModel::Rigid)?
        }
    };
    Ok(Warp3::Affine(DAffine3 { matrix3: linear, translation: to - linear * from }))
}

fn check(model: TransformModel, stiffness: f64, moving: &[DVec3], fixed: &[DVec3]) -> Result<()> {
    check_points(moving.len(), fixed.len(), moving.iter().chain(fixed).all(|p| p.is_finite()))?;
    check_stiffness(stiffness)?;
    let (needed, rank) = needs(model);
    let (n, name) = (moving.len(), model.name());
    if n < needed {
        return Err(Error::degenerate(format!(
            "the model {name} needs {needed} complete active 3-D pairs, there {}; place more pairs or choose a simpler model",
            is_are(n)
        )));
    }
    if rank == 0 {
        return Ok(());
    }
    for (side, points) in [("moving", moving), ("fixed", fixed)] {
        if spans(points)? < rank {
            let flat = if rank == 2 { "on one line" } else { "in one plane" };
            return Err(Error::degenerate(format!(
                "the model {name} needs {needed} 3-D pairs that do not lie {flat}, but the {n} {side} points do; move a point or choose a simpler model"
            )));
        }
    }
    if model == TransformModel::ThinPlate && stiffness == 0.0 {
        let least = 1e-9 * spread(moving);
        refuse_doubles(moving, |p, q| p.distance(*q) <= least)?;
    }
    Ok(())
}

/// How many dimensions points span: 0 where they coincide, 1 on a line, 2 in a plane, up to a millionth of
/// their length.
pub(super) fn spans(points: &[DVec3]) -> Result<usize> {
    let reach = points.iter().map(|p| p.abs().max_element()).fold(0.0, f64::max);
    let s = centered_svd(points, mean(points))?.s;
    let scale = (points.len() as f64).sqrt() * reach;
    Ok(s.iter().filter(|v| **v > 1e-6 * s[0] && **v > 1e-11 * scale).count())
}

/// Root of the mean squared distance from the middle.
pub(super) fn spread(points: &[DVec3]) -> f64 {
    let middle = mean(points);
    (points.iter().map(|p| p.distance_squared(middle)).sum::<f64>() / points.len().max(1) as f64).sqrt()
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
    let (u, s, v, sign) = signed_svd(&sigma)?;
    let rotation = u * DMat3::from_diagonal(DVec3::new(1.0, 1.0, sign)) * v.transpose();
    let scale = if rigid { 1.0 } else { (s[0] + s[1] + sign * s[2]) / variance };
    Ok(rotation * scale)
}

/// `tr(D S)` of a row-major 3×3 cross-covariance: its largest trace after any rotation.
pub(super) fn aligned_trace(sigma: &[f64; 9]) -> Result<f64> {
    signed_svd(sigma).map(|(_, s, _, sign)| s[0] + s[1] + sign * s[2])
}

/// U, singular values, V, and the sign that makes `U diag(1, 1, sign) Vᵀ` a rotation.
fn signed_svd(sigma: &[f64; 9]) -> Result<(DMat3, Vec<f64>, DMat3, f64)> {
    let svd = thin_svd(3, 3, sigma)?;
    let matrix = |m: &[f64]| DMat3::from_cols_slice(m).transpose();
    let (u, v) = (matrix(&svd.u), matrix(&svd.v));
    let sign = if u.determinant() * v.determinant() < 0.0 { -1.0 } else { 1.0 };
    Ok((u, svd.s, v, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> Vec<DVec3> {
        [(0.0, 0.0, 0.0), (10.0, 1.0, 2.0), (3.0, 8.0, -4.0), (-5.0, 2.0, 6.0), (1.0, 1.0, 9.0)]
            .map(|(x, y, z)| DVec3::new(x, y, z))
            .to_vec()
    }

    /// Models that must repeat an exact map of `model`.
    fn bent_models(model: TransformModel) -> Vec<TransformModel> {
        let mut models = vec![TransformModel::ThinPlate, TransformModel::MlsAffine];
        if model != TransformModel::Affine {
            models.push(TransformModel::MlsSimilarity);
        }
        if matches!(model, TransformModel::Translation | TransformModel::Rigid) {
            models.push(TransformModel::MlsRigid);
        }
        models
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
            let got = fit_3d(model, 0.0, &cloud(), &fixed).unwrap();
            assert!(got.linear_part().abs_diff_eq(map, 1e-12 * 100.0), "{model:?}: {got:?}");
            let p = DVec3::new(4.0, -3.0, 8.0);
            for bent in bent_models(model) {
                let warp = fit_3d(bent, 0.0, &cloud(), &fixed).unwrap();
                assert!((warp.apply(p) - map.transform_point3(p)).length() < 1e-10, "{bent:?} of {model:?}");
            }
        }
    }

    #[test]
    fn never_a_reflection_and_never_flat() {
        let mirrored: Vec<DVec3> = cloud().iter().map(|p| *p * DVec3::new(-1.0, 1.0, 1.0)).collect();
        for model in [TransformModel::Rigid, TransformModel::Similarity] {
            assert!(fit_3d(model, 0.0, &cloud(), &mirrored).unwrap().linear_part().matrix3.determinant() > 0.0);
        }
        let line: Vec<DVec3> = (0..5).map(|i| DVec3::new(1.0, 2.0, 3.0) * f64::from(i)).collect();
        let sheet: Vec<DVec3> = cloud().iter().map(|p| p.with_z(4.0)).collect();
        let same = vec![DVec3::new(1e5, 2.0, 3.0); 5];
        for model in TransformModel::ALL {
            let (needed, rank) = needs(model);
            for (points, dims) in [(&same, 0), (&line, 1), (&sheet, 2), (&cloud(), 3)] {
                let fit = fit_3d(model, 0.0, points, &cloud());
                assert_eq!(fit.is_ok(), dims >= rank, "{model:?} {dims}");
                assert_eq!(fit_3d(model, 0.0, &cloud(), points).is_ok(), dims >= rank, "{model:?} {dims}");
                assert!(fit.is_ok() || matches!(fit, Err(Error::Degenerate(_))));
            }
            let few = fit_3d(model, 0.0, &cloud()[..needed - 1], &cloud()[..needed - 1]).unwrap_err().to_string();
            assert!(few.contains(&format!("needs {needed}")), "{few}");
        }
        let mut doubled = cloud();
        doubled[1] = doubled[0];
        assert!(fit_3d(TransformModel::ThinPlate, 0.0, &doubled, &cloud()).is_err());
        assert!(fit_3d(TransformModel::ThinPlate, 1.0, &doubled, &cloud()).is_ok());
        assert!(fit_3d(TransformModel::ThinPlate, -1.0, &cloud(), &cloud()).is_err());
    }
}
