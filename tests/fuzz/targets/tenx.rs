//! Coverage-guided fuzzing of the 10x reader; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::Limits;
use myoscope::io::tenx::parse_10x_bytes;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 64 << 20 };
    let _ = parse_10x_bytes(bytes.to_vec(), limits);
});
