//! Canonical correlation with its guards: what the command line and the window both run.

use crate::base::{Progress, Result, Severity};
use crate::fuse::{Cases, CcaResult, CcaSettings, Holdout, cca};
use crate::guard;
use crate::model::{Finding, Views};

/// What came of it: a result, or the refusal of a guard.
#[derive(Debug)]
pub struct Joined {
    /// `None` where a guard refuses.
    pub result: Option<CcaResult>,
    /// Samples with all of both views.
    pub n: usize,
    /// What guards and method found, refusals first.
    pub findings: Vec<Finding>,
}

/// Guards, then [`cca`], then the guards of its folds. `group` is the name of the groups' column, `column`
/// one that looks like groups but was not given as such, with the number of its values.
pub fn join_views(
    views: &Views,
    points_mm: Option<&[[f64; 2]]>,
    settings: &CcaSettings,
    column: Option<(&str, usize)>,
    progress: &Progress,
) -> Result<Joined> {
    let cases = Cases::new(views)?;
    let mut findings =
        before(&cases, points_mm.is_some() && views.groups().is_none(), settings, column.filter(|_| views.groups().is_none()));
    if guard::refuses(&findings) {
        return Ok(Joined { result: None, n: cases.n(), findings });
    }
    let on_section = settings.n_surrogates > 0 || matches!(settings.holdout, Holdout::Blocks { .. });
    let mut result = cca(views, points_mm.filter(|_| on_section), settings, progress)?;
    if let Some(groups) = views.groups() {
        let names: Vec<&String> = cases.samples.iter().map(|&i| &groups[i]).collect();
        findings.extend(guard::leakage(&result.folds, &names, "group"));
    }
    let width = cases.features[0].len() + cases.features[1].len();
    let rows: Vec<f64> = (0..cases.n()).flat_map(|i| [0, 1].map(|v| row(&cases, v, i))).flatten().copied().collect();
    findings.extend(guard::duplicated_samples(&result.folds, &rows, width));
    findings.append(&mut result.findings);
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    let refused = guard::refuses(&findings);
    Ok(Joined { result: Some(result).filter(|_| !refused), n: cases.n(), findings })
}

fn row(cases: &Cases, view: usize, i: usize) -> &[f64] {
    let width = cases.features[view].len();
    &cases.values[view][i * width..(i + 1) * width]
}

/// What guards say before anything is fitted.
#[must_use]
pub fn before(cases: &Cases, spatial: bool, settings: &CcaSettings, column: Option<(&str, usize)>) -> Vec<Finding> {
    let random = matches!(settings.holdout, Holdout::Folds(_) | Holdout::LeaveOneOut);
    let mut findings: Vec<Finding> = Vec::new();
    if random {
        findings.extend(guard::random_folds(cases.n(), column, spatial));
    }
    let few = guard::n_against_features(cases.n(), cases.features[0].len(), cases.features[1].len());
    findings.extend(few.map(|f| if settings.ridge > 0.0 { Finding { severity: Severity::Warning, ..f } } else { f }));
    findings
}
