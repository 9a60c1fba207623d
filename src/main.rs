//! Runs the command line, which opens the window where it is asked; turns its answer into an exit status.

use std::io::Write;
use std::panic::{catch_unwind, set_hook};
use std::process::ExitCode;

fn main() -> ExitCode {
    // A decoder that stops on a damaged file is caught and named by its reader; its own words could hold
    // anything from the file, so they are printed only where a developer asks.
    if std::env::var_os("MYOSCOPE_PANIC").is_none() {
        set_hook(Box::new(|_| {}));
    }
    let status = catch_unwind(myoscope::cli::run).unwrap_or_else(|_| {
        let sentence = "error: the program stopped unexpectedly; MYOSCOPE_PANIC=1 shows where";
        // There is nowhere left to say that this could not be said.
        let _ = writeln!(std::io::stderr(), "{sentence}");
        2
    });
    ExitCode::from(status)
}
