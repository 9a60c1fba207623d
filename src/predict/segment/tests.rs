//! Networks written byte by byte, against what they must say of every voxel.

use super::*;
use crate::model::{ClassRule, Layout, Normalize, Samples};
use crate::space::{DAffine3, DVec3, Grid};

#[path = "../../../tests/common/onnx.rs"]
mod onnx;

fn image(size: [usize; 3], spacing: [f64; 3], n_phases: usize) -> Volume {
    let grid = Grid::new(size, DAffine3::from_scale(DVec3::from_array(spacing))).unwrap();
    let n = grid.n_voxels();
    let phase = |p: usize| Samples::F32((0..n).map(|i| ((i * 37 + p * 11) % 101) as f32 / 100.0).collect::<Vec<_>>().into());
    Volume::new("i", grid, (0..n_phases).map(phase).collect()).unwrap()
}

fn plain(layout: Layout) -> Segmenter {
    Segmenter {
        name: "tiny".into(),
        layout,
        size: [0; 3],
        spacing_mm: [0.0; 3],
        normalize: Normalize::None,
        per_slice_statistics: false,
        reading: ClassRule::Greatest,
        labels: vec![0, 3, 2],
        table: Vec::new(),
    }
}

fn run(image: &Volume, s: &Segmenter, model: &[u8]) -> Result<Segmented> {
    segment(image, s, model, Limits::default(), &Progress::none())
}

fn label(v: f64) -> u8 {
    // As single precision has it.
    let (x, mut best) = (v as f32, (0, 0.0f32));
    for (value, label) in [(x - 0.4, 3), (2.0 * x - 1.1, 2)] {
        if value > best.1 {
            best = (label, value);
        }
    }
    best.0
}

#[test]
fn every_voxel_gets_the_class_of_its_value_in_both_layouts() {
    let image = image([13, 9, 4], [1.5, 1.2, 8.0], 2);
    for layout in [Layout::Nchw, Layout::Ncwh] {
        let made = run(&image, &plain(layout), &onnx::three_classes([None, None])).unwrap().labels;
        for phase in 0..2 {
            for i in 0..image.grid.n_voxels() {
                assert_eq!(made.phases[phase][i], label(image.value(phase, i)), "voxel {i} of phase {phase}");
            }
        }
    }
    let fixed = onnx::three_classes([Some(9), Some(13)]);
    assert!(run(&image, &plain(Layout::Nchw), &fixed).is_ok());
    let text = run(&image, &plain(Layout::Ncwh), &fixed).unwrap_err().to_string();
    assert!(text.contains("[1, 1, 9, 13]") && text.contains("[1, 1, 13, 9]"), "{text}");
}

#[test]
fn a_volume_at_once_by_a_threshold() {
    let image = image([5, 6, 7], [1.0, 1.0, 2.0], 1);
    for layout in [Layout::Ncdhw, Layout::Ncwhd] {
        let s = Segmenter { reading: ClassRule::Threshold(0.0), labels: vec![0, 1], ..plain(layout) };
        let made = run(&image, &s, &onnx::less_half()).unwrap();
        let want: Vec<u8> = (0..image.grid.n_voxels()).map(|i| u8::from(image.value(0, i) as f32 - 0.5 >= 0.0)).collect();
        assert_eq!(made.labels.phases[0][..], want[..]);
        assert!(made.assumed.is_empty(), "{:?}", made.assumed);
    }
}

