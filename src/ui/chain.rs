//! The chain of transforms as a row of chips, each with its error. A chip opens a menu that shows, switches off or
//! resets its link; what a link cannot do says why.

use super::desk::{Desk, dim, mm};
use super::palette::show_element;
use crate::model::{PixelSize, Quality, Registration, Section};
use crate::scene::PaneKind;
use crate::session::{Action, Command, RegisterAction, ViewAction, three_digits};
use egui::{Button, Popup, RichText, Ui};

/// A space on the way, with the link that leads on from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chip {
    Pixel,
    Um,
    Section,
    Heart,
    Segment,
}

/// What a chip shows.
struct Face {
    chip: Chip,
    name: &'static str,
    /// Behind the name, where it matters.
    short: String,
    /// In the tooltip.
    note: String,
    hint: &'static str,
    is_fine: bool,
}

/// What an item of a chip's menu does.
enum Step {
    Act(Action),
    Run(Command),
    Open,
}

/// An item, and why it cannot be chosen.
struct Item {
    text: &'static str,
    step: Result<Step, &'static str>,
}

/// The row.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(section) = desk.session.view.section.and_then(|id| desk.session.study.section(id)).cloned() else { return };
    let registration = desk.session.registration().cloned();
    let colors = *desk.colors();
    ui.spacing_mut().item_spacing.x = 3.0;
    for (i, face) in faces(desk, &section, registration.as_ref()).into_iter().enumerate() {
        if i > 0 {
            ui.label(dim(desk.theme, "›"));
        }
        let text = if face.short.is_empty() { face.name.to_owned() } else { format!("{} {}", face.name, face.short) };
        let ink = if face.is_fine { colors.text } else { colors.warning };
        let text = RichText::new(text).font(egui::FontId::proportional(desk.theme.size.overlay)).color(ink);
        let chip = ui.add(Button::new(text).small().corner_radius(9).fill(colors.raised));
        let tip = if face.note.is_empty() { face.hint.to_owned() } else { format!("{}\n{}", face.hint, face.note) };
        let items = items(desk, face.chip, &section, registration.as_ref());
        Popup::menu(&chip).show(|ui| menu(ui, desk, &face, items));
        chip.on_hover_text(tip);
    }
}

fn menu(ui: &mut Ui, desk: &mut Desk<'_>, face: &Face, items: [Item; 3]) {
    ui.set_min_width(220.0);
    ui.add(egui::Label::new(dim(desk.theme, face.hint)).wrap());
    for item in items {
        let why = item.step.as_ref().err().copied();
        let button = ui.add_enabled(why.is_none(), Button::new(item.text).frame_when_inactive(false));
        let clicked = button.clicked();
        button.on_disabled_hover_text(why.unwrap_or_default());
        if let (true, Ok(step)) = (clicked, item.step) {
            match step {
                Step::Act(action) => desk.act(action),
                Step::Run(command) => desk.run(command),
                Step::Open => open(desk, face.chip),
            }
            ui.close();
        }
    }
}

fn faces(desk: &Desk<'_>, section: &Section, r: Option<&Registration>) -> [Face; 5] {
    let known = section.has_unit();
    let scale = format!("{} µm per pixel", three_digits(section.mm_per_px() * 1000.0));
    let (link, link_note, is_linked) = link(r);
    let plane = r.map_or_else(|| "no plane yet".to_owned(), |r| format!("half a slice, ±{}, to each side", mm(r.half_slice_mm)));
    let has_segments = desk.session.shown_segmentation().is_some();
    let face = |chip, name, (short, note): (&str, &str), is_fine, hint| Face {
        chip,
        name,
        short: short.to_owned(),
        note: note.to_owned(),
        hint,
        is_fine,
    };
    let size = if known { ("", scale.as_str()) } else { ("size unknown", "") };
    [
        face(Chip::Pixel, "pixel", size, known, "Full-resolution pixels to micrometers"),
        face(Chip::Um, "µm", ("", ""), known, "Micrometers to section millimeters, exactly"),
        face(Chip::Section, "section", (&link, &link_note), is_linked, "Section to the plane it was cut in, by landmarks"),
        face(Chip::Heart, "heart", (if r.is_some() { "" } else { &plane }, &plane), r.is_some(), "The plane in the patient"),
        face(
            Chip::Segment,
            "segment",
            (if has_segments { "" } else { "no labels" }, ""),
            has_segments,
            "The 17 segments of the left ventricle",
        ),
    ]
}

