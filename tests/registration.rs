//! Landmark fits against the numbers of scikit-image, `SciPy` and `NumPy` in `golden/registration.json`
//! (made by `golden/gen1.py`), against `SciPy` on real sections, and in seeded simulations.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::unreadable_literal,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "common/lcg.rs"]
mod lcg;

use lcg::Lcg;
use myoscope::model::{Landmark, Landmarks, Registration, TransformModel};
use myoscope::register::{assess_2d, fit_2d, fit_registration, leave_one_out, mend_mirror, mirrored, swapped};
use myoscope::space::{DAffine2, DVec2, DVec3, Plane, Warp};
use serde_json::Value;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/registration.json")).unwrap()
}

fn points(value: &Value) -> Vec<DVec2> {
    value.as_array().unwrap().iter().map(|p| DVec2::new(p[0].as_f64().unwrap(), p[1].as_f64().unwrap())).collect()
}

fn matrix_of(warp: &Warp) -> DAffine2 {
    warp.linear_part()
}

fn assert_matrix(got: DAffine2, want: &Value, tolerance: f64) {
    for (row, columns) in [(0, got.matrix2.row(0)), (1, got.matrix2.row(1))] {
        let shift = got.translation[row];
        for (column, number) in [columns.x, columns.y, shift].into_iter().enumerate() {
            let wanted = want[row][column].as_f64().unwrap();
            assert!((number - wanted).abs() < tolerance, "entry {row},{column}: {number} instead of {wanted}");
        }
    }
}

fn assert_points(got: &[DVec2], want: &[DVec2], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (a, b) in got.iter().zip(want) {
        assert!((*a - *b).abs().max_element() < tolerance, "{a} instead of {b}");
    }
}

#[test]
fn linear_models_match_scikit_image_and_numpy() {
    let g = golden();
    let (moving, fixed) = (points(&g["landmark_src"]), points(&g["landmark_dst"]));
    for (model, key) in [
        (TransformModel::Rigid, "landmark_rigid"),
        (TransformModel::Similarity, "landmark_similarity"),
        (TransformModel::Affine, "landmark_affine_ols"),
    ] {
        assert_matrix(matrix_of(&fit_2d(model, 0.0, &moving, &fixed).unwrap()), &g[key]["matrix"], 1e-10);
        let quality = assess_2d(model, 0.0, &[], &moving, &fixed).unwrap();
        assert!((quality.rms_mm.unwrap() - g[key]["rms"].as_f64().unwrap()).abs() < 1e-10);
        assert!(quality.suspected_mirror().is_none() && quality.swapped_pairs.is_empty() && quality.folds == 0);
    }
    let flipped: Vec<DVec2> = fixed.iter().map(|p| DVec2::new(-p.x, p.y)).collect();
    let quality = assess_2d(TransformModel::Similarity, 0.0, &[], &moving, &flipped).unwrap();
    let similarity = matrix_of(&fit_2d(TransformModel::Similarity, 0.0, &moving, &flipped).unwrap());
    assert_matrix(similarity, &g["umeyama_on_reflected"]["matrix"], 1e-10);
    assert!((similarity.matrix2.determinant() - g["umeyama_on_reflected"]["det"].as_f64().unwrap()).abs() < 1e-10);
    assert!(quality.suspected_mirror().is_some() && quality.swapped_pairs.is_empty());
    assert!((quality.mirror.unwrap().rms_reflected_mm - g["landmark_similarity"]["rms"].as_f64().unwrap()).abs() < 1e-10);
}

