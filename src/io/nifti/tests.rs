//! Round trips with all 48 axis orders, headers by hand, and the numbers that nibabel 5.3 reads from
//! real files.

use super::*;
use crate::base::{Limits, Progress, Warnings};
use crate::model::Samples;
use crate::space::{DAffine3, DMat3, DVec3, Grid, lps_from_ras};

fn with_reading<T>(run: impl FnOnce(&mut Reading) -> T) -> (T, Warnings) {
    let mut warnings = Warnings::default();
    let out = run(&mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings });
    (out, warnings)
}

fn codes(warnings: &Warnings) -> Vec<&'static str> {
    warnings.notes.iter().map(|n| n.code).collect()
}

fn shared() -> Option<PathBuf> {
    let root = std::env::var("MYOSCOPE_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data");
    if !root.is_dir() {
        eprintln!("absent: {}", root.display());
        return None;
    }
    Some(root)
}

/// All 48 permutations and flips of axes with spacing 1, 2, 3 mm.
fn axis_orders() -> Vec<DMat3> {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let axes = [DVec3::X, DVec3::Y, DVec3::Z];
    let column =
        |to: usize, from: usize, flips: usize| axes[to] * (from as f64 + 1.0) * if flips >> from & 1 == 0 { 1.0 } else { -1.0 };
    orders
        .iter()
        .flat_map(|o| (0..8).map(move |f| DMat3::from_cols(column(o[0], 0, f), column(o[1], 1, f), column(o[2], 2, f))))
        .collect()
}

fn lopsided(matrix: DMat3) -> Volume {
    let grid = Grid::new([3, 4, 5], DAffine3 { matrix3: matrix, translation: DVec3::new(-7.5, 12.0, 30.25) }).unwrap();
    let samples: Vec<i16> = (0..60).map(|i| (i * i) as i16 - 1000).collect();
    Volume::new("phantom", grid, vec![Samples::I16(samples.into())]).unwrap()
}

#[test]
fn every_axis_order_comes_back_at_the_same_place() {
    let folder = tempfile::tempdir().unwrap();
    for (i, matrix) in axis_orders().into_iter().enumerate() {
        let volume = lopsided(matrix);
        let path = folder.path().join(format!("{i}.nii{}", if i % 2 == 0 { "" } else { ".gz" }));
        write_nifti_volume(&path, &volume).unwrap();
        let (back, warnings) = with_reading(|r| read_volume_any(&path, r).unwrap());
        assert_eq!(codes(&warnings), Vec::<&str>::new());
        for v in 0..60 {
            let voxel = [v % 3, v / 3 % 4, v / 12].map(|x| x as f64);
            let lps = volume.grid.lps_from_voxel().transform_point3(DVec3::from_array(voxel));
            let index = back.grid.index_at_lps(lps).unwrap();
            assert_eq!(back.value(0, index), volume.value(0, v));
        }
        assert_eq!(back.grid, volume.grid);

        // The quaternion alone must say the same.
        let mut bytes = bytes::read_inflated(&path, &Limits::default()).unwrap();
        bytes[254..256].copy_from_slice(&0i16.to_le_bytes());
        let (by_quaternion, _) = with_reading(|r| parse_nifti(&bytes, "q.nii", r).unwrap());
        let Content::Volume(by_quaternion) = by_quaternion else { panic!("labels") };
        assert!(by_quaternion.grid.same_place(&volume.grid, 1e-4), "{matrix}");
    }
}

#[test]
fn an_oblique_cine_keeps_times_rescale_and_type() {
    let folder = tempfile::tempdir().unwrap();
    let rotation =
        DMat3::from_axis_angle(DVec3::new(1.0, 2.0, -0.5).normalize(), 2.2) * DMat3::from_diagonal(DVec3::new(1.4, 1.4, 8.0));
    let grid = Grid::new([3, 2, 2], DAffine3 { matrix3: rotation, translation: DVec3::new(1.0, 2.0, 3.0) }).unwrap();
    let phases = (0..3).map(|p| Samples::U16((0..12).map(|i| 60_000 + 100 * p + i).collect())).collect();
    let mut volume = Volume::new("cine", grid, phases).unwrap();
    (volume.slope, volume.intercept) = (0.5, -3.0);
    volume.phase_times_ms = vec![10.0, 40.0, 70.0];
    let path = folder.path().join("cine.nii.gz");
    write_nifti_volume(&path, &volume).unwrap();
    let first = std::fs::read(&path).unwrap();
    write_nifti_volume(&path, &volume).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);

    let (back, warnings) = with_reading(|r| read_volume_any(&path, r).unwrap());
    assert_eq!(codes(&warnings), Vec::<&str>::new());
    assert!(back.grid.same_place(&volume.grid, 1e-5));
    assert_eq!((back.phases, back.phase_times_ms), (volume.phases, volume.phase_times_ms));
    assert_eq!((back.slope, back.intercept, back.length_unit_known), (0.5, -3.0, true));

    // The crate reads the same numbers.
    let object = nifti::ReaderOptions::new().read_file(&path).unwrap();
    let array = nifti::IntoNdArray::into_ndarray::<f64>(nifti::NiftiObject::into_volume(object)).unwrap();
    assert_eq!(array.shape(), &[3, 2, 2, 3]);
    assert_eq!(array[[2, 1, 0, 1]], (60_000.0 + 100.0 + 5.0) * 0.5 - 3.0);
}

