//! `fuse cca` and `guard` by the binary alone: files, columns, exit statuses, refusals, same bytes on any
//! number of threads. Tables are made by code.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The generator of `golden/lcg.py`.
struct Lcg(u64);

impl Lcg {
    fn u(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12_345) % (1 << 31);
        self.0 as f64 / (1u64 << 31) as f64
    }

    fn n(&mut self) -> f64 {
        (0..12).map(|_| self.u()).sum::<f64>() - 6.0
    }
}

fn myoscope(folder: &Path, words: &str) -> Output {
    let binary = env!("CARGO_BIN_EXE_myoscope");
    Command::new(binary).args(words.split_whitespace()).current_dir(folder).output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().count(), 1, "one JSON object: {text} {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

fn write_table(path: &Path, prefix: &str, rows: &[Vec<f64>], skip: usize) {
    let mut text = String::from("id");
    (0..rows[0].len()).for_each(|j| write!(text, ",{prefix}{j}").unwrap());
    for (i, row) in rows.iter().enumerate().skip(skip) {
        write!(text, "\ns{i}").unwrap();
        row.iter().for_each(|v| write!(text, ",{v}").unwrap());
    }
    fs::write(path, text + "\n").unwrap();
}

/// Two views with one shared factor of a strength.
fn pair(folder: &Path, n: usize, [p, q]: [usize; 2], strength: f64, seed: u64) {
    let mut g = Lcg(seed);
    let shared: Vec<f64> = (0..n).map(|_| g.n()).collect();
    for (name, width) in [("x", p), ("y", q)] {
        let load: Vec<f64> = (0..width).map(|_| g.n()).collect();
        let rows: Vec<Vec<f64>> = (0..n).map(|i| (0..width).map(|j| strength * shared[i] * load[j] + g.n()).collect()).collect();
        write_table(&folder.join(format!("{name}.csv")), name, &rows, 0);
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

#[test]
fn golden_correlations_files_and_threads() {
    let golden: Value = serde_json::from_str(include_str!("golden/stats.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in [("x", "cca_X"), ("y", "cca_Y")] {
        let rows: Vec<Vec<f64>> = golden[key].as_array().unwrap().iter().map(numbers).collect();
        write_table(&folder.path().join(format!("{name}.csv")), name, &rows, 0);
    }
    let run = |more: &str| {
        let words = format!("fuse cca --view x=x.csv --view y=y.csv --factors 4 {more}");
        let output = myoscope(folder.path(), &words);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        output
    };
    let plain = json(&run("--out plain --json --permutations 199 --folds 5"));
    let ridge = json(&run("--out ridge --json --ridge 0.1"));
    for (report, key) in [(&plain, "cca_rho"), (&ridge, "rcca_rho_0.1")] {
        for (got, want) in numbers(&report["objective"]).iter().zip(numbers(&golden[key])) {
            assert!((got - want).abs() < 1e-9, "{key}: {got} {want}");
        }
    }
    for (got, want) in numbers(&plain["train"]["correlation"]).iter().zip(numbers(&golden["cca_rho"])) {
        assert!((got - want).abs() < 1e-9);
    }
    for key in ["settings", "n", "missing", "objective", "train", "held_out", "permutation", "findings", "sentence"] {
        assert!(!plain[key].is_null(), "{key}");
    }
    let p = numbers(&plain["permutation"]["p"]);
    assert!(p[0] == 0.005 && p.windows(2).all(|w| w[0] <= w[1]), "{p:?}");
    let head =
        |name: &str| fs::read_to_string(folder.path().join("plain").join(name)).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(head("factors.csv"), "id,factor1,factor2,factor3,factor4");
    assert_eq!(head("weights_x.csv"), "feature,factor1,factor2,factor3,factor4");
    assert_eq!(head("scores_y.csv"), "id,factor1,factor2,factor3,factor4");
    assert_eq!(head("variance_explained.csv"), "view,factor,r2");
    run("--out one --threads 1 --permutations 199 --folds 5");
    run("--out two --threads 2 --permutations 199 --folds 5");
    for file in ["factors.csv", "weights_x.csv", "weights_y.csv", "scores_x.csv", "variance_explained.csv", "report.json"] {
        let bytes = |of: &str| fs::read(folder.path().join(of).join(file)).unwrap();
        assert_eq!(bytes("one"), bytes("two"), "{file}");
    }
}

#[test]
fn planted_comes_back_noise_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let words = "fuse cca --view x=x.csv --view y=y.csv --folds 5 --permutations 499 --ridge 0.2 --out o --json";
    pair(folder.path(), 90, [8, 8], 1.2, 5);
    let planted = json(&myoscope(folder.path(), words));
    assert!(planted["sentence"].as_str().unwrap().starts_with("Pair 1 holds"), "{planted}");
    assert!(planted["held_out"]["correlation"][0].as_f64().unwrap() > 0.7);
    pair(folder.path(), 30, [14, 14], 0.0, 6);
    let noise = json(&myoscope(folder.path(), &words.replace("--ridge 0.2", "")));
    assert!(noise["train"]["correlation"][0].as_f64().unwrap() > 0.97, "{noise}");
    assert!(noise["sentence"].as_str().unwrap().starts_with("No claim"));
    assert!(noise["findings"].as_array().unwrap().iter().any(|f| f["code"] == "few-samples"));
}

#[test]
fn refusals_and_usage() {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path(), 24, [3, 3], 1.0, 7);
    let mut cov = String::from("id,patient,x_mm,y_mm\n");
    (0..24).for_each(|i| writeln!(cov, "s{i},p{},{},{}", i / 4, i % 5, i / 5).unwrap());
    fs::write(folder.path().join("c.csv"), &cov).unwrap();
    let status = |words: &str| myoscope(folder.path(), words).status.code();
    let base = "fuse cca --view x=x.csv --view y=y.csv --out o";
    let refused = myoscope(folder.path(), &format!("{base} --covariates c.csv --folds 4"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--group patient"));
    assert!(!folder.path().join("o").exists(), "a refused run writes nothing");
    let grouped =
        json(&myoscope(folder.path(), &format!("{base} --covariates c.csv --group patient --folds leave-one-out --json")));
    assert_eq!(grouped["held_out"]["folds"].as_array().unwrap().len(), 6);
    let blocks = format!("{base} --covariates c.csv --group patient --folds 3 --block-mm 1.5 --surrogates 19");
    assert_eq!(status(&blocks), Some(0));
    fs::write(folder.path().join("c.csv"), cov.replace("patient", "color")).unwrap();
    let spatial = myoscope(folder.path(), &format!("{base} --covariates c.csv --folds 4"));
    assert_eq!(spatial.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&spatial.stderr).contains("--block-mm"));
    let other = myoscope(folder.path(), "fuse mofa --view x=x.csv --view y=y.csv --out o");
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("cca"));
    assert_eq!(status("fuse cca --view x=x.csv --out o"), Some(2));
    assert_eq!(status(&format!("{base} --ridge 2")), Some(2));
    assert_eq!(status(&format!("{base} --folds 99")), Some(2));
    assert_eq!(status(&base.replace("y.csv", "gone.csv")), Some(2));
    pair(folder.path(), 20, [14, 14], 0.0, 8);
    assert_eq!(status(base), Some(1), "28 features of 20 samples fit perfectly");
}

#[test]
fn guards_of_a_design() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id,patient,fold,batch,phenotype,crossed,group_fold\n");
    for i in 0..40 {
        writeln!(text, "s{i},p{},{},b{},{},{},{}", i / 5, i % 5, i / 20, if i < 20 { "case" } else { "control" }, i % 2, i / 10)
            .unwrap();
    }
    fs::write(folder.path().join("d.csv"), text).unwrap();
    let all = myoscope(folder.path(), "guard --design d.csv --features 30 --features 10 --json");
    assert_eq!(all.status.code(), Some(1));
    let report = json(&all);
    let codes: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["group-leakage", "batch-aliased", "few-samples"]);
    assert_eq!(report["findings"][1]["evidence"]["rank"], 2.0);
    assert_eq!(report["findings"][2]["evidence"]["n"], 8.0, "patients, not samples");
    let good = "guard --design d.csv --folds-column group_fold --group patient --batch batch --phenotype crossed --json";
    let good = myoscope(folder.path(), good);
    assert_eq!(good.status.code(), Some(0), "{}", String::from_utf8_lossy(&good.stdout));
    assert_eq!(json(&good)["findings"].as_array().unwrap().len(), 0);
    assert_eq!(myoscope(folder.path(), "guard --design d.csv --batch nothing --json").status.code(), Some(2));
    assert_eq!(myoscope(folder.path(), "guard").status.code(), Some(2));
}
