//! Saving the study as one `.myo` file, opening it again, relinking moved data, and crash recovery.
//! All of it reads inputs again from where they lie; nothing is copied unless "with data" is asked.

use super::edit::{Change, Edit, Held, Line, Rebuild, element_record};
use super::open::{demo_elements, demo_held, leaf, read_path};
use super::view_record::{view_from, view_value};
use super::{Outcome, Session, journal, register_edit};
use crate::base::{Error, Limits, Progress, Result, Severity};
use crate::io::project::{
    FORMAT, Manifest, Project, digest_input, extract_inputs, path_key, read_project, relative_path, unpack_folder, write_project,
};
use crate::io::record::{ElementRecord, ExclusionRecord, InputRecord, LayerRecord, RegistrationRecord, SourceRecord, TYPED};
use crate::io::record_labels::FigureRecord;
use crate::io::record_regions::SpotRegionRecord;
use crate::model::{Element, ElementId, Layer, Mend, PixelSize, Provenance, Section, Study};
use crate::phantom::make_case;
use crate::scene::View;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A project whose inputs could not all be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Relink {
    /// What is missing, by its last known place.
    pub missing: Vec<String>,
    project: Project,
    file: Option<PathBuf>,
}

/// A study read again.
#[derive(Debug)]
pub struct Restored {
    study: Study,
    history: super::History,
    view: View,
    file: Option<PathBuf>,
    warnings: Vec<String>,
}

/// What `restore` needs.
pub(super) struct Request {
    pub(super) project: Project,
    pub(super) file: Option<PathBuf>,
    /// Where to look for moved inputs.
    pub(super) folder: Option<PathBuf>,
    pub(super) limits: Limits,
}

/// The inputs of a project, read again.
pub(super) struct Inputs {
    /// Inputs that could not be found, by their last known place; then nothing was read.
    pub(super) missing: Vec<String>,
    pub(super) lines: Vec<Line>,
    pub(super) sources: Sources,
    pub(super) warnings: Vec<String>,
}

impl Session {
    pub(super) fn open_project(&mut self, path: PathBuf) {
        let limits = self.limits;
        let title = format!("Opening {}", leaf(&path));
        self.jobs.start("project", &title, move |progress| {
            let project = read_project(&path)?;
            restore(&Request { project, file: Some(path), folder: None, limits }, progress)
        });
    }

    pub(super) fn relink_in(&mut self, folder: &Path) -> Result<()> {
        let relink = self.relink.take().ok_or_else(|| Error::parameter("nothing is missing"))?;
        let request =
            Request { project: relink.project, file: relink.file, folder: Some(folder.to_path_buf()), limits: self.limits };
        self.jobs.start("project", "Looking for moved data", move |progress| restore(&request, progress));
        Ok(())
    }

    pub(super) fn recover(&mut self, take: bool) {
        let Some(leftover) = self.leftover.take() else { return };
        if !take {
            journal::discard(&leftover);
            return;
        }
        let history = leftover.lines.iter().filter_map(|l| serde_json::to_string(l).ok()).collect();
        let project = Project { manifest: leftover.manifest.clone(), history };
        let limits = self.limits;
        self.jobs.start("project", "Bringing back unsaved work", move |progress| {
            let outcome = restore(&Request { project, file: None, folder: None, limits }, progress)?;
            if matches!(outcome, Outcome::Restored(_)) {
                journal::discard(&leftover);
            }
            Ok(outcome)
        });
    }

    pub(super) fn adopt(&mut self, restored: Restored) {
        let Restored { study, history, view, file, warnings } = restored;
        (self.study, self.history, self.view, self.project) = (study, history, view, file);
        self.segments.clear();
        (self.grouped, self.derived.groups, self.waiting_group) = (None, None, None);
        self.is_early = false;
        for line in self.history.lines().to_vec() {
            if let Some(journal) = &mut self.journal
                && let Err(e) = journal.append(&line)
            {
                self.say(Severity::Warning, format!("The crash journal ends here: {e}"));
                break;
            }
        }
        let inputs = self.inputs_manifest();
        if let Some(journal) = &self.journal
            && let Err(e) = journal.set_inputs(&inputs)
        {
            self.say(Severity::Warning, format!("The crash journal has no inputs: {e}"));
        }
        warnings.into_iter().for_each(|w| self.say(Severity::Warning, w));
        let pairs: usize = self.study.registrations.values().map(|r| r.landmarks.pairs.len()).sum();
        self.say(Severity::Note, format!("{} elements and {pairs} landmark pairs are back.", self.study.elements.len()));
        self.after_change();
        self.unsaved = self.project.is_none();
    }

