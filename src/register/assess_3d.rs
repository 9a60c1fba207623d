//! How good a landmark fit in space is: as in the plane, by refitting.

use super::fit_3d::{aligned_trace, fit_3d, mean, spans, spread};
use super::quality::{FOLD_GRID, median};
use super::thin_plate::leave_one_out_3;
use crate::base::Result;
use crate::model::{Mirror, PairError, Quality, TransformModel};
use crate::space::{DAffine3, DVec3, Warp3};
use rayon::prelude::*;

/// Side of the grid in space on which folds are counted: as many points as 64 × 64 in the plane.
const FOLD_GRID_3: usize = 16;

/// Fits `model` in space and judges it. `names[i]` names pair i. Numbers are in the unit of
/// `fixed`; `folds` counts negative Jacobians on a 16 × 16 × 16 grid over the bounds of `moving`. Errors as
/// [`fit_3d`]. Costs O(n²) small decompositions for the exchanges: tens of milliseconds at 64 pairs.
pub fn assess_3d(model: TransformModel, stiffness: f64, names: &[String], moving: &[DVec3], fixed: &[DVec3]) -> Result<Quality> {
    let warp = fit_3d(model, stiffness, moving, fixed)?;
    let n = moving.len();
    let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| format!("{}", i + 1));
    let named =
        |errors: &[Option<f64>]| errors.iter().enumerate().map(|(i, e)| PairError { name: name(i), error_mm: *e }).collect();
    let residuals: Vec<f64> = moving.iter().zip(fixed).map(|(p, q)| warp.apply(*p).distance(*q)).collect();
    let left_out = leave_one_out(model, stiffness, moving, fixed);
    let swap = best_swap(moving, fixed);
    let mended = exchanged(fixed, swap);
    let flipped: Vec<DVec3> = moving.iter().map(|p| *p * DVec3::new(-1.0, 1.0, 1.0)).collect();
    let [proper, reflected, after] =
        [(moving, fixed), (&flipped[..], fixed), (moving, &mended[..])].map(|(p, q)| similarity_rms(p, q));
    Ok(Quality {
        n_pairs: n,
        rms_mm: Some((residuals.iter().map(|r| r * r).sum::<f64>() / n.max(1) as f64).sqrt()),
        residuals: named(&residuals.into_iter().map(Some).collect::<Vec<_>>()),
        leave_one_out_median_mm: median(left_out.iter().flatten().copied().collect()),
        leave_one_out: named(&left_out),
        mirror: Some(Mirror {
            suspected: n >= 4 && proper > 2.0 * reflected && proper > 0.1 * spread(fixed) && reflected < after,
            rms_proper_mm: proper,
            rms_reflected_mm: reflected,
        }),
        swapped_pairs: swap.filter(|_| after < reflected).map(|[i, j]| [name(i), name(j)]).into_iter().collect(),
        folds: count_folds(&warp, moving),
        scale: similarity(moving, fixed).map_or(1.0, |m| m.matrix3.determinant().abs().cbrt()),
    })
}

/// Distance at each pair between its fixed point and where the map fitted without it puts its moving point;
/// `None` where that fit does not exist. The thin plate's is Rippa's closed form, which is the refit exactly.
fn leave_one_out(model: TransformModel, stiffness: f64, moving: &[DVec3], fixed: &[DVec3]) -> Vec<Option<f64>> {
    let n = moving.len();
    let without = |points: &[DVec3], i: usize| [&points[..i], &points[i + 1..]].concat();
    if model == TransformModel::ThinPlate {
        let errors = leave_one_out_3(stiffness, moving, fixed).unwrap_or_default();
        let deep = |points: &[DVec3], i: usize| spans(&without(points, i)).is_ok_and(|rank| rank == 3);
        let stands = |i: usize| n > 4 && deep(moving, i) && deep(fixed, i);
        return (0..n).map(|i| errors.get(i).copied().filter(|e| e.is_finite() && stands(i))).collect();
    }
    let refit = |i: usize| {
        let warp = fit_3d(model, stiffness, &without(moving, i), &without(fixed, i)).ok()?;
        Some(warp.apply(moving[i]).distance(fixed[i])).filter(|e| e.is_finite())
    };
    (0..n).into_par_iter().map(refit).collect()
}

