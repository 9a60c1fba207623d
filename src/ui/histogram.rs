//! The histogram of an image with two handles for its window.

use super::desk::Desk;
use crate::model::Volume;
use egui::{Color32, CornerRadius, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use std::sync::Arc;

const N_BINS: usize = 128;

/// Counts of regularly sampled voxels, kept while the same volume is shown.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    volume: Arc<Volume>,
    low: f64,
    high: f64,
    /// Height of each bin, 0 to 1, on a square-root scale.
    heights: Vec<f32>,
}

impl Histogram {
    fn of(volume: &Arc<Volume>) -> Self {
        let (a, b) = volume.percentile_window(0.0, 0.9995);
        let margin = (b - a) * 0.05;
        let (low, high) = (a - margin, b + margin);
        let n = volume.grid.n_voxels();
        let total = n * volume.n_phases();
        let step = (total / 65_536).max(1);
        let mut counts = vec![0u32; N_BINS];
        for i in (0..total).step_by(step) {
            let t = (volume.value(i / n, i % n) - low) / (high - low);
            if (0.0..1.0).contains(&t) {
                counts[(t * N_BINS as f64) as usize] += 1;
            }
        }
        // The background would hide everything else, so the highest bin does not set the scale.
        let mut sorted = counts.clone();
        sorted.sort_unstable();
        let most = f64::from(sorted[N_BINS - 3].max(1)).sqrt();
        let heights = counts.iter().map(|&c| (f64::from(c).sqrt() / most).min(1.0) as f32).collect();
        Self { volume: Arc::clone(volume), low, high, heights }
    }
}

/// The histogram of `volume` with handles at `window`; the new window where a handle moved.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, volume: &Arc<Volume>, window: (f64, f64)) -> Option<(f64, f64)> {
    let known = desk.memo.histogram.as_ref().is_some_and(|h| Arc::ptr_eq(&h.volume, volume));
    if !known {
        desk.memo.histogram = Some(Histogram::of(volume));
    }
    let histogram = desk.memo.histogram.as_ref()?;
    let colors = desk.theme.colors();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "Histogram with the limits of the window"));
    let x_of = |v: f64| rect.left() + ((v - histogram.low) / (histogram.high - histogram.low)) as f32 * rect.width();
    let value_of = |x: f32| histogram.low + f64::from((x - rect.left()) / rect.width()) * (histogram.high - histogram.low);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(desk.theme.size.corner as u8), colors.pane);
    let width = rect.width() / N_BINS as f32;
    let (low, high) = (x_of(window.0), x_of(window.1));
    for (i, height) in histogram.heights.iter().enumerate() {
        let x = rect.left() + i as f32 * width;
        let inside = x + width > low && x < high;
        let color = if inside { colors.dim } else { colors.line };
        let top = rect.bottom() - 2.0 - height * (rect.height() - 8.0);
        painter.rect_filled(Rect::from_min_max(pos2(x, top), pos2(x + width.max(1.0), rect.bottom() - 2.0)), 0.0, color);
    }
    for x in [low, high] {
        let x = x.clamp(rect.left() + 1.0, rect.right() - 1.0);
        painter.vline(x, rect.y_range(), egui::Stroke::new(1.5, colors.accent));
        painter.rect_filled(Rect::from_center_size(pos2(x, rect.bottom() - 6.0), vec2(7.0, 10.0)), 2.0, colors.accent);
    }
    ramp(&painter, rect, low, high);
    let response = response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
    let pointer = response.interact_pointer_pos()?;
    let id = response.id.with("handle");
    if response.drag_started() || response.clicked() {
        let press = ui.input(|i| i.pointer.press_origin()).unwrap_or(pointer).x;
        let upper = (press - high).abs() < (press - low).abs() || (high - low < 6.0 && press > high);
        ui.data_mut(|d| d.insert_temp(id, upper));
    }
    if !response.dragged() && !response.clicked() {
        return None;
    }
    let upper = ui.data(|d| d.get_temp::<bool>(id)).unwrap_or(true);
    let value = value_of(pointer.x);
    let least = (histogram.high - histogram.low) * 1e-3;
    Some(if upper { (window.0, value.max(window.0 + least)) } else { (value.min(window.1 - least), window.1) })
}

/// A line from the lower to the upper limit: how values become gray.
fn ramp(painter: &egui::Painter, rect: Rect, low: f32, high: f32) {
    let ink = egui::Stroke::new(1.0, Color32::from_white_alpha(70));
    painter.line_segment([pos2(low, rect.bottom() - 2.0), pos2(high, rect.top() + 4.0)], ink);
}
