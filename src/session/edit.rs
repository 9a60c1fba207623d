//! Every undoable change of the study, with its inverse, its name, and its line in the journal.

use super::register_edit::refit;
use crate::base::{Error, Result};
use crate::io::project::path_key;
use crate::io::record::{ElementRecord, LayerRecord, RegistrationRecord, SourceRecord, typed_um_per_px};
use crate::model::{Element, ElementId, Layer, Provenance, Registration, Study};
use serde::{Deserialize, Serialize};

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
        }
    }

    fn inverse(&self) -> Self {
        match self.clone() {
            Self::Element { id, before, after } => Self::Element { id, before: after, after: before },
            Self::Registration { section, before, after } => Self::Registration { section, before: after, after: before },
            Self::Layers { before, after } => Self::Layers { before: after, after: before },
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
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it did.
    pub kind: LineKind,
    /// Name of the edit.
    pub name: String,
    /// Empty for undo and redo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeRecord>,
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
}

/// The record of an element; a path is replaced by its key.
#[must_use]
pub fn element_record(id: ElementId, held: &Held) -> ElementRecord {
    let provenance = &held.provenance;
    let source = match (&provenance.path, provenance.demo_seed) {
        (Some(path), _) => SourceRecord::Input { key: path_key(path), item: provenance.item },
        (None, seed) => SourceRecord::Demo { seed: seed.unwrap_or(0), item: provenance.item },
    };
    let typed = match &held.element {
        Element::Section(s) => typed_um_per_px(&s.pixel_size),
        _ => None,
    };
    ElementRecord { id: id.0, name: held.element.name().to_owned(), source, typed_um_per_px: typed }
}

impl Edit {
    /// The journal's record of the changes.
    #[must_use]
    pub fn records(&self) -> Vec<ChangeRecord> {
        self.changes.iter().map(Change::record).collect()
    }

    /// The edit of a record; `element` finds what an element record stands for.
    pub fn from_records(name: &str, records: &[ChangeRecord], element: &dyn Fn(&ElementRecord) -> Option<Held>) -> Result<Self> {
        let changes = records.iter().map(|r| r.to_change(element)).collect::<Result<_>>()?;
        Ok(Self { name: name.to_owned(), changes })
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
    fn to_change(&self, element: &dyn Fn(&ElementRecord) -> Option<Held>) -> Result<Change> {
        let held = |record: &Option<ElementRecord>| match record {
            None => Ok(None),
            Some(r) => element(r).map(Some).ok_or_else(|| Error::degenerate(format!("the input of {:?} is not there", r.name))),
        };
        let registration = |record: &Option<RegistrationRecord>| record.as_ref().map(fitted).transpose();
        Ok(match self {
            Self::Element { id, before, after } => {
                Change::Element { id: ElementId(*id), before: held(before)?, after: held(after)? }
            }
            Self::Registration { section, before, after } => {
                Change::Registration { section: ElementId(*section), before: registration(before)?, after: registration(after)? }
            }
            Self::Layers { before, after } => {
                let layers = |l: &[LayerRecord]| l.iter().map(LayerRecord::to_layer).collect();
                Change::Layers { before: layers(before), after: layers(after) }
            }
        })
    }
}