/// Negative Jacobian determinants on a grid over the bounds of `moving`, edges included.
fn count_folds(warp: &Warp3, moving: &[DVec3]) -> usize {
    if let Warp3::Affine(a) = warp {
        return if a.matrix3.determinant() < 0.0 { FOLD_GRID * FOLD_GRID } else { 0 };
    }
    let low = moving.iter().copied().fold(DVec3::INFINITY, DVec3::min);
    let high = moving.iter().copied().fold(DVec3::NEG_INFINITY, DVec3::max);
    let at = |k: usize| {
        let step = [k % FOLD_GRID_3, k / FOLD_GRID_3 % FOLD_GRID_3, k / (FOLD_GRID_3 * FOLD_GRID_3)];
        low + (high - low) * DVec3::from_array(step.map(|s| s as f64)) / (FOLD_GRID_3 - 1) as f64
    };
    (0..FOLD_GRID_3.pow(3)).into_par_iter().filter(|k| warp.jacobian(at(*k)).determinant() < 0.0).count()
}

fn similarity(moving: &[DVec3], fixed: &[DVec3]) -> Result<DAffine3> {
    fit_3d(TransformModel::Similarity, 0.0, moving, fixed).map(|w| w.linear_part())
}

/// Infinite where no similarity can be fitted.
fn similarity_rms(moving: &[DVec3], fixed: &[DVec3]) -> f64 {
    similarity(moving, fixed).map_or(f64::INFINITY, |map| {
        let sum: f64 = moving.iter().zip(fixed).map(|(p, q)| map.transform_point3(*p).distance_squared(*q)).sum();
        (sum / moving.len().max(1) as f64).sqrt()
    })
}

fn exchanged(fixed: &[DVec3], swap: Option<[usize; 2]>) -> Vec<DVec3> {
    let mut mended = fixed.to_vec();
    if let Some([i, j]) = swap {
        mended.swap(i, j);
    }
    mended
}

/// The one exchange of two fixed points that explains most, by the rule used in the plane. An exchange changes
/// the cross-covariance by one product of two vectors and nothing else, so each costs one 3×3 decomposition.
fn best_swap(moving: &[DVec3], fixed: &[DVec3]) -> Option<[usize; 2]> {
    let n = moving.len();
    let before = similarity_rms(moving, fixed).powi(2);
    if n < 4 || !before.is_finite() || before <= 0.01 * spread(fixed).powi(2) / n as f64 {
        return None;
    }
    let (from, to) = (mean(moving), mean(fixed));
    let sum = moving.iter().zip(fixed).fold([0.0; 9], |sum, (p, q)| plus_product(sum, *q - to, *p - from));
    let [spread_p, spread_q] = [moving, fixed].map(|points| spread(points).powi(2));
    let after = |[i, j]: [usize; 2]| {
        let exchanged = plus_product(sum, fixed[j] - fixed[i], moving[i] - moving[j]).map(|v| v / n as f64);
        let along = aligned_trace(&exchanged).unwrap_or(0.0);
        (spread_q - along * along / spread_p).max(0.0)
    };
    let pairs: Vec<[usize; 2]> = (0..n).flat_map(|i| (i + 1..n).map(move |j| [i, j])).collect();
    let all: Vec<f64> = pairs.par_iter().map(|s| after(*s)).collect();
    let (swap, after) = pairs.into_iter().zip(all).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let freedom = (3 * n - 7) as f64;
    let large = before > after * (1.0 + 24.0 / freedom) && (before - after) * n as f64 > 0.01 * spread(fixed).powi(2);
    large.then_some(swap)
}

