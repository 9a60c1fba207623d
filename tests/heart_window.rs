//! The heart in the window, without a window: what the bullseye shows, what lights up, planes found from labels and from
//! three clicks, the numbers of the Heart panel against those of the command line, corrections of what was imported.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "common/sessions.rs"]
mod sessions;

use myoscope::base::{Limits, Progress};
use myoscope::io::Table;
use myoscope::model::{AnalysisId, AnalysisResult, ElementId, MeasuredValue, Mend};
use myoscope::scene::{
    BullseyeOf, BullseyeView, Drawn, HeartAxis, HeartView, Inputs, PaneKind, SceneCache, build, heart_axis, light_box_tile,
};
use myoscope::session::{
    Action, Body, Command, ExportWhat, MeasureTask, MeasureWhat, RadiomicsChoice, ScarChoice, Session, Task, ViewAction,
};
use myoscope::space::DVec3;
use sessions::{demo, settle};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn labels_of(session: &Session) -> ElementId {
    session.study.label_maps().next().unwrap().0
}

fn measure(session: &mut Session, task: MeasureTask) -> AnalysisId {
    let before = session.messages.len();
    session.apply(Action::Run(Task::Measure(Box::new(task))));
    settle(session);
    let said: Vec<&str> = session.messages[before..].iter().map(|m| m.text.as_str()).collect();
    *session.study.analyses.last_key_value().unwrap_or_else(|| panic!("{said:?}")).0
}

fn rows(session: &Session, id: AnalysisId) -> Vec<MeasuredValue> {
    match &session.study.analyses[&id].result {
        AnalysisResult::Measures(found) => found.rows.clone(),
        other => panic!("{other:?}"),
    }
}

fn scene(session: &Session, pane: PaneKind) -> myoscope::scene::Scene {
    let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: 1.0 };
    build(&inputs, &mut SceneCache::default(), pane, [600, 500])
}

#[test]
fn any_measure_two_phases_and_their_difference_are_on_the_bullseye() {
    let mut session = demo(None);
    let labels = labels_of(&session);
    let wall = MeasureWhat::Wall { definition: "radial".into() };
    let id = measure(&mut session, MeasureTask { what: wall, ..MeasureTask::usual(labels) });
    let of = |phase: &str| BullseyeOf::Measure { analysis: id, metric: "wall_thickness_mean".into(), phase: phase.into() };
    let show = |session: &mut Session, difference| {
        let (of, other) = (of("ES"), Some(of("ED")));
        session.apply(Action::Bullseye(Box::new(BullseyeView { of, other, difference, territories: true })));
    };
    show(&mut session, false);
    assert_eq!(session.discs().len(), 2);
    let [es, ed] = [0, 1].map(|k| session.discs()[k].clone());
    let scale = session.derived.bullseye_scale.clone().unwrap();
    let all = || es.values.iter().chain(&ed.values).flatten().copied();
    assert_eq!((scale.low, scale.high), (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max)), "one scale");
    assert!(!scale.outlines.is_empty() && scale.names.len() == 2 && !session.derived.bullseye_beside.is_empty());
    assert!(ed.counts[8] > 50 && ed.unit == "mm" && ed.method.contains("radial"));
    let found = rows(&session, id);
    let row = found.iter().find(|r| r.region == "8" && r.phase == "ED" && r.metric == "wall_thickness_mean").unwrap();
    assert_eq!(ed.values[8], Some(row.value), "the same number as in the table");
    show(&mut session, true);
    let minus = session.discs()[0].clone();
    assert_eq!(minus.values[8], Some(es.values[8].unwrap() - ed.values[8].unwrap()));
    let scale = session.derived.bullseye_scale.as_ref().unwrap();
    assert!(scale.low == -scale.high && session.derived.bullseye_beside.is_empty());
    // The chooser is part of the view that a project keeps; an analysis that is gone leaves an empty disc.
    session.apply(Action::RemoveAnalysis(id));
    assert!(session.discs()[0].values.iter().all(Option::is_none));
}

