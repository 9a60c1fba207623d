//! What is handed on, on the real program: transforms, warped images, spots, maps, tables and pictures.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::raster::{read_raster, write_raster};
use myoscope::io::{Reading, Table, read_volume_any};
use myoscope::model::{Raster, Samples};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Exit status, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_myoscope")).args(arguments).output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
    (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
}

fn good(arguments: &[&str]) -> String {
    let (status, out, error) = run(arguments);
    assert_eq!(status, 0, "{arguments:?}: {error}");
    out
}

fn refused(arguments: &[&str], part: &str) {
    let (status, _, error) = run(arguments);
    assert_eq!(status, 2, "{arguments:?}");
    assert!(error.contains(part), "{error}");
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&good(arguments)).unwrap()
}

/// The built-in case as files, made once.
fn demo() -> &'static Path {
    static DEMO: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        good(&["demo", "--out", folder.path().to_str().unwrap(), "--quiet"]);
        folder
    };
    DEMO.get_or_init(made).path()
}

fn at(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

fn affine(folder: &Path, name: &str, rows: &str, units: &str) -> String {
    let path = at(folder, name);
    let text = format!(r#"{{"model":"affine","fixed_from_moving":{rows},"units":"{units}","space":"section"}}"#);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn composed_transforms_are_the_steps_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let pairs = "name,moving_x,moving_y,fixed_x,fixed_y\na,0,0,1,2\nb,1000,0,1010,-5\nc,0,1000,20,1030\nd,1000,1000,1100,960\ne,400,600,420,610\n";
    std::fs::write(at(f, "pairs.csv"), pairs).unwrap();
    good(&["register", "landmarks", "--pairs", &at(f, "pairs.csv"), "--model", "tps", "--out", &at(f, "plate.json")]);
    let turn = affine(f, "turn.json", "[[0.8,-0.6,5],[0.6,0.8,-2],[0,0,1]]", "um");
    std::fs::write(at(f, "points.csv"), "x,y\n10,20\n700,350\n-40,900\n").unwrap();
    let steps = [(&turn, &at(f, "plate.json")), (&at(f, "plate.json"), &turn), (&turn, &turn)];
    for (i, (first, second)) in steps.into_iter().enumerate() {
        let both = at(f, &format!("both{i}.json"));
        good(&["transform", "compose", first, second, "--out", &both]);
        let warp = |t: &str, from: &str, to: &str| {
            good(&["warp", "points", "--transform", t, "--in", &at(f, from), "--out", &at(f, to)]);
        };
        warp(first, "points.csv", "half.csv");
        warp(second, "half.csv", "steps.csv");
        warp(&both, "points.csv", "whole.csv");
        let read = |name: &str, c: &str| Table::read(&f.join(name), &Limits::default()).unwrap().numbers(c).unwrap();
        for c in ["x", "y"] {
            for (a, b) in read("steps.csv", c).iter().zip(read("whole.csv", c)) {
                assert!((a.unwrap() - b.unwrap()).abs() < 1e-8);
            }
        }
        let shown = json(&["transform", "show", &both, "--json"]);
        assert_eq!(shown["is_linear"], i == 2);
        assert_eq!(shown["parts"].as_array().unwrap().len(), if i == 2 { 0 } else { 2 });
    }
    let px = affine(f, "px.json", "[[1,0,0],[0,1,0],[0,0,1]]", "px");
    refused(&["transform", "compose", &turn, &px, "--out", &at(f, "no.json")], "do not meet");
    assert!(!f.join("no.json").exists());
}

#[test]
fn formats_of_other_programs_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let turn = affine(f, "turn.json", "[[0.8,-0.5,5.25],[0.6,0.9,-2],[0,0,1]]", "px");
    let rows = |path: &str| json(&["transform", "show", path, "--json"])["fixed_from_moving"].clone();
    let wanted = rows(&turn);
    for name in ["t.tfm", "t.csv", "a_he_imagealignment.csv", "t.ngff.json"] {
        let there = at(f, name);
        good(&["transform", "convert", &turn, &there]);
        let text = std::fs::read_to_string(&there).unwrap();
        assert!(text.contains("pixel") && text.contains("moving") && text.contains("fixed"), "{name} says nothing of itself");
        good(&["transform", "convert", &there, &at(f, "back.json")]);
        for (a, b) in wanted
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|r| r.as_array().unwrap())
            .zip(rows(&at(f, "back.json")).as_array().unwrap().iter().flat_map(|r| r.as_array().unwrap()))
        {
            assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12, "{name}");
        }
    }
    let bigwarp = "\"Pt-0\",\"true\",\"0\",\"0\",\"5\",\"1\"\n\"Pt-1\",\"true\",\"100\",\"0\",\"104\",\"3\"\n\"Pt-2\",\"true\",\"0\",\"100\",\"8\",\"99\"\n\"Pt-3\",\"true\",\"90\",\"95\",\"99\",\"90\"\n\"Pt-4\",\"false\",\"1\",\"1\",\"Infinity\",\"Infinity\"\n";
    std::fs::write(at(f, "landmarks.csv"), bigwarp).unwrap();
    good(&["transform", "convert", &at(f, "landmarks.csv"), &at(f, "plate.json")]);
    good(&["transform", "convert", &at(f, "plate.json"), &at(f, "again_landmarks.csv")]);
    good(&["transform", "convert", &at(f, "again_landmarks.csv"), &at(f, "plate2.json")]);
    let numbers = |name: &str| -> Vec<f64> {
        let rows = rows(&at(f, name));
        rows.as_array().unwrap().iter().flat_map(|r| r.as_array().unwrap()).map(|v| v.as_f64().unwrap()).collect()
    };
    let same = numbers("plate.json").into_iter().zip(numbers("plate2.json")).all(|(a, b)| (a - b).abs() < 1e-10);
    assert!(same, "the landmarks give the same plate");
    refused(&["transform", "convert", &at(f, "plate.json"), &at(f, "plate.tfm")], "bends");
    refused(&["transform", "convert", &turn, &at(f, "t.xyz")], "no ending");
}

