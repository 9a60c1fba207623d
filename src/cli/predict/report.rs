//! The report of `predict fit`, as JSON and for people.

use super::super::Run;
use super::super::print::{finding_json, notes_json};
use crate::predict::{Fitted, GeneReport};
use serde_json::{Value, json};

/// Genes shown to people.
const MOST_SHOWN: usize = 30;

/// The JSON object.
pub(super) fn report(fitted: &Fitted, out: &str, settings: &Value, run: &Run) -> Value {
    let gene = |g: &GeneReport| {
        json!({
            "gene": g.gene,
            "n": g.score.n,
            "pearson": g.score.pearson,
            "within_pearson": g.within_pearson,
            "spearman": g.score.spearman,
            "r2": g.r2,
            "variance_ratio": g.score.variance_ratio,
            "moran_ratio": g.score.moran_ratio,
            "coverage_90": g.score.coverage_90,
            "mean_map_pearson": g.mean_map_pearson,
            "position_pearson": g.position_pearson,
            "position_r2": g.position_r2,
            "constant": g.is_constant,
        })
    };
    let folds = fitted.folds.iter().map(|f| {
        json!({
            "train_groups": f.train_groups,
            "test_groups": f.test_groups,
            "n_train": f.n_train,
            "n_test": f.n_test,
            "alpha": f.alpha,
            "mean_pearson": f.mean_pearson,
        })
    });
    json!({
        "out": out,
        "settings": settings,
        "n": {
            "samples": fitted.in_domain.len(),
            "features": fitted.model.features.len(),
            "genes": fitted.genes.len(),
            "constant_genes": fitted.n_constant,
        },
        "alpha": fitted.model.alpha,
        "genes": fitted.genes.iter().map(gene).collect::<Vec<_>>(),
        "mean_pearson": fitted.mean_pearson,
        "mean_r2": fitted.mean_r2,
        "baselines": {"mean_map": {"r2": 0.0}, "position": {"mean_pearson": fitted.mean_position_pearson}},
        "folds": folds.collect::<Vec<_>>(),
        "sentence": fitted.sentence,
        "findings": fitted.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "notes": notes_json(&run.warnings.notes),
    })
}

/// Lines for people: the sentence, the best genes, the findings.
pub(super) fn lines(fitted: &Fitted) -> Vec<String> {
    let number = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}").replace('-', "−"));
    let mut order: Vec<&GeneReport> = fitted.genes.iter().collect();
    order.sort_by(|a, b| b.score.pearson.unwrap_or(-2.0).total_cmp(&a.score.pearson.unwrap_or(-2.0)));
    let mut lines = vec![
        fitted.sentence.clone(),
        format!("{:<20} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}", "gene", "r", "position", "R²", "variance", "Moran", "cover 90"),
    ];
    for g in order.iter().take(MOST_SHOWN) {
        let s = &g.score;
        lines.push(format!(
            "{:<20} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9}",
            g.gene,
            number(s.pearson),
            number(g.position_pearson),
            number(g.r2),
            number(s.variance_ratio),
            number(s.moran_ratio),
            number(s.coverage_90)
        ));
    }
    if order.len() > MOST_SHOWN {
        lines.push(format!("… and {} genes below; all are in the report of --json", order.len() - MOST_SHOWN));
    }
    lines.extend(fitted.findings.iter().map(|f| format!("{} [{}]: {}; {}", f.severity.name(), f.code, f.what, f.remedy)));
    lines
}
