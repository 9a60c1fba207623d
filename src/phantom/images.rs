//! Cine and late-enhancement images of the heart and its surroundings, with their labels.
//! A voxel's label is what lies at its center; the truth's rasterized volumes count these voxels.

use super::anatomy::{Anatomy, N_PHASES};
use super::noise::{mix, noise3, smoothstep};
use super::shape::Shape;
use super::tissue::{Region, TissueState};
use crate::base::{Progress, Result};
use crate::model::{LabelMap, Samples, Volume};
use crate::space::{DAffine3, DMat3, DVec2, DVec3, Grid};
use crate::stats::Stream;
use rayon::prelude::*;
use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Distance between slices in mm.
pub(super) const SLICE_MM: f64 = 8.0;
const N_SLICES: usize = 12;

/// Mean signal of each tissue, and what the scanner adds.
struct Contrast {
    blood: f64,
    muscle: f64,
    border: f64,
    scar: f64,
    fat: f64,
    lung: f64,
    liver: f64,
    bone: f64,
    /// Noise of each quadrature channel.
    sigma: f64,
    /// Greatest relative deviation of the bias field.
    bias: f64,
    /// Share of each direct neighbor in a voxel (point spread).
    spread: f64,
}

const CINE: Contrast = Contrast {
    blood: 1010.0,
    muscle: 400.0,
    border: 400.0,
    scar: 400.0,
    fat: 1090.0,
    lung: 55.0,
    liver: 460.0,
    bone: 260.0,
    sigma: 19.5,
    bias: 0.20,
    spread: 0.17,
};

const LATE: Contrast = Contrast {
    blood: 176.0,
    muscle: 105.0,
    border: 147.0,
    scar: 258.0,
    fat: 330.0,
    lung: 25.0,
    liver: 150.0,
    bone: 80.0,
    sigma: 29.0,
    bias: 0.04,
    spread: 0.10,
};

/// Height of the first slice in heart coordinates. At end-diastole the basal plane lies half way between
/// the last two slices, so that in spite of its tilt no slice cuts the cavity in part; the second slice then
/// lies in the muscle of the apex.
pub(super) fn first_slice_mm(anatomy: &Anatomy) -> f64 {
    anatomy.diastole().height - (N_SLICES as f64 - 1.5) * SLICE_MM
}

/// The short-axis stack of the cine: columns to the lateral wall, rows to the inferior wall, slices
/// from apex to base.
pub(super) fn cine_grid(anatomy: &Anatomy) -> Result<Grid> {
    short_axis(anatomy, [128, 128], 1.5, DVec3::new(11.3, 2.1, first_slice_mm(anatomy)))
}

/// The stack of the late enhancement: finer, and a little shifted.
pub(super) fn late_grid(anatomy: &Anatomy) -> Result<Grid> {
    short_axis(anatomy, [160, 160], 1.2, DVec3::new(9.6, 3.2, first_slice_mm(anatomy) + 0.2))
}

fn short_axis(anatomy: &Anatomy, size: [usize; 2], spacing: f64, middle: DVec3) -> Result<Grid> {
    let frame = &anatomy.frame;
    let (right, down) = (-frame.septal * spacing, -frame.anterior * spacing);
    let half = |n: usize| (n as f64 - 1.0) / 2.0;
    let origin = frame.lps_from_heart(middle) - right * half(size[0]) - down * half(size[1]);
    let matrix = DMat3::from_cols(right, down, frame.base * SLICE_MM);
    Grid::new([size[0], size[1], N_SLICES], DAffine3::from_mat3_translation(matrix, origin))
}

/// One phase of the cine: image and labels.
type Phase = (Samples, Arc<[u8]>);

/// Cine and its labels. End-diastole is made before the other phases and shown at once.
pub(super) fn cine(anatomy: &Anatomy, progress: &Progress, show: &dyn Fn(&Volume, &LabelMap)) -> Result<(Volume, LabelMap)> {
    let grid = cine_grid(anatomy)?;
    let still = surroundings(anatomy, &grid, &CINE);
    let phase = |p: usize| -> Phase {
        let (image, labels) = acquire(anatomy, &anatomy.shapes[p], &grid, &still, &CINE, 100 + p as u64);
        (Samples::U16(image.into()), labels.into())
    };
    let first = phase(0);
    let (still_image, still_labels) = heart_of(anatomy, grid, vec![first.clone()])?;
    show(&still_image, &still_labels);
    let done = AtomicUsize::new(1);
    let others: Vec<Phase> = (1..N_PHASES)
        .into_par_iter()
        .map(|p| {
            let painted = phase(p);
            progress.step(done.fetch_add(1, Ordering::Relaxed) as f64 / N_PHASES as f64, "beating heart")?;
            Ok(painted)
        })
        .collect::<Result<_>>()?;
    heart_of(anatomy, grid, std::iter::once(first).chain(others).collect())
}

