//! Segmentations drawn by hand: against `SciPy` and scikit-image, and as stories of a session that undoes, saves,
//! crashes, opens again and repeats every edit to the voxel.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "common/sessions.rs"]
mod sessions;

use myoscope::base::{Limits, Progress};
use myoscope::imaging::paint::{Brush, Connect, GrowSettings, Tip, fill_holes, grow, interpolate_slices, largest_piece};
use myoscope::model::{ElementId, FigureKind, LabelTable, Samples, Volume};
use myoscope::scene::PaneKind;
use myoscope::session::{
    Action, Command, Dab, FigureAction, LabelAction, LabelOp, LabelVolumes, Session, ViewAction, Which, replay,
};
use myoscope::space::{DAffine3, DVec2, DVec3, Grid};
use serde_json::Value;
use sessions::{demo, settle};
use std::sync::Arc;

#[path = "common/onnx.rs"]
mod onnx;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/label_edits.json")).unwrap()
}

/// A mask of run lengths, 0 first.
fn mask(runs: &Value, value: u8) -> Vec<u8> {
    let lengths = runs.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize);
    lengths.enumerate().flat_map(|(i, n)| vec![if i % 2 == 1 { value } else { 0 }; n]).collect()
}

fn three<T>(v: &Value, of: impl Fn(&Value) -> T) -> [T; 3] {
    std::array::from_fn(|a| of(&v[a]))
}

fn with(mut voxels: Vec<u8>, wanted: Vec<(usize, u8)>) -> Vec<u8> {
    wanted.into_iter().for_each(|(at, value)| voxels[at] = value);
    voxels
}

#[test]
fn slices_holes_pieces_and_regions_are_those_of_scipy() {
    let g = golden();
    let size = three(&g["size"], |v| v.as_u64().unwrap() as usize);
    let spacing = three(&g["spacing_mm"], |v| v.as_f64().unwrap());
    let none = Progress::none();
    let drawn = mask(&g["drawn"], 3);
    let between = interpolate_slices(&drawn, (size, spacing), 2, &[], &none).unwrap();
    assert_eq!(with(drawn, between), mask(&g["interpolated"], 3));
    let holed = mask(&g["holed"], 2);
    for (axis, name) in [(Some(2), "filled_by_slice"), (None, "filled_in_space")] {
        let filled = fill_holes(&holed, size, 2, axis, &none).unwrap();
        assert!(filled.len() > 20, "{name}: there is something to fill");
        assert_eq!(with(holed.clone(), filled), mask(&g[name], 2), "{name}");
    }
    let pieces = mask(&g["pieces"], 1);
    let grid = Grid::new(size, DAffine3::from_scale(DVec3::from_array(spacing))).unwrap();
    let values: Vec<i16> = g["image"].as_array().unwrap().iter().map(|v| v.as_i64().unwrap() as i16).collect();
    let image = Volume::new("i", grid, vec![Samples::I16(values.into())]).unwrap();
    let seed = three(&g["seed"], |v| v.as_i64().unwrap());
    for (connect, name) in [(Connect::Faces, "6"), (Connect::Edges, "18"), (Connect::Corners, "26")] {
        let rest = largest_piece(&pieces, size, 1, connect, &none).unwrap();
        assert_eq!(with(pieces.clone(), rest), mask(&g["largest"][name], 1), "{name}");
        let settings = GrowSettings { tolerance: g["tolerance"].as_f64().unwrap(), connect, most_mm: 1e6, in_slice: None };
        let region = grow(&grid, grid.index(seed).unwrap(), (&image, 0), &settings, &none).unwrap();
        let region = region.into_iter().map(|at| (at, 1)).collect();
        assert_eq!(with(vec![0; grid.n_voxels()], region), mask(&g["flood"][name], 1), "{name}");
    }
}

/// Whole numbers that look random.
struct Dice(u64);

