//! Two readers of the same hearts: overlap and surface distances of labels, and agreement of numbers
//! (Bland and Altman 1986; intraclass correlation of Shrout and Fleiss 1979).

use super::measure::{Measured, mean_sd, needs_unit};
use crate::base::{Error, Progress, Result};
use crate::imaging::{distance_mm, label_at};
use crate::model::LabelMap;
use crate::space::Grid;
use std::borrow::Cow;

/// Agreement of paired numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Pairs.
    pub n: usize,
    /// Mean of second minus first.
    pub bias: f64,
    /// Standard deviation of the differences (n − 1).
    pub sd: f64,
    /// Bias ± 1.96 standard deviations.
    pub limits: [f64; 2],
    /// Two-way random, absolute agreement, single reader: ICC(2,1); `None` where all numbers are equal.
    pub icc: Option<f64>,
}

/// Agreement of first and second readers' numbers. [`Error::Degenerate`] for fewer than two pairs.
pub fn agreement(pairs: &[[f64; 2]]) -> Result<Agreement> {
    let differences: Vec<f64> = pairs.iter().map(|[a, b]| b - a).collect();
    let (bias, sd) = mean_sd(&differences).ok_or_else(|| {
        Error::degenerate(format!("{} pair of numbers has no limits of agreement; at least 2 are needed", pairs.len()))
    })?;
    Ok(Agreement { n: pairs.len(), bias, sd, limits: [bias - 1.96 * sd, bias + 1.96 * sd], icc: icc(pairs) })
}

fn icc(pairs: &[[f64; 2]]) -> Option<f64> {
    let n = pairs.len() as f64;
    let grand = pairs.iter().flatten().sum::<f64>() / (2.0 * n);
    let rows = pairs.iter().map(|[a, b]| 2.0 * (f64::midpoint(*a, *b) - grand).powi(2)).sum::<f64>();
    let columns = [0, 1].map(|k| n * (pairs.iter().map(|p| p[k]).sum::<f64>() / n - grand).powi(2)).iter().sum::<f64>();
    let total = pairs.iter().flatten().map(|v| (v - grand).powi(2)).sum::<f64>();
    let (msr, msc, mse) = (rows / (n - 1.0), columns, (total - rows - columns).max(0.0) / (n - 1.0));
    let below = msr + mse + 2.0 * (msc - mse) / n;
    (below > 0.0).then(|| (msr - mse) / below)
}

/// Adds `METRIC_bias`, `_sd`, `_loa_low`, `_loa_high`, `_icc` and `_n` of paired numbers; nothing but the bias of
/// a single pair.
pub fn tell_agreement(
    measured: &mut Measured,
    (region, phase): (&str, &str),
    (metric, unit): (&str, &'static str),
    pairs: &[[f64; 2]],
) {
    let mut row = |part: &str, value: f64, unit: &'static str, method: &str| {
        measured.named_row((region, phase), (Cow::Owned(format!("{metric}_{part}")), value, unit), method);
    };
    let how = "second minus first reader";
    let Ok(found) = agreement(pairs) else {
        pairs.iter().for_each(|[a, b]| row("bias", b - a, unit, how));
        return row("n", pairs.len() as f64, "1", how);
    };
    row("bias", found.bias, unit, how);
    row("sd", found.sd, unit, "of second minus first reader, n - 1");
    row("loa_low", found.limits[0], unit, "bias - 1.96 sd");
    row("loa_high", found.limits[1], unit, "bias + 1.96 sd");
    if let Some(icc) = found.icc {
        row("icc", icc, "1", "ICC(2,1): two-way random, absolute agreement, single reader");
    }
    row("n", found.n as f64, "1", how);
}