#[test]
fn thin_plates_match_scipy() {
    let g = golden();
    let (moving, fixed) = (points(&g["landmark_src"]), points(&g["landmark_dst"]));
    for (stiffness, key) in [(0.0, "tps_scipy_lambda0.0"), (1.0, "tps_scipy_lambda1.0")] {
        let warp = fit_2d(TransformModel::ThinPlate, stiffness, &moving, &fixed).unwrap();
        let apply = |at: &[DVec2]| at.iter().map(|p| warp.apply(*p)).collect::<Vec<_>>();
        assert_points(&apply(&points(&g[key]["query"])), &points(&g[key]["value"]), 1e-9);
        assert_points(&apply(&moving), &points(&g[key]["at_src"]), 1e-9);
    }
    let Warp::ThinPlate(plate) = fit_2d(TransformModel::ThinPlate, 0.0, &moving, &fixed).unwrap() else { panic!("not a plate") };
    let want = points(&g["tps_weights_lambda0"]);
    assert_points(&plate.weights, &want[..6], 1e-9);
    assert_points(&[plate.affine.translation, plate.affine.matrix2.x_axis, plate.affine.matrix2.y_axis], &want[6..], 1e-9);
}

#[test]
fn moving_least_squares_match_the_paper() {
    let g = golden();
    let (moving, fixed) = (points(&g["landmark_src"]), points(&g["landmark_dst"]));
    let query = points(&g["tps_scipy_lambda0.0"]["query"]);
    for (model, key) in [
        (TransformModel::MlsRigid, "mls_rigid"),
        (TransformModel::MlsSimilarity, "mls_similarity"),
        (TransformModel::MlsAffine, "mls_affine"),
    ] {
        let warp = fit_2d(model, 0.0, &moving, &fixed).unwrap();
        let got: Vec<DVec2> = query.iter().map(|p| warp.apply(*p)).collect();
        assert_points(&got, &points(&g[key]), 1e-9);
        let quality = assess_2d(model, 0.0, &[], &moving, &fixed).unwrap();
        assert!(quality.rms_mm.unwrap() < 1e-9 && quality.leave_one_out.iter().all(|e| e.error_mm.is_some()));
    }
}

fn shared() -> PathBuf {
    std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
}

/// Rows of a table with the name in the first column, then x and y.
fn read_points(path: &Path, separator: char) -> Option<Vec<(String, DVec2)>> {
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("absent: {}", path.display());
        return None;
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(separator).collect();
        Some((cells.first()?.to_string(), DVec2::new(cells.get(1)?.trim().parse().ok()?, cells.get(2)?.trim().parse().ok()?)))
    };
    Some(text.lines().skip(1).filter_map(row).collect())
}

/// Section, model, RMS, then leave-one-out median, first and last (`SciPy` 1.17, `NumPy` 2.4; moving in
/// thousands of pixels, fixed in reference pixels).
const HEART_SECTIONS: [(&str, TransformModel, [f64; 4]); 12] = [
    ("V10B01-014_A1", TransformModel::Similarity, [106.62768415153924, 98.41764198442905, 90.97235345673536, 58.857437706811034]),
    ("V10B01-014_A1", TransformModel::Affine, [101.23762097763854, 98.22372002671568, 104.91493955918969, 35.15848039935391]),
    ("V10B01-014_A1", TransformModel::ThinPlate, [0.0, 107.73202803704578, 112.71692327132601, 84.17820858678532]),
    ("V10F24-105_A1", TransformModel::Similarity, [71.64793470484868, 68.01654333915869, 45.70646879720471, 2.5639771453489066]),
    ("V10F24-105_A1", TransformModel::Affine, [62.41637806370311, 58.939952872606455, 24.382081956750127, 30.001286433390643]),
    ("V10F24-105_A1", TransformModel::ThinPlate, [0.0, 82.79794995076341, 38.81553379063933, 3.398082412153124]),
    ("V10F24-105_B1", TransformModel::Similarity, [55.87554504813734, 55.7198490926662, 56.06846058678356, 24.328223485936643]),
    ("V10F24-105_B1", TransformModel::Affine, [48.58410368683096, 48.906526316111, 40.562100197905295, 7.877485550136053]),
    ("V10F24-105_B1", TransformModel::ThinPlate, [0.0, 61.69290490586387, 29.73802027735875, 21.63948339463107]),
    (
        "V10S28-371_A1",
        TransformModel::Similarity,
        [109.62221590226768, 102.88727649896785, 110.63663625469195, 79.16193948126181],
    ),
    ("V10S28-371_A1", TransformModel::Affine, [98.83732717693128, 100.39842188822902, 128.99217845864268, 38.00686601484677]),
    ("V10S28-371_A1", TransformModel::ThinPlate, [0.0, 101.6047200261599, 126.09349012245274, 111.56033135475691]),
];

