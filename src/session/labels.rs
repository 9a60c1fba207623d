//! Drawing on segmentations: a stroke shows at once and is one step of the history when it ends; larger work
//! runs in the background and comes back as one step. What changed is kept as runs of voxels.

use super::edit::{Change, Edit, Held};
use super::label_work::{self, LabelOp, Which};
use super::open::first_layers;
use super::{Outcome, Session};
use crate::base::{Error, Result, Severity};
use crate::imaging::paint::{Brush, brush_voxels, within};
use crate::model::{Element, ElementId, LabelEdit, LabelMap, LabelTable, Layer, LayerKind, Provenance};
use crate::scene::{PaneKind, label_phase, phase_at};
use crate::space::DVec3;
use std::sync::Arc;

/// A piece of a stroke: the brush goes straight from one place to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Dab {
    /// The segmentation.
    pub labels: ElementId,
    /// Its phase.
    pub phase: usize,
    /// The label drawn with, or taken away.
    pub value: u8,
    /// Takes the label away instead.
    pub erase: bool,
    /// The brush.
    pub brush: Brush,
    /// From and to, patient mm; the same for a dab.
    pub path: [DVec3; 2],
    /// Only where the heart image shown has a value between these.
    pub within: Option<[f64; 2]>,
}

/// What may be asked of segmentations.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelAction {
    /// An empty segmentation on the grid and with the phases of an image.
    New {
        /// The image.
        image: ElementId,
        /// Its name.
        name: String,
    },
    /// Draw; nothing is in the history until `EndStroke`.
    Draw(Dab),
    /// The stroke is over: one undoable step.
    EndStroke,
    /// The stroke is taken back.
    CancelStroke,
    /// Other names, colors or locks, under the name of a step.
    Table {
        /// The segmentation.
        labels: ElementId,
        /// The new table.
        table: LabelTable,
        /// As `rename label`.
        step: &'static str,
    },
    /// Work on voxels, in the background.
    Work {
        /// The segmentation.
        labels: ElementId,
        /// What.
        op: LabelOp,
        /// In which phases.
        which: Which,
    },
    /// Segment an image with a network of the person's own.
    Segment {
        /// The image.
        image: ElementId,
        /// The manifest of the network.
        manifest: std::path::PathBuf,
    },
}

/// A stroke under way.
#[derive(Debug)]
pub(super) struct Stroke {
    labels: ElementId,
    phase: usize,
    before: Arc<[u8]>,
    name: String,
}

/// What background work on a segmentation gives back.
#[derive(Debug)]
pub struct Labeled {
    /// What it worked on; `None` makes a new segmentation.
    pub(super) source: Option<(ElementId, Arc<LabelMap>)>,
    /// The step.
    pub(super) name: String,
    pub(super) made: label_work::Made,
    /// What to say beside it.
    pub(super) told: Vec<(Severity, String)>,
}

impl Session {
    pub(super) fn label(&mut self, action: LabelAction) -> Result<()> {
        if !matches!(action, LabelAction::Draw(_) | LabelAction::CancelStroke) {
            self.end_stroke();
        }
        match action {
            LabelAction::New { image, name } => self.new_labels(image, &name),
            LabelAction::Draw(dab) => self.draw(&dab),
            LabelAction::EndStroke => Ok(()),
            LabelAction::CancelStroke => {
                self.cancel_stroke();
                Ok(())
            }
            LabelAction::Table { labels, table, step } => self.change_table(labels, table, step),
            LabelAction::Work { labels, op, which } => self.work(labels, op, which),
            LabelAction::Segment { image, manifest } => self.segment_image(image, manifest),
        }
    }

    fn label_map(&self, id: ElementId) -> Result<&Arc<LabelMap>> {
        self.study.labels(id).ok_or_else(|| Error::parameter("choose a segmentation to work on first"))
    }

