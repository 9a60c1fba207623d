//! A number over the beat: one line per region, linked to the phase on the screen. A click goes to the phase.

use super::super::super::desk::{Desk, dim};
use super::settings::State;
use crate::model::{Analysis, MeasuredValue};
use crate::scene::{fixed, phase_at, share_of_phase};
use crate::session::{ViewAction, label_of_region};
use egui::{Align2, ComboBox, FontId, Pos2, Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use std::collections::{BTreeMap, BTreeSet};

/// Okabe and Ito's colors, which are told apart by everyone; those that show on dark and on light.
const COLORS: [[u8; 3]; 6] =
    [[0xE6, 0x9F, 0x00], [0x56, 0xB4, 0xE9], [0x00, 0x9E, 0x73], [0xD5, 0x5E, 0x00], [0xCC, 0x79, 0xA7], [0x00, 0x72, 0xB2]];
/// Height in points.
const HEIGHT: f32 = 132.0;

/// Values by region and frame.
type Lines<'a> = BTreeMap<&'a str, BTreeMap<usize, f64>>;

/// The curve, where a metric has at least three frames.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>, analysis: &Analysis, rows: &[MeasuredValue], state: &mut State) {
    let mut by_metric: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for row in rows {
        if let Ok(frame) = row.phase.parse::<usize>() {
            by_metric.entry(&row.metric).or_default().insert(frame);
        }
    }
    by_metric.retain(|_, frames| frames.len() > 2);
    let usual = ["volume", "wall_thickness_mean", "gcs"];
    let first = usual.iter().find(|m| by_metric.contains_key(*m)).copied().or_else(|| by_metric.keys().next().copied());
    let Some(first) = first else { return };
    if !by_metric.contains_key(state.curve.as_str()) {
        first.clone_into(&mut state.curve);
    }
    let mut lines: Lines<'_> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.metric == state.curve) {
        if let Ok(frame) = row.phase.parse::<usize>() {
            lines.entry(&row.region).or_default().insert(frame, row.value);
        }
    }
    let unit = rows.iter().find(|r| r.metric == state.curve).map_or("", |r| r.unit.as_str());
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "Over the beat"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(dim(desk.theme, unit));
            let combo = ComboBox::from_id_salt("curve").selected_text(state.curve.replace('_', " ")).width(150.0).truncate();
            let shown = combo.show_ui(ui, |ui| {
                for metric in by_metric.keys() {
                    ui.selectable_value(&mut state.curve, (*metric).to_owned(), metric.replace('_', " "));
                }
            });
            shown.response.accessible_name("Metric over the beat");
        });
    });
    plot(ui, desk, analysis, &lines);
}

