//! Every undoable change of the study, with its inverse, its name, and its line in the journal.

use super::register_edit::refit;
use super::task::{Recipe, remake};
use crate::base::{Error, Progress, Result};
use crate::io::project::path_key;
use crate::io::record::{ElementRecord, ExclusionRecord, LayerRecord, RegistrationRecord, SourceRecord, typed_um_per_px};
use crate::io::record_labels::{BlankRecord, FigureRecord, LabelEditRecord, LabelEntryRecord, table_of, table_record};
use crate::io::record_regions::SpotRegionRecord;
use crate::model::{
    Analysis, AnalysisId, Element, ElementId, Exclusion, Figure, LabelEdit, LabelTable, Layer, Provenance, Registration,
    SpotRegion, Study,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// An element with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The element.
    pub element: Element,
    /// Where from.
    pub provenance: Provenance,
}

/// One thing that becomes another.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An element appears, disappears or is replaced.
    Element {
        /// Which.
        id: ElementId,
        /// Before.
        before: Option<Held>,
        /// After.
        after: Option<Held>,
    },
    /// A registration appears, disappears or is changed.
    Registration {
        /// Of which section.
        section: ElementId,
        /// Before.
        before: Option<Box<Registration>>,
        /// After.
        after: Option<Box<Registration>>,
    },
    /// The list of layers.
    Layers {
        /// Before.
        before: Vec<Layer>,
        /// After.
        after: Vec<Layer>,
    },
    /// The result of an analysis appears or disappears.
    Analysis {
        /// Which.
        id: AnalysisId,
        /// Before.
        before: Option<Arc<Analysis>>,
        /// After.
        after: Option<Arc<Analysis>>,
    },
    /// What is left out of analyses.
    Exclusions {
        /// Before.
        before: Vec<Exclusion>,
        /// After.
        after: Vec<Exclusion>,
    },
    /// Voxels of a segmentation.
    Voxels {
        /// Which.
        id: ElementId,
        /// What changes, by phase.
        edits: Vec<LabelEdit>,
    },
    /// Names, colors and locks of a segmentation.
    LabelTable {
        /// Which.
        id: ElementId,
        /// Before.
        before: LabelTable,
        /// After.
        after: LabelTable,
    },
    /// What was drawn to measure.
    Figures {
        /// Before.
        before: Vec<Figure>,
        /// After.
        after: Vec<Figure>,
    },
    /// Regions marked on sections.
    Regions {
        /// Before.
        before: Vec<SpotRegion>,
        /// After.
        after: Vec<SpotRegion>,
    },
}

/// A named, undoable step.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// As `move pair LV center`; shown after "Undo".
    pub name: String,
    /// Applied in order.
    pub changes: Vec<Change>,
}

impl Edit {
    /// Makes the changes.
    pub fn apply(&self, study: &mut Study) {
        self.changes.iter().for_each(|c| c.apply(study));
    }

    /// The edit that takes this one back exactly.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { name: self.name.clone(), changes: self.changes.iter().rev().map(Change::inverse).collect() }
    }
}

impl Change {
    fn apply(&self, study: &mut Study) {
        match self {
            Self::Element { id, after, .. } => {
                study.next_id = study.next_id.max(id.0 + 1);
                if let Some(held) = after {
                    study.elements.insert(*id, held.element.clone());
                    study.provenance.insert(*id, held.provenance.clone());
                } else {
                    study.elements.remove(id);
                    study.provenance.remove(id);
                }
            }
            Self::Registration { section, after, .. } => {
                if let Some(registration) = after {
                    study.registrations.insert(*section, (**registration).clone());
                } else {
                    study.registrations.remove(section);
                }
            }
            Self::Layers { after, .. } => study.layers.clone_from(after),
            Self::Analysis { id, after, .. } => {
                study.next_id = study.next_id.max(id.0 + 1);
                if let Some(analysis) = after {
                    study.analyses.insert(*id, Arc::clone(analysis));
                } else {
                    study.analyses.remove(id);
                }
            }
            Self::Exclusions { after, .. } => study.exclusions.clone_from(after),
            Self::Figures { after, .. } => study.figures.clone_from(after),
            Self::Regions { after, .. } => study.regions.clone_from(after),
            Self::Voxels { id, edits } => {
                if let Some(Element::Labels(map)) = study.elements.get_mut(id) {
                    *map = Arc::new(map.edited(edits));
                }
            }
            Self::LabelTable { id, after, .. } => {
                if let Some(Element::Labels(map)) = study.elements.get_mut(id) {
                    *map = Arc::new(map.with_table(after));
                }
            }
        }
    }

    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Element { id, before, after } => Self::Element { id, before: after, after: before },
            Self::Registration { section, before, after } => Self::Registration { section, before: after, after: before },
            Self::Layers { before, after } => Self::Layers { before: after, after: before },
            Self::Analysis { id, before, after } => Self::Analysis { id, before: after, after: before },
            Self::Exclusions { before, after } => Self::Exclusions { before: after, after: before },
            Self::Figures { before, after } => Self::Figures { before: after, after: before },
            Self::Regions { before, after } => Self::Regions { before: after, after: before },
            Self::Voxels { id, edits } => Self::Voxels { id, edits: edits.iter().rev().map(LabelEdit::inverse).collect() },
            Self::LabelTable { id, before, after } => Self::LabelTable { id, before: after, after: before },
        }
    }
}

