//! What is true about the built-in case, in the same types that the program measures in.

use super::anatomy::{Anatomy, MYOCARDIAL_DENSITY, N_PHASES};
use super::chain::Chain;
use super::images::each_voxel;
use super::spots::{Sampled, SpotTruth};
use super::tissue::{Region, TissueState};
use crate::base::Result;
use crate::model::{LabelEntry, LabelMap, Landmarks};
use crate::space::{DVec3, Grid, Warp};
use std::collections::BTreeMap;

/// A volume in mL at each phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseVolumes {
    /// Of the analytic shape.
    pub analytic_ml: Vec<f64>,
    /// Of the labels: count of voxels times their volume.
    pub rasterized_ml: Vec<f64>,
}

/// What is true about the case.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// All landmarks, both sides exact; the first five are the anatomical ones.
    pub landmarks: Landmarks,
    /// Plane mm from section mm: the thin-plate spline through all landmarks.
    pub plane_from_section: Warp,
    /// Linear shrinkage of the section (0.15 is 15 %).
    pub shrinkage: f64,
    /// Anterior and inferior insertion of the right ventricle on the epicardium at the section's level,
    /// end-diastole, patient mm.
    pub insertions_lps: [DVec3; 2],
    /// End of the cavity at the apex, end-diastole, patient mm.
    pub apex_lps: DVec3,
    /// Outer tip of the apex, patient mm.
    pub apex_epi_lps: DVec3,
    /// Middle of the basal plane, end-diastole, patient mm.
    pub base_lps: DVec3,
    /// Left ventricular cavity, papillary muscles included.
    pub lv_volume_ml: PhaseVolumes,
    /// Left ventricular wall.
    pub myo_volume_ml: PhaseVolumes,
    /// Ejection fraction of the rasterized volumes in percent (largest and smallest phase).
    pub ejection_fraction: f64,
    /// Rasterized scar without border zone, 1.05 g/mL.
    pub scar_mass_g: f64,
    /// Rasterized border zone, 1.05 g/mL.
    pub border_mass_g: f64,
    /// 1 scar, 2 border zone, on the late enhancement's grid.
    pub scar_mask: LabelMap,
    /// 1 a piece of the lateral wall far from the infarct, on the late enhancement's grid.
    pub remote_mask: LabelMap,
    /// AHA segments 1..17 of the myocardium on the cine's grid at end-diastole: fixed 60° from the anterior
    /// insertion around the long axis, thirds of the way from [`Self::apex_lps`] to [`Self::base_lps`]
    /// (17 beyond the end of the cavity).
    pub segments: LabelMap,
    /// Class of each gene: transmural, scar, border, vessel, conduction, housekeeping or noise.
    pub gene_classes: BTreeMap<String, String>,
    /// R² of the visible tissue for the planted log mean of each gene that varies.
    pub histology_share: BTreeMap<String, f64>,
    /// Mean thickness of each segment's wall at end-diastole, mm: along rays from the long axis in the planes
    /// of the cine's slices, weighted by the arc in the middle of the wall; none for 17.
    pub thickness_mm: [Option<f64>; 17],
    /// What lies under each spot.
    pub tissue: Vec<SpotTruth>,
    /// True place of each spot, patient mm.
    pub spots_lps: Vec<DVec3>,
}

/// Collects the truth. `genes` are the classes and the visible shares.
pub(super) fn tell(
    anatomy: &Anatomy,
    chain: &Chain,
    sampled: &Sampled,
    cine: &LabelMap,
    late: &LabelMap,
    genes: (BTreeMap<String, String>, BTreeMap<String, f64>),
) -> Result<Truth> {
    let shape = anatomy.diastole();
    let frame = &anatomy.frame;
    let on_axis = |z: f64| frame.lps_from_heart(DVec3::new(0.0, 0.0, z));
    let insertions_lps = anatomy.insertions.map(|angle| {
        let r = shape.outer.radius(chain.z, angle);
        frame.lps_from_heart(DVec3::new(r * angle.sin(), r * angle.cos(), chain.z))
    });
    let lv = volumes(anatomy, cine, 3);
    let largest = lv.rasterized_ml.iter().copied().fold(0.0, f64::max);
    let least = lv.rasterized_ml.iter().copied().fold(f64::INFINITY, f64::min);
    let scar_mask = masked(anatomy, "True scar", &late.grid, &["Scar", "Border zone"], scar_value)?;
    let grams = |value: u8| scar_mask.count(0, value) as f64 * late.grid.voxel_mm3() / 1000.0 * MYOCARDIAL_DENSITY;
    let (scar_mass_g, border_mass_g) = (grams(1), grams(2));
    Ok(Truth {
        landmarks: chain.landmarks.clone(),
        plane_from_section: chain.plane_from_section.clone(),
        shrinkage: 1.0 - super::chain::SHRINKAGE,
        insertions_lps,
        apex_lps: on_axis(shape.apex_wall),
        apex_epi_lps: on_axis(0.0),
        base_lps: on_axis(shape.height),
        ejection_fraction: 100.0 * (largest - least) / largest,
        lv_volume_ml: lv,
        myo_volume_ml: volumes(anatomy, cine, 2),
        scar_mass_g,
        border_mass_g,
        scar_mask,
        remote_mask: masked(anatomy, "True remote", &late.grid, &["Remote"], remote_value)?,
        thickness_mm: thickness(anatomy),
        segments: masked(anatomy, "True segments", &cine.grid, &SEGMENTS, |a, h, _| a.segment(h))?,
        gene_classes: genes.0,
        histology_share: genes.1,
        tissue: sampled.truth.clone(),
        spots_lps: sampled.lps.clone(),
    })
}

