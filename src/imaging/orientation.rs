//! Labels that were stored in another order than their image: found by how well they tell the image's values
//! apart, turned back, or brought over from another grid.

use super::sample::label_at;
use crate::base::{Error, Progress, Result};
use crate::model::{LabelMap, Volume};
use crate::space::{DVec3, Grid};
use rayon::prelude::*;
use std::sync::Arc;

/// Columns and rows around labels that count as their surroundings.
const SHELL: usize = 2;

/// How an array was stored: axis `a` of the image runs along axis `order[a]` of the labels, backwards where
/// `flip[a]`. There are 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Axis of the labels for each axis of the image.
    pub order: [usize; 3],
    /// Runs backwards.
    pub flip: [bool; 3],
}

impl Storage {
    /// As the image is.
    pub const SAME: Self = Self { order: [0, 1, 2], flip: [false; 3] };

    /// All 48, the plain one first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 1, 0], [1, 2, 0], [2, 0, 1]];
        let flips = (0..8u8).map(|f| [f & 1 != 0, f & 2 != 0, f & 4 != 0]);
        ORDERS.iter().flat_map(|&order| flips.clone().map(move |flip| Self { order, flip })).collect()
    }

    /// The size of the labels that gives an image of this size.
    fn label_size(&self, image: [usize; 3]) -> [usize; 3] {
        let mut size = [0; 3];
        (0..3).for_each(|a| size[self.order[a]] = image[a]);
        size
    }

    /// As `j reversed` or `i and j exchanged, k reversed`.
    #[must_use]
    pub fn name(&self) -> String {
        const AXES: [&str; 3] = ["i", "j", "k"];
        let moved: Vec<&str> = (0..3).filter(|&a| self.order[a] != a).map(|a| AXES[a]).collect();
        let back: Vec<&str> = (0..3).filter(|&a| self.flip[a]).map(|a| AXES[a]).collect();
        let mut parts = Vec::new();
        match moved.len() {
            0 => {}
            2 => parts.push(format!("{} exchanged", moved.join(" and "))),
            _ => parts.push(format!("axes in the order {}", self.order.map(|a| AXES[a]).join(", "))),
        }
        if !back.is_empty() {
            parts.push(format!("{} reversed", back.join(" and ")));
        }
        if parts.is_empty() { "as stored".into() } else { parts.join(", ") }
    }
}

/// What comparing orientations found.
#[derive(Clone, Debug, PartialEq)]
pub struct OrientationCheck {
    /// The orientation with the best agreement.
    pub storage: Storage,
    /// Share of the variance of the image's values that the labels explain as they lie.
    pub as_it_is: f64,
    /// The same for the best orientation.
    pub best: f64,
    /// Orientations whose size fits the image.
    pub n_tried: usize,
}

impl OrientationCheck {
    /// Whether another orientation explains at least 0.05 and a quarter more of the variance.
    #[must_use]
    pub fn is_suspected(&self) -> bool {
        self.storage != Storage::SAME && self.best > self.as_it_is + 0.05 && self.best > 1.25 * self.as_it_is
    }

    /// What was found, with the numbers.
    #[must_use]
    pub fn sentence(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        if self.is_suspected() {
            return format!(
                "mirrored-labels: the labels look turned ({}): they explain {} of the variance of the image about them as they lie and {} so, the best of {} orientations.",
                self.storage.name(),
                percent(self.as_it_is),
                percent(self.best),
                self.n_tried
            );
        }
        if self.storage != Storage::SAME {
            return format!(
                "No orientation fits clearly better: the labels explain {} of the variance of the image as they lie, and {} where turned ({}).",
                percent(self.as_it_is),
                percent(self.best),
                self.storage.name()
            );
        }
        format!(
            "The labels lie as they should: they explain {} of the variance of the image about them; the best of {} orientations explains {}.",
            percent(self.as_it_is),
            self.n_tried,
            percent(self.best)
        )
    }
}

