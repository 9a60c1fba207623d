//! Deconvolution, pseudobulk, tests, scores, factors and clusters against the numbers of other programs in
//! `golden/molecules.json` (made by `golden/gen_molecules.py`).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "common/lcg.rs"]
mod lcg;

use lcg::Lcg;
use myoscope::base::Progress;
use myoscope::model::{Column, Expression};
use myoscope::omics::{
    Composition, DeconvolveSettings, GeneSet, GraphKind, NicheSettings, ScoreMethod, ScoreSettings, Signature, SpatialGraph,
    TestOutcome, TestSettings, deconvolve, differential, log_ratios, neighborhoods, niches, replace_zeros, score,
};
use myoscope::stats::{NmfLoss, NmfSettings, RandomIntercept, SparseColumns, nmf_from};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/molecules.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn rows(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

/// Largest difference by the larger of 1 and what is expected.
fn worst(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let one = |(g, w): (&f64, &f64)| (g - w).abs() / w.abs().max(1.0);
    got.iter().zip(want).map(one).fold(0.0, |m, d| if d.is_nan() { f64::INFINITY } else { f64::max(m, d) })
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

fn mixture() -> (Expression, Signature) {
    let (genes, types, spots) = (40, 6, 50);
    let mut r = Lcg(811);
    let s: Vec<f64> = (0..genes * types).map(|_| r.uniform().powi(4) * 50.0).collect();
    let f: Vec<f64> = (0..spots * types).map(|_| (r.uniform() - 0.5).max(0.0)).collect();
    let mixed = |i: usize, g: usize| (0..types).map(|k| f[i * types + k] * s[g * types + k]).sum::<f64>() * 8.0;
    let x: Vec<f64> = (0..spots * genes).map(|at| (mixed(at / genes, at % genes) + 3.0 * r.uniform()).floor()).collect();
    (table(spots, genes, &x, "counts"), Signature::new(names("g", genes), names("t", types), s).unwrap())
}

#[test]
fn fractions_are_those_of_scipy() {
    let want = &golden()["deconvolution"];
    let (e, s) = mixture();
    let found = deconvolve(&e, &s, &DeconvolveSettings::default(), &Progress::none()).unwrap();
    let (fractions, residual) =
        (worst(&found.values, &rows(&want["fractions"])), worst(&found.residual, &numbers(&want["residual"])));
    println!("fractions differ by {fractions:e}, residuals by {residual:e}");
    assert!(fractions < 1e-8 && residual < 1e-8);
}

#[test]
fn moderated_tests_are_those_of_limma() {
    let (n, m) = (12, 200);
    let mut r = Lcg(812);
    let sd: Vec<f64> = (0..m).map(|_| 0.3 + r.uniform()).collect();
    let shift: Vec<f64> = (0..m).map(|g| if g % 10 == 0 { 2.0 * r.normal() } else { 0.0 }).collect();
    let mut y = vec![0.0; n * m];
    for g in 0..m {
        for s in 0..n {
            y[s * m + g] = 5.0 + sd[g] * r.normal() + shift[g] * (s % 2) as f64 + 0.3 * (s / 5) as f64;
        }
    }
    let mut e = table(n, m, &y, "values");
    let words = |f: &dyn Fn(usize) -> usize| Column::Text((0..n).map(|s| format!("l{}", f(s))).collect());
    e.columns.insert("group".into(), words(&|s| s % 2));
    e.columns.insert("batch".into(), words(&|s| s / 5));
    let settings = TestSettings { design: "~ batch + group".parse().unwrap(), contrast: "group".into() };
    let TestOutcome::Done(found) = differential(&e, &settings, &Progress::none()).unwrap() else { panic!("aliased") };
    let want = &golden()["moderated"];
    for (name, got) in [("log2fc", &found.log2fc), ("average", &found.average), ("t", &found.t), ("p", &found.p), ("b", &found.b)]
    {
        let worst = worst(got, &numbers(&want[name]));
        println!("{name} differs by {worst:e}");
        assert!(worst < 1e-6, "{name}: {worst}");
    }
}

#[test]
fn random_intercepts_are_those_of_statsmodels() {
    let mut r = Lcg(813);
    let x: Vec<f64> = (0..30).map(|_| r.normal()).collect();
    let patient: Vec<f64> = (0..10).map(|_| r.normal()).collect();
    let y: Vec<f64> = (0..30).map(|i| f64::from((0.5 * x[i] + patient[i / 3] + r.normal()) as f32)).collect();
    let design: Vec<f64> = x.iter().flat_map(|x| [1.0, *x]).collect();
    let groups: Vec<usize> = (0..30).map(|i| i / 3).collect();
    let model = RandomIntercept::new(30, 2, &design, &groups).unwrap();
    let fit = model.fit(&y).unwrap();
    let test = model.test(&y, &fit, &[0.0, 1.0]).unwrap();
    let want = &golden()["mixed"];
    for (name, got) in [("beta", test.effect), ("se", test.error), ("group", fit.group_variance), ("noise", fit.variance)] {
        let off = (got / want[name].as_f64().unwrap() - 1.0).abs();
        println!("{name} differs by {off:e}");
        // The other program's search ends at about this.
        let limit = if name == "beta" { 1e-6 } else { 1e-4 };
        assert!(off < limit, "{name}: {off}");
    }
}

/// Objectives of scikit-learn 1.9.1 after 200 rounds from the same start.
#[test]
fn factors_are_those_of_scikit_learn() {
    let mut r = Lcg(401);
    let mut positive = |n: usize| (0..n).map(|_| r.normal().abs()).collect::<Vec<f64>>();
    let (a, b) = (positive(30 * 12), positive(12 * 15));
    let x = |i: usize, j: usize| (0..12).map(|k| a[i * 12 + k] * b[k * 15 + j]).sum::<f64>() * 0.1;
    let w: Vec<f64> = positive(30 * 4).into_iter().map(|v| v + 0.1).collect();
    let h: Vec<f64> = positive(4 * 15).into_iter().map(|v| v + 0.1).collect();
    let loadings: Vec<f64> = (0..15 * 4).map(|i| h[i % 4 * 15 + i / 4]).collect();
    let rows: Vec<u32> = (0..30).collect();
    let values: Vec<Vec<f32>> = (0..15).map(|j| (0..30).map(|i| x(i, j) as f32).collect()).collect();
    let x = SparseColumns { n_rows: 30, columns: values.iter().map(|v| (&rows[..], &v[..])).collect() };
    for (loss, want) in [
        (NmfLoss::FrobeniusMultiplicative, 1.363_025_136_414_626_4),
        (NmfLoss::KullbackLeibler, 1.261_724_418_032_003_7),
        (NmfLoss::Frobenius, 1.291_076_294_076_188_4),
    ] {
        let settings = NmfSettings { k: 4, loss, max_rounds: 200, tolerance: 0.0, seed: 0 };
        let found = nmf_from(&x, w.clone(), loadings.clone(), &settings, &Progress::none()).unwrap();
        let off = (found.loss / want - 1.0_f64).abs();
        println!("{loss:?} differs by {off:e}");
        assert!(off < 1e-6, "{loss:?}: {off}");
    }
}

/// Scores of decoupler 2.2.0 (t) and gseapy 1.3.1 (enrichment); values are kept in single precision.
#[test]
fn scores_are_those_of_decoupler_and_gseapy() {
    let set = |name: &str, genes: std::ops::Range<usize>| GeneSet {
        name: name.into(),
        genes: genes.map(|g| format!("g{g}")).collect(),
    };
    let mut r = Lcg(111);
    let x: Vec<f64> = (0..160).map(|_| r.normal()).collect();
    let settings = ScoreSettings::default();
    let found = score(&table(4, 40, &x, "values"), &[set("S1", 0..10)], &settings, &Progress::none()).unwrap();
    println!("t {}, p {}", found.values[0], found.p[0]);
    assert!((found.values[0] - 0.350_233).abs() < 1e-6 && (found.p[0] - 0.728_098).abs() < 1e-6);

    let mut r = Lcg(101);
    let x: Vec<f64> = (0..100).map(|g| r.normal() + if g < 10 { 1.0 } else { 0.0 }).collect();
    let settings = ScoreSettings { method: ScoreMethod::Gsea, n_permutations: 5000, ..settings };
    let found = score(&table(1, 100, &x, "values"), &[set("S", 0..15)], &settings, &Progress::none()).unwrap();
    println!("enrichment {}, normalized {}, p {}", found.enrichment[0], found.values[0], found.p[0]);
    assert!((found.enrichment[0] - 0.541_524_271_767_357_2).abs() < 1e-6);
    // The other program had 100 permutations: three of their standard errors.
    assert!((found.values[0] - 1.401).abs() < 0.15 && (found.p[0] - 0.088).abs() < 0.15, "{} {}", found.values[0], found.p[0]);
}

/// 90 observations of 5 types around three profiles, some small shares none.
fn three_profiles() -> Composition {
    let profiles = [[8.0, 1.0, 1.0, 0.5, 0.5], [1.0, 8.0, 0.5, 1.0, 2.0], [0.5, 1.0, 1.0, 8.0, 4.0]];
    let mut r = Lcg(921);
    let share = |at: usize| {
        let v = profiles[at / 5 % 3][at % 5] * (0.5 + r.uniform());
        if r.uniform() < 0.2 && v < 1.0 { 0.0 } else { v }
    };
    let values = (0..90 * 5).map(share).collect();
    Composition { types: names("t", 5), values }
}

#[test]
fn log_ratios_and_niches_are_those_of_scikit_bio() {
    let golden: Value = serde_json::from_str(include_str!("golden/niches.json")).unwrap();
    let composition = three_profiles();
    let replaced: Vec<Vec<f64>> = composition.values.chunks(5).map(|row| replace_zeros(row, 0.04).unwrap()).collect();
    assert!(worst(&replaced.concat(), &rows(&golden["replaced"])) < 1e-14);
    let ratios: Vec<Vec<f64>> = replaced.iter().map(|row| log_ratios(row)).collect();
    let from = |a: usize| -> Vec<f64> {
        let apart = |b: &Vec<f64>| ratios[a].iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
        ratios.iter().map(apart).collect()
    };
    // Axes may be others; Aitchison's distances are the same.
    assert!(worst(&from(0), &numbers(&golden["distances"])) < 1e-10);
    assert!(worst(&from(7), &numbers(&golden["others"])) < 1e-10);
    let settings = NicheSettings { resolution: 0.3, ..NicheSettings::default() };
    let found = niches(&composition, &settings, &Progress::none()).unwrap();
    assert_eq!(found.sizes, [30, 30, 30]);
    for (i, label) in found.labels.iter().enumerate() {
        assert_eq!(*label, found.labels[i % 3], "observation {i}");
    }
    let silhouette = golden["silhouette"].as_f64().unwrap();
    assert!((found.silhouette.unwrap() - silhouette).abs() < 1e-12, "{:?} for {silhouette}", found.silhouette);
    let sums: Vec<f64> = found.means.chunks(5).map(|m| m.iter().sum()).collect();
    assert!(worst(&sums, &[1.0; 3]) < 1e-12);
}

#[test]
fn unknown_compositions_belong_to_no_niche() {
    let mut composition = three_profiles();
    composition.values[5..10].fill(0.0);
    composition.values[12] = f64::NAN;
    composition.values[15] = -1.0;
    let found = niches(&composition, &NicheSettings::default(), &Progress::none()).unwrap();
    let unknown: Vec<usize> = (0..90).filter(|i| found.labels[*i].is_none()).collect();
    assert_eq!(unknown, [1, 2, 3]);
    assert!(found.coordinates[4..16].iter().all(|v| v.is_nan()) && found.coordinates[0].is_finite());
    assert_eq!(found.findings[0].code, "composition-unknown");
    let refused = |c: &Composition, zero: Option<f64>| {
        niches(c, &NicheSettings { zero, ..NicheSettings::default() }, &Progress::none()).unwrap_err().to_string()
    };
    assert!(refused(&composition, Some(0.2)).contains("below 1 / 5"));
    assert!(refused(&Composition { types: names("t", 1), values: vec![1.0; 9] }, None).contains("at least 2"));
    assert!(refused(&Composition { types: names("t", 2), values: vec![0.0; 18] }, None).contains("at least 3"));
    // Without any order among the shares there are no niches to speak of, and that is said.
    let mut r = Lcg(5);
    let values = (0..300 * 4).map(|_| 1.0 + 0.2 * r.uniform()).collect();
    let found = niches(&Composition { types: names("t", 4), values }, &NicheSettings::default(), &Progress::none()).unwrap();
    assert!(found.findings.iter().any(|f| f.code == "niches-overlap"), "{:?}", found.silhouette);
}

#[test]
fn neighborhoods_count_the_types_around() {
    let positions: Vec<[f64; 2]> = (0..4).map(|i| [f64::from(i), 0.0]).collect();
    let graph = SpatialGraph::new(&positions, None, GraphKind::Radius(1.1), &Progress::none()).unwrap();
    let found = neighborhoods(&graph, &[0, 1, 1, u32::MAX], names("t", 2));
    assert_eq!(found.values, [1.0, 1.0, 1.0, 2.0, 0.0, 2.0, 0.0, 1.0]);
}
