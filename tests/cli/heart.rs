//! The measures beyond ventricles and segments, on the demo and on small files made here.

use crate::run::{demo, files, run};
use myoscope::io::{write_nifti_labels, write_nifti_volume};
use myoscope::model::{LabelMap, Samples, Volume};
use myoscope::space::{DAffine3, DVec3, Grid};
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn value(report: &serde_json::Value, region: &str, phase: &str, metric: &str) -> f64 {
    let rows = report["measures"].as_array().unwrap();
    let row = rows.iter().find(|r| r["region"] == region && r["phase"] == phase && r["metric"] == metric);
    row.unwrap_or_else(|| panic!("no {region} {phase} {metric}"))["value"].as_f64().unwrap()
}

/// A ring of muscle (10 to 18 mm) around a cavity, with a right ventricle, in 9 slices; `name.nii.gz`.
fn ring(folder: &Path) -> (std::path::PathBuf, Grid) {
    let grid = Grid::new([61, 61, 9], DAffine3::from_scale(DVec3::new(1.0, 1.0, 8.0))).unwrap();
    let label = |i: usize| {
        let (x, y) = ((i % 61) as f64 - 30.0, (i / 61 % 61) as f64 - 30.0);
        let right = (120.0..=240.0).contains(&(-y).atan2(x).to_degrees().rem_euclid(360.0));
        match x.hypot(y) {
            r if r < 10.0 => 3,
            r if r <= 18.0 => 2,
            r if r <= 25.0 && right => 1,
            _ => 0,
        }
    };
    let labels = LabelMap::new("ring", grid, vec![(0..grid.n_voxels()).map(label).collect()]).unwrap();
    let path = folder.join("ring.nii.gz");
    write_nifti_labels(&path, &labels).unwrap();
    (path, grid)
}

fn image(path: &Path, grid: Grid, value: impl Fn(usize) -> f32) {
    let values: Vec<f32> = (0..grid.n_voxels()).map(value).collect();
    write_nifti_volume(path, &Volume::new("image", grid, vec![Samples::F32(values.into())]).unwrap()).unwrap();
}

#[test]
fn wall_by_four_definitions_and_thickening() {
    let folder = tempfile::tempdir().unwrap();
    let (labels, _) = ring(folder.path());
    for method in ["nearest", "centerline", "radial", "laplace"] {
        let report = run(&format!("measure wall --labels {{}} --method {method} --json"), &[&labels]).json();
        // The label's circles have the areas of their pixels.
        let got = value(&report, "1", "ED", "wall_thickness_mean");
        assert!((got - 8.0).abs() < 0.2, "{method}: {got}");
        assert!(report["measures"][0]["method"].as_str().unwrap().starts_with(method));
    }
    let report = run("measure wall --labels {} --json", &[&demo().join("cine-labels.nii.gz")]).json();
    let [ed, es] = ["ED", "ES"].map(|p| value(&report, "8", p, "wall_thickness_mean"));
    assert!((value(&report, "8", "", "thickening") - 100.0 * (es - ed) / ed).abs() < 1e-9 && es > ed);
}

#[test]
fn scar_of_a_drawn_block() {
    let folder = tempfile::tempdir().unwrap();
    let (labels, grid) = ring(folder.path());
    let [scar, remote, out] = ["scar.nii.gz", "remote.nii.gz", "mask.nii.gz"].map(|n| folder.path().join(n));
    // 5 × 8 × 3 voxels through the whole wall at the right, a single bright voxel elsewhere.
    let block = |i: usize| (40..48).contains(&(i % 61)) && (28..33).contains(&(i / 61 % 61)) && (3..6).contains(&(i / 3721));
    image(&scar, grid, |i| if block(i) || i == 16 + 61 * 30 + 3721 * 4 { 200.0 } else { 50.0 + (i % 2) as f32 });
    let far = |i: usize| u8::from((14..19).contains(&(i % 61)) && i / 61 % 61 == 31);
    let map = LabelMap::new("remote", grid, vec![(0..grid.n_voxels()).map(far).collect()]).unwrap();
    write_nifti_labels(&remote, &map).unwrap();
    for rule in ["sd:5", "fwhm-max", "fwhm-min", "fwhm-remote", "otsu"] {
        let line = format!("measure scar --image {{}} --labels {{}} --rule {rule} --remote {{}} --out-labels {{}} --json");
        let report = run(&line, &[&scar, &labels, &remote, &out]).json();
        assert!((value(&report, "myo", "", "scar_mass") - 120.0 * 0.008 * 1.05).abs() < 1e-9, "{rule}");
        let lateral = value(&report, "11", "", "transmurality").max(value(&report, "12", "", "transmurality"));
        assert!(lateral > 3.0 && value(&report, "8", "", "transmurality").abs() < 1e-12, "{rule}: {lateral}");
    }
    let all = run("measure scar --image {} --labels {} --rule fwhm-max --min-voxels 1 --json", &[&scar, &labels]).json();
    assert!((value(&all, "myo", "", "scar_mass") - 121.0 * 0.008 * 1.05).abs() < 1e-9);
    run("measure scar --image {} --labels {} --rule sd:5", &[&scar, &labels]).is_error("--remote");
    run("measure scar --image {} --labels {} --rule sd:-1", &[&scar, &labels]).is_error("sd:N");
    image(&scar, grid, |i| if block(i) { 200.0 } else { -50.0 });
    let negative = run("measure scar --image {} --labels {} --rule fwhm-max --json", &[&scar, &labels]).json();
    assert!(
        negative["findings"].as_array().unwrap().iter().any(|f| f["code"] == "negative-values" && f["severity"] == "warning")
    );
}

