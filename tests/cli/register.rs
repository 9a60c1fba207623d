//! `register landmarks` and `warp points` by known maps.

use crate::run::{Csv, Ran, demo, numbers, run, run_in};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

const MODELS: [&str; 8] = ["translation", "rigid", "similarity", "affine", "tps", "mls-rigid", "mls-similarity", "mls-affine"];

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, line: &str) -> Ran {
        run_in(self.0.path(), line.split_whitespace())
    }

    fn csv(&self, name: &str) -> Csv {
        Csv::read(&self.0.path().join(name))
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.0.path().join(name)).unwrap()).unwrap()
    }
}

/// A shift in the plane: every model repeats it.
fn shift_pairs(n: usize) -> String {
    let mut text = "name,moving_x,moving_y,fixed_x,fixed_y\n".to_owned();
    for (i, (x, y)) in
        [(0.0, 0.0), (4000.0, 250.0), (1000.0, 3000.0), (2500.0, 1500.0), (700.0, 900.0)].iter().take(n).enumerate()
    {
        writeln!(text, "p{i},{x},{y},{},{}", x + 50.0, y - 20.0).unwrap();
    }
    text
}

/// Pairs in space by x ↦ turn a quarter about z, half as large again, shift; moving in µm, fixed LPS mm.
fn space_pairs(n: usize) -> String {
    let cloud = [(0.0, 0.0, 0.0), (9.0, 1.0, 2.0), (3.0, 8.0, -4.0), (-5.0, 2.0, 6.0), (1.0, 1.0, 9.0), (6.0, -6.0, 3.0)];
    let mut text = "name,moving_x,moving_y,moving_z,fixed_x,fixed_y,fixed_z\n".to_owned();
    for (i, &(x, y, z)) in cloud.iter().take(n).enumerate() {
        let [u, v, w] = turned([x, y, z]);
        writeln!(text, "p{i},{},{},{},{u},{v},{w}", x * 1e3, y * 1e3, z * 1e3).unwrap();
    }
    text
}

fn turned([x, y, z]: [f64; 3]) -> [f64; 3] {
    [10.0 - 1.5 * y, -20.0 + 1.5 * x, 30.0 + 1.5 * z]
}