/// Compares all orientations of labels that fit the size of an image by the correlation ratio (η²: variance of
/// the image between the labels and what surrounds them, over all its variance) within the labels and two voxels
/// around them.
/// As they lie, labels of another grid are taken through the affines. [`Error::Degenerate`] where nothing is
/// labeled or the image is flat. Cost: up to 49 passes over the image.
pub fn check_orientation(
    (labels, phase): (&LabelMap, usize),
    (image, image_phase): (&Volume, usize),
    progress: &Progress,
) -> Result<OrientationCheck> {
    let voxels = labels.phases.get(phase).ok_or_else(|| Error::parameter("the labels have no such phase"))?;
    if voxels.iter().all(|v| *v == 0) {
        return Err(Error::degenerate(format!("nothing is labeled in '{}', so it has no orientation to check", labels.name)));
    }
    let size = image.grid.size();
    let same = labels.grid.same_place(&image.grid, 1e-3);
    let lying = if same { voxels.to_vec() } else { brought(labels, phase, &image.grid) };
    let found = explained(&lying, image, image_phase);
    let as_it_is = found.unwrap_or(0.0);
    let all: Vec<Storage> = Storage::all().into_iter().filter(|s| s.label_size(size) == labels.grid.size()).collect();
    let mut scored = Vec::new();
    for (n, storage) in all.iter().enumerate() {
        progress.step(n as f64 / all.len() as f64, "comparing orientations")?;
        let score = if same && *storage == Storage::SAME {
            found
        } else {
            explained(&stored(voxels, labels.grid.size(), *storage, size), image, image_phase)
        };
        scored.extend(score.map(|s| (s, *storage)));
    }
    // Of equal ones the plainest.
    let best = scored.iter().copied().fold(None, |best: Option<(f64, Storage)>, s| match best {
        Some(b) if b.0 >= s.0 - 1e-12 => Some(b),
        _ => Some(s),
    });
    match best {
        Some((best, _)) if !same && as_it_is >= best => {
            Ok(OrientationCheck { storage: Storage::SAME, as_it_is, best: as_it_is, n_tried: all.len() })
        }
        Some((best, storage)) => Ok(OrientationCheck { storage, as_it_is, best, n_tried: all.len() }),
        None if all.is_empty() => Ok(OrientationCheck { storage: Storage::SAME, as_it_is, best: as_it_is, n_tried: 1 }),
        None => {
            Err(Error::degenerate(format!("'{}' has one value everywhere, so no orientation of labels fits it best", image.name)))
        }
    }
}

/// The labels as if they had been stored so, on the grid of the image. [`Error::Parameter`] where the sizes do
/// not fit.
pub fn restored(labels: &LabelMap, image: &Volume, storage: Storage) -> Result<LabelMap> {
    let size = image.grid.size();
    if storage.label_size(size) != labels.grid.size() {
        return Err(Error::parameter(format!("labels of {:?} voxels do not fit an image of {size:?}", labels.grid.size())));
    }
    let phases = labels.phases.iter().map(|p| Arc::from(stored(p, labels.grid.size(), storage, size))).collect();
    Ok(LabelMap { grid: image.grid, phases, ..labels.clone() })
}

/// The labels on another grid: each voxel takes the label of the nearest voxel through both affines, 0 where
/// there is none. Also how many labeled voxels (of all phases) have their center outside of the new grid.
pub fn resample_labels(labels: &LabelMap, grid: &Grid, progress: &Progress) -> Result<(LabelMap, usize)> {
    let mut phases: Vec<Arc<[u8]>> = Vec::new();
    let (mut n_outside, n) = (0, labels.n_phases());
    let [nx, ny, _] = labels.grid.size();
    for phase in 0..n {
        progress.step(phase as f64 / n as f64, "bringing labels to another grid")?;
        phases.push(brought(labels, phase, grid).into());
        let is_outside = |(at, v): (usize, &u8)| {
            let voxel = DVec3::new((at % nx) as f64, (at / nx % ny) as f64, (at / (nx * ny)) as f64);
            *v != 0 && grid.index_at_lps(labels.grid.lps_from_voxel().transform_point3(voxel)).is_none()
        };
        n_outside += labels.phases[phase].par_iter().enumerate().filter(|p| is_outside(*p)).count();
    }
    Ok((LabelMap { grid: *grid, phases, ..labels.clone() }, n_outside))
}

fn brought(labels: &LabelMap, phase: usize, grid: &Grid) -> Vec<u8> {
    let [nx, ny, _] = grid.size();
    let at = |n: usize| {
        let voxel = DVec3::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
        label_at(labels, phase, grid.lps_from_voxel().transform_point3(voxel))
    };
    (0..grid.n_voxels()).into_par_iter().map(at).collect()
}

/// Voxels in the order of the image.
fn stored(voxels: &[u8], label_size: [usize; 3], storage: Storage, size: [usize; 3]) -> Vec<u8> {
    let stride = [1, label_size[0], label_size[0] * label_size[1]];
    let at = |n: usize| {
        let place = [n % size[0], n / size[0] % size[1], n / (size[0] * size[1])];
        let index: usize = (0..3)
            .map(|a| {
                let p = if storage.flip[a] { size[a] - 1 - place[a] } else { place[a] };
                p * stride[storage.order[a]]
            })
            .sum();
        voxels[index]
    };
    (0..size.iter().product()).into_par_iter().map(at).collect()
}

/// The correlation ratio within the labels and [`SHELL`] voxels around them; `None` where nothing is labeled or
/// all values are one.
fn explained(voxels: &[u8], image: &Volume, phase: usize) -> Option<f64> {
    let near = near(voxels, image.grid.size());
    let mut sums = vec![(0.0f64, 0.0f64); 256];
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (at, label) in voxels.iter().enumerate().filter(|(at, _)| near[*at]) {
        let value = image.value(phase, at);
        if value.is_finite() {
            let class = &mut sums[usize::from(*label)];
            *class = (class.0 + 1.0, class.1 + value);
            (n, sum, squares) = (n + 1.0, sum + value, squares + value * value);
        }
    }
    let total = squares - sum * sum / n;
    let between: f64 = sums.iter().filter(|c| c.0 > 0.0).map(|c| c.1 * c.1 / c.0).sum::<f64>() - sum * sum / n;
    (n > 0.0 && total > 1e-9 * squares.abs()).then(|| between / total)
}

