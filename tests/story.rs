//! The program's main job as a story, without a window: open, place landmarks, fit, undo, save, crash, open again.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "common/sessions.rs"]
mod sessions;

use myoscope::base::{Limits, Progress};
use myoscope::model::TransformModel;
use myoscope::model::{ElementId, Excluded};
use myoscope::scene::PaneKind;
use myoscope::session::{
    Action, Command, ExportWhat, FlavorRecord, ReduceTask, RegisterAction, Session, Side, Task, ViewAction, replay,
};
use myoscope::space::{DVec2, DVec3};
use sessions::{demo, settle};
use std::sync::Arc;

fn register(session: &mut Session, action: RegisterAction) {
    let before = session.messages.len();
    session.apply(Action::Register(action));
    assert_eq!(session.messages.len(), before, "{:?}", session.messages.last());
    assert_eq!(session.study.check(), Vec::<String>::new());
}

/// Places the missing sides of all pairs as the truth says.
fn complete(session: &mut Session) {
    let truth = myoscope::phantom::make_case(0, &myoscope::base::Progress::none()).unwrap().truth;
    let pairs = session.registration().unwrap().landmarks.pairs.clone();
    for (i, pair) in pairs.iter().enumerate() {
        let known = truth.landmarks.pairs.iter().find(|t| t.name == pair.name).unwrap();
        session.apply(Action::View(ViewAction::SelectPair(Some(i))));
        if pair.moving.is_none() {
            register(session, RegisterAction::Place(Side::Moving(known.moving.unwrap())));
        }
        if pair.fixed.is_none() {
            register(session, RegisterAction::Place(Side::Fixed(known.fixed.unwrap())));
        }
    }
}

#[test]
fn the_demo_is_registered_by_hand() {
    let mut session = demo(None);
    let half = session.registration().unwrap();
    assert!(half.landmarks.pairs.iter().any(|l| l.moving.is_none() != l.fixed.is_none()), "some pairs are half placed");
    assert!(half.fit.is_some(), "two complete pairs are enough for a similarity");
    complete(&mut session);
    register(&mut session, RegisterAction::SetModel(TransformModel::Affine));
    let quality = &session.registration().unwrap().fit.as_ref().unwrap().quality;
    assert_eq!(quality.n_pairs, session.registration().unwrap().landmarks.pairs.len());
    assert!(quality.rms_mm.unwrap() < 2.0, "rms {:?}", quality.rms_mm);
    assert!(quality.suspected_mirror().is_none() && quality.swapped_pairs.is_empty());
    let cells = &session.derived.bullseye;
    assert!(cells.iter().any(|c| c.n > 100), "genes are on the bullseye");
    assert!(cells.iter().any(|c| c.value.is_none()), "segments without tissue have no value");
}

#[test]
fn everything_is_undone_by_name_and_exactly() {
    let mut session = demo(None);
    let start = session.study.clone();
    complete(&mut session);
    register(&mut session, RegisterAction::SetModel(TransformModel::ThinPlate));
    register(&mut session, RegisterAction::MendMirror);
    register(&mut session, RegisterAction::SetStiffness(0.5));
    let pair = 0;
    let at = session.registration().unwrap().landmarks.pairs[pair].moving.unwrap();
    for step in 1..=5 {
        let to = Side::Moving(at + DVec2::splat(0.1 * f64::from(step)));
        session.apply(Action::Register(RegisterAction::Drag { pair, to }));
    }
    let n_before = session.history.done().count();
    session.apply(Action::Register(RegisterAction::EndDrag));
    assert_eq!(session.history.done().count(), n_before + 1, "a drag is one step");
    assert!(session.history.done().next_back().unwrap().starts_with("move pair"));
    let end = session.study.clone();
    let n = session.history.done().count() - 1;
    for _ in 0..n {
        session.apply(Action::Command(Command::Undo));
    }
    assert_eq!(session.study.registrations, start.registrations);
    assert_eq!(session.study.layers, start.layers);
    for _ in 0..n {
        session.apply(Action::Command(Command::Redo));
    }
    assert_eq!(session.study.registrations, end.registrations);
}

#[test]
fn an_escaped_drag_leaves_nothing() {
    let mut session = demo(None);
    let before = session.study.clone();
    let to = Side::Moving(DVec2::new(1.0, 1.0));
    session.apply(Action::Register(RegisterAction::Drag { pair: 0, to }));
    assert_ne!(session.study.registrations, before.registrations);
    session.apply(Action::Register(RegisterAction::CancelDrag));
    assert_eq!(session.study.registrations, before.registrations);
}

