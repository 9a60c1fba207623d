//! Coverage-guided fuzzing of the BigWarp landmark reader; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_formats::bigwarp::parse_bigwarp;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_bigwarp(bytes);
});
