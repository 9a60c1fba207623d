//! Whole fits on samples with a planted answer, and numbers of other programs.

use super::*;
use crate::base::Progress;
use crate::model::ExpressionScale;
use crate::space::DVec2;
use crate::stats::Stream;

/// The generator of the stored numbers: `s ← (1103515245 s + 12345) mod 2³¹`.
struct Lcg(u64);

impl Lcg {
    fn uniform(&mut self) -> f64 {
        self.0 = (1_103_515_245 * self.0 + 12345) % (1 << 31);
        self.0 as f64 / (1u64 << 31) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Filled row by row, given as columns.
    fn columns(&mut self, n: usize, p: usize) -> Vec<Vec<f64>> {
        let rows: Vec<f64> = (0..n * p).map(|_| self.normal()).collect();
        (0..p).map(|j| (0..n).map(|i| rows[i * p + j]).collect()).collect()
    }
}

fn golden() -> serde_json::Value {
    serde_json::from_str(include_str!("../../tests/golden/prediction.json")).unwrap()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn names(word: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{word}{i}")).collect()
}

fn settings(penalty: Penalty) -> FitSettings {
    let facts = Facts { held_out: "blocks".into(), n_patients: 1, n_sections: 1, ..Facts::default() };
    FitSettings { method: Method::Ridge, penalty, patch_um: None, expression: ExpressionScale::AsIs, facts }
}

/// 40 × 40 spots; gene 0 follows feature 0, gene 1 a smooth field of the position, gene 2 nothing, gene 3 is 1.
fn planted() -> Training {
    let mut s = Stream::new(7, 3);
    let places: Vec<Place> =
        (0..1600).map(|i| Place { section: 0, mm: DVec2::new(f64::from(i % 40), f64::from(i / 40)) * 0.1 }).collect();
    let x: Vec<Vec<f64>> = (0..5).map(|_| (0..1600).map(|_| s.normal()).collect()).collect();
    let field = |p: &Place| (p.mm.x * 1.5).sin() + (p.mm.y * 1.2).cos();
    let mut noisy = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..1600).map(|i| of(i) + 0.5 * s.normal()).collect() };
    let y = vec![noisy(&|i| x[0][i]), noisy(&|i| field(&places[i])), noisy(&|_| 0.0), vec![1.0; 1600]];
    Training { samples: names("s", 1600), features: names("f", 5), x, genes: names("g", 4), y, places: Some(places) }
}

#[test]
fn planted_relations_come_back_and_nothing_else() {
    let t = planted();
    let split = Split::Blocks { block_mm: 0.8, buffer_mm: 0.3, n_folds: 5 };
    let folds = make_folds(&split, t.places.as_deref(), t.n(), 0).unwrap();
    let f = fit(&t, &folds, &settings(Penalty::Nested), &Progress::none()).unwrap();
    let [seen, placed, noise, constant] = &f.genes[..] else { panic!("four genes") };
    assert!((seen.score.pearson.unwrap() - 0.894).abs() < 0.02 && seen.position_pearson.unwrap().abs() < 0.1);
    assert!((seen.r2.unwrap() - 0.8).abs() < 0.03 && (seen.score.coverage_90.unwrap() - 0.9).abs() < 0.02);
    // Without a signal the mean of the others is what is predicted, which is below 0 by construction.
    assert!(placed.score.pearson.unwrap() < 0.1 && placed.position_pearson.unwrap() > 0.5);
    assert!(noise.score.pearson.unwrap().abs() < 0.1 && noise.mean_map_pearson.unwrap() < 0.0);
    assert!(constant.is_constant && constant.score.pearson.is_none() && f.n_constant == 1);
    assert!(f.findings.iter().any(|x| x.code == "constant-genes") && f.findings.iter().any(|x| x.code == "one-patient"));
    assert!(f.sentence.contains("1 of them are predicted better than by position"), "{}", f.sentence);
    assert!(f.in_domain.iter().filter(|d| **d).count() > 1550);
    // Predictions of the fit of all samples, and its idea of strangers.
    let p = apply(&f.model, &t.x, &Progress::none()).unwrap();
    assert!(crate::stats::pearson(&p.values[0], &t.y[0]) > 0.88);
    assert!((p.standard_deviations[0][3] - 0.5).abs() < 0.05);
    let shifted: Vec<Vec<f64>> = t.x.iter().map(|c| c.iter().map(|v| v + 5.0).collect()).collect();
    assert!(apply(&f.model, &shifted, &Progress::none()).unwrap().in_domain.iter().all(|d| !d));
    assert!(apply(&f.model, &t.x[..4], &Progress::none()).is_err());
}

