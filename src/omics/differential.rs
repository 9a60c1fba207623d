//! Which genes differ between groups of samples: linear models of each gene with moderated t tests, or with
//! a random intercept for each patient. Sources: see [`crate::stats::Moderated`] and
//! [`crate::stats::RandomIntercept`]; logarithms of counts as in Law et al., Genome Biol. 15 (2014) R29.

use super::design::{Contrast, DesignMatrix, Formula, words};
use super::table::{ValueScale, check_table, note_fractions, refuse_negative};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{Expression, Finding};
use crate::stats::{LinearModel, Moderated, Prior, RandomIntercept, benjamini_hochberg};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::LN_2;

/// Names of columns that usually hold the patient.
pub(super) const PATIENT_COLUMNS: [&str; 8] =
    ["patient", "donor", "donor_id", "patient_id", "subject", "subject_id", "individual", "sample"];

/// Settings of [`differential`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestSettings {
    /// The model of every gene.
    pub design: Formula,
    /// What is tested: a column of two groups or of numbers, or `column=B-A`.
    pub contrast: String,
}

/// The tests of all genes, in the order of the table; NaN where a gene has no test.
#[derive(Clone, Debug, PartialEq)]
pub struct Differential {
    /// Difference, in logarithms to base 2.
    pub log2fc: Vec<f64>,
    /// Mean over samples, in the same logarithms.
    pub average: Vec<f64>,
    /// Difference by its standard error.
    pub t: Vec<f64>,
    /// Two-sided.
    pub p: Vec<f64>,
    /// False discovery rate (Benjamini and Hochberg).
    pub q: Vec<f64>,
    /// Log odds that there is a difference; NaN for mixed models, which have none.
    pub b: Vec<f64>,
    /// What was tested, in words.
    pub contrast: String,
    /// Samples used.
    pub n_samples: usize,
    /// What was noticed.
    pub findings: Vec<Finding>,
}

/// Answer of [`differential`].
#[derive(Clone, Debug, PartialEq)]
pub enum TestOutcome {
    /// The tests.
    Done(Differential),
    /// The design cannot tell its columns apart: the answer is no. One finding says which.
    Aliased(Vec<Finding>),
}

/// Tests one contrast for every gene. Counts become log2 counts per million, (count + ½) / (total + 1) · 10⁶;
/// logarithms to base e become those to base 2; other values are taken for logarithms to base 2. Genes without
/// any count have no test. Costs genes × samples × columns².
///
/// Errors: [`Error::Degenerate`] where nothing is left to estimate variances from; [`Error::Parameter`] for
/// unknown columns and levels.
pub fn differential(expression: &Expression, settings: &TestSettings, progress: &Progress) -> Result<TestOutcome> {
    progress.step(0.0, "checking the table")?;
    check_table(expression)?;
    let mut findings = Vec::new();
    let scale = log_scale(expression, &mut findings)?;
    let design = DesignMatrix::new(&settings.design, expression, &mut findings)?;
    let contrast = design.contrast(&settings.contrast)?;
    let (n, p) = (design.rows.len(), design.names.len());
    if let Some(column) = LinearModel::aliased(n, p, &design.values) {
        let mut evidence: Vec<(String, f64)> = vec![("samples".into(), n as f64), ("columns".into(), p as f64)];
        evidence.push(("column".into(), column as f64 + 1.0));
        findings.push(Finding {
            severity: Severity::Error,
            code: "aliased-design",
            what: format!(
                "{} follows from the columns before it in {}, so their effects cannot be told apart",
                design.names[column], settings.design
            ),
            evidence,
            remedy: "leave one of the columns out, or measure samples that separate them".into(),
        });
        return Ok(TestOutcome::Aliased(findings));
    }
    note_sides(expression, settings, &design, &contrast, &mut findings)?;
    let genes = Genes { expression, scale, rows: &design.rows };
    let is_tested = genes.tested(&mut findings);
    if !is_tested.contains(&true) {
        return Err(Error::degenerate("no gene has counts in these samples, so there is nothing to test"));
    }
    let mut found = match settings.design.random() {
        None => moderated(&genes, &design, &contrast, &is_tested, progress)?,
        Some(column) => mixed(&genes, &design, &contrast, (&is_tested, column), progress)?,
    };
    found.q = benjamini_hochberg(&found.p);
    found.contrast = contrast.words;
    found.n_samples = n;
    findings.append(&mut found.findings);
    found.findings = findings;
    Ok(TestOutcome::Done(found))
}

