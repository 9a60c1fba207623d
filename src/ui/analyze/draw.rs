//! Segmentations by hand: tools, labels with their live volumes, and work on whole slices and phases.

use super::super::desk::{Desk, dim, small, title};
use super::super::inspector::slider;
use super::super::pick::{Answer, Ask, Picker};
use super::super::tree::field;
use super::{about, newest, run_button};
use crate::model::{AnalysisResult, ElementId, LabelEntry, LabelMap, LabelTable};
use crate::session::{
    Action, Command, Connect, LabelAction, LabelOp, LabelVolumes, MeasureTask, MeasureWhat, Panel, Task, Tool, Which, slice_axis,
    three_digits,
};
use egui::{Button, DragValue, Label, Sense, TextEdit, Ui, vec2};
use std::path::PathBuf;
use std::sync::Arc;

/// What is typed here.
#[derive(Debug, Default)]
pub(in crate::ui) struct State {
    all_phases: bool,
    /// The label whose name is edited, with the text.
    renaming: Option<(u8, String)>,
    /// A color that is being chosen for a label.
    color: Option<(u8, [u8; 3])>,
    volumes: Option<(ElementId, LabelVolumes)>,
    manifest: String,
    /// The other reader.
    other: Option<ElementId>,
    picker: Option<Picker>,
}

const TOOLS: [(Tool, &str, &str); 4] = [
    (Tool::Brush, "Brush", "Paint the chosen label; Alt erases"),
    (Tool::Eraser, "Erase", "Take the chosen label away"),
    (Tool::Polygon, "Polygon", "Click corners, double click or Enter fills; Alt clears"),
    (Tool::Grow, "Grow", "Click: the chosen label grows over like values"),
];

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.set_max_width(ui.available_width() - 8.0);
    title(ui, desk.theme, "Segmentation", |_| {});
    if desk.session.heart().is_none() {
        let hint = "Open an image of the heart (File, Open): segmentations are drawn on its grid.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
        return;
    }
    let shown = desk.session.drawn_labels().and_then(|id| Some((id, Arc::clone(desk.session.study.labels(id)?))));
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("New").on_hover_text("An empty segmentation on the grid of the image shown").clicked() {
                desk.run(Command::NewLabels);
            }
            if shown.is_some() && ui.button("Export…").on_hover_text("NIfTI or DICOM segmentation").clicked() {
                desk.memo.analyze.export.choose_labels();
                desk.run(Command::Panel(Panel::Export));
            }
            let text = shown.as_ref().map_or("none in sight", |(_, map)| &map.name);
            ui.add(Label::new(small(desk.theme, text)).truncate())
                .on_hover_text("The topmost segmentation in sight on the image shown is drawn on");
        });
    });
    if let Some((id, map)) = shown {
        tools(ui, desk);
        ui.separator();
        labels(ui, desk, id, &map);
        ui.separator();
        work(ui, desk, id, &map);
        ui.separator();
        orientation(ui, desk, id);
        readers(ui, desk, id);
    } else {
        let hint = "No segmentation is in sight on this image. Begin a new one, or show one in the layer list.";
        ui.add(Label::new(dim(desk.theme, hint)).wrap());
    }
    ui.separator();
    network(ui, desk);
}

fn tools(ui: &mut Ui, desk: &mut Desk<'_>) {
    ui.horizontal_wrapped(|ui| {
        for (tool, name, about) in TOOLS {
            let on = desk.memo.draw.tool == Some(tool);
            let tip = desk.keys.hint(about, Command::Tool(tool));
            if ui.add(Button::selectable(on, small(desk.theme, name))).on_hover_text(tip).clicked() {
                desk.run(Command::Tool(tool));
            }
        }
    });
    match desk.memo.draw.tool {
        Some(Tool::Grow) => growing(ui, desk),
        Some(Tool::Brush | Tool::Eraser) => brush(ui, desk),
        _ => {}
    }
}

