//! The window without pictures: panels are there by their accessible names, a click and a key do what
//! they say, and every command can be found in the palette.

#![cfg(feature = "gui")]

use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use myoscope::model::TransformModel;
use myoscope::scene::PaneKind;
use myoscope::session::{Action, COMMANDS, Command, RegisterAction, ViewAction};
use myoscope::ui::{Setup, Workbench, palette_names};
use std::time::{Duration, Instant};

type Window = Harness<'static, Option<Workbench>>;

/// A window of 1440 × 900 with the built-in case, once nothing runs any more.
fn window() -> Window {
    window_of(egui::vec2(1440.0, 900.0))
}

fn window_of(size: egui::Vec2) -> Window {
    let frame = |ui: &mut egui::Ui, state: &mut Option<Workbench>| match state {
        Some(workbench) => workbench.show(ui),
        None => {
            let setup = Setup { isolated: true, ..Setup::default() };
            *state = Some(Workbench::in_context(ui.ctx(), &setup).expect("the theme can be read"));
        }
    };
    let mut harness = Harness::builder().with_size(size).build_ui_state(frame, None);
    let began = Instant::now();
    let ready = |w: &Window| w.state().as_ref().is_some_and(|w| w.is_idle() && !w.session().study.elements.is_empty());
    while !ready(&harness) {
        assert!(began.elapsed() < Duration::from_mins(3), "the built-in case takes too long");
        std::thread::sleep(Duration::from_millis(20));
        harness.step();
    }
    harness.run_steps(3);
    harness
}

fn workbench(window: &Window) -> &Workbench {
    window.state().as_ref().expect("made in the first frame")
}

fn act(window: &mut Window, action: Action) {
    window.state_mut().as_mut().expect("made in the first frame").apply(action);
    window.run_steps(3);
}

fn press(window: &mut Window, modifiers: egui::Modifiers, key: egui::Key) {
    window.key_press_modifiers(modifiers, key);
    window.run_steps(3);
}

fn click(window: &mut Window, name: &str) {
    window.get_by_label(name).click();
    window.run_steps(3);
}

/// Calls a command from the palette, as a person without a mouse does.
fn call(window: &mut Window, name: &str) {
    press(window, egui::Modifiers::COMMAND, egui::Key::K);
    window.get_by_label("Search in everything").type_text(name);
    window.run_steps(2);
    press(window, egui::Modifiers::NONE, egui::Key::Enter);
}

/// Every control and canvas has a name; what is only a placeholder is none.
fn check_names(window: &Window, state: &str) {
    use egui::accesskit::Role;
    let acts = |role: Role| {
        matches!(
            role,
            Role::Button
                | Role::Canvas
                | Role::CheckBox
                | Role::ComboBox
                | Role::Link
                | Role::MenuItem
                | Role::RadioButton
                | Role::Slider
                | Role::SpinButton
                | Role::Switch
                | Role::Tab
                | Role::TextInput
                | Role::MultilineTextInput
        )
    };
    let nodes: Vec<_> = window.root().children_recursive().map(|n| n.accesskit_node()).filter(|n| acts(n.role())).collect();
    assert!(nodes.len() > 20, "{state}: only {} controls were found", nodes.len());
    let nameless = nodes.iter().filter(|n| n.label().is_none_or(|l| l.trim().is_empty()));
    let what: Vec<String> = nameless.map(|n| format!("{:?} at {:?}", n.role(), n.bounding_box())).collect();
    assert!(what.is_empty(), "{state}: {} controls have no name: {}", what.len(), what.join(", "));
}

fn model(window: &Window) -> Option<TransformModel> {
    workbench(window).session().registration().map(|r| r.model)
}

