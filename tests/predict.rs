//! `predict` on the real binary: the built-in case, tables of patients, refusals, and the same bytes for any
//! number of threads.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Cancel, Error, Progress};
use myoscope::io::{Table, TableColumn, write_h5ad, write_png, write_visium};
use myoscope::model::{AnalysisResult, Column, Element, ElementId, Expression, Study};
use myoscope::phantom::{Case, make_case};
use myoscope::session::{PredictTask, Task};
use myoscope::stats::Stream;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};

fn case() -> &'static Case {
    static CASE: OnceLock<Case> = OnceLock::new();
    CASE.get_or_init(|| make_case(5, &Progress::none()).unwrap())
}

fn myoscope(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_myoscope")).args(arguments).current_dir(folder).output().unwrap()
}

/// Runs a command that must succeed; its JSON.
fn report(folder: &Path, arguments: &[&str]) -> Value {
    let out = myoscope(folder, &[arguments, &["--json"]].concat());
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "one object on standard output");
    serde_json::from_str(&text).unwrap()
}

fn refused(folder: &Path, arguments: &[&str], status: i32, part: &str) {
    let out = myoscope(folder, arguments);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(status), "{arguments:?}: {said}");
    assert!(said.contains(part), "{said}");
    assert!(!folder.join("bad.json").exists());
}

fn genes_of(class: &str, n: usize) -> Vec<String> {
    case().truth.gene_classes.iter().filter(|(_, c)| *c == class).map(|(g, _)| g.clone()).take(n).collect()
}

fn mean_of(report: &Value, genes: &[String], key: &str) -> f64 {
    let of = |g: &String| {
        let row = report["genes"].as_array().unwrap().iter().find(|r| r["gene"] == g.as_str()).unwrap();
        row[key].as_f64().unwrap()
    };
    genes.iter().map(of).sum::<f64>() / genes.len() as f64
}

