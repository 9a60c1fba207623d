//! Numbers of the heart from a segmentation, as a task: of one frame or of all.

mod more;

pub use more::{EchoPoints, RadiomicsChoice, ScarChoice, view_of as echo_view};

use super::Made;
use crate::base::{Error, Progress, Result, Warnings};
use crate::cardiac::{
    Anchor, CalciumSettings, EchoSettings, Levels, Measure, Measured, SegmentSettings, Segmentation, StrainSettings,
    VentricleSettings, WallMethod, measure_segments, measure_wall, plausibility, segment_labels, segment_labels_or_wall,
    systole_of, ventricles,
};
use crate::model::{AnalysisResult, ElementId, Finding, LabelMap, MeasuredValue, Measures, Study};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is measured, in the words of the command line. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "snake_case")]
pub enum MeasureWhat {
    /// Volumes, function and mass.
    Ventricles,
    /// The 17 segments: voxels, volume, thickness, mean of the image.
    Segments,
    /// Thickness by a definition; of all frames also thickening.
    Wall {
        /// As `nearest`.
        definition: String,
    },
    /// Late enhancement of the image by a rule.
    Scar(ScarChoice),
    /// Extracellular volume from two T1 maps.
    Ecv {
        /// The map before contrast.
        pre: u64,
        /// The map after contrast.
        post: u64,
        /// A fraction.
        hematocrit: f64,
    },
    /// Circumferential and radial strain from the labels of the whole beat.
    Strain {
        /// Green–Lagrange instead of engineering.
        green: bool,
        /// Drift taken out linearly.
        close_drift: bool,
    },
    /// Volumes, ejection fraction and strain from contours of an echocardiogram.
    Echo {
        /// Of the four-chamber view; empty where there is none.
        a4c: EchoPoints,
        /// Of the two-chamber view.
        a2c: EchoPoints,
        /// Area–length by the mean of both lengths.
        mean_length: bool,
        /// Green–Lagrange instead of engineering.
        green: bool,
    },
    /// Calcium of a CT in the labeled arteries.
    Calcium {
        /// Least density in HU.
        threshold_hu: f64,
        /// Least area in mm².
        min_area_mm2: f64,
        /// Pixels that touch at corners belong together.
        corners_join: bool,
        /// mg of hydroxyapatite per mL and HU.
        calibration: Option<f64>,
    },
    /// Texture, shape and intensities of a region.
    Radiomics(RadiomicsChoice),
    /// Overlap and agreement with another reader's labels.
    Compare {
        /// The other segmentation.
        other: u64,
    },
}

/// The person whose heart it is, for indexed values and healthy ranges; nothing that tells who.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Beats per minute.
    pub heart_rate: Option<f64>,
    /// Height in cm.
    pub height_cm: Option<f64>,
    /// Weight in kg.
    pub weight_kg: Option<f64>,
    /// Du Bois' body surface instead of Mosteller's.
    pub du_bois: bool,
    /// For healthy ranges; not told is both.
    pub female: Option<bool>,
    /// The right ventricle has its own end-diastole and end-systole.
    pub rv_own_phases: bool,
}

/// Settings of the task. The names are on disk: they stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureTask {
    /// The segmentation.
    pub labels: u64,
    /// The image, for intensities and scar.
    pub image: Option<u64>,
    /// What is measured.
    pub what: MeasureWhat,
    /// The frame, from 0; none is all frames.
    pub frame: Option<usize>,
    /// Convention of the segments, as `anterior`.
    pub anchor: String,
    /// Division of the levels, as `thirds`.
    pub levels: String,
    /// For indexed values of ventricles.
    #[serde(default)]
    pub body: Body,
}

impl MeasureTask {
    /// Ventricles of all frames, segments by the usual conventions.
    #[must_use]
    pub fn usual(labels: ElementId) -> Self {
        Self {
            labels: labels.0,
            image: None,
            what: MeasureWhat::Ventricles,
            frame: None,
            anchor: Anchor::default().name().into(),
            levels: Levels::default().name().into(),
            body: Body::default(),
        }
    }

