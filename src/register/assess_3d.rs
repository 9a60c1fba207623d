//! How good a linear fit in space is: residuals, leave-one-out errors, mirrors.

use super::fit_3d;
use crate::base::Result;
use crate::model::{Mirror, PairError, Quality, TransformModel};
use crate::space::{DAffine3, DVec3};

/// Quality of [`fit_3d`]; lengths in the unit of the points. A mirror is suspected from four pairs on,
/// where the similarity with reflection fits more than twice as well and the proper one misses by more than
/// a twentieth of the spread. Leave-one-out refits n times.
pub fn assess_3d(model: TransformModel, names: &[String], moving: &[DVec3], fixed: &[DVec3]) -> Result<Quality> {
    let fit = fit_3d(model, moving, fixed)?;
    let errors =
        |fit: &DAffine3| -> Vec<f64> { moving.iter().zip(fixed).map(|(m, f)| fit.transform_point3(*m).distance(*f)).collect() };
    let residuals = errors(&fit);
    let without = |points: &[DVec3], i: usize| [&points[..i], &points[i + 1..]].concat();
    let left_out: Vec<Option<f64>> = (0..moving.len())
        .map(|i| {
            let fit = fit_3d(model, &without(moving, i), &without(fixed, i)).ok()?;
            Some(fit.transform_point3(moving[i]).distance(fixed[i]))
        })
        .collect();
    let mut known: Vec<f64> = left_out.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    let median = (!known.is_empty()).then(|| f64::midpoint(known[(known.len() - 1) / 2], known[known.len() / 2]));
    let named = |list: Vec<Option<f64>>| -> Vec<PairError> {
        names.iter().zip(list).map(|(name, error_mm)| PairError { name: name.clone(), error_mm }).collect()
    };
    Ok(Quality {
        n_pairs: moving.len(),
        rms_mm: rms(&residuals),
        residuals: named(residuals.into_iter().map(Some).collect()),
        leave_one_out: named(left_out),
        leave_one_out_median_mm: median,
        mirror: mirror(moving, fixed),
        swapped_pairs: Vec::new(),
        folds: if fit.matrix3.determinant() < 0.0 { 64 * 64 } else { 0 },
        scale: fit.matrix3.determinant().abs().cbrt(),
    })
}

fn rms(errors: &[f64]) -> f64 {
    (errors.iter().map(|e| e * e).sum::<f64>() / errors.len().max(1) as f64).sqrt()
}

fn mirror(moving: &[DVec3], fixed: &[DVec3]) -> Mirror {
    let similarity = |moving: &[DVec3]| {
        let fit = fit_3d(TransformModel::Similarity, moving, fixed).ok()?;
        Some(rms(&moving.iter().zip(fixed).map(|(m, f)| fit.transform_point3(*m).distance(*f)).collect::<Vec<_>>()))
    };
    let reflected: Vec<DVec3> = moving.iter().map(|p| DVec3::new(-p.x, p.y, p.z)).collect();
    let (proper, reflected) = (similarity(moving).unwrap_or(0.0), similarity(&reflected).unwrap_or(0.0));
    let center = fixed.iter().sum::<DVec3>() / fixed.len().max(1) as f64;
    let spread = rms(&fixed.iter().map(|p| p.distance(center)).collect::<Vec<_>>());
    let suspected = moving.len() >= 4 && proper > 2.0 * reflected && proper > 0.05 * spread;
    Mirror { suspected, rms_proper_mm: proper, rms_reflected_mm: reflected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_map_and_its_mirror() {
        let moving: Vec<DVec3> =
            [[0.0, 0.0, 0.0], [9.0, 1.0, 2.0], [4.0, 7.0, 1.0], [2.0, 3.0, 8.0], [6.0, 2.0, 5.0]].map(DVec3::from_array).to_vec();
        let names: Vec<String> = (0..5).map(|i| i.to_string()).collect();
        let turn = |p: &DVec3| DVec3::new(-p.y, p.x, p.z) * 1.5 + DVec3::new(4.0, -2.0, 9.0);
        let fixed: Vec<DVec3> = moving.iter().map(turn).collect();
        let quality = assess_3d(TransformModel::Similarity, &names, &moving, &fixed).unwrap();
        assert!(quality.rms_mm < 1e-12 && (quality.scale - 1.5).abs() < 1e-12 && !quality.mirror.suspected);
        assert!(quality.leave_one_out_median_mm.unwrap() < 1e-12);
        let mirrored: Vec<DVec3> = fixed.iter().map(|p| DVec3::new(-p.x, p.y, p.z)).collect();
        let quality = assess_3d(TransformModel::Similarity, &names, &moving, &mirrored).unwrap();
        assert!(quality.mirror.suspected && quality.mirror.rms_reflected_mm < 1e-12 && quality.folds == 0);
    }
}
