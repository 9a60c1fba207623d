//! Done and undone edits, by name; it grows without limit and is saved with the project.

use super::edit::Held;
use super::edit::{Edit, Line, LineKind};
use crate::io::record::ElementRecord;
use crate::model::Study;

/// The undo and redo stacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    done: Vec<Edit>,
    undone: Vec<Edit>,
}

impl History {
    /// Records an edit that was just applied.
    pub fn push(&mut self, edit: Edit) {
        self.undone.clear();
        self.done.push(edit);
    }

    /// Takes the last edit back; its name.
    pub fn undo(&mut self, study: &mut Study) -> Option<String> {
        let edit = self.done.pop()?;
        edit.inverse().apply(study);
        let name = edit.name.clone();
        self.undone.push(edit);
        Some(name)
    }

    /// Makes the last undone edit again; its name.
    pub fn redo(&mut self, study: &mut Study) -> Option<String> {
        let edit = self.undone.pop()?;
        edit.apply(study);
        let name = edit.name.clone();
        self.done.push(edit);
        Some(name)
    }

    /// Names of the edits that can be taken back, oldest first.
    #[must_use]
    pub fn done(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.done.iter().map(|e| e.name.as_str())
    }

    /// Names of the edits that can be made again, next last.
    #[must_use]
    pub fn undone(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.undone.iter().map(|e| e.name.as_str())
    }

    /// The edits in order.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.done
    }

    /// The lines that rebuild these stacks.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |e: &Edit| Line { kind: LineKind::Edit, name: e.name.clone(), changes: e.records() };
        let undo = |e: &Edit| Line { kind: LineKind::Undo, name: e.name.clone(), changes: Vec::new() };
        let all = self.done.iter().chain(self.undone.iter().rev()).map(line);
        all.chain(self.undone.iter().map(undo)).collect()
    }

    /// Rebuilds study and stacks from lines, starting from `study`; stops at the first line that
    /// cannot be understood and says how many were used.
    pub fn replay(lines: &[Line], study: &mut Study, element: &dyn Fn(&ElementRecord) -> Option<Held>) -> (Self, usize) {
        let mut history = Self::default();
        for (i, line) in lines.iter().enumerate() {
            let fine = match line.kind {
                LineKind::Undo => history.undo(study).is_some(),
                LineKind::Redo => history.redo(study).is_some(),
                LineKind::Edit => Edit::from_records(&line.name, &line.changes, element)
                    .map(|edit| {
                        edit.apply(study);
                        history.push(edit);
                    })
                    .is_ok(),
            };
            if !fine {
                return (history, i);
            }
        }
        (history, lines.len())
    }
}
