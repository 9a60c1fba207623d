//! The renderer: keeps what scenes point to on the device, prepares panes, paints them.

use super::frame::{Draw, Frame, Shape, SplatBuffers};
use super::gpu::{Gpu, Link, Rows};
use super::pass::fill::FillUniform;
use super::pass::labels::LabelsUniform;
use super::pass::picture::PictureUniform;
use super::pass::slice::{SliceUniform, Variant};
use super::pass::spots::{SpotsUniform, radius_px};
use super::pass::{Programs, bind};
use super::picture::{self, Pictures};
use super::points::{self, PointBuffers, Points};
use super::shader::Pass;
use super::tables;
use super::volume::{Volumes, samples_of};
use crate::base::{Error, Result};
use crate::model::LabelMap;
use crate::scene::{Compare, Drawn, LabelsDrawn, PictureDrawn, Scene, SliceDrawn, SpotsDrawn};
use crate::space::DVec2;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes kept on the device before what is not drawn any more is dropped.
const BUDGET_BYTES: u64 = 1 << 30;
/// Panes prepared before something counts as not drawn any more.
const UNUSED: u64 = 64;
/// Spots with a larger radius are drawn as squares cut to discs, however many.
const LARGEST_SPLAT_PX: f32 = 6.0;
/// Cells of the level of detail are at least this large; so they are under one pixel, and no gap shows.
const LEAST_CELL_PX: f32 = 0.5;
/// Numbers that fit beside the coverage in a pixel of the splat.
const MOST_SPLATS: u32 = 1 << 24;

/// What preparing a pane cost and showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenderStats {
    /// Bytes sent to the device.
    pub uploaded_bytes: u64,
    /// Draw calls.
    pub n_draws: usize,
    /// Spots drawn and spots in sight, where a level of detail left some out.
    pub shown_of: Option<(usize, usize)>,
    /// Something is still being uploaded or ordered: draw again soon.
    pub waiting: bool,
    /// What could not be drawn, in words.
    pub not_drawn: Vec<String>,
    /// Bytes kept on the device.
    pub resident_bytes: u64,
}

/// Draws scenes. One for each device; panes are told apart by a number.
#[derive(Debug)]
pub struct Renderer {
    pub(super) link: Link,
    programs: Programs,
    tables: wgpu::TextureView,
    volumes: Volumes,
    pictures: Pictures,
    points: Points,
    label_colors: BTreeMap<Vec<u8>, wgpu::TextureView>,
    panes: BTreeMap<u64, Frame>,
    now: u64,
    /// Waits for the order of many points instead of showing a preview.
    pub(super) patient: bool,
}

