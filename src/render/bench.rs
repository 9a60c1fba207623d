//! How long frames take, off screen in 1600 × 1000 pixels. A frame is over when the device has done all
//! of it. The scenes are made by code from a fixed seed.

use super::offscreen::Target;
use super::renderer::{RenderStats, Renderer};
use crate::base::{Result, stream_seed};
use crate::model::{ColorMap, Picture, Samples, Volume};
use crate::scene::{Camera, Compare, Drawn, PLAIN_SPOT_RGB, PictureDrawn, Scene, SliceDrawn, SpotsDrawn, WarpMesh};
use crate::space::{DAffine3, DVec2, DVec3, Grid, Plane, thin_plate_kernel};
use rayon::prelude::*;
use std::sync::Arc;
use std::time::Instant;

/// Size of the target.
pub const SIZE_PX: [u32; 2] = [1600, 1000];

/// Times of the frames of one scene.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameReport {
    /// What was drawn.
    pub scene: String,
    /// Where it was drawn.
    pub adapter: String,
    /// Number of frames measured.
    pub n_frames: usize,
    /// Fastest frame in ms.
    pub least_ms: f64,
    /// Median of a frame in ms.
    pub median_ms: f64,
    /// 95th percentile in ms.
    pub p95_ms: f64,
    /// 99th percentile in ms.
    pub p99_ms: f64,
    /// Mean processor time of a frame in ms, all threads together; 0 where the system does not tell.
    pub processor_ms: f64,
    /// From the first call to the first finished picture in ms, uploads and compilation included.
    pub first_ms: f64,
    /// Bytes uploaded in the first frame.
    pub first_uploaded_bytes: u64,
    /// Most bytes uploaded in a later frame.
    pub most_uploaded_bytes: u64,
    /// Spots drawn and in sight in the last frame, where some were left out.
    pub shown_of: Option<(usize, usize)>,
}

impl FrameReport {
    /// As one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let shown = self.shown_of.map_or_else(|| "null".to_owned(), |(n, of)| format!("[{n},{of}]"));
        format!(
            "{{\"scene\":\"{}\",\"adapter\":\"{}\",\"n_frames\":{},\"frame_ms\":{{\"least\":{:.3},\"median\":{:.3},\"p95\":{:.3},\"p99\":{:.3}}},\
             \"processor_ms\":{:.3},\"start_ms\":{{\"first_picture\":{:.3}}},\"first_uploaded_bytes\":{},\"most_uploaded_bytes\":{},\"shown_of\":{shown}}}",
            self.scene,
            self.adapter.replace(['"', '\\'], "'"),
            self.n_frames,
            self.least_ms,
            self.median_ms,
            self.p95_ms,
            self.p99_ms,
            self.processor_ms,
            self.first_ms,
            self.first_uploaded_bytes,
            self.most_uploaded_bytes
        )
    }
}

/// Draws `n_frames` scenes, the k-th given by `scene(k)`, after one that warms up.
pub fn bench_frames(name: &str, n_frames: usize, mut scene: impl FnMut(usize) -> Scene) -> Result<FrameReport> {
    let first_scene = scene(0);
    let begun = Instant::now();
    let (mut renderer, gpu) = Renderer::headless()?;
    let target = Target::new(&gpu.device, first_scene.size_px);
    let mut first = renderer.draw(&target, &first_scene)?;
    renderer.finish()?;
    let first_ms = ms(begun);
    let mut last = first.clone();
    while last.waiting {
        last = renderer.draw(&target, &first_scene)?;
        first.uploaded_bytes += last.uploaded_bytes;
        renderer.finish()?;
    }
    let processor_before = processor_ms();
    let mut times = Vec::with_capacity(n_frames);
    let mut stats: Vec<RenderStats> = Vec::with_capacity(n_frames);
    for k in 0..n_frames.max(1) {
        let now = scene(k);
        let begun = Instant::now();
        stats.push(renderer.draw(&target, &now)?);
        renderer.finish()?;
        times.push(ms(begun));
    }
    times.sort_by(f64::total_cmp);
    let at = |q: f64| times[((times.len() - 1) as f64 * q).round() as usize];
    Ok(FrameReport {
        scene: name.to_owned(),
        adapter: gpu.name(),
        n_frames: times.len(),
        least_ms: at(0.0),
        median_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        processor_ms: (processor_ms() - processor_before) / times.len() as f64,
        first_ms,
        first_uploaded_bytes: first.uploaded_bytes,
        most_uploaded_bytes: stats.iter().map(|s| s.uploaded_bytes).max().unwrap_or(0),
        shown_of: stats.last().and_then(|s| s.shown_of),
    })
}

/// A given scene, panned by half a pixel from frame to frame.
pub fn bench_scene(scene: &Scene, n_frames: usize) -> Result<FrameReport> {
    bench_frames("scene", n_frames, |k| {
        let mut now = scene.clone();
        now.camera.center.x += (k % 2) as f64 * 0.5 * now.camera.mm_per_px;
        now
    })
}

