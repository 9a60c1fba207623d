//! The window as one value: session, arrangement, preferences, and one frame of all panels.

use super::desk::{Desk, Outbox};
use super::dialogs::{self, Dialog};
use super::memo::Memo;
use super::panes::{Pane, default_tree};
use super::pick::Ask;
use super::prefs::Prefs;
use super::theme::{Theme, set_fonts};
use super::{analyze, inspector, jobs, keys, landmarks, layers, menu, palette, pane_input, panes, prefs, readout, timebar, tree};
use crate::base::Result;
use crate::scene::{CompareMode, SceneCache};
use crate::session::{Action, Command, Panel as SidePanel, Readout, RegisterAction, Session, ViewAction, state_folder};
use egui::{Align, Context, Frame, Key, Layout, Margin, Modifiers, Panel, ScrollArea, Ui, ViewportCommand};
use egui_tiles::Tree;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The window.
pub struct Workbench {
    session: Session,
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

impl Workbench {
    /// A workbench in a window that exists. Opens what is asked in the background.
    pub fn new(cc: &eframe::CreationContext<'_>, setup: &Setup) -> Result<Self> {
        let mut workbench = Self::in_context(&cc.egui_ctx, setup)?;
        if let Some(state) = &cc.wgpu_render_state {
            crate::render::install(state);
            workbench.adapter = crate::render::adapter_name(state);
        }
        Ok(workbench)
    }

    /// The same without a graphics device: everything but the pictures. Its fonts are there from the next
    /// frame on.
    pub fn in_context(ctx: &Context, setup: &Setup) -> Result<Self> {
        let mut theme = Theme::built_in()?;
        set_fonts(ctx);
        ctx.options_mut(|o| o.zoom_with_keyboard = false);
        let wake = ctx.clone();
        let mut session = Session::new(Arc::new(move || wake.request_repaint()));
        let prefs_folder = prefs::folder().filter(|_| !setup.isolated);
        if !setup.isolated {
            session.keep_journal(&state_folder());
        }
        let prefs = prefs_folder.as_ref().map(|f| Prefs::load(f)).unwrap_or_default();
        theme.is_dark = !prefs.light;
        if setup.paths.is_empty() {
            session.apply(Action::OpenDemo(setup.seed));
        } else {
            session.apply(Action::Open(setup.paths.clone()));
        }
        let panes = prefs.tree();
        Ok(Self {
            session,
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

    /// One frame.
    pub fn show(&mut self, ui: &mut Ui) {
        let began = Instant::now();
        let ctx = ui.ctx().clone();
        self.style(&ctx);
        self.session.poll();
        self.take_drops(&ctx);
        self.guard_close(&ctx);
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
            self.session.apply(Action::Open(dropped));
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
        let mut out = Outbox { commands: keys::pressed(ui.ctx()), ..Outbox::default() };
        let mut end = false;
        {
            let mut desk = Desk {
                session: &self.session,
                theme: &self.theme,
                readout: &self.readout.1,
                memo: &mut self.memo,
                out: &mut out,
                adapter: &self.adapter,
            };
            escape(ui, &mut desk);
            top(ui, &mut desk);
            bottom(ui, &mut desk);
            left(ui, &mut desk);
            right(ui, &mut desk);
            let frame = Frame::new().fill(desk.colors().line);
            egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
                ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
                panes::show(ui, &mut desk, &mut self.panes, &mut self.cache);
            });
            jobs::panels(ui, &mut desk);
            drop_hint(ui, &desk);
            palette::show(ui, &mut desk);
            palette::cheat_sheet(ui, &mut desk);
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
        out.actions.into_iter().for_each(|a| self.session.apply(a));
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
            Command::LandmarkTool => self.memo.landmark_tool = !self.memo.landmark_tool,
            Command::Panel(panel) => self.memo.analyze.panel = panel,
            Command::ToggleTheme => self.prefs.light = !self.prefs.light,
            Command::ScaleUp => self.scale(1),
            Command::ScaleDown => self.scale(-1),
            Command::ResetLayout => {
                self.panes = default_tree();
                self.memo.maximized = None;
            }
            Command::NextSlice | Command::PreviousSlice => self.slice(if command == Command::NextSlice { 1.0 } else { -1.0 }),
            other => self.session.apply(Action::Command(other)),
        }
    }

    fn slice(&mut self, steps: f64) {
        let pane = self.memo.hovered.filter(|k| k.is_heart()).unwrap_or(crate::scene::PaneKind::ShortAxis);
        self.session.apply(Action::View(ViewAction::Slice(pane, steps)));
    }

    fn scale(&mut self, step: i32) {
        const SCALES: [f32; 9] = [0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 3.0];
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
    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.show(ui);
    }

    fn on_exit(&mut self) {
        self.end();
    }

    fn clear_color(&self, _: &egui::Visuals) -> [f32; 4] {
        self.theme.colors().window.to_normalized_gamma_f32()
    }
}

/// Esc steps back: drag, palette, tool, maximized pane, selection. Tab over a pane cycles the overlay.
fn escape(ui: &Ui, desk: &mut Desk<'_>) {
    let modal = desk.memo.dialog.is_some() || desk.memo.palette.open || desk.memo.cheat_sheet;
    let idle = !modal && !ui.ctx().text_edit_focused() && !egui::Popup::is_any_open(ui.ctx());
    if idle && ui.input(|i| i.key_pressed(Key::Escape)) {
        if pane_input::cancel(desk) {
        } else if desk.memo.landmark_tool {
            desk.memo.landmark_tool = false;
        } else if desk.memo.messages_open || desk.memo.jobs_open {
            (desk.memo.messages_open, desk.memo.jobs_open) = (false, false);
        } else if desk.memo.maximized.is_some() {
            desk.memo.maximized = None;
        } else if desk.session.view.selected_pair.is_some() {
            desk.view(ViewAction::SelectPair(None));
        }
    }
    let unfocused = ui.memory(|m| m.focused().is_none());
    if idle && unfocused && desk.memo.hovered.is_some() && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Tab)) {
        let modes = CompareMode::ALL;
        let now = modes.iter().position(|m| *m == desk.session.view.compare).unwrap_or(0);
        desk.run(Command::Compare(modes[(now + 1) % modes.len()]));
    }
}