#[test]
fn the_report_has_the_keys_it_promises() {
    let bench = Bench::new();
    bench.write("p.csv", &shift_pairs(5));
    let report = bench.run("register landmarks --pairs p.csv --model similarity --json --out t.json").json();
    for key in [
        "model",
        "n_pairs",
        "fixed_from_moving",
        "rms",
        "residuals",
        "leave_one_out",
        "leave_one_out_median",
        "mirrored",
        "swapped_pairs",
        "folds",
        "units",
    ] {
        assert!(report.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(
        (report["model"].as_str(), report["n_pairs"].as_u64(), report["units"].as_str()),
        (Some("similarity"), Some(5), Some("um"))
    );
    assert_eq!((report["folds"].as_u64(), report["mirrored"]["suspected"].as_bool()), (Some(0), Some(false)));
    assert!(report["mirrored"]["rms_proper"].is_number() && report["mirrored"]["rms_reflected"].is_number());
    assert!(report["swapped_pairs"].as_array().unwrap().is_empty());
    let matrix: Vec<Vec<f64>> = report["fixed_from_moving"].as_array().unwrap().iter().map(numbers).collect();
    for (row, want) in matrix.iter().zip([[1.0, 0.0, 50.0], [0.0, 1.0, -20.0], [0.0, 0.0, 1.0]]) {
        assert!(row.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-9), "{row:?}");
    }
    for list in ["residuals", "leave_one_out"] {
        let list = report[list].as_array().unwrap();
        assert_eq!(list.len(), 5);
        assert!(list.iter().enumerate().all(|(i, e)| e["name"] == format!("p{i}") && e["error"].as_f64().unwrap() < 1e-9));
    }
    let file = bench.json("t.json");
    assert_eq!((&file["model"], &file["units"]), (&"similarity".into(), &"um".into()));
    assert_eq!(file["fixed_from_moving"], report["fixed_from_moving"]);
}

#[test]
fn too_few_and_collinear_pairs_are_refused_and_half_placed_ones_left_out() {
    let bench = Bench::new();
    for (model, needed) in MODELS.iter().zip([1, 2, 2, 3, 3, 3, 3, 3]) {
        let more = "half,7,,8,9\nother half,,,1,2\n";
        bench.write("few.csv", &(shift_pairs(needed - 1) + more));
        bench
            .run(&format!("register landmarks --pairs few.csv --model {model} --out t.json"))
            .is_error(&format!("needs {needed}"));
        bench.write("enough.csv", &(shift_pairs(needed) + more));
        let report = bench.run(&format!("register landmarks --pairs enough.csv --model {model} --json")).json();
        assert_eq!(report["n_pairs"].as_u64(), Some(needed as u64), "{model}");
        bench.write("line.csv", "name,moving_x,moving_y,fixed_x,fixed_y\na,0,0,0,0\nb,1,1,2,0\nc,2,2,4,0\nd,5,5,10,0\n");
        let line = bench.run(&format!("register landmarks --pairs line.csv --model {model} --json"));
        if matches!(*model, "affine" | "tps" | "mls-affine") {
            line.is_error("line");
        } else {
            line.json();
        }
    }
    bench.write("off.csv", "name,moving_x,moving_y,fixed_x,fixed_y,active\na,0,0,5,5,1\nb,10,0,15,5,0\nc,0,10,5,15,1\n");
    assert_eq!(bench.run("register landmarks --pairs off.csv --model rigid --json").json()["n_pairs"], 2);
    assert!(!bench.0.path().join("t.json").exists());
    bench.write("words.csv", "name,moving_x,moving_y,fixed_x,fixed_y\na,0,zero,5,5\n");
    bench.run("register landmarks --pairs words.csv --model translation").is_error("row 1 of column moving_y");
}

#[test]
fn units_move_only_what_they_name() {
    let bench = Bench::new();
    let fixed = |x: f64, y: f64| format!("{},{},42", 3.0 + 1.2 * x, -8.0 + 1.2 * y);
    let places = [(0.0, 0.0), (9.0, 1.0), (2.0, 7.0), (5.0, 5.0)];
    for (unit, k) in [("um", 1e3), ("mm", 1.0), ("px", 4.0)] {
        let mut text = "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z\n".to_owned();
        places.iter().for_each(|&(x, y)| writeln!(text, "a{x},{},{},{}", x * k, y * k, fixed(x, y)).unwrap());
        bench.write("p.csv", &text);
        let report =
            bench.run(&format!("register landmarks --pairs p.csv --model similarity --units {unit} --json --out t.json")).json();
        assert_eq!(report["units"], "mm", "errors are of the patient");
        assert!(report["rms"].as_f64().unwrap() < 1e-9);
        assert_eq!(bench.json("t.json")["units"], unit);
        bench.write("x.csv", &format!("id,x,y\nq,{},{}\nnone,,\n", 4.0 * k, 3.0 * k));
        bench.run("warp points --transform t.json --in x.csv --out y.csv").done();
        let warped = bench.csv("y.csv");
        assert_eq!(warped.header, ["id", "x", "y", "z"]);
        assert_eq!(warped.rows[1], ["none", "", "", ""], "a missing point stays missing");
        let at = ["x", "y", "z"].map(|c| warped.numbers(c)[0].unwrap());
        assert!(at.iter().zip([7.8, -4.4, 42.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{at:?}");
        bench.run("warp points --transform t.json --in y.csv --out back.csv --inverse").done();
        let back = bench.csv("back.csv");
        assert_eq!(back.header, ["id", "x", "y"]);
        assert!((back.numbers("x")[0].unwrap() - 4.0 * k).abs() < 1e-9 * k);
        let ras = bench.run("warp points --transform t.json --in x.csv --out ras.csv --space ras");
        assert_eq!(ras.status, 0, "{}", ras.err);
        assert!((bench.csv("ras.csv").numbers("x")[0].unwrap() + 7.8).abs() < 1e-9);
        bench.run("warp points --transform t.json --in ras.csv --out back.csv --inverse --space ras").done();
        assert!((bench.csv("back.csv").numbers("y")[0].unwrap() - 3.0 * k).abs() < 1e-9 * k);
    }
    bench.write("mm.csv", "id,x,y\nq,0.4,0.3\n");
    bench.run("warp points --transform t.json --in mm.csv --out y.csv --units mm").is_error("pixel");
}

#[test]
fn every_model_in_space_repeats_its_map_and_warps_there_and_back() {
    let bench = Bench::new();
    bench.write("p.csv", &space_pairs(6));
    bench.write("x.csv", "id,x,y,z,note\nq,2000,3000,1000,kept\nr,-4000,7000,500,too\n");
    for model in ["similarity", "affine", "tps", "mls-similarity", "mls-affine"] {
        let report = bench.run(&format!("register landmarks --pairs p.csv --model {model} --json --out t.json")).json();
        assert!(report["rms"].as_f64().unwrap() < 1e-9, "{model}: {}", report["rms"]);
        assert!(report["leave_one_out_median"].as_f64().unwrap() < 1e-8, "{model}");
        assert_eq!((report["folds"].as_u64(), report["fixed_from_moving"].as_array().unwrap().len()), (Some(0), 4));
        bench.run("warp points --transform t.json --in x.csv --out y.csv").done();
        let warped = bench.csv("y.csv");
        assert_eq!(warped.header, ["id", "x", "y", "z", "note"]);
        let want = [turned([2.0, 3.0, 1.0]), turned([-4.0, 7.0, 0.5])];
        for (axis, name) in ["x", "y", "z"].iter().enumerate() {
            let got = warped.numbers(name);
            assert!(got.iter().zip(want).all(|(g, w)| (g.unwrap() - w[axis]).abs() < 1e-8), "{model} {name}: {got:?}");
        }
        bench.run("warp points --transform t.json --in y.csv --out back.csv --inverse").done();
        let back = bench.csv("back.csv");
        assert!((back.numbers("y")[1].unwrap() - 7000.0).abs() < 1e-4 && back.column("note") == ["kept", "too"]);
    }
    for (model, needed) in [("rigid", 3), ("similarity", 3), ("affine", 4), ("tps", 4), ("mls-rigid", 3), ("mls-affine", 4)] {
        bench.write("few.csv", &space_pairs(needed - 1));
        bench.run(&format!("register landmarks --pairs few.csv --model {model}")).is_error(&format!("needs {needed}"));
    }
    bench.run("warp points --transform t.json --in x.csv --out y.csv --space voxel").is_error("--volume");
}

#[test]
fn few_fixed_points_of_the_patient_get_a_plane_that_is_said_or_given() {
    let bench = Bench::new();
    let head = "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z\n";
    let code = |report: &Value| report["notes"].as_array().unwrap().iter().any(|n| n["code"] == "plane-assumed");
    bench.write("one.csv", &format!("{head}a,1000,2000,10,20,30\n"));
    let one = bench.run("register landmarks --pairs one.csv --model translation --json --out t.json").json();
    assert!(code(&one) && one["rms"].as_f64().unwrap() < 1e-9);
    bench.write("x.csv", "x,y\n2000,4000\n");
    bench.run("warp points --transform t.json --in x.csv --out y.csv").done();
    assert_eq!(
        bench.csv("y.csv").rows[0].iter().map(|c| c.parse::<f64>().unwrap().round()).collect::<Vec<_>>(),
        [11.0, 22.0, 30.0]
    );

    bench.write("two.csv", &format!("{head}a,0,0,10,20,30\nb,5000,0,15,20,30\n"));
    for model in ["translation", "rigid", "similarity"] {
        let two = bench.run(&format!("register landmarks --pairs two.csv --model {model} --json --out t.json")).json();
        assert!(code(&two) && two["rms"].as_f64().unwrap() < 1e-9, "{model}");
    }
    bench.run("warp points --transform t.json --in x.csv --out y.csv").done();
    assert_eq!(
        bench.csv("y.csv").rows[0].iter().map(|c| c.parse::<f64>().unwrap().round()).collect::<Vec<_>>(),
        [12.0, 24.0, 30.0]
    );
    bench.run("register landmarks --pairs two.csv --model affine").is_error("needs 3");

    let given = "register landmarks --pairs two.csv --model rigid --json --out t.json --origin 10,20,30 --u 1,0,0 --v 0,0,-1";
    let given = bench.run(given).json();
    assert!(!code(&given) && given["rms"].as_f64().unwrap() < 1e-9);
    bench.run("warp points --transform t.json --in x.csv --out y.csv").done();
    assert_eq!(
        bench.csv("y.csv").rows[0].iter().map(|c| c.parse::<f64>().unwrap().round()).collect::<Vec<_>>(),
        [12.0, 20.0, 26.0]
    );
    bench.run("register landmarks --pairs two.csv --model rigid --origin 1,2,3").is_error("--u");
    bench.run("register landmarks --pairs two.csv --model rigid --origin 1,2,3 --u 1,0,0 --v 2,0,0").is_error("plane");
    bench.run("register landmarks --pairs two.csv --model rigid --origin 1,2 --u 1,0,0 --v 0,1,0").is_error("x,y,z");
}

#[test]
fn tables_of_every_kind_go_in_and_out() {
    let bench = Bench::new();
    bench.write("p.csv", &shift_pairs(4));
    bench.write("p.tsv", &shift_pairs(4).replace(',', "\t"));
    bench.write("x.csv", "id,x,y\na,1,2\nb,3,4.5\n");
    let matrix = |pairs: &str| {
        bench.run(&format!("register landmarks --pairs {pairs} --model affine --json --out t.json")).json()["fixed_from_moving"]
            .clone()
    };
    assert_eq!(matrix("p.tsv"), matrix("p.csv"));
    for (from, to) in
        [("x.csv", "y.tsv"), ("y.tsv", "y.parquet"), ("y.parquet", "y.csv.gz"), ("y.csv.gz", "y.tsv.gz"), ("y.tsv.gz", "y.csv")]
    {
        bench.run(&format!("warp points --transform t.json --in {from} --out {to}")).done();
    }
    let five = bench.csv("y.csv");
    assert!((five.numbers("x")[1].unwrap() - 253.0).abs() < 1e-6 && (five.numbers("y")[1].unwrap() + 95.5).abs() < 1e-6);
    let start = std::fs::read(bench.0.path().join("y.parquet")).unwrap();
    assert!(start.starts_with(b"PAR1"));
}

#[test]
fn transforms_that_cannot_be_inverted_or_read_are_refused() {
    let bench = Bench::new();
    bench.write("x.csv", "x,y\n1,2\n");
    let flat = "{\"model\":\"affine\",\"units\":\"um\",\"fixed_from_moving\":[[1,0,0],[1,0,0],[0,0,1]]}";
    for (text, options, part) in [
        (flat, "--inverse", "no inverse"),
        ("{}", "", "model"),
        ("[1,2", "", "JSON"),
        (&flat.replace("affine", "magic"), "", "magic"),
        (&flat.replace("[0,0,1]", "[0,0.1,1]"), "", "perspective"),
    ] {
        bench.write("t.json", text);
        bench.run(&format!("warp points --transform t.json --in x.csv --out y.csv {options}")).is_error(part);
        assert!(!bench.0.path().join("y.csv").exists());
    }
    bench.write("t.json", flat);
    bench.write("x.csv", "a,b\n1,2\n");
    bench.run("warp points --transform t.json --in x.csv --out y.csv").is_error("no column x");
}

#[test]
fn mirrored_and_swapped_pairs_are_named() {
    let bench = Bench::new();
    let pairs = Csv::read(&demo().join("truth/landmarks.csv"));
    let edit = |mirror: f64, swap: bool| {
        let fixed = ["fixed_x", "fixed_y", "fixed_z"].map(|c| pairs.column(c));
        let mut text = "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z\n".to_owned();
        for (i, name) in pairs.column("name").iter().enumerate() {
            let j = if swap && i < 2 { 1 - i } else { i };
            let x = pairs.numbers("moving_x")[i].unwrap() * mirror;
            writeln!(text, "{name},{x},{},{},{},{}", pairs.column("moving_y")[i], fixed[0][j], fixed[1][j], fixed[2][j]).unwrap();
        }
        text
    };
    let report = |text: &str| {
        bench.write("p.csv", text);
        bench.run("register landmarks --pairs p.csv --model similarity --json").json()
    };
    let good = report(&edit(1.0, false));
    assert!(good["mirrored"]["suspected"] == false && good["swapped_pairs"].as_array().unwrap().is_empty());
    assert_eq!(report(&edit(-1.0, false))["mirrored"]["suspected"], true);
    let swapped = report(&edit(1.0, true));
    let names = pairs.column("name");
    assert_eq!(swapped["swapped_pairs"], serde_json::json!([[names[0], names[1]]]));
}

#[test]
fn the_full_landmark_list_returns_the_planted_chain_on_other_seeds() {
    for seed in [3, 11, 12] {
        let own;
        let folder: &Path = if seed == 3 {
            demo()
        } else {
            own = tempfile::tempdir().unwrap();
            run(&format!("demo --seed {seed} --quiet --out {{}}"), &[own.path()]).done();
            own.path()
        };
        let bench = Bench::new();
        let pairs = folder.join("truth/landmarks.csv");
        let t = bench.0.path().join("t.json");
        run("register landmarks --model tps --pairs {} --out {}", &[&pairs, &t]).done();
        let positions = Csv::read(&folder.join("visium/spatial/tissue_positions.csv"));
        let um = numbers_of_scale(folder);
        let mut text = "id,x,y\n".to_owned();
        let of = ["barcode", "pxl_col_in_fullres", "pxl_row_in_fullres"].map(|c| positions.column(c));
        for ((id, x), y) in of[0].iter().zip(&of[1]).zip(&of[2]) {
            writeln!(text, "{id},{},{}", x.parse::<f64>().unwrap() * um, y.parse::<f64>().unwrap() * um).unwrap();
        }
        bench.write("spots.csv", &text);
        bench.run("warp points --transform t.json --in spots.csv --out lps.csv").done();
        let (got, truth) = (bench.csv("lps.csv"), Csv::read(&folder.join("truth/spots.csv")));
        let place = |table: &Csv, names: [&str; 3]| {
            let axes = names.map(|n| table.numbers(n));
            let ids = table.column("id");
            (0..ids.len())
                .map(|i| (ids[i].clone(), axes.clone().map(|a| a[i].unwrap())))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let (got, truth) = (place(&got, ["x", "y", "z"]), place(&truth, ["x_mm", "y_mm", "z_mm"]));
        let miss = |id: &String, t: &[f64; 3]| got[id].iter().zip(t).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let worst = truth.iter().map(|(id, t)| miss(id, t)).fold(0.0, f64::max);
        println!("seed {seed}: {} spots, worst {worst:.2e} mm", truth.len());
        assert!(truth.len() > 500 && worst < 0.1, "seed {seed}: {worst} mm");
    }
}

/// µm per pixel as `inspect` says it.
fn numbers_of_scale(folder: &Path) -> f64 {
    run("inspect --json {}", &[&folder.join("visium")]).json()["items"][0]["um_per_px"].as_f64().unwrap()
}
