//! Each format there and back, directions by hand, and what is refused.

use super::*;
use crate::io::transform_formats::{bigwarp, itk, matrix, ngff};
use crate::space::ThinPlate;
use LengthUnit::{Mm, Px, Um};

fn turn(units: [LengthUnit; 2]) -> TransformFile {
    let a = DAffine2::from_scale_angle_translation(DVec2::new(0.9, 1.2), 0.3, DVec2::new(5.0, -2.0));
    TransformFile::from_warp(TransformModel::Affine, &Warp::Affine(a), units, None).unwrap()
}

fn embedded() -> TransformFile {
    let plane = Plane::new(DVec3::new(1.0, 2.0, 3.0), DVec3::new(0.6, 0.8, 0.0), DVec3::Z).unwrap();
    let a = Warp::Affine(DAffine2::from_scale_angle_translation(DVec2::splat(0.9), 0.3, DVec2::new(5.0, -2.0)));
    TransformFile::from_warp(TransformModel::Similarity, &a, [Um, Mm], Some(&plane)).unwrap()
}

fn space() -> TransformFile {
    let a = DAffine3 { matrix3: DMat3::from_rotation_y(0.3) * 1.1, translation: DVec3::new(1.0, -2.0, 3.0) };
    TransformFile::from_affine_3(TransformModel::Similarity, &a, [Mm, Mm]).unwrap()
}

fn plate() -> TransformFile {
    let weights = [1.0, -1.0, 1.0, -1.0].map(|v| DVec2::new(0.02, -0.01) * v).to_vec();
    let centers = [(1.0, 1.0), (5.0, 1.0), (5.0, 5.0), (1.0, 5.0)].map(|(x, y)| DVec2::new(x, y)).to_vec();
    let warp = Warp::ThinPlate(ThinPlate { affine: DAffine2::from_angle(0.4), centers, weights });
    TransformFile::from_warp(TransformModel::ThinPlate, &warp, [Px, Px], None).unwrap()
}

fn read(text: &str) -> TransformFile {
    match parse_any_transform(text.as_bytes(), None).unwrap() {
        TransformContent::Transform(t) => *t,
        TransformContent::Pairs(_) => panic!("pairs"),
    }
}

fn same_map(a: &TransformFile, b: &TransformFile) {
    let (a, b) = (a.to_point_map().unwrap(), b.to_point_map().unwrap());
    for p in [DVec3::new(2.0, 3.0, 0.0), DVec3::new(-70.0, 45.5, 0.0)] {
        assert!((a.forth(p) - b.forth(p)).length() < 1e-9, "{} {}", a.forth(p), b.forth(p));
    }
}

#[test]
fn linear_maps_come_back_from_every_format() {
    for t in [turn([Px, Px]), turn([Mm, Mm]), turn([Um, Um]), embedded(), space()] {
        let back = read(&itk::to_itk(&t).unwrap());
        same_map(&t, &back);
        let back = read(&ngff::to_ngff(&t).unwrap());
        same_map(&t, &back);
        assert_eq!((back.units, back.fixed_unit(), back.fixed_dims()), (t.units, t.fixed_unit(), t.fixed_dims()));
        if t.fixed_dims() == 2 {
            for is_square in [false, true] {
                let back = read(&matrix::to_matrix(&t, is_square).unwrap());
                same_map(&t, &back);
                assert_eq!(
                    (back.units, back.fixed_unit(), back.fixed_from_moving),
                    (t.units, t.fixed_unit(), t.fixed_from_moving.clone())
                );
            }
        } else {
            assert!(matches!(matrix::to_matrix(&t, false), Err(Error::Unsupported { .. })));
        }
    }
    for text in
        [itk::to_itk(&plate()), matrix::to_matrix(&plate(), false), ngff::to_ngff(&plate()), bigwarp::to_bigwarp(&turn([Px, Px]))]
    {
        assert!(matches!(text, Err(Error::Unsupported { .. })));
    }
}

#[test]
fn landmarks_of_a_plate_come_back() {
    let t = plate();
    let text = bigwarp::to_bigwarp(&t).unwrap();
    assert!(text.starts_with("\"Pt-0 (moving points in px (x right, y down) to fixed points in px"), "{text}");
    let TransformContent::Pairs(pairs) = parse_any_transform(text.as_bytes(), None).unwrap() else { panic!("no pairs") };
    assert_eq!((pairs.moving_dims, pairs.rows.len()), (2, 4));
    for (row, c) in pairs.rows.iter().zip(&t.control_points) {
        assert_eq!(row.moving.unwrap()[..2], c.moving[..]);
        assert_eq!(row.fixed.unwrap()[..2], c.fixed[..]);
    }
    let half = "\"Pt-0\",\"false\",\"1\",\"2\",\"3\",\"Infinity\",\"Infinity\",\"Infinity\"\n";
    let TransformContent::Pairs(pairs) = parse_any_transform(half.as_bytes(), None).unwrap() else { panic!("no pairs") };
    assert_eq!((pairs.rows[0].moving, pairs.rows[0].fixed, pairs.rows[0].active), (Some([1.0, 2.0, 3.0]), None, false));
}

