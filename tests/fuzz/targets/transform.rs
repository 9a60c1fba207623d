//! Coverage-guided fuzzing of the transform file; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_file::parse_transform;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_transform(bytes);
});
