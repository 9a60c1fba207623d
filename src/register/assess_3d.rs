//! How good a linear landmark fit in space is: as in the plane, by refitting.

use super::fit_3d::{fit_3d, mean};
use super::quality::{FOLD_GRID, median};
use crate::base::Result;
use crate::model::{Mirror, PairError, Quality, TransformModel};
use crate::space::{DAffine3, DVec3};
use rayon::prelude::*;

/// Fits a linear `model` in space and judges it. `names[i]` names pair i. Numbers are in the unit of
/// `fixed`; `folds` is 0 or, for a map that mirrors, all 64 × 64. Errors as [`fit_3d`]. Costs O(n²)
/// small decompositions for the exchanges: tens of milliseconds at 64 pairs.
pub fn assess_3d(model: TransformModel, names: &[String], moving: &[DVec3], fixed: &[DVec3]) -> Result<Quality> {
    let map = fit_3d(model, moving, fixed)?;
    let n = moving.len();
    let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| format!("{}", i + 1));
    let named =
        |errors: &[Option<f64>]| errors.iter().enumerate().map(|(i, e)| PairError { name: name(i), error_mm: *e }).collect();
    let residuals: Vec<Option<f64>> = (0..n).map(|i| Some(map.transform_point3(moving[i]).distance(fixed[i]))).collect();
    let left_out: Vec<Option<f64>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let without = |points: &[DVec3]| [&points[..i], &points[i + 1..]].concat();
            let map = fit_3d(model, &without(moving), &without(fixed)).ok()?;
            Some(map.transform_point3(moving[i]).distance(fixed[i]))
        })
        .collect();
    let swap = best_swap(moving, fixed);
    let mended = exchanged(fixed, swap);
    let flipped: Vec<DVec3> = moving.iter().map(|p| *p * DVec3::new(-1.0, 1.0, 1.0)).collect();
    let [proper, reflected, after] =
        [(moving, fixed), (&flipped[..], fixed), (moving, &mended[..])].map(|(p, q)| similarity_rms(p, q));
    Ok(Quality {
        n_pairs: n,
        rms_mm: rms(&map, moving, fixed),
        residuals: named(&residuals),
        leave_one_out_median_mm: median(left_out.iter().flatten().copied().collect()),
        leave_one_out: named(&left_out),
        mirror: Mirror {
            suspected: n >= 4 && proper > 2.0 * reflected && proper > 0.1 * spread(fixed) && reflected < after,
            rms_proper_mm: proper,
            rms_reflected_mm: reflected,
        },
        swapped_pairs: swap.filter(|_| after < reflected).map(|[i, j]| [name(i), name(j)]).into_iter().collect(),
        folds: if map.matrix3.determinant() < 0.0 { FOLD_GRID * FOLD_GRID } else { 0 },
        scale: fit_3d(TransformModel::Similarity, moving, fixed).map_or(1.0, |m| m.matrix3.determinant().abs().cbrt()),
    })
}

fn rms(map: &DAffine3, moving: &[DVec3], fixed: &[DVec3]) -> f64 {
    let sum: f64 = moving.iter().zip(fixed).map(|(p, q)| map.transform_point3(*p).distance_squared(*q)).sum();
    (sum / moving.len().max(1) as f64).sqrt()
}

/// Infinite where no similarity can be fitted.
fn similarity_rms(moving: &[DVec3], fixed: &[DVec3]) -> f64 {
    fit_3d(TransformModel::Similarity, moving, fixed).map_or(f64::INFINITY, |m| rms(&m, moving, fixed))
}

fn spread(points: &[DVec3]) -> f64 {
    let middle = mean(points);
    (points.iter().map(|p| p.distance_squared(middle)).sum::<f64>() / points.len().max(1) as f64).sqrt()
}

fn exchanged(fixed: &[DVec3], swap: Option<[usize; 2]>) -> Vec<DVec3> {
    let mut mended = fixed.to_vec();
    if let Some([i, j]) = swap {
        mended.swap(i, j);
    }
    mended
}

/// The one exchange of two fixed points that explains most, by the rule used in the plane.
fn best_swap(moving: &[DVec3], fixed: &[DVec3]) -> Option<[usize; 2]> {
    let n = moving.len();
    let before = similarity_rms(moving, fixed).powi(2);
    if n < 4 || !before.is_finite() || before <= 0.01 * spread(fixed).powi(2) / n as f64 {
        return None;
    }
    let pairs: Vec<[usize; 2]> = (0..n).flat_map(|i| (i + 1..n).map(move |j| [i, j])).collect();
    let after: Vec<f64> = pairs.par_iter().map(|s| similarity_rms(moving, &exchanged(fixed, Some(*s))).powi(2)).collect();
    let (swap, after) = pairs.into_iter().zip(after).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let freedom = (3 * n - 7) as f64;
    let large = before > after * (1.0 + 24.0 / freedom) && (before - after) * n as f64 > 0.01 * spread(fixed).powi(2);
    large.then_some(swap)
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
        let good = assess_3d(TransformModel::Similarity, &names, &moving, &fixed).unwrap();
        assert!(good.swapped_pairs.is_empty() && !good.mirror.suspected && (good.scale - 1.2).abs() < 0.02);
        assert!(good.leave_one_out_median_mm.unwrap() > good.rms_mm && good.folds == 0);
        fixed.swap(1, 4);
        let swapped = assess_3d(TransformModel::Rigid, &names, &moving, &fixed).unwrap();
        assert_eq!(swapped.swapped_pairs, vec![["p1".to_owned(), "p4".to_owned()]]);
        fixed.swap(1, 4);
        let flipped: Vec<DVec3> = moving.iter().map(|p| p.with_x(-p.x)).collect();
        let mirrored = assess_3d(TransformModel::Affine, &names, &flipped, &fixed).unwrap();
        assert!(mirrored.mirror.suspected && mirrored.folds == 64 * 64 && mirrored.swapped_pairs.is_empty());
        assert!(assess_3d(TransformModel::Affine, &names, &moving[..3], &fixed[..3]).is_err());
    }
}
