//! Done and undone edits, by name, and the log of all that was done in order, exports included; both grow
//! without limit, and the log is saved with the project.

use super::edit::{Edit, Line, LineKind, Rebuild};
use crate::base::{Error, Result};
use crate::model::Study;

/// The undo and redo stacks, and the lines that rebuild them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    done: Vec<Edit>,
    undone: Vec<Edit>,
    log: Vec<Line>,
}

impl History {
    /// Records an edit that was just applied.
    pub fn push(&mut self, edit: Edit) {
        self.log.push(edit.line());
        self.undone.clear();
        self.done.push(edit);
    }

    /// Records something that changed no study, as an export.
    pub fn note(&mut self, line: Line) {
        self.log.push(line);
    }

    /// Takes the last edit back; its name.
    pub fn undo(&mut self, study: &mut Study) -> Option<String> {
        let edit = self.done.pop()?;
        edit.inverse().apply(study);
        let name = edit.name.clone();
        self.log.push(Line::plain(LineKind::Undo, &name));
        self.undone.push(edit);
        Some(name)
    }

    /// Makes the last undone edit again; its name.
    pub fn redo(&mut self, study: &mut Study) -> Option<String> {
        let edit = self.undone.pop()?;
        edit.apply(study);
        let name = edit.name.clone();
        self.log.push(Line::plain(LineKind::Redo, &name));
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

    /// Everything that was done, in order: the lines that rebuild these stacks.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.log
    }

    /// Does once more what a line says.
    pub fn step(&mut self, line: &Line, study: &mut Study, rebuild: &Rebuild<'_>) -> Result<()> {
        let nothing = || Error::malformed(format!("the history has nothing to do for {:?}", line.name));
        match line.kind {
            LineKind::Undo => self.undo(study).map(|_| ()).ok_or_else(nothing),
            LineKind::Redo => self.redo(study).map(|_| ()).ok_or_else(nothing),
            LineKind::Export => {
                self.note(line.clone());
                Ok(())
            }
            LineKind::Edit => {
                let edit = Edit::from_line(line, study, rebuild)?;
                edit.apply(study);
                self.push(edit);
                Ok(())
            }
        }
    }

    /// Rebuilds study and stacks from lines, starting from `study`; stops at the first line that cannot be
    /// done again, and says why.
    pub fn replay(lines: &[Line], study: &mut Study, rebuild: &Rebuild<'_>) -> (Self, Option<Error>) {
        let mut history = Self::default();
        let problem = lines.iter().find_map(|line| history.step(line, study, rebuild).err());
        (history, problem)
    }
}
