//! Coverage-guided fuzzing of PNG and JPEG pictures; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::Limits;
use myoscope::io::picture::decode_picture;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 64 << 20 };
    let _ = decode_picture(bytes, limits);
});
