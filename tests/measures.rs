//! Measures of the built-in heart against its truth, on seeds of their own.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::Progress;
use myoscope::cardiac::{
    Levels, ScarRule, ScarSettings, SegmentSettings, Segmentation, WallMethod, measure_scar, measure_wall, segment_labels,
};
use myoscope::phantom::{Case, make_case};

/// Share of true wall voxels with the right segment, in percent.
fn right(case: &Case, seg: &Segmentation) -> f64 {
    let pairs = || case.truth.segments.phases[0].iter().zip(seg.labels.phases[0].iter()).filter(|(t, _)| **t > 0);
    100.0 * pairs().filter(|(t, s)| t == s).count() as f64 / pairs().count() as f64
}

#[test]
fn segments_and_scar_of_other_seeds() {
    for seed in [5, 17, 101, 2024] {
        let case = make_case(seed, &Progress::none()).unwrap();
        let found = SegmentSettings { levels: Levels::Continuous, ..Default::default() };
        let planted = SegmentSettings { insertions: Some(case.truth.insertions_lps), ..found };
        let [planted, found] = [planted, found].map(|s| right(&case, &segment_labels(&case.cine_labels, 0, &s).unwrap()));
        assert!(planted >= 99.0 && found >= 95.0, "seed {seed}: {planted:.2} % and {found:.2} %");

        let seg = segment_labels(&case.lge_labels, 0, &SegmentSettings::default()).unwrap();
        let settings = ScarSettings { rule: ScarRule::Deviations(3.0), min_voxels: 5, obstruction: false };
        let (image, remote) = ((&case.lge, 0), Some(&case.truth.remote_mask));
        let scar = measure_scar(&seg, &case.lge_labels, image, remote, &settings, &Progress::none()).unwrap();
        let mass = scar.measured.value("myo", "", "scar_mass").unwrap() / case.truth.scar_mass_g;
        println!("seed {seed}: segments {planted:.2} % (planted), {found:.2} % (found); scar by 3 SD {:.1} %", 100.0 * mass);
        assert!((mass - 1.0).abs() < 0.05, "seed {seed}: {mass}");
    }
}

#[test]
fn thickness_of_other_seeds_is_near_the_truth() {
    for seed in [5, 17] {
        let case = make_case(seed, &Progress::none()).unwrap();
        let insertions = Some(case.truth.insertions_lps);
        let settings = SegmentSettings { insertions, levels: Levels::Continuous, ..Default::default() };
        let seg = segment_labels(&case.cine_labels, 0, &settings).unwrap();
        let half = 0.5 * case.cine_labels.grid.spacing_mm().x;
        for method in WallMethod::ALL {
            let measured = measure_wall((&seg, &case.cine_labels), None, method, &Progress::none()).unwrap();
            let error = |(i, truth): (usize, &Option<f64>)| {
                let got = measured.value(&(i + 1).to_string(), "ED", "wall_thickness_mean");
                got.zip(*truth).map(|(got, truth)| got - truth)
            };
            let errors: Vec<f64> = case.truth.thickness_mm.iter().enumerate().filter_map(error).collect();
            let worst = errors.iter().fold(0.0, |w: f64, e| w.max(e.abs()));
            println!("seed {seed} {}: at most {worst:.3} mm from the truth along rays", method.name());
            if method == WallMethod::Radial {
                // Half a voxel is not met everywhere: the basal lateral wall of some hearts comes out up to 0.91 mm
                // (0.6 voxels) too thin.
                let n_near = errors.iter().filter(|e| e.abs() < half).count();
                assert!(errors.len() == 16 && n_near >= 15 && worst < 2.0 * half, "{errors:?}");
            }
        }
    }
}
