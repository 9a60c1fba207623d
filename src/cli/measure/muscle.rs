//! `measure wall`, `measure scar` and `measure ecv`.

use super::heart::{Cut, check_phase};
use super::{Output, named, write_labels};
use crate::base::{Error, Result};
use crate::cardiac::{
    ScarRule, ScarSettings, Segmentation, WallMethod, measure_ecv, measure_scar, measure_wall, segment_labels_or_wall, systole_of,
};
use crate::cli::Run;
use crate::io;
use crate::model::LabelMap;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Definitions of thickness.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MethodName {
    /// From each inner point to the nearest outer one.
    Nearest,
    /// Chords across the mid-curve.
    Centerline,
    /// Rays from the middle of the cavity.
    Radial,
    /// Field lines between the outlines.
    Laplace,
}

impl From<MethodName> for WallMethod {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Nearest => Self::Nearest,
            MethodName::Centerline => Self::Centerline,
            MethodName::Radial => Self::Radial,
            MethodName::Laplace => Self::Laplace,
        }
    }
}

/// `measure wall`.
#[derive(Args, Debug)]
pub struct Wall {
    /// Segmentation at end-diastole, or of all phases (4-D).
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Segmentation at end-systole.
    #[arg(long, value_name = "FILE")]
    labels_es: Option<PathBuf>,
    /// Definition of thickness.
    #[arg(long, value_enum, default_value = "nearest")]
    method: MethodName,
    #[command(flatten)]
    cut: Cut,
    #[command(flatten)]
    output: Output,
}

/// `measure scar`.
#[derive(Args, Debug)]
pub struct Scar {
    /// Late-enhancement image.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Segmentation.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// `sd:N`, `fwhm-max`, `fwhm-min`, `fwhm-remote` or `otsu`.
    #[arg(long)]
    rule: String,
    /// Remote myocardium: label 1 of this file; for sd:N and fwhm-remote.
    #[arg(long, value_name = "FILE")]
    remote: Option<PathBuf>,
    /// Connected pieces with fewer voxels are no scar.
    #[arg(long, default_value_t = 5, value_name = "N")]
    min_voxels: usize,
    /// Count dark cores that scar encloses (microvascular obstruction).
    #[arg(long)]
    obstruction: bool,
    /// Phase of a 4-D segmentation, from 0.
    #[arg(long, default_value_t = 0)]
    phase: usize,
    /// Write scar as label 1, enclosed dark cores as 2.
    #[arg(long, value_name = "FILE")]
    out_labels: Option<PathBuf>,
    #[command(flatten)]
    cut: Cut,
    #[command(flatten)]
    output: Output,
}

/// `measure ecv`.
#[derive(Args, Debug)]
pub struct Ecv {
    /// T1 map before contrast.
    #[arg(long, value_name = "FILE")]
    t1_pre: PathBuf,
    /// T1 map after contrast, in the same unit.
    #[arg(long, value_name = "FILE")]
    t1_post: PathBuf,
    /// Segmentation.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Fraction between 0 and 1.
    #[arg(long, allow_hyphen_values = true)]
    hematocrit: f64,
    /// Phase of a 4-D segmentation, from 0.
    #[arg(long, default_value_t = 0)]
    phase: usize,
    #[command(flatten)]
    cut: Cut,
    #[command(flatten)]
    output: Output,
}