    fn new_labels(&mut self, image: ElementId, name: &str) -> Result<()> {
        let volume = self.study.volume(image).ok_or_else(|| Error::parameter("open an image of the heart first"))?;
        let mut map = LabelMap::blank(name, volume.grid, volume.n_phases())?;
        map.phase_times_ms.clone_from(&volume.phase_times_ms);
        map.length_unit_known = volume.length_unit_known;
        self.pin_planes();
        let edit = self.adding(map, &[], format!("new segmentation {name}"));
        self.commit(edit);
        Ok(())
    }

    /// The step that adds a segmentation: an empty one, its table, and what is drawn on it. Other segmentations
    /// are hidden, so that what is drawn is seen.
    fn adding(&self, map: LabelMap, hide: &[ElementId], name: String) -> Edit {
        let id = ElementId(self.study.next_id.max(1));
        let blank = map.emptied();
        let edits: Vec<LabelEdit> =
            (0..map.n_phases()).map(|p| LabelEdit::between(p, &blank.phases[p], &map.phases[p])).collect();
        let edits: Vec<LabelEdit> = edits.into_iter().filter(|e| !e.runs.is_empty()).collect();
        let (before, after) = (blank.label_table(), map.label_table());
        let element = Element::Labels(Arc::new(blank));
        let mut layers: Vec<Layer> = self.study.layers.clone();
        layers.iter_mut().filter(|l| hide.contains(&l.element)).for_each(|l| l.visible = false);
        let mut new = first_layers(id, &element, &layers);
        new.iter_mut().for_each(|l| l.visible = true);
        layers.extend(new);
        let held = Held { element, provenance: Provenance::default() };
        let mut changes = vec![Change::Element { id, before: None, after: Some(held) }];
        if before != after {
            changes.push(Change::LabelTable { id, before, after });
        }
        if !edits.is_empty() {
            changes.push(Change::Voxels { id, edits });
        }
        changes.push(Change::Layers { before: self.study.layers.clone(), after: layers });
        Edit { name, changes }
    }

    /// Cuts stay where they are while the labels that they were found from change.
    fn pin_planes(&mut self) {
        for pane in PaneKind::ALL.into_iter().filter(|p| p.is_heart()) {
            let plane = self.pane_plane(pane);
            if let Some(view) = self.view.panes.get_mut(&pane) {
                view.plane = view.plane.or(plane);
            }
        }
    }

    fn draw(&mut self, dab: &Dab) -> Result<()> {
        let is_new = self.stroke.as_ref().is_none_or(|s| (s.labels, s.phase) != (dab.labels, dab.phase));
        if is_new {
            self.end_stroke();
            self.begin_stroke(dab)?;
        }
        let map = self.label_map(dab.labels)?;
        let mut voxels = brush_voxels(&map.grid, &dab.brush, dab.path);
        if let (Some(limits), Some(image)) = (dab.within, self.heart()) {
            voxels = within(&map.grid, &voxels, image, phase_at(image, self.view.cardiac_phase), limits);
        }
        let held = &map.phases[dab.phase];
        let new = if dab.erase { 0 } else { dab.value };
        let wanted = voxels.into_iter().filter(|&at| !dab.erase || held[at] == dab.value).map(|at| (at, new));
        let edit = LabelEdit::of(dab.phase, held, wanted, &map.locked);
        if !edit.runs.is_empty() {
            let edited = Arc::new(map.edited(&[edit]));
            self.study.elements.insert(dab.labels, Element::Labels(edited));
            self.revision += 1;
        }
        Ok(())
    }

    fn begin_stroke(&mut self, dab: &Dab) -> Result<()> {
        if self.is_early {
            return Err(Error::parameter("the built-in case is still being made; then it can be changed"));
        }
        let map = self.label_map(dab.labels)?;
        let before = map.phases.get(dab.phase).cloned();
        let before = before.ok_or_else(|| Error::parameter(format!("the segmentation has no phase {}", dab.phase + 1)))?;
        let entry = map.entry(dab.value).ok_or_else(|| Error::parameter("choose a label of the table to draw with"))?;
        if map.locked.contains(&dab.value) {
            return Err(Error::parameter(format!("{} is locked; unlock it to draw it", entry.name)));
        }
        let name = format!("{} {}", if dab.erase { "erase" } else { "paint" }, entry.name);
        self.pin_planes();
        self.stroke = Some(Stroke { labels: dab.labels, phase: dab.phase, before, name });
        Ok(())
    }

