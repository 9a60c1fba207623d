//! Coverage-guided fuzzing of the picture reader that keeps native numbers; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::Limits;
use myoscope::io::raster::parse_raster;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_raster(bytes, &Limits { max_bytes: 64 << 20 });
});
