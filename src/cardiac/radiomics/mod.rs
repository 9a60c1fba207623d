//! Radiomics of a region: the features of the Image Biomarker Standardisation Initiative's reference manual
//! (Zwanenburg and others, Radiology 2020;295:328) under the tags of its reference table.

mod bodies;
mod cooccurrence;
mod counts;
mod hull;
mod levels;
mod mesh;
mod morphology;
mod neighborhood;
mod peak;
mod region;
mod resample;
mod run_length;
mod settings;
mod statistics;
mod volume_histogram;
mod zones;

pub use settings::{Aggregation, Discretize, RadiomicsSettings};

use crate::base::{Limits, Progress, Result};
use crate::model::{LabelMap, Volume};
use levels::{Discretized, Levels};
use rayon::join;
use region::Region;

/// A feature and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// As in the reference table, as `cm_contrast_2_5D_comb`.
    pub tag: String,
    /// `None` where the region gives none.
    pub value: Option<f64>,
}

impl Feature {
    fn new(tag: &str, value: f64) -> Self {
        Self { tag: tag.to_owned(), value: value.is_finite().then_some(value) }
    }

    fn list(prefix: &str, values: &[(&str, f64)]) -> Vec<Self> {
        values.iter().map(|(name, v)| Self::new(&format!("{prefix}{name}"), *v)).collect()
    }
}

/// The features of a region and what must be known about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Radiomics {
    /// In the order of the reference table.
    pub features: Vec<Feature>,
    /// Gray levels that may occur; 0 where there are none.
    pub n_levels: usize,
    /// Voxels of the shape.
    pub n_voxels: usize,
    /// Sentences about voxels left out, levels shifted, families left empty.
    pub notes: Vec<String>,
}

/// All features of the labeled region of one phase of an image.
///
/// Lengths are in mm, in a frame along the grid's own axes; slices are those of the third stored axis.
/// Intensities are the rescaled ones. Variances divide by n, kurtosis is that above a normal distribution,
/// entropies are in bits, texture matrices are symmetric with neighbors at distance 1, dependences are of
/// equal levels. The surface lies half way between voxels inside and outside. Voxels without a number are
/// part of the shape alone. The results do not depend on the number of threads.
///
/// Costs about 0.3 µs a voxel and aggregation on one core, and for the spatial autocorrelation two
/// transforms of a box of twice the region's size along each axis: about 200 bytes a voxel of the region's
/// box, the most of all. Where `limits` does not allow those, its two values stay empty, with a note.
///
/// Errors: `Parameter` for settings out of range, different grids, and intensities that `Discretize::None`
/// cannot take; `Degenerate` for an empty region or one without numbers; `TooLarge`; `Cancelled`.
pub fn radiomics(
    image: (&Volume, usize),
    mask: (&LabelMap, usize),
    settings: &RadiomicsSettings,
    limits: &Limits,
    progress: &Progress,
) -> Result<Radiomics> {
    settings.check()?;
    let region = Region::new(image, mask, settings, limits, &progress.part(0.0, 0.2))?;
    let mut notes = region_notes(&region);
    let levels = match Levels::discretize(&region, settings)? {
        Discretized::Levels(levels, note) => {
            notes.extend(note);
            Some(levels)
        }
        Discretized::Missing(why) => {
            notes.push(format!("histogram and texture are empty: {why}"));
            None
        }
    };
    let work = progress.part(0.2, 1.0);
    let (place, texture) =
        join(|| place_features(&region, settings, limits, &work), || texture_features(levels.as_ref(), settings, &work));
    let Place { mut features, volume_histogram, note } = place?;
    let (histogram, texture) = texture?;
    features.extend(histogram.into_iter().chain(volume_histogram).chain(texture));
    notes.extend(note);
    let n_voxels = region.shape.iter().filter(|s| **s).count();
    Ok(Radiomics { features, n_levels: levels.map_or(0, |l| l.n_levels), n_voxels, notes })
}

fn region_notes(region: &Region) -> Vec<String> {
    let mut notes = Vec::new();
    if region.n_nan > 0 {
        notes.push(format!("{} voxels of the region hold no number; they are part of the shape alone", region.n_nan));
    }
    if region.n_outside > 0 {
        notes.push(format!("{} voxels lie outside the resegmentation; they are part of the shape alone", region.n_outside));
    }
    notes
}

/// What needs no gray levels.
struct Place {
    /// Families `morph`, `loc`, `stat`.
    features: Vec<Feature>,
    /// Family `ivh`.
    volume_histogram: Vec<Feature>,
    /// What was left out.
    note: Option<String>,
}

fn place_features(region: &Region, settings: &RadiomicsSettings, limits: &Limits, progress: &Progress) -> Result<Place> {
    let ((mut features, spatial), peaks) = (
        join(|| morphology::shape_features(region), || morphology::spatial_features(region, limits, progress)),
        peak::peaks(region, progress)?,
    );
    let mut note = None;
    match spatial {
        Ok(spatial) => features.extend(spatial),
        Err(e @ crate::base::Error::TooLarge { .. }) => {
            features.extend(Feature::list("morph_", &[("moran_i", f64::NAN), ("geary_c", f64::NAN)]));
            note = Some(format!("Moran's I and Geary's C are empty: {e}"));
        }
        Err(e) => return Err(e),
    }
    features.extend(peaks);
    let intensities = region.intensities();
    features.extend(statistics::statistics(intensities.clone()));
    let volume_histogram = volume_histogram::volume_histogram(intensities, region.whole, settings.discretize);
    Ok(Place { features, volume_histogram, note })
}

/// Family `ih`, and the families of texture; all tags without values where there are no gray levels.
fn texture_features(
    levels: Option<&Levels>,
    settings: &RadiomicsSettings,
    progress: &Progress,
) -> Result<(Vec<Feature>, Vec<Feature>)> {
    let Some(levels) = levels else {
        let (mut histogram, mut texture) = texture_features(Some(&Levels::one_voxel()), settings, progress)?;
        histogram.iter_mut().chain(&mut texture).for_each(|f| f.value = None);
        return Ok((histogram, texture));
    };
    let (aggregations, extents) = (settings.aggregations(), settings.extents());
    let mut counts = vec![0u64; levels.n_levels];
    levels.values.iter().filter(|v| **v > 0).for_each(|v| counts[usize::from(*v) - 1] += 1);
    let ((pairs, runs), (zones, around)) = join(
        || {
            join(
                || cooccurrence::cooccurrence(levels, &aggregations, progress),
                || run_length::run_length(levels, &aggregations, progress),
            )
        },
        || join(|| zones::zones(levels, &extents, progress), || neighborhood::neighborhood(levels, &extents, progress)),
    );
    let mut features = pairs?;
    features.extend(runs?);
    features.extend(zones?.into_iter().flatten());
    features.extend(around?.into_iter().flatten());
    Ok((statistics::histogram(&counts), features))
}
