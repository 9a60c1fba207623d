//! What a pane draws, ready for the render pass: uniforms in one buffer, draws in order.

use super::gpu::Link;
use super::pass::{SLOT_BYTES, bind};
use bytemuck::Pod;
use std::ops::Range;

/// One draw call.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    pub(super) program: wgpu::RenderPipeline,
    pub(super) slot: u32,
    pub(super) resources: Option<wgpu::BindGroup>,
    pub(super) shape: Shape,
}

/// What is covered.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// The whole pane.
    Cover,
    /// The rectangle that the uniform gives.
    Rectangle,
    /// Triangles.
    Mesh { vertices: wgpu::Buffer, indices: wgpu::Buffer, n_indices: u32 },
    /// A square for each point of the runs.
    Squares { positions: wgpu::Buffer, values: wgpu::Buffer, runs: Vec<Range<u32>> },
}

/// A pane's uniforms, draws and pixel buffers.
#[derive(Debug)]
pub(super) struct Frame {
    uniforms: wgpu::Buffer,
    pub(super) bind_group: wgpu::BindGroup,
    stride: u64,
    n_slots: u32,
    next: Vec<u8>,
    written: Vec<u8>,
    pub(super) draws: Vec<Draw>,
    pub(super) splats: Vec<SplatBuffers>,
    pub(super) last_used: u64,
}

/// Buffers of one layer of many spots.
#[derive(Clone, Debug)]
pub(super) struct SplatBuffers {
    pub(super) pixels: wgpu::Buffer,
    pub(super) ranges: wgpu::Buffer,
    pub(super) written: Vec<[u32; 4]>,
}

impl Frame {
    pub(super) fn new(link: &Link, layout: &wgpu::BindGroupLayout) -> Self {
        Self::with_slots(link, layout, 8)
    }

    fn with_slots(link: &Link, layout: &wgpu::BindGroupLayout, n_slots: u32) -> Self {
        let stride = SLOT_BYTES.next_multiple_of(u64::from(link.limits.min_uniform_buffer_offset_alignment));
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniforms = link.empty_buffer("uniforms", usage, stride * u64::from(n_slots));
        let binding = wgpu::BufferBinding { buffer: &uniforms, offset: 0, size: std::num::NonZeroU64::new(SLOT_BYTES) };
        let bind_group = bind(link, layout, &[wgpu::BindingResource::Buffer(binding)]);
        Self {
            uniforms,
            bind_group,
            stride,
            n_slots,
            next: Vec::new(),
            written: Vec::new(),
            draws: Vec::new(),
            splats: Vec::new(),
            last_used: 0,
        }
    }

    /// Forgets the draws, with room for `n` uniforms.
    pub(super) fn restart(&mut self, link: &Link, layout: &wgpu::BindGroupLayout, n: u32) {
        if n > self.n_slots {
            let splats = std::mem::take(&mut self.splats);
            *self = Self { splats, ..Self::with_slots(link, layout, n.next_power_of_two()) };
        }
        self.draws.clear();
        self.next.clear();
    }

    /// Uniforms used so far.
    pub(super) fn n_used(&self) -> u32 {
        (self.next.len() as u64 / self.stride) as u32
    }

    /// The uniform's slot, `None` where there is no more room.
    pub(super) fn uniform<T: Pod>(&mut self, uniform: &T) -> Option<u32> {
        let slot = self.n_used();
        if slot >= self.n_slots {
            return None;
        }
        self.next.extend_from_slice(bytemuck::bytes_of(uniform));
        self.next.resize((self.stride * u64::from(slot + 1)) as usize, 0);
        Some(slot)
    }

    /// Uploads the uniforms that differ from the last frame's.
    pub(super) fn write(&mut self, link: &Link) {
        let stride = self.stride as usize;
        for (slot, now) in self.next.chunks(stride).enumerate() {
            let start = slot * stride;
            if self.written.get(start..start + stride) != Some(now) {
                let used = (SLOT_BYTES as usize).min(now.len());
                link.write_buffer(&self.uniforms, start as u64, &now[..used]);
            }
        }
        self.written.clone_from(&self.next);
    }

    pub(super) fn offset(&self, slot: u32) -> u32 {
        slot * self.stride as u32
    }

    /// Records the draws.
    pub(super) fn paint(&self, pass: &mut wgpu::RenderPass<'_>) {
        for draw in &self.draws {
            pass.set_pipeline(&draw.program);
            pass.set_bind_group(0, &self.bind_group, &[self.offset(draw.slot)]);
            if let Some(resources) = &draw.resources {
                pass.set_bind_group(1, resources, &[]);
            }
            match &draw.shape {
                Shape::Cover => pass.draw(0..3, 0..1),
                Shape::Rectangle => pass.draw(0..4, 0..1),
                Shape::Mesh { vertices, indices, n_indices } => {
                    pass.set_vertex_buffer(0, vertices.slice(..));
                    pass.set_index_buffer(indices.slice(..), wgpu::IndexFormat::Uint32);
                    pass.draw_indexed(0..*n_indices, 0, 0..1);
                }
                Shape::Squares { positions, values, runs } => {
                    pass.set_vertex_buffer(0, positions.slice(..));
                    pass.set_vertex_buffer(1, values.slice(..));
                    runs.iter().for_each(|run| pass.draw(0..4, run.clone()));
                }
            }
        }
    }
}
