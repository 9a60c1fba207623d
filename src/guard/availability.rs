//! Views that are missing more often in one outcome than in the other: then results of the patients who
//! have them do not speak for all.
//!
//! Two classes of outcome: Fisher's exact test, two-sided (sum of all tables not more probable than the
//! one seen). A numeric outcome: the rank sum of those who have the view under all arrangements drawn at
//! random from `seed`, `p = (1 + #as far)/(1 + draws)`. Over the views, p is adjusted by Holm.

use crate::base::Severity;
use crate::model::Finding;
use crate::stats::{Stream, permutation_p, ranks};

/// Draws for a numeric outcome.
const DRAWS: usize = 4999;

/// The outcome of the subjects that count, in the order of their availability.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// One of two classes: whether it is the second, and what the second is called.
    Class(Vec<bool>, String),
    /// A number.
    Number(Vec<f64>),
}

/// How a view's presence and the outcome go together.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// The view.
    pub view: String,
    /// Subjects with it.
    pub n_with: usize,
    /// Subjects without it.
    pub n_without: usize,
    /// Share of the second class, or mean of the number, of subjects with the view; NaN where none.
    pub with: f64,
    /// The same of subjects without it.
    pub without: f64,
    /// Of no relation, two-sided; 1 where everybody or nobody has the view.
    pub p: f64,
    /// `p` adjusted over the views (Holm).
    pub p_holm: f64,
}

/// Tests every view. `views` are names with one presence per outcome. Cost: views × draws × subjects for
/// a numeric outcome.
#[must_use]
pub fn availability(views: &[(String, Vec<bool>)], outcome: &Outcome, seed: u64) -> Vec<Availability> {
    let mut rows: Vec<Availability> = views.iter().enumerate().map(|(i, v)| row(v, outcome, (seed, i as u64))).collect();
    let adjusted = holm(&rows.iter().map(|r| r.p).collect::<Vec<_>>());
    rows.iter_mut().zip(adjusted).for_each(|(r, p)| r.p_holm = p);
    rows
}

/// A warning for each view whose adjusted p is below 0.05.
#[must_use]
pub fn availability_findings(rows: &[Availability], outcome: &Outcome) -> Vec<Finding> {
    let describe = |r: &Availability| {
        let (with, without) = match outcome {
            Outcome::Class(_, name) => (format!("{:.0} % {name}", r.with * 100.0), format!("{:.0} % {name}", r.without * 100.0)),
            Outcome::Number(_) => (format!("mean outcome {:.3}", r.with), format!("mean outcome {:.3}", r.without)),
        };
        format!(
            "whether {} is there goes with the outcome: {with} of {} subjects who have it, {without} of {} who do not (p = {:.3} over all views)",
            r.view, r.n_with, r.n_without, r.p_holm
        )
    };
    let related = rows.iter().filter(|r| r.p_holm < 0.05);
    related
        .map(|r| Finding {
            severity: Severity::Warning,
            code: "availability-by-outcome",
            what: describe(r),
            evidence: vec![
                ("n_with".into(), r.n_with as f64),
                ("n_without".into(), r.n_without as f64),
                ("outcome_with".into(), r.with),
                ("outcome_without".into(), r.without),
                ("p".into(), r.p),
                ("p_holm".into(), r.p_holm),
            ],
            remedy: format!(
                "Report who is missing; repeat the analysis without {} and with it imputed before claiming a result for all subjects.",
                r.view
            ),
        })
        .collect()
}

fn row((name, has): &(String, Vec<bool>), outcome: &Outcome, seed: (u64, u64)) -> Availability {
    let mean = |want: bool| {
        let chosen: Vec<f64> = has.iter().enumerate().filter(|(_, h)| **h == want).map(|(i, _)| outcome.at(i)).collect();
        if chosen.is_empty() { f64::NAN } else { chosen.iter().sum::<f64>() / chosen.len() as f64 }
    };
    let n_with = has.iter().filter(|h| **h).count();
    let n_without = has.len() - n_with;
    let p = match outcome {
        _ if n_with == 0 || n_without == 0 => 1.0,
        Outcome::Class(second, _) => {
            let both = |h: bool, s: bool| has.iter().zip(second).filter(|(a, b)| **a == h && **b == s).count();
            fisher_exact([[both(true, true), both(true, false)], [both(false, true), both(false, false)]])
        }
        Outcome::Number(values) => rank_sum(has, values, seed),
    };
    Availability { view: name.clone(), n_with, n_without, with: mean(true), without: mean(false), p, p_holm: p }
}

impl Outcome {
    fn at(&self, i: usize) -> f64 {
        match self {
            Self::Class(second, _) => f64::from(u8::from(second[i])),
            Self::Number(values) => values[i],
        }
    }
}

