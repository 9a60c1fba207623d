//! `convert` there and back: labels as contours, contour text and meshes, and DICOM without its patient.

use crate::run::{Csv, demo, files, run};
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Content, Reading, open};
use myoscope::model::LabelMap;
use std::path::Path;

fn found(path: &Path) -> Vec<Content> {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    open(path, &mut reading).unwrap().into_iter().map(|f| f.content).collect()
}

fn labels(path: &Path) -> LabelMap {
    match found(path).swap_remove(0) {
        Content::Labels(labels) => labels,
        other => panic!("labels were expected in {}, not {other:?}", path.display()),
    }
}

#[test]
fn labels_come_back_from_contours_text_and_meshes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (cine, source) = (demo().join("cine.nii.gz"), demo().join("cine-labels.nii.gz"));
    let before = labels(&source);

    run("convert {} {}", &[&source, &at("c.csv")]).done();
    run("convert {} {} --like {}", &[&at("c.csv"), &at("c_gt.nii.gz"), &cine]).done();
    assert_eq!(labels(&at("c_gt.nii.gz")).phases, before.phases);

    run("convert {} {} --as sunnybrook", &[&source, &at("text")]).done();
    run("convert {} {} --like {}", &[&at("text"), &at("t_gt.nii.gz"), &cine]).done();
    let text = labels(&at("t_gt.nii.gz"));
    for phase in 0..before.n_phases() {
        assert_eq!([2, 3].map(|v| text.count(phase, v)), [2, 3].map(|v| before.count(phase, v)), "phase {phase}");
    }

    for name in ["m.ply", "m.stl", "m.obj"] {
        run("convert {} {} --label 3 --phase 1", &[&source, &at(name)]).done();
        run("convert {} {} --label 3 --like {}", &[&at(name), &at("m_gt.nii.gz"), &cine]).done();
        let mesh = labels(&at("m_gt.nii.gz"));
        assert!(mesh.phases[0].iter().zip(before.phases[1].iter()).all(|(a, b)| (*a == 3) == (*b == 3)), "{name}");
    }
}

#[test]
fn dicom_is_written_without_its_patient_and_says_what_stayed() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (demo().join("cine-dicom"), folder.path().join("out"));
    let said = run("convert {} {} --json", &[&source, &out]).json();
    let n = files(&source).len();
    assert_eq!(said["n_files"].as_u64(), Some(n as u64));
    assert_eq!(files(&out.join("series_001")).len(), n);
    let table = Csv::read(&out.join("kept_tags.csv"));
    assert_eq!(table.header, ["tag", "name", "vr", "action", "n_files"]);
    assert_eq!(table.rows.len(), said["kept_tags"].as_array().unwrap().len());
    assert!(table.column("name").contains(&"PixelSpacing".to_owned()));
    let (before, after) = (found(&source).swap_remove(0), found(&out).swap_remove(0));
    let (Content::Volume(before), Content::Volume(after)) = (before, after) else { panic!("images were expected") };
    assert_eq!((before.phases, before.phase_times_ms), (after.phases, after.phase_times_ms));
    // A second time there is something in the folder.
    run("convert {} {}", &[&source, &out]).is_error("not empty");
}

#[test]
fn an_image_becomes_dicom_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (demo().join("cine.nii.gz"), folder.path().join("out"));
    run("convert {} {}", &[&source, &out]).done();
    let (Content::Volume(before), Content::Volume(after)) = (found(&source).swap_remove(0), found(&out).swap_remove(0)) else {
        panic!("images were expected")
    };
    assert_eq!((before.grid.size(), before.n_phases()), (after.grid.size(), after.n_phases()));
    let mean =
        |v: &myoscope::model::Volume| (0..v.grid.n_voxels()).map(|i| v.value(0, i)).sum::<f64>() / v.grid.n_voxels() as f64;
    assert!((mean(&before) - mean(&after)).abs() < 1e-3 * mean(&before).abs());
}

#[test]
fn what_does_not_fit_gets_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let source = demo().join("cine-labels.nii.gz");
    run("convert {} {}", &[&source, &at("m.ply")]).is_error("--label");
    run("convert {} {} --label 3 --phase 999", &[&source, &at("m.ply")]).is_error("no phase 999");
    run("convert {} {} --label 77", &[&source, &at("m.ply")]).is_error("no voxel of label 77");
    run("convert {} {} --dates yesterday", &[&demo().join("cine-dicom"), &at("out")]).is_error("dates");
    std::fs::write(at("IM-0001-0001-icontour-manual.txt"), "1 2\n3 4\n").unwrap();
    run("convert {} {}", &[&at("IM-0001-0001-icontour-manual.txt"), &at("a.nii")]).is_error("2 points");
    std::fs::write(at("echo.csv"), "phase,point,x_mm,y_mm\n0,0,1,2\n0,1,3,4\n0,2,3,5\n").unwrap();
    run("convert {} {}", &[&at("echo.csv"), &at("a.nii")]).is_error("no place");
    std::fs::write(at("open.stl"), "solid a\nendsolid\n").unwrap();
    run("convert {} {}", &[&at("open.stl"), &at("a.nii")]).is_error("no triangles");
    assert!(["m.ply", "a.nii", "out"].iter().all(|n| !at(n).exists()));
}