#[test]
fn extracellular_volume_of_the_golden_case() {
    let folder = tempfile::tempdir().unwrap();
    let (labels, grid) = ring(folder.path());
    let [pre, post] = ["pre.nii.gz", "post.nii.gz"].map(|n| folder.path().join(n));
    let blood = |i: usize| ((i % 61) as f64 - 30.0).hypot((i / 61 % 61) as f64 - 30.0) < 10.0;
    image(&pre, grid, |i| if blood(i) { 1550.0 } else { 1000.0 });
    image(&post, grid, |i| if blood(i) { 300.0 } else { 450.0 });
    let line = "measure ecv --t1-pre {} --t1-post {} --labels {} --hematocrit 0.42 --json";
    let report = run(line, &[&pre, &post, &labels]).json();
    for region in ["myo", "1", "9", "16"] {
        assert!((value(&report, region, "", "ecv") - 0.263_706_666_666_7).abs() < 1e-6, "{region}");
        assert!((value(&report, region, "", "lambda") - 0.454_666_666_666_7).abs() < 1e-6);
    }
    for hematocrit in ["42", "0", "1", "-0.4", "nan"] {
        let line = format!("measure ecv --t1-pre {{}} --t1-post {{}} --labels {{}} --hematocrit {hematocrit}");
        run(&line, &[&pre, &post, &labels]).is_error("hematocrit");
    }
    run("measure ecv --t1-pre {} --t1-post {} --labels {} --hematocrit 0.42", &[&post, &pre, &labels]).is_error("exchanged");
}

#[test]
fn calcium_of_the_golden_case() {
    let folder = tempfile::tempdir().unwrap();
    let [ct, mask] = ["ct.nii.gz", "mask.nii.gz"].map(|n| folder.path().join(n));
    let grid = Grid::new([20, 20, 2], DAffine3::from_scale(DVec3::new(0.5, 0.5, 3.0))).unwrap();
    image(&ct, grid, |i| match (i % 20, i / 20 % 20, i / 400) {
        (3, 3, 0) => 350.0,
        (2..=4, 2..=4, 0) => 200.0,
        (10, 10, 0) => 140.0,
        (10..=11, 10..=11, 0) => 130.0,
        (15, 3, 0) => 500.0,
        _ => 40.0,
    });
    write_nifti_labels(&mask, &LabelMap::new("m", grid, vec![vec![1u8; 800].into()]).unwrap()).unwrap();
    let report = run("measure calcium --image {} --mask {} --json", &[&ct, &mask]).json();
    assert!((value(&report, "all", "", "agatston") - 7.75).abs() < 1e-6);
    assert!((value(&report, "all", "", "n_lesions") - 2.0).abs() < 1e-12);
    write_nifti_labels(&mask, &LabelMap::new("m", grid, vec![vec![0u8; 800].into()]).unwrap()).unwrap();
    run("measure calcium --image {} --mask {}", &[&ct, &mask]).is_error("marks no voxel");
}

