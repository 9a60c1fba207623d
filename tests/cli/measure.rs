//! `measure ventricles` and `measure segments` against the truth of the demo and small labels made here.

use crate::run::{Csv, demo, files, joined, measures, numbers, run, run_in, truth};
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Reading, read_labels, write_nifti_labels};
use myoscope::model::LabelMap;
use std::path::Path;

fn load(path: &Path) -> LabelMap {
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    read_labels(path, &mut reading).unwrap()
}

fn table(ran: crate::run::Ran, path: &Path) -> Csv {
    ran.done();
    Csv::read(path)
}

fn key(region: &str, phase: &str, metric: &str) -> (String, String, String) {
    (region.into(), phase.into(), metric.into())
}

#[test]
fn volumes_of_a_cine_are_the_true_ones() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("v.csv");
    for seed in [3, 21, 22] {
        let own = tempfile::tempdir().unwrap();
        let case = if seed == 3 { demo() } else { own.path() };
        if seed != 3 {
            run(&format!("demo --seed {seed} --quiet --out {{}}"), &[case]).done();
        }
        let labels = case.join("cine-labels.nii.gz");
        let csv = table(run("measure ventricles --labels {} --out {}", &[&labels, &out]), &out);
        let found = measures(&csv);
        let volumes = Csv::read(&case.join("truth/volumes.csv"));
        let of = |column: &str| volumes.numbers(column).into_iter().flatten().collect::<Vec<f64>>();
        let (lv, myo) = (of("lv_rasterized_ml"), of("myo_rasterized_ml"));
        let (large, small) = (lv.iter().copied().fold(0.0, f64::max), lv.iter().copied().fold(f64::INFINITY, f64::min));
        let ed = lv.iter().position(|v| *v == large).unwrap();
        for (k, want) in [
            (key("lv", "ED", "volume"), large),
            (key("lv", "ES", "volume"), small),
            (key("lv", "", "stroke_volume"), large - small),
            (key("lv", "", "ejection_fraction"), 100.0 * (large - small) / large),
            (key("myo", "ED", "volume"), myo[ed]),
            (key("myo", "ED", "mass"), 1.05 * myo[ed]),
        ] {
            let got = found[&k];
            assert!((got / want - 1.0).abs() < 0.01, "seed {seed} {k:?}: {got} instead of {want}");
            // Voxels are counted exactly; the file keeps the size of one in single precision.
            assert!((got / want - 1.0).abs() < 1e-6, "seed {seed} {k:?}: {got} instead of {want}");
        }
        let analytic = of("lv_analytic_ml")[ed];
        println!("seed {seed}: {large:.2} mL counted, {analytic:.2} mL of the shape");
        assert!(csv.column("method").iter().all(|m| !m.is_empty()) && csv.column("subject").iter().all(|s| s.len() == 8));
    }
}

#[test]
fn patient_facts_index_the_values() {
    let folder = tempfile::tempdir().unwrap();
    let (out, labels) = (folder.path().join("v.csv"), demo().join("cine-labels.nii.gz"));
    let line = "measure ventricles --labels {} --heart-rate 70 --height-cm 180 --weight-kg 80 --subject P1 --out {}";
    let csv = table(run(line, &[&labels, &out]), &out);
    let found = measures(&csv);
    let surface = (180.0_f64 * 80.0 / 3600.0).sqrt();
    let value = |region: &str, phase: &str, metric: &str| found[&key(region, phase, metric)];
    let stroke = value("lv", "", "stroke_volume");
    assert!((value("lv", "", "cardiac_output") - stroke * 0.07).abs() < 1e-9);
    for (region, phase, metric, index) in [
        ("lv", "ED", "volume", "volume_index"),
        ("lv", "ES", "volume", "volume_index"),
        ("rv", "ED", "volume", "volume_index"),
        ("lv", "", "stroke_volume", "stroke_volume_index"),
        ("lv", "", "cardiac_output", "cardiac_index"),
        ("myo", "ED", "mass", "mass_index"),
    ] {
        assert!((value(region, phase, index) - value(region, phase, metric) / surface).abs() < 1e-9, "{metric}");
    }
    assert!(csv.column("subject").iter().all(|s| s == "P1"));
    let units: std::collections::BTreeSet<String> = csv.column("unit").into_iter().collect();
    let expected = ["%", "L/min", "L/min/m2", "g", "g/m2", "mL", "mL/m2"];
    assert_eq!(units.into_iter().collect::<Vec<_>>(), expected);
    for (options, part) in [
        ("--heart-rate 0", "heart rate"),
        ("--heart-rate fast", "fast"),
        ("--height-cm 180", "--weight-kg"),
        ("--height-cm 0 --weight-kg 80", "height"),
        ("--label lv=0", "--label lv=0"),
        ("--label lv=2", "differ"),
        ("--label lung=3", "lung"),
        ("--label lv=9", "label 9"),
        ("--label lv=9 --label myo=9", "differ"),
    ] {
        run(&format!("measure ventricles --labels {{}} {options}"), &[&labels]).is_error(part);
    }
}

