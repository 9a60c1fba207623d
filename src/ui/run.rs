//! Opening the window: to work, to measure how soon it shows something, or to take its picture.

use super::app::{Setup, Workbench};
use super::busy::Busy;
use crate::base::{Error, Result};
use crate::io::write_png;
use crate::session::{Action, ViewAction};
use eframe::egui_wgpu::RenderState;
use egui::{ColorImage, Ui, ViewportCommand};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How the window is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// What to open; nothing opens the built-in case.
    pub paths: Vec<PathBuf>,
    /// Seed of the built-in case.
    pub seed: u64,
    /// Measure and close.
    pub bench: Option<BenchOptions>,
    /// Take a picture of this size once everything is drawn, and close.
    pub snapshot: Option<(PathBuf, [u32; 2])>,
    /// The light theme (pictures and measurements; otherwise the preference counts).
    pub light: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct BenchOptions {
    /// When the process began.
    pub began: Instant,
    /// Frames to time after the first picture, while the cine plays; 0 measures the start only.
    pub n_frames: usize,
    /// Size of the window in pixels.
    pub size: [u32; 2],
    /// Once the whole case is there, a landmark of 64 pairs is dragged while the cursor moves.
    pub busy: bool,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartReport {
    /// From the start of the process to the first frame of the window.
    pub window_ms: f64,
    /// To the first frame that shows the heart, after it was presented.
    pub first_picture_ms: f64,
    /// From frame to frame, in ms.
    pub frame_ms: Vec<f64>,
    /// Our own share of each frame, in ms by the clock, with what other threads took from it meanwhile.
    pub own_ms: Vec<f64>,
    /// The same in processor time of the interface thread; empty where the system does not tell.
    pub own_processor_ms: Vec<f64>,
    /// Name of the adapter.
    pub adapter: String,
    /// Bytes sent to the device.
    pub upload_bytes: u64,
}

/// Graphics devices that may be lost within [`CALM`] before the program gives up.
const MOST_LOSSES: usize = 3;
/// Losses longer ago than this are forgotten.
const CALM: Duration = Duration::from_mins(1);
/// Tests lose the device after so many frames; with `!` behind the number in the middle of a frame.
const LOSE_DEVICE: &str = "MYOSCOPE_LOSE_DEVICE";

/// When a test loses the device.
#[derive(Clone, Copy, Debug)]
struct Loss {
    frames_left: u64,
    /// After the panels and before they are painted.
    is_late: bool,
}

impl Loss {
    fn wanted() -> Option<Self> {
        let text = std::env::var(LOSE_DEVICE).ok()?;
        let frames_left = text.trim_end_matches('!').parse().ok()?;
        Some(Self { frames_left, is_late: text.ends_with('!') })
    }
}

/// Opens the window and stays until it is closed. A lost graphics device costs the window, not the work: another
/// one is opened with everything in it. The report is there where something was measured. Unsupported where no
/// window can be opened, Degenerate where none comes back after a loss.
pub fn run(options: RunOptions) -> Result<Option<StartReport>> {
    let isolated = options.bench.is_some() || options.snapshot.is_some();
    let setup = Setup { paths: options.paths.clone(), seed: options.seed, isolated };
    let mut workbench = Workbench::prepare(&setup)?;
    if isolated {
        workbench.set_light(options.light);
        workbench.hide_notices();
    }
    let mut losses: Vec<Instant> = Vec::new();
    let mut loss = Loss::wanted();
    loop {
        let outcome = open_window(&options, workbench, loss.take(), losses.is_empty())?;
        let Some((back, why)) = outcome.lost else {
            return outcome.error.map_or(Ok(outcome.report), Err);
        };
        losses.retain(|at| at.elapsed() < CALM);
        losses.push(Instant::now());
        if losses.len() > MOST_LOSSES {
            return Err(Error::degenerate(format!("{why}, {MOST_LOSSES} times within a minute. {KEPT}")));
        }
        workbench = back;
        workbench.tell_loss(&why);
    }
}

const KEPT: &str = "Your work is in the crash journal; the next start offers it back";

fn open_window(options: &RunOptions, workbench: Workbench, loss: Option<Loss>, first: bool) -> Result<Outcome> {
    let report = Arc::new(Mutex::new(Outcome::default()));
    let shared = Arc::clone(&report);
    let size = options.snapshot.as_ref().map(|(_, s)| *s).or(options.bench.map(|b| b.size));
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("Myoscope")
        .with_app_id("myoscope")
        .with_drag_and_drop(true)
        .with_min_inner_size([960.0, 600.0])
        .with_inner_size(workbench.window_size());
    if let Some([w, h]) = size {
        viewport = viewport.with_inner_size([w as f32, h as f32]).with_min_inner_size([320.0, 240.0]);
    }
    let native = eframe::NativeOptions { viewport, wgpu_options: crate::render::wgpu_setup(), ..Default::default() };
    let options = options.clone();
    let shut = move |cc: &eframe::CreationContext<'_>| -> std::result::Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        let mut watched = Watched::new(cc, workbench, options, shared);
        watched.loss = loss;
        Ok(Box::new(watched))
    };
    // A device that is lost in the middle of a frame makes the painter of the panels panic.
    let ended = catch_unwind(AssertUnwindSafe(|| eframe::run_native("myoscope", native, Box::new(shut))));
    let outcome = std::mem::take(&mut *report.lock().unwrap_or_else(PoisonError::into_inner));
    let failed = |why: &str| {
        if first {
            return Error::unsupported(format!("the window could not be opened: {why}"));
        }
        Error::degenerate(format!("no window after the graphics device was lost: {why}. {KEPT}"))
    };
    match ended {
        Err(_) if outcome.lost.is_some() => {}
        Err(panic) => resume_unwind(panic),
        Ok(ended) => ended.map_err(|e| failed(&e.to_string()))?,
    }
    // The system's event loop may end at once where a frame was broken off before.
    if outcome.started { Ok(outcome) } else { Err(failed("the system gave no window; start the program again")) }
}