/// The cine of the phases that are there, from the first on.
fn heart_of(anatomy: &Anatomy, grid: Grid, phases: Vec<Phase>) -> Result<(Volume, LabelMap)> {
    let times = &anatomy.phase_times_ms[..phases.len()];
    let (images, labels): (Vec<_>, Vec<_>) = phases.into_iter().unzip();
    let mut volume = Volume::new("Cine short axis", grid, images)?;
    let mut mask = LabelMap::new("Cine labels", grid, labels)?;
    volume.modality = "MR".into();
    volume.phase_times_ms = times.to_vec();
    mask.phase_times_ms = times.to_vec();
    Ok((volume, mask))
}

/// Late enhancement at end-diastole and its labels.
pub(super) fn late(anatomy: &Anatomy) -> Result<(Volume, LabelMap)> {
    let grid = late_grid(anatomy)?;
    let still = surroundings(anatomy, &grid, &LATE);
    let (image, labels) = acquire(anatomy, anatomy.diastole(), &grid, &still, &LATE, 200);
    let mut volume = Volume::new("Late enhancement", grid, vec![Samples::U16(image.into())])?;
    volume.modality = "MR".into();
    Ok((volume, LabelMap::new("Late enhancement labels", grid, vec![labels.into()])?))
}

/// Calls `at(index, heart point)` for all voxels of a grid.
pub(super) fn each_voxel(anatomy: &Anatomy, grid: &Grid, mut at: impl FnMut(usize, DVec3)) {
    let [nx, ny, nz] = grid.size();
    for k in 0..nz {
        each_of_slice(anatomy, grid, k, |index, h| at(index + nx * ny * k, h));
    }
}

/// The same for one slice; the index is that within the slice.
fn each_of_slice(anatomy: &Anatomy, grid: &Grid, k: usize, mut at: impl FnMut(usize, DVec3)) {
    let [nx, ny, _] = grid.size();
    let heart = |i: usize, j: usize, k: usize| {
        let lps = grid.lps_from_voxel().transform_point3(DVec3::new(i as f64, j as f64, k as f64));
        anatomy.frame.heart_from_lps(lps)
    };
    let step = heart(1, 0, 0) - heart(0, 0, 0);
    for j in 0..ny {
        let start = heart(0, j, k);
        for i in 0..nx {
            at(i + nx * j, start + step * i as f64);
        }
    }
}

/// One phase as the scanner gives it: painted, blurred, shaded, with Rician noise.
fn acquire(anatomy: &Anatomy, shape: &Shape, grid: &Grid, still: &[f32], c: &Contrast, stream: u64) -> (Vec<u16>, Vec<u8>) {
    let mut image = still.to_vec();
    let mut labels = vec![0u8; image.len()];
    let [nx, ny, _] = grid.size();
    let slices = image.par_chunks_exact_mut(nx * ny).zip(labels.par_chunks_exact_mut(nx * ny));
    slices.enumerate().for_each(|(k, (image, labels))| {
        each_of_slice(anatomy, grid, k, |index, h| {
            let region = anatomy.region(shape, h);
            labels[index] = label(region);
            if let Some(signal) = signal(anatomy, shape, h, region, c) {
                image[index] = signal as f32;
            }
        });
        blur(image, nx, c.spread as f32);
    });
    let middle = DVec3::new(0.0, 0.0, shape.z_of_level(0.5));
    let waves = {
        let s = &mut Stream::new(anatomy.seed, 3);
        [0, 1].map(|_| DVec3::new(s.normal(), s.normal(), s.normal()).normalize_or(DVec3::X) * TAU / s.between(230.0, 330.0))
    };
    let noise = &mut Stream::new(anatomy.seed, stream);
    let mut stored = vec![0u16; image.len()];
    each_voxel(anatomy, grid, |index, h| {
        let d = h - middle;
        let shade = 1.0 + c.bias * (0.6 * d.dot(waves[0]).sin() + 0.4 * d.dot(waves[1]).sin());
        let real = f64::from(image[index]) * shade + c.sigma * noise.normal();
        stored[index] = real.hypot(c.sigma * noise.normal()).round().min(4095.0) as u16;
    });
    (stored, labels)
}

fn label(region: Region) -> u8 {
    match region {
        Region::RvCavity => 1,
        Region::Wall(_) => 2,
        Region::Cavity | Region::Papillary => 3,
        _ => 0,
    }
}