#[test]
fn two_files_are_one_cine_and_the_right_heart_may_have_its_own_phases() {
    let folder = tempfile::tempdir().unwrap();
    let cine = load(&demo().join("cine-labels.nii.gz"));
    let write = |name: &str, phases: &[usize], shift: usize| {
        let phases = phases.iter().map(|&p| {
            let voxels: Vec<u8> = (0..cine.grid.n_voxels())
                .map(|i| {
                    // The right ventricle of another phase under the left of this one.
                    let (own, other) = (cine.phases[p][i], cine.phases[(p + shift) % cine.n_phases()][i]);
                    if own == 1 || other == 1 { u8::from(other == 1 && own != 2 && own != 3) } else { own }
                })
                .collect();
            voxels.into()
        });
        let path = folder.path().join(name);
        write_nifti_labels(&path, &LabelMap::new("l", cine.grid, phases.collect()).unwrap()).unwrap();
        path
    };
    let counts: Vec<usize> = (0..cine.n_phases()).map(|p| cine.count(p, 3)).collect();
    let ed = (0..counts.len()).max_by_key(|&p| (counts[p], usize::MAX - p)).unwrap();
    let es = (0..counts.len()).min_by_key(|&p| (counts[p], p)).unwrap();
    let (a, b) = (write("ed_gt.nii.gz", &[ed], 0), write("es_gt.nii", &[es], 0));
    let two = run("measure ventricles --labels {} --labels-es {} --json", &[&a, &b]).json();
    let one = run("measure ventricles --labels {} --json", &[&demo().join("cine-labels.nii.gz")]).json();
    let values = |report: &serde_json::Value| {
        let rows = report["measures"].as_array().unwrap();
        rows.iter()
            .map(|r| (format!("{} {} {}", r["region"], r["phase"], r["metric"]), r["value"].as_f64().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&one), values(&two));
    let late = write("late_gt.nii.gz", &(0..cine.n_phases()).collect::<Vec<_>>(), 6);
    let right = |options: &str| {
        let report = run(&format!("measure ventricles --labels {{}} --json {options}"), &[&late]).json();
        let rows = report["measures"].as_array().unwrap().clone();
        rows.iter().find(|r| r["region"] == "rv" && r["metric"] == "stroke_volume").unwrap()["value"].as_f64().unwrap()
    };
    assert!(right("--rv-own-phases") > right("") + 1.0, "own phases have the largest stroke");
    run("measure ventricles --labels {} --labels-es {}", &[&late, &b]).is_error("one phase");
}

#[test]
fn labels_may_be_numbered_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other_gt.nii.gz");
    let own = load(&demo().join("lge-labels.nii.gz"));
    // As in other collections: 1 left cavity, 2 myocardium, 3 right cavity.
    let voxels: Vec<u8> = own.phases[0].iter().map(|v| [0, 3, 2, 1][usize::from(*v)]).collect();
    write_nifti_labels(&path, &LabelMap::new("l", own.grid, vec![voxels.into()]).unwrap()).unwrap();
    for what in ["ventricles", "segments"] {
        let values = |options: &str, path: &Path| {
            let report = run(&format!("measure {what} --labels {{}} --json {options}"), &[path]).json();
            report["measures"].as_array().unwrap().iter().map(|r| r["value"].as_f64().unwrap()).collect::<Vec<_>>()
        };
        let numbered = values("--label lv=1 --label rv=3 --label myo=2", &path);
        assert_eq!(numbered, values("", &demo().join("lge-labels.nii.gz")), "{what}");
    }
}