    /// Makes the stroke one step of the history.
    pub(super) fn end_stroke(&mut self) {
        let Some(stroke) = self.stroke.take() else { return };
        let Some(now) = self.study.labels(stroke.labels).and_then(|m| m.phases.get(stroke.phase)) else { return };
        let edit = LabelEdit::between(stroke.phase, &stroke.before, now);
        if !edit.runs.is_empty() {
            self.commit(Edit { name: stroke.name, changes: vec![Change::Voxels { id: stroke.labels, edits: vec![edit] }] });
        }
    }

    /// Takes the stroke back.
    pub(super) fn cancel_stroke(&mut self) {
        let Some(stroke) = self.stroke.take() else { return };
        if let Some(Element::Labels(map)) = self.study.elements.get_mut(&stroke.labels) {
            let mut back = (**map).clone();
            back.phases[stroke.phase] = stroke.before;
            *map = Arc::new(back);
            self.revision += 1;
        }
    }

    /// Whether a stroke is under way.
    #[must_use]
    pub fn is_drawing(&self) -> bool {
        self.stroke.is_some()
    }

    fn change_table(&mut self, id: ElementId, after: LabelTable, step: &str) -> Result<()> {
        let before = self.label_map(id)?.label_table();
        let mut values: Vec<u8> = after.entries.iter().map(|e| e.value).collect();
        values.sort_unstable();
        if values.windows(2).any(|w| w[0] == w[1])
            || values.contains(&0)
            || after.entries.iter().any(|e| e.name.trim().is_empty())
        {
            return Err(Error::parameter("every label needs a name and a value of its own from 1 to 255"));
        }
        if before != after {
            self.commit(Edit { name: step.to_owned(), changes: vec![Change::LabelTable { id, before, after }] });
        }
        Ok(())
    }

    fn work(&mut self, id: ElementId, op: LabelOp, which: Which) -> Result<()> {
        let map = Arc::clone(self.label_map(id)?);
        let image = self.view.heart.and_then(|heart| self.study.volume(heart).cloned());
        self.pin_planes();
        let name = op.step(&map);
        let slot = format!("labels {}", id.0);
        self.jobs.start(&slot, &op.title(), move |progress| {
            let (made, told) = label_work::run(&map, image.as_deref(), &op, which, progress)?;
            Ok(Outcome::Labeled(Box::new(Labeled { source: Some((id, map)), name, made, told })))
        });
        Ok(())
    }

    fn segment_image(&mut self, image: ElementId, manifest: std::path::PathBuf) -> Result<()> {
        let volume = self.study.volume(image).cloned();
        let volume = volume.ok_or_else(|| Error::parameter("open an image of the heart first"))?;
        let limits = self.limits;
        self.pin_planes();
        self.jobs.start("segment", "Segmenting with a network", move |progress| {
            let (map, told) = label_work::segment(&volume, &manifest, limits, progress)?;
            let name = format!("segment with {}", map.name);
            let told = told.into_iter().map(|t| (Severity::Note, t)).collect();
            Ok(Outcome::Labeled(Box::new(Labeled { source: None, name, made: label_work::Made::New(Box::new(map)), told })))
        });
        Ok(())
    }

