//! The left side: what is open, by kind, with where it came from; and the links between them.

use super::desk::{Desk, dim, mm, small, title};
use super::icon::{Icon, icon_button};
use super::palette::show_element;
use crate::model::{Element, ElementId, PixelSize, Provenance, Registration};
use crate::session::{Action, Command, ViewAction, three_digits};
use egui::{Align, Button, Layout, RichText, Ui};

/// The study as a list in three groups.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    title(ui, desk.theme, "Study", |ui| {
        if icon_button(ui, Icon::Plus, &desk.keys.hint("Open files", Command::OpenFiles)).clicked() {
            desk.run(Command::OpenFiles);
        }
    });
    let study = &desk.session.study;
    let cohorts: Vec<ElementId> = study.cohorts().map(|(id, _)| id).collect();
    let (sections, heart): (Vec<ElementId>, Vec<ElementId>) =
        study.elements.keys().copied().filter(|id| !cohorts.contains(id)).partition(|&id| study.section(id).is_some());
    group(ui, desk, "Heart", &heart, "Drop a DICOM folder or a NIfTI file on the window.");
    group(ui, desk, "Sections", &sections, "Drop a Visium folder, a slide picture or an .h5ad file on the window.");
    group(ui, desk, "Cohort", &cohorts, "Drop a sample sheet (CSV) on the window.");
    links(ui, desk);
}

fn heading(ui: &mut Ui, desk: &Desk<'_>, text: &str) {
    ui.add_space(4.0);
    ui.label(dim(desk.theme, text));
}

fn group(ui: &mut Ui, desk: &mut Desk<'_>, name: &str, ids: &[ElementId], hint: &str) {
    heading(ui, desk, name);
    for &id in ids {
        row(ui, desk, id);
    }
    if ids.is_empty() {
        let hint = if desk.session.is_idle() { hint } else { "…" };
        ui.add(egui::Label::new(dim(desk.theme, hint)).wrap());
    }
}

/// What an element is, in a few words.
fn about(element: &Element) -> String {
    match element {
        Element::Volume(v) if v.n_phases() > 1 => format!("{} phases", v.n_phases()),
        Element::Volume(v) => {
            let [x, y, z] = v.grid.size();
            format!("{x}×{y}×{z}")
        }
        Element::Labels(l) => format!("{} labels", l.table.len()),
        Element::Section(s) => match (&s.spots, &s.picture) {
            (Some(spots), _) => format!("{} spots", thousands(spots.px.len())),
            (None, Some(_)) => "picture".into(),
            (None, None) => String::new(),
        },
        Element::Cohort(c) => format!("{} subjects", c.subjects().len()),
        Element::Ecg(e) => format!("{} leads", e.rhythm().leads.len()),
    }
}

/// A number with a thin space between thousands.
pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn row(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    let Some(element) = desk.session.study.elements.get(&id) else { return };
    let (study, view) = (&desk.session.study, &desk.session.view);
    let shown = view.heart == Some(id) || view.section == Some(id) || view.cohort == Some(id);
    let text = small(desk.theme, element.name());
    // Labels of another patient are open, but not drawn on the image shown.
    let elsewhere = study.labels(id).is_some() && view.heart.is_some_and(|heart| study.belonging(id, heart).is_none());
    let button = Button::selectable(shown, if elsewhere { text.color(desk.colors().dim) } else { text })
        .right_text(dim(desk.theme, if elsewhere { "of another image".to_owned() } else { about(element) }))
        .truncate()
        .min_size(egui::vec2(ui.available_width(), desk.theme.size.control_height));
    let response = ui.add(button);
    let name = element.name().to_owned();
    let response = response.on_hover_ui(|ui| origin(ui, desk, id, &name));
    if response.clicked() {
        show_element(desk, id);
    }
    response.context_menu(|ui| {
        ui.set_min_width(180.0);
        if ui.add(Button::new("Show in its panes").frame_when_inactive(false)).clicked() {
            show_element(desk, id);
            ui.close();
        }
        if ui.add(Button::new("Copy name").frame_when_inactive(false)).clicked() {
            desk.memo.copy(ui.ctx(), &name);
            ui.close();
        }
        let path = desk.session.study.provenance.get(&id).and_then(|p| p.path.clone());
        if let Some(path) = path
            && ui.add(Button::new("Copy path").frame_when_inactive(false)).clicked()
        {
            desk.memo.copy(ui.ctx(), &path.display().to_string());
            ui.close();
        }
        ui.separator();
        if ui.add(Button::new("Close").frame_when_inactive(false)).clicked() {
            desk.act(Action::Remove(id));
            ui.close();
        }
    });
}

/// "Where from?": source, geometry, what was assumed.
fn origin(ui: &mut Ui, desk: &Desk<'_>, id: ElementId, name: &str) {
    ui.set_max_width(380.0);
    ui.label(super::desk::strong(desk.theme, name));
    let default = Provenance::default();
    let provenance = desk.session.study.provenance.get(&id).unwrap_or(&default);
    let from = match (&provenance.path, provenance.demo_seed) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(seed)) => format!("Built-in case, seed {seed}: synthetic"),
        (None, None) => "unknown".into(),
    };
    ui.label(small(desk.theme, format!("Where from: {from}")));
    if let Some(element) = desk.session.study.elements.get(&id) {
        for line in geometry(element) {
            ui.label(dim(desk.theme, line));
        }
    }
    for line in drawn_on(desk, id) {
        ui.label(dim(desk.theme, line));
    }
    for note in provenance.notes.iter().take(8) {
        ui.label(small(desk.theme, format!("{}: {}", note.severity.name(), note.message)));
    }
    if provenance.notes.len() > 8 {
        ui.label(dim(desk.theme, format!("and {} more notes", provenance.notes.len() - 8)));
    }
}

