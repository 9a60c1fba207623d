//! Coronary calcium in CT: Agatston (1990), volume and mass scores.

use super::measure::{Measured, needs_unit};
use super::stack::position;
use crate::base::{Error, Progress, Result, Severity};
use crate::imaging::{AROUND_2D, AROUND_AND_STACKED, FACES_2D, label_at, pieces};
use crate::model::{LabelMap, Volume};
use std::collections::BTreeMap;

/// How lesions are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalciumSettings {
    /// Least density in HU.
    pub threshold_hu: f64,
    /// Least area of a lesion in one slice in mm²; smaller ones are dropped.
    pub min_area_mm2: f64,
    /// Whether pixels that touch at corners belong together (8 neighbors, else 4).
    pub corners_join: bool,
    /// mg of hydroxyapatite per mL and HU.
    pub mg_per_ml_hu: Option<f64>,
}

impl Default for CalciumSettings {
    fn default() -> Self {
        Self { threshold_hu: 130.0, min_area_mm2: 1.0, corners_join: true, mg_per_ml_hu: None }
    }
}

/// Scores of a set of pixels.
#[derive(Clone, Copy, Default)]
struct Score {
    agatston: f64,
    volume_mm3: f64,
    hu_mm3: f64,
    max_hu: f64,
}

/// `agatston` (spacing of slices over 3 mm taken into account), `volume_score` (mm³, whole voxels),
/// `mass_score` (mg) and `n_lesions` within the mask: of `all`, of each label where there are several, and
/// of each lesion (slices joined face to face) with its `max_hu`. The weight comes from the greatest density
/// of the lesion in each slice. O(voxels).
pub fn measure_calcium(image: &Volume, mask: &LabelMap, settings: &CalciumSettings, progress: &Progress) -> Result<Measured> {
    check(image, mask, settings)?;
    let grid = image.grid;
    let same = grid.same_place(&mask.grid, 1e-3);
    let mut dense = vec![false; grid.n_voxels()];
    let mut arteries: Vec<u8> = vec![0; dense.len()];
    let mut any = false;
    for i in 0..dense.len() {
        if i % 65_536 == 0 {
            progress.step(0.5 * i as f64 / dense.len() as f64, "dense voxels")?;
        }
        arteries[i] = if same { mask.phases[0][i] } else { label_at(mask, 0, position(&grid, i)) };
        any |= arteries[i] > 0;
        dense[i] = arteries[i] > 0 && image.value(0, i) >= settings.threshold_hu;
    }
    if !any {
        return Err(Error::degenerate(format!("'{}' marks no voxel of {}; label the arteries", mask.name, image.name)));
    }
    progress.step(0.6, "lesions")?;
    let areas = kept_areas(image, &dense, settings);
    let mut measured = Measured::default();
    tell_lesions(image, &arteries, &areas, settings, &mut measured);
    say(image, settings, &mut measured);
    Ok(measured)
}

fn check(image: &Volume, mask: &LabelMap, settings: &CalciumSettings) -> Result<()> {
    needs_unit(mask)?;
    if !image.length_unit_known {
        return Err(Error::degenerate(format!("unit-unknown: {} does not say that its lengths are millimeters", image.name)));
    }
    let numbers = [settings.threshold_hu, settings.min_area_mm2, settings.mg_per_ml_hu.unwrap_or(1.0)];
    if numbers.iter().any(|v| !v.is_finite()) || settings.min_area_mm2 < 0.0 || settings.mg_per_ml_hu.is_some_and(|c| c <= 0.0) {
        return Err(Error::parameter(
            "threshold, least area and calibration must be finite numbers, area not below 0, calibration above 0",
        ));
    }
    Ok(())
}

/// Area of a pixel in mm².
fn pixel_mm2(image: &Volume) -> f64 {
    let matrix = image.grid.lps_from_voxel().matrix3;
    matrix.x_axis.cross(matrix.y_axis).length()
}

/// Distance between slices in mm.
fn slices_mm(image: &Volume) -> f64 {
    image.grid.voxel_mm3() / pixel_mm2(image)
}