/// Two-sided p of Fisher's exact test of a table of counts (1 where a margin is empty). Tables within a
/// relative 10⁻⁷ of the observed probability count as equally probable, as R and scipy do.
#[must_use]
pub fn fisher_exact([[a, b], [c, d]]: [[usize; 2]; 2]) -> f64 {
    let (rows, columns) = ([a + b, c + d], [a + c, b + d]);
    if rows.contains(&0) || columns.contains(&0) {
        return 1.0;
    }
    let n = rows[0] + rows[1];
    let mut logs = vec![0.0f64; n + 1];
    (1..=n).for_each(|i| logs[i] = logs[i - 1] + (i as f64).ln());
    let fixed = logs[rows[0]] + logs[rows[1]] + logs[columns[0]] + logs[columns[1]] - logs[n];
    let log_p = |x: usize| fixed - logs[x] - logs[rows[0] - x] - logs[columns[0] - x] - logs[rows[1] + x - columns[0]];
    let (low, high) = (columns[0].saturating_sub(rows[1]), rows[0].min(columns[0]));
    let seen = log_p(a) + 1e-7;
    (low..=high).map(log_p).filter(|&p| p <= seen).map(f64::exp).sum::<f64>().min(1.0)
}

fn rank_sum(has: &[bool], values: &[f64], (seed, task): (u64, u64)) -> f64 {
    let ranks = ranks(values);
    let n_with = has.iter().filter(|h| **h).count();
    let expected = ranks.iter().sum::<f64>() * n_with as f64 / ranks.len() as f64;
    let seen: f64 = ranks.iter().zip(has).filter(|(_, h)| **h).map(|(r, _)| r).sum::<f64>() - expected;
    let s = &mut Stream::new(seed, 40_000 + task);
    let mut shuffled = ranks;
    let null: Vec<f64> = (0..DRAWS)
        .map(|_| {
            s.shuffle(&mut shuffled);
            // Half a rank sum is exact in binary, so ties compare as equal.
            (shuffled[..n_with].iter().sum::<f64>() - expected).abs()
        })
        .collect();
    permutation_p(seen.abs(), &null)
}

/// Holm's adjustment: p times the number of tests not yet rejected, never falling, at most 1.
fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut adjusted, mut least) = (vec![1.0; p.len()], 0.0f64);
    for (k, &i) in order.iter().enumerate() {
        least = least.max(p[i] * (p.len() - k) as f64).min(1.0);
        adjusted[i] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17 `fisher_exact(table)[1]`.
    #[test]
    fn fisher_is_that_of_scipy() {
        for (table, p) in [
            ([[8, 2], [1, 5]], 0.034_965_034_965_034_975),
            ([[12, 5], [29, 2]], 0.080_268_552_074_104_63),
            ([[10, 10], [10, 10]], 1.0),
            ([[0, 7], [9, 1]], 0.000_411_353_352_529_823_14),
        ] {
            let found = fisher_exact(table);
            assert!((found - p).abs() < 1e-12, "{table:?}: {found}, scipy {p}");
        }
        assert_eq!(fisher_exact([[0, 0], [3, 4]]), 1.0);
    }

    #[test]
    fn a_view_missing_by_outcome_is_found_and_one_at_random_is_not() {
        let n = 60;
        let outcome: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
        let related: Vec<bool> = (0..n).map(|i| i % 2 == 0 || i % 6 == 1).collect();
        let free: Vec<bool> = (0..n).map(|i| i % 5 != 0).collect();
        let views = vec![("a".to_owned(), related.clone()), ("b".to_owned(), free), ("c".to_owned(), vec![true; n])];
        let class = Outcome::Class(outcome.clone(), "events".into());
        let rows = availability(&views, &class, 0);
        let found = availability_findings(&rows, &class);
        assert_eq!(found.len(), 1, "{rows:?}");
        assert!(found[0].what.starts_with("whether a is there"), "{}", found[0].what);
        assert_eq!(rows[2].p, 1.0);
        let number = Outcome::Number((0..n).map(|i| if i % 2 == 0 { 50.0 + i as f64 } else { i as f64 }).collect());
        let rows = availability(&views, &number, 0);
        assert!(rows[0].p_holm < 0.01 && rows[1].p > 0.05, "{rows:?}");
        assert_eq!(format!("{:?}", availability(&views, &number, 0)), format!("{rows:?}"), "same seed, same numbers");
    }

    #[test]
    fn the_test_holds_its_level() {
        let n = 40;
        let hits = (0..200).filter(|&run| {
            let s = &mut Stream::new(run, 1);
            let has: Vec<bool> = (0..n).map(|_| s.uniform() < 0.6).collect();
            let values = (0..n).map(|_| s.normal()).collect();
            availability(&[("v".to_owned(), has)], &Outcome::Number(values), run)[0].p <= 0.05
        });
        let n = hits.count();
        assert!((1..=20).contains(&n), "{n} of 200 below 0.05");
    }
}
