//! Nulls of canonical pairs, and the sentence that says what the numbers allow.

use super::{Cases, CcaSettings};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{CanonicalPair, Finding, Views};
use crate::stats::{Cca, Exchange, SpatialBasis, Stream, nested_largest, permutation_p};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A p-value above this is no evidence.
const LEVEL: f64 = 0.05;
/// Held-out correlation below this share of the one in sample is no confirmation.
const KEPT: f64 = 1.0 / 3.0;

/// A null: p per pair and the 95th percentile of its draws.
#[derive(Clone, Debug, Default)]
pub(super) struct Null {
    pub(super) p: Vec<f64>,
    pub(super) upper: Vec<f64>,
    pub(super) words: String,
}

impl Null {
    /// From draws (each one value per pair): closed testing, `p_k = max(p_1, …, p_k)`.
    fn of(draws: &[Vec<f64>], observed: &[f64], words: String) -> Self {
        let mut null = Self { words, ..Self::default() };
        for (k, value) in observed.iter().enumerate() {
            let mut column: Vec<f64> = draws.iter().map(|d| d[k]).collect();
            let p = permutation_p(*value, &column).max(null.p.last().copied().unwrap_or(0.0));
            column.sort_by(f64::total_cmp);
            null.p.push(p);
            null.upper.push(column[(column.len() * 95).div_ceil(100).saturating_sub(1)]);
        }
        null
    }
}

/// Draws in parallel, in the order of their streams.
fn draws(n: usize, progress: &Progress, what: &str, one: impl Fn(u64) -> Vec<f64> + Sync) -> Result<Vec<Vec<f64>>> {
    let done = AtomicUsize::new(0);
    (0..n)
        .into_par_iter()
        .map(|i| {
            let so_far = done.fetch_add(1, Ordering::Relaxed);
            if so_far.is_multiple_of(16) {
                progress.step(so_far as f64 / n as f64, what)?;
            }
            Ok(one(i as u64))
        })
        .collect()
}

/// Samples (whole groups where there are some) of the second view in random order.
pub(super) fn permutation_null(
    views: &Views,
    cases: &Cases,
    fit: &Cca,
    settings: &CcaSettings,
    progress: &Progress,
) -> Result<std::result::Result<Null, Finding>> {
    let n_pairs = settings.n_pairs.min(fit.n_pairs());
    let groups: Option<Vec<&String>> = views.groups().map(|g| cases.samples.iter().map(|&i| &g[i]).collect());
    let grouped = groups.filter(|g| g.iter().collect::<BTreeSet<_>>().len() < g.len());
    let exchange = match &grouped {
        None => Exchange::free(cases.n()),
        Some(groups) => match Exchange::whole(groups) {
            Ok(exchange) => exchange,
            Err(Error::Degenerate(why)) => return Ok(Err(no_null(why))),
            Err(e) => return Err(e),
        },
    };
    let all = draws(settings.n_permutations, progress, "permutations", |i| {
        fit.permuted(&exchange.draw(&mut Stream::new(settings.seed ^ 0x5045_524D, i)), n_pairs)
    })?;
    let what = if grouped.is_some() { "permutation of whole groups" } else { "permutation of samples" };
    Ok(Ok(Null::of(&all, &fit.singular[..n_pairs], format!("{what}, {}", settings.n_permutations))))
}

fn no_null(why: String) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: "no-permutation",
        what: format!("There is no permutation null: {why}."),
        evidence: Vec::new(),
        remedy: "Give one row per group, or groups of equal size.".into(),
    }
}

/// Surrogates of the second view with its own spatial pattern.
pub(super) fn surrogate_null(
    cases: &Cases,
    points: &[[f64; 2]],
    fit: &Cca,
    settings: &CcaSettings,
    progress: &Progress,
) -> Result<Null> {
    progress.step(0.0, "spatial patterns")?;
    let here: Vec<[f64; 2]> = cases.samples.iter().map(|&i| points[i]).collect();
    let basis = SpatialBasis::new(&here)?;
    progress.step(0.05, "spatial patterns")?;
    let parts = basis.split(fit.variables(0), fit.variables(1));
    let n_pairs = settings.n_pairs.min(fit.n_pairs());
    let [rx, ry] = [fit.rank(0), fit.rank(1)];
    let all = draws(settings.n_surrogates, &progress.part(0.1, 1.0), "surrogate maps", |i| {
        nested_largest(&parts.surrogate(&mut Stream::new(settings.seed ^ 0x5355_5252, i)), rx, ry, n_pairs)
    })?;
    let words = format!("spectral sign randomization over {} patterns, {}", basis.n_patterns(), settings.n_surrogates);
    Ok(Null::of(&all, &fit.singular[..n_pairs], words))
}

/// Whether a pair may be told as a relation: held out it keeps a third of its correlation and more than
/// noise of n samples gives, and the null that decides (of maps where there is one) rejects.
pub(super) fn holds(pair: &CanonicalPair, n: usize, spatial: bool) -> bool {
    let noise = if spatial { 0.0 } else { 1.96 / (n as f64).sqrt() };
    let kept = pair.held_out.is_some_and(|r| r >= KEPT * pair.train && r > noise);
    let decides = if spatial { pair.surrogate_p } else { pair.permutation_p };
    kept && decides.is_some_and(|p| p <= LEVEL)
}

/// What the numbers allow to say.
pub(super) fn sentence(pairs: &[CanonicalPair], n: usize, spatial: bool) -> String {
    let Some(first) = pairs.first() else { return "No pair was found.".into() };
    let number = |v: Option<f64>| v.map_or_else(|| "not known".to_owned(), |v| format!("{v:.2}"));
    let p_words = |pair: &CanonicalPair| match (spatial, pair.permutation_p, pair.surrogate_p) {
        (true, _, Some(p)) => format!("p = {p:.3} against maps as smooth as these"),
        (true, _, None) => "no spatial null was drawn".into(),
        (false, Some(p), _) => format!("permutation p = {p:.3}"),
        (false, None, _) => "no permutation null was drawn".into(),
    };
    let what = if spatial { "spots" } else { "samples" };
    let n_hold = pairs.iter().take_while(|p| holds(p, n, spatial)).count();
    let mut text = if n_hold == 0 {
        let why = match first.held_out {
            None => "nothing was held out".to_owned(),
            Some(r) => format!("{r:.2} in {what} that it was not fitted to"),
        };
        format!(
            "No claim: pair 1 correlates {:.2} in the {n} {what} that it was fitted to, but {why}; {}.",
            first.train,
            p_words(first)
        )
    } else {
        let last = &pairs[n_hold - 1];
        let which = if n_hold == 1 { "Pair 1 holds".to_owned() } else { format!("Pairs 1 to {n_hold} hold") };
        format!(
            "{which}: pair {n_hold} correlates {} in {what} that it was not fitted to ({:.2} in the {n} that it was), {}.",
            number(last.held_out),
            last.train,
            p_words(last)
        )
    };
    if spatial {
        text.push_str(
            " All spots are of one section: this speaks of places in this tissue, n is 1 heart, and nothing follows for others.",
        );
    }
    text
}
