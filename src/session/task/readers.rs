//! Two readers' segmentations of one heart, label by label and phase by phase.

use crate::base::{Error, Progress, Result};
use crate::cardiac::{Measured, compare_labels};
use crate::model::{ElementId, LabelMap, Study};
use std::sync::Arc;

/// The other reader's segmentation.
pub(super) fn other(study: &Study, id: u64) -> Result<&Arc<LabelMap>> {
    study.labels(ElementId(id)).ok_or_else(|| Error::parameter("the other segmentation is not open any more"))
}

/// Overlap, distances and volumes of every label of the first table, of one frame or of all that both have.
pub(super) fn compare([a, b]: [&Arc<LabelMap>; 2], frame: Option<usize>, progress: &Progress) -> Result<Measured> {
    if a.n_phases() != b.n_phases() {
        return Err(Error::parameter(format!(
            "{} has {} phases and {} has {}; readers are compared phase by phase",
            a.name,
            a.n_phases(),
            b.name,
            b.n_phases()
        )));
    }
    let names: Vec<(&str, u8)> = a.table.iter().map(|e| (e.name.as_str(), e.value)).collect();
    let frames = frame.map_or_else(|| (0..a.n_phases()).collect(), |f| vec![f]);
    let (mut all, n) = (Measured::default(), frames.len());
    for (done, frame) in frames.into_iter().enumerate() {
        let part = progress.part(done as f64 / n as f64, (done + 1) as f64 / n as f64);
        match compare_labels([(a, frame), (b, frame)], &names, &part) {
            Ok(mut found) => {
                found.rows.iter_mut().for_each(|r| r.phase = frame.to_string());
                all.rows.extend(found.rows);
            }
            // A phase that neither drew.
            Err(Error::Degenerate(_)) if n > 1 => {}
            Err(e) => return Err(e),
        }
    }
    Ok(all)
}
