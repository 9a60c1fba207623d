//! Coverage-guided fuzzing of the opening of archives; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Reading, open};

fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("a.zip");
    if std::fs::write(&path, bytes).is_ok() {
        let (progress, mut warnings) = (Progress::none(), Warnings::default());
        let limits = Limits { max_bytes: 16 << 20 };
        let _ = open(&path, &mut Reading { limits, progress: &progress, warnings: &mut warnings });
    }
});
