//! Real files: sums against pydicom 3.0.2, stacks against their published geometry.

use super::tests::{read, volume_of};
use super::*;
use crate::base::Severity;
use crate::base::{Limits, Progress, Warnings};
use crate::model::Samples;
use crate::space::DVec3;
use std::process::Command;

fn data(path: &str) -> Option<PathBuf> {
    let root =
        std::env::var("MYOSCOPE_SHARED").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("absent: {}", path.display());
    None
}

/// Unpacks archives into a fresh folder; `None` where they or `tar` are absent.
fn unpacked(archives: &[&str]) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    for archive in archives {
        let done = Command::new("tar").arg("-xJf").arg(data(archive)?).arg("-C").arg(folder.path()).status();
        if !done.is_ok_and(|s| s.success()) {
            eprintln!("absent: tar with xz");
            return None;
        }
    }
    Some(folder)
}

fn sum(samples: &Samples) -> f64 {
    (0..samples.len()).map(|i| f64::from(samples.stored(i))).sum()
}

#[test]
fn sums_are_those_of_pydicom() {
    let sums: [(&str, f64); 18] = [
        ("dicom-pydicom/CT_small.dcm", 14_826_310.0),
        ("dicom-pydicom/MR_small.dcm", 2_125_338.0),
        ("dicom-pydicom/MR_small_RLE.dcm", 2_125_338.0),
        ("dicom-pydicom/MR_small_bigendian.dcm", 2_125_338.0),
        ("dicom-pydicom/MR_small_expb.dcm", 2_125_338.0),
        ("dicom-pydicom/MR_small_implicit.dcm", 2_125_338.0),
        ("dicom-pydicom/MR_small_jp2klossless.dcm", 2_125_338.0),
        ("dicom-pydicom/MR_small_padded.dcm", 2_125_338.0),
        ("dicom-pydicom/JPEG2000.dcm", 3_527_976.0),
        ("dicom-pydicom/emri_small.dcm", 4_493_276.0),
        ("dicom-pydicom/emri_small_RLE.dcm", 4_493_276.0),
        ("dicom-pydicom/examples_overlay.dcm", 27_833_052.0),
        ("dicom-pydicom/image_dfl.dcm", 33_322_688.0),
        ("dicom-seg-sr/highdicom/ct_image.dcm", 14_826_310.0),
        ("dicom-wg04/CT2_J2KR.dcm", -197_733_355.0),
        ("dicom-wg04/CT2_JPLL.dcm", -197_733_355.0),
        ("dicom-wg04/CT2_RLE.dcm", -197_733_355.0),
        ("dicom-wg04/CT2_J2KI.dcm", -197_771_504.0),
    ];
    for (name, expected) in sums {
        let Some(path) = data(name) else { return };
        let found = read(&path).0.unwrap_or_else(|e| panic!("{name}: {e}"));
        let total: f64 = volume_of(&found[0]).phases.iter().map(sum).sum();
        assert_eq!(total, expected, "{name}");
    }
}

#[test]
fn segments_are_those_of_highdicom() {
    // Voxels of each label by highdicom 0.28.2, in the order of the items.
    let counts: [(&str, &[&[usize]]); 8] = [
        ("dicom-seg-sr/highdicom/seg_image_ct_binary.dcm", &[&[638]]),
        ("dicom-seg-sr/highdicom/seg_image_ct_binary_fractional.dcm", &[&[638]]),
        ("dicom-seg-sr/highdicom/seg_image_ct_binary_overlap.dcm", &[&[64], &[0, 16]]),
        ("dicom-seg-sr/highdicom/seg_image_ct_binary_single_frame.dcm", &[&[1832]]),
        ("dicom-seg-sr/highdicom/seg_image_ct_true_fractional.dcm", &[&[638]]),
        ("dicom-pydicom/liver.dcm", &[&[107_098]]),
        ("dicom-pydicom/liver_1frame.dcm", &[&[36_233]]),
        ("dicom-pydicom/liver_j2k.dcm", &[&[107_098]]),
    ];
    for (name, expected) in counts {
        let Some(path) = data(name) else { return };
        let found = read(&path).0.unwrap_or_else(|e| panic!("{name}: {e}"));
        for (one, expected) in found.iter().zip(expected) {
            let Content::Labels(labels) = &one.content else { panic!("{name}: labels were expected") };
            for (value, n) in (1..).zip(*expected) {
                assert_eq!(labels.count(0, value), *n, "{name}: label {value}");
            }
        }
        assert!(found.len() >= expected.len(), "{name}");
    }
}

