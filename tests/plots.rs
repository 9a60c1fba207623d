//! Violins, dots, leading genes and the volcano: numbers of numpy, scipy and scanpy from `golden/plots.json` (made by
//! `golden/gen_plots.py`); and stories of a session and of a window that select a category in one place and see it in all.

#![allow(clippy::unwrap_used, reason = "a failed test stops here")]

use myoscope::base::Progress;
use myoscope::model::Expression;
use myoscope::omics::{Categories, CompareSettings, compare, dots, leading_genes, violins};
use serde_json::Value;

/// The small generator of `golden/lcg.py`.
struct Lcg(u64);

impl Lcg {
    fn uniform(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12_345) % (1 << 31);
        self.0 as f64 / (1u64 << 31) as f64
    }
}

/// Observations, genes and groups of the table of `gen_plots.py`.
const N: usize = 120;
const M: usize = 8;
const K: usize = 3;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/plots.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        one => vec![one.as_f64().unwrap()],
    }
}

fn near(got: &[f64], want: &Value, tolerance: f64) {
    let want = numbers(want);
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(&want).enumerate() {
        assert!((g - w).abs() <= tolerance * w.abs().max(1.0), "{i}: {g} for {w}");
    }
}

fn table() -> (Expression, Vec<u32>) {
    let mut dice = Lcg(77);
    let (mut offsets, mut columns, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for i in 0..N {
        for g in 0..M {
            let u = dice.uniform();
            let count = (u * u * if g % K == i % K { 30.0 } else { 6.0 }).floor() as f32;
            if g < M - 1 && count > 0.0 {
                columns.push(g as u32);
                values.push(count);
            }
        }
        offsets.push(columns.len() as u64);
    }
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let e = Expression::from_rows(names("g", M), vec![], names("s", N), &offsets, &columns, &values).unwrap();
    (e, (0..N as u32).map(|i| i % K as u32).collect())
}

#[test]
fn violins_are_those_of_scipy() {
    let (e, codes) = table();
    let totals = e.totals();
    let log = |(v, t): (f32, &f64)| (1e4 * f64::from(v) / t).ln_1p() as f32;
    let values: Vec<f32> = e.dense(1).into_iter().zip(&totals).map(log).collect();
    let found = violins(&values, Categories { codes: &codes, n: K }, 9, &Progress::none()).unwrap();
    for (v, want) in found.iter().flatten().zip(golden()["violins"].as_array().unwrap()) {
        assert_eq!(v.n as u64, want["n"].as_u64().unwrap());
        near(&v.quantiles, &want["quantiles"], 1e-6);
        near(&[v.mean, v.bandwidth.unwrap()], &Value::from(vec![want["mean"].clone(), want["bandwidth"].clone()]), 1e-6);
        near(&v.density, &want["density"], 1e-7);
    }
    // A category without spots, one of missing values, one of a single value, one of equal values.
    let values = [f32::NAN, f32::NAN, 2.0, 3.0, 3.0, 9.0];
    let codes = [1, 1, 2, 3, 3, u32::MAX];
    let found = violins(&values, Categories { codes: &codes, n: 4 }, 5, &Progress::none()).unwrap();
    assert_eq!((found[0].is_none(), found[1].is_none()), (true, true));
    let one = found[2].as_ref().unwrap();
    assert_eq!((one.n, one.quantiles, one.bandwidth, one.density.len()), (1, [2.0; 5], None, 0));
    assert_eq!(found[3].as_ref().unwrap().bandwidth, None);
    assert!(violins(&values, Categories { codes: &codes[1..], n: 4 }, 5, &Progress::none()).is_err());
}

#[test]
fn dots_are_those_of_scanpy() {
    let (e, codes) = table();
    let found = dots(&e, &[4, 0, 7, 2], Categories { codes: &codes, n: K }, &Progress::none()).unwrap();
    let golden = golden();
    near(&found.fraction, &golden["fraction"], 1e-12);
    near(&found.mean, &golden["mean"], 1e-6);
    near(&found.scaled(), &golden["scaled"], 1e-5);
    assert!(dots(&e, &[8], Categories { codes: &codes, n: K }, &Progress::none()).is_err());
    let empty = dots(&e, &[0], Categories { codes: &vec![0; N], n: 2 }, &Progress::none()).unwrap();
    assert!(empty.mean[1].is_nan() && empty.fraction[1].is_nan() && empty.mean[0].is_finite());
}

#[test]
fn leading_genes_are_those_of_scanpy() {
    let (e, codes) = table();
    let found = leading_genes(&e, Categories { codes: &codes, n: K }, 3, &Progress::none()).unwrap();
    for (of, group) in found.iter().zip(["a", "b", "c"]) {
        let want = &golden()["leading"][group];
        // Only genes above 0 are given.
        let names: Vec<&str> = of.iter().map(|l| e.genes()[l.gene].as_str()).collect();
        let theirs: Vec<&str> = want["names"].as_array().unwrap().iter().take(names.len()).map(|v| v.as_str().unwrap()).collect();
        assert_eq!(names, theirs);
        let scores: Vec<f64> = of.iter().map(|l| l.score).collect();
        near(&scores, &Value::from(numbers(&want["scores"])[..scores.len()].to_vec()), 1e-4);
        assert!(scores.len() >= 2);
    }
}

#[test]
fn chances_of_a_comparison_are_those_of_scipy() {
    let (e, codes) = table();
    let of = |k: u32| (0..N as u32).filter(|&i| codes[i as usize] == k).collect::<Vec<u32>>();
    let settings = CompareSettings { top: usize::MAX, ..CompareSettings::default() };
    let mut found = compare(&e, [&of(0), &of(1)], None, &settings, &Progress::none()).unwrap().genes;
    found.sort_by_key(|g| g.gene);
    let golden = golden();
    // The chances are small: compare their logarithms.
    let logs = |v: &Value| Value::from(numbers(v).into_iter().map(f64::ln).collect::<Vec<_>>());
    near(&found.iter().map(|g| g.p.ln()).collect::<Vec<_>>(), &logs(&golden["p"]), 1e-8);
    near(&found.iter().map(|g| g.q.ln()).collect::<Vec<_>>(), &logs(&golden["q"]), 1e-8);
}
