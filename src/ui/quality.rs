//! "How do I know it is aligned?": the numbers of the fit, always in sight, and what is wrong with a button
//! that mends it.

use super::desk::{Desk, dim, small};
use super::theme::Theme;
use crate::model::{Quality, Registration};
use crate::session::{Command, three_digits};
use egui::{Color32, RichText, Ui};

/// The strip.
pub(super) fn strip(ui: &mut Ui, desk: &mut Desk<'_>, r: &Registration) {
    let Some(fit) = &r.fit else {
        let missing = r.model.least_pairs().saturating_sub(r.landmarks.complete().len());
        let text = match &r.problem {
            Some(problem) => problem.clone(),
            None if missing > 0 => format!("Place {missing} more to fit."),
            None => "Not fitted yet.".into(),
        };
        ui.add(egui::Label::new(small(desk.theme, text).color(desk.colors().warning)).wrap());
        return;
    };
    let q = &fit.quality;
    let px = pixels(desk, r);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 14.0;
        number(ui, desk, "RMS", q.rms_mm, (px, "Root of the mean squared residual"));
        number(ui, desk, "left out", q.leave_one_out_median_mm, (px, "Median error of each pair when it is left out of the fit"));
        if let Some((name, worst)) = worst(q) {
            number(ui, desk, "worst", Some(worst), (px, &format!("Largest left-out error, at {name}")));
        }
        folds(ui, desk, q.folds);
    });
    if let Some((name, _)) = worst(q) {
        ui.add(egui::Label::new(dim(desk.theme, format!("worst at {name}"))).truncate());
    }
    notes(ui, desk, r, q);
}

/// The pair with the largest left-out error.
fn worst(q: &Quality) -> Option<(&str, f64)> {
    let known = q.leave_one_out.iter().filter_map(|e| Some((e.name.as_str(), e.error_mm?)));
    known.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Section pixels and heart voxels in a millimeter of the heart, where they are known.
fn pixels(desk: &Desk<'_>, r: &Registration) -> (Option<f64>, Option<f64>) {
    let study = &desk.session.study;
    let scale = r.fit.as_ref().map_or(1.0, |f| f.quality.scale).abs().max(1e-6);
    let section = study.section(r.section).filter(|s| s.has_unit()).map(|s| 1.0 / s.mm_per_px() / scale);
    let heart = study.volume(r.heart).map(|v| 1.0 / v.grid.spacing_mm().min_element());
    (section, heart)
}

fn number(ui: &mut Ui, desk: &Desk<'_>, name: &str, mm: Option<f64>, (px, hint): ((Option<f64>, Option<f64>), &str)) {
    let response = ui
        .vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(dim(desk.theme, name));
            let text = mm.map_or_else(|| "–".to_owned(), super::desk::mm);
            ui.label(RichText::new(text).font(Theme::strong(desk.theme.size.control)));
        })
        .response;
    let in_pixels = |v: f64| {
        let part = |per: Option<f64>, what: &str| per.map(|p| format!("{} {what}", three_digits(v * p)));
        let parts: Vec<String> =
            [part(px.0, "px of the section"), part(px.1, "px of the heart image")].into_iter().flatten().collect();
        parts.join(", ")
    };
    let more = mm.map_or_else(|| "Needs more pairs than the model does.".into(), in_pixels);
    response.on_hover_text(format!("{hint}\n{more}"));
}

fn folds(ui: &mut Ui, desk: &Desk<'_>, folds: usize) {
    let colors = desk.colors();
    let (text, color) = if folds == 0 { ("none".to_owned(), colors.good) } else { (folds.to_string(), colors.error) };
    let response = ui
        .vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(dim(desk.theme, "folds"));
            ui.label(RichText::new(text).font(Theme::strong(desk.theme.size.control)).color(color));
        })
        .response;
    response.on_hover_text("Places of a 64 × 64 grid where the warp turns the tissue over");
}

fn notes(ui: &mut Ui, desk: &mut Desk<'_>, r: &Registration, q: &Quality) {
    if !(0.95..=1.35).contains(&q.scale) {
        let text =
            format!("Scale {}: processed tissue shrinks, so 0.95–1.35 is usual. Check the pixel size.", three_digits(q.scale));
        note(ui, desk, &text, desk.colors().warning, None);
    }
    if let Some(mirror) = q.suspected_mirror() {
        let ratio = mirror.rms_proper_mm / mirror.rms_reflected_mm.max(1e-9);
        let text = format!("Mirrored fits {}× better: is the section face down?", three_digits(ratio));
        note(ui, desk, &text, desk.colors().warning, Some(("Flip section", Command::MendMirror)));
    } else if r.flip_x_mm.is_some() {
        note(ui, desk, "The section is turned over.", desk.colors().dim, Some(("Turn back", Command::MendMirror)));
    }
    if let Some([a, b]) = q.swapped_pairs.first() {
        let text = format!("{a} and {b} look exchanged.");
        note(ui, desk, &text, desk.colors().warning, Some(("Exchange", Command::MendSwap)));
    }
}

fn note(ui: &mut Ui, desk: &mut Desk<'_>, text: &str, color: Color32, button: Option<(&str, Command)>) {
    ui.add(egui::Label::new(small(desk.theme, text).color(color)).wrap());
    if let Some((name, command)) = button
        && ui.small_button(name).clicked()
    {
        desk.run(command);
    }
}
