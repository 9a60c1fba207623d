//! Opening files and the built-in case, closing elements, and layers.

use super::action::RegisterAction;
use super::edit::{Change, Edit, Held};
use super::{Outcome, Session};
use crate::base::{Error, Limits, Note, Progress, Result, Severity, Warnings};
use crate::imaging;
use crate::io::record::{TYPED, typed_um_per_px};
use crate::io::{self, Content, Found, Reading};
use crate::model::{
    ColorMap, ContourSpace, Element, ElementId, Exclusion, LabelMap, Landmarks, Layer, LayerKind, PixelSize, Provenance,
    Registration, Section, Study, TransformModel, Volume,
};
use crate::phantom::{Case, make_case_early};
use crate::scene::PaneKind;
use crate::space::DVec3;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the edit that opens the built-in case.
pub(super) const OPEN_DEMO: &str = "open the built-in case";

/// What was found in a path.
#[derive(Debug)]
pub struct Opened {
    /// The path.
    pub path: PathBuf,
    /// The things.
    pub found: Vec<Found>,
    /// What was assumed or failed.
    pub notes: Vec<Note>,
}

/// Opens a path to the end; the work of a job.
pub fn read_path(path: &Path, limits: Limits, progress: &Progress) -> Result<Opened> {
    let mut warnings = Warnings::default();
    let found = io::open(path, &mut Reading { limits, progress, warnings: &mut warnings })?;
    let found = found.into_iter().map(|f| filled(f, progress, &mut warnings)).collect::<Result<Vec<_>>>()?;
    Ok(Opened { path: path.to_path_buf(), found, notes: warnings.notes })
}

/// Contours and meshes as the labels inside them, on a grid of their own; what has no inside stays as it is and is
/// named.
fn filled(mut found: Found, progress: &Progress, warnings: &mut Warnings) -> Result<Found> {
    let made = match &found.content {
        Content::Contours(contours) => imaging::grid_of_contours(contours).and_then(|(placed, grid)| {
            let mut labels = imaging::fill_contours(&placed, &grid, 1, progress)?.labels;
            labels.length_unit_known = contours.space == ContourSpace::Patient;
            Ok(labels)
        }),
        Content::Surface(surface) => {
            imaging::grid_of_surface(surface).and_then(|grid| Ok(imaging::fill_surface(surface, &grid, 1, progress)?.0))
        }
        _ => return Ok(found),
    };
    match made {
        Ok(labels) => {
            let what = format!("{}: shown by the voxels inside, on a grid of its own", found.summary);
            warnings.note("own-grid", what, Some(&found.path));
            found.content = Content::Labels(labels);
        }
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        Err(e) => warnings.error("not-shown", format!("{} cannot be shown: {e}", found.summary), Some(&found.path)),
    }
    Ok(found)
}

/// The pairs of a file, moving points in µm; the work of a job.
fn read_landmarks(path: PathBuf, limits: Limits, progress: &Progress) -> Result<Outcome> {
    let mut warnings = Warnings::default();
    let table = io::read_pairs(&path, &mut Reading { limits, progress, warnings: &mut warnings })?;
    let landmarks = table.to_landmarks(1e-3).map_err(|e| e.at(&path))?;
    Ok(Outcome::Pairs(path, landmarks, warnings.notes))
}

