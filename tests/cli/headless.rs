//! The program without a display: the main job, done to files in a folder that it names.

use crate::run::{Csv, demo, run_in};

#[test]
fn without_a_display_the_built_in_case_is_registered_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run_in::<&str>(folder.path(), []).done();
    assert!(
        ran.err.contains("display") && ran.out.contains("myoscope-report") && ran.out.contains("RMS"),
        "{}{}",
        ran.out,
        ran.err
    );
    let report = folder.path().join("myoscope-report");
    for name in ["short-axis.png", "section.png", "overlay.png", "bullseye.png"] {
        assert!(std::fs::read(report.join(name)).unwrap().starts_with(b"\x89PNG"), "{name}");
    }
    let segments = Csv::read(&report.join("segments.csv"));
    assert_eq!(segments.header, ["segment", "name", "metric", "value", "unit", "n", "rule"]);
    assert_eq!(segments.rows.len(), 17);
    let (values, n) = (segments.numbers("value"), segments.numbers("n"));
    assert!(values.iter().zip(&n).all(|(v, n)| v.is_some() == (n.unwrap() > 0.0)), "missing is an empty cell");
    let residuals = Csv::read(&report.join("residuals.csv"));
    for name in ["name", "residual_mm", "leave_one_out_mm"] {
        assert!(residuals.header.iter().any(|h| h == name), "{name} in {:?}", residuals.header);
    }
    for name in ["components.png", "fusion.png", "prediction.png", "spots.h5ad", "gene-map_count.nii.gz"] {
        assert!(report.join(name).is_file(), "{name}");
    }
    let history = Csv::read(&report.join("history.csv"));
    assert_eq!(history.column("kind").iter().filter(|k| *k == "analysis").count(), 3);
    let again = tempfile::tempdir().unwrap();
    run_in(again.path(), [std::ffi::OsStr::new("replay"), report.join("session.myo").as_os_str()]).done();
    let mut n = 0;
    for entry in std::fs::read_dir(again.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        if name != "replay.csv" {
            assert!(std::fs::read(&path).unwrap() == std::fs::read(report.join(&name)).unwrap(), "{name:?} differs");
            n += 1;
        }
    }
    assert!(n > 20, "{n} files were written again");
    assert_eq!(Csv::read(&report.join("landmarks.csv")).rows.len(), residuals.rows.len());
    assert!(report.join("transform.json").exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is written");
}

#[test]
fn with_json_the_report_is_one_object() {
    let folder = tempfile::tempdir().unwrap();
    let report = run_in(folder.path(), ["--json", "--quiet"]).json();
    assert!(report["out"].as_str().unwrap().ends_with("myoscope-report"));
    assert!(report["files"].as_array().unwrap().len() >= 7 && report["n_pairs"].as_u64().unwrap() >= 5);
    assert!(report["rms_mm"].as_f64().unwrap() < 2.0 && report["leave_one_out_median_mm"].is_number());
}

#[test]
fn given_files_are_used_and_nothing_openable_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = demo().join("lge.nii.gz");
    let ran = run_in(folder.path(), [path.as_os_str()]).done();
    assert!(ran.out.contains("short-axis.png") && !ran.out.contains("overlay.png"), "{}", ran.out);
    let empty = tempfile::tempdir().unwrap();
    std::fs::write(empty.path().join("words.txt"), "words").unwrap();
    run_in(empty.path(), ["words.txt"]).is_error("words.txt");
    assert!(!empty.path().join("myoscope-report").exists());
    run_in(empty.path(), ["nowhere"]).is_error("nowhere");
}