#[test]
fn cut_counts_prove_nothing() {
    let mut t = planted();
    let keep = |c: &Vec<f64>| c[..90].to_vec();
    t.x = t.x.iter().map(keep).collect();
    t.y = t.y.iter().map(keep).collect();
    t.samples.truncate(90);
    t.places.as_mut().unwrap().truncate(90);
    let split = Split::Blocks { block_mm: 0.5, buffer_mm: 0.1, n_folds: 4 };
    let folds = make_folds(&split, t.places.as_deref(), 90, 0).unwrap();
    let mut s = settings(Penalty::Fixed(10.0));
    s.facts.median_counts = Some(40.0);
    s.facts.n_genes_measured = Some(100);
    let f = fit(&t, &folds, &s, &Progress::none()).unwrap();
    let codes: Vec<&str> = f.findings.iter().map(|x| x.code).collect();
    assert!(["few-spots", "few-counts", "few-genes"].iter().all(|c| codes.contains(c)), "{codes:?}");
    assert!(f.sentence.contains("This proves nothing"), "{}", f.sentence);
}

#[test]
fn leakage_over_patients_is_what_scikit_learn_says() {
    // Stored with its script in tests/golden/cardiac_and_guards.json, key `leakage`: Ridge(1.0), 8 patients.
    let (n_patients, n) = (8, 60);
    let mut g = Lcg(201);
    let u = g.columns(n_patients, 16);
    let offset: Vec<f64> = (0..n_patients).map(|_| g.normal() * 1.5).collect();
    let patient = |i: usize| i / n;
    let noise = g.columns(n_patients * n, 16);
    let rows = n_patients * n;
    let x: Vec<Vec<f64>> = (0..16).map(|j| (0..rows).map(|i| u[j][patient(i)] + 0.5 * noise[j][i]).collect()).collect();
    let y: Vec<f64> = (0..rows).map(|i| offset[patient(i)] + g.normal()).collect();
    let design = crate::stats::Design::new(x, vec![y.clone()]).unwrap();
    let of = (0..rows).map(|i| format!("p{}", patient(i))).collect();
    let folds = make_folds(&Split::Groups { of, n_folds: None }, None, rows, 0).unwrap();
    let mut held = vec![0.0; rows];
    for fold in &folds {
        let gram = design.gram(&fold.train, &Progress::none()).unwrap();
        let fit = design.fit(&gram, 1.0, false).unwrap();
        let values = design.predict(&fit, &fold.test);
        fold.test.iter().zip(&values[0]).for_each(|(&i, v)| held[i] = *v);
    }
    let pooled = crate::stats::pearson(&held, &y);
    assert!((pooled - -0.447_130_472_557_616_5).abs() < 1e-9, "{pooled}");
    let within: f64 = (0..8).map(|k| crate::stats::pearson(&held[k * n..][..n], &y[k * n..][..n])).sum::<f64>() / 8.0;
    assert!((within - -0.061_358_202_988_695_08).abs() < 1e-9, "{within}");
}

