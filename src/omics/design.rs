//! Designs of linear models from columns of the observations: `~ batch + group`, with `C(x)` for numbers
//! that name groups and `(1|patient)` for a random intercept; and contrasts of their coefficients.

use crate::base::{Error, Result, Severity};
use crate::model::{Column, Expression, Finding};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The right side of a model formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// Fixed terms: a column, and whether its numbers are names.
    terms: Vec<(String, bool)>,
    /// The column whose values have a random intercept.
    random: Option<String>,
}

impl FromStr for Formula {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "expected columns joined by +, as “~ batch + group” or “~ group + (1|patient)”";
        let Some(right) = text.trim().strip_prefix('~') else { return Err(format!("{example}; got {text}")) };
        let (mut terms, mut random): (Vec<(String, bool)>, Option<String>) = (Vec::new(), None);
        for word in right.split('+').map(str::trim) {
            let inside = |open: &str| word.strip_prefix(open).and_then(|w| w.strip_suffix(')')).map(str::trim);
            let random_of = || inside("(")?.strip_prefix('1')?.trim_start().strip_prefix('|').map(|c| c.trim().to_owned());
            if word == "1" {
                continue;
            }
            if let Some(column) = random_of() {
                if random.replace(column).is_some() {
                    return Err(format!("{text} has two random terms; one is possible"));
                }
                continue;
            }
            let term = inside("C(").map_or_else(|| (word.to_owned(), false), |c| (c.to_owned(), true));
            if term.0.is_empty() || term.0 == "0" || term.0.contains(['*', ':', '|', '~', '(', ')']) || term.0.ends_with("- 1") {
                return Err(format!("“{word}” is no column; {example}; there is always an intercept and no interactions"));
            }
            if terms.iter().any(|t| t.0 == term.0) {
                return Err(format!("{} is in {text} twice", term.0));
            }
            terms.push(term);
        }
        Ok(Self { terms, random })
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = self.terms.iter().map(|(c, named)| if *named { format!("C({c})") } else { c.clone() });
        let words: Vec<String> = fixed.chain(self.random.iter().map(|r| format!("(1|{r})"))).collect();
        if words.is_empty() { f.write_str("~ 1") } else { write!(f, "~ {}", words.join(" + ")) }
    }
}

impl Formula {
    /// The column of the random intercept.
    #[must_use]
    pub fn random(&self) -> Option<&str> {
        self.random.as_deref()
    }
}

/// One fixed term in the matrix.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    column: String,
    /// First column of the matrix.
    at: usize,
    /// Levels in order, the first is the reference; empty for numbers.
    levels: Vec<String>,
    /// Level of each sample.
    codes: Vec<usize>,
}

/// A design matrix with an intercept first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DesignMatrix {
    /// Observations that have all values.
    pub rows: Vec<usize>,
    /// Names of the columns.
    pub names: Vec<String>,
    /// Samples × columns, row-major.
    pub values: Vec<f64>,
    blocks: Vec<Block>,
}

/// What is tested.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contrast {
    /// By column of the matrix.
    pub weights: Vec<f64>,
    /// As `B against A`.
    pub words: String,
    /// Levels compared, with their samples (numbers within the design).
    pub sides: Vec<(String, Vec<usize>)>,
}

