//! The window without pictures: panels are there by their accessible names, a click and a key do what
//! they say, and every command can be found in the palette.

#![cfg(feature = "gui")]

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use myoscope::model::TransformModel;
use myoscope::session::{Action, COMMANDS, RegisterAction};
use myoscope::ui::{Setup, Workbench, palette_names};
use std::time::{Duration, Instant};

type Window = Harness<'static, Option<Workbench>>;

/// A window of 1440 × 900 with the built-in case, once nothing runs any more.
fn window() -> Window {
    let frame = |ui: &mut egui::Ui, state: &mut Option<Workbench>| match state {
        Some(workbench) => workbench.show(ui),
        None => {
            let setup = Setup { isolated: true, ..Setup::default() };
            *state = Some(Workbench::in_context(ui.ctx(), &setup).expect("the theme can be read"));
        }
    };
    let mut harness = Harness::builder().with_size(egui::vec2(1440.0, 900.0)).build_ui_state(frame, None);
    let began = Instant::now();
    let ready = |w: &Window| w.state().as_ref().is_some_and(|w| w.is_idle() && !w.session().study.elements.is_empty());
    while !ready(&harness) {
        assert!(began.elapsed() < Duration::from_mins(1), "the built-in case takes too long");
        std::thread::sleep(Duration::from_millis(20));
        harness.step();
    }
    harness.run_steps(3);
    harness
}

fn workbench(window: &Window) -> &Workbench {
    window.state().as_ref().expect("made in the first frame")
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

    let worst = workbench(&harness).frame_ms().into_iter().rev().take(8).fold(0.0, f64::max);
    assert!(worst < 50.0, "a frame took {worst:.1} ms of the interface thread");
}

#[test]
fn the_palette_knows_every_command() {
    let names = palette_names();
    for spec in COMMANDS {
        assert!(names.iter().any(|(c, _)| *c == spec.command), "{} cannot be found", spec.text);
    }
}
