//! The device: which adapter, with which limits, what has been uploaded to it, whether it was lost.

use crate::base::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A device of our own, for drawing without a window.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// The adapter.
    pub adapter: wgpu::Adapter,
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
}

impl Gpu {
    /// The best adapter: hardware before software, Vulkan before OpenGL; `WGPU_BACKEND` chooses the
    /// interface. Unsupported where there is none.
    pub fn new() -> Result<Self> {
        let wanted = wgpu::Backends::from_env().map_or_else(|| vec![wgpu::Backends::PRIMARY, wgpu::Backends::GL], |b| vec![b]);
        let Some(adapter) = wanted.into_iter().find_map(best_of) else {
            return Err(Error::unsupported(
                "no graphics adapter was found; install a Vulkan driver (mesa-vulkan-drivers has one for the processor)",
            ));
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&device_descriptor(&adapter)))
            .map_err(|error| Error::unsupported(format!("the adapter {} gives no device: {error}", name(&adapter))))?;
        Ok(Self { adapter, device, queue })
    }

    /// As `llvmpipe (LLVM 15.0.6, 256 bits), Vulkan`.
    #[must_use]
    pub fn name(&self) -> String {
        name(&self.adapter)
    }
}

fn best_of(backends: wgpu::Backends) -> Option<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    let instance = wgpu::Instance::new(descriptor);
    best(&pollster::block_on(instance.enumerate_adapters(backends))).cloned()
}

/// The adapter to use, most capable kind first; the order of the drivers decides between equals.
pub(super) fn best(adapters: &[wgpu::Adapter]) -> Option<&wgpu::Adapter> {
    adapters.iter().min_by_key(|adapter| {
        let info = adapter.get_info();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        };
        (kind, info.backend == wgpu::Backend::Gl)
    })
}

/// Name and interface of an adapter.
pub(super) fn name(adapter: &wgpu::Adapter) -> String {
    let info = adapter.get_info();
    format!("{}, {}", info.name, info.backend)
}

/// A device with all that the adapter can hold.
pub(super) fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    wgpu::DeviceDescriptor { label: Some("myoscope"), required_limits: adapter.limits(), ..Default::default() }
}

/// What went wrong on the device since it was made.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    lost: AtomicBool,
    message: Mutex<Option<String>>,
}

impl Trouble {
    fn note(&self, message: String) {
        self.message.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
    }
}

/// The device and queue, counting what is uploaded.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) device: wgpu::Device,
    queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    uploaded: Arc<AtomicU64>,
    trouble: Arc<Trouble>,
}

impl Link {
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let trouble = Arc::new(Trouble::default());
        let on_loss = Arc::clone(&trouble);
        device.set_device_lost_callback(move |reason, message| {
            on_loss.lost.store(true, Ordering::SeqCst);
            on_loss.note(format!("the graphics device was lost ({reason:?}): {message}"));
        });
        let on_error = Arc::clone(&trouble);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| on_error.note(error.to_string())));
        Self {
            device: device.clone(),
            queue: queue.clone(),
            limits: device.limits(),
            uploaded: Arc::new(AtomicU64::new(0)),
            trouble,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.trouble.lost.load(Ordering::SeqCst)
    }

    /// The first thing that went wrong.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.message.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn uploaded_bytes(&self) -> u64 {
        self.uploaded.load(Ordering::Relaxed)
    }

    pub(super) fn submit(&self, commands: wgpu::CommandBuffer) {
        self.queue.submit([commands]);
    }

    pub(super) fn write_buffer(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        self.uploaded.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.queue.write_buffer(buffer, offset, bytes);
    }

    /// A new buffer with these bytes.
    pub(super) fn filled_buffer(&self, label: &str, usage: wgpu::BufferUsages, bytes: &[u8]) -> wgpu::Buffer {
        let buffer = self.empty_buffer(label, usage | wgpu::BufferUsages::COPY_DST, bytes.len() as u64);
        self.write_buffer(&buffer, 0, bytes);
        buffer
    }

    pub(super) fn empty_buffer(&self, label: &str, usage: wgpu::BufferUsages, n_bytes: u64) -> wgpu::Buffer {
        let size = n_bytes.next_multiple_of(4).max(16);
        self.device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
    }

    pub(super) fn texture(&self, label: &str, size: [u32; 3], three_d: bool, format: wgpu::TextureFormat) -> wgpu::Texture {
        self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size: extent(size),
            mip_level_count: 1,
            sample_count: 1,
            dimension: if three_d { wgpu::TextureDimension::D3 } else { wgpu::TextureDimension::D2 },
            format,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        })
    }

    /// Writes a box of texels, rows `row_bytes` apart.
    pub(super) fn write_texture(&self, texture: &wgpu::Texture, origin: [u32; 3], size: [u32; 3], rows: Rows) {
        let texel = u64::from(texture.format().block_copy_size(None).unwrap_or(4));
        self.uploaded.fetch_add(size.iter().map(|&n| u64::from(n)).product::<u64>() * texel, Ordering::Relaxed);
        let target = wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x: origin[0], y: origin[1], z: origin[2] },
            aspect: wgpu::TextureAspect::All,
        };
        let layout = wgpu::TexelCopyBufferLayout {
            offset: rows.offset,
            bytes_per_row: Some(rows.row_bytes),
            rows_per_image: Some(size[1]),
        };
        self.queue.write_texture(target, rows.bytes, layout, extent(size));
    }
}

/// Texels in memory.
pub(super) struct Rows<'a> {
    pub(super) bytes: &'a [u8],
    /// Where the first row begins.
    pub(super) offset: u64,
    /// From one row to the next.
    pub(super) row_bytes: u32,
}

fn extent(size: [u32; 3]) -> wgpu::Extent3d {
    wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: size[2] }
}