impl Wall {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        let [lv, myo, _] = self.cut.values()?;
        let labels = io::read_labels(&self.labels, &mut run.reading())?;
        let separate = self.labels_es.as_ref().map(|p| io::read_labels(p, &mut run.reading())).transpose()?;
        let (ed_phase, es) = moments(&labels, separate.as_ref(), lv)?;
        let settings = self.cut.settings(&labels)?;
        let ed = segment_labels_or_wall(&labels, ed_phase, &settings).map_err(|e| named(e, &self.labels))?;
        let es = match es {
            Some((map, phase)) if map.count(phase, myo) == 0 => {
                let what = format!("end-systole has no myocardium (label {myo}); its thickness and the thickening are left out");
                run.warnings.warn("label-absent", what, Some(self.labels_es.as_deref().unwrap_or(&self.labels)));
                None
            }
            Some((map, phase)) => Some((self.systole(run, &ed, map, phase)?, map)),
            None => None,
        };
        let pair = es.as_ref().map(|(seg, map)| (seg, *map));
        let mut measured =
            measure_wall((&ed, &labels), pair, self.method.into(), &run.progress).map_err(|e| named(e, &self.labels))?;
        let of_es = es.iter().flat_map(|(seg, _)| seg.findings.clone());
        for finding in ed.findings.iter().cloned().chain(of_es) {
            if measured.findings.iter().all(|f| f.code != finding.code || f.what != finding.what) {
                measured.findings.push(finding);
            }
        }
        if measured.rows.is_empty() {
            return Err(Error::degenerate(format!("no slice has a wall all around the cavity: {}", self.labels.display())));
        }
        let extra = json!({"method": ed.method, "ed_phase": ed_phase});
        self.output.write(run, &measured.of(&self.output.subject_of(&self.labels)), extra)
    }

    /// Segments at end-systole, from its own right ventricle or else the insertions of end-diastole.
    fn systole(&self, run: &mut Run, ed: &Segmentation, map: &LabelMap, phase: usize) -> Result<Segmentation> {
        let file = self.labels_es.as_deref().unwrap_or(&self.labels);
        let settings = self.cut.settings(map)?;
        let own = segment_labels_or_wall(map, phase, &settings).map_err(|e| named(e, file))?;
        if own.septum_known || !ed.septum_known {
            return Ok(own);
        }
        let what = "end-systole has no right ventricle at the wall; its segments start at the insertions of end-diastole";
        run.warnings.note("insertions-of-diastole", what, Some(file));
        let settings = crate::cardiac::SegmentSettings { insertions: Some(ed.insertions), ..settings };
        segment_labels_or_wall(map, phase, &settings).map_err(|e| named(e, file))
    }
}

impl Scar {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref(), self.out_labels.as_deref()])?;
        let settings =
            ScarSettings { rule: ScarRule::from_name(&self.rule)?, min_voxels: self.min_voxels, obstruction: self.obstruction };
        self.cut.values()?;
        let (labels, seg) = wall_of(run, &self.labels, self.phase, &self.cut)?;
        let image = io::read_volume_any(&self.image, &mut run.reading())?;
        let remote = self.remote.as_ref().map(|p| io::read_labels(p, &mut run.reading())).transpose()?;
        let phase = self.phase.min(image.n_phases() - 1);
        let scar = measure_scar(&seg, &labels, (&image, phase), remote.as_ref(), &settings, &run.progress)
            .map_err(|e| named(e, &self.image))?;
        write_labels(self.out_labels.as_deref(), &scar.mask)?;
        let mut measured = scar.measured;
        measured.findings.extend(seg.findings);
        let extra = json!({"rule": settings.rule.name(), "threshold": scar.threshold, "segments": seg.method});
        self.output.write(run, &measured.of(&self.output.subject_of(&self.labels)), extra)
    }
}

impl Ecv {
    /// Runs the command.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        Run::check_outputs(&[self.output.out.as_deref()])?;
        self.cut.values()?;
        let (labels, seg) = wall_of(run, &self.labels, self.phase, &self.cut)?;
        let pre = io::read_volume_any(&self.t1_pre, &mut run.reading())?;
        let post = io::read_volume_any(&self.t1_post, &mut run.reading())?;
        let mut measured =
            measure_ecv(&seg, &labels, [&pre, &post], self.hematocrit, &run.progress).map_err(|e| named(e, &self.labels))?;
        measured.findings.extend(seg.findings);
        let extra: Value = json!({"segments": seg.method, "hematocrit": self.hematocrit});
        self.output.write(run, &measured.of(&self.output.subject_of(&self.labels)), extra)
    }
}

fn wall_of(run: &mut Run, path: &Path, phase: usize, cut: &Cut) -> Result<(LabelMap, Segmentation)> {
    let labels = io::read_labels(path, &mut run.reading())?;
    check_phase(phase, &labels)?;
    let seg = segment_labels_or_wall(&labels, phase, &cut.settings(&labels)?).map_err(|e| named(e, path))?;
    Ok((labels, seg))
}

/// Phase of end-diastole, and labels and phase of end-systole.
fn moments<'a>(labels: &'a LabelMap, separate: Option<&'a LabelMap>, lv: u8) -> Result<(usize, Option<(&'a LabelMap, usize)>)> {
    if let Some(es) = separate {
        if labels.n_phases() > 1 || es.n_phases() > 1 {
            let what = "give end-diastole and end-systole as two files of one phase each, or one file with all phases";
            return Err(Error::parameter(what));
        }
        return Ok((0, Some((es, 0))));
    }
    let (ed, es) = systole_of(labels, lv);
    Ok((ed, es.map(|phase| (labels, phase))))
}
