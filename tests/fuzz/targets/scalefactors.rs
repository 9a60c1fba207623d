//! Coverage-guided fuzzing of the Visium scale factors; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::visium::parse_scalefactors;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_scalefactors(bytes);
});
