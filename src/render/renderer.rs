//! The renderer: keeps what scenes point to on the device, prepares panes, paints them.

use super::frame::{Draw, Frame, Shape};
use super::gpu::{Gpu, Link, Rows};
use super::pass::fill::FillUniform;
use super::pass::labels::LabelsUniform;
use super::pass::picture::PictureUniform;
use super::pass::slice::{SliceUniform, Variant};
use super::pass::{Programs, bind};
use super::picture::{self, Pictures};
use super::points::Points;
use super::shader::Pass;
use super::tables;
use super::volume::{Volumes, samples_of};
use crate::base::{Error, Result};
use crate::model::{LabelMap, PictureLevel};
use crate::scene::{Compare, Drawn, LabelsDrawn, PictureDrawn, Scene, SliceDrawn, picture_level};
use std::collections::BTreeMap;

/// Bytes kept on the device before what is not drawn any more is dropped.
const BUDGET_BYTES: u64 = 1 << 30;
/// Panes prepared before something counts as not drawn any more.
const UNUSED: u64 = 64;

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
    pub(super) programs: Programs,
    pub(super) tables: wgpu::TextureView,
    volumes: Volumes,
    pictures: Pictures,
    pub(super) points: Points,
    label_colors: BTreeMap<Vec<u8>, wgpu::TextureView>,
    panes: BTreeMap<u64, Frame>,
    pub(super) now: u64,
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
            Drawn::Picture(d) => self.sight(scene, d).map_or(0, |(_, tiles)| tiles.len()),
            _ => 1,
        }
    }

    fn sight<'a>(&self, scene: &Scene, d: &'a PictureDrawn) -> Option<(&'a PictureLevel, Vec<[u32; 2]>)> {
        let level = d.picture.levels.get(picture_level(d, &scene.camera))?;
        let seen = picture::seen(scene, d)?;
        Some((level, picture::tiles_in_sight(&self.link, level, &seen)))
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
        let phases = samples_of(&d.labels);
        let at = (d.phase, self.now);
        let place = match d.element {
            Some(id) => self.volumes.place_of(&self.link, id.0, &phases, size, at)?,
            None => self.volumes.place(&self.link, &phases, size, at)?,
        };
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
        let Some((level, tiles)) = self.sight(scene, d) else { return };
        let mesh = self.pictures.mesh(&self.link, &d.mesh, d.mm_per_px, self.now);
        let glass = if d.compare == Compare::Contour { picture::glass(level) } else { [255.0; 4] };
        let layout = self.programs.resources(&self.link, Pass::Picture);
        let variant = Variant { contour: d.compare == Compare::Contour, ..Variant::default() };
        for core in tiles {
            let (tile, mut place) = self.pictures.tile(&self.link, level, core, self.now);
            place.glass = glass;
            let resources = bind(&self.link, &layout, &[view(&tile)]);
            let program = self.programs.variant(&self.link, Pass::Picture, variant);
            let (vertices, indices) = (mesh.vertices.clone(), mesh.indices.clone());
            if let Some(slot) = frame.uniform(&PictureUniform::new(scene, d, level, place)) {
                let shape = Shape::Mesh { vertices, indices, n_indices: mesh.n_indices };
                frame.draws.push(Draw { program, slot, resources: Some(resources), shape });
            }
        }
    }
}

/// A texture as a resource.
pub(super) fn view(view: &wgpu::TextureView) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::TextureView(view)
}