/// A picture whose value is linear, so that interpolation is exact.
fn ramp(path: &str, width: usize, height: usize) {
    let values: Vec<f32> = (0..width * height).map(|i| (i % width) as f32 * 2.0 + (i / width) as f32 * 3.0).collect();
    write_raster(Path::new(path), &Raster::new(width, height, 1, Samples::F32(values.into())).unwrap()).unwrap();
}

#[test]
fn pictures_are_pulled_through_the_inverse() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let (moving, like) = (at(f, "moving.tif"), at(f, "like.tif"));
    ramp(&moving, 80, 60);
    ramp(&like, 100, 70);
    let shift = affine(f, "shift.json", "[[1,0,10.5],[0,1,-4],[0,0,1]]", "px");
    let mut files = Vec::new();
    for threads in ["1", "2"] {
        let out = at(f, &format!("out{threads}.tif"));
        let args = [
            "warp",
            "image",
            "--transform",
            &shift,
            "--in",
            &moving,
            "--like",
            &like,
            "--out",
            &out,
            "--threads",
            threads,
            "--json",
        ];
        let told = json(&args);
        assert_eq!((told["size"][0].as_u64(), told["outside"].as_str()), (Some(100), Some("NaN")));
        files.push(std::fs::read(&out).unwrap());
    }
    assert!(files[0] == files[1], "the same for any number of threads");
    let out = read_raster(&f.join("out1.tif"), &Limits::default()).unwrap();
    for (x, y) in [(11, 0), (50, 30), (89, 55)] {
        // The fixed pixel (x, y) comes from the moving place (x − 10.5, y + 4).
        let wanted = (x as f64 - 10.5) * 2.0 + (y as f64 + 4.0) * 3.0;
        let found = f64::from(out.samples.stored(y * 100 + x));
        assert!((found - wanted).abs() < 1e-4, "({x}, {y}): {found} instead of {wanted}");
    }
    assert!(out.samples.stored(0).is_nan() && out.samples.stored(30 * 100 + 95).is_nan());
    let um = affine(f, "um.json", "[[1,0,10.5],[0,1,-4],[0,0,1]]", "um");
    let base = ["warp", "image", "--transform", &um, "--in", &moving, "--like", &like, "--out", &at(f, "um.tif")];
    refused(&base, "--moving-um-per-px");
    good(&[&base[..], &["--moving-um-per-px", "0.5", "--fixed-um-per-px", "0.5"]].concat());
    let um = read_raster(&f.join("um.tif"), &Limits::default()).unwrap();
    // 10.5 µm are 21 pixels.
    assert!((um.samples.stored(20 * 100 + 40) - (19.0 * 2.0 + 28.0 * 3.0)).abs() < 1e-3);
    refused(
        &["warp", "image", "--transform", &shift, "--in", &moving, "--like", &at(f, "none.tif"), "--out", &at(f, "x.tif")],
        "none.tif",
    );
}

