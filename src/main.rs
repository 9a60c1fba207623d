//! Runs the command line, which opens the window where it is asked; turns its answer into an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(myoscope::cli::run())
}
