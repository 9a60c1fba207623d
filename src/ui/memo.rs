//! What the window itself remembers between frames; none of it is part of the study.

use super::dialogs::Dialog;
use super::palette::Palette;
use super::pane_input::Gesture;
use crate::scene::{Camera, PaneKind};
use crate::space::DVec2;
use std::collections::BTreeMap;

/// State of the window.
#[derive(Debug, Default)]
pub(super) struct Memo {
    pub(super) selected_layer: Option<usize>,
    pub(super) analyze: super::analyze::State,
    pub(super) landmark_tool: bool,
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
    pub(super) cheat_sheet: bool,
    pub(super) messages_open: bool,
    pub(super) jobs_open: bool,
    /// Text of the gene field while it is typed in.
    pub(super) gene: String,
    pub(super) gene_active: bool,
    /// The pair whose name is edited, with the text.
    pub(super) renaming: Option<(usize, String)>,
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

impl Memo {
    /// Copies a text and says so for two seconds.
    pub(super) fn copy(&mut self, ctx: &egui::Context, text: &str) {
        ctx.copy_text(text.to_owned());
        self.copied = Some((text.to_owned(), ctx.time() + 2.0));
        ctx.request_repaint_after_secs(2.1);
    }
}
