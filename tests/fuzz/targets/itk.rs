//! Coverage-guided fuzzing of the ITK transform reader; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_formats::itk::parse_itk;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_itk(bytes, None);
});
