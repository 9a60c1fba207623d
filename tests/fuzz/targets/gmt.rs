//! Coverage-guided fuzzing of gene sets; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::gmt::parse_gmt;

fuzz_target!(|bytes: &[u8]| {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let mut reading = Reading { limits, progress: &progress, warnings: &mut warnings };
    let _ = parse_gmt(bytes, &mut reading);
});
