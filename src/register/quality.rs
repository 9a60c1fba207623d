//! How good a landmark fit is: residuals, leave-one-out errors, folds, and the two usual slips.

use super::fit_2d::{fit_2d, similarity};
use super::shape::Shape;
use super::{suspicion, thin_plate};
use crate::base::Result;
use crate::model::{Fit, PairError, Quality, Registration, TransformModel};
use crate::space::{DVec2, Warp};
use rayon::prelude::*;

/// Side of the grid on which folds are counted.
pub(super) const FOLD_GRID: usize = 64;

/// Fits `model` and judges it. `names[i]` names pair i; lengths must agree. Numbers are in the unit of
/// `fixed`. Errors as [`fit_2d`]. Costs a few milliseconds at 64 pairs.
pub fn assess_2d(model: TransformModel, stiffness: f64, names: &[String], moving: &[DVec2], fixed: &[DVec2]) -> Result<Quality> {
    let warp = fit_2d(model, stiffness, moving, fixed)?;
    Ok(judge(&warp, model, stiffness, names, &[moving, fixed]))
}

/// Fits a registration: fixed points are projected on its plane, inactive and half-placed pairs are
/// left out. Gives what belongs into `fit` and `problem`.
#[must_use]
pub fn fit_registration(r: &Registration) -> (Option<Fit>, Option<String>) {
    let complete = r.landmarks.complete();
    let names: Vec<String> = complete.iter().map(|(i, _, _)| r.landmarks.pairs[*i].name.clone()).collect();
    let moving: Vec<DVec2> = complete.iter().map(|(_, m, _)| *m).collect();
    let fixed: Vec<DVec2> = complete.iter().map(|(_, _, f)| r.plane.plane_from_lps(*f)).collect();
    match fit_2d(r.model, r.stiffness, &moving, &fixed) {
        Ok(warp) => {
            let quality = judge(&warp, r.model, r.stiffness, &names, &[&moving, &fixed]);
            (Some(Fit { plane_from_section: warp, quality }), None)
        }
        Err(error) => (None, Some(error.to_string())),
    }
}

fn judge(warp: &Warp, model: TransformModel, stiffness: f64, names: &[String], pairs: &[&[DVec2]; 2]) -> Quality {
    let [moving, fixed] = *pairs;
    let named = |errors: Vec<Option<f64>>| -> Vec<PairError> {
        let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| format!("{}", i + 1));
        errors.into_iter().enumerate().map(|(i, error_mm)| PairError { name: name(i), error_mm }).collect()
    };
    let residuals: Vec<f64> = moving.iter().zip(fixed).map(|(p, q)| warp.apply(*p).distance(*q)).collect();
    let n = residuals.len().max(1) as f64;
    let left_out = leave_one_out(model, stiffness, moving, fixed);
    let swaps = suspicion::swapped(moving, fixed);
    let residuals_named = named(residuals.iter().map(|r| Some(*r)).collect());
    let name = |i: usize| residuals_named[i].name.clone();
    Quality {
        n_pairs: residuals.len(),
        rms_mm: Some((residuals.iter().map(|r| r * r).sum::<f64>() / n).sqrt()),
        leave_one_out_median_mm: median(left_out.iter().flatten().copied().collect()),
        leave_one_out: named(left_out),
        mirror: Some(suspicion::mirrored(moving, fixed)),
        swapped_pairs: swaps.iter().map(|[i, j]| [name(*i), name(*j)]).collect(),
        folds: count_folds(warp, moving),
        scale: similarity(moving, fixed, false).matrix2.x_axis.length(),
        residuals: residuals_named,
    }
}

/// Distance at each pair between its fixed point and where the map fitted without it puts its moving
/// point; `None` where that fit does not exist. The thin plate uses Rippa's closed form, which is the
/// refit exactly; others refit n times.
#[must_use]
pub fn leave_one_out(model: TransformModel, stiffness: f64, moving: &[DVec2], fixed: &[DVec2]) -> Vec<Option<f64>> {
    let n = moving.len().min(fixed.len());
    let without = |points: &[DVec2], i: usize| [&points[..i], &points[i + 1..n]].concat();
    if model == TransformModel::ThinPlate {
        let errors = thin_plate::leave_one_out(stiffness, &moving[..n], &fixed[..n]).unwrap_or_default();
        let stands = |i: usize| n > 3 && !Shape::of(&without(moving, i)).is_line() && !Shape::of(&without(fixed, i)).is_line();
        return (0..n).map(|i| errors.get(i).copied().filter(|e| e.is_finite() && stands(i))).collect();
    }
    (0..n)
        .into_par_iter()
        .map(|i| {
            let warp = fit_2d(model, stiffness, &without(moving, i), &without(fixed, i)).ok()?;
            Some(warp.apply(moving[i]).distance(fixed[i])).filter(|e| e.is_finite())
        })
        .collect()
}