impl Dice {
    fn next(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn label(session: &mut Session, action: LabelAction) {
    session.apply(Action::Label(action));
}

/// A stroke over a few random places of a pane, with any label, tip and size.
fn stroke(session: &mut Session, labels: ElementId, dice: &mut Dice) {
    let pane = [PaneKind::ShortAxis, PaneKind::TwoChamber][dice.next(2) as usize];
    let plane = session.shown_plane(pane).unwrap();
    let center = plane.plane_from_lps(session.heart().unwrap().grid.center_lps());
    let mut place = || {
        let off = DVec2::new(dice.next(80) as f64 - 40.0, dice.next(80) as f64 - 40.0);
        plane.lps_from_plane(center + off)
    };
    let places: Vec<DVec3> = (0..4).map(|_| place()).collect();
    let tip = if dice.next(4) == 0 { Tip::Ball } else { Tip::Disc };
    let brush = Brush { plane, tip, radius_mm: 2.0 + dice.next(12) as f64 };
    let (value, erase, phase) = (1 + dice.next(3) as u8, dice.next(4) == 0, dice.next(3) as usize);
    for pair in places.windows(2) {
        let within = (dice.next(3) == 0).then_some([20.0, 200.0]);
        label(session, LabelAction::Draw(Dab { labels, phase, value, erase, brush, path: [pair[0], pair[1]], within }));
    }
    label(session, LabelAction::EndStroke);
}

#[test]
fn hundreds_of_strokes_are_undone_and_made_again_to_the_voxel() {
    let mut session = demo(None);
    let labels = session.drawn_labels().unwrap();
    let mut dice = Dice(7);
    let mut states = vec![session.study.clone()];
    let first = session.history.edits().len();
    for n in 0..220 {
        stroke(&mut session, labels, &mut dice);
        if session.history.edits().len() - first == states.len() {
            states.push(session.study.clone());
        }
        if n == 100 {
            let map = session.study.labels(labels).unwrap();
            let table = LabelTable { locked: [2].into(), ..map.label_table() };
            label(&mut session, LabelAction::Table { labels, table, step: "lock label" });
            states.push(session.study.clone());
        }
    }
    assert!(states.len() > 150, "{}", states.len());
    let muscle = |s: &myoscope::model::Study| {
        let map = s.labels(labels).unwrap();
        (0..map.n_phases()).map(|p| map.count(p, 2)).collect::<Vec<_>>()
    };
    assert_eq!(muscle(states.last().unwrap()), muscle(&states[first_locked(&states, labels)]), "a locked label stays");
    for state in states.iter().rev().skip(1) {
        session.apply(Action::Command(Command::Undo));
        assert!(session.study.elements == state.elements);
    }
    for state in &states[1..] {
        session.apply(Action::Command(Command::Redo));
        assert!(session.study.elements == state.elements);
    }
    settle(&mut session);
}

fn first_locked(states: &[myoscope::model::Study], labels: ElementId) -> usize {
    states.iter().position(|s| !s.labels(labels).unwrap().locked.is_empty()).unwrap()
}

/// A new segmentation with some work of every kind, and figures.
fn draw_something(session: &mut Session) -> ElementId {
    session.apply(Action::Command(Command::NewLabels));
    let labels = session.drawn_labels().unwrap();
    let plane = session.shown_plane(PaneKind::ShortAxis).unwrap();
    let center = plane.plane_from_lps(session.heart().unwrap().grid.center_lps());
    let corners = [(-20.0, -20.0), (20.0, -20.0), (20.0, 20.0), (-20.0, 20.0)].map(|(x, y)| center + DVec2::new(x, y)).to_vec();
    let work = |session: &mut Session, op, which| {
        label(session, LabelAction::Work { labels, op, which });
        settle(session);
    };
    work(session, LabelOp::Polygon { plane, corners, value: 3, erase: false }, Which::This(0));
    let grid = session.heart().unwrap().grid;
    let slice = grid.voxel_from_lps().transform_point3(plane.origin()).z.round() as usize;
    work(session, LabelOp::CopySlice { axis: 2, from: slice, to: slice + 2, value: None }, Which::This(0));
    work(session, LabelOp::Interpolate { values: Vec::new(), axis: 2 }, Which::This(0));
    work(session, LabelOp::CopyPhase { from: 0, to: 1, value: None }, Which::This(0));
    let mut dice = Dice(3);
    for _ in 0..6 {
        stroke(session, labels, &mut dice);
    }
    work(session, LabelOp::FillHoles { value: 3, axis: Some(2) }, Which::All);
    let at = |x: f64, y: f64| plane.lps_from_plane(center + DVec2::new(x, y));
    session.apply(Action::Figure(FigureAction::Add(FigureKind::Length, vec![at(-10.0, 0.0), at(20.0, 0.0)])));
    session.apply(Action::Figure(FigureAction::Add(FigureKind::Ellipse, vec![at(0.0, 0.0), at(9.0, 0.0), at(0.0, 7.0)])));
    session.apply(Action::Figure(FigureAction::Rename(0, "septum to wall".into())));
    assert_eq!(session.study.figures.len(), 2);
    labels
}

#[test]
fn what_was_drawn_is_saved_opened_repeated_and_found_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("runs");
    let mut session = demo(Some(&root));
    let labels = draw_something(&mut session);
    let map = Arc::clone(session.study.labels(labels).unwrap());
    assert!(map.count(0, 3) > 1000 && map.count(1, 3) > 1000);
    let mut volumes = LabelVolumes::default();
    volumes.update(&map);
    let ml = map.count(1, 3) as f64 * map.grid.voxel_mm3() / 1000.0;
    assert!((volumes.ml(1, 3) - ml).abs() < 1e-9);
    let file = folder.path().join("a.myo");
    session.apply(Action::Save { path: file.clone(), with_data: false });
    settle(&mut session);
    let same = |other: &Session| {
        assert!(other.study.elements == session.study.elements);
        assert_eq!((&other.study.figures, &other.study.layers), (&session.study.figures, &session.study.layers));
    };

    let mut opened = Session::new(Arc::new(|| {}));
    opened.apply(Action::Open(vec![file.clone()]));
    settle(&mut opened);
    same(&opened);
    let n = session.history.edits().len();
    assert_eq!(opened.history.edits().len(), n);
    while opened.history.done().next().is_some() {
        opened.apply(Action::Command(Command::Undo));
    }
    while opened.history.undone().next().is_some() {
        opened.apply(Action::Command(Command::Redo));
    }
    same(&opened);

    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    same(&replay(&file, None, &out, Limits::default(), &Progress::none()).unwrap().session);

    // The process ends without a word; a copy of its folder has no lock.
    let crashed = folder.path().join("crashed");
    std::fs::create_dir_all(&crashed).unwrap();
    let run = std::fs::read_dir(&root).unwrap().next().unwrap().unwrap().path();
    let copy = crashed.join("run");
    std::fs::create_dir(&copy).unwrap();
    for name in ["journal.jsonl", "inputs.myo", "lock"] {
        if run.join(name).exists() {
            std::fs::copy(run.join(name), copy.join(name)).unwrap();
        }
    }
    let mut recovered = Session::new(Arc::new(|| {}));
    recovered.keep_journal(&crashed);
    assert!(recovered.leftover.is_some());
    recovered.apply(Action::Recover(true));
    settle(&mut recovered);
    same(&recovered);
}

#[test]
fn a_closed_segmentation_comes_back_with_what_was_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = demo(None);
    let labels = draw_something(&mut session);
    let map = Arc::clone(session.study.labels(labels).unwrap());
    session.apply(Action::Remove(labels));
    session.apply(Action::Command(Command::Undo));
    assert!(session.study.labels(labels).unwrap() == &map);
    let file = folder.path().join("a.myo");
    session.apply(Action::Save { path: file.clone(), with_data: false });
    settle(&mut session);
    let mut opened = Session::new(Arc::new(|| {}));
    opened.apply(Action::Open(vec![file]));
    settle(&mut opened);
    assert!(opened.study.labels(labels).unwrap() == &map);
    let heart = session.view.heart.unwrap();
    session.apply(Action::Remove(heart));
    settle(&mut session);
    assert!(session.study.figures.is_empty(), "figures go with their image");
    session.apply(Action::Command(Command::Undo));
    assert_eq!(session.study.figures.len(), 2);
}

