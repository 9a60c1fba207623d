//! Late enhancement: a threshold by one of five rules, cleaned of specks, as mass, share of the muscle,
//! and transmurality per segment.

use super::measure::{Measured, mean_sd, needs_unit};
use super::segments::Segmentation;
use super::stack::position;
use super::wall_methods::{WallMethod, wall_lines};
use crate::base::{Error, Progress, Result, Severity};
use crate::imaging::{AROUND_2D, AROUND_AND_STACKED, FACES_2D, label_at, pieces, sample};
use crate::model::{LabelMap, Volume};
use std::collections::BTreeMap;

/// Density of myocardium in g/mL.
const DENSITY: f64 = 1.05;
/// Samples along a ray.
const SAMPLES: usize = 40;

/// What counts as enhanced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScarRule {
    /// Above the mean of remote muscle plus this many of its standard deviations (n − 1).
    Deviations(f64),
    /// From half of the muscle's maximum on (Amado 2004); wrong for images with negative values.
    HalfMaximum,
    /// From half way between the muscle's minimum and maximum on.
    HalfOfRange,
    /// From half way between the mean of remote muscle and the muscle's maximum on.
    HalfFromRemote,
    /// Above Otsu's threshold of the muscle (1979; 256 bins, or one per whole number).
    Otsu,
}

impl ScarRule {
    /// As `sd:5`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Deviations(n) => format!("sd:{n}"),
            Self::HalfMaximum => "fwhm-max".into(),
            Self::HalfOfRange => "fwhm-min".into(),
            Self::HalfFromRemote => "fwhm-remote".into(),
            Self::Otsu => "otsu".into(),
        }
    }

    /// The rule of a word; [`Error::Parameter`] where it is none, or N is not above 0.
    pub fn from_name(name: &str) -> Result<Self> {
        let wrong =
            || Error::parameter(format!("rule {name}: expected sd:N with N above 0, fwhm-max, fwhm-min, fwhm-remote or otsu"));
        Ok(match name {
            "fwhm-max" => Self::HalfMaximum,
            "fwhm-min" => Self::HalfOfRange,
            "fwhm-remote" => Self::HalfFromRemote,
            "otsu" => Self::Otsu,
            _ => {
                let n = name.strip_prefix("sd:").and_then(|n| n.parse::<f64>().ok()).ok_or_else(wrong)?;
                Self::Deviations(Some(n).filter(|n| n.is_finite() && *n > 0.0).ok_or_else(wrong)?)
            }
        })
    }

    fn needs_remote(self) -> bool {
        matches!(self, Self::Deviations(_) | Self::HalfFromRemote)
    }
}

/// Rule and cleaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScarSettings {
    /// What counts as enhanced.
    pub rule: ScarRule,
    /// Connected pieces with fewer voxels are dropped.
    pub min_voxels: usize,
    /// Whether dark cores that scar encloses count as scar (microvascular obstruction).
    pub obstruction: bool,
}

/// Scar of one segmentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Scar {
    /// 1 where there is scar, 2 where an enclosed dark core was added; on the labels' grid.
    pub mask: LabelMap,
    /// The threshold in the image's units.
    pub threshold: f64,
    /// `scar_mass` (g), `scar_fraction` (%) of `myo`; per segment those and `transmurality` (%).
    pub measured: Measured,
}

