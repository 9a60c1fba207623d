//! What a reader of cohorts has to say, as findings of the cohort.

use crate::base::Severity;
use crate::model::Finding;

/// More findings than anybody reads are counted.
const MOST: usize = 2000;

/// Collects findings in the order of the sheet.
#[derive(Debug, Default)]
pub(super) struct Said {
    findings: Vec<Finding>,
    n_more: usize,
}

impl Said {
    pub fn add(&mut self, severity: Severity, code: &'static str, what: String, remedy: &str) {
        if self.findings.len() >= MOST {
            self.n_more += 1;
            return;
        }
        self.findings.push(Finding { severity, code, what, evidence: Vec::new(), remedy: remedy.to_owned() });
    }

    pub fn finish(mut self) -> Vec<Finding> {
        if self.n_more > 0 {
            self.findings.push(Finding {
                severity: Severity::Warning,
                code: "more-findings",
                what: format!("{} more findings of this sheet are not listed", self.n_more),
                evidence: vec![("n".into(), self.n_more as f64)],
                remedy: "Mend those above first and open the sheet again.".into(),
            });
        }
        self.findings
    }
}