/// Negative Jacobian determinants on a 64 × 64 grid over the bounds of `moving`, edges included.
fn count_folds(warp: &Warp, moving: &[DVec2]) -> usize {
    let Some((low, high)) = moving
        .iter()
        .fold(None, |bounds: Option<(DVec2, DVec2)>, p| Some(bounds.map_or((*p, *p), |(low, high)| (low.min(*p), high.max(*p)))))
    else {
        return 0;
    };
    if let Warp::Affine(a) = warp {
        return if a.matrix2.determinant() < 0.0 { FOLD_GRID * FOLD_GRID } else { 0 };
    }
    let last = (FOLD_GRID - 1) as f64;
    let at = |k: usize| low + (high - low) * DVec2::new((k % FOLD_GRID) as f64, (k / FOLD_GRID) as f64) / last;
    (0..FOLD_GRID * FOLD_GRID).into_par_iter().filter(|k| warp.jacobian(at(*k)).determinant() < 0.0).count()
}

pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let high = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { high } else { f64::midpoint(values[middle - 1], high) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(n: usize) -> (Vec<DVec2>, Vec<DVec2>) {
        let moving: Vec<DVec2> = (0..n)
            .map(|i| (i as f64 * 0.618_034, i as f64 * 0.754_878))
            .map(|(x, y)| DVec2::new(x.fract() * 12.0, y.fract() * 9.0))
            .collect();
        let fixed = moving
            .iter()
            .map(|p| {
                DVec2::new(
                    1.1 * p.x - 0.5 * p.y + 0.2 * (0.7 * p.y).sin(),
                    0.5 * p.x + 1.2 * p.y + 0.3 * (0.5 * p.x).cos() + 30.0,
                )
            })
            .collect();
        (moving, fixed)
    }

    #[test]
    fn closed_form_of_the_thin_plate_is_the_refit() {
        for (n, stiffness) in [(4, 0.0), (12, 0.0), (12, 0.3), (64, 0.0), (64, 2.0)] {
            let (moving, fixed) = cloud(n);
            let fast = leave_one_out(TransformModel::ThinPlate, stiffness, &moving, &fixed);
            for (i, got) in fast.iter().enumerate() {
                let without = |p: &[DVec2]| [&p[..i], &p[i + 1..]].concat();
                let warp = fit_2d(TransformModel::ThinPlate, stiffness, &without(&moving), &without(&fixed)).unwrap();
                let want = warp.apply(moving[i]).distance(fixed[i]);
                assert!((got.unwrap() - want).abs() < 1e-9, "{n} {stiffness} {i}: {got:?} {want}");
            }
        }
    }

    #[test]
    fn too_few_without_one_is_none() {
        let (moving, fixed) = cloud(3);
        for model in TransformModel::ALL {
            let errors = leave_one_out(model, 0.0, &moving, &fixed);
            assert_eq!(errors.iter().all(Option::is_none), model.least_pairs() == 3, "{model:?}");
        }
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0, 10.0]), Some(2.5));
    }

    #[test]
    fn folded_and_mirrored_maps_are_counted() {
        let (moving, _) = cloud(8);
        let mirrored: Vec<DVec2> = moving.iter().map(|p| DVec2::new(-p.x, p.y)).collect();
        let names: Vec<String> = (0..8).map(|i| format!("p{i}")).collect();
        let affine = assess_2d(TransformModel::Affine, 0.0, &names, &moving, &mirrored).unwrap();
        assert_eq!(affine.folds, 64 * 64);
        assert!(affine.suspected_mirror().is_some() && affine.swapped_pairs.is_empty());
        let mut torn = moving.clone();
        torn.swap(0, 3);
        assert!(assess_2d(TransformModel::ThinPlate, 0.0, &names, &moving, &torn).unwrap().folds > 0);
        let quality = assess_2d(TransformModel::Similarity, 0.0, &names, &moving, &torn).unwrap();
        assert_eq!(quality.swapped_pairs, vec![["p0".to_owned(), "p3".to_owned()]]);
        assert!(quality.suspected_mirror().is_none());
    }
}