#[test]
fn leave_one_out_on_real_heart_sections_matches_scipy() {
    let folder = shared().join("data/eggplant-heart-landmarks/human-developmental-heart");
    let Some(reference) = read_points(&folder.join("references/landmarks.tsv"), '\t') else { return };
    for (section, model, [rms, middle, first, last]) in HEART_SECTIONS {
        let Some(placed) = read_points(&folder.join(format!("landmarks/{section}.tsv")), '\t') else { return };
        let partner = |name: &str| reference.iter().find(|(n, _)| n == name).map(|(_, p)| *p);
        let pairs: Vec<(DVec2, DVec2)> = placed.iter().filter_map(|(n, p)| Some((*p / 1000.0, partner(n)?))).collect();
        let (moving, fixed): (Vec<DVec2>, Vec<DVec2>) = pairs.into_iter().unzip();
        let quality = assess_2d(model, 0.0, &[], &moving, &fixed).unwrap();
        let left_out = |i: usize| quality.leave_one_out[i].error_mm.unwrap();
        for (got, want) in [
            (quality.rms_mm.unwrap(), rms),
            (quality.leave_one_out_median_mm.unwrap(), middle),
            (left_out(0), first),
            (left_out(moving.len() - 1), last),
        ] {
            assert!((got - want).abs() < 1e-6, "{section} {model:?}: {got} instead of {want}");
        }
        assert!(quality.suspected_mirror().is_none(), "{section} is not mirrored");
        assert!(quality.swapped_pairs.is_empty(), "{section}: {:?}", quality.swapped_pairs);
    }
}