#[test]
fn the_built_in_case_from_fit_to_evaluate() {
    let folder = tempfile::tempdir().unwrap();
    let (at, case) = (folder.path(), case());
    write_visium(&at.join("visium"), &case.section, &case.array).unwrap();
    let mut section = case.section.clone();
    let mut expression = Expression::clone(section.expression.as_ref().unwrap());
    let areas = expression.columns["capture_area"].clone();
    expression.columns.insert("slide".into(), areas);
    section.expression = Some(Arc::new(expression));
    write_h5ad(&at.join("observed.h5ad"), &section).unwrap();
    let (scar, noise) = (genes_of("scar", 12), genes_of("noise", 25));
    let list: Vec<String> = scar.iter().chain(&noise).cloned().collect();
    std::fs::write(at.join("genes.txt"), list.join("\n")).unwrap();

    let fit = ["predict", "fit", "--section", "visium", "--genes", "genes.txt", "--patch-um", "300", "--out", "m.json"];
    let told = report(at, &fit);
    assert!(mean_of(&told, &scar, "pearson") > 0.15, "{}", mean_of(&told, &scar, "pearson"));
    assert!(mean_of(&told, &noise, "pearson").abs() < 0.05, "{}", mean_of(&told, &noise, "pearson"));
    assert!(mean_of(&told, &scar, "r2") > 0.03 && mean_of(&told, &noise, "r2").abs() < 0.02);
    let coverage = mean_of(&told, &noise, "coverage_90");
    assert!((0.85..0.96).contains(&coverage), "{coverage}");
    let folds = told["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 5);
    for fold in folds {
        let names = |key: &str| fold[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>();
        assert!(names("test_groups").iter().all(|g| !names("train_groups").contains(g)) && !names("test_groups").is_empty());
    }
    assert!(told["sentence"].as_str().unwrap().contains("one patient"));
    assert!(told["findings"].as_array().unwrap().iter().any(|f| f["code"] == "coarse-picture"));

    let applied = report(at, &["predict", "apply", "--model", "m.json", "--section", "visium", "--out", "map.h5ad"]);
    assert_eq!(applied["n_locations"].as_u64().unwrap() as usize, case.array.len());
    report(at, &["predict", "evaluate", "--observed", "observed.h5ad", "--predicted", "map.h5ad", "--out", "e.csv"]);
    let table = Table::read(&at.join("e.csv"), &myoscope::base::Limits::default()).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["gene", "slide", "n", "pearson", "spearman", "variance_ratio", "moran_ratio", "coverage_90"]);
    let slides: std::collections::BTreeSet<_> = table.texts("slide").unwrap().into_iter().flatten().collect();
    assert_eq!(slides.into_iter().collect::<Vec<_>>(), ["border", "pooled", "remote", "scar", "septum"]);
    assert_eq!(table.n_rows(), 5 * list.len());

    // A picture alone, in the size of the section's, on a lattice; and far from anything known.
    let level = &case.section.picture.as_ref().unwrap().levels[0];
    write_png(&at.join("picture.png"), level.width, level.height, &level.rgba).unwrap();
    refused(at, &["predict", "apply", "--model", "m.json", "--image", "picture.png", "--out", "bad.json"], 2, "size of a pixel");
    let um = match case.section.pixel_size {
        myoscope::model::PixelSize::Known { um_per_px, .. } => um_per_px.to_string(),
        myoscope::model::PixelSize::Unknown => panic!("planted"),
    };
    let on_lattice = ["predict", "apply", "--model", "m.json", "--image", "picture.png", "--um-per-px", &um, "--step-um", "500"];
    let lattice = report(at, &[&on_lattice[..], &["--out", "lattice.h5ad"]].concat());
    assert!(lattice["n_locations"].as_u64().unwrap() > 500);
    assert!(lattice["n_in_domain"].as_f64().unwrap() > 0.8 * lattice["n_locations"].as_f64().unwrap());

    // The same bytes on one thread and two.
    for n in ["1", "2"] {
        let out = format!("t{n}.json");
        report(at, &["predict", "fit", "--section", "visium", "--n-genes", "5", "--threads", n, "--out", &out]);
        let map = format!("t{n}.h5ad");
        report(at, &["predict", "apply", "--model", &out, "--section", "visium", "--threads", n, "--out", &map]);
    }
    let read = |name: &str| std::fs::read(at.join(name)).unwrap();
    assert_eq!(read("t1.json"), read("t2.json"));
    assert_eq!(read("t1.h5ad"), read("t2.h5ad"));
    refused(at, &["predict", "fit", "--section", "visium", "--folds", "random", "--out", "bad.json"], 1, "random split");
    refused(at, &["predict", "fit", "--section", "visium", "--model", "pls", "--out", "bad.json"], 2, "ridge and hest");
    refused(at, &["predict", "fit", "--section", "observed.h5ad", "--group", "nobody", "--out", "bad.json"], 2, "has no nobody");
}

#[test]
fn the_task_of_the_window_gives_maps_on_one_scale() {
    let mut study = Study { next_id: 2, ..Study::default() };
    study.elements.insert(ElementId(1), Element::Section(Arc::new(case().section.clone())));
    let genes = [genes_of("scar", 3), genes_of("noise", 2)].concat();
    let settings = PredictTask { section: 1, genes: genes.clone(), patch_um: 300.0, ..PredictTask::default() };
    let task = Task::Predict(Box::new(settings));
    let analysis = task.run(&study, &Progress::none()).unwrap();
    assert_eq!(analysis.fields.len(), 15);
    let AnalysisResult::Prediction(result) = &analysis.result else { panic!("a prediction") };
    assert_eq!(result.genes.iter().map(|g| g.gene.clone()).collect::<Vec<_>>(), genes);
    let best = analysis.fields[0].name.strip_suffix(" predicted").unwrap();
    assert!(genes[..3].iter().any(|g| g == best), "{best} is painted first");
    let field = |what: &str| analysis.fields.iter().find(|f| f.name == format!("{best} {what}")).unwrap();
    assert_eq!(field("predicted").range, field("observed").range);
    assert!(field("residual").signed && field("residual").range.is_none());
    assert!(field("predicted").unit.contains("held-out r 0.") && field("predicted").unit.contains("position only"));
    let [p, o, r] = ["predicted", "observed", "residual"].map(|what| &field(what).values);
    let known: Vec<usize> = (0..p.len()).filter(|&i| p[i].is_finite()).collect();
    assert!(known.len() > 10_000 && known.iter().all(|&i| (o[i] - p[i] - r[i]).abs() < 1e-5));
    assert!(analysis.sentence.starts_with("Held out by blocks of"));

    // A job that was told to stop stops.
    let cancel = Cancel::default();
    cancel.cancel();
    assert!(matches!(task.run(&study, &Progress::new(cancel, |_, _| {})), Err(Error::Cancelled)));
}

/// 12 patients with 20 rows each; the first score follows the first feature within and across patients.
fn tables(folder: &Path) {
    let mut s = Stream::new(11, 4);
    let ids: Vec<String> = (0..240).map(|i| format!("r{i}")).collect();
    let offsets: Vec<f64> = (0..12).map(|_| s.normal()).collect();
    let x: Vec<Vec<f64>> =
        (0..3).map(|j| (0..240).map(|i| s.normal() + if j == 1 { offsets[i / 20] } else { 0.0 }).collect()).collect();
    let y: Vec<f64> = (0..240).map(|i| 2.0 * x[0][i] + s.normal()).collect();
    let fixed = vec![4.5; 240];
    let column = |name: &str, v: &[f64]| TableColumn::numbers(name, v.iter().map(|v| Some(*v)));
    let id = || TableColumn::text("id", ids.iter().cloned().map(Some));
    let features = Table::new(vec![id(), column("a", &x[0]), column("b", &x[1]), column("c", &x[2])]).unwrap();
    features.write(&folder.join("x.csv")).unwrap();
    Table::new(vec![id(), column("score", &y), column("fixed", &fixed)]).unwrap().write(&folder.join("y.csv")).unwrap();
    let patient = TableColumn::text("patient", (0..240).map(|i| Some(format!("p{:02}", i / 20))));
    Table::new(vec![id(), patient]).unwrap().write(&folder.join("c.csv")).unwrap();
}

#[test]
fn tables_of_patients() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    tables(at);
    let fit = ["predict", "fit", "--x", "x.csv", "--y", "y.csv"];
    let with = |more: &[&'static str]| [&fit[..], more].concat();
    let told = report(at, &with(&["--covariates", "c.csv", "--group", "patient", "--out", "m.json"]));
    let row = &told["genes"][0];
    assert!(row["pearson"].as_f64().unwrap() > 0.85 && row["position_pearson"].is_null());
    assert!(told["genes"][1]["pearson"].is_null() && told["n"]["constant_genes"] == 1);
    assert_eq!(told["mean_pearson"], row["pearson"]);
    let folds = told["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 12);
    for fold in folds {
        assert_eq!((fold["test_groups"].as_array().unwrap().len(), fold["train_groups"].as_array().unwrap().len()), (1, 11));
    }
    assert_eq!(
        report(at, &with(&["--covariates", "c.csv", "--group", "patient", "--folds", "4", "--out", "m4.json"]))["folds"]
            .as_array()
            .unwrap()
            .len(),
        4
    );

    let applied = report(at, &["predict", "apply", "--model", "m.json", "--x", "x.csv", "--out", "p.h5ad"]);
    assert_eq!((applied["n_predicted"].as_u64(), applied["genes"].as_u64()), (Some(240), Some(2)));
    // A shift of every feature by five standard deviations is seen at every row.
    let table = Table::read(&at.join("x.csv"), &myoscope::base::Limits::default()).unwrap();
    let shifted: Vec<TableColumn> = table
        .columns()
        .iter()
        .map(|c| match c.name.as_str() {
            "id" => c.clone(),
            name => TableColumn::numbers(name, table.numbers(name).unwrap().into_iter().map(|v| v.map(|v| v + 8.0))),
        })
        .collect();
    Table::new(shifted).unwrap().write(&at.join("far.csv")).unwrap();
    let far = report(at, &["predict", "apply", "--model", "m.json", "--x", "far.csv", "--out", "far.h5ad"]);
    assert_eq!(far["n_in_domain"].as_u64(), Some(0));

    let hest = report(at, &with(&["--covariates", "c.csv", "--group", "patient", "--model", "hest", "--out", "h.json"]));
    assert!((hest["alpha"].as_f64().unwrap() - 100.0 / (3.0 * 2.0)).abs() < 1e-9);
    assert!(hest["genes"][0]["pearson"].as_f64().unwrap() > 0.85);
    refused(at, &with(&["--covariates", "c.csv", "--out", "bad.json"]), 1, "--group patient");
    refused(at, &with(&["--group", "patient", "--out", "bad.json"]), 2, "--covariates");
    refused(at, &with(&["--covariates", "c.csv", "--group", "age", "--out", "bad.json"]), 2, "no column age");
    refused(at, &["predict", "apply", "--model", "x.csv", "--x", "x.csv", "--out", "bad.json"], 2, "x.csv");
    refused(at, &["predict", "apply", "--model", "m.json", "--x", "y.csv", "--out", "bad.json"], 2, "which the model needs");
}

#[test]
fn evaluate_is_what_the_formulas_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let section = &case().section;
    let n = 60;
    let small = |values: &dyn Fn(usize) -> f32, name: &str| {
        let names = |w: &str, n: usize| (0..n).map(|i| format!("{w}{i}")).collect::<Vec<_>>();
        let stored: Vec<f32> = (0..n).map(values).chain((0..n).map(|_| 2.0)).collect();
        let rows = (0..n as u32).chain(0..n as u32).collect();
        let mut e = Expression::new(names("g", 2), vec![], names("s", n), vec![0, n as u64, 2 * n as u64], rows, stored).unwrap();
        e.columns
            .insert("slide".into(), Column::Text((0..n).map(|i| if i < 20 { "one".into() } else { "two".into() }).collect()));
        let spots = section.spots.as_ref().unwrap();
        let spots = myoscope::model::Spots { px: spots.px[..n].into(), diameter_px: spots.diameter_px, in_tissue: vec![true; n] };
        let section = myoscope::model::Section {
            name: name.into(),
            picture: None,
            pixel_size: section.pixel_size.clone(),
            spots: Some(Arc::new(spots)),
            expression: Some(Arc::new(e)),
        };
        write_h5ad(&at.join(name), &section).unwrap();
    };
    small(&|i| i as f32 + 0.5, "a.h5ad");
    small(&|i| (2 * i) as f32 - if i == 3 { 1.0 } else { 0.0 }, "b.h5ad");
    report(at, &["predict", "evaluate", "--observed", "a.h5ad", "--predicted", "b.h5ad", "--out", "e.csv"]);
    let table = Table::read(&at.join("e.csv"), &myoscope::base::Limits::default()).unwrap();
    let (slide, n_rows) = (table.texts("slide").unwrap(), table.numbers("n").unwrap());
    assert_eq!(slide.iter().flatten().map(String::as_str).collect::<Vec<_>>(), ["one", "one", "two", "two", "pooled", "pooled"]);
    assert_eq!(n_rows, [20.0, 20.0, 40.0, 40.0, 60.0, 60.0].map(Some));
    let pearson = table.numbers("pearson").unwrap();
    assert_eq!(pearson[2], Some(1.0));
    assert!(pearson[0].unwrap() < 1.0 && pearson[1].is_none() && pearson[5].is_none());
    assert!((table.numbers("variance_ratio").unwrap()[2].unwrap() - 4.0).abs() < 1e-12);
    assert!((table.numbers("moran_ratio").unwrap()[2].unwrap() - 1.0).abs() < 1e-9);
    assert!(table.numbers("coverage_90").unwrap().iter().all(Option::is_none));
}