impl DesignMatrix {
    /// From columns of the observations; observations with a missing value are left out, and a finding says so.
    pub fn new(formula: &Formula, expression: &Expression, findings: &mut Vec<Finding>) -> Result<Self> {
        let n = expression.observations().len();
        let mut keep = vec![true; n];
        for name in formula.terms.iter().map(|t| &t.0).chain(&formula.random) {
            let words = words(expression, name)?;
            (0..n).for_each(|i| keep[i] &= words[i].is_some());
        }
        let rows: Vec<usize> = (0..n).filter(|&i| keep[i]).collect();
        if rows.len() < n {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "missing-covariates",
                what: format!("{} of {n} observations lack a value of the design and are left out", n - rows.len()),
                evidence: vec![("left_out".into(), (n - rows.len()) as f64)],
                remedy: "fill in the columns of the design".into(),
            });
        }
        let mut design = Self { names: vec!["intercept".into()], values: Vec::new(), blocks: Vec::new(), rows };
        let mut columns = vec![vec![1.0; design.rows.len()]];
        for (name, named) in &formula.terms {
            design.add(name, *named, expression, &mut columns, findings)?;
        }
        design.values = (0..design.rows.len()).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
        Ok(design)
    }

    fn add(
        &mut self,
        name: &str,
        named: bool,
        expression: &Expression,
        columns: &mut Vec<Vec<f64>>,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let at = columns.len();
        if let (Some(Column::Number(values)), false) = (expression.columns.get(name), named) {
            let values: Vec<f64> = self.rows.iter().map(|&i| values[i]).collect();
            note_numbers(name, &values, findings);
            columns.push(values);
            self.names.push(name.to_owned());
            self.blocks.push(Block { column: name.to_owned(), at, levels: Vec::new(), codes: Vec::new() });
            return Ok(());
        }
        let words = words(expression, name)?;
        let of: Vec<&String> = self.rows.iter().filter_map(|&i| words[i].as_ref()).collect();
        let levels = levels(expression, name, &of);
        if levels.len() < 2 {
            let only = levels.first().cloned().unwrap_or_default();
            return Err(Error::degenerate(format!(
                "all observations have the same {name} ({only}); at least two groups are needed"
            )));
        }
        let codes: Vec<usize> = of.iter().map(|w| levels.iter().position(|l| l == *w).unwrap_or(0)).collect();
        for (code, level) in levels.iter().enumerate().skip(1) {
            columns.push(codes.iter().map(|c| f64::from(u8::from(*c == code))).collect());
            self.names.push(format!("{name}[{level}]"));
        }
        self.blocks.push(Block { column: name.to_owned(), at, levels, codes });
        Ok(())
    }

    /// The contrast of `column` (two levels, or numbers), `column=B` (against the reference) or `column=B-A`.
    pub fn contrast(&self, text: &str) -> Result<Contrast> {
        let (name, choice) = text.split_once('=').map_or((text, None), |(n, c)| (n.trim(), Some(c.trim())));
        let Some(block) = self.blocks.iter().find(|b| b.column == name) else {
            let known: Vec<&str> = self.blocks.iter().map(|b| b.column.as_str()).collect();
            return Err(Error::parameter(format!("--contrast {text}: the design has no {name}, only {}", known.join(", "))));
        };
        let mut weights = vec![0.0; self.names.len()];
        if block.levels.is_empty() {
            weights[block.at] = 1.0;
            return Ok(Contrast { weights, words: format!("one unit of {name}"), sides: Vec::new() });
        }
        let level = |word: &str| block.levels.iter().position(|l| l == word);
        let pair = match choice {
            None if block.levels.len() == 2 => Some((1, 0)),
            None => None,
            Some(word) => level(word).map(|b| (b, 0)).or_else(|| {
                word.match_indices('-').find_map(|(i, _)| Some((level(word[..i].trim())?, level(word[i + 1..].trim())?)))
            }),
        };
        let Some((b, a)) = pair.filter(|(b, a)| a != b) else {
            return Err(Error::parameter(format!(
                "--contrast {text}: {name} has the levels {}; say which as {name}={}-{}",
                block.levels.join(", "),
                block.levels[block.levels.len() - 1],
                block.levels[0]
            )));
        };
        for (code, sign) in [(b, 1.0), (a, -1.0)].into_iter().filter(|(c, _)| *c > 0) {
            weights[block.at + code - 1] = sign;
        }
        let members = |code: usize| (0..block.codes.len()).filter(|&i| block.codes[i] == code).collect();
        let sides = [b, a].map(|c| (block.levels[c].clone(), members(c))).to_vec();
        Ok(Contrast { weights, words: format!("{} against {}", block.levels[b], block.levels[a]), sides })
    }
}

/// The values of a column of the observations as words; `None` is missing.
pub(super) fn words(expression: &Expression, name: &str) -> Result<Vec<Option<String>>> {
    let filled = |w: &String| Some(w.clone()).filter(|w| !w.is_empty());
    match expression.columns.get(name) {
        Some(Column::Number(v)) => Ok(v.iter().map(|x| Some(x.to_string()).filter(|_| x.is_finite())).collect()),
        Some(Column::Text(v)) => Ok(v.iter().map(filled).collect()),
        Some(Column::Category { codes, names }) => Ok(codes.iter().map(|c| names.get(*c as usize).and_then(filled)).collect()),
        None => {
            let known: Vec<&str> = expression.columns.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            Err(Error::parameter(format!("the table has no column {name} of its observations; {known}")))
        }
    }
}