impl Renderer {
    /// A renderer for targets of this format. Gamma-encoded values are written; an sRGB format gets
    /// linear light, which it encodes itself.
    #[must_use]
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let link = Link::new(device, queue);
        Self {
            programs: Programs::new(&link, format),
            tables: tables::texture(&link),
            volumes: Volumes::new(),
            pictures: Pictures::new(),
            points: Points::new(),
            label_colors: BTreeMap::new(),
            panes: BTreeMap::new(),
            now: 0,
            patient: false,
            link,
        }
    }

    /// A renderer with a device of its own, for drawing without a window. Unsupported without an adapter.
    pub fn headless() -> Result<(Self, Gpu)> {
        let gpu = Gpu::new()?;
        let mut renderer = Self::new(&gpu.device, &gpu.queue, wgpu::TextureFormat::Rgba8Unorm);
        renderer.patient = true;
        Ok((renderer, gpu))
    }

    /// Whether the device was lost; then this renderer draws nothing more and another must be made.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.link.is_lost()
    }

    /// The first thing that the device complained about.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.link.trouble()
    }

    /// Uploads what a pane needs and records its compute work. Layers that cannot be drawn are named in
    /// the stats. Degenerate where the device was lost.
    pub fn prepare(&mut self, encoder: &mut wgpu::CommandEncoder, pane: u64, scene: &Scene) -> Result<RenderStats> {
        if self.lost() {
            self.forget();
            return Err(Error::degenerate(self.trouble().unwrap_or_else(|| "the graphics device was lost".into())));
        }
        self.now += 1;
        let before = self.link.uploaded_bytes();
        let mut frame = self.panes.remove(&pane).unwrap_or_else(|| Frame::new(&self.link, &self.programs.uniform));
        frame.last_used = self.now;
        let n_tiles: usize = scene.drawn.iter().map(|d| self.n_uniforms(scene, d)).sum();
        frame.restart(&self.link, &self.programs.uniform, n_tiles as u32 + 1);
        let mut stats = RenderStats::default();
        let mut splats = Vec::new();
        self.fill(&mut frame, scene);
        for drawn in &scene.drawn {
            let done = match drawn {
                Drawn::Slice(d) => self.slice(&mut frame, scene, d, &mut stats),
                Drawn::Labels(d) => self.labels(&mut frame, scene, d, &mut stats),
                Drawn::Picture(d) => {
                    self.picture(&mut frame, scene, d);
                    Ok(())
                }
                Drawn::Spots(d) => {
                    self.spots(&mut frame, scene, d, (&mut stats, &mut splats));
                    Ok(())
                }
            };
            if let Err(error) = done {
                stats.not_drawn.push(error.to_string());
            }
        }
        frame.write(&self.link);
        self.record_splats(encoder, &frame, &splats);
        stats.n_draws = frame.draws.len();
        self.panes.insert(pane, frame);
        self.tidy();
        stats.uploaded_bytes = self.link.uploaded_bytes() - before;
        stats.resident_bytes = self.volumes.n_bytes() + self.pictures.n_bytes() + self.points.n_bytes();
        Ok(stats)
    }

    /// Draws a prepared pane into the pass's viewport, which must have the scene's size.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'static>, pane: u64) {
        if let Some(frame) = self.panes.get(&pane).filter(|_| !self.lost()) {
            frame.paint(pass);
        }
    }

    fn forget(&mut self) {
        self.panes.clear();
        self.label_colors.clear();
        (self.volumes, self.pictures, self.points) = (Volumes::new(), Pictures::new(), Points::new());
    }

    fn tidy(&mut self) {
        let before = self.now.saturating_sub(UNUSED);
        self.volumes.evict(before, BUDGET_BYTES);
        self.pictures.evict(before, BUDGET_BYTES);
        self.points.evict(before, BUDGET_BYTES);
        self.panes.retain(|_, frame| frame.last_used >= before);
        if self.label_colors.len() > 64 {
            self.label_colors.clear();
        }
    }

    fn n_uniforms(&self, scene: &Scene, drawn: &Drawn) -> usize {
        match drawn {
            Drawn::Picture(d) => self.sight(scene, d).map_or(0, |(_, _, tiles)| tiles.len()),
            _ => 1,
        }
    }

    fn sight<'a>(&self, scene: &Scene, d: &'a PictureDrawn) -> Option<(&'a crate::model::PictureLevel, f64, Vec<[u32; 2]>)> {
        let seen = picture::seen(scene, d)?;
        let level = picture::level(&d.picture.levels, seen.full_per_px)?;
        Some((level, seen.full_per_px, picture::tiles_in_sight(&self.link, level, &seen)))
    }

    fn fill(&mut self, frame: &mut Frame, scene: &Scene) {
        let program = self.programs.drawing(&self.link, Pass::Fill);
        if let Some(slot) = frame.uniform(&FillUniform::new(scene.background)) {
            frame.draws.push(Draw { program, slot, resources: None, shape: Shape::Cover });
        }
    }

    fn slice(&mut self, frame: &mut Frame, scene: &Scene, d: &SliceDrawn, stats: &mut RenderStats) -> Result<()> {
        if d.phase >= d.volume.phases.len() {
            return Ok(());
        }
        let size = d.volume.grid.size();
        let place = self.volumes.place(&self.link, &d.volume.phases, size, (d.phase, self.now))?;
        stats.waiting |= place.waiting;
        let layout = self.programs.resources(&self.link, place.pass);
        let resources = bind(&self.link, &layout, &[view(&place.view), view(&self.tables)]);
        let program = self.programs.variant(&self.link, place.pass, Variant::new(scene, d));
        if let Some(slot) = frame.uniform(&SliceUniform::new(scene, d, place.first_k)) {
            frame.draws.push(Draw { program, slot, resources: Some(resources), shape: Shape::Rectangle });
        }
        Ok(())
    }

    fn labels(&mut self, frame: &mut Frame, scene: &Scene, d: &LabelsDrawn, stats: &mut RenderStats) -> Result<()> {
        if d.phase >= d.labels.phases.len() || d.only == Some(0) {
            return Ok(());
        }
        let size = d.labels.grid.size();
        let place = self.volumes.place(&self.link, &samples_of(&d.labels), size, (d.phase, self.now))?;
        stats.waiting |= place.waiting;
        let colors = self.label_colors(&d.labels);
        let layout = self.programs.resources(&self.link, Pass::Labels);
        let resources = bind(&self.link, &layout, &[view(&place.view), view(&colors)]);
        let program = self.programs.drawing(&self.link, Pass::Labels);
        if let Some(slot) = frame.uniform(&LabelsUniform::new(scene, d, place.first_k)) {
            frame.draws.push(Draw { program, slot, resources: Some(resources), shape: Shape::Rectangle });
        }
        Ok(())
    }

    fn label_colors(&mut self, labels: &LabelMap) -> wgpu::TextureView {
        let mut bytes = vec![0u8; 1024];
        for entry in &labels.table {
            let at = usize::from(entry.value) * 4;
            bytes[at..at + 3].copy_from_slice(&entry.rgb);
        }
        if let Some(found) = self.label_colors.get(&bytes) {
            return found.clone();
        }
        let texture = self.link.texture("label colors", [256, 1, 1], false, wgpu::TextureFormat::Rgba8Unorm);
        self.link.write_texture(&texture, [0; 3], [256, 1, 1], Rows { bytes: &bytes, offset: 0, row_bytes: 1024 });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.label_colors.insert(bytes, view.clone());
        view
    }

    fn picture(&mut self, frame: &mut Frame, scene: &Scene, d: &PictureDrawn) {
        if d.compare == Compare::Flicker(false) {
            return;
        }
        let Some((level, _, tiles)) = self.sight(scene, d) else { return };
        let mesh = self.pictures.mesh(&self.link, &d.mesh, d.mm_per_px, self.now);
        let glass = if d.compare == Compare::Contour { picture::glass(level) } else { [255.0; 4] };
        let layout = self.programs.resources(&self.link, Pass::Picture);
        for core in tiles {
            let (tile, mut place) = self.pictures.tile(&self.link, level, core, self.now);
            place.glass = glass;
            let resources = bind(&self.link, &layout, &[view(&tile)]);
            let program = self.programs.drawing(&self.link, Pass::Picture);
            let (vertices, indices) = (mesh.vertices.clone(), mesh.indices.clone());
            if let Some(slot) = frame.uniform(&PictureUniform::new(scene, d, level, place)) {
                let shape = Shape::Mesh { vertices, indices, n_indices: mesh.n_indices };
                frame.draws.push(Draw { program, slot, resources: Some(resources), shape });
            }
        }
    }

    fn spots(&mut self, frame: &mut Frame, scene: &Scene, d: &SpotsDrawn, out: (&mut RenderStats, &mut Vec<Splat>)) {
        let (stats, splats) = out;
        if d.compare == Compare::Flicker(false) || d.positions.is_empty() {
            return;
        }
        let radius = radius_px(scene, d);
        let points = self.points.positions(&self.link, &d.positions, self.patient, self.now);
        let values = d.values.as_ref().filter(|v| v.len() >= d.positions.len());
        let values = values.map_or_else(|| points.positions.clone(), |v| self.points.values(&self.link, v, &points, self.now));
        let margin = f64::from(radius) + 1.0;
        let size = DVec2::new(f64::from(scene.size_px[0]), f64::from(scene.size_px[1]));
        let corner = |px: DVec2| scene.camera.mm_from_px(scene.size_px, px).to_array().map(|v| v as f32);
        let bounds = [corner(DVec2::splat(-margin)), corner(size + margin)];
        let least_cell = f64::from((radius * 0.5).max(LEAST_CELL_PX)) * scene.camera.mm_per_px;
        let visible = points::visible(&points, d.positions.len(), bounds, least_cell as f32);
        stats.waiting |= points.waiting;
        if visible.n_shown < visible.n_total {
            let (shown, total) = stats.shown_of.unwrap_or_default();
            stats.shown_of = Some((shown + visible.n_shown, total + visible.n_total));
        }
        if points.ordered.is_some() && radius <= LARGEST_SPLAT_PX && self.splats_work(scene) {
            self.splat(frame, scene, d, (&points, values, visible.runs, splats));
        } else {
            let layout = self.programs.resources(&self.link, Pass::Discs);
            let resources = bind(&self.link, &layout, &[view(&self.tables)]);
            let program = self.programs.drawing(&self.link, Pass::Discs);
            if let Some(slot) = frame.uniform(&SpotsUniform::new(scene, d, 0)) {
                let shape = Shape::Squares { positions: points.positions, values, runs: visible.runs };
                frame.draws.push(Draw { program, slot, resources: Some(resources), shape });
            }
        }
    }

    /// Whether the device can compute and read buffers where they are needed.
    fn splats_work(&self, scene: &Scene) -> bool {
        let limits = &self.link.limits;
        limits.max_compute_workgroup_size_x >= 256
            && limits.max_compute_invocations_per_workgroup >= 256
            && limits.max_storage_buffers_per_shader_stage >= 4
            && pixel_bytes(scene) <= limits.max_storage_buffer_binding_size
    }

    fn splat(&mut self, frame: &mut Frame, scene: &Scene, d: &SpotsDrawn, input: SplatInput<'_>) {
        let (points, values, runs, splats) = input;
        let held = (self.link.limits.max_storage_buffer_binding_size / 8) as u32;
        let ranges = group_ranges(&runs, held.min(MOST_SPLATS));
        let Some(slot) = frame.uniform(&SpotsUniform::new(scene, d, ranges.len())) else { return };
        let index = splats.len();
        let buffers = self.splat_buffers(frame, scene, index, &ranges);
        let n_groups = ranges.last().map_or(0, |r| r[0] + (r[2] - r[1]).div_ceil(256));
        let layout = self.programs.resources(&self.link, Pass::Splat);
        let all = [
            storage(&points.positions, u64::from(held) * 8),
            storage(&values, u64::from(held) * 4),
            buffers.ranges.as_entire_binding(),
            buffers.pixels.as_entire_binding(),
        ];
        let resources = bind(&self.link, &layout, &all);
        splats.push(Splat { resources, slot, n_groups, pixels: buffers.pixels.clone() });
        let layout = self.programs.resources(&self.link, Pass::Resolve);
        let all = [buffers.pixels.as_entire_binding(), storage(&values, u64::from(held) * 4), view(&self.tables)];
        let resources = bind(&self.link, &layout, &all);
        let program = self.programs.drawing(&self.link, Pass::Resolve);
        frame.draws.push(Draw { program, slot, resources: Some(resources), shape: Shape::Cover });
    }

    fn splat_buffers(&self, frame: &mut Frame, scene: &Scene, index: usize, ranges: &[[u32; 4]]) -> SplatBuffers {
        let pixel_bytes = pixel_bytes(scene);
        let range_bytes = (ranges.len().max(1) * 16) as u64;
        let copied = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let stale = frame.splats.get(index).is_none_or(|b| b.pixels.size() != pixel_bytes.max(16) || b.ranges.size() < range_bytes);
        if stale {
            let fresh = SplatBuffers {
                pixels: self.link.empty_buffer("spot pixels", copied, pixel_bytes),
                ranges: self.link.empty_buffer("spot ranges", copied, range_bytes.next_power_of_two().max(1024)),
                written: Vec::new(),
            };
            frame.splats.truncate(index);
            frame.splats.push(fresh);
        }
        let buffers = &mut frame.splats[index];
        if buffers.written != ranges {
            self.link.write_buffer(&buffers.ranges, 0, bytemuck::cast_slice(ranges));
            buffers.written = ranges.to_vec();
        }
        buffers.clone()
    }

    fn record_splats(&mut self, encoder: &mut wgpu::CommandEncoder, frame: &Frame, splats: &[Splat]) {
        for splat in splats.iter().filter(|s| s.n_groups > 0) {
            let program = self.programs.splat(&self.link);
            encoder.clear_buffer(&splat.pixels, 0, None);
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("spots"), timestamp_writes: None });
            pass.set_pipeline(&program);
            pass.set_bind_group(0, &frame.bind_group, &[frame.offset(splat.slot)]);
            pass.set_bind_group(1, &splat.resources, &[]);
            let across = splat.n_groups.min(self.link.limits.max_compute_workgroups_per_dimension);
            pass.dispatch_workgroups(across, splat.n_groups.div_ceil(across), 1);
        }
        for splat in splats.iter().filter(|s| s.n_groups == 0) {
            encoder.clear_buffer(&splat.pixels, 0, None);
        }
    }
}

