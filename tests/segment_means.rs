//! Values per segment have another source beside them: `NumPy` with nibabel on a public heart, and the truth of the
//! built-in case for genes on the bullseye.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Limits, Progress, Warnings};
use myoscope::cardiac::{SegmentSettings, measure_segments, segment_labels};
use myoscope::io::{Reading, read_labels, read_volume_any};
use myoscope::model::{Landmarks, LayerKind, TransformModel};
use myoscope::session::{Action, RegisterAction, Session};
use myoscope::space::DVec3;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn vector(value: &Value) -> DVec3 {
    DVec3::from_array([0, 1, 2].map(|k| value[k].as_f64().unwrap()))
}

#[test]
fn mean_intensities_are_those_of_numpy() {
    let golden: Value = serde_json::from_str(include_str!("golden/segment_means.json")).unwrap();
    let root =
        std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let [labels, image] = ["_gt", ""].map(|e| root.join(format!("data/sunnybrook-cine/SCD0000101_ED{e}.nii.gz")));
    if !labels.exists() {
        return eprintln!("absent: {}", labels.display());
    }
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    let labels = read_labels(&labels, &mut reading).unwrap();
    let image = read_volume_any(&image, &mut reading).unwrap();
    let settings = SegmentSettings {
        insertions: Some([vector(&golden["insertions"][0]), vector(&golden["insertions"][1])]),
        apex: Some(vector(&golden["apex"])),
        base: Some(vector(&golden["base"])),
        ..Default::default()
    };
    let found = segment_labels(&labels, 0, &settings).unwrap();
    let rows = measure_segments(&found, &labels, Some((&image, 0)), "").unwrap();
    let value = |segment: usize, metric: &str| {
        rows.iter().find(|r| r.region == segment.to_string() && r.metric == metric).map(|r| r.value)
    };
    for segment in 1..=17 {
        assert_eq!(value(segment, "n_voxels"), golden["n_voxels"][segment - 1].as_f64(), "voxels of segment {segment}");
        match golden["mean"][segment - 1].as_f64() {
            Some(want) => assert!((value(segment, "intensity_mean").unwrap() - want).abs() < 1e-9 * want, "segment {segment}"),
            None => assert_eq!(value(segment, "intensity_mean"), None),
        }
    }
}

#[test]
fn genes_on_the_bullseye_are_the_means_over_the_true_segments() {
    let case = myoscope::phantom::make_case(5, &Progress::none()).unwrap();
    let mut session = Session::new(Arc::new(|| {}));
    session.apply(Action::OpenDemo(5));
    settle(&mut session);
    let section = session.view.section.unwrap();
    // All landmarks of the truth lead every spot to its true place.
    let registration = session.study.registrations.get_mut(&section).unwrap();
    registration.landmarks = Landmarks { pairs: case.truth.landmarks.pairs.clone() };
    session.apply(Action::Register(RegisterAction::SetModel(TransformModel::ThinPlate)));
    settle(&mut session);

    let expression = case.section.expression.as_ref().unwrap();
    let totals = expression.totals();
    let frame = segment_labels(&case.cine_labels, 0, &SegmentSettings::default()).unwrap().frame;
    let in_tissue = &case.section.spots.as_ref().unwrap().in_tissue;
    for gene in ["MYH7", "NPPA"] {
        color_by(&mut session, gene);
        let counts = expression.dense(expression.find_gene(gene).unwrap());
        // Where each spot truly lies, in the segments found from the labels, and in the planted ones.
        let (mut found, mut planted) = ([(0.0, 0_usize); 18], [(0.0, 0_usize); 18]);
        for i in (0..totals.len()).filter(|&i| in_tissue[i] && totals[i] > 0.0) {
            let value = (1e4 * f64::from(counts[i]) / totals[i]).ln_1p();
            for (sums, segment) in
                [(&mut found, frame.segment_at(case.truth.spots_lps[i])), (&mut planted, case.truth.tissue[i].segment)]
            {
                if let Some(segment) = segment {
                    let sum = &mut sums[usize::from(segment)];
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
        }
        let mut n_alike = 0;
        for cell in &session.derived.bullseye {
            let (sum, n) = found[usize::from(cell.segment)];
            assert!(cell.n.abs_diff(n) <= 2, "{gene} segment {}: {} spots instead of {n}", cell.segment, cell.n);
            if n < 50 {
                continue;
            }
            let value = cell.value.unwrap();
            let (true_sum, true_n) = planted[usize::from(cell.segment)];
            println!(
                "{gene} segment {}: {value:.4} of {n} spots; planted {:.4} of {true_n}",
                cell.segment,
                true_sum / true_n as f64
            );
            assert!((value / (sum / n as f64) - 1.0).abs() < 1e-3, "{gene} segment {}", cell.segment);
            if true_n.abs_diff(n) * 20 < n {
                n_alike += 1;
                assert!((value / (true_sum / true_n as f64) - 1.0).abs() < 0.03, "{gene} segment {}", cell.segment);
            }
        }
        assert!(n_alike >= 2, "{gene}: {n_alike} segments hold the same spots as the planted ones");
    }
}

fn settle(session: &mut Session) {
    loop {
        session.poll();
        if session.is_idle() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn color_by(session: &mut Session, gene: &str) {
    for index in 0..session.study.layers.len() {
        let mut layer = session.study.layers[index].clone();
        if let LayerKind::Spots { color_by, .. } = &mut layer.kind {
            *color_by = Some(gene.to_owned());
            session.apply(Action::SetLayer { index, layer });
        }
    }
    settle(session);
}