/// Lesions of each slice that are large enough, with their scores.
fn kept_areas(image: &Volume, dense: &[bool], settings: &CalciumSettings) -> Vec<(Vec<usize>, Score)> {
    let neighbors: &[[i64; 3]] = if settings.corners_join { &AROUND_2D } else { &FACES_2D };
    let (pixel, voxel) = (pixel_mm2(image), image.grid.voxel_mm3());
    let found = pieces(dense, image.grid.size(), neighbors).into_iter();
    // Rounding of spacings must not drop a lesion of exactly the least area.
    let large = found.filter(|p| p.len() as f64 * pixel >= settings.min_area_mm2 * (1.0 - 1e-6));
    let scored = large.map(|piece| {
        let hu = |i: &usize| image.value(0, *i);
        let max_hu = piece.iter().map(hu).fold(f64::NEG_INFINITY, f64::max);
        let (n, sum) = (piece.len() as f64, piece.iter().map(hu).sum::<f64>());
        let agatston = n * pixel * weight(max_hu) * slices_mm(image) / 3.0;
        (piece, Score { agatston, volume_mm3: n * voxel, hu_mm3: sum * voxel, max_hu })
    });
    scored.collect()
}

/// 1 to 199 HU, 2 to 299, 3 to 399, 4 from 400 on.
fn weight(max_hu: f64) -> f64 {
    match max_hu {
        h if h >= 400.0 => 4.0,
        h if h >= 300.0 => 3.0,
        h if h >= 200.0 => 2.0,
        _ => 1.0,
    }
}

fn tell_lesions(
    image: &Volume,
    arteries: &[u8],
    areas: &[(Vec<usize>, Score)],
    settings: &CalciumSettings,
    measured: &mut Measured,
) {
    let mut kept = vec![false; arteries.len()];
    areas.iter().for_each(|(piece, _)| piece.iter().for_each(|&i| kept[i] = true));
    let lesions = pieces(&kept, image.grid.size(), if settings.corners_join { &AROUND_AND_STACKED } else { &FACES_3D });
    let mut lesion_of: BTreeMap<usize, usize> = BTreeMap::new();
    lesions.iter().enumerate().for_each(|(k, piece)| piece.iter().for_each(|&i| _ = lesion_of.insert(i, k)));
    let mut scores = vec![Score::default(); lesions.len()];
    // A lesion belongs to the label of its first voxel.
    let artery = |k: usize| arteries[lesions[k][0]];
    for (piece, score) in areas {
        let Some(&k) = lesion_of.get(&piece[0]) else { continue };
        scores[k] = add(scores[k], *score);
    }
    let how = method(image, settings);
    let mut groups: Vec<(String, Vec<usize>)> = vec![("all".into(), (0..scores.len()).collect())];
    let labels: std::collections::BTreeSet<u8> = arteries.iter().copied().filter(|v| *v > 0).collect();
    if labels.len() > 1 {
        groups.extend(labels.iter().map(|l| (format!("label {l}"), (0..scores.len()).filter(|&k| artery(k) == *l).collect())));
    }
    let mass = |s: Score| s.hu_mm3 / 1000.0 * settings.mg_per_ml_hu.unwrap_or(1.0);
    let mut tell = |region: &str, s: Score| {
        measured.row((region, ""), ("agatston", s.agatston, "1"), &how);
        measured.row((region, ""), ("volume_score", s.volume_mm3, "mm3"), &how);
        measured.row((region, ""), ("mass_score", mass(s), "mg"), &how);
    };
    for (region, members) in &groups {
        tell(region, members.iter().fold(Score::default(), |sum, &k| add(sum, scores[k])));
    }
    for (k, score) in scores.iter().enumerate() {
        tell(&format!("lesion {}", k + 1), *score);
    }
    for (region, members) in &groups {
        measured.row((region, ""), ("n_lesions", members.len() as f64, "1"), &how);
    }
    for (k, score) in scores.iter().enumerate() {
        measured.row((&format!("lesion {}", k + 1), ""), ("max_hu", score.max_hu, "HU"), &how);
    }
}

const FACES_3D: [[i64; 3]; 6] = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];