#[test]
fn labels_without_a_unit_give_no_milliliters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no_unit_gt.nii");
    let labels = load(&demo().join("lge-labels.nii.gz"));
    write_nifti_labels(&path, &labels).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[123] = 0;
    std::fs::write(&path, bytes).unwrap();
    run("measure ventricles --labels {}", &[&path]).is_error("unit-unknown");
    run("measure segments --labels {}", &[&path]).is_error("unit-unknown");
    let notes = run("inspect --json {}", &[&path]).json();
    assert!(notes["notes"].as_array().unwrap().iter().any(|n| n["code"] == "unit-unknown"));
}

#[test]
fn segments_are_right_for_99_percent_of_the_voxels_from_planted_insertions() {
    for seed in [3, 31, 32, 33] {
        let own = tempfile::tempdir().unwrap();
        let case = if seed == 3 { demo() } else { own.path() };
        if seed != 3 {
            run(&format!("demo --seed {seed} --quiet --out {{}}"), &[case]).done();
        }
        let facts: serde_json::Value = serde_json::from_slice(&std::fs::read(case.join("truth/truth.json")).unwrap()).unwrap();
        let insertions: Vec<String> =
            facts["insertions_lps_mm"].as_array().unwrap().iter().map(|p| joined(&numbers(p))).collect();
        let [apex, base] = ["apex_lps_mm", "base_lps_mm"].map(|k| joined(&numbers(&facts[k])));
        let (labels, out) = (case.join("cine-labels.nii.gz"), own.path().join("seg.nii.gz"));
        let line = format!(
            "measure segments --labels {{}} --out-labels {{}} --insertions {} --apex {apex} --base {base} --levels continuous --json",
            insertions.join("/")
        );
        let report = run(&line, &[&labels, &out]).json();
        assert!(report["findings"].as_array().unwrap().iter().all(|f| f["code"] != "mirrored-labels"));
        let (got, want) = (load(&out), load(&case.join("truth/segments.nii.gz")));
        assert!(got.grid.same_place(&want.grid, 1e-3));
        let wall: Vec<usize> = (0..want.phases[0].len()).filter(|&i| want.phases[0][i] > 0).collect();
        let right = wall.iter().filter(|&&i| got.phases[0][i] == want.phases[0][i]).count();
        let share = right as f64 / wall.len() as f64;
        println!("seed {seed}: {right} of {} voxels ({:.3} %)", wall.len(), 100.0 * share);
        assert!(share > 0.99, "seed {seed}: {share}");
    }
}

