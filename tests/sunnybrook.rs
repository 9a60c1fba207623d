//! Ventricles of a public case (Sunnybrook Cardiac Data, CC0) by counting the voxels of its labels.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Limits, Progress, Warnings};
use myoscope::cardiac::{SegmentSettings, VentricleSettings, measure_segments, segment_labels, ventricles};
use myoscope::io::{Reading, read_labels};
use myoscope::model::LabelMap;
use myoscope::space::DVec3;
use std::path::{Path, PathBuf};

fn labels(name: &str) -> Option<LabelMap> {
    let root =
        std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data/sunnybrook-cine").join(name);
    if !path.exists() {
        eprintln!("absent: {}", path.display());
        return None;
    }
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    Some(read_labels(&path, &mut reading).unwrap())
}

#[test]
fn volumes_are_the_counted_ones() {
    let (Some(ed), Some(es)) = (labels("SCD0000101_ED_gt.nii.gz"), labels("SCD0000101_ES_gt.nii.gz")) else { return };
    let mut warnings = Warnings::default();
    let rows = ventricles(&ed, Some(&es), &VentricleSettings::default(), &mut warnings).unwrap();
    let value = |region: &str, phase: &str, metric: &str| {
        rows.iter().find(|m| m.region == region && m.phase == phase && m.metric == metric).map(|m| m.value)
    };
    assert!((value("lv", "ED", "volume").unwrap() - 194.5).abs() < 0.05, "{:?}", value("lv", "ED", "volume"));
    assert!((value("lv", "ES", "volume").unwrap() - 144.0).abs() < 0.05, "{:?}", value("lv", "ES", "volume"));
    assert!(value("myo", "ED", "mass").is_some());
    assert!(value("myo", "ES", "volume").is_none() && value("rv", "ED", "volume").is_none());
    assert!(warnings.notes.iter().any(|n| n.message.contains("end-systole")));
}

#[test]
fn segments_of_a_real_heart_share_its_muscle() {
    let Some(ed) = labels("SCD0000101_ED_gt.nii.gz") else { return };
    assert!(segment_labels(&ed, 0, &SegmentSettings::default()).is_err(), "without right ventricle the septum is not known");
    // The septum faces the patient's right and front; its ends are taken 60° to either side.
    let middle = {
        let seg =
            segment_labels(&ed, 0, &SegmentSettings { insertions: Some([DVec3::X * 1e4, DVec3::Y * 1e4]), ..Default::default() })
                .unwrap();
        (seg.apex + seg.base) / 2.0
    };
    let axis =
        segment_labels(&ed, 0, &SegmentSettings { insertions: Some([DVec3::X * 1e4, DVec3::Y * 1e4]), ..Default::default() })
            .unwrap()
            .frame
            .axis();
    let toward = DVec3::new(-0.7, -0.6, -0.2);
    let septal = (toward - axis * toward.dot(axis)).normalize();
    let anterior = axis.cross(septal);
    let at = |degrees: f64| {
        let (sin, cos) = f64::to_radians(degrees).sin_cos();
        middle + (anterior * cos + septal * sin) * 30.0
    };
    let settings = SegmentSettings { insertions: Some([at(30.0), at(150.0)]), ..Default::default() };
    let seg = segment_labels(&ed, 0, &settings).unwrap();
    assert!(seg.findings.iter().all(|f| f.code != "mirrored-labels"), "{:?}", seg.findings);
    let rows = measure_segments(&seg, &ed, None, "SCD0000101").unwrap();
    for segment in 1..=16u8 {
        let thickness =
            rows.iter().find(|m| m.region == segment.to_string() && m.metric == "wall_thickness_mean").map(|m| m.value);
        assert!((3.0..25.0).contains(&thickness.unwrap()), "segment {segment}: {thickness:?} mm");
    }
    let muscle = ed.count(0, 2);
    let in_segments: usize = (1..=17).map(|s| seg.labels.count(0, s)).sum();
    assert!(in_segments as f64 > 0.8 * muscle as f64, "{in_segments} of {muscle}: {:?}", seg.findings);
}