fn brush(ui: &mut Ui, desk: &mut Desk<'_>) {
    let mut diameter = 2.0 * desk.memo.draw.radius_mm;
    slider(ui, desk, "Size", &mut diameter, 0.5..=120.0, |v| format!("{v:.1} mm"));
    desk.memo.draw.radius_mm = diameter / 2.0;
    let mut ball = desk.memo.draw.ball;
    field(ui, desk, "Tip", |ui| {
        ui.selectable_value(&mut ball, true, "ball").on_hover_text("Neighboring slices too");
        ui.selectable_value(&mut ball, false, "disc").on_hover_text("This cut only");
    });
    desk.memo.draw.ball = ball;
    let window = desk.session.heart().map_or((0.0, 1.0), |v| v.window);
    let mut on = desk.memo.draw.within.is_some();
    ui.checkbox(&mut on, "Only where the image is between").on_hover_text("Threshold within the brush");
    match (&mut desk.memo.draw.within, on) {
        (within, false) => *within = None,
        (within @ None, true) => *within = Some([f64::midpoint(window.0, window.1), window.1]),
        (Some(_), true) => {}
    }
    if let Some([low, high]) = &mut desk.memo.draw.within {
        let speed = (window.1 - window.0).abs() / 300.0;
        ui.horizontal(|ui| {
            ui.add(DragValue::new(low).speed(speed).max_decimals(2)).accessible_name("Lowest value painted");
            ui.label("to");
            ui.add(DragValue::new(high).speed(speed).max_decimals(2)).accessible_name("Highest value painted");
        });
    }
}

fn growing(ui: &mut Ui, desk: &mut Desk<'_>) {
    let window = desk.session.heart().map_or((0.0, 1.0), |v| v.window);
    let span = (window.1 - window.0).abs();
    let mut tolerance = desk.memo.draw.tolerance.unwrap_or(span * 0.1);
    slider(ui, desk, "Tolerance", &mut tolerance, 0.0..=span, three_digits);
    desk.memo.draw.tolerance = Some(tolerance);
    let through = &mut desk.memo.draw.grow_in_space;
    ui.checkbox(through, "Through all slices").on_hover_text("Off: only in the slice of the click. At most 60 mm from the click");
}

fn labels(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, map: &LabelMap) {
    let mut known = desk.memo.analyze.draw.volumes.take().filter(|(of, _)| *of == id).unwrap_or((id, LabelVolumes::default()));
    known.1.update(map);
    if map.entry(desk.memo.draw.value).is_none()
        && let Some(first) = map.table.first()
    {
        desk.memo.draw.value = first.value;
    }
    let phase = desk.session.shown_label_phase(id);
    let mut changed: Option<(LabelTable, &'static str)> = None;
    for (row, entry) in map.table.iter().enumerate() {
        let volume = known.1.ml(phase, entry.value);
        changed = changed.or(label_row(ui, desk, map, (row, entry), volume));
    }
    ui.horizontal(|ui| {
        if ui.small_button("Add label").on_hover_text("Another label with a value and color of its own").clicked() {
            let mut table = map.label_table();
            if let Some(value) = (1..=255u8).find(|v| map.entry(*v).is_none()) {
                table.entries.push(LabelEntry::usual(value));
                table.entries.sort_by_key(|e| e.value);
                desk.memo.draw.value = value;
                changed = Some((table, "add label"));
            }
        }
        if let Some([most, least, ef]) = known.1.ejection(3).filter(|_| map.entry(3).is_some()) {
            let text = format!("LV {} → {} mL · EF {} %", three_digits(most), three_digits(least), three_digits(ef));
            ui.label(small(desk.theme, text)).on_hover_text("Largest and smallest volume of label 3 over the phases drawn");
        }
    });
    if !map.length_unit_known {
        ui.add(
            Label::new(dim(desk.theme, "The file does not say that lengths are millimeters: volumes are not milliliters."))
                .wrap(),
        );
    }
    desk.memo.analyze.draw.volumes = Some(known);
    if let Some((table, step)) = changed {
        desk.act(Action::Label(LabelAction::Table { labels: id, table, step }));
    }
}

/// Color, name, volume and lock of a label.
fn label_row(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    map: &LabelMap,
    (row, entry): (usize, &LabelEntry),
    volume: f64,
) -> Option<(LabelTable, &'static str)> {
    let mut changed = None;
    ui.horizontal(|ui| {
        ui.set_min_height(desk.theme.size.control_height);
        let chosen = &mut desk.memo.analyze.draw.color;
        let mut rgb = chosen.filter(|(value, _)| *value == entry.value).map_or(entry.rgb, |(_, rgb)| rgb);
        if ui.color_edit_button_srgb(&mut rgb).on_hover_text("Color").changed() {
            *chosen = Some((entry.value, rgb));
        }
        // One step when the pointer lets go, not one for every color on the way.
        let released = !ui.input(|i| i.pointer.any_down());
        if let Some((_, rgb)) = chosen.take_if(|(value, _)| released && *value == entry.value)
            && rgb != entry.rgb
        {
            let mut table = map.label_table();
            table.entries[row].rgb = rgb;
            changed = Some((table, "change label color"));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let locked = map.locked.contains(&entry.value);
            let (text, tip) = if locked {
                ("locked", "Locked: neither gains nor loses voxels. Click unlocks")
            } else {
                ("lock", "Protect it from every tool")
            };
            if ui.add(Button::selectable(locked, dim(desk.theme, text))).on_hover_text(tip).clicked() {
                let mut table = map.label_table();
                if !table.locked.remove(&entry.value) {
                    table.locked.insert(entry.value);
                }
                changed = Some((table, if locked { "unlock label" } else { "lock label" }));
            }
            let unit = if map.length_unit_known { "mL" } else { "units" };
            let shown = if volume >= 100.0 { format!("{volume:.0} {unit}") } else { format!("{volume:.1} {unit}") };
            changed = changed.take().or_else(|| label_name(ui, desk, map, (row, entry), &shown));
        });
    });
    changed
}