#[test]
fn affine_aligns_the_public_benchmark_pairs() {
    let folder = shared().join("data/birl-landmarks");
    for (fixed, moving, most_px) in [
        ("landmarks/artificial_reference.csv", "landmarks/artificial_moving-affine.csv", 2.0),
        ("landmarks/artificial_reference.csv", "landmarks/artificial_moving-rigid.csv", 2.0),
        ("rat-kidney_/scale-5pc/Rat-Kidney_HE.csv", "rat-kidney_/scale-5pc/Rat-Kidney_PanCytokeratin.csv", 15.0),
    ] {
        let (Some(fixed), Some(moving)) = (read_points(&folder.join(fixed), ','), read_points(&folder.join(moving), ',')) else {
            return;
        };
        let n = fixed.len().min(moving.len());
        let only = |list: &[(String, DVec2)]| list[..n].iter().map(|(_, p)| *p).collect::<Vec<_>>();
        let quality = assess_2d(TransformModel::Affine, 0.0, &[], &only(&moving), &only(&fixed)).unwrap();
        assert!(quality.rms_mm.unwrap() < most_px, "{n} pairs: {} px", quality.rms_mm.unwrap());
        assert!(quality.leave_one_out_median_mm.unwrap() < most_px);
        assert!(quality.swapped_pairs.is_empty() && quality.suspected_mirror().is_none());
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Tissue {
    Stiff,
    Shrunk,
    Bent,
}

/// Pairs of one random section: turned, grown by 1.3, deformed, with noise of 2 % of the spread.
fn random_case(lcg: &mut Lcg, n: usize, tissue: Tissue) -> (Vec<DVec2>, Vec<DVec2>) {
    let moving: Vec<DVec2> = (0..n).map(|_| DVec2::new(lcg.uniform(), lcg.uniform()) * 10.0).collect();
    let mean = moving.iter().copied().sum::<DVec2>() / n as f64;
    let spread = (moving.iter().map(|p| p.distance_squared(mean)).sum::<f64>() / n as f64).sqrt();
    let turn = DAffine2::from_scale_angle_translation(DVec2::splat(1.3), lcg.uniform() * TAU, DVec2::new(40.0, -7.0));
    let axis = DVec2::from_angle(lcg.uniform() * TAU);
    let [a, b, c, d] = [(); 4].map(|()| lcg.uniform() * TAU);
    let deform = |p: DVec2| match tissue {
        Tissue::Stiff => p,
        Tissue::Shrunk => p - axis * (p.dot(axis) * 0.15),
        Tissue::Bent => {
            let wave = |u: f64, v: f64| (0.4 * u).sin() * (0.3 * v).cos();
            p + DVec2::new(wave(p.y + a, p.x + b), wave(p.x + c, p.y + d)) * 0.6
        }
    };
    let noise = 1.3 * 0.02 * spread;
    let fixed =
        moving.iter().map(|p| turn.transform_point2(deform(*p)) + DVec2::new(lcg.normal(), lcg.normal()) * noise).collect();
    (moving, fixed)
}

#[test]
fn one_swap_in_six_pairs_is_named_and_nothing_is_named_without() {
    for (seed, tissue) in [(1, Tissue::Stiff), (2, Tissue::Shrunk), (3, Tissue::Bent)] {
        let mut lcg = Lcg(seed);
        let (mut named, mut false_alarms, mut mirrors) = (0, 0, 0);
        for _ in 0..1000 {
            let (moving, mut fixed) = random_case(&mut lcg, 6, tissue);
            false_alarms += usize::from(!swapped(&moving, &fixed).is_empty());
            mirrors += usize::from(mirrored(&moving, &fixed).suspected);
            let i = (lcg.uniform() * 6.0) as usize;
            let j = (i + 1 + (lcg.uniform() * 5.0) as usize) % 6;
            fixed.swap(i, j);
            named += usize::from(swapped(&moving, &fixed) == [[i.min(j), i.max(j)]]);
        }
        eprintln!("{tissue:?}: {named} of 1000 swaps named, {false_alarms} false alarms, {mirrors} false mirrors");
        assert!(named >= 950, "{tissue:?}: only {named} of 1000 swaps were named");
        assert!(false_alarms <= 10 && mirrors <= 10, "{tissue:?}: {false_alarms} false swaps, {mirrors} false mirrors");
    }
}

#[test]
fn other_counts_are_told_apart_too() {
    for (n, least) in [(4, 900), (5, 950), (8, 950), (12, 950), (24, 900)] {
        let mut lcg = Lcg(n as u64 + 10);
        let (mut named, mut false_alarms, mut mirrors_found, mut two) = (0, 0, 0, 0);
        for _ in 0..1000 {
            let (moving, fixed) = random_case(&mut lcg, n, Tissue::Shrunk);
            false_alarms += usize::from(!swapped(&moving, &fixed).is_empty());
            let flipped: Vec<DVec2> = moving.iter().map(|p| DVec2::new(-p.x, p.y)).collect();
            mirrors_found += usize::from(mirrored(&flipped, &fixed).suspected && swapped(&flipped, &fixed).is_empty());
            let mut torn = fixed.clone();
            torn.swap(0, n - 1);
            named += usize::from(swapped(&moving, &torn) == [[0, n - 1]] && !mirrored(&moving, &torn).suspected);
            torn.swap(1, n - 2);
            let mut both = swapped(&moving, &torn);
            both.sort_unstable();
            two += usize::from(both == [[0, n - 1], [1, n - 2]]);
        }
        eprintln!("{n} pairs: {named} swaps, {two} double swaps, {mirrors_found} mirrors of 1000; {false_alarms} false alarms");
        assert!(named >= least && mirrors_found >= 900 && false_alarms <= 10);
        assert!(n < 8 || two >= 800);
    }
}

#[test]
fn mirrored_section_is_mended_by_the_flip() {
    let mut lcg = Lcg(77);
    let (moving, fixed) = random_case(&mut lcg, 7, Tissue::Shrunk);
    let flip = mend_mirror([DVec2::ZERO, DVec2::new(12.0, 10.0)]);
    let face_down: Vec<DVec2> = moving.iter().map(|p| flip.transform_point2(*p)).collect();
    assert!(mirrored(&face_down, &fixed).suspected);
    let mended: Vec<DVec2> = face_down.iter().map(|p| flip.transform_point2(*p)).collect();
    assert!(!mirrored(&mended, &fixed).suspected);
}

#[test]
fn registration_projects_skips_and_explains() {
    let plane = Plane::new(DVec3::new(10.0, 20.0, 30.0), DVec3::new(1.0, 0.3, 0.0), DVec3::new(0.0, 0.2, -1.0)).unwrap();
    let map = DAffine2::from_scale_angle_translation(DVec2::splat(1.1), 0.5, DVec2::new(2.0, 3.0));
    let mut landmarks = Landmarks::default();
    for (i, (x, y)) in [(0.0, 0.0), (9.0, 1.0), (4.0, 7.0), (2.0, 3.0)].into_iter().enumerate() {
        let moving = DVec2::new(x, y);
        let fixed = plane.lps_from_plane(map.transform_point2(moving)) + plane.normal() * (i as f64);
        landmarks.pairs.push(Landmark { moving: Some(moving), fixed: Some(fixed), ..Landmark::named(format!("p{i}")) });
    }
    landmarks.pairs.push(Landmark { moving: Some(DVec2::ONE), ..Landmark::named("half placed") });
    landmarks.pairs.push(Landmark { moving: Some(DVec2::ONE), fixed: Some(DVec3::ZERO), active: false, name: "off".into() });
    let mut registration = Registration {
        section: myoscope::model::ElementId(1),
        heart: myoscope::model::ElementId(2),
        plane,
        half_slice_mm: 1.5,
        landmarks,
        model: TransformModel::Similarity,
        stiffness: 0.0,
        flip_x_mm: None,
        fit: None,
        problem: None,
        enabled: true,
    };
    let (fit, problem) = fit_registration(&registration);
    let fit = fit.unwrap();
    assert!(problem.is_none() && fit.quality.n_pairs == 4 && fit.quality.rms_mm.unwrap() < 1e-10);
    assert!((fit.quality.scale - 1.1).abs() < 1e-12);
    let flagged = myoscope::register::pairs_flagged(&registration);
    assert_eq!(flagged.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [2, 3]);
    registration.landmarks.pairs.truncate(1);
    let (fit, problem) = fit_registration(&registration);
    assert!(fit.is_none() && problem.unwrap().contains("similarity needs 2"));
}

#[test]
fn sixty_four_pairs_are_assessed_within_a_frame() {
    let mut lcg = Lcg(5);
    let (moving, fixed) = random_case(&mut lcg, 64, Tissue::Bent);
    for model in TransformModel::ALL {
        let best = (0..5)
            .map(|_| {
                let start = std::time::Instant::now();
                let quality = assess_2d(model, 0.0, &[], &moving, &fixed).unwrap();
                assert_eq!(quality.leave_one_out.len(), 64);
                start.elapsed()
            })
            .min()
            .unwrap();
        let start = std::time::Instant::now();
        let errors = leave_one_out(model, 0.0, &moving, &fixed);
        eprintln!("{}: assess {best:?}, leave-one-out alone {:?}", model.name(), start.elapsed());
        assert!(errors.iter().all(Option::is_some));
        assert!(best.as_secs_f64() < 0.1, "far from the 16 ms of a frame: {best:?}");
    }
    let warp = fit_2d(TransformModel::ThinPlate, 0.0, &moving, &fixed).unwrap();
    for (tolerance_mm, max_cells) in [(0.05, 512), (0.01, 512), (0.0025, 512), (0.0025, 96)] {
        let start = std::time::Instant::now();
        let mesh = myoscope::space::warp_mesh(&warp, [DVec2::ZERO, DVec2::splat(10.0)], tolerance_mm, max_cells);
        eprintln!("mesh within {tolerance_mm} mm of 10 mm: {:?} cells in {:?}", mesh.n_cells, start.elapsed());
    }
}
