//! `inspect`: its keys, kinds and codes.

use crate::run::{demo, files, numbers, run};
use myoscope::io::dicom::{SeriesFacts, write_dicom_cine};
use myoscope::model::{Samples, Volume};
use myoscope::space::{DAffine3, DVec3, Grid};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const KEYS: [&str; 15] = [
    "kind",
    "name",
    "size",
    "spacing_mm",
    "lps_from_voxel",
    "n_phases",
    "phase_times_ms",
    "slice_positions_mm",
    "n_spots",
    "n_genes",
    "um_per_px",
    "orientation",
    "modality",
    "sorted_by",
    "files",
];

fn inspect(path: &Path) -> Value {
    let report = run("inspect --json {}", &[path]).json();
    let known = |value: &Value, keys: &[&str]| value.as_object().unwrap().keys().all(|k| keys.contains(&k.as_str()));
    assert!(known(&report, &["items", "notes"]));
    for item in report["items"].as_array().unwrap() {
        assert!(known(item, &KEYS), "{item}");
        assert!(item.as_object().unwrap().values().all(|v| !v.is_null()), "keys that do not apply are left out: {item}");
    }
    for note in report["notes"].as_array().unwrap() {
        assert!(known(note, &["severity", "code", "message", "file"]), "{note}");
        assert!(["note", "warning", "error"].contains(&note["severity"].as_str().unwrap()));
        let code = note["code"].as_str().unwrap();
        assert!(code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{code}");
    }
    report
}

fn codes(report: &Value) -> BTreeSet<String> {
    report["notes"].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_demo_is_what_it_is() {
    let cine = inspect(&demo().join("cine-dicom"));
    let item = &cine["items"][0];
    assert_eq!((&item["kind"], &item["modality"], &item["sorted_by"]), (&"cine".into(), &"MR".into(), &"TriggerTime".into()));
    assert_eq!(item["n_phases"], 25);
    assert_eq!(numbers(&item["phase_times_ms"]).len(), 25);
    let size = numbers(&item["size"]);
    assert_eq!(size.len(), 3);
    assert_eq!(item["files"].as_f64().unwrap(), size[2] * 25.0);
    let positions = numbers(&item["slice_positions_mm"]);
    let spacing = numbers(&item["spacing_mm"]);
    assert_eq!(positions.len(), size[2] as usize);
    assert!(positions.windows(2).all(|w| ((w[1] - w[0]).abs() - spacing[2]).abs() < 1e-3));
    let nifti = inspect(&demo().join("cine.nii.gz"));
    for key in ["size", "n_phases", "kind"] {
        assert_eq!(nifti["items"][0][key], item[key], "{key}");
    }
    let rows = |v: &Value| v.as_array().unwrap().iter().flat_map(numbers).collect::<Vec<_>>();
    let (a, b) = (rows(&item["lps_from_voxel"]), rows(&nifti["items"][0]["lps_from_voxel"]));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 2e-3), "DICOM and NIfTI lie at the same place");

    assert_eq!(inspect(&demo().join("cine-labels.nii.gz"))["items"][0]["kind"], "labels");
    assert_eq!(inspect(&demo().join("lge.nii.gz"))["items"][0]["kind"], "volume");
    let visium = inspect(&demo().join("visium"));
    let h5ad = inspect(&demo().join("section.h5ad"));
    for section in [&visium, &h5ad] {
        let item = &section["items"][0];
        assert_eq!(item["kind"], "section");
        assert!(item["n_spots"].as_u64().unwrap() > 500 && item["n_genes"].as_u64().unwrap() >= 500);
        assert!(item["um_per_px"].as_f64().unwrap() > 0.1);
    }
    assert_eq!(inspect(&demo().join("visium/spatial/tissue_hires_image.png"))["items"][0]["kind"], "image");
}

#[test]
fn tables_and_transforms_are_named() {
    let (pairs, transform) = (demo().join("landmarks.csv"), demo().join("truth/transform.json"));
    let report = run("inspect --json {} {}", &[&pairs, &transform]).json();
    let kinds: Vec<&Value> = report["items"].as_array().unwrap().iter().map(|i| &i["kind"]).collect();
    assert_eq!(kinds, ["table", "transform"]);
    assert!(report["notes"].as_array().unwrap().iter().all(|n| n["severity"] == "note"), "{report}");
    let table = run("inspect {}", &[&pairs]).done();
    assert!(table.out.contains("5 rows: name, moving_x"), "{}", table.out);
}

