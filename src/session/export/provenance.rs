//! What lies beside every exported file: from which inputs, through which transforms with which errors, with
//! which settings. No time, no folder, no patient.

use super::{ExportRecord, Exporter};
use crate::base::{Progress, Result};
use crate::model::ElementId;
use crate::session::task::digests;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `a.provenance.json` of `a.csv`.
pub(super) fn path_beside(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let stem = [".nii.gz", ".csv.gz", ".tsv.gz", ".ngff.json"].into_iter().find_map(|e| name.strip_suffix(e).map(str::to_owned));
    let stem = stem.unwrap_or_else(|| name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned()));
    path.with_file_name(format!("{stem}.provenance.json"))
}

impl Exporter {
    /// The file beside an export.
    pub(super) fn provenance(&self, record: &ExportRecord, progress: &Progress) -> Result<Value> {
        let all: BTreeSet<ElementId> = self.study.elements.keys().copied().collect();
        let inputs = digests(&all, &self.study, progress)?;
        let mut settings = serde_json::to_value(&record.what).unwrap_or_default();
        if let Some(settings) = settings.as_object_mut() {
            settings.remove("what");
        }
        let what = serde_json::to_value(&record.what).ok().and_then(|v| v.get("what").cloned());
        let mut value = json!({
            "format": "myoscope-provenance",
            "version": 1,
            "program": concat!("myoscope ", env!("CARGO_PKG_VERSION")),
            "what": what,
            "file": record.file,
            "settings": settings,
        });
        if let (Some(value), Value::Object(study)) = (value.as_object_mut(), self.study_value(&inputs)) {
            value.extend(study);
        }
        Ok(value)
    }

    /// Inputs, transforms, analyses and exclusions of the study.
    fn study_value(&self, inputs: &[(String, String)]) -> Value {
        let transform = |id: &ElementId| {
            let (placed, section) = (self.placed(*id)?, self.study.section(*id)?);
            Some(json!({
                "from": format!("section {}", section.name),
                "to": "patient LPS mm",
                "model": placed.model.map_or("chain", |m| m.name()),
                "n_pairs": placed.n_pairs,
                "rms_mm": placed.rms_mm,
                "leave_one_out_median_mm": placed.leave_one_out_median_mm,
                "folds": placed.folds,
                "file_sha256": placed.source,
            }))
        };
        let analyses = self.study.analyses.values().map(
            |a| json!({"title": a.title, "settings": a.settings, "seed": a.seed, "inputs": a.inputs, "sentence": a.sentence}),
        );
        json!({
            "inputs": inputs.iter().map(|(name, digest)| json!({"name": name, "digest": digest})).collect::<Vec<_>>(),
            "transforms": self.study.elements.keys().filter_map(transform).collect::<Vec<_>>(),
            "analyses": analyses.collect::<Vec<_>>(),
            "excluded": self.study.exclusions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    /// The way of a section into the patient and what is left out, as the text that an h5ad carries.
    pub(super) fn summary_of(&self, id: ElementId) -> String {
        let mut value = self.study_value(&[]);
        if let Some(value) = value.as_object_mut() {
            value.remove("inputs");
            value.insert("program".into(), json!(concat!("myoscope ", env!("CARGO_PKG_VERSION"))));
            value.insert("section".into(), json!(self.study.section(id).map(|s| s.name.clone())));
            value.insert("spatial_lps_mm".into(), json!("x to the left, y to the back, z to the head, mm"));
        }
        value.to_string()
    }
}