#[test]
fn a_clicked_segment_lights_its_voxels_and_spots_everywhere() {
    let mut session = demo(None);
    let section = session.view.section.unwrap();
    let segments = Arc::clone(&session.derived.spot_segments[&section]);
    let segment = (1..=17).max_by_key(|s| segments.iter().filter(|x| *x == s).count()).unwrap();
    let n = segments.iter().filter(|s| **s == segment).count();
    session.apply(Action::View(ViewAction::SelectSegment(Some(segment))));
    let heart = scene(&session, PaneKind::ShortAxis);
    let lit = |d: &&Drawn| matches!(d, Drawn::Labels(l) if l.only == Some(segment));
    assert_eq!(heart.drawn.iter().filter(lit).count(), 1, "voxels");
    for pane in [PaneKind::Section, PaneKind::Overlay] {
        let spots: Vec<usize> = scene(&session, pane)
            .drawn
            .iter()
            .filter_map(|d| if let Drawn::Spots(s) = d { Some(s.positions.len()) } else { None })
            .collect();
        assert_eq!(spots, [segments.len(), n, n], "all dimmed, a rim, the lit ones in {pane:?}");
    }
    // The other way: a place of the image and a spot light their segment.
    let index = segments.iter().position(|s| *s == segment).unwrap();
    let open = session.study.section(section).unwrap();
    let mm = open.spots.as_ref().unwrap().px[index] * open.mm_per_px();
    session.apply(Action::View(ViewAction::Cursor(Some((PaneKind::Section, mm)))));
    assert_eq!(session.derived.cursor_segment, Some(segment));
    let labels = session.study.labels(labels_of(&session)).unwrap().clone();
    let map = &session.derived.segments[&labels_of(&session)];
    assert_eq!(map.n_phases(), labels.n_phases(), "in every phase");
    let [nx, ny, _] = map.grid.size();
    let voxel = map.phases[0].iter().position(|s| *s == 10).unwrap();
    let at = DVec3::new((voxel % nx) as f64, (voxel / nx % ny) as f64, (voxel / (nx * ny)) as f64);
    session.apply(Action::View(ViewAction::GoTo(map.grid.lps_from_voxel().transform_point3(at))));
    assert_eq!(session.derived.cursor_segment, Some(10));
    for (muscle, segments) in labels.phases.iter().zip(&session.derived.segments[&labels_of(&session)].phases) {
        assert!(muscle.iter().zip(segments.iter()).all(|(l, s)| *s == 0 || *l == 2), "only muscle lights up");
    }
}

#[test]
fn planes_from_labels_are_those_of_the_true_heart() {
    let degrees = |c: f64| c.abs().min(1.0).acos().to_degrees();
    for seed in [1, 9, 33] {
        let case = myoscope::phantom::make_case(seed, &Progress::none()).unwrap();
        let truth = &case.truth;
        let septum = truth.insertions_lps[0].midpoint(truth.insertions_lps[1]);
        let exact = HeartAxis::of_points([truth.apex_lps, truth.base_lps, septum]).unwrap();
        let found = heart_axis(&case.cine, &case.cine_labels).unwrap();
        for view in HeartView::ALL {
            let error = degrees(exact.plane(view).normal().dot(found.plane(view).normal()));
            println!("seed {seed} {}: {error:.2}° from the true plane", view.name());
            assert!(error < 3.0, "seed {seed} {view:?}: {error}");
        }
        // Three clicks a few millimeters beside the true places give nearly the same.
        let beside = [DVec3::new(2.0, -1.0, 1.0), DVec3::new(-1.0, 2.0, 1.0), DVec3::new(1.0, 1.0, -2.0)];
        let clicks = [truth.apex_lps + beside[0], truth.base_lps + beside[1], septum + beside[2]];
        let clicked = HeartAxis::of_points(clicks).unwrap();
        let error = degrees(exact.to_apex.dot(clicked.to_apex));
        assert!(error < 5.0, "{error}");
    }
}

