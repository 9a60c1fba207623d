//! The program without a window: study, view, history, jobs, journal. The study changes in one function,
//! [`Session::apply`]; whole stories run through it in tests.

mod action;
mod analyze;
mod bullseye;
mod cohort;
mod command;
mod derive;
mod discs;
mod echo;
mod edit;
mod export;
mod figures;
mod gene_files;
mod groups;
mod history;
mod jobs;
mod joint;
mod journal;
mod label_work;
mod labels;
mod layer_edit;
mod mend;
mod open;
mod plots;
mod project;
mod readout;
mod regions;
mod register_edit;
mod replay;
mod spots;
mod task;
mod view_change;
mod view_record;

pub use crate::imaging::paint::{Brush, Connect, GrowSettings, Tip, slice_axis};
pub use action::{Action, RegisterAction, Side, ViewAction};
pub use bullseye::ImageSums;
pub use cohort::{CohortReport, CrossTable, ViewCount, cohort_report};
pub use command::{COMMANDS, Command, MENUS, Panel, Spec, Tool, spec_of};
pub use derive::SegmentsOf;
pub use discs::{Disc, disc_scale, disc_table};
pub use echo::{EchoFiles, read_echo_points};
pub use edit::{Change, Edit, Held, Line, LineKind, Rebuild};
pub use export::{ExportRecord, ExportWhat, Exporter, Placed, SpotRow, export_name, stamp, text_scale};
pub use figures::{FigureAction, FigureRow, figure_table, figure_values, table_of as figure_rows_table, tidy as figure_rows};
pub use gene_files::{built_in_sets, read_signature};
pub use history::History;
pub use jobs::{JobId, JobStatus, Jobs, Wake};
pub use joint::{Joined, before, join_views};
pub use journal::{Leftover, state_folder};
pub use label_work::{LabelOp, Which, Worked, segment_volume, work_on_labels};
pub use labels::{Dab, LabelAction, LabelVolumes};
pub use open::{Opened, demo_elements, demo_held};
pub use plots::{DotGenes, DotPlot, MOST_DOT_GENES, PlotAction, ViolinPlot};
pub use project::{Relink, Restored};
pub use readout::{Readout, three_digits};
pub use regions::{Against, Compared, RegionAction, RegionMode, RegionShape};
pub use register_edit::USUAL_NAMES;
pub use replay::{Replayed, replay};
pub use spots::SpotIndex;
pub use task::{
    Body, ClusterTask, DeconvolveTask, EchoPoints, EmbedTask, FlavorRecord, FusePreview, FuseTask, GraphRecord, MeasureTask,
    MeasureWhat, PredictTask, RadiomicsChoice, Recipe, ReduceTask, ScarChoice, ScoreTask, SetRecord, SignatureRecord,
    SpatialGenesTask, Task, ValuesRecord, echo_view, label_of_region,
};
pub use view_change::rr_ms;

use crate::base::{Error, Limits, Note, Result, Severity};
use crate::model::{Analysis, ElementId, LabelMap, Landmarks, Layer, Region, Registration, Study, Volume};
use crate::scene::{Derived, SceneCache, View};
use crate::space::DVec3;
use journal::Journal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Messages kept; older ones are forgotten.
const MOST_MESSAGES: usize = 500;

/// Something the person should know, kept until it is dismissed.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// How much it matters.
    pub severity: Severity,
    /// What happened.
    pub text: String,
    /// What it is about: a file, a job, a command.
    pub from: String,
    /// What to do about it, or empty.
    pub remedy: &'static str,
    /// How often it was said in a row.
    pub times: u32,
}

/// What background work gives back.
#[derive(Debug)]
pub enum Outcome {
    /// Things found in a path.
    Opened(Opened),
    /// The heart of the built-in case, to be looked at while the rest is made.
    DemoHeart(Box<(Volume, LabelMap)>),
    /// The built-in case of a seed.
    Demo(u64, Box<crate::phantom::Case>),
    /// A project or a journal, read again.
    Restored(Box<Restored>),
    /// Inputs are missing: ask once.
    Missing(Box<Relink>),
    /// A project was saved there.
    Saved(PathBuf, String),
    /// Segments of a segmentation.
    Segments(ElementId, Box<SegmentsOf>),
    /// Means of an image over the segments of a segmentation.
    ImageSums((ElementId, ElementId), Arc<ImageSums>),
    /// An image with a correction, and what it was made from.
    Mended(Box<mend::Mended>),
    /// Where the spots of a section are found.
    SpotIndex(ElementId, Box<SpotIndex>),
    /// Landmark pairs of a file.
    Pairs(PathBuf, Landmarks, Vec<Note>),
    /// A method's result.
    Analyzed(Box<Analysis>),
    /// What was asked of a segmentation.
    Labeled(Box<labels::Labeled>),
    /// Files were written.
    Exported(Vec<PathBuf>),
    /// Areas of a file for a section.
    Regions(ElementId, Vec<Region>, Vec<Note>),
    /// Two regions side by side.
    Compared(Arc<regions::Compared>),
    /// What is painted, by category.
    Violins(Arc<ViolinPlot>),
    /// Genes by category.
    Dots(Arc<DotPlot>),
}

