//! The built-in case: a synthetic beating heart, its section, and the truth about both.
//!
//! Everything follows from one seed and is made in memory. The left ventricle is a thick ellipsoid cut
//! by a tilted basal plane (about 51 mm across inside at end-diastole, wall 8–11 mm); it shortens,
//! thickens with its muscle volume kept, and twists. The section is cut at the middle of the ventricle at
//! end-diastole. Cavity volumes include the papillary muscles.

mod anatomy;
mod chain;
mod cohort;
mod genes;
mod histology;
mod images;
mod noise;
mod shape;
mod slide;
mod spots;
#[cfg(test)]
mod tests;
mod tissue;
mod truth;

pub use cohort::{CohortCase, CohortTruth, FeatureTruth, N_SUBJECTS, make_cohort};
pub use spots::{Area, SpotTruth};
pub use tissue::TissueState;
pub use truth::{PhaseVolumes, Truth};

use crate::base::{Progress, Result};
use crate::model::{LabelMap, Landmarks, PixelSize, Section, Volume};
use crate::space::Plane;
use anatomy::Anatomy;
use chain::Chain;
use slide::Slide;
use std::sync::Arc;

/// The built-in case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Short-axis cine of 25 phases; the first is end-diastole.
    pub cine: Volume,
    /// Its labels, 1 right cavity, 2 myocardium, 3 left cavity.
    pub cine_labels: LabelMap,
    /// Late enhancement at end-diastole, on a grid of its own.
    pub lge: Volume,
    /// Its labels.
    pub lge_labels: LabelMap,
    /// The section with picture, spots and counts.
    pub section: Section,
    /// `array_row` and `array_col` of each spot; all areas share one lattice.
    pub array: Vec<(u32, u32)>,
    /// The landmarks that the demo opens with: two pairs complete, three on one side only.
    pub landmarks_half: Landmarks,
    /// The heart plane that the section is bound to, seen from the apex with the anterior wall up.
    pub plane: Plane,
    /// Half the thickness of the slice around the plane.
    pub half_slice_mm: f64,
    /// Sixty other patients, and what is true about them.
    pub cohort: CohortCase,
    /// What is true.
    pub truth: Truth,
}

/// Makes the built-in case of a seed; same seed, same bytes. Cost: about two seconds of two cores.
pub fn make_case(seed: u64, progress: &Progress) -> Result<Case> {
    make_case_early(seed, progress, |_, _| {})
}

/// As [`make_case`]; shows end-diastole, then the whole cine, with their labels, as soon as they are there.
pub fn make_case_early(seed: u64, progress: &Progress, show: impl Fn(&Volume, &LabelMap)) -> Result<Case> {
    progress.step(0.0, "heart")?;
    let anatomy = Anatomy::of_seed(seed);
    let (cine, cine_labels) = images::cine(&anatomy, &progress.part(0.0, 0.4), &show)?;
    show(&cine, &cine_labels);
    progress.step(0.4, "late enhancement")?;
    let (lge, lge_labels) = images::late(&anatomy)?;
    let chain = Chain::plant(&anatomy, section_height(&anatomy))?;
    let slide = Slide::new(&anatomy, &chain);
    let picture = histology::picture(&slide, &progress.part(0.45, 0.65))?;
    let sampled = spots::sample(&slide)?;
    let planted = genes::plant(seed, &sampled, &progress.part(0.65, 0.97))?;
    progress.step(0.97, "truth")?;
    let truth = truth::tell(&anatomy, &chain, &sampled, &cine_labels, &lge_labels, (planted.classes, planted.histology_share))?;
    let section = Section {
        name: "Short-axis section".into(),
        picture: Some(Arc::new(picture)),
        pixel_size: PixelSize::Known { um_per_px: chain.um_per_px, source: "planted".into() },
        spots: Some(Arc::new(sampled.spots)),
        expression: Some(Arc::new(planted.expression)),
    };
    Ok(Case {
        cine,
        cine_labels,
        lge,
        lge_labels,
        section,
        array: sampled.array,
        landmarks_half: chain.half_placed(),
        plane: chain.plane,
        half_slice_mm: images::SLICE_MM / 2.0,
        cohort: make_cohort(seed)?,
        truth,
    })
}

/// Height of the cine slice nearest to the middle of the ventricle.
fn section_height(anatomy: &Anatomy) -> f64 {
    let first = images::first_slice_mm(anatomy);
    let middle = anatomy.diastole().z_of_level(0.5);
    first + ((middle - first) / images::SLICE_MM).round() * images::SLICE_MM
}