#[test]
fn the_protocol_of_hest() {
    // tests/golden/prediction.json: StandardScaler, PCA(8), Ridge without intercept, on 45 of 60 samples.
    let stored = golden();
    let (lsqr, exact) = (numbers(&stored["hest"]["lsqr"]), numbers(&stored["hest"]["cholesky"]));
    let mut g = Lcg(41);
    let e = g.columns(60, 20);
    let w = g.columns(20, 6);
    let noise = g.columns(60, 6);
    let signal = |i: usize, k: usize| (0..20).map(|j| e[j][i] * w[k][j]).sum::<f64>();
    let y: Vec<Vec<f64>> =
        (0..6).map(|k| (0..60).map(|i| (signal(i, k) * 0.5 + 1.0 + 0.5 * noise[k][i]).max(0.0).ln_1p()).collect()).collect();
    let design = crate::stats::Design::new(e, y.clone()).unwrap();
    let (train, test): (Vec<usize>, Vec<usize>) = ((0..45).collect(), (45..60).collect());
    let gram = design.gram(&train, &Progress::none()).unwrap();
    let fit = design.fit_principal(&gram, 100.0 / (8.0 * 6.0), 8).unwrap();
    let held = design.predict(&fit, &test);
    for k in 0..6 {
        let r = crate::stats::pearson(&held[k], &y[k][45..]);
        assert!((r - lsqr[k]).abs() < 1e-3, "gene {k}: {r} against lsqr");
        assert!((r - exact[k]).abs() < 1e-9, "gene {k}: {r} against cholesky");
    }
}

#[test]
fn ridge_is_that_of_scikit_learn() {
    let stored = golden();
    let mut g = Lcg(301);
    let mut x = g.columns(60, 7);
    let (scale, shift) = ([1.0, 10.0, 0.1, 3.0, 1.0, 1.0, 1.0], [0.0, 100.0, -5.0, 2.0, 0.0, 0.0, 7.0]);
    x.iter_mut().enumerate().for_each(|(j, c)| c.iter_mut().for_each(|v| *v = *v * scale[j] + shift[j]));
    x[6] = (0..60).map(|i| x[0][i] + x[4][i]).collect();
    let noise = g.columns(60, 3);
    let weights = [[1.0, 0.1, 3.0], [0.0, -0.2, 0.0], [0.5, 0.0, 2.0]];
    let signal = |k: usize, i: usize| (0..3).map(|j| x[j][i] * weights[k][j]).sum::<f64>();
    let y: Vec<Vec<f64>> = (0..3).map(|k| (0..60).map(|i| noise[k][i] + signal(k, i)).collect()).collect();
    let design = crate::stats::Design::new(x, y.clone()).unwrap();
    let (all, test): (Vec<usize>, Vec<usize>) = ((0..60).collect(), (50..60).collect());
    // By subtraction, as the folds are fitted.
    let (total, out) = (design.gram(&all, &Progress::none()).unwrap(), design.gram(&test, &Progress::none()).unwrap());
    let gram = total.minus(&out).unwrap();
    let close = |got: &[f64], want: &[f64]| {
        assert_eq!(got.len(), want.len());
        got.iter().zip(want).for_each(|(a, b)| assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} {b}"));
    };
    for case in stored["ridge"].as_array().unwrap() {
        let fit = design.fit(&gram, case["alpha"].as_f64().unwrap(), true).unwrap();
        let rows: Vec<f64> = case["coefficients"].as_array().unwrap().iter().flat_map(numbers).collect();
        close(&fit.coefficients, &rows);
        close(&fit.intercept, &numbers(&case["intercept"]));
        let held = design.predict(&fit, &test);
        for k in 0..3 {
            close(&held[k], &numbers(&case["held_out"][k]));
        }
        if fit.alpha == 1.0 {
            let rounded = |v: &[f64]| v.iter().map(|v| v.round()).collect::<Vec<_>>();
            for k in 0..3 {
                let r = score(&y[k][50..], &held[k], None, None).pearson.unwrap();
                assert!((r - stored["pearson"][k].as_f64().unwrap()).abs() < 1e-9);
                let rho = score(&rounded(&y[k][50..]), &rounded(&held[k]), None, None).spearman.unwrap();
                assert!((rho - stored["spearman"][k].as_f64().unwrap()).abs() < 1e-9);
            }
        }
    }
}
