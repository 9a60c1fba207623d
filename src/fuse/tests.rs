//! Null data stay null, planted relations come back, and folds, groups and missing values do what they say.

use super::*;
use crate::base::{Error, Progress};
use crate::model::{ViewTable, Views};
use crate::stats::Stream;

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i}")).collect()
}

/// Two views of n samples, p and q features; `strength` of one shared factor, the same in every seed's columns.
fn views(n: usize, p: usize, q: usize, strength: f64, seed: u64) -> (Views, Vec<f64>) {
    let s = &mut Stream::new(seed, 0);
    let shared: Vec<f64> = (0..n).map(|_| s.normal()).collect();
    let mut table = |name: &str, width: usize| {
        let load: Vec<f64> = (0..width).map(|_| s.normal()).collect();
        let values = (0..n * width).map(|t| strength * shared[t / width] * load[t % width] + s.normal()).collect();
        ViewTable::new(name, names("s", n), names(name, width), values).unwrap()
    };
    let (x, y) = (table("x", p), table("y", q));
    (Views::new(vec![x, y]).unwrap(), shared)
}

fn run(views: &Views, settings: &CcaSettings) -> CcaResult {
    cca(views, None, settings, &Progress::none()).unwrap()
}

#[test]
fn noise_says_no_claim_and_p_values_are_uniform() {
    let (mut claims, mut small) = (0, [0; 2]);
    for seed in 0..200 {
        let settings = CcaSettings { holdout: Holdout::Folds(5), n_permutations: 99, seed, ..Default::default() };
        let found = run(&views(30, 10, 10, 0.0, seed).0, &settings);
        let pair = &found.fusion.pairs[0];
        assert!(pair.train > 0.7, "in sample noise looks strong: {}", pair.train);
        claims += usize::from(!found.sentence.starts_with("No claim"));
        (0..2).for_each(|k| small[k] += usize::from(found.fusion.pairs[k].permutation_p.unwrap() <= 0.1));
    }
    println!("{claims} claims, {small:?} small p of 200");
    assert!(claims <= 14, "{claims} claims of 200");
    assert!(small[0] <= 32 && small[1] <= small[0], "{small:?} of 200 below 0.1");
}

#[test]
fn a_planted_factor_comes_back_and_a_second_does_not() {
    for seed in 0..5 {
        let (views, shared) = views(120, 8, 6, 1.5, 100 + seed);
        let settings =
            CcaSettings { holdout: Holdout::Folds(5), n_permutations: 199, ridge: 0.1, scale: true, seed, ..Default::default() };
        let found = run(&views, &settings);
        let held: Vec<f64> = found.held_out_scores.as_ref().unwrap()[0].iter().step_by(2).copied().collect();
        assert!(crate::stats::pearson(&held, &shared).abs() > 0.9, "aligned held out");
        assert!(found.sentence.starts_with("Pair 1 holds"), "{}", found.sentence);
        assert_eq!(found.fusion.pairs[0].permutation_p, Some(0.005));
        assert!(found.fusion.pairs[1].permutation_p.unwrap() > 0.05);
        assert!(found.explained[0][0] > 0.3 && found.explained[0][2] >= found.explained[0][0]);
        assert_eq!(found.factors.len(), 240);
    }
}

#[test]
fn missing_rows_cells_and_constants_are_told() {
    let (full, _) = views(20, 3, 3, 1.0, 1);
    let (x, y) = (&full.tables()[0], &full.tables()[1]);
    let mut values = x.values().to_vec();
    (0..20).for_each(|i| values[i * 3 + 1] = 7.5);
    values[4 * 3] = f64::NAN;
    let x = ViewTable::new("x", x.ids().to_vec(), x.features().to_vec(), values).unwrap();
    let views = Views::new(vec![x, y.samples(&(0..15).collect::<Vec<_>>()).unwrap()]).unwrap();
    let found = run(&views, &CcaSettings { n_pairs: 5, ..Default::default() });
    assert_eq!((found.fusion.n, found.cases.n_incomplete), (14, 1));
    assert_eq!(found.cases.dropped[0].reason, "constant");
    assert_eq!(found.fusion.weights[0].component(0)[1], 0.0);
    assert_eq!(found.fusion.pairs.len(), 2);
    let codes: Vec<&str> = found.findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["fewer-factors", "complete-cases", "feature-dropped"]);
    assert!(found.sentence.contains("nothing was held out"));
}