#[test]
fn the_first_window_is_whole_and_obeys() {
    let mut harness = window();
    for name in ["Short axis pane", "Two chamber pane", "Section pane", "Overlay pane", "Bullseye pane"] {
        harness.get_by_label(name);
    }
    for name in ["Study", "Layers", "Inspector", "Landmarks", "Play cine (P)", "Preferences"] {
        assert!(harness.query_all_by_label(name).next().is_some(), "{name} is not there");
    }

    harness.get_by_label("Affine").click();
    harness.run_steps(3);
    assert_eq!(model(&harness), Some(TransformModel::Affine));
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.run_steps(3);
    assert_eq!(model(&harness), Some(TransformModel::Similarity));

    let pairs = workbench(&harness).session().registration().map_or(0, |r| r.landmarks.pairs.len());
    let add = Action::Register(RegisterAction::AddPair("apex of the scar".into()));
    harness.state_mut().as_mut().expect("made in the first frame").apply(add);
    harness.run_steps(3);
    harness.get_by_label("Use apex of the scar");
    assert_eq!(workbench(&harness).session().registration().map(|r| r.landmarks.pairs.len()), Some(pairs + 1));

    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
    harness.run_steps(3);
    harness.get_by_label("Search in everything").type_text("thin plate");
    harness.run_steps(2);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
    assert_eq!(model(&harness), Some(TransformModel::ThinPlate));

    // The median, because other work on the machine may stop any one frame.
    let mut recent: Vec<f64> = workbench(&harness).frame_ms().into_iter().rev().take(15).collect();
    recent.sort_by(f64::total_cmp);
    assert!(recent[7] < 50.0, "a frame takes {:.1} ms of the interface thread", recent[7]);
}

#[test]
fn the_palette_knows_every_command() {
    let names = palette_names();
    for spec in COMMANDS {
        assert!(names.iter().any(|(c, _)| *c == spec.command), "{} cannot be found", spec.text);
    }
}

#[test]
fn everything_has_a_name_in_every_state() {
    let mut w = window();
    check_names(&w, "first window");
    for (i, layer) in workbench(&w).session().study.layers.clone().iter().enumerate() {
        let id = layer.element;
        let show =
            if workbench(&w).session().study.section(id).is_some() { ViewAction::Section(id) } else { ViewAction::Heart(id) };
        act(&mut w, Action::View(show));
        // The layer list is topmost first; its rows select what the inspector shows.
        let rows: Vec<_> = w.query_all_by_label_contains("Select layer ").collect();
        let n = rows.len();
        rows[n - 1 - i].click();
        w.run_steps(3);
        check_names(&w, &format!("layer {i} in the inspector"));
    }
    for name in ["Open files…", "Save as…", "Go to coordinate…", "Edit keys…", "Keys", "Problems", "Place landmark pairs"]
    {
        call(&mut w, name);
        check_names(&w, name);
        press(&mut w, egui::Modifiers::NONE, egui::Key::Escape);
    }
    for name in ["Plots of spots by category…", "Inspector and landmarks"] {
        call(&mut w, name);
        check_names(&w, name);
    }
    // Empty places speak once nothing works any more: the plots are made in the background.
    let began = Instant::now();
    while !workbench(&w).is_idle() {
        assert!(began.elapsed() < Duration::from_mins(1), "the plots take too long");
        std::thread::sleep(Duration::from_millis(10));
        w.step();
    }
    press(&mut w, egui::Modifiers::COMMAND, egui::Key::K);
    check_names(&w, "palette");
    press(&mut w, egui::Modifiers::NONE, egui::Key::Escape);
    click(&mut w, "Preferences");
    check_names(&w, "preferences");
    press(&mut w, egui::Modifiers::NONE, egui::Key::Escape);
    for id in workbench(&w).session().study.elements.keys().copied().collect::<Vec<_>>() {
        act(&mut w, Action::Remove(id));
    }
    check_names(&w, "nothing open");
    assert!(w.query_all_by_label_contains("Drop a").count() >= 2, "empty places say what to do");
}

#[test]
fn the_inspector_begins_with_the_section() {
    let w = window();
    let title = w.query_all_by_label_contains("Short-axis section · ").next();
    assert!(title.is_some(), "the inspector shows another layer");
}