    pub(super) fn inputs(&self) -> BTreeSet<ElementId> {
        let own = std::iter::once(self.labels).chain(self.image);
        let more: Vec<u64> = match &self.what {
            MeasureWhat::Scar(choice) => choice.remote.into_iter().collect(),
            MeasureWhat::Ecv { pre, post, .. } => vec![*pre, *post],
            MeasureWhat::Compare { other } => vec![*other],
            _ => Vec::new(),
        };
        own.chain(more).map(ElementId).collect()
    }

    pub(super) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        progress.step(0.0, "measuring")?;
        let frames = self.frame.map_or_else(|| "all frames".to_owned(), |f| format!("frame {}", f + 1));
        if let MeasureWhat::Echo { a4c, a2c, mean_length, green } = &self.what {
            let settings = EchoSettings { mean_length: *mean_length, green: *green, all_phases: true };
            return self.made("contours", "all frames", Self::echo(a4c, a2c, settings)?);
        }
        let labels =
            study.labels(ElementId(self.labels)).ok_or_else(|| Error::parameter("the segmentation is not open any more"))?;
        if let Some(frame) = self.frame.filter(|f| *f >= labels.n_phases()) {
            return Err(Error::parameter(format!("frame {} of {} frames", frame + 1, labels.n_phases())));
        }
        let measured = match &self.what {
            MeasureWhat::Ventricles => self.ventricles(labels)?,
            MeasureWhat::Segments => self.segments(study, labels, progress)?,
            MeasureWhat::Wall { definition } => self.wall(labels, definition, progress)?,
            MeasureWhat::Scar(choice) => self.scar(study, labels, choice, progress)?,
            MeasureWhat::Ecv { pre, post, hematocrit } => self.ecv(study, labels, (*pre, *post, *hematocrit), progress)?,
            MeasureWhat::Strain { green, close_drift } => {
                self.strain(labels, StrainSettings { green: *green, close_drift: *close_drift }, progress)?
            }
            MeasureWhat::Calcium { threshold_hu, min_area_mm2, corners_join, calibration } => {
                let settings = CalciumSettings {
                    threshold_hu: *threshold_hu,
                    min_area_mm2: *min_area_mm2,
                    corners_join: *corners_join,
                    mg_per_ml_hu: *calibration,
                };
                self.calcium(study, labels, &settings, progress)?
            }
            MeasureWhat::Radiomics(choice) => self.radiomics(study, labels, choice, progress)?,
            MeasureWhat::Compare { other } => self.compare(study, labels, *other, progress)?,
            MeasureWhat::Echo { .. } => Measured::default(),
        };
        self.made(&labels.name, &frames, measured)
    }

    fn made(&self, of: &str, frames: &str, measured: Measured) -> Result<Made> {
        if measured.rows.is_empty() {
            return Err(Error::degenerate("nothing could be measured in these frames"));
        }
        Ok(Made {
            title: format!("{} of {of}", self.name()),
            settings: self.settings(frames),
            sentence: format!("{} numbers from {frames}.", measured.rows.len()),
            findings: measured.findings,
            fields: Vec::new(),
            result: AnalysisResult::Measures(Measures { rows: measured.rows.into_iter().map(kept).collect() }),
        })
    }

    /// As `Wall thickness`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.what {
            MeasureWhat::Ventricles => "Ventricles",
            MeasureWhat::Segments => "Segments",
            MeasureWhat::Wall { .. } => "Wall thickness",
            MeasureWhat::Scar(_) => "Scar",
            MeasureWhat::Ecv { .. } => "Extracellular volume",
            MeasureWhat::Strain { .. } => "Strain",
            MeasureWhat::Echo { .. } => "Echocardiography",
            MeasureWhat::Calcium { .. } => "Calcium",
            MeasureWhat::Radiomics(_) => "Texture",
            MeasureWhat::Compare { .. } => "Two readers",
        }
    }

    fn settings(&self, frames: &str) -> Vec<(String, String)> {
        let mut settings = vec![("frames".to_owned(), frames.to_owned())];
        let mut add = |name: &str, value: String| settings.push((name.to_owned(), value));
        let uses_segments = matches!(
            self.what,
            MeasureWhat::Segments | MeasureWhat::Wall { .. } | MeasureWhat::Scar(_) | MeasureWhat::Ecv { .. }
        );
        if uses_segments {
            add("anchor of the segments", self.anchor.clone());
            add("levels", self.levels.clone());
        }
        let strain = |green: bool| if green { "Green-Lagrange".to_owned() } else { "engineering".to_owned() };
        match &self.what {
            MeasureWhat::Wall { definition } => add("definition of thickness", definition.clone()),
            MeasureWhat::Scar(choice) => {
                add("rule", choice.rule.clone());
                add("least voxels of a piece", choice.min_voxels.to_string());
                add("enclosed dark cores count", choice.obstruction.to_string());
            }
            MeasureWhat::Ecv { hematocrit, .. } => add("hematocrit", hematocrit.to_string()),
            MeasureWhat::Strain { green, close_drift } => {
                add("strain", strain(*green));
                add("drift taken out", close_drift.to_string());
            }
            MeasureWhat::Echo { mean_length, green, .. } => {
                add("length of area–length", if *mean_length { "mean".into() } else { "shorter".into() });
                add("strain", strain(*green));
            }
            MeasureWhat::Calcium { threshold_hu, min_area_mm2, corners_join, calibration } => {
                add("threshold", format!("{threshold_hu} HU"));
                add("least area", format!("{min_area_mm2} mm²"));
                add("neighbors", if *corners_join { "8".into() } else { "4".into() });
                add("calibration", calibration.map_or_else(|| "none: no mass".to_owned(), |c| format!("{c} mg/mL/HU")));
            }
            MeasureWhat::Radiomics(choice) => {
                let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
                add("gray levels", or(&choice.discretize, "whole intensities"));
                add("aggregation", or(&choice.aggregation, "all six"));
            }
            MeasureWhat::Ventricles | MeasureWhat::Segments | MeasureWhat::Compare { .. } => {}
        }
        settings
    }

    fn cut(&self) -> Result<SegmentSettings> {
        let unknown = |what: &str, name: &str| Error::parameter(format!("there is no {what} called {name}"));
        Ok(SegmentSettings {
            anchor: Anchor::from_name(&self.anchor).ok_or_else(|| unknown("anchor", &self.anchor))?,
            levels: Levels::from_name(&self.levels).ok_or_else(|| unknown("division of levels", &self.levels))?,
            ..SegmentSettings::default()
        })
    }

    fn frames(&self, labels: &LabelMap) -> Vec<usize> {
        self.frame.map_or_else(|| (0..labels.n_phases()).collect(), |f| vec![f])
    }

    fn ventricles(&self, labels: &LabelMap) -> Result<Measured> {
        let body = self.body;
        let settings = VentricleSettings {
            all_phases: true,
            heart_rate: body.heart_rate,
            height_cm: body.height_cm,
            weight_kg: body.weight_kg,
            du_bois: body.du_bois,
            rv_own_phases: body.rv_own_phases,
            ..VentricleSettings::default()
        };
        let mut warnings = Warnings::default();
        let mut rows = ventricles(labels, None, &settings, &mut warnings)?;
        if let Some(frame) = self.frame {
            rows.retain(|r| r.phase == frame.to_string());
        }
        let said = warnings.notes.into_iter().map(|n| Finding {
            severity: n.severity,
            code: n.code,
            what: n.message,
            evidence: Vec::new(),
            remedy: String::new(),
        });
        let findings = said.chain(plausibility(&rows, body.female)).collect();
        Ok(Measured { rows, findings })
    }

    fn segments(&self, study: &Study, labels: &LabelMap, progress: &Progress) -> Result<Measured> {
        let (cut, frames) = (self.cut()?, self.frames(labels));
        let image = self.image.and_then(|id| study.volume(ElementId(id)));
        let mut all = Measured::default();
        for (done, &frame) in frames.iter().enumerate() {
            progress.step(done as f64 / frames.len() as f64, "segments")?;
            let seg = segment_labels(labels, frame, &cut)?;
            let image = image.map(|v| (&**v, frame.min(v.n_phases() - 1)));
            all.rows.extend(measure_segments(&seg, labels, image, "")?);
            add_new(&mut all.findings, seg.findings);
        }
        Ok(all)
    }

    fn wall(&self, labels: &LabelMap, definition: &str, progress: &Progress) -> Result<Measured> {
        let method = WallMethod::ALL.into_iter().find(|m| m.name() == definition);
        let method = method.ok_or_else(|| Error::parameter(format!("there is no thickness called {definition}")))?;
        let (cut, frames) = (self.cut()?, self.frames(labels));
        let muscle = |frame: usize| labels.count(frame, cut.myo) > 0;
        let mut all = Measured::default();
        if let (None, (ed, Some(es))) = (self.frame, systole_of(labels, cut.lv))
            && muscle(ed)
            && muscle(es)
        {
            let [ed, es] = [ed, es].map(|p| segment_labels_or_wall(labels, p, &cut));
            let (ed, es): (Segmentation, Segmentation) = (ed?, es?);
            all = measure_wall((&ed, labels), Some((&es, labels)), method, &progress.part(0.0, 0.1))?;
        }
        for (done, &frame) in frames.iter().enumerate().filter(|(_, f)| muscle(**f)) {
            let part =
                progress.part(0.1 + 0.9 * done as f64 / frames.len() as f64, 0.1 + 0.9 * (done + 1) as f64 / frames.len() as f64);
            let seg = segment_labels_or_wall(labels, frame, &cut)?;
            let found = measure_wall((&seg, labels), None, method, &part)?;
            all.rows.extend(found.rows.into_iter().map(|r| Measure { phase: frame.to_string(), ..r }));
            add_new(&mut all.findings, seg.findings);
        }
        Ok(all)
    }
}