#[test]
fn saved_and_opened_again_everything_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("José Müller").join("case.myo");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut session = demo(None);
    complete(&mut session);
    session.apply(Action::View(ViewAction::Mix(0.25)));
    session.apply(Action::Save { path: path.clone(), with_data: false });
    settle(&mut session);
    assert!(path.exists(), "{:?}", session.messages);
    let mut again = Session::new(Arc::new(|| {}));
    again.apply(Action::Open(vec![path]));
    settle(&mut again);
    assert_eq!(again.study.registrations, session.study.registrations);
    assert_eq!(again.study.layers, session.study.layers);
    assert!((again.view.mix - 0.25).abs() < 1e-12);
    assert_eq!(again.history.done().collect::<Vec<_>>(), session.history.done().collect::<Vec<_>>());
    again.apply(Action::Command(Command::Undo));
    session.apply(Action::Command(Command::Undo));
    assert_eq!(again.study.registrations, session.study.registrations, "undo works after opening");
}

#[test]
fn a_killed_run_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut session = demo(Some(root.path()));
    complete(&mut session);
    let (registrations, names) =
        (session.study.registrations.clone(), session.history.done().map(str::to_owned).collect::<Vec<_>>());
    drop(session); // as a killed process: the lock goes, the journal stays
    let mut next = Session::new(Arc::new(|| {}));
    next.keep_journal(root.path());
    assert!(next.leftover.is_some());
    next.apply(Action::Recover(true));
    settle(&mut next);
    assert_eq!(next.study.registrations, registrations);
    assert_eq!(next.history.done().collect::<Vec<_>>(), names);
    next.end();
    drop(next);
    let mut third = Session::new(Arc::new(|| {}));
    third.keep_journal(root.path());
    assert!(third.leftover.is_none(), "a run that ended well leaves nothing");
}

#[test]
fn moved_data_are_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    std::fs::create_dir(&old).unwrap();
    let case = myoscope::phantom::make_case(3, &myoscope::base::Progress::none()).unwrap();
    myoscope::io::nifti::write_nifti_volume(&old.join("cine.nii.gz"), &case.cine).unwrap();
    myoscope::io::nifti::write_nifti_labels(&old.join("labels.nii.gz"), &case.cine_labels).unwrap();
    let mut session = Session::new(Arc::new(|| {}));
    session.apply(Action::Open(vec![old.join("cine.nii.gz"), old.join("labels.nii.gz")]));
    settle(&mut session);
    assert_eq!(session.study.elements.len(), 2, "{:?}", session.messages);
    for (name, with_data) in [("linked.myo", false), ("whole.myo", true)] {
        session.apply(Action::Save { path: folder.path().join(name), with_data });
        settle(&mut session);
    }
    std::fs::rename(&old, &new).unwrap();
    let mut again = Session::new(Arc::new(|| {}));
    again.apply(Action::Open(vec![folder.path().join("linked.myo")]));
    settle(&mut again);
    assert_eq!(again.relink.as_ref().map(|r| r.missing.len()), Some(2));
    again.apply(Action::Relink(new));
    settle(&mut again);
    assert!(again.relink.is_none());
    assert_eq!(again.study.elements.len(), 2, "{:?}", again.messages);
    let mut whole = Session::new(Arc::new(|| {}));
    whole.apply(Action::Open(vec![folder.path().join("whole.myo")]));
    settle(&mut whole);
    assert_eq!(whole.study.elements.len(), 2, "{:?}", whole.messages);
}

#[test]
fn the_cursor_is_named_in_every_space() {
    let mut session = demo(None);
    complete(&mut session);
    let case = myoscope::phantom::make_case(0, &myoscope::base::Progress::none()).unwrap();
    let spots = case.section.spots.clone().unwrap();
    let scale = case.section.mm_per_px();
    let spot = case.truth.tissue.iter().position(|t| t.segment.is_some()).unwrap();
    session.apply(Action::View(ViewAction::Cursor(Some((PaneKind::Section, spots.px[spot] * scale)))));
    let readout = session.readout();
    let spaces: Vec<&str> = readout.positions.iter().map(|(s, _)| s.as_str()).collect();
    assert_eq!(spaces.len(), 3, "pixel, section, patient: {spaces:?}");
    assert!(readout.segment.is_some());
    assert!(!readout.values.is_empty());
    let lps = session.view.cursor.unwrap();
    assert!(lps.distance(case.truth.spots_lps[spot]) < 5.0, "{lps} {}", case.truth.spots_lps[spot]);
}