/// What a line of the history did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A new edit.
    Edit,
    /// The last edit was taken back.
    Undo,
    /// The last edit taken back was made again.
    Redo,
    /// Something was written to files; the study stayed as it was.
    Export,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it did.
    pub kind: LineKind,
    /// Name of the edit.
    pub name: String,
    /// Empty for undo, redo and exports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeRecord>,
    /// What was exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Value>,
}

impl Line {
    /// A line of this kind that changes nothing by itself.
    #[must_use]
    pub fn plain(kind: LineKind, name: &str) -> Self {
        Self { kind, name: name.to_owned(), changes: Vec::new(), export: None }
    }
}

/// [`Change`] on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeRecord {
    /// An element.
    Element {
        /// Which.
        id: u64,
        /// Before.
        before: Option<ElementRecord>,
        /// After.
        after: Option<ElementRecord>,
    },
    /// A registration.
    Registration {
        /// Of which section.
        section: u64,
        /// Before.
        before: Option<RegistrationRecord>,
        /// After.
        after: Option<RegistrationRecord>,
    },
    /// The layers.
    Layers {
        /// Before.
        before: Vec<LayerRecord>,
        /// After.
        after: Vec<LayerRecord>,
    },
    /// An analysis: how it is made, not its numbers, which are computed again.
    Analysis {
        /// Its number.
        id: u64,
        /// Before.
        before: Option<Recipe>,
        /// After.
        after: Option<Recipe>,
    },
    /// What is left out.
    Exclusions {
        /// Before.
        before: Vec<ExclusionRecord>,
        /// After.
        after: Vec<ExclusionRecord>,
    },
    /// Voxels of a segmentation.
    Voxels {
        /// Which.
        id: u64,
        /// What changes.
        edits: Vec<LabelEditRecord>,
    },
    /// Names, colors and locks of a segmentation.
    LabelTable {
        /// Which.
        id: u64,
        /// Before.
        before: Vec<LabelEntryRecord>,
        /// After.
        after: Vec<LabelEntryRecord>,
    },
    /// What was drawn to measure.
    Figures {
        /// Before.
        before: Vec<FigureRecord>,
        /// After.
        after: Vec<FigureRecord>,
    },
    /// Regions marked on sections.
    Regions {
        /// Before.
        before: Vec<SpotRegionRecord>,
        /// After.
        after: Vec<SpotRegionRecord>,
    },
}

/// The record of an element; a path is replaced by its key.
#[must_use]
pub fn element_record(id: ElementId, held: &Held) -> ElementRecord {
    let provenance = &held.provenance;
    let source = match (&provenance.path, provenance.demo_seed) {
        (Some(path), _) => SourceRecord::Input { key: path_key(path), item: provenance.item },
        (None, None) if let Element::Labels(map) = &held.element => SourceRecord::Blank(BlankRecord::from(&**map)),
        (None, seed) => SourceRecord::Demo { seed: seed.unwrap_or(0), item: provenance.item },
    };
    let typed = match &held.element {
        Element::Section(s) => typed_um_per_px(&s.pixel_size),
        _ => None,
    };
    let mends = provenance.mends.iter().map(crate::model::Mend::text).collect();
    ElementRecord { id: id.0, name: held.element.name().to_owned(), source, typed_um_per_px: typed, mends }
}

/// What is needed to turn records into changes again.
pub struct Rebuild<'a> {
    /// Finds what an element record stands for.
    pub element: &'a dyn Fn(&ElementRecord) -> Option<Held>,
    /// Of analyses that are computed again.
    pub progress: &'a Progress,
}

impl Edit {
    /// The journal's line of the edit.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { changes: self.changes.iter().map(Change::record).collect(), ..Line::plain(LineKind::Edit, &self.name) }
    }

    /// The edit of a line, about to be made on `study`. Analyses are computed again.
    pub fn from_line(line: &Line, study: &Study, rebuild: &Rebuild<'_>) -> Result<Self> {
        let changes = line.changes.iter().map(|r| r.to_change(study, rebuild)).collect::<Result<_>>()?;
        Ok(Self { name: line.name.clone(), changes })
    }
}