fn label_name(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    map: &LabelMap,
    (row, entry): (usize, &LabelEntry),
    volume: &str,
) -> Option<(LabelTable, &'static str)> {
    let renaming = desk.memo.analyze.draw.renaming.take_if(|(value, _)| *value == entry.value);
    if let Some((value, mut text)) = renaming {
        let edit =
            ui.add(TextEdit::singleline(&mut text).desired_width(ui.available_width())).accessible_name("Name of the label");
        edit.request_focus();
        if ui.input(|i| i.key_pressed(egui::Key::Enter)) || edit.lost_focus() {
            let mut table = map.label_table();
            text.trim().clone_into(&mut table.entries[row].name);
            return Some((table, "rename label"));
        }
        if !ui.input(|i| i.key_pressed(egui::Key::Escape)) {
            desk.memo.analyze.draw.renaming = Some((value, text));
        }
        return None;
    }
    let on = desk.memo.draw.value == entry.value;
    let text = small(desk.theme, format!("{}  {}", entry.value, entry.name));
    let button = Button::selectable(on, text).right_text(dim(desk.theme, volume)).truncate();
    let response = ui.add(button.min_size(vec2(ui.available_width(), 20.0)).sense(Sense::click()));
    let response = response.on_hover_text("Volume in the phase shown. Click: draw with it. Double click: rename");
    if response.clicked() {
        desk.memo.draw.value = entry.value;
    }
    if response.double_clicked() {
        desk.memo.analyze.draw.renaming = Some((entry.value, entry.name.clone()));
    }
    None
}