#[test]
fn the_full_list_returns_the_planted_chain() {
    let case = myoscope::phantom::make_case(7, &myoscope::base::Progress::none()).unwrap();
    let pairs = case.truth.landmarks.complete();
    let moving: Vec<DVec2> = pairs.iter().map(|p| p.1).collect();
    let fixed: Vec<DVec2> = pairs.iter().map(|p| case.plane.plane_from_lps(p.2)).collect();
    let warp = myoscope::register::fit_2d(TransformModel::ThinPlate, 0.0, &moving, &fixed).unwrap();
    let (spots, scale) = (case.section.spots.unwrap(), case.section.pixel_size.clone());
    let myoscope::model::PixelSize::Known { um_per_px, .. } = scale else { panic!("the demo has a unit") };
    let worst = spots
        .px
        .iter()
        .zip(&case.truth.spots_lps)
        .map(|(px, lps): (&DVec2, &DVec3)| case.plane.lps_from_plane(warp.apply(*px * um_per_px / 1000.0)).distance(*lps));
    let worst = worst.fold(0.0, f64::max);
    assert!(worst < 0.1, "{worst} mm at the spots");
}

#[test]
fn a_history_repeats_in_an_empty_folder_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = demo(None);
    complete(&mut session);
    let section = session.view.section.unwrap();
    let names = session.study.section(section).unwrap().expression.as_ref().unwrap().observations()[..40].to_vec();
    session.apply(Action::Exclude { what: Excluded::Spots { section, names }, reason: "a fold in the tissue".into() });
    session.apply(Action::View(ViewAction::Phase(0.3)));
    for pane in [PaneKind::ShortAxis, PaneKind::Overlay] {
        let what = ExportWhat::Picture { pane: pane.title().into(), size_px: [300, 200], pane_px: None, caption: true };
        session.apply(Action::Export { what, path: folder.path().join(format!("{}.png", pane.title())) });
        settle(&mut session);
    }
    let (of, heart, values) = (section.0, session.view.heart.unwrap().0, vec!["NPPA".to_owned(), "MYH7".to_owned()]);
    let more = [
        ("overlay.svg", ExportWhat::Picture { pane: "Overlay".into(), size_px: [300, 300], pane_px: None, caption: true }),
        ("spots.h5ad", ExportWhat::Spots { section: of, values: Vec::new(), log_normalized: true }),
        ("spots.parquet", ExportWhat::Spots { section: of, values: values.clone(), log_normalized: false }),
        ("map.nii.gz", ExportWhat::Map { section: of, value: "NPPA".into(), log_normalized: true, heart }),
        ("segments.csv", ExportWhat::Segments { section: Some(of), values, log_normalized: true }),
        ("residuals.csv", ExportWhat::Residuals { section: of }),
        ("layers.csv", ExportWhat::Layers { section: of }),
        ("transform.json", ExportWhat::Transform { section: of }),
    ];
    for (name, what) in more {
        session.apply(Action::Export { what, path: folder.path().join(name) });
        settle(&mut session);
    }
    session.apply(Action::Register(RegisterAction::SetModel(TransformModel::Affine)));
    session.apply(Action::Command(Command::Undo));
    let file = folder.path().join("case.myo");
    session.apply(Action::Save { path: file.clone(), with_data: false });
    settle(&mut session);
    let out = tempfile::tempdir().unwrap();
    let again = replay(&file, None, out.path(), Limits::default(), &Progress::none()).unwrap();
    assert_eq!(again.written.len(), 21, "ten exports, a count volume, and the provenance of each");
    for path in &again.written {
        let first = std::fs::read(folder.path().join(path.file_name().unwrap())).unwrap();
        assert!(first == std::fs::read(path).unwrap(), "{} differs", path.display());
    }
    assert_eq!(again.session.study.registrations, session.study.registrations);
    assert_eq!(again.session.study.exclusions, session.study.exclusions);
    assert_eq!(again.session.history.lines(), session.history.lines());
}