#[test]
fn a_link_is_switched_off_and_on_again() {
    let mut w = window();
    let linked = |w: &Window| {
        let session = workbench(w).session();
        let id = session.view.section.expect("a section is shown");
        session.lps_of_section(id, myoscope::space::DVec2::ZERO).is_some()
    };
    assert!(linked(&w));
    click(&mut w, "section unchecked");
    click(&mut w, "Switch the link off");
    assert!(!linked(&w));
    assert!(workbench(&w).session().registration().is_some_and(|r| r.fit.is_some()), "the fit is kept");
    w.get_by_label("section switched off");
    press(&mut w, egui::Modifiers::COMMAND, egui::Key::Z);
    assert!(linked(&w));
    click(&mut w, "section unchecked");
    click(&mut w, "Reset: take all pairs away");
    assert_eq!(workbench(&w).session().registration().map(|r| r.landmarks.pairs.len()), Some(0));
    press(&mut w, egui::Modifiers::COMMAND, egui::Key::Z);
    assert!(linked(&w));
}

#[test]
fn a_key_is_given_to_another_command() {
    let mut w = window();
    call(&mut w, "Edit keys…");
    click(&mut w, "Find a command or a key");
    w.get_by_label("Find a command or a key").type_text("pla");
    w.run_steps(3);
    click(&mut w, "Key of Play cine: P");
    press(&mut w, egui::Modifiers::NONE, egui::Key::L);
    assert!(w.query_all_by_label_contains("calls “Place landmark pairs” already").next().is_some(), "a taken key is told");
    click(&mut w, "Take it over");
    w.get_by_label("Key of Play cine: L");
    w.get_by_label("Key of Place landmark pairs: none");
    press(&mut w, egui::Modifiers::NONE, egui::Key::Escape);
    press(&mut w, egui::Modifiers::NONE, egui::Key::L);
    assert!(workbench(&w).session().playing, "the new key plays");
    press(&mut w, egui::Modifiers::NONE, egui::Key::L);
    call(&mut w, "Edit keys…");
    click(&mut w, "Radiology");
    w.get_by_label("Key of Play cine: P");
    w.get_by_label("Key of Place landmark pairs: L");
}

#[test]
fn problems_are_in_one_place() {
    let mut w = window();
    act(&mut w, Action::SetPixelSize { section: myoscope::model::ElementId(5), um_per_px: -1.0 });
    act(&mut w, Action::SetPixelSize { section: myoscope::model::ElementId(5), um_per_px: -1.0 });
    let last = workbench(&w).session().messages.last().cloned().expect("something was said");
    assert_eq!((last.from.as_str(), last.times), ("Size of a pixel", 2));
    assert!(!last.remedy.is_empty());
    press(&mut w, egui::Modifiers::NONE, egui::Key::F8);
    w.get_by_label("Errors 1").click();
    w.run_steps(3);
    assert_eq!(w.query_all_by_label("Copy message").count(), 1);
    click(&mut w, "Copy message");
    assert!(w.query_all_by_label_contains("from Size of a pixel, 2 times").next().is_some());
    click(&mut w, "Dismiss all that is shown");
    assert!(workbench(&w).session().messages.iter().all(|m| m.text != last.text));
}