    fn input_paths(&self) -> BTreeSet<PathBuf> {
        let held = self.history.edits().iter().flat_map(|e| &e.changes).filter_map(|c| match c {
            Change::Element { after, .. } => after.as_ref().and_then(|h| h.provenance.path.clone()),
            _ => None,
        });
        self.study.provenance.values().filter_map(|p| p.path.clone()).chain(held).collect()
    }

    /// Inputs without digests, for the journal.
    pub(super) fn inputs_manifest(&self) -> Manifest {
        let record = |p: PathBuf| {
            let absolute = std::path::absolute(&p).unwrap_or_else(|_| p.clone()).to_string_lossy().into_owned();
            InputRecord {
                key: path_key(&p),
                relative: absolute.clone(),
                absolute,
                size: 0,
                sha256: String::new(),
                embedded: false,
            }
        };
        Manifest { inputs: self.input_paths().into_iter().map(record).collect(), next_id: self.study.next_id, ..empty_manifest() }
    }

    pub(super) fn save(&mut self, path: PathBuf, with_data: bool) {
        if self.is_early {
            self.say(Severity::Note, "The built-in case is still being made; then it can be saved.");
            return;
        }
        let mut manifest = self.inputs_manifest();
        let held = |(&id, e): (&ElementId, &Element)| {
            let provenance = self.study.provenance.get(&id).cloned().unwrap_or_default();
            element_record(id, &Held { element: e.clone(), provenance })
        };
        manifest.elements = self.study.elements.iter().map(held).collect();
        manifest.registrations = self.study.registrations.values().map(RegistrationRecord::from).collect();
        manifest.layers = self.study.layers.iter().map(LayerRecord::from).collect();
        manifest.exclusions = self.study.exclusions.iter().map(ExclusionRecord::from).collect();
        manifest.figures = self.study.figures.iter().map(FigureRecord::from).collect();
        manifest.regions = self.study.regions.iter().map(SpotRegionRecord::from).collect();
        manifest.analyses = self.study.analyses.values().filter_map(|a| serde_json::from_str(&a.recipe).ok()).collect();
        manifest.view = view_value(&self.view);
        let history = self.history.lines().iter().filter_map(|l| serde_json::to_string(l).ok()).collect();
        let project = Project { manifest, history };
        let inputs = self.input_paths();
        self.jobs.start("save", &format!("Saving {}", leaf(&path)), move |p| save_project(path, project, &inputs, with_data, p));
    }
}

impl Session {
    /// Does once more what a line of a history says, exports apart.
    pub(super) fn repeat(&mut self, line: &Line, sources: &Sources, progress: &Progress) -> Result<()> {
        let element = |r: &ElementRecord| find(sources, r);
        self.history.step(line, &mut self.study, &Rebuild { element: &element, progress })?;
        self.after_change();
        Ok(())
    }
}

fn save_project(
    path: PathBuf,
    mut project: Project,
    inputs: &BTreeSet<PathBuf>,
    with_data: bool,
    progress: &Progress,
) -> Result<Outcome> {
    let folder = std::path::absolute(&path).ok().and_then(|p| p.parent().map(Path::to_path_buf)).unwrap_or_default();
    let mut embed = BTreeMap::new();
    for (i, input) in inputs.iter().enumerate() {
        let part = progress.part(i as f64 / inputs.len() as f64, (i + 1) as f64 / inputs.len() as f64);
        let (size, sha256) = digest_input(input, &part)?;
        let key = path_key(input);
        let inside = with_data || input.starts_with(unpack_folder());
        let absolute = std::path::absolute(input).unwrap_or_else(|_| input.clone());
        for record in project.manifest.inputs.iter_mut().filter(|r| r.key == key) {
            record.relative = relative_path(&folder, &absolute);
            record.size = size;
            record.sha256.clone_from(&sha256);
            record.embedded = inside;
        }
        if inside {
            embed.insert(key, input.clone());
        }
    }
    write_project(&path, &project, &embed, progress)?;
    let size = std::fs::metadata(&path).map_or(0, |m| m.len());
    let pairs: usize = project.manifest.registrations.iter().map(|r| r.pairs.len()).sum();
    let text = format!(
        "{} elements and {pairs} pairs saved to {} ({} KB)",
        project.manifest.elements.len(),
        leaf(&path),
        size.div_ceil(1024)
    );
    Ok(Outcome::Saved(path, text))
}

fn empty_manifest() -> Manifest {
    Manifest {
        format: FORMAT.into(),
        version: 1,
        program: concat!("myoscope ", env!("CARGO_PKG_VERSION")).into(),
        ..Manifest::default()
    }
}