fn work(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId, map: &LabelMap) {
    if let Some(job) = desk.session.job(&format!("labels {}", id.0)) {
        ui.add(egui::ProgressBar::new(job.fraction as f32).text(job.title.clone()));
        if ui.button("Cancel").clicked() {
            desk.act(Action::Cancel(job.id));
        }
        return;
    }
    let pane = desk.memo.pointer.map(|(kind, _)| kind).filter(|k| k.is_heart()).unwrap_or(crate::scene::PaneKind::ShortAxis);
    let Some(plane) = desk.session.shown_plane(pane) else { return };
    let axis = slice_axis(&map.grid, plane.normal());
    let at = map.grid.voxel_from_lps().transform_point3(plane.origin())[axis].round();
    let (n, phase) = (map.grid.size()[axis], desk.session.shown_label_phase(id));
    let slice = (0..n).find(|&k| k as f64 == at);
    if map.n_phases() > 1 {
        let mut all = desk.memo.analyze.draw.all_phases;
        field(ui, desk, "Frames", |ui| {
            ui.selectable_value(&mut all, true, "all").on_hover_text("Every phase of the beat");
            ui.selectable_value(&mut all, false, "this one").on_hover_text("The phase on the screen");
        });
        desk.memo.analyze.draw.all_phases = all;
    }
    let value = desk.memo.draw.value;
    let which = if desk.memo.analyze.draw.all_phases { Which::All } else { Which::This(phase) };
    let mut asked: Option<(LabelOp, Which)> = None;
    let mut button = |ui: &mut Ui, name: &str, tip: &str, op: Option<LabelOp>, which: Which| {
        let response = ui.add_enabled(op.is_some(), Button::new(small(desk.theme, name)));
        let response = response.on_hover_text(tip).on_disabled_hover_text(format!("{tip}. There is none."));
        if response.clicked() {
            asked = op.map(|op| (op, which));
        }
    };
    ui.horizontal_wrapped(|ui| {
        let slices = Some(LabelOp::FillHoles { value, axis: Some(axis) });
        button(ui, "Fill holes", "What the chosen label encloses in each slice", slices, which);
        button(ui, "in 3-D", "What the chosen label encloses in space", Some(LabelOp::FillHoles { value, axis: None }), which);
        let largest = LabelOp::Largest { value, connect: Connect::Faces };
        button(ui, "Largest piece", "Everything else of the chosen label goes", Some(largest), which);
        let between = LabelOp::Interpolate { values: Vec::new(), axis };
        button(ui, "Interpolate", "Empty slices between drawn ones, by shape, all labels", Some(between), which);
    });
    ui.horizontal_wrapped(|ui| {
        let copy = |to: Option<usize>| Some(LabelOp::CopySlice { axis, from: slice?, to: to.filter(|&k| k < n)?, value: None });
        let here = Which::This(phase);
        button(ui, "Copy to next slice", "All labels of the slice shown", copy(slice.map(|k| k + 1)), here);
        button(ui, "previous", "All labels of the slice shown", copy(slice.and_then(|k| k.checked_sub(1))), here);
        if map.n_phases() > 1 {
            let next = LabelOp::CopyPhase { from: phase, to: (phase + 1) % map.n_phases(), value: None };
            button(ui, "next phase", "All labels of the phase shown", Some(next), here);
        }
    });
    if let Some((op, which)) = asked {
        desk.act(Action::Label(LabelAction::Work { labels: id, op, which }));
    }
}

fn orientation(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    ui.horizontal_wrapped(|ui| {
        ui.label(dim(desk.theme, "Orientation"));
        let mut ask = |ui: &mut Ui, name: &str, tip: &str, op: LabelOp| {
            if ui.add(Button::new(small(desk.theme, name))).on_hover_text(tip).clicked() {
                desk.act(Action::Label(LabelAction::Work { labels: id, op, which: Which::All }));
            }
        };
        ask(
            ui,
            "Check",
            "Do the labels lie mirrored or turned against the image? The answer has the numbers",
            LabelOp::Orientation { mend: false },
        );
        ask(ui, "Mend", "Turn them as they fit best; undo brings them back", LabelOp::Orientation { mend: true });
        ask(ui, "To the image's grid", "A new segmentation on the grid of the image, by the nearest voxel", LabelOp::Resample);
    });
    let from = |m: &&crate::session::Message| m.from == "Segmentation";
    if let Some(said) = desk.session.messages.iter().rev().find(from) {
        ui.add(Label::new(dim(desk.theme, &said.text)).wrap());
    }
}