/// Finds scar in the muscle of `seg` (made from `labels`) and measures it. `remote` has label 1 where
/// muscle is healthy. Per segment only where `per_segment`. Values between voxels of another grid are
/// interpolated. [`Error::Degenerate`] without values or remote muscle. O(voxels log voxels).
pub fn measure_scar(
    seg: &Segmentation,
    labels: &LabelMap,
    (image, image_phase): (&Volume, usize),
    remote: Option<&LabelMap>,
    settings: &ScarSettings,
    progress: &Progress,
) -> Result<Scar> {
    needs_unit(labels)?;
    progress.step(0.0, "values in the muscle")?;
    let values = muscle_values(seg, labels, (image, image_phase), progress)?;
    let remote = remote_values(remote, (image, image_phase), settings.rule)?;
    let threshold = threshold(settings.rule, values.values(), &remote)?;
    progress.step(0.4, "connected pieces")?;
    let cavity: Vec<bool> = labels.phases[seg.phase].iter().map(|v| *v == seg.settings.lv).collect();
    let (mask, n_dropped) = cleaned(&values, threshold, &cavity, labels, settings);
    let mut scar = Scar { mask: as_labels(labels, mask)?, threshold, measured: Measured::default() };
    let mut method = format!(
        "{}; threshold {threshold:.6}; pieces under {} voxels dropped; {DENSITY} g/mL; {}",
        settings.rule.name(),
        settings.min_voxels,
        if settings.obstruction { "enclosed dark cores included" } else { "enclosed dark cores not included" },
    );
    if !remote.is_empty() {
        method = format!("{method}; remote: {} voxels", remote.len());
    }
    doubts(&mut scar.measured, settings, &values, n_dropped);
    progress.step(0.6, "transmurality")?;
    whole(&mut scar, seg, labels, &method);
    if seg.septum_known {
        per_segment(&mut scar, seg, labels, &method, &progress.part(0.6, 1.0))?;
    }
    Ok(scar)
}

/// Values of muscle by memory index of the labels.
fn muscle_values(
    seg: &Segmentation,
    labels: &LabelMap,
    (image, phase): (&Volume, usize),
    progress: &Progress,
) -> Result<BTreeMap<usize, f64>> {
    let same = labels.grid.same_place(&image.grid, 1e-3);
    let mut values = BTreeMap::new();
    for (i, _) in labels.phases[seg.phase].iter().enumerate().filter(|(_, v)| **v == seg.settings.myo) {
        if i % 4096 == 0 {
            progress.step(0.3 * i as f64 / labels.grid.n_voxels() as f64, "values in the muscle")?;
        }
        let value = if same { Some(image.value(phase, i)) } else { sample(image, phase, position(&labels.grid, i), true) };
        if let Some(value) = value.filter(|v| v.is_finite()) {
            values.insert(i, value);
        }
    }
    if values.len() < 2 {
        return Err(Error::degenerate(format!(
            "{} has no values in the myocardium of '{}'; check that image and labels show the same heart",
            image.name, labels.name
        )));
    }
    Ok(values)
}

fn remote_values(remote: Option<&LabelMap>, (image, phase): (&Volume, usize), rule: ScarRule) -> Result<Vec<f64>> {
    if !rule.needs_remote() {
        return Ok(Vec::new());
    }
    let remote = remote.ok_or_else(|| {
        Error::parameter(format!("rule {} compares with healthy muscle: give its labels with --remote (label 1)", rule.name()))
    })?;
    let voxels = remote.phases.first().map(|p| &p[..]).unwrap_or_default();
    let at = voxels.iter().enumerate().filter(|(_, v)| **v == 1).map(|(i, _)| position(&remote.grid, i));
    let same = remote.grid.same_place(&image.grid, 1e-3);
    let values: Vec<f64> = at.filter_map(|p| sample(image, phase, p, !same)).filter(|v| v.is_finite()).collect();
    if values.len() < 2 {
        return Err(Error::degenerate(format!(
            "remote myocardium (label 1 of '{}') covers {} voxels of the image; at least 2 are needed",
            remote.name,
            values.len()
        )));
    }
    Ok(values)
}

fn threshold<'a>(rule: ScarRule, values: impl Iterator<Item = &'a f64>, remote: &[f64]) -> Result<f64> {
    let values: Vec<f64> = values.copied().collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low >= high && !matches!(rule, ScarRule::Deviations(_)) {
        return Err(Error::degenerate(format!("all myocardium has the value {high}, so {} has no threshold", rule.name())));
    }
    let of_remote = || mean_sd(remote).ok_or_else(|| Error::degenerate("remote myocardium has fewer than 2 voxels"));
    Ok(match rule {
        ScarRule::Deviations(n) => {
            let (mean, sd) = of_remote()?;
            mean + n * sd
        }
        ScarRule::HalfMaximum => 0.5 * high,
        ScarRule::HalfOfRange => f64::midpoint(low, high),
        ScarRule::HalfFromRemote => f64::midpoint(of_remote()?.0, high),
        ScarRule::Otsu => otsu(&values, low, high),
    })
}