/// Adds findings that are not there yet.
fn add_new(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    for finding in more {
        if findings.iter().all(|f| f.code != finding.code || f.what != finding.what) {
            findings.push(finding);
        }
    }
}

fn kept(row: Measure) -> MeasuredValue {
    let Measure { region, phase, metric, value, unit, method, .. } = row;
    MeasuredValue { region, phase, metric: metric.into_owned(), value, unit: unit.to_owned(), method }
}

/// The label that a region of the ventricles' table is measured from.
#[must_use]
pub fn label_of_region(region: &str) -> Option<u8> {
    let usual = VentricleSettings::default();
    match region {
        "lv" => Some(usual.lv),
        "myo" => Some(usual.myo),
        "rv" => Some(usual.rv),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Element, Provenance};
    use std::sync::Arc;

    fn study() -> (Study, ElementId) {
        let case = crate::phantom::make_case(5, &Progress::none()).unwrap();
        let mut study = Study::default();
        let id = ElementId(1);
        study.elements.insert(id, Element::Labels(Arc::new(case.cine_labels.clone())));
        study.provenance.insert(id, Provenance { demo_seed: Some(5), ..Provenance::default() });
        (study, id)
    }

    #[test]
    fn one_frame_and_all_frames() {
        let (study, id) = study();
        let rows = |task: MeasureTask| {
            let made = task.make(&study, &Progress::none()).unwrap();
            let AnalysisResult::Measures(found) = made.result else { unreachable!("numbers were asked for") };
            found.rows
        };
        let all = rows(MeasureTask::usual(id));
        assert!(all.iter().any(|r| r.metric == "ejection_fraction") && all.iter().any(|r| r.phase == "24"));
        let one = rows(MeasureTask { frame: Some(3), ..MeasureTask::usual(id) });
        assert!(!one.is_empty() && one.iter().all(|r| r.phase == "3"));
        let wall = MeasureWhat::Wall { definition: "radial".into() };
        let wall = rows(MeasureTask { what: wall, frame: Some(0), ..MeasureTask::usual(id) });
        assert!(wall.iter().any(|r| r.region == "1" && r.metric == "wall_thickness_mean" && r.phase == "0"));
        let beyond = MeasureTask { frame: Some(99), ..MeasureTask::usual(id) };
        assert!(beyond.make(&study, &Progress::none()).is_err());
    }
}
