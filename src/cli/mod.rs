//! The program as commands: the same library, settings, seeds and results as the window.
//! Exit status: 0 done, 1 the answer is no, 2 error, 130 cancelled.

mod convert;
mod demo;
mod export;
mod fuse;
mod guard;
mod headless;
mod inspect;
mod labels;
mod measure;
mod omics;
mod points;
mod predict;
mod print;
mod register;
mod replay;
mod snapshot;
mod transform;
mod views;
mod warp;
mod warp_image;

#[cfg(feature = "gui")]
mod bench;

use crate::base::{Error, Limits, Note, Progress, Result, Warnings};
use crate::io::Reading;
use clap::{Args, Parser, Subcommand};
use print::Printer;
use std::path::{Path, PathBuf};

/// A patient's heart and the genes of its tissue in one scene. For research, not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "myoscope", version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Cli {
    /// Files and folders to open in the window; none opens the built-in case.
    paths: Vec<PathBuf>,
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
struct Shared {
    /// Print exactly one JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// Seed of everything random.
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Threads to use (default: all). Results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory that may be taken, in GiB.
    #[arg(long, global = true, value_name = "GIB", default_value_t = 8.0)]
    max_memory: f64,
    /// No progress and no notes on standard error.
    #[arg(long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is in files or folders, what was assumed, and what is wrong.
    Inspect(inspect::Inspect),
    /// A picture without a window.
    Snapshot(snapshot::Snapshot),
    /// Write the built-in synthetic case as ordinary files, with `truth/` beside them.
    Demo(demo::Demo),
    /// Write images as NIfTI and molecular tables as h5ad.
    Convert(convert::Convert),
    /// Work on a table of genes: summarize, normalize, variable genes, principal components.
    Omics(Box<omics::Omics>),
    /// Write spots, maps, segments, tables, transforms and pictures to hand on.
    Export {
        #[command(subcommand)]
        what: export::Export,
    },
    /// Work on segmentations: holes, slices between, pieces, grids, orientation, networks.
    Labels {
        #[command(subcommand)]
        what: labels::Labels,
    },
    /// Measure the heart.
    Measure {
        #[command(subcommand)]
        what: measure::Measure,
    },
    /// Fit a section to images.
    Register {
        #[command(subcommand)]
        what: register::Register,
    },
    /// Expression from images.
    Predict {
        #[command(subcommand)]
        what: predict::Predict,
    },
    /// Show, compose and convert transforms.
    Transform {
        #[command(subcommand)]
        what: transform::Transform,
    },
    /// Carry points or images through a transform.
    Warp {
        #[command(subcommand)]
        what: warp::Warp,
    },
    /// Repeat a session's history headless: same inputs, same bytes.
    Replay(replay::Replay),
    /// Join views of the same samples.
    Fuse(fuse::Fuse),
    /// Run the failure-mode checks.
    Guard(guard::Guard),
    /// Time the drawing.
    #[cfg(feature = "gui")]
    Bench(bench::Bench),
}

/// What a command works with: options, printer, and the notes of its readers.
struct Run {
    shared: Shared,
    printer: Printer,
    progress: Progress,
    limits: Limits,
    warnings: Warnings,
}

impl Run {
    fn new(shared: Shared) -> Result<Self> {
        if !shared.max_memory.is_finite() || shared.max_memory <= 0.0 {
            return Err(Error::parameter(format!("--max-memory {} is not a number of GiB above 0", shared.max_memory)));
        }
        if let Some(n) = shared.threads {
            // A pool that exists already (tests) keeps its size; results do not depend on it.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(n)).build_global();
        }
        let printer = Printer::new(shared.quiet);
        let limits = Limits { max_bytes: (shared.max_memory * f64::from(1 << 30)) as u64 };
        let progress = printer.progress();
        Ok(Self { shared, printer, progress, limits, warnings: Warnings::default() })
    }

    /// What a reader needs.
    fn reading(&mut self) -> Reading<'_> {
        Reading { limits: self.limits, progress: &self.progress, warnings: &mut self.warnings }
    }

    /// Refuses outputs whose folder is not there, before any work is done.
    fn check_outputs(paths: &[Option<&Path>]) -> Result<()> {
        for path in paths.iter().flatten() {
            let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
            if !folder.is_dir() || path.is_dir() {
                let what = if path.is_dir() {
                    "this is a folder, a file was expected"
                } else {
                    "its folder is not there; make it first"
                };
                return Err(Error::parameter(format!("cannot write, {what}: {}", path.display())));
            }
        }
        Ok(())
    }

    /// Tells the notes collected so far on standard error.
    fn tell_notes(&mut self) {
        let notes: Vec<Note> = std::mem::take(&mut self.warnings.notes);
        self.printer.notes(&notes);
    }
}

/// Runs the program with the process's arguments; the exit status.
#[must_use]
pub fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors; clap knows where to print them.
            let _ = e.print();
            return if e.use_stderr() { 2 } else { 0 };
        }
    };
    match dispatch(cli) {
        Ok(status) => status,
        Err(Error::Cancelled) => 130,
        Err(e) => {
            Printer::error(&e);
            2
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8> {
    let mut run = Run::new(cli.shared)?;
    let status = match cli.command {
        None => headless::open(&mut run, cli.paths),
        Some(Command::Inspect(c)) => c.run(&mut run),
        Some(Command::Snapshot(c)) => c.run(&mut run),
        Some(Command::Demo(c)) => c.run(&mut run),
        Some(Command::Convert(c)) => c.run(&mut run),
        Some(Command::Omics(c)) => c.run(&mut run),
        Some(Command::Predict { what }) => what.run(&mut run),
        Some(Command::Export { what }) => what.run(&mut run),
        Some(Command::Labels { what }) => what.run(&mut run),
        Some(Command::Measure { what }) => what.run(&mut run),
        Some(Command::Register { what }) => what.run(&mut run),
        Some(Command::Transform { what }) => what.run(&mut run),
        Some(Command::Warp { what }) => what.run(&mut run),
        Some(Command::Replay(c)) => c.run(&mut run),
        Some(Command::Fuse(c)) => c.run(&mut run),
        Some(Command::Guard(c)) => c.run(&mut run),
        #[cfg(feature = "gui")]
        Some(Command::Bench(c)) => c.run(&mut run),
    };
    run.printer.clear();
    run.tell_notes();
    status
}