fn plain(desk: &Desk<'_>, margin: Margin) -> Frame {
    Frame::new().fill(desk.colors().window).inner_margin(margin)
}

fn top(ui: &mut Ui, desk: &mut Desk<'_>) {
    let frame = plain(desk, Margin::symmetric(4, 2));
    Panel::top("menu").frame(frame).show(ui, |ui| menu::bar(ui, desk));
    let slow = ["llvmpipe", "lavapipe", "swiftshader", "softpipe", "basic render"];
    let software = slow.iter().any(|s| desk.adapter.to_lowercase().contains(s));
    if software && !desk.memo.software_seen && !desk.adapter.is_empty() {
        let colors = *desk.colors();
        let frame = Frame::new().fill(colors.raised).inner_margin(Margin::symmetric(12, 2));
        Panel::top("software").frame(frame).show(ui, |ui| {
            ui.horizontal(|ui| {
                let text = "The processor draws the pictures: no graphics driver was found. Everything works, but slower.";
                ui.label(super::desk::small(desk.theme, text).color(colors.warning)).on_hover_text(desk.adapter);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if super::icon::icon_button(ui, super::icon::Icon::Close, "Dismiss notice").clicked() {
                        desk.memo.software_seen = true;
                    }
                });
            });
        });
    }
    dialogs::recovery(ui, desk);
}

fn bottom(ui: &mut Ui, desk: &mut Desk<'_>) {
    let frame = plain(desk, Margin::symmetric(8, 2));
    Panel::bottom("status").frame(frame).exact_size(56.0).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let height = 25.0;
        ui.allocate_ui(egui::vec2(ui.available_width(), height), |ui| {
            ui.horizontal_centered(|ui| {
                timebar::show(ui, desk);
                ui.add_space(8.0);
                ui.separator();
                ScrollArea::horizontal().id_salt("positions").auto_shrink([false, true]).show(ui, |ui| {
                    ui.horizontal_centered(|ui| readout::positions(ui, desk));
                });
            });
        });
        ui.allocate_ui(egui::vec2(ui.available_width(), height), |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                jobs::status(ui, desk);
                ui.add_space(8.0);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    readout::chain(ui, desk);
                    ui.add_space(8.0);
                    ScrollArea::horizontal().id_salt("values").auto_shrink([false, true]).show(ui, |ui| {
                        ui.horizontal_centered(|ui| readout::values(ui, desk));
                    });
                });
            });
        });
    });
}

fn left(ui: &mut Ui, desk: &mut Desk<'_>) {
    let wide = ui.available_width();
    let frame = plain(desk, Margin::symmetric(8, 4));
    let panel = Panel::left("study")
        .default_size(match wide {
            w if w > 1600.0 => 264.0,
            w if w > 1360.0 => 232.0,
            _ => 200.0,
        })
        .size_range(140.0..=420.0);
    panel.frame(frame).show(ui, |ui| {
        ScrollArea::vertical().id_salt("study").auto_shrink(false).show(ui, |ui| {
            tree::show(ui, desk);
            ui.add_space(8.0);
            ui.separator();
            layers::show(ui, desk);
        });
    });
}

fn right(ui: &mut Ui, desk: &mut Desk<'_>) {
    let wide = ui.available_width();
    let frame = plain(desk, Margin::symmetric(8, 4));
    let panel = Panel::right("properties")
        .default_size(match wide {
            w if w > 1400.0 => 344.0,
            w if w > 1120.0 => 316.0,
            _ => 288.0,
        })
        .size_range(220.0..=520.0);
    panel.frame(frame).show(ui, |ui| {
        analyze::tabs(ui, desk);
        if desk.memo.analyze.panel != SidePanel::Inspect {
            analyze::show(ui, desk);
            return;
        }
        let half = (ui.available_height() * 0.46).max(160.0);
        ScrollArea::vertical().id_salt("inspector").auto_shrink([false, true]).max_height(half).show(ui, |ui| {
            inspector::show(ui, desk);
        });
        ui.add_space(4.0);
        ui.separator();
        landmarks::show(ui, desk);
    });
}

/// What a drop would do, while something is dragged over the window.
fn drop_hint(ui: &Ui, desk: &Desk<'_>) {
    if ui.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop")));
    let rect = ui.ctx().content_rect();
    painter.rect_filled(rect, 0.0, egui::Color32::from_black_alpha(150));
    let font = Theme::strong(desk.theme.size.title);
    let text = "Drop to open: heart images, labels, sections, projects";
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, text, font, desk.theme.on_image().text);
}