    pub(super) fn take_labeled(&mut self, labeled: Labeled) {
        self.end_stroke();
        let Labeled { source, name, made, told } = labeled;
        if let Some((id, map)) = &source
            && !self.study.labels(*id).is_some_and(|now| Arc::ptr_eq(now, map))
        {
            self.say(Severity::Warning, format!("{name}: the segmentation changed meanwhile; ask again"));
            return;
        }
        told.into_iter().for_each(|(severity, text)| self.say_from(severity, "Segmentation", text, ""));
        match (made, source) {
            (label_work::Made::Edits(edits), Some((id, _))) => {
                let edits: Vec<LabelEdit> = edits.into_iter().filter(|e| !e.runs.is_empty()).collect();
                if edits.is_empty() {
                    self.say_from(Severity::Note, "Segmentation", format!("{name}: nothing to change"), "");
                } else {
                    self.commit(Edit { name, changes: vec![Change::Voxels { id, edits }] });
                }
            }
            (label_work::Made::New(map), source) => {
                let hide: Vec<ElementId> = source.map(|(id, _)| id).into_iter().collect();
                let edit = self.adding(*map, &hide, name);
                self.commit(edit);
            }
            (label_work::Made::Edits(_) | label_work::Made::Nothing, _) => {}
        }
    }

    /// The segmentation that tools draw on: the topmost one in sight on the heart shown.
    #[must_use]
    pub fn drawn_labels(&self) -> Option<ElementId> {
        let heart = self.view.heart?;
        let fits = |l: &&Layer| {
            l.visible && matches!(l.kind, LayerKind::Labels { .. }) && self.study.belonging(l.element, heart).is_some()
        };
        self.study.layers.iter().rev().find(fits).map(|l| l.element)
    }

    /// The phase of a segmentation that is on the screen.
    #[must_use]
    pub fn shown_label_phase(&self, id: ElementId) -> usize {
        let (Some(map), Some(heart)) = (self.study.labels(id), self.heart()) else { return 0 };
        label_phase(map, heart, phase_at(heart, self.view.cardiac_phase))
    }
}

/// Number of voxels of each label in each phase, kept up to date by counting only phases that changed.
#[derive(Clone, Debug, Default)]
pub struct LabelVolumes {
    phases: Vec<(Arc<[u8]>, Arc<[u64; 256]>)>,
    voxel_ml: f64,
}

impl LabelVolumes {
    /// Counts what changed since the last call. Cost: the phases that are other arrays than before.
    pub fn update(&mut self, map: &LabelMap) {
        use rayon::prelude::*;
        self.voxel_ml = map.grid.voxel_mm3() / 1000.0;
        let known = std::mem::take(&mut self.phases);
        let find = |p: usize, voxels: &Arc<[u8]>| {
            let same = |at: usize| known.get(at).filter(|(held, _)| Arc::ptr_eq(held, voxels)).map(|(_, c)| Arc::clone(c));
            same(p).or_else(|| same(0))
        };
        let count = |(p, voxels): (usize, &Arc<[u8]>)| {
            let counts = find(p, voxels).unwrap_or_else(|| {
                let mut counts = [0u64; 256];
                voxels.iter().for_each(|v| counts[usize::from(*v)] += 1);
                Arc::new(counts)
            });
            (Arc::clone(voxels), counts)
        };
        self.phases = map.phases.par_iter().enumerate().map(count).collect();
    }

    /// Volume of a label in mL in a phase.
    #[must_use]
    pub fn ml(&self, phase: usize, value: u8) -> f64 {
        self.phases.get(phase).map_or(0.0, |(_, counts)| counts[usize::from(value)] as f64 * self.voxel_ml)
    }

    /// Largest and smallest volume (mL) of a label among phases that have it, and the ejection fraction in %;
    /// `None` for fewer than two such phases.
    #[must_use]
    pub fn ejection(&self, value: u8) -> Option<[f64; 3]> {
        let drawn = (0..self.phases.len()).map(|p| self.ml(p, value)).filter(|v| *v > 0.0);
        let (mut n, mut least, mut most) = (0, f64::INFINITY, 0.0f64);
        drawn.for_each(|v| (n, least, most) = (n + 1, least.min(v), most.max(v)));
        (n > 1).then(|| [most, least, 100.0 * (most - least) / most])
    }
}