#[test]
fn segment_tables_have_their_rows_and_spaces_agree() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (labels, image) = (demo().join("cine-labels.nii.gz"), demo().join("cine.nii.gz"));
    let line = "measure segments --labels {} --image {} --subject S --out {} --out-labels {}";
    let csv = table(run(line, &[&labels, &image, &at("s.csv"), &at("seg.nii")]), &at("s.csv"));
    assert_eq!(csv.header, ["subject", "region", "phase", "metric", "value", "unit", "method"]);
    let regions = csv.column("region");
    for segment in 1..=17 {
        for metric in ["n_voxels", "volume"] {
            let n = (0..regions.len()).filter(|&i| regions[i] == segment.to_string() && csv.rows[i][3] == metric).count();
            assert_eq!(n, 1, "{metric} of {segment}");
        }
    }
    for (metric, unit) in [("volume", "mL"), ("wall_thickness_mean", "mm"), ("wall_thickness_max", "mm"), ("n_voxels", "1")] {
        assert!(csv.rows.iter().filter(|r| r[3] == metric).all(|r| r[5] == unit) && csv.rows.iter().any(|r| r[3] == metric));
    }
    assert!(csv.rows.iter().any(|r| r[3] == "intensity_mean" && r[4].parse::<f64>().unwrap() > 0.0));
    assert!(csv.rows.iter().all(|r| r[6].contains("anchor anterior") && r[6].contains("thirds")));
    let segments = load(&at("seg.nii"));
    for (i, row) in csv.rows.iter().enumerate().filter(|(_, r)| r[3] == "n_voxels") {
        let value: u8 = regions[i].parse().unwrap();
        assert_eq!(row[4].parse::<usize>().unwrap(), segments.count(0, value));
    }

    let facts = truth();
    let points: Vec<Vec<f64>> = facts["insertions_lps_mm"].as_array().unwrap().iter().map(numbers).collect();
    let grid = load(&labels).grid;
    let pair = |f: &dyn Fn(&[f64]) -> Vec<f64>| format!("{}/{}", joined(&f(&points[0])), joined(&f(&points[1])));
    let to_voxel = |p: &[f64]| grid.voxel_from_lps().transform_point3([p[0], p[1], p[2]].into()).to_array().to_vec();
    let answers: Vec<String> =
        [("lps", pair(&|p| p.to_vec())), ("ras", pair(&|p| vec![-p[0], -p[1], p[2]])), ("voxel", pair(&to_voxel))]
            .iter()
            .map(|(space, points)| {
                let line = format!("measure segments --labels {{}} --insertions {points} --space {space} --out {{}}");
                run(&line, &[&labels, &at("p.csv")]).done();
                std::fs::read_to_string(at("p.csv")).unwrap()
            })
            .collect();
    assert!(answers[0] == answers[1] && answers[0].lines().zip(answers[2].lines()).filter(|(a, b)| a != b).count() <= 1);
    for (options, part) in [
        ("--insertions 1,2,3", "x,y,z/x,y,z"),
        ("--insertions 1,2/3,4,5", "x,y,z"),
        ("--apex 1,2,3", "--base"),
        ("--anchor posterior", "posterior"),
        ("--levels halves", "halves"),
        ("--space mni", "mni"),
        ("--phase 25", "--phase 25"),
        ("--label rv=77", "insertion"),
        ("--label myo=77", "myocardium"),
    ] {
        run(&format!("measure segments --labels {{}} {options}"), &[&labels]).is_error(part);
    }
    let before = files(folder.path());
    run_in(folder.path(), ["measure", "segments", "--labels", "seg.nii", "--out", "seg2.csv"]).is_error("label");
    assert!(files(folder.path()) == before);
}

#[test]
fn anchors_are_named_and_differ_only_where_they_should() {
    let labels = demo().join("cine-labels.nii.gz");
    let facts = truth();
    let insertions: Vec<String> = facts["insertions_lps_mm"].as_array().unwrap().iter().map(|p| joined(&numbers(p))).collect();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a.csv");
    let mut counts = Vec::new();
    for anchor in ["anterior", "mid-septum", "both"] {
        let line = format!("measure segments --labels {{}} --out {{}} --anchor {anchor} --insertions {}", insertions.join("/"));
        let csv = table(run(&line, &[&labels, &out]), &out);
        assert!(csv.column("method").iter().all(|m| m.contains(&format!("anchor {anchor}"))));
        let n: Vec<f64> = csv.rows.iter().filter(|r| r[3] == "n_voxels").map(|r| r[4].parse().unwrap()).collect();
        counts.push(n);
    }
    assert_ne!(counts[0], counts[2]);
    let total = |n: &Vec<f64>| n.iter().sum::<f64>();
    assert!(counts.iter().all(|n| total(n) == total(&counts[0])), "anchors only turn the sectors");
}

#[test]
fn exchanged_insertions_are_called_mirrored() {
    let labels = demo().join("cine-labels.nii.gz");
    let facts = truth();
    let points: Vec<String> = facts["insertions_lps_mm"].as_array().unwrap().iter().map(|p| joined(&numbers(p))).collect();
    let codes = |insertions: String| {
        let report = run(&format!("measure segments --labels {{}} --json --insertions {insertions}"), &[&labels]).json();
        report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!codes(points.join("/")).contains(&"mirrored-labels".to_owned()));
    assert!(codes(format!("{}/{}", points[1], points[0])).contains(&"mirrored-labels".to_owned()));
}
