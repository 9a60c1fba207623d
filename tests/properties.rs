//! Properties that hold for any input: what is undone is as it was, what is inverted comes back, what is
//! chained is the same as one after the other.

#![allow(clippy::unwrap_used, reason = "a failed test stops here")]

use myoscope::model::{Element, ElementId, Landmark, Landmarks, Registration, Samples, Study, TransformModel, Volume};
use myoscope::register::fit_2d;
use myoscope::scene::Camera;
use myoscope::session::{Change, Edit, Held, History};
use myoscope::space::{Affine, DAffine2, DAffine3, DMat2, DMat3, DVec2, DVec3, Grid, Plane, Space, Warp};
use proptest::prelude::*;
use std::sync::Arc;

fn point() -> impl Strategy<Value = DVec2> {
    (-50.0..50.0, -50.0..50.0).prop_map(|(x, y)| DVec2::new(x, y))
}

fn affine_2() -> impl Strategy<Value = DAffine2> {
    (-3.0..3.0f64, 0.5..2.0f64, 0.5..2.0f64, point()).prop_map(|(angle, sx, sy, shift)| {
        let linear = DMat2::from_angle(angle) * DMat2::from_diagonal(DVec2::new(sx, sy));
        DAffine2::from_mat2_translation(linear, shift)
    })
}

fn registration() -> impl Strategy<Value = Registration> {
    let pair = (proptest::option::of(point()), proptest::option::of(point()), any::<bool>(), "[a-z]{1,8}");
    let pair = pair.prop_map(|(m, f, active, name)| Landmark { name, moving: m, fixed: f.map(|p| p.extend(1.0)), active });
    (proptest::collection::vec(pair, 0..6), 0.0..2.0f64, 0usize..8).prop_map(|(pairs, stiffness, model)| Registration {
        section: ElementId(2),
        heart: ElementId(1),
        plane: Plane::axial(DVec3::Z),
        half_slice_mm: 4.0,
        landmarks: Landmarks { pairs },
        model: TransformModel::ALL[model],
        stiffness,
        flip_x_mm: None,
        fit: None,
        problem: None,
        enabled: true,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undo_restores_exactly(states in proptest::collection::vec(registration(), 1..12), back in 0usize..12) {
        let grid = Grid::new([2, 1, 1], DAffine3::from_scale(DVec3::ONE)).unwrap();
        let volume = Volume::new("v", grid, vec![Samples::U8(vec![0, 1].into())]).unwrap();
        let held = Held { element: Element::Volume(Arc::new(volume)), provenance: myoscope::model::Provenance::default() };
        let (mut study, mut history) = (Study::default(), History::default());
        let open = Change::Element { id: ElementId(1), before: None, after: Some(held) };
        let mut seen = vec![study.clone()];
        let mut commit = |study: &mut Study, change: Change| {
            let edit = Edit { name: "step".into(), changes: vec![change] };
            edit.apply(study);
            history.push(edit);
        };
        commit(&mut study, open);
        seen.push(study.clone());
        for state in states {
            let before = study.registrations.get(&state.section).cloned().map(Box::new);
            let change = Change::Registration { section: state.section, before, after: Some(Box::new(state)) };
            commit(&mut study, change);
            seen.push(study.clone());
        }
        let steps = back.min(seen.len() - 1);
        for i in 0..steps {
            history.undo(&mut study);
            let as_it_was = &seen[seen.len() - 2 - i];
            prop_assert_eq!(&study.elements, &as_it_was.elements);
            prop_assert_eq!(&study.registrations, &as_it_was.registrations);
        }
        for _ in 0..steps {
            history.redo(&mut study);
        }
        prop_assert_eq!(&study.registrations, &seen[seen.len() - 1].registrations);
    }

    #[test]
    fn the_inverse_of_a_thin_plate_comes_back(map in affine_2(), bend in proptest::collection::vec((-0.4..0.4, -0.4..0.4), 9), p in point()) {
        let moving: Vec<DVec2> = (0..9).map(|i| DVec2::new(f64::from(i % 3), f64::from(i / 3)) * 25.0 - 25.0).collect();
        let fixed: Vec<DVec2> =
            moving.iter().zip(bend).map(|(m, (x, y))| map.transform_point2(*m) + DVec2::new(x, y)).collect();
        let warp = fit_2d(TransformModel::ThinPlate, 0.0, &moving, &fixed).unwrap();
        for (m, f) in moving.iter().zip(&fixed) {
            prop_assert!(warp.apply(*m).distance(*f) < 1e-9);
        }
        let back = warp.inverse_at(warp.apply(p), 1e-9).unwrap();
        prop_assert!(back.distance(p) < 1e-6, "{} came back as {}", p, back);
    }

    #[test]
    fn a_chain_is_one_after_the_other(a in affine_2(), b in affine_2(), p in point()) {
        let chain = Warp::Chain(vec![Warp::Affine(a), Warp::Affine(b)]);
        prop_assert!(chain.apply(p).distance((b * a).transform_point2(p)) < 1e-9);
        prop_assert!(chain.inverse_at(chain.apply(p), 1e-9).unwrap().distance(p) < 1e-8);
    }

    #[test]
    fn affines_compose_and_invert(angle in -3.0..3.0f64, scale in 0.2..5.0f64, x in -99.0..99.0f64, y in -99.0..99.0f64) {
        let matrix = DAffine3 { matrix3: DMat3::from_rotation_z(angle) * scale, translation: DVec3::new(y, x, 3.0) };
        let lps = Affine { to: Space::Patient, from: Space::Voxel(1), matrix };
        let both = lps.inverse().unwrap().after(&lps).unwrap();
        let p = DVec3::new(x, y, 1.0);
        prop_assert_eq!(both.to, Space::Voxel(1));
        prop_assert!(both.matrix.transform_point3(p).distance(p) < 1e-9);
    }

    #[test]
    fn cameras_come_back(center in point(), mm in 0.001..5.0f64, p in point(), factor in 0.2..5.0f64) {
        let (camera, size) = (Camera { center, mm_per_px: mm }, [801, 600]);
        prop_assert!(camera.mm_from_px(size, camera.px_from_mm(size, p)).distance(p) < 1e-9);
        let at = camera.px_from_mm(size, p);
        let zoomed = camera.zoomed(size, at, factor);
        prop_assert!(zoomed.px_from_mm(size, p).distance(at) < 1e-6);
    }
}