#[test]
fn labels_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let grid = Grid::new([2, 2, 2], DAffine3::from_scale(DVec3::new(1.0, 1.0, 10.0))).unwrap();
    let phases = vec![[0, 1, 2, 3, 0, 0, 200, 1].into(), [0u8; 8].into()];
    let mut labels = LabelMap::new("any", grid, phases).unwrap();
    labels.length_unit_known = false;
    let path = folder.path().join("any.nii");
    write_nifti_labels(&path, &labels).unwrap();
    let (content, warnings) = with_reading(|r| read_nifti(&path, r).unwrap());
    assert_eq!(content, Content::Labels(labels));
    assert_eq!(codes(&warnings), ["unit-unknown", "phase-times-unknown", "read-as-labels"]);
}

/// A NIfTI-2 header with `f64` fields and voxels 0..n of a type, in either byte order.
fn nifti_2(big: bool, datatype: i16, voxels: &[u8]) -> Vec<u8> {
    let mut h = vec![0u8; 544];
    let mut put = |at: usize, bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        if big {
            bytes.reverse();
        }
        h[at..at + bytes.len()].copy_from_slice(&bytes);
    };
    put(0, &540i32.to_le_bytes());
    put(12, &datatype.to_le_bytes());
    for (i, d) in [3i64, 2, 2, 1, 1, 1, 1, 1].iter().enumerate() {
        put(16 + 8 * i, &d.to_le_bytes());
    }
    for (i, p) in [1.0f64, 1.5, 1.5, 8.0].iter().enumerate() {
        put(104 + 8 * i, &p.to_le_bytes());
    }
    put(168, &544i64.to_le_bytes());
    put(348, &1i32.to_le_bytes());
    for (at, v) in [(400, 0.0015), (440, 0.0015), (480, 0.008), (424, 0.25)] {
        put(at, &f64::to_le_bytes(v));
    }
    put(500, &1i32.to_le_bytes());
    h[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
    h.extend_from_slice(voxels);
    h
}

#[test]
fn version_2_in_both_byte_orders_and_meters() {
    let values = [-70_000i32, 0, 16_777_217, 5];
    for big in [false, true] {
        let voxels: Vec<u8> = values.iter().flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() }).collect();
        let (content, warnings) = with_reading(|r| parse_nifti(&nifti_2(big, 8, &voxels), "two.nii", r).unwrap());
        let Content::Volume(volume) = content else { panic!("labels") };
        assert_eq!(volume.grid.size(), [2, 2, 1]);
        assert_eq!(volume.grid.lps_from_voxel().translation, DVec3::new(-250.0, 0.0, 0.0));
        assert!((volume.grid.spacing_mm() - DVec3::new(1.5, 1.5, 8.0)).length() < 1e-12);
        assert_eq!(volume.phases[0], Samples::F32([-70_000.0, 0.0, 16_777_216.0, 5.0].into()));
        assert_eq!(codes(&warnings), ["precision-lost"]);
    }
}

