//! Coverage-guided fuzzing of the matrix reader; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_formats::matrix::parse_matrix;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_matrix(bytes, None);
});
