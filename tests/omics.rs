//! Normalization, variable genes and components against the numbers of scanpy and scikit-learn in
//! `golden/omics.json` (made by `golden/gen_omics.py`), and the command line on small files.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::write_nifti_volume;
use myoscope::io::{Reading, read_expression};
use myoscope::model::Expression;
use myoscope::model::{Samples, Volume};
use myoscope::omics::{
    ComponentSettings, Components, Flavor, NormalizeSettings, Target, VariableGenes, VariableSettings, components, normalize,
    variable_genes,
};
use myoscope::space::{DAffine3, DVec3, Grid};
use myoscope::stats::{LoessSettings, loess};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// The small generator of `golden/lcg.py`.
struct Lcg(u64);

impl Lcg {
    fn uniform(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12_345) % (1 << 31);
        self.0 as f64 / (1u64 << 31) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/omics.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn rows(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// Largest difference by the size of what is expected; NaN must meet NaN.
fn worst(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let size = want.iter().filter(|w| w.is_finite()).fold(1e-300_f64, |m, w| m.max(w.abs()));
    let one = |(g, w): (&f64, &f64)| if w.is_nan() { f64::from(u8::from(!g.is_nan())) } else { (g - w).abs() / size };
    got.iter().zip(want).map(one).fold(0.0, |m, d| if d.is_nan() { f64::INFINITY } else { f64::max(m, d) })
}

/// The table of `gen_omics.py`.
fn counts() -> Expression {
    let (n, m) = (80, 300);
    let mut r = Lcg(701);
    let weight: Vec<f64> = (0..m).map(|_| r.uniform()).map(|u| 8.0 * u * u).collect();
    let depth: Vec<f64> = (0..n).map(|_| 0.3 + r.uniform()).collect();
    let (mut starts, mut columns, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for depth in &depth {
        for (gene, weight) in weight.iter().enumerate() {
            let value = (r.normal().powi(2) * weight * depth).floor() as f32;
            if value > 0.0 {
                columns.push(gene as u32);
                values.push(value);
            }
        }
        starts.push(columns.len() as u64);
    }
    let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    Expression::from_rows(names("g", m), vec![], names("s", n), &starts, &columns, &values).unwrap()
}

fn normalized(counts: Expression, target: Target, log1p: bool) -> Expression {
    normalize(counts, &NormalizeSettings { target, log1p }, &Progress::none()).unwrap().expression
}

fn first_rows(e: &Expression, n: usize) -> Vec<f64> {
    let genes: Vec<Vec<f32>> = (0..e.genes().len()).map(|g| e.dense(g)).collect();
    (0..n).flat_map(|row| genes.iter().map(move |g| f64::from(g[row])).collect::<Vec<_>>()).collect()
}

fn variable(e: &Expression, flavor: Flavor, n: usize) -> VariableGenes {
    variable_genes(e, &VariableSettings { flavor, n, target: Target::Total(1e4) }, &Progress::none()).unwrap()
}

fn chosen(found: &VariableGenes) -> Vec<usize> {
    (0..found.variable.len()).filter(|&g| found.variable[g]).collect()
}

#[test]
fn normalized_counts_are_those_of_scanpy() {
    let golden = golden();
    let counts = counts();
    assert_eq!(counts.totals().iter().sum::<f64>(), golden["sum"].as_f64().unwrap());
    for (name, target, log1p) in [("median", Target::Median, false), ("log_cp10k", Target::Total(1e4), true)] {
        let done = normalized(counts.clone(), target, log1p);
        let (got, want) = (first_rows(&done, 3), rows(&golden[name]));
        let relative = got.iter().zip(&want).map(|(g, w)| (g - w).abs() / w.abs().max(1e-30)).fold(0.0, f64::max);
        assert!(relative < 1e-6, "{name}: {relative}");
    }
}

#[test]
fn variable_genes_are_those_of_scanpy() {
    let golden = golden();
    let counts = counts();
    let logs = normalized(counts.clone(), Target::Total(1e4), true);
    for flavor in Flavor::ALL {
        let want = &golden[flavor.name()];
        let input = if flavor == Flavor::SeuratV3 { &counts } else { &logs };
        let found = variable(input, flavor, 50);
        assert_eq!(chosen(&found), indices(&want["variable"]), "{flavor}");
        assert!(worst(&found.mean, &numbers(&want["means"])) < 1e-6, "{flavor}");
        let score = worst(&found.score, &numbers(&want["scores"]));
        println!("{flavor}: scores differ by {score:e}");
        assert!(score < 1e-5, "{flavor}: {score}");
        if flavor != Flavor::SeuratV3 {
            assert!(worst(&found.dispersion, &numbers(&want["dispersions"])) < 1e-5, "{flavor}");
        }
        // Counts that are normalized on the way give the same genes.
        assert_eq!(chosen(&variable(&counts, flavor, 50)), indices(&want["variable"]), "{flavor}");
    }
}

#[test]
fn components_are_those_of_scikit_learn() {
    let golden = golden();
    let logs = normalized(counts(), Target::Total(1e4), true);
    // Logarithms in single precision differ in their last bit between programs, whole numbers do not.
    for (name, input, scale, tolerance) in
        [("pca", counts(), false, 1e-8), ("pca_scaled", counts(), true, 1e-8), ("pca_log", logs, false, 1e-6)]
    {
        let settings = ComponentSettings { n: 10, scale, seed: 0 };
        let found = components(&input, None, &settings, &Progress::none()).unwrap();
        println!("{name}:");
        compare_components(&found, &golden[name], 6, tolerance);
    }
}

fn compare_components(found: &Components, want: &Value, n_loadings: usize, tolerance: f64) {
    let k = found.pca.k;
    for (what, got, want) in [
        ("variance", &found.pca.variance[..], numbers(&want["variance"])),
        ("ratio", &found.pca.ratio[..], numbers(&want["ratio"])),
        ("scores", &found.pca.scores[..4 * k], rows(&want["scores"])),
        ("loadings", &found.pca.loadings[..n_loadings * k], rows(&want["loadings"])),
    ] {
        let worst = worst(got, &want);
        println!("{what} differ by {worst:e}");
        assert!(worst < tolerance, "{what}: {worst}");
    }
}

#[test]
fn the_smooth_curve_is_that_of_cloess() {
    let mut r = Lcg(702);
    let x: Vec<f64> = (0..150).map(|_| r.normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| x * x / 3.0 + 0.2 * r.normal()).collect();
    let smooth = loess(&x, &y, &LoessSettings::default()).unwrap();
    let worst = worst(&smooth, &numbers(&golden()["loess"]));
    assert!(worst < 1e-9, "{worst}");
}

#[test]
fn a_real_section_has_the_numbers_of_scanpy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/asp-heart-st/heart_ST_CN73.h5ad");
    if !path.exists() {
        eprintln!("absent, so not compared: {}", path.display());
        return;
    }
    let golden = &golden()["heart_ST_CN73"];
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    let section = read_expression(&path, &mut reading).unwrap();
    let raw = section.expression.unwrap().as_ref().clone();
    assert_eq!(vec![raw.observations().len(), raw.genes().len()], indices(&golden["shape"]));
    let logs = normalized(raw.clone(), Target::Total(1e4), true);
    let sum: f64 = logs.totals().iter().sum();
    assert!((sum / golden["log_sum"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    let detected: Vec<usize> =
        (0..raw.genes().len()).filter(|&g| raw.gene(g).1.iter().filter(|v| **v > 0.0).count() >= 3).collect();
    let seen = logs.subset_genes(&detected).unwrap();
    for (flavor, input) in [(Flavor::Seurat, &logs), (Flavor::CellRanger, &seen), (Flavor::SeuratV3, &raw)] {
        let (got, want) = (chosen(&variable(input, flavor, 2000)), indices(&golden[flavor.name()]));
        let common = got.iter().filter(|g| want.contains(g)).count();
        println!("{flavor}: {} genes, {common} in common with {}", got.len(), want.len());
        assert_eq!(got, want, "{flavor}");
    }
    let mut keep = vec![false; raw.genes().len()];
    indices(&golden["seurat"]).iter().for_each(|&g| keep[g] = true);
    let settings = ComponentSettings { n: 20, ..ComponentSettings::default() };
    for (name, input, tolerance) in [("pca", &raw, 1e-8), ("pca_log", &logs, 1e-6)] {
        let found = components(input, Some(&keep), &settings, &progress).unwrap();
        println!("{name}: {:?}", found.pca.method);
        compare_components(&found, &golden[name], 6, tolerance);
    }
}

/// Runs the program; status, standard output, standard error.
fn program(arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_myoscope")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// A folder with a small table in several formats.
fn inputs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (n, m) = (30, 60);
    let mut r = Lcg(9);
    let mut csv = format!(
        "id,{}\n",
        (0..m).map(|g| if g == 0 { "MT-ND1".into() } else { format!("GENE{g}") }).collect::<Vec<_>>().join(",")
    );
    let mut entries = Vec::new();
    for s in 0..n {
        let row: Vec<u32> = (0..m).map(|g| (r.normal().powi(2) * f64::from(g % 7 + 1)).floor() as u32).collect();
        entries.extend(row.iter().enumerate().filter(|(_, v)| **v > 0).map(|(g, v)| format!("{} {} {v}", g + 1, s + 1)));
        let numbers: Vec<String> = row.iter().map(u32::to_string).collect();
        writeln!(csv, "s{s},{}", numbers.join(",")).unwrap();
    }
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("counts.csv", &csv);
    std::fs::create_dir(folder.path().join("mtx")).unwrap();
    write(
        "mtx/matrix.mtx",
        &format!("%%MatrixMarket matrix coordinate integer general\n{m} {n} {}\n{}\n", entries.len(), entries.join("\n")),
    );
    write("mtx/barcodes.tsv", &(0..n).map(|s| format!("s{s}\n")).collect::<String>());
    write(
        "mtx/features.tsv",
        &(0..m).map(|g| format!("E{g}\t{}\n", if g == 0 { "MT-ND1".into() } else { format!("GENE{g}") })).collect::<String>(),
    );
    folder
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_chain_writes_its_tables_the_same_for_any_threads() {
    let folder = inputs();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let chain = "summarize+normalize+variable+pca";
    for (input, out, threads) in [("counts.csv", "a", "1"), ("counts.csv", "b", "2"), ("mtx", "c", "2")] {
        let arguments =
            ["omics", chain, &at(input), "--out", &at(out), "--log1p", "--n", "20", "--n", "5", "--threads", threads, "--json"];
        let (status, stdout, stderr) = program(&arguments);
        assert_eq!(status, 0, "{stderr}");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(report["n_observations"], 30);
        assert_eq!(report["pca"]["n"], 5);
        assert_eq!(report["variable"]["n_found"], 20);
    }
    let names =
        ["observations.csv", "genes.csv", "variable.csv", "scores.csv", "loadings.csv", "variance.csv", "normalized.h5ad"];
    for name in names {
        let bytes = |out: &str| std::fs::read(folder.path().join(out).join(name)).unwrap();
        assert!(bytes("a") == bytes("b"), "{name} depends on the threads");
        assert!(name == "normalized.h5ad" || bytes("a") == bytes("c"), "{name} depends on the format");
    }
    let first = |name: &str| read(&folder.path().join("a"), name).lines().next().unwrap().to_owned();
    assert_eq!(first("scores.csv"), "id,pc1,pc2,pc3,pc4,pc5");
    assert_eq!(first("loadings.csv"), "feature,pc1,pc2,pc3,pc4,pc5");
    assert_eq!(first("variance.csv"), "component,variance,variance_ratio");
    assert_eq!(first("variable.csv"), "gene,mean,dispersion,variable");
    assert_eq!(first("observations.csv"), "id,total,n_genes,mitochondrial_percent");
    assert_eq!(read(&folder.path().join("a"), "scores.csv").lines().count(), 31);
    assert_eq!(read(&folder.path().join("a"), "loadings.csv").lines().count(), 21);

    // One step after the other through files gives the same components.
    for (step, input, out, more) in [
        ("normalize", "counts.csv", "1", ["--log1p"].as_slice()),
        ("variable", "1", "2", &["--n", "20"]),
        ("pca", "2", "3", &["--n", "5"]),
    ] {
        let (status, _, stderr) = program(&[&["omics", step, &at(input), "--out", &at(out)], more].concat());
        assert_eq!(status, 0, "{stderr}");
    }
    assert_eq!(read(&folder.path().join("a"), "variance.csv"), read(&folder.path().join("3"), "variance.csv"));
    assert_eq!(read(&folder.path().join("a"), "scores.csv"), read(&folder.path().join("3"), "scores.csv"));
}

#[test]
fn bad_requests_get_a_sentence_and_no_file() {
    let folder = inputs();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("nan.csv", "id,A,B,C\nx,1,,2\ny,3,1,1\n");
    write("negative.csv", "id,A,B,C\nx,1,-4,2\ny,3,1,1\n");
    write("constant.csv", "id,A,B,C\nx,1,1,1\ny,1,1,1\n");
    write("one.csv", "id,A,B,C\nx,1,2,3\n");
    write("empty.csv", "id,A,B,C\nx,0,0,0\ny,0,0,0\n");
    write("words.csv", "id,A,B,C\nx,0,abc,0\n");
    for (step, input, part) in [
        ("sing", "counts.csv", "the steps are import, summarize, pseudobulk, normalize, variable, pca"),
        ("pca+normalize", "counts.csv", "not in order"),
        ("pca+pca", "counts.csv", "not in order"),
        ("", "counts.csv", "the steps are"),
        ("normalize", "nan.csv", "missing (NaN)"),
        ("normalize", "negative.csv", "negative"),
        ("normalize", "empty.csv", "empty"),
        ("variable", "constant.csv", "varies"),
        ("variable", "one.csv", "one observation"),
        ("pca", "one.csv", "one observation"),
        ("pca", "constant.csv", "varies"),
        ("normalize", "words.csv", "abc"),
        ("normalize", "absent.csv", "absent.csv"),
        ("summarize", ".", "7 tables"),
    ] {
        let (status, stdout, stderr) = program(&["omics", step, &at(input), "--out", &at("out"), "--quiet"]);
        assert_eq!((status, stdout.as_str()), (2, ""), "{step} {input}: {stderr}");
        assert!(stderr.contains(part) && stderr.lines().count() == 1 && !stderr.contains("panicked"), "{step} {input}: {stderr}");
        assert!(!folder.path().join("out").exists(), "{step} {input}");
    }
    for bad in [["--target", "-1"], ["--flavor", "v4"], ["--n", "0"], ["--n", "x"]] {
        let (status, _, stderr) = program(&[&["omics", "variable", &at("counts.csv"), "--out", &at("out")], &bad[..]].concat());
        assert_eq!(status, 2, "{bad:?}: {stderr}");
    }
}

#[test]
fn one_gene_and_few_spots_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(folder.path().join("one.csv"), "id,A\nx,1\ny,3\n").unwrap();
    for step in ["summarize", "normalize", "variable", "pca", "normalize+variable"] {
        let (status, _, stderr) = program(&["omics", step, &at("one.csv"), "--out", &at(step)]);
        assert!(status == 0 || (status == 2 && stderr.contains("varies")), "{step}: {status} {stderr}");
    }
    let variance = read(&folder.path().join("pca"), "variance.csv");
    let fields: Vec<&str> = variance.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(fields[0], "pc1");
    assert!((fields[1].parse::<f64>().unwrap() - 2.0).abs() < 1e-12 && (fields[2].parse::<f64>().unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn tables_become_h5ad_and_images_become_nifti() {
    let folder = inputs();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (status, _, stderr) = program(&["convert", &at("mtx"), &at("a.h5ad")]);
    assert_eq!(status, 0, "{stderr}");
    let (status, stdout, stderr) = program(&["convert", &at("counts.csv"), &at("b.h5ad"), "--json"]);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap()["kind"], "expression");
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    let [a, b] = ["a.h5ad", "b.h5ad"].map(|n| read_expression(&folder.path().join(n), &mut reading).unwrap().expression.unwrap());
    assert_eq!((a.genes(), a.totals()), (b.genes(), b.totals()));
    assert_eq!(a.gene_ids()[3], "E3");

    let grid = Grid::new([3, 2, 2], DAffine3::from_scale(DVec3::new(1.5, 2.0, 8.0))).unwrap();
    let volume = Volume::new("v", grid, vec![Samples::F32((0..12).map(|i| i as f32 / 3.0).collect())]).unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    write_nifti_volume(&images.join("a.nii"), &volume).unwrap();
    let (status, _, stderr) = program(&["convert", &at("images"), &at("one.nii.gz")]);
    assert_eq!(status, 0, "{stderr}");
    write_nifti_volume(&images.join("b.nii"), &volume).unwrap();
    let (status, _, stderr) = program(&["convert", &at("images"), &at("two.nii")]);
    assert!(status == 2 && stderr.contains("--item N: 0 (volume 3×2×2") && !folder.path().join("two.nii").exists(), "{stderr}");
    let (status, _, stderr) = program(&["convert", &at("images"), &at("two.nii"), "--item", "1"]);
    assert_eq!(status, 0, "{stderr}");
    let mut bytes = std::fs::read(images.join("b.nii")).unwrap();
    assert!(bytes == std::fs::read(folder.path().join("two.nii")).unwrap());
    for (input, output, part) in [
        ("images", "x.h5ad", "nothing in it is a table"),
        ("counts.csv", "x.nii", "nothing in it is an image"),
        ("counts.csv", "x.txt", "or end in"),
        ("images/a.nii", "images/a.nii", "same file"),
    ] {
        let (status, _, stderr) = program(&["convert", &at(input), &at(output)]);
        assert!(status == 2 && stderr.contains(part), "{stderr}");
    }
    bytes.truncate(100);
    std::fs::write(images.join("b.nii"), bytes).unwrap();
    assert_eq!(program(&["convert", &at("images/b.nii"), &at("x.nii")]).0, 2);
}
