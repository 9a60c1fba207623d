//! What a reader or method wants to say beside its result: what was assumed, repaired or missing.
//! Partial failure goes here, as an extra parameter that cannot be ignored.

use std::path::{Path, PathBuf};

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information: something was assumed or chosen.
    Note,
    /// The result may not be what was meant.
    Warning,
    /// A part could not be done.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One sentence about an input or result, with a stable kebab-case code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// Stable word, as `slice-gap`.
    pub code: &'static str,
    /// What, how many, what was done, what to turn.
    pub message: String,
    /// The file it is about.
    pub file: Option<PathBuf>,
}

/// Collects notes; passed by `&mut` to whatever may have something to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// In the order they were said.
    pub notes: Vec<Note>,
}

impl Warnings {
    /// Something was assumed or chosen.
    pub fn note(&mut self, code: &'static str, message: impl Into<String>, file: Option<&Path>) {
        self.push(Severity::Note, code, message, file);
    }

    /// The result may not be what was meant.
    pub fn warn(&mut self, code: &'static str, message: impl Into<String>, file: Option<&Path>) {
        self.push(Severity::Warning, code, message, file);
    }

    /// A part could not be done.
    pub fn error(&mut self, code: &'static str, message: impl Into<String>, file: Option<&Path>) {
        self.push(Severity::Error, code, message, file);
    }

    fn push(&mut self, severity: Severity, code: &'static str, message: impl Into<String>, file: Option<&Path>) {
        self.notes.push(Note { severity, code, message: message.into(), file: file.map(Path::to_path_buf) });
    }
}