#[test]
fn every_datatype_and_byte_order_gives_the_same_values() {
    let put = |bytes: Vec<u8>, big: bool| if big { bytes.into_iter().rev().collect() } else { bytes };
    for big in [false, true] {
        for datatype in [2i16, 4, 8, 16, 64, 256, 512, 768, 1024, 1280] {
            let one = |v: u8| -> Vec<u8> {
                match datatype {
                    2 | 256 => vec![v],
                    4 | 512 => put(u16::from(v).to_le_bytes().to_vec(), big),
                    8 | 768 => put(u32::from(v).to_le_bytes().to_vec(), big),
                    16 => put(f32::from(v).to_le_bytes().to_vec(), big),
                    64 => put(f64::from(v).to_le_bytes().to_vec(), big),
                    _ => put(u64::from(v).to_le_bytes().to_vec(), big),
                }
            };
            let voxels: Vec<u8> = [7, 8, 9, 100].into_iter().flat_map(one).collect();
            let (content, _) = with_reading(|r| parse_nifti(&nifti_2(big, datatype, &voxels), "x.nii", r).unwrap());
            let Content::Volume(volume) = content else { panic!("labels") };
            assert_eq!([0, 1, 2, 3].map(|i| volume.value(0, i)), [7.0, 8.0, 9.0, 100.0], "type {datatype}, big-endian {big}");
        }
    }
}

/// A NIfTI-1 file of 2×2×2 bytes written by this program, to be changed.
fn small() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let grid = Grid::new([2, 2, 2], DAffine3::from_scale(DVec3::new(1.0, 1.0, 10.0))).unwrap();
    let volume = Volume::new("small", grid, vec![Samples::U8([9, 8, 7, 6, 5, 4, 3, 2].into())]).unwrap();
    let path = folder.path().join("small.nii");
    write_nifti_volume(&path, &volume).unwrap();
    std::fs::read(path).unwrap()
}

fn changed(at: usize, values: &[f32]) -> Vec<u8> {
    let mut bytes = small();
    for (i, v) in values.iter().enumerate() {
        bytes[at + 4 * i..at + 4 * i + 4].copy_from_slice(&v.to_le_bytes());
    }
    bytes
}

