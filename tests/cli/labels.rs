//! `labels` and `measure tool`: what they write, what they refuse, and that a network runs from its manifest.

use crate::run::{Csv, demo, measures, run, run_in};
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Reading, read_labels, write_nifti_labels};
use myoscope::model::LabelMap;
use std::path::Path;
use std::sync::Arc;

#[path = "../common/onnx.rs"]
mod onnx;

fn load(path: &Path) -> LabelMap {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    read_labels(path, &mut reading).unwrap()
}

/// The demo's labels of one phase.
fn first_phase() -> LabelMap {
    let mut map = load(&demo().join("cine-labels.nii.gz"));
    map.phases.truncate(1);
    map.phase_times_ms.clear();
    map
}

#[test]
fn slices_between_and_strays_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.nii.gz"), folder.path().join("out.nii.gz"));
    let truth = first_phase();
    let [nx, ny, nz] = truth.grid.size();
    let mut voxels = truth.phases[0].to_vec();
    let is_drawn = |k: &usize| voxels[k * nx * ny..(k + 1) * nx * ny].contains(&3);
    let drawn: Vec<usize> = (0..nz).filter(is_drawn).collect();
    let gap = drawn[drawn.len() / 2];
    voxels[gap * nx * ny..(gap + 1) * nx * ny].fill(0);
    voxels[0] = 3;
    let holed = LabelMap { phases: vec![voxels.into()], ..truth.clone() };
    write_nifti_labels(&input, &holed).unwrap();

    let ran = run("labels largest --label 3 --labels {} --out {} --json", &[&input, &out]);
    assert_eq!(ran.json()["n_changed"].as_u64().map(|n| n >= 1), Some(true));
    assert_eq!(load(&out).phases[0][0], 0);
    // The stray voxel is gone; now the gap.
    let mut whole = load(&input);
    whole.phases[0] = {
        let mut v = whole.phases[0].to_vec();
        v[0] = 0;
        v.into()
    };
    write_nifti_labels(&input, &whole).unwrap();
    run("labels interpolate --labels {} --out {}", &[&input, &out]).done();
    let made = load(&out);
    let slice =
        |m: &LabelMap, value: u8| m.phases[0][gap * nx * ny..(gap + 1) * nx * ny].iter().filter(|v| **v == value).count() as f64;
    for value in [2, 3] {
        let (got, want) = (slice(&made, value), slice(&truth, value));
        assert!((got / want - 1.0).abs() < 0.15, "label {value}: {got} voxels instead of {want}");
    }
    run("labels fill-holes --3d --labels {} --out {}", &[&out, &input]).done();
    run("labels interpolate --labels {} --out {}", &[&out, &input]).is_error("empty");
    run("labels largest --label 9 --labels {} --out {}", &[&out, &input]).is_error("--label 9");
    run("labels largest --label 3 --phase 7 --labels {} --out {}", &[&out, &input]).is_error("--phase 7");
    run("labels copy --from-slice 0 --to-slice 99 --labels {} --out {}", &[&out, &input]).is_error("slice");
    run("labels copy --labels {} --out {}", &[&out, &input]).is_error("say what to copy");
    run("labels fill-holes --labels {} --out {}", &[&out, &folder.path().join("a.png")]).is_error(".nii");
}

#[test]
fn mirrored_labels_are_found_and_turned_back() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.nii.gz"), folder.path().join("out.nii.gz"));
    let (image, labels) = (demo().join("cine.nii.gz"), demo().join("cine-labels.nii.gz"));
    assert_eq!(run("labels check --labels {} --image {}", &[&labels, &image]).status, 0);
    let truth = load(&labels);
    let [nx, ny, _] = truth.grid.size();
    for axis in 0..2 {
        let turned = truth.phases.iter().map(|p| {
            let at = |n: usize| {
                if axis == 0 {
                    n / nx * nx + nx - 1 - n % nx
                } else {
                    n / (nx * ny) * nx * ny + (ny - 1 - n / nx % ny) * nx + n % nx
                }
            };
            Arc::from((0..p.len()).map(|n| p[at(n)]).collect::<Vec<u8>>())
        });
        write_nifti_labels(&input, &LabelMap { phases: turned.collect(), ..truth.clone() }).unwrap();
        let told = run("labels check --labels {} --image {} --json", &[&input, &image]);
        assert_eq!(told.status, 1, "{}{}", told.out, told.err);
        assert!(told.out.contains("mirrored-labels") && told.out.contains("reversed"), "{}", told.out);
        run("labels check --labels {} --image {} --out {}", &[&input, &image, &out]).done();
        assert!(load(&out).phases == truth.phases, "axis {axis}");
    }
}

