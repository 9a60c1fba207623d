//! Everything the outside may ask of a session. Panels push these; tests play whole stories with them.

use super::command::Command;
use super::echo::EchoFiles;
use super::export::ExportWhat;
use super::figures::FigureAction;
use super::jobs::JobId;
use super::labels::LabelAction;
use super::plots::PlotAction;
use super::regions::RegionAction;
use super::task::Task;
use crate::model::{AnalysisId, ElementId, Excluded, Landmarks, Layer, Mend, TransformModel};
use crate::scene::{BullseyeView, Camera, CompareMode, GroupBy, HeartView, PaneKind, PatientPlane};
use crate::space::{DVec2, DVec3, Plane};
use std::path::PathBuf;

/// A side of a landmark pair with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    /// On the section, in section mm.
    Moving(DVec2),
    /// In the heart, in patient LPS mm.
    Fixed(DVec3),
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A named command that needs no window.
    Command(Command),
    /// Open files and folders, each in the background.
    Open(Vec<PathBuf>),
    /// Open the built-in case of a seed.
    OpenDemo(u64),
    /// Save the project.
    Save {
        /// Where.
        path: PathBuf,
        /// With the bytes of all inputs.
        with_data: bool,
    },
    /// Look for missing inputs in this folder.
    Relink(PathBuf),
    /// Take back what a run that ended badly left, or throw it away.
    Recover(bool),
    /// Stop a job.
    Cancel(JobId),
    /// Close an element.
    Remove(ElementId),
    /// Correct an image otherwise than its files say.
    Mend {
        /// The image.
        image: ElementId,
        /// What.
        mend: Mend,
    },
    /// Take the corrections of an image back: it is as its files say.
    Unmend(ElementId),
    /// Say how large a pixel of a section is.
    SetPixelSize {
        /// The section.
        section: ElementId,
        /// µm per full-resolution pixel.
        um_per_px: f64,
    },
    /// Forget the size of a pixel that was typed.
    ForgetPixelSize(ElementId),
    /// Replace a layer.
    SetLayer {
        /// Its place in the list.
        index: usize,
        /// The new layer.
        layer: Layer,
    },
    /// Replace a layer while a handle is dragged; nothing is in the history until `KeepLayers`.
    PreviewLayer {
        /// Its place in the list.
        index: usize,
        /// The new layer.
        layer: Layer,
    },
    /// The handle was let go: all previewed changes are one undoable step.
    KeepLayers,
    /// Move a layer to another place in the list.
    MoveLayer {
        /// From.
        from: usize,
        /// To.
        to: usize,
    },
    /// Draw on a segmentation, or work on one.
    Label(LabelAction),
    /// Figures that measure.
    Figure(FigureAction),
    /// Regions of spots on a section.
    Region(RegionAction),
    /// Run an analysis in the background.
    Run(Task),
    /// Run an analysis whose gene sets or signature are in a file.
    RunFrom {
        /// The analysis, with everything but what the file holds.
        task: Box<Task>,
        /// The file; none is the built-in gene sets.
        file: Option<PathBuf>,
    },
    /// Measure contours of an echocardiogram from tables.
    MeasureEcho {
        /// The open element that the numbers belong to.
        of: ElementId,
        /// The tables.
        files: EchoFiles,
    },
    /// Write files; the request is part of the history.
    Export {
        /// What.
        what: ExportWhat,
        /// Where; the ending gives the format.
        path: PathBuf,
    },
    /// Remove the result of an analysis.
    RemoveAnalysis(AnalysisId),
    /// Color the spots of a section by a field of an analysis, a gene or a column.
    Paint {
        /// The section.
        section: ElementId,
        /// Name of the field, gene or column.
        name: String,
    },
    /// Leave something out of analyses.
    Exclude {
        /// What.
        what: Excluded,
        /// Why.
        reason: String,
    },
    /// Take the exclusion of this place in the list back.
    Include(usize),
    /// An action on the registration of the shown section.
    Register(RegisterAction),
    /// What the bullseye shows; not part of the history.
    Bullseye(Box<BullseyeView>),
    /// What the spots of the section shown are grouped by; not part of the history.
    GroupBy(GroupBy),
    /// Make a plot of spots by category; not part of the history.
    Plot(PlotAction),
    /// A change of the view; not part of the history.
    View(ViewAction),
    /// Forget a message.
    DismissMessage(usize),
}

