//! The 17 segments on phantoms with known answers: the counts of `golden/cardiac_and_guards.json` (made
//! by `golden/gen4.py`), any storage order of the same heart, mirrored data.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::cardiac::{Anchor, Level, Levels, Measure, SegmentSettings, Segmentation, measure_segments, segment_labels};
use myoscope::model::{LabelMap, Samples, Volume};
use myoscope::space::{DAffine3, DMat3, DVec3, Grid};
use serde_json::Value;

/// A straight heart on the z axis, seen from the feet with the front up: 9 closed slices of 8 mm, two
/// caps below, an open slice above; wall from 15 to 25 mm, right ventricle from 120° to 240°.
fn heart(lps: DVec3) -> u8 {
    let radius = lps.truncate().length();
    let angle = (-lps.y).atan2(lps.x).to_degrees().rem_euclid(360.0);
    let slice = (lps.z / 8.0).round() as i64;
    match slice {
        0 | 1 if radius <= 25.0 => 2,
        2..=10 if radius < 15.0 => 3,
        2..=10 if radius <= 25.0 => 2,
        2..=10 if radius <= 40.0 && (120.0..=240.0).contains(&angle) => 1,
        11 if radius < 15.0 => 3,
        11 if radius <= 25.0 && angle > 100.0 => 2,
        _ => 0,
    }
}

/// `heart` sampled on the grid with this storage: axis order and flips of 1 × 1 × 8 mm voxels.
fn stored(order: [usize; 3], flips: [bool; 3], shape: impl Fn(DVec3) -> u8) -> LabelMap {
    let sizes = [101, 101, 13];
    let steps = [DVec3::X, DVec3::Y, DVec3::Z * 8.0];
    let start = DVec3::new(-50.0, -50.0, 0.0);
    let mut origin = start;
    let columns: Vec<DVec3> = order
        .iter()
        .zip(flips)
        .map(|(&axis, flip)| {
            if flip {
                origin += steps[axis] * (sizes[axis] - 1) as f64;
            }
            if flip { -steps[axis] } else { steps[axis] }
        })
        .collect();
    let matrix = DAffine3 { matrix3: DMat3::from_cols(columns[0], columns[1], columns[2]), translation: origin };
    let grid = Grid::new(order.map(|a| sizes[a]), matrix).unwrap();
    let [nx, ny, nz] = grid.size();
    let at = |i: usize| DVec3::new((i % nx) as f64, (i / nx % ny) as f64, (i / (nx * ny)) as f64);
    let voxels: Vec<u8> = (0..nx * ny * nz).map(|i| shape(grid.lps_from_voxel().transform_point3(at(i)))).collect();
    LabelMap::new("phantom", grid, vec![voxels.into()]).unwrap()
}

fn plain() -> LabelMap {
    stored([0, 1, 2], [false; 3], heart)
}

/// A point in the wall at display angle `degrees`, mid-cavity.
fn wall_point(degrees: f64) -> DVec3 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    DVec3::new(20.0 * cos, -20.0 * sin, 48.0)
}

fn given(anchor: Anchor, inferior_deg: f64) -> SegmentSettings {
    SegmentSettings { anchor, insertions: Some([wall_point(120.0), wall_point(inferior_deg)]), ..Default::default() }
}

fn counts(seg: &Segmentation) -> Vec<usize> {
    (0..=17).map(|s| seg.labels.count(0, s)).collect()
}

#[test]
fn counts_match_the_golden_annulus() {
    let golden: Value = serde_json::from_str(include_str!("golden/cardiac_and_guards.json")).unwrap();
    for (anchor, inferior, suffix) in
        [(Anchor::Anterior, 240.0, "A_ant120"), (Anchor::Both, 220.0, "C_ant120_inf220"), (Anchor::MidSeptum, 240.0, "A_ant120")]
    {
        let seg = segment_labels(&plain(), 0, &given(anchor, inferior)).unwrap();
        let got = counts(&seg);
        for ring in ["basal", "mid", "apical"] {
            for (segment, n) in golden[format!("aha_{ring}_{suffix}")].as_object().unwrap() {
                let segment: usize = segment.parse().unwrap();
                assert_eq!(got[segment] as u64, 3 * n.as_u64().unwrap(), "{anchor:?} segment {segment}");
            }
        }
        let disc = (-25..=25).flat_map(|y| (-25..=25).map(move |x| x * x + y * y)).filter(|r2| *r2 <= 625).count();
        assert_eq!(got[17], 2 * disc);
        assert_eq!(got.iter().sum::<usize>(), seg.labels.grid.n_voxels());
        let codes: Vec<&str> = seg.findings.iter().map(|f| f.code).collect();
        assert_eq!(codes, ["slices-left-out"], "the open slice is left out and said");
        assert!((seg.frame.axis() - DVec3::Z).length() < 1e-12);
    }
}

