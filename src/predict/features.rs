//! Patch features from histology, made by hand so that no trained weights are needed: stains, colors,
//! texture at two scales, nuclei and the share of tissue, each with its unit in its name.

use super::texture::{Square, Texture};
use crate::base::{Error, Progress, Result};
use crate::imaging::{Stains, glass_color, is_tissue};
use crate::model::{PictureLevel, PixelSize, Section};
use crate::space::DVec2;
use crate::stats::quantile;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Side of a patch in the HEST protocol, µm.
pub const DEFAULT_PATCH_UM: f64 = 112.0;
/// Pixels of this size still show nuclei (µm); a finer level is not needed.
const GOOD_UM_PER_PX: f64 = 1.0;
/// Nuclei cannot be told apart on pixels larger than this (µm).
pub(super) const COARSEST_NUCLEI_UM: f64 = 2.5;
/// A nucleus is taken to be so wide, µm.
const NUCLEUS_UM: f64 = 5.0;
/// Side of the largest patch in pixels.
const MOST_PATCH_PX: f64 = 1024.0;
/// Patches with less tissue than this have no features.
pub const LEAST_TISSUE: f64 = 0.1;

/// Names of the features, in order. `_od` is optical density (decadic), `_per_px` per pixel of the level used.
pub const FEATURE_NAMES: [&str; 31] = [
    "hematoxylin_mean_od",
    "hematoxylin_sd_od",
    "hematoxylin_p10_od",
    "hematoxylin_p50_od",
    "hematoxylin_p90_od",
    "eosin_mean_od",
    "eosin_sd_od",
    "eosin_p10_od",
    "eosin_p50_od",
    "eosin_p90_od",
    "rest_mean_od",
    "rest_sd_od",
    "density_mean_od",
    "density_sd_od",
    "red_mean_share",
    "green_mean_share",
    "blue_mean_share",
    "saturation_mean_share",
    "gradient_energy_fine_od2_per_px2",
    "coherence_fine_share",
    "gray_contrast_fine_levels2",
    "gray_homogeneity_fine_share",
    "pattern_entropy_fine_bits",
    "gradient_energy_coarse_od2_per_px2",
    "coherence_coarse_share",
    "gray_contrast_coarse_levels2",
    "gray_homogeneity_coarse_share",
    "pattern_entropy_coarse_bits",
    "nuclei_per_mm2",
    "nuclear_area_share",
    "tissue_share",
];

/// Features of places, column by column, and how they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchFeatures {
    /// One column per name of [`FEATURE_NAMES`]; NaN in every column where a patch has too little tissue.
    pub columns: Vec<Vec<f64>>,
    /// Side of a patch in pixels of the level used.
    pub patch_px: usize,
    /// µm per pixel of the level used.
    pub um_per_px: f64,
    /// Name of the level used.
    pub level: String,
    /// Color of empty glass.
    pub white: [u8; 3],
    /// Whether the border of the picture is dark: no bright field.
    pub is_dark: bool,
    /// Pixels with more hematoxylin than this count as nuclei (Otsu's threshold over the tissue), OD.
    pub nuclear_od: f64,
}

impl PatchFeatures {
    /// Whether a place has features.
    #[must_use]
    pub fn is_known(&self, place: usize) -> bool {
        self.columns.iter().all(|c| c[place].is_finite())
    }
}

/// µm per full-resolution pixel of a section; a sentence that says what to do where it is unknown.
pub fn known_um_per_px(section: &Section) -> Result<f64> {
    match section.pixel_size {
        PixelSize::Known { um_per_px, .. } if um_per_px > 0.0 => Ok(um_per_px),
        _ => Err(Error::parameter(format!(
            "the size of a pixel of {} is unknown, so a patch in µm cannot be cut; give µm per pixel",
            section.name
        ))),
    }
}

/// The level whose pixels come nearest to 1 µm from below; the finest where all are larger.
fn level_for(section: &Section, um_per_px: f64) -> Result<&PictureLevel> {
    let Some(picture) = section.picture.as_ref() else {
        return Err(Error::parameter(format!("{} has no histology picture to take features from", section.name)));
    };
    let good = picture.levels.iter().rfind(|l| um_per_px * l.scale <= GOOD_UM_PER_PX * 1.001);
    good.or(picture.levels.first()).ok_or_else(|| Error::malformed(format!("the picture of {} has no pixels", section.name)))
}

