//! Numbers of the heart from a segmentation, as a task: of one frame or of all.

use super::{Made, readers};
use crate::base::{Error, Progress, Result, Warnings};
use crate::cardiac::{
    Anchor, Levels, Measure, Measured, ScarRule, ScarSettings, SegmentSettings, Segmentation, VentricleSettings, WallMethod,
    measure_scar, measure_segments, measure_wall, plausibility, segment_labels, segment_labels_or_wall, systole_of, ventricles,
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
    /// Late enhancement of the image by a rule that needs no remote muscle.
    Scar {
        /// As `otsu`.
        rule: String,
        /// Least voxels of a piece.
        min_voxels: usize,
    },
    /// Overlap and distances to the labels of another reader.
    Readers {
        /// The other segmentation.
        other: u64,
    },
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
        }
    }

    pub(super) fn inputs(&self) -> BTreeSet<ElementId> {
        let other = match self.what {
            MeasureWhat::Readers { other } => Some(other),
            _ => None,
        };
        std::iter::once(self.labels).chain(self.image).chain(other).map(ElementId).collect()
    }

    pub(super) fn make(&self, study: &Study, progress: &Progress) -> Result<Made> {
        let labels =
            study.labels(ElementId(self.labels)).ok_or_else(|| Error::parameter("the segmentation is not open any more"))?;
        if let Some(frame) = self.frame.filter(|f| *f >= labels.n_phases()) {
            return Err(Error::parameter(format!("frame {} of {} frames", frame + 1, labels.n_phases())));
        }
        progress.step(0.0, "measuring")?;
        let measured = match &self.what {
            MeasureWhat::Ventricles => self.ventricles(labels)?,
            MeasureWhat::Segments => self.segments(study, labels, progress)?,
            MeasureWhat::Wall { definition } => self.wall(labels, definition, progress)?,
            MeasureWhat::Readers { other } => readers::compare([labels, readers::other(study, *other)?], self.frame, progress)?,
            MeasureWhat::Scar { rule, min_voxels } => self.scar(study, labels, (rule, *min_voxels), progress)?,
        };
        if measured.rows.is_empty() {
            return Err(Error::degenerate("nothing could be measured in these frames"));
        }
        let frames = self.frame.map_or_else(|| "all frames".to_owned(), |f| format!("frame {}", f + 1));
        Ok(Made {
            title: format!("{} of {}", self.name(), labels.name),
            settings: self.settings(&frames),
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
            MeasureWhat::Scar { .. } => "Scar",
            MeasureWhat::Readers { .. } => "Two readers",
        }
    }

    fn settings(&self, frames: &str) -> Vec<(String, String)> {
        let mut settings = vec![("frames".to_owned(), frames.to_owned())];
        if self.what != MeasureWhat::Ventricles {
            settings.push(("anchor of the segments".into(), self.anchor.clone()));
            settings.push(("levels".into(), self.levels.clone()));
        }
        match &self.what {
            MeasureWhat::Wall { definition } => settings.push(("definition of thickness".into(), definition.clone())),
            MeasureWhat::Scar { rule, min_voxels } => {
                settings.push(("rule".into(), rule.clone()));
                settings.push(("least voxels of a piece".into(), min_voxels.to_string()));
            }
            MeasureWhat::Readers { other } => settings.push(("other reader".into(), format!("segmentation {other}"))),
            MeasureWhat::Ventricles | MeasureWhat::Segments => {}
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
        let settings = VentricleSettings { all_phases: true, ..VentricleSettings::default() };
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
        let findings = said.chain(plausibility(&rows, None)).collect();
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

    fn scar(&self, study: &Study, labels: &LabelMap, (rule, min_voxels): (&str, usize), progress: &Progress) -> Result<Measured> {
        let image = self.image.and_then(|id| study.volume(ElementId(id)));
        let image = image.ok_or_else(|| Error::parameter("scar is measured in an image; choose one"))?;
        let frame = self.frame.unwrap_or(0);
        let seg = segment_labels_or_wall(labels, frame, &self.cut()?)?;
        let settings = ScarSettings { rule: ScarRule::from_name(rule)?, min_voxels, obstruction: false };
        let scar = measure_scar(&seg, labels, (image, frame.min(image.n_phases() - 1)), None, &settings, progress)?;
        let mut measured = scar.measured;
        add_new(&mut measured.findings, seg.findings);
        Ok(measured)
    }
}

/// Adds findings that are not there yet.
fn add_new(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    for finding in more {
        if findings.iter().all(|f| f.code != finding.code) {
            findings.push(finding);
        }
    }
}

fn kept(row: Measure) -> MeasuredValue {
    let Measure { region, phase, metric, value, unit, method, .. } = row;
    MeasuredValue { region, phase, metric: metric.into_owned(), value, unit: unit.to_owned(), method }
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