#[test]
fn any_storage_of_the_same_heart_gives_the_same_segments() {
    let settings = [given(Anchor::Both, 220.0), SegmentSettings::default()];
    let reference: Vec<Segmentation> = settings.iter().map(|s| segment_labels(&plain(), 0, s).unwrap()).collect();
    for order in [[0, 1, 2], [1, 0, 2], [2, 0, 1], [0, 2, 1], [2, 1, 0]] {
        for bits in 0..8u8 {
            let labels = stored(order, [0, 1, 2].map(|a| bits >> a & 1 == 1), heart);
            for (s, want) in settings.iter().zip(&reference) {
                let got = segment_labels(&labels, 0, s).unwrap();
                assert!(got.findings.iter().all(|f| f.code != "mirrored-labels"));
                let [nx, ny, _] = labels.grid.size();
                for (i, &segment) in got.labels.phases[0].iter().enumerate().step_by(7) {
                    let voxel = DVec3::new((i % nx) as f64, (i / nx % ny) as f64, (i / (nx * ny)) as f64);
                    let lps = labels.grid.lps_from_voxel().transform_point3(voxel);
                    let same = want.labels.grid.index_at_lps(lps).map(|w| want.labels.phases[0][w]);
                    assert_eq!(Some(segment), same, "order {order:?} flips {bits:03b} at {lps}");
                }
            }
        }
    }
}

#[test]
fn insertions_are_found_from_the_right_ventricle() {
    let seg = segment_labels(&plain(), 0, &SegmentSettings::default()).unwrap();
    for (point, want) in seg.insertions.iter().zip([120.0, 240.0]) {
        let angle = (-point.y).atan2(point.x).to_degrees().rem_euclid(360.0);
        assert!((angle - want).abs() < 3.0, "{angle} instead of {want}");
    }
    assert!(seg.method.contains("anterior") && seg.method.contains("found from the RV"));
    let alone = stored([0, 1, 2], [false; 3], |p| if heart(p) == 1 { 0 } else { heart(p) });
    assert!(matches!(segment_labels(&alone, 0, &SegmentSettings::default()), Err(myoscope::base::Error::Degenerate(_))));
}

#[test]
fn mirrored_data_are_never_silent() {
    let mirrored = |p: DVec3| heart(DVec3::new(-p.x, p.y, p.z));
    let labels = stored([0, 1, 2], [false; 3], mirrored);
    let has = |settings: &SegmentSettings| {
        segment_labels(&labels, 0, settings)
            .unwrap()
            .findings
            .iter()
            .any(|f| f.code == "mirrored-labels" && !f.evidence.is_empty())
    };
    assert!(has(&SegmentSettings::default()), "found insertions, anterior wall points backward");
    assert!(has(&given(Anchor::Anterior, 240.0)), "points of the unmirrored heart, right ventricle on the other side");
    let exchanged = SegmentSettings { insertions: Some([wall_point(240.0), wall_point(120.0)]), ..Default::default() };
    assert!(segment_labels(&plain(), 0, &exchanged).unwrap().findings.iter().any(|f| f.code == "mirrored-labels"));
}

