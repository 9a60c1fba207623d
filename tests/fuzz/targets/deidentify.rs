//! Coverage-guided fuzzing of the writer of DICOM files without patients; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::Limits;
use myoscope::io::dicom::deidentify::deidentify_bytes;

fuzz_target!(|bytes: &[u8]| {
    let _ = deidentify_bytes(bytes, &Limits { max_bytes: 64 << 20 });
});
