//! Coverage-guided fuzzing of manifests of networks; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::io::network::parse_network;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_network(bytes);
});