/// The whole program but its window.
#[derive(Debug)]
pub struct Session {
    /// Everything open.
    pub study: Study,
    /// How it is looked at.
    pub view: View,
    /// Undo and redo.
    pub history: History,
    /// Values computed from the study for display.
    pub derived: Derived,
    /// Messages, oldest first.
    pub messages: Vec<Message>,
    /// The cine plays.
    pub playing: bool,
    /// Where the project was saved last.
    pub project: Option<PathBuf>,
    /// What a run that ended badly left.
    pub leftover: Option<Leftover>,
    /// Inputs that could not be found.
    pub relink: Option<Relink>,
    /// Files that the last export wrote.
    pub exported: Vec<PathBuf>,
    /// Memory that readers may take.
    pub limits: Limits,
    jobs: Jobs<Outcome>,
    journal: Option<Journal>,
    segments: BTreeMap<ElementId, Arc<SegmentsOf>>,
    spot_index: BTreeMap<ElementId, SpotIndex>,
    /// What the bullseye shows, one disc or two.
    discs: Vec<Disc>,
    bullseye_known: bullseye::Known,
    /// The heart's axis by three clicked places.
    axis: Option<crate::scene::HeartAxis>,
    /// What the values of spots were made from.
    painted: BTreeMap<ElementId, derive::Painting>,
    drag: Option<Box<Registration>>,
    preview: Option<Vec<Layer>>,
    stroke: Option<labels::Stroke>,
    compared: Option<Arc<regions::Compared>>,
    violins: Option<Arc<ViolinPlot>>,
    dot_plot: Option<Arc<DotPlot>>,
    /// What the categories of spots were made from.
    grouped: Option<groups::Grouping>,
    /// The selected category of what the spots cannot be grouped by yet.
    waiting_group: Option<u32>,
    /// Planes found from volumes and labels, so that the cursor's place costs nothing.
    planes: Mutex<SceneCache>,
    unsaved: bool,
    is_early: bool,
    revision: u64,
    /// Landmark pairs that wait for a section and a heart, and their file.
    waiting_pairs: Option<(PathBuf, Landmarks)>,
}

impl Session {
    /// An empty session. `wake` is called from any thread when [`Self::poll`] has something to do.
    #[must_use]
    pub fn new(wake: Wake) -> Self {
        Self {
            study: Study::default(),
            view: View::default(),
            history: History::default(),
            derived: Derived::default(),
            messages: Vec::new(),
            playing: false,
            project: None,
            leftover: None,
            relink: None,
            exported: Vec::new(),
            limits: Limits::default(),
            jobs: Jobs::new(wake),
            journal: None,
            segments: BTreeMap::new(),
            spot_index: BTreeMap::new(),
            discs: Vec::new(),
            bullseye_known: bullseye::Known::default(),
            axis: None,
            painted: BTreeMap::new(),
            drag: None,
            preview: None,
            stroke: None,
            compared: None,
            violins: None,
            dot_plot: None,
            grouped: None,
            waiting_group: None,
            planes: Mutex::default(),
            unsaved: false,
            is_early: false,
            waiting_pairs: None,
            revision: 0,
        }
    }

    /// Keeps a crash journal below `root` from now on, and looks for work that another run left there.
    pub fn keep_journal(&mut self, root: &Path) {
        let (worth, idle): (Vec<Leftover>, Vec<Leftover>) = journal::leftovers(root).into_iter().partition(Leftover::is_work);
        idle.iter().for_each(journal::discard);
        self.leftover = worth.into_iter().next();
        match Journal::begin(root) {
            Ok(journal) => self.journal = Some(journal),
            Err(e) => self.say(Severity::Warning, format!("No crash journal is kept: {e}")),
        }
    }

    /// Does what is asked; what cannot be done becomes a message. Nothing here waits.
    pub fn apply(&mut self, action: Action) {
        let from = action.name();
        if let Err(e) = self.try_apply(action) {
            self.say_error(from, &e);
        }
    }

