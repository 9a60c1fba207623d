//! Corrections of what was read: undoable steps that are told, kept with the element, and made again with a project.

use super::edit::{Change, Edit, Held};
use super::{Outcome, Session};
use crate::base::{Error, Result, Severity};
use crate::model::{Element, ElementId, Mend};
use std::sync::Arc;

/// An image with a correction.
#[derive(Debug)]
pub struct Mended {
    id: ElementId,
    before: Held,
    after: Held,
    what: String,
}

/// The element with one more correction. [`Error::Parameter`] where it is no image or cannot be corrected so.
pub(super) fn mended(held: &Held, mend: Mend) -> Result<Held> {
    let Element::Volume(volume) = &held.element else {
        return Err(Error::parameter("only images can be corrected so"));
    };
    let element = Element::Volume(Arc::new(mend.apply(volume)?));
    let mut provenance = held.provenance.clone();
    provenance.mends.push(mend);
    Ok(Held { element, provenance })
}

impl Session {
    /// Corrects an image in the background.
    pub(super) fn mend(&mut self, id: ElementId, mend: Mend) -> Result<()> {
        let before = self.held(id).ok_or_else(|| Error::parameter("it is not open"))?;
        let name = before.element.name().to_owned();
        self.jobs.start("mend", &format!("Correcting {name}"), move |progress| {
            progress.step(0.0, "correcting")?;
            let what = mend.sentence();
            let after = mended(&before, mend)?;
            Ok(Outcome::Mended(Box::new(Mended { id, before, after, what })))
        });
        Ok(())
    }

    pub(super) fn add_mended(&mut self, mended: Mended) {
        let Mended { id, before, after, what } = mended;
        let same = |a: &Element, b: &Element| match (a, b) {
            (Element::Volume(a), Element::Volume(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        if !self.study.elements.get(&id).is_some_and(|now| same(now, &before.element)) {
            self.say(Severity::Note, format!("{} changed while it was corrected.", before.element.name()));
            return;
        }
        let name = after.element.name().to_owned();
        let drawn: Vec<ElementId> = self.study.labels_on(id).map(|(labels, _)| labels).collect();
        self.commit(Edit { name: format!("correct {name}: {what}"), changes: vec![change(id, before, after)] });
        self.say_from(Severity::Note, "Import", format!("{name}: {what}. The file is as it was."), "Undo takes it back.");
        let lost = drawn.iter().filter(|l| self.study.belonging(**l, id).is_none()).count();
        if lost > 0 {
            let text = format!("{lost} segmentations lie on other voxels than {name} now and are not drawn on it.");
            self.say_from(Severity::Warning, "Import", text, "Undo, or open labels of the corrected image.");
        }
        self.refit_panes(&crate::scene::PaneKind::ALL);
    }

    /// Takes all corrections back: what the oldest of them began with.
    pub(super) fn unmend(&mut self, id: ElementId) -> Result<()> {
        let before = self.held(id).ok_or_else(|| Error::parameter("it is not open"))?;
        if before.provenance.mends.is_empty() {
            return Err(Error::parameter("nothing was corrected: it is as its files say"));
        }
        let read = self.history.edits().iter().flat_map(|e| &e.changes).find_map(|c| match c {
            Change::Element { id: of, after: Some(held), .. } if *of == id && held.provenance.mends.is_empty() => {
                Some(held.clone())
            }
            _ => None,
        });
        let after = read.ok_or_else(|| Error::parameter("what was read is not in the history; open the file again"))?;
        let name = after.element.name().to_owned();
        self.commit(Edit { name: format!("{name} as its files say"), changes: vec![change(id, before, after)] });
        self.refit_panes(&crate::scene::PaneKind::ALL);
        Ok(())
    }
}

fn change(id: ElementId, before: Held, after: Held) -> Change {
    Change::Element { id, before: Some(before), after: Some(after) }
}
