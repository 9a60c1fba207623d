//! Leakage across folds: the same patient, section or sample on both sides of a split. Spots of one patient
//! resemble each other, so a model that has seen the patient looks good on nothing but memory.

use crate::base::Severity;
use crate::model::Finding;
use crate::stats::Fold;
use std::collections::{BTreeMap, BTreeSet};

/// Words that a column of patients goes by.
const GROUP_WORDS: [&str; 8] = ["patient", "subject", "donor", "individual", "participant", "case", "animal", "section"];

/// Whether a column of this name with these values looks as if it named patients or sections: a usual
/// word, and fewer values than samples.
#[must_use]
pub fn looks_like_group<T: Ord>(name: &str, values: &[T]) -> bool {
    let name = name.to_lowercase();
    let word = GROUP_WORDS.iter().any(|w| name == *w || name == format!("{w}_id") || name == format!("{w}id"));
    word && values.iter().collect::<BTreeSet<_>>().len() < values.len()
}

/// Refuses folds in which a group (patient, section) is in training and test at once. `groups` has one
/// name per sample; `what` is the word for them, as `patient`. Evidence: split groups, share of held-out
/// samples whose group was trained on. `None` where no fold splits a group.
#[must_use]
pub fn leakage<G: Ord + ToString>(folds: &[Fold], groups: &[G], what: &str) -> Option<Finding> {
    let mut split = BTreeSet::new();
    let (mut n_seen, mut n_test) = (0, 0);
    for fold in folds {
        let trained: BTreeSet<&G> = fold.train.iter().filter_map(|&i| groups.get(i)).collect();
        let seen: Vec<&G> = fold.test.iter().filter_map(|&i| groups.get(i)).filter(|g| trained.contains(g)).collect();
        n_seen += seen.len();
        n_test += fold.test.len();
        split.extend(seen);
    }
    let first = split.first()?;
    let n_groups = groups.iter().collect::<BTreeSet<_>>().len();
    Some(Finding {
        severity: Severity::Error,
        code: "group-leakage",
        what: format!(
            "{} of {n_groups} {what}s (first {}) are in training and test at once: {n_seen} of {n_test} held-out samples come from a {what} that the model has seen.",
            split.len(),
            first.to_string()
        ),
        evidence: vec![
            ("n_groups_split".into(), split.len() as f64),
            ("n_groups".into(), n_groups as f64),
            ("share_of_test_seen".into(), n_seen as f64 / (n_test as f64).max(1.0)),
        ],
        remedy: format!("Hold out whole {what}s: make folds by {what}."),
    })
}

/// Refuses folds in which a sample's row of values is, to the bit, in training and test under another
/// name: a scan or library that was entered twice. `rows` are row-major, `n_features` per sample; rows
/// without any number are not compared. `None` where there is none.
#[must_use]
pub fn duplicated_samples(folds: &[Fold], rows: &[f64], n_features: usize) -> Option<Finding> {
    let n = rows.len().checked_div(n_features)?;
    let mut same: BTreeMap<Vec<u64>, Vec<usize>> = BTreeMap::new();
    for i in 0..n {
        let row = &rows[i * n_features..(i + 1) * n_features];
        if row.iter().any(|v| v.is_finite()) {
            same.entry(row.iter().map(|v| v.to_bits()).collect()).or_default().push(i);
        }
    }
    let copies: Vec<&Vec<usize>> = same.values().filter(|s| s.len() > 1).collect();
    let leaks = |copy: &[usize]| {
        folds.iter().any(|f| {
            copy.iter().any(|i| f.train.binary_search(i).is_ok()) && copy.iter().any(|i| f.test.binary_search(i).is_ok())
        })
    };
    let n_leaking = copies.iter().filter(|c| leaks(c)).count();
    let first = copies.iter().find(|c| leaks(c))?;
    Some(Finding {
        severity: Severity::Error,
        code: "duplicated-samples",
        what: format!(
            "{n_leaking} sets of samples have exactly the same values on both sides of a fold (first: rows {} and {}).",
            first[0] + 1,
            first[1] + 1
        ),
        evidence: vec![
            ("n_sets".into(), n_leaking as f64),
            ("n_copies".into(), copies.iter().map(|c| c.len()).sum::<usize>() as f64),
        ],
        remedy: "Keep one of each, or give copies the same group.".into(),
    })
}