#[test]
fn a_pane_is_used_without_the_mouse() {
    let mut w = window();
    press(&mut w, egui::Modifiers::NONE, egui::Key::F6);
    assert!(w.get_by_label("Short axis pane").is_focused());
    let slice = |w: &Window| workbench(w).session().pane_plane(PaneKind::ShortAxis).expect("a heart is open").origin();
    let phase = |w: &Window| workbench(w).session().view.cardiac_phase;
    let before = (slice(&w), phase(&w));
    press(&mut w, egui::Modifiers::NONE, egui::Key::ArrowUp);
    press(&mut w, egui::Modifiers::NONE, egui::Key::ArrowRight);
    assert!(slice(&w) != before.0 && phase(&w) != before.1);
    press(&mut w, egui::Modifiers::SHIFT, egui::Key::ArrowLeft);
    let cursor = workbench(&w).session().view.cursor.expect("the cursor is in the heart");
    press(&mut w, egui::Modifiers::SHIFT, egui::Key::ArrowDown);
    assert_ne!(workbench(&w).session().view.cursor, Some(cursor));
    let pairs = |w: &Window| {
        workbench(w).session().registration().map_or(0, |r| r.landmarks.pairs.iter().filter(|l| l.fixed.is_some()).count())
    };
    let placed = pairs(&w);
    press(&mut w, egui::Modifiers::NONE, egui::Key::L);
    press(&mut w, egui::Modifiers::NONE, egui::Key::Enter);
    assert_eq!(pairs(&w), placed + 1);
    press(&mut w, egui::Modifiers::NONE, egui::Key::F6);
    assert!(!w.get_by_label("Short axis pane").is_focused());
}

#[test]
fn nothing_is_lost_at_any_scale() {
    let mut w = window();
    for size in [egui::vec2(1280.0, 720.0), egui::vec2(1440.0, 900.0), egui::vec2(480.0, 300.0)] {
        w.set_size(size);
        w.run_steps(4);
        let room = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(1.0);
        for name in ["Short axis pane", "Section pane", "Overlay pane", "Preferences", "Play cine (P)"] {
            let rect = w.get_by_label(name).rect();
            assert!(room.contains_rect(rect) && rect.is_positive(), "{name} is at {rect:?} of {size}");
        }
        check_names(&w, &format!("{size}"));
    }
}

#[test]
fn commands_have_reasons_when_they_are_off() {
    let mut w = window();
    for id in workbench(&w).session().study.elements.keys().copied().collect::<Vec<_>>() {
        act(&mut w, Action::Remove(id));
    }
    act(&mut w, Action::Command(Command::Play));
    assert!(workbench(&w).session().messages.iter().all(|m| !m.text.contains("panic")));
    call(&mut w, "play cine");
    assert!(w.query_by_label("Search in everything").is_some(), "what is off cannot be called; the palette stays");
}

/// Drags over a pane with the left button, through shares of its width and height.
fn drag(w: &mut Window, pane: PaneKind, modifiers: egui::Modifiers, path: &[[f32; 2]]) {
    let rect = w.get_by_label(&format!("{} pane", pane.title())).rect();
    let at = |[x, y]: [f32; 2]| rect.min + rect.size() * egui::vec2(x, y);
    let button = |pos, pressed| egui::Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers };
    w.event(egui::Event::ModifiersChanged(modifiers));
    w.event(egui::Event::PointerMoved(at(path[0])));
    w.step();
    w.event(button(at(path[0]), true));
    w.step();
    for &place in &path[1..] {
        w.event(egui::Event::PointerMoved(at(place)));
        w.step();
    }
    w.event(button(at(path[path.len() - 1]), false));
    w.step();
    w.event(egui::Event::ModifiersChanged(egui::Modifiers::NONE));
    settle(w);
}