fn add(a: Score, b: Score) -> Score {
    Score {
        agatston: a.agatston + b.agatston,
        volume_mm3: a.volume_mm3 + b.volume_mm3,
        hu_mm3: a.hu_mm3 + b.hu_mm3,
        max_hu: a.max_hu.max(b.max_hu),
    }
}

fn method(image: &Volume, settings: &CalciumSettings) -> String {
    format!(
        "from {} HU; {} neighbors in the slice; area from {} mm2; weight by the slice's greatest HU; slices {:.4} mm apart over 3 mm; {}",
        settings.threshold_hu,
        if settings.corners_join { 8 } else { 4 },
        settings.min_area_mm2,
        slices_mm(image),
        settings.mg_per_ml_hu.map_or("mass not calibrated (1 mg/mL per HU)".into(), |c| format!("{c} mg/mL per HU"))
    )
}

fn say(image: &Volume, settings: &CalciumSettings, measured: &mut Measured) {
    if settings.mg_per_ml_hu.is_none() {
        let what = "The mass score is not calibrated: it takes 1 mg of hydroxyapatite per mL for each HU.".into();
        measured.say(Severity::Note, "mass-uncalibrated", what, &[], "Give the calibration of the scanner.");
    }
    let matrix = image.grid.lps_from_voxel().matrix3;
    let upright = matrix.x_axis.cross(matrix.y_axis).normalize_or_zero().z.abs();
    if upright < 0.9 {
        let what = "The slices are not axial; the Agatston score is defined in axial slices.".into();
        measured.say(Severity::Warning, "not-axial", what, &[("cosine to the body's axis", upright)], "Use the axial series.");
    }
    if slices_mm(image) < 1.0 {
        let what =
            format!("The slices are {:.2} mm apart; thin or overlapping slices raise the score by noise.", slices_mm(image));
        measured.say(
            Severity::Note,
            "thin-slices",
            what,
            &[("slice spacing in mm", slices_mm(image))],
            "Use 3 mm slices that do not overlap.",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::{DAffine3, DVec3, Grid};

    fn scores(spacing: f64, settings: &CalciumSettings) -> Measured {
        let grid = Grid::new([20, 20, 2], DAffine3::from_scale(DVec3::new(0.5, 0.5, spacing))).unwrap();
        let mut hu = vec![0f32; 800];
        let mut fill = |x: usize, y: usize, n: usize, value: f32, max: f32| {
            (0..n * n).for_each(|k| hu[x + k % n + 20 * (y + k / n)] = value);
            hu[x + 20 * y] = max;
        };
        fill(2, 2, 3, 200.0, 350.0);
        fill(10, 10, 2, 130.0, 140.0);
        fill(15, 3, 1, 500.0, 500.0);
        let image = Volume::new("CT", grid, vec![Samples::F32(hu.into())]).unwrap();
        let mask = LabelMap::new("mask", grid, vec![vec![1u8; 800].into()]).unwrap();
        measure_calcium(&image, &mask, settings, &Progress::none()).unwrap()
    }

    #[test]
    fn agatston_of_three_lesions() {
        for (spacing, want) in [(3.0, 7.75), (1.5, 3.875)] {
            let measured = scores(spacing, &CalciumSettings::default());
            assert!((measured.value("all", "", "agatston").unwrap() - want).abs() < 1e-12);
            assert_eq!(measured.value("all", "", "n_lesions"), Some(2.0));
            assert!((measured.value("all", "", "volume_score").unwrap() - 13.0 * 0.25 * spacing).abs() < 1e-12);
        }
        let all = scores(3.0, &CalciumSettings { min_area_mm2: 0.0, ..Default::default() });
        assert!((all.value("all", "", "agatston").unwrap() - 8.75).abs() < 1e-12);
    }

    #[test]
    fn weights_change_at_the_hundreds() {
        for (hu, want) in [(130.0, 1.0), (199.0, 1.0), (200.0, 2.0), (299.9, 2.0), (300.0, 3.0), (400.0, 4.0), (3000.0, 4.0)] {
            assert_eq!(weight(hu), want, "{hu}");
        }
    }
}
