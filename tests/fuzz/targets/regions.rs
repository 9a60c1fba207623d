//! Coverage-guided fuzzing of the reader of regions in GeoJSON; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::geojson::{RegionUnit, parse_regions};

fuzz_target!(|bytes: &[u8]| {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let mut reading = Reading { limits, progress: &progress, warnings: &mut warnings };
    let _ = parse_regions(bytes, RegionUnit::Pixels, &mut reading);
});
