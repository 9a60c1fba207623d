//! The only place that prints: results on standard output, everything else on standard error, a progress
//! bar only on a terminal.

use crate::base::{Cancel, Error, Note, Progress};
use crate::model::Finding;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{IsTerminal, Write};

/// Standard output and standard error.
pub struct Printer {
    quiet: bool,
    bar: Option<ProgressBar>,
}

impl Printer {
    /// Prints notes and progress unless `quiet`.
    pub fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(1000);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} % {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { quiet, bar }
    }

    /// Progress shown on the bar.
    pub fn progress(&self) -> Progress {
        let Some(bar) = self.bar.clone() else { return Progress::none() };
        Progress::new(Cancel::default(), move |fraction, what| {
            bar.set_position((fraction * 1000.0) as u64);
            bar.set_message(what.to_owned());
        })
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// One line of a result.
    pub fn line(&self, text: &str) {
        self.clear();
        write(std::io::stdout(), text);
    }

    /// The one JSON object of a command, on one line.
    pub fn json(&self, value: &Value) {
        self.clear();
        write(std::io::stdout(), &value.to_string());
    }

    /// A remark for people.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            write(std::io::stderr(), text);
        }
    }

    /// Notes of readers and methods.
    pub fn notes(&self, notes: &[Note]) {
        for note in notes {
            let file = note.file.as_ref().map(|f| format!(": {}", f.display())).unwrap_or_default();
            self.remark(&format!("{} [{}]: {}{file}", note.severity.name(), note.code, note.message));
        }
    }

    /// Why the command failed.
    pub fn error(error: &Error) {
        write(std::io::stderr(), &format!("error: {error}"));
    }
}

/// A reader that went away (a closed pipe) is no reason to fail.
fn write(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{text}");
}

/// Notes as JSON, for reports.
pub fn notes_json(notes: &[Note]) -> Value {
    let one = |n: &Note| {
        serde_json::json!({
            "severity": n.severity.name(),
            "code": n.code,
            "message": n.message,
            "file": n.file.as_ref().map(|f| f.display().to_string()),
        })
    };
    Value::Array(notes.iter().map(one).collect())
}

/// A finding as JSON, for reports.
pub fn finding_json(f: &Finding) -> Value {
    let evidence: serde_json::Map<String, Value> = f.evidence.iter().map(|(k, v)| (k.clone(), serde_json::json!(v))).collect();
    serde_json::json!({"severity": f.severity.name(), "code": f.code, "what": f.what, "evidence": evidence, "remedy": f.remedy})
}
