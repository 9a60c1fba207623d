//! `measure ventricles` and `measure segments`.

use super::Run;
use super::points::point;
use super::print::{finding_json, notes_json};
use crate::base::{Error, Result};
use crate::cardiac::{
    Anchor, Levels, Measure as Row, SegmentSettings, VentricleSettings, measure_segments, segment_labels, ventricles,
};
use crate::io::{self, Table, TableColumn};
use crate::model::Finding;
use crate::space::DVec3;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(Debug, Subcommand)]
pub enum Measure {
    /// Volumes, ejection fraction and mass from segmentations.
    Ventricles(Ventricles),
    /// The 17 segments.
    Segments(Segments),
    /// Texture, shape and intensities of a region, as the IBSI defines them.
    Radiomics(super::measure_radiomics::Radiomics),
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

/// Which label values mean what.
#[derive(Args, Debug)]
pub struct LabelValues {
    /// As `lv=3`; the defaults are lv=3, myo=2, rv=1.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    label_values: Vec<String>,
}

impl LabelValues {
    fn values(&self) -> Result<[u8; 3]> {
        let mut values = [3, 2, 1];
        for text in &self.label_values {
            let wrong = || Error::parameter(format!("--label {text}: expected lv=N, myo=N or rv=N with N from 1 to 255"));
            let (name, value) = text.split_once('=').ok_or_else(wrong)?;
            let slot = ["lv", "myo", "rv"].iter().position(|n| *n == name).ok_or_else(wrong)?;
            values[slot] = value.parse().ok().filter(|v| *v > 0).ok_or_else(wrong)?;
        }
        if values[0] == values[1] || values[0] == values[2] || values[1] == values[2] {
            return Err(Error::parameter(format!("lv={}, myo={} and rv={} must differ", values[0], values[1], values[2])));
        }
        Ok(values)
    }
}

/// `measure ventricles`.
#[derive(Args, Debug)]
pub struct Ventricles {
    /// Segmentation at end-diastole, or of all phases (4-D).
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Segmentation at end-systole.
    #[arg(long, value_name = "FILE")]
    labels_es: Option<PathBuf>,
    #[command(flatten)]
    values: LabelValues,
    /// Choose the right ventricle's own phases in 4-D.
    #[arg(long)]
    rv_own_phases: bool,
    /// Beats per minute.
    #[arg(long, value_name = "BPM")]
    heart_rate: Option<f64>,
    /// Body height.
    #[arg(long, requires = "weight_kg")]
    height_cm: Option<f64>,
    /// Body weight.
    #[arg(long, requires = "height_cm")]
    weight_kg: Option<f64>,
    #[command(flatten)]
    output: Output,
}

/// Which convention of segments.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AnchorName {
    /// Equal 60° from the anterior RV insertion.
    Anterior,
    /// Equal 60° about the middle of the septum.
    MidSeptum,
    /// Septum split by both insertions.
    Both,
}

/// How levels are divided.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LevelName {
    /// Whole slices in thirds.
    Thirds,
    /// By the long-axis coordinate of each voxel.
    Continuous,
}

/// `measure segments`.
#[derive(Args, Debug)]
pub struct Segments {
    /// Segmentation.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Image whose mean is taken per segment.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[command(flatten)]
    values: LabelValues,
    /// Anterior and inferior RV insertion, `x,y,z/x,y,z`; found from the RV label where not given.
    #[arg(long, value_name = "POINTS", allow_hyphen_values = true)]
    insertions: Option<String>,
    /// Endocardial apex, `x,y,z`.
    #[arg(long, value_name = "POINT", requires = "base", allow_hyphen_values = true)]
    apex: Option<String>,
    /// Middle of the mitral annulus, `x,y,z`.
    #[arg(long, value_name = "POINT", requires = "apex", allow_hyphen_values = true)]
    base: Option<String>,
    /// Convention of the segments.
    #[arg(long, value_enum, default_value = "anterior")]
    anchor: AnchorName,
    /// Division of the levels.
    #[arg(long, value_enum, default_value = "thirds")]
    levels: LevelName,
    /// Space of the points given.
    #[arg(long, default_value = "lps", value_parser = ["lps", "ras", "voxel"])]
    space: String,
    /// Phase of a 4-D segmentation, from 0.
    #[arg(long, default_value_t = 0)]
    phase: usize,
    /// Write the segments as labels 1 to 17.
    #[arg(long, value_name = "FILE")]
    out_labels: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

impl Measure {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        match self {
            Self::Ventricles(c) => c.run(run),
            Self::Segments(c) => c.run(run),
            Self::Radiomics(c) => c.run(run),
        }
    }
}

