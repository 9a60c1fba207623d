//! The program as a person or a script meets it: exit statuses, the one JSON object, files and columns, and that
//! a failed command writes nothing. Every test runs the real binary.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

mod convert;
mod headless;
mod heart;
mod inspect;
mod labels;
mod measure;
mod privacy;
mod radiomics;
mod register;
mod rules;
mod run;
mod snapshot;
