//! Steps on samples: pseudobulk, test.

use super::work::{Work, filled, names_column};
use crate::base::{Error, Result};
use crate::cli::Run;
use crate::io::Table;
use crate::model::Section;
use crate::omics::{Formula, PseudobulkSettings, TestOutcome, TestSettings, differential, pseudobulk};
use clap::Args;
use serde_json::json;

/// Options of `pseudobulk` and `test`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// `pseudobulk`: columns of the observations to sum by, as `patient,celltype`.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    by: Vec<String>,
    /// `test`: the model, as "~ batch + group"; `C(x)` takes numbers for groups, `(1|patient)` is a random intercept.
    #[arg(long, value_name = "FORMULA")]
    design: Option<Formula>,
    /// `test`: what is tested: a column of two groups or of numbers, or `column=B-A`.
    #[arg(long, value_name = "COLUMN")]
    contrast: Option<String>,
}

impl Options {
    /// Sums by groups; positions of the observations end here.
    pub(super) fn pseudobulk(&self, work: Work, run: &Run) -> Result<Work> {
        if self.by.is_empty() {
            return Err(Error::parameter("pseudobulk needs --by, the columns to sum by, as --by patient,celltype"));
        }
        let settings = PseudobulkSettings { by: self.by.clone() };
        let found = pseudobulk(&work.expression, &settings, &run.progress)?;
        let section = Section { spots: None, picture: None, ..work.section };
        let mut work = Work { expression: found.expression, section, h5ad: Some("pseudobulk.h5ad"), ..work };
        work.arrays.clear();
        work.graphs.clear();
        let n = work.expression.observations().len();
        work.findings.extend(found.findings);
        work.lines.push(format!("{n} sums by {}", self.by.join(" and ")));
        work.report.insert("pseudobulk".into(), json!({"by": self.by, "n": n}));
        Ok(work)
    }

    /// Tests every gene.
    pub(super) fn test(&self, mut work: Work, run: &Run) -> Result<Work> {
        let (Some(design), Some(contrast)) = (&self.design, &self.contrast) else {
            return Err(Error::parameter("test needs --design and --contrast, as --design \"~ batch + group\" --contrast group"));
        };
        let settings = TestSettings { design: design.clone(), contrast: contrast.clone() };
        let found = match differential(&work.expression, &settings, &run.progress)? {
            TestOutcome::Done(found) => found,
            TestOutcome::Aliased(findings) => {
                let reason = findings.last().map(|f| f.what.clone()).unwrap_or_default();
                work.lines.push(format!("no test: {reason}"));
                work.report.insert("test".into(), json!({"design": design.to_string(), "aliased": true, "reason": reason}));
                work.findings.extend(findings);
                work.is_refused = true;
                return Ok(work);
            }
        };
        work.table(
            "test.csv",
            Table::new(vec![
                names_column("gene", work.expression.genes()),
                filled("log2fc", found.log2fc.iter().copied()),
                filled("average", found.average.iter().copied()),
                filled("t", found.t.iter().copied()),
                filled("p", found.p.iter().copied()),
                filled("q", found.q.iter().copied()),
                filled("b", found.b.iter().copied()),
            ])?,
        )?;
        let n = found.q.iter().filter(|q| **q < 0.05).count();
        work.lines
            .push(format!("{}: {n} genes below a false discovery rate of 5 % in {} samples", found.contrast, found.n_samples));
        let report = json!({"design": design.to_string(), "contrast": found.contrast, "n_samples": found.n_samples,
            "n_below_5_percent": n, "aliased": false});
        work.report.insert("test".into(), report);
        work.findings.extend(found.findings);
        Ok(work)
    }
}