/// The bin center that parts values into two classes of greatest variance between (Otsu 1979): 256 bins
/// from least to greatest, or one bin for each whole number where all values are whole.
pub(super) fn otsu(values: &[f64], low: f64, high: f64) -> f64 {
    let whole = values.iter().all(|v| v.fract() == 0.0) && high - low < 65_536.0;
    let n_bins = if whole { (high - low) as usize + 1 } else { 256 };
    let width = if whole { 1.0 } else { (high - low) / 256.0 };
    let center = |bin: usize| if whole { low + bin as f64 } else { low + (bin as f64 + 0.5) * width };
    let mut counts = vec![0.0; n_bins];
    for v in values {
        counts[(((v - low) / width) as usize).min(n_bins - 1)] += 1.0;
    }
    let total: f64 = counts.iter().sum();
    let sum: f64 = counts.iter().enumerate().map(|(b, n)| n * center(b)).sum();
    let (mut below, mut sum_below, mut best) = (0.0, 0.0, (f64::NEG_INFINITY, low));
    for (bin, n) in counts.iter().enumerate().take(n_bins - 1) {
        below += n;
        sum_below += n * center(bin);
        let above = total - below;
        if below > 0.0 && above > 0.0 {
            let between = below * above * (sum_below / below - (sum - sum_below) / above).powi(2);
            if between > best.0 {
                best = (between, center(bin));
            }
        }
    }
    best.1
}

/// 1 scar, 2 enclosed dark cores; and how many voxels were dropped as specks.
fn cleaned(
    values: &BTreeMap<usize, f64>,
    threshold: f64,
    cavity: &[bool],
    labels: &LabelMap,
    settings: &ScarSettings,
) -> (Vec<u8>, usize) {
    let from_on = matches!(settings.rule, ScarRule::HalfMaximum | ScarRule::HalfOfRange | ScarRule::HalfFromRemote);
    let mut enhanced = vec![false; labels.grid.n_voxels()];
    for (&i, &v) in values {
        enhanced[i] = v > threshold || (from_on && v >= threshold);
    }
    let (mut mask, mut n_dropped) = (vec![0u8; enhanced.len()], 0);
    for piece in pieces(&enhanced, labels.grid.size(), &AROUND_AND_STACKED) {
        if piece.len() < settings.min_voxels {
            n_dropped += piece.len();
        } else {
            piece.into_iter().for_each(|i| mask[i] = 1);
        }
    }
    if settings.obstruction {
        let mut dark = vec![false; mask.len()];
        values.keys().for_each(|&i| dark[i] = mask[i] == 0);
        add_cores(&mut mask, &dark, cavity, labels);
    }
    (mask, n_dropped)
}

/// Dark pieces of a slice that only scar and cavity surround, smaller than the scar of the slice.
fn add_cores(mask: &mut [u8], dark: &[bool], cavity: &[bool], labels: &LabelMap) {
    let [nx, ny, _] = labels.grid.size();
    let mut of_slice: BTreeMap<usize, usize> = BTreeMap::new();
    mask.iter().enumerate().filter(|(_, m)| **m == 1).for_each(|(i, _)| *of_slice.entry(i / (nx * ny)).or_default() += 1);
    for piece in pieces(dark, labels.grid.size(), &FACES_2D) {
        let slice = piece[0] / (nx * ny);
        let (mut enclosed, mut touches) = (true, false);
        for &i in &piece {
            let (x, y) = ((i % nx) as i64, (i / nx % ny) as i64);
            for [dx, dy, _] in AROUND_2D {
                let (x, y) = (x + dx, y + dy);
                let next = labels.grid.index([x, y, slice as i64]);
                // Outside of the muscle only the cavity may follow.
                let scar = next.is_some_and(|n| mask[n] == 1);
                touches |= scar;
                let within = next.is_some_and(|n| dark[n] || cavity[n]);
                enclosed &= scar || within;
            }
        }
        if enclosed && touches && piece.len() < of_slice.get(&slice).copied().unwrap_or(0) {
            piece.into_iter().for_each(|i| mask[i] = 2);
        }
    }
}

fn as_labels(labels: &LabelMap, mask: Vec<u8>) -> Result<LabelMap> {
    let mut map = LabelMap::new(format!("{} scar", labels.name), labels.grid, vec![mask.into()])?;
    map.length_unit_known = labels.length_unit_known;
    let names = [(1, "Scar", [0xE6, 0x9F, 0x00]), (2, "Dark core", [0xF0, 0xE4, 0x42])];
    map.table = names.map(|(value, name, rgb)| crate::model::LabelEntry { value, name: name.into(), rgb }).to_vec();
    Ok(map)
}

