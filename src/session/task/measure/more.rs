//! Measures of more than one image or segmentation: scar, extracellular volume, strain, echocardiography, calcium,
//! texture, two readers. Settings and calls are those of the command line.

use super::{MeasureTask, add_new};
use crate::base::{Error, Limits, Progress, Result, Severity};
use crate::cardiac::{
    Aggregation, CalciumSettings, Discretize, EchoSettings, EchoView, Measure, Measured, RadiomicsSettings, ScarRule,
    ScarSettings, StrainSettings, compare_labels, measure_calcium, measure_echo, measure_ecv, measure_scar, radiomics,
    segment_labels_or_wall, strain_of_labels, tell_agreement,
};
use crate::model::{ElementId, Finding, LabelMap, Study, Volume};
use crate::space::DVec3;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rule and cleaning of scar, in the words of the command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScarChoice {
    /// As `otsu` or `sd:5`.
    pub rule: String,
    /// Least voxels of a piece.
    pub min_voxels: usize,
    /// Segmentation whose label 1 is remote muscle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<u64>,
    /// Whether enclosed dark cores count.
    #[serde(default)]
    pub obstruction: bool,
}

/// Settings of texture features, in the words of the command line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RadiomicsChoice {
    /// The label that is the region; none takes all.
    pub label: Option<u8>,
    /// Cubes of this size in mm.
    pub resample_mm: Option<f64>,
    /// Intensities that count.
    pub resegment: Option<[f64; 2]>,
    /// `none`, `width:W`, `count:N`, or empty.
    pub discretize: String,
    /// As `3D_comb`; empty is all six.
    pub aggregation: String,
}

/// Contours of an echocardiographic view: phase, order of the point, x and y in mm.
pub type EchoPoints = Vec<[f64; 4]>;

impl MeasureTask {
    fn volume<'a>(study: &'a Study, id: Option<u64>, what: &str) -> Result<&'a Arc<Volume>> {
        let found = id.and_then(|id| study.volume(ElementId(id)));
        found.ok_or_else(|| Error::parameter(format!("{what}; choose an image that is open")))
    }

    pub(super) fn scar(&self, study: &Study, labels: &LabelMap, choice: &ScarChoice, progress: &Progress) -> Result<Measured> {
        let image = Self::volume(study, self.image, "scar is measured in a late-enhancement image")?;
        let frame = self.frame.unwrap_or(0);
        let seg = segment_labels_or_wall(labels, frame, &self.cut()?)?;
        let settings = ScarSettings {
            rule: ScarRule::from_name(&choice.rule)?,
            min_voxels: choice.min_voxels,
            obstruction: choice.obstruction,
        };
        let remote = choice.remote.map(|id| {
            let found = study.labels(ElementId(id));
            found.ok_or_else(|| Error::parameter("the segmentation of remote muscle is not open any more"))
        });
        let (remote, phase) = (remote.transpose()?, frame.min(image.n_phases() - 1));
        let scar = measure_scar(&seg, labels, (image, phase), remote.map(Arc::as_ref), &settings, progress)?;
        let mut measured = scar.measured;
        add_new(&mut measured.findings, seg.findings);
        Ok(measured)
    }

    pub(super) fn ecv(
        &self,
        study: &Study,
        labels: &LabelMap,
        (pre, post, hematocrit): (u64, u64, f64),
        progress: &Progress,
    ) -> Result<Measured> {
        let seg = segment_labels_or_wall(labels, self.frame.unwrap_or(0), &self.cut()?)?;
        let pre = Self::volume(study, Some(pre), "extracellular volume needs a T1 map before contrast")?;
        let post = Self::volume(study, Some(post), "extracellular volume needs a T1 map after contrast")?;
        let mut measured = measure_ecv(&seg, labels, [pre, post], hematocrit, progress)?;
        add_new(&mut measured.findings, seg.findings);
        Ok(measured)
    }

    pub(super) fn strain(&self, labels: &LabelMap, settings: StrainSettings, progress: &Progress) -> Result<Measured> {
        let cut = self.cut()?;
        let mut frames = Vec::new();
        for phase in 0..labels.n_phases() {
            progress.step(0.3 * phase as f64 / labels.n_phases() as f64, "cutting the wall")?;
            frames.push(segment_labels_or_wall(labels, phase, &cut)?);
        }
        strain_of_labels(&frames, labels, settings, &progress.part(0.3, 1.0))
    }

    pub(super) fn calcium(&self, study: &Study, labels: &LabelMap, settings: &CalciumSettings, p: &Progress) -> Result<Measured> {
        let image = Self::volume(study, self.image, "calcium is scored in a CT")?;
        measure_calcium(image, labels, settings, p)
    }

    pub(super) fn radiomics(
        &self,
        study: &Study,
        labels: &LabelMap,
        choice: &RadiomicsChoice,
        progress: &Progress,
    ) -> Result<Measured> {
        let image = Self::volume(study, self.image, "texture is measured in an image")?;
        let frames = match self.frame {
            Some(frame) => vec![frame],
            None if labels.n_phases() == 1 => vec![0],
            None => (0..labels.n_phases().min(image.n_phases())).collect(),
        };
        let settings = choice.settings()?;
        let mut measured = Measured::default();
        for (done, &frame) in frames.iter().enumerate() {
            let part = progress.part(done as f64 / frames.len() as f64, (done + 1) as f64 / frames.len() as f64);
            let image_phase = frame.min(image.n_phases() - 1);
            let found = radiomics((image, image_phase), (labels, frame), &settings, &Limits::default(), &part)?;
            let phase = if frames.len() > 1 { frame.to_string() } else { String::new() };
            let region = choice.label.map_or_else(|| "all".to_owned(), |l| l.to_string());
            let missing = found.features.iter().filter(|f| f.value.is_none()).count();
            for feature in found.features {
                let Some(value) = feature.value else { continue };
                let (region, phase, method) = (region.clone(), phase.clone(), choice.method());
                let metric = feature.tag.into();
                measured.rows.push(Measure { subject: String::new(), region, phase, metric, value, unit: "", method });
            }
            let notes = found.notes.into_iter().chain((missing > 0).then(|| format!("{missing} features have no value.")));
            add_new(&mut measured.findings, notes.map(|n| note("radiomics", n)).collect());
        }
        Ok(measured)
    }

    pub(super) fn compare(&self, study: &Study, a: &LabelMap, other: u64, progress: &Progress) -> Result<Measured> {
        let mut names: Vec<(&str, u8)> = a.table.iter().map(|e| (short_name(&e.name), e.value)).collect();
        names.sort_by_key(|(name, _)| ["lv", "myo", "rv"].iter().position(|n| n == name).unwrap_or(3));
        let b = study.labels(ElementId(other)).ok_or_else(|| Error::parameter("choose the second reader's segmentation"))?;
        if a.n_phases() != b.n_phases() {
            let what = format!("{} and {} phases cannot be compared: {}", a.n_phases(), b.n_phases(), b.name);
            return Err(Error::degenerate(what));
        }
        let mut all = Measured::default();
        let mut volumes: BTreeMap<&str, Vec<[f64; 2]>> = BTreeMap::new();
        for phase in (0..a.n_phases()).filter(|p| self.frame.is_none_or(|f| f == *p)) {
            let n = a.n_phases() as f64;
            let part = progress.part(phase as f64 / n, (phase + 1) as f64 / n);
            let mut found = match compare_labels([(a, phase), (b, phase)], &names, &part) {
                // A phase that neither drew.
                Err(Error::Degenerate(_)) if a.n_phases() > 1 && self.frame.is_none() => continue,
                found => found?,
            };
            for &(name, _) in &names {
                if let (Some(a), Some(b)) = (found.value(name, "", "volume_a"), found.value(name, "", "volume_b")) {
                    volumes.entry(name).or_default().push([a, b]);
                }
            }
            if a.n_phases() > 1 {
                found.rows.iter_mut().for_each(|r| r.phase = phase.to_string());
            }
            all.rows.extend(found.rows);
        }
        for (name, _) in names {
            if let Some(pairs) = volumes.get(name) {
                tell_agreement(&mut all, (name, ""), ("volume", "mL"), pairs);
            }
        }
        Ok(all)
    }

    pub(super) fn echo(a4c: &EchoPoints, a2c: &EchoPoints, settings: EchoSettings) -> Result<Measured> {
        let views: Vec<(&str, EchoView)> =
            [("4ch", a4c), ("2ch", a2c)].into_iter().filter(|(_, p)| !p.is_empty()).map(|(n, p)| (n, view_of(p))).collect();
        let views: Vec<(&str, &EchoView)> = views.iter().map(|(name, v)| (*name, v)).collect();
        measure_echo(&views, settings)
    }
}

