//! What the window itself remembers between frames; none of it is part of the study.

use super::dialogs::Dialog;
use super::keys_panel::KeysPanel;
use super::palette::Palette;
use super::pane_input::Gesture;
use crate::model::{ElementId, Layer, LayerKind};
use crate::scene::{Camera, PaneKind};
use crate::session::Command;
use crate::space::DVec2;
use std::collections::BTreeMap;

/// State of the window.
#[derive(Debug, Default)]
pub(super) struct Memo {
    pub(super) selected_layer: Option<usize>,
    pub(super) analyze: super::analyze::State,
    pub(super) landmark_tool: bool,
    /// The tool in hand and what it is set to.
    pub(super) draw: super::draw::State,
    /// Lasso and brush over spots.
    pub(super) lasso: super::lasso::State,
    /// Places clicked so far for the heart's axis, while it is asked for.
    pub(super) axis_tool: Option<Vec<crate::space::DVec3>>,
    pub(super) maximized: Option<PaneKind>,
    /// The pane under the pointer.
    pub(super) hovered: Option<PaneKind>,
    /// Where the pointer was last in which pane, in pane mm.
    pub(super) pointer: Option<(PaneKind, DVec2)>,
    /// Physical pixels per point of the last drawn pane.
    pub(super) pixels_per_point: f32,
    /// What lies under the pointer in the cohort pane.
    pub(super) cohort_hit: Option<crate::scene::CohortHit>,
    pub(super) gesture: Option<(PaneKind, Gesture)>,
    /// Wheel ticks that did not make a whole step yet.
    pub(super) wheel_rest: f64,
    /// Camera and size in pixels that each pane was drawn with last.
    pub(super) drawn: BTreeMap<PaneKind, (Camera, [u32; 2])>,
    pub(super) dialog: Option<Dialog>,
    pub(super) palette: Palette,
    pub(super) keys_panel: KeysPanel,
    pub(super) problems: super::problems::Problems,
    /// Layers of the last frame, so that a selection stays on its layer when the list changes.
    pub(super) layers_seen: Vec<LayerKey>,
    /// The pane that the keyboard acts on.
    pub(super) focused_pane: Option<PaneKind>,
    /// The category that is pointed at in this frame.
    pub(super) hovered_group: Option<u32>,
    /// Spots drawn and in sight where a pane left some out.
    pub(super) shown_of: BTreeMap<PaneKind, (usize, usize)>,
    /// What the graphics device complained about already.
    pub(super) complaints: std::collections::BTreeSet<String>,
    /// The side panel that a narrow window shows, by the command that shows it.
    pub(super) peek: Option<Command>,
    /// The window has no room for both side panels.
    pub(super) narrow: bool,
    /// The pane that gets the focus in this frame.
    pub(super) wants_focus: Option<PaneKind>,
    /// Panes drawn in this frame, in order.
    pub(super) shown_panes: Vec<PaneKind>,
    pub(super) cheat_sheet: bool,
    pub(super) messages_open: bool,
    pub(super) jobs_open: bool,
    /// Text of the gene field while it is typed in.
    pub(super) gene: String,
    pub(super) gene_active: bool,
    /// The pair whose name is edited, with the text.
    pub(super) renaming: Option<(usize, String)>,
    /// Text of the gene field of the bullseye's chooser.
    pub(super) bullseye_gene: String,
    /// Text of the pixel size field.
    pub(super) pixel_size: String,
    pub(super) histogram: Option<super::histogram::Histogram>,
    /// Voxels of the left ventricle in each phase of a segmentation.
    pub(super) cavity: Option<(std::sync::Arc<crate::model::LabelMap>, Vec<usize>, Vec<f64>)>,
    /// Said to the person for a moment: what was copied.
    pub(super) copied: Option<(String, f64)>,
    /// The pane place of the last right click, in pane mm.
    pub(super) menu_at: Option<(PaneKind, DVec2)>,
    /// Our own milliseconds of recent frames, newest last.
    pub(super) frame_ms: std::collections::VecDeque<f64>,
    /// Resident bytes and when they were read (seconds of the window's clock).
    pub(super) memory: (u64, f64),
    /// Number of messages that were there when the panel was last looked at.
    pub(super) messages_seen: usize,
    /// A button was down in the last frame.
    pub(super) was_held: bool,
    /// The notice about drawing by the processor was dismissed.
    pub(super) software_seen: bool,
    /// No messages by themselves (pictures of the window).
    pub(super) quiet: bool,
    /// Until when the newest message is shown by itself.
    pub(super) toast_until: f64,
}

/// What makes a layer the same one: its element and what it draws of it.
pub(super) type LayerKey = (ElementId, &'static str);

fn key(layer: &Layer) -> LayerKey {
    let kind = match layer.kind {
        LayerKind::Image { .. } => "image",
        LayerKind::Labels { .. } => "labels",
        LayerKind::Picture => "picture",
        LayerKind::Spots { .. } => "spots",
    };
    (layer.element, kind)
}

impl Memo {
    /// Keeps the selected layer selected where layers came, went or moved.
    pub(super) fn follow_layers(&mut self, layers: &[Layer]) {
        let now: Vec<LayerKey> = layers.iter().map(key).collect();
        if now == self.layers_seen {
            return;
        }
        let selected = self.selected_layer.and_then(|i| self.layers_seen.get(i).copied());
        self.selected_layer = selected.and_then(|key| now.iter().position(|k| *k == key));
        self.layers_seen = now;
    }

    /// Copies a text and says so for two seconds.
    pub(super) fn copy(&mut self, ctx: &egui::Context, text: &str) {
        ctx.copy_text(text.to_owned());
        self.copied = Some((text.to_owned(), ctx.time() + 2.0));
        ctx.request_repaint_after_secs(2.1);
    }
}