/// Finds, reads and rebuilds everything; [`Outcome::Missing`] where an input is not where it was.
fn restore(request: &Request, progress: &Progress) -> Result<Outcome> {
    let manifest = &request.project.manifest;
    let Inputs { missing, lines, sources, mut warnings } = read_inputs(request, &progress.part(0.0, 0.7))?;
    if !missing.is_empty() {
        let relink = Relink { missing, project: request.project.clone(), file: request.file.clone() };
        return Ok(Outcome::Missing(Box::new(relink)));
    }
    let (study, history) = rebuild(manifest, &lines, &sources, &mut warnings, &progress.part(0.7, 1.0))?;
    let view = view_from(&manifest.view);
    Ok(Outcome::Restored(Box::new(Restored { study, history, view, file: request.file.clone(), warnings })))
}

/// Finds and reads the inputs of a project.
pub(super) fn read_inputs(request: &Request, progress: &Progress) -> Result<Inputs> {
    let manifest = &request.project.manifest;
    let unpacked = match &request.file {
        Some(file) if manifest.inputs.iter().any(|i| i.embedded) => {
            extract_inputs(file, &unpack_folder().join(path_key(file)), request.limits, progress)?
        }
        _ => BTreeMap::new(),
    };
    let (mut paths, mut missing) = (BTreeMap::new(), Vec::new());
    for input in &manifest.inputs {
        match unpacked.get(&input.key).cloned().or_else(|| locate(input, request)) {
            Some(path) => {
                paths.insert(input.key.clone(), path);
            }
            None => missing.push(input.absolute.clone()),
        }
    }
    let lines: Vec<Line> = request.project.history.iter().map_while(|l| serde_json::from_str(l).ok()).collect();
    if !missing.is_empty() {
        return Ok(Inputs { missing, lines, sources: Sources::new(), warnings: Vec::new() });
    }
    let warnings = changed_inputs(manifest, &paths, &progress.part(0.0, 0.2))?;
    let sources = read_sources(manifest, &lines, &paths, request.limits, &progress.part(0.2, 1.0))?;
    Ok(Inputs { missing, lines, sources, warnings })
}

fn locate(input: &InputRecord, request: &Request) -> Option<PathBuf> {
    let base = request.file.as_ref().and_then(|f| std::path::absolute(f).ok()?.parent().map(Path::to_path_buf));
    let mut candidates = Vec::new();
    if let Some(folder) = &request.folder {
        let parts: Vec<&str> = input.absolute.split(['/', '\\']).filter(|p| !p.is_empty()).collect();
        candidates.extend((0..parts.len()).map(|i| parts[i..].iter().fold(folder.clone(), |p, s| p.join(s))));
        if folder.file_name().is_some_and(|n| Some(&*n.to_string_lossy()) == parts.last().copied()) {
            candidates.push(folder.clone());
        }
    }
    candidates.extend(base.map(|b| b.join(&input.relative)));
    candidates.push(PathBuf::from(&input.absolute));
    candidates.into_iter().find(|p| p.exists())
}

fn changed_inputs(manifest: &Manifest, paths: &BTreeMap<String, PathBuf>, progress: &Progress) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for input in manifest.inputs.iter().filter(|i| !i.sha256.is_empty()) {
        let path = &paths[&input.key];
        let (_, digest) = digest_input(path, progress)?;
        if digest != input.sha256 {
            changed.push(format!("{} is not the file that the project was saved with: its content changed", leaf(path)));
        }
    }
    Ok(changed)
}

/// What was read, by key of the input and number in it.
pub(super) type Sources = BTreeMap<(String, usize), Held>;

fn source_key(source: &SourceRecord) -> (String, usize) {
    match source {
        SourceRecord::Input { key, item } => (key.clone(), *item),
        SourceRecord::Demo { seed, item } => (format!("demo {seed}"), *item),
        SourceRecord::Blank(_) => (String::new(), 0),
    }
}

fn read_sources(
    manifest: &Manifest,
    lines: &[Line],
    paths: &BTreeMap<String, PathBuf>,
    limits: Limits,
    progress: &Progress,
) -> Result<Sources> {
    let mut sources = Sources::new();
    for (i, (key, path)) in paths.iter().enumerate() {
        let part = progress.part(i as f64 / (paths.len() + 1) as f64, (i + 1) as f64 / (paths.len() + 1) as f64);
        let opened = read_path(path, limits, &part)?;
        for found in opened.found {
            let provenance = Provenance {
                path: Some(path.clone()),
                item: found.item,
                notes: opened.notes.clone(),
                summary: found.summary.clone(),
                ..Provenance::default()
            };
            if let Some(element) = super::open::element(found.content) {
                sources.insert((key.clone(), found.item), Held { element, provenance });
            }
        }
    }
    for seed in demo_seeds(manifest, lines) {
        let case = make_case(seed, progress)?;
        for (item, element) in demo_elements(&case).into_iter().enumerate() {
            sources.insert((format!("demo {seed}"), item), demo_held(seed, item, element));
        }
    }
    Ok(sources)
}

