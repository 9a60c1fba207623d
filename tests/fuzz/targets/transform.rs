//! Coverage-guided fuzzing of the transform file; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::transform_file::parse_transform;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = parse_transform(bytes) {
        let _ = (file.to_warp(), file.to_warp_3());
    }
});