/// The row-major 3×3 matrix `m + q pᵀ`.
fn plus_product(m: [f64; 9], q: DVec3, p: DVec3) -> [f64; 9] {
    std::array::from_fn(|k| m[k] + q[k / 3] * p[k % 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::DMat3;

    fn pairs(n: usize) -> (Vec<DVec3>, Vec<DVec3>) {
        let at = |i: usize, k: f64| (i as f64 * k).fract() * 30.0;
        let moving: Vec<DVec3> = (1..=n).map(|i| DVec3::new(at(i, 0.819_173), at(i, 0.671_044), at(i, 0.549_7))).collect();
        let turn = DMat3::from_axis_angle(DVec3::new(1.0, 2.0, 2.0) / 3.0, 0.8) * 1.2;
        let fixed = moving
            .iter()
            .map(|p| turn * *p + DVec3::new(10.0, 0.0, -80.0) + DVec3::new(p.y.sin(), p.z.cos(), p.x.sin()) * 0.2)
            .collect();
        (moving, fixed)
    }

    #[test]
    fn swaps_and_mirrors_in_space() {
        let names: Vec<String> = (0..7).map(|i| format!("p{i}")).collect();
        let (moving, mut fixed) = pairs(7);
        let good = assess_3d(TransformModel::Similarity, 0.0, &names, &moving, &fixed).unwrap();
        assert!(good.swapped_pairs.is_empty() && good.suspected_mirror().is_none() && (good.scale - 1.2).abs() < 0.02);
        assert!(good.leave_one_out_median_mm.unwrap() > good.rms_mm.unwrap() && good.folds == 0);
        fixed.swap(1, 4);
        let swapped = assess_3d(TransformModel::Rigid, 0.0, &names, &moving, &fixed).unwrap();
        assert_eq!(swapped.swapped_pairs, vec![["p1".to_owned(), "p4".to_owned()]]);
        fixed.swap(1, 4);
        let flipped: Vec<DVec3> = moving.iter().map(|p| p.with_x(-p.x)).collect();
        let mirrored = assess_3d(TransformModel::Affine, 0.0, &names, &flipped, &fixed).unwrap();
        assert!(mirrored.suspected_mirror().is_some() && mirrored.folds == 64 * 64 && mirrored.swapped_pairs.is_empty());
        assert!(assess_3d(TransformModel::Affine, 0.0, &names, &moving[..3], &fixed[..3]).is_err());
    }

    #[test]
    fn closed_form_of_the_thin_plate_is_the_refit_and_mirrors_fold() {
        let (moving, fixed) = pairs(12);
        for stiffness in [0.0, 0.4] {
            let fast = leave_one_out(TransformModel::ThinPlate, stiffness, &moving, &fixed);
            for (i, got) in fast.iter().enumerate() {
                let without = |p: &[DVec3]| [&p[..i], &p[i + 1..]].concat();
                let warp = fit_3d(TransformModel::ThinPlate, stiffness, &without(&moving), &without(&fixed)).unwrap();
                assert!((got.unwrap() - warp.apply(moving[i]).distance(fixed[i])).abs() < 1e-9);
            }
        }
        let flipped: Vec<DVec3> = moving.iter().map(|p| p.with_x(-p.x)).collect();
        let names: Vec<String> = (0..12).map(|i| format!("p{i}")).collect();
        let assess = |model, moving: &[DVec3]| assess_3d(model, 0.0, &names, moving, &fixed).unwrap();
        assert!(assess(TransformModel::ThinPlate, &flipped).folds > 4000);
        assert_eq!(assess(TransformModel::MlsSimilarity, &moving).folds, 0);
        let four = leave_one_out(TransformModel::MlsAffine, 0.0, &moving[..4], &fixed[..4]);
        assert!(four.iter().all(Option::is_none));
    }
}