/// Refuses random folds where samples belong together: by a column of patients (`group`: its name, and how
/// many there are) or by lying beside each other on a section.
#[must_use]
pub fn random_folds(n: usize, group: Option<(&str, usize)>, spatial: bool) -> Option<Finding> {
    let (what, remedy, n_groups) = match group {
        Some((name, n_groups)) => (
            format!(
                "Random folds were asked for, but the {n} samples come from {n_groups} groups (column {name}): neighbors of one group would be on both sides."
            ),
            format!("Hold out whole groups: --group {name}."),
            n_groups,
        ),
        None if spatial => (
            format!(
                "Random folds were asked for, but the {n} samples have positions on a section: a held-out spot would be judged by its neighbors."
            ),
            "Hold out spatial blocks: --block-mm, with a buffer of at least the range of autocorrelation.".into(),
            1,
        ),
        None => return None,
    };
    let evidence = vec![("n".into(), n as f64), ("n_groups".into(), n_groups as f64)];
    Some(Finding { severity: Severity::Error, code: "random-folds", what, evidence, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{group_folds, leave_one_group_out, pearson, solve};

    struct Lcg(u64);

    impl Lcg {
        fn u(&mut self) -> f64 {
            self.0 = (1_103_515_245 * self.0 + 12_345) % (1 << 31);
            self.0 as f64 / (1u64 << 31) as f64
        }

        fn n(&mut self, count: usize) -> Vec<f64> {
            (0..count).map(|_| (0..12).map(|_| self.u()).sum::<f64>() - 6.0).collect()
        }
    }

    const P: usize = 16;

    /// Held-out predictions of a ridge with intercept.
    fn predicted(folds: &[Fold], x: &[[f64; P]], y: &[f64]) -> Vec<f64> {
        let mut out = vec![f64::NAN; y.len()];
        for fold in folds {
            let n = fold.train.len() as f64;
            let my = fold.train.iter().map(|&i| y[i]).sum::<f64>() / n;
            let mx: [f64; P] = std::array::from_fn(|j| fold.train.iter().map(|&i| x[i][j]).sum::<f64>() / n);
            let (mut a, mut b) = (vec![0.0; P * P], vec![0.0; P]);
            for &i in &fold.train {
                for j in 0..P {
                    (0..P).for_each(|k| a[j * P + k] += (x[i][j] - mx[j]) * (x[i][k] - mx[k]));
                    b[j] += (x[i][j] - mx[j]) * (y[i] - my);
                }
            }
            (0..P).for_each(|j| a[j * P + j] += 1.0);
            let w = solve(P, &a, 1, &b).unwrap();
            fold.test.iter().for_each(|&i| out[i] = my + (0..P).map(|j| w[j] * (x[i][j] - mx[j])).sum::<f64>());
        }
        out
    }

    /// The example of `tests/golden/gen4.py`: scikit-learn's `KFold` looks good, `GroupKFold` does not.
    #[test]
    fn the_golden_leak_is_refused_and_groups_pass() {
        let (patients, per) = (8, 60);
        let mut g = Lcg(201);
        let u = g.n(patients * P);
        let offset: Vec<f64> = g.n(patients).iter().map(|v| v * 1.5).collect();
        let noise = g.n(patients * per * P);
        let rest = g.n(patients * per);
        let keys: Vec<f64> = {
            let mut g = Lcg(202);
            (0..patients * per).map(|_| g.u()).collect()
        };
        let mut order: Vec<usize> = (0..patients * per).collect();
        order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
        let x: Vec<[f64; P]> =
            order.iter().map(|&i| std::array::from_fn(|j| u[i / per * P + j] + 0.5 * noise[i * P + j])).collect();
        let y: Vec<f64> = order.iter().map(|&i| offset[i / per] + rest[i]).collect();
        let patient: Vec<usize> = order.iter().map(|&i| i / per).collect();
        let n = patient.len();
        let contiguous: Vec<Fold> = (0..5)
            .map(|f| Fold {
                test: (f * n / 5..(f + 1) * n / 5).collect(),
                train: (0..n).filter(|i| !(f * n / 5..(f + 1) * n / 5).contains(i)).collect(),
            })
            .collect();
        let by_patient = leave_one_group_out(&patient).unwrap();
        assert!((pearson(&predicted(&contiguous, &x, &y), &y) - 0.636_985_357_080_330_7).abs() < 1e-9);
        assert!((pearson(&predicted(&by_patient, &x, &y), &y) + 0.447_130_472_557_616_5).abs() < 1e-9);
        let finding = leakage(&contiguous, &patient, "patient").unwrap();
        assert_eq!(finding.severity, Severity::Error);
        assert_eq!(finding.evidence[0].1, 8.0);
        assert!(leakage(&by_patient, &patient, "patient").is_none());
        assert!(leakage(&group_folds(&patient, 4, 0).unwrap(), &patient, "patient").is_none());
    }

    #[test]
    fn copies_and_random_folds() {
        let folds = [Fold { train: vec![0, 1], test: vec![2, 3] }, Fold { train: vec![2, 3], test: vec![0, 1] }];
        let rows = [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, f64::NAN, f64::NAN];
        assert!(duplicated_samples(&folds, &rows, 2).unwrap().what.contains("rows 1 and 3"));
        assert!(duplicated_samples(&folds, &[1.0, 2.0, 1.0, 2.0, 5.0, 6.0, 7.0, 8.0], 2).is_none());
        assert!(looks_like_group("Patient", &["a", "a", "b"]) && looks_like_group("donor_id", &[1, 1]));
        assert!(!looks_like_group("patient", &[1, 2, 3]) && !looks_like_group("age", &[1, 1]));
        assert!(random_folds(10, None, false).is_none() && random_folds(10, None, true).is_some());
        assert!(random_folds(10, Some(("patient", 3)), false).unwrap().remedy.contains("--group patient"));
    }
}
