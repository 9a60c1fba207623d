//! Labels to outlines: the lines half way between pixels inside and outside, slice by slice. Filled again on the
//! same grid they give the same labels.

use super::isoline::isolines;
use crate::base::{Progress, Result};
use crate::model::{Border, Contour, ContourSpace, Contours, LabelMap};
use crate::space::DVec3;

/// What is outlined: a border, and the values inside it.
struct Area {
    border: Border,
    values: Vec<u8>,
    /// Only in slices that hold this value.
    needs: u8,
}

/// The outlines of all labels in all slices and phases, in patient mm. Where labels have the usual names of the
/// heart, these are `endo` (LV cavity), `epi` (LV cavity and myocardium, where there is myocardium) and `rv-endo`;
/// all others are `label-N`. An area with a hole has two lines. Cost: one look at each voxel for each label.
pub fn trace_labels(labels: &LabelMap, progress: &Progress) -> Result<Contours> {
    let areas = areas(labels);
    let [_, _, nz] = labels.grid.size();
    let mut lines = Vec::new();
    for phase in 0..labels.n_phases() {
        for slice in 0..nz {
            progress.step((phase * nz + slice) as f64 / (labels.n_phases() * nz) as f64, "tracing outlines")?;
            for area in &areas {
                lines.extend(outlines(labels, area, phase, slice));
            }
        }
    }
    Ok(Contours { name: labels.name.clone(), space: ContourSpace::Patient, lines })
}

fn areas(labels: &LabelMap) -> Vec<Area> {
    let is_usual = |value: u8, name: &str| labels.entry(value).is_none_or(|e| e.name.eq_ignore_ascii_case(name));
    let is_heart = is_usual(1, "RV cavity") && is_usual(2, "Myocardium") && is_usual(3, "LV cavity");
    let own = |value: u8| Area { border: Border::Label(value), values: vec![value], needs: value };
    labels
        .table
        .iter()
        .map(|entry| match entry.value {
            1 if is_heart => Area { border: Border::RvEndo, ..own(1) },
            2 if is_heart => Area { border: Border::Epi, values: vec![2, 3], needs: 2 },
            3 if is_heart => Area { border: Border::Endo, ..own(3) },
            value => own(value),
        })
        .collect()
}

fn outlines(labels: &LabelMap, area: &Area, phase: usize, slice: usize) -> Vec<Contour> {
    let [nx, ny, _] = labels.grid.size();
    let pixels = &labels.phases[phase][nx * ny * slice..nx * ny * (slice + 1)];
    if !pixels.contains(&area.needs) {
        return Vec::new();
    }
    let inside = |v: &u8| area.values.contains(v);
    // Only the part that holds something is looked at.
    let rows: Vec<usize> = (0..ny).filter(|j| pixels[nx * j..nx * (j + 1)].iter().any(inside)).collect();
    let (Some(&top), Some(&bottom)) = (rows.first(), rows.last()) else { return Vec::new() };
    let left = rows.iter().filter_map(|j| pixels[nx * j..nx * (j + 1)].iter().position(inside)).min().unwrap_or(0);
    let right = rows.iter().filter_map(|j| pixels[nx * j..nx * (j + 1)].iter().rposition(inside)).max().unwrap_or(nx - 1);
    let mask: Vec<f64> = (top..=bottom)
        .flat_map(|j| pixels[nx * j + left..=nx * j + right].iter().map(|v| if inside(v) { 1.0 } else { 0.0 }))
        .collect();
    let lps = |p: &[f64; 2]| {
        let voxel = DVec3::new(p[0] + left as f64, p[1] + top as f64, slice as f64);
        labels.grid.lps_from_voxel().transform_point3(voxel)
    };
    isolines(&mask, right - left + 1, 0.5)
        .iter()
        .map(|line| Contour {
            border: area.border.clone(),
            view: if matches!(area.border, Border::Label(_)) { String::new() } else { "sax".into() },
            slice: slice as i64,
            phase,
            closed: true,
            points: line.iter().map(lps).collect(),
            image: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fill_contours;
    use super::*;
    use crate::space::{DAffine3, DMat3, Grid};

    fn random_labels(seed: u64, values: &[u8]) -> LabelMap {
        let matrix3 = DMat3::from_cols(
            DVec3::new(0.8, -0.6, 0.0) * 1.37,
            DVec3::new(0.36, 0.48, -0.8) * 1.4,
            DVec3::new(0.48, 0.64, 0.6) * 8.0,
        );
        let grid = Grid::new([17, 13, 4], DAffine3 { matrix3, translation: DVec3::new(-83.1, 12.7, 45.3) }).unwrap();
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let phase = |_| (0..grid.n_voxels()).map(|_| values[next() as usize % values.len()]).collect::<Vec<u8>>().into();
        LabelMap::new("l", grid, (0..2).map(phase).collect()).unwrap()
    }

    #[test]
    fn filled_again_the_labels_are_the_same() {
        for seed in 0..20 {
            for values in [&[0, 1, 2, 3][..], &[0, 4, 7, 9], &[0, 0, 0, 3]] {
                let labels = random_labels(seed, values);
                let lines = trace_labels(&labels, &Progress::none()).unwrap();
                let back = fill_contours(&lines, &labels.grid, 2, &Progress::none()).unwrap();
                assert_eq!(back.labels.phases, labels.phases, "seed {seed} {values:?}");
                assert_eq!((back.n_open, back.n_off_plane), (0, 0));
            }
        }
    }

    #[test]
    fn labels_of_another_convention_keep_their_number() {
        let mut labels = random_labels(1, &[0, 1, 2, 3]);
        labels.table[0].name = "LV cavity".into();
        let lines = trace_labels(&labels, &Progress::none()).unwrap();
        assert!(lines.lines.iter().all(|l| matches!(l.border, Border::Label(_))));
    }
}
