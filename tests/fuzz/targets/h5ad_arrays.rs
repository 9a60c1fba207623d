//! Coverage-guided fuzzing of the reader of coordinates and graphs of AnnData; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::h5ad::parse_arrays;

fuzz_target!(|bytes: &[u8]| {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let mut reading = Reading { limits, progress: &progress, warnings: &mut warnings };
    let _ = parse_arrays(bytes.to_vec(), &["X_a", "X_sparse", "fractions"], &["connectivities"], &mut reading);
});
