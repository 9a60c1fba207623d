//! Numbers per segment: voxels, volume, wall thickness, mean intensity.

use super::measure::{Measure, Measured, needs_unit};
use super::segments::Segmentation;
use super::wall_methods::{WallLine, WallMethod, wall_lines};
use crate::base::{Error, Progress, Result, Severity};
use crate::model::{LabelMap, Volume};

/// Rows for regions `1` to `17`: `n_voxels`, `volume` (mL), `wall_thickness_mean` and `_max` (mm; not
/// for 17), and with an image and its phase `intensity_mean`. `labels` is what was segmented.
/// Thickness is measured along rays from the cavity's middle in each closed slice ([`WallMethod::Radial`]). [`Error::Degenerate`] where lengths have no unit.
pub fn measure_segments(
    seg: &Segmentation,
    labels: &LabelMap,
    image: Option<(&Volume, usize)>,
    subject: &str,
) -> Result<Vec<Measure>> {
    needs_unit(labels)?;
    if !labels.grid.same_place(&seg.labels.grid, 1e-6) || seg.phase >= labels.n_phases() {
        return Err(Error::parameter("the labels are not those that were segmented"));
    }
    let mut counts = [0usize; 18];
    seg.labels.phases[0].iter().for_each(|&s| counts[usize::from(s.min(17))] += 1);
    let thickness = by_segment(&wall_lines(seg, labels, WallMethod::Radial, &Progress::none())?);
    let means = image.map(|(volume, phase)| intensity_means(seg, volume, phase));
    let phase = if labels.n_phases() > 1 { seg.phase.to_string() } else { String::new() };
    let mut rows = Vec::new();
    for segment in 1..=17u8 {
        let at = usize::from(segment);
        let mut row = |metric: &'static str, value, unit, how: &str| {
            let (subject, region, phase) = (subject.to_owned(), segment.to_string(), phase.clone());
            rows.push(Measure {
                subject,
                region,
                phase,
                metric: metric.into(),
                value,
                unit,
                method: format!("{}{how}", seg.method),
            });
        };
        row("n_voxels", counts[at] as f64, "1", "");
        row("volume", counts[at] as f64 * labels.grid.voxel_mm3() / 1000.0, "mL", "");
        if let Some([mean, max]) = thickness[at] {
            let how = "; radial rays from the cavity's middle";
            row("wall_thickness_mean", mean, "mm", how);
            row("wall_thickness_max", max, "mm", how);
        }
        if let Some(mean) = means.and_then(|m| m[at]) {
            row("intensity_mean", mean, "", "; nearest voxel");
        }
    }
    Ok(rows)
}

/// Mean image value per segment, at the positions of the segment's voxels.
fn intensity_means(seg: &Segmentation, volume: &Volume, phase: usize) -> [Option<f64>; 18] {
    let mut sums = [(0.0, 0usize); 18];
    if phase < volume.n_phases() {
        for (index, &segment) in seg.labels.phases[0].iter().enumerate().filter(|(_, s)| (1..=17).contains(*s)) {
            let lps = super::stack::position(&seg.labels.grid, index);
            let Some(at) = volume.grid.index_at_lps(lps) else { continue };
            let value = volume.value(phase, at);
            if value.is_finite() {
                let sum = &mut sums[usize::from(segment)];
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }
    sums.map(|(sum, n)| (n > 0).then(|| sum / n as f64))
}

/// Mean (weighted by arc length) and greatest thickness of each segment; index 0 is the whole wall.
fn by_segment(lines: &[WallLine]) -> [Option<[f64; 2]>; 18] {
    let mut sums = [[0.0; 3]; 18];
    for line in lines {
        for at in [0, usize::from(line.segment.unwrap_or(0)).min(17)].into_iter().take(1 + usize::from(line.segment.is_some())) {
            let [arc, sum, max] = sums[at];
            sums[at] = [arc + line.arc_mm, sum + line.arc_mm * line.length_mm, f64::max(max, line.length_mm)];
        }
    }
    sums.map(|[arc, sum, max]| (arc > 0.0).then(|| [sum / arc, max]))
}

/// `wall_thickness_mean` and `_max` (mm) per segment and of the whole wall (`myo`) at `ED` and, where
/// given, `ES`; `thickening` (%) of the means and `thickening_max` of the greatest. Each moment is a
/// segmentation and the labels it was made from. Costs what [`wall_lines`] costs, twice.
pub fn measure_wall(
    ed: (&Segmentation, &LabelMap),
    es: Option<(&Segmentation, &LabelMap)>,
    method: WallMethod,
    progress: &Progress,
) -> Result<Measured> {
    let mut measured = Measured::default();
    let mut both = Vec::new();
    for (k, (phase, (seg, labels))) in std::iter::once(("ED", ed)).chain(es.map(|es| ("ES", es))).enumerate() {
        needs_unit(labels)?;
        let part = progress.part(k as f64 / 2.0, (k + 1) as f64 / 2.0);
        let found = by_segment(&wall_lines(seg, labels, method, &part)?);
        let how = how(seg, method);
        for (region, [mean, max]) in shown(&found, seg.septum_known) {
            measured.row((&region, phase), ("wall_thickness_mean", mean, "mm"), &how);
            measured.row((&region, phase), ("wall_thickness_max", max, "mm"), &how);
        }
        both.push(found);
    }
    if let ([early, late], Some((seg, _))) = (&both[..], es) {
        let known = seg.septum_known && ed.0.septum_known;
        let how = format!("{}; (ES - ED) / ED", how(ed.0, method));
        for (region, [mean, max]) in shown(early, known) {
            let at = region.parse::<usize>().unwrap_or(0);
            let Some([mean_es, max_es]) = late[at] else { continue };
            measured.row((&region, ""), ("thickening", 100.0 * (mean_es - mean) / mean, "%"), &how);
            measured.row((&region, ""), ("thickening_max", 100.0 * (max_es - max) / max, "%"), &format!("{how} of the maxima"));
        }
        if ed.0.labels.grid.spacing_mm().distance(seg.labels.grid.spacing_mm()) > 1e-3 {
            measured.say(
                Severity::Warning,
                "grids-differ",
                "End-diastole and end-systole lie on grids of different spacing; outlines of both are good to half a pixel of their own.".into(),
                &[],
                "Use labels of one series.",
            );
        }
    }
    Ok(measured)
}

fn how(seg: &Segmentation, method: WallMethod) -> String {
    format!("{}; {}", method.definition(), seg.method)
}

/// Regions with a thickness: `myo`, and the segments where the septum is known.
fn shown(found: &[Option<[f64; 2]>; 18], per_segment: bool) -> Vec<(String, [f64; 2])> {
    let last = if per_segment { 17 } else { 0 };
    let name = |at: usize| if at == 0 { "myo".to_owned() } else { at.to_string() };
    (0..=last).filter_map(|at| Some((name(at), found[at]?))).collect()
}
