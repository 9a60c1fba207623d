//! Steps of `omics` beyond components, on small files from the command line.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::model::{Column, Expression};
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

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i}")).collect()
}

/// A table of rows, row-major.
fn table(n: usize, m: usize, values: &[f64], unit: &str) -> Expression {
    let starts: Vec<u64> = (0..=n).map(|i| (i * m) as u64).collect();
    let columns: Vec<u32> = (0..n * m).map(|i| (i % m) as u32).collect();
    let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    let mut e = Expression::from_rows(names("g", m), vec![], names("s", n), &starts, &columns, &values).unwrap();
    e.unit = unit.into();
    e
}

/// Runs the program; status, standard output, standard error.
fn program(arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_myoscope")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn first_line(folder: &Path, name: &str) -> String {
    read(folder, name).lines().next().unwrap().to_owned()
}

/// Cells of six patients in two groups, as an h5ad with columns.
fn cells(folder: &Path) -> String {
    let (n, m) = (120, 30);
    let mut r = Lcg(77);
    let values: Vec<f64> = (0..n * m)
        .map(|i| {
            let more = if i % m == 3 && (i / m) % 6 >= 3 { 12.0 } else { 1.0 };
            (r.normal().powi(2) * 3.0 * more).floor()
        })
        .collect();
    let mut e = table(n, m, &values, "counts");
    let words = |f: &dyn Fn(usize) -> String| Column::Text((0..n).map(f).collect());
    e.columns.insert("patient".into(), words(&|i| format!("p{}", i % 6)));
    e.columns.insert("celltype".into(), words(&|i| if i < 60 { "CM".into() } else { "FB".into() }));
    e.columns.insert("group".into(), words(&|i| if i % 6 < 3 { "a".into() } else { "b".into() }));
    e.columns.insert("center".into(), words(&|i| if i % 6 < 3 { "x".into() } else { "y".into() }));
    let section = myoscope::model::Section {
        name: "cells".into(),
        picture: None,
        pixel_size: myoscope::model::PixelSize::Unknown,
        spots: None,
        expression: Some(std::sync::Arc::new(e)),
    };
    let path = folder.join("cells.h5ad");
    myoscope::io::write_h5ad(&path, &section).unwrap();
    path.display().to_string()
}

#[test]
fn samples_are_summed_and_tested_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let input = cells(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (status, out, stderr) =
        program(&["omics", "pseudobulk", &input, "--by", "patient,celltype", "--out", &at("sums"), "--json"]);
    assert_eq!(status, 0, "{stderr}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((report["pseudobulk"]["n"].as_u64(), &report["files"][0]), (Some(12), &Value::from("pseudobulk.h5ad")));
    let test = |design: &str, out: &str, threads: &str| {
        let arguments = [
            "omics",
            "test",
            &at("sums"),
            "--design",
            design,
            "--contrast",
            "group",
            "--out",
            &at(out),
            "--threads",
            threads,
            "--json",
        ];
        program(&arguments)
    };
    for (out, threads) in [("one", "1"), ("two", "2")] {
        let (status, _, stderr) = test("~ celltype + group", out, threads);
        assert_eq!(status, 0, "{stderr}");
    }
    assert_eq!(read(&folder.path().join("one"), "test.csv"), read(&folder.path().join("two"), "test.csv"));
    assert_eq!(first_line(&folder.path().join("one"), "test.csv"), "gene,log2fc,average,t,p,q,b");
    let text = read(&folder.path().join("one"), "test.csv");
    let gene = text.lines().find(|l| l.starts_with("g3,")).unwrap();
    let numbers: Vec<f64> = gene.split(',').skip(1).map(|w| w.parse().unwrap()).collect();
    assert!(numbers[0] > 2.0 && numbers[4] < 1e-3, "{gene}");
    let (status, out, _) = test("~ celltype + group + (1|patient)", "mixed", "2");
    assert_eq!(status, 0, "{out}");
    assert!(read(&folder.path().join("mixed"), "test.csv").lines().nth(1).unwrap().ends_with(','));
    let (status, out, _) = test("~ center + group", "aliased", "2");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &report["test"]["aliased"]), (1, &Value::from(true)), "{out}");
    assert!(!folder.path().join("aliased/test.csv").exists());
}