    fn try_apply(&mut self, action: Action) -> Result<()> {
        let is_passing = action.is_passing() || matches!(action, Action::PreviewLayer { .. });
        if !is_passing && !matches!(action, Action::Label(_)) {
            self.end_stroke();
        }
        if !is_passing {
            self.keep_layers();
        }
        match action {
            Action::Command(command) => self.command(command),
            Action::Open(paths) => {
                paths.into_iter().for_each(|p| self.open(p));
                Ok(())
            }
            Action::OpenDemo(seed) => {
                self.open_demo(seed);
                Ok(())
            }
            Action::Save { path, with_data } => {
                self.save(path, with_data);
                Ok(())
            }
            Action::Relink(folder) => self.relink_in(&folder),
            Action::Recover(take) => {
                self.recover(take);
                Ok(())
            }
            Action::Cancel(id) => {
                self.jobs.cancel(id);
                Ok(())
            }
            Action::Remove(id) => self.remove(id),
            Action::Mend { image, mend } => self.mend(image, mend),
            Action::Unmend(image) => self.unmend(image),
            Action::SetPixelSize { section, um_per_px } => self.set_pixel_size(section, um_per_px),
            Action::ForgetPixelSize(section) => self.forget_pixel_size(section),
            Action::SetLayer { index, layer } => self.set_layer(index, layer),
            Action::PreviewLayer { index, layer } => self.preview_layer(index, layer),
            Action::KeepLayers => Ok(()),
            Action::MoveLayer { from, to } => self.move_layer(from, to),
            Action::Label(action) => self.label(action),
            Action::Figure(action) => self.figure(action),
            Action::Region(action) => self.region(action),
            Action::Run(task) => self.run_task(task),
            Action::RunFrom { task, file } => self.run_from(*task, file),
            Action::MeasureEcho { of, files } => self.measure_echo(of, files),
            Action::Export { what, path } => self.export(what, &path),
            Action::RemoveAnalysis(id) => self.remove_analysis(id),
            Action::Paint { section, name } => self.paint(section, &name),
            Action::Exclude { what, reason } => self.exclude(what, &reason),
            Action::Include(index) => self.include(index),
            Action::Register(action) => self.register(&action),
            Action::Bullseye(bullseye) => {
                self.choose_bullseye(*bullseye);
                Ok(())
            }
            Action::GroupBy(by) => self.group_by(by),
            Action::Plot(action) => self.plot(action),
            Action::View(action) => {
                self.change_view(action);
                Ok(())
            }
            Action::DismissMessage(i) => {
                if i < self.messages.len() {
                    self.messages.remove(i);
                }
                Ok(())
            }
        }
    }

