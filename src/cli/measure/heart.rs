//! `measure ventricles` and `measure segments`, and the options that cut a ventricle into segments.

use super::{Output, named, write_labels};
use crate::base::{Error, Result};
use crate::cardiac::{
    Anchor, Levels, Measured, SegmentSettings, VentricleSettings, measure_segments, plausibility, segment_labels, ventricles,
};
use crate::cli::Run;
use crate::cli::points::point;
use crate::io;
use crate::model::LabelMap;
use crate::space::DVec3;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Which label values mean what.
#[derive(Args, Debug)]
pub struct LabelValues {
    /// As `lv=3`; the defaults are lv=3, myo=2, rv=1.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    label_values: Vec<String>,
}

impl LabelValues {
    pub fn values(&self) -> Result<[u8; 3]> {
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
    /// Formula of the body surface.
    #[arg(long, default_value = "mosteller", value_parser = ["mosteller", "dubois"])]
    bsa: String,
    /// For the range of healthy people; both where not given.
    #[arg(long, value_parser = ["female", "male"])]
    sex: Option<String>,
    /// Volumes of all phases too.
    #[arg(long)]
    all_phases: bool,
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

/// How the ventricle is cut into segments.
#[derive(Args, Debug)]
pub struct Cut {
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
}

impl Cut {
    /// Values of the labels: left cavity, muscle, right cavity.
    pub fn values(&self) -> Result<[u8; 3]> {
        self.values.values()
    }

    /// Settings for these labels, in whose voxels points may be given.
    pub fn settings(&self, labels: &LabelMap) -> Result<SegmentSettings> {
        let [lv, myo, rv] = self.values()?;
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
        Ok(SegmentSettings {
            anchor: self.anchor.into(),
            levels: self.levels.into(),
            insertions: insertions.transpose()?,
            apex: self.apex.as_deref().map(lps).transpose()?,
            base: self.base.as_deref().map(lps).transpose()?,
            lv,
            myo,
            rv,
        })
    }
}

/// Refuses a phase that is not there.
pub fn check_phase(phase: usize, labels: &LabelMap) -> Result<()> {
    if phase < labels.n_phases() {
        return Ok(());
    }
    Err(Error::parameter(format!("--phase {phase} of {} phases", labels.n_phases())))
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
    cut: Cut,
    /// Phase of a 4-D segmentation, from 0.
    #[arg(long, default_value_t = 0)]
    phase: usize,
    /// Write the segments as labels 1 to 17.
    #[arg(long, value_name = "FILE")]
    out_labels: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

impl Ventricles {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
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
            du_bois: self.bsa == "dubois",
            all_phases: self.all_phases,
        };
        let rows = ventricles(&labels, labels_es.as_ref(), &settings, &mut run.warnings).map_err(|e| named(e, &self.labels))?;
        self.output.write(
            run,
            &Measured { findings: plausibility(&rows, self.sex.as_deref().map(|s| s == "female")), rows },
            json!({}),
        )
    }
}

impl Segments {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref(), self.out_labels.as_deref()])?;
        self.cut.values()?;
        let labels = io::read_labels(&self.labels, &mut run.reading())?;
        check_phase(self.phase, &labels)?;
        let settings = self.cut.settings(&labels)?;
        let image = self.image.as_ref().map(|p| io::read_volume_any(p, &mut run.reading())).transpose()?;
        let found = segment_labels(&labels, self.phase, &settings).map_err(|e| named(e, &self.labels))?;
        let image = image.as_ref().map(|v| (v, self.phase.min(v.n_phases() - 1)));
        let subject = self.output.subject_of(&self.labels);
        let rows = measure_segments(&found, &labels, image, &subject).map_err(|e| named(e, &self.labels))?;
        write_labels(self.out_labels.as_deref(), &found.labels)?;
        let extra = json!({
            "method": found.method,
            "insertions_lps_mm": found.insertions.map(|p| p.to_array()),
            "apex_lps_mm": found.apex.to_array(),
            "base_lps_mm": found.base.to_array(),
        });
        self.output.write(run, &Measured { rows, findings: found.findings }, extra)
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
