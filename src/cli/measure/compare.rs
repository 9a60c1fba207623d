//! `measure compare`: two readers.

use super::heart::LabelValues;
use super::{Output, named};
use crate::base::{Error, Result};
use crate::cardiac::{Measured, compare_labels, tell_agreement};
use crate::cli::Run;
use crate::io::{self, Table};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names of the labels.
const NAMES: [&str; 3] = ["lv", "myo", "rv"];
/// Units that tables of measures use.
const UNITS: [&str; 11] = ["mL", "mL/m2", "g", "g/m2", "%", "mm", "mm3", "mg", "L/min", "L/min/m2", "1"];

/// `measure compare`.
#[derive(Args, Debug)]
pub struct Compare {
    /// Segmentations of the first reader, one per subject.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "b", conflicts_with = "table_a")]
    a: Vec<PathBuf>,
    /// Segmentations of the second reader, in the same order.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "a")]
    b: Vec<PathBuf>,
    /// Table of measures of the first reader.
    #[arg(long, value_name = "FILE", requires = "table_b", required_unless_present = "a")]
    table_a: Option<PathBuf>,
    /// Table of measures of the second reader.
    #[arg(long, value_name = "FILE", requires = "table_a")]
    table_b: Option<PathBuf>,
    /// Compare numbers of different definitions (column `method`) as if they were one.
    #[arg(long)]
    pool_methods: bool,
    #[command(flatten)]
    values: LabelValues,
    #[command(flatten)]
    output: Output,
}

impl Compare {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let measured = match (&self.table_a, &self.table_b) {
            (Some(a), Some(b)) => self.tables(run, [a, b])?,
            _ => self.labels(run)?,
        };
        self.output.write(run, &measured, json!({}))
    }

    fn labels(&self, run: &mut Run) -> Result<Measured> {
        if self.a.len() != self.b.len() {
            return Err(Error::parameter(format!(
                "{} files of reader a and {} of reader b; give one of each per subject",
                self.a.len(),
                self.b.len()
            )));
        }
        let values = self.values.values()?;
        let names: Vec<(&str, u8)> = NAMES.into_iter().zip(values).collect();
        let mut all = Measured::default();
        let mut volumes: BTreeMap<&str, Vec<[f64; 2]>> = BTreeMap::new();
        for (done, (first, second)) in self.a.iter().zip(&self.b).enumerate() {
            let a = io::read_labels(first, &mut run.reading())?;
            let b = io::read_labels(second, &mut run.reading())?;
            if a.n_phases() != b.n_phases() {
                return Err(Error::Degenerate(format!(
                    "{} and {} phases cannot be compared: {}",
                    a.n_phases(),
                    b.n_phases(),
                    second.display()
                )));
            }
            let subject = self.output.subject_of(first);
            for phase in 0..a.n_phases() {
                let part = run.progress.part(done as f64 / self.a.len() as f64, (done + 1) as f64 / self.a.len() as f64);
                let mut found =
                    compare_labels([(&a, phase), (&b, phase)], &names, &part).map_err(|e| named(e, second))?.of(&subject);
                for name in NAMES {
                    if let (Some(a), Some(b)) = (found.value(name, "", "volume_a"), found.value(name, "", "volume_b")) {
                        volumes.entry(name).or_default().push([a, b]);
                    }
                }
                if a.n_phases() > 1 {
                    found.rows.iter_mut().for_each(|r| r.phase = phase.to_string());
                }
                all.rows.extend(found.rows);
            }
        }
        for name in NAMES {
            if let Some(pairs) = volumes.get(name) {
                tell_agreement(&mut all, (name, ""), ("volume", "mL"), pairs);
            }
        }
        Ok(all)
    }

    fn tables(&self, run: &Run, paths: [&PathBuf; 2]) -> Result<Measured> {
        let [a, b] = [read(run, paths[0])?, read(run, paths[1])?];
        let mut pairs: BTreeMap<(String, String, String, String), Vec<[f64; 2]>> = BTreeMap::new();
        let mut methods: BTreeMap<(String, String, String), [String; 2]> = BTreeMap::new();
        for (key, (value, unit, method)) in &a {
            let Some((other, other_unit, other_method)) = b.get(key) else { continue };
            let [_, region, phase, metric] = key.clone();
            if unit != other_unit {
                return Err(Error::degenerate(format!(
                    "{region} {metric} is in {unit} and in {other_unit}; convert one of the tables"
                )));
            }
            if definition(method) != definition(other_method) && !self.pool_methods {
                methods.entry((region, phase, metric)).or_insert([method.clone(), other_method.clone()]);
                continue;
            }
            pairs.entry((region, phase, metric, unit.clone())).or_default().push([*value, *other]);
        }
        if let Some(((region, phase, metric), [a, b])) = methods.first_key_value() {
            let what = format!(
                "{region} {phase} {metric} follows two definitions ('{a}' and '{b}'), and so do {} more; numbers of different definitions are not pooled unless --pool-methods says so",
                methods.len() - 1
            );
            return Err(Error::Degenerate(format!("{what}: {}", paths[1].display())));
        }
        if pairs.is_empty() {
            return Err(Error::degenerate(
                "the tables share no subject, region, phase and metric; name subjects alike with --subject",
            ));
        }
        let mut measured = Measured::default();
        for ((region, phase, metric, unit), pairs) in &pairs {
            let unit = UNITS.into_iter().find(|u| u == unit).unwrap_or("");
            tell_agreement(&mut measured, (region, phase), (metric, unit), pairs);
        }
        Ok(measured)
    }
}

/// The part of a method that is a convention: without phases, thresholds and counts that differ by subject.
fn definition(method: &str) -> String {
    let own = ["ED phase", "threshold", "insertions", "remote:", "BSA", "peak"];
    method.split(';').map(str::trim).filter(|part| own.iter().all(|o| !part.contains(o))).collect::<Vec<_>>().join("; ")
}

/// Value, unit and method by subject, region, phase and metric.
type Rows = BTreeMap<[String; 4], (f64, String, String)>;

fn read(run: &Run, path: &Path) -> Result<Rows> {
    let table = Table::read(path, &run.limits)?;
    let read = || -> Result<Rows> {
        let texts = |name: &str| table.texts(name).map(|t| t.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        let keys = [texts("subject")?, texts("region")?, texts("phase")?, texts("metric")?];
        let (values, units, methods) = (table.numbers("value")?, texts("unit")?, texts("method")?);
        let mut rows = Rows::new();
        for (row, value) in values.into_iter().enumerate() {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            let key = [0, 1, 2, 3].map(|k| keys[k][row].clone());
            let named = key.join(" ");
            if rows.insert(key, (value, units[row].clone(), methods[row].clone())).is_some() {
                return Err(Error::malformed(format!("row {} repeats '{named}'; keep one number of each", row + 2)));
            }
        }
        Ok(rows)
    };
    read().map_err(|e| e.at(path))
}