/// The last part of a path, for titles.
pub(super) fn leaf(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// As an element; `None` for what cannot be shown.
pub(super) fn element(content: Content) -> Option<Element> {
    Some(match content {
        Content::Volume(v) => Element::Volume(Arc::new(v)),
        Content::Labels(l) => Element::Labels(Arc::new(l)),
        Content::Section(s) => Element::Section(Arc::new(s)),
        Content::Cohort(c) => Element::Cohort(Arc::new(c)),
        Content::Ecg(e) => Element::Ecg(Arc::new(e)),
        // Lines and meshes are shown by the voxels inside; `read_path` has made these where there are any.
        Content::Contours(_) | Content::Surface(_) => return None,
    })
}

/// Elements of the built-in case in their order: cine, its labels, LGE, its labels, section, cohort.
#[must_use]
pub fn demo_elements(case: &Case) -> Vec<Element> {
    vec![
        Element::Volume(Arc::new(case.cine.clone())),
        Element::Labels(Arc::new(case.cine_labels.clone())),
        Element::Volume(Arc::new(case.lge.clone())),
        Element::Labels(Arc::new(case.lge_labels.clone())),
        Element::Section(Arc::new(case.section.clone())),
        Element::Cohort(Arc::new(case.cohort.cohort.clone())),
    ]
}

/// One element of the built-in case with its provenance.
#[must_use]
pub fn demo_held(seed: u64, item: usize, element: Element) -> Held {
    Held { element, provenance: Provenance { item, demo_seed: Some(seed), ..Provenance::default() } }
}

/// The layers that an element is first shown with.
#[must_use]
pub fn first_layers(id: ElementId, element: &Element, others: &[Layer]) -> Vec<Layer> {
    let layer = |kind, visible, opacity| Layer { element: id, kind, visible, opacity };
    match element {
        Element::Volume(v) => {
            let kind = LayerKind::Image { low: v.window.0, high: v.window.1, color_map: ColorMap::Gray, smooth: true };
            vec![layer(kind, true, 1.0)]
        }
        Element::Labels(_) => {
            let first = !others.iter().any(|l| matches!(l.kind, LayerKind::Labels { .. }));
            vec![layer(LayerKind::Labels { fill: 0.25, outline_px: 1.5 }, first, 1.0)]
        }
        Element::Section(s) => section_layers(s).into_iter().map(|kind| layer(kind, true, 1.0)).collect(),
        Element::Cohort(_) | Element::Ecg(_) => Vec::new(),
    }
}

fn section_layers(section: &Section) -> Vec<LayerKind> {
    let mut kinds = Vec::new();
    if section.picture.is_some() {
        kinds.push(LayerKind::Picture);
    }
    if section.spots.is_some() {
        let color_by = section.expression.as_ref().and_then(|e| {
            let known = ["NPPA", "MYH7", "MYH6", "TNNT2", "ACTC1"].iter().find(|g| e.find_gene(g).is_some());
            let first =
                || e.genes().iter().enumerate().max_by_key(|(g, _)| (e.gene(*g).0.len(), usize::MAX - g)).map(|(_, n)| n.clone());
            known.map(|g| (*g).to_owned()).or_else(first)
        });
        kinds.push(LayerKind::Spots { color_by, log_normalized: true, color_map: ColorMap::Viridis, range: None });
    }
    kinds
}

impl Session {
    pub(super) fn open(&mut self, path: PathBuf) {
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("myo")) {
            self.open_project(path);
            return;
        }
        let limits = self.limits;
        let title = format!("Opening {}", leaf(&path));
        let slot = format!("open {}", path.display());
        self.jobs.start(&slot, &title, move |progress| {
            if io::is_pairs(&path) {
                return read_landmarks(path, limits, progress);
            }
            read_path(&path, limits, progress).map(Outcome::Opened)
        });
    }

    pub(super) fn open_demo(&mut self, seed: u64) {
        self.jobs.start_early("demo", "Making the built-in case", move |progress, early| {
            let show = |cine: &Volume, labels: &LabelMap| early(Outcome::DemoHeart(Box::new((cine.clone(), labels.clone()))));
            make_case_early(seed, progress, show).map(|case| Outcome::Demo(seed, Box::new(case)))
        });
    }

    pub(super) fn add_opened(&mut self, opened: Opened) {
        for note in opened.notes.iter().filter(|n| n.severity != Severity::Note) {
            let from = note.file.as_deref().map_or_else(|| leaf(&opened.path), leaf);
            self.say_from(note.severity, &from, note.message.clone(), "Check what the sentence names; what is open stays.");
        }
        let held = |f: Found| {
            let about = format!("{}: {}", leaf(&f.path), f.summary);
            let path = Some(opened.path.clone());
            let (summary, notes) = (f.summary.clone(), opened.notes.clone());
            let provenance = Provenance { path, item: f.item, notes, summary, ..Provenance::default() };
            Some((Held { element: element(f.content)?, provenance }, about))
        };
        let (items, lines): (Vec<Held>, Vec<String>) = opened.found.into_iter().filter_map(held).unzip();
        lines.into_iter().for_each(|line| self.say(Severity::Note, line));
        if !items.is_empty() {
            self.add(&format!("open {}", leaf(&opened.path)), items, None);
        }
    }

    pub(super) fn wait_for_pairs(&mut self, path: PathBuf, landmarks: Landmarks, notes: Vec<Note>) {
        for note in notes.into_iter().filter(|n| n.severity != Severity::Note) {
            self.say_from(note.severity, &leaf(&path), note.message, "Check what the sentence names; what is open stays.");
        }
        self.waiting_pairs = Some((path, landmarks));
    }

    /// Gives waiting landmark pairs to the shown section, as soon as there are a section and a heart; says that
    /// something lacks once nothing more is being opened.
    pub(super) fn place_waiting_pairs(&mut self) {
        let is_ready = self.view.section.is_some() && self.view.heart.is_some() && !self.is_early;
        if self.waiting_pairs.is_none() || !(is_ready || self.jobs.is_idle()) {
            return;
        }
        let Some((path, landmarks)) = self.waiting_pairs.take() else { return };
        let n = landmarks.pairs.len();
        let is_new = self.registration().is_none();
        let fixed: Vec<DVec3> = landmarks.pairs.iter().filter(|l| l.active).filter_map(|l| l.fixed).collect();
        let middle = fixed.iter().sum::<DVec3>() / fixed.len().max(1) as f64;
        let cut = self.pane_plane(PaneKind::ShortAxis).filter(|_| is_new && !fixed.is_empty());
        let plane = cut.map(|cut| cut.through(cut.origin() + cut.normal() * cut.distance_mm(middle)));
        if let Err(e) = self.register(&RegisterAction::SetPairs(landmarks, plane)) {
            let remedy = "Open a heart and a section, then the landmark pairs again.";
            self.say_from(Severity::Error, &leaf(&path), format!("{n} landmark pairs have nowhere to go: {e}"), remedy);
            return;
        }
        self.show_section_plane();
        let plane = if plane.is_some() {
            "; the plane is parallel to the short axis, through the middle of the fixed points"
        } else {
            ""
        };
        self.say_from(
            Severity::Note,
            &leaf(&path),
            format!("{n} landmark pairs, section points read as µm, fixed points as LPS mm{plane}"),
            "",
        );
    }

    /// Puts the heart of the built-in case on an empty screen; it is not in the history and makes room for
    /// the whole case.
    pub(super) fn show_early(&mut self, cine: Volume, labels: LabelMap) {
        if (!self.study.elements.is_empty() && !self.is_early) || !self.history.edits().is_empty() {
            return;
        }
        self.study.layers.clear();
        for (id, element) in [(1, Element::Volume(Arc::new(cine))), (2, Element::Labels(Arc::new(labels)))] {
            self.study.layers.extend(first_layers(ElementId(id), &element, &self.study.layers));
            self.study.elements.insert(ElementId(id), element);
        }
        self.study.next_id = 3;
        self.is_early = true;
        self.revision += 1;
        self.repair_view();
    }

    pub(super) fn add_demo(&mut self, seed: u64, case: Case) {
        let items = demo_elements(&case).into_iter().enumerate().map(|(i, e)| demo_held(seed, i, e)).collect();
        let text = format!(
            "Built-in case, seed {seed}: synthetic, made by the program. Open your own data from File or drop them here."
        );
        self.say(Severity::Note, text);
        self.add(OPEN_DEMO, items, Some(&case));
        self.show_section_plane();
    }

    /// One edit that adds elements with their layers; an untouched built-in case makes room.
    fn add(&mut self, name: &str, items: Vec<Held>, case: Option<&Case>) {
        if std::mem::take(&mut self.is_early) {
            self.study = Study::default();
        }
        let mut changes = if case.is_none() { self.close_untouched_demo() } else { Vec::new() };
        let mut layers: Vec<Layer> = if changes.is_empty() { self.study.layers.clone() } else { Vec::new() };
        let first = self.study.next_id.max(1);
        for (i, held) in items.into_iter().enumerate() {
            let id = ElementId(first + i as u64);
            layers.extend(first_layers(id, &held.element, &layers));
            changes.push(Change::Element { id, before: None, after: Some(held) });
        }
        if let Some(case) = case {
            let registration = demo_registration(case, ElementId(first), ElementId(first + 4));
            let section = registration.section;
            changes.push(Change::Registration { section, before: None, after: Some(Box::new(registration)) });
        }
        changes.push(Change::Layers { before: self.study.layers.clone(), after: layers });
        self.commit(Edit { name: name.to_owned(), changes });
    }

    fn close_untouched_demo(&self) -> Vec<Change> {
        let only_demo = !self.study.elements.is_empty() && self.study.provenance.values().all(|p| p.demo_seed.is_some());
        if !only_demo || self.history.edits().len() != 1 {
            return Vec::new();
        }
        let ids: Vec<ElementId> = self.study.elements.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.closing(id)).collect()
    }

    /// The changes that close an element with what hangs on it, without the layers.
    fn closing(&self, id: ElementId) -> Vec<Change> {
        let hanging = self.study.registrations.values().filter(|r| r.section == id || r.heart == id);
        let mut changes: Vec<Change> = hanging
            .map(|r| Change::Registration { section: r.section, before: Some(Box::new(r.clone())), after: None })
            .collect();
        let made = self.study.analyses.iter().filter(|(_, a)| a.of == id);
        changes.extend(made.map(|(&id, a)| Change::Analysis { id, before: Some(Arc::clone(a)), after: None }));
        let kept: Vec<Exclusion> = self.study.exclusions.iter().filter(|e| e.what.element() != id).cloned().collect();
        if kept.len() < self.study.exclusions.len() {
            changes.push(Change::Exclusions { before: self.study.exclusions.clone(), after: kept });
        }
        let kept: Vec<_> = self.study.figures.iter().filter(|f| f.image != id).cloned().collect();
        if kept.len() < self.study.figures.len() {
            changes.push(Change::Figures { before: self.study.figures.clone(), after: kept });
        }
        let kept: Vec<_> = self.study.regions.iter().filter(|r| r.section != id).cloned().collect();
        if kept.len() < self.study.regions.len() {
            changes.push(Change::Regions { before: self.study.regions.clone(), after: kept });
        }
        changes.push(Change::Element { id, before: self.held(id), after: None });
        changes
    }

    pub(super) fn held(&self, id: ElementId) -> Option<Held> {
        let element = self.study.elements.get(&id)?.clone();
        Some(Held { element, provenance: self.study.provenance.get(&id).cloned().unwrap_or_default() })
    }

    pub(super) fn remove(&mut self, id: ElementId) -> Result<()> {
        let name = self.study.elements.get(&id).ok_or_else(|| Error::parameter("it is not open"))?.name().to_owned();
        let mut changes = self.closing(id);
        let after = self.study.layers.iter().filter(|l| l.element != id).cloned().collect();
        changes.push(Change::Layers { before: self.study.layers.clone(), after });
        self.commit(Edit { name: format!("close {name}"), changes });
        Ok(())
    }

    pub(super) fn set_pixel_size(&mut self, id: ElementId, um_per_px: f64) -> Result<()> {
        if !um_per_px.is_finite() || um_per_px <= 0.0 {
            return Err(Error::parameter(format!("{um_per_px} µm per pixel is not a size")));
        }
        self.change_pixel_size(id, PixelSize::Known { um_per_px, source: TYPED.into() }, "set pixel size")
    }

    pub(super) fn forget_pixel_size(&mut self, id: ElementId) -> Result<()> {
        let typed = self.study.section(id).and_then(|s| typed_um_per_px(&s.pixel_size));
        typed.ok_or_else(|| Error::parameter("the size of a pixel was not typed; it is what the files say"))?;
        let told = self.history.edits().iter().flat_map(|e| &e.changes).find_map(|c| match c {
            Change::Element { id: of, after: Some(held), .. } if *of == id => match &held.element {
                Element::Section(s) if typed_um_per_px(&s.pixel_size).is_none() => Some(s.pixel_size.clone()),
                _ => None,
            },
            _ => None,
        });
        self.change_pixel_size(id, told.unwrap_or(PixelSize::Unknown), "forget pixel size")
    }

    /// Another pixel size; landmarks stay on their pixels.
    fn change_pixel_size(&mut self, id: ElementId, size: PixelSize, name: &str) -> Result<()> {
        let (Some(section), Some(before)) = (self.study.section(id), self.held(id)) else {
            return Err(Error::parameter("only a section has a pixel size"));
        };
        let changed = Section { pixel_size: size, ..(**section).clone() };
        let factor = changed.mm_per_px() / section.mm_per_px();
        let after = Held { element: Element::Section(Arc::new(changed)), provenance: before.provenance.clone() };
        let mut changes = vec![Change::Element { id, before: Some(before), after: Some(after) }];
        if let Some(registration) = self.study.registrations.get(&id) {
            let mut scaled = registration.clone();
            scaled.landmarks.pairs.iter_mut().for_each(|l| l.moving = l.moving.map(|p| p * factor));
            scaled.flip_x_mm = scaled.flip_x_mm.map(|x| x * factor);
            super::register_edit::refit(&mut scaled);
            let (before, after) = (Some(Box::new(registration.clone())), Some(Box::new(scaled)));
            changes.push(Change::Registration { section: id, before, after });
        }
        self.commit(Edit { name: name.into(), changes });
        Ok(())
    }

    pub(super) fn set_layer(&mut self, index: usize, layer: Layer) -> Result<()> {
        let mut after = self.study.layers.clone();
        let slot = after.get_mut(index).ok_or_else(|| Error::parameter("there is no such layer"))?;
        if *slot == layer {
            return Ok(());
        }
        *slot = layer;
        self.commit(Edit {
            name: "change layer".into(),
            changes: vec![Change::Layers { before: self.study.layers.clone(), after }],
        });
        Ok(())
    }

    pub(super) fn move_layer(&mut self, from: usize, to: usize) -> Result<()> {
        let mut after = self.study.layers.clone();
        if from >= after.len() || to >= after.len() {
            return Err(Error::parameter("there is no such layer"));
        }
        let layer = after.remove(from);
        after.insert(to, layer);
        self.commit(Edit {
            name: "reorder layers".into(),
            changes: vec![Change::Layers { before: self.study.layers.clone(), after }],
        });
        Ok(())
    }
}

fn demo_registration(case: &Case, heart: ElementId, section: ElementId) -> Registration {
    let mut registration = Registration {
        section,
        heart,
        plane: case.plane,
        half_slice_mm: case.half_slice_mm,
        landmarks: Landmarks { pairs: case.landmarks_half.pairs.clone() },
        model: TransformModel::Similarity,
        stiffness: 0.0,
        flip_x_mm: None,
        fit: None,
        problem: None,
        enabled: true,
    };
    super::register_edit::refit(&mut registration);
    registration
}
