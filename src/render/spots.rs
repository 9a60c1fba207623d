//! Layers of spots: few are squares cut to discs, many are splatted into pixels by compute work.

use super::frame::{Draw, Frame, Shape, SplatBuffers};
use super::pass::bind;
use super::pass::slice::Variant;
use super::pass::spots::{SpotsUniform, covered_px, radius_px};
use super::points::{self, PointBuffers};
use super::renderer::{RenderStats, Renderer, view};
use super::shader::Pass;
use crate::scene::{Compare, Scene, SpotsDrawn};
use crate::space::DVec2;
use std::ops::Range;

/// Spots with a larger radius are drawn as squares cut to discs, however many.
const LARGEST_SPLAT_PX: f32 = 6.0;
/// Cells of the level of detail are at least this large; so they are under one pixel, and no gap shows.
const LEAST_CELL_PX: f32 = 0.5;
/// Numbers that fit beside the coverage in a pixel of the splat.
const MOST_SPLATS: u32 = 1 << 24;

impl Renderer {
    /// Adds a layer of spots to a frame, and its compute work where there are many.
    pub(super) fn spots(&mut self, frame: &mut Frame, scene: &Scene, d: &SpotsDrawn, out: (&mut RenderStats, &mut Vec<Splat>)) {
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
            let program = self.programs.variant(&self.link, Pass::Discs, Variant::of(scene, d));
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
        let mut uniform = SpotsUniform::new(scene, d, ranges.len());
        if let Some(ordered) = &points.ordered {
            uniform.rectangle = covered_px(scene, ordered.bounds(), uniform.radius_px);
        }
        let Some(slot) = frame.uniform(&uniform) else { return };
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
        splats.push(Splat { resources, slot, n_groups, pixels: buffers.pixels.clone(), variant: Variant::of(scene, d) });
        let layout = self.programs.resources(&self.link, Pass::Resolve);
        let all = [buffers.pixels.as_entire_binding(), storage(&values, u64::from(held) * 4), view(&self.tables)];
        let resources = bind(&self.link, &layout, &all);
        let program = self.programs.variant(&self.link, Pass::Resolve, Variant::of(scene, d));
        frame.draws.push(Draw { program, slot, resources: Some(resources), shape: Shape::Rectangle });
    }

    fn splat_buffers(&self, frame: &mut Frame, scene: &Scene, index: usize, ranges: &[[u32; 4]]) -> SplatBuffers {
        let pixel_bytes = pixel_bytes(scene);
        let range_bytes = (ranges.len().max(1) * 16) as u64;
        let copied = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let stale =
            frame.splats.get(index).is_none_or(|b| b.pixels.size() != pixel_bytes.max(16) || b.ranges.size() < range_bytes);
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

    /// Records the compute work of a frame.
    pub(super) fn record_splats(&mut self, encoder: &mut wgpu::CommandEncoder, frame: &Frame, splats: &[Splat]) {
        for splat in splats.iter().filter(|s| s.n_groups > 0) {
            let program = self.programs.splat(&self.link, splat.variant);
            encoder.clear_buffer(&splat.pixels, 0, None);
            let mut pass =
                encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("spots"), timestamp_writes: None });
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
pub(super) struct Splat {
    resources: wgpu::BindGroup,
    slot: u32,
    n_groups: u32,
    pixels: wgpu::Buffer,
    variant: Variant,
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

/// The first bytes of a buffer.
fn storage(buffer: &wgpu::Buffer, most_bytes: u64) -> wgpu::BindingResource<'_> {
    let size = std::num::NonZeroU64::new(buffer.size().min(most_bytes));
    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size })
}