#[test]
fn three_clicks_cut_all_panes_and_a_pane_stays_with_its_image() {
    let mut session = demo(None);
    let (apex, base, right) = (DVec3::new(40.0, -40.0, -30.0), DVec3::new(0.0, 0.0, 10.0), DVec3::new(-30.0, -30.0, 0.0));
    session.apply(Action::View(ViewAction::Axis([apex, base, right])));
    let axis = HeartAxis::of_points([apex, base, right]).unwrap();
    for (pane, view) in [(PaneKind::ShortAxis, HeartView::Short), (PaneKind::FourChamber, HeartView::Four)] {
        assert!(session.pane_plane(pane).unwrap().normal().dot(axis.plane(view).normal()) > 0.9999);
    }
    let other = session.study.volumes().nth(1).unwrap().0;
    session.apply(Action::View(ViewAction::Pin(PaneKind::FourChamber, Some(other))));
    assert_eq!(session.view.heart_in(PaneKind::FourChamber), Some(other));
    let drawn = |pane| match &scene(&session, pane).drawn[0] {
        Drawn::Slice(s) => s.volume.name.clone(),
        other => panic!("{other:?}"),
    };
    assert_ne!(drawn(PaneKind::FourChamber), drawn(PaneKind::ShortAxis));
    session.apply(Action::Remove(other));
    assert_eq!(session.view.heart_in(PaneKind::FourChamber), session.view.heart, "what is gone is let go");
}

#[test]
fn the_light_box_shows_every_slice_and_every_phase() {
    let mut session = demo(None);
    let heart = Arc::clone(session.heart().unwrap());
    let slices =
        |session: &Session| scene(session, PaneKind::LightBox).drawn.iter().filter(|d| matches!(d, Drawn::Slice(_))).count();
    assert_eq!(slices(&session), heart.grid.size()[2]);
    session.apply(Action::View(ViewAction::LightBoxPhases(true)));
    assert_eq!(slices(&session), heart.n_phases());
    let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: 1.0 };
    let mut cache = SceneCache::default();
    let shown = build(&inputs, &mut cache, PaneKind::LightBox, [600, 500]);
    let tile = light_box_tile(&inputs, &mut cache, [600, 500], shown.camera.center).unwrap();
    assert!(tile.phase < heart.n_phases() && tile.number == tile.phase + 1);
}

/// Region, phase, metric, value, unit and method of each row of a table of measures.
fn table(path: &Path) -> Vec<(String, String, String, f64, String, String)> {
    let table = Table::read(path, &Limits::default()).unwrap();
    let texts = |name: &str| table.texts(name).unwrap().into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
    let [region, phase, metric, unit, method] = ["region", "phase", "metric", "unit", "method"].map(texts);
    let value = table.numbers("value").unwrap();
    (0..table.n_rows())
        .map(|i| {
            let text = |v: &Vec<String>| v[i].clone();
            (text(&region), text(&phase), text(&metric), value[i].unwrap(), text(&unit), text(&method))
        })
        .collect()
}

