//! The cohort from outside: the built-in one as files and back, sheets on the command line, exclusions with
//! reasons in the session.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

#[path = "common/sessions.rs"]
mod sessions;

use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Content, Reading, open, write_cohort};
use myoscope::model::{Cohort, Excluded, Exclusion};
use myoscope::phantom::make_cohort;
use myoscope::scene::{Inputs, Mark, PaneKind, SceneCache, build, cohort_hit};
use myoscope::session::{Action, Command, Session, cohort_report};
use myoscope::space::DVec2;
use sessions::settle;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

fn read(path: &Path) -> (Cohort, Warnings) {
    let (mut warnings, progress) = (Warnings::default(), Progress::none());
    let found = open(path, &mut Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings }).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let Content::Cohort(cohort) = found.into_iter().next().unwrap().content else { panic!("no cohort") };
    (cohort, warnings)
}

/// Everything of a cohort but its name; missing values compare as equal.
fn facts(cohort: &Cohort) -> String {
    let views: Vec<_> = cohort.views().iter().map(|v| (&v.name, &v.unit, &v.table, &v.missing)).collect();
    format!("{:?}\n{:?}\n{views:?}", cohort.subjects(), cohort.covariates())
}

#[test]
fn the_built_in_cohort_comes_back_from_its_files() {
    for seed in [0, 7] {
        let cohort = make_cohort(seed).unwrap().cohort;
        let folder = tempfile::tempdir().unwrap();
        let files = write_cohort(folder.path(), &cohort).unwrap();
        assert_eq!(files, ["sample_sheet.csv", "phenotypes.csv", "bulk.csv", "single_cell.csv", "protein.csv"]);
        let (back, warnings) = read(&folder.path().join("sample_sheet.csv"));
        assert_eq!(warnings.notes, []);
        assert_eq!(facts(&back), facts(&cohort));
        // A folder with the sheet gives the sheet; its tables belong to it.
        assert_eq!(facts(&read(folder.path()).0), facts(&cohort));
    }
}

#[test]
fn it_is_made_at_once() {
    let began = Instant::now();
    make_cohort(1).unwrap();
    assert!(began.elapsed().as_secs_f64() < 0.2, "{:?}", began.elapsed());
}

fn opened(path: &Path) -> Session {
    let mut session = Session::new(Arc::new(|| {}));
    session.apply(Action::Open(vec![path.to_path_buf()]));
    settle(&mut session);
    session
}

#[test]
fn subjects_are_left_out_with_a_reason_that_is_kept_printed_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    write_cohort(folder.path(), &make_cohort(3).unwrap().cohort).unwrap();
    let mut session = opened(&folder.path().join("sample_sheet.csv"));
    let id = session.view.cohort.expect("the sheet is shown");
    let cohort = Arc::clone(session.study.cohort(id).unwrap());
    let before = cohort_report(&session.study, id).unwrap();
    assert!(before.excluded.is_empty() && before.sentence.starts_with("60 subjects; "), "{}", before.sentence);
    assert_eq!(before.batch.as_ref().unwrap().counts.iter().flatten().sum::<usize>(), 60);

    let leave_out = |subject: &str, reason: &str| Action::Exclude {
        what: Excluded::Subject { cohort: id, subject: subject.into() },
        reason: reason.into(),
    };
    session.apply(leave_out("S02", "motion in all cines"));
    session.apply(leave_out("S02", ""));
    session.apply(leave_out("S99", "nobody"));
    assert_eq!(session.study.exclusions.len(), 1, "no reason, no such subject: nothing happens");
    let report = cohort_report(&session.study, id).unwrap();
    assert_eq!(report.excluded, [("S02".to_owned(), "motion in all cines".to_owned())]);
    for view in &report.views {
        assert_eq!(view.n_there + view.n_missing + view.n_excluded, 60, "{}", view.name);
    }
    let tables = report.tables(&cohort).unwrap();
    let reasons = tables[0].1.texts("excluded").unwrap();
    assert_eq!(reasons.iter().flatten().collect::<Vec<_>>(), ["motion in all cines"]);
    assert_eq!(reasons[1].as_deref(), Some("motion in all cines"));

    let inputs = Inputs { study: &session.study, view: &session.view, derived: &session.derived, pixels_per_point: 1.0 };
    let scene = build(&inputs, &mut SceneCache::default(), PaneKind::Cohort, [1000, 600]);
    let hatched = scene.marks.iter().filter(|m| matches!(m, Mark::Fill { hatched: true, .. })).count();
    let missing: usize = cohort.views().iter().flat_map(|v| &v.missing).flatten().count();
    assert_eq!(hatched, missing + 1, "every missing view is hatched, and the legend says so");
    // Every place of the map answers with subject, view and reason.
    let mut told = Vec::new();
    for x in 0..80 {
        for y in 0..60 {
            let camera = scene.camera;
            let at = camera.mm_from_px(scene.size_px, DVec2::new(f64::from(x) * 12.5, f64::from(y) * 10.0));
            told.extend(cohort_hit(&inputs, scene.size_px, at).map(|h| h.lines.join("; ")));
        }
    }
    assert!(told.iter().any(|t| t.contains("S02") && t.contains("excluded: motion in all cines")), "{told:?}");
    assert!(told.iter().any(|t| t.contains("bulk: missing, no biopsy")), "{told:?}");

    let project = folder.path().join("c.myo");
    session.apply(Action::Save { path: project.clone(), with_data: false });
    settle(&mut session);
    session.apply(Action::Command(Command::Undo));
    assert!(session.study.exclusions.is_empty());
    let back = opened(&project);
    assert_eq!(
        back.study.exclusions,
        [Exclusion { what: Excluded::Subject { cohort: id, subject: "S02".into() }, reason: "motion in all cines".into() }]
    );
    assert_eq!(back.view.cohort, Some(id));
    assert_eq!(facts(back.study.cohort(id).unwrap()), facts(&cohort));
}