/// Signal of the heart itself; `None` where the surroundings show.
fn signal(anatomy: &Anatomy, shape: &Shape, h: DVec3, region: Region, c: &Contrast) -> Option<f64> {
    match region {
        Region::Outside => (shape.outer.level(h) < 1.09 && h.z > 0.0).then(|| mix(c.muscle, c.fat, 0.55)),
        Region::AboveBase => {
            let wall = shape.outer.level(h) < 1.0 && shape.inner.level(h) > 1.03;
            Some(if wall { mix(c.muscle, c.fat, 0.3) } else { c.blood })
        }
        Region::Cavity | Region::RvCavity => Some(c.blood),
        Region::Papillary | Region::RvWall(_) => Some(c.muscle),
        Region::Wall(_) if c.scar == c.muscle => Some(c.muscle),
        Region::Wall(depth) => Some(match anatomy.state(shape, h, depth) {
            TissueState::Scar => c.scar,
            TissueState::Border => c.border,
            TissueState::Healthy | TissueState::None => c.muscle,
        }),
    }
}

/// Everything around the heart: chest wall, lungs, liver, spine and aorta. It does not move.
fn surroundings(anatomy: &Anatomy, grid: &Grid, c: &Contrast) -> Vec<f32> {
    let middle = anatomy.frame.lps_from_heart(DVec3::new(0.0, 0.0, anatomy.diastole().z_of_level(0.5)));
    let mut image = vec![0f32; grid.n_voxels()];
    let [nx, ny, _] = grid.size();
    image.par_chunks_exact_mut(nx * ny).enumerate().for_each(|(k, slice)| {
        each_of_slice(anatomy, grid, k, |index, h| {
            let t = anatomy.frame.lps_from_heart(h) - middle + DVec3::new(38.0, -26.0, 0.0);
            slice[index] = chest(anatomy.seed, t, pericardium(anatomy, h), c) as f32;
        });
    });
    image
}

/// Share of fat around the heart at a heart point: 1 within the pericardium, 0 in the lung.
fn pericardium(anatomy: &Anatomy, h: DVec3) -> f64 {
    let shape = anatomy.diastole();
    let size = (shape.outer.radius(h.z.clamp(1.0, shape.outer.center), 0.0) / shape.outer.across.y).max(0.3);
    let level = DVec2::new((h.x - 12.0 * size) / 55.0, h.y / 44.0).length() / size;
    let uneven = 0.07 * noise3(anatomy.seed ^ 0x9E1, h.x / 34.0, h.y / 34.0, h.z / 40.0);
    1.0 - smoothstep(-0.02, 0.05, level - 1.0 - uneven)
}

/// Signal of the chest at `t`, mm from its middle (patient axes).
fn chest(seed: u64, t: DVec3, pad: f64, c: &Contrast) -> f64 {
    let grain = |size: f64| noise3(seed ^ 0xC4E5, t.x / size, t.y / size, t.z / size);
    let rim = DVec2::new(t.x / 158.0, t.y / 108.0).length() + 0.012 * grain(30.0);
    if rim > 1.0 {
        return 8.0;
    }
    if rim > 0.90 {
        return c.fat * (0.95 + 0.05 * grain(6.0));
    }
    if rim > 0.80 {
        let rib = (t.z / 13.0 + t.y / 40.0).sin() > 0.55;
        return if rib { c.bone } else { c.muscle * 0.95 };
    }
    if DVec2::new(t.x + 4.0, t.y - 72.0).length() < 23.0 {
        return c.bone * (1.25 + 0.15 * grain(7.0));
    }
    if DVec2::new(t.x - 20.0, t.y - 46.0).length() < 11.5 {
        return c.blood * 0.94;
    }
    let dome = -42.0 + 9.0 * grain(55.0) - 0.0016 * (t.x * t.x + t.y * t.y);
    if t.z < dome {
        let vessel = noise3(seed ^ 0x11FE, t.x / 9.0, t.y / 9.0, t.z / 9.0) > 0.62;
        return if vessel { c.liver * 1.5 } else { c.liver * (1.0 + 0.06 * grain(12.0)) };
    }
    let vessel = noise3(seed ^ 0x7A, t.x / 7.0, t.y / 7.0, t.z / 11.0) > 0.68;
    let lung = if vessel { c.lung * 4.0 } else { c.lung * (1.0 + 0.4 * grain(5.0)) };
    mix(lung, mix(c.muscle, c.fat, 0.45 + 0.2 * grain(14.0)), pad)
}

/// Separable three-point blur within one slice.
fn blur(slice: &mut [f32], nx: usize, spread: f32) {
    let kernel = |a: f32, b: f32, c: f32| spread * (a + c) + (1.0 - 2.0 * spread) * b;
    let n = slice.len();
    for axis in [1, nx] {
        let before = slice.to_vec();
        for (i, out) in slice.iter_mut().enumerate().take(n - axis).skip(axis) {
            *out = kernel(before[i - axis], before[i], before[i + axis]);
        }
    }
}
