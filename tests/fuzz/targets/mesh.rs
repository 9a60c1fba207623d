//! Coverage-guided fuzzing of the readers of meshes; nothing may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::Reading;
use myoscope::io::mesh::{MeshKind, parse_mesh};

fuzz_target!(|bytes: &[u8]| {
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let limits = Limits { max_bytes: 64 << 20 };
    let mut reading = Reading { limits, progress: &progress, warnings: &mut warnings };
    for kind in [MeshKind::Obj, MeshKind::Ply, MeshKind::Stl] {
        let _ = parse_mesh(bytes, kind, "m", &mut reading);
    }
});