/// How values become logarithms to base 2.
enum LogScale {
    /// Counts per million, from the totals of all observations.
    Counts(Vec<f64>),
    /// From natural logarithms of 1 + value.
    Natural,
    /// From normalized values without logarithm.
    Linear,
    /// As they are.
    Same,
}

fn log_scale(expression: &Expression, findings: &mut Vec<Finding>) -> Result<LogScale> {
    let mut say = |what: &str, remedy: &str| {
        let (what, remedy) = (what.to_owned(), remedy.to_owned());
        findings.push(Finding { severity: Severity::Note, code: "scale-assumed", what, evidence: Vec::new(), remedy });
    };
    if expression.unit == "values" {
        say("the values are no counts and are taken for logarithms to base 2", "give counts where this is wrong");
        return Ok(LogScale::Same);
    }
    match ValueScale::of(expression, &mut Vec::new()) {
        ValueScale::Counts => {
            say("counts are tested as log2 counts per million: (count + 0.5) / (total + 1) × 10⁶", "");
            refuse_negative(expression, "a test of counts")?;
            note_fractions(expression, "a test of counts", findings);
            Ok(LogScale::Counts(expression.totals()))
        }
        ValueScale::Log1p => Ok(LogScale::Natural),
        ValueScale::Linear => {
            say("normalized values are tested as log2(1 + value)", "start from counts");
            refuse_negative(expression, "a logarithm")?;
            Ok(LogScale::Linear)
        }
    }
}

struct Genes<'a> {
    expression: &'a Expression,
    scale: LogScale,
    rows: &'a [usize],
}

impl Genes<'_> {
    /// Logarithms of a gene at the samples of the design.
    fn of(&self, gene: usize) -> Vec<f64> {
        let all = self.expression.dense(gene);
        let one = |&row: &usize| {
            let value = f64::from(all[row]);
            match &self.scale {
                LogScale::Counts(totals) => ((value + 0.5) / (totals[row] + 1.0) * 1e6).log2(),
                LogScale::Natural => value / LN_2,
                LogScale::Linear => value.ln_1p() / LN_2,
                LogScale::Same => value,
            }
        };
        self.rows.iter().map(one).collect()
    }

    /// Genes with a count in these samples; all genes of other tables.
    fn tested(&self, findings: &mut Vec<Finding>) -> Vec<bool> {
        let m = self.expression.genes().len();
        if !matches!(self.scale, LogScale::Counts(_)) {
            return vec![true; m];
        }
        let used: BTreeSet<usize> = self.rows.iter().copied().collect();
        let has = |gene: usize| {
            let (rows, values) = self.expression.gene(gene);
            rows.iter().zip(values).any(|(r, v)| *v > 0.0 && used.contains(&(*r as usize)))
        };
        let out: Vec<bool> = (0..m).map(has).collect();
        let silent = out.iter().filter(|t| !**t).count();
        if silent > 0 {
            findings.push(Finding {
                severity: Severity::Note,
                code: "undetected-genes",
                what: format!("{silent} of {m} genes have no count in these samples and no test"),
                evidence: vec![("n".into(), silent as f64)],
                remedy: String::new(),
            });
        }
        out
    }
}

