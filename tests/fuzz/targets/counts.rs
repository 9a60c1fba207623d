//! Coverage-guided fuzzing of the table of counts; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::counts::{is_counts, parse_counts};

fuzz_target!(|bytes: &[u8]| {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let mut reading = Reading { limits, progress: &progress, warnings: &mut warnings };
    let _ = is_counts(bytes);
    let _ = parse_counts(bytes.to_vec(), "x", &mut reading);
});