/// Features of square patches with sides of `patch_um` around places in full-resolution pixels.
/// Cost: about 60 ns per patch pixel on one core.
pub fn patch_features(section: &Section, places: &[DVec2], patch_um: f64, progress: &Progress) -> Result<PatchFeatures> {
    let um_full = known_um_per_px(section)?;
    let level = level_for(section, um_full)?;
    let um_per_px = um_full * level.scale;
    let side = (patch_um / um_per_px).round();
    if !(1.0..=MOST_PATCH_PX).contains(&side) {
        return Err(Error::parameter(format!(
            "a patch of {patch_um} µm is {side} pixels of {um_per_px:.3} µm wide; from 1 to {MOST_PATCH_PX} pixels are possible"
        )));
    }
    progress.step(0.0, "stains")?;
    let glass = glass_color(level);
    // On a dark or cut-off border there is no glass to measure; white is then assumed.
    let white = if glass.iter().all(|c| *c >= 180) { glass } else { [255; 3] };
    let stains = Stains::new(white);
    let cutter =
        Cutter { level, glass, nuclear_od: nuclear_threshold(level, glass, &stains), stains, side: side as usize, um_per_px };
    let done = AtomicUsize::new(0);
    let rows: Vec<Option<[f64; N]>> = places
        .par_iter()
        .map(|place| {
            let n = done.fetch_add(1, Ordering::Relaxed);
            progress.step(n as f64 / places.len() as f64, "patch features")?;
            Ok(cutter.features((*place - DVec2::splat(level.offset)) / level.scale))
        })
        .collect::<Result<_>>()?;
    let column = |f: usize| rows.iter().map(|r| r.map_or(f64::NAN, |r| r[f])).collect();
    Ok(PatchFeatures {
        columns: (0..N).map(column).collect(),
        patch_px: side as usize,
        um_per_px,
        level: level.name.clone(),
        white,
        is_dark: glass.iter().all(|c| *c < 128),
        nuclear_od: cutter.nuclear_od,
    })
}

const N: usize = FEATURE_NAMES.len();

/// Otsu's threshold of hematoxylin over at most a million tissue pixels of a level.
fn nuclear_threshold(level: &PictureLevel, glass: [u8; 3], stains: &Stains) -> f64 {
    const N_BINS: usize = 256;
    const MOST_OD: f64 = 2.0;
    let step = (level.width * level.height / 1_000_000).max(1);
    let mut counts = [0u64; N_BINS];
    for p in level.rgba.chunks_exact(4).step_by(step).filter(|p| is_tissue([p[0], p[1], p[2], p[3]], glass)) {
        let od = stains.separate(stains.density([p[0], p[1], p[2]]))[0];
        counts[((od / MOST_OD * N_BINS as f64).max(0.0) as usize).min(N_BINS - 1)] += 1;
    }
    (otsu(&counts) as f64 + 1.0) * MOST_OD / N_BINS as f64
}

/// The last bin of the lower class where the variance between both classes is largest (Otsu 1979).
fn otsu(counts: &[u64]) -> usize {
    let total: u64 = counts.iter().sum();
    let sum: f64 = counts.iter().enumerate().map(|(i, c)| i as f64 * *c as f64).sum();
    let (mut below, mut sum_below) = (0u64, 0.0);
    let mut best = (0, 0.0);
    for (i, c) in counts.iter().enumerate() {
        below += c;
        sum_below += i as f64 * *c as f64;
        let above = total - below;
        if below == 0 || above == 0 {
            continue;
        }
        let gap = sum_below / below as f64 - (sum - sum_below) / above as f64;
        let between = below as f64 * above as f64 * gap * gap;
        if between > best.1 {
            best = (i, between);
        }
    }
    best.0
}

/// Cuts patches out of one level.
struct Cutter<'a> {
    level: &'a PictureLevel,
    glass: [u8; 3],
    stains: Stains,
    nuclear_od: f64,
    side: usize,
    um_per_px: f64,
}

/// One patch: its tissue pixels, and its squares with glass as 0.
struct Patch {
    stains: [Vec<f64>; 3],
    density: Vec<f64>,
    color: [f64; 3],
    saturation: f64,
    square: Square,
    hematoxylin: Vec<f64>,
}

