//! The brightest place, averaged over a sphere of 1 cm³ (family `loc`).

use super::Feature;
use super::region::{PEAK_MM, Region};
use crate::base::{Progress, Result};
use crate::space::DVec3;
use rayon::prelude::*;

/// A row of the sphere: offset along j and k, and its ends along i.
struct Row {
    offset: [i64; 2],
    from: i64,
    to: i64,
}

/// Family `loc`: the highest mean around voxels of highest intensity, and around any counted voxel. Means
/// are over voxels with a number whose centers lie within the sphere, also outside the region. Costs a
/// look at each row of the sphere per voxel.
pub(super) fn peaks(region: &Region, progress: &Progress) -> Result<Vec<Feature>> {
    let rows = sphere(region);
    let [nx, ny, nz] = region.size;
    let (k_from, k_to) = super::region::bounds(region.size, |i| region.counted[i]).unwrap_or_default()[2];
    let sums = running_sums(region);
    let highest = region.intensities().into_iter().fold(f64::NEG_INFINITY, f64::max);
    let slice = |k: usize| -> Result<[f64; 2]> {
        progress.step(k as f64 / nz as f64, "looking for intensity peaks")?;
        let mut found = [f64::NEG_INFINITY; 2];
        let mut around = vec![(0.0, 0.0); nx];
        for j in 0..ny {
            let start = nx * (j + ny * k);
            let counted = &region.counted[start..start + nx];
            let (Some(first), Some(last)) = (counted.iter().position(|c| *c), counted.iter().rposition(|c| *c)) else { continue };
            around[first..=last].fill((0.0, 0.0));
            for row in &rows {
                let (y, z) = (j as i64 + row.offset[0], k as i64 + row.offset[1]);
                if !(0..ny as i64).contains(&y) || !(0..nz as i64).contains(&z) {
                    continue;
                }
                let line = &sums[(nx + 1) * (y as usize + ny * z as usize)..][..=nx];
                for (i, sum) in around.iter_mut().enumerate().take(last + 1).skip(first) {
                    let from = (i as i64 + row.from).clamp(0, nx as i64) as usize;
                    let to = (i as i64 + row.to + 1).clamp(0, nx as i64) as usize;
                    *sum = (sum.0 + line[to].0 - line[from].0, sum.1 + line[to].1 - line[from].1);
                }
            }
            for i in (first..=last).filter(|i| counted[*i]) {
                let mean = around[i].0 / around[i].1;
                found[1] = found[1].max(mean);
                if region.values[start + i] == highest {
                    found[0] = found[0].max(mean);
                }
            }
        }
        Ok(found)
    };
    let found: Result<Vec<[f64; 2]>> = (k_from..=k_to).into_par_iter().map(slice).collect();
    let best = found?.into_iter().fold([f64::NEG_INFINITY; 2], |a, b| [a[0].max(b[0]), a[1].max(b[1])]);
    Ok(Feature::list("loc_", &[("peak_loc", best[0]), ("peak_glob", best[1])]))
}

/// Sum and number of the voxels of a row before each place.
fn running_sums(region: &Region) -> Vec<(f64, f64)> {
    let nx = region.size[0];
    let mut sums = vec![(0.0, 0.0); region.values.len() / nx * (nx + 1)];
    for (row, line) in region.values.chunks(nx).zip(sums.chunks_mut(nx + 1)) {
        let mut sum = (0.0, 0.0);
        for (v, s) in row.iter().zip(&mut line[1..]) {
            if v.is_finite() {
                sum = (sum.0 + v, sum.1 + 1.0);
            }
            *s = sum;
        }
    }
    sums
}

fn sphere(region: &Region) -> Vec<Row> {
    let m = region.mm;
    let reach = |step: f64| (PEAK_MM / step).floor() as i64 + 1;
    let mut rows = Vec::new();
    let far_k = reach(m.z_axis.z);
    for k in -far_k..=far_k {
        let far_j = reach(m.y_axis.y) + (k as f64 * m.z_axis.y / m.y_axis.y).abs().ceil() as i64;
        for j in -far_j..=far_j {
            let offset = m * DVec3::new(0.0, j as f64, k as f64);
            let rest = PEAK_MM.powi(2) - offset.y.powi(2) - offset.z.powi(2);
            if rest >= 0.0 {
                // |x₀ + i·dx| ≤ √rest
                let (half, step) = (rest.sqrt(), m.x_axis.x);
                let (from, to) = ((-half - offset.x) / step, (half - offset.x) / step);
                let (from, to) = ((from - 1e-9).ceil() as i64, (to + 1e-9).floor() as i64);
                if from <= to {
                    rows.push(Row { offset: [j, k], from, to });
                }
            }
        }
    }
    rows
}
