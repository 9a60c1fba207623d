//! Coverage-guided fuzzing of the readers of contours; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::contours::{parse_cvi42, parse_guide_points, parse_points, parse_sunnybrook};
use myoscope::io::table::TableKind;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let mut reading = Reading { limits, progress: &progress, warnings: &mut warnings };
    let _ = parse_points(bytes.to_vec(), TableKind::Csv, &mut reading);
    let _ = parse_cvi42(bytes, &mut reading);
    let _ = parse_guide_points(bytes, Path::new("GPFile_001.txt"));
    let _ = parse_sunnybrook(bytes, Path::new("IM-0001-0002-icontour-manual.txt"));
});