#[test]
fn luminance_is_that_of_the_colors_of_pydicom() {
    let means: [(&str, f64); 14] = [
        ("dicom-pydicom/ExplVR_BigEnd.dcm", 222.44),
        ("dicom-pydicom/SC_jpeg_no_color_transform.dcm", 243.97),
        ("dicom-pydicom/SC_rgb_dcmtk_+eb+cr.dcm", 127.73),
        ("dicom-pydicom/SC_rgb_jpeg_dcmtk.dcm", 127.69),
        ("dicom-pydicom/SC_ybr_full_422_uncompressed.dcm", 127.69),
        ("dicom-pydicom/color-px.dcm", 40.36),
        ("dicom-pydicom/examples_rgb_color.dcm", 35.33),
        ("dicom-pydicom/examples_ybr_color.dcm", 10.48),
        ("dicom-pydicom/examples_palette.dcm", 19.47),
        ("dicom-pydicom/SC_rgb_rle_16bit.dcm", 127.70),
        ("dicom-pydicom/SC_rgb_gdcm_KY.dcm", 127.70),
        ("dicom-pydicom/SC_rgb_small_odd_big_endian.dcm", 128.77),
        ("dicom-wg04/US1_RLE.dcm", 35.60),
        ("dicom-wg04/US1_J2KI.dcm", 35.72),
    ];
    for (name, expected) in means {
        let Some(path) = data(name) else { return };
        let found = read(&path).0.unwrap_or_else(|e| panic!("{name}: {e}"));
        let volume = volume_of(&found[0]);
        let mean = volume.phases.iter().map(sum).sum::<f64>() / (volume.grid.n_voxels() * volume.n_phases()) as f64;
        eprintln!("{name}: {mean:.2} for {expected}");
        assert!((mean - expected).abs() < 0.25, "{name}: {mean} for {expected}");
    }
}

#[test]
fn lossless_codecs_agree_bit_for_bit() {
    let names = ["CT2_RLE.dcm", "CT2_J2KR.dcm", "CT2_JPLL.dcm", "CT2_JLSL.dcm"].map(|n| format!("dicom-wg04/{n}"));
    let Some(first) = data(&names[0]) else { return };
    let reference = read(&first).0.unwrap();
    for name in &names[1..] {
        let other = read(&data(name).unwrap()).0.unwrap();
        assert_eq!(volume_of(&other[0]).phases, volume_of(&reference[0]).phases, "{name}");
        assert_eq!(volume_of(&other[0]).unit, "HU");
    }
    let pairs = [("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm"), ("emri_small.dcm", "emri_small_jpeg_ls_lossless.dcm")];
    for (plain, packed) in pairs.map(|(a, b)| (format!("dicom-pydicom/{a}"), format!("dicom-pydicom/{b}"))) {
        let [a, b] = [plain, packed].map(|name| read(&data(&name).unwrap()).0.unwrap());
        assert_eq!(volume_of(&a[0]).phases, volume_of(&b[0]).phases);
    }
    let (a, b) =
        (read(&data("dicom-wg04/US1_RLE.dcm").unwrap()).0.unwrap(), read(&data("dicom-wg04/US1_J2KR.dcm").unwrap()).0.unwrap());
    assert_eq!(volume_of(&a[0]).phases, volume_of(&b[0]).phases);
}

