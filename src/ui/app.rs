//! The window as one value: session, arrangement, preferences, and one frame of all panels.

use super::desk::{Desk, Outbox};
use super::dialogs::{self, Dialog};
use super::memo::Memo;
use super::panes::{Pane, default_tree};
use super::pick::Ask;
use super::prefs::Prefs;
use super::theme::{Theme, set_fonts};
use super::{cheat_sheet, jobs, keys, keys_panel, layout, menu, palette, pane_keys, panes, prefs};
use crate::base::Result;
use crate::scene::{CompareMode, SceneCache};
use crate::session::{Action, Command, Readout, RegisterAction, Session, Tool, ViewAction, state_folder};
use egui::{Context, Frame, Ui, ViewportCommand};
use egui_tiles::Tree;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The window.
pub struct Workbench {
    session: Session,
    waker: Waker,
    theme: Theme,
    prefs: Prefs,
    prefs_folder: Option<PathBuf>,
    panes: Tree<Pane>,
    memo: Memo,
    cache: SceneCache,
    readout: (Option<ReadKey>, Readout),
    adapter: String,
    may_close: bool,
    last_flicker: f64,
    applied: Option<(bool, f32)>,
}

impl std::fmt::Debug for Workbench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbench").field("adapter", &self.adapter).finish_non_exhaustive()
    }
}

/// Below this width in points the side panels are shown one at a time, when they are called.
const NARROW: f32 = 780.0;

/// What the readout depends on.
#[derive(Clone, Debug, PartialEq)]
struct ReadKey {
    revision: u64,
    cursor: Option<crate::space::DVec3>,
    section_cursor: Option<crate::space::DVec2>,
    phase: f64,
    n_segments: usize,
    shown: [Option<crate::model::ElementId>; 2],
}

/// How a workbench is made.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What to open; nothing opens the built-in case.
    pub paths: Vec<PathBuf>,
    /// Seed of the built-in case.
    pub seed: u64,
    /// Neither reads nor writes preferences and journal (tests, pictures, measurements).
    pub isolated: bool,
}

/// Asks the window for a frame from any thread; before there is a window, nobody is asked.
#[derive(Clone, Debug, Default)]
struct Waker(Arc<Mutex<Option<Context>>>);

impl Waker {
    fn wake(&self) {
        let ctx = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ctx) = ctx {
            ctx.request_repaint();
        }
    }

    fn point_at(&self, ctx: &Context) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ctx.clone());
    }
}

impl Workbench {
    /// A workbench before its window: what is asked opens in the background from now on, while the window is
    /// still being made.
    pub fn prepare(setup: &Setup) -> Result<Self> {
        let mut theme = Theme::built_in()?;
        let waker = Waker::default();
        let wake = waker.clone();
        let mut session = Session::new(Arc::new(move || wake.wake()));
        if setup.paths.is_empty() {
            session.apply(Action::OpenDemo(setup.seed));
        } else {
            session.apply(Action::Open(setup.paths.clone()));
        }
        let prefs_folder = prefs::folder().filter(|_| !setup.isolated);
        if !setup.isolated {
            session.keep_journal(&state_folder());
        }
        let mut prefs = prefs_folder.as_ref().map(|f| Prefs::load(f)).unwrap_or_default();
        if prefs_folder.is_some() {
            setup.paths.iter().for_each(|p| prefs.remember(p));
        }
        theme.is_dark = !prefs.light;
        let panes = prefs.tree();
        Ok(Self {
            session,
            waker,
            theme,
            prefs,
            prefs_folder,
            panes,
            memo: Memo::default(),
            cache: SceneCache::default(),
            readout: (None, Readout::default()),
            adapter: String::new(),
            may_close: false,
            last_flicker: 0.0,
            applied: None,
        })
    }

    /// Moves into a window that was just made; also into another one after the first was lost.
    pub fn enter(&mut self, cc: &eframe::CreationContext<'_>) {
        self.enter_context(&cc.egui_ctx);
        if let Some(state) = &cc.wgpu_render_state {
            crate::render::install(state);
            self.adapter = crate::render::adapter_name(state);
        }
    }

    /// The same without a graphics device: everything but the pictures. Its fonts are there from the next
    /// frame on.
    pub fn in_context(ctx: &Context, setup: &Setup) -> Result<Self> {
        let mut workbench = Self::prepare(setup)?;
        workbench.enter_context(ctx);
        Ok(workbench)
    }

    fn enter_context(&mut self, ctx: &Context) {
        self.waker.point_at(ctx);
        set_fonts(ctx);
        ctx.options_mut(|o| o.zoom_with_keyboard = false);
        self.applied = None;
        // Times of an earlier window mean nothing in this one.
        (self.memo.gesture, self.memo.memory, self.memo.copied) = (None, (0, 0.0), None);
        (self.memo.toast_until, self.last_flicker) = (0.0, 0.0);
    }

