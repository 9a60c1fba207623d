//! How the study is looked at: cameras, planes, phase, cursor. It is saved with the study but is not
//! part of its history.

use super::GroupBy;
use crate::model::{AnalysisId, ElementId};
use crate::space::{DVec2, DVec3, Plane};
use std::collections::BTreeMap;

/// Where a pane looks, in pane millimeters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Pane mm at the middle of the pane.
    pub center: DVec2,
    /// Millimeters per physical pixel.
    pub mm_per_px: f64,
}

impl Camera {
    /// Physical pixel (x right, y down, (0, 0) the top left corner of the pane) of a point in pane mm.
    #[must_use]
    pub fn px_from_mm(&self, size_px: [u32; 2], p: DVec2) -> DVec2 {
        (p - self.center) / self.mm_per_px + half(size_px)
    }

    /// Pane mm of a physical pixel position.
    #[must_use]
    pub fn mm_from_px(&self, size_px: [u32; 2], px: DVec2) -> DVec2 {
        (px - half(size_px)) * self.mm_per_px + self.center
    }

    /// The camera that shows a box (least, greatest corner) whole, with this margin as a share.
    #[must_use]
    pub fn fit(bounds: [DVec2; 2], size_px: [u32; 2], margin: f64) -> Self {
        let extent = (bounds[1] - bounds[0]).max(DVec2::splat(1e-6));
        let per = extent / DVec2::new(f64::from(size_px[0].max(1)), f64::from(size_px[1].max(1)));
        Self { center: (bounds[0] + bounds[1]) / 2.0, mm_per_px: per.max_element() * (1.0 + margin) }
    }

    /// The same place under a fixed pixel, `factor` times closer.
    #[must_use]
    pub fn zoomed(&self, size_px: [u32; 2], at_px: DVec2, factor: f64) -> Self {
        let fixed = self.mm_from_px(size_px, at_px);
        let mm_per_px = (self.mm_per_px / factor).clamp(1e-5, 100.0);
        Self { center: fixed - (at_px - half(size_px)) * mm_per_px, mm_per_px }
    }
}

fn half(size_px: [u32; 2]) -> DVec2 {
    DVec2::new(f64::from(size_px[0]), f64::from(size_px[1])) / 2.0
}

/// What a pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneKind {
    /// Short axis of the heart.
    ShortAxis,
    /// First long axis (two chamber).
    TwoChamber,
    /// Second long axis (four chamber).
    FourChamber,
    /// The section with histology and spots.
    Section,
    /// Section over the heart, in the section's plane.
    Overlay,
    /// The seventeen segments.
    Bullseye,
    /// Patients by views: what is there, missing, excluded.
    Cohort,
    /// All slices or all phases of the heart.
    LightBox,
}

impl PaneKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ShortAxis,
        Self::TwoChamber,
        Self::FourChamber,
        Self::Section,
        Self::Overlay,
        Self::Bullseye,
        Self::Cohort,
        Self::LightBox,
    ];

    /// Title on screen.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ShortAxis => "Short axis",
            Self::TwoChamber => "Two chamber",
            Self::FourChamber => "Four chamber",
            Self::Section => "Section",
            Self::Overlay => "Overlay",
            Self::Bullseye => "Bullseye",
            Self::Cohort => "Cohort",
            Self::LightBox => "Light box",
        }
    }

    /// Whether it cuts the heart.
    #[must_use]
    pub fn is_heart(self) -> bool {
        matches!(self, Self::ShortAxis | Self::TwoChamber | Self::FourChamber)
    }
}

/// One pane's own state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PaneView {
    /// Where it looks; `None` fits everything at the next draw.
    pub camera: Option<Camera>,
    /// Its plane, for heart panes; `None` is the plane found from the volume.
    pub plane: Option<Plane>,
    /// The heart image it is pinned to; `None` follows the one shown.
    pub heart: Option<ElementId>,
}

/// How section and heart share the overlay pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CompareMode {
    /// Key 1.
    #[default]
    Blend,
    /// Key 2.
    Swipe,
    /// Key 3.
    Checker,
    /// Key 4.
    Flicker,
    /// Key 5.
    Contour,
}

impl CompareMode {
    /// All of them, in the order of their keys.
    pub const ALL: [Self; 5] = [Self::Blend, Self::Swipe, Self::Checker, Self::Flicker, Self::Contour];
}