/// Work of one gene for all tested ones, in order.
fn each<T: Send>(
    genes: &Genes,
    tested: &[bool],
    progress: &Progress,
    f: impl Fn(Vec<f64>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let places: Vec<usize> = (0..tested.len()).filter(|&g| tested[g]).collect();
    let n = places.len();
    let one = |(i, gene): (usize, usize)| {
        if i.is_multiple_of(64) {
            progress.step(0.1 + 0.8 * i as f64 / n as f64, "fitting genes")?;
        }
        f(genes.of(gene))
    };
    places.into_par_iter().enumerate().map(one).collect()
}

/// Values of the tested genes at their places.
fn spread(values: impl IntoIterator<Item = f64>, tested: &[bool]) -> Vec<f64> {
    let mut values = values.into_iter();
    tested.iter().map(|t| if *t { values.next().unwrap_or(f64::NAN) } else { f64::NAN }).collect()
}

fn mean(y: &[f64]) -> f64 {
    y.iter().sum::<f64>() / y.len() as f64
}

fn moderated(
    genes: &Genes,
    design: &DesignMatrix,
    contrast: &Contrast,
    tested: &[bool],
    progress: &Progress,
) -> Result<Differential> {
    let model = LinearModel::new(design.rows.len(), design.names.len(), &design.values)?;
    let fits = each(genes, tested, progress, |y| {
        let fit = model.fit(&y);
        let effect: f64 = fit.coefficients.iter().zip(&contrast.weights).map(|(c, w)| c * w).sum();
        Ok((effect, mean(&y), fit.variance))
    })?;
    let effects: Vec<f64> = fits.iter().map(|f| f.0).collect();
    let variances: Vec<f64> = fits.iter().map(|f| f.2).collect();
    let df = model.df() as f64;
    let Some(prior) = Prior::of(&variances, df) else {
        return Err(Error::degenerate("no gene varies beyond the design, so there is no variance to test against"));
    };
    let tests = Moderated::new(&effects, &variances, df, model.unscaled(&contrast.weights), &prior);
    let findings = vec![Finding {
        severity: Severity::Note,
        code: "moderated-variance",
        what: format!(
            "variances are drawn towards {:.4} with {:.2} degrees of freedom beside the {df} of each gene",
            prior.variance, prior.df
        ),
        evidence: vec![("prior_variance".into(), prior.variance), ("prior_df".into(), prior.df), ("residual_df".into(), df)],
        remedy: String::new(),
    }];
    Ok(Differential {
        log2fc: spread(effects, tested),
        average: spread(fits.iter().map(|f| f.1), tested),
        t: spread(tests.t, tested),
        p: spread(tests.p, tested),
        q: Vec::new(),
        b: spread(tests.log_odds, tested),
        contrast: String::new(),
        n_samples: 0,
        findings,
    })
}

fn mixed(
    genes: &Genes,
    design: &DesignMatrix,
    contrast: &Contrast,
    (tested, column): (&[bool], &str),
    progress: &Progress,
) -> Result<Differential> {
    let names = words(genes.expression, column)?;
    let of: Vec<&str> = design.rows.iter().filter_map(|&i| names[i].as_deref()).collect();
    let place: BTreeMap<&str, usize> = of.iter().collect::<BTreeSet<_>>().into_iter().enumerate().map(|(i, n)| (*n, i)).collect();
    let groups: Vec<usize> = of.iter().map(|n| place[n]).collect();
    let model = RandomIntercept::new(design.rows.len(), design.names.len(), &design.values, &groups)?;
    let tests = each(genes, tested, progress, |y| {
        let average = mean(&y);
        if y.iter().all(|v| *v == y[0]) {
            return Ok([0.0, average, f64::NAN, f64::NAN]);
        }
        let fit = model.fit(&y)?;
        if fit.variance <= 1e-20 * y.iter().map(|v| v * v).sum::<f64>() {
            return Ok([f64::NAN, average, f64::NAN, f64::NAN]);
        }
        let test = model.test(&y, &fit, &contrast.weights)?;
        Ok([test.effect, average, test.effect / test.error, test.p])
    })?;
    let column = |k: usize| spread(tests.iter().map(|t| t[k]), tested);
    Ok(Differential {
        log2fc: column(0),
        average: column(1),
        t: column(2),
        p: column(3),
        q: Vec::new(),
        b: vec![f64::NAN; tested.len()],
        contrast: String::new(),
        n_samples: 0,
        findings: Vec::new(),
    })
}

/// Says where a side of the contrast is one sample or one patient, and where samples of a patient are taken for independent.
fn note_sides(
    expression: &Expression,
    settings: &TestSettings,
    design: &DesignMatrix,
    contrast: &Contrast,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let known = |c: &&str| expression.columns.contains_key(*c);
    let patient = settings.design.random().or_else(|| PATIENT_COLUMNS.iter().copied().find(known));
    let names = patient.map(|p| words(expression, p)).transpose()?;
    let patients = |samples: &[usize]| {
        names.as_ref().map(|n| samples.iter().filter_map(|&i| n[design.rows[i]].as_deref()).collect::<BTreeSet<_>>().len())
    };
    for (level, samples) in &contrast.sides {
        let n_patients = patients(samples).filter(|n| *n > 0).unwrap_or(samples.len());
        if n_patients == 1 {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "one-patient",
                what: format!(
                    "{level} is one patient ({} samples): what differs may be this patient and not {level}",
                    samples.len()
                ),
                evidence: vec![("patients".into(), 1.0), ("samples".into(), samples.len() as f64)],
                remedy: "add patients; a test between groups needs several in each".into(),
            });
        }
    }
    let all: Vec<usize> = (0..design.rows.len()).collect();
    if let (Some(column), Some(n), None) = (patient, patients(&all), settings.design.random())
        && (1..all.len()).contains(&n)
    {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "repeated-patients",
            what: format!("{} samples are of {n} patients ({column}), but the test takes them for independent", all.len()),
            evidence: vec![("samples".into(), all.len() as f64), ("patients".into(), n as f64)],
            remedy: format!("sum by patient first, or add (1|{column}) to the design"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;
    use crate::model::Column;

    fn run(rows: &[&[f32]], columns: &[(&str, &[&str])], design: &str) -> Result<TestOutcome> {
        let mut e = table(rows);
        e.unit = "values".into();
        for (name, words) in columns {
            e.columns.insert((*name).to_owned(), Column::Text(words.iter().map(|w| (*w).to_owned()).collect()));
        }
        let settings = TestSettings { design: design.parse().unwrap(), contrast: "group".into() };
        differential(&e, &settings, &Progress::none())
    }

    const ROWS: [&[f32]; 6] =
        [&[1.0, 5.0, 2.0], &[1.5, 5.5, 2.0], &[1.2, 4.0, 2.0], &[3.0, 5.2, 2.0], &[3.4, 4.1, 2.0], &[2.9, 4.4, 2.0]];

    #[test]
    fn a_difference_is_found_and_the_constant_gene_is_not() {
        let TestOutcome::Done(found) = run(&ROWS, &[("group", &["a", "a", "a", "b", "b", "b"])], "~ group").unwrap() else {
            panic!()
        };
        assert!((found.log2fc[0] - 1.866_666_7).abs() < 1e-6 && found.p[0] < 0.01 && found.p[1] > 0.3);
        assert_eq!((found.log2fc[2].abs() < 1e-12, found.contrast.as_str(), found.n_samples), (true, "b against a", 6));
    }

    #[test]
    fn designs_that_cannot_work_say_so() {
        let groups: (&str, &[&str]) = ("group", &["a", "a", "a", "b", "b", "b"]);
        let batch: (&str, &[&str]) = ("batch", &["x", "x", "x", "y", "y", "y"]);
        let TestOutcome::Aliased(findings) = run(&ROWS, &[groups, batch], "~ batch + group").unwrap() else { panic!() };
        assert!(findings.iter().any(|f| f.code == "aliased-design" && f.what.contains("group[b]")));
        let one: (&str, &[&str]) = ("patient", &["p", "q", "r", "s", "s", "s"]);
        let TestOutcome::Done(found) = run(&ROWS, &[groups, one], "~ group").unwrap() else { panic!() };
        let codes: Vec<_> = found.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["scale-assumed", "one-patient", "repeated-patients", "moderated-variance"]);
        let few = run(&ROWS[2..4], &[("group", &["a", "b"])], "~ group").unwrap_err().to_string();
        assert!(few.contains("2 samples for 2 coefficients"), "{few}");
        let error = run(&ROWS, &[groups], "~ group + (1|patient)").unwrap_err().to_string();
        assert!(error.contains("no column patient"));
    }

    #[test]
    fn patients_may_be_random() {
        let groups: (&str, &[&str]) = ("group", &["a", "a", "a", "b", "b", "b"]);
        let patients: (&str, &[&str]) = ("patient", &["p", "p", "q", "r", "r", "s"]);
        let TestOutcome::Done(found) = run(&ROWS, &[groups, patients], "~ group + (1|patient)").unwrap() else { panic!() };
        assert!(found.p[0] < 0.05 && found.b[0].is_nan() && found.p[2].is_nan());
    }
}