impl Change {
    fn record(&self) -> ChangeRecord {
        match self {
            Self::Element { id, before, after } => {
                let record = |held: &Option<Held>| held.as_ref().map(|h| element_record(*id, h));
                ChangeRecord::Element { id: id.0, before: record(before), after: record(after) }
            }
            Self::Registration { section, before, after } => {
                let record = |r: &Option<Box<Registration>>| r.as_deref().map(RegistrationRecord::from);
                ChangeRecord::Registration { section: section.0, before: record(before), after: record(after) }
            }
            Self::Layers { before, after } => {
                let records = |l: &[Layer]| l.iter().map(LayerRecord::from).collect();
                ChangeRecord::Layers { before: records(before), after: records(after) }
            }
            Self::Analysis { id, before, after } => {
                let record = |a: &Option<Arc<Analysis>>| a.as_deref().and_then(Recipe::of);
                ChangeRecord::Analysis { id: id.0, before: record(before), after: record(after) }
            }
            Self::Exclusions { before, after } => {
                let records = |l: &[Exclusion]| l.iter().map(ExclusionRecord::from).collect();
                ChangeRecord::Exclusions { before: records(before), after: records(after) }
            }
            Self::Figures { before, after } => {
                let records = |l: &[Figure]| l.iter().map(FigureRecord::from).collect();
                ChangeRecord::Figures { before: records(before), after: records(after) }
            }
            Self::Regions { before, after } => {
                let records = |l: &[SpotRegion]| l.iter().map(SpotRegionRecord::from).collect();
                ChangeRecord::Regions { before: records(before), after: records(after) }
            }
            Self::Voxels { id, edits } => {
                ChangeRecord::Voxels { id: id.0, edits: edits.iter().map(LabelEditRecord::from).collect() }
            }
            Self::LabelTable { id, before, after } => {
                ChangeRecord::LabelTable { id: id.0, before: table_record(before), after: table_record(after) }
            }
        }
    }
}

/// The registration of a record with its fit, which is computed again.
fn fitted(record: &RegistrationRecord) -> Result<Box<Registration>> {
    let mut registration = record.to_registration()?;
    refit(&mut registration);
    Ok(Box::new(registration))
}

impl ChangeRecord {
    fn to_change(&self, study: &Study, rebuild: &Rebuild<'_>) -> Result<Change> {
        let held = |record: &Option<ElementRecord>| match record {
            None => Ok(None),
            Some(r) => {
                let missing = || Error::degenerate(format!("the input of {:?} is not there", r.name));
                (rebuild.element)(r).map(Some).ok_or_else(missing)
            }
        };
        let registration = |record: &Option<RegistrationRecord>| record.as_ref().map(fitted).transpose();
        Ok(match self {
            Self::Element { id, before, after } => {
                let id = ElementId(*id);
                // What disappears is the one that is there, with what was drawn on it.
                let there = study.elements.get(&id).map(|element| {
                    let provenance = study.provenance.get(&id).cloned().unwrap_or_default();
                    Held { element: element.clone(), provenance }
                });
                let before = if there.is_some() { before.as_ref().and(there) } else { held(before)? };
                Change::Element { id, before, after: held(after)? }
            }
            Self::Registration { section, before, after } => {
                Change::Registration { section: ElementId(*section), before: registration(before)?, after: registration(after)? }
            }
            Self::Layers { before, after } => {
                let layers = |l: &[LayerRecord]| l.iter().map(LayerRecord::to_layer).collect();
                Change::Layers { before: layers(before), after: layers(after) }
            }
            Self::Analysis { id, before, after } => {
                let id = AnalysisId(*id);
                // What disappears is the one that is there.
                let before = before.as_ref().and_then(|_| study.analyses.get(&id).cloned());
                let made = after.as_ref().map(|recipe| remake(recipe, study, rebuild.progress)).transpose()?;
                Change::Analysis { id, before, after: made.map(Arc::new) }
            }
            Self::Exclusions { before, after } => {
                let exclusions = |l: &[ExclusionRecord]| l.iter().map(ExclusionRecord::to_exclusion).collect();
                Change::Exclusions { before: exclusions(before), after: exclusions(after) }
            }
            Self::Figures { before, after } => {
                let figures = |l: &[FigureRecord]| l.iter().map(FigureRecord::to_figure).collect::<Result<_>>();
                Change::Figures { before: figures(before)?, after: figures(after)? }
            }
            Self::Regions { before, after } => {
                let regions = |l: &[SpotRegionRecord]| l.iter().map(SpotRegionRecord::to_region).collect::<Result<_>>();
                Change::Regions { before: regions(before)?, after: regions(after)? }
            }
            Self::Voxels { id, edits } => {
                let (id, edits) = (ElementId(*id), edits.iter().map(LabelEditRecord::to_edit).collect::<Vec<_>>());
                // Those of an element that this line makes are checked by their bounds alone.
                if let Some(map) = study.labels(id) {
                    edits.iter().try_for_each(|e| e.check(map.phases.get(e.phase).map_or(&[], |p| p)))?;
                }
                Change::Voxels { id, edits }
            }
            Self::LabelTable { id, before, after } => {
                Change::LabelTable { id: ElementId(*id), before: table_of(before), after: table_of(after) }
            }
        })
    }
}