/// `dice`, `jaccard`, `hausdorff`, `hausdorff_95` and `surface_distance` (mm) between two segmentations of a
/// phase, and `volume_a`, `volume_b` (mL), for each named label; those that neither has are left out. A
/// second grid is brought to the first by its nearest voxel. Surfaces are voxels with a face neighbor
/// outside. O(voxels).
pub fn compare_labels([a, b]: [(&LabelMap, usize); 2], names: &[(&str, u8)], progress: &Progress) -> Result<Measured> {
    needs_unit(a.0)?;
    needs_unit(b.0)?;
    let grid = a.0.grid;
    let same = grid.same_place(&b.0.grid, 1e-3);
    let first = a.0.phases.get(a.1).ok_or_else(|| Error::parameter(format!("there is no phase {}", a.1)))?;
    let other = b.0.phases.get(b.1).ok_or_else(|| Error::parameter(format!("there is no phase {}", b.1)))?;
    let second: Vec<u8> = if same {
        other.to_vec()
    } else {
        (0..grid.n_voxels()).map(|i| label_at(b.0, b.1, super::stack::position(&grid, i))).collect()
    };
    let how = if same { "voxels of the labels" } else { "second labels on the grid of the first, nearest voxel" };
    let mut measured = Measured::default();
    for (done, (name, value)) in names.iter().enumerate() {
        progress.step(done as f64 / names.len() as f64, "comparing labels")?;
        let masks = [first.iter().map(|v| v == value).collect::<Vec<bool>>(), second.iter().map(|v| v == value).collect()];
        let n = [0, 1].map(|k| masks[k].iter().filter(|m| **m).count() as f64);
        if n[0] + n[1] == 0.0 {
            continue;
        }
        let both = masks[0].iter().zip(&masks[1]).filter(|(a, b)| **a && **b).count() as f64;
        measured.row((name, ""), ("dice", 2.0 * both / (n[0] + n[1]), "1"), how);
        measured.row((name, ""), ("jaccard", both / (n[0] + n[1] - both), "1"), how);
        measured.row((name, ""), ("volume_a", n[0] * grid.voxel_mm3() / 1000.0, "mL"), how);
        let own = b.0.count(b.1, *value) as f64 * b.0.grid.voxel_mm3() / 1000.0;
        measured.row((name, ""), ("volume_b", own, "mL"), how);
        if n[0] > 0.0 && n[1] > 0.0 {
            let [far, far_95, mean] = surfaces(&masks, &grid);
            let how = format!("{how}; surface voxels by faces, both ways");
            measured.row((name, ""), ("hausdorff", far, "mm"), &how);
            measured.row((name, ""), ("hausdorff_95", far_95, "mm"), &format!("{how}; greater of both 95th percentiles"));
            measured.row((name, ""), ("surface_distance", mean, "mm"), &format!("{how}; mean over both surfaces"));
        }
    }
    if measured.rows.is_empty() {
        return Err(Error::degenerate("neither of the two segmentations has any of the labels"));
    }
    Ok(measured)
}

/// Greatest, 95th percentile and mean distance between the surfaces of two masks.
fn surfaces(masks: &[Vec<bool>; 2], grid: &Grid) -> [f64; 3] {
    let size = grid.size();
    let edges = [0, 1].map(|k| surface(&masks[k], size));
    let to = [0, 1].map(|k| distance_mm(&edges[k], size, grid.spacing_mm().to_array()));
    let between = |from: usize| -> Vec<f64> {
        let mut d: Vec<f64> = edges[from].iter().zip(&to[1 - from]).filter(|(e, _)| **e).map(|(_, d)| *d).collect();
        d.sort_by(f64::total_cmp);
        d
    };
    let both = [between(0), between(1)];
    let percentile = |d: &[f64]| {
        let at = 0.95 * (d.len() as f64 - 1.0);
        let low = at.floor() as usize;
        d[low] + (d[(low + 1).min(d.len() - 1)] - d[low]) * (at - low as f64)
    };
    let last = |d: &[f64]| d.last().copied().unwrap_or(0.0);
    let mean = both.iter().flatten().sum::<f64>() / (both[0].len() + both[1].len()) as f64;
    [last(&both[0]).max(last(&both[1])), percentile(&both[0]).max(percentile(&both[1])), mean]
}

