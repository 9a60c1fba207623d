//! Pixels of a network's input: where they lie in the image, and their scale.

use crate::model::{Layout, Normalize, Segmenter, Volume};
use crate::space::Grid;

/// The network's pixels against the image's grid: pixel `u` along an axis lies at voxel `middle + (u − (n − 1)/2) ·
/// step`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Columns, rows, slices of the input.
    size: [usize; 3],
    /// Voxels of the image per pixel.
    step: [f64; 3],
    image: [usize; 3],
    is_volume: bool,
}

/// What is taken from a value and what it is divided by, and where it is cut after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    less: f64,
    over: f64,
    cut: bool,
}

impl Frame {
    pub(super) fn new(grid: &Grid, segmenter: &Segmenter) -> Self {
        let (image, own) = (grid.size(), grid.spacing_mm().to_array());
        let is_volume = segmenter.layout.is_volume();
        let size = std::array::from_fn(|a| match segmenter.size[a] {
            _ if a == 2 && !is_volume => 1,
            // As many pixels as cover the image at this spacing.
            0 if segmenter.spacing_mm[a] > 0.0 => ((image[a] as f64 * own[a] / segmenter.spacing_mm[a]).round() as usize).max(1),
            0 => image[a],
            n => n,
        });
        let step = std::array::from_fn(|a| if segmenter.spacing_mm[a] > 0.0 { segmenter.spacing_mm[a] / own[a] } else { 1.0 });
        Self { size, step, image, is_volume }
    }

    pub(super) fn n_pixels(&self) -> usize {
        self.size.iter().fold(1usize, |a, n| a.saturating_mul(*n))
    }

    /// Runs of the network for a phase.
    pub(super) fn n_frames(&self) -> usize {
        if self.is_volume { 1 } else { self.image[2] }
    }

    /// The shape of the input.
    pub(super) fn shape(&self, layout: Layout) -> Vec<usize> {
        let [w, h, d] = self.size;
        match layout {
            Layout::Nchw => vec![1, 1, h, w],
            Layout::Ncwh => vec![1, 1, w, h],
            Layout::Ncdhw => vec![1, 1, d, h, w],
            Layout::Ncwhd => vec![1, 1, w, h, d],
        }
    }

    /// Where pixel `p` (columns fastest) is in the network's order.
    pub(super) fn place_in(&self, layout: Layout, p: usize) -> usize {
        let [w, h, d] = self.size;
        let (i, j, k) = (p % w, p / w % h, p / (w * h));
        match layout {
            Layout::Nchw | Layout::Ncdhw => p,
            Layout::Ncwh => i * h + j,
            Layout::Ncwhd => (i * h + j) * d + k,
        }
    }

    /// Image voxel of a pixel along an axis.
    fn voxel(&self, axis: usize, u: usize) -> f64 {
        (self.image[axis] as f64 - 1.0) / 2.0 + (u as f64 - (self.size[axis] as f64 - 1.0) / 2.0) * self.step[axis]
    }

    /// Pixels of a run in the order of a layout.
    pub(super) fn pixels(&self, image: &Volume, (phase, at): (usize, usize), scale: Scale, layout: Layout) -> Vec<f32> {
        let plain = self.sampled(image, phase, at, scale);
        if matches!(layout, Layout::Nchw | Layout::Ncdhw) {
            return plain;
        }
        let mut pixels = vec![0.0; plain.len()];
        plain.into_iter().enumerate().for_each(|(p, v)| pixels[self.place_in(layout, p)] = v);
        pixels
    }

    /// Pixels of a run, columns fastest.
    fn sampled(&self, image: &Volume, phase: usize, at: usize, scale: Scale) -> Vec<f32> {
        let [w, h, d] = self.size;
        let corners = |axis: usize, n: usize| -> Vec<Option<(usize, usize, f64)>> {
            (0..n).map(|u| neighbors(self.voxel(axis, u), self.image[axis])).collect()
        };
        let (columns, rows) = (corners(0, w), corners(1, h));
        let slices = if self.is_volume { corners(2, d) } else { vec![Some((at, at, 0.0))] };
        let load = |i: usize, j: usize, k: usize| {
            let v = image.value(phase, i + self.image[0] * (j + self.image[1] * k));
            if v.is_finite() { v } else { 0.0 }
        };
        let mut pixels = Vec::with_capacity(self.n_pixels());
        for slice in &slices {
            for row in &rows {
                for column in &columns {
                    let (Some(x), Some(y), Some(z)) = (column, row, slice) else {
                        pixels.push(0.0);
                        continue;
                    };
                    let along = |j, k| mix(load(x.0, j, k), load(x.1, j, k), x.2);
                    let face = |k| mix(along(y.0, k), along(y.1, k), y.2);
                    pixels.push(scale.apply(mix(face(z.0), face(z.1), z.2)) as f32);
                }
            }
        }
        pixels
    }