#[test]
fn every_file_opens_or_gives_a_sentence() {
    for folder in ["dicom-pydicom", "dicom-wg04", "dicom-seg-sr/highdicom"] {
        let Some(folder) = data(folder) else { return };
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "dcm"))
            .collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match read(&path).0 {
                Ok(found) => found.iter().for_each(|f| eprintln!("{name}: {}", f.summary)),
                Err(e) => {
                    eprintln!("{name}: {e}");
                    assert!(e.to_string().len() > 20, "{name}: {e}");
                }
            }
        }
    }
}

#[test]
fn a_mixed_folder_opens() {
    let Some(folder) = data("dicom-pydicom") else { return };
    let (progress, mut warnings) = (Progress::none(), Warnings::default());
    let found =
        read_dicom(&folder, &mut Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings }).unwrap();
    assert!(found.len() > 15);
    let count = |code: &str| warnings.notes.iter().filter(|n| n.code == code).count();
    assert!(count("not-an-image") >= 5, "{:?}", warnings.notes);
    assert!(warnings.notes.iter().any(|n| n.severity == Severity::Error));
}

#[test]
fn echo_loop_has_time_and_pixel_size() {
    let Some(path) = data("dicom-pydicom/examples_ybr_color.dcm") else { return };
    let (found, codes) = read(&path);
    let found = found.unwrap();
    let volume = volume_of(&found[0]);
    assert_eq!((volume.n_phases(), volume.grid.size()), (30, [320, 240, 1]));
    assert!(codes.contains(&"color-as-gray"));
    assert!(volume.length_unit_known && volume.phase_times_ms.len() == 30, "{:?}", found[0].summary);
}

#[test]
fn sunnybrook_is_eleven_slices_of_two_phases() {
    let Some(folder) = unpacked(&["sunnybrook-cine/SCD0000401_dicom_ED_ES.tar.xz"]) else { return };
    let (found, codes) = read(folder.path());
    let found = found.unwrap();
    eprintln!("{} {:?} {codes:?}", found[0].summary, volume_of(&found[0]).phase_times_ms);
    assert_eq!((found.len(), found[0].n_files), (1, 22));
    let volume = volume_of(&found[0]);
    assert_eq!((volume.grid.size(), volume.n_phases()), ([256, 256, 11], 2));
    assert!(volume.missing.is_empty() && !codes.contains(&"duplicate-slice"), "{codes:?}");
}

#[test]
fn short_axis_series_are_joined_and_lie_where_published() {
    let archives = ["bivme-cine/Se1.tar.xz", "bivme-cine/Se2.tar.xz", "bivme-cine/Se3.tar.xz", "bivme-cine/Se7.tar.xz"];
    let Some(folder) = unpacked(&archives) else { return };
    let (found, codes) = read(folder.path());
    let found = found.unwrap();
    for f in &found {
        eprintln!("{} «{}» {:?}", f.summary, volume_of(f).name, f.sorted_by);
    }
    assert_eq!(found.len(), 2, "{codes:?}");
    assert!(codes.contains(&"assembled-series"));
    let short_axis = found.iter().find(|f| volume_of(f).grid.size()[2] == 3).expect("three slices");
    let volume = volume_of(short_axis);
    assert_eq!((volume.n_phases(), short_axis.n_files), (25, 75));
    // ImagePositionPatient of SliceInfoFile.txt, in whichever order the archives hold them
    let published = [
        (-202.214, -79.6032, -70.5046),
        (-193.726, -90.5545, -81.5185),
        (-185.237, -101.506, -92.5325),
        (-176.749, -112.457, -103.546),
        (-168.261, -123.408, -114.56),
        (-159.772, -134.36, -125.574),
    ];
    for k in 0..3 {
        let p = volume.grid.lps_from_voxel().transform_point3(DVec3::new(0.0, 0.0, f64::from(k)));
        let nearest = published.iter().map(|&(x, y, z)| (p - DVec3::new(x, y, z)).length()).fold(f64::INFINITY, f64::min);
        assert!(nearest < 2e-3, "slice {k} at {p}, {nearest} mm off");
    }
    assert!((volume.grid.spacing_mm() - DVec3::new(1.40625, 1.40625, 17.7)).length() < 0.05, "{}", volume.grid.spacing_mm());
}
