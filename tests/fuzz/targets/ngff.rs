//! Coverage-guided fuzzing of the NGFF transformation reader; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_formats::ngff::parse_ngff;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_ngff(bytes);
});