/// Mean thickness of each segment in the cine's slices at end-diastole.
fn thickness(anatomy: &Anatomy) -> [Option<f64>; 17] {
    let shape = anatomy.diastole();
    let first = super::images::first_slice_mm(anatomy);
    let mut sums = [[0.0; 2]; 17];
    for z in (0..).map(|k| first + f64::from(k) * super::images::SLICE_MM).take_while(|z| *z < shape.height) {
        for degree in 0..360 {
            let angle = (f64::from(degree) + 0.5).to_radians();
            let (inner, outer) = (shape.inner.radius(z, angle), shape.outer.radius(z, angle));
            let middle = f64::midpoint(inner, outer);
            let segment = anatomy.segment(DVec3::new(middle * angle.sin(), middle * angle.cos(), z));
            if inner > 0.0 && segment < 17 {
                let sum = &mut sums[usize::from(segment) - 1];
                *sum = [sum[0] + middle * (outer - inner), sum[1] + middle];
            }
        }
    }
    sums.map(|[sum, arc]| (arc > 0.0).then(|| sum / arc))
}

const SEGMENTS: [&str; 17] = [
    "1 basal anterior",
    "2 basal anteroseptal",
    "3 basal inferoseptal",
    "4 basal inferior",
    "5 basal inferolateral",
    "6 basal anterolateral",
    "7 mid anterior",
    "8 mid anteroseptal",
    "9 mid inferoseptal",
    "10 mid inferior",
    "11 mid inferolateral",
    "12 mid anterolateral",
    "13 apical anterior",
    "14 apical septal",
    "15 apical inferior",
    "16 apical lateral",
    "17 apex",
];

/// Okabe and Ito's colors.
const COLORS: [[u8; 3]; 7] = [
    [0xE6, 0x9F, 0x00],
    [0xF0, 0xE4, 0x42],
    [0x56, 0xB4, 0xE9],
    [0x00, 0x9E, 0x73],
    [0x00, 0x72, 0xB2],
    [0xD5, 0x5E, 0x00],
    [0xCC, 0x79, 0xA7],
];

fn volumes(anatomy: &Anatomy, labels: &LabelMap, value: u8) -> PhaseVolumes {
    let voxel_ml = labels.grid.voxel_mm3() / 1000.0;
    let analytic = |p: usize| if value == 3 { anatomy.shapes[p].cavity_ml() } else { anatomy.shapes[p].muscle_ml() };
    PhaseVolumes {
        analytic_ml: (0..N_PHASES).map(analytic).collect(),
        rasterized_ml: (0..N_PHASES).map(|p| labels.count(p, value) as f64 * voxel_ml).collect(),
    }
}

/// A mask of the wall at end-diastole, from the value of each wall point and its depth.
fn masked(
    anatomy: &Anatomy,
    name: &str,
    grid: &Grid,
    names: &[&str],
    value: impl Fn(&Anatomy, DVec3, f64) -> u8,
) -> Result<LabelMap> {
    let mut mask = vec![0u8; grid.n_voxels()];
    each_voxel(anatomy, grid, |index, h| {
        if let Region::Wall(depth) = anatomy.region(anatomy.diastole(), h) {
            mask[index] = value(anatomy, h, depth);
        }
    });
    let mut map = LabelMap::new(name, *grid, vec![mask.into()])?;
    let entry =
        |(i, name): (usize, &&str)| LabelEntry { value: i as u8 + 1, name: (*name).to_owned(), rgb: COLORS[i % COLORS.len()] };
    map.table = names.iter().enumerate().map(entry).collect();
    Ok(map)
}

fn scar_value(anatomy: &Anatomy, h: DVec3, depth: f64) -> u8 {
    match anatomy.state(anatomy.diastole(), h, depth) {
        TissueState::Scar => 1,
        TissueState::Border => 2,
        TissueState::Healthy | TissueState::None => 0,
    }
}

fn remote_value(anatomy: &Anatomy, h: DVec3, depth: f64) -> u8 {
    let level = anatomy.diastole().level(h.z);
    let phi = (super::tissue::angle_of(h) - anatomy.insertions[0]).to_degrees().rem_euclid(360.0);
    let inside = (0.35..0.70).contains(&level) && (200.0..280.0).contains(&phi) && (0.2..0.8).contains(&depth);
    u8::from(inside && anatomy.scar_level(anatomy.diastole(), h, depth) > 1.5)
}