#[test]
fn a_smaller_frame_is_cut_about_the_middle_and_a_larger_is_padded() {
    let image = image([12, 10, 2], [1.0, 1.0, 8.0], 1);
    let cut = Segmenter { size: [6, 4, 0], ..plain(Layout::Nchw) };
    let made = run(&image, &cut, &onnx::three_classes([None, None])).unwrap();
    for n in 0..image.grid.n_voxels() {
        let (i, j) = (n % 12, n / 12 % 10);
        let inside = (3..9).contains(&i) && (3..7).contains(&j);
        assert_eq!(made.labels.phases[0][n], if inside { label(image.value(0, n)) } else { 0 }, "{i} {j}");
    }
    assert!(made.assumed.iter().any(|t| t.contains("6 × 4") && t.contains("12 × 10")), "{:?}", made.assumed);
    let padded = Segmenter { size: [16, 14, 0], ..plain(Layout::Nchw) };
    let made = run(&image, &padded, &onnx::three_classes([None, None])).unwrap();
    assert!((0..image.grid.n_voxels()).all(|n| made.labels.phases[0][n] == label(image.value(0, n))));
}

#[test]
fn spacing_and_scale_of_the_manifest() {
    // A step from 10 to 30 half way along i: at twice the spacing each pixel is the mean of two voxels.
    let grid = Grid::new([8, 4, 1], DAffine3::from_scale(DVec3::new(1.0, 1.0, 8.0))).unwrap();
    let values: Vec<f32> = (0..32).map(|n| if n % 8 < 4 { 10.0 } else { 30.0 }).collect();
    let image = Volume::new("i", grid, vec![Samples::F32(values.into())]).unwrap();
    let s = Segmenter { spacing_mm: [2.0, 2.0, 0.0], normalize: Normalize::Range(10.0, 30.0), ..plain(Layout::Nchw) };
    let made = run(&image, &s, &onnx::three_classes([Some(2), Some(4)])).unwrap();
    assert!((0..32).all(|n| made.labels.phases[0][n] == if n % 8 < 4 { 0 } else { 2 }));
    assert!(made.assumed.iter().any(|t| t.contains("resampled")), "{:?}", made.assumed);
    for normalize in [Normalize::Percentile(0.0, 100.0), Normalize::MeanSd(10.0, 20.0)] {
        let again = run(&image, &Segmenter { normalize, ..s.clone() }, &onnx::three_classes([None, None])).unwrap();
        assert_eq!(again.labels.phases, made.labels.phases);
    }
    // Values −1 and 1: class 0 and class 2 (0.6 against 0.9).
    let z = run(&image, &Segmenter { normalize: Normalize::ZScore, ..s }, &onnx::three_classes([None, None])).unwrap();
    assert_eq!(z.labels.phases, made.labels.phases);
}

#[test]
fn what_is_no_network_is_named() {
    let image = image([5, 6, 2], [1.0; 3], 1);
    let text = |model: &[u8], s: &Segmenter| run(&image, s, model).unwrap_err().to_string();
    assert!(text(b"not a network", &plain(Layout::Nchw)).contains("ONNX"));
    assert!(text(&[], &plain(Layout::Nchw)).contains("ONNX"));
    let unknown = text(&onnx::unknown_operator(), &plain(Layout::Nchw));
    assert!(unknown.contains("Frobnicate"), "{unknown}");
    let one = Segmenter { reading: ClassRule::Threshold(0.0), ..plain(Layout::Nchw) };
    assert!(text(&onnx::three_classes([None, None]), &one).contains("3 channels"));
    assert!(text(&onnx::less_half(), &plain(Layout::Nchw)).contains("wants an input"));
    let huge = Segmenter { size: [1 << 20, 1 << 20, 0], ..plain(Layout::Nchw) };
    assert!(matches!(run(&image, &huge, &onnx::three_classes([None, None])), Err(Error::TooLarge { .. })));
    let whole = onnx::three_classes([None, None]);
    for cut in 0..whole.len() {
        let _ = run(&image, &plain(Layout::Nchw), &whole[..cut]);
    }
    let cancel = crate::base::Cancel::default();
    cancel.cancel();
    let stopped = segment(&image, &plain(Layout::Nchw), &whole, Limits::default(), &Progress::new(cancel, |_, _| {}));
    assert!(matches!(stopped, Err(Error::Cancelled)));
}
