//! Coverage-guided fuzzing of the reader that recognizes transforms by content; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_formats::parse_any_transform;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_any_transform(bytes, None);
});
