//! Landmark models in the plane: from a shift to a thin plate. Similarities follow Umeyama (1991)
//! without reflections; affines are ordinary least squares, not the normalized direct linear transform.

use super::shape::{Shape, check_points, check_stiffness};
use super::thin_plate::fit_thin_plate;
use crate::base::{Error, Result};
use crate::model::TransformModel;
use crate::space::{DAffine2, DMat2, DVec2, MlsKind, MovingLeastSquares, Warp};

/// The map of `model` that takes `moving` to `fixed` with least squared distances.
///
/// `stiffness` ≥ 0 is added to the diagonal of the thin plate's kernel matrix (0 goes through every
/// point); other models ignore it. Shapes: two lists of the same length, any unit.
/// [`Error::Degenerate`] where there are fewer pairs than the model needs, or they coincide, or lie on
/// one line where it needs a plane. Costs O(n), for the thin plate O(n³).
pub fn fit_2d(model: TransformModel, stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Result<Warp> {
    check(model, stiffness, moving, fixed)?;
    Ok(match model {
        TransformModel::Translation => Warp::Affine(DAffine2::from_translation(Shape::of(fixed).mean - Shape::of(moving).mean)),
        TransformModel::Rigid => Warp::Affine(similarity(moving, fixed, true)),
        TransformModel::Similarity => Warp::Affine(similarity(moving, fixed, false)),
        TransformModel::Affine => Warp::Affine(affine(moving, fixed)),
        TransformModel::ThinPlate => Warp::ThinPlate(fit_thin_plate(stiffness, moving, fixed)?),
        TransformModel::MlsRigid => least_squares(MlsKind::Rigid, moving, fixed),
        TransformModel::MlsSimilarity => least_squares(MlsKind::Similarity, moving, fixed),
        TransformModel::MlsAffine => least_squares(MlsKind::Affine, moving, fixed),
    })
}

fn least_squares(kind: MlsKind, moving: &[DVec2], fixed: &[DVec2]) -> Warp {
    Warp::MovingLeastSquares(MovingLeastSquares { kind, source: moving.to_vec(), target: fixed.to_vec() })
}

/// The best map `c R p + t` with det R = +1; `rigid` keeps c = 1. A rotation of the plane is a complex
/// number, so Umeyama's singular values are not needed.
pub(super) fn similarity(moving: &[DVec2], fixed: &[DVec2], rigid: bool) -> DAffine2 {
    let (from, to) = (Shape::of(moving).mean, Shape::of(fixed).mean);
    let (mut cos, mut sin, mut spread) = (0.0, 0.0, 0.0);
    for (p, q) in moving.iter().zip(fixed) {
        let (p, q) = (*p - from, *q - to);
        cos += p.dot(q);
        sin += p.perp_dot(q);
        spread += p.length_squared();
    }
    let by = if rigid { cos.hypot(sin) } else { spread };
    let (cos, sin) = if by > 0.0 { (cos / by, sin / by) } else { (1.0, 0.0) };
    let linear = DMat2::from_cols(DVec2::new(cos, sin), DVec2::new(-sin, cos));
    DAffine2::from_mat2_translation(linear, to - linear * from)
}

/// Ordinary least squares by Gram and Schmidt on the two centered columns.
fn affine(moving: &[DVec2], fixed: &[DVec2]) -> DAffine2 {
    let (from, to) = (Shape::of(moving).mean, Shape::of(fixed).mean);
    let [first, second, cross] = orthonormal_columns(moving, from);
    let (mut a, mut b) = (DVec2::ZERO, DVec2::ZERO);
    for (i, q) in fixed.iter().enumerate() {
        a += (*q - to) * first.1[i];
        b += (*q - to) * second.1[i];
    }
    let y_axis = b / second.0;
    let x_axis = (a - y_axis * cross.0) / first.0;
    let linear = DMat2::from_cols(x_axis, y_axis);
    DAffine2::from_mat2_translation(linear, to - linear * from)
}

/// The centered x column and the part of the y column perpendicular to it, each as (length, unit
/// column); the third is (their product before, empty).
pub(super) fn orthonormal_columns(points: &[DVec2], mean: DVec2) -> [(f64, Vec<f64>); 3] {
    let unit = |v: Vec<f64>| {
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        (length, v.into_iter().map(|x| if length > 0.0 { x / length } else { 0.0 }).collect::<Vec<f64>>())
    };
    let first = unit(points.iter().map(|p| p.x - mean.x).collect());
    let mut second: Vec<f64> = points.iter().map(|p| p.y - mean.y).collect();
    let mut cross = 0.0;
    // Twice is enough for full precision (Kahan and Parlett).
    for _ in 0..2 {
        let share: f64 = first.1.iter().zip(&second).map(|(u, v)| u * v).sum();
        second.iter_mut().zip(&first.1).for_each(|(v, u)| *v -= share * u);
        cross += share;
    }
    [first, unit(second), (cross, Vec::new())]
}

fn check(model: TransformModel, stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Result<()> {
    check_points(moving.len(), fixed.len(), moving.iter().chain(fixed).all(|p| p.is_finite()))?;
    check_stiffness(stiffness)?;
    let (n, needed) = (moving.len(), model.least_pairs());
    let name = model.name();
    if n < needed {
        return Err(Error::degenerate(format!(
            "the model {name} needs {needed} complete active pairs, there {}; place more pairs or choose a simpler model",
            is_are(n)
        )));
    }
    if model == TransformModel::Translation {
        return Ok(());
    }
    for (side, points) in [("moving", moving), ("fixed", fixed)] {
        let shape = Shape::of(points);
        if shape.is_point() {
            return Err(Error::degenerate(format!(
                "the model {name} needs {needed} pairs at different places, but all {n} {side} points are the same point"
            )));
        }
        if needs_plane(model) && shape.is_line() {
            return Err(Error::degenerate(format!(
                "the model {name} needs {needed} pairs that do not lie on one line, but the {n} {side} points do; move a point or choose similarity"
            )));
        }
    }
    if model == TransformModel::ThinPlate && stiffness == 0.0 {
        let least = 1e-9 * Shape::of(moving).radius();
        refuse_doubles(moving, |p, q| p.distance(*q) <= least)?;
    }
    Ok(())
}

pub(super) fn is_are(n: usize) -> String {
    if n == 1 { "is 1".into() } else { format!("are {n}") }
}

fn needs_plane(model: TransformModel) -> bool {
    matches!(model, TransformModel::Affine | TransformModel::ThinPlate | TransformModel::MlsAffine)
}

/// [`Error::Degenerate`] where two moving points are the same by `is_same`.
pub(super) fn refuse_doubles<P: std::fmt::Display>(moving: &[P], is_same: impl Fn(&P, &P) -> bool) -> Result<()> {
    for (i, p) in moving.iter().enumerate() {
        if let Some(j) = moving[..i].iter().position(|q| is_same(p, q)) {
            return Err(Error::degenerate(format!(
                "a thin plate (tps) through every point needs different moving points, but pairs {} and {} of {} lie at {p}; switch one off or give a stiffness",
                j + 1,
                i + 1,
                moving.len()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<DVec2> {
        list.iter().map(|&(x, y)| DVec2::new(x, y)).collect()
    }

    #[test]
    fn refusals_name_the_model_and_the_counts() {
        let line = points(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (5.0, 5.0)]);
        let same = vec![DVec2::new(3.0, 4.0); 4];
        let good = points(&[(0.0, 0.0), (5.0, 1.0), (2.0, 7.0), (3.0, 3.0)]);
        for model in TransformModel::ALL {
            let few = fit_2d(model, 0.0, &good[..model.least_pairs() - 1], &good[..model.least_pairs() - 1]);
            let text = few.unwrap_err().to_string();
            assert!(text.contains(model.name()) && text.contains(&format!("needs {}", model.least_pairs())), "{text}");
            assert_eq!(fit_2d(model, 0.0, &same, &good).is_err(), model != TransformModel::Translation);
            assert_eq!(fit_2d(model, 0.0, &line, &good).is_err(), needs_plane(model), "{model:?}");
            assert_eq!(fit_2d(model, 0.0, &good, &line).is_err(), needs_plane(model), "{model:?}");
            assert!(fit_2d(model, 0.0, &good, &good).is_ok());
            assert!(matches!(fit_2d(model, 0.0, &good, &good[..3]), Err(Error::Parameter(_))));
        }
        let doubled = points(&[(0.0, 0.0), (5.0, 1.0), (2.0, 7.0), (2.0, 7.0)]);
        assert!(fit_2d(TransformModel::ThinPlate, 0.0, &doubled, &good).is_err());
        assert!(fit_2d(TransformModel::ThinPlate, 1.0, &doubled, &good).is_ok());
        assert!(fit_2d(TransformModel::ThinPlate, -1.0, &good, &good).is_err());
        assert!(fit_2d(TransformModel::Affine, f64::NAN, &good, &good).is_err());
    }

    #[test]
    fn every_model_repeats_an_exact_similarity_far_from_the_origin() {
        let map = DAffine2::from_scale_angle_translation(DVec2::splat(1.3), 2.0, DVec2::new(3e4, -1e4));
        let moving: Vec<DVec2> =
            points(&[(0.0, 0.0), (9.0, 1.0), (4.0, 7.0), (2.0, 3.0)]).iter().map(|p| *p + DVec2::splat(2e4)).collect();
        let fixed: Vec<DVec2> = moving.iter().map(|p| map.transform_point2(*p)).collect();
        for model in [TransformModel::Similarity, TransformModel::Affine, TransformModel::ThinPlate] {
            let warp = fit_2d(model, 0.0, &moving, &fixed).unwrap();
            let p = DVec2::new(20_006.0, 20_004.0);
            assert!(warp.apply(p).distance(map.transform_point2(p)) < 1e-8, "{model:?}");
        }
    }
}