#[test]
fn volumes_are_pulled_onto_another_grid() {
    let (d, folder) = (demo(), tempfile::tempdir().unwrap());
    let f = folder.path();
    let identity = at(f, "identity.json");
    let text = r#"{"model":"rigid","fixed_from_moving":[[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]],"units":"mm","space":"LPS"}"#;
    std::fs::write(&identity, text).unwrap();
    let labels = at(d, "lge-labels.nii.gz");
    let out = at(f, "labels.nii.gz");
    good(&["warp", "image", "--transform", &identity, "--in", &labels, "--like", &labels, "--out", &out, "--nearest"]);
    let read = |p: &str| {
        let mut warnings = Warnings::default();
        let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
        read_volume_any(Path::new(p), &mut reading).unwrap()
    };
    assert_eq!(read(&out).phases, read(&labels).phases, "nothing moves");
    refused(&["warp", "image", "--transform", &identity, "--in", &labels, "--like", &at(d, "cine.png"), "--out", &out], "both");
}

fn inputs(d: &Path) -> [String; 3] {
    [at(d, "section.h5ad"), at(d, "truth/transform.json"), at(d, "lge-labels.nii.gz")]
}

#[test]
fn spots_have_their_places_in_the_patient() {
    let (d, folder) = (demo(), tempfile::tempdir().unwrap());
    let f = folder.path();
    let [section, transform, labels] = inputs(d);
    let mut files: Vec<[Vec<u8>; 2]> = Vec::new();
    for threads in ["1", "2"] {
        let out = at(f, &format!("{threads}/spots.csv"));
        std::fs::create_dir(f.join(threads)).unwrap();
        good(&[
            "export",
            "spots",
            &section,
            "--transform",
            &transform,
            "--labels",
            &labels,
            "--gene",
            "NPPA",
            "--gene",
            "MYH7",
            "--counts",
            "--out",
            &out,
            "--threads",
            threads,
        ]);
        files.push([&out, &at(f, &format!("{threads}/spots.provenance.json"))].map(|p| std::fs::read(p).unwrap()));
    }
    assert!(files[0] == files[1], "the same for any number of threads");
    let table = Table::read(&f.join("1/spots.csv"), &Limits::default()).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    let wanted = [
        "id",
        "section_x_um",
        "section_y_um",
        "lps_x_mm",
        "lps_y_mm",
        "lps_z_mm",
        "segment",
        "segment_name",
        "in_tissue",
        "excluded",
        "NPPA_counts",
        "MYH7_counts",
    ];
    assert_eq!(names, wanted);
    let truth = Table::read(&d.join("truth/spots.csv"), &Limits::default()).unwrap();
    assert_eq!(table.texts("id").unwrap(), truth.texts("id").unwrap());
    for (ours, theirs) in [("lps_x_mm", "x_mm"), ("lps_y_mm", "y_mm"), ("lps_z_mm", "z_mm")] {
        let pairs = table.numbers(ours).unwrap().into_iter().zip(truth.numbers(theirs).unwrap());
        let worst = pairs.map(|(a, b)| (a.unwrap() - b.unwrap()).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{ours}: {worst} mm");
    }
    let (found, known) = (table.numbers("segment").unwrap(), truth.numbers("segment").unwrap());
    let same = found.iter().zip(&known).filter(|(a, b)| b.is_some() && a == b).count();
    let n = known.iter().filter(|s| s.is_some()).count();
    assert!(same as f64 > 0.9 * n as f64, "{same} of {n} segments are as planted");
    let beside = String::from_utf8(files[0][1].clone()).unwrap();
    let value: Value = serde_json::from_str(&beside).unwrap();
    assert_eq!((value["what"].as_str(), value["settings"]["values"][1].as_str()), (Some("spots"), Some("MYH7")));
    assert!(value["inputs"][0]["digest"].as_str().unwrap().starts_with("sha256 "));
    assert!(!beside.contains(d.to_str().unwrap()) && !beside.contains(f.to_str().unwrap()), "no folder is told");
    refused(&["export", "spots", &section, "--out", &at(f, "no.h5ad")], "--transform");
    refused(&["export", "spots", &section, "--gene", "NOBODY", "--out", &at(f, "no.csv")], "NOBODY");
    good(&["export", "spots", &section, "--transform", &transform, "--labels", &labels, "--out", &at(f, "a.h5ad")]);
    assert!(std::fs::read(f.join("a.h5ad")).unwrap().starts_with(b"\x89HDF"));
}

#[test]
fn a_map_counts_every_spot_once() {
    let (d, folder) = (demo(), tempfile::tempdir().unwrap());
    let f = folder.path();
    let [section, transform, _] = inputs(d);
    let (like, out) = (at(d, "lge.nii.gz"), at(f, "NPPA.nii.gz"));
    let told =
        json(&["export", "map", &section, "--transform", &transform, "--like", &like, "--gene", "NPPA", "--out", &out, "--json"]);
    assert_eq!(told["files"].as_array().unwrap().len(), 3);
    let read = |p: PathBuf| {
        let mut warnings = Warnings::default();
        let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
        read_volume_any(&p, &mut reading).unwrap()
    };
    let (mean, count) = (read(f.join("NPPA.nii.gz")), read(f.join("NPPA_count.nii.gz")));
    assert!(mean.grid.same_place(&read(PathBuf::from(&like)).grid, 1e-3));
    let n: f64 = (0..count.grid.n_voxels()).map(|i| count.value(0, i)).sum();
    good(&["export", "spots", &section, "--transform", &transform, "--gene", "NPPA", "--out", &at(f, "spots.csv")]);
    let table = Table::read(&f.join("spots.csv"), &Limits::default()).unwrap();
    let numbers = |name: &str| table.numbers(name).unwrap();
    let (x, y, z, value) = (numbers("lps_x_mm"), numbers("lps_y_mm"), numbers("lps_z_mm"), numbers("NPPA_log1p_cp10k"));
    let mut sums = std::collections::BTreeMap::new();
    for (i, value) in value.iter().enumerate().filter_map(|(i, v)| v.map(|v| (i, v))) {
        let lps = myoscope::space::DVec3::new(x[i].unwrap(), y[i].unwrap(), z[i].unwrap());
        let voxel = mean.grid.index_at_lps(lps).unwrap();
        let slot = sums.entry(voxel).or_insert((0.0, 0));
        *slot = (slot.0 + value, slot.1 + 1);
    }
    assert_eq!(n as usize, sums.values().map(|s| s.1).sum::<usize>());
    for i in 0..mean.grid.n_voxels() {
        match sums.get(&i) {
            Some((sum, n)) => {
                assert!((mean.value(0, i) - sum / *n as f64).abs() < 1e-5 && count.value(0, i) == *n as f64);
            }
            None => assert!(mean.value(0, i).is_nan() && count.value(0, i) == 0.0),
        }
    }
    refused(&["export", "map", &section, "--like", &like, "--gene", "NPPA", "--out", &out], "--transform");
}

#[test]
fn tables_and_transforms_of_the_built_in_case() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    good(&["export", "table", "residuals", "--out", &at(f, "residuals.tsv")]);
    let residuals = Table::read(&f.join("residuals.tsv"), &Limits::default()).unwrap();
    assert!(residuals.numbers("residual_mm").unwrap().iter().any(Option::is_some));
    good(&["export", "segments", "--gene", "NPPA", "--out", &at(f, "segments.csv")]);
    let segments = Table::read(&f.join("segments.csv"), &Limits::default()).unwrap();
    assert_eq!(segments.n_rows(), 17);
    assert!(segments.numbers("n").unwrap().iter().flatten().sum::<f64>() > 100.0);
    good(&["export", "transform", "--out", &at(f, "t.json")]);
    let shown = json(&["transform", "show", &at(f, "t.json"), "--json"]);
    assert_eq!((shown["units"].as_str(), shown["fixed_dims"].as_u64()), (Some("um"), Some(3)));
    assert!(f.join("t.provenance.json").exists());
}