#[test]
fn missing_that_goes_with_the_outcome_and_batches_that_are_the_outcome_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut sheet = "subject,batch,outcome,bulk\n".to_owned();
    let mut bulk = "id,G1,G2\n".to_owned();
    for i in 0..40 {
        let event = i % 2;
        let link = if event == 1 || i % 8 == 0 { format!("bulk.csv#x{i}") } else { String::new() };
        writeln!(sheet, "p{i},run{event},{event},{link}").unwrap();
        if !link.is_empty() {
            writeln!(bulk, "x{i},{i},1").unwrap();
        }
    }
    std::fs::write(folder.path().join("sheet.csv"), sheet).unwrap();
    std::fs::write(folder.path().join("bulk.csv"), bulk).unwrap();
    let session = opened(&folder.path().join("sheet.csv"));
    let report = cohort_report(&session.study, session.view.cohort.unwrap()).unwrap();
    let codes: Vec<&str> = report.findings.iter().map(|f| f.code).collect();
    assert!(codes.contains(&"availability-by-outcome") && codes.contains(&"batch-aliased"), "{codes:?}");
}

#[test]
fn a_sheet_is_inspected_and_drawn_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    write_cohort(folder.path(), &make_cohort(0).unwrap().cohort).unwrap();
    let sheet = folder.path().join("sample_sheet.csv");
    let run = |args: &[&str]| std::process::Command::new(env!("CARGO_BIN_EXE_myoscope")).args(args).output().unwrap();
    let sheet = sheet.to_str().unwrap();
    let out = run(&["inspect", sheet, "--json"]);
    assert_eq!(out.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["items"][0]["kind"], "table");
    assert_eq!(report["items"][0]["name"], "sample_sheet");
    assert_eq!(report["notes"], serde_json::json!([]));

    std::fs::remove_file(folder.path().join("bulk.csv")).unwrap();
    let out = run(&["inspect", sheet, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let notes = report["notes"].as_array().unwrap();
    assert!(notes.iter().all(|n| n["code"] == "missing-file") && notes.len() > 30, "{}", notes.len());
    assert!(notes[0]["message"].as_str().unwrap().starts_with("row 1, column bulk [log2 CPM]: "), "{}", notes[0]);

    let pictures: Vec<Vec<u8>> = ["1", "2"]
        .iter()
        .map(|threads| {
            let path = folder.path().join(format!("map{threads}.png"));
            let out = run(&["snapshot", sheet, "--view", "cohort", "--out", path.to_str().unwrap(), "--threads", threads]);
            assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
            std::fs::read(path).unwrap()
        })
        .collect();
    assert_eq!(pictures[0], pictures[1]);
}

#[test]
fn a_slice_left_out_does_not_count() {
    let mut session = Session::new(Arc::new(|| {}));
    session.apply(Action::OpenDemo(0));
    settle(&mut session);
    let section = session.view.section.unwrap();
    session.apply(Action::Remove(section));
    settle(&mut session);
    let heart = session.view.heart.unwrap();
    let total = |s: &Session| s.derived.bullseye.iter().map(|c| c.n).sum::<usize>();
    let (before, slice) = (total(&session), session.heart().unwrap().grid.size()[2] / 2);
    session.apply(Action::Exclude { what: Excluded::Slice { element: heart, slice }, reason: "motion".into() });
    settle(&mut session);
    assert!(total(&session) < before && total(&session) > before / 2, "{} of {before}", total(&session));
    assert!(session.derived.bullseye_scale.as_ref().unwrap().rule.ends_with("1 slices left out"));
    session.apply(Action::Command(Command::Undo));
    settle(&mut session);
    assert_eq!(total(&session), before);
}