#[test]
fn several_paths_are_one_report_and_people_get_a_table() {
    let (a, b) = (demo().join("lge.nii.gz"), demo().join("section.h5ad"));
    let report = run("inspect --json {} {}", &[&a, &b]).json();
    assert_eq!(report["items"].as_array().unwrap().len(), 2);
    let table = run("inspect {} {}", &[&a, &b]).done();
    assert!(table.out.lines().count() >= 2 && table.out.contains("volume") && table.out.contains("section"));
    assert!(!table.out.contains('{'));
}

/// A cine of 4 slices and 3 phases as DICOM files named by slice and phase.
fn series(folder: &Path) -> Vec<PathBuf> {
    let place =
        DAffine3 { matrix3: DAffine3::from_scale(DVec3::new(1.5, 1.5, 8.0)).matrix3, translation: DVec3::new(-3.0, 5.0, 20.0) };
    let grid = Grid::new([6, 5, 4], place).unwrap();
    let phase = |p: usize| Samples::U16((0..120).map(|i| (i * 7 + p * 100) as u16).collect());
    let mut cine = Volume::new("c", grid, (0..3).map(phase).collect()).unwrap();
    cine.phase_times_ms = vec![0.0, 300.0, 600.0];
    let facts = SeriesFacts { description: "sax".into(), series_number: 1, seed: 1, rr_ms: Some(900.0) };
    write_dicom_cine(folder, &cine, &facts).unwrap();
    let mut paths: Vec<PathBuf> = files(folder).into_keys().map(|p| folder.join(p)).collect();
    paths.sort();
    assert_eq!(paths.len(), 12);
    paths
}

#[test]
fn what_is_wrong_with_a_series_has_its_code() {
    let whole = tempfile::tempdir().unwrap();
    series(whole.path());
    let good = inspect(whole.path());
    assert!(["slice-gap", "missing-phase", "duplicate-slice", "truncated"].iter().all(|c| !codes(&good).contains(*c)), "{good}");

    // Which files belong to a slice is read from where the first 3 of a single-slice inspection lie.
    let slice_of = |path: &Path| numbers(&inspect(path)["items"][0]["slice_positions_mm"])[0].round() as i64;
    let gap = tempfile::tempdir().unwrap();
    let paths = series(gap.path());
    let mut places: Vec<i64> = paths.iter().map(|p| slice_of(p)).collect();
    let second = {
        places.sort_unstable();
        places.dedup();
        places[1]
    };
    let removed = paths.iter().filter(|p| slice_of(p) == second).inspect(|p| std::fs::remove_file(p).unwrap()).count();
    assert_eq!(removed, 3);
    let report = inspect(gap.path());
    assert!(codes(&report).contains("slice-gap"), "{report}");
    assert_eq!(numbers(&report["items"][0]["size"])[2], 4.0, "a gap keeps its place");

    let missing = tempfile::tempdir().unwrap();
    std::fs::remove_file(&series(missing.path())[5]).unwrap();
    assert!(codes(&inspect(missing.path())).contains("missing-phase"));

    let double = tempfile::tempdir().unwrap();
    let first = &series(double.path())[0];
    std::fs::copy(first, double.path().join("again.dcm")).unwrap();
    assert!(codes(&inspect(double.path())).contains("duplicate-slice"));

    let cut = tempfile::tempdir().unwrap();
    let path = series(cut.path())[3].clone();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    let report = inspect(cut.path());
    assert!(codes(&report).contains("truncated"), "{report}");
    assert_eq!(report["items"].as_array().unwrap().len(), 1, "the rest stays");
}

#[test]
fn a_cut_nifti_is_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.nii.gz");
    let bytes = std::fs::read(demo().join("lge.nii.gz")).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let report = inspect(&path);
    assert!(codes(&report).contains("truncated"), "{report}");
    assert!(report["notes"][0]["message"].as_str().unwrap().contains("cut.nii.gz"));
    assert!(codes(&inspect(folder.path())).contains("truncated"));
}
