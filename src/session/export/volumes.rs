//! A value of the spots on the heart's grid.

use super::Exporter;
use crate::base::{Error, Progress, Result};
use crate::imaging::spots_on_grid;
use crate::io;
use crate::model::ElementId;
use std::path::{Path, PathBuf};

impl Exporter {
    /// A segmentation as NIfTI or as a DICOM segmentation, by the ending.
    pub(super) fn labels(&self, id: ElementId, path: &Path) -> Result<Vec<PathBuf>> {
        let map = self.study.labels(id).ok_or_else(|| Error::parameter("this segmentation is not open"))?;
        match io::bytes::ending(path).as_str() {
            "nii" => io::write_nifti_labels(path, map)?,
            "dcm" => io::write_dicom_segmentation(path, map)?,
            _ => return Err(Error::parameter(format!("labels end in .nii, .nii.gz or .dcm: {}", path.display()))),
        }
        Ok(vec![path.to_path_buf()])
    }

    /// Mean of the spots on tissue that are not left out in each voxel of the heart, NaN elsewhere; and how
    /// many there are, in a second file.
    pub(super) fn map(
        &self,
        [section, heart]: [ElementId; 2],
        name: &str,
        log_normalized: bool,
        path: &Path,
        progress: &Progress,
    ) -> Result<Vec<PathBuf>> {
        let volume =
            self.study.volume(heart).ok_or_else(|| Error::parameter("a map needs an image of the heart for its grid"))?;
        let count_path = count_beside(path)?;
        let values = self.values(section, name, log_normalized)?;
        if !values.categories.is_empty() {
            return Err(Error::parameter(format!("{name} has categories, and a mean of them says nothing; choose a number")));
        }
        let rows = self.registered_rows(section)?;
        progress.step(0.3, "sorting spots into voxels")?;
        let places: Vec<_> = rows.iter().map(|r| r.lps.filter(|_| r.counts())).collect();
        let unit = values.rule.split_once(", ").map_or("", |(unit, _)| unit);
        let mut map = spots_on_grid(&volume.grid, &places, &values.values, &values.title, unit)?;
        if map.count.phases.iter().all(|p| (0..p.len()).all(|i| p.stored(i) == 0.0)) {
            let n = map.n_outside;
            return Err(Error::degenerate(format!("no spot with a value lies in the grid of {} ({n} lie outside)", volume.name)));
        }
        (map.mean.length_unit_known, map.count.length_unit_known) = (volume.length_unit_known, volume.length_unit_known);
        progress.step(0.6, "writing the map")?;
        io::write_nifti_volume(path, &map.mean)?;
        io::write_nifti_volume(&count_path, &map.count)?;
        Ok(vec![path.to_path_buf(), count_path])
    }
}

/// `a_count.nii.gz` of `a.nii.gz`.
fn count_beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let ending = [".nii.gz", ".nii"].into_iter().find(|e| name.to_lowercase().ends_with(e));
    let ending = ending.ok_or_else(|| Error::parameter(format!("a map ends in .nii or .nii.gz: {}", path.display())))?;
    let (stem, ending) = name.split_at(name.len() - ending.len());
    Ok(path.with_file_name(format!("{stem}_count{ending}")))
}