#[test]
fn cancelled_locked_and_impossible_strokes_change_nothing() {
    let mut session = demo(None);
    let labels = session.drawn_labels().unwrap();
    let before = Arc::clone(session.study.labels(labels).unwrap());
    let n = session.history.edits().len();
    let plane = session.shown_plane(PaneKind::ShortAxis).unwrap();
    let at = session.heart().unwrap().grid.center_lps();
    let dab = |value, phase| Dab {
        labels,
        phase,
        value,
        erase: false,
        brush: Brush { plane, tip: Tip::Disc, radius_mm: 9.0 },
        path: [at; 2],
        within: None,
    };
    label(&mut session, LabelAction::Draw(dab(1, 0)));
    assert!(session.is_drawing() && session.study.labels(labels).unwrap() != &before);
    label(&mut session, LabelAction::CancelStroke);
    assert!(session.study.labels(labels).unwrap() == &before);
    label(&mut session, LabelAction::Draw(dab(77, 0)));
    label(&mut session, LabelAction::Draw(dab(1, 999)));
    assert!(!session.is_drawing() && session.study.labels(labels).unwrap() == &before);
    assert_eq!(session.history.edits().len(), n);
    // A stroke that is still under way is a step before anything else happens.
    label(&mut session, LabelAction::Draw(dab(1, 0)));
    session.apply(Action::Command(Command::Undo));
    assert!(session.study.labels(labels).unwrap() == &before);
    assert_eq!(session.history.undone().next_back().map(|n| n.starts_with("paint")), Some(true));
    session.apply(Action::View(ViewAction::Phase(0.5)));
}

