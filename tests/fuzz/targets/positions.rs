//! Coverage-guided fuzzing of the Visium positions; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::visium::parse_positions;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_positions(bytes);
});