#[test]
fn itk_leads_from_fixed_to_moving() {
    let head = "#Insight Transform File V1.0\n#Transform 0\n";
    let shift = read(&format!("{head}Transform: TranslationTransform_double_2_2\nParameters: 3 -4\nFixedParameters:\n"));
    let forth = |t: &TransformFile, p: DVec3| t.to_point_map().unwrap().forth(p);
    assert_eq!(forth(&shift, DVec3::ZERO), DVec3::new(-3.0, 4.0, 0.0));
    assert_eq!((shift.model.as_str(), shift.units), ("translation", Mm));
    // A quarter turn about (1, 0): the fixed point (2, 0) comes from the moving point (1, 1) + (5, 0).
    let euler =
        format!("{head}Transform: Euler2DTransform_double_2_2\nParameters: 1.5707963267948966 5 0\nFixedParameters: 1 0\n");
    assert!((forth(&read(&euler), DVec3::new(6.0, 1.0, 0.0)) - DVec3::new(2.0, 0.0, 0.0)).length() < 1e-12);
    // Of a composite the last is applied first: doubled, then shifted by 1.
    let both = "#Transform 0\nTransform: CompositeTransform_double_3_3\n#Transform 1\nTransform: TranslationTransform_double_3_3\nParameters: 1 0 0\nFixedParameters:\n#Transform 2\nTransform: AffineTransform_double_3_3\nParameters: 2 0 0 0 2 0 0 0 2 0 0 0\nFixedParameters: 0 0 0\n";
    assert!((forth(&read(both), DVec3::new(7.0, 2.0, 4.0)) - DVec3::new(3.0, 1.0, 2.0)).length() < 1e-12);
    // A versor (0, 0, sin 45°) is a quarter turn about z.
    let versor = format!(
        "{head}Transform: Similarity3DTransform_double_3_3\nParameters: 0 0 0.7071067811865476 0 0 0 2\nFixedParameters: 0 0 0\n"
    );
    assert!((forth(&read(&versor), DVec3::new(0.0, 2.0, 0.0)) - DVec3::X).length() < 1e-12);
}

#[test]
fn axes_of_ngff_may_come_in_any_order() {
    let text = r#"{"coordinateSystems":[
        {"name":"a","axes":[{"name":"y","type":"space","unit":"micrometer"},{"name":"x","type":"space","unit":"micrometer"}]},
        {"name":"b","axes":[{"name":"x","type":"space","unit":"millimeter"},{"name":"y","type":"space","unit":"millimeter"}]}],
        "coordinateTransformations":[{"type":"sequence","input":"a","output":"b","transformations":[
            {"type":"scale","scale":[0.001,0.002]},{"type":"affine","affine":[[0,1,7],[1,0,9]]}]}]}"#;
    let t = read(text);
    // x = 1000 µm, y = 3000 µm: scaled (y 3, x 2), then (2 + 7, 3 + 9).
    let p = t.to_point_map().unwrap().forth(DVec3::new(1.0, 3.0, 0.0));
    assert!((p - DVec3::new(9.0, 12.0, 0.0)).length() < 1e-12, "{p}");
}

#[test]
fn wrong_files_are_named() {
    for (text, part) in [
        ("1,2,3\n4,5\n", "rows of [3, 2] numbers"),
        ("1,0,3\n0,1,5\n0,1,1\n", "perspective"),
        ("1,0,x\n0,1,5\n", "line 1 holds \"x\""),
        ("1,2,0\n2,4,0\n", "no inverse"),
        ("", "rows of []"),
        ("a,true,1,2,3\n", "6 or 8"),
        ("a,true,1,2,3,b\n", "\"b\""),
        ("#Insight Transform File V1.0\nTransform: BSplineTransform_double_3_3\nParameters: 1\n", "cannot be read"),
        ("#Insight Transform File V1.0\nTransform: AffineTransform_double_2_2\nParameters: 1 2\n", "6 were expected"),
        ("#Insight Transform File V1.0\n", "no Transform: line"),
        ("{\"a\":1}", "neither a transform"),
        ("{\"coordinateTransformations\":[]}", "empty"),
        ("{\"coordinateTransformations\":[{\"type\":\"displacements\"}]}", "displacements"),
        ("{\"coordinateTransformations\":[{\"type\":\"affine\",\"affine\":[[1,0,0],[0,1]]}]}", "rows"),
    ] {
        let error = parse_any_transform(text.as_bytes(), None).unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
    assert_eq!(TransformFormat::of_ending(Path::new("a_he_imagealignment.csv"), true).unwrap(), TransformFormat::Matrix);
    assert_eq!(TransformFormat::of_ending(Path::new("a.ngff.json"), true).unwrap(), TransformFormat::Ngff);
    assert!(TransformFormat::of_ending(Path::new("a.xyz"), true).is_err());
}