/// Voxels within [`SHELL`] columns and rows of a labeled one.
fn near(voxels: &[u8], [nx, ny, _]: [usize; 3]) -> Vec<bool> {
    let mut wide = vec![false; voxels.len()];
    for (at, _) in voxels.iter().enumerate().filter(|(_, v)| **v != 0) {
        let (row, i) = (at / nx * nx, at % nx);
        wide[row + i.saturating_sub(SHELL)..row + (i + SHELL + 1).min(nx)].fill(true);
    }
    let mut near = vec![false; voxels.len()];
    for (at, _) in wide.iter().enumerate().filter(|(_, w)| **w) {
        let (slice, j, i) = (at / (nx * ny) * nx * ny, at / nx % ny, at % nx);
        (j.saturating_sub(SHELL)..(j + SHELL + 1).min(ny)).for_each(|j| near[slice + j * nx + i] = true);
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Samples;
    use crate::space::DAffine3;

    /// A bright cavity in a dark ring, off the middle, with a bright crescent at one side.
    fn heart(size: [usize; 3]) -> (Vec<u8>, Vec<f32>) {
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        for n in 0..size.iter().product::<usize>() {
            let (x, y, z) = ((n % size[0]) as f64, (n / size[0] % size[1]) as f64, (n / (size[0] * size[1])) as f64);
            let r = (x - 13.0 - 0.4 * z).hypot(y - 10.0 + 0.3 * z);
            let side = (x - 5.0).hypot(y - 11.0);
            let label = if r < 3.5 - 0.3 * z {
                3
            } else if r < 6.0 {
                2
            } else if side < 4.0 {
                1
            } else {
                0
            };
            labels.push(label);
            let wave = 20.0 * ((x * 0.7).sin() + (y * 0.9).cos());
            values.push(
                (match label {
                    3 => 200.0,
                    2 => 60.0,
                    1 => 180.0,
                    _ => 100.0,
                } + wave) as f32,
            );
        }
        (labels, values)
    }

    fn grid(size: [usize; 3]) -> Grid {
        Grid::new(size, DAffine3::from_scale(DVec3::new(1.4, 1.4, 8.0))).unwrap()
    }

    #[test]
    fn every_storage_is_found_and_mended() {
        let size = [24, 24, 6];
        let (truth, values) = heart(size);
        let image = Volume::new("i", grid(size), vec![Samples::F32(values.into())]).unwrap();
        let mut n = 0;
        for storage in Storage::all().into_iter().filter(|s| s.label_size(size) == size) {
            // Labels written so that reading them with `storage` gives the truth back.
            let label_size = storage.label_size(size);
            let stride = [1, label_size[0], label_size[0] * label_size[1]];
            let mut written = vec![0; truth.len()];
            for (at, v) in truth.iter().enumerate() {
                let place = [at % size[0], at / size[0] % size[1], at / (size[0] * size[1])];
                let to: usize = (0..3)
                    .map(|a| (if storage.flip[a] { size[a] - 1 - place[a] } else { place[a] }) * stride[storage.order[a]])
                    .sum();
                written[to] = *v;
            }
            let map = LabelMap::new("l", grid(label_size), vec![written.into()]).unwrap();
            let found = check_orientation((&map, 0), (&image, 0), &Progress::none()).unwrap();
            assert_eq!(found.storage, storage, "{}", found.sentence());
            assert_eq!(found.is_suspected(), storage != Storage::SAME, "{}", found.sentence());
            assert_eq!(restored(&map, &image, found.storage).unwrap().phases[0][..], truth[..]);
            n += 1;
        }
        assert_eq!((n, Storage::all().len()), (16, 48));
    }

    #[test]
    fn nearest_through_the_affines() {
        let (truth, _) = heart([24, 24, 6]);
        let map = LabelMap::new("l", grid([24, 24, 6]), vec![truth.clone().into()]).unwrap();
        let shifted =
            DAffine3::from_mat3_translation(DAffine3::from_scale(DVec3::new(1.4, 1.4, 8.0)).matrix3, DVec3::new(2.8, 0.0, 0.0));
        let (moved, n_outside) = resample_labels(&map, &Grid::new([24, 24, 6], shifted).unwrap(), &Progress::none()).unwrap();
        let at = |i: usize, j: usize| i + 24 * j;
        assert!((0..22).all(|i| (0..24).all(|j| moved.phases[0][at(i, j)] == truth[at(i + 2, j)])));
        let lost = truth.iter().enumerate().filter(|(n, v)| **v != 0 && n % 24 < 2).count();
        assert_eq!(n_outside, lost);
        let empty = LabelMap::blank("e", grid([24, 24, 6]), 1).unwrap();
        let image = Volume::new("i", grid([24, 24, 6]), vec![Samples::U8(vec![0; truth.len()].into())]).unwrap();
        assert!(check_orientation((&empty, 0), (&image, 0), &Progress::none()).is_err());
        assert!(check_orientation((&map, 0), (&image, 0), &Progress::none()).is_err());
    }
}
