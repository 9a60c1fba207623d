//! Extracellular volume from T1 maps before and after contrast.

use super::measure::Measured;
use super::segments::Segmentation;
use super::stack::position;
use crate::base::{Error, Progress, Result, Severity};
use crate::imaging::sample;
use crate::model::{LabelMap, Volume};

/// `lambda` and `ecv` (fractions) of the whole muscle (`myo`) and per segment, `t1_pre` and `t1_post` (in
/// the maps' unit) of these and of blood (`lv`), from mean T1 of the region and of the cavity's blood:
/// `ecv = (1 - hematocrit) (1/T1post - 1/T1pre) of muscle / the same of blood`. Voxels without a positive
/// T1 in both maps are left out and counted. The ratio of means is not the mean of ratios; this is the
/// former. [`Error::Parameter`] unless the hematocrit is a fraction in (0, 1). O(voxels).
pub fn measure_ecv(
    seg: &Segmentation,
    labels: &LabelMap,
    [pre, post]: [&Volume; 2],
    hematocrit: f64,
    progress: &Progress,
) -> Result<Measured> {
    if !(hematocrit > 0.0 && hematocrit < 1.0) {
        let percent = if (1.0..100.0).contains(&hematocrit) {
            format!("; {hematocrit} % is {}", hematocrit / 100.0)
        } else {
            String::new()
        };
        return Err(Error::parameter(format!("the hematocrit is {hematocrit}; it must be a fraction between 0 and 1{percent}")));
    }
    // Sums of T1 before and after, and count: 0 blood, 1 to 17 segments, 18 all muscle.
    let mut sums = [[0.0; 3]; 19];
    let mut n_left_out = 0usize;
    let same = [pre, post].map(|v| v.grid.same_place(&labels.grid, 1e-3));
    for (i, &label) in labels.phases[seg.phase].iter().enumerate() {
        if i % 8192 == 0 {
            progress.step(i as f64 / labels.grid.n_voxels() as f64, "T1 of muscle and blood")?;
        }
        if label != seg.settings.lv && label != seg.settings.myo {
            continue;
        }
        let value = |k: usize, v: &Volume| {
            let value = if same[k] { Some(v.value(0, i)) } else { sample(v, 0, position(&labels.grid, i), true) };
            value.filter(|t| t.is_finite() && *t > 0.0)
        };
        let (Some(before), Some(after)) = (value(0, pre), value(1, post)) else {
            n_left_out += 1;
            continue;
        };
        let segment = usize::from(seg.labels.phases[0][i]).min(17);
        let regions = if label == seg.settings.lv { [0, 0] } else { [18, segment] };
        for region in regions.into_iter().take(if regions[1] == 0 { 1 } else { 2 }) {
            let [a, b, n] = sums[region];
            sums[region] = [a + before, b + after, n + 1.0];
        }
    }
    let means = sums.map(|[a, b, n]| (n > 0.0).then(|| [a / n, b / n]));
    rows(seg, &means, hematocrit, n_left_out)
}

fn rows(seg: &Segmentation, means: &[Option<[f64; 2]>; 19], hematocrit: f64, n_left_out: usize) -> Result<Measured> {
    let none = |what| {
        Error::degenerate(format!(
            "{what} has no voxel with a positive T1 in both maps; check that maps and labels show the same heart"
        ))
    };
    let blood = means[0].ok_or_else(|| none("the left ventricle's cavity"))?;
    means[18].ok_or_else(|| none("the myocardium"))?;
    let rise = |[before, after]: [f64; 2]| 1.0 / after - 1.0 / before;
    if rise(blood) <= 0.0 {
        return Err(Error::degenerate(format!(
            "T1 of blood does not fall with contrast ({:.0} before, {:.0} after); check whether the maps are exchanged",
            blood[0], blood[1]
        )));
    }
    let mut measured = Measured::default();
    let mut doubtful = 0;
    let how = format!("mean T1 of the region; blood: mean T1 of the cavity label; hematocrit {hematocrit}");
    for (name, [before, after]) in [("lv", Some(blood)), ("myo", means[18])].into_iter().filter_map(|(n, m)| Some((n, m?))) {
        measured.row((name, ""), ("t1_pre", before, ""), &how);
        measured.row((name, ""), ("t1_post", after, ""), &how);
    }
    for at in [18].into_iter().chain(1..=17) {
        let (Some(mean), true) = (means[at], at == 18 || seg.septum_known) else { continue };
        let region = if at == 18 { "myo".to_owned() } else { at.to_string() };
        let method = if at == 18 { how.clone() } else { format!("{how}; {}", seg.method) };
        let lambda = rise(mean) / rise(blood);
        let ecv = (1.0 - hematocrit) * lambda;
        doubtful += usize::from(!(0.0..=1.0).contains(&ecv));
        if at != 18 {
            measured.row((&region, ""), ("t1_pre", mean[0], ""), &method);
            measured.row((&region, ""), ("t1_post", mean[1], ""), &method);
        }
        measured.row((&region, ""), ("lambda", lambda, "1"), &method);
        measured.row((&region, ""), ("ecv", ecv, "1"), &method);
    }
    if n_left_out > 0 {
        let what = format!("{n_left_out} voxels of muscle or blood have no positive T1 in both maps and were left out.");
        measured.say(
            Severity::Note,
            "t1-missing",
            what,
            &[("voxels left out", n_left_out as f64)],
            "Nothing, where the maps mark failed fits so.",
        );
    }
    if doubtful > 0 {
        let what = format!("{doubtful} regions have an extracellular volume outside 0 to 1.");
        let remedy = "Check the order of the maps, their unit, and whether they lie on the labels.";
        measured.say(Severity::Warning, "ecv-implausible", what, &[("regions", doubtful as f64)], remedy);
    }
    Ok(measured)
}