/// Comparison with another reader's segmentation of the same image.
fn readers(ui: &mut Ui, desk: &mut Desk<'_>, id: ElementId) {
    let Some(heart) = desk.session.view.heart else { return };
    let study = &desk.session.study;
    let others: Vec<(ElementId, String)> =
        study.labels_on(heart).filter(|(other, _)| *other != id).map(|(other, l)| (other, l.name.clone())).collect();
    if others.is_empty() {
        return;
    }
    ui.separator();
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "Other reader"));
        let state = &mut desk.memo.analyze.draw;
        let chosen = state.other.filter(|c| others.iter().any(|(o, _)| o == c)).unwrap_or(others[0].0);
        let name = others.iter().find(|(o, _)| *o == chosen).map_or("", |(_, n)| n);
        let list = egui::ComboBox::from_id_salt("other reader").selected_text(name).width(ui.available_width() - 8.0);
        let shown = list.show_ui(ui, |ui| {
            for (other, name) in &others {
                let mut now = Some(chosen);
                if ui.selectable_value(&mut now, Some(*other), name).clicked() {
                    state.other = now;
                }
            }
        });
        shown.response.accessible_name("Segmentation of the other reader");
        state.other = state.other.or(Some(chosen));
    });
    let other = desk.memo.analyze.draw.other.filter(|c| others.iter().any(|(o, _)| o == c)).unwrap_or(others[0].0);
    let frame = if desk.memo.analyze.draw.all_phases { None } else { Some(desk.session.shown_label_phase(id)) };
    if run_button(ui, desk, "measure", "Compare the two readers", None) {
        let task = MeasureTask { what: MeasureWhat::Compare { other: other.0 }, frame, ..MeasureTask::usual(id) };
        desk.act(Action::Run(Task::Measure(Box::new(task))));
    }
    let Some((analysis_id, analysis)) = newest(desk, id, |r| matches!(r, AnalysisResult::Measures(_))) else { return };
    let AnalysisResult::Measures(found) = &analysis.result else { return };
    if !found.rows.iter().any(|r| r.metric == "dice") {
        return;
    }
    about(ui, desk, analysis_id, &analysis);
    for row in found.rows.iter().filter(|r| ["dice", "hausdorff_95", "surface_distance"].contains(&r.metric.as_str())) {
        let unit = if row.unit == "1" { "" } else { row.unit.as_str() };
        let phase = row.phase.parse::<usize>().map_or(String::new(), |p| format!(" · frame {}", p + 1));
        let text = format!("{}{phase}  {} {} {unit}", row.region, row.metric.replace('_', " "), three_digits(row.value));
        ui.add(Label::new(small(desk.theme, text)).truncate()).on_hover_text(&row.method);
    }
}

fn network(ui: &mut Ui, desk: &mut Desk<'_>) {
    let state = &mut desk.memo.analyze.draw;
    if let Some(picker) = &state.picker
        && let Answer::Paths(paths) = picker.answer()
    {
        if let Some(path) = paths.first() {
            state.manifest = path.display().to_string();
        }
        state.picker = None;
    }
    ui.horizontal(|ui| {
        ui.label(dim(desk.theme, "Network"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let state = &mut desk.memo.analyze.draw;
            if ui.add_enabled(state.picker.is_none(), Button::new("Browse…")).clicked() {
                let ctx = ui.ctx().clone();
                state.picker = Some(Picker::open(Ask::Files, move || ctx.request_repaint()));
            }
            let edit = TextEdit::singleline(&mut state.manifest).hint_text("manifest.toml").desired_width(ui.available_width());
            ui.add(edit)
                .accessible_name("Manifest of a network")
                .on_hover_text("The TOML file beside an ONNX network of your own");
        });
    });
    let manifest = PathBuf::from(desk.memo.analyze.draw.manifest.trim());
    let why_not = (!manifest.is_file()).then_some("Name the manifest (TOML) of an ONNX network of your own.");
    if run_button(ui, desk, "segment", "Segment with this network", why_not)
        && let Some(image) = desk.session.view.heart
    {
        desk.act(Action::Label(LabelAction::Segment { image, manifest }));
    }
}
