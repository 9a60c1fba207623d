//! The renderer inside the window: a pane is a paint callback of egui.

use super::gpu::{best, device_descriptor, name};
use super::renderer::{RenderStats, Renderer};
use crate::scene::Scene;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pane to draw. The scene's size must be the callback's rectangle in physical pixels.
#[derive(Clone, Debug)]
pub struct PaneCallback {
    /// Which pane; stays the same from frame to frame.
    pub pane_id: u64,
    /// What it shows; its marks are the window's own work.
    pub scene: Arc<Scene>,
}

/// What egui keeps for us.
#[derive(Debug)]
struct Installed {
    renderer: Renderer,
    stats: BTreeMap<u64, RenderStats>,
}

/// Puts a renderer into the window's callback resources. Call it once the window exists, and again
/// after a lost device.
pub fn install(render_state: &egui_wgpu::RenderState) {
    let renderer = Renderer::new(&render_state.device, &render_state.queue, render_state.target_format);
    render_state.renderer.write().callback_resources.insert(Installed { renderer, stats: BTreeMap::new() });
}

/// What a pane cost and showed when it was last prepared.
#[must_use]
pub fn stats(render_state: &egui_wgpu::RenderState, pane_id: u64) -> Option<RenderStats> {
    render_state.renderer.read().callback_resources.get::<Installed>()?.stats.get(&pane_id).cloned()
}

/// What the device complained about first, where it did; `true` where it was lost.
#[must_use]
pub fn trouble(render_state: &egui_wgpu::RenderState) -> Option<(String, bool)> {
    let guard = render_state.renderer.read();
    let renderer = &guard.callback_resources.get::<Installed>()?.renderer;
    Some((renderer.trouble()?, renderer.lost()))
}

/// Destroys the window's device as a driver does that fails; for tests of what follows.
pub fn lose(render_state: &egui_wgpu::RenderState) {
    render_state.device.destroy();
    // The device tells of its loss while it is polled; that it cannot be polled is then no news.
    drop(render_state.device.poll(wgpu::PollType::Poll));
}

/// As `llvmpipe (LLVM 15.0.6, 256 bits), Vulkan`.
#[must_use]
pub fn adapter_name(render_state: &egui_wgpu::RenderState) -> String {
    name(&render_state.adapter)
}

/// How the window makes its device: hardware before software, Vulkan and its like before OpenGL, all
/// limits of the adapter; `WGPU_BACKEND` chooses the interface.
#[must_use]
pub fn wgpu_setup() -> egui_wgpu::WgpuConfiguration {
    let mut setup = egui_wgpu::WgpuSetupCreateNew::without_display_handle();
    setup.instance_descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    setup.native_adapter_selector = Some(Arc::new(|adapters, surface| {
        let usable: Vec<wgpu::Adapter> =
            adapters.iter().filter(|a| surface.is_none_or(|s| a.is_surface_supported(s))).cloned().collect();
        best(&usable).cloned().ok_or_else(|| "no graphics adapter can draw into this window".to_owned())
    }));
    setup.device_descriptor = Arc::new(device_descriptor);
    egui_wgpu::WgpuConfiguration { wgpu_setup: setup.into(), ..Default::default() }
}

impl egui_wgpu::CallbackTrait for PaneCallback {
    fn prepare(
        &self,
        _device: &wgpu::Device,
        _queue: &wgpu::Queue,
        _screen: &egui_wgpu::ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        resources: &mut egui_wgpu::CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        if let Some(installed) = resources.get_mut::<Installed>() {
            let stats = installed.renderer.prepare(encoder, self.pane_id, &self.scene);
            let stats = stats.unwrap_or_else(|error| RenderStats { not_drawn: vec![error.to_string()], ..Default::default() });
            installed.stats.insert(self.pane_id, stats);
        }
        Vec::new()
    }

    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &egui_wgpu::CallbackResources,
    ) {
        if let Some(installed) = resources.get::<Installed>() {
            installed.renderer.paint(pass, self.pane_id);
        }
    }
}