#[test]
fn spots_are_marked_and_compared() {
    let mut w = window();
    press(&mut w, egui::Modifiers::NONE, egui::Key::A);
    let n = |w: &Window| workbench(w).session().study.regions.iter().map(|r| r.spots.len()).collect::<Vec<_>>();
    let square = |a: f32, b: f32| [[a, 0.2], [b, 0.2], [b, 0.8], [a, 0.8], [a, 0.5]];
    drag(&mut w, PaneKind::Section, egui::Modifiers::NONE, &square(0.1, 0.45));
    let first = n(&w);
    assert!(first.len() == 1 && first[0] > 0, "{first:?}");
    drag(&mut w, PaneKind::Section, egui::Modifiers::SHIFT, &square(0.4, 0.6));
    let more = n(&w);
    assert!(more.len() == 1 && more[0] > first[0], "{more:?}");
    drag(&mut w, PaneKind::Section, egui::Modifiers::ALT, &square(0.4, 0.65));
    assert!(n(&w).len() == 1 && n(&w)[0] < more[0], "{:?}", n(&w));
    press(&mut w, egui::Modifiers::NONE, egui::Key::D);
    drag(&mut w, PaneKind::Section, egui::Modifiers::NONE, &[[0.7, 0.4], [0.8, 0.5], [0.8, 0.6]]);
    assert_eq!(n(&w).len(), 2);
    // Esc lays the brush down; then a drag moves the picture again.
    press(&mut w, egui::Modifiers::NONE, egui::Key::Escape);
    drag(&mut w, PaneKind::Section, egui::Modifiers::NONE, &square(0.3, 0.6));
    assert_eq!(n(&w).len(), 2);
    press(&mut w, egui::Modifiers::SHIFT, egui::Key::A);
    settle(&mut w);
    let found = workbench(&w).session().compared().expect("two regions are compared by themselves").clone();
    assert!(!found.gene_names.is_empty());
    check_names(&w, "regions");
}

/// A file as the system hands it over.
#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|e| e.to_string())
    }
}

fn drop_file(w: &mut Window, path: &std::path::Path) {
    w.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(path.to_path_buf())));
    settle(w);
}

/// Steps until nothing runs in the background.
fn settle(w: &mut Window) {
    let began = Instant::now();
    w.run_steps(2);
    while !workbench(w).is_idle() {
        assert!(began.elapsed() < Duration::from_mins(2), "the work does not end: {:?}", workbench(w).session().jobs());
        std::thread::sleep(Duration::from_millis(20));
        w.step();
    }
    w.run_steps(3);
}

fn type_path(w: &mut Window, path: &std::path::Path, button: &str) {
    w.get_by_label("Path").focus();
    w.run_steps(2);
    w.get_by_label("Path").type_text(&path.display().to_string());
    w.run_steps(2);
    click(w, button);
    settle(w);
}

#[test]
fn files_are_dropped_saved_moved_and_found_again() {
    use myoscope::model::{Samples, Volume};
    use myoscope::space::{DAffine3, DVec3, Grid};
    let folder = std::env::temp_dir().join(format!("myoscope-ui-{}", std::process::id()));
    let (data, moved) = (folder.join("data"), folder.join("moved"));
    std::fs::create_dir_all(&data).expect("a folder can be made");
    let grid = Grid::new([16, 16, 4], DAffine3::from_scale(DVec3::new(1.5, 1.5, 8.0))).expect("a grid");
    let volume = Volume::new("v", grid, vec![Samples::I16((0..1024).collect())]).expect("a volume");
    let file = data.join("heart.nii.gz");
    myoscope::io::write_nifti_volume(&file, &volume).expect("a file can be written");

    let mut w = window();
    drop_file(&mut w, &file);
    let names = |w: &Window| workbench(w).session().study.elements.values().map(|e| e.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&w).len(), 1, "the untouched built-in case makes room: {:?}", names(&w));
    drop_file(&mut w, &folder.join("nothing.nii"));
    let last = workbench(&w).session().messages.last().expect("a missing file is told");
    assert!(last.severity == myoscope::base::Severity::Error && !last.remedy.is_empty());

    call(&mut w, "Save as…");
    let project = folder.join("case.myo");
    type_path(&mut w, &project, "Save");
    assert!(project.is_file() && !workbench(&w).session().is_unsaved());

    std::fs::rename(&data, &moved).expect("a folder can be moved");
    let mut again = window();
    drop_file(&mut again, &project);
    again.get_by_label("Some data have moved");
    check_names(&again, "moved data");
    type_path(&mut again, &moved, "Look there");
    assert_eq!(names(&again), names(&w));
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}
