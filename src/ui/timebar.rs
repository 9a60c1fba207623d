//! Time: the phase of the heart beat, where the cine is, and the readout of the cursor's place.

use super::desk::{Desk, small};
use super::icon::{Icon, icon_button_enabled};
use super::menu::why_not;
use crate::model::Volume;
use crate::scene::{phase_at, share_of_phase};
use crate::session::{Command, ViewAction};
use egui::{Align2, Sense, Ui, WidgetInfo, pos2, vec2};

/// Play, phase and slider.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let why = why_not(Command::Play, desk.session);
    let playing = desk.session.playing;
    let (icon, name) = if playing { (Icon::Pause, "Pause cine") } else { (Icon::Play, "Play cine") };
    if icon_button_enabled(ui, icon, &desk.keys.hint(name, Command::Play), why.as_deref(), playing).clicked() {
        desk.run(Command::Play);
    }
    for (icon, command, name) in
        [(Icon::Previous, Command::PreviousPhase, "Previous phase"), (Icon::Next, Command::NextPhase, "Next phase")]
    {
        if icon_button_enabled(ui, icon, &desk.keys.hint(name, command), why.as_deref(), false).clicked() {
            desk.run(command);
        }
    }
    let Some(volume) = desk.session.heart().cloned().filter(|v| v.n_phases() > 1) else { return };
    let phase = phase_at(&volume, desk.session.view.cardiac_phase);
    let time = volume.time_ms(phase).map_or_else(String::new, |t| format!("{t:.0} ms · "));
    let is_gated = volume.phase_times_ms.len() == volume.n_phases() && volume.modality != "US";
    let rate = if is_gated { format!(" · {:.0} /min", 60_000.0 / crate::session::rr_ms(&volume)) } else { String::new() };
    let text = format!("{time}{:.0} % RR{rate}", desk.session.view.cardiac_phase * 100.0);
    ui.add_sized(
        [if is_gated { 156.0 } else { 106.0 }, 20.0],
        egui::Label::new(small(desk.theme, text)).halign(egui::Align::Min),
    )
    .on_hover_text(format!(
        "Phase {} of {}; shift and wheel over a heart pane change it. {} Other series follow at the same share of their beat.",
        phase + 1,
        volume.n_phases(),
        clock(&volume)
    ));
    track(ui, desk, &volume, phase);
}

/// How fast it plays, and from where that is known.
fn clock(volume: &Volume) -> String {
    let ms = crate::session::rr_ms(volume);
    let timed = volume.phase_times_ms.len() == volume.n_phases();
    match (timed, volume.modality.as_str()) {
        (true, "US") => format!("A loop of {:.1} s, by the clock of its own frames.", ms / 1000.0),
        (true, _) => format!("{:.0} beats per minute (RR {ms:.0} ms), from the times in the file.", 60_000.0 / ms),
        (false, _) => "The file has no times: one beat per second, evenly spaced.".into(),
    }
}

/// The phases as ticks, the blood in the left ventricle as a curve where labels know it, ED and ES marked.
fn track(ui: &mut Ui, desk: &mut Desk<'_>, volume: &Volume, phase: usize) {
    let width = (ui.available_width() * 0.32).clamp(90.0, 260.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 22.0), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::slider(true, desk.session.view.cardiac_phase, "Phase of the heart beat"));
    let colors = *desk.colors();
    let painter = ui.painter_at(rect);
    let x_of = |share: f64| rect.left() + 3.0 + share as f32 * (rect.width() - 6.0);
    let volumes = cavity(desk, volume);
    let n = volume.n_phases();
    let step = (rect.width() - 6.0) / n as f32;
    let (least, most) = volumes.iter().fold((f64::MAX, 0.0f64), |(l, m), &v| (l.min(v), m.max(v)));
    for p in 0..n {
        let x = x_of(share_of_phase(volume, p));
        let height = match volumes.get(p) {
            Some(v) if most > least => 4.0 + 14.0 * ((v - least) / (most - least)) as f32,
            _ => 6.0,
        };
        let color = if p == phase { colors.accent } else { colors.dim.gamma_multiply(0.55) };
        let bar = egui::Rect::from_min_max(pos2(x, rect.bottom() - height), pos2(x + (step - 1.0).max(1.0), rect.bottom() - 1.0));
        painter.rect_filled(bar, 1.0, color);
    }
    if most > least {
        let at = |best: Option<usize>| best.map(|p| x_of(share_of_phase(volume, p)));
        let by = |a: &usize, b: &usize| volumes[*a].total_cmp(&volumes[*b]);
        for (x, name) in [(at((0..volumes.len()).max_by(by)), "ED"), (at((0..volumes.len()).min_by(by)), "ES")] {
            if let Some(x) = x {
                let font = egui::FontId::proportional(9.0);
                let x = x.min(rect.right() - 14.0);
                painter.text(pos2(x, rect.top() - 1.0), Align2::LEFT_TOP, name, font, colors.text);
            }
        }
    }
    let response = response.on_hover_text("Drag to any phase. ED: largest left ventricle, ES: smallest");
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged() || response.clicked()) {
        let share = f64::from((at.x - rect.left() - 3.0) / (rect.width() - 6.0)).clamp(0.0, 0.999);
        desk.view(ViewAction::Play(false));
        desk.view(ViewAction::Phase(share));
    }
}

/// Voxels of the left ventricle's cavity in each phase, from labels with the same number of phases; slices that
/// are left out do not count.
fn cavity(desk: &mut Desk<'_>, volume: &Volume) -> Vec<f64> {
    let heart = desk.session.view.heart;
    let labels =
        heart.and_then(|id| desk.session.study.labels_on(id).map(|(_, l)| l).find(|l| l.n_phases() == volume.n_phases()));
    let Some(labels) = labels else { return Vec::new() };
    let out: Vec<usize> =
        (0..labels.grid.size()[2]).filter(|&k| desk.session.slice_left_out(&labels.grid, k).is_some()).collect();
    if let Some((known, without, counts)) = &desk.memo.cavity
        && std::sync::Arc::ptr_eq(known, labels)
        && *without == out
    {
        return counts.clone();
    }
    let [nx, ny, _] = labels.grid.size();
    let count = |p: usize| {
        let slices = labels.phases[p].chunks(nx * ny).enumerate().filter(|(k, _)| !out.contains(k));
        slices.map(|(_, s)| s.iter().filter(|v| **v == 3).count()).sum::<usize>() as f64
    };
    // While labels are drawn, only the phase that changes is counted again.
    let known = desk.memo.cavity.take().filter(|(l, without, _)| *without == out && l.n_phases() == labels.n_phases());
    let same =
        |p: usize| known.as_ref().filter(|(l, ..)| std::sync::Arc::ptr_eq(&l.phases[p], &labels.phases[p])).map(|k| k.2[p]);
    let counts: Vec<f64> = (0..labels.n_phases()).map(|p| same(p).unwrap_or_else(|| count(p))).collect();
    desk.memo.cavity = Some((std::sync::Arc::clone(labels), out, counts.clone()));
    counts
}