#[test]
fn groups_are_held_out_and_permuted_as_wholes() {
    // Ten patients with six rows each; both views are noise per patient: rows of a patient resemble each other.
    let s = &mut Stream::new(8, 0);
    let mut table = |name: &str| {
        let own: Vec<f64> = (0..10 * 3).map(|_| s.normal()).collect();
        let values = (0..60 * 3).map(|t| own[t / 3 / 6 * 3 + t % 3] + 0.1 * s.normal()).collect();
        ViewTable::new(name, names("s", 60), names(name, 3), values).unwrap()
    };
    let plain = Views::new(vec![table("x"), table("y")]).unwrap();
    let settings = CcaSettings { holdout: Holdout::Folds(5), n_permutations: 199, ..Default::default() };
    let leaky = run(&plain, &settings);
    let grouped = plain.with_groups((0..60).map(|i| format!("p{}", i / 6)).collect()).unwrap();
    let fair = run(&grouped, &settings);
    assert!(leaky.fusion.pairs[0].permutation_p.unwrap() < 0.01, "rows as samples deceive");
    assert!(fair.fusion.pairs[0].permutation_p.unwrap() > 0.05, "{:?}", fair.fusion.pairs[0]);
    assert!(fair.fusion.pairs[0].held_out.unwrap() < leaky.fusion.pairs[0].held_out.unwrap());
    assert!(fair.sentence.starts_with("No claim"), "{}", fair.sentence);
    assert!(fair.fusion.folds.contains("whole groups"));
}

#[test]
fn smooth_maps_of_a_section_are_judged_by_surrogates() {
    let side = 24;
    let n = side * side;
    let points: Vec<[f64; 2]> = (0..n).map(|i| [(i % side) as f64 * 0.1, (i / side) as f64 * 0.1]).collect();
    let wave = |s: &mut Stream| -> Vec<f64> {
        let waves: Vec<[f64; 3]> = (0..20).map(|_| [s.normal() * 2.5, s.normal() * 2.5, s.between(0.0, 6.3)]).collect();
        points.iter().map(|p| waves.iter().map(|w| (w[0] * p[0] + w[1] * p[1] + w[2]).cos()).sum::<f64>() / 3.0).collect()
    };
    let settings = CcaSettings {
        holdout: Holdout::Blocks { k: 4, block_mm: 0.6, buffer_mm: 0.2 },
        n_permutations: 99,
        n_surrogates: 99,
        n_pairs: 1,
        ..Default::default()
    };
    let (mut claims, mut shuffled) = (0, 0);
    for seed in 0..12 {
        let s = &mut Stream::new(seed, 5);
        let maps: Vec<Vec<f64>> = (0..4).map(|_| wave(s)).collect();
        let mut table = |name: &str, of: [usize; 2]| {
            let values = (0..n * 2).map(|t| maps[of[t % 2]][t / 2] + 0.2 * s.normal()).collect();
            ViewTable::new(name, names("s", n), names(name, 2), values).unwrap()
        };
        let apart = Views::new(vec![table("x", [0, 1]), table("y", [2, 3])]).unwrap();
        let found = cca(&apart, Some(&points), &settings, &Progress::none()).unwrap();
        claims += usize::from(!found.sentence.starts_with("No claim"));
        shuffled += usize::from(found.fusion.pairs[0].permutation_p.unwrap() <= 0.05);
        let joined = Views::new(vec![table("x", [0, 1]), table("y", [1, 2])]).unwrap();
        let found = cca(&joined, Some(&points), &settings, &Progress::none()).unwrap();
        assert!(found.fusion.pairs[0].surrogate_p.unwrap() <= 0.05, "seed {seed}: {:?}", found.fusion.pairs[0]);
        assert!(found.fusion.pairs[0].held_out.unwrap() > 0.7 && found.sentence.contains("n is 1 heart"));
    }
    assert!(shuffled >= 8, "shuffling finds {shuffled} of 12 unrelated maps related");
    assert!(claims <= 2, "{claims} of 12");
}

#[test]
fn refusals() {
    let (two, _) = views(12, 2, 2, 1.0, 3);
    let asks = |settings: CcaSettings| cca(&two, None, &settings, &Progress::none());
    assert!(matches!(asks(CcaSettings { n_pairs: 0, ..Default::default() }), Err(Error::Parameter(_))));
    assert!(matches!(asks(CcaSettings { ridge: f64::NAN, ..Default::default() }), Err(Error::Parameter(_))));
    let blocks = Holdout::Blocks { k: 2, block_mm: 1.0, buffer_mm: 0.0 };
    assert!(matches!(asks(CcaSettings { holdout: blocks, ..Default::default() }), Err(Error::Parameter(_))));
    assert!(matches!(asks(CcaSettings { holdout: Holdout::Folds(13), ..Default::default() }), Err(Error::Degenerate(_))));
    let one = Views::new(vec![two.tables()[0].clone()]).unwrap();
    assert!(cca(&one, None, &CcaSettings::default(), &Progress::none()).is_err());
    let cancel = crate::base::Cancel::default();
    cancel.cancel();
    let stopped = cca(&two, None, &CcaSettings::default(), &Progress::new(cancel, |_, _| {}));
    assert!(matches!(stopped, Err(Error::Cancelled)));
}