#[test]
fn strain_and_echo_from_contours() {
    let folder = tempfile::tempdir().unwrap();
    let [strain, a4c, a2c] = ["strain.csv", "a4c.csv", "a2c.csv"].map(|n| folder.path().join(n));
    let mut text = String::from("phase,view,slice,border,point,x_mm,y_mm,z_mm\n");
    for (phase, inner, outer) in [(0, 25.0, 35.0), (1, 20.0, 33.0)] {
        for (border, r) in [("endo", inner), ("epi", outer)] {
            for k in 0..60 {
                let (sin, cos) = (f64::from(k) / 60.0 * std::f64::consts::TAU).sin_cos();
                writeln!(text, "{phase},sax,0,{border},{k},{},{},0", r * cos, r * sin).unwrap();
            }
        }
    }
    fs::write(&strain, &text).unwrap();
    let report = run("measure strain --contours {} --json", &[&strain]).json();
    assert!((value(&report, "lv", "1", "gcs") + 20.0).abs() < 1e-9 && (value(&report, "lv", "", "grs") - 30.0).abs() < 1e-9);
    let green = run("measure strain --contours {} --green --json", &[&strain]).json();
    assert!((value(&green, "lv", "1", "gcs") + 18.0).abs() < 1e-9);
    fs::write(&strain, text.replace("epi,7,", "epi,8,")).unwrap();
    run("measure strain --contours {}", &[&strain]).is_error("repeats point");

    for (path, half) in [(&a4c, 25.0), (&a2c, 22.0)] {
        let mut text = String::from("phase,point,x_mm,y_mm\n");
        for (phase, scale) in [(0, 1.0), (1, 0.8)] {
            for k in 0..=2000 {
                let (sin, cos) = (f64::from(k) / 2000.0 * std::f64::consts::PI).sin_cos();
                writeln!(text, "{phase},{k},{},{}", scale * half * cos, scale * 80.0 * sin).unwrap();
            }
        }
        fs::write(path, text).unwrap();
    }
    let report = run("measure echo --a4c {} --a2c {} --diameters-mm 10,50,10 --json", &[&a4c, &a2c]).json();
    assert!((value(&report, "lv", "ED", "volume") - 92.182_182_438).abs() < 1e-3);
    assert!(
        (value(&report, "lv", "", "ejection_fraction") - 48.8).abs() < 1e-6
            && (value(&report, "lv", "", "gls") + 20.0).abs() < 1e-6
    );
    assert!((value(&report, "myo", "ED", "mass") - 181.976).abs() < 1e-9);
    run("measure echo --json", &[]).is_error("--a4c");
}

#[test]
fn readers_agree_with_themselves_and_conventions_are_not_pooled() {
    let folder = tempfile::tempdir().unwrap();
    let (labels, _) = ring(folder.path());
    let report = run("measure compare --a {} --b {} --json", &[&labels, &labels]).json();
    assert!((value(&report, "myo", "", "dice") - 1.0).abs() < 1e-12 && value(&report, "lv", "", "hausdorff").abs() < 1e-12);
    let [a, b] = ["a.csv", "b.csv"].map(|n| folder.path().join(n));
    for (path, method) in [(&a, "nearest"), (&b, "radial")] {
        run(&format!("measure wall --labels {{}} --subject s --method {method} --out {{}}"), &[&labels, path]).done();
    }
    run("measure compare --table-a {} --table-b {}", &[&a, &b]).is_error("definitions");
    let pooled = run("measure compare --table-a {} --table-b {} --pool-methods --json", &[&a, &b]).json();
    assert!(value(&pooled, "1", "ED", "wall_thickness_mean_bias").abs() < 0.2);
    run("measure compare --a {} {} --b {}", &[&labels, &labels, &labels]).is_error("one of each");
}

#[test]
fn bullseye_of_any_table() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("wall.csv");
    run("measure wall --labels {} --out {}", &[&demo().join("cine-labels.nii.gz"), &table]).done();
    let [svg, png, csv] = ["b.svg", "b.png", "b.csv"].map(|n| folder.path().join(n));
    for out in [&svg, &png, &csv] {
        let line = "measure bullseye --table {} --metric wall_thickness_mean --phase ED --territories --out {}";
        run(line, &[&table, out]).done();
    }
    let text = fs::read_to_string(&svg).unwrap();
    assert!(text.contains("basal anterior") && text.contains("wall thickness mean") && text.contains("mm"));
    assert_eq!(fs::read_to_string(&csv).unwrap().lines().count(), 18);
    run("measure bullseye --table {} --metric wall_thickness_mean --out {}", &[&table, &svg]).is_error("--phase");
    run("measure bullseye --table {} --metric nonsense --out {}", &[&table, &svg]).is_error("wall_thickness_mean");
    assert_eq!(files(folder.path()).len(), 4);
}