/// On which images a segmentation is drawn, and why on those.
fn drawn_on(desk: &Desk<'_>, id: ElementId) -> Vec<String> {
    let study = &desk.session.study;
    if study.labels(id).is_none() {
        return Vec::new();
    }
    let on = |(image, v): (ElementId, &std::sync::Arc<crate::model::Volume>)| {
        study.belonging(id, image).map(|why| format!("Drawn on {} ({})", v.name, why.name()))
    };
    let lines: Vec<String> = study.volumes().filter_map(on).collect();
    if !lines.is_empty() {
        return lines;
    }
    vec!["Not drawn: no open image has these voxels. Open the image that it was made on.".into()]
}

fn geometry(element: &Element) -> Vec<String> {
    let grid = |g: &crate::space::Grid| {
        let ([x, y, z], s) = (g.size(), g.spacing_mm());
        format!("{x} × {y} × {z} voxels of {} × {} × {} mm", three_digits(s.x), three_digits(s.y), three_digits(s.z))
    };
    match element {
        Element::Volume(v) => {
            let mut lines = vec![grid(&v.grid)];
            if v.n_phases() > 1 {
                lines.push(format!("{} phases", v.n_phases()));
            }
            if !v.missing.is_empty() {
                lines.push(format!("{} slices of phases are missing", v.missing.len()));
            }
            lines
        }
        Element::Labels(l) => {
            let names: Vec<&str> = l.table.iter().map(|e| e.name.as_str()).collect();
            vec![grid(&l.grid), names.join(", ")]
        }
        Element::Section(s) => {
            let size = match &s.pixel_size {
                PixelSize::Known { um_per_px, source } => format!("{} µm per pixel ({source})", three_digits(*um_per_px)),
                PixelSize::Unknown => "size of a pixel unknown: lengths are pixels".into(),
            };
            let genes = s.expression.as_ref().map(|e| format!("{} genes, {}", thousands(e.genes().len()), e.unit));
            std::iter::once(size).chain(genes).collect()
        }
        Element::Cohort(c) => {
            let view = |v: &crate::model::CohortView| {
                let (n, p) = (v.n_subjects(), v.features().len());
                format!("{}: {n} subjects × {} features {}", v.name, thousands(p), v.unit).trim_end().to_owned()
            };
            c.views().iter().map(view).collect()
        }
        Element::Ecg(e) => {
            let strip = |s: &crate::model::EcgStrip| {
                let name = if s.label.is_empty() { "strip" } else { &s.label };
                format!("{name}: {} leads, {} Hz, {:.1} s", s.leads.len(), s.sampling_hz, s.duration_ms() / 1000.0)
            };
            e.strips().iter().map(strip).collect()
        }
    }
}

fn links(ui: &mut Ui, desk: &mut Desk<'_>) {
    heading(ui, desk, "Links");
    let registrations: Vec<&Registration> = desk.session.study.registrations.values().collect();
    if registrations.is_empty() {
        let hint = "A section is linked to the heart by landmarks: place them by clicking alternately in section and heart.";
        ui.add(egui::Label::new(dim(desk.theme, hint)).wrap());
    }
    for r in registrations {
        link(ui, desk, r);
    }
}

fn link(ui: &mut Ui, desk: &mut Desk<'_>, r: &Registration) {
    let name = |id: ElementId| desk.session.study.elements.get(&id).map_or("?", |e| e.name());
    let text = format!("{} → {}", name(r.section), name(r.heart));
    let colors = desk.colors();
    let (state, color) = match r.fit.as_ref().map(|f| &f.quality) {
        _ if !r.enabled => ("off".to_owned(), colors.warning),
        Some(q) if q.folds > 0 || q.suspected_mirror().is_some() => ("check".to_owned(), colors.warning),
        Some(q) => match q.leave_one_out_median_mm {
            Some(error) if error > r.half_slice_mm => (format!("±{}", mm(error)), colors.warning),
            Some(error) => (format!("±{}", mm(error)), colors.good),
            None => ("unchecked".to_owned(), colors.warning),
        },
        None => ("not fitted".to_owned(), colors.warning),
    };
    let shown = desk.session.view.section == Some(r.section);
    let chip = RichText::new(state).font(egui::FontId::proportional(desk.theme.size.table)).color(color);
    let button = Button::selectable(shown, small(desk.theme, text))
        .right_text(chip)
        .truncate()
        .min_size(egui::vec2(ui.available_width(), desk.theme.size.control_height));
    let response = ui.add(button).on_hover_ui(|ui| {
        ui.label(small(desk.theme, format!("moving {} → fixed {}", name(r.section), name(r.heart))));
        ui.label(small(desk.theme, format!("{}, {} pairs placed", r.model.name(), r.landmarks.complete().len())));
        if r.fit.as_ref().is_some_and(|f| f.quality.leave_one_out_median_mm.is_none()) {
            ui.label(small(desk.theme, "Too few pairs to check the fit: place one more."));
        }
        if let Some(problem) = &r.problem {
            ui.label(small(desk.theme, problem.clone()));
        }
    });
    if response.clicked() {
        desk.view(ViewAction::Section(r.section));
    }
}

/// A row with a label at the left and something at the right end.
pub(super) fn field(ui: &mut Ui, desk: &Desk<'_>, label: &str, right: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.set_min_height(desk.theme.size.control_height);
        ui.label(dim(desk.theme, label));
        ui.with_layout(Layout::right_to_left(Align::Center), right);
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_have_thousands() {
        assert_eq!([0, 999, 4812, 1_234_567].map(super::thousands), ["0", "999", "4,812", "1,234,567"]);
    }
}