#[test]
fn programs_of_genes_are_found_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let input = cells(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(folder.path().join("s.gmt"), "high\tx\tg3\tg4\tg5\nother\tx\tg9\tg10\tg11\tg12\n").unwrap();
    for threads in ["1", "2"] {
        for (step, more) in [
            ("nmf", vec!["--k", "3", "--loss", "kl"]),
            ("score", vec!["--sets", "s.gmt", "--method", "gsea", "--permutations", "100"]),
            ("normalize+score", vec!["--log1p", "--sets", "s.gmt"]),
        ] {
            let more: Vec<String> = more.iter().map(|w| if *w == "s.gmt" { at("s.gmt") } else { (*w).to_owned() }).collect();
            let out = at(&format!("{step}{threads}"));
            let mut arguments = vec!["omics", step, &input, "--quiet", "--threads", threads, "--out", &out];
            arguments.extend(more.iter().map(String::as_str));
            let (status, _, stderr) = program(&arguments);
            assert_eq!(status, 0, "{stderr}");
        }
    }
    for (step, header) in
        [("nmf", "id,factor1,factor2,factor3"), ("score", "id,set,score,p,enrichment"), ("normalize+score", "id,set,score,p")]
    {
        let text = |threads: &str| read(&folder.path().join(format!("{step}{threads}")), "scores.csv");
        assert_eq!(text("1").lines().next(), Some(header));
        assert_eq!(text("1"), text("2"), "{step} depends on the threads");
    }
    assert_eq!(first_line(&folder.path().join("nmf1"), "loadings.csv"), "feature,factor1,factor2,factor3");
}

#[test]
fn bad_requests_get_a_sentence_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let input = cells(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        at(name)
    };
    let signature = write("s.csv", "gene,CM,FB\ng0,1,2\ng1,3,1\n");
    let wrong = write("w.csv", "gene,CM,FB\nTTN,1,2\n");
    let hole = write("hole.csv", "gene,CM,FB\ng0,,2\ng1,3,1\n");
    let cases: Vec<(&str, Vec<&str>, &str)> = vec![
        ("deconvolve", vec![], "needs --signature"),
        ("deconvolve", vec!["--signature", &wrong], "share no gene"),
        ("deconvolve", vec!["--signature", &hole], "empty cell in column CM"),
        ("pseudobulk", vec![], "needs --by"),
        ("pseudobulk", vec!["--by", "donor"], "no column donor"),
        ("test", vec!["--design", "~ group"], "needs --design and --contrast"),
        ("test", vec!["--design", "~ sex", "--contrast", "sex"], "no column sex"),
        ("test", vec!["--design", "~ group", "--contrast", "group=z"], "levels a, b"),
        ("test", vec!["--design", "group", "--contrast", "group"], "joined by +"),
        ("test+test", vec![], "not in order"),
        ("nmf", vec!["--k", "0"], "at least 1"),
        ("pca+nmf", vec![], "two of these steps write scores.csv"),
        ("score", vec![], "none of 16 sets"),
    ];
    for (step, more, part) in cases {
        let (out, mut arguments) = (at("out"), vec!["omics", step, &input, "--quiet", "--out"]);
        arguments.push(&out);
        arguments.extend(more);
        let (status, stdout, stderr) = program(&arguments);
        assert_eq!((status, stdout.as_str()), (2, ""), "{step}: {stderr}");
        assert!(stderr.contains(part), "{step}: {stderr}");
        assert!(!folder.path().join("out").exists(), "{step}");
    }
    let (status, _, stderr) = program(&["omics", "deconvolve", &input, "--signature", &signature, "--out", &at("f"), "--quiet"]);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(first_line(&folder.path().join("f"), "fractions.csv"), "id,CM,FB,residual");
    let mut turned = String::from("type,g0,g1\n");
    writeln!(turned, "CM,1,3\nFB,2,1").unwrap();
    let turned = write("turned.csv", &turned);
    let (status, _, stderr) = program(&["omics", "deconvolve", &input, "--signature", &turned, "--out", &at("t"), "--quiet"]);
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(read(&folder.path().join("f"), "fractions.csv"), read(&folder.path().join("t"), "fractions.csv"));
}

/// A table of 23 cells × 7 genes that anndata wrote, with positions (10 · i, 20 · (i mod 5)).
fn golden(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cells").join(name).display().to_string()
}

#[test]
fn results_of_other_programs_and_regions_join() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut amounts = "id,q05cell_abundance_w_sf_CM,q05cell_abundance_w_sf_EC\n".to_owned();
    (0..23).for_each(|i| writeln!(amounts, "cell-{i},{},{}", i + 1, 1).unwrap());
    std::fs::write(at("c2l.csv"), amounts).unwrap();
    let square = "[[[-5,-5],[56,-5],[56,100],[-5,100],[-5,-5]],[[25,35],[25,65],[45,65],[45,35],[25,35]]]";
    let regions = format!(
        r#"{{"type":"FeatureCollection","features":[{{"geometry":{{"type":"Polygon","coordinates":{square}}},"properties":{{"classification":{{"name":"wall"}}}}}}]}}"#
    );
    std::fs::write(at("r.geojson"), regions).unwrap();
    let (input, out) = (golden("csr_v3.zarr.zip"), at("out"));
    let (table, region) = (at("c2l.csv"), at("r.geojson"));
    let (status, text, said) =
        program(&["omics", "import", &input, "--table", &table, "--regions", &region, "--out", &out, "--json"]);
    assert_eq!(status, 0, "{said}");
    let report: Value = serde_json::from_str(&text).unwrap();
    // Cells 0 to 5 lie in the square, but for cell 3 at (30, 60) … (2 at (20, 40) lies beside the hole) in its hole.
    assert_eq!(report["import"][1]["n_observations"], 5, "{text}");
    let fractions = read(folder.path(), "out/fractions.csv");
    assert_eq!(fractions.lines().nth(4).unwrap(), "cell-3,0.8,0.2,");
    let (status, _, said) = program(&["omics", "import", &input, "--table", &golden("cells.json"), "--out", &out]);
    assert!(status == 2 && !said.contains("panic"), "{said}");
}