fn doubts(measured: &mut Measured, settings: &ScarSettings, values: &BTreeMap<usize, f64>, n_dropped: usize) {
    let n_negative = values.values().filter(|v| **v < 0.0).count();
    if n_negative > 0 {
        let severity = if settings.rule == ScarRule::HalfMaximum { Severity::Warning } else { Severity::Note };
        measured.say(
            severity,
            "negative-values",
            format!("{n_negative} voxels of the myocardium are negative, as in phase-sensitive images; half of the maximum then is no half way."),
            &[("negative voxels", n_negative as f64)],
            "Use fwhm-min, fwhm-remote or sd:N.",
        );
    }
    if n_dropped > 0 {
        measured.say(
            Severity::Note,
            "specks-dropped",
            format!(
                "{n_dropped} enhanced voxels lie in pieces of fewer than {} voxels and were not counted.",
                settings.min_voxels
            ),
            &[("voxels dropped", n_dropped as f64)],
            "Set the least number of voxels to 1 to keep all.",
        );
    }
}

fn whole(scar: &mut Scar, seg: &Segmentation, labels: &LabelMap, method: &str) {
    let n = scar.mask.phases[0].iter().filter(|m| **m > 0).count() as f64;
    let muscle = labels.count(seg.phase, seg.settings.myo) as f64;
    let gram = labels.grid.voxel_mm3() / 1000.0 * DENSITY;
    scar.measured.row(("myo", ""), ("scar_mass", n * gram, "g"), method);
    scar.measured.row(("myo", ""), ("scar_fraction", 100.0 * n / muscle, "%"), method);
    scar.measured.row(("myo", ""), ("scar_threshold", scar.threshold, ""), method);
}

fn per_segment(scar: &mut Scar, seg: &Segmentation, labels: &LabelMap, method: &str, progress: &Progress) -> Result<()> {
    let gram = labels.grid.voxel_mm3() / 1000.0 * DENSITY;
    let mut counts = [[0usize; 2]; 18];
    for (segment, mask) in seg.labels.phases[0].iter().zip(scar.mask.phases[0].iter()).filter(|(s, _)| **s > 0) {
        counts[usize::from(*segment).min(17)][0] += 1;
        counts[usize::from(*segment).min(17)][1] += usize::from(*mask > 0);
    }
    let lines = wall_lines(seg, labels, WallMethod::Radial, progress)?;
    // Arc, arc × depth of scar, arc of rays of which more than half is scar.
    let mut sums = [[0.0; 3]; 18];
    for line in &lines {
        let Some(segment) = line.segment else { continue };
        let at = |k: usize| line.inner_lps.lerp(line.outer_lps, (k as f64 + 0.5) / SAMPLES as f64);
        let share = (0..SAMPLES).filter(|k| label_at(&scar.mask, 0, at(*k)) > 0).count() as f64 / SAMPLES as f64;
        let sum = &mut sums[usize::from(segment).min(17)];
        *sum = [sum[0] + line.arc_mm, sum[1] + line.arc_mm * share, sum[2] + if share > 0.5 { line.arc_mm } else { 0.0 }];
    }
    for segment in 1..=17 {
        let ([n, scarred], [arc, depth, over]) = (counts[segment], sums[segment]);
        let (region, method) = (segment.to_string(), format!("{}; {method}", seg.method));
        if n > 0 {
            scar.measured.row((&region, ""), ("scar_mass", scarred as f64 * gram, "g"), &method);
            scar.measured.row((&region, ""), ("scar_fraction", 100.0 * scarred as f64 / n as f64, "%"), &method);
        }
        if arc > 0.0 {
            let how = format!("{method}; mean share of radial rays");
            scar.measured.row((&region, ""), ("transmurality", 100.0 * depth / arc, "%"), &how);
            let how = format!("{method}; share of radial rays with scar over more than half of their length");
            scar.measured.row((&region, ""), ("transmural_extent", 100.0 * over / arc, "%"), &how);
        }
    }
    Ok(())
}
