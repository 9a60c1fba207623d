//! Coverage-guided fuzzing of the NRRD and MetaImage readers; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::volume_formats::parse_lattice;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 64 << 20 };
    let mut warnings = Warnings::default();
    let _ = parse_lattice(bytes, "x.nrrd", &mut Reading { limits, progress: &Progress::none(), warnings: &mut warnings });
});
