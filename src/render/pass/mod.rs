//! One file for each pass: its uniform, its bindings, its pipeline.

pub(super) mod fill;
pub(super) mod labels;
pub(super) mod picture;
pub(super) mod slice;
pub(super) mod spots;

use super::gpu::Link;
use super::shader::Pass;
use slice::Variant;
use std::collections::BTreeMap;

/// Bytes from one uniform to the next in a pane's uniform buffer.
pub(super) const SLOT_BYTES: u64 = 256;

/// Layouts of all passes and the programs made so far; a program is compiled when first drawn.
#[derive(Debug)]
pub(super) struct Programs {
    format: wgpu::TextureFormat,
    pub(super) uniform: wgpu::BindGroupLayout,
    resources: BTreeMap<Pass, wgpu::BindGroupLayout>,
    drawing: BTreeMap<(Pass, Variant), wgpu::RenderPipeline>,
    splats: BTreeMap<Variant, wgpu::ComputePipeline>,
}

impl Programs {
    pub(super) fn new(link: &Link, format: wgpu::TextureFormat) -> Self {
        let uniform = layout(
            link,
            &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT | wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: true,
                    min_binding_size: None,
                },
                count: None,
            }],
        );
        Self { format, uniform, resources: BTreeMap::new(), drawing: BTreeMap::new(), splats: BTreeMap::new() }
    }

    /// The layout of a pass's own bindings.
    pub(super) fn resources(&mut self, link: &Link, pass: Pass) -> wgpu::BindGroupLayout {
        self.resources.entry(pass).or_insert_with(|| layout(link, &entries(pass))).clone()
    }

    /// The program of a pass, compiled now if it is new.
    pub(super) fn drawing(&mut self, link: &Link, pass: Pass) -> wgpu::RenderPipeline {
        self.variant(link, pass, Variant::default())
    }

    /// The program of a pass with the constant of a variant.
    pub(super) fn variant(&mut self, link: &Link, pass: Pass, variant: Variant) -> wgpu::RenderPipeline {
        if let Some(pipeline) = self.drawing.get(&(pass, variant)) {
            return pipeline.clone();
        }
        let resources = (pass != Pass::Fill).then(|| self.resources(link, pass));
        let pipeline = self.compile(link, (pass, variant), resources.as_ref());
        self.drawing.insert((pass, variant), pipeline.clone());
        pipeline
    }

    /// The compute program of the spots with the constants of a variant.
    pub(super) fn splat(&mut self, link: &Link, variant: Variant) -> wgpu::ComputePipeline {
        if let Some(pipeline) = self.splats.get(&variant) {
            return pipeline.clone();
        }
        let resources = self.resources(link, Pass::Splat);
        let pipeline = link.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("Splat"),
            layout: Some(&self.pipeline_layout(link, Some(&resources))),
            module: &module(link, Pass::Splat),
            entry_point: Some("compute"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &variant.of_spots(),
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        self.splats.insert(variant, pipeline.clone());
        pipeline
    }

    fn pipeline_layout(&self, link: &Link, resources: Option<&wgpu::BindGroupLayout>) -> wgpu::PipelineLayout {
        let groups: Vec<Option<&wgpu::BindGroupLayout>> = std::iter::once(&self.uniform).chain(resources).map(Some).collect();
        link.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &groups,
            immediate_size: 0,
        })
    }

    fn compile(&self, link: &Link, what: (Pass, Variant), resources: Option<&wgpu::BindGroupLayout>) -> wgpu::RenderPipeline {
        let (pass, variant) = what;
        let module = module(link, pass);
        let label = format!("{pass:?}");
        let mut constants = vec![("linear_target", f64::from(u8::from(self.format.is_srgb())))];
        if matches!(pass, Pass::SliceUint | Pass::SliceSint | Pass::SliceFloat) {
            constants.push(("neighbors", f64::from(variant.neighbors)));
            constants.push(("gray", f64::from(u8::from(variant.gray))));
        }
        if matches!(pass, Pass::Discs | Pass::Resolve) {
            constants.extend(variant.of_spots());
        }
        if pass == Pass::Picture {
            constants.push(("contour", f64::from(u8::from(variant.contour))));
        }
        let options = wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() };
        let target = wgpu::ColorTargetState {
            format: self.format,
            blend: (!variant.opaque && pass != Pass::Fill).then_some(wgpu::BlendState::ALPHA_BLENDING),
            write_mask: wgpu::ColorWrites::ALL,
        };
        let topology = match pass {
            Pass::Fill | Pass::Picture | Pass::Splat => wgpu::PrimitiveTopology::TriangleList,
            _ => wgpu::PrimitiveTopology::TriangleStrip,
        };
        link.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(&label),
            layout: Some(&self.pipeline_layout(link, resources)),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vertex"),
                compilation_options: options.clone(),
                buffers: vertex_buffers(pass),
            },
            primitive: wgpu::PrimitiveState { topology, ..Default::default() },
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fragment"),
                compilation_options: options,
                targets: &[Some(target)],
            }),
            multiview_mask: None,
            cache: None,
        })
    }
}

