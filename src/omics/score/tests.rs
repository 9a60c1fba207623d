//! Sets that are high score high; slopes have their t; odd inputs get a sentence.

use super::super::table::tests::table;
use super::*;

fn sets(lists: &[(&str, &str)]) -> Vec<GeneSet> {
    let set =
        |(name, genes): &(&str, &str)| GeneSet { name: (*name).to_owned(), genes: genes.split(' ').map(str::to_owned).collect() };
    lists.iter().map(set).collect()
}

fn run(rows: &[&[f32]], lists: &[(&str, &str)], method: ScoreMethod) -> Result<Scores> {
    let settings = ScoreSettings { method, min_genes: 2, top: 0.4, n_permutations: 50, seed: 1 };
    score(&table(rows), &sets(lists), &settings, &Progress::none())
}

#[test]
fn what_is_high_scores_high_by_every_method() {
    let rows: [&[f32]; 2] = [&[9.0, 8.0, 7.0, 1.0, 0.0, 1.0], &[0.0; 6]];
    for method in ScoreMethod::ALL {
        let found =
            run(&rows, &[("high", "g0 g1 g2"), ("low", "g3 g4 g5"), ("one", "g0 x y"), ("all", "g0 g1 g2 g3 g4 g5")], method)
                .unwrap();
        assert_eq!(found.sets, ["high", "low"]);
        assert!(found.values[0] > 0.0 && found.values[1] < 0.0, "{method}: {:?}", found.values);
        assert!(found.values[2].is_nan() && found.p[3].is_nan(), "{method}");
        assert!(found.p[0] < found.p[1] || method == ScoreMethod::Ulm, "{method}: {:?}", found.p);
        let codes: Vec<_> = found.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["counts-not-normalized", "small-sets", "unscored-observations"]);
    }
}

/// The slope and its t by the usual formulas.
#[test]
fn the_slope_has_its_t() {
    let x = [3.0_f32, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0];
    let found = run(&[&x], &[("s", "g0 g2 g4")], ScoreMethod::Ulm).unwrap();
    let inside = [3.0, 4.0, 5.0];
    let outside = [1.0, 1.0, 9.0, 2.0];
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let squares = |v: &[f64]| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>();
    let error = ((squares(&inside) + squares(&outside)) / 5.0 * (1.0 / 3.0 + 1.0 / 4.0)).sqrt();
    assert!((found.values[0] - (mean(&inside) - mean(&outside)) / error).abs() < 1e-12);
}

#[test]
fn odd_inputs_get_a_sentence() {
    let error = |rows: &[&[f32]], lists: &[(&str, &str)]| run(rows, lists, ScoreMethod::Ulm).unwrap_err().to_string();
    assert!(error(&[&[1.0, 2.0]], &[("s", "g0 g1")]).contains("too few"));
    assert!(error(&[&[1.0, 2.0, 3.0]], &[("s", "A B")]).contains("none of 1 sets"));
    assert!(error(&[&[1.0, f32::NAN, 3.0]], &[("s", "g0 g1")]).contains("NaN"));
}