    /// Labels of a run (columns fastest) into the voxels of the image.
    pub(super) fn write_back(&self, voxels: &mut [u8], at: usize, labels: &[u8]) {
        let [w, h, _] = self.size;
        let nearest = |axis: usize, v: usize| {
            let middle = (self.image[axis] as f64 - 1.0) / 2.0;
            let u = ((v as f64 - middle) / self.step[axis] + (self.size[axis] as f64 - 1.0) / 2.0 + 0.5).floor();
            (u >= 0.0 && u < self.size[axis] as f64).then_some(u as usize)
        };
        let [nx, ny, nz] = self.image;
        let slices: Vec<(usize, usize)> =
            if self.is_volume { (0..nz).filter_map(|k| nearest(2, k).map(|u| (k, u))).collect() } else { vec![(at, 0)] };
        let columns: Vec<Option<usize>> = (0..nx).map(|i| nearest(0, i)).collect();
        for (k, slice) in slices {
            for j in 0..ny {
                let Some(row) = nearest(1, j) else { continue };
                for (i, column) in columns.iter().enumerate() {
                    if let Some(column) = column {
                        voxels[i + nx * (j + ny * k)] = labels[column + w * (row + h * slice)];
                    }
                }
            }
        }
    }

    /// What a person should know of how the image became the input.
    pub(super) fn assumed(&self, image: &Volume, segmenter: &Segmenter) -> Vec<String> {
        let mut told = Vec::new();
        let n_axes = if self.is_volume { 3 } else { 2 };
        let list = |v: &[usize]| v.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        let (size, own) = (&self.size[..n_axes], &self.image[..n_axes]);
        if self.step[..n_axes].iter().any(|s| (s - 1.0).abs() > 1e-9) {
            let unit = if image.length_unit_known {
                ""
            } else {
                " The file of the image does not say that its lengths are millimeters."
            };
            told.push(format!(
                "The image was resampled linearly to the spacing of {}; each voxel took the class of the nearest pixel.{unit}",
                segmenter.name
            ));
        }
        if size != own {
            told.push(format!(
                "{} sees {} pixels about the middle of the image, which has {}; beyond the image it saw 0, and voxels beyond its pixels have no label.",
                segmenter.name,
                list(size),
                list(own)
            ));
        }
        if !self.is_volume {
            told.push("Each slice along k was segmented by itself, rows along j and columns along i as stored.".into());
        }
        told
    }
}

fn mix(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

/// The voxels before and after a place and its share of the way; `None` outside of the image.
fn neighbors(v: f64, n: usize) -> Option<(usize, usize, f64)> {
    if !(-0.5..n as f64 - 0.5).contains(&v) {
        return None;
    }
    let v = v.clamp(0.0, n as f64 - 1.0);
    let low = v.floor() as usize;
    Some((low, (low + 1).min(n - 1), v - low as f64))
}

impl Scale {
    fn apply(self, v: f64) -> f64 {
        let scaled = (v - self.less) / self.over;
        if self.cut { scaled.clamp(0.0, 1.0) } else { scaled }
    }
}

/// The scale of a slice, or of a phase. Where all values are one, nothing is divided.
pub(super) fn scale(image: &Volume, phase: usize, slice: Option<usize>, segmenter: &Segmenter) -> Scale {
    let [nx, ny, nz] = image.grid.size();
    let range = slice.map_or(0..nx * ny * nz, |k| nx * ny * k..nx * ny * (k + 1));
    let values = || range.clone().map(|at| image.value(phase, at)).filter(|v| v.is_finite());
    let span = |less: f64, high: f64, cut| Scale { less, over: if high > less { high - less } else { 1.0 }, cut };
    match segmenter.normalize {
        Normalize::None => Scale { less: 0.0, over: 1.0, cut: false },
        Normalize::MeanSd(mean, sd) => Scale { less: mean, over: sd, cut: false },
        Normalize::Range(low, high) => span(low, high, true),
        Normalize::Percentile(low, high) => {
            let mut all: Vec<f64> = values().collect();
            all.sort_by(f64::total_cmp);
            // Linear between order statistics, as NumPy's default.
            let at = |q: f64| {
                let place = q / 100.0 * (all.len().max(1) - 1) as f64;
                let (a, b) = (place.floor() as usize, place.ceil() as usize);
                all.get(a).zip(all.get(b)).map_or(0.0, |(a, b)| mix(*a, *b, place.fract()))
            };
            span(at(low), at(high), true)
        }
        Normalize::ZScore => {
            let (n, sum) = values().fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
            let mean = if n > 0.0 { sum / n } else { 0.0 };
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::max(n, 1.0);
            Scale { less: mean, over: if variance > 0.0 { variance.sqrt() } else { 1.0 }, cut: false }
        }
    }
}