#[test]
fn what_is_left_out_has_a_reason_and_no_value() {
    let mut session = demo(None);
    let section = session.view.section.unwrap();
    let names = session.study.section(section).unwrap().expression.as_ref().unwrap().observations()[..3].to_vec();
    let what = Excluded::Spots { section, names };
    let before = session.messages.len();
    session.apply(Action::Exclude { what: what.clone(), reason: "  ".into() });
    assert_eq!(session.messages.len(), before + 1, "without a reason nothing is left out");
    session.apply(Action::Exclude { what, reason: "torn".into() });
    let values = &session.derived.spot_values[&section];
    assert!(values.values[..3].iter().all(|v| v.is_nan()) && values.rule.ends_with("3 left out"), "{}", values.rule);
    assert_eq!(session.study.check(), Vec::<String>::new());
    session.apply(Action::Exclude { what: Excluded::Slice { element: ElementId(1), slice: 999 }, reason: "blurred".into() });
    assert_eq!(session.study.exclusions.len(), 1, "there is no slice 1000");
    session.apply(Action::Command(Command::Undo));
    assert!(session.study.exclusions.is_empty());
    assert!(!session.derived.spot_values[&section].rule.contains("left out"));
}

#[test]
fn an_analysis_is_undone_saved_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = demo(None);
    let section = session.view.section.unwrap();
    let names = session.study.section(section).unwrap().expression.as_ref().unwrap().observations()[..20].to_vec();
    session.apply(Action::Exclude { what: Excluded::Spots { section, names }, reason: "torn".into() });
    let task = ReduceTask { n_genes: 40, n_components: 3, flavor: FlavorRecord::CellRanger, ..ReduceTask::usual(section) };
    session.apply(Action::Run(Task::Reduce(task)));
    settle(&mut session);
    let made = session.study.analyses.values().next().expect("an analysis").clone();
    assert!(made.fields[0].values[..20].iter().all(|v| v.is_nan()), "what is left out has no score");
    assert!(!made.sentence.is_empty() && !made.inputs.is_empty() && !made.settings.is_empty());
    assert_eq!(session.derived.spot_values[&section].title, made.fields[0].name, "its first values are painted");
    session.apply(Action::Command(Command::Undo));
    assert!(session.study.analyses.is_empty());
    assert_ne!(session.derived.spot_values[&section].title, made.fields[0].name);
    session.apply(Action::Command(Command::Redo));
    let file = folder.path().join("case.myo");
    session.apply(Action::Save { path: file.clone(), with_data: false });
    settle(&mut session);
    let mut again = Session::new(Arc::new(|| {}));
    again.apply(Action::Open(vec![file]));
    settle(&mut again);
    let remade = again.study.analyses.values().next().expect("the analysis is made again");
    assert_eq!(remade.fields.len(), 3);
    for (a, b) in made.fields.iter().zip(&remade.fields) {
        assert!(a.name == b.name && a.values.iter().zip(b.values.iter()).all(|(x, y)| x.to_bits() == y.to_bits()));
    }
    assert_eq!((&remade.sentence, &remade.settings, &remade.inputs), (&made.sentence, &made.settings, &made.inputs));
    assert_eq!(again.study.exclusions, session.study.exclusions);
}

#[test]
fn landmark_files_open_as_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.csv");
    let truth = myoscope::phantom::make_case(0, &Progress::none()).unwrap().truth.landmarks;
    myoscope::io::write_pairs(&path, &myoscope::io::PairTable::from_landmarks(&truth, 1e-3)).unwrap();
    let mut empty = Session::new(Arc::new(|| {}));
    empty.apply(Action::Open(vec![path.clone()]));
    settle(&mut empty);
    assert!(empty.messages.last().unwrap().text.contains("nowhere to go"), "{:?}", empty.messages);
    let mut session = demo(None);
    let before = session.registration().unwrap().clone();
    session.apply(Action::Open(vec![path]));
    settle(&mut session);
    let opened = session.registration().unwrap();
    assert_eq!(opened.landmarks.pairs.len(), truth.pairs.len(), "{:?}", session.messages);
    for (a, b) in opened.landmarks.pairs.iter().zip(&truth.pairs) {
        assert!(a.name == b.name && a.moving.unwrap().distance(b.moving.unwrap()) < 1e-9, "{a:?} {b:?}");
    }
    assert!(opened.fit.is_some() && opened.plane == before.plane);
    session.apply(Action::Command(Command::Undo));
    assert_eq!(session.registration(), Some(&before));
}
