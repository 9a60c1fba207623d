//! `myoscope [PATH...]`: the window; where there is no display, the same job without one: open, register,
//! color the heart by genes, write pictures and tables.

use super::Run;
use super::snapshot::paint_pane;
use crate::base::{Error, Result};
use crate::io::{self, LengthUnit, PairTable, Table, TableColumn};
use crate::model::{Quality, Registration, TransformModel};
use crate::scene::PaneKind;
use crate::session::{Action, RegisterAction, Session, Side, ViewAction, cohort_report};
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
    let mut written = pictures(&session, &folder)?;
    written.extend(tables(&session, &folder)?);
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

fn pictures(session: &Session, folder: &Path) -> Result<Vec<String>> {
    let panes = [
        (PaneKind::ShortAxis, "short-axis.png", session.view.heart.is_some()),
        (PaneKind::Section, "section.png", session.view.section.is_some()),
        (PaneKind::Overlay, "overlay.png", session.registration().is_some_and(|r| r.fit.is_some())),
        (PaneKind::Bullseye, "bullseye.png", !session.derived.bullseye.is_empty()),
        (PaneKind::Cohort, "cohort.png", session.view.cohort.is_some()),
    ];
    let mut written = Vec::new();
    for (pane, name, there) in panes {
        if there {
            let image = paint_pane(session, pane, [1000, 1000], false);
            io::write_png(&folder.join(name), image.width, image.height, &image.rgba)?;
            written.push(name.to_owned());
        }
    }
    Ok(written)
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
    if !session.derived.bullseye.is_empty() {
        segment_table(session)?.write(&folder.join("segments.csv"))?;
        written.push("segments.csv".into());
    }
    if let Some(registration) = session.registration() {
        io::write_pairs(&folder.join("landmarks.csv"), &PairTable::from_landmarks(&registration.landmarks, 0.001))?;
        written.push("landmarks.csv".into());
        if let Some(fit) = &registration.fit {
            residual_table(&fit.quality)?.write(&folder.join("residuals.csv"))?;
            written.push("residuals.csv".into());
            io::write_transform(&folder.join("transform.json"), &transform_of(registration)?)?;
            written.push("transform.json".into());
        }
    }
    Ok(written)
}

fn segment_table(session: &Session) -> Result<Table> {
    let cells = &session.derived.bullseye;
    let color = session.view.section.and_then(|id| session.derived.spot_values.get(&id));
    let metric = color.map_or_else(|| "intensity_mean".to_owned(), |c| format!("{} mean", c.title));
    let unit = color.map_or_else(String::new, |c| c.rule.clone());
    Table::new(vec![
        TableColumn::whole("segment", cells.iter().map(|c| Some(i64::from(c.segment)))),
        TableColumn::text("name", cells.iter().map(|c| Some(c.name.clone()))),
        TableColumn::text("metric", cells.iter().map(|_| Some(metric.clone()))),
        TableColumn::numbers("value", cells.iter().map(|c| c.value)),
        TableColumn::text("unit", cells.iter().map(|_| Some(unit.clone()))),
        TableColumn::whole("n", cells.iter().map(|c| Some(c.n as i64))),
    ])
}

fn residual_table(quality: &Quality) -> Result<Table> {
    Table::new(vec![
        TableColumn::text("name", quality.residuals.iter().map(|p| Some(p.name.clone()))),
        TableColumn::numbers("residual_mm", quality.residuals.iter().map(|p| p.error_mm)),
        TableColumn::numbers("leave_one_out_mm", quality.leave_one_out.iter().map(|p| p.error_mm)),
    ])
}

/// The registration's transform from section µm to patient LPS mm.
fn transform_of(registration: &Registration) -> Result<io::TransformFile> {
    let fit = registration.fit.as_ref().ok_or_else(|| Error::degenerate("there is no fit"))?;
    io::TransformFile::from_warp(
        registration.model,
        &fit.plane_from_section,
        [LengthUnit::Um, LengthUnit::Mm],
        Some(&registration.plane),
    )
}