/// The same version 1 file of bytes with its header in the other byte order.
fn big_endian(mut file: Vec<u8>) -> Vec<u8> {
    let runs = [
        (0, 4, 1),
        (32, 4, 1),
        (36, 2, 1),
        (40, 2, 8),
        (56, 4, 3),
        (68, 2, 4),
        (76, 4, 11),
        (120, 2, 1),
        (124, 4, 6),
        (252, 2, 2),
        (256, 4, 18),
    ];
    for (start, width, n) in runs {
        file[start..start + width * n].chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    file
}

#[test]
fn version_1_in_both_byte_orders() {
    let read = |bytes: &[u8]| with_reading(|r| parse_nifti(bytes, "b.nii", r).unwrap());
    let (little, big) = (small(), big_endian(small()));
    assert_ne!(little, big);
    assert_eq!(read(&little), read(&big));
}

#[test]
fn matrices_are_compared_repaired_and_named() {
    let read = |bytes: &[u8]| {
        let (content, warnings) = with_reading(|r| parse_nifti(bytes, "m.nii", r));
        let volume = content.map(|c| match c {
            Content::Volume(v) => v,
            other => panic!("{other:?}"),
        });
        (volume, codes(&warnings))
    };
    assert_eq!(read(&changed(292, &[5.0])).1, ["sform-qform-differ"]);
    assert_eq!(read(&changed(284, &[5e-4])).1, ["matrix-repaired"]);
    assert_eq!(read(&changed(284, &[0.02])).1, ["sheared-matrix"]);
    let (repaired, _) = read(&changed(284, &[5e-4]));
    let m = repaired.unwrap().grid.lps_from_voxel().matrix3;
    assert!(m.x_axis.dot(m.y_axis).abs() < 1e-12);

    let error = read(&changed(280, &[0.0])).0.unwrap_err().to_string();
    assert!(error.contains("singular") && error.contains("[0, 0, 0, 0]") && error.ends_with("m.nii"), "{error}");

    let mut bare = small();
    bare[252..256].fill(0);
    let (volume, said) = read(&bare);
    assert_eq!(said, ["no-orientation"]);
    assert_eq!(volume.unwrap().grid.lps_from_voxel().matrix3, DMat3::from_diagonal(DVec3::new(-1.0, -1.0, 10.0)));
}

#[test]
fn a_pair_is_read_from_either_side() {
    let folder = tempfile::tempdir().unwrap();
    let mut head = small();
    head[344..348].copy_from_slice(b"ni1\0");
    head[108..112].copy_from_slice(&0f32.to_le_bytes());
    let image = head.split_off(352);
    let (hdr, img) = (folder.path().join("a.hdr"), folder.path().join("a.img"));
    std::fs::write(&hdr, &head).unwrap();
    let (alone, _) = with_reading(|r| read_nifti(&hdr, r));
    assert!(alone.unwrap_err().to_string().contains("a.img is missing"));
    std::fs::write(&img, image).unwrap();
    for path in [hdr, img] {
        let (volume, _) = with_reading(|r| read_volume_any(&path, r).unwrap());
        assert_eq!(volume.phases[0], Samples::U8([9, 8, 7, 6, 5, 4, 3, 2].into()));
    }
}

/// What nibabel reads: RAS rows, sum of all voxels, voxel 12345 in column-major order.
struct Known {
    file: &'static str,
    size: [usize; 3],
    ras: [[f64; 4]; 3],
    sum: f64,
    voxel_12345: f64,
}

const KNOWN: [Known; 3] = [
    Known {
        file: "sunnybrook-cine/SCD0000101_ED.nii.gz",
        size: [256, 256, 12],
        ras: [
            [1.429_969_22e-1, 1.002_411_25, 6.719_281_20, -2.365_850_07e2],
            [-4.735_679_33e-1, 9.026_011_23e-1, -6.664_604_66, 3.769_250_11e1],
            [-1.274_554_13, -2.229_022_23e-1, 3.230_133_06, 1.089_280_01e2],
        ],
        sum: 45_477_652.0,
        voxel_12345: 7.0,
    },
    Known {
        file: "sunnybrook-cine/SCD0000301_4d_crop96.nii.gz",
        size: [96, 96, 10],
        ras: [
            [-9.181_240_80e-1, 3.966_766_89e-1, 5.047_342_30, -6.272_307_21e1],
            [-9.038_034_68e-1, -3.452_183_90e-1, -5.286_842_82, 1.459_957_12e2],
            [-4.433_846_47e-2, -1.176_967_62, 3.251_812_70, -1.121_213_25e1],
        ],
        sum: 182_929_387.0,
        voxel_12345: 75.0,
    },
    Known {
        file: "bivme-cine/patient1_ED.nii.gz",
        size: [256, 208, 6],
        ras: [
            [-1.113_844_28, -5.311_209_56e-1, 8.488_315_58, 1.597_720_03e2],
            [-1.107_087_20e-6, -1.104_768_28, -1.095_132_64e1, 1.343_600_01e2],
            [8.584_228_16e-1, -6.891_567_11e-1, 1.101_397_71e1, -1.255_739_97e2],
        ],
        sum: 34_460_423.0,
        voxel_12345: 14.0,
    },
];

#[test]
fn real_files_agree_with_nibabel() {
    let Some(root) = shared() else { return };
    for known in &KNOWN {
        let (volume, _) = with_reading(|r| read_nifti(&root.join(known.file), r).unwrap());
        let Content::Volume(volume) = volume else { panic!("{} became labels", known.file) };
        assert_eq!(volume.grid.size(), known.size);
        let ras = lps_from_ras() * volume.grid.lps_from_voxel();
        for (r, row) in known.ras.iter().enumerate() {
            let found = [ras.matrix3.x_axis[r], ras.matrix3.y_axis[r], ras.matrix3.z_axis[r], ras.translation[r]];
            for (a, b) in found.iter().zip(row) {
                assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{}: {found:?} where {row:?}", known.file);
            }
        }
        let sum: f64 = (0..volume.n_phases())
            .flat_map(|p| (0..volume.grid.n_voxels()).map(move |i| (p, i)))
            .map(|(p, i)| volume.value(p, i))
            .sum();
        assert_eq!((sum, volume.value(0, 12345)), (known.sum, known.voxel_12345), "{}", known.file);
    }
}

#[test]
fn real_cine_times_and_real_labels() {
    let Some(root) = shared() else { return };
    let (cine, _) = with_reading(|r| read_volume_any(&root.join(KNOWN[1].file), r).unwrap());
    assert_eq!((cine.n_phases(), cine.time_ms(1), cine.time_ms(19)), (20, Some(46.15), Some(876.85)));
    for (file, values, sum) in [
        ("sunnybrook-cine/SCD0000101_ED_gt.nii.gz", vec![2, 3], 43_227usize),
        ("bivme-cine/patient1_ED_autoseg.nii.gz", vec![1, 2, 3], 22_339),
    ] {
        let (content, warnings) = with_reading(|r| read_nifti(&root.join(file), r).unwrap());
        let Content::Labels(labels) = content else { panic!("{file} became an image") };
        assert!(codes(&warnings).contains(&"read-as-labels"));
        assert_eq!(labels.table.iter().map(|e| e.value).collect::<Vec<_>>(), values);
        assert_eq!(labels.phases[0].iter().map(|&v| usize::from(v)).sum::<usize>(), sum);
    }
}
