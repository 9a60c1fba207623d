//! `measure`: numbers of the heart as tidy tables.

mod bullseye;
mod calcium;
mod compare;
mod contours;
mod heart;
mod muscle;
mod radiomics;
mod tool;

use super::Run;
use super::print::{finding_json, notes_json};
use crate::base::{Error, Result};
use crate::cardiac::{Measure as Row, Measured};
use crate::io::{self, Table, TableColumn};
use crate::model::LabelMap;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Measure {
    /// Volumes, ejection fraction and mass from segmentations.
    Ventricles(heart::Ventricles),
    /// The 17 segments.
    Segments(heart::Segments),
    /// Wall thickness and thickening.
    Wall(muscle::Wall),
    /// Late enhancement: mass, share and transmurality of scar.
    Scar(muscle::Scar),
    /// Extracellular volume from T1 maps.
    Ecv(muscle::Ecv),
    /// Strain from followed contours, or from labels of a whole beat.
    Strain(contours::Strain),
    /// Volumes and strain from echocardiographic contours, mass from diameters.
    Echo(contours::Echo),
    /// Coronary calcium.
    Calcium(calcium::Calcium),
    /// Two readers: overlap of labels, agreement of numbers.
    Compare(compare::Compare),
    /// Any number per segment as a bullseye: picture or table.
    Bullseye(bullseye::Bullseye),
    /// Lengths, angles and areas of points, with what the size of a pixel lets be wrong.
    Tool(tool::Tool),
    /// Texture, shape and intensities of a region, as the IBSI defines them.
    Radiomics(radiomics::Radiomics),
}

/// Where the table goes and whom it is about.
#[derive(Args, Debug)]
pub struct Output {
    /// Write the table there (`.csv`, `.tsv`, `.parquet`).
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Name of the subject in the table; default a hash of the file's name, which may carry a patient's.
    #[arg(long)]
    subject: Option<String>,
}

impl Measure {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Ventricles(c) => c.run(run),
            Self::Segments(c) => c.run(run),
            Self::Wall(c) => c.run(run),
            Self::Scar(c) => c.run(run),
            Self::Ecv(c) => c.run(run),
            Self::Strain(c) => c.run(run),
            Self::Echo(c) => c.run(run),
            Self::Calcium(c) => c.run(run),
            Self::Compare(c) => c.run(run),
            Self::Bullseye(c) => c.run(run),
            Self::Tool(c) => c.run(run),
            Self::Radiomics(c) => c.run(run),
        }
    }
}

/// The file's path with what is degenerate in it.
fn named(error: Error, path: &Path) -> Error {
    match error {
        Error::Degenerate(text) => Error::Degenerate(format!("{text}: {}", path.display())),
        other => other.at(path),
    }
}

/// Labels as a file where one is asked for.
fn write_labels(path: Option<&Path>, labels: &LabelMap) -> Result<()> {
    path.map_or(Ok(()), |path| io::write_nifti_labels(path, labels))
}

impl Output {
    pub fn subject_of(&self, file: &Path) -> String {
        let name = PathBuf::from(file.file_name().unwrap_or_default());
        self.subject.clone().unwrap_or_else(|| io::project::path_key(&name)[..8].to_owned())
    }

    /// Writes the table, or prints what was measured; then what was found doubtful.
    pub fn write(&self, run: &mut Run, measured: &Measured, extra: Value) -> Result<u8> {
        let (rows, findings) = (&measured.rows, &measured.findings);
        let table = table(rows)?;
        if let Some(path) = &self.out {
            table.write(path)?;
        }
        if run.shared.json {
            let mut object = json!({
                "measures": rows.iter().map(row_json).collect::<Vec<_>>(),
                "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
                "notes": notes_json(&run.warnings.notes),
            });
            if let (Some(object), Value::Object(extra)) = (object.as_object_mut(), extra) {
                object.extend(extra);
            }
            run.printer.json(&object);
        } else if self.out.is_none() {
            let header = format!("{:<8} {:<3} {:<24} {:>10} unit   method", "region", "ph", "metric", "value");
            run.printer.line(&header);
            for r in rows {
                let value = crate::session::three_digits(r.value);
                run.printer
                    .line(&format!("{:<8} {:<3} {:<24} {value:>10} {:<6} {}", r.region, r.phase, r.metric, r.unit, r.method));
            }
        }
        for f in findings {
            run.printer.remark(&format!("{} [{}]: {} {}", f.severity.name(), f.code, f.what, f.remedy));
        }
        Ok(0)
    }
}

fn table(rows: &[Row]) -> Result<Table> {
    let text = |name: &str, of: fn(&Row) -> &str| TableColumn::text(name, rows.iter().map(|r| Some(of(r))));
    Table::new(vec![
        text("subject", |r| &r.subject),
        text("region", |r| &r.region),
        text("phase", |r| &r.phase),
        text("metric", |r| &r.metric),
        TableColumn::numbers("value", rows.iter().map(|r| Some(r.value))),
        text("unit", |r| r.unit),
        text("method", |r| &r.method),
    ])
}

fn row_json(r: &Row) -> Value {
    json!({
        "subject": r.subject, "region": r.region, "phase": r.phase, "metric": r.metric,
        "value": r.value, "unit": r.unit, "method": r.method,
    })
}