/// `n` points of 400 clusters in a square of 4096 mm, panned on a circle.
pub fn bench_points(n: usize, n_frames: usize) -> Result<FrameReport> {
    let positions: Arc<[[f32; 2]]> = clusters(n).into();
    bench_frames(&format!("points-{n}"), n_frames, |k| {
        let turn = k as f64 / 8.0;
        let center = DVec2::splat(2048.0) + DVec2::new(turn.cos(), turn.sin()) * 200.0;
        let spots = SpotsDrawn {
            positions: Arc::clone(&positions),
            values: None,
            plain: PLAIN_SPOT_RGB,
            radius_mm: 3.0,
            low: 0.0,
            high: 1.0,
            color_map: ColorMap::Viridis,
            opacity: 1.0,
            compare: Compare::Blend,
        };
        pane(Camera { center, mm_per_px: 4096.0 / 1000.0 }, vec![Drawn::Spots(spots)])
    })
}

/// The playback of a cine of 512 × 512 × 12 voxels and 30 phases, filling the height.
pub fn bench_cine(n_frames: usize) -> Result<FrameReport> {
    let volume = Arc::new(cine()?);
    bench_frames("cine", n_frames, |k| {
        let slice = SliceDrawn {
            volume: Arc::clone(&volume),
            phase: k % 30,
            plane: Plane::axial(DVec3::new(0.0, 0.0, 5.0)),
            low: 0.0,
            high: 1000.0,
            color_map: ColorMap::Gray,
            smooth: true,
            opacity: 1.0,
        };
        pane(Camera { center: DVec2::splat(255.5), mm_per_px: 512.0 / 1000.0 }, vec![Drawn::Slice(slice)])
    })
}

/// A picture of 2048 × 2048 pixels through a warp by 64 landmark pairs that moves in each frame; the
/// mesh of 64 × 64 cells is computed and uploaded anew.
pub fn bench_warp(n_frames: usize) -> Result<FrameReport> {
    let rgba = (0..2048 * 2048u32).flat_map(|i| [(i % 251) as u8, (i / 2048 % 241) as u8, (i % 13 * 19) as u8, 255]).collect();
    let picture = Arc::new(Picture::single(2048, 2048, rgba)?);
    bench_frames("warp", n_frames, |k| {
        let drawn = PictureDrawn {
            picture: Arc::clone(&picture),
            mm_per_px: 0.005,
            mesh: Arc::new(bent(k)),
            opacity: 0.8,
            compare: Compare::Blend,
        };
        pane(Camera { center: DVec2::splat(5.12), mm_per_px: 0.0105 }, vec![Drawn::Picture(drawn)])
    })
}

fn pane(camera: Camera, drawn: Vec<Drawn>) -> Scene {
    Scene { size_px: SIZE_PX, camera, background: [0; 3], drawn, marks: Vec::new() }
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// User and system time of this process so far; Linux counts it in hundredths of a second.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// A number in 0..1 of a stream.
fn uniform(stream: u64, index: u64) -> f64 {
    (stream_seed(stream, index) >> 11) as f64 / (1u64 << 53) as f64
}

fn clusters(n: usize) -> Vec<[f32; 2]> {
    let point = |i: usize| {
        let i = i as u64;
        let cluster = (uniform(1, i) * 400.0) as u64;
        // Two normal numbers from two uniform ones (Box and Muller 1958).
        let length = (-2.0 * (1.0 - uniform(2, i)).ln()).sqrt() * 120.0;
        let (sin, cos) = (uniform(3, i) * std::f64::consts::TAU).sin_cos();
        let at = |axis: u64, offset: f64| (uniform(4 + axis, cluster) * 4096.0 + offset).clamp(0.0, 4096.0) as f32;
        [at(0, length * cos), at(1, length * sin)]
    };
    (0..n).into_par_iter().map(point).collect()
}

pub(super) fn cine() -> Result<Volume> {
    let phase = |t: u64| {
        let radius = 100.0 - 30.0 * (std::f64::consts::PI * t as f64 / 30.0).sin();
        let voxel = |i: u64| {
            let (x, y) = ((i % 512) as f64 - 256.0, (i / 512 % 512) as f64 - 256.0);
            let wall = if x.hypot(y) < radius { 600 } else { 0 };
            (stream_seed(t, i) % 120) as u16 + wall
        };
        let values: Vec<u16> = (0..512 * 512 * 12).into_par_iter().map(voxel).collect();
        Samples::U16(values.into())
    };
    Volume::new("cine", Grid::new([512, 512, 12], DAffine3::IDENTITY)?, (0..30).map(phase).collect())
}

fn bent(frame: usize) -> WarpMesh {
    const N: usize = 65;
    let middle = |i: usize| DVec2::new((i % 8) as f64 + 0.5, (i / 8) as f64 + 0.5) * 1.28;
    let weight = |i: usize| ((i * 7 + frame) as f64 * 0.3).sin() * 0.003;
    let bend = |p: DVec2| {
        let moved = |f: f64| (0..64).map(|i| weight(i) * f * thin_plate_kernel(p.distance_squared(middle(i)))).sum::<f64>();
        p + DVec2::new(moved(1.0), moved(-0.7))
    };
    let source: Vec<DVec2> = (0..N * N).map(|i| DVec2::new((i % N) as f64, (i / N) as f64) * (10.24 / (N - 1) as f64)).collect();
    let target = source.iter().map(|&p| bend(p)).collect();
    WarpMesh { columns: N, rows: N, source, target }
}