#[test]
fn pictures_are_vectors_with_a_caption() {
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let picture = |name: &str, threads: &str| {
        let out = at(f, name);
        good(&[
            "export",
            "picture",
            "--view",
            "overlay",
            "--gene",
            "NPPA",
            "--size",
            "500x600",
            "--threads",
            threads,
            "--out",
            &out,
        ]);
        std::fs::read(&out).unwrap()
    };
    assert!(picture("a.png", "1") == picture("b.png", "2"));
    let svg = picture("a.svg", "1");
    assert!(svg == picture("b.svg", "2"));
    let text = String::from_utf8(svg).unwrap();
    for part in [
        "width=\"500\" height=\"600\"",
        "<circle ",
        "data:image/png;base64,",
        ">NPPA</text>",
        "log1p CP10k",
        "Registration: ",
        "Left out: nothing",
        "Myoscope ",
    ] {
        assert!(text.contains(part), "{part} is not in the picture");
    }
    assert_eq!(text.matches("<g ").count(), text.matches("</g>").count());
    let size = image_size(&std::fs::read(f.join("a.png")).unwrap());
    assert_eq!(size, [500, 600]);
    refused(&["export", "picture", "--view", "overlay", "--out", &at(f, "a.gif")], ".png or .svg");
}

/// Width and height in the header of a PNG.
fn image_size(png: &[u8]) -> [u32; 2] {
    [16, 20].map(|i| u32::from_be_bytes(png[i..i + 4].try_into().unwrap()))
}