fn module(link: &Link, pass: Pass) -> wgpu::ShaderModule {
    let label = format!("{pass:?}");
    link.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(&label),
        source: wgpu::ShaderSource::Wgsl(pass.source().into()),
    })
}

fn entries(pass: Pass) -> Vec<wgpu::BindGroupLayoutEntry> {
    match pass {
        Pass::Fill => Vec::new(),
        Pass::SliceUint => slice::entries(wgpu::TextureSampleType::Uint),
        Pass::SliceSint => slice::entries(wgpu::TextureSampleType::Sint),
        Pass::SliceFloat => slice::entries(wgpu::TextureSampleType::Float { filterable: false }),
        Pass::Labels => labels::entries(),
        Pass::Picture => picture::entries(),
        Pass::Discs => spots::disc_entries(),
        Pass::Splat => spots::splat_entries(),
        Pass::Resolve => spots::resolve_entries(),
    }
}

fn vertex_buffers(pass: Pass) -> &'static [Option<wgpu::VertexBufferLayout<'static>>] {
    match pass {
        Pass::Picture => &picture::VERTEX_BUFFERS,
        Pass::Discs => &spots::VERTEX_BUFFERS,
        _ => &[],
    }
}

fn layout(link: &Link, entries: &[wgpu::BindGroupLayoutEntry]) -> wgpu::BindGroupLayout {
    link.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries })
}

/// A bind group of these resources in order.
pub(super) fn bind(link: &Link, layout: &wgpu::BindGroupLayout, resources: &[wgpu::BindingResource]) -> wgpu::BindGroup {
    let entries: Vec<wgpu::BindGroupEntry> = resources
        .iter()
        .enumerate()
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding: binding as u32, resource: resource.clone() })
        .collect();
    link.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}

/// A color as shares.
fn opaque([r, g, b]: [u8; 3]) -> [f32; 4] {
    [f32::from(r) / 255.0, f32::from(g) / 255.0, f32::from(b) / 255.0, 1.0]
}

/// A texture read by the fragment program.
fn texture_entry(binding: u32, sample_type: wgpu::TextureSampleType, three_d: bool) -> wgpu::BindGroupLayoutEntry {
    let view_dimension = if three_d { wgpu::TextureViewDimension::D3 } else { wgpu::TextureViewDimension::D2 };
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture { sample_type, view_dimension, multisampled: false },
        count: None,
    }
}

/// A buffer of any length.
fn storage_entry(binding: u32, visibility: wgpu::ShaderStages, read_only: bool) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

/// Colors that are never filtered.
const COLORS: wgpu::TextureSampleType = wgpu::TextureSampleType::Float { filterable: false };