fn command(arguments: &[&str]) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_myoscope")).args(arguments).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The files of the built-in case, and a session with them open.
fn files() -> (tempfile::TempDir, Session, [PathBuf; 4]) {
    let folder = tempfile::tempdir().unwrap();
    command(&["demo", "--out", folder.path().to_str().unwrap(), "--quiet"]);
    let at = |name: &str| {
        let all = walk(folder.path());
        all.into_iter().find(|p| p.file_name().is_some_and(|n| n == name)).unwrap_or_else(|| panic!("no {name}"))
    };
    let remote = folder.path().join("remote-mask.nii.gz");
    std::fs::copy(at("remote.nii.gz"), &remote).unwrap();
    let paths = [at("cine-labels.nii.gz"), at("lge.nii.gz"), at("lge-labels.nii.gz"), remote];
    let mut session = Session::new(Arc::new(|| {}));
    session.apply(Action::Open(paths.to_vec()));
    settle(&mut session);
    (folder, session, paths)
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(walk(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn opened(session: &Session, path: &Path) -> ElementId {
    let is = |id: &ElementId| session.study.provenance[id].path.as_deref() == Some(path);
    *session.study.elements.keys().find(|id| is(id)).unwrap_or_else(|| panic!("{} is not open", path.display()))
}

#[test]
fn the_panel_gives_the_numbers_of_the_command_line() {
    let (folder, mut session, paths) = files();
    let [cine, lge, lge_labels, remote] = paths.each_ref().map(|p| opened(&session, p));
    let text = paths.each_ref().map(|p| p.to_str().unwrap().to_owned());
    let on = |labels: ElementId, image: Option<ElementId>, what: MeasureWhat| MeasureTask {
        image: image.map(|i| i.0),
        what,
        ..MeasureTask::usual(labels)
    };
    let body = Body { heart_rate: Some(70.0), height_cm: Some(172.0), weight_kg: Some(75.0), ..Body::default() };
    let scar = |rule: &str, remote: Option<ElementId>| {
        MeasureWhat::Scar(ScarChoice { rule: rule.into(), min_voxels: 5, remote: remote.map(|r| r.0), obstruction: false })
    };
    let strain = MeasureWhat::Strain { green: false, close_drift: false };
    let cases: Vec<(MeasureTask, Vec<&str>)> = vec![
        (
            MeasureTask { body, ..MeasureTask::usual(cine) },
            vec!["ventricles", "--labels", &text[0], "--heart-rate=70", "--height-cm=172", "--weight-kg=75", "--all-phases"],
        ),
        (
            on(cine, None, MeasureWhat::Wall { definition: "centerline".into() }),
            vec!["wall", "--labels", &text[0], "--method", "centerline"],
        ),
        (
            on(lge_labels, Some(lge), scar("sd:3", Some(remote))),
            vec!["scar", "--image", &text[1], "--labels", &text[2], "--rule", "sd:3", "--remote", &text[3]],
        ),
        (
            on(lge_labels, Some(lge), scar("fwhm-min", None)),
            vec!["scar", "--image", &text[1], "--labels", &text[2], "--rule", "fwhm-min"],
        ),
        (on(lge_labels, Some(lge), MeasureWhat::Segments), vec!["segments", "--image", &text[1], "--labels", &text[2]]),
        (
            on(lge_labels, None, MeasureWhat::Ecv { pre: lge.0, post: lge.0, hematocrit: 0.42 }),
            vec!["ecv", "--t1-pre", &text[1], "--t1-post", &text[1], "--labels", &text[2], "--hematocrit", "0.42"],
        ),
        (on(cine, None, strain), vec!["strain", "--labels", &text[0]]),
        (on(lge_labels, None, MeasureWhat::Compare { other: lge_labels.0 }), vec!["compare", "--a", &text[2], "--b", &text[2]]),
    ];
    for (task, arguments) in cases {
        let name = task.name();
        let out = folder.path().join("cli.csv");
        let mut all = vec!["measure"];
        all.extend(&arguments);
        all.extend(["--out", out.to_str().unwrap()]);
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_myoscope")).args(&all).output().unwrap();
        if run.status.code() != Some(0) {
            // Both refuse the same thing.
            let before = session.study.analyses.len();
            session.apply(Action::Run(Task::Measure(Box::new(task))));
            settle(&mut session);
            assert_eq!(session.study.analyses.len(), before, "{name}: {}", String::from_utf8_lossy(&run.stderr));
            println!("{name}: both refuse it");
            continue;
        }
        let id = measure(&mut session, task);
        let window = folder.path().join("window.csv");
        session.apply(Action::Export { what: ExportWhat::Measures { analysis: id.0 }, path: window.clone() });
        settle(&mut session);
        let (ours, theirs) = (table(&window), table(&out));
        let missing: Vec<_> = theirs.iter().filter(|row| !ours.contains(row)).collect();
        println!("{name}: {} rows of the command line, {} in the panel", theirs.len(), ours.len());
        assert!(missing.is_empty() && !theirs.is_empty(), "{name}: the panel lacks {:?}", &missing[..missing.len().min(3)]);
    }
}

#[test]
fn the_panel_gives_the_texture_of_the_command_line() {
    let (folder, mut session, paths) = files();
    let [_, lge, lge_labels, _] = paths.each_ref().map(|p| opened(&session, p));
    let text = paths.each_ref().map(|p| p.to_str().unwrap().to_owned());
    let texture =
        RadiomicsChoice { label: Some(2), discretize: "count:32".into(), aggregation: "3D_comb".into(), ..Default::default() };
    let what = MeasureWhat::Radiomics(texture);
    let id = measure(&mut session, MeasureTask { image: Some(lge.0), what, ..MeasureTask::usual(lge_labels) });
    let out = folder.path().join("texture.csv");
    let discretize = ["--discretize", "count:32", "--aggregation", "3D_comb", "--label", "2", "--out", out.to_str().unwrap()];
    let mut all = vec!["measure", "radiomics", "--image", &text[1], "--mask", &text[2]];
    all.extend(discretize);
    command(&all);
    let table = Table::read(&out, &Limits::default()).unwrap();
    let (tags, values) = (table.texts("tag").unwrap(), table.numbers("value").unwrap());
    let found = rows(&session, id);
    for (tag, value) in tags.into_iter().zip(values).filter_map(|(t, v)| t.zip(v)) {
        assert_eq!(found.iter().find(|r| r.metric == tag).map(|r| r.value), Some(value), "{tag}");
    }
}

#[test]
fn the_exported_bullseye_is_that_of_the_command_line() {
    let (folder, mut session, paths) = files();
    let cine = opened(&session, &paths[0]);
    let id = measure(
        &mut session,
        MeasureTask { what: MeasureWhat::Wall { definition: "nearest".into() }, ..MeasureTask::usual(cine) },
    );
    let of = BullseyeOf::Measure { analysis: id, metric: "wall_thickness_mean".into(), phase: "ED".into() };
    session.apply(Action::Bullseye(Box::new(BullseyeView { of, ..Default::default() })));
    let at = |name: &str| folder.path().join(name);
    session.apply(Action::Export { what: ExportWhat::Bullseye, path: at("window.csv") });
    settle(&mut session);
    session.apply(Action::Export { what: ExportWhat::Measures { analysis: id.0 }, path: at("wall.csv") });
    settle(&mut session);
    let (wall, cli) = (at("wall.csv"), at("cli.csv"));
    let (wall, cli) = (wall.to_str().unwrap(), cli.to_str().unwrap());
    command(&["measure", "bullseye", "--table", wall, "--metric", "wall_thickness_mean", "--phase", "ED", "--out", cli]);
    let read = |name: &str| Table::read(&at(name), &Limits::default()).unwrap();
    let (ours, theirs) = (read("window.csv"), read("cli.csv"));
    assert_eq!(ours.numbers("value").unwrap(), theirs.numbers("value").unwrap());
    assert_eq!(ours.texts("method").unwrap(), theirs.texts("method").unwrap());
    let svg = at("two.svg");
    command(&[
        "measure",
        "bullseye",
        "--table",
        wall,
        "--metric",
        "wall_thickness_mean",
        "--phase",
        "ED",
        "--beside-phase",
        "ES",
        "--territories",
        "--out",
        svg.to_str().unwrap(),
    ]);
    let drawn = std::fs::read_to_string(svg).unwrap();
    assert!(drawn.contains("wall thickness mean, ES") && drawn.contains("wall thickness mean, ED"));
}

#[test]
fn a_correction_is_undone_and_comes_back_with_the_project() {
    let (folder, mut session, paths) = files();
    let image = opened(&session, &paths[1]);
    let spacing = |s: &Session| s.study.volume(image).unwrap().grid.spacing_mm().z;
    let before = spacing(&session);
    session.apply(Action::Mend { image, mend: Mend::SliceSpacing(12.5) });
    settle(&mut session);
    assert!((spacing(&session) - 12.5).abs() < 1e-12);
    session.apply(Action::Command(Command::Undo));
    assert_eq!(spacing(&session), before);
    session.apply(Action::Command(Command::Redo));
    let project = folder.path().join("p.myo");
    session.apply(Action::Save { path: project.clone(), with_data: false });
    settle(&mut session);
    let mut again = Session::new(Arc::new(|| {}));
    again.apply(Action::Open(vec![project]));
    settle(&mut again);
    let restored = opened(&again, &paths[1]);
    assert!((again.study.volume(restored).unwrap().grid.spacing_mm().z - 12.5).abs() < 1e-9);
    assert_eq!(again.study.provenance[&restored].mends, [Mend::SliceSpacing(12.5)]);
    session.apply(Action::Unmend(image));
    assert_eq!(spacing(&session), before);
    let n = session.messages.len();
    session.apply(Action::Mend { image, mend: Mend::Phases { n: 7, by_slice: false } });
    settle(&mut session);
    assert!(session.messages.len() > n, "what cannot be done is told");
}
