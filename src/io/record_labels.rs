//! Mirror types for disk of segmentations drawn here, of the changes of their voxels, and of figures.

use crate::base::{Error, Limits, Result};
use crate::model::{ElementId, Figure, FigureKind, LabelEdit, LabelEntry, LabelMap, LabelRun, LabelTable};
use crate::space::{DAffine3, DMat3, DVec3, Grid};
use serde::{Deserialize, Serialize};

/// An empty segmentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlankRecord {
    /// Columns, rows, slices.
    pub size: [usize; 3],
    /// Patient LPS mm from voxel indices: three columns and the origin.
    pub lps_from_voxel: [[f64; 3]; 4],
    /// Number of phases.
    pub n_phases: usize,
    /// Time of each phase in ms; empty where unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phase_times_ms: Vec<f64>,
    /// Whether lengths are millimeters.
    pub length_unit_known: bool,
}

impl From<&LabelMap> for BlankRecord {
    fn from(map: &LabelMap) -> Self {
        let at = map.grid.lps_from_voxel();
        let [x, y, z] = [at.matrix3.x_axis, at.matrix3.y_axis, at.matrix3.z_axis].map(|v| v.to_array());
        Self {
            size: map.grid.size(),
            lps_from_voxel: [x, y, z, at.translation.to_array()],
            n_phases: map.n_phases(),
            phase_times_ms: map.phase_times_ms.clone(),
            length_unit_known: map.length_unit_known,
        }
    }
}

impl BlankRecord {
    /// The empty segmentation; refused where the grid makes no sense or is larger than the limits.
    pub fn to_labels(&self, name: &str, limits: Limits) -> Result<LabelMap> {
        let sizes = self.size.map(|n| n as u64);
        limits.check("voxels of a segmentation", &sizes, 1)?;
        limits.check("phases of a segmentation", &[self.n_phases as u64], 64)?;
        let [x, y, z, origin] = self.lps_from_voxel.map(DVec3::from_array);
        let grid = Grid::new(self.size, DAffine3::from_mat3_translation(DMat3::from_cols(x, y, z), origin))?;
        let mut map = LabelMap::blank(name, grid, self.n_phases)?;
        if self.phase_times_ms.len() == self.n_phases {
            map.phase_times_ms.clone_from(&self.phase_times_ms);
        }
        map.length_unit_known = self.length_unit_known;
        Ok(map)
    }
}

/// Changes of one phase: `[first voxel, number, old label, new label]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelEditRecord {
    /// Which phase.
    pub phase: usize,
    /// The runs, rising.
    pub runs: Vec<(usize, usize, u8, u8)>,
}

impl From<&LabelEdit> for LabelEditRecord {
    fn from(edit: &LabelEdit) -> Self {
        Self { phase: edit.phase, runs: edit.runs.iter().map(|r| (r.start, r.len, r.old, r.new)).collect() }
    }
}

impl LabelEditRecord {
    /// The edit.
    #[must_use]
    pub fn to_edit(&self) -> LabelEdit {
        let run = |&(start, len, old, new): &(usize, usize, u8, u8)| LabelRun { start, len, old, new };
        LabelEdit { phase: self.phase, runs: self.runs.iter().map(run).collect() }
    }
}

/// One row of a table of labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelEntryRecord {
    /// The value.
    pub value: u8,
    /// Its name.
    pub name: String,
    /// sRGB.
    pub rgb: [u8; 3],
    /// Edits leave it alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
}

/// The rows of a table.
#[must_use]
pub fn table_record(table: &LabelTable) -> Vec<LabelEntryRecord> {
    let row = |e: &LabelEntry| LabelEntryRecord {
        value: e.value,
        name: e.name.clone(),
        rgb: e.rgb,
        locked: table.locked.contains(&e.value),
    };
    table.entries.iter().map(row).collect()
}

/// The table of rows; rows of value 0 are left out.
#[must_use]
pub fn table_of(rows: &[LabelEntryRecord]) -> LabelTable {
    let rows = || rows.iter().filter(|r| r.value != 0);
    LabelTable {
        entries: rows().map(|r| LabelEntry { value: r.value, name: r.name.clone(), rgb: r.rgb }).collect(),
        locked: rows().filter(|r| r.locked).map(|r| r.value).collect(),
    }
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureRecord {
    /// Its name.
    pub name: String,
    /// `length`, `angle`, `polygon` or `ellipse`.
    pub kind: String,
    /// Patient LPS mm.
    pub points_lps_mm: Vec<[f64; 3]>,
    /// The image.
    pub image: u64,
    /// Phase of the image.
    pub phase: usize,
}

impl From<&Figure> for FigureRecord {
    fn from(f: &Figure) -> Self {
        Self {
            name: f.name.clone(),
            kind: f.kind.name().into(),
            points_lps_mm: f.points.iter().map(|p| p.to_array()).collect(),
            image: f.image.0,
            phase: f.phase,
        }
    }
}

impl FigureRecord {
    /// The figure; refused where its kind is unknown or has another number of points.
    pub fn to_figure(&self) -> Result<Figure> {
        let kind = FigureKind::from_name(&self.kind).filter(|k| k.takes(self.points_lps_mm.len())).ok_or_else(|| {
            Error::malformed(format!("there is no figure {:?} with {} points", self.kind, self.points_lps_mm.len()))
        })?;
        let points = self.points_lps_mm.iter().map(|p| DVec3::from_array(*p)).collect();
        Ok(Figure { name: self.name.clone(), kind, points, image: ElementId(self.image), phase: self.phase })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back() {
        let text = r#"{"size":[4,3,2],"lps_from_voxel":[[1,0,0],[0,1,0],[0,0,8],[5,6,7]],"n_phases":2,"length_unit_known":true}"#;
        let record: BlankRecord = serde_json::from_str(text).unwrap();
        let map = record.to_labels("a", Limits::default()).unwrap();
        assert_eq!((BlankRecord::from(&map), map.n_phases(), map.table.len()), (record.clone(), 2, 3));
        let huge = BlankRecord { size: [1 << 20, 1 << 20, 1 << 20], ..record.clone() };
        assert!(huge.to_labels("a", Limits::default()).is_err());
        assert!(BlankRecord { n_phases: 0, ..record.clone() }.to_labels("a", Limits::default()).is_err());
        assert!(BlankRecord { n_phases: usize::MAX, ..record }.to_labels("a", Limits::default()).is_err());
        let odd = FigureRecord { name: String::new(), kind: "angle".into(), points_lps_mm: vec![[0.0; 3]], image: 1, phase: 0 };
        assert!(odd.to_figure().is_err());
    }
}