#[test]
fn tables_become_tables_with_other_genes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let input = golden("dense_v2.zarr.zip");
    for name in ["a.csv", "a.parquet", "a.h5ad"] {
        let (status, _, said) = program(&["convert", &input, &at(name), "--by-id"]);
        assert_eq!(status, 0, "{said}");
    }
    let table = |name: &str| {
        let (status, _, said) = program(&["convert", &at(name), &at("b.csv")]);
        assert_eq!(status, 0, "{said}");
        read(folder.path(), "b.csv")
    };
    assert!(first_line(folder.path(), "a.csv").starts_with("id,ENSG00000000000,ENSG00000000001,"));
    assert_eq!(
        [table("a.csv"), table("a.parquet"), table("a.h5ad")],
        [read(folder.path(), "a.csv"), read(folder.path(), "a.csv"), read(folder.path(), "a.csv")]
    );
    std::fs::write(at("twice.tsv"), "id\tENSG00000000001.2\tENSG00000000001.7\nx\t1\t2\n").unwrap();
    let (status, _, said) = program(&["convert", &at("twice.tsv"), &at("c.csv"), "--strip-versions"]);
    assert!(status == 2 && said.contains("--duplicates"), "{said}");
    let (status, _, _) = program(&["convert", &at("twice.tsv"), &at("c.csv"), "--strip-versions", "--duplicates", "sum"]);
    assert_eq!((status, read(folder.path(), "c.csv").as_str()), (0, "id,ENSG00000000001\nx,3\n"));
    let (status, _, said) = program(&["omics", "summarize", &input, "--matrix", "raw", "--out", &at("o")]);
    assert!(status == 2 && said.contains("no AnnData"), "{said}");
}

#[test]
fn niches_come_from_fractions_from_types_and_from_deconvolution() {
    let folder = tempfile::tempdir().unwrap();
    let input = cells(folder.path());
    let at = |name: &str| folder.path().join(name).display().to_string();
    // Two kinds of mixture in turn; one observation is not in the table.
    let line = |i: usize| {
        let more = (i % 7) as f64 / 100.0;
        if i.is_multiple_of(2) { format!("s{i},0.8,{more},0.1,3\n") } else { format!("s{i},{more},0.2,0.7,3\n") }
    };
    let fractions = "id,CM,FB,EC,residual\n".to_owned() + &(1..120).map(line).collect::<String>();
    std::fs::write(folder.path().join("f.csv"), fractions).unwrap();
    let run = |more: &[&str], out: &str| program(&[&["omics"], more, &["--out", &at(out), "--json"]].concat());
    let (status, out, stderr) = run(&["niches", &input, "--fractions", &at("f.csv"), "--resolution", "0.2"], "a");
    assert_eq!(status, 0, "{stderr}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["niches"]["sizes"], serde_json::json!([60, 59]), "{out}");
    assert!(report["notes"].to_string().contains("composition-unknown"), "{out}");
    let a = folder.path().join("a");
    assert_eq!(first_line(&a, "niches.csv"), "id,niche,ilr1,ilr2");
    assert_eq!(first_line(&a, "niche_means.csv"), "niche,n,CM,FB,EC");
    let table = read(&a, "niches.csv");
    let lines: Vec<Vec<&str>> = table.lines().skip(1).map(|l| l.split(',').collect()).collect();
    assert_eq!(lines[0], ["s0", "", "", ""]);
    assert!((2..120).all(|i| lines[i][1] == lines[2 - i % 2][1]), "alternate niches");
    // The table of the niches keeps them as a column.
    let (status, _, stderr) = run(&["pseudobulk", &at("a/niches.h5ad"), "--by", "niche"], "b");
    assert_eq!(status, 0, "{stderr}");
    let s = "gene,CM,FB\n".to_owned() + &(0..30).map(|g| format!("g{g},{},{}\n", g % 3 + 1, g % 5 + 1)).collect::<String>();
    std::fs::write(folder.path().join("s.csv"), s).unwrap();
    let (status, _, stderr) = run(&["deconvolve+niches", &input, "--signature", &at("s.csv")], "c");
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(first_line(&folder.path().join("c"), "niches.csv"), "id,niche,ilr1");
    for (arguments, what) in [
        (vec!["niches", &input], "needs a composition"),
        (vec!["niches", &input, "--types", "celltype"], "no positions"),
        (vec!["niches", &input, "--types", "cell"], "there are celltype, center, group, patient"),
        (vec!["niches", &input, "--fractions", &at("s.csv")], "id"),
    ] {
        let (status, _, stderr) = run(&arguments, "d");
        assert!(status == 2 && stderr.contains(what), "{status} {stderr}");
    }
    assert!(!folder.path().join("d").exists());
}
