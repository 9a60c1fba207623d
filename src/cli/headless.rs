//! `myoscope [PATH...]`: the window; where there is no display, the same job without one: open, register,
//! color the heart by genes, one fusion, one prediction; pictures, tables, and the history that repeats it.

use super::Run;
use crate::base::{Error, Result, Severity};
use crate::io::{self, PairTable};
use crate::model::TransformModel;
use crate::scene::PaneKind;
use crate::session::{
    Action, ExportWhat, FuseTask, PredictTask, ReduceTask, RegisterAction, Session, Side, Task, ViewAction, cohort_report,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Opens the window on these paths, or does the job without one.
pub fn open(run: &mut Run, paths: Vec<PathBuf>) -> Result<u8> {
    #[cfg(feature = "gui")]
    if has_display() {
        let options = crate::ui::RunOptions { paths: paths.clone(), seed: run.shared.seed, ..Default::default() };
        match crate::ui::run(options) {
            Ok(_) => return Ok(0),
            Err(e @ Error::Degenerate(_)) => return Err(e),
            Err(e) => run.printer.remark(&format!("The window could not be opened ({e}).")),
        }
    }
    run.printer.remark("There is no display: doing the job without a window.");
    report(run, paths)
}

/// Whether a window can be opened.
#[cfg(feature = "gui")]
fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// A session with these paths (or the built-in case) open, and nothing left to do in the background.
pub fn session_of(run: &mut Run, paths: Vec<PathBuf>) -> Result<Session> {
    let mut session = Session::new(Arc::new(|| {}));
    session.limits = run.limits;
    for path in &paths {
        if !path.exists() {
            return Err(Error::parameter(format!("no such file or folder: {}", path.display())));
        }
    }
    session.apply(if paths.is_empty() { Action::OpenDemo(run.shared.seed) } else { Action::Open(paths) });
    settle(run, &mut session)?;
    Ok(session)
}

/// Waits until nothing runs; errors of the work are told.
pub fn settle(run: &Run, session: &mut Session) -> Result<()> {
    loop {
        session.poll();
        if session.is_idle() {
            return Ok(());
        }
        if let Some(job) = session.jobs().first() {
            run.progress.step(job.fraction, &job.title)?;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn report(run: &mut Run, paths: Vec<PathBuf>) -> Result<u8> {
    let demo = paths.is_empty();
    let mut session = session_of(run, paths)?;
    for message in &session.messages {
        run.printer.remark(&message.text);
    }
    if session.study.elements.is_empty() {
        return Err(Error::degenerate("nothing could be opened, so there is nothing to show"));
    }
    if demo {
        place_demo_landmarks(run, &mut session)?;
    }
    let folder = std::env::current_dir().map_err(|e| Error::io("reading", e, "."))?.join("myoscope-report");
    std::fs::create_dir_all(&folder).map_err(|e| Error::io("writing", e, &folder))?;
    let before = session.messages.len();
    let mut written = first_exports(run, &mut session, &folder)?;
    written.extend(analyses(run, &mut session, &folder)?);
    written.extend(tables(&session, &folder)?);
    written.push(save(run, &mut session, &folder)?);
    tell_problems(run, &session, before);
    let quality = session.registration().and_then(|r| r.fit.as_ref()).map(|f| &f.quality);
    if run.shared.json {
        run.printer.json(&serde_json::json!({
            "out": folder.display().to_string(),
            "files": written,
            "n_pairs": quality.map(|q| q.n_pairs),
            "rms_mm": quality.and_then(|q| q.rms_mm),
            "leave_one_out_median_mm": quality.and_then(|q| q.leave_one_out_median_mm),
        }));
        return Ok(0);
    }
    run.printer.line(&format!("Written to {}: {}", folder.display(), written.join(", ")));
    if let Some(quality) = quality {
        let median = quality.leave_one_out_median_mm.map(crate::session::three_digits).unwrap_or_default();
        let rms = quality.rms_mm.map(crate::session::three_digits).unwrap_or_default();
        run.printer.line(&format!("Registered with {} pairs: RMS {rms} mm, leave-one-out median {median} mm.", quality.n_pairs));
    }
    Ok(0)
}

/// The built-in case opens with half of its pairs; without a person the rest come from its truth, as if
/// they were clicked.
fn place_demo_landmarks(run: &Run, session: &mut Session) -> Result<()> {
    let case = crate::phantom::make_case(run.shared.seed, &run.progress)?;
    let pairs = session.registration().map(|r| r.landmarks.pairs.clone()).unwrap_or_default();
    for (i, pair) in pairs.iter().enumerate() {
        let Some(truth) = case.truth.landmarks.pairs.iter().find(|t| t.name == pair.name) else { continue };
        session.apply(Action::View(ViewAction::SelectPair(Some(i))));
        let missing = [
            truth.moving.filter(|_| pair.moving.is_none()).map(Side::Moving),
            truth.fixed.filter(|_| pair.fixed.is_none()).map(Side::Fixed),
        ];
        for side in missing.into_iter().flatten() {
            session.apply(Action::Register(RegisterAction::Place(side)));
        }
    }
    session.apply(Action::View(ViewAction::SelectPair(None)));
    session.apply(Action::Register(RegisterAction::SetModel(TransformModel::Affine)));
    run.printer.remark("The half-placed pairs of the built-in case were completed from its truth.");
    Ok(())
}

/// Asks for one export and waits for it; the names of the files written. It is a step of the history, so
/// `replay` writes the same bytes.
fn export(run: &Run, session: &mut Session, what: ExportWhat, path: &Path) -> Result<Vec<String>> {
    session.apply(Action::Export { what, path: path.to_path_buf() });
    settle(run, session)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(if path.is_file() { vec![name] } else { Vec::new() })
}

fn picture(pane: PaneKind) -> ExportWhat {
    ExportWhat::Picture { pane: pane.title().to_owned(), size_px: [1000, 1000], pane_px: None, caption: true }
}

/// Pictures, and what the chain from section to patient gives for the gene that is shown.
fn first_exports(run: &Run, session: &mut Session, folder: &Path) -> Result<Vec<String>> {
    let is_fitted = session.registration().is_some_and(|r| r.fit.is_some());
    let mut wanted = vec![
        (picture(PaneKind::ShortAxis), "short-axis.png", session.view.heart.is_some()),
        (picture(PaneKind::Section), "section.png", session.view.section.is_some()),
        (picture(PaneKind::Overlay), "overlay.png", is_fitted),
        (picture(PaneKind::Bullseye), "bullseye.png", !session.derived.bullseye.is_empty()),
        (picture(PaneKind::Cohort), "cohort.png", session.view.cohort.is_some()),
    ];
    let segments = ExportWhat::Segments { section: None, values: Vec::new(), log_normalized: true };
    wanted.push((segments, "segments.csv", !session.derived.bullseye.is_empty()));
    if let Some(id) = session.view.section.filter(|_| is_fitted) {
        wanted.push((ExportWhat::Residuals { section: id.0 }, "residuals.csv", true));
        wanted.push((ExportWhat::Transform { section: id.0 }, "transform.json", true));
        if let (Some(color), Some(heart)) = (session.derived.spot_values.get(&id), session.view.heart) {
            let value = color.title.clone();
            let map = ExportWhat::Map { section: id.0, value, log_normalized: true, heart: heart.0 };
            wanted.push((map, "gene-map.nii.gz", true));
        }
    }
    let mut written = Vec::new();
    for (what, name, _) in wanted.into_iter().filter(|(.., there)| *there) {
        written.extend(export(run, session, what, &folder.join(name))?);
    }
    Ok(written)
}

/// Genes as numbers, one fusion, one prediction, each with its usual settings and a picture of its first
/// values; then the spots with all of them. What cannot be done is told and the rest goes on.
fn analyses(run: &Run, session: &mut Session, folder: &Path) -> Result<Vec<String>> {
    let Some(id) = session.view.section else { return Ok(Vec::new()) };
    let Some(section) = session.study.section(id).filter(|s| s.expression.is_some() && s.spots.is_some()).cloned() else {
        return Ok(Vec::new());
    };
    let is_fitted = session.registration().is_some_and(|r| r.fit.is_some());
    let seed = run.shared.seed;
    let mut tasks = vec![("components", Task::Reduce(ReduceTask { seed, ..ReduceTask::usual(id) }))];
    if is_fitted {
        tasks.push(("fusion", Task::Fuse(Box::new(FuseTask { of: id.0, seed, ..FuseTask::default() }))));
    }
    if section.picture.is_some() {
        tasks.push(("prediction", Task::Predict(Box::new(PredictTask { section: id.0, seed, ..PredictTask::default() }))));
    }
    let pane = if is_fitted { PaneKind::Overlay } else { PaneKind::Section };
    let mut written = Vec::new();
    for (name, task) in tasks {
        let n = session.study.analyses.len();
        session.apply(Action::Run(task));
        settle(run, session)?;
        if session.study.analyses.len() > n {
            written.extend(export(run, session, picture(pane), &folder.join(format!("{name}.png")))?);
        }
    }
    let spots = |section| ExportWhat::Spots { section, values: Vec::new(), log_normalized: true };
    written.extend(export(run, session, spots(id.0), &folder.join("spots.csv"))?);
    written.extend(export(run, session, spots(id.0), &folder.join("spots.h5ad"))?);
    super::replay::summarize(session)?.write(&folder.join("history.csv"))?;
    written.push("history.csv".into());
    for analysis in session.study.analyses.values() {
        run.printer.remark(&format!("{}: {}", analysis.title, analysis.sentence));
    }
    Ok(written)
}

/// The session as a project, whose history `replay` repeats.
fn save(run: &Run, session: &mut Session, folder: &Path) -> Result<String> {
    session.apply(Action::Save { path: folder.join("session.myo"), with_data: false });
    settle(run, session)?;
    Ok("session.myo".into())
}

fn tell_problems(run: &Run, session: &Session, from: usize) {
    for message in session.messages.iter().skip(from).filter(|m| m.severity == Severity::Error) {
        run.printer.remark(&format!("error: {}", message.text));
    }
}

fn tables(session: &Session, folder: &Path) -> Result<Vec<String>> {
    let mut written = Vec::new();
    if let Some((id, cohort)) = session.view.cohort.and_then(|id| Some((id, session.study.cohort(id)?)))
        && let Some(report) = cohort_report(&session.study, id)
    {
        for (name, table) in report.tables(cohort)? {
            table.write(&folder.join(name))?;
            written.push(name.to_owned());
        }
    }
    if let Some(registration) = session.registration() {
        io::write_pairs(&folder.join("landmarks.csv"), &PairTable::from_landmarks(&registration.landmarks, 0.001))?;
        written.push("landmarks.csv".into());
    }
    Ok(written)
}
