//! Coverage-guided fuzzing of the reader of prediction models; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::predictor_file::parse_predictor;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_predictor(bytes);
});