#[test]
fn labels_come_over_to_another_grid_and_grow() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.nii.gz");
    let (labels, image) = (demo().join("cine-labels.nii.gz"), demo().join("lge.nii.gz"));
    let ran = run("labels resample --labels {} --like {} --out {} --json", &[&labels, &image, &out]);
    assert!(ran.json()["said"][0].as_str().unwrap().contains("nearest"), "{}", ran.out);
    assert!(load(&out).phases[0].contains(&3));
    let cine = demo().join("cine.nii.gz");
    let map = first_phase();
    let at = (0..map.grid.n_voxels()).find(|&n| map.phases[0][n] == 3).unwrap();
    let [nx, ny, _] = map.grid.size();
    let from = format!("{},{},{}", at % nx, at / nx % ny, at / (nx * ny));
    let line = format!(
        "labels grow --label 7 --tolerance 15 --space voxel --from {from} --in-slice --labels {{}} --image {{}} --out {{}}"
    );
    run(&line, &[&labels, &cine, &out]).done();
    let grown = load(&out);
    assert_eq!(grown.phases[0][at], 7);
    let bad = "labels grow --label 7 --tolerance nan --from 0,0,0 --labels {} --image {} --out {}";
    run(bad, &[&labels, &cine, &out]).is_error("");
}

#[test]
fn a_network_of_ones_own_segments_and_bad_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, out) = (folder.path().join("m.toml"), folder.path().join("o.nii.gz"));
    std::fs::write(folder.path().join("n.onnx"), onnx::three_classes([None, None])).unwrap();
    let text = "name = \"tiny\"\nmodel = \"n.onnx\"\n[input]\nlayout = \"NCHW\"\n[normalize]\nmethod = \"range\"\nlow = 0\nhigh = 255\n[[class]]\nindex = 1\nlabel = 2\n[[class]]\nindex = 2\nlabel = 3\nname = \"Bright\"\n";
    std::fs::write(&manifest, text).unwrap();
    let image = demo().join("lge.nii.gz");
    run("labels segment --image {} --model {} --out {}", &[&image, &manifest, &out]).done();
    let once = std::fs::read(&out).unwrap();
    assert!(load(&out).phases[0].iter().all(|v| [0, 2, 3].contains(v)));
    run("labels segment --threads 1 --image {} --model {} --out {}", &[&image, &manifest, &out]).done();
    assert_eq!(std::fs::read(&out).unwrap(), once);
    for (from, to, said) in [
        ("n.onnx\"", "absent.onnx\"", "absent.onnx"),
        ("NCHW", "NCDHW", "wants an input"),
        ("range", "magic", "magic"),
        ("[input]", "sha256 = \"00\"\n[input]", "SHA-256"),
        ("high = 255", "high = 0", "rise"),
    ] {
        std::fs::write(&manifest, text.replacen(from, to, 1)).unwrap();
        run("labels segment --image {} --model {} --out {}", &[&image, &manifest, &out]).is_error(said);
    }
    std::fs::write(folder.path().join("n.onnx"), b"garbage").unwrap();
    std::fs::write(&manifest, text).unwrap();
    run("labels segment --image {} --model {} --out {}", &[&image, &manifest, &out]).is_error("onnx");
}

#[test]
fn figures_of_a_table_have_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (points, out) = (folder.path().join("p.csv"), folder.path().join("o.csv"));
    let image = demo().join("lge.nii.gz");
    let text = "name,kind,x_mm,y_mm,z_mm\nd,length,0,0,0\nd,length,3,4,0\na,angle,1,0,0\na,angle,0,0,0\na,angle,0,0,2\nt,polygon,0,0,0\nt,polygon,6,0,0\nt,polygon,0,8,0\n";
    std::fs::write(&points, text).unwrap();
    run("measure tool --image {} --points {} --out {}", &[&image, &points, &out]).done();
    let found = measures(&Csv::read(&out));
    let get = |r: &str, m: &str| found[&(r.to_owned(), "0".to_owned(), m.to_owned())];
    assert!(
        (get("d", "length") - 5.0).abs() < 1e-9
            && (get("a", "angle") - 90.0).abs() < 1e-9
            && (get("t", "area") - 24.0).abs() < 1e-9
    );
    assert!(get("d", "length_sd_pixel") > 0.0);
    std::fs::write(&points, "name,kind,x_mm,y_mm,z_mm\nd,length,0,0,0\n").unwrap();
    run("measure tool --image {} --points {}", &[&image, &points]).is_error("length");
    std::fs::write(&points, "name,kind,x_mm,y_mm,z_mm\nd,length,0,0,0\nd,length,0,0,0\n").unwrap();
    run("measure tool --image {} --points {}", &[&image, &points]).is_error("one place");
    run_in(folder.path(), ["measure", "tool", "--image", "absent.nii", "--points", "p.csv"]).is_error("absent.nii");
}