/// Actions on the registration of the shown section.
#[derive(Clone, Debug, PartialEq)]
pub enum RegisterAction {
    /// Bind the section to a plane.
    Bind(Plane),
    /// Place one side: fills the selected or first half-placed pair that lacks it, else begins a pair.
    Place(Side),
    /// Move a placed side while dragging; the fit follows. Nothing is in the history until `EndDrag`.
    Drag {
        /// The pair.
        pair: usize,
        /// Where it is now.
        to: Side,
    },
    /// The drag is over: one undoable step.
    EndDrag,
    /// The drag is taken back.
    CancelDrag,
    /// These pairs instead of those there are, and another plane where one is given.
    SetPairs(Landmarks, Option<Plane>),
    /// Begin a pair with this name and no side.
    AddPair(String),
    /// Rename a pair.
    Rename(usize, String),
    /// Use a pair or not.
    SetActive(usize, bool),
    /// Take one side of a pair away.
    ClearSide(usize, bool),
    /// Remove a pair.
    Remove(usize),
    /// Another family of maps.
    SetModel(TransformModel),
    /// Smoothing of the thin plate; as a drag, in the history at `EndDrag`.
    SetStiffness(f64),
    /// Turn the section over.
    MendMirror,
    /// Exchange the fixed points of the pairs that look swapped.
    MendSwap,
    /// Project the fixed points farther than half a slice onto the plane.
    ProjectFlagged,
    /// Switch the link from section to heart on or off; off, the fit is kept but leads nowhere.
    SetEnabled(bool),
    /// Begin again: no pairs, a similarity, not turned over, the link on.
    Reset,
}

/// Changes of the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ViewAction {
    /// The pointer is at pane mm of a pane (`None`: it left).
    Cursor(Option<(PaneKind, DVec2)>),
    /// The cursor goes to a patient point.
    GoTo(DVec3),
    /// The other heart panes cut through a patient point; the pane that the cursor is in stays as it is.
    Follow(PaneKind, DVec3),
    /// A pane looks elsewhere.
    Camera(PaneKind, Camera),
    /// A heart pane cuts elsewhere.
    Plane(PaneKind, Plane),
    /// A heart pane shows this image, or follows the one shown again.
    Pin(PaneKind, Option<ElementId>),
    /// A heart pane cuts by the heart's axis.
    Cut(PaneKind, HeartView),
    /// A heart pane cuts along the patient.
    PatientCut(PaneKind, PatientPlane),
    /// A heart pane's plane is the one found from image and labels.
    FoundPlane(PaneKind),
    /// All heart panes cut by an axis given by apex, middle of the base and right ventricle, in patient mm.
    Axis([DVec3; 3]),
    /// The light box shows phases, or slices.
    LightBoxPhases(bool),
    /// A heart pane goes this many slices along its normal.
    Slice(PaneKind, f64),
    /// Share of the RR interval.
    Phase(f64),
    /// The cine plays or stops.
    Play(bool),
    /// Time went on by this many seconds.
    Tick(f64),
    /// Mode of the overlay.
    Compare(CompareMode),
    /// Opacity or place of the swipe.
    Mix(f64),
    /// Flicker shows the section now, or not.
    Flicker(bool),
    /// The selected pair.
    SelectPair(Option<usize>),
    /// The section shown.
    Section(ElementId),
    /// The heart image shown.
    Heart(ElementId),
    /// The segment that lights up under the pointer.
    Light(Option<u8>),
    /// The segment that was clicked and stays lit.
    SelectSegment(Option<u8>),
    /// The category of spots that lights up under the pointer.
    LightGroup(Option<u32>),
    /// The category that was clicked and stays lit.
    SelectGroup(Option<u32>),
    /// Spots are pies of their cell types, or not.
    Pies(bool),
    /// The cohort shown.
    Cohort(ElementId),
    /// The subject of the cohort that lights up.
    LightSubject(Option<usize>),
    /// Mirrored display.
    Neurological(bool),
    /// Fit a pane again.
    Fit(PaneKind),
}

impl Action {
    /// Whether it only changes how things are looked at: what is being drawn goes on.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::View(_) | Self::Bullseye(_) | Self::GroupBy(_) | Self::Plot(_) | Self::DismissMessage(_))
    }

    /// What was asked, in a few words: where a message about it comes from.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Command(command) => super::command::spec_of(*command).map_or("command", |s| s.text.trim_end_matches('…')),
            Self::Open(_) | Self::OpenDemo(_) => "Open",
            Self::Save { .. } => "Save",
            Self::Relink(_) => "Moved data",
            Self::Recover(_) => "Unsaved work",
            Self::Cancel(_) => "Jobs",
            Self::Remove(_) => "Close",
            Self::Mend { .. } | Self::Unmend(_) => "Import",
            Self::SetPixelSize { .. } | Self::ForgetPixelSize(_) => "Size of a pixel",
            Self::SetLayer { .. } | Self::PreviewLayer { .. } | Self::KeepLayers | Self::MoveLayer { .. } => "Layers",
            Self::Label(_) => "Segmentation",
            Self::Figure(_) => "Measuring tools",
            Self::Region(_) => "Regions",
            Self::Run(_) | Self::RunFrom { .. } | Self::MeasureEcho { .. } | Self::RemoveAnalysis(_) | Self::Paint { .. } => {
                "Analysis"
            }
            Self::Export { .. } => "Export",
            Self::Exclude { .. } | Self::Include(_) => "Exclusions",
            Self::Register(_) => "Landmarks",
            Self::View(_) => "View",
            Self::GroupBy(_) | Self::Plot(_) => "Plots",
            Self::Bullseye(_) => "Bullseye",
            Self::DismissMessage(_) => "Problems",
        }
    }
}