fn demo_seeds(manifest: &Manifest, lines: &[Line]) -> BTreeSet<u64> {
    let logged = lines.iter().flat_map(|l| &l.changes).filter_map(|c| match c {
        super::edit::ChangeRecord::Element { before, after, .. } => Some([before.as_ref(), after.as_ref()]),
        _ => None,
    });
    let records = manifest.elements.iter().chain(logged.flatten().flatten());
    let seed = |r: &ElementRecord| match r.source {
        SourceRecord::Demo { seed, .. } => Some(seed),
        SourceRecord::Input { .. } | SourceRecord::Blank(_) => None,
    };
    records.filter_map(seed).collect()
}

fn find(sources: &Sources, record: &ElementRecord) -> Option<Held> {
    if let SourceRecord::Blank(blank) = &record.source {
        let map = blank.to_labels(&record.name, Limits::default()).ok()?;
        return Some(Held { element: Element::Labels(Arc::new(map)), provenance: Provenance::default() });
    }
    let mut held = sources.get(&source_key(&record.source))?.clone();
    for mend in record.mends.iter().filter_map(|text| Mend::from_text(text)) {
        held = super::mend::mended(&held, mend).ok()?;
    }
    if let (Some(um_per_px), Element::Section(section)) = (record.typed_um_per_px, &held.element) {
        let pixel_size = PixelSize::Known { um_per_px, source: TYPED.into() };
        held.element = Element::Section(Arc::new(Section { pixel_size, ..(**section).clone() }));
    }
    Some(held)
}

fn rebuild(
    manifest: &Manifest,
    lines: &[Line],
    sources: &Sources,
    warnings: &mut Vec<String>,
    progress: &Progress,
) -> Result<(Study, super::History)> {
    let mut study = Study::default();
    let element = |r: &ElementRecord| find(sources, r);
    let (history, problem) = super::History::replay(lines, &mut study, &Rebuild { element: &element, progress });
    if matches!(problem, Some(Error::Cancelled)) {
        return Err(Error::Cancelled);
    }
    let complete = problem.is_none() && manifest.elements.iter().all(|e| study.elements.contains_key(&ElementId(e.id)));
    let journal_only = manifest.elements.is_empty() && !history.edits().is_empty();
    let (mut study, history) = if complete || journal_only {
        (study, history)
    } else {
        let why = problem.map_or_else(String::new, |e| format!(" ({e})"));
        warnings.push(format!("The history could not be replayed whole{why}; the saved state is shown without it."));
        from_manifest(manifest, sources)?
    };
    study.next_id = study.next_id.max(manifest.next_id);
    study.registrations.values_mut().for_each(register_edit::refit);
    Ok((study, history))
}

fn from_manifest(manifest: &Manifest, sources: &Sources) -> Result<(Study, super::History)> {
    let mut changes = Vec::new();
    for record in &manifest.elements {
        let held =
            find(sources, record).ok_or_else(|| Error::malformed(format!("{:?} is not in its input any more", record.name)))?;
        changes.push(Change::Element { id: ElementId(record.id), before: None, after: Some(held) });
    }
    for record in &manifest.registrations {
        let after = Some(Box::new(record.to_registration()?));
        changes.push(Change::Registration { section: ElementId(record.section), before: None, after });
    }
    let after: Vec<Layer> = manifest.layers.iter().map(LayerRecord::to_layer).collect();
    changes.push(Change::Layers { before: Vec::new(), after });
    let after = manifest.exclusions.iter().map(ExclusionRecord::to_exclusion).collect();
    changes.push(Change::Exclusions { before: Vec::new(), after });
    let after = manifest.figures.iter().map(FigureRecord::to_figure).collect::<Result<_>>()?;
    changes.push(Change::Figures { before: Vec::new(), after });
    let after = manifest.regions.iter().map(SpotRegionRecord::to_region).collect::<Result<_>>()?;
    changes.push(Change::Regions { before: Vec::new(), after });
    let (mut study, mut history) = (Study::default(), super::History::default());
    let edit = Edit { name: "open project".into(), changes };
    edit.apply(&mut study);
    history.push(edit);
    Ok((study, history))
}