type SplatInput<'a> = (&'a PointBuffers, wgpu::Buffer, Vec<Range<u32>>, &'a mut Vec<Splat>);

/// Compute work of one layer of many spots.
struct Splat {
    resources: wgpu::BindGroup,
    slot: u32,
    n_groups: u32,
    pixels: wgpu::Buffer,
}

/// First workgroup, first point, behind-last point of each run, up to the point that a buffer can hold.
fn group_ranges(runs: &[Range<u32>], held: u32) -> Vec<[u32; 4]> {
    let mut group = 0;
    let mut ranges = Vec::with_capacity(runs.len());
    for run in runs.iter().filter(|r| r.start < held) {
        let end = run.end.min(held);
        ranges.push([group, run.start, end, 0]);
        group += (end - run.start).div_ceil(256);
    }
    ranges
}

fn pixel_bytes(scene: &Scene) -> u64 {
    u64::from(scene.size_px[0]) * u64::from(scene.size_px[1]) * 4
}

fn view(view: &wgpu::TextureView) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::TextureView(view)
}

/// The first bytes of a buffer.
fn storage(buffer: &wgpu::Buffer, most_bytes: u64) -> wgpu::BindingResource<'_> {
    let size = std::num::NonZeroU64::new(buffer.size().min(most_bytes));
    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size })
}