/// Where the numbers of a bullseye come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BullseyeOf {
    /// What colors the spots of the registered section shown; without one the heart image shown.
    #[default]
    Shown,
    /// Mean of an image over the voxels of each segment.
    Image(ElementId),
    /// Mean over the spots of a registered section: a gene, a column or a field by its name.
    Spots {
        /// The section.
        section: ElementId,
        /// As `NPPA`.
        name: String,
    },
    /// Numbers per segment of an analysis.
    Measure {
        /// The analysis.
        analysis: AnalysisId,
        /// As `wall_thickness_mean`.
        metric: String,
        /// As `ED`.
        phase: String,
    },
}

/// What the bullseye shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BullseyeView {
    /// The first disc.
    pub of: BullseyeOf,
    /// What is compared with it: other numbers, another phase, another patient.
    pub other: Option<BullseyeOf>,
    /// The second is subtracted from the first instead of standing beside it.
    pub difference: bool,
    /// Usual coronary territories as outlines.
    pub territories: bool,
}

/// How the study is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The heart image in the heart panes.
    pub heart: Option<ElementId>,
    /// The section in the section pane and the overlay.
    pub section: Option<ElementId>,
    /// The cohort in the cohort pane.
    pub cohort: Option<ElementId>,
    /// Own state of each pane.
    pub panes: BTreeMap<PaneKind, PaneView>,
    /// The linked cursor in patient mm.
    pub cursor: Option<DVec3>,
    /// The linked cursor in section mm, where the section has no chain to the patient.
    pub section_cursor: Option<DVec2>,
    /// Share of the RR interval, 0 to 1, that cines show.
    pub cardiac_phase: f64,
    /// Mode of the overlay.
    pub compare: CompareMode,
    /// Opacity of the section in the overlay, or place of the swipe.
    pub mix: f64,
    /// Flicker shows the section now.
    pub flicker_on: bool,
    /// Neurological (mirrored) display.
    pub neurological: bool,
    /// Heart cuts show the genes of the spots that lie in them.
    pub genes_on_heart: bool,
    /// The selected landmark pair.
    pub selected_pair: Option<usize>,
    /// The segment that lights up while the pointer is on it.
    pub lit_segment: Option<u8>,
    /// The segment that was clicked: it stays lit.
    pub selected_segment: Option<u8>,
    /// What the spots of the section shown are grouped by; `None` is the first that there is.
    pub group_by: Option<GroupBy>,
    /// The category of spots that lights up while the pointer is on it.
    pub lit_group: Option<u32>,
    /// The category that was clicked: it stays lit.
    pub selected_group: Option<u32>,
    /// Spots are drawn as pies of their cell types where they are large enough.
    pub pies: bool,
    /// What the bullseye shows.
    pub bullseye: BullseyeView,
    /// The light box shows the phases of a slice instead of the slices of a phase.
    pub light_box_phases: bool,
    /// The subject of the cohort that lights up.
    pub lit_subject: Option<usize>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            heart: None,
            section: None,
            cohort: None,
            panes: PaneKind::ALL.into_iter().map(|k| (k, PaneView::default())).collect(),
            cursor: None,
            section_cursor: None,
            cardiac_phase: 0.0,
            compare: CompareMode::Blend,
            mix: 0.6,
            flicker_on: true,
            neurological: false,
            genes_on_heart: true,
            selected_pair: None,
            lit_segment: None,
            selected_segment: None,
            group_by: None,
            lit_group: None,
            selected_group: None,
            pies: false,
            bullseye: BullseyeView::default(),
            light_box_phases: false,
            lit_subject: None,
        }
    }
}

impl View {
    /// The heart image that a pane shows: the one it is pinned to, else the one shown.
    #[must_use]
    pub fn heart_in(&self, pane: PaneKind) -> Option<ElementId> {
        self.panes.get(&pane).and_then(|p| p.heart).or(self.heart)
    }

    /// The segment whose voxels and spots light up: under the pointer, else the one clicked.
    #[must_use]
    pub fn shown_segment(&self) -> Option<u8> {
        self.lit_segment.or(self.selected_segment)
    }

    /// The category whose spots light up: under the pointer, else the one clicked. A segment under the pointer is before
    /// both.
    #[must_use]
    pub fn shown_group(&self) -> Option<u32> {
        self.lit_group.or(self.selected_group).filter(|_| self.lit_segment.is_none())
    }
}