    fn command(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Undo => self.step_history(LineKind::Undo),
            Command::Redo => self.step_history(LineKind::Redo),
            Command::OpenDemo => self.open_demo(0),
            Command::Model(model) => self.register(&RegisterAction::SetModel(model))?,
            Command::MendMirror => self.register(&RegisterAction::MendMirror)?,
            Command::MendSwap => self.register(&RegisterAction::MendSwap)?,
            Command::DeletePair => match self.view.selected_pair {
                Some(pair) => self.register(&RegisterAction::Remove(pair))?,
                None => return Err(Error::parameter("select a landmark pair first")),
            },
            Command::NewLabels => {
                let image = self.view.heart.ok_or_else(|| Error::parameter("open an image of the heart first"))?;
                let is_free = |n: &usize| self.study.label_maps().all(|(_, l)| l.name != format!("Segmentation {n}"));
                let n = (1..=self.study.elements.len() + 1).find(is_free).unwrap_or(1);
                self.label(LabelAction::New { image, name: format!("Segmentation {n}") })?;
            }
            Command::CancelJobs => {
                let ids: Vec<JobId> = self.jobs.status().iter().map(|j| j.id).collect();
                ids.into_iter().for_each(|id| self.jobs.cancel(id));
            }
            Command::Save => match self.project.clone() {
                Some(path) => self.save(path, false),
                None => return Err(Error::parameter("choose where to save first (Save as…)")),
            },
            other => self.view_command(other),
        }
        Ok(())
    }

    /// Takes in finished work. Call it whenever `wake` was called.
    pub fn poll(&mut self) {
        for done in self.jobs.finished() {
            match done.result {
                Ok(outcome) => self.take(outcome),
                Err(Error::Cancelled) => {}
                Err(e) => self.say_error(&done.title, &e),
            }
        }
        self.place_waiting_pairs();
    }

    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Opened(opened) => self.add_opened(opened),
            Outcome::DemoHeart(heart) => self.show_early(heart.0, heart.1),
            Outcome::Demo(seed, case) => self.add_demo(seed, *case),
            Outcome::Restored(restored) => self.adopt(*restored),
            Outcome::Missing(relink) => self.relink = Some(*relink),
            Outcome::Saved(path, text) => {
                self.project = Some(path);
                self.unsaved = false;
                self.say(Severity::Note, text);
            }
            Outcome::Pairs(path, landmarks, notes) => self.wait_for_pairs(path, landmarks, notes),
            Outcome::Segments(id, segments) => self.add_segments(id, *segments),
            Outcome::ImageSums(key, sums) => self.add_image_sums(key, sums),
            Outcome::Mended(mended) => self.add_mended(*mended),
            Outcome::SpotIndex(id, index) => self.add_spot_index(id, *index),
            Outcome::Analyzed(analysis) => self.add_analysis(*analysis),
            Outcome::Labeled(labeled) => self.take_labeled(*labeled),
            Outcome::Regions(section, found, notes) => self.add_regions(section, &found, notes),
            Outcome::Compared(compared) => self.compared = Some(compared),
            Outcome::Violins(plot) => self.violins = Some(plot),
            Outcome::Dots(plot) => self.dot_plot = Some(plot),
            Outcome::Exported(files) => {
                let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                self.say(Severity::Note, format!("Written: {}", names.join(", ")));
                self.exported = files;
            }
        }
    }

    /// Makes an edit part of the study, the history and the journal.
    fn commit(&mut self, edit: Edit) {
        if self.is_early {
            self.say(Severity::Note, "The built-in case is still being made; then it can be changed.");
            return;
        }
        edit.apply(&mut self.study);
        let touches_inputs = edit.changes.iter().any(|c| matches!(c, Change::Element { .. }));
        self.history.push(edit);
        self.write_last_line(touches_inputs);
        self.after_change();
    }

    fn step_history(&mut self, kind: LineKind) {
        self.cancel_drag();
        let name = match kind {
            LineKind::Undo => self.history.undo(&mut self.study),
            _ => self.history.redo(&mut self.study),
        };
        if name.is_some() {
            self.write_last_line(false);
            self.after_change();
        }
    }

    /// Puts the newest line of the history into the crash journal.
    fn write_last_line(&mut self, touches_inputs: bool) {
        if self.journal.is_none() {
            return;
        }
        // The built-in case has no inputs, and a list that was never written reads as empty.
        let inputs = touches_inputs.then(|| self.inputs_manifest()).filter(|m| !m.inputs.is_empty());
        let (Some(journal), Some(line)) = (&mut self.journal, self.history.lines().last()) else { return };
        let wrote = inputs.map_or(Ok(()), |i| journal.set_inputs(&i)).and_then(|()| journal.append(line));
        if let Err(e) = wrote {
            self.journal = None;
            self.say(Severity::Warning, format!("The crash journal ends here: {e}"));
        }
    }

    fn after_change(&mut self) {
        self.unsaved = true;
        self.revision += 1;
        self.repair_view();
        self.derive();
    }

    /// Grows with every change of the study.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether something would be lost without saving.
    #[must_use]
    pub fn is_unsaved(&self) -> bool {
        self.unsaved && self.history.done().next().is_some()
    }

    /// What runs in the background.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobStatus> {
        self.jobs.status()
    }

    /// The running job of a slot.
    #[must_use]
    pub fn job(&self, slot: &str) -> Option<JobStatus> {
        self.jobs.of_slot(slot)
    }

    /// Whether nothing runs in the background.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.jobs.is_idle()
    }

    /// Everything under the cursor.
    #[must_use]
    pub fn readout(&self) -> Readout {
        readout::read(self)
    }

    /// The registration of the shown section.
    #[must_use]
    pub fn registration(&self) -> Option<&Registration> {
        self.study.registrations.get(&self.view.section?)
    }

    /// Fixed landmarks off the plane by more than half a slice: pair and distance in mm.
    #[must_use]
    pub fn flagged_pairs(&self) -> Vec<(usize, f64)> {
        self.registration().map(crate::register::pairs_flagged).unwrap_or_default()
    }

    /// Number and name of the segment at a patient point.
    #[must_use]
    pub fn segment_at(&self, lps: DVec3) -> Option<(u8, String)> {
        self.shown_segments().find_map(|s| s.at(lps))
    }

    /// Says something to the person.
    pub fn say(&mut self, severity: Severity, text: impl Into<String>) {
        self.say_from(severity, "program", text, "");
    }

    /// Says something about a file, a job or a command, and what to do. What is repeated at once is counted.
    pub fn say_from(&mut self, severity: Severity, from: &str, text: impl Into<String>, remedy: &'static str) {
        let message = Message { severity, text: text.into(), from: from.to_owned(), remedy, times: 1 };
        if let Some(last) = self.messages.last_mut()
            && (&last.text, &last.from, last.severity) == (&message.text, &message.from, message.severity)
        {
            last.times += 1;
            return;
        }
        self.messages.push(message);
        if self.messages.len() > MOST_MESSAGES {
            self.messages.remove(0);
        }
    }

    /// Says what went wrong, and what an error of its kind asks for.
    pub fn say_error(&mut self, from: &str, error: &Error) {
        self.say_from(Severity::Error, from, error.to_string(), error.remedy());
    }

    /// Ends well: the journal is thrown away.
    pub fn end(&mut self) {
        if let Some(journal) = self.journal.take() {
            journal.finish();
        }
    }
}