    /// One frame.
    pub fn show(&mut self, ui: &mut Ui) {
        let began = Instant::now();
        let ctx = ui.ctx().clone();
        self.style(&ctx);
        self.session.poll();
        self.take_drops(&ctx);
        self.guard_close(&ctx);
        let size = ctx.content_rect().size() * ctx.zoom_factor();
        self.prefs.window = (size.min_elem() > 100.0).then_some(size.into());
        self.animate(&ctx);
        self.read();
        self.frame(ui);
        self.memo.frame_ms.push_back(began.elapsed().as_secs_f64() * 1000.0);
        if self.memo.frame_ms.len() > 240 {
            self.memo.frame_ms.pop_front();
        }
    }

    /// The session behind the window.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Does an action as a panel would; for tests and measurements.
    pub fn apply(&mut self, action: Action) {
        self.session.apply(action);
    }

    /// Our own milliseconds of recent frames, newest last.
    #[must_use]
    pub fn frame_ms(&self) -> Vec<f64> {
        self.memo.frame_ms.iter().copied().collect()
    }

    /// Whether nothing runs, so that the next picture is the final one.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.session.is_idle()
    }

    /// Name of the graphics adapter.
    #[must_use]
    pub fn adapter(&self) -> &str {
        &self.adapter
    }

    /// Uses the light or the dark theme.
    pub fn set_light(&mut self, light: bool) {
        self.prefs.light = light;
    }

    /// Says that the graphics device was lost and that this window is another one.
    pub(super) fn tell_loss(&mut self, why: &str) {
        self.may_close = false;
        let text = format!("{why}. The window was opened again with everything in it.");
        let remedy = "If it happens again, update the graphics driver, or start with WGPU_BACKEND=gl.";
        self.session.say_from(crate::base::Severity::Warning, "Graphics", text, remedy);
    }

    /// Size of the window in points: the last one, or that of a new one.
    pub(super) fn window_size(&self) -> [f32; 2] {
        self.prefs.window.filter(|s| s.iter().all(|v| (320.0..=16_384.0).contains(v))).unwrap_or([1440.0, 900.0])
    }

    /// Leaves out what only a person would read at the start.
    pub(super) fn hide_notices(&mut self) {
        self.memo.software_seen = true;
        self.memo.quiet = true;
    }

    fn style(&mut self, ctx: &Context) {
        let wanted = (self.prefs.light, self.prefs.scale);
        if self.applied != Some(wanted) {
            self.theme.is_dark = !self.prefs.light;
            self.theme.apply(ctx);
            if (ctx.zoom_factor() - self.prefs.scale).abs() > 1e-3 {
                ctx.set_zoom_factor(self.prefs.scale);
            }
            self.applied = Some(wanted);
        }
    }

    fn take_drops(&mut self, ctx: &Context) {
        let dropped: Vec<PathBuf> = ctx.input(|i| i.raw.dropped_files.iter().map(|f| f.path().to_path_buf()).collect());
        if !dropped.is_empty() {
            let open = Action::Open(dropped);
            self.remember(&open);
            self.session.apply(open);
        }
    }

    /// Time goes on for a cine that plays and for the flicker.
    fn animate(&mut self, ctx: &Context) {
        if self.session.playing && self.session.heart().is_some_and(|v| v.n_phases() > 1) {
            let dt = f64::from(ctx.input(|i| i.stable_dt)).min(0.25);
            self.session.apply(Action::View(ViewAction::Tick(dt)));
            ctx.request_repaint();
        }
        if self.session.view.compare == CompareMode::Flicker && self.session.view.section.is_some() {
            let now = ctx.time();
            if now - self.last_flicker >= 0.5 {
                self.last_flicker = now;
                self.session.apply(Action::View(ViewAction::Flicker(!self.session.view.flicker_on)));
            }
            ctx.request_repaint_after_secs((0.5 - (now - self.last_flicker)).max(0.01) as f32);
        }
    }

    /// What the device did with the last frame: what it left out, what still waits, what it could not draw.
    fn hear_device(&mut self, ctx: &Context, state: &eframe::egui_wgpu::RenderState) {
        self.memo.shown_of.clear();
        for (id, kind) in crate::scene::PaneKind::ALL.into_iter().enumerate() {
            let Some(stats) = crate::render::stats(state, id as u64) else { continue };
            if stats.waiting && self.memo.shown_panes.contains(&kind) {
                ctx.request_repaint();
            }
            if let Some(shown) = stats.shown_of {
                self.memo.shown_of.insert(kind, shown);
            }
            let in_sight = self.memo.shown_panes.contains(&kind);
            stats.not_drawn.into_iter().filter(|_| in_sight).for_each(|what| self.complain(what));
        }
        if let Some((what, false)) = crate::render::trouble(state) {
            self.complain(what);
        }
    }

    /// Says once what the graphics device complains about.
    fn complain(&mut self, what: String) {
        if self.memo.complaints.insert(what.clone()) {
            let remedy = "Everything else goes on. A newer graphics driver may help, or WGPU_BACKEND=gl.";
            self.session.say_from(crate::base::Severity::Warning, "Graphics", what, remedy);
        }
    }

    fn read(&mut self) {
        let view = &self.session.view;
        let key = ReadKey {
            revision: self.session.revision(),
            cursor: view.cursor,
            section_cursor: view.section_cursor,
            phase: view.cardiac_phase,
            n_segments: self.session.derived.segments.len(),
            shown: [view.heart, view.section],
        };
        if self.readout.0.as_ref() != Some(&key) {
            self.readout = (Some(key), self.session.readout());
        }
    }

    fn frame(&mut self, ui: &mut Ui) {
        let memo = &self.memo;
        let modal = memo.dialog.is_some() || memo.palette.open || memo.keys_panel.open;
        let on_pane = memo.focused_pane.is_some();
        let commands = if modal { Vec::new() } else { keys::pressed(ui.ctx(), &self.prefs.keys, on_pane) };
        let mut out = Outbox { commands, ..Outbox::default() };
        self.memo.follow_layers(&self.session.study.layers);
        let mut end = false;
        {
            let mut desk = Desk {
                session: &self.session,
                theme: &self.theme,
                readout: &self.readout.1,
                memo: &mut self.memo,
                out: &mut out,
                adapter: &self.adapter,
                keys: &self.prefs.keys,
                recent: &self.prefs.recent,
            };
            layout::escape(ui, &mut desk);
            layout::top(ui, &mut desk);
            layout::bottom(ui, &mut desk);
            desk.memo.narrow = ui.available_width() < NARROW;
            let peek = desk.memo.peek.filter(|_| desk.memo.narrow);
            let shows = |hidden: bool, command| if desk.memo.narrow { peek == Some(command) } else { !hidden };
            let (study, properties) = (
                shows(self.prefs.hide_study, Command::ToggleStudy),
                shows(self.prefs.hide_properties, Command::ToggleProperties),
            );
            if study {
                layout::left(ui, &mut desk);
            }
            if properties {
                layout::right(ui, &mut desk);
            }
            let frame = Frame::new().fill(desk.colors().line);
            egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
                ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
                desk.memo.shown_panes.clear();
                panes::show(ui, &mut desk, &mut self.panes, &mut self.cache);
            });
            super::analyze::settle(&mut desk);
            jobs::panels(ui, &mut desk);
            layout::drop_hint(ui, &desk);
            palette::show(ui, &mut desk);
            cheat_sheet::show(ui, &mut desk);
            keys_panel::show(ui, &mut desk);
            end |= dialogs::show(ui, &mut desk);
        }
        self.settle(ui.ctx(), out);
        if end {
            self.may_close = true;
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
    }

    /// Does what the panels asked for.
    fn settle(&mut self, ctx: &Context, out: Outbox) {
        let asked = !out.actions.is_empty() || !out.commands.is_empty();
        self.prefer(out.keys, out.scale);
        for action in out.actions {
            self.remember(&action);
            self.session.apply(action);
        }
        for command in out.commands {
            self.command(ctx, command);
        }
        let held = ctx.input(|i| i.pointer.any_down());
        if !held && self.session.is_previewing() && self.memo.gesture.is_none() {
            self.session.apply(Action::KeepLayers);
        }
        if !held && self.memo.gesture.is_none() && self.memo.was_held {
            self.session.apply(Action::Register(RegisterAction::EndDrag));
        }
        self.memo.was_held = held;
        if asked {
            ctx.request_repaint();
        }
    }

    /// New preferences are kept at once.
    fn prefer(&mut self, keys: Option<super::keymap::Keymap>, scale: Option<f32>) {
        if let Some(scale) = scale {
            self.prefs.scale = scale;
        }
        if let Some(keys) = keys {
            self.prefs.keys = keys;
            self.save_prefs();
        }
    }

    fn save_prefs(&mut self) {
        if let Some(folder) = &self.prefs_folder
            && let Err(e) = self.prefs.save(folder)
        {
            self.session.say_error("Preferences", &e);
        }
    }

    fn remember(&mut self, action: &Action) {
        if self.prefs_folder.is_none() {
            return;
        }
        match action {
            Action::Open(paths) => paths.iter().for_each(|p| self.prefs.remember(p)),
            Action::Save { path, .. } => self.prefs.remember(path),
            _ => {}
        }
    }

    fn command(&mut self, ctx: &Context, command: Command) {
        if menu::why_not(command, &self.session).is_some() {
            return;
        }
        match command {
            Command::OpenFiles => self.memo.dialog = Some(Dialog::open(ctx, Ask::Files)),
            Command::OpenFolder => self.memo.dialog = Some(Dialog::open(ctx, Ask::Folder)),
            Command::SaveAs => self.memo.dialog = Some(Dialog::save(ctx, false)),
            Command::SaveWithData => self.memo.dialog = Some(Dialog::save(ctx, true)),
            Command::Save if self.session.project.is_none() => self.memo.dialog = Some(Dialog::save(ctx, false)),
            Command::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
            Command::Palette => self.memo.palette.show(),
            Command::CheatSheet => self.memo.cheat_sheet = !self.memo.cheat_sheet,
            Command::GoTo => self.memo.dialog = Some(Dialog::GoTo { text: String::new() }),
            Command::FindPlanes => {
                self.memo.axis_tool = Some(Vec::new());
                self.memo.landmark_tool = false;
                self.memo.draw.take(None);
            }
            Command::LandmarkTool => {
                self.memo.landmark_tool = !self.memo.landmark_tool;
                self.memo.axis_tool = None;
                self.memo.draw.take(None);
            }
            Command::Tool(tool) => {
                let taken = self.memo.draw.tool != Some(tool);
                self.memo.draw.take(taken.then_some(tool));
                self.memo.landmark_tool = false;
                self.memo.axis_tool = None;
            }
            Command::Brush(larger) if self.memo.draw.tool == Some(Tool::SpotBrush) => {
                let usual = super::lasso::usual_radius_mm(&self.session);
                self.memo.lasso.resize(if larger { 1.0 } else { -1.0 }, usual);
            }
            Command::Brush(larger) => self.memo.draw.resize(if larger { 1.0 } else { -1.0 }),
            Command::Panel(panel) => {
                self.memo.analyze.panel = panel;
                self.prefs.hide_properties = false;
                self.memo.peek = Some(Command::ToggleProperties);
            }
            Command::ToggleTheme => self.prefs.light = !self.prefs.light,
            Command::ScaleUp => self.scale(1),
            Command::ScaleDown => self.scale(-1),
            Command::ScaleReset => self.prefs.scale = 1.0,
            Command::ToggleStudy | Command::ToggleProperties if self.memo.narrow => {
                self.memo.peek = Some(command).filter(|c| self.memo.peek != Some(*c));
            }
            Command::ToggleStudy => self.prefs.hide_study = !self.prefs.hide_study,
            Command::ToggleProperties => self.prefs.hide_properties = !self.prefs.hide_properties,
            Command::NextPane => self.memo.wants_focus = pane_keys::after(&self.memo.shown_panes, self.memo.focused_pane),
            Command::EditKeys => self.memo.keys_panel.show(),
            Command::Problems => self.memo.messages_open = !self.memo.messages_open,
            Command::ResetLayout => {
                self.panes = default_tree();
                self.memo.maximized = None;
            }
            Command::NextSlice | Command::PreviousSlice => self.slice(if command == Command::NextSlice { 1.0 } else { -1.0 }),
            other => self.session.apply(Action::Command(other)),
        }
    }

    fn slice(&mut self, steps: f64) {
        let pane =
            self.memo.focused_pane.or(self.memo.hovered).filter(|k| k.is_heart()).unwrap_or(crate::scene::PaneKind::ShortAxis);
        self.session.apply(Action::View(ViewAction::Slice(pane, steps)));
    }

    fn scale(&mut self, step: i32) {
        use super::prefs::SCALES;
        let now = SCALES.iter().position(|s| *s >= self.prefs.scale - 0.01).unwrap_or(2);
        let next = now.saturating_add_signed(step as isize).min(SCALES.len() - 1);
        self.prefs.scale = SCALES[next];
    }

    /// Asks before unsaved work is lost.
    fn guard_close(&mut self, ctx: &Context) {
        if !ctx.input(|i| i.viewport().close_requested()) {
            return;
        }
        let only_demo = self.session.history.edits().len() <= 1;
        if self.may_close || only_demo || !self.session.is_unsaved() || self.prefs_folder.is_none() {
            return;
        }
        ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        self.memo.dialog = Some(Dialog::Quit);
    }

    /// Keeps preferences and ends the session well.
    fn end(&mut self) {
        self.prefs.keep_tree(&self.panes);
        if let Some(folder) = &self.prefs_folder {
            // Nobody is left to tell; the next start has the defaults.
            let _ = self.prefs.save(folder);
        }
        self.session.end();
    }
}

impl eframe::App for Workbench {
    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        if let Some(state) = frame.wgpu_render_state() {
            self.hear_device(ui.ctx(), state);
        }
        self.show(ui);
    }

    fn on_exit(&mut self) {
        self.end();
    }

    fn clear_color(&self, _: &egui::Visuals) -> [f32; 4] {
        self.theme.colors().window.to_normalized_gamma_f32()
    }
}
