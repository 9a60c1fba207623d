//! Coverage-guided fuzzing of the AnnData reader; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::Limits;
use myoscope::io::h5ad::parse_h5ad_bytes;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 64 << 20 };
    let _ = parse_h5ad_bytes(bytes.to_vec(), limits);
});