/// Voxels of a mask with a face neighbor outside it; beyond the grid is outside.
fn surface(mask: &[bool], [nx, ny, nz]: [usize; 3]) -> Vec<bool> {
    let inside = |i: usize| {
        let at = [i % nx, i / nx % ny, i / (nx * ny)];
        let (size, steps) = ([nx, ny, nz], [1, nx, nx * ny]);
        // A stack of one slice has no neighbors above and below; its surface is its rim.
        let axis = |a: usize| size[a] == 1 || (at[a] > 0 && at[a] + 1 < size[a] && mask[i - steps[a]] && mask[i + steps[a]]);
        (0..3).all(axis)
    };
    (0..mask.len()).map(|i| mask[i] && !inside(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{DAffine3, DVec3};

    #[test]
    fn agreement_of_shrout_and_fleiss() {
        // Judges 1 and 2 of the example of Shrout and Fleiss (1979): mean squares by hand.
        let pairs = [[9.0, 2.0], [6.0, 1.0], [8.0, 4.0], [7.0, 1.0], [10.0, 5.0], [6.0, 2.0]];
        let found = agreement(&pairs).unwrap();
        assert!((found.bias + 31.0 / 6.0).abs() < 1e-12);
        let differences: [f64; 6] = [-7.0, -5.0, -4.0, -6.0, -5.0, -4.0];
        let sd = (differences.iter().map(|d| (d + 31.0 / 6.0).powi(2)).sum::<f64>() / 5.0).sqrt();
        assert!((found.sd - sd).abs() < 1e-12 && (found.limits[0] - (found.bias - 1.96 * sd)).abs() < 1e-12);
        // MSR = 4.683 333, MSE = sd² / 2, MSC = n bias² / 2.
        let sums: [f64; 6] = [11.0, 7.0, 12.0, 8.0, 15.0, 8.0];
        let mean = sums.iter().sum::<f64>() / 6.0;
        let msr = sums.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 2.0 / 5.0;
        let (mse, msc) = (sd * sd / 2.0, 6.0 * found.bias * found.bias / 2.0);
        let want = (msr - mse) / (msr + mse + 2.0 * (msc - mse) / 6.0);
        assert!((found.icc.unwrap() - want).abs() < 1e-12, "{:?}", found.icc);
        assert!(agreement(&pairs[..1]).is_err() && agreement(&[[1.0, 1.0], [1.0, 1.0]]).unwrap().icc.is_none());
    }

    #[test]
    fn moved_box() {
        let grid = Grid::new([20, 20, 5], DAffine3::from_scale(DVec3::new(1.5, 1.5, 8.0))).unwrap();
        let boxed = |from: usize| {
            let inside = |i: usize| {
                (from..from + 6).contains(&(i % 20)) && (4..10).contains(&(i / 20 % 20)) && (1..4).contains(&(i / 400))
            };
            LabelMap::new("box", grid, vec![(0..2000).map(|i| 3 * u8::from(inside(i))).collect()]).unwrap()
        };
        let measured = compare_labels([(&boxed(4), 0), (&boxed(6), 0)], &[("lv", 3), ("rv", 1)], &Progress::none()).unwrap();
        assert!((measured.value("lv", "", "dice").unwrap() - 4.0 / 6.0).abs() < 1e-12);
        assert!((measured.value("lv", "", "hausdorff").unwrap() - 3.0).abs() < 1e-12);
        assert!(measured.value("rv", "", "dice").is_none());
        let same = compare_labels([(&boxed(4), 0), (&boxed(4), 0)], &[("lv", 3)], &Progress::none()).unwrap();
        assert_eq!((same.value("lv", "", "dice"), same.value("lv", "", "hausdorff")), (Some(1.0), Some(0.0)));
    }
}