#[derive(Default)]
struct Outcome {
    /// There was a window.
    started: bool,
    report: Option<StartReport>,
    error: Option<Error>,
    /// The workbench of a window whose device was lost, and why.
    lost: Option<(Workbench, String)>,
}

/// A workbench that is watched from outside.
struct Watched {
    /// Gone once the window was given up.
    workbench: Option<Workbench>,
    options: RunOptions,
    outcome: Arc<Mutex<Outcome>>,
    picture: Arc<Mutex<Option<Arc<ColorImage>>>>,
    report: StartReport,
    /// Frames since everything was there.
    calm: u32,
    /// When the last frame began.
    last: Option<Instant>,
    shown: bool,
    asked: bool,
    busy: Option<Busy>,
    /// What the busy person's last actions took, by the clock.
    acted_ms: f64,
    /// Processor time of those and of the last frame's panels, in ms.
    own_processor_ms: Option<f64>,
    acted_processor_ms: f64,
    /// Why the device is of no use any more.
    lost: Option<String>,
    /// When the device is destroyed (tests).
    loss: Option<Loss>,
    device: Option<RenderState>,
}

impl Watched {
    fn new(
        cc: &eframe::CreationContext<'_>,
        mut workbench: Workbench,
        options: RunOptions,
        outcome: Arc<Mutex<Outcome>>,
    ) -> Self {
        workbench.enter(cc);
        outcome.lock().unwrap_or_else(PoisonError::into_inner).started = true;
        let report = StartReport { adapter: workbench.adapter().to_owned(), ..StartReport::default() };
        Self {
            workbench: Some(workbench),
            options,
            outcome,
            picture: Arc::default(),
            report,
            calm: 0,
            last: None,
            shown: false,
            asked: false,
            busy: None,
            acted_ms: 0.0,
            own_processor_ms: None,
            acted_processor_ms: 0.0,
            lost: None,
            loss: None,
            device: cc.wgpu_render_state.clone(),
        }
    }