impl Ventricles {
    fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let [lv, myo, rv] = self.values.values()?;
        let labels = io::read_labels(&self.labels, &mut run.reading())?;
        let labels_es = self.labels_es.as_ref().map(|p| io::read_labels(p, &mut run.reading())).transpose()?;
        let settings = VentricleSettings {
            subject: self.output.subject_of(&self.labels),
            lv,
            myo,
            rv,
            rv_own_phases: self.rv_own_phases,
            heart_rate: self.heart_rate,
            height_cm: self.height_cm,
            weight_kg: self.weight_kg,
        };
        let rows = ventricles(&labels, labels_es.as_ref(), &settings, &mut run.warnings).map_err(|e| named(e, &self.labels))?;
        self.output.write(run, &rows, &[], json!({}))
    }
}

impl Segments {
    fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref(), self.out_labels.as_deref()])?;
        let [lv, myo, rv] = self.values.values()?;
        let labels = io::read_labels(&self.labels, &mut run.reading())?;
        if self.phase >= labels.n_phases() {
            return Err(Error::parameter(format!("--phase {} of {} phases", self.phase, labels.n_phases())));
        }
        let lps = |text: &str| -> Result<DVec3> {
            let p = point(text)?;
            Ok(match self.space.as_str() {
                "ras" => DVec3::new(-p.x, -p.y, p.z),
                "voxel" => labels.grid.lps_from_voxel().transform_point3(p),
                _ => p,
            })
        };
        let insertions = self.insertions.as_deref().map(|text| -> Result<[DVec3; 2]> {
            let (a, b) =
                text.split_once('/').ok_or_else(|| Error::parameter(format!("--insertions {text}: expected x,y,z/x,y,z")))?;
            Ok([lps(a)?, lps(b)?])
        });
        let settings = SegmentSettings {
            anchor: self.anchor.into(),
            levels: self.levels.into(),
            insertions: insertions.transpose()?,
            apex: self.apex.as_deref().map(lps).transpose()?,
            base: self.base.as_deref().map(lps).transpose()?,
            lv,
            myo,
            rv,
        };
        let image = self.image.as_ref().map(|p| io::read_volume_any(p, &mut run.reading())).transpose()?;
        let found = segment_labels(&labels, self.phase, &settings).map_err(|e| named(e, &self.labels))?;
        let image = image.as_ref().map(|v| (v, self.phase.min(v.n_phases() - 1)));
        let subject = self.output.subject_of(&self.labels);
        let rows = measure_segments(&found, &labels, image, &subject).map_err(|e| named(e, &self.labels))?;
        if let Some(path) = &self.out_labels {
            io::write_nifti_labels(path, &found.labels)?;
        }
        let extra = json!({
            "method": found.method,
            "insertions_lps_mm": found.insertions.map(|p| p.to_array()),
            "apex_lps_mm": found.apex.to_array(),
            "base_lps_mm": found.base.to_array(),
        });
        self.output.write(run, &rows, &found.findings, extra)
    }
}

fn named(error: Error, path: &Path) -> Error {
    match error {
        Error::Degenerate(text) => Error::Degenerate(format!("{text}: {}", path.display())),
        other => other.at(path),
    }
}

impl From<AnchorName> for Anchor {
    fn from(name: AnchorName) -> Self {
        match name {
            AnchorName::Anterior => Self::Anterior,
            AnchorName::MidSeptum => Self::MidSeptum,
            AnchorName::Both => Self::Both,
        }
    }
}

impl From<LevelName> for Levels {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Thirds => Self::Thirds,
            LevelName::Continuous => Self::Continuous,
        }
    }
}

impl Output {
    fn subject_of(&self, file: &Path) -> String {
        let name = PathBuf::from(file.file_name().unwrap_or_default());
        self.subject.clone().unwrap_or_else(|| io::project::path_key(&name)[..8].to_owned())
    }

    fn write(&self, run: &mut Run, rows: &[Row], findings: &[Finding], extra: Value) -> Result<u8> {
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
        text("metric", |r| r.metric),
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