impl Cutter<'_> {
    /// Features around a place in pixels of the level; `None` with too little tissue.
    fn features(&self, at: DVec2) -> Option<[f64; N]> {
        let patch = self.cut(at);
        let n_tissue = patch.density.len() as f64;
        let tissue = n_tissue / (self.side * self.side) as f64;
        if tissue < LEAST_TISSUE {
            return None;
        }
        let [h, e, rest] = patch.stains.each_ref().map(|v| Spread::of(v));
        let density = Spread::of(&patch.density);
        let (fine, coarse) = (patch.square.texture(), patch.square.halved().texture());
        let nuclear = patch.hematoxylin.iter().filter(|v| **v > self.nuclear_od).count() as f64 / n_tissue;
        let mut out = Vec::with_capacity(N);
        for s in [&h, &e] {
            out.extend([s.mean, s.sd, s.p10, s.p50, s.p90]);
        }
        out.extend([rest.mean, rest.sd, density.mean, density.sd]);
        out.extend(patch.color.map(|c| c / n_tissue / 255.0));
        out.push(patch.saturation / n_tissue);
        for t in [fine, coarse] {
            let Texture { gradient_energy, coherence, contrast, homogeneity, pattern_entropy } = t;
            out.extend([gradient_energy, coherence, contrast, homogeneity, pattern_entropy]);
        }
        out.extend([self.nuclei(&patch.hematoxylin, n_tissue), nuclear, tissue]);
        out.try_into().ok()
    }

    fn cut(&self, at: DVec2) -> Patch {
        let n = self.side;
        let first = at - DVec2::splat((n as f64 - 1.0) / 2.0);
        let (x0, y0) = (first.x.round() as i64, first.y.round() as i64);
        let mut patch = Patch {
            stains: [const { Vec::new() }; 3],
            density: Vec::new(),
            color: [0.0; 3],
            saturation: 0.0,
            square: Square { side: n, values: vec![0.0; n * n] },
            hematoxylin: vec![0.0; n * n],
        };
        for i in 0..n * n {
            let (x, y) = (x0 + (i % n) as i64, y0 + (i / n) as i64);
            let inside = (0..self.level.width as i64).contains(&x) && (0..self.level.height as i64).contains(&y);
            let Some(p) = inside.then(|| (y as usize * self.level.width + x as usize) * 4) else { continue };
            let px = &self.level.rgba[p..p + 4];
            if !is_tissue([px[0], px[1], px[2], px[3]], self.glass) {
                continue;
            }
            let rgb = [px[0], px[1], px[2]];
            let channels = self.stains.density(rgb);
            let separate = self.stains.separate(channels);
            (0..3).for_each(|s| patch.stains[s].push(separate[s]));
            let density = channels.iter().sum::<f64>() / 3.0;
            patch.density.push(density);
            patch.square.values[i] = density;
            patch.hematoxylin[i] = separate[0];
            (0..3).for_each(|c| patch.color[c] += f64::from(rgb[c]));
            let (most, least) = (rgb.iter().max().map_or(0, |v| *v), rgb.iter().min().map_or(0, |v| *v));
            patch.saturation += f64::from(most - least) / f64::from(most.max(1));
        }
        patch
    }

    /// Peaks of smoothed hematoxylin per mm² of tissue; 0 where pixels are too large to show nuclei.
    fn nuclei(&self, hematoxylin: &[f64], n_tissue: f64) -> f64 {
        if self.um_per_px > COARSEST_NUCLEI_UM {
            return 0.0;
        }
        let n = self.side;
        let reach = ((NUCLEUS_UM / 2.0 / self.um_per_px).round() as usize).max(1);
        let smooth = box_mean(&box_mean(hematoxylin, n, reach.div_ceil(2)), n, reach.div_ceil(2));
        let is_peak = |i: usize| {
            let (x, y, v) = (i % n, i / n, smooth[i]);
            if v <= self.nuclear_od {
                return false;
            }
            let (xs, ys) = (x.saturating_sub(reach)..(x + reach + 1).min(n), y.saturating_sub(reach)..(y + reach + 1).min(n));
            // Of equal neighbors the first is the peak.
            ys.flat_map(|v| xs.clone().map(move |u| v * n + u)).all(|j| smooth[j] < v || (smooth[j] == v && j >= i))
        };
        let n_peaks = (0..n * n).filter(|&i| is_peak(i)).count() as f64;
        n_peaks / (n_tissue * (self.um_per_px / 1000.0).powi(2))
    }
}

/// Mean over a square of `2·reach + 1` pixels, fewer at the edge; two passes.
fn box_mean(values: &[f64], n: usize, reach: usize) -> Vec<f64> {
    let pass = |from: &[f64], step: usize, across: usize| {
        let mut out = vec![0.0; n * n];
        for line in 0..n {
            let at = |k: usize| from[line * across + k * step];
            let mut sum: f64 = (0..reach.min(n)).map(at).sum();
            for k in 0..n {
                if k + reach < n {
                    sum += at(k + reach);
                }
                if k > reach {
                    sum -= at(k - reach - 1);
                }
                let width = (k + reach + 1).min(n) - k.saturating_sub(reach);
                out[line * across + k * step] = sum / width as f64;
            }
        }
        out
    };
    pass(&pass(values, 1, n), n, 1)
}

/// Mean, standard deviation and percentiles of values.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    mean: f64,
    sd: f64,
    p10: f64,
    p50: f64,
    p90: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        if values.is_empty() {
            return Self::default();
        }
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |q| quantile(&sorted, q);
        Self { mean, sd, p10: at(0.1), p50: at(0.5), p90: at(0.9) }
    }
}