/// The command line's word for a usual label, else its name.
fn short_name(name: &str) -> &str {
    match name {
        "LV cavity" => "lv",
        "Myocardium" => "myo",
        "RV cavity" => "rv",
        other => other,
    }
}

/// Points by phase in their order.
#[must_use]
pub fn view_of(points: &EchoPoints) -> EchoView {
    let mut view: BTreeMap<usize, Vec<(f64, DVec3)>> = BTreeMap::new();
    for &[phase, order, x, y] in points {
        view.entry(phase.max(0.0) as usize).or_default().push((order, DVec3::new(x, y, 0.0)));
    }
    let sorted = |mut points: Vec<(f64, DVec3)>| {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.into_iter().map(|(_, p)| p).collect()
    };
    view.into_iter().map(|(phase, points)| (phase, sorted(points))).collect()
}

fn note(code: &'static str, what: String) -> Finding {
    Finding { severity: Severity::Note, code, what, evidence: Vec::new(), remedy: String::new() }
}

impl RadiomicsChoice {
    fn settings(&self) -> Result<RadiomicsSettings> {
        let aggregation = match self.aggregation.as_str() {
            "" => None,
            name => Some(
                Aggregation::ALL
                    .into_iter()
                    .find(|a| a.tag() == name)
                    .ok_or_else(|| Error::parameter(format!("there is no aggregation called {name}")))?,
            ),
        };
        let discretize = if self.discretize.is_empty() { Discretize::IfWhole } else { Discretize::from_name(&self.discretize)? };
        let resegment = self.resegment.map(|[a, b]| (a, b));
        Ok(RadiomicsSettings { label: self.label, resample_mm: self.resample_mm, resegment, discretize, aggregation })
    }

    /// What was chosen, for the method of each row.
    fn method(&self) -> String {
        let mut parts = vec!["IBSI-1".to_owned()];
        parts.extend(self.resample_mm.map(|mm| format!("resampled to {mm} mm")));
        parts.extend(self.resegment.map(|[a, b]| format!("intensities {a} to {b}")));
        parts.push(if self.discretize.is_empty() { "whole intensities as levels".into() } else { self.discretize.clone() });
        parts.join("; ")
    }
}
