//! Drawing without a window: into a texture, and back into memory.

use super::gpu::Gpu;
use super::renderer::{RenderStats, Renderer};
use crate::base::{Error, Result};
use crate::scene::Scene;

/// The pane number of off-screen drawing.
const PANE: u64 = u64::MAX;

/// A picture in memory: RGBA, 8 bits each, gamma-encoded sRGB, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `4 · width · height` bytes.
    pub rgba: Vec<u8>,
}

/// A texture that is drawn into.
pub(super) struct Target {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
}

impl Target {
    pub(super) fn new(device: &wgpu::Device, size_px: [u32; 2]) -> Self {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("off screen"),
            size: wgpu::Extent3d { width: size_px[0], height: size_px[1], depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self { texture, view }
    }
}

impl Renderer {
    /// Draws a scene (without its marks) and reads it back. Parameter where the size is 0 or larger than
    /// the device can hold.
    pub fn render_to_image(&mut self, scene: &Scene) -> Result<Pixels> {
        Ok(self.render_with_stats(scene)?.0)
    }

    /// The same with what it cost.
    pub fn render_with_stats(&mut self, scene: &Scene) -> Result<(Pixels, RenderStats)> {
        let most = self.link.limits.max_texture_dimension_2d;
        if scene.size_px.iter().any(|&n| n == 0 || n > most) {
            let [w, h] = scene.size_px;
            return Err(Error::parameter(format!(
                "a picture of {w}×{h} pixels cannot be drawn; give 1 to {most} along each side"
            )));
        }
        let target = Target::new(&self.link.device, scene.size_px);
        let stats = self.draw(&target, scene)?;
        Ok((self.read(&target, scene.size_px)?, stats))
    }

    /// Draws into a target and hands the commands to the device.
    pub(super) fn draw(&mut self, target: &Target, scene: &Scene) -> Result<RenderStats> {
        let mut encoder = self.link.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let stats = self.prepare(&mut encoder, PANE, scene)?;
        let attachment = wgpu::RenderPassColorAttachment {
            view: &target.view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
        };
        let pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("off screen"),
            color_attachments: &[Some(attachment)],
            ..Default::default()
        });
        self.paint(&mut pass.forget_lifetime(), PANE);
        self.link.submit(encoder.finish());
        Ok(stats)
    }

    /// Waits until the device has done all.
    pub(super) fn finish(&self) -> Result<()> {
        match self.link.device.poll(wgpu::PollType::wait_indefinitely()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::degenerate(format!("the graphics device did not finish: {error}"))),
        }
    }

    fn read(&self, target: &Target, [width, height]: [u32; 2]) -> Result<Pixels> {
        let row_bytes = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
        let buffer = self.link.empty_buffer("read back", usage, u64::from(row_bytes) * u64::from(height));
        let mut encoder = self.link.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(
            target.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row_bytes), rows_per_image: None },
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.link.submit(encoder.finish());
        buffer.slice(..).map_async(wgpu::MapMode::Read, |_| {});
        self.finish()?;
        let trouble = self.trouble();
        let mapped = match (trouble, buffer.slice(..).get_mapped_range()) {
            (None, Ok(mapped)) => mapped,
            (Some(trouble), _) => return Err(Error::degenerate(trouble)),
            (None, Err(error)) => return Err(Error::degenerate(format!("the picture could not be read back: {error}"))),
        };
        let rgba = mapped.chunks(row_bytes as usize).flat_map(|row| row[..width as usize * 4].iter().copied()).collect();
        Ok(Pixels { width, height, rgba })
    }
}

impl Gpu {
    /// Destroys the device, as a driver does that fails.
    pub fn lose(&self) {
        self.device.destroy();
        // The device tells of its loss while it is polled; that it cannot be polled is then no news.
        drop(self.device.poll(wgpu::PollType::Poll));
    }
}