/// Levels that occur: in the order of the categories, or sorted (numbers by size).
pub(super) fn levels(expression: &Expression, name: &str, used: &[&String]) -> Vec<String> {
    let set: BTreeSet<&String> = used.iter().copied().collect();
    match expression.columns.get(name) {
        Some(Column::Category { names, .. }) => {
            let mut seen = BTreeSet::new();
            names.iter().filter(|n| set.contains(n) && seen.insert(*n)).cloned().collect()
        }
        Some(Column::Number(_)) => {
            let mut out: Vec<String> = set.into_iter().cloned().collect();
            let number = |s: &String| s.parse::<f64>().unwrap_or(f64::NAN);
            out.sort_by(|a, b| number(a).total_cmp(&number(b)));
            out
        }
        _ => set.into_iter().cloned().collect(),
    }
}

/// Few whole numbers may be names of groups.
fn note_numbers(name: &str, values: &[f64], findings: &mut Vec<Finding>) {
    let distinct: BTreeSet<u64> = values.iter().map(|v| v.to_bits()).collect();
    if (3..=12).contains(&distinct.len()) && values.iter().all(|v| v.fract() == 0.0) {
        findings.push(Finding {
            severity: Severity::Note,
            code: "numbers-as-numbers",
            what: format!("{name} has {} whole numbers and is taken as a slope, not as groups", distinct.len()),
            evidence: vec![("distinct".into(), distinct.len() as f64)],
            remedy: format!("write C({name}) where its numbers are names"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::table;
    use super::*;

    fn samples() -> Expression {
        let mut e = table(&[&[1.0], &[2.0], &[3.0], &[4.0]]);
        let category =
            Column::Category { codes: vec![1, 0, 2, u32::MAX], names: ["B-1", "A", "C", "unused"].map(String::from).to_vec() };
        e.columns.insert("kind".into(), category);
        e.columns.insert("batch".into(), Column::Number(vec![1.0, 2.0, 10.0, 2.0]));
        e.columns.insert("site".into(), Column::Text(["x", "x", "x", "x"].map(String::from).to_vec()));
        e
    }

    #[test]
    fn formulas_are_read() {
        let read = |t: &str| t.parse::<Formula>();
        for (text, back) in
            [("~ batch + group", "~ batch + group"), ("~1+C(day)+( 1 | patient )", "~ C(day) + (1|patient)"), ("~1", "~ 1")]
        {
            assert_eq!(read(text).unwrap().to_string(), back);
        }
        for bad in ["batch", "~", "~ a:b", "~ a*b", "~ 0 + a", "~ a + a", "~ a - 1", "~ (1|a) + (1|b)", "~ a + "] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn levels_become_columns() {
        let mut findings = Vec::new();
        let design = DesignMatrix::new(&"~ kind + C(batch)".parse().unwrap(), &samples(), &mut findings).unwrap();
        assert_eq!(design.rows, [0, 1, 2]);
        assert_eq!(design.names, ["intercept", "kind[A]", "kind[C]", "batch[2]", "batch[10]"]);
        assert_eq!(design.values[..5], [1.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(findings[0].code, "missing-covariates");
        let contrast = design.contrast("kind=C-B-1").unwrap();
        assert_eq!((contrast.weights[2], contrast.words.as_str()), (1.0, "C against B-1"));
        assert_eq!(design.contrast("kind=C-A").unwrap().weights[1..3], [-1.0, 1.0]);
        for (bad, part) in [("kind", "say which as kind=C-B-1"), ("kind=Q", "levels B-1, A, C"), ("x", "the design has no x")] {
            assert!(design.contrast(bad).unwrap_err().to_string().contains(part), "{bad}");
        }
        let numbers = DesignMatrix::new(&"~ batch".parse().unwrap(), &samples(), &mut findings).unwrap();
        assert_eq!(numbers.contrast("batch").unwrap().weights, [0.0, 1.0]);
        let error = |f: &str| DesignMatrix::new(&f.parse().unwrap(), &samples(), &mut Vec::new()).unwrap_err().to_string();
        assert!(error("~ site").contains("same site (x)"));
        assert!(error("~ sex").contains("no column sex of its observations; it has batch, kind, site"));
    }
}
