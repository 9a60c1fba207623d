//! Sound transforms and maps of displacement, to be damaged.

use super::*;

pub fn raster_seeds() -> Vec<Vec<u8>> {
    let wide = Samples::U16((0..7 * 5 * 3).map(|i| i * 600).collect());
    let tiff = written("a.tif", |p| write_raster(p, &Raster::new(7, 5, 3, wide).unwrap()).unwrap());
    let gray = Raster::new(7, 5, 1, Samples::U8(vec![90; 35].into())).unwrap();
    vec![tiff, written("a.png", |p| write_raster(p, &gray).unwrap()), written("a.jpg", |p| write_raster(p, &gray).unwrap())]
}

pub fn itk_seeds() -> Vec<Vec<u8>> {
    let block = |class: &str, p: &str, f: &str| format!("Transform: {class}\nParameters: {p}\nFixedParameters: {f}\n");
    let head = "#Insight Transform File V1.0\n# units: moving um, fixed mm\n#Transform 0\n";
    vec![
        format!("{head}{}", block("AffineTransform_double_2_2", "1 0.1 -0.1 1 5 6", "1 2")).into(),
        format!("{head}{}", block("Euler3DTransform_double_3_3", "0.1 0.2 0.3 1 2 3", "1 2 3 1")).into(),
        format!(
            "{head}Transform: CompositeTransform_double_2_2\n{}{}",
            block("Similarity2DTransform_double_2_2", "1.1 0.2 3 4", "0 0"),
            block("TranslationTransform_double_2_2", "1 2", "")
        )
        .into(),
    ]
}

pub fn matrix_seeds() -> Vec<Vec<u8>> {
    vec![
        b"# units: moving px, fixed um\n1,0.1,5\n-0.1,1,6\n".to_vec(),
        b"1.5,0,5\n0,1.5,6\n0,0,1\n".to_vec(),
        b"1 0 5 0 1 6".to_vec(),
    ]
}

pub fn bigwarp_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\"Pt-0\",\"true\",\"1\",\"2\",\"3\",\"4\"\n\"Pt \"\"1\"\"\",\"false\",\"1\",\"2\",\"Infinity\",\"Infinity\"\n".to_vec(),
        b"Pt-0,true,1,2,3,4,5,6\n".to_vec(),
    ]
}

pub fn ngff_seeds() -> Vec<Vec<u8>> {
    let axes = r#"[{"name":"y","type":"space","unit":"micrometer"},{"name":"x","type":"space","unit":"micrometer"}]"#;
    let systems = format!(r#"[{{"name":"a","axes":{axes}}},{{"name":"b","axes":{axes}}}]"#);
    let parts = r#"[{"type":"scale","scale":[2,3]},{"type":"rotation","rotation":[[0,1],[-1,0]]},{"type":"translation","translation":[1,2]}]"#;
    let sequence = format!(r#"[{{"type":"sequence","input":"a","output":"b","transformations":{parts}}}]"#);
    vec![
        format!(r#"{{"coordinateSystems":{systems},"coordinateTransformations":{sequence}}}"#).into(),
        format!(r#"{{"multiscales":[{{"coordinateTransformations":{sequence}}}]}}"#).into(),
        br#"{"type":"affine","affine":[1,0,5,0,1,6]}"#.to_vec(),
    ]
}

pub fn any_transform_seeds() -> Vec<Vec<u8>> {
    [transform_seeds(), chain_seeds(), itk_seeds(), matrix_seeds(), bigwarp_seeds(), ngff_seeds()].concat()
}

pub fn chain_seeds() -> Vec<Vec<u8>> {
    let part = |units: &str| format!(r#"{{"model":"affine","fixed_from_moving":[[1,0,5],[0,1,0],[0,0,1]],"units":"{units}"}}"#);
    let (a, b) = (part("um"), part("um"));
    vec![format!(r#"{{"model":"chain","fixed_from_moving":[[1,0,5],[0,1,0],[0,0,1]],"units":"um","parts":[{a},{b}]}}"#).into()]
}

pub fn transform_seeds() -> Vec<Vec<u8>> {
    let points = r#"[{"moving":[0,0],"fixed":[0,0],"weight":[0.1,0]},{"moving":[1,0],"fixed":[1,0],"weight":[-0.1,0]},{"moving":[0,1],"fixed":[0,1],"weight":[0,0]}]"#;
    let deep = points.replace("[0,0]", "[0,0,0]").replace("1,0]", "1,0,0]").replace("[0,1]", "[0,1,2]");
    let flat = [("[[1,0,5],[0,1,0],[0,0,1]]", points), ("[[1,0,0,5],[0,1,0,0],[0,0,1,0],[0,0,0,1]]", deep.as_str())];
    let text = |model: &str, (matrix, points): (&str, &str)| {
        format!(r#"{{"model":"{model}","fixed_from_moving":{matrix},"units":"um","control_points":{points}}}"#)
    };
    let seeds: Vec<Vec<u8>> =
        flat.iter().flat_map(|f| ["affine", "tps", "mls-rigid"].map(|m| text(m, *f).into_bytes())).collect();
    assert!(seeds.iter().all(|s| parse_transform(s).is_ok()));
    seeds
}