/// Short text, tooltip, and whether the link stands and is checked.
fn link(r: Option<&Registration>) -> (String, String, bool) {
    let Some(r) = r else { return ("not linked".into(), String::new(), false) };
    if !r.enabled {
        return ("switched off".into(), "The fit is kept; nothing follows it.".into(), false);
    }
    let error = |q: &Quality| q.leave_one_out_median_mm;
    match (&r.fit, r.fit.as_ref().and_then(|f| error(&f.quality))) {
        (None, _) => ("not linked".into(), r.problem.clone().unwrap_or_default(), false),
        (Some(_), Some(e)) => (format!("±{}", mm(e)), "Median error of pairs left out of the fit".into(), true),
        (Some(_), None) => ("unchecked".into(), "One more pair lets the program check the fit.".into(), false),
    }
}

fn items(desk: &Desk<'_>, chip: Chip, section: &Section, r: Option<&Registration>) -> [Item; 3] {
    let item = |text, step| Item { text, step };
    let id = desk.session.view.section;
    let typed = matches!(&section.pixel_size, PixelSize::Known { source, .. } if source == "typed");
    let register = |action| Ok(Step::Act(Action::Register(action)));
    match chip {
        Chip::Pixel => {
            let forget = id.filter(|_| typed).map(|id| Step::Act(Action::ForgetPixelSize(id)));
            [
                item("Show the size of a pixel", Ok(Step::Open)),
                item("Switch off", Err("A scale cannot be switched off. Where nobody says it, lengths read px.")),
                item("Reset to what the files say", forget.ok_or("The size is what the files say; nothing was typed.")),
            ]
        }
        Chip::Um => [
            item("Show the section's place", Ok(Step::Open)),
            item("Switch off", Err("1000 µm are 1 mm; there is nothing to switch off.")),
            item("Reset", Err("1000 µm are 1 mm; there is nothing to reset.")),
        ],
        Chip::Section => {
            let none = "No landmark pair is placed yet.";
            let toggle = match r.map(|r| r.enabled) {
                Some(true) => item("Switch the link off", register(RegisterAction::SetEnabled(false))),
                Some(false) => item("Switch the link on", register(RegisterAction::SetEnabled(true))),
                None => item("Switch the link off", Err(none)),
            };
            let reset = if r.is_some() { register(RegisterAction::Reset) } else { Err(none) };
            let place = super::menu::why_not(Command::LandmarkTool, desk.session);
            let place = if place.is_none() { Ok(Step::Open) } else { Err("Open a heart image and a section first.") };
            [item("Place landmarks", place), toggle, item("Reset: take all pairs away", reset)]
        }
        Chip::Heart => {
            let bound = "The section is not bound to a plane yet.";
            let bind = super::menu::why_not(Command::BindPlane, desk.session);
            let bind = if bind.is_none() { Ok(Step::Run(Command::BindPlane)) } else { Err("Open a heart image first.") };
            [
                item("Show this plane", r.map(|_| Step::Open).ok_or(bound)),
                item("Switch off", Err("A section lies in one plane; switch the link of its landmarks off instead.")),
                item("Reset to the short-axis plane shown", bind),
            ]
        }
        Chip::Segment => {
            let labels = super::menu::why_not(Command::ToggleLabels, desk.session).is_none();
            let need = "Open a segmentation of the heart shown first.";
            [
                item("Show the segmentation", if labels { Ok(Step::Open) } else { Err(need) }),
                item("Show or hide labels", if labels { Ok(Step::Run(Command::ToggleLabels)) } else { Err(need) }),
                item("Reset", Err("Segments follow from the labels; there is nothing to reset.")),
            ]
        }
    }
}

fn open(desk: &mut Desk<'_>, chip: Chip) {
    match chip {
        Chip::Pixel | Chip::Um => {
            if let Some(id) = desk.session.view.section {
                show_element(desk, id);
            }
        }
        Chip::Section if !desk.memo.landmark_tool => desk.run(Command::LandmarkTool),
        Chip::Section => {}
        Chip::Heart => {
            if let Some(plane) = desk.session.registration().map(|r| r.plane) {
                desk.memo.maximized = None;
                desk.view(ViewAction::Plane(PaneKind::ShortAxis, plane));
            }
        }
        Chip::Segment => {
            if let Some(id) = desk.session.shown_segmentation() {
                show_element(desk, id);
            }
        }
    }
}