/// Numbers of `SciPy` and `SimpleITK`, made by `golden/gen_warp_image.py`.
#[test]
fn pictures_are_resampled_as_scipy_and_itk_do() {
    let golden: Value = serde_json::from_str(include_str!("golden/warp_image.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let f = folder.path();
    let value = |i: usize| {
        let (x, y) = ((i % 60) as f64, (i / 60) as f64);
        (100.0 + 40.0 * (x / 5.0).sin() * (y / 7.0).cos() + 0.5 * x) as f32
    };
    let picture = Raster::new(60, 44, 1, Samples::F32((0..60 * 44).map(value).collect())).unwrap();
    write_raster(&f.join("moving.tif"), &picture).unwrap();
    ramp(&at(f, "like.tif"), 50, 48);
    let affine = affine(f, "affine.json", &golden["affine"].to_string(), "px");
    let numbers = |v: &Value| [v[0].as_f64().unwrap(), v[1].as_f64().unwrap()];
    let sides = golden["pairs_moving"].as_array().unwrap().iter().zip(golden["pairs_fixed"].as_array().unwrap());
    let rows: Vec<String> = sides
        .map(|(m, f)| {
            let ([a, b], [c, d]) = (numbers(m), numbers(f));
            format!("{a},{b},{c},{d}\n")
        })
        .collect();
    std::fs::write(f.join("pairs.csv"), format!("moving_x,moving_y,fixed_x,fixed_y\n{}", rows.concat())).unwrap();
    let plate = at(f, "plate.json");
    good(&["register", "landmarks", "--pairs", &at(f, "pairs.csv"), "--model", "tps", "--units", "px", "--out", &plate]);
    let check = |transform: &str, key: &str, flags: &[&str], tolerance: f64, covers_edge: bool| {
        let out = at(f, "out.tif");
        let base = [
            "warp",
            "image",
            "--transform",
            transform,
            "--in",
            &at(f, "moving.tif"),
            "--like",
            &at(f, "like.tif"),
            "--out",
            &out,
        ];
        good(&[&base[..], flags].concat());
        let ours = read_raster(Path::new(&out), &Limits::default()).unwrap();
        let mut worst = 0.0f64;
        for (i, wanted) in golden[key].as_array().unwrap().iter().enumerate() {
            let found = f64::from(ours.samples.stored(i));
            match wanted.as_f64() {
                Some(wanted) => worst = worst.max((found - wanted).abs()),
                None => assert!(!covers_edge || found.is_nan(), "{key}: pixel {i} is {found}, none was expected"),
            }
        }
        eprintln!("{key}: {worst:e}");
        assert!(worst <= tolerance, "{key}: {worst}");
    };
    check(&affine, "affine_itk", &[], 1e-4, true);
    check(&affine, "affine_itk_nearest", &["--nearest"], 1e-4, true);
    check(&affine, "affine_scipy", &[], 1e-4, false);
    // The plate is inverted to 0.02 pixels, and the picture changes by at most 8.5 a pixel.
    check(&plate, "plate_scipy", &[], 0.02 * 8.5, false);
}