fn plot(ui: &mut Ui, desk: &mut Desk<'_>, analysis: &Analysis, lines: &Lines<'_>) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Canvas, true, "Curve over the beat"));
    let frames = lines.values().flat_map(|l| l.keys()).copied().max().unwrap_or(1).max(1);
    let values = || lines.values().flat_map(|l| l.values()).copied().filter(|v| v.is_finite());
    let (Some(low), Some(high)) = (values().reduce(f64::min), values().reduce(f64::max)) else { return };
    let span = if high > low { high - low } else { high.abs().max(1.0) };
    let colors = *desk.colors();
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, desk.theme.size.corner, colors.pane);
    let inner = Rect::from_min_max(rect.min + vec2(38.0, 8.0), rect.max - vec2(8.0, 30.0));
    let place = |frame: f64, value: f64| -> Pos2 {
        pos2(
            inner.left() + inner.width() * (frame / frames as f64) as f32,
            inner.bottom() - inner.height() * ((value - low) / span) as f32,
        )
    };
    let font = FontId::proportional(desk.theme.size.overlay);
    for value in [low, f64::midpoint(low, high), high] {
        let y = place(0.0, value).y;
        painter.hline(inner.x_range(), y, Stroke::new(1.0, colors.line));
        let digits = usize::from(span < 20.0) + usize::from(span < 2.0);
        painter.text(pos2(inner.left() - 4.0, y), Align2::RIGHT_CENTER, fixed(value, digits), font.clone(), colors.dim);
    }
    if let Some(now) = frame_now(desk, analysis) {
        let x = place(now as f64, low).x;
        painter.vline(x, inner.y_range(), Stroke::new(1.0, colors.accent));
        painter.text(pos2(x, inner.bottom() + 2.0), Align2::CENTER_TOP, format!("{}", now + 1), font.clone(), colors.accent);
    }
    // Below the lowest value and left of the frames, where nothing else stands.
    painter.text(pos2(inner.left() - 4.0, inner.bottom() + 12.0), Align2::RIGHT_CENTER, "frame", font.clone(), colors.dim);
    let mut key = inner.left();
    for (k, (region, line)) in lines.iter().take(COLORS.len()).enumerate() {
        let [r, g, b] = label_color(desk, analysis, region).unwrap_or(COLORS[k]);
        let color = egui::Color32::from_rgb(r, g, b);
        let points: Vec<Pos2> = line.iter().map(|(f, v)| place(*f as f64, *v)).collect();
        painter.add(egui::Shape::line(points, Stroke::new(1.5, color)));
        let text = painter.text(pos2(key + 10.0, rect.bottom() - 3.0), Align2::LEFT_BOTTOM, *region, font.clone(), colors.text);
        painter.circle_filled(pos2(key + 4.0, text.center().y), 3.0, color);
        key = text.right() + 8.0;
    }
    let more = lines.len().saturating_sub(COLORS.len());
    if more > 0 {
        painter.text(pos2(key, rect.bottom() - 3.0), Align2::LEFT_BOTTOM, format!("+{more} in the table"), font, colors.dim);
    }
    follow(desk, analysis, (&response, inner, frames), lines);
}

/// The color that the label of a chamber has in the pictures.
fn label_color(desk: &Desk<'_>, analysis: &Analysis, region: &str) -> Option<[u8; 3]> {
    let value = label_of_region(region)?;
    desk.session.study.labels(analysis.of)?.entry(value).map(|e| e.rgb)
}

/// The frame of the labels on the screen.
fn frame_now(desk: &Desk<'_>, analysis: &Analysis) -> Option<usize> {
    let labels = desk.session.study.labels(analysis.of)?;
    let volume = desk.session.heart()?;
    Some(crate::scene::label_phase(labels, volume, phase_at(volume, desk.session.view.cardiac_phase)))
}

/// A click or a drag goes to the frame; the values under the pointer stand beside it.
fn follow(
    desk: &mut Desk<'_>,
    analysis: &Analysis,
    (response, inner, frames): (&egui::Response, Rect, usize),
    lines: &Lines<'_>,
) {
    let frame_of = |at: Pos2| {
        let share = ((at.x - inner.left()) / inner.width().max(1.0)).clamp(0.0, 1.0);
        (share * frames as f32).round() as usize
    };
    if let Some(frame) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged()).map(frame_of) {
        let n = desk.session.study.labels(analysis.of).map_or(frames + 1, |l| l.n_phases()).max(1);
        let share = match desk.session.heart() {
            Some(volume) if volume.n_phases() == n => share_of_phase(volume, frame),
            _ => frame as f64 / n as f64,
        };
        desk.view(ViewAction::Play(false));
        desk.view(ViewAction::Phase(share));
    }
    if let Some(frame) = response.hover_pos().map(frame_of) {
        let value = |(region, line): (&&str, &BTreeMap<usize, f64>)| {
            line.get(&frame).map(|v| format!("{region}: {}", crate::session::three_digits(*v)))
        };
        let mut text = vec![format!("frame {}", frame + 1)];
        text.extend(lines.iter().filter_map(value).take(18));
        response.clone().on_hover_text_at_pointer(text.join("\n"));
    }
}
