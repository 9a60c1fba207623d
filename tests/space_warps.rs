//! Landmark warps of space against `SciPy` and `NumPy` in `golden/registration_space.json` (made by
//! `golden/gen_space.py`).

#![allow(clippy::unwrap_used, reason = "a failed test stops here")]

use myoscope::model::TransformModel;
use myoscope::register::{assess_3d, fit_3d};
use myoscope::space::DVec3;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/registration_space.json")).unwrap()
}

fn points(value: &Value) -> Vec<DVec3> {
    let number = |p: &Value, k: usize| p[k].as_f64().unwrap();
    value.as_array().unwrap().iter().map(|p| DVec3::new(number(p, 0), number(p, 1), number(p, 2))).collect()
}

fn worst(got: &[DVec3], want: &[DVec3]) -> f64 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).map(|(a, b)| (*a - *b).abs().max_element()).fold(0.0, f64::max)
}

#[test]
fn thin_plates_of_space_match_scipy() {
    let g = golden();
    let (moving, fixed, query) = (points(&g["moving"]), points(&g["fixed"]), points(&g["query"]));
    for (stiffness, key) in [(0.0, "tps_0.0"), (0.5, "tps_0.5"), (8.0, "tps_8.0")] {
        let warp = fit_3d(TransformModel::ThinPlate, stiffness, &moving, &fixed).unwrap();
        let apply = |at: &[DVec3]| at.iter().map(|p| warp.apply(*p)).collect::<Vec<_>>();
        let apart =
            worst(&apply(&query), &points(&g[key]["at_query"])).max(worst(&apply(&moving), &points(&g[key]["at_moving"])));
        assert!(apart < 1e-9, "{key}: {apart:e}");
        let quality = assess_3d(TransformModel::ThinPlate, stiffness, &[], &moving, &fixed).unwrap();
        for (got, want) in quality.leave_one_out.iter().zip(g[key]["leave_one_out"].as_array().unwrap()) {
            assert!((got.error_mm.unwrap() - want.as_f64().unwrap()).abs() < 1e-9, "{key} {}", got.name);
        }
    }
}

#[test]
fn moving_least_squares_of_space_match_the_formulas() {
    let g = golden();
    let (moving, fixed, query) = (points(&g["moving"]), points(&g["fixed"]), points(&g["query"]));
    for (model, key) in [
        (TransformModel::MlsRigid, "mls_rigid"),
        (TransformModel::MlsSimilarity, "mls_similarity"),
        (TransformModel::MlsAffine, "mls_affine"),
    ] {
        let warp = fit_3d(model, 0.0, &moving, &fixed).unwrap();
        let apart = worst(&query.iter().map(|p| warp.apply(*p)).collect::<Vec<_>>(), &points(&g[key]));
        assert!(apart < 1e-9, "{key}: {apart:e}");
        let quality = assess_3d(model, 0.0, &[], &moving, &fixed).unwrap();
        assert!(quality.rms_mm.unwrap() < 1e-9 && quality.leave_one_out.iter().all(|e| e.error_mm.is_some()));
        for (p, q) in query.iter().map(|p| (*p, warp.apply(*p))).take(4) {
            if let Ok(back) = warp.inverse_at(q, 1e-10) {
                assert!((warp.apply(back) - q).length() < 1e-9 && (back - p).length() < 30.0);
            }
        }
    }
}
