//! `inspect`: what is in files or folders, what was assumed, what is wrong.

use super::Run;
use crate::base::{Error, Result};
use crate::io::inspect::{Item, inspect as inspection, inspection_table, side_item};
use crate::io::{self, Found};
use clap::Args;
use std::path::PathBuf;

/// `inspect`.
#[derive(Args, Debug)]
pub struct Inspect {
    /// Files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Inspect {
    /// A broken file is a note of severity `error`; the status stays 0.
    pub fn run(self, run: &mut Run) -> Result<u8> {
        let (mut found, mut beside): (Vec<Found>, Vec<Item>) = (Vec::new(), Vec::new());
        if let Some(missing) = self.paths.iter().find(|p| !p.exists()) {
            return Err(Error::parameter(format!("no such file or folder: {}", missing.display())));
        }
        for path in &self.paths {
            match io::open(path, &mut run.reading()) {
                Ok(more) => found.extend(more),
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(e) => match side_item(path, &run.limits) {
                    Some((item, said)) => {
                        run.warnings.note(item.kind, said, Some(path));
                        beside.push(item);
                    }
                    None => run.warnings.error(e.code(), e.to_string(), Some(path)),
                },
            }
        }
        if run.shared.json {
            let mut report = inspection(&found, &run.warnings);
            report.items.extend(beside);
            let value = serde_json::to_value(report).map_err(|e| Error::malformed(e.to_string()))?;
            run.printer.json(&value);
        } else {
            run.printer.line(inspection_table(&found, &run.warnings).trim_end());
            run.warnings.notes.clear();
        }
        Ok(0)
    }
}