#[test]
fn a_network_segments_in_the_background_and_is_one_step() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("n.onnx"), onnx::three_classes([None, None])).unwrap();
    let manifest = folder.path().join("n.toml");
    let text = "name = \"tiny\"\nmodel = \"n.onnx\"\n[input]\nlayout = \"NCHW\"\n[normalize]\nmethod = \"percentile\"\nlow = 0\nhigh = 100\nover = \"volume\"\n[[class]]\nindex = 1\nlabel = 2\n[[class]]\nindex = 2\nlabel = 3\n";
    std::fs::write(&manifest, text).unwrap();
    let mut session = demo(None);
    let image = session.view.heart.unwrap();
    label(&mut session, LabelAction::Segment { image, manifest });
    settle(&mut session);
    let made = session.drawn_labels().unwrap();
    let map = Arc::clone(session.study.labels(made).unwrap());
    let volume = session.heart().unwrap();
    assert_eq!((map.name.as_str(), map.n_phases()), ("tiny", volume.n_phases()));
    for phase in 0..map.n_phases() {
        let n = volume.grid.n_voxels();
        let values = || (0..n).map(|i| volume.value(phase, i));
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        for (i, v) in values().enumerate().filter(|(i, _)| i % 7 == 0) {
            let x = ((v - low) / (high - low)) as f32;
            let near = (x - 0.4).abs() < 1e-5 || (x - 0.7).abs() < 1e-5;
            let want = if x > 0.7 {
                3
            } else if x > 0.4 {
                2
            } else {
                0
            };
            assert!(near || map.phases[phase][i] == want, "voxel {i} of phase {phase}: {x}");
        }
    }
    session.apply(Action::Command(Command::Undo));
    assert!(session.study.labels(made).is_none());
    session.apply(Action::Command(Command::Redo));
    assert!(session.study.labels(made).unwrap() == &map);
}