#[test]
fn continuous_levels_and_points() {
    let points = SegmentSettings {
        apex: Some(DVec3::new(0.0, 0.0, 12.0)),
        base: Some(DVec3::new(0.0, 0.0, 84.0)),
        ..given(Anchor::Anterior, 240.0)
    };
    let seg = segment_labels(&plain(), 0, &SegmentSettings { levels: Levels::Continuous, ..points }).unwrap();
    let thirds = segment_labels(&plain(), 0, &points).unwrap();
    assert_eq!(counts(&seg)[7..=17], counts(&thirds)[7..=17]);
    assert_eq!(seg.frame.level_at(DVec3::new(20.0, 0.0, 8.0)), Some(Level::Apex));
    assert_eq!(seg.frame.segment_at(wall_point(150.0)), Some(8));
    assert_eq!(seg.frame.segment_at(DVec3::new(0.0, -20.0, 500.0)), None);
    let tilted = SegmentSettings { apex: Some(DVec3::new(-30.0, 0.0, 12.0)), base: Some(DVec3::new(30.0, 0.0, 84.0)), ..points };
    assert!(segment_labels(&plain(), 0, &tilted).is_ok());
    let same = SegmentSettings { apex: points.base, ..points };
    assert!(segment_labels(&plain(), 0, &same).is_err());
}

/// Difference of the radii of circles with the areas of the 1961 and 697 pixels within 25 and 15 mm.
const THICKNESS_MM: f64 = 10.0888;

fn value(rows: &[Measure], region: &str, metric: &str) -> Option<f64> {
    rows.iter().find(|m| m.region == region && m.metric == metric).map(|m| m.value)
}

#[test]
fn thickness_volume_and_intensity_per_segment() {
    let labels = plain();
    let seg = segment_labels(&labels, 0, &given(Anchor::Anterior, 240.0)).unwrap();
    let [nx, ny, nz] = labels.grid.size();
    let image: Vec<f32> = (0..nx * ny * nz).map(|i| (i / (nx * ny)) as f32).collect();
    let image = Volume::new("image", labels.grid, vec![Samples::F32(image.into())]).unwrap();
    let rows = measure_segments(&seg, &labels, Some((&image, 0)), "s1").unwrap();
    for segment in 1..=16u8 {
        let region = segment.to_string();
        let mean = value(&rows, &region, "wall_thickness_mean").unwrap();
        assert!((mean / THICKNESS_MM - 1.0).abs() < 0.01, "segment {segment}: {mean} mm");
        assert!(value(&rows, &region, "wall_thickness_max").unwrap() < 11.5);
        let n = value(&rows, &region, "n_voxels").unwrap();
        assert!((value(&rows, &region, "volume").unwrap() - n * 8.0 / 1000.0).abs() < 1e-12);
        let slice = match segment {
            1..=6 => 9.0,
            7..=12 => 6.0,
            _ => 3.0,
        };
        assert!((value(&rows, &region, "intensity_mean").unwrap() - slice).abs() < 1e-9);
    }
    assert!(value(&rows, "17", "wall_thickness_mean").is_none() && value(&rows, "17", "intensity_mean") == Some(0.5));
    let no_unit = LabelMap { length_unit_known: false, ..labels.clone() };
    let seg = segment_labels(&no_unit, 0, &given(Anchor::Anterior, 240.0)).unwrap();
    assert!(seg.findings.iter().any(|f| f.code == "unit-unknown"));
    assert!(measure_segments(&seg, &no_unit, None, "").unwrap_err().to_string().contains("unit-unknown"));
}

#[test]
fn eccentric_wall_is_measured_along_rays() {
    let shape = |p: DVec3| {
        let slice = (p.z / 8.0).round() as i64;
        let (outer, inner) = (p.truncate().length(), (p - DVec3::X * 4.0).truncate().length());
        if !(2..=10).contains(&slice) || outer > 25.0 {
            0
        } else if inner < 15.0 {
            3
        } else {
            2
        }
    };
    let labels = stored([0, 1, 2], [false; 3], shape);
    let seg = segment_labels(&labels, 0, &given(Anchor::Anterior, 240.0)).unwrap();
    let rows = measure_segments(&seg, &labels, None, "").unwrap();
    let of = |metric| (1..=16).filter_map(|s| value(&rows, &s.to_string(), metric)).collect::<Vec<_>>();
    let thickest = of("wall_thickness_max").into_iter().fold(0.0, f64::max);
    assert!((thickest - 14.0).abs() < 1.0, "within a voxel: {thickest}");
    let thinnest = of("wall_thickness_mean").into_iter().fold(99.0, f64::min);
    assert!((6.0..7.5).contains(&thinnest), "{thinnest}");
}