    /// Closes the window once its device is lost.
    fn watch_device(&mut self, ctx: &egui::Context, is_late: bool) {
        let Some(state) = &self.device else { return };
        if let Some(loss) = self.loss.as_mut().filter(|l| l.is_late == is_late) {
            loss.frames_left = loss.frames_left.saturating_sub(1);
            ctx.request_repaint();
            if loss.frames_left == 0 {
                self.loss = None;
                crate::render::lose(state);
            }
        }
        if !is_late && self.lost.is_none() {
            self.lost = self.why_lost();
            if self.lost.is_some() {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
        }
    }

    fn why_lost(&self) -> Option<String> {
        crate::render::trouble(self.device.as_ref()?).filter(|(_, is_lost)| *is_lost).map(|(why, _)| why)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Times frames; closes after the last.
    fn measure(&mut self, ctx: &egui::Context, frame: &eframe::Frame, bench: BenchOptions, began: Instant) {
        let ms = |since: Instant| since.elapsed().as_secs_f64() * 1000.0;
        if self.report.window_ms == 0.0 {
            self.report.window_ms = ms(bench.began);
        }
        if self.shown || self.calm > 0 {
            ctx.request_repaint();
        }
        if !self.shown {
            // The picture of the frame before this one has been presented when this one begins.
            if self.calm > 0 {
                self.shown = true;
                self.report.first_picture_ms = began.duration_since(bench.began).as_secs_f64() * 1000.0;
                if let Some(workbench) = &mut self.workbench {
                    workbench.apply(Action::View(ViewAction::Play(bench.n_frames > 0)));
                }
            } else if self.workbench.as_ref().is_some_and(|w| w.session().heart().is_some()) {
                self.calm += 1;
                ctx.request_repaint();
            }
        } else if let Some(last) = self.last {
            self.report.frame_ms.push(began.duration_since(last).as_secs_f64() * 1000.0);
            let own = self.workbench.as_ref().and_then(|w| w.frame_ms().last().copied()).unwrap_or(0.0);
            self.report.own_ms.push(own + self.acted_ms);
            self.report.own_processor_ms.extend(self.own_processor_ms.map(|ms| ms + self.acted_processor_ms));
        }
        self.report.upload_bytes += uploaded(frame);
        self.last = (self.shown && self.is_busy(bench)).then_some(began);
        if self.shown && self.report.frame_ms.len() >= bench.n_frames {
            self.lock().report = Some(self.report.clone());
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// Does what a busy person would do before the next frame; false while the case is not whole yet.
    fn is_busy(&mut self, bench: BenchOptions) -> bool {
        let Some(workbench) = self.workbench.as_mut().filter(|_| bench.busy) else { return true };
        if self.busy.is_none() && workbench.is_idle() {
            self.busy = Busy::begin(workbench);
        }
        let Some(busy) = self.busy else { return false };
        let (began, processor) = (Instant::now(), thread_ms());
        busy.step(workbench, self.report.frame_ms.len());
        self.acted_ms = began.elapsed().as_secs_f64() * 1000.0;
        self.acted_processor_ms = thread_ms().zip(processor).map_or(0.0, |(after, before)| after - before);
        true
    }

    /// Takes the picture once nothing runs and some frames were drawn; closes after it was written.
    fn snapshot(&mut self, ctx: &egui::Context, path: &std::path::Path) {
        let image = self.picture.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(image) = image {
            let rgba: Vec<u8> = image.pixels.iter().flat_map(|p| [p.r(), p.g(), p.b(), 255]).collect();
            if let Err(error) = write_png(path, image.size[0], image.size[1], &rgba) {
                self.lock().error = Some(error);
            }
            ctx.send_viewport_cmd(ViewportCommand::Close);
            return;
        }
        self.calm = if self.workbench.as_ref().is_some_and(Workbench::is_idle) { self.calm + 1 } else { 0 };
        if self.calm > 10 && !self.asked {
            self.asked = true;
            let (slot, wake) = (Arc::clone(&self.picture), ctx.clone());
            ctx.request_screenshot(move |image| {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(image);
                wake.request_repaint();
            });
        }
        ctx.request_repaint();
    }
}

/// Processor time of this thread so far in ms (Linux: nanoseconds on a core, first field of `schedstat`).
fn thread_ms() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e6)
}

/// Bytes sent to the device for all panes.
fn uploaded(frame: &eframe::Frame) -> u64 {
    let Some(state) = frame.wgpu_render_state() else { return 0 };
    (0..crate::scene::PaneKind::ALL.len() as u64).filter_map(|p| crate::render::stats(state, p)).map(|s| s.uploaded_bytes).sum()
}

impl eframe::App for Watched {
    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let began = Instant::now();
        self.watch_device(ui.ctx(), false);
        // Nothing can be painted on a lost device; an empty frame is all that it takes.
        let Some(workbench) = self.workbench.as_mut().filter(|_| self.lost.is_none()) else { return };
        let processor = self.options.bench.and_then(|_| thread_ms());
        workbench.ui(ui, frame);
        self.own_processor_ms = processor.and_then(|before| Some(thread_ms()? - before));
        self.watch_device(ui.ctx(), true);
        if let Some(bench) = self.options.bench {
            self.measure(ui.ctx(), frame, bench, began);
        } else if let Some((path, _)) = self.options.snapshot.clone() {
            self.snapshot(ui.ctx(), &path);
        }
    }

    fn on_exit(&mut self) {
        let Some(mut workbench) = self.workbench.take() else { return };
        match self.lost.take() {
            Some(why) => self.lock().lost = Some((workbench, why)),
            None => eframe::App::on_exit(&mut workbench),
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        self.workbench.as_ref().map_or([0.0; 4], |w| eframe::App::clear_color(w, visuals))
    }
}

impl Drop for Watched {
    /// Unwinding comes here without an end: the work is handed on where the device was the reason.
    fn drop(&mut self) {
        if let (Some(workbench), Some(why)) = (self.workbench.take(), self.why_lost()) {
            self.lock().lost = Some((workbench, why));
        }
    }
}
