//! The synthetic cohort against what was planted in it.

use super::*;

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let pairs: Vec<(f64, f64)> =
        a.iter().copied().zip(b.iter().copied()).filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let [mut xy, mut xx, mut yy] = [0.0; 3];
    for (x, y) in pairs {
        (xy, xx, yy) = (xy + (x - mx) * (y - my), xx + (x - mx).powi(2), yy + (y - my).powi(2));
    }
    xy / (xx * yy).sqrt()
}

/// Values of a feature by subject, NaN where missing.
fn feature(cohort: &Cohort, view: &str, name: &str) -> Vec<f64> {
    let view = cohort.view(view).unwrap();
    let place = view.features().iter().position(|f| f == name).unwrap();
    (0..cohort.subjects().len()).map(|i| view.row(i).map_or(f64::NAN, |r| r[place])).collect()
}

#[test]
fn same_seed_same_bytes_other_seed_other_cohort() {
    let bytes = |seed| {
        let case = make_cohort(seed).unwrap();
        let views: Vec<u64> =
            case.cohort.views().iter().flat_map(|v| v.table.as_ref().unwrap().values()).map(|x| x.to_bits()).collect();
        (views, format!("{:?}", case.cohort.covariates()))
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn what_is_planted_is_there() {
    for seed in [0, 1, 5] {
        let CohortCase { cohort, truth } = make_cohort(seed).unwrap();
        assert_eq!(cohort.subjects().len(), N_SUBJECTS);
        assert_eq!(
            cohort.views().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(),
            ["phenotypes", "bulk", "single_cell", "protein"]
        );
        let factor = |k: usize| truth.factors.iter().map(|f| f[k]).collect::<Vec<_>>();
        for (view, name, k, least) in [
            ("phenotypes", "ef_percent", 0, 0.7),
            ("bulk", "NPPB", 0, 0.6),
            ("bulk", "POSTN", 1, 0.4),
            ("protein", "NTproBNP", 0, 0.6),
        ] {
            let r = correlation(&feature(&cohort, view, name), &factor(k)).abs();
            assert!(r > least, "seed {seed}: {name} with factor {k}: {r}");
        }
        let nulls: Vec<&FeatureTruth> = truth.features.iter().filter(|f| f.kind == "null" && f.view == "bulk").collect();
        let mean = nulls.iter().map(|f| correlation(&feature(&cohort, "bulk", &f.feature), &factor(0)).abs()).sum::<f64>()
            / nulls.len() as f64;
        assert!(mean < 0.2, "genes that depend on nothing: mean |r| {mean}");
        for v in cohort.views() {
            let n = v.n_subjects();
            assert!((30..=60).contains(&n), "{} has {n} subjects", v.name);
            for f in v.features() {
                assert_eq!(truth.features.iter().filter(|t| t.view == v.name && t.feature == *f).count(), 1, "{f}");
            }
        }
    }
}

#[test]
fn volumes_and_shares_are_consistent() {
    let cohort = make_cohort(2).unwrap().cohort;
    let [edv, esv, ef] = ["edv_ml", "esv_ml", "ef_percent"].map(|n| feature(&cohort, "phenotypes", n));
    for i in (0..N_SUBJECTS).filter(|&i| edv[i].is_finite()) {
        assert!((100.0 * (edv[i] - esv[i]) / edv[i] - ef[i]).abs() < 0.11, "{} {} {}", edv[i], esv[i], ef[i]);
    }
    let view = cohort.view("single_cell").unwrap();
    let shares: Vec<usize> = (0..view.features().len()).filter(|&j| view.features()[j].ends_with(":fraction")).collect();
    for row in (0..N_SUBJECTS).filter_map(|i| view.row(i)) {
        let sum: f64 = shares.iter().map(|&j| row[j]).sum();
        assert!((sum - 1.0).abs() < 5e-4, "{sum}");
    }
}

#[test]
fn the_run_shifts_what_the_truth_says() {
    let CohortCase { cohort, truth } = make_cohort(0).unwrap();
    let Values::Category(batch) = &cohort.covariate("batch").unwrap().values else { panic!("words") };
    let is_b: Vec<f64> = batch.iter().map(|b| f64::from(u8::from(b.as_deref() == Some("B")))).collect();
    let strong: Vec<&FeatureTruth> = truth.features.iter().filter(|f| f.batch.is_some_and(|b| b.abs() > 1.0)).collect();
    assert!(!strong.is_empty());
    for f in strong {
        let (r, planted) = (correlation(&feature(&cohort, f.view, &f.feature), &is_b), f.batch.unwrap());
        assert!(r * planted.signum() > 0.1, "{}: {r} for {planted}", f.feature);
    }
}
