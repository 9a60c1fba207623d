//! What every panel gets: the session to read, the theme, and a box for what it wants done. Panels never
//! change the session; the window applies the box at the end of the frame.

use super::keymap::Keymap;
use super::memo::Memo;
use super::theme::{Colors, Theme};
use crate::model::{Layer, LayerKind};
use crate::scene::{PaneKind, fixed};
use crate::session::{Action, Command, Readout, RegisterAction, Session, ViewAction};
use egui::{FontId, RichText, Ui};

/// What panels want done.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) actions: Vec<Action>,
    /// Commands by name, those of the window among them.
    pub(super) commands: Vec<Command>,
    /// Keys from now on.
    pub(super) keys: Option<Keymap>,
    /// Scale of the interface from now on.
    pub(super) scale: Option<f32>,
}

/// Everything a panel works with.
pub(super) struct Desk<'a> {
    pub(super) session: &'a Session,
    pub(super) theme: &'a Theme,
    pub(super) readout: &'a Readout,
    pub(super) memo: &'a mut Memo,
    pub(super) out: &'a mut Outbox,
    /// Name of the graphics adapter.
    pub(super) adapter: &'a str,
    /// Which key calls what.
    pub(super) keys: &'a Keymap,
    /// Paths opened lately, newest first.
    pub(super) recent: &'a [std::path::PathBuf],
}

impl Desk<'_> {
    pub(super) fn act(&mut self, action: Action) {
        self.out.actions.push(action);
    }

    pub(super) fn view(&mut self, action: ViewAction) {
        self.act(Action::View(action));
    }

    pub(super) fn register(&mut self, action: RegisterAction) {
        self.act(Action::Register(action));
    }

    pub(super) fn run(&mut self, command: Command) {
        self.out.commands.push(command);
    }

    pub(super) fn colors(&self) -> &Colors {
        self.theme.colors()
    }

    /// The topmost layer of the image in a pane, which may be pinned to another than the one shown.
    pub(super) fn image_layer_in(&self, kind: PaneKind) -> Option<(usize, Layer)> {
        let shown = self.session.view.heart_in(kind);
        let is_image = |l: &Layer| matches!(l.kind, LayerKind::Image { .. });
        let layers = &self.session.study.layers;
        let found = layers.iter().enumerate().rev().find(|(_, l)| is_image(l) && Some(l.element) == shown);
        found.map(|(i, l)| (i, l.clone()))
    }

    /// Whether a pane has something to show.
    pub(super) fn has_content(&self, kind: PaneKind) -> bool {
        let (study, view) = (&self.session.study, &self.session.view);
        let heart = view.heart.is_some_and(|id| study.volume(id).is_some());
        let section = view.section.is_some_and(|id| study.section(id).is_some());
        match kind {
            PaneKind::Section => section,
            PaneKind::Overlay => heart && section,
            PaneKind::Bullseye => !self.session.derived.bullseye.is_empty(),
            PaneKind::Cohort => view.cohort.is_some_and(|id| study.cohort(id).is_some()),
            _ => heart,
        }
    }
}

/// Semibold text in the size of controls.
pub(super) fn strong(theme: &Theme, text: impl Into<String>) -> RichText {
    RichText::new(text).font(Theme::strong(theme.size.control))
}

/// Dim text in the size of tables.
pub(super) fn dim(theme: &Theme, text: impl Into<String>) -> RichText {
    RichText::new(text).font(FontId::proportional(theme.size.table)).color(theme.colors().dim)
}

/// Text in the size of tables.
pub(super) fn small(theme: &Theme, text: impl Into<String>) -> RichText {
    RichText::new(text).font(FontId::proportional(theme.size.table))
}

/// A panel's title row with what belongs at its right end.
pub(super) fn title(ui: &mut Ui, theme: &Theme, text: &str, right: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.set_min_height(theme.size.control_height);
        ui.label(RichText::new(text).font(Theme::strong(theme.size.control)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), right);
    });
}

/// A length in mm with decimals that mean something: two below 10 mm, one above.
pub(super) fn mm(value: f64) -> String {
    format!("{} mm", mm_number(value))
}

/// As [`mm`] without the unit.
pub(super) fn mm_number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    fixed(value, if value.abs() < 9.995 { 2 } else { 1 })
}
