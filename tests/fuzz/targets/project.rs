//! Coverage-guided fuzzing of the project file; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::project::parse_project;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_project(std::io::Cursor::new(bytes));
});
